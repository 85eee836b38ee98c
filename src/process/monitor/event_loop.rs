//! The monitor's one wait: the end of init, its output, the client, signals, children.

use std::os::fd::AsFd;

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use rustix::event::{PollFd, PollFlags, poll};

use super::client::{Client, Heard};
use super::start::Running;
use super::streams::{self, Kind, Read};
use crate::container::control::{CHUNK, ToClient, ToMonitor};
use crate::container::job::Job;
use crate::sys::process::Ended;
use crate::sys::{memory, signal};

/// Signals that a service manager or a user sends to end things: passed on to the program.
const PASSED_ON: [Signal; 4] = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT];

/// A pipe holds no more than this (fs.pipe-max-size); what goes on writing afterwards is no process of the container's.
const MOST_LEFT: usize = 1 << 20;

/// How a container ended, and what of its output nobody has been sent yet.
#[derive(Debug)]
pub struct End {
    /// `None`: how could not be learned.
    pub ended: Option<Ended>,
    pub left: Vec<(Kind, Vec<u8>)>,
}

/// What a ready descriptor is.
#[derive(Debug, Clone, Copy)]
enum Source {
    Init,
    Mounter,
    Signals,
    Client,
    Output(usize),
    Input,
}

/// Waits until init has ended and its output is read.
pub fn run(job: &Job, running: &mut Running, client: &mut Client) -> End {
    let signals = signals();
    let mut leashed = job.leashed;
    loop {
        for source in ready(running, client, signals.as_ref()) {
            match source {
                Source::Init => {
                    return End { ended: running.init.child.wait().ok(), left: drain(running) };
                }
                // The root file system is gone with its server: nothing inside can go on.
                Source::Mounter => kill(running, libc::SIGKILL),
                Source::Signals => pass_on(running, signals.as_ref()),
                Source::Client => {
                    if listen(running, client, &mut leashed) {
                        kill(running, libc::SIGKILL);
                    }
                }
                Source::Output(index) => read(running, client, index),
                Source::Input => running.held.push(),
            }
        }
    }
}

fn signals() -> Option<SignalFd> {
    let mut set = SigSet::empty();
    PASSED_ON.iter().chain(&[Signal::SIGCHLD]).for_each(|signal| set.add(*signal));
    set.thread_block().ok()?;
    SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK).ok()
}

/// Waits; output of a program whose client has no room, and input of a client whose program takes none, are left to wait.
fn ready(running: &Running, client: &Client, signals: Option<&SignalFd>) -> Vec<Source> {
    let mut sources = vec![(Source::Init, running.init.child.pidfd.as_fd(), PollFlags::IN)];
    if let Some(mounter) = &running.root.mounter {
        sources.push((Source::Mounter, mounter.pidfd.as_fd(), PollFlags::IN));
    }
    if let Some(signals) = signals {
        sources.push((Source::Signals, signals.as_fd(), PollFlags::IN));
    }
    if let Some(socket) = client.socket() {
        let mut wanted = PollFlags::empty();
        // With input waiting for the program only the end of the talk counts, which poll(2) tells unasked.
        wanted.set(PollFlags::IN, !running.held.is_full());
        wanted.set(PollFlags::OUT, client.is_full());
        sources.push((Source::Client, socket, wanted));
    }
    if !client.is_full() {
        let outputs = running.held.outputs.iter().enumerate();
        sources.extend(outputs.map(|(index, (_, output))| (Source::Output(index), output.as_fd(), PollFlags::IN)));
    }
    if let Some(input) = running.held.hungry_input() {
        sources.push((Source::Input, input, PollFlags::OUT));
    }
    let mut polled: Vec<PollFd<'_>> =
        sources.iter().map(|(_, fd, wanted)| PollFd::from_borrowed_fd(*fd, *wanted)).collect();
    if poll(&mut polled, None).is_err() {
        return Vec::new();
    }
    let happened = polled.iter().map(|fd| !fd.revents().is_empty());
    // From the back: an output that is removed at its end does not move those still to be looked at.
    let mut found: Vec<Source> =
        sources.iter().zip(happened).filter(|(_, yes)| *yes).map(|((source, ..), _)| *source).collect();
    found.reverse();
    found
}

fn pass_on(running: &Running, signals: Option<&SignalFd>) {
    while let Some(Ok(Some(signal))) = signals.map(SignalFd::read_signal) {
        if signal.ssi_signo == libc::SIGCHLD as u32 {
            reap_strays(running);
        } else {
            kill(running, signal.ssi_signo as i32);
        }
    }
}

/// Orphans of the outer pid namespace become children of its PID 1. init and the mounter are waited for by descriptor.
fn reap_strays(running: &Running) {
    let kept = [Some(&running.init.child), running.root.mounter.as_ref()];
    let peek = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    while let Some(pid) = waitid(Id::All, peek).ok().and_then(|status| status.pid()) {
        if kept.iter().flatten().any(|child| child.pid.as_raw_nonzero().get() == pid.as_raw()) {
            return;
        }
        let _ = waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG);
    }
}

/// Sends a signal to init, which may just have ended.
fn kill(running: &Running, number: i32) {
    let _ = signal::send(running.init.child.pidfd.as_fd(), number);
}

/// Takes what the client says; `true`: it is gone, and the container is to go with it.
fn listen(running: &mut Running, client: &mut Client, leashed: &mut bool) -> bool {
    client.flush();
    match client.hear() {
        Heard::Gone => {
            running.held.end_input();
            *leashed
        }
        Heard::Nothing => false,
        Heard::Packet(packet) => {
            match ToMonitor::decode(&packet) {
                Some(ToMonitor::Input(bytes)) => running.held.feed(bytes),
                Some(ToMonitor::EndOfInput) => running.held.end_input(),
                Some(ToMonitor::Resize { rows, columns }) => running.held.resize(rows, columns),
                Some(ToMonitor::CloseOutput) => running.held.outputs.retain(|(kind, _)| *kind != Kind::Output),
                Some(ToMonitor::CloseErrorOutput) => running.held.outputs.retain(|(kind, _)| *kind != Kind::Error),
                Some(ToMonitor::Detach) => {
                    *leashed = false;
                    client.leave();
                    // From here on it waits, perhaps for months.
                    memory::release_program_pages();
                }
                None => {}
            }
            false
        }
    }
}

fn read(running: &mut Running, client: &mut Client, index: usize) {
    if client.is_full() {
        // The other output, read in the same turn, has taken the room.
        return;
    }
    let Some((kind, output)) = running.held.outputs.get(index) else { return };
    let mut buffer = [0; CHUNK];
    match streams::read(output.as_fd(), &mut buffer) {
        Read::Nothing => {}
        Read::End => drop(running.held.outputs.remove(index)),
        Read::Bytes(count) => {
            let (kind, bytes) = (*kind, buffer.get(..count).unwrap_or_default());
            if let Some(log) = &mut running.log {
                log.add(kind, bytes);
            }
            client.offer(&message(kind, bytes));
        }
    }
}

fn message(kind: Kind, bytes: &[u8]) -> ToClient<'_> {
    match kind {
        Kind::Output => ToClient::Output(bytes),
        Kind::Error => ToClient::ErrorOutput(bytes),
    }
}

/// Reads what the program left in its pipes, for the log and, once the end is recorded, for the client. All its processes are gone,
/// so the writers are; a descriptor that was passed out of the container could keep a pipe open, so nothing is waited for.
fn drain(running: &mut Running) -> Vec<(Kind, Vec<u8>)> {
    let mut buffer = [0; CHUNK];
    let mut left = Vec::new();
    for (kind, output) in &running.held.outputs {
        let mut room = MOST_LEFT;
        while let Read::Bytes(count) = streams::read(output.as_fd(), &mut buffer) {
            let bytes = buffer.get(..count).unwrap_or_default();
            if let Some(log) = &mut running.log {
                log.add(*kind, bytes);
            }
            left.push((*kind, bytes.to_vec()));
            room = room.saturating_sub(count);
            if room == 0 {
                break;
            }
        }
    }
    if let Some(log) = &mut running.log {
        log.finish();
    }
    left
}
