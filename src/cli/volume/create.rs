//! `volume create`.

use std::process::ExitCode;

use clap::Args;

use crate::cli::{Context, Report, output, pairs};
use crate::container::mount::volumes;
use crate::container::{Error, name, state};
use crate::store::names;
use crate::store::volumes::{Volume, meaning};

/// Make a volume, which outlives the containers that use it
#[derive(Debug, Args)]
pub struct Create {
    /// `local`: in the store, in memory, or a directory of this machine
    #[arg(long, short, value_name = "DRIVER", default_value = "local", hide_default_value = true)]
    driver: String,
    /// One of this name that is there already is no failure
    #[arg(long)]
    ignore: bool,
    /// Set a label
    #[arg(long, short, value_name = "NAME[=VALUE]")]
    label: Vec<String>,
    /// `type=tmpfs`, or `type=none` and `device=DIRECTORY` with `o=bind`; further options in `o=`, such as `uid=`, `gid=`, `nocopy`
    #[arg(long = "opt", short, value_name = "NAME=VALUE")]
    options: Vec<String>,
    /// Its name [default: a random one]
    name: Option<String>,
}

impl Create {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let name = match self.name {
            Some(name) => name,
            None => name::random_id()?,
        };
        if names::check(&name).is_err() {
            return Err(Report::new(
                "running volume create option: names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument",
            ));
        }
        if self.driver != "local" {
            return Err(Report::new(format!(
                "volume {name} uses volume plugin {}, and there are no plugins",
                self.driver
            ))
            .hint("`local` is the only driver; `--opt` says what it is to do"));
        }
        let options = pairs(&self.options);
        meaning::of(&options).map_err(Error::from)?;
        let volume = Volume {
            created: state::now(),
            labels: pairs(&self.label),
            options,
            anonymous: false,
            fresh: true,
            name: name.clone(),
        };
        if !volumes::create(&context.store()?, &volume)? && !self.ignore {
            return Err(Report::new(format!("volume with name {name} already exists: volume already exists"))
                .hint("`--ignore` takes the one that is there"));
        }
        output::line(&name);
        Ok(ExitCode::SUCCESS)
    }
}
