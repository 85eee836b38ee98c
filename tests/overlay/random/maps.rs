//! Files mapped into memory, by a process that does nothing else (`maps.py`): what may end by a signal is not done here.

use std::io::{BufRead, BufReader, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use rustix::io::Errno;

/// What is done with mappings. A mapping that is held outlives the slot that it was made of, and the file's names.
#[derive(Debug, Clone)]
pub enum Mapping {
    Hold { map: usize },
    Read { map: usize, at: u64, length: usize },
    Drop { map: usize },
    Write { at: u64, length: usize, byte: u8, sync: bool },
    Private { at: u64, length: usize, byte: u8 },
}

pub struct Maps {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Maps {
    pub fn new() -> Self {
        let script = crate::architecture::root().join("tests/overlay/random/maps.py");
        let mut python = Command::new("/usr/bin/python3");
        let python = python.arg(script).current_dir("/").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = python.spawn().unwrap();
        let (orders, answers) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, orders, answers }
    }

    /// Does it with an open file, if it is about one.
    pub fn apply(&mut self, mapping: &Mapping, file: Result<&OwnedFd, Errno>) -> Result<String, Errno> {
        let path = file.map(|file| format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd()));
        self.ask(&match mapping {
            Mapping::Hold { map } => format!("hold {map} {}", path?),
            Mapping::Read { map, at, length } => format!("read {map} {at} {length}"),
            Mapping::Drop { map } => format!("drop {map}"),
            Mapping::Write { at, length, byte, sync } => format!("write {} {at} {length} {byte} {sync}", path?),
            Mapping::Private { at, length, byte } => format!("private {} {at} {length} {byte}", path?),
        })
    }

    fn ask(&mut self, order: &str) -> Result<String, Errno> {
        writeln!(self.orders.as_ref().unwrap(), "{order}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        match answer.trim_end().split_once(' ') {
            Some(("failed", number)) => Err(Errno::from_raw_os_error(number.parse().unwrap())),
            Some(("done", said)) => Ok(said.to_owned()),
            _ if answer.trim_end() == "done" => Ok(String::new()),
            _ => panic!("{order}: {answer}"),
        }
    }
}

impl Drop for Maps {
    fn drop(&mut self) {
        drop(self.orders.take());
        self.child.wait().unwrap();
    }
}
