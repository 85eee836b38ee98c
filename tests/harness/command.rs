//! Commands and how they end: with a limit, and with everything that they said.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::LIMIT;

/// A command in an environment of its own.
pub struct Command {
    inner: std::process::Command,
    stdin: Option<Vec<u8>>,
    keep_stdin: bool,
    line: String,
}

impl Command {
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let mut inner = std::process::Command::new(&program);
        inner.env_clear();
        let line = Path::new(&program).file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self { inner, stdin: None, keep_stdin: false, line }
    }

    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.line += &format!(" {:?}", argument.as_ref());
        self.inner.arg(argument);
        self
    }

    pub fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Self {
        self.inner.env(key, value);
        self
    }

    pub fn directory(mut self, path: &Path) -> Self {
        self.inner.current_dir(path);
        self
    }

    /// What the command reads; without this, nothing.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// The command's standard input stays open until [`Running::close_stdin`].
    pub fn open_stdin(mut self) -> Self {
        self.keep_stdin = true;
        self
    }

    /// In a process group of its own, as a shell starts a job.
    pub fn own_group(mut self) -> Self {
        self.inner.process_group(0);
        self
    }

    #[track_caller]
    pub fn start(mut self) -> Running {
        let piped = self.stdin.is_some() || self.keep_stdin;
        self.inner.stdin(if piped { Stdio::piped() } else { Stdio::null() });
        self.inner.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.inner.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.line));
        if let Some(bytes) = self.stdin.take() {
            let mut pipe = child.stdin.take().unwrap();
            std::thread::spawn(move || pipe.write_all(&bytes));
        }
        let stdout = collect(child.stdout.take().unwrap());
        let stderr = collect(child.stderr.take().unwrap());
        Running { child, stdout, stderr, line: self.line }
    }

    /// Runs to the end; a command that takes longer than [`LIMIT`] is killed and fails the test.
    #[track_caller]
    pub fn finish(self) -> Finished {
        self.start().finish()
    }

    /// Started, with its outputs for the test to read.
    pub fn piped(mut self) -> Child {
        self.inner.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        self.inner.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.line))
    }

    /// As [`Command::finish`], for a tear-down that must not fail.
    pub fn try_finish(mut self) -> Option<ExitStatus> {
        self.inner.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = self.inner.spawn().ok()?;
        wait(&mut child, Duration::from_secs(20))
    }
}

/// A command that runs; what it says is collected meanwhile.
pub struct Running {
    child: Child,
    stdout: JoinHandle<Vec<u8>>,
    stderr: JoinHandle<Vec<u8>>,
    line: String,
}

impl Running {
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    pub fn write(&mut self, bytes: &[u8]) {
        self.child.stdin.as_mut().unwrap().write_all(bytes).unwrap();
    }

    pub fn close_stdin(&mut self) {
        self.child.stdin = None;
    }

    #[track_caller]
    pub fn finish(mut self) -> Finished {
        let Some(status) = wait(&mut self.child, LIMIT) else {
            panic!("{} did not end within {LIMIT:?}\nstderr: {}", self.line, text(self.stderr));
        };
        let (stdout, stderr) = (text(self.stdout), text(self.stderr));
        Finished { line: self.line, stdout, stderr, code: status.code(), signal: status.signal() }
    }
}

/// How a command ended.
#[derive(Debug)]
pub struct Finished {
    line: String,
    pub stdout: String,
    pub stderr: String,
    /// The exit code; none after a signal.
    pub code: Option<i32>,
    pub signal: Option<i32>,
}

impl Finished {
    /// It exited with `code`.
    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "exit code of {self}");
        self
    }

    /// It exited with 0 and warned of nothing.
    #[track_caller]
    pub fn succeeded(self) -> Self {
        let this = self.code(0);
        assert!(!this.stderr.to_lowercase().contains("error"), "an error on success: {this}");
        this
    }

    /// It wrote exactly this on standard output.
    #[track_caller]
    pub fn stdout(self, expected: &str) -> Self {
        assert_eq!(self.stdout, expected, "standard output of {self}");
        self
    }

    /// It wrote exactly this on standard error.
    #[track_caller]
    pub fn stderr(self, expected: &str) -> Self {
        assert_eq!(self.stderr, expected, "standard error of {self}");
        self
    }

    /// One line of its standard error is `Error: …` and has `part` in it.
    #[track_caller]
    pub fn error(self, part: &str) -> Self {
        let line = self.stderr.lines().find(|line| line.starts_with("Error: "));
        assert!(line.is_some_and(|line| line.contains(part)), "no error line with {part:?} from {self}");
        self
    }

    /// Its standard error has a line that starts so.
    #[track_caller]
    pub fn says(self, start: &str) -> Self {
        assert!(self.stderr.lines().any(|line| line.starts_with(start)), "no line {start:?} from {self}");
        self
    }
}

impl std::fmt::Display for Finished {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { line, stdout, stderr, code, signal } = self;
        writeln!(f, "{line}: code {code:?}, signal {signal:?}")?;
        write!(f, "── standard output ──\n{stdout}\n── standard error ──\n{stderr}\n──")
    }
}

fn collect(mut pipe: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    })
}

/// What a pipe gave. Somebody who outlives the command may hold it open: that is a fault too, and shows as a late end.
fn text(pipe: JoinHandle<Vec<u8>>) -> String {
    let start = Instant::now();
    while !pipe.is_finished() {
        assert!(start.elapsed() < LIMIT, "a process that outlived the command holds its output open");
        std::thread::sleep(Duration::from_millis(1));
    }
    String::from_utf8_lossy(&pipe.join().unwrap()).into_owned()
}

/// The status of the child; after `limit` it is killed, and there is none.
fn wait(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let start = Instant::now();
    while start.elapsed() < limit {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}
