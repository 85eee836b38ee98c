//! The owners of what takes no attribute in an upper directory, by inode number: a number stays over renames and further links.
//!
//! ```text
//! coracle-journal 1 5242⏎        version, and the number of `upper` itself: in a copy of the container it is another
//! 5301 33:33⏎                    the last word on a number counts
//! 5301 -⏎                        it is root's (again), or gone
//! ```
//!
//! Lines are only added, each with one write; a torn last one is dropped. When most lines have been overtaken, the file is
//! replaced by rename. In a copy of the container the numbers mean other files, so nothing of it is believed.

use std::collections::HashMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, Mode, OFlags};

use super::{FILE, Owner, beside, of_file, read_beside};
use crate::host::fault;
use crate::sys::{self, Call};

/// What it is called while it is written.
const NEW: &str = "owners.new";
/// So many overtaken lines do no harm.
const SLACK: usize = 1024;

/// The journal of one upper directory.
#[derive(Debug)]
pub struct Journal {
    /// Where the file lies.
    directory: OwnedFd,
    upper: u64,
    owners: HashMap<u64, Owner>,
    /// Open for more lines, once there was one.
    file: Option<OwnedFd>,
    /// Something was written that may not be on the disk yet.
    dirty: bool,
    lines: usize,
}

impl Journal {
    /// Reads what is written beside `upper`; nothing is written yet.
    pub fn beside(upper: BorrowedFd<'_>) -> sys::Result<Self> {
        let number = rustix::fs::fstat(upper).call("fstat(upper)")?.st_ino;
        let text = read_beside(upper)?.unwrap_or_default();
        let (owners, lines) = parse(&text, number).unwrap_or_default();
        Ok(Self { directory: beside(upper)?, upper: number, owners, file: None, dirty: false, lines })
    }

    /// The true owner of a file in the upper directory: its inode number, and itself opened for reading if it is a regular file
    /// or a directory.
    pub fn owner_of(&self, inode: u64, file: Option<BorrowedFd<'_>>) -> sys::Result<Owner> {
        let attribute = file.map(of_file).transpose()?.flatten();
        Ok(attribute.or_else(|| self.get(inode)).unwrap_or_default())
    }

    pub fn is_empty(&self) -> bool {
        self.owners.is_empty()
    }

    pub fn get(&self, inode: u64) -> Option<Owner> {
        self.owners.get(&inode).copied()
    }

    /// Notes the owner of a file; of one that is root's, or gone, there is nothing to note.
    pub fn set(&mut self, inode: u64, owner: Owner) -> sys::Result<()> {
        if self.get(inode).unwrap_or_default() == owner {
            return Ok(());
        }
        let text = if owner == Owner::ROOT { format!("{inode} -\n") } else { format!("{inode} {owner}\n") };
        match &self.file {
            Some(file) if self.lines < 2 * self.owners.len() + SLACK => {
                append(file, text.as_bytes())?;
                self.dirty = true;
                self.lines += 1;
                self.note(inode, owner);
                Ok(())
            }
            _ => {
                let before = self.note(inode, owner);
                let rewritten = self.rewrite();
                if rewritten.is_err() {
                    self.note(inode, before.unwrap_or_default());
                }
                rewritten
            }
        }
    }

    fn note(&mut self, inode: u64, owner: Owner) -> Option<Owner> {
        if owner == Owner::ROOT { self.owners.remove(&inode) } else { self.owners.insert(inode, owner) }
    }

    fn rewrite(&mut self) -> sys::Result<()> {
        let mut text = format!("coracle-journal 1 {}\n", self.upper);
        for (inode, owner) in &self.owners {
            text += &format!("{inode} {owner}\n");
        }
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::APPEND | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file =
            rustix::fs::openat(&self.directory, NEW, flags, Mode::RUSR | Mode::WUSR).call("openat(owners.new)")?;
        let written = append(&file, text.as_bytes()).and_then(|()| {
            fault::point("owners: rename").call("renameat(owners.new)")?;
            rustix::fs::renameat(&self.directory, NEW, &self.directory, FILE).call("renameat(owners.new)")
        });
        if let Err(error) = written {
            let _ = rustix::fs::unlinkat(&self.directory, NEW, AtFlags::empty());
            return Err(error);
        }
        self.file = Some(file);
        self.dirty = true;
        self.lines = self.owners.len();
        Ok(())
    }

    /// What was noted is on the disk.
    pub fn sync(&mut self) -> sys::Result<()> {
        if let Some(file) = self.file.as_ref().filter(|_| self.dirty) {
            fault::point("owners: sync").call("fsync(owners)")?;
            rustix::fs::fsync(file).call("fsync(owners)")?;
            rustix::fs::fsync(&self.directory).call("fsync(directory of owners)")?;
            self.dirty = false;
        }
        Ok(())
    }
}

/// Adds a whole text or nothing.
fn append(file: &OwnedFd, text: &[u8]) -> sys::Result<()> {
    fault::point("owners: write").call("write(owners)")?;
    let before = rustix::fs::fstat(file).call("fstat(owners)")?.st_size as u64;
    let mut rest = text;
    while !rest.is_empty() {
        match rustix::io::retry_on_intr(|| rustix::io::write(file, rest)) {
            Ok(written) => rest = rest.get(written..).unwrap_or_default(),
            Err(error) => {
                let _ = rustix::fs::ftruncate(file.as_fd(), before);
                return Err(sys::Error::new("write(owners)", error));
            }
        }
    }
    Ok(())
}

/// The owners, and how many lines there are; `None`: this is no journal, or that of another directory.
fn parse(text: &[u8], upper: u64) -> Option<(HashMap<u64, Owner>, usize)> {
    let text = std::str::from_utf8(text).ok()?;
    let (head, lines) = text.split_once('\n')?;
    if head != format!("coracle-journal 1 {upper}") {
        return None;
    }
    let mut owners = HashMap::new();
    let mut count = 0;
    for line in lines.split_inclusive('\n') {
        let Some((inode, owner)) = line.strip_suffix('\n').and_then(|line| line.split_once(' ')) else { break };
        let inode = inode.parse().ok()?;
        match owner {
            "-" => owners.remove(&inode),
            owner => owners.insert(inode, owner.parse().ok()?),
        };
        count += 1;
    }
    Some((owners, count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    struct Scratch(std::path::PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("coracle-journal-{}-{name}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(path.join("upper")).unwrap();
            Self(path)
        }

        fn open(&self) -> Journal {
            Journal::beside(fs::File::open(self.0.join("upper")).unwrap().as_fd()).unwrap()
        }

        fn text(&self) -> String {
            fs::read_to_string(self.0.join(FILE)).unwrap()
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    const WWW: Owner = Owner { uid: 33, gid: 33 };

    #[test]
    fn the_last_word_counts_and_a_torn_one_does_not() {
        let scratch = Scratch::new("torn");
        let mut journal = scratch.open();
        assert!(!scratch.0.join(FILE).exists());
        journal.set(7, WWW).unwrap();
        journal.set(8, Owner { uid: 0, gid: 5 }).unwrap();
        journal.set(7, Owner::ROOT).unwrap();
        assert_eq!(scratch.text().lines().count(), 4);
        drop(journal);
        fs::write(scratch.0.join(FILE), scratch.text() + "9 33:3").unwrap();
        let mut journal = scratch.open();
        assert_eq!((journal.get(7), journal.get(8), journal.get(9)), (None, Some(Owner { uid: 0, gid: 5 }), None));
        journal.set(9, WWW).unwrap();
        assert_eq!(scratch.open().get(9), Some(WWW));
    }

    #[test]
    fn a_file_that_is_overtaken_is_written_anew() {
        let scratch = Scratch::new("rewrite");
        let mut journal = scratch.open();
        for round in 0..3 * SLACK as u32 {
            journal.set(7, Owner { uid: 1, gid: round }).unwrap();
        }
        assert!(scratch.text().lines().count() < 2 * SLACK);
        assert_eq!(scratch.open().get(7), Some(Owner { uid: 1, gid: 3 * SLACK as u32 - 1 }));
    }

    #[test]
    fn in_a_copy_of_the_container_nothing_is_believed() {
        let scratch = Scratch::new("copy");
        scratch.open().set(7, WWW).unwrap();
        fs::rename(scratch.0.join("upper"), scratch.0.join("old")).unwrap();
        fs::create_dir(scratch.0.join("upper")).unwrap();
        assert_eq!(scratch.open().get(7), None);
    }
}
