//! `update`: how a container is looked after, and what it may use, changed while it runs or before it does.

use std::process::ExitCode;

use clap::Args;

use crate::cli::container::options::health;
use crate::cli::container::options::limits::{group, resources};
use crate::cli::{Context, Report, output};
use crate::container::life::restart::RestartPolicy;
use crate::container::{find, life};

/// Change a container's limits, restart policy and health checks
#[derive(Debug, Args)]
pub struct Update {
    #[command(flatten)]
    health: health::Flags,
    #[command(flatten)]
    resources: resources::Flags,
    /// Start the program again when it has ended: `no`, `on-failure[:N]`, `always` or `unless-stopped`
    #[arg(long, value_name = "POLICY")]
    restart: Option<String>,
    /// Name or ID
    container: String,
}

impl Update {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let (mut found, _lock) = find::to_change(&store, &self.container)?;
        let container = &mut found.container;
        let mut changed = self.health.update(container)?;
        if self.resources.fill(&mut container.cgroup.limits)? {
            group::check(container)?;
            changed = true;
        }
        if let Some(policy) = &self.restart {
            container.restart = policy.parse().map_err(Report::new)?;
            if container.remove && container.restart != RestartPolicy::No {
                return Err(
                    Report::new("a container that removes itself is not restarted").hint("make it without `--rm`")
                );
            }
            changed = true;
        }
        if changed {
            found.fails(life::update::update(&store, &found))?;
        }
        output::line(&found.container.id);
        Ok(ExitCode::SUCCESS)
    }
}
