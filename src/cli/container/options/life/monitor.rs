//! What a container's monitor does by itself: restarts, time limits, pid files, an init process.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::Report;
use crate::cli::container::options::value::absolute;
use crate::container::life::restart::RestartPolicy;
use crate::container::record::{Container, Init};
use crate::container::watch::service::Notify;

#[derive(Debug, Args)]
#[group(skip)]
pub struct Flags {
    /// Write the monitor's pid to this file when the program starts
    #[arg(long, value_name = "FILE")]
    conmon_pidfile: Option<PathBuf>,
    /// Run the program below an init process, which takes care of orphans and passes signals on
    #[arg(long)]
    init: bool,
    /// The init process of `--init`, a program of this machine [default: one of this program's own]
    #[arg(long, value_name = "PATH")]
    init_path: Option<PathBuf>,
    /// Write the program's pid to this file when it starts
    #[arg(long, value_name = "FILE")]
    pidfile: Option<PathBuf>,
    /// Start the program again when it has ended: `no`, `on-failure[:N]`, `always` or `unless-stopped`
    #[arg(long, value_name = "POLICY", default_value = "no", hide_default_value = true)]
    restart: String,
    /// Who tells the service manager that the container is ready: `container`, its program; `conmon`, this program when that runs;
    /// `healthy`, at the first health check that is passed; `ignore`, nobody
    #[arg(long, value_name = "MODE", default_value = "container", hide_default_value = true)]
    sdnotify: String,
    /// Kill the program when it has run for this long; 0: never
    #[arg(long, value_name = "SECONDS", default_value_t = 0, hide_default_value = true)]
    timeout: u32,
}

impl Flags {
    pub fn fill(&self, container: &mut Container) -> Result<(), Report> {
        container.restart = self.restart.parse().map_err(Report::new)?;
        if container.remove && container.restart != RestartPolicy::No {
            return Err(Report::new(
                "the --rm option conflicts with --restart, when the restartPolicy is not \"\" and \"no\"",
            )
            .hint("without `--rm` it stays when it has ended, and is started again"));
        }
        container.timeout = self.timeout;
        container.pid_file = self.pidfile.as_ref().map(absolute).transpose()?;
        container.monitor_pid_file = self.conmon_pidfile.as_ref().map(absolute).transpose()?;
        container.init = match (self.init, &self.init_path) {
            (true, Some(path)) => Some(Init::Program(program(path)?)),
            (true, None) => Some(Init::Own),
            (false, _) => None,
        };
        let named = |(name, _): &&(&str, Notify)| *name == self.sdnotify;
        let Some((_, notify)) = Notify::ALL.iter().find(named) else {
            return Err(Report::new(format!(
                "invalid sdnotify value \"{}\": must be container, conmon, healthy or ignore",
                self.sdnotify
            )));
        };
        container.notify = *notify;
        Ok(())
    }
}

fn program(path: &Path) -> Result<PathBuf, Report> {
    let found = std::fs::canonicalize(path);
    found.map_err(|error| Report::new(format!("the init program `{}` can't be used: {error}", path.display())))
}
