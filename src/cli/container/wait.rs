//! `wait`: until the end, or until something else is so; prints the exit code.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::latest::latest;
use crate::cli::output::time;
use crate::cli::{Context, Report, output};
use crate::container::find;
use crate::container::life::wait::{Condition, Waiting, wait};
use crate::container::{self, Error};

/// Wait until containers have ended and print their exit codes
#[derive(Debug, Args)]
pub struct Wait {
    /// Wait for this: `created`, `running`, `exited`, `removing`, `healthy`, … [default: exited]
    #[arg(long, value_name = "CONDITION", value_delimiter = ',')]
    condition: Vec<String>,
    /// Wait until one of the containers is so, not for each in turn
    #[arg(long, alias = "return-on-first")]
    exit_first_match: bool,
    /// Names that no container has are no failure: their code is -1
    #[arg(long)]
    ignore: bool,
    /// Look this often for what tells nobody of a change, in milliseconds or as `5s`
    #[arg(long, short, value_name = "TIME", default_value = "250ms", hide_default_value = true)]
    interval: String,
    /// The container that was created last
    #[arg(long, short)]
    latest: bool,
    /// Names or IDs
    containers: Vec<String>,
}

impl Wait {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let interval = self.interval()?;
        let conditions = self.condition.iter().map(|text| text.parse()).collect::<Result<Vec<Condition>, Error>>()?;
        let store = context.store()?;
        // All before the first one's end: the others may have gone by then.
        let mut containers: Vec<Option<Waiting>> = Vec::new();
        match (self.latest, self.containers.is_empty()) {
            (true, true) => containers.push(Some(Waiting::on(latest(&store)?)?)),
            (true, false) => return Err(Report::new("--latest and containers cannot be used together")),
            (false, true) => return Err(Report::new("wait requires a name, id, or the \"--latest\" flag")),
            (false, false) => {}
        }
        for name in &self.containers {
            match find::find(&store, name) {
                Err(Error::NotFound(_)) if self.ignore => containers.push(None),
                other => containers.push(Some(Waiting::on(other?)?)),
            }
        }
        if self.exit_first_match {
            let containers: Vec<Waiting> = containers.into_iter().flatten().collect();
            print(wait(&containers, &conditions, interval)?);
            return Ok(ExitCode::SUCCESS);
        }
        for waiting in containers {
            let wait = |waiting| wait(std::slice::from_ref(&waiting), &conditions, interval);
            print(waiting.map_or(Ok::<_, container::Error>(None), wait)?);
        }
        Ok(ExitCode::SUCCESS)
    }

    fn interval(&self) -> Result<Duration, Report> {
        let bad = || Report::new(format!("invalid interval `{}`", self.interval)).hint("`250` is one, and `5s`");
        if let Ok(milliseconds) = self.interval.parse() {
            return Ok(Duration::from_millis(milliseconds));
        }
        time::go_duration(&self.interval).and_then(|duration| duration.to_std().ok()).ok_or_else(bad)
    }
}

fn print(code: Option<i32>) {
    // Podman's word for a code that nobody knows.
    output::line(&code.unwrap_or(-1).to_string());
}
