//! Does the kernel's overlay work for this store? Tried, not guessed from versions.
//!
//! A small stack is mounted in the store, and each thing is done once that goes wrong somewhere: mounting at all, whiteouts,
//! opaque directories (the attributes), copy-up, and reading it back.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, mkdirat, openat, statat, unlinkat};

use super::lookup::{OPAQUE, WHITEOUT};
use super::{Error, Stack, Upper, kernel};
use crate::sys::{self, Call};

/// Tries it in a new directory `name` of `store`, which it removes. The caller is root of its user namespace, with
/// CAP_SYS_ADMIN over its mount namespace, and remembers the answer with the boot id.
///
/// The error's text is the reason why not.
pub fn run(store: BorrowedFd<'_>, name: &str) -> Result<(), String> {
    let made = make(store, name).map_err(|error| error.to_string());
    let result = made.and_then(|place| {
        let tried = attempt(&place).map_err(|error| error.to_string());
        remove_tree(place.as_fd());
        tried
    });
    let _ = unlinkat(store, name, AtFlags::REMOVEDIR);
    result
}

fn directory(parent: impl AsFd, name: &str) -> sys::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(parent, name, flags, Mode::empty()).call_with(|| format!("open({name})"))
}

fn make(store: BorrowedFd<'_>, name: &str) -> sys::Result<OwnedFd> {
    mkdirat(store, name, Mode::RWXU).call_with(|| format!("mkdir({name})"))?;
    let place = directory(store, name)?;
    for name in ["lower", "upper", "work", "lower/gone", "lower/again"] {
        mkdirat(&place, name, Mode::RWXU).call_with(|| format!("mkdir({name})"))?;
    }
    for name in ["lower/file", "lower/kept", "lower/again/hidden"] {
        write(&place, name, b"below")?;
    }
    Ok(place)
}

fn write(dir: impl AsFd, name: &str, text: &[u8]) -> sys::Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC;
    let file = openat(dir, name, flags, Mode::RUSR | Mode::WUSR).call_with(|| format!("open({name})"))?;
    rustix::io::write(&file, text).call_with(|| format!("write({name})")).map(|_| ())
}

fn attempt(place: &OwnedFd) -> Result<(), Error> {
    let upper = Upper { dir: directory(place, "upper")?, work: directory(place, "work")? };
    let stack = Stack { lowers: vec![directory(place, "lower")?], upper: Some(upper) };
    let merged = kernel::mount(&stack, true)?;
    unlinkat(&merged, "file", AtFlags::empty()).call("unlink in the overlay")?;
    unlinkat(&merged, "again/hidden", AtFlags::empty()).call("unlink in the overlay")?;
    for name in ["gone", "again"] {
        unlinkat(&merged, name, AtFlags::REMOVEDIR).call("rmdir in the overlay")?;
    }
    mkdirat(&merged, "again", Mode::RWXU).call("mkdir in the overlay")?;
    write(&merged, "kept", b"above")?;
    check(place, &merged)
}

fn check(place: &OwnedFd, merged: &OwnedFd) -> Result<(), Error> {
    let unfit = |what: &str| Err(Error::Unfit(what.to_owned()));
    for name in ["file", "gone", "again/hidden"] {
        if statat(merged, name, AtFlags::SYMLINK_NOFOLLOW).is_ok() {
            return unfit("what was removed still shows");
        }
    }
    let upper = directory(place, "upper")?;
    let hidden = statat(&upper, "file", AtFlags::SYMLINK_NOFOLLOW).call("stat(whiteout)")?;
    let device = FileType::from_raw_mode(hidden.st_mode) == FileType::CharacterDevice && hidden.st_rdev == 0;
    let mut value = [0; 8];
    let marked = || -> sys::Result<bool> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = openat(&upper, "file", flags, Mode::empty()).call("open(whiteout)")?;
        Ok(rustix::fs::fgetxattr(&file, WHITEOUT, &mut [0; 8]).is_ok())
    };
    if !device && !marked()? {
        return unfit("it does not leave whiteouts");
    }
    let again = directory(&upper, "again")?;
    let length = rustix::fs::fgetxattr(&again, OPAQUE, &mut value).call("fgetxattr(user.overlay.opaque)")?;
    if value.get(..length) != Some(b"y") {
        return unfit("it does not mark opaque directories");
    }
    let file = openat(merged, "kept", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).call("open(kept)")?;
    let length = rustix::io::read(&file, &mut value).call("read(kept)")?;
    if value.get(..length) != Some(b"above") {
        return unfit("what was written is not read back");
    }
    Ok(())
}

/// Removes what a directory holds, at most a few levels deep, as far as it can.
fn remove_tree(dir: BorrowedFd<'_>) {
    let Ok(entries) = rustix::fs::Dir::read_from(dir) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if name == c"." || name == c".." || unlinkat(dir, name, AtFlags::empty()).is_ok() {
            continue;
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        // The kernel's own work directory has no permissions at all.
        let _ = rustix::fs::chmodat(dir, name, Mode::RWXU, AtFlags::empty());
        if let Ok(inner) = openat(dir, name, flags, Mode::empty()) {
            remove_tree(inner.as_fd());
        }
        let _ = unlinkat(dir, name, AtFlags::REMOVEDIR);
    }
}
