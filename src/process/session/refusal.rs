//! Why a program does not run: what goes to the client instead of a start.

use crate::runtime::handshake::{Failure, Step};

/// A failure on the way to the program: the exit code of the client's command, and the words.
#[derive(Debug)]
pub struct Refusal {
    pub code: u8,
    pub message: String,
}

impl Refusal {
    /// This program's own failure.
    pub fn ours(error: impl std::fmt::Display) -> Self {
        Self { code: 125, message: error.to_string() }
    }

    /// What the user reads when a process inside could not become the program.
    pub fn of_init(failure: &Failure) -> Self {
        let Failure { step, errno, call } = failure;
        let error = std::io::Error::from_raw_os_error(*errno).to_string();
        let reason = error.split(" (os error").next().unwrap_or_default().to_lowercase();
        let (code, message) = match (step, *errno) {
            (Step::Exec, libc::ENOENT) if !call.contains('/') => {
                (127, format!("executable file `{call}` not found in $PATH: {reason}"))
            }
            (Step::Exec, libc::ENOENT) => (127, format!("executable file `{call}` not found: {reason}")),
            (Step::Interpreter, _) => (127, format!("the interpreter of `{call}` is not in the image: {reason}")),
            (Step::Exec, _) => (126, format!("`{call}` can't be executed: {reason}")),
            (Step::WorkingDirectory, _) => (126, format!("the working directory `{call}` can't be entered: {reason}")),
            // Whole, as whatever else fails of the system.
            (Step::Setup, _) => (125, format!("the container could not be set up: {call}: {error}")),
        };
        Self { code, message }
    }
}
