//! From a caller and the path that it named to the file, as the kernel would have found it for the caller: from its root or its
//! directory, through the mounts of its namespace, with links that lead inside.
//!
//! One component at a time, since the start and the root differ, and because of /proc: what `self` is there depends on who asks,
//! so it is looked up as the caller among the processes that this one sees. There is no way up from there, since those are more
//! than the container's.

use std::fs::File;
use std::io::Read;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Statx, StatxFlags, openat, readlinkat, statx};
use rustix::io::Errno;

/// PATH_MAX, with the NUL.
const LONGEST: usize = 4096;
/// As the kernel (`MAXSYMLINKS`).
const MOST_LINKS: usize = 40;
/// The number of a procfs' root.
const PROC_ROOT: u64 = 1;

/// A device number: major and minor.
pub type Device = (u32, u32);

const PLACE: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);
const PLACE_ITSELF: OFlags = PLACE.union(OFlags::NOFOLLOW);

/// A thread that made a call, held by its directory in a procfs.
#[derive(Debug)]
pub struct Caller {
    /// `/proc/THREAD`.
    proc: OwnedFd,
    /// `/proc`, to which `self` is relative.
    processes: OwnedFd,
    thread: i32,
    root: OwnedFd,
    /// Of the container's root file system, which is no procfs: nobody need be asked.
    device: Device,
}

impl Caller {
    /// `processes`: a procfs in whose numbers `thread` is given.
    pub fn open(processes: BorrowedFd<'_>, thread: i32, device: Device) -> Result<Self, Errno> {
        let proc = openat(processes, thread.to_string(), PLACE_ITSELF, Mode::empty())?;
        let root = openat(&proc, c"root", PLACE, Mode::empty())?;
        let processes = rustix::io::fcntl_dupfd_cloexec(processes, 0)?;
        Ok(Self { proc, processes, thread, root, device })
    }

    /// What the caller has open under a number.
    pub fn descriptor(&self, number: i32) -> Result<OwnedFd, Errno> {
        match openat(&self.proc, format!("fd/{number}"), PLACE, Mode::empty()) {
            Err(Errno::NOENT) => Err(Errno::BADF),
            result => result,
        }
    }

    /// From where a relative path counts.
    pub fn start(&self, from: Option<i32>) -> Result<OwnedFd, Errno> {
        match from {
            Some(number) => self.descriptor(number),
            None => openat(&self.proc, c"cwd", PLACE, Mode::empty()),
        }
    }

    /// The text in the caller's memory, without its NUL.
    pub fn path(&self, pointer: u64) -> Result<Vec<u8>, Errno> {
        let memory = openat(&self.proc, c"mem", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        let mut text = vec![0; LONGEST];
        let read = File::from(memory).read_at(&mut text, pointer).map_err(|_| Errno::FAULT)?;
        text.truncate(read);
        match text.iter().position(|byte| *byte == 0) {
            Some(end) => text.truncate(end),
            None if read == LONGEST => return Err(Errno::NAMETOOLONG),
            None => return Err(Errno::FAULT),
        }
        Ok(text)
    }

    /// What a path means to the caller; not empty. `follow`: a link at its end.
    pub fn resolve(&self, from: Option<i32>, path: &[u8], follow: bool) -> Result<OwnedFd, Errno> {
        let mut here = if path.starts_with(b"/") { self.root()? } else { self.start(from)? };
        let follow = follow || path.ends_with(b"/");
        let mut rest = Vec::new();
        push(&mut rest, path);
        let mut links = 0;
        while let Some(name) = rest.pop() {
            if name == b".." {
                here = self.above(here)?;
                continue;
            }
            let next = openat(&here, name.as_slice(), PLACE_ITSELF, Mode::empty())?;
            let stat = look(&next)?;
            if kind(&stat) != FileType::Symlink || (rest.is_empty() && !follow) {
                here = next;
                continue;
            }
            links += 1;
            if links > MOST_LINKS {
                return Err(Errno::LOOP);
            }
            if let Some(there) = self.in_proc(&here, (&next, &stat), &name)? {
                here = there;
                continue;
            }
            let target = readlinkat(&next, c"", Vec::new())?.into_bytes();
            if target.starts_with(b"/") {
                here = self.root()?;
            }
            push(&mut rest, &target);
        }
        if path.ends_with(b"/") {
            openat(&here, c".", PLACE_ITSELF | OFlags::DIRECTORY, Mode::empty())
        } else {
            Ok(here)
        }
    }

    fn root(&self) -> Result<OwnedFd, Errno> {
        rustix::io::fcntl_dupfd_cloexec(&self.root, 0)
    }

    /// The directory above, which for the root is itself.
    fn above(&self, here: OwnedFd) -> Result<OwnedFd, Errno> {
        let stat = look(&here)?;
        if identity(&stat) == identity(&look(&self.root)?) {
            return Ok(here);
        }
        if self.is_proc(&here, &stat)? {
            return Err(Errno::ACCESS);
        }
        openat(&here, c"..", PLACE_ITSELF | OFlags::DIRECTORY, Mode::empty())
    }

    /// Where a link of a procfs leads that is no text; `None`: it is an ordinary link.
    fn in_proc(&self, dir: &OwnedFd, (link, stat): (&OwnedFd, &Statx), name: &[u8]) -> Result<Option<OwnedFd>, Errno> {
        if !self.is_proc(link, stat)? {
            return Ok(None);
        }
        let at_the_top = look(dir)?.stx_ino == PROC_ROOT;
        let own = match (at_the_top, name) {
            (true, b"self") => self.process()?.to_string(),
            (true, b"thread-self") => self.thread.to_string(),
            (true, _) => return Ok(None),
            // To what the process has open, or where it is: only following it tells.
            (false, name) => return openat(dir, name, PLACE, Mode::empty()).map(Some),
        };
        openat(&self.processes, own, PLACE_ITSELF, Mode::empty()).map(Some)
    }

    fn is_proc(&self, place: &OwnedFd, stat: &Statx) -> Result<bool, Errno> {
        let known = (stat.stx_dev_major, stat.stx_dev_minor) == self.device;
        Ok(!known && rustix::fs::fstatfs(place)?.f_type == libc::PROC_SUPER_MAGIC)
    }

    /// The process whose thread called.
    fn process(&self) -> Result<i32, Errno> {
        let status = openat(&self.proc, c"status", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        let mut text = String::new();
        File::from(status).take(LONGEST as u64).read_to_string(&mut text).map_err(|_| Errno::SRCH)?;
        let number = text.lines().find_map(|line| line.strip_prefix("Tgid:"));
        number.and_then(|number| number.trim().parse().ok()).ok_or(Errno::SRCH)
    }
}

/// The components of a path, the first one last.
fn push(rest: &mut Vec<Vec<u8>>, path: &[u8]) {
    let names = path.split(|byte| *byte == b'/').filter(|name| !name.is_empty() && *name != b".");
    rest.extend(names.rev().map(<[u8]>::to_vec));
}

/// What is known of a place without asking whoever serves it.
fn look(place: &OwnedFd) -> Result<Statx, Errno> {
    let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
    statx(place, c"", flags, StatxFlags::TYPE | StatxFlags::INO | StatxFlags::MNT_ID)
}

fn kind(stat: &Statx) -> FileType {
    FileType::from_raw_mode(u32::from(stat.stx_mode))
}

/// What tells a directory of a mount from all others.
fn identity(stat: &Statx) -> (u32, u32, u64, u64) {
    (stat.stx_dev_major, stat.stx_dev_minor, stat.stx_ino, stat.stx_mnt_id)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::fd::AsFd;
    use std::os::unix::fs::symlink;

    /// A caller that is this process, whose root is a directory of its own.
    fn caller(root: &std::path::Path) -> Caller {
        let open = |path: &std::path::Path| rustix::fs::open(path, PLACE, Mode::empty()).unwrap();
        let thread = rustix::thread::gettid().as_raw_nonzero().get();
        let mut caller = Caller::open(open("/proc".as_ref()).as_fd(), thread, (0, 0)).unwrap();
        caller.root = open(root);
        caller
    }

    fn number(place: &OwnedFd) -> u64 {
        look(place).unwrap().stx_ino
    }

    #[test]
    fn links_and_dots_stay_inside() {
        let top = std::env::temp_dir().join(format!("coracle-resolve-{}", std::process::id()));
        let _ = fs::remove_dir_all(&top);
        let root = top.join("root");
        fs::create_dir_all(root.join("dir/sub")).unwrap();
        for file in [top.join("file"), root.join("file"), root.join("dir/inner")] {
            fs::write(file, "").unwrap();
        }
        for (link, target) in
            [("absolute", "/dir"), ("climbs", "../../../file"), ("dir/up", "../file"), ("loop", "loop"), ("gone", "x")]
        {
            symlink(target, root.join(link)).unwrap();
        }
        let caller = caller(&root);
        let ino = |path: &str| std::os::unix::fs::MetadataExt::ino(&fs::symlink_metadata(root.join(path)).unwrap());
        let resolve = |path: &str, follow| caller.resolve(None, path.as_bytes(), follow).map(|place| number(&place));
        for (path, expected) in [
            ("/file", "file"),
            ("/../../file", "file"),
            ("/climbs", "file"),
            ("//dir/./sub/../inner", "dir/inner"),
            ("/absolute/inner", "dir/inner"),
            ("/absolute/up", "file"),
            ("/dir/sub/../../..", "."),
            ("/absolute/", "dir"),
        ] {
            assert_eq!(resolve(path, true), Ok(ino(expected)), "{path}");
        }
        assert_eq!(resolve("/absolute", false), Ok(ino("absolute")));
        for (path, error) in [
            ("/loop", Errno::LOOP),
            ("/gone", Errno::NOENT),
            ("/file/x", Errno::NOTDIR),
            ("/file/", Errno::NOTDIR),
            ("/none", Errno::NOENT),
        ] {
            assert_eq!(resolve(path, true), Err(error), "{path}");
        }
        fs::remove_dir_all(&top).unwrap();
    }

    #[test]
    fn what_is_the_callers_own_in_proc_is_found_and_nothing_above_it() {
        let caller = caller("/".as_ref());
        let file = fs::File::open("/etc/passwd").unwrap();
        let of = |path: String| caller.resolve(None, path.as_bytes(), true).map(|place| number(&place));
        let fd = std::os::fd::AsRawFd::as_raw_fd(&file);
        let expected = Ok(std::os::unix::fs::MetadataExt::ino(&file.metadata().unwrap()));
        for dir in ["/proc/self", "/proc/thread-self", "/dev/fd/../self"] {
            let found = of(format!("{dir}/fd/{fd}"));
            assert_eq!(found, if dir.contains("..") { Err(Errno::ACCESS) } else { expected }, "{dir}");
        }
        assert_eq!(of(format!("/dev/fd/{fd}")), expected);
        assert_eq!(of("/proc/self/root/etc/passwd".into()), expected);
        assert_eq!(of("/proc/self/../1/root".into()), Err(Errno::ACCESS));
    }

    #[test]
    fn paths_are_read_from_memory_and_bad_pointers_are_faults() {
        let caller = caller("/".as_ref());
        let text = c"some/path";
        assert_eq!(caller.path(text.as_ptr() as u64).unwrap(), b"some/path");
        let long = vec![b'x'; 2 * LONGEST];
        assert_eq!(caller.path(long.as_ptr() as u64), Err(Errno::NAMETOOLONG));
        for pointer in [0, 1, u64::MAX] {
            assert_eq!(caller.path(pointer), Err(Errno::FAULT));
        }
    }
}
