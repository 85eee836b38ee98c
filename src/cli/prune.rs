//! What the `prune` commands have in common: of several kinds of things some go, and some may fail to.

use std::process::ExitCode;

use super::{Report, output};

/// What is gone, and what could not be removed.
#[derive(Debug, Default)]
pub struct Removed {
    pub ids: Vec<String>,
    pub bytes: u64,
    pub failed: Option<Report>,
}

impl Removed {
    pub fn fail(&mut self, report: Report) {
        match &mut self.failed {
            Some(failed) => failed.join(report),
            None => self.failed = Some(report),
        }
    }

    /// A line each for what is gone.
    pub fn show(&self) {
        self.ids.iter().for_each(|id| output::line(id));
    }

    /// What the command ends with.
    pub fn end(self) -> Result<ExitCode, Report> {
        self.failed.map_or(Ok(ExitCode::SUCCESS), Err)
    }
}
