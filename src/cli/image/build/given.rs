//! Instructions and context: of directories and files, of what comes on standard input, or of another machine.
//!
//! ```text
//!   DIRECTORY [-f FILE]      the file from here, else from the context
//!   DIRECTORY -f -           instructions on standard input
//!   - [-f FILE]              an archive on standard input, compressed or not, and a file in it; or instructions, and no context
//!   ADDRESS [-f FILE]        a repository of git and a file in it, or what a server of HTTP has, as on standard input
//! ```

use std::io::Read;
use std::path::{Path, PathBuf};

use super::Build;
use super::inputs::{self, FILES, LONGEST};
use crate::build::Source;
use crate::build::context::Context;
use crate::build::context::unpacked::Unpacked;
use crate::build::ignore::{self, Ignore};
use crate::build::parse::{self, Dockerfile};
use crate::build::remote::{self, Arrived};
use crate::cli::Report;
use crate::layer::compression::{Packing, told_by};
use crate::layer::pack::header::{BLOCK, is_header};
use crate::registry::Patience;
use crate::store::Store;

/// What it is called in messages.
const STDIN: &str = "standard input";
/// As BuildKit: the context keeps what git has written down.
const KEEP_GIT: &str = "BUILDKIT_CONTEXT_KEEP_GIT_DIR";

/// What is to be built.
pub struct Given {
    pub file: Dockerfile,
    pub context: Option<Context>,
}

impl Given {
    pub fn of(build: &Build, store: &Store) -> Result<Self, Report> {
        let directory = match (&build.context, build.file.is_empty()) {
            (Some(path), _) if path.as_os_str() == "-" => return Self::of_stdin(build, store),
            (Some(path), _) => match path.to_str().filter(|text| remote::is_remote(text)) {
                Some(address) => return Self::of_address(build, store, address),
                None if path.to_str().is_some_and(|text| text.contains("://")) => {
                    return Err(Report::new(format!("`{}`: that kind of address is not known", path.display()))
                        .hint("a directory, `https://…`, or a repository of git"));
                }
                None => Some(path.clone()),
            },
            (None, true) => Some(PathBuf::from(".")),
            (None, false) => None,
        };
        let (file, path) = inputs::instructions(&build.file, directory.as_deref())?;
        let asked = build.ignorefile.as_deref();
        let context = directory.map(|directory| inputs::context(&directory, asked, path.as_deref())).transpose()?;
        Ok(Self { file, context })
    }

    fn of_stdin(build: &Build, store: &Store) -> Result<Self, Report> {
        if named(build)?.is_some_and(is_stdin) {
            return Err(Report::new("standard input can't be the context and the instructions")
                .hint("`-f PATH` names a file in the archive"));
        }
        Self::of_stream(build, store, std::io::stdin().lock(), STDIN)
    }

    fn of_address(build: &Build, store: &Store, address: &str) -> Result<Self, Report> {
        let keeps_git = inputs::arguments(&build.build_arg, &build.build_arg_file)?;
        let keeps_git = keeps_git.get(KEEP_GIT).is_some_and(|value| ["1", "true"].contains(&value.as_str()));
        match remote::context(store, build.from.patience(), address, keeps_git)? {
            Arrived::Directory(context) => Self::of_made(build, context),
            Arrived::File(file, name) => Self::of_stream(build, store, file, &name),
        }
    }

    /// An archive, or instructions without a context.
    fn of_stream(build: &Build, store: &Store, mut input: impl Read, name: &str) -> Result<Self, Report> {
        let mut start = Vec::new();
        let read = input.by_ref().take(BLOCK as u64).read_to_end(&mut start);
        read.map_err(|error| Report::new(format!("{name} can't be read: {error}")))?;
        let input = start.as_slice().chain(input);
        if is_archive(&start) {
            return Self::of_made(build, unpacked(store, input, name)?);
        }
        if let Some(file) = named(build)? {
            let text = format!("{name} is no archive, so `{}` can't be in it", file.display());
            return Err(Report::new(text).hint("`tar -c . | coracle build -f FILE -` sends one"));
        }
        Ok(Self { file: parse::parse(name.trim_matches('`'), &inputs::read(input)?)?, context: None })
    }

    /// A context that nobody may be led out of, with the file of instructions in it, unless that comes on standard input.
    fn of_made(build: &Build, context: Context) -> Result<Self, Report> {
        let (file, path) = match named(build)? {
            Some(file) if is_stdin(file) => (parse::parse(STDIN, &inputs::read(std::io::stdin().lock())?)?, None),
            named => instructions_in(&context, named).map(|(file, path)| (file, Some(path)))?,
        };
        let ignore = match &build.ignorefile {
            Some(path) => inputs::ignore(path)?,
            None => ignore_in(&context, path.as_deref())?,
        };
        Ok(Self { file, context: Some(context.without(ignore)) })
    }
}

/// The files at an address: of `--build-context`.
pub fn fetched(store: &Store, patience: Patience, address: &str) -> Result<Context, Report> {
    match remote::context(store, patience, address, false)? {
        Arrived::Directory(context) => Ok(context),
        Arrived::File(file, name) => unpacked(store, file, &name),
    }
}

fn unpacked(store: &Store, archive: impl Read, name: &str) -> Result<Context, Report> {
    let of = if name == STDIN { "on" } else { "at" };
    Ok(Context::of_made(Unpacked::of_archive(store, archive)?, &format!("the archive {of} {name}"))?)
}

/// The file of instructions that `--file` names.
fn named(build: &Build) -> Result<Option<&Path>, Report> {
    match build.file.as_slice() {
        [] => Ok(None),
        [file] => Ok(Some(file)),
        _ => Err(Report::new("only one `--file` can be built")),
    }
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Told by its first block.
fn is_archive(start: &[u8]) -> bool {
    let packing = start.first_chunk().map_or(Packing::Plain, |first| told_by(*first));
    packing != Packing::Plain || is_header(start)
}

/// The file of instructions of a context that nobody may be led out of.
fn instructions_in(context: &Context, named: Option<&Path>) -> Result<(Dockerfile, PathBuf), Report> {
    let names = named.map_or_else(|| FILES.map(PathBuf::from).to_vec(), |named| vec![named.to_owned()]);
    for name in &names {
        if let Some(bytes) = context.read(&name.to_string_lossy(), parse::LONGEST as u64 + 1)? {
            let title = name.file_name().unwrap_or_default().display().to_string();
            return Ok((parse::parse(&title, &bytes)?, name.clone()));
        }
    }
    let text = match named {
        Some(name) => format!("`{}` is not in {}", name.display(), context.place()),
        None => format!("no Containerfile or Dockerfile is in {}", context.place()),
    };
    Err(Report::new(text).hint("`-f PATH` names one that lies elsewhere in it or has another name"))
}

fn ignore_in(context: &Context, instructions: Option<&Path>) -> Result<Ignore, Report> {
    for place in ignore::places(instructions, Path::new("")) {
        if let Some(bytes) = context.read(&place.to_string_lossy(), LONGEST)? {
            let name = place.file_name().unwrap_or_default().display().to_string();
            return Ok(Ignore::parse(&Source::new(name, String::from_utf8_lossy(&bytes)))?);
        }
    }
    Ok(Ignore::default())
}
