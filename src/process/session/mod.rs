//! A session: a program, its standard streams, and whoever listens to them or types.
//!
//! The monitor holds the session of a container's program, the joiner that of a command in a container. Both have one thread and
//! wait in one poll(2), with no time limit but for a client that is late: while nothing happens, nothing runs.
//!
//! ```text
//!                    ┌──────────── event_loop ────────────┐
//!  program ◀─ input ─┤ streams                    clients ├─ control ─▶ launcher   (holds the program up while it is slow)
//!          ─ output ▶│    └──▶ log                        ├───────────▶ others     (let go when they fall behind)
//!                    └────────────────────────────────────┘
//! ```

pub mod clients;
pub mod emulation;
pub mod event_loop;
pub mod health;
pub mod log;
pub mod prepare;
pub mod refusal;
pub mod service;
pub mod streams;
pub mod watch;

use std::os::fd::BorrowedFd;

use nix::sys::signalfd::SignalFd;

use super::supervisor::Listener;
use crate::network::stack;
use crate::sys::process::Child;
use clients::Clients;
use log::Log;
use service::Service;
use streams::Held;
use watch::Watch;

/// A program that runs, and what belongs to it.
pub struct Session<'a> {
    pub program: &'a Child,
    /// Who serves its file systems, its root above all, its way out and the names on its networks, each with what to call it: the
    /// program ends with them.
    pub servers: Vec<(&'static str, &'a Child)>,
    /// Of a command in a container, that one's first process: it ends with it, also where no pid namespace sees to that.
    pub container: Option<BorrowedFd<'a>>,
    /// Its way out, as long as that may have something to say.
    pub way: Option<&'a stack::Running>,
    /// Until there is something to hear.
    pub listener: Option<Listener>,
    pub held: &'a mut Held,
    pub log: Option<&'a mut Log>,
    pub clients: &'a mut Clients,
    /// The program ends when its launcher goes without a word.
    pub leashed: bool,
    /// What [`event_loop::signals`] gave.
    pub signals: Option<&'a SignalFd>,
    pub watch: &'a mut Watch,
    /// Who is told when it is ready.
    pub service: Option<&'a mut Service>,
}
