//! Trying again what failed for a reason that may pass.
//!
//! A registry may ask to be left alone for a while (`Retry-After`), and again after that. For one request it is left alone for as
//! long as a silent one is waited for, 60 s unless `--stall-timeout` says otherwise, in all; then it has failed. (containers/image
//! waits for up to 60 s five times over.)

use std::time::{Duration, Instant};

use super::{Error, Patience};

/// How long to wait before the first time; before each further one, twice as long.
const FIRST: Duration = Duration::from_millis(500);
/// A registry that asks to be left alone for longer gets no further request.
pub(super) const LONGEST: Duration = Duration::from_secs(60);
/// How often a waiting thread looks whether it still has to.
const LOOK: Duration = Duration::from_millis(50);

/// The attempts that are left.
#[derive(Debug)]
pub struct Attempts {
    left: u32,
    /// For how long the registry may yet ask to be left alone, all times together.
    alone: Duration,
    pause: Duration,
    grows: bool,
}

impl Attempts {
    pub fn new(patience: &Patience) -> Self {
        let pause = patience.delay.unwrap_or(FIRST);
        Self { left: patience.retries, alone: patience.stall, pause, grows: patience.delay.is_none() }
    }

    /// Makes an attempt, and others as long as it fails for a reason that may pass.
    pub fn make<T>(mut self, mut attempt: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
        loop {
            let error = match attempt() {
                Err(error) => error,
                done => return done,
            };
            match self.another(&error) {
                Some(pause) => std::thread::sleep(pause),
                None => return Err(error),
            }
        }
    }

    /// How long to wait after this failure: as long as it needs, or as the registry asks. `None`: there is no other attempt,
    /// since none is left or it would fail as well, or the registry has asked for patience too often.
    pub fn another(&mut self, error: &Error) -> Option<Duration> {
        if self.left == 0 || !error.is_transient() {
            return None;
        }
        let asked = error.retry_after().unwrap_or_default();
        self.alone = self.alone.checked_sub(asked)?;
        self.left -= 1;
        let pause = self.pause;
        if self.grows {
            self.pause *= 2;
        }
        Some(pause.max(asked))
    }
}

/// Waits; `false`: it was given up meanwhile.
pub fn wait(pause: Duration, given_up: impl Fn() -> bool) -> bool {
    let until = Instant::now() + pause;
    while !given_up() {
        match until.checked_duration_since(Instant::now()) {
            None => return true,
            Some(rest) => std::thread::sleep(rest.min(LOOK)),
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_tried_again_and_the_rest_is_not() {
        let mut attempts = 0;
        let start = Instant::now();
        let result: Result<(), Error> = Attempts::new(&Patience::default()).make(|| {
            attempts += 1;
            let registry = "r".to_owned();
            Err(if attempts < 2 { Error::Refused { registry } } else { Error::NotTls { registry } })
        });
        assert!(matches!(result, Err(Error::NotTls { .. })) && attempts == 2);
        assert!(start.elapsed() >= FIRST);
        let mut attempts = Attempts::new(&Patience::default());
        let busy = |retry_after| Error::Status { registry: "r".into(), code: 429, message: String::new(), retry_after };
        assert_eq!(attempts.another(&busy(Some(LONGEST * 2))), None);
        assert_eq!(attempts.another(&busy(Some(LONGEST))), Some(LONGEST));
        assert_eq!(attempts.another(&busy(Some(Duration::from_secs(1)))), None, "60 s are over");
        assert_eq!(attempts.another(&busy(None)), Some(FIRST * 2));
        assert!(!wait(LONGEST, || true), "waited for nobody");
        let mut attempts = Attempts::new(&Patience { retries: 2, delay: Some(Duration::ZERO), ..Patience::default() });
        let tried: Vec<_> = (0..3).map(|_| attempts.another(&busy(None))).collect();
        assert_eq!(tried, [Some(Duration::ZERO), Some(Duration::ZERO), None]);
    }
}
