//! Health checks: the image's, changed by flags.

use std::path::PathBuf;

use clap::Args;

use crate::cli::Report;
use crate::cli::output::time;
use crate::container::record::Container;
use crate::container::watch::health::{Check, HealthConfig, OnFailure};
use crate::oci::image_config::{Healthcheck, RunConfig};

/// Nanoseconds.
const SECOND: u64 = 1_000_000_000;
const INTERVAL: u64 = 30 * SECOND;
const TIMEOUT: u64 = 30 * SECOND;
const RETRIES: u32 = 3;
const LOG_COUNT: usize = 5;
const LOG_SIZE: usize = 500;

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
    /// Keep what checks find in a file of this directory; `local`: with the container
    #[arg(long, value_name = "DIRECTORY", default_value = "local", hide_default_value = true)]
    health_log_destination: String,
    /// How many checks are remembered, at most 100; 0: 100 [default: 5]
    #[arg(long, value_name = "N", default_value_t = LOG_COUNT, hide_default_value = true)]
    health_max_log_count: usize,
    /// How many bytes of the output of each, at most 4000; 0: 4000 [default: 500]
    #[arg(long, value_name = "N", default_value_t = LOG_SIZE, hide_default_value = true)]
    health_max_log_size: usize,
    /// What happens when it is unhealthy: `none`, `kill`, `restart` or `stop`
    #[arg(long, value_name = "ACTION", default_value = "none", hide_default_value = true)]
    health_on_failure: String,
    /// So many failures in a row make it unhealthy [default: 3]
    #[arg(long, value_name = "N")]
    health_retries: Option<u32>,
    /// Time after the start in which failures do not count [default: 0s]
    #[arg(long, value_name = "TIME")]
    health_start_period: Option<String>,
    /// Another command, which must succeed before the checks begin
    #[arg(long, value_name = "COMMAND")]
    health_startup_cmd: Option<String>,
    /// Pause between two runs of it; `disable`: only when asked
    #[arg(long, value_name = "TIME", default_value = "30s", hide_default_value = true)]
    health_startup_interval: String,
    /// So many failures of it in a row restart the container; 0: none do
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    health_startup_retries: u32,
    /// So many successes of it are needed
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    health_startup_success: u32,
    /// A run of it that takes longer is killed
    #[arg(long, value_name = "TIME", default_value = "30s", hide_default_value = true)]
    health_startup_timeout: String,
    /// A check that takes longer is killed, and has failed [default: 30s]
    #[arg(long, value_name = "TIME")]
    health_timeout: Option<String>,
    /// Do not check, whatever the image says
    #[arg(long)]
    no_healthcheck: bool,
}

impl Flags {
    pub fn fill(&self, container: &mut Container, config: &RunConfig) -> Result<(), Report> {
        if self.no_healthcheck && self.health_cmd.is_some() {
            return Err(Report::new("cannot specify both --no-healthcheck and --health-cmd"));
        }
        let on_failure = self.on_failure()?;
        if on_failure == OnFailure::Restart && container.remove {
            return Err(
                Report::new("--health-on-failure=restart conflicts with --rm").hint("`kill` and `stop` go with it")
            );
        }
        let none = Healthcheck::default();
        let of_image = config.healthcheck.as_ref().unwrap_or(&none);
        let test = match &self.health_cmd {
            Some(command) => test(command)?,
            None => of_image.test.clone(),
        };
        let check = self.check(test, of_image)?;
        let startup = self.startup()?;
        if self.no_healthcheck || check.test.is_empty() || check.test.first().is_some_and(|kind| kind == "NONE") {
            if startup.is_some() {
                return Err(Report::new(
                    "cannot set a startup healthcheck when there is no regular healthcheck: invalid argument",
                ));
            }
            return Ok(());
        }
        container.health = Some(HealthConfig {
            check,
            startup,
            on_failure,
            log_directory: self.log_directory()?,
            max_log_count: self.health_max_log_count,
            max_log_size: self.health_max_log_size,
        });
        Ok(())
    }

    /// What is not said is as the image has it.
    fn check(&self, test: Vec<String>, of_image: &Healthcheck) -> Result<Check, Report> {
        let image = |value: Option<i64>, default: u64| {
            value.and_then(|value| u64::try_from(value).ok()).filter(|value| *value > 0).unwrap_or(default)
        };
        let retries = match self.health_retries {
            Some(0) => return Err(Report::new("healthcheck-retries must be greater than 0")),
            Some(retries) => retries,
            None => u32::try_from(image(of_image.retries, RETRIES.into())).unwrap_or(RETRIES),
        };
        let interval = self.health_interval.as_deref().map(|text| interval("healthcheck-interval", text));
        let timeout = self.health_timeout.as_deref().map(|text| timeout("healthcheck-timeout", text));
        let period = self.health_start_period.as_deref().map(|text| nanoseconds("healthcheck-start-period", text));
        Ok(Check {
            test,
            interval: interval.unwrap_or_else(|| Ok(image(of_image.interval, INTERVAL)))?,
            timeout: timeout.unwrap_or_else(|| Ok(image(of_image.timeout, TIMEOUT)))?,
            start_period: period.unwrap_or_else(|| Ok(image(of_image.start_period, 0)))?,
            retries,
            successes: 0,
        })
    }

    fn startup(&self) -> Result<Option<Check>, Report> {
        let Some(command) = &self.health_startup_cmd else { return Ok(None) };
        Ok(Some(Check {
            test: test(command)?,
            interval: interval("healthcheck-startup-interval", &self.health_startup_interval)?,
            timeout: timeout("healthcheck-startup-timeout", &self.health_startup_timeout)?,
            start_period: 0,
            retries: self.health_startup_retries,
            successes: self.health_startup_success,
        }))
    }

    fn on_failure(&self) -> Result<OnFailure, Report> {
        let known = [OnFailure::None, OnFailure::Kill, OnFailure::Restart, OnFailure::Stop];
        known.into_iter().find(|action| action.name() == self.health_on_failure).ok_or_else(|| {
            let action = &self.health_on_failure;
            Report::new(format!(
                "invalid on-failure action \"{action}\" for health check: supported actions are none,kill,restart,stop"
            ))
        })
    }

    fn log_directory(&self) -> Result<Option<PathBuf>, Report> {
        match self.health_log_destination.as_str() {
            "local" => Ok(None),
            "events_logger" => Err(Report::new("what health checks print can't be kept as events")
                .hint("`local` keeps it with the container")),
            directory => {
                let directory = std::path::absolute(directory).map_err(Report::new)?;
                if !directory.is_dir() {
                    let directory = directory.display();
                    return Err(Report::new(format!("the directory `{directory}` of the health log does not exist")));
                }
                Ok(Some(directory))
            }
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
