//! Events: what happened to containers, images, volumes and the store itself, one line of JSON each.
//!
//! ```text
//! events/<boot id>       this boot's, appended by whoever did it, each event with one write
//! events/<boot id>.old   those before, once the file had grown to its limit
//! ```
//!
//! What must stay true: no lock is waited for, and an event that can't be written is lost without a word. Nothing but
//! `coracle events` reads them, so they are not synced; what a full disk or a power cut leaves of a line is passed over.

mod read;
mod write;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::container::record::Container;
use crate::store::records;
use crate::sys::{self, Call};
pub use read::Events;
pub use write::record;

/// The folder in the store.
const FOLDER: &str = "events";
/// What follows the boot id in the name of an old file.
const OLD: &str = "old";
/// The longest line in bytes: an event with more labels than fit goes without them.
const LINE: usize = 64 << 10;

/// What something happened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Container,
    Image,
    Network,
    Secret,
    System,
    Volume,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Attach,
    Cleanup,
    Commit,
    Connect,
    Create,
    Died,
    Disconnect,
    Exec,
    ExecDied,
    Export,
    HealthStatus,
    Import,
    Init,
    Kill,
    #[serde(rename = "loadFromArchive")]
    Load,
    Pause,
    Prune,
    Pull,
    Push,
    Remove,
    Rename,
    Restart,
    Save,
    Start,
    Stop,
    Tag,
    Unpause,
    Untag,
    Update,
}

/// One event. Kinds and actions are written as Podman calls them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    version: u32,
    /// Nanoseconds since 1970.
    pub time: i64,
    #[serde(rename = "type")]
    pub kind: Kind,
    pub action: Action,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Of a container: the name of its image.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub image: String,
    /// `died`, `exec_died`: how it ended, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// `health_status`: what it is now.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub health: String,
    /// Of a container: its labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

impl Event {
    const VERSION: u32 = 1;

    /// Just now. What has no id has an empty one.
    pub fn new(kind: Kind, action: Action, id: &str, name: &str) -> Self {
        Self {
            version: Self::VERSION,
            time: now(),
            kind,
            action,
            id: id.to_owned(),
            name: name.to_owned(),
            image: String::new(),
            exit_code: None,
            health: String::new(),
            attributes: BTreeMap::new(),
        }
    }

    pub fn of(container: &Container, action: Action) -> Self {
        Self {
            image: container.image_name().to_owned(),
            attributes: container.labels.clone(),
            ..Self::new(Kind::Container, action, &container.id, &container.name)
        }
    }

    /// The same that has just ended.
    pub fn ended(self, exit_code: Option<i32>) -> Self {
        Self { exit_code, time: now(), ..self }
    }
}

fn now() -> i64 {
    chrono::Utc::now().timestamp_nanos_opt().unwrap_or_default()
}

/// Records what was done to a container; with its exit code, if that belongs to it.
pub fn record_of(root: &Path, container: &Container, actions: &[Action], exit_code: Option<i32>) {
    let events: Vec<Event> =
        actions.iter().map(|action| Event { exit_code, ..Event::of(container, *action) }).collect();
    record(root, &events);
}

/// As [`record_of`], for who has known the container for long: its record may have another name by now.
pub fn record_at(root: &Path, directory: &Path, actions: &[Action], exit_code: Option<i32>) {
    if let Ok(Some(container)) = records::read::<Container>(&directory.join("container.json")) {
        record_of(root, &container, actions, exit_code);
    }
}

/// A file of events.
struct LogFile {
    path: PathBuf,
    /// When it was last written to.
    written: SystemTime,
}

fn files(directory: &Path) -> sys::Result<Vec<LogFile>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).call_with(|| format!("opendir({})", directory.display()))? {
        let entry = entry.call_with(|| format!("readdir({})", directory.display()))?;
        // Removed meanwhile.
        let Ok(found) = entry.metadata() else { continue };
        if found.is_file() {
            files.push(LogFile { path: entry.path(), written: found.modified().unwrap_or(SystemTime::UNIX_EPOCH) });
        }
    }
    Ok(files)
}
