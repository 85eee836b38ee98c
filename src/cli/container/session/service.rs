//! This command as a service: what it tells the service manager of a container that it has started.

use crate::container::record::Container;
use crate::container::watch::service::Notify;
use crate::host::systemd::notify::Notifier;

#[derive(Debug)]
pub struct Service {
    pub manager: Notifier,
    pub notify: Notify,
}

impl Service {
    /// `None`: nobody wants to know, or is to.
    pub fn of(container: &Container) -> Option<Self> {
        let notify = container.notify;
        (notify != Notify::Ignore).then(Notifier::of_environment).flatten().map(|manager| Self { manager, notify })
    }

    /// The program runs, and `main` is the process whose end is the service's.
    pub fn started(&self, main: i32) {
        let ready = if self.notify == Notify::Conmon { "\nREADY=1" } else { "" };
        self.manager.tell(&format!("MAINPID={main}{ready}"));
    }
}
