//! What a registry may try, as a table: what it does, and what the error must say.
//!
//! Whatever it is: the pull ends with 125 and one line within 30 s, nothing shows in the store, at most a mebibyte is left there,
//! and no process needed more than 100 MB.

mod answers;
mod commands;
mod documents;
mod front;
mod lawful;
mod memory;
mod resume;
pub mod scripted;
mod tags;
mod tls;
mod tokens;

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use self::scripted::{Registry, Reply, Request, Script};
use super::server::Parts;
use crate::harness::{Case, Driver};

/// In which nothing that is wrong may take longer.
pub const TIME: Duration = Duration::from_secs(30);
/// Of all processes of a pull together, in KiB.
pub const MEMORY: u64 = 100 << 10;
/// What may be left in the store, in bytes.
pub const LEFT: u64 = 1 << 20;
/// Most of a hostile registry's time is spent waiting.
const AT_ONCE: usize = 8;

/// One thing that a registry does.
struct Hostile {
    name: String,
    parts: Parts,
    script: Script,
    /// What the error says of it; one of these.
    says: &'static [&'static str],
    /// What is pulled of it.
    image: String,
}

impl Hostile {
    fn new(
        name: impl Into<String>,
        says: &'static [&'static str],
        parts: Parts,
        script: impl Fn(&Request, usize) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        Self { name: name.into(), parts, script: Box::new(script), says, image: "x:1".to_owned() }
    }

    /// What is wrong with the outcome, if anything.
    fn faults(self) -> Vec<String> {
        let case = Case::new(Driver::Auto);
        let registry = Registry::start(&self.parts, self.script);
        let begun = Instant::now();
        let image = format!("{}/{}", registry.address, self.image);
        let running = case.command(["pull", "--stall-timeout=3", &image]).start();
        let memory = highest(running.pid().as_raw_nonzero().get());
        let finished = running.finish();
        let mut faults = Vec::new();
        let mut check = |good: bool, what: String| {
            if !good {
                faults.push(format!("{}: {what}", self.name));
            }
        };
        check(begun.elapsed() < TIME, format!("it took {:?}", begun.elapsed()));
        check(finished.code == Some(125) && finished.stdout.is_empty(), format!("it ended otherwise: {finished}"));
        let errors: Vec<_> = finished.stderr.lines().filter(|line| line.starts_with("Error: ")).collect();
        let told = errors.len() == 1 && self.says.iter().any(|says| errors[0].contains(says));
        check(told, format!("the error does not say {:?}: {errors:?}", self.says));
        let place = errors.iter().any(|error| error.contains(&registry.address));
        check(place, format!("the error does not say where: {errors:?}"));
        check(memory < MEMORY, format!("it took {memory} KiB of memory"));
        let shown = case.coracle(["images", "-aq"]).stdout;
        check(shown.is_empty(), format!("something shows: {shown}"));
        for folder in ["layers", "tmp", "images/blobs/sha256"] {
            let count = std::fs::read_dir(case.store().join(folder)).map_or(0, Iterator::count);
            check(count == 0, format!("something is left in {folder}"));
        }
        let left = size(&case.store());
        check(left <= LEFT, format!("{left} bytes are left"));
        faults
    }
}

/// The tables of what a registry may try, each with a test of its name.
macro_rules! tables {
    ($($name:ident: $table:path;)*) => {
        const TABLES: &[fn() -> Vec<Hostile>] = &[$($table),*];

        $(#[test]
        fn $name() {
            all_are_refused($table());
        })*
    };
}

tables! {
    statuses: answers::statuses;
    words_of_errors: answers::words_of_errors;
    lengths: answers::lengths;
    connections: answers::connections;
    redirects: answers::redirects;
    other_bytes: answers::other_bytes;
    no_manifests: documents::no_manifests;
    values_of_manifests: documents::values_of_manifests;
    types: documents::types;
    configs: documents::configs;
    indexes: documents::indexes;
    pinned: documents::pinned;
    token_servers: tokens::token_servers;
    broken_off_and_then_refused: resume::broken_off_and_then_refused;
}

/// How many cases all tables have.
pub fn cases() -> usize {
    TABLES.iter().map(|table| table().len()).sum()
}

/// Tries all, some at once.
#[track_caller]
fn all_are_refused(cases: Vec<Hostile>) {
    let count = cases.len();
    let cases = Mutex::new(cases);
    let (faults, done) = (Mutex::new(Vec::new()), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some(case) = cases.lock().unwrap().pop() else { return };
                    let found = case.faults();
                    faults.lock().unwrap().extend(found);
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(done.into_inner(), count, "a case was cut short");
    let faults = faults.into_inner().unwrap();
    assert!(faults.is_empty(), "of {count} cases:\n{}", faults.join("\n"));
}

/// As many KiB of the program's file as a release build has in memory at most. The debug build that is tried here has twice as many.
const PROGRAM: u64 = 16 << 10;

/// The most memory that a process and its children had, in KiB: looked at until it ends. The program's own pages, which they
/// share, count once.
pub fn highest(pid: i32) -> u64 {
    let mut most = 0;
    loop {
        let (mut own, mut shared) = (0, 0);
        let mut processes = vec![(pid, Vec::new())];
        while let Some((pid, parent)) = processes.pop() {
            // A child that executes nothing yet has its parent's memory.
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            if line == parent {
                continue;
            }
            let Ok(status) = std::fs::read_to_string(format!("/proc/{pid}/status")) else { continue };
            let field = |name: &str| {
                let value = status.lines().find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB"));
                value.and_then(|value| value.parse().ok()).unwrap_or(0_u64)
            };
            let of_files = field("RssFile:");
            own += field("VmHWM:").saturating_sub(of_files);
            shared = of_files.min(PROGRAM).max(shared);
            let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
            let children = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
            let children = children.collect::<String>();
            let children = children.split_whitespace().filter_map(|pid| pid.parse().ok());
            processes.extend(children.map(|pid| (pid, line.clone())));
        }
        if own == 0 {
            return most;
        }
        most = most.max(own + shared);
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Of all files below, in bytes.
pub fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => size(&entry.path()),
            _ => entry.metadata().map_or(0, |metadata| metadata.len()),
        })
        .sum()
}

/// Of the documents and blobs of an image, where they are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Ping,
    Manifest,
    Config,
    Layer,
}

impl Place {
    /// The path, for an image with these parts, and what lies there.
    fn of(self, parts: &Parts) -> (String, Vec<u8>) {
        match self {
            Self::Ping => ("/v2/".into(), b"{}".to_vec()),
            Self::Manifest => ("/v2/x/manifests/1".into(), parts.manifest.to_string().into_bytes()),
            Self::Config => (parts.config_path(), parts.config.to_string().into_bytes()),
            Self::Layer => (parts.layer_path(), parts.layer.clone()),
        }
    }

    /// A registry that answers in its own way here, and as it should elsewhere. `reply` gets what lies there.
    fn spoiled(self, name: &str, says: &'static [&'static str], reply: impl Fn(Vec<u8>) -> Reply) -> Hostile {
        let parts = Parts::new();
        let (path, body) = self.of(&parts);
        let reply = reply(body);
        let name = format!("{name} ({self:?})");
        Hostile::new(name, says, parts, move |request, _| (request.path == path).then(|| reply.clone()))
    }
}
