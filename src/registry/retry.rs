//! Trying again what failed for a reason that may pass.

use std::time::Duration;

use super::Error;

/// Attempts in all, and how long to wait before the second and the third.
const PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_millis(2000)];

/// Runs `attempt` up to three times, as long as it fails for a reason that may pass (`transient`).
pub fn retry<T, E>(
    mut attempt: impl FnMut() -> Result<T, E>,
    transient: impl Fn(&E) -> bool,
    mut before_next: impl FnMut(&E),
) -> Result<T, E> {
    for pause in PAUSES {
        match attempt() {
            Err(error) if transient(&error) => {
                before_next(&error);
                std::thread::sleep(pause);
            }
            result => return result,
        }
    }
    attempt()
}

/// [`retry`] for errors of this room.
pub(super) fn request<T>(attempt: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    retry(attempt, Error::is_transient, |_| {})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_tried_three_times_and_the_rest_once() {
        let mut attempts = 0;
        let start = std::time::Instant::now();
        let result: Result<(), bool> = retry(
            || {
                attempts += 1;
                Err(attempts < 2)
            },
            |transient| *transient,
            |_| {},
        );
        assert_eq!((result, attempts), (Err(false), 2));
        assert!(start.elapsed() >= PAUSES[0]);
    }
}
