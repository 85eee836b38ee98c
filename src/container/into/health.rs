//! A health check when somebody asks: the monitor runs it, so that it counts like any other.

use std::os::fd::AsFd;

use super::attach::{self, PATIENCE};
use crate::container::control::{CHUNK, ToClient, ToMonitor};
use crate::container::find::Found;
use crate::container::state::Status;
use crate::container::{Error, Result};
use crate::runtime::handshake::receive_with_fd;

/// Checks now; whether the container is well.
pub fn check(found: &Found) -> Result<bool> {
    let container = &found.container;
    let health = container.health.as_ref().ok_or_else(|| Error::NoHealthcheck(container.id.clone()))?;
    let state = found.state()?;
    if state.status == Status::Running && !state.is_here() {
        return Err(Error::Elsewhere { id: container.short_id().to_owned(), host: state.host });
    }
    let not_running = || Error::NotRunning(container.short_id().to_owned());
    if state.status != Status::Running || state.paused {
        return Err(not_running());
    }
    let talk = attach::open(found, &ToMonitor::CheckHealth)?.ok_or_else(not_running)?;
    let mut buffer = vec![0; CHUNK + 16];
    let mut patience = PATIENCE;
    loop {
        attach::await_answer(found, &talk, patience)?;
        let (count, _) = receive_with_fd(talk.as_fd(), &mut buffer)?;
        return match ToClient::decode(buffer.get(..count).unwrap_or_default()) {
            // It has heard, and knows the end of the check when the time for that is over.
            Some(ToClient::Started(_)) => {
                patience = PATIENCE.saturating_add(health.longest());
                continue;
            }
            Some(ToClient::Exited(code)) => Ok(code == 0),
            Some(ToClient::Failed { message, .. }) => Err(Error::Unchecked(message.to_owned())),
            _ => Err(not_running()),
        };
    }
}
