//! `rename`: the name first, which is claimed and released in one step, then the record that shows it, then what others on its
//! networks know.

use crate::container::find::Found;
use crate::container::watch::events::{self, Action};
use crate::container::{Error, Result, networks};
use crate::store::{self, Store, records};

/// Gives the container, found to be changed, a name that nobody has.
pub fn rename(store: &Store, mut found: Found, name: &str) -> Result<()> {
    let container = &found.container;
    store::names::check(name)?;
    // By whom it is held, not by the record: an earlier rename may have been cut between the two.
    let names = store.names()?;
    let from = names.into_iter().find_map(|(name, holder)| (holder == container.id).then_some(name));
    let renamed = match from {
        Some(from) if from == name => Ok(()),
        Some(from) => store.rename_name(&from, name),
        None => store.claim_name(name, &container.id),
    };
    // Whoever removes the container, or gives its name to another, was first.
    let renamed = match renamed {
        Err(store::Error::System(error)) if error.errno() == libc::ENOENT && !found.is_gone() => {
            store.claim_name(name, &container.id)
        }
        renamed => renamed,
    };
    let renamed = renamed.map_err(|error| match error {
        store::Error::NameTaken { name, holder } => Error::NameInUse { name, holder },
        other => other.into(),
    });
    found.fails(renamed)?;
    let container = &mut found.container;
    name.clone_into(&mut container.name);
    let written = records::write(&found.directory.join("container.json"), &found.container, !found.container.remove);
    found.fails(written.map_err(Error::from))?;
    found.fails(networks::change::rename(store, &found.container))?;
    events::record_of(store.layout().root(), &found.container, &[Action::Rename], None);
    Ok(())
}
