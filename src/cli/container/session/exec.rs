//! `exec`: one more command in a container that runs.

use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use rustix::fs::{Mode, OFlags};

use super::detach_keys::{self, DetachKeys};
use super::direct::Direct;
use super::foreground::{self, Foreground};
use super::handed_on;
use crate::cli::container::latest::latest;
use crate::cli::container::options::environment::Environment;
use crate::cli::{Context, Report, output};
use crate::container::find::{self, Found};
use crate::container::into::exec::{Command, How, exec};
use crate::container::job::Streams;
use crate::container::{Error, name};
use crate::store::Store;
use crate::sys::Call;

/// Run a command in a running container
#[derive(Debug, Args)]
pub struct Exec {
    /// Read the container's ID from this file
    #[arg(long, value_name = "FILE")]
    cidfile: Option<PathBuf>,
    /// Leave the command running and print the ID of its session
    #[arg(long, short)]
    detach: bool,
    /// Keys that leave the command and let it run on; an empty text: none do
    #[arg(long, value_name = "KEYS", default_value = detach_keys::DEFAULT, hide_default_value = true)]
    detach_keys: String,
    /// Set a variable; without a value it is taken from the environment, `PREFIX*` takes all that begin so
    #[arg(long, short, value_name = "NAME[=VALUE]")]
    env: Vec<String>,
    /// Read variables from a file, one a line
    #[arg(long, value_name = "FILE")]
    env_file: Vec<PathBuf>,
    /// Feed standard input to the command
    #[arg(long, short)]
    interactive: bool,
    /// In the container that was created last
    #[arg(long, short)]
    latest: bool,
    #[command(flatten)]
    handed_on: handed_on::Flags,
    /// Accepted for scripts: no command has a record that could be left out
    #[arg(long, hide = true)]
    no_session: bool,
    /// Give all capabilities of the container's user namespace
    #[arg(long)]
    privileged: bool,
    /// Give the command a terminal
    #[arg(long, short)]
    tty: bool,
    /// Run as this user, by name or number [default: the container's]
    #[arg(long, short, value_name = "USER[:GROUP]")]
    user: Option<String>,
    /// Start in this directory [default: the container's]
    #[arg(long, short, value_name = "PATH")]
    workdir: Option<String>,
    /// Name or ID of the container, but with `--latest` and `--cidfile`; then the command and its arguments
    #[arg(trailing_var_arg = true, value_names = ["CONTAINER", "COMMAND"])]
    container_and_command: Vec<String>,
}

impl Exec {
    pub fn run(mut self, context: &Context) -> Result<ExitCode, Report> {
        // First of all, before this process opens anything that could take their numbers.
        let handed_on = self.handed_on.take()?;
        let keys = DetachKeys::parse(&self.detach_keys)?;
        let store = context.store()?;
        let found = self.find(&store)?;
        let args = std::mem::take(&mut self.container_and_command);
        if args.is_empty() {
            return Err(Report::new("must provide a non-empty command to start an exec session: invalid argument"));
        }
        let user = self.user.as_deref().unwrap_or(&found.container.user);
        let direct = if self.tty || self.detach { None } else { Direct::of(&found.container, user, self.interactive)? };
        let null = self.detach.then(null).transpose()?;
        let stdio = match &null {
            Some(null) => Some([null.as_fd(); 3]),
            None => direct.as_ref().map(Direct::stdio),
        };
        let streams = match stdio {
            _ if self.tty => Streams::Terminal,
            Some(_) => Streams::Given,
            None => Streams::Pipes { input: self.interactive },
        };
        let session = name::random_id()?;
        let how = How {
            streams,
            stdio: stdio.filter(|_| streams == Streams::Given),
            handed_on: &handed_on,
            session: &session,
        };
        let talk =
            found.fails(exec(&store, &found, self.command(&found, args)?, &how)).map_err(|error| match error {
                error @ Error::NotExecutable(_) => Report::from(error).code(255),
                error => error.into(),
            })?;
        if self.detach {
            // That the command does not start is then this program's failure.
            foreground::await_start(&talk).map_err(|report| report.code(125))?;
            foreground::let_go(&talk)?;
            output::line(&session);
            return Ok(ExitCode::SUCCESS);
        }
        let foreground = Foreground {
            input: self.interactive && streams != Streams::Given,
            terminal: self.tty,
            pass_signals: true,
            keys,
            muted: [false; 2],
            launcher: true,
            service: None,
        };
        foreground.stay(talk).map(ExitCode::from)
    }

    /// The container; what is left of the arguments is the command.
    fn find(&mut self, store: &Store) -> Result<Found, Report> {
        if self.latest {
            return latest(store);
        }
        if let Some(path) = &self.cidfile {
            let id = std::fs::read_to_string(path).map_err(|error| {
                Report::new(format!("the container's ID can't be read from {}: {error}", path.display()))
            })?;
            return Ok(find::find(store, id.trim())?);
        }
        if self.container_and_command.is_empty() {
            return Err(Report::new("exec requires a name, id, or the \"--latest\" flag, and a command"));
        }
        let name = self.container_and_command.remove(0);
        Ok(find::find(store, &name)?)
    }

    fn command(&self, found: &Found, args: Vec<String>) -> Result<Command, Report> {
        let mut env = Environment::default();
        if self.tty {
            env.set("TERM=xterm");
        }
        found.container.env.iter().for_each(|pair| env.set(pair));
        env.take_all(&self.env_file, &self.env)?;
        Ok(Command {
            args,
            env: env.pairs,
            working_dir: self.workdir.clone().filter(|directory| !directory.is_empty()),
            user: self.user.clone(),
            privileged: self.privileged,
            terminal: self.tty.then(foreground::terminal_size),
        })
    }
}

fn null() -> Result<OwnedFd, Report> {
    Ok(rustix::fs::open(c"/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).call("open(/dev/null)")?)
}
