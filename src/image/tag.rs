//! Another name for an image.

use super::find::find_with_name;
use super::{Error, Result};
use crate::oci::{Digest, Reference};
use crate::store::Store;

/// The name that an image gets who is called `text`: a short one becomes `localhost/…`, a missing tag `latest`.
pub fn full_name(text: &str) -> Result<String> {
    let text = if Reference::is_qualified(text) { text.to_owned() } else { format!("localhost/{text}") };
    Ok(text.parse::<Reference>()?.without_digest().or_latest().to_string())
}

/// Gives the image that `source` names the name `target` too (see [`full_name`]); whoever had it loses it. The image's id.
pub fn tag(store: &Store, source: &str, target: &str) -> Result<Digest> {
    let target = full_name(target)?;
    let (found, _) = find_with_name(store, source)?;
    // Between the look and the new name nobody may remove the image.
    let _lock = store.lock_shared()?;
    let entries = store.images()?;
    let entry = entries.into_iter().find(|entry| *entry.key() == found.key);
    let entry = entry.ok_or_else(|| Error::Unknown { name: source.to_owned() })?;
    store.tag(&target, entry)?;
    Ok(found.id)
}

/// The names that images have in the repository that `text` names, which may be a short name as for `tag` or `pull`.
pub fn names_in(store: &Store, text: &str) -> Result<Vec<String>> {
    let here: Reference = full_name(text)?.parse()?;
    let repositories = [here.name(), text.parse::<Reference>()?.name()];
    let is_meant = |name: &Reference| name.tag().is_some() && repositories.contains(&name.name());
    let names = store.images()?.into_iter().filter_map(|entry| entry.name()?.parse::<Reference>().ok());
    Ok(names.filter(is_meant).map(|name| name.to_string()).collect())
}

/// Takes these names, or all, away from the image that `text` means; the image stays. Fails, and changes nothing, if one of
/// the names is not the image's. The image's id, and the names that it lost.
pub fn untag(store: &Store, text: &str, names: &[String]) -> Result<(Digest, Vec<String>)> {
    // Between the look and the removal nobody may give a name to another image.
    let _lock = store.lock_exclusive()?;
    let (found, _) = find_with_name(store, text)?;
    let mut going = Vec::new();
    for name in names {
        let (of_name, full) = find_with_name(store, name)?;
        match full.filter(|_| of_name.key == found.key) {
            Some(full) => going.push(full),
            None => return Err(Error::Unknown { name: name.clone() }),
        }
    }
    let going = if names.is_empty() { found.names } else { going };
    for name in &going {
        store.untag(name)?;
    }
    Ok((found.id, going))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;
    use crate::oci::media_type::OCI_INDEX;
    use crate::store::Commit;
    use crate::store::images::Entry;
    use crate::store::testing::Scratch;

    #[test]
    fn no_name_moves_while_one_is_taken_away() {
        let scratch = Scratch::new("untag");
        let store = &scratch.store;
        let bytes = br#"{"schemaVersion":2,"manifests":[]}"#;
        let mut commit = Commit::new(store);
        commit.bytes(bytes).unwrap();
        commit.finish().unwrap();
        store.tag("h/a:1", Entry::new(OCI_INDEX, Digest::of(bytes), bytes.len() as u64)).unwrap();
        let naming = store.lock_shared().unwrap();
        let (ended, end) = mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(move || ended.send(untag(store, "h/a:1", &[]).is_ok()).unwrap());
            assert!(end.recv_timeout(Duration::from_millis(100)).is_err(), "it does not wait");
            drop(naming);
            assert!(end.recv().unwrap());
        });
        assert_eq!(store.image_named("h/a:1").unwrap(), None);
    }
}
