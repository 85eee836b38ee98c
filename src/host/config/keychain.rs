//! Keychains: programs `docker-credential-NAME` that keep credentials for others. One gets a verb as its only argument, the
//! question on standard input, and answers on standard output (the protocol of docker-credential-helpers).
//!
//! Secrets pass through pipes alone: never through arguments, and what a keychain says goes into no error. Its standard error is
//! the user's.

use std::fmt;
use std::io::{self, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::host::fault;

/// Of an answer, in bytes.
const LIMIT: u64 = 1 << 20;
/// It may have to ask its user to unlock it.
const PATIENCE: Duration = Duration::from_secs(60);
/// How one says that it has nothing, with an exit code that is not 0.
const NOTHING: &str = "credentials not found in native keychain";

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("`{0}` is not the name of a keychain")]
    Name(String),
    #[error("the program `docker-credential-{0}` is not installed")]
    Missing(String),
    #[error("the program `docker-credential-{name}` can't be started: {source}")]
    Start { name: String, source: io::Error },
    #[error("the program `docker-credential-{0}` did not answer in {seconds} seconds", seconds = PATIENCE.as_secs())]
    Late(String),
    #[error("`docker-credential-{name} {verb}` failed")]
    Failed { name: String, verb: &'static str },
    #[error("the program `docker-credential-{0}` gave no JSON with `Username` and `Secret`")]
    Answer(String),
}

/// What a keychain has for a server.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Entry {
    pub username: String,
    pub secret: String,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry({:?}, …)", self.username)
    }
}

/// What it has for `server`; `None`: nothing.
pub fn get(name: &str, server: &str) -> Result<Option<Entry>, Error> {
    let (success, answer) = ask(name, "get", server.as_bytes())?;
    if !success {
        let nothing = String::from_utf8_lossy(&answer).trim() == NOTHING;
        return if nothing { Ok(None) } else { Err(Error::Failed { name: name.to_owned(), verb: "get" }) };
    }
    // serde's message would quote the answer, and so a secret.
    serde_json::from_slice(&answer).map(Some).map_err(|_| Error::Answer(name.to_owned()))
}

pub fn store(name: &str, server: &str, user: &str, secret: &str) -> Result<(), Error> {
    let entry = serde_json::json!({ "ServerURL": server, "Username": user, "Secret": secret });
    match ask(name, "store", entry.to_string().as_bytes())? {
        (true, _) => Ok(()),
        (false, _) => Err(Error::Failed { name: name.to_owned(), verb: "store" }),
    }
}

/// Whether there was something.
pub fn erase(name: &str, server: &str) -> Result<bool, Error> {
    let there = get(name, server)?.is_some();
    match there.then(|| ask(name, "erase", server.as_bytes())).transpose()? {
        Some((false, _)) => Err(Error::Failed { name: name.to_owned(), verb: "erase" }),
        _ => Ok(there),
    }
}

/// Whether it succeeded, and what it said.
fn ask(name: &str, verb: &'static str, question: &[u8]) -> Result<(bool, Vec<u8>), Error> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if name.is_empty() || !name.bytes().all(plain) {
        return Err(Error::Name(name.to_owned()));
    }
    let start = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => Error::Missing(name.to_owned()),
        _ => Error::Start { name: name.to_owned(), source },
    };
    fault::point("keychain: start").map_err(start)?;
    let mut command = Command::new(format!("docker-credential-{name}"));
    let mut child = command.arg(verb).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(start)?;
    let (written, answer) = (child.stdin.take(), child.stdout.take());
    let (send, received) = mpsc::channel();
    let question = question.to_vec();
    std::thread::spawn(move || {
        // One that answers without reading is no failure of ours.
        let _ = written.map(|mut pipe| pipe.write_all(&question));
        let mut bytes = Vec::new();
        let read = answer.map(|pipe| pipe.take(LIMIT).read_to_end(&mut bytes));
        drop(send.send(read.transpose().map(|_| bytes)));
    });
    let until = Instant::now() + PATIENCE;
    let answer = received.recv_timeout(PATIENCE);
    match (answer, ended(&mut child, until)) {
        (Ok(Ok(answer)), Some(success)) => Ok((success, answer)),
        (Ok(Err(source)), _) => Err(Error::Start { name: name.to_owned(), source }),
        _ => Err(Error::Late(name.to_owned())),
    }
}

/// Whether it ended with success; `None`: it had to be killed.
fn ended(child: &mut Child, until: Instant) -> Option<bool> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status.success()),
            Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(2)),
            _ => {
                // Either fails only if it has ended by itself.
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    }
}
