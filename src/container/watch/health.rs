//! Health checks: what was asked for, and what the monitor found.
//!
//! ```text
//! containers/<id>/health.json    written by the monitor alone, after each check; or
//! DIRECTORY/<id>-healthcheck.log with --health-log-destination=DIRECTORY
//!
//!            success                      `retries` failures in a row
//! starting ──────────▶ healthy ◀────────────────────────────────▶ unhealthy ──▶ on-failure: kill, restart, stop
//!    (failures of the first `start_period` do not count; with a startup check, it comes first)
//! ```

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::store::records::Record;

/// How to tell whether a container is well.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// `CMD` and words, or `CMD-SHELL` and a line for the shell.
    pub test: Vec<String>,
    /// Times in nanoseconds. From the end of one check to the next; 0: only when asked.
    pub interval: u64,
    /// A check that takes longer is killed, and has failed.
    pub timeout: u64,
    /// Failures of this time after the start do not count.
    pub start_period: u64,
    /// So many failures in a row make it unhealthy; of a startup check 0: never.
    pub retries: u32,
    /// Of a startup check: so many successes end it.
    pub successes: u32,
}

impl Check {
    /// The command line.
    pub fn args(&self) -> Vec<String> {
        match self.test.split_first() {
            Some((kind, rest)) if kind == "CMD-SHELL" => vec!["sh".into(), "-c".into(), rest.join(" ")],
            Some((_, rest)) => rest.to_vec(),
            None => Vec::new(),
        }
    }
}

/// What happens to a container that has become unhealthy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    #[default]
    None,
    Kill,
    Restart,
    Stop,
}

impl OnFailure {
    /// As `--health-on-failure` and `inspect` call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Kill => "kill",
            Self::Restart => "restart",
            Self::Stop => "stop",
        }
    }
}

/// All that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HealthConfig {
    pub check: Check,
    /// What must succeed first.
    pub startup: Option<Check>,
    pub on_failure: OnFailure,
    /// The directory that was named for the log.
    pub log_directory: Option<PathBuf>,
    /// How many checks are remembered, and how many bytes of the output of each; 0: as many as [`MOST_CHECKS`] and [`MOST_OUTPUT`].
    pub max_log_count: usize,
    pub max_log_size: usize,
}

pub const MOST_CHECKS: usize = 100;
pub const MOST_OUTPUT: usize = 4000;

impl HealthConfig {
    /// As `--health-log-destination` has it.
    pub fn log_destination(&self) -> &Path {
        self.log_directory.as_deref().unwrap_or(Path::new("local"))
    }

    /// Where the state of a container in `directory` is.
    pub fn path(&self, directory: &Path, id: &str) -> PathBuf {
        match &self.log_directory {
            Some(log) => log.join(format!("{id}-healthcheck.log")),
            None => directory.join("health.json"),
        }
    }

    /// How long a check may take.
    pub fn longest(&self) -> Duration {
        let startup = self.startup.as_ref().map_or(0, |check| check.timeout);
        Duration::from_nanos(startup.max(self.check.timeout))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It has never run.
    #[default]
    #[serde(rename = "")]
    None,
    Starting,
    Healthy,
    Unhealthy,
}

impl Status {
    /// As `inspect` and `ps` call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Starting => "starting",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// What is known, under Podman's keys.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Health {
    pub status: Status,
    /// Failures in a row that counted.
    pub failing_streak: u32,
    /// The last checks, oldest first.
    pub log: Vec<Entry>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Entry {
    /// RFC 3339.
    pub start: String,
    pub end: String,
    /// -1: it was killed when its time was over.
    pub exit_code: i32,
    pub output: String,
}

impl Record for Health {
    const KIND: &'static str = "health";
    const VERSION: u32 = 1;
}

impl Health {
    /// Adds what a check found; `counts`: a failure is one.
    pub fn add(&mut self, config: &HealthConfig, entry: Entry, counts: bool) {
        if entry.exit_code == 0 {
            self.status = Status::Healthy;
            self.failing_streak = 0;
        } else if counts {
            self.failing_streak += 1;
            if self.failing_streak >= config.check.retries {
                self.status = Status::Unhealthy;
            }
        }
        self.remember(config, entry);
    }

    /// Adds what a check found that does not decide: a startup check.
    pub fn remember(&mut self, config: &HealthConfig, entry: Entry) {
        self.log.push(entry);
        let most = if config.max_log_count == 0 { MOST_CHECKS } else { config.max_log_count.min(MOST_CHECKS) };
        self.log.drain(..self.log.len().saturating_sub(most));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(retries: u32) -> HealthConfig {
        let check = Check { test: vec!["CMD-SHELL".into(), "a".into(), "b".into()], retries, ..Check::default() };
        let on_failure = OnFailure::None;
        HealthConfig { check, startup: None, on_failure, log_directory: None, max_log_count: 2, max_log_size: 0 }
    }

    fn entry(exit_code: i32) -> Entry {
        Entry { start: String::new(), end: String::new(), exit_code, output: String::new() }
    }

    #[test]
    fn failures_in_a_row_decide() {
        let config = config(2);
        let mut health = Health { status: Status::Starting, ..Health::default() };
        let mut add = |code, counts| {
            health.add(&config, entry(code), counts);
            (health.status, health.failing_streak, health.log.len())
        };
        assert_eq!(add(1, false), (Status::Starting, 0, 1));
        assert_eq!(add(1, true), (Status::Starting, 1, 2));
        assert_eq!(add(0, true), (Status::Healthy, 0, 2));
        assert_eq!(add(-1, true), (Status::Healthy, 1, 2));
        assert_eq!(add(1, true), (Status::Unhealthy, 2, 2));
        assert_eq!(add(0, false), (Status::Healthy, 0, 2));
        assert_eq!(config.check.args(), ["sh", "-c", "a b"]);
    }

    #[test]
    fn it_is_written_under_podmans_keys() {
        let health = Health { status: Status::Healthy, failing_streak: 0, log: vec![entry(0)] };
        let expected =
            r#"{"Status":"healthy","FailingStreak":0,"Log":[{"Start":"","End":"","ExitCode":0,"Output":""}]}"#;
        assert_eq!(serde_json::to_string(&health).unwrap(), expected);
        assert_eq!(serde_json::to_value(Health::default()).unwrap()["Status"], "");
    }
}
