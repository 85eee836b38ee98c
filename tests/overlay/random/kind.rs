//! Kinds of mounts, beside the plain one: of each the same is expected, and how to see it.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use coracle::host::subid::{Extent, IdMaps};
use coracle::overlay::view::View;
use coracle::store::owners::{Builder, Owner};
use rustix::fs::{FileType, Mode};

use super::maps::Mapping;
use super::operation::Operation;
use super::owners::Owners;
use super::tree::{Tree, tree};
use crate::harness::LIMIT;
use crate::overlay::disks::disk_usage;
use crate::overlay::stage::{Mounted, Stage};

/// So much that a sequence never takes it, and so little that it does.
const ROOM: u64 = 1 << 30;
const LITTLE_ROOM: u64 = 100 << 10;

const STICKY: u32 = 0o1000;

/// What the disk takes beside what was let in: for a file in many pieces a list of them, which it makes when it writes them.
const BESIDE: u64 = 64 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Plain,
    /// Other ids on disk than those that show.
    View,
    /// One id on disk, and written down which it would be.
    Recorded,
    /// A quota that nobody reaches, and one that is reached.
    Quota,
    LittleRoom,
}

impl Kind {
    pub const ALL: [Self; 5] = [Self::Plain, Self::View, Self::Recorded, Self::Quota, Self::LittleRoom];

    pub fn of(word: &str) -> Self {
        Self::ALL.into_iter().find(|kind| format!("{kind:?}") == word).unwrap()
    }

    /// Makes `stage` one of this kind.
    pub fn set(self, stage: &mut Stage) {
        match self {
            Self::Plain => {}
            Self::View => stage.features.view = Some(view()),
            Self::Recorded => stage.features.recorded = true,
            Self::Quota => stage.features.quota = Some(ROOM),
            Self::LittleRoom => stage.features.quota = Some(LITTLE_ROOM),
        }
    }

    /// To hide what lies in lower layers takes room, too: who is to remove all of it gets what it needs, at the next mount, if
    /// there is less.
    pub fn give_room(self, stage: &mut Stage) -> bool {
        if self == Self::LittleRoom {
            stage.features.quota = Some(ROOM);
        }
        self == Self::LittleRoom
    }

    /// How owners are seen on the plain directory, and on a mount by a driver; `None`: not at all.
    pub fn plain(self) -> Owners {
        if self == Self::Recorded { Owners::Named } else { Owners::Shown }
    }

    pub fn owners(self, driver: &str) -> Option<Owners> {
        match (self, driver) {
            (Self::Recorded, "fuse") => Some(Owners::Noted),
            (Self::Recorded, _) => None,
            (Self::View, "kernel") => Some(Owners::Stored(view())),
            _ => Some(Owners::Shown),
        }
    }

    /// An operation of which the same is expected on both sides.
    pub fn fitted(self, operation: Operation) -> Operation {
        match (self, operation) {
            // A file that was given what all show takes over whose the one was that it replaces.
            (Self::Recorded, Operation::Chown { path, uid: 0, gid: 0 }) => Operation::Chown { path, uid: 0, gid: 1 },
            // What may be done in a sticky directory depends on who owns what, and the kernel sees one owner.
            (Self::Recorded, Operation::Directory { path, mode }) => {
                Operation::Directory { path, mode: mode & !STICKY }
            }
            (Self::Recorded, Operation::Chmod { path, mode }) => Operation::Chmod { path, mode: mode & !STICKY },
            (Self::Recorded, Operation::ChmodOpen { slot, mode }) => {
                Operation::ChmodOpen { slot, mode: mode & !STICKY }
            }
            // Of what does not fit it is only said later that it was lost.
            (Self::LittleRoom, Operation::Map { slot, mapping: Mapping::Write { at, length, byte, .. } }) => {
                Operation::Map { slot, mapping: Mapping::Private { at, length, byte } }
            }
            // Who has the file mapped sees what a write that is refused was to write: the kernel copies before it asks.
            (Self::LittleRoom, Operation::Map { slot, mapping: Mapping::Hold { .. } }) => Operation::StatOpen { slot },
            (_, operation) => operation,
        }
    }

    /// The topmost lower layer, made of what was just the upper directory of a mount that showed `tree`, as one of this kind lies
    /// on disk.
    pub fn settle(self, stage: &mut Stage, tree: &Tree) {
        if self != Self::Recorded {
            return;
        }
        let layer = stage.place.join(&stage.lowers[0]);
        let aside = stage.place.join("aside");
        fs::rename(&layer, &aside).unwrap();
        fs::create_dir(&layer).unwrap();
        fs::rename(aside, layer.join("fs")).unwrap();
        let mut table = Builder::default();
        for (path, entry) in tree {
            let owner = Owner { uid: entry.owner.0, gid: entry.owner.1 };
            table.add(path.as_os_str().as_bytes(), owner, None).unwrap();
        }
        fs::write(layer.join("owners"), table.finish().bytes()).unwrap();
        stage.lowers[0] += "/fs";
    }

    /// Gives the plain directory, a copy of what a mount shows, the owners and modes that the mount has.
    pub fn give_owners(self, plain: &Path, shown: &Tree) {
        if self != Self::Recorded {
            return;
        }
        for (path, entry) in shown {
            let path = plain.join(path);
            let mode = rustix::fs::lstat(&path).unwrap().st_mode;
            Owners::Shown.change(&path, entry.owner.0, entry.owner.1).unwrap();
            if FileType::from_raw_mode(mode) != FileType::Symlink {
                rustix::fs::chmod(&path, Mode::from_raw_mode(mode & 0o7777)).unwrap();
            }
        }
    }

    /// What is counted, nobody having anything open, is what there is.
    pub fn check_room(self, stage: &Stage, mounted: &Mounted) {
        let Some(limit) = stage.features.quota else { return };
        // A file in many pieces takes more blocks once they have a place on the disk.
        for (path, _) in tree(&mounted.at).iter().filter(|(_, entry)| entry.is_file) {
            fs::File::open(mounted.at.join(path)).unwrap().sync_all().unwrap();
        }
        let (used, there) = (
            || {
                let stat = rustix::fs::statvfs(&mounted.at).unwrap();
                (stat.f_blocks - stat.f_bfree) * stat.f_frsize
            },
            || {
                disk_usage(&stage.place.join("upper"))
                    + attic(stage).iter().map(|file| file.blocks() * 512).sum::<u64>()
            },
        );
        // Who has forgotten what was removed is told a moment later. More than all can't be shown.
        let start = Instant::now();
        while used() != there().min(limit) {
            assert!(start.elapsed() < LIMIT, "{} bytes are counted, and there are {}", used(), there());
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(there() <= limit + BESIDE, "{} bytes", there());
    }
}

/// What lies in the work directory between operations: files of lower layers that were copied up, and lost the names that are
/// known, while others may still turn up.
pub fn attic(stage: &Stage) -> Vec<fs::Metadata> {
    let entries = fs::read_dir(stage.place.join("work")).unwrap().map(Result::unwrap);
    // The kernel's driver keeps a directory of that name.
    entries.filter(|entry| entry.file_name() != "work").map(|entry| entry.metadata().unwrap()).collect()
}

/// The view of a container with 2000 ids that keeps user 1000's: what root makes is 1000's on disk.
pub fn view() -> View {
    let extent = |inside, outside, count| Extent { inside, outside, count };
    let map = vec![extent(0, 1, 1000), extent(1000, 0, 1), extent(1001, 1001, 999)];
    View::of(&IdMaps { uids: map.clone(), gids: map }).unwrap()
}
