//! `port add` and `port rm`: ports of a container that runs, and of its next lives.

use crate::container::find::Found;
use crate::container::record::{Container, Network};
use crate::container::state::{State, Status};
use crate::container::{Error, Result};
use crate::network::ports::{self, Published, SocketFile};
use crate::network::stack::control::{self, Request};
use crate::network::way::Maker;
use crate::store::records;

/// Publishes these, too; which ports of this machine lead inside then.
pub fn add(found: &mut Found, asked: Vec<Published>) -> Result<Vec<Published>> {
    let new = ports::settle(asked)?;
    let all = ports::settle([found.container.published.clone(), new.clone()].concat())?;
    if found.container.way_maker() == Maker::Pasta {
        ports::suit_pasta(&all)?;
    }
    ports::check(&new)?;
    // Recorded first: what led inside without a record could be taken back by nobody.
    let before = std::mem::replace(&mut found.container.published, all);
    write(found)?;
    if let Err(error) = tell(found, &Request::Add(new.clone())) {
        found.container.published = before;
        // Where that fails, `remove` takes back what leads nowhere.
        let _ = write(found);
        return Err(error);
    }
    Ok(new)
}

/// Publishes no more what `asked`, a single one, means: a port of the container's wherever it is published, or with a port of this
/// machine that one alone.
pub fn remove(found: &mut Found, asked: &Published) -> Result<()> {
    let published = &found.container.published;
    let (gone, left): (Vec<_>, Vec<_>) =
        published.iter().flat_map(Published::singles).partition(|one| asked.means(one));
    let known = |all: &[Published]| all.iter().map(ToString::to_string).collect();
    match &gone[..] {
        [] => return Err(Error::NotPublished { asked: asked.to_string(), published: known(published) }),
        [_, _, ..] if asked.host != 0 => {
            return Err(Error::PublishedTwice { asked: asked.to_string(), published: known(&gone) });
        }
        _ => {}
    }
    let left = ports::settle(left)?;
    tell(found, &Request::Remove(gone))?;
    found.container.published = left;
    write(found)
}

/// The socket files that a killed monitor has left of a container whose lock is free.
pub fn left<'a>(state: &State, container: &'a Container) -> impl Iterator<Item = &'a SocketFile> {
    let ended_unseen = state.status != Status::Created && state.exit_code.is_none() && state.is_of_this_machine();
    container.socket_files.iter().filter(move |file| ended_unseen && file.is_left())
}

/// Whoever makes the way of one that runs.
fn tell(found: &Found, request: &Request) -> Result<()> {
    let state = found.state()?;
    let container = &found.container;
    if !container.has_own_network() {
        return Err(Error::NoPorts(container.short_id().to_owned()));
    }
    if state.status != Status::Running {
        return Ok(());
    }
    if !state.is_here() {
        return Err(Error::Elsewhere { id: container.short_id().to_owned(), host: state.host });
    }
    match control::ask(&found.directory, request)? {
        true => Ok(()),
        false if container.network == Network::Named && container.way_maker() == Maker::Stack => {
            Err(Error::NoWayIn(container.short_id().to_owned()))
        }
        false => Err(Error::PortsAreFixed(container.short_id().to_owned())),
    }
}

fn write(found: &Found) -> Result<()> {
    Ok(records::write(&found.directory.join("container.json"), &found.container, !found.container.remove)?)
}
