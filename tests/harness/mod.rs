//! What the tests of behaviour stand on: a [`Case`] is one user's world, made for one test.
//!
//! Nothing of the caller's environment reaches the program, and nothing waits for luck: a condition is waited for, with a
//! limit. A capability that the machine lacks is a loud skip, and a failure where `CORACLE_MUST` is set.

mod case;
mod command;
pub mod http;
pub mod image;
mod program;
mod terminal;

pub use case::{Account, Case, Driver, binary, set_mode};
pub use command::{Command, Finished, Running};
pub use image::{Image, Layer};
pub use program::compiled;
pub use terminal::Terminal;

use std::time::{Duration, Instant};

/// How long anything may take before the test gives up on it.
pub const LIMIT: Duration = Duration::from_secs(60);

/// Makes two tests, `NAME::kernel` and `NAME::fuse`, of each function `NAME(&Case)`.
macro_rules! on_both_drivers {
    ($($name:ident),+ $(,)?) => {
        $(mod $name {
            use $crate::harness::{Case, Driver};

            #[test]
            fn kernel() {
                Case::with(Driver::Kernel, super::$name);
            }

            #[test]
            fn fuse() {
                Case::with(Driver::Fuse, super::$name);
            }
        })+
    };
}

/// Waits until `condition` gives something; panics with `what` after `limit`.
#[track_caller]
pub fn wait_for<T>(what: &str, limit: Duration, mut condition: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(start.elapsed() < limit, "waited {limit:?} in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until `condition` holds; panics with `what` after `limit`.
#[track_caller]
pub fn wait_until(what: &str, limit: Duration, mut condition: impl FnMut() -> bool) {
    wait_for(what, limit, || condition().then_some(()));
}

/// Whether tests that can go on for hours are to do so: the one number or the other.
pub fn long_or<T>(long: T, short: T) -> T {
    if std::env::var("CORACLE_LONG").is_ok_and(|value| !value.is_empty()) { long } else { short }
}

/// Whether the machine has what the test needs; if not, says so where nobody can overlook it, or fails.
pub fn has(capability: &str, present: bool) -> bool {
    if !present {
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        assert!(std::env::var("CORACLE_MUST").unwrap_or_default().is_empty(), "the machine lacks {capability}");
        tell(&format!("SKIPPED {test}: this machine lacks {capability}"));
    }
    present
}

/// Prints a line past libtest's capture of what a passing test prints.
pub fn tell(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{line}");
}
