//! `builder` and `buildx`: Docker's spellings of `build`, and of what is done about what it remembers.

mod du;
mod prune;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::cli::image::build::Build;
use crate::cli::{Context, Report, output};

/// Build images, and clear what builds remember
#[derive(Debug, Args)]
pub struct Builder {
    #[command(subcommand)]
    command: OfBuilder,
}

#[derive(Debug, Subcommand)]
enum OfBuilder {
    Build(Box<Build>),
    Prune(prune::Prune),
}

impl Builder {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        match self.command {
            OfBuilder::Build(command) => command.run(context),
            OfBuilder::Prune(command) => command.run(context),
        }
    }
}

/// Build images, as with Docker's plugin of that name
#[derive(Debug, Args)]
pub struct Buildx {
    #[command(subcommand)]
    command: OfBuildx,
}

#[derive(Debug, Subcommand)]
enum OfBuildx {
    #[command(visible_alias = "b")]
    Build(Box<Build>),
    Du(du::Du),
    Inspect(Inspect),
    Ls(Ls),
    Prune(prune::Prune),
    Version(Version),
}

impl Buildx {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        match self.command {
            OfBuildx::Build(command) => command.run(context),
            OfBuildx::Du(command) => command.run(context),
            OfBuildx::Inspect(command) => command.run(),
            OfBuildx::Ls(command) => command.run(),
            OfBuildx::Prune(command) => command.run(context),
            OfBuildx::Version(command) => command.run(),
        }
    }
}

/// Show the builder, of which there is one
#[derive(Debug, Args)]
pub struct Inspect {
    /// Accepted for scripts: it needs no start
    #[arg(long, hide = true)]
    bootstrap: bool,
    /// Its name: `default`
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

impl Inspect {
    fn run(self) -> Result<ExitCode, Report> {
        if let Some(name) = self.name.filter(|name| name != "default") {
            return Err(Report::new(format!("no builder \"{name}\" found")).hint("there is one builder, `default`"));
        }
        let platform = crate::oci::Platform::host();
        output::print(&format!(
            "Name:          default\nDriver:        coracle\n\nNodes:\nName:      default\nStatus:    running\nPlatforms: {platform}\n"
        ));
        Ok(ExitCode::SUCCESS)
    }
}

/// List the builders, of which there is one
#[derive(Debug, Args)]
pub struct Ls {}

impl Ls {
    fn run(self) -> Result<ExitCode, Report> {
        let Self {} = self;
        let row = |words: [&str; 4]| words.map(str::to_owned).to_vec();
        let platform = crate::oci::Platform::host().to_string();
        let rows = [
            row(["NAME/NODE", "DRIVER/ENDPOINT", "STATUS", "PLATFORMS"]),
            row(["default*", "coracle", "running", &platform]),
        ];
        output::print(&output::table::table(&rows));
        Ok(ExitCode::SUCCESS)
    }
}

/// Show the version of the program
#[derive(Debug, Args)]
pub struct Version {}

impl Version {
    fn run(self) -> Result<ExitCode, Report> {
        let Self {} = self;
        output::line(concat!("coracle buildx ", env!("CARGO_PKG_VERSION")));
        Ok(ExitCode::SUCCESS)
    }
}
