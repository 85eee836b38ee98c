//! The end, in this order: recorded, out of sight if it is to go, answered, and only then taken apart.

use std::os::fd::OwnedFd;

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use rustix::process::{WaitId, WaitIdOptions, waitid};

use super::hooks;
use super::mounts::Volumes;
use super::start::{Counted, Running};
use super::stragglers;
use crate::container::control::ToClient;
use crate::container::job::{Job, Network, Purpose, WRITE_BACK};
use crate::container::mount::volumes;
use crate::container::networks;
use crate::container::record::Container;
use crate::container::state::{self, State, Status};
use crate::container::watch::events::{self, Action};
use crate::host::atomic_file::Staged;
use crate::host::dirs::Dirs;
use crate::host::lock::Lock;
use crate::network::ports::SocketFile;
use crate::process::session::clients::Clients;
use crate::process::session::event_loop::End;
use crate::process::session::refusal::Refusal;
use crate::runtime::cgroup::Place;
use crate::runtime::outside::init::Init;
use crate::store::{self, Store, Tmp, records};
use crate::sys::process::start_time;

/// Makes ready to write down that the program runs, which is published just before it does: whoever can see it can stop it.
pub fn stage_start(job: &Job, running: &Running) -> Result<(State, Staged), store::Error> {
    let Running { init, root, group, .. } = running;
    let state = State {
        status: Status::Running,
        pid: init.host_pid,
        start_time: start_time(init.host_pid).unwrap_or(0),
        monitor_pid: own_pid(),
        started_at: state::now(),
        exit_code: None,
        networks: running.state.networks,
        error: String::new(),
        restarting: false,
        driver: root.driver.to_owned(),
        driver_reason: root.reason.clone(),
        cgroup: group.as_ref().map_or_else(String::new, |counted| counted.group.name().to_owned()),
        used_before: group.as_ref().map(|counted| counted.used).unwrap_or_default(),
        oom_killed: false,
        ..job.state.clone()
    };
    let staged = records::stage(&job.directory.join("state.json"), &state, job.durable)?;
    Ok((state, staged))
}

/// This process's pid as the host sees it, whose /proc is here.
fn own_pid() -> i32 {
    std::fs::read_link("/proc/self").ok().and_then(|pid| pid.to_str()?.parse().ok()).unwrap_or(0)
}

/// Records the end, answers, cleans up.
pub fn finish(job: &Job, running: Running, end: &End, lock: Lock, mut clients: Clients) {
    let code = end.code();
    let Over { state, mounts, mut volumes } = over(job, running, end, job.remove);
    volumes.let_go();
    // Also of a container that goes: whoever waits for its end has its directory open.
    write(job, &state);
    let ended: &[Action] = if job.remove { &[Action::Died] } else { &[Action::Died, Action::Cleanup] };
    events::record_at(&job.data, &job.directory, ended, code);
    leave(job);
    // The lock is free from here on, or out of sight: a client that reads slowly, or not at all, holds nothing up.
    let gone = remove(job, lock, code);
    clients.part(&end.words(code.unwrap_or(255)));
    drop(clients);
    // Nobody waits for what is left to do; the user's next command goes first.
    let _ = rustix::process::nice(19);
    drop(mounts);
    drop(volumes);
    drop(gone);
    vacate(job);
}

/// The end of one of several lives: records it, answers, and clears away what is left. The container's state until it lives again.
pub fn pause(job: &Job, running: Running, end: &End, clients: &mut Clients) -> State {
    let Over { state, mounts, volumes } = over(job, running, end, false);
    let state = State { restarting: true, monitor_pid: own_pid(), ..state };
    write(job, &state);
    events::record_at(&job.data, &job.directory, &[Action::Died, Action::Cleanup], end.code());
    clients.part(&end.words(end.code().unwrap_or(255)));
    drop((mounts, volumes));
    clear_away();
    state
}

/// As [`pause`], of a life that did not begin.
pub fn pause_unborn(job: &Job, refusal: &Refusal) -> State {
    clear_away();
    let exit_code = Some(refusal.code.into());
    let error = refusal.message.clone();
    let state = State { finished_at: state::now(), exit_code, error, restarting: true, ..job.state.clone() };
    write(job, &state);
    state
}

/// There will be no other life.
pub fn give_up(job: &Job) {
    leave(job);
    vacate(job);
    write(job, &State { restarting: false, monitor_pid: 0, ..job.state.clone() });
}

/// Ends whoever is left of a life in this pid namespace, the network's helper above all, and waits for it.
fn clear_away() {
    if std::process::id() == 1 {
        let _ = signal::kill(Pid::from_raw(-1), Signal::SIGKILL);
        while waitid(WaitId::All, WaitIdOptions::EXITED).is_ok() {}
    }
}

/// What is left of a program that has ended.
struct Over {
    state: State,
    /// `None`: taken apart.
    mounts: Option<OwnedFd>,
    volumes: Volumes,
}

/// To take the mounts apart takes longer than anything else here, so that comes after the answer where nobody needs them again
/// (`keep`). Else what the program wrote must be in the upper directory before anybody is told that it ended, and only an
/// unmounted one can be mounted again.
fn over(job: &Job, running: Running, end: &End, keep: bool) -> Over {
    let Running { init, root, volumes, held, log, network, companion, group, state, .. } = running;
    if job.state.unbound {
        let servers = root.mounter.iter().chain(volumes.servers.iter().map(|server| &server.child));
        let spared: Vec<_> = servers.map(|server| server.pid).collect();
        stragglers::end(&spared);
    }
    let state = State {
        status: Status::Exited,
        finished_at: state::now(),
        exit_code: end.code(),
        pid: 0,
        monitor_pid: 0,
        oom_killed: group.as_ref().is_some_and(Counted::has_killed),
        ..state
    };
    let Init { child, mounts, .. } = init;
    drop((child, held, log, companion));
    if let (Some(way), Network::Way(wanted)) = (network, &job.network)
        && wanted.may_publish()
    {
        // Whoever hears of the end may want its ports. What can't be ended goes with this process.
        let _ = way.stop();
        clear_socket_files(job);
    }
    let mounts = keep.then_some(mounts);
    if !keep {
        root.settle(WRITE_BACK);
    }
    let words = [end.reason(), hooks::afterwards(job)];
    let error = words.into_iter().filter(|words| !words.is_empty()).collect::<Vec<_>>().join("\n");
    let state = State { error, ..state };
    Over { state, mounts, volumes }
}

/// Those that it has now: others may have come and gone since the start.
fn clear_socket_files(job: &Job) {
    let container: Option<Container> = records::read(&job.directory.join("container.json")).ok().flatten();
    container.iter().flat_map(|container| &container.socket_files).for_each(SocketFile::remove);
}

/// What was only mounted is unmounted.
pub fn release(running: Running, lock: Lock) {
    let Running { init, root, volumes, .. } = running;
    drop((init, volumes));
    root.settle(WRITE_BACK);
    drop(lock);
}

/// Nothing ran, or not again: the launcher is told why, and the record says so.
pub fn refuse(job: &Job, refusal: Refusal, lock: Lock, mut clients: Clients) {
    let Refusal { code, message } = refusal;
    if !job.remove && job.purpose == Purpose::Run {
        let state = State { restarting: false, monitor_pid: 0, ..job.state.clone() };
        write(job, &State { exit_code: Some(i32::from(code)), error: message.clone(), ..state });
    }
    leave(job);
    let gone = remove(job, lock, Some(code.into()));
    clients.part(&[ToClient::Failed { code, message: &message }]);
    drop(gone);
    vacate(job);
}

/// Ends the container's claims of addresses.
fn leave(job: &Job) {
    if job.networks.is_some()
        && let Ok(store) = Store::open(&Dirs::at(&job.data))
        && let Ok(Some(container)) = records::read(&job.directory.join("container.json"))
    {
        networks::leave(&store, &container);
    }
}

/// Removes the container's control group.
fn vacate(job: &Job) {
    if let Some(Ok(Some(group))) = job.cgroup.as_ref().map(Place::group) {
        group.remove();
    }
}

/// A record that can't be written is corrected by the free lock: the end is then known, its code is not.
fn write(job: &Job, state: &State) {
    let _ = records::write_at_any_price(&job.directory.join("state.json"), state, job.durable);
}

/// Out of sight, with its own volumes; deleted when the values go. Without any it stays, its lock free, or could not be moved and
/// is swept later.
fn remove(job: &Job, lock: Lock, code: Option<i32>) -> Vec<Tmp> {
    if !job.remove {
        return Vec::new();
    }
    let Ok(store) = Store::open(&Dirs::at(&job.data)) else { return Vec::new() };
    let container: Option<Container> = records::read(&job.directory.join("container.json")).ok().flatten();
    let mut gone: Vec<Tmp> = store.retire(&job.directory, lock).into_iter().collect();
    if let Some(container) = container.filter(|_| !gone.is_empty()) {
        events::record_of(&job.data, &container, &[Action::Remove], code);
        let _ = store.release_name(&container.name, &container.id);
        gone.extend(volumes::retire_anonymous(&store, &container));
    }
    gone
}
