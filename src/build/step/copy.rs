//! COPY and ADD: files of the context, of a stage or of an image, in a layer of their own.
//!
//! ```text
//!   context: walked and read by this process     ─┐
//!   layers:  a worker in a container on them      ─┴─▶ tar stream, names and modes as they are to be ─▶ a worker in a container
//!                                                                                                       on the layers so far
//! ```

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Cursor, Read, Seek, Write};
use std::os::fd::{AsFd, OwnedFd};

use rustix::pipe::{PipeFlags, pipe_with};

use super::chmod::{Chmod, ChmodError};
use crate::build::context::{self, Context};
use crate::build::ignore::{Ignore, Verdict};
use crate::build::keys::Key;
use crate::build::parse::{Add, Copy, CopySource, Heredoc};
use crate::build::pattern::{Pattern, is_pattern};
use crate::build::remote::{self, Files, Remote};
use crate::build::stage::{Layer, Stage, WorkingDirectory};
use crate::build::{Error, Result};
use crate::container::commit::step::Step;
use crate::container::into::copy::Mounted;
use crate::container::record::Driver;
use crate::layer::compression;
use crate::layer::copy::Stream;
use crate::layer::copy::rewrite::rewrite;
use crate::layer::pack::header::{BLOCK, Header, is_header};
use crate::layer::tar_stream::{Entry, Kind};
use crate::store::build_cache::Sources;
use crate::sys::Call;

/// What is read or written at a time.
pub const PIECE: usize = 256 << 10;

/// Where files come from.
pub enum Origin<'a> {
    Context(&'a Context),
    /// Of a stage, or an image.
    Layers(Vec<Layer>),
}

/// A COPY or ADD with all words replaced.
struct Plan<'a> {
    destination: String,
    /// What is copied goes into it.
    into: bool,
    chown: Option<String>,
    chmod: Option<Chmod>,
    parents: bool,
    excludes: Ignore,
    /// The same, as words.
    excluded: Vec<String>,
    paths: Vec<String>,
    heredocs: Vec<(&'a Heredoc, String)>,
    /// Addresses, of ADD.
    remotes: Vec<String>,
    /// Archives of the context are unpacked; those fetched, only where that is asked for.
    unpacks: bool,
    unpacks_fetched: bool,
}

impl Plan<'_> {
    /// Of a copy of what has this mode.
    fn mode(&self, mode: u32, is_directory: bool) -> u32 {
        self.chmod.as_ref().map_or(mode, |chmod| chmod.apply(mode, is_directory))
    }
}

/// One source, and what is to be done with it.
struct Given<'a> {
    context: &'a Context,
    source: &'a context::Source,
    /// If it is an archive.
    unpacks: bool,
}

pub fn copy(stage: &mut Stage<'_>, copy: &Copy, add: Option<&Add>) -> Result<()> {
    let plan = plan(stage, copy, add)?;
    let name = if add.is_some() { "ADD" } else { "COPY" };
    let mut key = key(stage, &plan, name);
    key.reads();
    let from = copy.from.as_ref().map(|from| from.text.as_str());
    // Who takes nothing from the context needs none.
    let origin = match from.is_some() || !plan.paths.is_empty() {
        true => Some(stage.build.origin(stage, from)?),
        false => None,
    };
    let (found, text) = look(stage, &plan, origin.as_ref(), &mut key)?;
    let remotes = add.into_iter().flat_map(|add| plan.remotes.iter().map(move |url| (url, add)));
    let remotes = remotes.map(|(url, add)| Remote::look(stage, url, add)).collect::<Result<Vec<_>>>()?;
    remotes.iter().for_each(|remote| key.parts(remote.key()));
    let text = super::settings::nop(format!("{name} {} in {} ", text.trim_end(), plan.destination));
    let sources = |stage: &Stage<'_>| match &origin {
        Some(Origin::Context(context)) => context.sources(&found, &mut stage.build.hashes.borrow_mut()),
        _ => Ok(Sources::default()),
    };
    stage.put(&key.finish(), text, sources, |stage| {
        let fetched = remotes.into_iter().map(|remote| remote.fetch(stage)).collect::<Result<Vec<_>>>()?;
        let step = Step::make(stage.build.request.store, &stage.build.ids, stage.bare_container()?, Vec::new())?;
        let mounted = step.mount()?;
        if let Some(pending) = &stage.pending {
            pending.make(&mounted)?;
        }
        match &origin {
            Some(Origin::Layers(layers)) => from_layers(stage, &mounted, &plan, layers)?,
            Some(Origin::Context(context)) => {
                from_contexts(&mounted, &plan, &given(&plan, Some(*context), &found, &fetched))?
            }
            None => from_contexts(&mounted, &plan, &given(&plan, None, &found, &fetched))?,
        }
        drop(mounted);
        Ok(step.into_layer(&[], stage.build.request.epoch)?)
    })?;
    stage.pending = None;
    Ok(())
}

/// What the instruction itself says.
fn key(stage: &Stage<'_>, plan: &Plan<'_>, name: &str) -> Key {
    let mut key = stage.key();
    key.parts([name, &plan.destination]);
    key.parts(stage.pending.iter().flat_map(|pending| [pending.path.as_str(), &pending.user]));
    let words = [plan.chown.clone().unwrap_or_default(), format!("{:?} {} {}", plan.chmod, plan.parents, plan.into)];
    key.parts(words.iter().map(String::as_str));
    key.parts(plan.excluded.iter().map(String::as_str));
    for (heredoc, text) in &plan.heredocs {
        key.parts([heredoc.name.as_str(), text]);
    }
    key.part(&format!("{} {}", plan.unpacks, plan.unpacks_fetched));
    key
}

/// What is copied of the context, and what the history says of the sources.
fn look(
    stage: &Stage<'_>,
    plan: &Plan<'_>,
    origin: Option<&Origin<'_>>,
    key: &mut Key,
) -> Result<(Vec<context::Source>, String)> {
    let (mut found, mut text) = (Vec::new(), None);
    match origin {
        Some(Origin::Context(context)) => {
            let mut hashes = stage.build.hashes.borrow_mut();
            for path in &plan.paths {
                for source in context.find(path)? {
                    let digest = context.digest(&source, &mut hashes)?;
                    let name = if plan.parents { source.path_from_pivot() } else { source.name.clone() };
                    key.parts([digest.hex(), &String::from_utf8_lossy(&name)]);
                    text = Some(format!("{}:{}", if source.is_directory { "dir" } else { "file" }, digest.hex()));
                    found.push(source);
                }
            }
        }
        Some(Origin::Layers(layers)) => {
            key.parts(layers.iter().map(|(_, diff_id)| diff_id.hex()));
            key.parts(plan.paths.iter().map(String::as_str));
        }
        None => {}
    }
    let remotes = plan.remotes.iter().map(|url| remote::shown(url));
    let heredocs = plan.heredocs.iter().map(|(heredoc, _)| format!("<<{}", heredoc.name));
    let words: Vec<String> = plan.paths.iter().cloned().chain(remotes).chain(heredocs).collect();
    if words.len() > 1 || found.len() > 1 {
        text = Some(format!("multi:{}", words.join(" ")));
    }
    Ok((found, text.unwrap_or_else(|| words.join(" "))))
}

fn given<'a>(
    plan: &Plan<'_>,
    context: Option<&'a Context>,
    found: &'a [context::Source],
    fetched: &'a [Files],
) -> Vec<Given<'a>> {
    let own = context
        .into_iter()
        .flat_map(|context| found.iter().map(move |source| Given { context, source, unpacks: plan.unpacks }));
    let others = fetched.iter().flat_map(|files| {
        let Files { context, sources } = files;
        let unpacks = plan.unpacks_fetched;
        sources.iter().map(move |source| Given { context, source, unpacks })
    });
    own.chain(others).collect()
}

impl WorkingDirectory {
    fn make(&self, mounted: &Mounted<'_>) -> Result<()> {
        let user = Some(self.user.clone()).filter(|user| !user.is_empty());
        put(mounted, &self.path, Stream::Archive, user, context::end)
    }
}

/// Makes the working directory in a layer of its own: nothing else has made it, or would make it another user's.
pub fn directory(stage: &mut Stage<'_>) -> Result<()> {
    let Some(pending) = stage.pending.take() else { return Ok(()) };
    let mut key = stage.key();
    key.parts(["WORKDIR", &pending.path, &pending.user]);
    let (key, text) = (key.finish(), super::settings::nop(format!("WORKDIR {}", pending.path)));
    let none = |_: &Stage<'_>| Ok(Sources::default());
    stage.put(&key, text, none, |stage| {
        let step = Step::make(stage.build.request.store, &stage.build.ids, stage.bare_container()?, Vec::new())?;
        let mounted = step.mount()?;
        pending.make(&mounted)?;
        drop(mounted);
        Ok(step.into_layer(&[], stage.build.request.epoch)?)
    })
}

fn plan<'a>(stage: &Stage<'_>, copy: &'a Copy, add: Option<&Add>) -> Result<Plan<'a>> {
    let written = stage.word(&copy.destination)?;
    let (mut paths, mut heredocs) = (Vec::new(), Vec::new());
    for source in &copy.sources {
        match source {
            CopySource::Path(word) => paths.push(stage.word(word)?),
            CopySource::Heredoc(heredoc) => heredocs.push((heredoc, stage.heredoc(heredoc, copy.destination.span)?)),
        }
    }
    let (remotes, paths): (Vec<_>, Vec<_>) =
        paths.into_iter().partition(|path| add.is_some() && remote::is_remote(path));
    let many = paths.len() + heredocs.len() + remotes.len() > 1;
    let into = written.ends_with('/') || written.ends_with("/.") || written == "." || copy.parents;
    if many && !into {
        return Err(Error::Refused(format!(
            "several files go to `{written}`, which must be a directory and end in a slash"
        )));
    }
    let excludes = stage.words(&copy.excludes)?;
    Ok(Plan {
        destination: stage.absolute(&written),
        into,
        chown: copy.chown.as_ref().map(|word| stage.word(word)).transpose()?.map(owner),
        chmod: copy.chmod.as_ref().map(|word| chmod(&stage.word(word)?)).transpose()?,
        parents: copy.parents,
        excludes: Ignore::new(excludes.iter().map(String::as_str))
            .map_err(|error| Error::Refused(error.to_string()))?,
        excluded: excludes,
        paths,
        heredocs,
        remotes,
        unpacks_fetched: add.is_some_and(|add| add.unpack == Some(true)),
        unpacks: add.is_some_and(|add| add.unpack != Some(false)),
    })
}

/// A number without a group means the group with that number, too.
fn owner(text: String) -> String {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) { format!("{text}:{text}") } else { text }
}

fn chmod(text: &str) -> Result<Chmod> {
    text.parse().map_err(|error: ChmodError| Error::Refused(error.to_string()))
}

/// Has a worker make, at `path`, what `write` writes.
fn put(
    mounted: &Mounted<'_>,
    path: &str,
    stream: Stream,
    user: Option<String>,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<()>,
) -> Result<()> {
    let (read, end) = pipe_with(PipeFlags::CLOEXEC).call("pipe2")?;
    let running = mounted.put(path.as_bytes(), stream, user, read.as_fd())?;
    drop(read);
    feed(end, write, || running.finish())
}

/// Writes to the pipe that a worker reads, and waits for its end. Where both sides fail, one of them does so because the other
/// has gone.
pub fn feed(
    end: OwnedFd,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<()>,
    finish: impl FnOnce() -> crate::layer::Result<u64>,
) -> Result<()> {
    let mut out = BufWriter::with_capacity(PIECE, File::from(end));
    let written = write(&mut out).and_then(|()| out.flush().map_err(Error::Pipe));
    // Not flushed once more.
    drop(out.into_parts());
    match (written, finish()) {
        (Err(Error::Pipe(_)), Err(theirs)) => Err(theirs.into()),
        (Err(Error::Layer(crate::layer::Error::Write(_))), Err(theirs)) => Err(theirs.into()),
        (Err(ours), _) => Err(ours),
        (Ok(()), made) => Ok(made.map(drop)?),
    }
}

fn from_contexts(mounted: &Mounted<'_>, plan: &Plan<'_>, all: &[Given<'_>]) -> Result<()> {
    let mut files = Vec::new();
    for given in all {
        let archive = if given.unpacks { archive(given.context, given.source)? } else { None };
        match archive {
            Some(archive) => {
                let path = plan.destination.as_bytes();
                mounted.put(path, Stream::Archive, plan.chown.clone(), archive.as_fd())?.finish()?;
            }
            None => files.push(given),
        }
    }
    if files.is_empty() && plan.heredocs.is_empty() {
        return Ok(());
    }
    let lone = files.len() + plan.heredocs.len() == 1 && files.iter().all(|given| !given.source.is_directory);
    if !lone && !plan.into && files.len() > 1 {
        return Err(Error::Refused(format!(
            "{} files go to `{}`, which must be a directory and end in a slash",
            files.len(),
            plan.destination
        )));
    }
    let (stream, path) = place(plan, lone);
    put(mounted, &path, stream, plan.chown.clone(), |out| {
        for Given { context, source, .. } in &files {
            context.write(source, out, |item| {
                let name = if plan.parents { item.path_from_pivot(source) } else { item.name.clone() };
                let verdict = plan.excludes.path(&String::from_utf8_lossy(&item.name));
                (verdict == Verdict::In).then(|| (name, plan.mode(item.mode(), item.is_directory())))
            })?;
        }
        for (heredoc, text) in &plan.heredocs {
            let (path, mode) = (heredoc.name.as_bytes().to_vec(), plan.mode(0o644, false));
            let header = Header { path, mode, size: text.len() as u64, ..Header::marker() };
            let padding = text.len().next_multiple_of(BLOCK) - text.len();
            let bytes = [header.encode().as_slice(), text.as_bytes(), &[0; BLOCK][..padding]].concat();
            out.write_all(&bytes).map_err(Error::Pipe)?;
        }
        context::end(out)
    })
}

/// A lone file gets the name of the destination, unless that is a directory.
fn place(plan: &Plan<'_>, lone: bool) -> (Stream, String) {
    match (lone, plan.into) {
        (true, false) => (Stream::Named, plan.destination.clone()),
        _ => (Stream::Archive, format!("{}/", plan.destination.trim_end_matches('/'))),
    }
}

/// A file of the context that is a tar archive, compressed or not.
fn archive(context: &Context, source: &context::Source) -> Result<Option<File>> {
    let Some(mut file) = context.open_file(source)? else { return Ok(None) };
    let mut block = Vec::new();
    let read = compression::plain_archive(&file).and_then(|plain| plain.take(BLOCK as u64).read_to_end(&mut block));
    if read.is_err() || !is_header(&block) {
        return Ok(None);
    }
    file.rewind().call("lseek")?;
    Ok(Some(file))
}

fn from_layers(stage: &Stage<'_>, mounted: &Mounted<'_>, plan: &Plan<'_>, layers: &[Layer]) -> Result<()> {
    if !plan.heredocs.is_empty() {
        return Err(Error::Refused("a heredoc comes from no stage".into()));
    }
    let mut container = stage.bare_container()?;
    container.layers = layers.iter().map(|(_, diff_id)| diff_id.clone()).collect();
    container.driver = if layers.is_empty() { Driver::Fuse } else { stage.build.request.template.driver };
    let other = Step::make(stage.build.request.store, &stage.build.ids, container, Vec::new())?;
    let others = other.mount()?;
    plan.paths.iter().try_for_each(|path| from_mounted(mounted, plan, &others, path))
}

/// What a path means in another tree.
struct Wanted {
    /// Up to the first component with a wildcard.
    base: String,
    /// Components with wildcards, and all behind them.
    pattern: Vec<Pattern>,
    /// Of the base, as `--parents` keeps it.
    prefix: Vec<u8>,
}

impl Wanted {
    fn of(path: &str, parents: bool) -> Result<Self> {
        let (before, after) = path.split_once("/./").filter(|_| parents).unwrap_or(("", path));
        let whole = format!("{before}/{after}");
        let parts: Vec<&str> = whole.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        let plain = parts.iter().take_while(|part| !is_pattern(part)).count();
        let (base, pattern) = parts.split_at(plain);
        let kept = base.len() - before.split('/').filter(|part| !part.is_empty()).count().min(base.len());
        let prefix = if parents { base[base.len() - kept..].join("/").into_bytes() } else { Vec::new() };
        let pattern = pattern.iter().map(|part| Pattern::new(part)).collect::<std::result::Result<_, _>>();
        let pattern = pattern.map_err(|error| Error::Pattern(error.to_string()))?;
        Ok(Self { base: format!("/{}", base.join("/")), pattern, prefix })
    }

    /// The name of a copy, from the destination on; `None`: it is not meant. `path` begins with the base's own name.
    fn name(&self, path: &[u8], is_directory: bool, parents: bool) -> Option<Vec<u8>> {
        let parts: Vec<&[u8]> = path.split(|byte| *byte == b'/').filter(|part| !part.is_empty()).collect();
        let (first, inner) = parts.split_first()?;
        if inner.len() < self.pattern.len() {
            return None;
        }
        let (matched, rest) = inner.split_at(self.pattern.len());
        let fits = |(pattern, part): (&Pattern, &&[u8])| pattern.matches(&String::from_utf8_lossy(part));
        if !self.pattern.iter().zip(matched).all(fits) {
            return None;
        }
        if parents {
            let prefix = Some(self.prefix.as_slice()).filter(|prefix| !prefix.is_empty());
            return Some(prefix.into_iter().chain(inner.iter().copied()).collect::<Vec<_>>().join(&b'/'));
        }
        match (rest.is_empty(), is_directory) {
            // The content of a directory is copied, and not the directory.
            (true, true) => None,
            (true, false) => Some(matched.last().unwrap_or(first).to_vec()),
            (false, _) => Some(rest.join(&b'/')),
        }
    }
}

fn from_mounted(mounted: &Mounted<'_>, plan: &Plan<'_>, others: &Mounted<'_>, path: &str) -> Result<()> {
    let wanted = Wanted::of(path, plan.parents)?;
    let (read, write) = pipe_with(PipeFlags::CLOEXEC).call("pipe2")?;
    let packing = others.take(wanted.base.as_bytes(), write.as_fd())?;
    drop(write);
    let source = BufReader::with_capacity(PIECE, File::from(read));
    let mut found = 0_u64;
    let mut change = |entry: &mut Entry| {
        let is_directory = entry.kind == Kind::Directory;
        let name = wanted.name(&entry.path, is_directory, plan.parents);
        // A directory that is meant is there, even if nothing is in it.
        let is_itself = is_directory && wanted.pattern.is_empty();
        found += u64::from(name.is_some() || is_itself);
        let Some(name) = name else { return false };
        if plan.excludes.path(&String::from_utf8_lossy(&name)) != Verdict::In {
            return false;
        }
        if entry.kind == Kind::HardLink
            && let Some(link) = wanted.name(&entry.link, false, plan.parents)
        {
            entry.link = link;
        }
        entry.path = name;
        if entry.kind != Kind::Symlink {
            entry.mode = plan.mode(entry.mode, is_directory);
        }
        true
    };
    let (is_directory, source) = first_kind(source).map_err(crate::layer::Error::Read)?;
    let copied = if wanted.pattern.is_empty() || plan.into {
        let (stream, to) = place(plan, !is_directory && wanted.pattern.is_empty());
        put(mounted, &to, stream, plan.chown.clone(), |out| Ok(rewrite(source, out, &mut change).map(drop)?))
    } else {
        // How many there are decides what the destination is.
        let mut spool = spool()?;
        let count = rewrite(source, BufWriter::with_capacity(PIECE, &spool), &mut change)?;
        spool.rewind().call("lseek")?;
        let (stream, to) = place(plan, count == 1);
        let running = mounted.put(to.as_bytes(), stream, plan.chown.clone(), spool.as_fd())?;
        Ok(running.finish().map(drop)?)
    };
    match (packing.finish(), copied) {
        // The one who reads has gone, and says why.
        (Err(theirs), Err(Error::Layer(_))) | (Err(theirs), Ok(())) => Err(missing(theirs, path)),
        (_, Err(ours)) => Err(ours),
        (Ok(_), Ok(())) if found == 0 => {
            Err(Error::NoSource { path: path.to_owned(), place: "the stage or image that it is copied from".into() })
        }
        (Ok(_), Ok(())) => Ok(()),
    }
}

pub fn missing(error: crate::layer::Error, path: &str) -> Error {
    match error.to_string().contains("could not be found") {
        true => Error::NoSource { path: path.to_owned(), place: "the stage or image that it is copied from".into() },
        false => error.into(),
    }
}

/// A file that is gone when it is closed.
fn spool() -> Result<File> {
    Ok(rustix::fs::memfd_create(c"copy", rustix::fs::MemfdFlags::CLOEXEC).call("memfd_create")?.into())
}

/// Whether a stream begins with a directory; and the stream, as if nobody had looked.
fn first_kind<R: BufRead>(mut source: R) -> std::io::Result<(bool, impl BufRead)> {
    let mut seen = Vec::new();
    let is_directory = loop {
        let at = seen.len();
        let read = source.by_ref().take(BLOCK as u64).read_to_end(&mut seen)?;
        let header = seen.get(at..).unwrap_or_default();
        match header.get(156) {
            Some(b'x' | b'g') if read == BLOCK => {
                let size = header.get(124..135).map(String::from_utf8_lossy);
                let size =
                    size.and_then(|size| u64::from_str_radix(size.trim_matches(['\0', ' ']), 8).ok()).unwrap_or(0);
                source.by_ref().take(size.next_multiple_of(BLOCK as u64)).read_to_end(&mut seen)?;
            }
            kind => break kind == Some(&b'5'),
        }
    };
    Ok((is_directory, Cursor::new(seen).chain(source)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_path_in_another_tree_means() {
        let name = |path: &str, parents: bool, entry: &str, is_directory: bool| {
            let wanted = Wanted::of(path, parents).unwrap();
            let name = wanted.name(entry.as_bytes(), is_directory, parents);
            (wanted.base, name.map(|name| String::from_utf8(name).unwrap()))
        };
        assert_eq!(name("/app", false, "app", true), ("/app".into(), None));
        assert_eq!(name("/app", false, "app/a/b", false), ("/app".into(), Some("a/b".into())));
        assert_eq!(name("/app/x", false, "x", false), ("/app/x".into(), Some("x".into())));
        assert_eq!(name("/app/*.jar", false, "app/x.jar", false), ("/app".into(), Some("x.jar".into())));
        assert_eq!(name("/app/*.jar", false, "app/x.txt", false).1, None);
        assert_eq!(name("/app/*/c", false, "app/b/c/d", false).1, Some("d".into()));
        assert_eq!(name("/a/./b/c", true, "c", false), ("/a/b/c".into(), Some("b/c".into())));
        assert_eq!(name("/", false, "content/etc/x", false), ("/".into(), Some("etc/x".into())));
    }
}
