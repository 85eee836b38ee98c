//! `pause` and `unpause`: every process of a container is stopped, and goes on, by the freezer of its control group. Whether it is
//! paused the kernel alone knows, who is asked by each reader of the state.

use crate::container::find::Found;
use crate::container::state::Status;
use crate::container::watch::events::{self, Action};
use crate::container::{Error, Result};
use crate::runtime::cgroup::Group;

/// Stops every process of a container that runs; when this returns, none goes on.
pub fn pause(found: &Found) -> Result<()> {
    let state = found.state()?;
    if state.paused {
        return Err(Error::AlreadyPaused(found.container.id.clone()));
    }
    if state.status != Status::Running {
        return Err(Error::NotPausable(state.name()));
    }
    if !state.is_here() {
        return Err(Error::Elsewhere { id: found.container.short_id().to_owned(), host: state.host });
    }
    if state.cgroup.is_empty() {
        return Err(Error::NoGroup(found.container.short_id().to_owned()));
    }
    Group::named(&state.cgroup).freeze(true)?;
    events::record_of(found.root(), &found.container, &[Action::Pause], None);
    Ok(())
}

/// Lets them go on.
pub fn unpause(found: &Found) -> Result<()> {
    let state = found.state()?;
    if !state.paused {
        return Err(Error::NotPaused(found.container.id.clone()));
    }
    Group::named(&state.cgroup).freeze(false)?;
    events::record_of(found.root(), &found.container, &[Action::Unpause], None);
    Ok(())
}

/// A pause for as long as the value lives.
#[derive(Debug)]
pub struct Paused<'a>(&'a Found);

impl<'a> Paused<'a> {
    /// `None`: it does not run, or somebody has paused it already.
    pub fn meanwhile(found: &'a Found) -> Result<Option<Self>> {
        let state = found.state()?;
        if state.status != Status::Running || state.paused {
            return Ok(None);
        }
        pause(found).map(|()| Some(Self(found)))
    }
}

impl Drop for Paused<'_> {
    fn drop(&mut self) {
        // One that has ended meanwhile needs no word.
        let _ = unpause(self.0);
    }
}
