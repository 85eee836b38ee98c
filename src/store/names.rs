//! Names of containers: `names/<name> -> ../containers/<id>`.
//!
//! Creating the symlink is the claim: the kernel lets one of two callers win without a lock, and a reader asks with one `readlink`.
//! A link whose container is gone (cut between two removals) is nobody's. Links are taken away under a lock: between the look
//! at whose one is and its removal, nobody can have put another in its place.

use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags};

use super::{Error, Result, Store};
use crate::host::change;
use crate::sys::{self, Call};

/// As Podman: `[a-zA-Z0-9][a-zA-Z0-9_.-]*`. The limit is that of a file name.
pub fn check(name: &str) -> Result<()> {
    let rest_good = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
    let first_good = name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    if first_good && rest_good && name.len() <= 255 {
        return Ok(());
    }
    Err(Error::BadName(name.chars().take(80).collect()))
}

impl Store {
    /// Claims `name` for the container `id`, which is there ([`Error::NameTaken`] tells the holder).
    pub fn claim_name(&self, name: &str, id: &str) -> Result<()> {
        let path = self.name_path(name)?;
        loop {
            if change::symlink(&target(id), &path)? {
                return Ok(());
            }
            match self.resolve_name(name)? {
                Some(holder) if holder == id => return Ok(()),
                Some(holder) => return Err(Error::NameTaken { name: name.to_owned(), holder }),
                None => self.release_if(name, |holder| !self.layout().container(holder).exists())?,
            }
        }
    }

    /// Gives `name` to the container `id`, which is there, whoever has it, in one step. The id of who had it.
    pub fn take_name(&self, name: &str, id: &str) -> Result<Option<String>> {
        let path = self.name_path(name)?;
        let staged = self.layout().container(id).join("name");
        let _lock = self.lock_names()?;
        let holder = self.resolve_name(name)?.filter(|holder| holder != id);
        change::symlink(&target(id), &staged)?;
        change::rename(&staged, &path)?;
        Ok(holder)
    }

    /// The id of the container that has `name`. `None`: no container has.
    pub fn resolve_name(&self, name: &str) -> Result<Option<String>> {
        let mut holder = self.link(name)?;
        while let Some(id) = &holder
            && !self.layout().container(id).exists()
        {
            let now = self.link(name)?;
            // Else another took its name, and then it went.
            if now == holder {
                return Ok(None);
            }
            holder = now;
        }
        Ok(holder)
    }

    /// The id that a link names.
    fn link(&self, name: &str) -> Result<Option<String>> {
        let path = self.name_path(name)?;
        match rustix::fs::readlink(&path, Vec::new()) {
            Ok(target) => {
                let target = PathBuf::from(target.to_string_lossy().into_owned());
                Ok(target.file_name().map(|id| id.to_string_lossy().into_owned()))
            }
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Err(error) => Err(sys::Error::new(format!("readlink({})", path.display()), error).into()),
        }
    }

    /// Gives `name` up, if `id` holds it.
    pub fn release_name(&self, name: &str, id: &str) -> Result<()> {
        self.release_if(name, |holder| holder == id)
    }

    /// Gives all names up that a container had which is gone.
    pub fn release_abandoned_names(&self) -> Result<()> {
        let is_gone = |id: &str| !self.layout().container(id).exists();
        for (name, id) in self.names()? {
            if is_gone(&id) {
                self.release_if(&name, is_gone)?;
            }
        }
        Ok(())
    }

    fn release_if(&self, name: &str, is_free: impl Fn(&str) -> bool) -> Result<()> {
        let _lock = self.lock_names()?;
        if self.link(name)?.is_some_and(|holder| is_free(&holder)) {
            change::remove_file(&self.name_path(name)?)?;
        }
        Ok(())
    }

    /// Gives the holder of `from` the free name `to` instead, in one step.
    pub fn rename_name(&self, from: &str, to: &str) -> Result<()> {
        if self.link(to)?.is_some() {
            self.release_if(to, |holder| !self.layout().container(holder).exists())?;
        }
        let (old, new) = (self.name_path(from)?, self.name_path(to)?);
        crate::host::fault::point("names: rename").call("renameat2")?;
        match rustix::fs::renameat_with(CWD, &old, CWD, &new, RenameFlags::NOREPLACE) {
            Ok(()) => Ok(()),
            Err(rustix::io::Errno::EXIST) => {
                let holder = self.resolve_name(to)?.unwrap_or_default();
                Err(Error::NameTaken { name: to.to_owned(), holder })
            }
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
                // No such flag on this file system: claim the new one, then let go of the old one.
                let id = self.resolve_name(from)?.unwrap_or_default();
                self.claim_name(to, &id)?;
                self.release_name(from, &id)
            }
            Err(error) => {
                Err(sys::Error::new(format!("renameat2({}, {})", old.display(), new.display()), error).into())
            }
        }
    }

    /// All names with the ids of the containers that have them, or had them when they were removed; in no order.
    pub fn names(&self) -> Result<Vec<(String, String)>> {
        let path = self.layout().names();
        let mut all = Vec::new();
        for entry in std::fs::read_dir(&path).call_with(|| format!("opendir({})", path.display()))? {
            let name = entry.call_with(|| format!("readdir({})", path.display()))?.file_name();
            let Some(name) = name.to_str().filter(|name| check(name).is_ok()) else { continue };
            // Released meanwhile: no longer a name.
            if let Some(id) = self.link(name)? {
                all.push((name.to_owned(), id));
            }
        }
        Ok(all)
    }

    fn name_path(&self, name: &str) -> Result<PathBuf> {
        check(name)?;
        Ok(self.layout().names().join(name))
    }
}

/// What the name of a container leads to.
fn target(id: &str) -> PathBuf {
    Path::new("../containers").join(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::Scratch;

    #[test]
    fn one_of_many_gets_the_name() {
        let scratch = Scratch::new("names");
        let store = &scratch.store;
        for id in (0..8).map(|i| format!("id{i}")).chain(["other".to_owned()]) {
            std::fs::create_dir(store.layout().container(&id)).unwrap();
        }
        let won = std::thread::scope(|scope| {
            let all: Vec<_> =
                (0..8).map(|i| scope.spawn(move || store.claim_name("box", &format!("id{i}")).is_ok())).collect();
            all.into_iter().map(|t| t.join().unwrap()).filter(|won| *won).count()
        });
        assert_eq!(won, 1);
        let holder = store.resolve_name("box").unwrap().unwrap();
        let error = store.claim_name("box", "other").unwrap_err();
        assert!(error.to_string().contains(&holder), "{error}");
        store.claim_name("taken", "other").unwrap();
        assert!(matches!(store.rename_name("box", "taken"), Err(Error::NameTaken { .. })));
        store.rename_name("box", "bag").unwrap();
        assert_eq!(store.resolve_name("box").unwrap(), None);
        store.release_name("bag", "not the holder").unwrap();
        assert_eq!(store.resolve_name("bag").unwrap(), Some(holder.clone()));
        std::fs::create_dir(store.layout().container("new")).unwrap();
        assert_eq!(store.take_name("bag", "new").unwrap(), Some(holder.clone()));
        assert_eq!(store.resolve_name("bag").unwrap(), Some("new".to_owned()));
        assert_eq!(store.take_name("bag", "new").unwrap(), None);
        assert_eq!(store.take_name("bag", &holder).unwrap(), Some("new".to_owned()));
        store.release_name("bag", &holder).unwrap();
        assert_eq!(store.names().unwrap(), [("taken".to_owned(), "other".to_owned())]);
    }

    #[test]
    fn the_name_of_what_is_gone_is_free() {
        let scratch = Scratch::new("names-free");
        let store = &scratch.store;
        std::fs::create_dir(store.layout().container("new")).unwrap();
        for name in ["box", "bag"] {
            change::symlink(Path::new("../containers/gone"), &store.layout().names().join(name)).unwrap();
        }
        assert_eq!(store.resolve_name("box").unwrap(), None);
        store.claim_name("box", "new").unwrap();
        store.rename_name("box", "bag").unwrap();
        assert_eq!(store.resolve_name("bag").unwrap(), Some("new".to_owned()));
        change::symlink(Path::new("../containers/gone"), &store.layout().names().join("box")).unwrap();
        store.release_abandoned_names().unwrap();
        assert_eq!(store.names().unwrap(), [("bag".to_owned(), "new".to_owned())]);
    }

    #[test]
    fn a_name_is_never_a_path() {
        for bad in ["", ".", "..", "../x", "a/b", "-a", ".hidden", "a b", "ä", &"a".repeat(256)] {
            assert!(check(bad).is_err(), "{bad}");
        }
        for good in ["a", "0", "a_b.c-d"] {
            check(good).unwrap();
        }
    }
}
