//! A client of a session in the foreground, its launcher or one that attached: passes bytes, signals and the terminal's size on,
//! and the exit code back.
//!
//! What must stay true: it never waits for anything but in its one poll(2), so that signals arrive whoever is slow; and the
//! terminal is in raw mode only while a value lives that resets it, so that every way out resets it.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{SendFlags, Shutdown};
use rustix::stdio::{stderr, stdin, stdout};
use rustix::termios::{OptionalActions, Termios, isatty, tcgetattr, tcgetwinsize, tcsetattr};

use super::detach_keys::DetachKeys;
use super::service::Service;
use super::times;
use crate::cli::Report;
use crate::container::control::{CHUNK, ToClient, ToMonitor};
use crate::host::message;
use crate::runtime::handshake::receive_with_fd;
use crate::sys::signal;
use crate::sys::signalfd::Signals;
use crate::sys::{Call, process::Ended};

/// What the client does beside waiting.
#[derive(Debug)]
pub struct Foreground {
    /// Standard input is fed to the program.
    pub input: bool,
    pub terminal: bool,
    pub pass_signals: bool,
    /// Typed at a terminal, they end the talk and let the program live on.
    pub keys: DetachKeys,
    /// Standard output, and error, are read and not shown.
    pub muted: [bool; 2],
    /// The session is ours: its output has no other reader, and while it starts it ends with us.
    pub launcher: bool,
    /// This process is the service's main one.
    pub service: Option<Service>,
}

/// How long a monitor may take to end a container that is given up while it starts.
const GIVING_UP: Timespec = Timespec { tv_sec: 10, tv_nsec: 0 };

/// How long a signal waits for the program that it is meant for: many times what a start takes.
const NEARLY_DONE: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

/// A writer that poll(2) calls ready takes this much without blocking (pipe(7), PIPE_BUF).
const READY: usize = 4096;

/// The user's terminal in raw mode; dropped, it is as it was.
struct Raw {
    before: Termios,
}

impl Raw {
    /// `None`: standard input is no terminal.
    fn enter() -> Result<Option<Self>, Report> {
        if !isatty(stdin()) {
            return Ok(None);
        }
        let before = tcgetattr(stdin()).call("tcgetattr")?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(stdin(), OptionalActions::Now, &raw).call("tcsetattr")?;
        Ok(Some(Self { before }))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.before);
    }
}

/// The size of the user's terminal, (0, 0) where there is none.
pub fn terminal_size() -> (u16, u16) {
    [stdout(), stdin(), stderr()]
        .into_iter()
        .find_map(|fd| tcgetwinsize(fd).ok())
        .map_or((0, 0), |size| (size.ws_row, size.ws_col))
}

/// Waits until the program runs. It ends with us.
pub fn await_start(talk: &OwnedFd) -> Result<(), Report> {
    let mut buffer = vec![0; CHUNK + 16];
    let (count, _pidfd) = receive_with_fd(talk.as_fd(), &mut buffer)?;
    match ToClient::decode(buffer.get(..count).unwrap_or_default()) {
        Some(ToClient::Started(about)) => {
            tell(about);
            Ok(())
        }
        Some(ToClient::Failed { code, message }) => Err(Report::new(message).code(code)),
        _ => Err(gone()),
    }
}

/// From now on it lives on alone.
pub fn let_go(talk: &OwnedFd) -> Result<(), Report> {
    match rustix::net::send(talk, &ToMonitor::Detach.encode(), SendFlags::NOSIGNAL) {
        // It has ended already.
        Err(Errno::PIPE | Errno::CONNRESET) => Ok(()),
        other => Ok(other.map(drop).call("send(detach)")?),
    }
}

/// How the program was started.
fn tell(about: &str) {
    about.lines().filter(|line| !times::take(line)).for_each(|line| message::debug(|| line.to_owned()));
}

fn gone() -> Report {
    Report::new("the monitor died, and the program with it").hint("`coracle ps -a` shows what is left")
}

impl Foreground {
    /// Stays until the program has ended, or the user detaches; the exit code.
    pub fn stay(self, talk: OwnedFd) -> Result<u8, Report> {
        // Blocked and read from now on, not before: the monitor was cloned and must not have inherited it. With the signals
        // passed on or not, the ones that would end this process are read, so that it ends in order.
        let signals = Signals::take()?;
        let _raw = if self.terminal && self.input { Raw::enter()? } else { None };
        let mut relay = Relay {
            talk,
            signals,
            init: None,
            input: self.input,
            to_monitor: None,
            output: VecDeque::new(),
            closed: self.muted,
            terminal: self.terminal,
            pass_signals: self.pass_signals,
            keys: if self.terminal { self.keys } else { DetachKeys::default() },
            launcher: self.launcher,
            service: self.service,
        };
        loop {
            if let Some(code) = relay.turn()? {
                return Ok(code as u8);
            }
        }
    }
}

/// One of our outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Output,
    Error,
}

impl Target {
    fn fd(self) -> BorrowedFd<'static> {
        match self {
            Self::Output => stdout(),
            Self::Error => stderr(),
        }
    }
}

struct Relay {
    talk: OwnedFd,
    signals: Signals,
    /// A descriptor of init, once it runs.
    init: Option<OwnedFd>,
    input: bool,
    /// Input that the monitor had no room for, as a packet.
    to_monitor: Option<Vec<u8>>,
    /// What came from the monitor and is still to be written, and the exit code behind it.
    output: VecDeque<Due>,
    /// Outputs that nobody reads, or is to read.
    closed: [bool; 2],
    terminal: bool,
    pass_signals: bool,
    keys: DetachKeys,
    launcher: bool,
    service: Option<Service>,
}

/// Something to be done in its turn.
enum Due {
    Write { target: Target, bytes: Vec<u8>, written: usize },
    Exit(i32),
}

/// What poll(2) found.
struct Ready {
    talk: PollFlags,
    signals: bool,
    input: bool,
    output: bool,
}

impl Relay {
    /// Waits once and handles what came; the exit code at the end.
    fn turn(&mut self) -> Result<Option<i32>, Report> {
        if let Some(Due::Exit(code)) = self.output.front() {
            return Ok(Some(*code));
        }
        let ready = self.wait()?;
        if ready.signals {
            self.take_signals()?;
        }
        if ready.output {
            self.write()?;
        }
        if ready.talk.contains(PollFlags::OUT) {
            self.push();
        }
        if ready.input {
            self.read_input();
        }
        if ready.talk.intersects(PollFlags::IN | PollFlags::HUP) && self.output.is_empty() {
            self.hear()?;
        }
        Ok(None)
    }

    fn hear(&mut self) -> Result<(), Report> {
        let mut buffer = vec![0; CHUNK + 16];
        let (count, fd) = receive_with_fd(self.talk.as_fd(), &mut buffer)?;
        match ToClient::decode(buffer.get(..count).unwrap_or_default()) {
            Some(ToClient::Started(about)) => {
                tell(about);
                self.init = fd;
                self.service.iter().for_each(|service| service.started(std::process::id() as i32));
                if self.terminal {
                    self.send_size();
                }
            }
            Some(ToClient::Output(bytes)) => self.queue(Target::Output, bytes),
            Some(ToClient::ErrorOutput(bytes)) => self.queue(Target::Error, bytes),
            Some(ToClient::Notice(words)) => self.service.iter().for_each(|service| service.pass_on(words)),
            Some(ToClient::Failed { code, message }) => return Err(Report::new(message).code(code)),
            Some(ToClient::Exited(code)) => self.output.push_back(Due::Exit(code)),
            None if self.init.is_none() && !self.launcher => {
                return Err(Report::new("the container has ended: you can only attach to running containers"));
            }
            None => return Err(gone()),
        }
        Ok(())
    }

    fn queue(&mut self, target: Target, bytes: &[u8]) {
        let [output, error] = self.closed;
        if !(target == Target::Output && output || target == Target::Error && error) {
            self.output.push_back(Due::Write { target, bytes: bytes.to_vec(), written: 0 });
        }
    }

    /// Writes a little of what is first in the queue; poll(2) has said that this does not block.
    fn write(&mut self) -> Result<(), Report> {
        let Some(Due::Write { target, bytes, written }) = self.output.front_mut() else { return Ok(()) };
        let rest = bytes.get(*written..).unwrap_or_default();
        match rustix::io::write(target.fd(), rest.get(..READY).unwrap_or(rest)) {
            Ok(count) => *written += count,
            Err(Errno::INTR | Errno::AGAIN) => return Ok(()),
            // The reader is gone, as of `| head`. So is the program's, then: it learns it as it would without us.
            Err(Errno::PIPE) if !self.launcher => return Err(Report::silent(125)),
            Err(Errno::PIPE) => {
                let target = *target;
                self.close(target);
                return Ok(());
            }
            Err(error) => return Err(Report::new(format!("the output can't be written: {error}"))),
        }
        if *written >= bytes.len() {
            self.output.pop_front();
        }
        Ok(())
    }

    fn close(&mut self, target: Target) {
        let word = match target {
            Target::Output => ToMonitor::CloseOutput,
            Target::Error => ToMonitor::CloseErrorOutput,
        };
        let [output, error] = &mut self.closed;
        *(if target == Target::Output { output } else { error }) = true;
        self.output.retain(|due| !matches!(due, Due::Write { target: other, .. } if *other == target));
        let _ = rustix::net::send(&self.talk, &word.encode(), SendFlags::NOSIGNAL);
    }

    fn read_input(&mut self) {
        let mut buffer = [0; CHUNK];
        let packet = match rustix::io::read(stdin(), &mut buffer) {
            Err(Errno::INTR | Errno::AGAIN) => return,
            Ok(count @ 1..) => {
                let (bytes, detached) = self.keys.take(buffer.get(..count).unwrap_or_default());
                if detached {
                    return self.detach(&bytes);
                }
                if bytes.is_empty() {
                    return;
                }
                ToMonitor::Input(&bytes).encode()
            }
            // Its end; or a terminal that hung up, a file that can't be read.
            Ok(_) | Err(_) => {
                self.input = false;
                ToMonitor::EndOfInput.encode()
            }
        };
        self.to_monitor = Some(packet);
        self.push();
    }

    /// Leaves the program to itself, behind what was typed before the keys.
    fn detach(&mut self, typed: &[u8]) {
        let input = (!typed.is_empty()).then(|| ToMonitor::Input(typed).encode());
        for packet in input.into_iter().chain([ToMonitor::Detach.encode()]) {
            let _ = rustix::net::send(&self.talk, &packet, SendFlags::NOSIGNAL);
        }
        self.output.clear();
        self.output.push_back(Due::Exit(0));
    }

    fn push(&mut self) {
        let Some(packet) = &self.to_monitor else { return };
        match rustix::net::send(&self.talk, packet, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            // A monitor that is gone has left a last word, which is still to be read.
            Ok(_) | Err(_) => self.to_monitor = None,
        }
    }

    fn take_signals(&mut self) -> Result<(), Report> {
        while let Some(number) = self.signals.read() {
            if number == libc::SIGWINCH {
                self.send_size();
                continue;
            }
            self.await_start()?;
            if let (Some(init), true) = (&self.init, self.pass_signals) {
                let reload = self.service.as_ref().filter(|_| number == libc::SIGHUP);
                if reload.is_none() {
                    // What its user ends is not to start again. A monitor that has no room for the word has other worries.
                    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
                    let _ = rustix::net::send(&self.talk, &ToMonitor::GiveUp.encode(), flags);
                }
                // A program that is just ending needs no signal.
                let _ = signal::send(init.as_fd(), number);
                reload.inspect(|service| service.reloaded());
            } else {
                return Err(self.give_up(number));
            }
        }
        Ok(())
    }

    /// Gives a start that is nearly done the time to end: others may have seen that the program runs, before we were told.
    fn await_start(&mut self) -> Result<(), Report> {
        let mut polled = [PollFd::from_borrowed_fd(self.talk.as_fd(), PollFlags::IN)];
        if self.init.is_none() && poll(&mut polled, Some(&NEARLY_DONE)).is_ok_and(|ready| ready > 0) {
            self.hear()?;
        }
        Ok(())
    }

    /// Ends on a signal that nobody else is to have. While the container starts it goes with us; one that runs, and whose
    /// signals are not passed on, lives on.
    fn give_up(&self, number: i32) -> Report {
        if self.init.is_some() {
            let _ = rustix::net::send(&self.talk, &ToMonitor::Detach.encode(), SendFlags::NOSIGNAL);
        } else {
            let _ = rustix::net::shutdown(&self.talk, Shutdown::Write);
            let mut buffer = vec![0; CHUNK + 16];
            let mut polled = [PollFd::from_borrowed_fd(self.talk.as_fd(), PollFlags::IN)];
            // Until its end: then nothing is left that could stand in the way of the next command.
            while poll(&mut polled, Some(&GIVING_UP)).is_ok_and(|ready| ready > 0)
                && receive_with_fd(self.talk.as_fd(), &mut buffer).is_ok_and(|(count, _)| count > 0)
            {}
        }
        Report::silent(Ended::Signaled(number).code() as u8)
    }

    fn send_size(&self) {
        let (rows, columns) = terminal_size();
        if (rows, columns) != (0, 0) {
            let packet = ToMonitor::Resize { rows, columns }.encode();
            let _ = rustix::net::send(&self.talk, &packet, SendFlags::NOSIGNAL);
        }
    }

    fn wait(&self) -> Result<Ready, Report> {
        let mut wanted = PollFlags::empty();
        // What can't be written yet is not read either: the monitor and the program wait in their turn.
        wanted.set(PollFlags::IN, self.output.is_empty());
        wanted.set(PollFlags::OUT, self.to_monitor.is_some());
        let mut polled = vec![PollFd::from_borrowed_fd(self.signals.as_fd(), PollFlags::IN)];
        let mut place = |wanted: bool, fd: BorrowedFd<'static>, flags| {
            wanted.then(|| {
                polled.push(PollFd::from_borrowed_fd(fd, flags));
                polled.len() - 1
            })
        };
        let input = place(self.input && self.to_monitor.is_none(), stdin(), PollFlags::IN);
        let target = match self.output.front() {
            Some(Due::Write { target, .. }) => Some(*target),
            _ => None,
        };
        let output = place(target.is_some(), target.map_or(stdout(), Target::fd), PollFlags::OUT);
        // A talk whose other end is closed would be ready for ever while there is still something to write.
        let talk = (!wanted.is_empty()).then(|| {
            polled.push(PollFd::from_borrowed_fd(self.talk.as_fd(), wanted));
            polled.len() - 1
        });
        match poll(&mut polled, None) {
            Err(Errno::INTR) => {
                return Ok(Ready { talk: PollFlags::empty(), signals: false, input: false, output: false });
            }
            other => other.call("poll")?,
        };
        let happened = |place: Option<usize>| {
            place.and_then(|place| polled.get(place)).map_or(PollFlags::empty(), PollFd::revents)
        };
        Ok(Ready {
            talk: happened(talk),
            signals: !happened(Some(0)).is_empty(),
            input: !happened(input).is_empty(),
            output: !happened(output).is_empty(),
        })
    }
}
