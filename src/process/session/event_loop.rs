//! A session's one wait: the end of the program, its output, clients, signals, children.

use std::os::fd::AsFd;
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{WaitOptions, waitpid};

use super::super::supervisor::Listener;
use super::Session;
use super::clients::Heard;
use super::health::{Health, Verdict};
use super::streams::{self, Kind, Read};
use crate::container::control::{CHUNK, GIVE_UP, ToClient, ToMonitor};
use crate::container::watch::health::OnFailure;
use crate::network::stack::{self, Word};
use crate::sys::process::{self, Ended};
use crate::sys::{memory, signal};

/// Signals that a service manager or a user sends to end things: passed on to the program, which is not started again.
const PASSED_ON: [Signal; 4] = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT];

/// A pipe holds no more than this (fs.pipe-max-size); what goes on writing afterwards is no process of the container's.
const MOST_LEFT: usize = 1 << 20;

/// How a program ended, and what of its output nobody has been sent yet.
#[derive(Debug)]
pub struct End {
    /// `None`: how could not be learned.
    pub ended: Option<Ended>,
    pub left: Vec<(Kind, Vec<u8>)>,
    /// It was killed since its time was over.
    pub timed_out: bool,
    /// It was stopped since nobody had been there for long.
    pub idle: bool,
    /// It was killed since it could not go on without this server, which had ended.
    pub bereft_of: Option<&'static str>,
}

/// What a ready descriptor is.
#[derive(Debug, Clone, Copy)]
enum Source {
    Program,
    Server(&'static str),
    Container,
    Listener,
    Way,
    Health,
    Service,
    Signals,
    Door,
    Client(usize),
    Output(usize),
    Input,
}

impl Session<'_> {
    /// Waits until the program has ended and its output is read.
    pub fn run(mut self) -> End {
        loop {
            for source in self.ready() {
                match source {
                    Source::Program => return self.end(),
                    // The root file system, or the network, is gone with its server: nothing inside can go on.
                    Source::Server(name) => {
                        self.watch.bereft_of.get_or_insert(name);
                        self.kill(libc::SIGKILL);
                    }
                    Source::Container => self.kill(libc::SIGKILL),
                    Source::Listener => self.listener.take().map_or((), Listener::hand_over),
                    Source::Way => self.hear_way(),
                    Source::Health => self.check(Health::hear),
                    Source::Service => self.service.iter_mut().for_each(|service| service.hear(self.clients)),
                    Source::Signals => self.pass_on(),
                    Source::Door => self.clients.admit(),
                    Source::Client(index) => self.listen(index),
                    Source::Output(index) => self.read(index),
                    Source::Input => self.held.push(),
                }
            }
            if self.watch.is_due() {
                self.kill(libc::SIGKILL);
            }
            self.check(Health::keep_time);
            self.clients.dismiss_late();
            self.clients.forget_gone();
            if let Some(service) = &mut self.service {
                service.catch_up(self.clients);
                service.keep_time(self.clients, self.watch.health.as_ref().is_some_and(Health::is_unwell));
            }
        }
    }

    /// Goes on with the health checks, and does what one of them has led to.
    fn check(&mut self, turn: fn(&mut Health) -> Option<Verdict>) {
        let Some(verdict) = self.watch.health.as_mut().and_then(turn) else { return };
        self.clients.tell_health(&verdict.words());
        if let (Some(service), true) = (&mut self.service, self.watch.health.as_ref().is_some_and(Health::is_well)) {
            service.healthy(self.clients);
        }
        match verdict.act {
            OnFailure::None => {}
            OnFailure::Kill => self.kill(libc::SIGKILL),
            OnFailure::Stop => {
                self.watch.given_up = true;
                self.stop();
            }
            OnFailure::Restart => {
                self.watch.again = true;
                self.stop();
            }
        }
    }

    /// Nobody needs the container any more; or nothing more will be heard.
    fn hear_way(&mut self) {
        match self.way.and_then(stack::Running::hear) {
            Some(Word::Nothing) => {}
            Some(Word::Idle) => {
                (self.watch.idle, self.watch.given_up) = (true, true);
                self.stop();
            }
            None => self.way = None,
        }
    }

    fn stop(&mut self) {
        self.kill(self.watch.stop.0);
        self.watch.stopping();
    }

    fn end(mut self) -> End {
        if let Some(service) = &mut self.service {
            service.finish(self.clients);
        }
        // The word that it is not to start again came before the signal that ended it, as a signal or from a client.
        self.pass_on();
        self.watch.given_up |= self.clients.give_up();
        End {
            ended: self.program.wait().ok(),
            left: self.drain(),
            timed_out: self.watch.timed_out(),
            idle: self.watch.idle,
            bereft_of: self.watch.bereft_of,
        }
    }

    /// Waits; output of a program whose reader has no room, and input for a program that takes none, are left to wait.
    fn ready(&self) -> Vec<Source> {
        let mut sources = vec![(Source::Program, self.program.pidfd.as_fd(), PollFlags::IN)];
        sources.extend(
            self.servers.iter().map(|(name, server)| (Source::Server(name), server.pidfd.as_fd(), PollFlags::IN)),
        );
        sources.extend(self.container.map(|init| (Source::Container, init, PollFlags::IN)));
        sources.extend(self.listener.iter().map(|listener| (Source::Listener, listener.as_fd(), PollFlags::IN)));
        sources.extend(self.way.map(|way| (Source::Way, way.fd(), PollFlags::IN)));
        let health = self.watch.health.as_ref().and_then(Health::fd);
        sources.extend(health.map(|health| (Source::Health, health, PollFlags::IN)));
        sources.extend(self.signals.map(|signals| (Source::Signals, signals.as_fd(), PollFlags::IN)));
        sources.extend(self.clients.door().map(|door| (Source::Door, door, PollFlags::IN)));
        for (index, client) in self.clients.iter().enumerate() {
            let mut wanted = PollFlags::empty();
            // With input waiting for the program only the end of the talk counts, which poll(2) tells unasked.
            wanted.set(PollFlags::IN, !self.held.is_full());
            wanted.set(PollFlags::OUT, client.is_behind());
            sources.extend(client.socket().map(|socket| (Source::Client(index), socket, wanted)));
        }
        if !self.clients.is_full() {
            let outputs = self.held.outputs.iter().enumerate();
            sources.extend(outputs.map(|(index, (_, output))| (Source::Output(index), output.as_fd(), PollFlags::IN)));
        }
        let service = self.service.as_ref().filter(|_| !self.clients.is_full()).and_then(|service| service.door());
        sources.extend(service.map(|door| (Source::Service, door, PollFlags::IN)));
        sources.extend(self.held.hungry_input().map(|input| (Source::Input, input, PollFlags::OUT)));
        let mut polled: Vec<PollFd<'_>> =
            sources.iter().map(|(_, fd, wanted)| PollFd::from_borrowed_fd(*fd, *wanted)).collect();
        let service = self.service.as_ref().and_then(|service| service.patience());
        let limit = [self.clients.patience(), self.watch.patience(), service].into_iter().flatten().min().map(timespec);
        if poll(&mut polled, limit.as_ref()).is_err() {
            return Vec::new();
        }
        let happened = polled.iter().map(|fd| !fd.revents().is_empty());
        // From the back: an output that is removed at its end does not move those still to be looked at.
        let mut found: Vec<Source> =
            sources.iter().zip(happened).filter(|(_, yes)| *yes).map(|((source, ..), _)| *source).collect();
        found.reverse();
        found
    }

    fn pass_on(&mut self) {
        while let Some(Ok(Some(signal))) = self.signals.map(SignalFd::read_signal) {
            match signal.ssi_signo as i32 {
                libc::SIGCHLD => self.reap_strays(),
                GIVE_UP => self.watch.given_up = true,
                // The machine, or the container's unit, is being stopped, and there may be no time for a longer wait.
                libc::SIGTERM if self.watch.is_patient() => {
                    self.watch.given_up = true;
                    self.stop();
                }
                number => {
                    self.watch.given_up = true;
                    self.kill(number);
                }
            }
        }
    }

    /// Orphans of an outer pid namespace become children of its PID 1. The program and its servers are waited for by descriptor.
    fn reap_strays(&self) {
        let is_kept = |pid| self.program.pid == pid || self.servers.iter().any(|(_, server)| server.pid == pid);
        while let Some(pid) = process::ended_child().filter(|pid| !is_kept(*pid)) {
            let _ = waitpid(Some(pid), WaitOptions::NOHANG);
        }
    }

    /// Sends a signal to the program, which may just have ended.
    fn kill(&self, number: i32) {
        let _ = signal::send(self.program.pidfd.as_fd(), number);
    }

    /// Takes what a client says.
    fn listen(&mut self, index: usize) {
        let Some(client) = self.clients.get(index) else { return };
        client.flush();
        let launcher = client.is_launcher();
        let packet = match client.hear() {
            Heard::Nothing => return,
            Heard::Packet(packet) => packet,
            // The launcher's input is the program's own; others come and go.
            Heard::Gone if launcher => {
                self.held.end_input();
                if self.leashed {
                    self.kill(libc::SIGKILL);
                }
                return;
            }
            Heard::Gone => return,
        };
        match ToMonitor::decode(&packet) {
            Some(ToMonitor::Input(bytes)) => self.held.feed(bytes),
            Some(ToMonitor::EndOfInput) => self.held.end_input(),
            Some(ToMonitor::Resize { rows, columns }) => self.held.resize(rows, columns),
            Some(ToMonitor::CloseOutput) if launcher => self.held.close(Kind::Output),
            Some(ToMonitor::CloseErrorOutput) if launcher => self.held.close(Kind::Error),
            Some(ToMonitor::Attach) => client.attach(self.program.pidfd.as_fd()),
            Some(ToMonitor::Detach) => {
                client.leave();
                if launcher {
                    self.leashed = false;
                    // From here on it waits, perhaps for months.
                    memory::release_program_pages();
                }
            }
            Some(ToMonitor::CheckHealth) => match &mut self.watch.health {
                Some(health) => {
                    client.await_health(self.program.pidfd.as_fd());
                    health.demand();
                }
                None => client.leave(),
            },
            Some(ToMonitor::Update(care)) => {
                if let Ok(care) = serde_json::from_slice(care) {
                    self.watch.update(care);
                }
                client.leave();
            }
            Some(ToMonitor::GiveUp) => self.watch.given_up = true,
            Some(_) | None => {}
        }
    }

    fn read(&mut self, index: usize) {
        if self.clients.is_full() {
            // The other output, read in the same turn, has taken the room.
            return;
        }
        let Some((kind, output)) = self.held.outputs.get(index) else { return };
        let mut buffer = [0; CHUNK];
        match streams::read(output.as_fd(), &mut buffer) {
            Read::Nothing => {}
            Read::End => drop(self.held.outputs.remove(index)),
            Read::Bytes(count) => {
                let (kind, bytes) = (*kind, buffer.get(..count).unwrap_or_default());
                if let Some(log) = &mut self.log {
                    log.add(kind, bytes);
                }
                self.clients.broadcast(&kind.message(bytes));
            }
        }
    }

    /// Reads what the program left in its pipes, for the log and, once the end is recorded, for the clients. All processes of a
    /// container are gone, so the writers are; a descriptor that was passed out of it, or on to what a command left running, could
    /// keep a pipe open, so nothing is waited for.
    fn drain(&mut self) -> Vec<(Kind, Vec<u8>)> {
        let mut buffer = [0; CHUNK];
        let mut left = Vec::new();
        for (kind, output) in self.held.outputs.iter().rev() {
            let mut room = MOST_LEFT;
            while let Read::Bytes(count) = streams::read(output.as_fd(), &mut buffer) {
                let bytes = buffer.get(..count).unwrap_or_default();
                if let Some(log) = &mut self.log {
                    log.add(*kind, bytes);
                }
                left.push((*kind, bytes.to_vec()));
                room = room.saturating_sub(count);
                if room == 0 {
                    break;
                }
            }
        }
        if let Some(log) = &mut self.log {
            log.finish();
        }
        left
    }
}

impl End {
    /// What of its end its code does not tell.
    pub fn reason(&self) -> String {
        match (self.bereft_of, self.ended) {
            // Both may have been killed at once, by somebody else.
            (Some(server), Some(Ended::Signaled(libc::SIGKILL))) => {
                format!("{server} has ended, and the container could not go on without")
            }
            _ => String::new(),
        }
    }

    /// As a shell counts, -1 for a program whose time was over, and 0 for one that nobody needed. `None`: nobody knows.
    pub fn code(&self) -> Option<i32> {
        match self.ended {
            _ if self.timed_out => Some(-1),
            Some(_) if self.idle => Some(0),
            ended => ended.map(Ended::code),
        }
    }

    /// What is left of the output and, behind it, the code: the last words to the clients.
    pub fn words(&self, code: i32) -> Vec<ToClient<'_>> {
        let left = self.left.iter().map(|(kind, bytes)| kind.message(bytes));
        left.chain([ToClient::Exited(code)]).collect()
    }
}

/// Reads from now on what would end this process, and what it must hear of.
pub fn signals() -> Option<SignalFd> {
    let mut set = SigSet::empty();
    PASSED_ON.iter().chain(&[Signal::SIGCHLD, Signal::SIGUSR1]).for_each(|signal| set.add(*signal));
    set.thread_block().ok()?;
    SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK).ok()
}

fn timespec(duration: Duration) -> Timespec {
    Timespec { tv_sec: duration.as_secs() as i64, tv_nsec: i64::from(duration.subsec_nanos()) }
}
