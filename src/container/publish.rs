//! `port add` and `port rm`: ports of a container that runs, and of its next lives.

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd};

use crate::container::find::Found;
use crate::container::record::{Container, Network};
use crate::container::state::{State, Status};
use crate::container::{Error, Result};
use crate::network::ports::{self, Published, SocketFile};
use crate::network::stack::control::{self, Request};
use crate::network::way::Maker;
use crate::store::records;

/// What is published, or is to be.
#[derive(Debug, Clone, Default)]
pub struct Places {
    pub ports: Vec<Published>,
    pub files: Vec<SocketFile>,
}

/// Publishes these, too; which ports of this machine lead inside then.
pub fn add(found: &mut Found, asked: Places) -> Result<Places> {
    let new = Places { ports: ports::settle(asked.ports)?, files: ports::settle_files(asked.files)? };
    let Container { published, socket_files, .. } = &found.container;
    let all = Places {
        ports: ports::settle([published.clone(), new.ports.clone()].concat())?,
        files: ports::settle_files([socket_files.clone(), new.files.clone()].concat())?,
    };
    if found.container.way_maker() == Maker::Pasta {
        ports::suit_pasta(&all.ports)?;
        if !new.files.is_empty() {
            return Err(ports::Error::NotOfPasta("socket files").into());
        }
    }
    let runs = runs(found)?;
    ports::check(&new.ports)?;
    new.files.iter().try_for_each(SocketFile::check)?;
    // Recorded first: what led inside without a record could be taken back by nobody.
    let before = replace(found, all);
    write(found)?;
    if runs && let Err(error) = lead_in(found, &new) {
        replace(found, before);
        // Where that fails, `remove` takes back what leads nowhere.
        let _ = write(found);
        return Err(error);
    }
    Ok(new)
}

/// Publishes no more what `asked`, a single one, means: a port of the container's wherever it is published, or with a port of this
/// machine that one alone.
pub fn remove(found: &mut Found, asked: &Published) -> Result<()> {
    let Container { published, socket_files, .. } = &found.container;
    let (gone, left): (Vec<_>, Vec<_>) =
        published.iter().flat_map(Published::singles).partition(|one| asked.means(one));
    let (files, files_left): (Vec<_>, Vec<_>) = socket_files.iter().cloned().partition(|file| asked.means_file(file));
    match (&gone[..], &files[..]) {
        ([], []) => return Err(not_published(found, asked)),
        ([_, _, ..], _) if asked.host != 0 => {
            let published = gone.iter().map(ToString::to_string).collect();
            return Err(Error::PublishedTwice { asked: asked.to_string(), published });
        }
        _ => {}
    }
    let left = Places { ports: ports::settle(left)?, files: files_left };
    take_back(found, Places { ports: gone, files }, left)
}

/// As [`remove`], of a socket file.
pub fn remove_file(found: &mut Found, asked: &SocketFile) -> Result<()> {
    let all = found.container.socket_files.iter().cloned();
    let (files, left): (Vec<_>, Vec<_>) = all.partition(|file| file == asked);
    if files.is_empty() {
        return Err(not_published(found, asked));
    }
    let left = Places { ports: found.container.published.clone(), files: left };
    take_back(found, Places { files, ..Places::default() }, left)
}

fn not_published(found: &Found, asked: &dyn fmt::Display) -> Error {
    let Container { published, socket_files, .. } = &found.container;
    let files = socket_files.iter().map(ToString::to_string);
    let published = published.iter().map(ToString::to_string).chain(files).collect();
    Error::NotPublished { asked: asked.to_string(), published }
}

fn take_back(found: &mut Found, gone: Places, left: Places) -> Result<()> {
    if runs(found)? {
        lead_out(found, &gone)?;
    }
    gone.files.iter().for_each(SocketFile::remove);
    replace(found, left);
    write(found)
}

/// What it had.
fn replace(found: &mut Found, places: Places) -> Places {
    let Container { published, socket_files, .. } = &mut found.container;
    Places { ports: std::mem::replace(published, places.ports), files: std::mem::replace(socket_files, places.files) }
}

/// Has all of them lead inside, or none. The socket files are made here: the way out has no files.
fn lead_in(found: &Found, new: &Places) -> Result<()> {
    let mut made = Vec::new();
    let mut all = || {
        for file in &new.files {
            made.push((file, file.listen()?));
        }
        if !new.ports.is_empty() {
            tell(found, &Request::Add(new.ports.clone()), None)?;
        }
        let mut sockets = made.iter();
        sockets.try_for_each(|(file, socket)| tell(found, &Request::AddFile((*file).clone()), Some(socket.as_fd())))
    };
    let result = all();
    if result.is_err() {
        // One that does not hear that leads nowhere.
        let _ = lead_out(found, new);
        for (file, socket) in made {
            drop(socket);
            file.remove();
        }
    }
    result
}

fn lead_out(found: &Found, gone: &Places) -> Result<()> {
    if !gone.ports.is_empty() {
        tell(found, &Request::Remove(gone.ports.clone()), None)?;
    }
    if !gone.files.is_empty() {
        tell(found, &Request::RemoveFiles(gone.files.clone()), None)?;
    }
    Ok(())
}

/// The socket files that a killed monitor has left of a container whose lock is free.
pub fn left<'a>(state: &State, container: &'a Container) -> impl Iterator<Item = &'a SocketFile> {
    let ended_unseen = state.status != Status::Created && state.exit_code.is_none() && state.is_of_this_machine();
    container.socket_files.iter().filter(move |file| ended_unseen && file.is_left())
}

/// Whether it is one that runs, whose way out must be told.
fn runs(found: &Found) -> Result<bool> {
    let state = found.state()?;
    let container = &found.container;
    if !container.has_own_network() {
        return Err(Error::NoPorts(container.short_id().to_owned()));
    }
    if state.status == Status::Running && !state.is_here() {
        return Err(Error::Elsewhere { id: container.short_id().to_owned(), host: state.host });
    }
    Ok(state.status == Status::Running)
}

/// Whoever makes the way of one that runs.
fn tell(found: &Found, request: &Request, along: Option<BorrowedFd<'_>>) -> Result<()> {
    let container = &found.container;
    match control::ask(&found.directory, request, along)? {
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
