//! What `RUN --mount=type=bind` shows: files of the context, of a stage or of an image.
//!
//! A source is a path, in which no character is a wildcard, as with BuildKit.
//!
//! What must stay true: whatever changes in the context meanwhile, what is mounted lies in it; and what the ignore file leaves out
//! is not there.

use std::fs::File;
use std::io::{BufReader, BufWriter, Seek, Write};

use rustix::fs::{MemfdFlags, Mode, OFlags};

use super::copy::Origin;
use crate::build::context::{self, Context};
use crate::build::parse::MountSpec;
use crate::build::stage::Stage;
use crate::build::{Error, Result};
use crate::container::mount::{Mount, Overlay, Source};
use crate::container::record::Image;
use crate::layer::copy::{self, Owners, Root, Stream, Target};
use crate::oci::Digest;
use crate::runtime::inside::normal;
use crate::store::Tmp;
use crate::sys::Call;

/// A mount, and the files that were made for it, as long as it is needed.
pub fn bound(stage: &Stage<'_>, spec: &MountSpec, target: String) -> Result<(Mount, Option<Tmp>)> {
    let source = spec.source.as_deref().unwrap_or("/");
    let (source, mut options, part) = match stage.build.origin(stage, spec.from.as_deref())? {
        Origin::Layers(layers) => {
            let subpath = normal(source).trim_start_matches('/').to_owned();
            let layers: Vec<Digest> = layers.into_iter().map(|(_, diff_id)| diff_id).collect();
            // Nobody looks for it by these.
            let none = Digest::of(b"");
            let image = Image { name: spec.from.clone().unwrap_or_default(), id: none.clone(), manifest: none };
            let subpath = Some(subpath).filter(|path| !path.is_empty());
            (Source::Image { image, layers, subpath }, Vec::new(), None)
        }
        Origin::Context(context) if context.is_whole() => {
            // Whether it is there, in words; who mounts it walks the same way again, and not out of the context.
            drop(context.open_path(source)?);
            let inner = context::inner(source)?;
            let below = (!inner.is_empty()).then(|| format!("x-subpath={inner}"));
            (
                Source::Bind(context.path().to_owned()),
                below.into_iter().chain(spec.relabelled.then(|| "z".to_owned())).collect(),
                None,
            )
        }
        Origin::Context(context) => {
            let part = stage.build.request.store.tmp_dir()?;
            let name = copied(stage, context, source, &part)?;
            (Source::Bind(part.path().join(PART).join(name)), Vec::new(), Some(part))
        }
    };
    // What is written to it is for nobody else.
    let overlay = (!spec.read_only).then_some(Overlay { directories: None });
    options.extend(spec.read_only.then(|| "ro".to_owned()));
    Ok((Mount { source, target, options, overlay }, part))
}

const PART: &str = "part";

/// Copies what the ignore file leaves of a source; gives the name of a lone file, which is empty for a directory.
fn copied(stage: &Stage<'_>, context: &Context, source: &str, part: &Tmp) -> Result<String> {
    let found = context.exact(source)?;
    let mut spool = spool(part)?;
    let mut out = BufWriter::with_capacity(super::copy::PIECE, &spool);
    context.write(&found, &mut out, |item| Some((item.name.clone(), item.mode())))?;
    context::end(&mut out)?;
    out.flush().map_err(Error::Pipe)?;
    drop(out);
    spool.rewind().call("lseek")?;
    let path = part.path().join(PART);
    crate::host::change::create_dir(&path)?;
    let (path, place) = (path.into_os_string().into_encoded_bytes(), "the host".to_owned());
    let (overwrite, parents, recorded) = (true, false, false);
    let target = Target { path, place, stream: Stream::Archive, overwrite, parents, owners: Owners::Own, recorded };
    copy::unpack(Root::Machine(&stage.build.ids), &target, BufReader::new(spool))?;
    Ok(if found.is_directory { String::new() } else { String::from_utf8_lossy(&found.name).into_owned() })
}

/// A file without a name, on the disk of the store if that can have one.
fn spool(part: &Tmp) -> Result<File> {
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    let file = rustix::fs::open(part.path(), flags, Mode::RUSR | Mode::WUSR)
        .or_else(|_| rustix::fs::memfd_create(c"part", MemfdFlags::CLOEXEC));
    Ok(file.call("memfd_create")?.into())
}
