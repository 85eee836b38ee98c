//! `system check`: whether what the store holds is whole.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use crate::cli::output::{self, time};
use crate::cli::{Context, Report};
use crate::container::check::{self, Damage, Subject};

/// Look whether images, layers, containers, volumes and secrets are whole
#[derive(Debug, Args)]
pub struct Check {
    /// Remove damaged containers, volumes and secrets, too
    #[arg(long, short)]
    force: bool,
    /// How old something may be that nothing uses
    #[arg(long, short, value_name = "DURATION", default_value = "24h", value_parser = duration)]
    max: Duration,
    /// Do not read every file
    #[arg(long, short)]
    quick: bool,
    /// Remove damaged images and layers, and what is old and unused
    #[arg(long, short)]
    repair: bool,
}

fn duration(text: &str) -> Result<Duration, String> {
    time::go_duration(text)
        .and_then(|time| time.to_std().ok())
        .ok_or_else(|| format!("`{text}` is not a duration: write `24h` or `1h30m`"))
}

impl Check {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let found = check::Check { quick: self.quick, max_age: self.max }.run(&store)?;
        let mut left = false;
        // A layer goes after the containers that would keep it.
        let (containers, rest): (Vec<&Damage>, Vec<&Damage>) =
            found.iter().partition(|damage| matches!(damage.subject, Subject::Container(_)));
        for damage in containers.into_iter().chain(rest) {
            let repaired = (self.repair || self.force) && check::repair(&store, damage, self.force)?;
            left |= !repaired;
            let removed = if repaired { ": removed" } else { "" };
            output::line(&output::printable(&format!("Damaged {}: {}{removed}", words(&damage.subject), damage.why)));
        }
        if !left {
            return Ok(ExitCode::SUCCESS);
        }
        let hint = match self.repair {
            true => "`--force` removes damaged containers, volumes and secrets, too",
            false => {
                "`--repair` removes damaged images, which can be pulled again; `--force` containers, volumes and secrets, too"
            }
        };
        Err(Report::new("damage detected in local storage").hint(hint))
    }
}

fn words(subject: &Subject) -> String {
    match subject {
        Subject::Blob(digest) => format!("blob {digest}"),
        Subject::Layer(mode, digest) => format!("layer {} ({})", digest, mode.name()),
        Subject::Image(_, name) => format!("image {name}"),
        Subject::Container(id) => format!("container {id}"),
        Subject::Volume(name) => format!("volume {name}"),
        Subject::Secret(path) => format!("secret {}", path.display()),
    }
}
