//! Links of other users, which nothing that is written for the user follows.
//!
//! In a folder where everybody may make files and nobody may take away those of others (`/tmp`), somebody else may have put a symlink
//! where a file is about to be written. The kernel refuses to follow it where it is told to (`fs.protected_symlinks`,
//! proc_sys_fs(5)), and where it is the kernel that follows; this is the same rule for all else.

use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Stat, lstat, stat};
use rustix::io::Errno;

use crate::sys::{self, Call};

/// As the kernel (`MAXSYMLINKS`).
pub const MOST: u32 = 40;

/// Anybody may write there, and the sticky bit is set.
const SHARED: u32 = 0o1002;

/// Whether this account follows a link that lies in `folder`: its own, one of whoever owns the folder, or any where only those write
/// whom the folder's owner lets.
pub fn may_follow(folder: &Stat, link: &Stat) -> bool {
    let own = rustix::process::geteuid().as_raw();
    folder.st_mode & SHARED != SHARED || link.st_uid == own || link.st_uid == folder.st_uid
}

/// What the links at the end of a path lead to; the path itself if that is nothing.
pub fn resolve(path: &Path) -> sys::Result<PathBuf> {
    let mut at = path.to_owned();
    for _ in 0..MOST {
        let link = match lstat(&at) {
            Err(_) => return Ok(path.to_owned()),
            Ok(found) if FileType::from_raw_mode(found.st_mode) != FileType::Symlink => return Ok(at),
            Ok(link) => link,
        };
        let folder = at.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let say = || format!("open({})", path.display());
        if !may_follow(&stat(folder).call_with(say)?, &link) {
            return Err(sys::Error::new(say(), Errno::ACCESS));
        }
        let target = std::fs::read_link(&at).call_with(|| format!("readlink({})", at.display()))?;
        at = folder.join(target);
    }
    Err(sys::Error::new(format!("open({})", path.display()), Errno::LOOP))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn own_links_are_followed_to_their_end() {
        let folder = std::env::temp_dir().join(format!("coracle-link-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o1777)).unwrap();
        std::fs::write(folder.join("file"), "").unwrap();
        symlink("file", folder.join("one")).unwrap();
        symlink(folder.join("one"), folder.join("two")).unwrap();
        symlink("nothing", folder.join("dangling")).unwrap();
        symlink("loop", folder.join("loop")).unwrap();
        for (name, leads_to) in [("file", "file"), ("two", "file"), ("dangling", "dangling"), ("new", "new")] {
            assert_eq!(resolve(&folder.join(name)).unwrap(), folder.join(leads_to), "{name}");
        }
        assert_eq!(resolve(&folder.join("loop")).unwrap_err().errno(), libc::ELOOP);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn whose_links_are_followed_where() {
        let own = rustix::process::geteuid().as_raw();
        let mut folder = stat("/").unwrap();
        let mut link = folder;
        for (mode, folder_of, link_of, followed) in [
            (0o1777, 0, own, true),
            (0o1777, own + 7, own + 7, true),
            (0o1777, own + 7, own + 8, false),
            (0o1777, own, own + 8, false),
            (0o777, own + 7, own + 8, true),
            (0o1775, own + 7, own + 8, true),
        ] {
            (folder.st_mode, folder.st_uid, link.st_uid) = (mode, folder_of, link_of);
            assert_eq!(may_follow(&folder, &link), followed, "{mode:o} {folder_of} {link_of}");
        }
    }
}
