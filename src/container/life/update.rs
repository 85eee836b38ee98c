//! `update`: the limits of one that runs; then the record, which the next start reads; then its monitor is told.

use crate::container::control::{CHUNK, ToMonitor};
use crate::container::find::Found;
use crate::container::into::attach;
use crate::container::state::{State, Status};
use crate::container::watch::events::{self, Action};
use crate::container::{Error, Result};
use crate::host::subid::IdMaps;
use crate::runtime::cgroup::Group;
use crate::store::{Store, records};

/// Writes down how the container, found to be changed, is to be looked after from now on; when this returns, its monitor does so.
pub fn update(store: &Store, found: &Found) -> Result<()> {
    let container = &found.container;
    let state = found.state()?;
    if state.status == Status::Running && state.is_here() {
        limit(found, &state)?;
    }
    records::write(&found.directory.join("container.json"), container, !container.remove)?;
    events::record_of(found.root(), container, &[Action::Update], None);
    if !state.lives() {
        return Ok(());
    }
    if !state.is_here() {
        return Err(Error::Elsewhere { id: container.short_id().to_owned(), host: state.host });
    }
    let care = super::start::care(store, found, &IdMaps::of_account()?)?;
    let care = serde_json::to_vec(&care).map_err(|error| Error::Spec(error.to_string()))?;
    if care.len() > CHUNK {
        return Err(Error::UpdateTooLong(container.short_id().to_owned()));
    }
    let talk = attach::open(found, &ToMonitor::Update(&care))?;
    // Between two lives the word waits for the next one.
    if let Some(talk) = talk.filter(|_| state.status == Status::Running) {
        attach::await_answer(found, &talk, attach::PATIENCE)?;
    }
    Ok(())
}

/// Writes the limits to the group of a container that runs.
fn limit(found: &Found, state: &State) -> Result<()> {
    let settings = found.container.cgroup.limits.settings()?;
    if !state.cgroup.is_empty() {
        return Ok(Group::named(&state.cgroup).apply(&settings)?);
    }
    match settings.iter().any(|setting| !setting.flag.is_empty()) {
        true => Err(Error::NoGroup(found.container.short_id().to_owned())),
        false => Ok(()),
    }
}
