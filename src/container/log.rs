//! The log of a container: Kubernetes' format, as `k8s-file` of Podman. A record a line: `TIME stdout F TEXT`, with `P` for a line
//! whose end is still to come. All times are UTC and equally long, so that they can be compared as they are.
//!
//! ```text
//! containers/<id>/log      written by the monitor alone
//! containers/<id>/log.1    what came before, with a limit of size
//! ```

use std::ffi::CStr;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use rustix::fs::XattrFlags;
use serde::{Deserialize, Serialize};

/// Where a container's output goes, beside those who are attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogDriver {
    #[default]
    K8sFile,
    /// systemd's journal.
    Journald,
    None,
    /// Straight to the streams of who starts it.
    Passthrough,
}

impl LogDriver {
    pub const ALL: [Self; 4] = [Self::K8sFile, Self::None, Self::Passthrough, Self::Journald];

    /// As `--log-driver` and `inspect` call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::K8sFile => "k8s-file",
            Self::Journald => "journald",
            Self::None => "none",
            Self::Passthrough => "passthrough",
        }
    }
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogConfig {
    pub driver: LogDriver,
    /// Other than in the container's directory.
    #[serde(default)]
    pub path: Option<PathBuf>,
    /// Bytes that are kept at least.
    #[serde(default)]
    pub max_size: Option<u64>,
    #[serde(default)]
    pub tag: String,
}

impl LogConfig {
    /// Where the monitor writes for a container in `directory`. `None`: nothing is kept.
    pub fn target(&self, directory: &Path, id: &str, name: &str) -> Option<Target> {
        match self.driver {
            LogDriver::K8sFile => Some(Target::File(self.file(directory))),
            LogDriver::Journald => {
                Some(Target::Journal(Source { id: id.to_owned(), name: name.to_owned(), tag: self.tag.clone() }))
            }
            LogDriver::None | LogDriver::Passthrough => None,
        }
    }

    /// The file of a container in `directory`.
    pub fn file(&self, directory: &Path) -> LogFile {
        LogFile { path: self.path.clone().unwrap_or_else(|| directory.join("log")), max_size: self.max_size }
    }
}

/// Where the monitor writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    File(LogFile),
    Journal(Source),
}

/// Where the journal takes records.
pub const JOURNAL: &str = "/run/systemd/journal/socket";
/// The journal's field that names the container.
pub const CONTAINER: &str = "CONTAINER_ID_FULL";
/// The journal's field of a record whose line has not ended.
pub const PARTIAL: &str = "CONTAINER_PARTIAL_MESSAGE";

/// A container, as the journal knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    pub id: String,
    pub name: String,
    /// Empty: none.
    pub tag: String,
}

impl Source {
    /// Podman's fields.
    pub fn fields(&self) -> Vec<(&'static str, &str)> {
        let Self { id, name, tag } = self;
        let known = if tag.is_empty() { name } else { tag };
        let mut fields = vec![
            (CONTAINER, id.as_str()),
            ("CONTAINER_ID", id.get(..12).unwrap_or(id)),
            ("CONTAINER_NAME", name),
            ("SYSLOG_IDENTIFIER", known),
        ];
        if !tag.is_empty() {
            fields.push(("CONTAINER_TAG", tag));
        }
        fields
    }
}

/// The file, and behind it the one before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogFile {
    pub path: PathBuf,
    pub max_size: Option<u64>,
}

impl LogFile {
    /// What was renamed when the file had reached its limit.
    pub fn older(&self) -> PathBuf {
        self.beside(".1")
    }

    /// What is about to take the file's place.
    pub fn next(&self) -> PathBuf {
        self.beside(".next")
    }

    fn beside(&self, end: &str) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push(end);
        path.into()
    }
}

/// The attribute of a file that says how many came before it, by which a reader knows whether it has missed one. Not every disk keeps
/// attributes.
const NUMBER: &CStr = c"user.coracle.number";

pub fn number(file: impl AsFd) -> Option<u64> {
    attribute(file, NUMBER)?.parse().ok()
}

pub fn set_number(file: impl AsFd, number: u64) {
    let _ = rustix::fs::fsetxattr(file, NUMBER, number.to_string().as_bytes(), XattrFlags::empty());
}

/// The attribute of a file in which there was no room for some lines, and none to say so: the words for that. It has room in the inode.
const LOST: &CStr = c"user.coracle.lost";

/// What is lost of a log, in words, where the log itself does not tell.
pub fn lost(file: impl AsFd) -> Option<String> {
    attribute(file, LOST)
}

/// `None`: the log tells by itself, or nothing is lost.
pub fn set_lost(file: impl AsFd, words: Option<&str>) {
    let _ = match words {
        Some(words) => rustix::fs::fsetxattr(file, LOST, words.as_bytes(), XattrFlags::empty()),
        None => rustix::fs::fremovexattr(file, LOST),
    };
}

fn attribute(file: impl AsFd, name: &CStr) -> Option<String> {
    let mut value = [0; 128];
    let length = rustix::fs::fgetxattr(file, name, &mut value[..]).ok()?;
    String::from_utf8(value.get(..length)?.to_vec()).ok()
}

/// A record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    pub time: &'a [u8],
    /// From error output.
    pub error: bool,
    /// The line ends with it.
    pub whole: bool,
    pub text: &'a [u8],
}

/// The time, as records have it.
pub fn now() -> String {
    time(chrono::Utc::now())
}

/// A moment, as records have it.
pub fn time(moment: chrono::DateTime<chrono::Utc>) -> String {
    moment.to_rfc3339_opts(chrono::SecondsFormat::Nanos, false)
}

/// Appends a record to `text`.
pub fn write(text: &mut Vec<u8>, time: &str, error: bool, whole: bool, line: &[u8]) {
    let stream = if error { " stderr " } else { " stdout " };
    for part in [time.as_bytes(), stream.as_bytes(), if whole { b"F " } else { b"P " }, line, b"\n"] {
        text.extend_from_slice(part);
    }
}

/// Reads a record, without its newline. `None`: it is none.
pub fn read(line: &[u8]) -> Option<Entry<'_>> {
    let mut fields = line.splitn(4, |byte| *byte == b' ');
    let (time, stream, tag, text) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    Some(Entry { time, error: stream == b"stderr", whole: tag == b"F", text })
}
