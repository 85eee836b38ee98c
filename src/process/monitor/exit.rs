//! The end, in this order: recorded, out of sight if it is to go, answered, and only then taken apart.

use std::time::Duration;

use super::root::Root;
use super::start::Running;
use crate::container::control::ToClient;
use crate::container::job::Job;
use crate::container::record::Container;
use crate::container::state::{self, State, Status};
use crate::container::watch::events::{self, Action};
use crate::host::atomic_file::Staged;
use crate::host::dirs::Dirs;
use crate::host::lock::Lock;
use crate::process::session::clients::Clients;
use crate::process::session::event_loop::End;
use crate::process::session::refusal::Refusal;
use crate::runtime::outside::init::Init;
use crate::store::{self, Store, Tmp, records};
use crate::sys::process::Ended;

/// How long the mounter may take to write back what the kernel still caches.
const WRITE_BACK: Duration = Duration::from_secs(120);

/// Makes ready to write down that the program runs, which is published just before it does: whoever can see it can stop it.
pub fn stage_start(job: &Job, init: &Init, root: &Root) -> Result<(State, Staged), store::Error> {
    let monitor = std::fs::read_link("/proc/self").ok().and_then(|pid| pid.to_str()?.parse().ok());
    let state = State {
        status: Status::Running,
        pid: init.host_pid,
        start_time: state::start_time(init.host_pid).unwrap_or(0),
        monitor_pid: monitor.unwrap_or(0),
        started_at: state::now(),
        driver: root.driver.to_owned(),
        driver_reason: root.reason.clone(),
        ..job.state.clone()
    };
    let staged = records::stage(&job.directory.join("state.json"), &state, job.durable)?;
    Ok((state, staged))
}

/// Records the end, answers, cleans up.
pub fn finish(job: &Job, running: Running, end: End, lock: Lock, clients: Clients) {
    let code = end.ended.map(Ended::code);
    let Running { init, root, volumes, held, log, network, state, .. } = running;
    let state =
        State { status: Status::Exited, finished_at: state::now(), exit_code: code, pid: 0, monitor_pid: 0, ..state };
    let Init { child, mounts, .. } = init;
    drop((child, held, log, network));
    // To take the mounts apart takes longer than anything else here, so that comes after the answer. But what the program wrote
    // must be in the upper directory before anybody is told that it ended, and only an unmounted one can be mounted again.
    let mounts = job.remove.then_some(mounts);
    if !job.remove {
        root.settle(WRITE_BACK);
    }
    // Also of a container that goes: whoever waits for its end has its directory open.
    write(job, &state);
    let ended: &[Action] = if job.remove { &[Action::Died] } else { &[Action::Died, Action::Cleanup] };
    events::record_at(&job.data, &job.directory, ended, code);
    // The lock is free from here on, or out of sight: a client that reads slowly, or not at all, holds nothing up.
    let gone = remove(job, lock, code);
    clients.part(&end.words(code.unwrap_or(255)));
    // Nobody waits for what is left to do; the user's next command goes first.
    let _ = rustix::process::nice(19);
    drop(mounts);
    drop(volumes);
    drop(gone);
}

/// Nothing ran: the launcher is told why, and the record says so.
pub fn refuse(job: &Job, refusal: Refusal, lock: Lock, clients: Clients) {
    let Refusal { code, message } = refusal;
    if !job.remove {
        write(job, &State { exit_code: Some(i32::from(code)), error: message.clone(), ..job.state.clone() });
    }
    let gone = remove(job, lock, Some(code.into()));
    clients.part(&[ToClient::Failed { code, message: &message }]);
    drop(gone);
}

/// A record that can't be written is corrected by the free lock: the end is then known, its code is not.
fn write(job: &Job, state: &State) {
    let _ = records::write(&job.directory.join("state.json"), state, job.durable);
}

/// Out of sight; deleted when the value goes. `None`: it stays, its lock free, or could not be moved and is swept later.
fn remove(job: &Job, lock: Lock, code: Option<i32>) -> Option<Tmp> {
    if !job.remove {
        return None;
    }
    let store = Store::open(&Dirs::at(&job.data)).ok()?;
    let container: Option<Container> = records::read(&job.directory.join("container.json")).ok().flatten();
    let gone = store.retire(&job.directory, lock).ok()?;
    if let Some(container) = container {
        events::record_of(&job.data, &container, &[Action::Remove], code);
        let _ = store.release_name(&container.name, &container.id);
    }
    Some(gone)
}
