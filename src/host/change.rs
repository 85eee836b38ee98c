//! Every change to the program's own files goes through here: each has its path in its error and passes a fault point.
//!
//! Paths given to these functions lie in the user's own directories (mode 0700), where nobody else can swap a component; what lies
//! *inside* a layer or a container is never reached by a path, only beneath a descriptor ([`remove_tree`] shows how).

use std::ffi::{CStr, OsStr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, RenameFlags, ResolveFlags};
use rustix::io::Errno;

use super::fault;
use crate::sys::{self, Call};

const PRIVATE: Mode = Mode::RWXU;

/// Sixteen hexadecimal digits from the kernel's random numbers: a name that nobody else has.
pub fn random_name() -> sys::Result<String> {
    let mut bytes = [0_u8; 8];
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty()).call("getrandom")?;
    Ok(format!("{:016x}", u64::from_ne_bytes(bytes)))
}

/// Makes a directory of mode 0700, whatever the umask and the parent's default ACL say. `false`: it was there already.
pub fn create_dir(path: &Path) -> sys::Result<bool> {
    fault::point("change: mkdir").call("mkdir")?;
    match rustix::fs::mkdir(path, PRIVATE) {
        Ok(()) => match rustix::fs::chmod(path, PRIVATE) {
            // Swept between the two calls: whoever uses it next sees that it is gone.
            Ok(()) | Err(Errno::NOENT) => Ok(true),
            Err(error) => Err(sys::Error::new(format!("chmod({}, 0700)", path.display()), error)),
        },
        Err(Errno::EXIST) => Ok(false),
        Err(error) => Err(sys::Error::new(format!("mkdir({})", path.display()), error)),
    }
}

/// As [`create_dir`], with all missing parents, each of mode 0700 too.
pub fn create_dirs(path: &Path) -> sys::Result<()> {
    match create_dir(path) {
        Ok(_) => Ok(()),
        Err(error) if error.errno() == libc::ENOENT && path.parent().is_some_and(|p| !p.as_os_str().is_empty()) => {
            if let Some(parent) = path.parent() {
                create_dirs(parent)?;
            }
            create_dir(path).map(|_| ())
        }
        Err(error) => Err(error),
    }
}

/// Renames, replacing what `to` was.
pub fn rename(from: &Path, to: &Path) -> sys::Result<()> {
    fault::point("change: rename").call("rename")?;
    rustix::fs::rename(from, to).call_with(|| format!("rename({}, {})", from.display(), to.display()))
}

/// Renames unless `to` exists; `false`: it does, and nothing was changed.
pub fn rename_new(from: &Path, to: &Path) -> sys::Result<bool> {
    fault::point("change: rename to a new name").call("renameat2")?;
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(true),
        Err(Errno::EXIST) => Ok(false),
        // NFS and a few others don't know the flag. A directory is not replaced by rename(2) unless it is empty, and those
        // who call this for a file hold a lock.
        Err(Errno::INVAL | Errno::NOSYS) if rustix::fs::lstat(to).is_ok() => Ok(false),
        Err(Errno::INVAL | Errno::NOSYS) => rename(from, to).map(|()| true),
        Err(error) => {
            Err(sys::Error::new(format!("renameat2({}, {}, NOREPLACE)", from.display(), to.display()), error))
        }
    }
}

/// Makes a symlink; `false`: the name is taken. The kernel lets exactly one caller win.
pub fn symlink(target: &Path, path: &Path) -> sys::Result<bool> {
    fault::point("change: symlink").call("symlink")?;
    match rustix::fs::symlink(target, path) {
        Ok(()) => Ok(true),
        Err(Errno::EXIST) => Ok(false),
        Err(error) => Err(sys::Error::new(format!("symlink({}, {})", target.display(), path.display()), error)),
    }
}

/// Removes a name that is not a directory; `false`: it was gone already.
pub fn remove_file(path: &Path) -> sys::Result<bool> {
    fault::point("change: unlink").call("unlink")?;
    match rustix::fs::unlink(path) {
        Ok(()) => Ok(true),
        Err(Errno::NOENT) => Ok(false),
        Err(error) => Err(sys::Error::new(format!("unlink({})", path.display()), error)),
    }
}

/// Removes an empty directory; `false`: it was gone already, or is not empty.
pub fn remove_dir(path: &Path) -> sys::Result<bool> {
    fault::point("change: rmdir").call("rmdir")?;
    match rustix::fs::rmdir(path) {
        Ok(()) => Ok(true),
        Err(Errno::NOENT | Errno::NOTEMPTY | Errno::EXIST) => Ok(false),
        Err(error) => Err(sys::Error::new(format!("rmdir({})", path.display()), error)),
    }
}

/// What was renamed into or out of this directory survives a power cut.
pub fn sync_dir(path: &Path) -> sys::Result<()> {
    fault::point("change: fsync of a directory").call("fsync")?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = rustix::fs::open(path, flags, Mode::empty()).call_with(|| format!("open({})", path.display()))?;
    rustix::fs::fsync(directory).call_with(|| format!("fsync({})", path.display()))
}

/// Everything on the file system of `path` survives a power cut, files and names (syncfs(2)).
pub fn sync_fs(path: &Path) -> sys::Result<()> {
    fault::point("change: syncfs").call("syncfs")?;
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let file = rustix::fs::open(path, flags, Mode::empty()).call_with(|| format!("open({})", path.display()))?;
    rustix::fs::syncfs(file).call_with(|| format!("syncfs({})", path.display()))
}

/// Removes `path` and, if it is a directory, all that is below it; nothing if it is gone already. See [`remove_tree_at`].
pub fn remove_tree(path: &Path) -> sys::Result<()> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(sys::Error::new(format!("unlink({})", path.display()), Errno::INVAL));
    };
    let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    match rustix::fs::open(parent, flags, Mode::empty()) {
        Ok(parent) => remove_tree_at(parent.as_fd(), name)
            .map_err(|error| sys::Error::new(format!("{} below {}", error.call, path.display()), error.source)),
        Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(sys::Error::new(format!("open({})", parent.display()), error)),
    }
}

/// Descriptors that a removal holds at most; what lies deeper is renamed up to the top first.
const DEPTH: usize = 64;

/// Removes the entry `name` of `parent` and all below it, which may be of any shape: no symlink is ever followed, no mount is
/// entered, directories without permissions are opened, any depth needs few descriptors and no stack.
///
/// Goes on after a failure and reports the first one. Files of other owners (subordinate ids) need a process that is root of
/// the user's namespace.
pub fn remove_tree_at(parent: BorrowedFd<'_>, name: &OsStr) -> sys::Result<()> {
    fault::point("change: remove a tree").call("unlinkat")?;
    match rustix::fs::unlinkat(parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(error) => return Err(sys::Error::new(format!("unlinkat({})", name.display()), error)),
    }
    let top = open_dir(parent, name)?;
    let mut removal = Removal { failure: None };
    removal.empty(top)?;
    match (removal.failure, rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR)) {
        (Some(failure), _) => Err(failure),
        (None, Ok(()) | Err(Errno::NOENT)) => Ok(()),
        (None, Err(error)) => Err(sys::Error::new(format!("rmdir({})", name.display()), error)),
    }
}

struct Removal {
    failure: Option<sys::Error>,
}

/// A directory whose entries are being removed. `name` is its own, in the level above.
struct Level {
    fd: OwnedFd,
    entries: Dir,
    name: Vec<u8>,
}

impl Removal {
    fn note(&mut self, call: &str, name: &CStr, error: Errno) {
        if self.failure.is_none() {
            self.failure = Some(sys::Error::new(format!("{call}({})", name.to_string_lossy()), error));
        }
    }

    /// Empties a directory; again as long as deep trees were moved up into it.
    fn empty(&mut self, top: OwnedFd) -> sys::Result<()> {
        loop {
            let again = top.try_clone().call("fcntl(F_DUPFD_CLOEXEC)")?;
            let moved = self.pass(again)?;
            if !moved || self.failure.is_some() {
                return Ok(());
            }
        }
    }

    fn pass(&mut self, top: OwnedFd) -> sys::Result<bool> {
        let mut moved = false;
        let top_copy = top.try_clone().call("fcntl(F_DUPFD_CLOEXEC)")?;
        let mut levels = vec![level(top, Vec::new())?];
        loop {
            let deep = levels.len() >= DEPTH;
            let Some(current) = levels.last_mut() else { return Ok(moved) };
            let Some(entry) = current.entries.read() else {
                let done = levels.pop();
                if let (Some(done), Some(above)) = (done, levels.last()) {
                    let name = done.name.as_slice();
                    if let Err(error) = rustix::fs::unlinkat(&above.fd, name, AtFlags::REMOVEDIR) {
                        let name = std::ffi::CString::new(name).unwrap_or_default();
                        self.note("rmdir", &name, error);
                    }
                }
                continue;
            };
            let entry = entry.call("getdents64")?;
            let name = entry.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            if entry.file_type() != FileType::Directory {
                match rustix::fs::unlinkat(&current.fd, name, AtFlags::empty()) {
                    Ok(()) | Err(Errno::NOENT) => continue,
                    Err(Errno::ISDIR) => {}
                    Err(error) => {
                        self.note("unlinkat", name, error);
                        continue;
                    }
                }
            }
            match open_dir(current.fd.as_fd(), OsStr::from_bytes(name.to_bytes())) {
                Err(error) => self.failure = self.failure.take().or(Some(error)),
                Ok(inner) if !deep => levels.push(level(inner, name.to_bytes().to_vec())?),
                Ok(_) => match rustix::fs::renameat(&current.fd, name, &top_copy, random_name()?) {
                    Ok(()) => moved = true,
                    Err(error) => self.note("renameat", name, error),
                },
            }
        }
    }
}

fn level(fd: OwnedFd, name: Vec<u8>) -> sys::Result<Level> {
    let entries = Dir::read_from(&fd).call("opendir")?;
    Ok(Level { fd, entries, name })
}

/// Opens a directory whose entries are to be removed, and gives its owner the permissions that this needs.
fn open_dir(parent: BorrowedFd<'_>, name: &OsStr) -> sys::Result<OwnedFd> {
    let say = || format!("openat({})", name.display());
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let open = |flags| rustix::fs::openat2(parent, name, flags, Mode::empty(), ResolveFlags::NO_XDEV);
    match open(flags) {
        Ok(directory) => {
            let mode = rustix::fs::fstat(&directory).call_with(say)?.st_mode;
            if mode & 0o700 != 0o700 {
                // Not ours to change: then the removal below says what failed.
                let _ = rustix::fs::fchmod(&directory, PRIVATE);
            }
            Ok(directory)
        }
        Err(Errno::ACCESS) => {
            let handle = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let handle = open(handle).call_with(say)?;
            // An O_PATH descriptor can't be given to fchmod(2), and a name could be a symlink by now.
            let path = format!("/proc/self/fd/{}", handle.as_raw_fd());
            rustix::fs::chmod(path, PRIVATE).call_with(|| format!("chmod({})", name.display()))?;
            open(flags).call_with(say)
        }
        Err(error) => Err(sys::Error::new(say(), error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    fn scratch(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("coracle-change-{}-{name}", std::process::id()));
        remove_tree(&path).unwrap();
        create_dir(&path).unwrap();
        path
    }

    #[test]
    fn a_tree_is_removed_and_what_its_symlinks_name_is_not() {
        let path = scratch("tree");
        let outside = path.join("outside");
        create_dirs(&outside).unwrap();
        std::fs::write(outside.join("kept"), b"x").unwrap();
        let tree = path.join("tree");
        create_dirs(&tree.join("a/b")).unwrap();
        std::fs::write(tree.join("a/b/file"), b"x").unwrap();
        symlink(&outside, &tree.join("a/link")).unwrap();
        for shut in ["a/b", "a"] {
            std::fs::set_permissions(tree.join(shut), PermissionsExt::from_mode(0o0)).unwrap();
        }
        remove_tree(&tree).unwrap();
        assert!(!tree.exists());
        assert!(outside.join("kept").exists());
        symlink(&outside, &tree).unwrap();
        remove_tree(&tree).unwrap();
        assert!(outside.join("kept").exists() && !tree.is_symlink());
        remove_tree(&path).unwrap();
    }

    #[test]
    fn a_tree_deeper_than_any_path_is_removed() {
        let path = scratch("deep");
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let mut here = rustix::fs::open(&path, flags, Mode::empty()).unwrap();
        for _ in 0..3_000 {
            rustix::fs::mkdirat(&here, "d", PRIVATE).unwrap();
            here = rustix::fs::openat(&here, "d", flags, Mode::empty()).unwrap();
        }
        remove_tree(&path).unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn directories_are_private() {
        let path = scratch("private");
        create_dirs(&path.join("a/b")).unwrap();
        for made in ["a", "a/b"] {
            assert_eq!(std::fs::metadata(path.join(made)).unwrap().permissions().mode() & 0o7777, 0o700);
        }
        assert!(!create_dir(&path).unwrap());
        assert!(rename_new(&path.join("a/b"), &path.join("c")).unwrap());
        assert!(!rename_new(&path.join("c"), &path.join("a")).unwrap());
        remove_tree(&path).unwrap();
    }
}
