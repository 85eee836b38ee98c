//! A file that a server of HTTP has, fetched by a process of its own: see `process::fetcher`.
//!
//! What a server says of a file (its ETag, and when it was modified) is remembered with the digest of its content, so that one
//! that has not changed is not sent again. A file whose digest the instruction names is not even asked for, where the step was
//! done before.

use std::fs::File;
use std::os::fd::AsFd;
use std::time::{Duration, SystemTime};

use rustix::fs::OFlags;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use serde::{Deserialize, Serialize};

use super::{Files, failed, name_of};
use crate::build::context::Context;
use crate::build::context::unpacked::Unpacked;
use crate::build::stage::Stage;
use crate::build::{Error, Result};
use crate::host::atomic_file;
use crate::host::role::{Role, Start};
use crate::layer::worker::receive;
use crate::oci::Digest;
use crate::registry::{Fetched, Marks, Patience, Wanted};
use crate::store::Store;
use crate::store::build_cache::CachedFile;
use crate::sys::Call;

/// Places of [`Start::fds`].
pub const CHANNEL: usize = 0;
pub const FILE: usize = 1;

/// What the fetcher says.
#[derive(Debug, Serialize, Deserialize)]
pub enum Reply {
    Fetched(Fetched),
    Failed { text: String, hint: Option<String> },
}

/// While it is fetched.
const PART: &str = "file";

#[derive(Debug)]
pub struct Download {
    url: String,
    digest: Digest,
    digest_text: String,
    /// As the server wrote it; not known of one that was not asked for.
    modified: Option<String>,
    name: String,
    /// Its content, as far as that had to be fetched.
    directory: Option<Unpacked>,
}

impl Download {
    pub fn look(stage: &Stage<'_>, url: &str, checksum: Option<&str>) -> Result<Self> {
        let expected = checksum.map(parse).transpose()?;
        let plain = url.split('#').next().unwrap_or(url).to_owned();
        if let (Some(digest), Some(name)) = (&expected, name_of(&plain)) {
            return Ok(Self::new(plain.clone(), digest.clone(), None, name.to_owned(), None));
        }
        let (store, patience) = (stage.build.request.store, stage.build.request.patience);
        let key = Digest::of(plain.as_bytes());
        let known = store.cached_file(&key).filter(|_| !stage.build.request.no_cache);
        let marks = known.as_ref().map(|known| Marks { etag: known.etag.clone(), modified: known.modified.clone() });
        // Nothing tells the one state from another.
        let marks = marks.filter(|marks| *marks != Marks::default());
        let directory = Unpacked::new(store)?;
        match (fetch(patience, &plain, marks, &directory)?, known) {
            (Fetched::NotModified, Some(known)) => Ok(Self::new(plain, known.digest, known.modified, known.name, None)),
            (Fetched::NotModified, None) => Err(failed(url, "the server says that it has not changed", None)),
            (Fetched::File { digest, marks, name }, _) => {
                let name = name_of(&plain).map(str::to_owned).or(name).ok_or_else(|| {
                    let text = format!("neither `{}` nor its server says what the file is called", super::shown(url));
                    Error::Hinted { text, hint: "an address that ends in a name does".into() }
                })?;
                let Marks { etag, modified } = marks;
                let file = CachedFile { digest: digest.clone(), etag, modified: modified.clone(), name: name.clone() };
                store.cache_file(&key, &file)?;
                check(url, expected.as_ref(), &digest)?;
                Ok(Self::new(plain, digest, modified, name, Some(directory)))
            }
        }
    }

    fn new(url: String, digest: Digest, modified: Option<String>, name: String, directory: Option<Unpacked>) -> Self {
        Self { url, digest_text: digest.to_string(), digest, modified, name, directory }
    }

    pub fn key(&self) -> Vec<&str> {
        vec!["file", &self.digest_text, &self.name, self.modified.as_deref().unwrap_or_default()]
    }

    pub fn fetch(self, stage: &Stage<'_>) -> Result<Files> {
        let (directory, modified) = match self.directory {
            Some(directory) => (directory, self.modified),
            None => {
                let (store, patience) = (stage.build.request.store, stage.build.request.patience);
                let directory = Unpacked::new(store)?;
                match fetch(patience, &self.url, None, &directory)? {
                    Fetched::NotModified => {
                        return Err(failed(&self.url, "the server says that it has not changed", None));
                    }
                    Fetched::File { digest, marks, .. } => {
                        check(&self.url, Some(&self.digest), &digest)?;
                        (directory, marks.modified)
                    }
                }
            }
        };
        let (part, path) = (directory.path().join(PART), directory.path().join(&self.name));
        let time = modified.and_then(|text| chrono::DateTime::parse_from_rfc2822(&text).ok());
        let seconds = time.map_or(0, |time| u64::try_from(time.timestamp()).unwrap_or(0));
        let times = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let file = File::open(&part).call("open(what was fetched)")?;
        file.set_modified(times).call("futimens(what was fetched)")?;
        crate::host::change::rename(&part, &path)?;
        let context = Context::of_made(directory, &format!("what `{}` gives", super::shown(&self.url)))?;
        Files::of(context, &self.name)
    }
}

/// What a server has, whatever it is called: a file without a name.
pub fn download(store: &Store, patience: Patience, url: &str) -> Result<File> {
    let directory = Unpacked::new(store)?;
    fetch(patience, url, None, &directory)?;
    Ok(File::open(directory.path().join(PART)).call("open(what was fetched)")?)
}

/// `sha256:…`.
fn parse(text: &str) -> Result<Digest> {
    text.parse().map_err(|_| {
        let text = format!("`--checksum={text}` of a file: expected `sha256:` and 64 hexadecimal digits");
        Error::Hinted { text, hint: "`sha256sum FILE` tells them".into() }
    })
}

fn check(url: &str, expected: Option<&Digest>, found: &Digest) -> Result<()> {
    match expected {
        Some(expected) if expected != found => {
            Err(failed(url, &format!("its digest is {found}, and {expected} is expected"), None))
        }
        _ => Ok(()),
    }
}

/// Has the fetcher write it to the directory.
fn fetch(patience: Patience, url: &str, unless: Option<Marks>, directory: &Unpacked) -> Result<Fetched> {
    let path = directory.path().join(PART);
    // Docker's mode of what it fetches.
    atomic_file::create(&path, b"", 0o600, false)?;
    let file = rustix::fs::open(&path, OFlags::RDWR | OFlags::CLOEXEC, rustix::fs::Mode::empty());
    let file = file.call("open(what is fetched)")?;
    let disk = rustix::fs::fstatvfs(&file).call("fstatvfs")?;
    let limit = if disk.f_blocks == 0 { u64::MAX } else { disk.f_bavail.saturating_mul(disk.f_frsize) / 10 * 9 };
    let wanted =
        Wanted { url: url.to_owned(), unless, limit, stall: patience.stall.as_secs(), retries: patience.retries };
    let (ours, theirs) =
        socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).call("socketpair")?;
    let null = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, rustix::fs::Mode::empty());
    let null = null.call("open(/dev/null)")?;
    let stdio = [null.as_fd(), null.as_fd(), null.as_fd()];
    let start = Start { role: Role::Fetcher, stdio, fds: vec![theirs.as_fd(), file.as_fd()] };
    let child = start.run(&wanted).map_err(crate::layer::Error::from)?;
    drop(theirs);
    let reply = receive::<Reply>(ours.as_fd())?;
    child.wait()?;
    match reply {
        Some(Reply::Fetched(fetched)) => Ok(fetched),
        Some(Reply::Failed { text, hint }) => Err(failed(url, &text, hint)),
        None => Err(failed(url, "the process that fetches it died", None)),
    }
}
