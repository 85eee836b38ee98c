//! Between two lives of a container: the pause, which its user can end.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::sys::signalfd::SignalFd;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::container::job::{Job, Network};
use crate::container::record::Container;
use crate::store::records;

/// Waits so long; `false`: somebody wants an end of the container.
///
/// Clients that come meanwhile wait in the control socket's queue for the next life.
pub fn wait(signals: Option<&SignalFd>, pause: Duration) -> bool {
    let deadline = Instant::now() + pause;
    loop {
        // All children are reaped: their signals are no news.
        while let Some(Ok(Some(signal))) = signals.map(SignalFd::read_signal) {
            if signal.ssi_signo != libc::SIGCHLD as u32 {
                return false;
            }
        }
        let rest = deadline.saturating_duration_since(Instant::now());
        if rest.is_zero() {
            return true;
        }
        let mut polled: Vec<PollFd<'_>> =
            signals.iter().map(|signals| PollFd::from_borrowed_fd(signals.as_fd(), PollFlags::IN)).collect();
        let rest = Timespec { tv_sec: rest.as_secs() as i64, tv_nsec: i64::from(rest.subsec_nanos()) };
        let _ = poll(&mut polled, Some(&rest));
    }
}

/// What is published may have changed since the container was started.
pub fn take_ports(job: &mut Job) {
    let container = records::read::<Container>(&job.directory.join("container.json"));
    if let (Network::Way(wanted), Ok(Some(container))) = (&mut job.network, container) {
        wanted.publish(container.published, container.socket_files);
    }
}
