//! Stages side by side: each is built by a process of its own, as soon as those that it needs are done.
//!
//! ```text
//!  builder ── clone ──▶ stage 1 ── events, output, hashes, then what it has become ──▶ builder, who shows them
//!     │                   └─ launches the containers of its steps, as the builder itself would
//!     └────── clone ──▶ stage 2 ── …
//! ```
//!
//! The builder has one thread, so a copy of it is whole: the stage's process has the parsed file, the open context and all that
//! is known of files, and nothing is told to it. It leaves without destructors: what it holds a copy of is the builder's. When the
//! builder dies the kernel ends the stages', and with them their containers.

use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Signal, getppid, set_parent_process_death_signal};

use super::wire::{Listener, Message, Teller};
use super::{Build, Done};
use crate::build::progress::Whose;
use crate::build::{Error, Result};
use crate::sys::process::{Child, Cloned, clone_single, exit_now};
use crate::sys::{Call, signal};

/// How long nothing need happen before the clocks of a display go on.
const TICK: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// A stage that is being built. Dropped before its end, it is ended.
struct Running {
    number: usize,
    child: Child,
    listener: Listener,
    done: Option<Box<Done>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended hears nothing.
        let _ = signal::send(self.child.pidfd.as_fd(), libc::SIGKILL);
        let _ = self.child.wait();
    }
}

impl Build<'_> {
    /// Builds all stages that the target needs, and it.
    pub(super) fn stages(&self) -> Result<()> {
        let mut waiting = self.order.clone();
        let mut running: Vec<Running> = Vec::new();
        let jobs = match self.request.jobs {
            0 => usize::MAX,
            jobs => jobs,
        };
        while !(waiting.is_empty() && running.is_empty()) {
            while running.len() < jobs
                && let Some(at) = waiting.iter().position(|number| self.is_ready(*number))
            {
                running.push(self.begin(waiting.remove(at))?);
            }
            self.listen(&mut running)?;
        }
        Ok(())
    }

    fn is_ready(&self, number: usize) -> bool {
        let done = self.done.borrow();
        self.graph.stages.get(number).is_some_and(|stage| stage.needs.iter().all(|need| done.contains_key(need)))
    }

    fn begin(&self, number: usize) -> Result<Running> {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC).call("pipe2")?;
        let builder = rustix::process::getpid();
        match clone_single(0)? {
            Cloned::Parent(child) => Ok(Running { number, child, listener: Listener::new(read), done: None }),
            Cloned::Child => {
                drop(read);
                let built = catch_unwind(AssertUnwindSafe(|| {
                    // Whoever has died before this was asked for, is nobody's parent any more.
                    let _ = set_parent_process_death_signal(Some(Signal::KILL));
                    if getppid() == Some(builder) { self.tell_stage(number, Teller::new(write)) } else { Ok(()) }
                }));
                exit_now(if matches!(built, Ok(Ok(()))) { 0 } else { 1 })
            }
        }
    }

    /// The whole life of a stage's process.
    fn tell_stage(&self, number: usize, teller: Teller) -> Result<()> {
        let teller = self.teller.get_or_init(|| teller);
        let built = self.stage(number).map(|stage| stage.done());
        teller.hashes(&self.hashes.borrow().encode_used())?;
        match built {
            Ok(done) => teller.done(&done),
            Err(error) => teller.failed(&error.said()),
        }
    }

    /// Waits until something has come of one of them, or a tenth of a second, and takes in what has.
    fn listen(&self, running: &mut Vec<Running>) -> Result<()> {
        let mut polled: Vec<PollFd<'_>> =
            running.iter().map(|stage| PollFd::new(&stage.listener, PollFlags::IN)).collect();
        match poll(&mut polled, Some(&TICK)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => self.progress.tick(),
            Ok(_) => {}
            Err(error) => return Err(crate::sys::Error::new("poll", error).into()),
        }
        let came: Vec<bool> = polled.iter().map(|fd| !fd.revents().is_empty()).collect();
        let is_alone = running.len() == 1;
        let mut ended = Vec::new();
        for (at, stage) in running.iter_mut().enumerate().filter(|(at, _)| came.get(*at) == Some(&true)) {
            if !self.hear(stage, is_alone)? {
                ended.push(at);
            }
        }
        for at in ended.into_iter().rev() {
            self.end(running.remove(at), is_alone)?;
        }
        Ok(())
    }

    /// `false`: it has nothing more to say.
    fn hear(&self, stage: &mut Running, is_alone: bool) -> Result<bool> {
        let Running { number, listener, done, .. } = stage;
        let of = self.whose(*number, is_alone);
        listener.read(&mut |message| {
            match message {
                Message::Event(event) => self.progress.event(of, &event),
                Message::Output(from, bytes) => self.progress.output(of, from, bytes),
                Message::Hashes(encoded) => self.hashes.borrow_mut().take_in(encoded),
                Message::Done(built) => *done = Some(built),
                Message::Failed(said) => {
                    self.progress.ended(of, true);
                    return Err(Error::Said(said));
                }
            }
            Ok(())
        })
    }

    fn end(&self, mut stage: Running, is_alone: bool) -> Result<()> {
        let of = self.whose(stage.number, is_alone);
        let done = stage.done.take();
        self.progress.ended(of, done.is_none());
        let gone =
            || Error::StageGone(self.graph.stages.get(stage.number).map(|stage| stage.title()).unwrap_or_default());
        self.done.borrow_mut().insert(stage.number, *done.ok_or_else(gone)?);
        Ok(())
    }

    fn whose(&self, number: usize, is_alone: bool) -> Whose<'_> {
        let place = self.order.iter().position(|other| *other == number).unwrap_or_default();
        let name = self.graph.stages.get(number).and_then(|stage| stage.name.as_deref());
        Whose { stage: place + 1, stages: self.order.len(), name, is_alone }
    }
}
