//! `manifest push`: a list and its images to a registry.

use std::process::ExitCode;

use clap::Args;

use crate::cli::image::push::{Options, destination};
use crate::cli::image::remove::{Containers, clear};
use crate::cli::{Context, Report};
use crate::image::manifest::Open;
use crate::image::remove::Removal;

/// Push a list and its images to a registry
#[derive(Debug, Args)]
pub struct Push {
    /// `false`: push the list alone; the registry has its images already [default: true]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(hide_possible_values = true)]
    all: Option<bool>,
    /// Remove the list here once it is there
    #[arg(long)]
    rm: bool,
    #[command(flatten)]
    options: Options,
    /// The name or id of the list
    list: String,
    /// The name that it gets: `registry/path:tag` [default: the same]
    destination: Option<String>,
}

impl Push {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let open = Open::read(&store, &self.list)?;
        let to = destination(self.destination.as_ref().unwrap_or(&self.list))?;
        self.options.push(&store, &to, |push, to| push.index(&open, self.all.unwrap_or(true), to))?;
        if self.rm {
            let removed = (Removal { names: true }).run(&store, open.id().hex(), &Containers(&store))?;
            clear(&store, removed)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
