//! What a cache of `RUN --mount=type=cache` begins with: nothing, or files of the context, a stage or an image.
//!
//! As with BuildKit, a cache that begins with something is another than one of the same id that begins with nothing, or with
//! something else.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::os::fd::AsFd;

use rustix::pipe::{PipeFlags, pipe_with};
use tar::EntryType;

use super::copy::Origin;
use crate::build::caches::{Cache, FILES};
use crate::build::context::{self, Context};
use crate::build::parse::MountSpec;
use crate::build::stage::{Layer, Stage};
use crate::build::{Error, Result};
use crate::container::commit::step::Step;
use crate::container::record::Driver;
use crate::layer::copy::rewrite::rewrite;
use crate::layer::pack::header::Header;
use crate::layer::tar_stream::{Entry, Kind};
use crate::oci::Digest;
use crate::runtime::inside::normal;
use crate::sys::Call;

/// What is read at a time.
const PIECE: usize = 256 << 10;

/// Where a cache's first files are.
enum Seed<'a> {
    Nothing,
    Context(&'a Context, context::Source),
    Layers(Vec<Layer>, String),
}

/// The cache of a mount, made if it is new.
pub fn cache(stage: &Stage<'_>, id: &str, spec: &MountSpec) -> Result<Cache> {
    let source = spec.source.as_deref().unwrap_or("/");
    let origin = spec.from.as_deref().map(|from| stage.build.origin(stage, Some(from))).transpose()?;
    let mut id = id.to_owned();
    let seed = match origin {
        Some(Origin::Context(context)) => {
            let found = context.exact(source)?;
            if !found.is_directory {
                return Err(no_directory(source));
            }
            id = format!("{id}:{}", context.digest(&found, &mut stage.build.hashes.borrow_mut())?);
            Seed::Context(context, found)
        }
        Some(Origin::Layers(layers)) if !layers.is_empty() => {
            let path = normal(source);
            let all: String = layers.iter().map(|(_, diff_id)| diff_id.hex()).collect();
            id = format!("{id}:{}", Digest::of(format!("{all}{path}").as_bytes()));
            Seed::Layers(layers, path)
        }
        _ => Seed::Nothing,
    };
    Cache::open(stage.build.request.store, &id, spec, &|out| match &seed {
        Seed::Nothing => start(spec, out).and_then(|()| context::end(out)),
        Seed::Context(context, found) => {
            start(spec, out)?;
            context.write(found, out, |item| Some((below(&item.name), item.mode())))?;
            context::end(out)
        }
        Seed::Layers(layers, path) => from_layers(stage, layers, path, spec, out),
    })
}

/// The directory itself.
fn start(spec: &MountSpec, out: &mut impl Write) -> Result<()> {
    let header = Header {
        path: below(b""),
        kind: EntryType::Directory,
        mode: spec.mode.unwrap_or(0o755),
        uid: spec.uid.unwrap_or(0),
        gid: spec.gid.unwrap_or(0),
        ..Header::marker()
    };
    out.write_all(&header.encode()).map_err(Error::Pipe)
}

fn below(path: &[u8]) -> Vec<u8> {
    [FILES.as_bytes(), b"/", path].concat()
}

fn from_layers(
    stage: &Stage<'_>,
    layers: &[Layer],
    path: &str,
    spec: &MountSpec,
    out: &mut BufWriter<File>,
) -> Result<()> {
    let mut container = stage.bare_container()?;
    container.layers = layers.iter().map(|(_, diff_id)| diff_id.clone()).collect();
    container.driver = if layers.is_empty() { Driver::Fuse } else { stage.build.request.template.driver };
    let other = Step::make(stage.build.request.store, &stage.build.ids, container, Vec::new())?;
    let others = other.mount()?;
    let (read, write) = pipe_with(PipeFlags::CLOEXEC).call("pipe2")?;
    let packing = others.take(path.as_bytes(), write.as_fd())?;
    drop(write);
    let mut is_directory = true;
    // The first is what was asked for, under its own name.
    let mut change = |entry: &mut Entry| {
        let inner = entry.path.iter().position(|byte| *byte == b'/').and_then(|slash| entry.path.get(slash + 1..));
        let inner = inner.unwrap_or_default().to_vec();
        if inner.is_empty() {
            is_directory &= entry.kind == Kind::Directory;
            entry.mode = spec.mode.unwrap_or(entry.mode);
            entry.uid = spec.uid.map_or(entry.uid, u64::from);
            entry.gid = spec.gid.map_or(entry.gid, u64::from);
        }
        if entry.kind == Kind::HardLink {
            let link = entry.link.iter().position(|byte| *byte == b'/').and_then(|slash| entry.link.get(slash + 1..));
            entry.link = below(link.unwrap_or_default());
        }
        entry.path = below(&inner);
        true
    };
    let source = BufReader::with_capacity(PIECE, File::from(read));
    let copied = rewrite(source, out, &mut change);
    match (packing.finish(), copied) {
        (Err(theirs), Err(crate::layer::Error::Read(_)) | Ok(_)) => Err(super::copy::missing(theirs, path)),
        (_, Err(ours)) => Err(ours.into()),
        (Ok(_), Ok(_)) if !is_directory => Err(no_directory(path)),
        (Ok(_), Ok(_)) => Ok(()),
    }
}

fn no_directory(path: &str) -> Error {
    Error::Refused(format!("`{path}`, with which the cache is to begin, is no directory"))
}
