//! The program's standard streams, as far as a session holds them: pipes, or the master of a pty.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{CWD, Gid, Mode, OFlags, Uid};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};

use crate::container::control::{CHUNK, ToClient};
use crate::sys::{Call, Result};

/// How much input is kept for a program that takes none.
const MOST_WAITING: usize = 8 * CHUNK;

/// Which of the two outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Output,
    Error,
}

impl Kind {
    /// As a client hears it.
    pub fn message(self, bytes: &[u8]) -> ToClient<'_> {
        match self {
            Self::Output => ToClient::Output(bytes),
            Self::Error => ToClient::ErrorOutput(bytes),
        }
    }
}

/// The session's ends.
#[derive(Debug, Default)]
pub struct Held {
    /// Read from the back: what is in both at one time comes with the error output last.
    pub outputs: Vec<(Kind, OwnedFd)>,
    input: Option<OwnedFd>,
    /// Input that the program has not taken yet.
    waiting: Vec<u8>,
    end_of_input: bool,
    terminal: bool,
}

/// Pipes for a program that runs as `owner`: the session's ends and the program's.
pub fn pipes(input: bool, owner: u32) -> Result<(Held, [OwnedFd; 3])> {
    let pipe = || pipe_with(PipeFlags::CLOEXEC).call("pipe2");
    let ((output, output_inside), (error, error_inside)) = (pipe()?, pipe()?);
    let (held_input, input_inside) = if input {
        let (inside, held) = pipe()?;
        (Some(held), inside)
    } else {
        let null = rustix::fs::openat(CWD, c"/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
        (None, null.call("open(/dev/null)")?)
    };
    if owner != 0 {
        // So that the program may open /dev/stdout, which opens the pipe anew.
        let ends = [Some(&output_inside), Some(&error_inside), held_input.is_some().then_some(&input_inside)];
        for end in ends.into_iter().flatten() {
            rustix::fs::fchown(end, Some(Uid::from_raw(owner)), None::<Gid>).call("fchown(pipe)")?;
        }
    }
    for end in [Some(&output), Some(&error), held_input.as_ref()].into_iter().flatten() {
        never_block(end.as_fd())?;
    }
    let outputs = vec![(Kind::Error, error), (Kind::Output, output)];
    Ok((Held { outputs, input: held_input, ..Held::default() }, [input_inside, output_inside, error_inside]))
}

/// The master of the program's terminal, which is output and input in one.
pub fn terminal(master: OwnedFd) -> Result<Held> {
    never_block(master.as_fd())?;
    let input = rustix::io::fcntl_dupfd_cloexec(&master, 0).call("fcntl(F_DUPFD_CLOEXEC)")?;
    Ok(Held { outputs: vec![(Kind::Output, master)], input: Some(input), terminal: true, ..Held::default() })
}

fn never_block(fd: BorrowedFd<'_>) -> Result<()> {
    rustix::io::ioctl_fionbio(fd, true).call("ioctl(FIONBIO)")
}

/// What reading an output gave.
#[derive(Debug, PartialEq, Eq)]
pub enum Read {
    Bytes(usize),
    Nothing,
    End,
}

/// Reads what is there now. A pty whose last slave is closed says EIO, which is its end of file.
pub fn read(output: BorrowedFd<'_>, buffer: &mut [u8; CHUNK]) -> Read {
    match rustix::io::read(output, &mut buffer[..]) {
        Ok(0) => Read::End,
        Ok(count) => Read::Bytes(count),
        Err(Errno::AGAIN | Errno::INTR) => Read::Nothing,
        Err(_) => Read::End,
    }
}

impl Held {
    /// The end to write input to, while some waits for it.
    pub fn hungry_input(&self) -> Option<BorrowedFd<'_>> {
        self.input.as_ref().filter(|_| !self.waiting.is_empty()).map(AsFd::as_fd)
    }

    /// Input waits: take no more from the clients. A terminal takes and drops it, as terminals do, so that the keys which detach
    /// arrive although the program reads nothing.
    pub fn is_full(&self) -> bool {
        !self.waiting.is_empty() && !self.terminal
    }

    /// Nobody reads this output any more.
    pub fn close(&mut self, kind: Kind) {
        self.outputs.retain(|(other, _)| *other != kind);
    }

    pub fn feed(&mut self, bytes: &[u8]) {
        // What comes when the client has hung up, and so is read although there is no room, is for nobody.
        if self.input.is_some() && self.waiting.len() < MOST_WAITING {
            self.waiting.extend_from_slice(bytes);
            self.push();
        }
    }

    /// No more input will come. A terminal has no such end: the user's keys make one.
    pub fn end_input(&mut self) {
        self.end_of_input = !self.terminal;
        self.push();
    }

    /// Writes what waits, as far as the program takes it.
    pub fn push(&mut self) {
        let Some(input) = &self.input else { return };
        while !self.waiting.is_empty() {
            match rustix::io::write(input, &self.waiting) {
                Ok(count) => drop(self.waiting.drain(..count.min(self.waiting.len()))),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                Err(_) => {
                    // The program closed its end: the rest is for nobody.
                    self.waiting.clear();
                    self.end_of_input = true;
                }
            }
        }
        if self.end_of_input {
            self.input = None;
        }
    }

    /// Gives the terminal a new size; the kernel tells its foreground processes.
    pub fn resize(&self, rows: u16, columns: u16) {
        if let (true, Some((_, master))) = (self.terminal, self.outputs.first()) {
            let size = rustix::termios::Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
            let _ = rustix::termios::tcsetwinsize(master, size);
        }
    }
}
