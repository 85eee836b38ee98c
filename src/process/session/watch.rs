//! What a monitor does by itself while a program runs: it ends it when its time is over.

use std::time::{Duration, Instant};

/// A joiner's has nothing to do.
#[derive(Debug, Default)]
pub struct Watch {
    /// The program's user wants its end: it is not started again.
    pub given_up: bool,
    /// When the program is killed.
    deadline: Option<Instant>,
    timed_out: bool,
}

impl Watch {
    /// From now on; `timeout` in seconds, 0: none.
    pub fn begin(timeout: u32) -> Self {
        let deadline = (timeout > 0).then(|| Instant::now() + Duration::from_secs(timeout.into()));
        Self { deadline, ..Self::default() }
    }

    /// How long there is nothing to do. `None`: never.
    pub fn patience(&self) -> Option<Duration> {
        Some(self.deadline?.saturating_duration_since(Instant::now()))
    }

    /// Whether the program must be killed now, which is said once.
    pub fn is_due(&mut self) -> bool {
        let due = self.deadline.is_some_and(|deadline| deadline <= Instant::now());
        if due {
            self.deadline = None;
            self.timed_out = true;
        }
        due
    }

    /// Whether the program was killed because of its deadline.
    pub fn timed_out(&self) -> bool {
        self.timed_out
    }
}
