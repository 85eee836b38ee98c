//! `manifest rm`: lists out of the store.

use std::process::ExitCode;

use clap::Args;

use crate::cli::image::remove::{Containers, finish, report};
use crate::cli::{Context, Report};
use crate::image::Error;
use crate::image::manifest::Open;
use crate::image::remove::Removal;

/// Remove lists; their images stay where they have names of their own
#[derive(Debug, Args)]
pub struct Rm {
    /// A list that is not here is no failure
    #[arg(long, short)]
    ignore: bool,
    /// Names or ids of lists
    #[arg(required = true, value_name = "LIST")]
    lists: Vec<String>,
}

impl Rm {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let mut failure = None::<Report>;
        for list in &self.lists {
            let removed = Open::read(&store, list)
                .and_then(|_| (Removal { names: false }).run(&store, list, &Containers(&store)));
            let report = match removed {
                Ok(removed) => {
                    finish(&store, removed)?;
                    continue;
                }
                Err(Error::Unknown { .. }) if self.ignore => continue,
                Err(error) => report(error),
            };
            match &mut failure {
                Some(failure) => failure.join(report),
                None => failure = Some(report),
            }
        }
        failure.map_or(Ok(ExitCode::SUCCESS), Err)
    }
}
