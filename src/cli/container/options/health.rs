//! Health checks: the image's, changed by flags.

use std::path::PathBuf;

use clap::Args;

use super::value::absolute;
use crate::cli::Report;
use crate::cli::output::time;
use crate::container::record::Container;
use crate::container::watch::health::{Check, HealthConfig, OnFailure};
use crate::container::watch::service::Notify;
use crate::oci::image_config::{Healthcheck, RunConfig};

/// Nanoseconds.
const SECOND: u64 = 1_000_000_000;
const INTERVAL: u64 = 30 * SECOND;
const TIMEOUT: u64 = 30 * SECOND;
const RETRIES: u32 = 3;
pub const LOG_COUNT: usize = 5;
pub const LOG_SIZE: usize = 500;

#[derive(Debug, Args)]
#[command(next_help_heading = "Health")]
#[group(skip)]
pub struct Flags {
    /// Check in the container whether it is well: a line for its shell, or a JSON list of words; `none`: do not [default: the image's]
    #[arg(long, value_name = "COMMAND")]
    health_cmd: Option<String>,
    /// Pause between two checks, as `30s`; `disable`: only when asked [default: 30s]
    #[arg(long, value_name = "TIME")]
    health_interval: Option<String>,
    /// Keep what checks find in a file of this directory; `local`: with the container [default: local]
    #[arg(long, value_name = "DIRECTORY")]
    health_log_destination: Option<String>,
    /// How many checks are remembered, at most 100; 0: 100 [default: 5]
    #[arg(long, value_name = "N")]
    health_max_log_count: Option<usize>,
    /// How many bytes of the output of each, at most 4000; 0: 4000 [default: 500]
    #[arg(long, value_name = "N")]
    health_max_log_size: Option<usize>,
    /// What happens when it is unhealthy: `none`, `kill`, `restart` or `stop` [default: none]
    #[arg(long, value_name = "ACTION")]
    health_on_failure: Option<String>,
    /// So many failures in a row make it unhealthy [default: 3]
    #[arg(long, value_name = "N")]
    health_retries: Option<u32>,
    /// Time after the start in which failures do not count [default: 0s]
    #[arg(long, value_name = "TIME")]
    health_start_period: Option<String>,
    /// Another command, which must succeed before the checks begin
    #[arg(long, value_name = "COMMAND")]
    health_startup_cmd: Option<String>,
    /// Pause between two runs of it; `disable`: only when asked [default: 30s]
    #[arg(long, value_name = "TIME")]
    health_startup_interval: Option<String>,
    /// So many failures of it in a row restart the container; 0: none do [default: 0]
    #[arg(long, value_name = "N")]
    health_startup_retries: Option<u32>,
    /// So many successes of it are needed [default: 1]
    #[arg(long, value_name = "N")]
    health_startup_success: Option<u32>,
    /// A run of it that takes longer is killed [default: 30s]
    #[arg(long, value_name = "TIME")]
    health_startup_timeout: Option<String>,
    /// A check that takes longer is killed, and has failed [default: 30s]
    #[arg(long, value_name = "TIME")]
    health_timeout: Option<String>,
    /// Do not check, whatever the image says
    #[arg(long)]
    no_healthcheck: bool,
}

impl Flags {
    pub fn fill(&self, container: &mut Container, config: &RunConfig) -> Result<(), Report> {
        let of_image = config.healthcheck.as_ref().map_or_else(usual, of_image);
        container.health = self.change(of_image, container.remove)?;
        if container.notify == Notify::Healthy && container.health.is_none() {
            return Err(Report::new("sdnotify policy \"healthy\" requires a healthcheck to be set")
                .hint("`--health-cmd` sets it"));
        }
        Ok(())
    }

    /// Changes what a container has; `false`: nothing is said.
    pub fn update(&self, container: &mut Container) -> Result<bool, Report> {
        if !self.says_something() {
            return Ok(false);
        }
        if container.health.is_none() && self.health_cmd.is_none() && !self.no_healthcheck {
            return Err(Report::new("healthcheck command is not set").hint("`--health-cmd` sets it"));
        }
        container.health = self.change(container.health.take().unwrap_or_else(usual), container.remove)?;
        Ok(true)
    }

    /// What is not said stays. `None`: there is nothing to be checked.
    fn change(&self, mut health: HealthConfig, removes_itself: bool) -> Result<Option<HealthConfig>, Report> {
        if self.no_healthcheck && self.health_cmd.is_some() {
            return Err(Report::new("cannot specify both --no-healthcheck and --health-cmd"));
        }
        self.change_check(&mut health.check)?;
        self.change_startup(&mut health.startup)?;
        if let Some(action) = &self.health_on_failure {
            health.on_failure = on_failure(action)?;
        }
        if health.on_failure == OnFailure::Restart && removes_itself {
            return Err(
                Report::new("--health-on-failure=restart conflicts with --rm").hint("`kill` and `stop` go with it")
            );
        }
        if let Some(destination) = &self.health_log_destination {
            health.log_directory = log_directory(destination)?;
        }
        health.max_log_count = self.health_max_log_count.unwrap_or(health.max_log_count);
        health.max_log_size = self.health_max_log_size.unwrap_or(health.max_log_size);
        let test = &health.check.test;
        let checked = !self.no_healthcheck && test.first().is_some_and(|kind| kind != "NONE");
        if !checked && self.health_startup_cmd.is_some() {
            return Err(Report::new(
                "cannot set a startup healthcheck when there is no regular healthcheck: invalid argument",
            ));
        }
        Ok(checked.then_some(health))
    }

    fn change_check(&self, check: &mut Check) -> Result<(), Report> {
        if let Some(command) = &self.health_cmd {
            check.test = test(command)?;
        }
        if let Some(text) = &self.health_interval {
            check.interval = interval("healthcheck-interval", text)?;
        }
        if let Some(text) = &self.health_timeout {
            check.timeout = timeout("healthcheck-timeout", text)?;
        }
        if let Some(text) = &self.health_start_period {
            check.start_period = nanoseconds("healthcheck-start-period", text)?;
        }
        check.retries = match self.health_retries {
            Some(0) => return Err(Report::new("healthcheck-retries must be greater than 0")),
            said => said.unwrap_or(check.retries),
        };
        Ok(())
    }

    fn change_startup(&self, startup: &mut Option<Check>) -> Result<(), Report> {
        if let Some(command) = &self.health_startup_cmd {
            let usual = Check { interval: INTERVAL, timeout: TIMEOUT, ..Check::default() };
            startup.get_or_insert(usual).test = test(command)?;
        }
        let Some(check) = startup else { return Ok(()) };
        if let Some(text) = &self.health_startup_interval {
            check.interval = interval("healthcheck-startup-interval", text)?;
        }
        if let Some(text) = &self.health_startup_timeout {
            check.timeout = timeout("healthcheck-startup-timeout", text)?;
        }
        check.retries = self.health_startup_retries.unwrap_or(check.retries);
        check.successes = self.health_startup_success.unwrap_or(check.successes);
        Ok(())
    }

    fn says_something(&self) -> bool {
        let words = [
            &self.health_cmd,
            &self.health_interval,
            &self.health_log_destination,
            &self.health_on_failure,
            &self.health_start_period,
            &self.health_startup_cmd,
            &self.health_startup_interval,
            &self.health_startup_timeout,
            &self.health_timeout,
        ];
        let counts = [self.health_retries, self.health_startup_retries, self.health_startup_success];
        self.no_healthcheck
            || words.iter().any(|word| word.is_some())
            || counts.iter().any(Option::is_some)
            || self.health_max_log_count.or(self.health_max_log_size).is_some()
    }
}

/// What applies where nobody says it; there is no test yet.
fn usual() -> HealthConfig {
    HealthConfig {
        check: Check { interval: INTERVAL, timeout: TIMEOUT, retries: RETRIES, ..Check::default() },
        startup: None,
        on_failure: OnFailure::None,
        log_directory: None,
        max_log_count: LOG_COUNT,
        max_log_size: LOG_SIZE,
    }
}

/// What an image does not say, or says as 0, is as usual.
fn of_image(image: &Healthcheck) -> HealthConfig {
    let or = |value: Option<i64>, usual: u64| {
        value.and_then(|value| u64::try_from(value).ok()).filter(|value| *value > 0).unwrap_or(usual)
    };
    let check = Check {
        test: image.test.clone(),
        interval: or(image.interval, INTERVAL),
        timeout: or(image.timeout, TIMEOUT),
        start_period: or(image.start_period, 0),
        retries: u32::try_from(or(image.retries, RETRIES.into())).unwrap_or(RETRIES),
        successes: 0,
    };
    HealthConfig { check, ..usual() }
}

fn on_failure(action: &str) -> Result<OnFailure, Report> {
    let known = [OnFailure::None, OnFailure::Kill, OnFailure::Restart, OnFailure::Stop];
    known.into_iter().find(|known| known.name() == action).ok_or_else(|| {
        Report::new(format!(
            "invalid on-failure action \"{action}\" for health check: supported actions are none,kill,restart,stop"
        ))
    })
}

fn log_directory(destination: &str) -> Result<Option<PathBuf>, Report> {
    match destination {
        "local" => Ok(None),
        "events_logger" => {
            Err(Report::new("what health checks print can't be kept as events")
                .hint("`local` keeps it with the container"))
        }
        directory => {
            let directory = absolute(directory)?;
            if !directory.is_dir() {
                let directory = directory.display();
                return Err(Report::new(format!("the directory `{directory}` of the health log does not exist")));
            }
            Ok(Some(directory))
        }
    }
}

/// The words of a test: as in an image, a JSON list, or a line for the shell.
fn test(command: &str) -> Result<Vec<String>, Report> {
    let list: Option<Vec<String>> = serde_json::from_str(command).ok();
    let words = list.clone().unwrap_or_else(|| command.split_whitespace().map(str::to_owned).collect());
    let shell = |line: String| vec!["CMD-SHELL".to_owned(), line];
    match words.first().map(|word| word.to_uppercase()).as_deref() {
        None => Err(Report::new("must define a healthcheck command for all healthchecks")),
        Some("NONE") => Ok(vec!["NONE".into()]),
        Some("CMD" | "CMD-SHELL") => Ok(words),
        Some(_) => Ok(match list {
            Some(list) if list.len() > 1 => [vec!["CMD".to_owned()], list].concat(),
            Some(list) => shell(list.concat()),
            None => shell(command.to_owned()),
        }),
    }
}

fn interval(name: &str, text: &str) -> Result<u64, Report> {
    if text == "disable" { Ok(0) } else { nanoseconds(name, text) }
}

fn timeout(name: &str, text: &str) -> Result<u64, Report> {
    let timeout = nanoseconds(name, text)?;
    if timeout < SECOND { Err(Report::new(format!("{name} must be at least 1 second"))) } else { Ok(timeout) }
}

fn nanoseconds(name: &str, text: &str) -> Result<u64, Report> {
    let duration = if text == "0" { Some(chrono::TimeDelta::zero()) } else { time::go_duration(text) };
    let nanoseconds = duration.and_then(|duration| u64::try_from(duration.num_nanoseconds()?).ok());
    nanoseconds
        .ok_or_else(|| Report::new(format!("invalid {name}: `{text}` is no duration")).hint("`30s` is, and `1m30s`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_words_or_lines() {
        let words = |command: &str| test(command).unwrap();
        assert_eq!(words("ls -l | wc"), ["CMD-SHELL", "ls -l | wc"]);
        assert_eq!(words(r#"["ls", "a b"]"#), ["CMD", "ls", "a b"]);
        assert_eq!(words(r#"["ls -l"]"#), ["CMD-SHELL", "ls -l"]);
        assert_eq!(words(r#"["CMD-SHELL", "ls -l"]"#), ["CMD-SHELL", "ls -l"]);
        assert_eq!(words("CMD ls -l"), ["CMD", "ls", "-l"]);
        assert_eq!(words("none"), ["NONE"]);
        assert!(test(" ").is_err());
    }

    #[test]
    fn times_are_read() {
        assert_eq!(interval("x", "1m30s").unwrap(), 90 * SECOND);
        assert_eq!((interval("x", "disable").unwrap(), interval("x", "0").unwrap()), (0, 0));
        assert!(timeout("x", "999ms").is_err() && interval("x", "5").is_err() && interval("x", "-5s").is_err());
    }
}
