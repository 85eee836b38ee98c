//! Whom the container's /etc/passwd and /etc/group are to know.

use clap::{ArgAction, Args};

use crate::cli::Report;
use crate::container::record::Container;
use crate::host::system_file;
use crate::runtime::identity::{Accounts, Introductions, Login};

#[derive(Debug, Args)]
#[command(next_help_heading = "Accounts")]
#[group(skip)]
pub struct Flags {
    /// The line of /etc/group for the program's group, in which `$GROUPNAME`, `$GID` and `$USERLIST` are replaced
    #[arg(long, value_name = "LINE")]
    group_entry: Option<String>,
    /// Add a user of this machine to the container's /etc/passwd
    #[arg(long, value_name = "USER", value_delimiter = ',')]
    hostuser: Vec<String>,
    /// Add the program's user to /etc/passwd and /etc/group where they are not known [default: true]
    #[arg(long, default_value_t = true, action = ArgAction::Set, hide_default_value = true, hide_possible_values = true)]
    #[arg(value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    passwd: bool,
    /// The line of /etc/passwd for the program's user, in which `$USERNAME`, `$UID`, `$GID`, `$NAME` and `$HOME` are replaced
    #[arg(long, value_name = "LINE")]
    passwd_entry: Option<String>,
}

impl Flags {
    /// The working directory is known.
    pub fn fill(&self, container: &mut Container) -> Result<(), Report> {
        if !self.passwd {
            return Ok(());
        }
        for entry in [&self.passwd_entry, &self.group_entry].into_iter().flatten() {
            if entry.contains(char::is_control) {
                return Err(Report::new(format!("{entry:?} is not one line")));
            }
        }
        let logins = self.hostuser.iter().map(|name| login(name, &container.working_dir)).collect::<Result<_, _>>()?;
        container.introductions = Some(Introductions {
            logins,
            user: true,
            passwd_entry: self.passwd_entry.clone(),
            group_entry: self.group_entry.clone(),
        });
        Ok(())
    }
}

/// A user of this machine, by name or number.
fn login(user: &str, home: &str) -> Result<Login, Report> {
    let read = |path| system_file::read(path).unwrap_or_default();
    let accounts = Accounts { passwd: read("/etc/passwd"), group: read("/etc/group") };
    let known = accounts.identity(user, &[]).ok().and_then(|identity| {
        let (name, _) = accounts.user(identity.uid)?;
        let group = accounts.group(identity.gid).unwrap_or_default().to_owned();
        Some(Login {
            name: name.to_owned(),
            full_name: String::new(),
            group,
            uid: identity.uid,
            gid: identity.gid,
            home: home.to_owned(),
        })
    });
    known.ok_or_else(|| {
        Report::new(format!("unknown user {user}")).hint("`--hostuser` takes users of this machine's /etc/passwd")
    })
}
