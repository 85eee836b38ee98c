//! What is left of a container that has no pid namespace of its own: nothing ends it when its program ends, so the monitor does.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

/// A killed process that is not gone by then hangs in the kernel, and nobody waits for it.
const LIMIT: Duration = Duration::from_secs(10);

/// Kills the children of this process, which is the parent of all that lost theirs, and what those leave in turn, but for those
/// that are `spared`.
pub fn end(spared: &[Pid]) {
    let deadline = Instant::now() + LIMIT;
    while Instant::now() < deadline {
        let children = children().into_iter().filter(|child| !spared.contains(child));
        let killed: Vec<Pid> = children.filter(|child| kill_process(*child, Signal::KILL).is_ok()).collect();
        if killed.is_empty() {
            return;
        }
        for child in killed {
            let _ = waitpid(Some(child), WaitOptions::empty());
        }
    }
}

/// proc(5), `task/TID/children`; this process has one thread.
fn children() -> Vec<Pid> {
    let text = std::fs::read_to_string("/proc/thread-self/children").unwrap_or_default();
    text.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect()
}
