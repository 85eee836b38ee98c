//! Trying again what failed for a reason that may pass.

use std::time::{Duration, Instant};

use super::Error;

/// How often, and how long to wait before the first time; before each further one, twice as long.
const TIMES: u32 = 3;
const FIRST: Duration = Duration::from_millis(500);
/// A registry that asks to be left alone for longer gets no further request.
pub(super) const LONGEST: Duration = Duration::from_secs(60);
/// How often a waiting thread looks whether it still has to.
const LOOK: Duration = Duration::from_millis(50);

/// The attempts that are left.
#[derive(Debug)]
pub struct Attempts {
    left: u32,
    pause: Duration,
}

impl Default for Attempts {
    fn default() -> Self {
        Self { left: TIMES, pause: FIRST }
    }
}

impl Attempts {
    /// After a failure: waits as long as it needs, or as the registry asks. `false`: there is no other attempt, since none is
    /// left, it would fail as well, or `given_up`.
    pub fn another(&mut self, error: &Error, given_up: impl Fn() -> bool) -> bool {
        if self.left == 0 || !error.is_transient() {
            return false;
        }
        let until = Instant::now() + self.pause.max(error.retry_after().unwrap_or_default());
        self.left -= 1;
        self.pause *= 2;
        while !given_up() {
            match until.checked_duration_since(Instant::now()) {
                None => return true,
                Some(rest) => std::thread::sleep(rest.min(LOOK)),
            }
        }
        false
    }
}

/// Makes an attempt, and others as long as it fails for a reason that may pass.
pub(super) fn request<T>(mut attempt: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    let mut attempts = Attempts::default();
    loop {
        match attempt() {
            Err(error) if attempts.another(&error, || false) => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_tried_again_and_the_rest_is_not() {
        let mut attempts = 0;
        let start = Instant::now();
        let result: Result<(), Error> = request(|| {
            attempts += 1;
            let registry = "r".to_owned();
            Err(if attempts < 2 { Error::Refused { registry } } else { Error::NotTls { registry } })
        });
        assert!(matches!(result, Err(Error::NotTls { .. })) && attempts == 2);
        assert!(start.elapsed() >= FIRST);
        let mut attempts = Attempts::default();
        let wait = |retry_after| Error::Status { registry: "r".into(), code: 429, message: String::new(), retry_after };
        assert!(!attempts.another(&wait(Some(LONGEST * 2)), || false));
        assert!(!attempts.another(&wait(Some(LONGEST)), || true), "waited for nobody");
    }
}
