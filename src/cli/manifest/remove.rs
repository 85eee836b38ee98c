//! `manifest remove`: an image out of a list.

use std::process::ExitCode;

use clap::Args;

use crate::cli::{Context, Report, output};
use crate::image::manifest;
use crate::oci::Digest;

/// Take an image out of a list
#[derive(Debug, Args)]
pub struct Remove {
    /// The name or id of the list
    list: String,
    /// The digest of the image's manifest
    digest: String,
}

impl Remove {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let digest: Digest = self.digest.parse().map_err(|error| {
            Report::new(error).hint(format!("`coracle manifest inspect {}` shows the digests", self.list))
        })?;
        let id = manifest::remove(&context.store()?, &self.list, &digest)?;
        output::line(id.hex());
        Ok(ExitCode::SUCCESS)
    }
}
