//! Volumes: directories that outlive containers.
//!
//! ```text
//! volumes/<name>/
//! ├── volume.json    name, labels, options; `fresh`: nothing has been put into it
//! ├── data/          the files, of the containers' ids
//! ├── lock           held while it gets its first content, and by who has it for itself
//! └── staged/ ready/ the first content on its way: see [`fill`]
//! ```
//!
//! A volume appears by one rename, whole, and goes by one. Who makes a container that names a volume holds `locks/volumes`, shared,
//! until the container's record says so; who removes one holds it exclusively.

pub mod fill;
pub mod meaning;

use std::collections::BTreeMap;
use std::path::PathBuf;

use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::records::{self, Record};
use super::{Error, Result, Store, Tmp, names};
use crate::host::change;
use crate::host::lock::{Lock, PATIENCE};
use crate::sys::{self, Call};

/// Where the files lie in the directory of a volume.
pub const DATA: &str = "data";
const RECORD: &str = "volume.json";
const LOCK: &str = "lock";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Volume {
    pub name: String,
    /// RFC 3339, UTC.
    pub created: String,
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// As `--opt` gave them; [`meaning`] says what they mean.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
    /// Nobody named it: it goes with its container.
    #[serde(default)]
    pub anonymous: bool,
    /// The next container that mounts it gives it what the image has at that place.
    #[serde(default)]
    pub fresh: bool,
}

/// The volumes of a store.
#[derive(Debug)]
pub struct Volumes {
    /// Oldest first.
    pub found: Vec<Volume>,
    /// Those whose record can't be read, by name.
    pub broken: Vec<(String, Error)>,
}

impl Record for Volume {
    const KIND: &'static str = "volume";
    const VERSION: u32 = 1;
}

impl Store {
    /// As long as it lives, no volume is removed.
    pub fn lock_volumes_shared(&self) -> Result<Lock> {
        Ok(Lock::shared_within(&self.volumes_lock(), PATIENCE)?)
    }

    /// As long as it lives, nobody makes a container that names a volume.
    pub fn lock_volumes_exclusive(&self) -> Result<Lock> {
        Ok(Lock::exclusive_within(&self.volumes_lock(), PATIENCE)?)
    }

    fn volumes_lock(&self) -> PathBuf {
        self.layout().locks().join("volumes")
    }

    /// Makes a volume, empty. `false`: there is one of this name.
    pub fn create_volume(&self, volume: &Volume) -> Result<bool> {
        names::check(&volume.name)?;
        let place = self.tmp_dir()?;
        let data = place.path().join(DATA);
        change::create_dir(&data)?;
        // Every user of a container may look into it; only the directory above is private.
        rustix::fs::chmod(&data, rustix::fs::Mode::from_raw_mode(0o755))
            .call_with(|| format!("chmod({})", data.display()))?;
        records::create(&place.path().join(RECORD), volume, true)?;
        change::sync_dir(place.path())?;
        match place.become_at(&self.layout().volume(&volume.name)) {
            Ok(_lock) => {}
            Err(Error::System(error)) if [libc::ENOTEMPTY, libc::EEXIST].contains(&error.errno()) => return Ok(false),
            Err(error) => return Err(error),
        }
        change::sync_dir(&self.layout().volumes())?;
        Ok(true)
    }

    /// The volume of this name; what can't be a name is none's.
    pub fn volume(&self, name: &str) -> Result<Option<Volume>> {
        if names::check(name).is_err() {
            return Ok(None);
        }
        let path = self.layout().volume(name).join(RECORD);
        match records::read(&path)? {
            // Made between the two looks, or never with a record: not by us.
            None if self.has_volume(name) => match records::read(&path)? {
                None => Err(sys::Error::new(format!("open({})", path.display()), Errno::NOENT).into()),
                found => Ok(found),
            },
            found => Ok(found),
        }
    }

    /// Whether there is a volume of this name; its record need not be readable.
    pub fn has_volume(&self, name: &str) -> bool {
        names::check(name).is_ok() && self.layout().volume(name).is_dir()
    }

    /// All volumes. One that is removed meanwhile is left out; one that can't be read hides no other.
    pub fn volumes(&self) -> Result<Volumes> {
        let path = self.layout().volumes();
        let mut all = Volumes { found: Vec::new(), broken: Vec::new() };
        for entry in std::fs::read_dir(&path).call_with(|| format!("opendir({})", path.display()))? {
            let name = entry.call_with(|| format!("readdir({})", path.display()))?.file_name();
            let Some(name) = name.to_str() else { continue };
            match self.volume(name) {
                Ok(found) => all.found.extend(found),
                Err(error) => all.broken.push((name.to_owned(), error)),
            }
        }
        all.found.sort_by(|a, b| (&a.created, &a.name).cmp(&(&b.created, &b.name)));
        Ok(all)
    }

    /// Takes a volume out of its place, to be removed. `None`: there is none of this name. The caller has made sure that nobody
    /// uses it, and holds the lock of volumes exclusively.
    pub fn retire_volume(&self, name: &str) -> Result<Option<Tmp>> {
        names::check(name)?;
        let path = self.layout().volume(name);
        match Lock::exclusive_within(&path.join(LOCK), PATIENCE) {
            Ok(lock) => {
                let gone = self.retire(&path, lock)?;
                change::sync_dir(&self.layout().volumes())?;
                Ok(Some(gone))
            }
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// Has the volume at `directory` for as long as the lock lives; `None`: somebody else does.
pub fn have_alone(directory: &std::path::Path) -> Result<Option<Lock>> {
    Ok(Lock::try_exclusive(&directory.join(LOCK))?)
}

/// A volume's files: the directory that is mounted.
pub fn open_data(directory: &std::path::Path) -> Result<std::os::fd::OwnedFd> {
    use rustix::fs::{Mode, OFlags};
    let path = directory.join(DATA);
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::open(&path, flags, Mode::empty()) {
        Err(Errno::NOENT) => Err(Error::NoVolume(directory.file_name().unwrap_or_default().display().to_string())),
        other => Ok(other.call_with(|| format!("open({})", path.display()))?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::Scratch;

    fn volume(name: &str) -> Volume {
        let created = "2026-01-01T00:00:00Z".to_owned();
        let (labels, options) = (BTreeMap::new(), BTreeMap::new());
        Volume { name: name.into(), created, labels, options, anonymous: false, fresh: true }
    }

    #[test]
    fn one_of_many_makes_it_and_it_goes_once() {
        let scratch = Scratch::new("volumes");
        let store = &scratch.store;
        let made = std::thread::scope(|scope| {
            let all: Vec<_> = (0..6).map(|_| scope.spawn(|| store.create_volume(&volume("v")).unwrap())).collect();
            all.into_iter().map(|thread| thread.join().unwrap()).filter(|made| *made).count()
        });
        assert_eq!(made, 1);
        store.create_volume(&volume("a")).unwrap();
        let names: Vec<String> = store.volumes().unwrap().found.into_iter().map(|volume| volume.name).collect();
        assert_eq!(names, ["a", "v"]);
        assert!(store.retire_volume("v").unwrap().is_some());
        assert!(store.retire_volume("v").unwrap().is_none() && store.volume("v").unwrap().is_none());
        assert!(store.create_volume(&volume("../v")).is_err() && store.volume("..").unwrap().is_none());
        assert_eq!(std::fs::read_dir(store.layout().tmp()).unwrap().count(), 0);
    }
}
