//! `buildx du`: how much disk takes what builds remember.

use std::process::ExitCode;

use clap::Args;

use crate::build::prune::kept;
use crate::cli::output::{self, table, time};
use crate::cli::{Context, Report};

/// Characters of an instruction that are shown.
const SHOWN: usize = 60;

/// Show how much disk takes what builds remember
#[derive(Debug, Args)]
pub struct Du {
    /// Accepted for scripts: there is one builder
    #[arg(long, hide = true, value_name = "NAME")]
    builder: Option<String>,
    /// Each instruction whole
    #[arg(long)]
    verbose: bool,
}

impl Du {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let all = kept(&context.store()?)?;
        let heading = ["ID", "RECLAIMABLE", "SIZE", "WHAT"].map(str::to_owned).to_vec();
        let rows = all.iter().map(|kept| {
            let what = output::printable(&kept.what).replace(['\n', '\t'], " ");
            let what = if self.verbose { what } else { what.chars().take(SHOWN).collect() };
            vec![
                kept.id.get(..12).unwrap_or(&kept.id).to_owned(),
                (!kept.in_use).to_string(),
                time::go_size(kept.bytes),
                what,
            ]
        });
        output::print(&table::table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>()));
        let sum = |whole: bool| all.iter().filter(|kept| whole || !kept.in_use).map(|kept| kept.bytes).sum::<u64>();
        output::line(&format!("Reclaimable:\t{}\nTotal:\t\t{}", time::go_size(sum(false)), time::go_size(sum(true))));
        Ok(ExitCode::SUCCESS)
    }
}
