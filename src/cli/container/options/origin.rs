//! What a container is made from: an image, found or pulled, or with `--rootfs` a directory of this machine.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::container::fetch::{self, Policy};
use crate::cli::image::pull::{From, fits};
use crate::cli::{Context, Report};
use crate::container::record::{Image, Rootfs};
use crate::host::lock::Lock;
use crate::host::subid::IdMaps;
use crate::image::find::{Found, find};
use crate::oci::Digest;
use crate::oci::image_config::RunConfig;
use crate::store::Store;
use crate::store::layers::Mode;

#[derive(Debug, Args)]
#[command(next_help_heading = "Image")]
#[group(skip)]
pub struct Flags {
    /// When to pull the image: `missing`, `always`, `newer` or `never`
    #[arg(long, value_name = "WHEN", default_value = "missing", hide_default_value = true)]
    pull: Policy,
    /// Print nothing while pulling
    #[arg(long, short)]
    quiet: bool,
    /// Take a directory of this machine in place of IMAGE as the root file system; `DIRECTORY:O` copy-on-write
    #[arg(long)]
    rootfs: bool,
    #[command(flatten)]
    from: From,
}

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
    /// For who only wants to know what flags mean.
    pub fn nothing(store: &Store) -> Result<Self, Report> {
        let mode = if IdMaps::of_account()?.is_single() { Mode::Recorded } else { Mode::Mapped };
        let (config, layers, _kept) = (RunConfig::default(), Vec::new(), store.lock_shared()?);
        Ok(Self { image: None, rootfs: None, config, layers, mode, _kept })
    }

    pub fn find(flags: &Flags, name: &str, context: &Context, store: &Store) -> Result<Self, Report> {
        let ids = IdMaps::of_account()?;
        let mode = if ids.is_single() { Mode::Recorded } else { Mode::Mapped };
        if flags.rootfs {
            let (rootfs, _kept) = (rootfs(name, &ids)?, store.lock_shared()?);
            return Ok(Self {
                image: None,
                rootfs: Some(rootfs),
                config: RunConfig::default(),
                layers: Vec::new(),
                mode,
                _kept,
            });
        }
        let (found, _kept) = image(flags, name, context, store)?;
        if let Some(missing) = found.layers.iter().find(|layer| !store.has_layer(mode, layer)) {
            return Err(Report::new(format!("the layer {missing} of `{name}` is not unpacked for this account"))
                .hint(format!("`coracle pull {name}` unpacks it")));
        }
        let image = Image { name: found.display_name(), id: found.id, manifest: found.manifest_digest };
        Ok(Self { image: Some(image), rootfs: None, config: found.config.config, layers: found.layers, mode, _kept })
    }
}

fn image(flags: &Flags, name: &str, context: &Context, store: &Store) -> Result<(Found, Lock), Report> {
    let platform = flags.from.asked()?;
    let lock = store.lock_shared()?;
    let here = || Ok::<_, Report>(find(store, name)?.filter(|found| fits(found, platform.as_ref())));
    if (flags.pull == Policy::Missing || flags.pull == Policy::Never)
        && let Some(found) = here()?
    {
        return Ok((found, lock));
    }
    // Then it does not matter whether the registry answers.
    let dispensable = flags.pull == Policy::Newer && here()?.is_some();
    drop(lock);
    let unknown = || Report::new(format!("{name}: image not known"));
    if flags.pull == Policy::Never {
        return Err(unknown().hint(format!("`coracle pull {name}` pulls it")));
    }
    let pulled = fetch::pull(context, name, flags.quiet, &flags.from, dispensable);
    let lock = store.lock_shared()?;
    if dispensable
        && pulled.is_err()
        && let Some(found) = here()?
    {
        return Ok((found, lock));
    }
    let id = pulled?;
    // What names an archive is no name of an image.
    let found = find(store, name)?.map_or_else(|| find(store, &id), |found| Ok(Some(found)))?;
    Ok((found.ok_or_else(unknown)?, lock))
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
