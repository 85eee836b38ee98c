//! What the process of a stage tells the builder: frames on a pipe.
//!
//! ```text
//!  kind: 1 byte │ length: 4 bytes, little-endian │ content
//! ```

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use serde::{Deserialize, Serialize};

use super::Done;
use crate::build::progress::Event;
use crate::build::{Error, Result, Said};
use crate::container::commit::step::Output;

/// What is read at once, in bytes.
const CHUNK: usize = 64 << 10;
const HEAD: usize = 5;

#[derive(Debug)]
pub enum Message<'a> {
    Event(Event<'a>),
    Output(Output, &'a [u8]),
    /// Digests of files of the context.
    Hashes(&'a [u8]),
    Done(Box<Done>),
    Failed(Said),
}

/// The side of the stage.
#[derive(Debug)]
pub struct Teller(File);

impl Teller {
    pub fn new(pipe: OwnedFd) -> Self {
        Self(pipe.into())
    }

    pub fn event(&self, event: &Event<'_>) -> Result<()> {
        self.json(b'p', event)
    }

    pub fn output(&self, from: Output, bytes: &[u8]) -> Result<()> {
        let kind = match from {
            Output::Standard => b'o',
            Output::Error => b'e',
        };
        self.frame(kind, bytes)
    }

    pub fn hashes(&self, encoded: &[u8]) -> Result<()> {
        self.frame(b'h', encoded)
    }

    pub fn done(&self, done: &Done) -> Result<()> {
        self.json(b'd', done)
    }

    pub fn failed(&self, said: &Said) -> Result<()> {
        self.json(b'f', said)
    }

    fn json(&self, kind: u8, value: &impl Serialize) -> Result<()> {
        let text = serde_json::to_vec(value).map_err(|error| Error::Pipe(error.into()))?;
        self.frame(kind, &text)
    }

    fn frame(&self, kind: u8, content: &[u8]) -> Result<()> {
        let too_long = |_| Error::Pipe(io::Error::from(io::ErrorKind::FileTooLarge));
        let mut frame = Vec::with_capacity(HEAD + content.len());
        frame.push(kind);
        frame.extend(u32::try_from(content.len()).map_err(too_long)?.to_le_bytes());
        frame.extend(content);
        (&self.0).write_all(&frame).map_err(Error::Pipe)
    }
}

/// The side of the builder.
#[derive(Debug)]
pub struct Listener {
    pipe: File,
    /// What has come and is not a whole frame yet.
    buffer: Vec<u8>,
}

impl Listener {
    pub fn new(pipe: OwnedFd) -> Self {
        Self { pipe: pipe.into(), buffer: Vec::new() }
    }

    /// Reads what is there; each whole frame is told. `false`: it was the last.
    pub fn read(&mut self, told: &mut dyn FnMut(Message<'_>) -> Result<()>) -> Result<bool> {
        let before = self.buffer.len();
        self.buffer.resize(before + CHUNK, 0);
        let read = self.pipe.read(self.buffer.get_mut(before..).unwrap_or_default());
        let count = match read {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                self.buffer.truncate(before);
                return Ok(true);
            }
            read => read.map_err(Error::Pipe)?,
        };
        self.buffer.truncate(before + count);
        let mut rest = self.buffer.as_slice();
        while let Some((message, after)) = message(rest)? {
            told(message)?;
            rest = after;
        }
        let used = self.buffer.len() - rest.len();
        self.buffer.drain(..used);
        Ok(count > 0)
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }
}

/// The first frame of some bytes, and what is behind it; `None`: it is not whole.
fn message(bytes: &[u8]) -> Result<Option<(Message<'_>, &[u8])>> {
    let Some((&[kind, ref length @ ..], rest)) = bytes.split_first_chunk::<HEAD>() else { return Ok(None) };
    let Some((content, rest)) = rest.split_at_checked(u32::from_le_bytes(*length) as usize) else { return Ok(None) };
    let message = match kind {
        b'p' => Message::Event(json(content)?),
        b'o' => Message::Output(Output::Standard, content),
        b'e' => Message::Output(Output::Error, content),
        b'h' => Message::Hashes(content),
        b'd' => Message::Done(json(content)?),
        b'f' => Message::Failed(json(content)?),
        _ => return Err(Error::Pipe(io::Error::from(io::ErrorKind::InvalidData))),
    };
    Ok(Some((message, rest)))
}

fn json<'a, T: Deserialize<'a>>(content: &'a [u8]) -> Result<T> {
    serde_json::from_slice(content).map_err(|error| Error::Pipe(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_arrive_whole_and_in_order() {
        let (read, write) = rustix::pipe::pipe().unwrap();
        let (mut listener, teller) = (Listener::new(read), Teller::new(write));
        let long = vec![b'x'; CHUNK];
        let mut found = Vec::new();
        let mut hear = |listener: &mut Listener| {
            let heard = listener.read(&mut |message| {
                found.push(match message {
                    Message::Output(_, bytes) => bytes.len().to_string(),
                    other => format!("{other:?}"),
                });
                Ok(())
            });
            heard.unwrap()
        };
        teller.event(&Event::Made { why: "\"new\"".into() }).unwrap();
        teller.output(Output::Error, b"").unwrap();
        assert!(hear(&mut listener));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                teller.output(Output::Standard, &long).unwrap();
                teller.failed(&Said { text: "no".into(), hint: None, code: 3 }).unwrap();
                drop(teller);
            });
            while hear(&mut listener) {}
        });
        let failed = r#"Failed(Said { text: "no", hint: None, code: 3 })"#;
        assert_eq!(found, [r#"Event(Made { why: "\"new\"" })"#, "0", "65536", failed]);
    }
}
