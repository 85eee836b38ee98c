//! Mounts as an OCI runtime spec has them. Options that begin with `x-` are this program's own.

use std::path::{Path, PathBuf};

use oci_spec::OciSpecError;
use oci_spec::runtime::{Mount as SpecMount, MountBuilder};

use super::{Mount, Overlay, RELABELLED, Source, Volume};
use crate::container::find::Found;
use crate::container::record::Container;
use crate::container::spec::selinux;
use crate::store::Store;
use crate::store::volumes::DATA;
use crate::store::volumes::meaning::Backing;

type Built<T> = Result<T, OciSpecError>;

pub fn mount(typ: &str, source: &Path, target: &str, options: &[&str]) -> Built<SpecMount> {
    let options: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
    MountBuilder::default().typ(typ).source(source).destination(target).options(options).build()
}

/// What the container asked for, and the rest of what every container has: in the order of how deep they lie, so that nothing
/// covers what was mounted before it.
pub fn add(found: &Found, store: &Store, every: Vec<SpecMount>) -> Built<Vec<SpecMount>> {
    let Found { directory, container } = found;
    let asked_for = |target: &Path| container.mounts.iter().any(|mount| Path::new(&mount.target) == target);
    let mut all: Vec<SpecMount> = every.into_iter().filter(|mount| !asked_for(mount.destination())).collect();
    for (number, mount) in container.mounts.iter().enumerate() {
        let place = directory.join("mounts").join(number.to_string());
        all.push(Asked { container, store, mount, place }.spec()?);
    }
    all.sort_by_key(|mount| mount.destination().components().count());
    Ok(all)
}

/// One of them.
struct Asked<'a> {
    container: &'a Container,
    store: &'a Store,
    mount: &'a Mount,
    /// A directory of the container's for what is written to it and thrown away.
    place: PathBuf,
}

impl Asked<'_> {
    fn spec(&self) -> Built<SpecMount> {
        match &self.mount.source {
            Source::Bind(path) => self.directory(path, None),
            Source::Volume(volume) => self.volume(volume),
            Source::Tmpfs { copy_up } => {
                let own = copy_up.then_some("x-copy-up");
                self.of_kernel("tmpfs", self.options().chain(own).collect())
            }
            Source::Image { layers, subpath, .. } => {
                let lowers = layers.iter().rev().map(|diff_id| self.store.layer_fs(self.container.mode, diff_id));
                let written = (!self.mount.is_read_only()).then_some(&Overlay { directories: None });
                let subpath = subpath.as_ref().map(|subpath| format!("x-subpath={subpath}"));
                let own: Vec<&str> = ["x-layers"].into_iter().chain(subpath.as_deref()).collect();
                self.overlay(&lowers.collect::<Vec<_>>(), written, &own)
            }
            Source::Devpts => self.of_kernel("devpts", ["newinstance"].into_iter().chain(self.options()).collect()),
        }
    }

    /// But for what says how its files are labelled.
    fn options(&self) -> impl Iterator<Item = &str> {
        self.mount.options.iter().map(String::as_str).filter(|option| !RELABELLED.contains(option))
    }

    /// The label of SELinux that the files are given: what lies in the store is there for containers.
    fn label(&self) -> Option<String> {
        let labels = selinux::labels(self.container)?;
        let asked_for = |word: &str| self.mount.options.iter().any(|option| option == word);
        let in_store = match &self.mount.source {
            Source::Volume(volume) => matches!(volume.backing, Backing::Data),
            Source::Bind(path) => path.starts_with(self.store.layout().root()),
            _ => false,
        };
        match (asked_for("Z"), asked_for("z") || in_store) {
            (true, _) => Some(labels.file.clone()),
            (false, true) => Some(selinux::shared(labels)),
            (false, false) => None,
        }
    }

    fn of_kernel(&self, typ: &str, options: Vec<&str>) -> Built<SpecMount> {
        mount(typ, Path::new(typ), &self.mount.target, &options)
    }

    fn volume(&self, volume: &Volume) -> Built<SpecMount> {
        let subpath = volume.subpath.as_deref();
        match &volume.backing {
            Backing::Data => self.directory(&self.store.layout().volume(&volume.name).join(DATA), subpath),
            Backing::Directory { path, .. } => self.directory(path, subpath),
            Backing::Tmpfs(_) => self.of_kernel("tmpfs", restricted(self.options())),
        }
    }

    fn directory(&self, path: &Path, subpath: Option<&str>) -> Built<SpecMount> {
        if let Some(written) = &self.mount.overlay {
            return self.overlay(&[path.to_owned()], Some(written), &[]);
        }
        let subpath = subpath.map(|subpath| format!("x-subpath={subpath}"));
        let label = self.label().map(|label| format!("x-label={label}"));
        let recursive = (!self.options().any(|option| option == "bind")).then_some("rbind");
        let options = recursive.into_iter().chain(self.options()).chain(subpath.as_deref()).chain(label.as_deref());
        let devices = (self.mount.has_devices() && !self.options().any(|option| option == "nodev")).then_some("dev");
        mount("bind", path, &self.mount.target, &restricted(options.chain(devices)))
    }

    fn overlay(&self, lowers: &[PathBuf], written: Option<&Overlay>, more: &[&str]) -> Built<SpecMount> {
        let option = |name: &str, path: &Path| format!("{name}={}", path.display());
        let mut own: Vec<String> = lowers.iter().map(|lower| option("lowerdir", lower)).collect();
        match written.map(|written| &written.directories) {
            Some(Some(given)) => own.extend([option("upperdir", &given.upper), option("workdir", &given.work)]),
            Some(None) => {
                own.extend(["upper", "work"].map(|name| option(&format!("{name}dir"), &self.place.join(name))));
                own.push("x-thrown-away".into());
            }
            None => {}
        }
        let options = self.options().chain(own.iter().map(String::as_str)).chain(more.iter().copied());
        mount("overlay", Path::new("overlay"), &self.mount.target, &restricted(options))
    }
}

/// As Podman: what is shared with the host gives nobody new rights, unless asked for.
fn restricted<'a>(options: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut options: Vec<&str> = options.collect();
    for (restriction, freedom) in [("nosuid", "suid"), ("nodev", "dev")] {
        if !options.contains(&freedom) && !options.contains(&restriction) {
            options.push(restriction);
        }
    }
    options
}
