//! What a container is made from: an image, found or pulled, or with `--rootfs` a directory of this machine.

use std::path::{Path, PathBuf};

use super::Options;
use crate::cli::container::fetch::{self, Policy};
use crate::cli::{Context, Report};
use crate::container::record::{Image, Rootfs};
use crate::host::lock::Lock;
use crate::host::subid::IdMaps;
use crate::image::find::{Found, find};
use crate::oci::Digest;
use crate::oci::image_config::RunConfig;
use crate::store::Store;
use crate::store::layers::Mode;

/// One of `image` and `rootfs` is there.
pub struct Origin {
    pub image: Option<Image>,
    pub rootfs: Option<Rootfs>,
    /// The image's defaults; a directory has none.
    pub config: RunConfig,
    /// Lowest first, all of them unpacked.
    pub layers: Vec<Digest>,
    pub mode: Mode,
    /// Keeps the image until the container uses it.
    _kept: Lock,
}

impl Origin {
    pub fn find(options: &Options, context: &Context, store: &Store) -> Result<Self, Report> {
        let ids = IdMaps::of_account()?;
        let mode = if ids.is_single() { Mode::Recorded } else { Mode::Mapped };
        if options.rootfs {
            let (rootfs, _kept) = (rootfs(options.name_of_image(), &ids)?, store.lock_shared()?);
            return Ok(Self {
                image: None,
                rootfs: Some(rootfs),
                config: RunConfig::default(),
                layers: Vec::new(),
                mode,
                _kept,
            });
        }
        let (found, _kept) = image(options, context, store)?;
        if let Some(missing) = found.layers.iter().find(|layer| !store.has_layer(mode, layer)) {
            let name = options.name_of_image();
            return Err(Report::new(format!("the layer {missing} of `{name}` is not unpacked for this account"))
                .hint(format!("`coracle pull {name}` unpacks it")));
        }
        let image = Image { name: found.display_name(), id: found.id, manifest: found.manifest_digest };
        Ok(Self { image: Some(image), rootfs: None, config: found.config.config, layers: found.layers, mode, _kept })
    }
}

fn image(options: &Options, context: &Context, store: &Store) -> Result<(Found, Lock), Report> {
    let name = options.name_of_image();
    let lock = store.lock_shared()?;
    if (options.pull == Policy::Missing || options.pull == Policy::Never)
        && let Some(found) = find(store, name)?
    {
        return Ok((found, lock));
    }
    drop(lock);
    let unknown = || Report::new(format!("{name}: image not known"));
    if options.pull == Policy::Never {
        return Err(unknown().hint(format!("`coracle pull {name}` pulls it")));
    }
    fetch::pull(context, name, options.quiet, options.tls_verify)?;
    let lock = store.lock_shared()?;
    Ok((find(store, name)?.ok_or_else(unknown)?, lock))
}

/// `DIRECTORY[:O]`.
fn rootfs(text: &str, ids: &IdMaps) -> Result<Rootfs, Report> {
    if text.ends_with(":idmap") || text.contains(":idmap=") {
        return Err(Report::new("`--rootfs` with `idmap` needs a mount that only the machine's root can make")
            .hint("`:O` shows the owners that this account has no ids for as root"));
    }
    let (path, overlay) = text.strip_suffix(":O").map_or((text, false), |path| (path, true));
    let path = std::fs::canonicalize(path).map_err(|error| unusable(path, &error))?;
    if !path.is_dir() {
        return Err(unusable(&path, &std::io::Error::from(std::io::ErrorKind::NotADirectory)));
    }
    if !overlay {
        refuse_foreign(&path, ids)?;
    }
    Ok(Rootfs { path, overlay })
}

fn unusable(path: impl Into<PathBuf>, error: &std::io::Error) -> Report {
    let error = error.to_string();
    let reason = error.split(" (os error").next().unwrap_or_default().to_lowercase();
    Report::new(format!("the root file system `{}` can't be used: {reason}", path.into().display()))
}

/// A container's own root, which the user could not even make mount points in.
fn refuse_foreign(path: &Path, ids: &IdMaps) -> Result<(), Report> {
    use std::os::unix::fs::MetadataExt;
    let owner = std::fs::metadata(path).map_err(|error| unusable(path, &error))?.uid();
    let ours = |extent: &crate::host::subid::Extent| owner >= extent.outside && owner - extent.outside < extent.count;
    if ids.uids.iter().any(ours) {
        return Ok(());
    }
    Err(Report::new(format!(
        "`{}` belongs to another user ({owner}), so a container could not write to it",
        path.display()
    ))
    .hint(format!("`--rootfs {}:O` runs on it copy-on-write and leaves it as it is", path.display())))
}
