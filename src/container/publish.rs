//! `port add` and `port rm`: ports of a container that runs, and of its next lives.

use crate::container::find::Found;
use crate::container::record::Container;
use crate::container::state::Status;
use crate::container::{Error, Result};
use crate::network::ports::{self, Protocol, Published};
use crate::network::stack::control::{self, Request};
use crate::store::records;

/// Publishes these, too; which ports of this machine lead inside then.
pub fn add(found: &mut Found, asked: Vec<Published>) -> Result<Vec<Published>> {
    let new = ports::settle(asked)?;
    let all = ports::settle([found.container.published.clone(), new.clone()].concat())?;
    ports::check(&new)?;
    tell(found, &Request::Add(new.clone()))?;
    write(found, all)?;
    Ok(new)
}

/// Publishes this port of the container's no more. `false`: it was not published.
pub fn remove(found: &mut Found, protocol: Protocol, port: u16) -> Result<bool> {
    let is_it = |one: &Published| one.protocol == protocol && one.container == port;
    let each = |one: &Published| {
        let single = |(host, container)| Published { host, container, count: 1, ..one.clone() };
        one.pairs().map(single).collect::<Vec<_>>()
    };
    let all: Vec<Published> = found.container.published.iter().flat_map(each).collect();
    let left: Vec<Published> = all.iter().filter(|one| !is_it(one)).cloned().collect();
    if left.len() == all.len() {
        return Ok(false);
    }
    tell(found, &Request::Remove(protocol, port))?;
    write(found, ports::settle(left)?)?;
    Ok(true)
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
        false => Err(Error::PortsAreFixed(container.short_id().to_owned())),
    }
}

fn write(found: &mut Found, published: Vec<Published>) -> Result<()> {
    let container: &mut Container = &mut found.container;
    container.published = published;
    Ok(records::write(&found.directory.join("container.json"), container, !container.remove)?)
}
