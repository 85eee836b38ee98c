//! This command as a service: what it tells the service manager of a container that it has started.

use std::cell::Cell;
use std::os::fd::BorrowedFd;

use rustix::stdio::{stderr, stdout};

use crate::container::log::LogDriver;
use crate::container::record::Container;
use crate::container::watch::service::Notify;
use crate::host::systemd::notify::Notifier;

#[derive(Debug)]
pub struct Service {
    pub manager: Notifier,
    notify: Notify,
    /// It was said that the service is ready, by whom ever.
    is_ready: Cell<bool>,
}

impl Service {
    /// `None`: nobody wants to know, or is to.
    pub fn of(container: &Container) -> Option<Self> {
        let notify = container.notify;
        (notify != Notify::Ignore).then(Notifier::of_environment).flatten().map(|manager| Self {
            manager,
            notify,
            is_ready: Cell::new(notify == Notify::Conmon),
        })
    }

    /// The program runs, and `main` is the process whose end is the service's.
    pub fn started(&self, main: i32) {
        let ready = if self.notify == Notify::Conmon { "\nREADY=1" } else { "" };
        self.manager.tell(&format!("MAINPID={main}{ready}"));
    }

    /// What the monitor has to say.
    pub fn pass_on(&self, words: &str) {
        self.is_ready.set(self.is_ready.get() || words.lines().any(|line| line == "READY=1"));
        self.manager.tell(words);
    }

    /// The program was passed the signal by which a service is reloaded, and has it by now: of one that does not speak for itself nothing
    /// more can be told (systemd.service(5), Type=notify-reload).
    pub fn reloaded(&self) {
        if self.notify != Notify::Container && self.is_ready.get() {
            let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
            let micros = now.tv_sec * 1_000_000 + now.tv_nsec / 1000;
            self.manager.tell(&format!("RELOADING=1\nMONOTONIC_USEC={micros}"));
            self.manager.tell("READY=1");
        }
    }
}

/// Outputs of this process on which the container's are not to be seen: those that nobody wants, and, of one that writes into the
/// journal itself, those that lead there too.
pub fn muted(container: &Container) -> [bool; 2] {
    let twice = |fd| container.log.driver == LogDriver::Journald && is_journal(fd);
    let [output, error] = container.muted;
    [output || twice(stdout()), error || twice(stderr())]
}

/// Whether it is what systemd has connected to the journal (systemd.exec(5), `$JOURNAL_STREAM`).
pub fn is_journal(fd: BorrowedFd<'_>) -> bool {
    let named = std::env::var("JOURNAL_STREAM").ok();
    let number = |text: &str| text.parse::<u64>().ok();
    let named = named.as_deref().and_then(|named| named.split_once(':'));
    let named = named.and_then(|(device, inode)| number(device).zip(number(inode)));
    let this = rustix::fs::fstat(fd).ok().map(|stat| (stat.st_dev, stat.st_ino));
    named.is_some() && named == this
}
