//! `unshare`: a command of this machine's among the ids that containers have.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::process::ExitCode;

use clap::Args;

use crate::cli::{Context, Report};
use crate::container::Error;
use crate::container::life::start::living_namespace;
use crate::host::subid::IdMaps;
use crate::runtime::outside::enter;
use crate::sys::process;

/// Run a command of this machine as root of the account's user namespace, where the files of containers have their owners
#[derive(Debug, Args)]
pub struct Unshare {
    /// Refused: no network namespace is shared by containers
    #[arg(long, hide = true)]
    rootless_netns: bool,
    /// The command and its arguments [default: $SHELL]
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Unshare {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        if self.rootless_netns {
            return Err(Report::new("there is no network namespace that rootless containers share")
                .hint("`coracle run --network=container:NAME` joins that of a container"));
        }
        let command = if self.command.is_empty() { vec![shell()?] } else { self.command };
        let (program, arguments) = command.split_first().ok_or_else(|| Report::new("exec: no command"))?;
        let maps = IdMaps::of_account()?;
        let living = living_namespace(&context.store()?, &maps)?;
        enter::enter(living, &maps).map_err(|error| Report::from(Error::Launch(error)))?;
        let error = process::become_program(program, arguments);
        let program = program.display();
        Err(match error.kind() {
            ErrorKind::NotFound => {
                Report::new(format!("exec: \"{program}\": executable file not found in $PATH")).code(127)
            }
            _ => Report::new(format!("exec: \"{program}\": {error}")).code(126),
        })
    }
}

fn shell() -> Result<OsString, Report> {
    std::env::var_os("SHELL")
        .filter(|shell| !shell.is_empty())
        .ok_or_else(|| Report::new("exec: no command").hint("name one: `$SHELL` is not set"))
}
