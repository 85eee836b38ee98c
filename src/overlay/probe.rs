//! Does an overlay driver work for this store, and what of the kernel's? Tried, not guessed from versions.
//!
//! A small stack is mounted in the store, and each thing is done once that goes wrong somewhere: mounting at all, whiteouts,
//! opaque directories (the attributes), listing them, copy-up, and reading it back. Then what only newer kernels have. The
//! answer holds for one boot and one store, and is remembered as [`Probed`].

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, XattrFlags, mkdirat, openat, statat, unlinkat};
use serde::{Deserialize, Serialize};

use super::kernel::{self, Setting};
use super::lookup::{OPAQUE, WHITEOUT};
use super::start::{Mounter, start_mounter};
use super::{Error, Features, Stack, Upper};
use crate::host::change;
use crate::store::records::{self, Record};
use crate::sys::{self, Call};

/// What was found out, as it lies in `overlay.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Probed {
    pub boot_id: String,
    pub works: bool,
    /// Why not, or that it does.
    pub reason: String,
    pub abilities: Abilities,
}

impl Record for Probed {
    const KIND: &'static str = "overlay probe";
    const VERSION: u32 = 1;
}

/// What newer kernels allow without privileges. None of it is needed: each makes more containers fit for this driver.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Abilities {
    /// Layers are named one by one (`lowerdir+`, Linux 6.5), so that 500 fit.
    pub layers_one_by_one: bool,
    /// Nothing is synced for what is thrown away (`volatile`, Linux 5.10).
    pub volatile: bool,
    /// Whiteouts in the attribute form are understood (Linux 6.7).
    pub attribute_whiteouts: bool,
    /// Layers that only hold the data of files of others (`datadir+`, without privileges since Linux 6.16).
    pub data_layers: bool,
}

impl Abilities {
    /// Each with its name.
    pub fn list(&self) -> [(&'static str, bool); 4] {
        [
            ("layers one by one", self.layers_one_by_one),
            ("volatile", self.volatile),
            ("attribute whiteouts", self.attribute_whiteouts),
            ("data-only layers", self.data_layers),
        ]
    }
}

impl Probed {
    /// What is remembered at `path` of this boot.
    pub fn remembered(path: &Path, boot_id: &str) -> Option<Self> {
        records::read(path).ok().flatten().filter(|probed: &Self| probed.boot_id == boot_id)
    }

    /// Tries it in the directory `store`, in which nothing is left. The caller is root of its user namespace, with
    /// CAP_SYS_ADMIN over its mount namespace.
    pub fn here(store: &Path, boot_id: &str) -> Self {
        let name = format!("probe-{}", std::process::id());
        let opened = super::open_directory(store).map_err(|error| error.to_string());
        let (works, reason, abilities) = match opened.and_then(|store| run(store.as_fd(), &name)) {
            Ok(abilities) => (true, "the kernel's overlay works on this store".to_owned(), abilities),
            Err(reason) => (false, reason, Abilities::default()),
        };
        Self { boot_id: boot_id.to_owned(), works, reason, abilities }
    }
}

/// Tries the kernel's driver in a new directory `name` of `store`, which it removes. For the caller see [`Probed::here`].
///
/// The error's text is the reason why the driver does not serve.
pub fn run(store: BorrowedFd<'_>, name: &str) -> Result<Abilities, String> {
    in_place(store, name, |place| {
        let merged = kernel::mount(&stack(place)?, false, None)?;
        attempt(place, &merged)?;
        Ok(abilities(place))
    })
}

/// As [`run`], the program's own driver, which is served meanwhile.
pub fn fuse(store: BorrowedFd<'_>, name: &str) -> Result<(), String> {
    in_place(store, name, |place| {
        let null =
            rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).call("open(/dev/null)")?;
        let Mounter { child, mount, socket } =
            start_mounter(&stack(place)?, &Features::default(), Some(1), [null.as_fd(); 3])?;
        let tried = attempt(place, &mount);
        drop((mount, socket));
        child.wait()?;
        tried
    })
}

fn in_place<T>(
    store: BorrowedFd<'_>,
    name: &str,
    attempt: impl FnOnce(&OwnedFd) -> Result<T, Error>,
) -> Result<T, String> {
    let tried = make(store, name).map_err(Error::from).and_then(|place| attempt(&place));
    // What stays lies in `tmp`, where it is swept.
    let _ = change::remove_tree_at(store, name.as_ref());
    tried.map_err(|error| error.to_string())
}

fn directory(parent: impl AsFd, name: &str) -> sys::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(parent, name, flags, Mode::empty()).call_with(|| format!("open({name})"))
}

fn make(store: BorrowedFd<'_>, name: &str) -> sys::Result<OwnedFd> {
    mkdirat(store, name, Mode::RWXU).call_with(|| format!("mkdir({name})"))?;
    let place = directory(store, name)?;
    for name in ["lower", "upper", "work", "lower/gone", "lower/again", "marked", "data"] {
        mkdirat(&place, name, Mode::RWXU).call_with(|| format!("mkdir({name})"))?;
    }
    for name in ["lower/file", "lower/kept", "lower/again/hidden", "data/data"] {
        write(&place, name, b"below")?;
    }
    Ok(place)
}

fn write(dir: impl AsFd, name: &str, text: &[u8]) -> sys::Result<OwnedFd> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC;
    let file = openat(dir, name, flags, Mode::RUSR | Mode::WUSR).call_with(|| format!("open({name})"))?;
    rustix::io::write(&file, text).call_with(|| format!("write({name})"))?;
    Ok(file)
}

fn read(dir: impl AsFd, name: &str) -> sys::Result<Vec<u8>> {
    let file =
        openat(dir, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).call_with(|| format!("open({name})"))?;
    let mut text = vec![0; 8];
    let length = rustix::io::read(&file, &mut text).call_with(|| format!("read({name})"))?;
    text.truncate(length);
    Ok(text)
}

fn stack(place: &OwnedFd) -> sys::Result<Stack> {
    let upper = Upper { dir: directory(place, "upper")?, work: directory(place, "work")? };
    Ok(Stack { lowers: vec![directory(place, "lower")?], upper: Some(upper) })
}

fn attempt(place: &OwnedFd, merged: &OwnedFd) -> Result<(), Error> {
    unlinkat(merged, "file", AtFlags::empty()).call("unlink in the overlay")?;
    unlinkat(merged, "again/hidden", AtFlags::empty()).call("unlink in the overlay")?;
    for name in ["gone", "again"] {
        unlinkat(merged, name, AtFlags::REMOVEDIR).call("rmdir in the overlay")?;
    }
    mkdirat(merged, "again", Mode::RWXU).call("mkdir in the overlay")?;
    write(merged, "kept", b"above")?;
    check(place, merged)
}

fn check(place: &OwnedFd, merged: &OwnedFd) -> Result<(), Error> {
    let unfit = |what: &str| Err(Error::Unfit(what.to_owned()));
    let mut listed = Vec::new();
    for entry in Dir::read_from(directory(merged, ".")?).call("opendir(the overlay)")? {
        listed.push(entry.call("readdir(the overlay)")?.file_name().to_owned());
    }
    let shows = |name: &str| statat(merged, name, AtFlags::SYMLINK_NOFOLLOW).is_ok();
    // A disk that does not say what its entries are: the kernel then lists what it does not find.
    let lists = |name: &str| listed.iter().any(|listed| listed.to_bytes() == name.as_bytes());
    if ["file", "gone"].into_iter().any(|name| shows(name) || lists(name)) || shows("again/hidden") {
        return unfit("what was removed still shows");
    }
    let upper = directory(place, "upper")?;
    let hidden = statat(&upper, "file", AtFlags::SYMLINK_NOFOLLOW).call("stat(whiteout)")?;
    let device = FileType::from_raw_mode(hidden.st_mode) == FileType::CharacterDevice && hidden.st_rdev == 0;
    let marked = || -> sys::Result<bool> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = openat(&upper, "file", flags, Mode::empty()).call("open(whiteout)")?;
        Ok(rustix::fs::fgetxattr(&file, WHITEOUT, &mut [0; 8]).is_ok())
    };
    if !device && !marked()? {
        return unfit("it does not leave whiteouts");
    }
    let mut value = [0; 8];
    let again = directory(&upper, "again")?;
    let length = rustix::fs::fgetxattr(&again, OPAQUE, &mut value).call("fgetxattr(user.overlay.opaque)")?;
    if value.get(..length) != Some(b"y") {
        return unfit("it does not mark opaque directories");
    }
    if read(merged, "kept")? != b"above" {
        return unfit("what was written is not read back");
    }
    Ok(())
}

/// Each by doing it; what fails is not there.
fn abilities(place: &OwnedFd) -> Abilities {
    let volatile = stack(place).map_err(Error::from).and_then(|stack| kernel::mount(&stack, true, None));
    Abilities {
        layers_one_by_one: layered(place, &[("lowerdir+", "marked"), ("lowerdir+", "lower")]).is_ok(),
        volatile: volatile.is_ok(),
        attribute_whiteouts: attribute_whiteouts(place).unwrap_or(false),
        data_layers: data_layers(place).unwrap_or(false),
    }
}

/// A read-only overlay of directories of `place`, each given with the option that takes it.
fn layered(place: &OwnedFd, layers: &[(&'static str, &str)]) -> sys::Result<OwnedFd> {
    let layers: Vec<_> =
        layers.iter().map(|(key, name)| Ok((*key, directory(place, name)?))).collect::<sys::Result<_>>()?;
    let path = |fd: &OwnedFd| format!("/proc/self/fd/{}", fd.as_raw_fd());
    let mut settings: Vec<Setting<'_>> = vec![("userxattr", None)];
    settings.extend(layers.iter().map(|(key, layer)| (*key, Some(path(layer)))));
    kernel::with_settings(&settings)
}

fn set(file: &OwnedFd, attribute: &std::ffi::CStr, value: &[u8]) -> sys::Result<()> {
    rustix::fs::fsetxattr(file, attribute, value, XattrFlags::empty()).call("fsetxattr")
}

fn attribute_whiteouts(place: &OwnedFd) -> sys::Result<bool> {
    let marked = directory(place, "marked")?;
    set(&marked, OPAQUE, b"x")?;
    set(&write(&marked, "kept", b"")?, WHITEOUT, b"y")?;
    let merged = layered(place, &[("lowerdir+", "marked"), ("lowerdir+", "lower")])?;
    Ok(statat(merged, "kept", AtFlags::SYMLINK_NOFOLLOW).is_err())
}

fn data_layers(place: &OwnedFd) -> sys::Result<bool> {
    let marked = directory(place, "marked")?;
    let file = write(&marked, "data", b"")?;
    rustix::fs::ftruncate(&file, 5).call("ftruncate(data)")?;
    set(&file, c"user.overlay.metacopy", b"")?;
    set(&file, c"user.overlay.redirect", b"/data")?;
    let merged = layered(place, &[("lowerdir+", "marked"), ("datadir+", "data")])?;
    Ok(read(merged, "data")? == b"below")
}
