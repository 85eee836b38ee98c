//! What the program may do: its capabilities, and what filters and masks its calls.

use clap::Args;

use crate::cli::Report;
use crate::container::record::Container;
use crate::oci::capability::CapabilitySet;

#[derive(Debug, Args)]
#[command(next_help_heading = "Security")]
#[group(skip)]
pub struct Flags {
    /// Give a capability
    #[arg(long, value_name = "CAPABILITY", value_delimiter = ',')]
    cap_add: Vec<String>,
    /// Take a capability away
    #[arg(long, value_name = "CAPABILITY", value_delimiter = ',')]
    cap_drop: Vec<String>,
    /// Give all capabilities of the user namespace, show all of /proc and /sys, filter no system call
    #[arg(long)]
    privileged: bool,
    /// `no-new-privileges`, `seccomp=unconfined`; `label=…` and `apparmor=…` are accepted
    #[arg(long, value_name = "OPTION")]
    security_opt: Vec<String>,
}

impl Flags {
    pub fn fill(&self, container: &mut Container) -> Result<(), Report> {
        let security = Security::parse(&self.security_opt)?;
        let capabilities = if self.privileged { CapabilitySet::ALL } else { CapabilitySet::DEFAULT };
        container.privileged = self.privileged;
        container.capabilities = capabilities.apply(&self.cap_add, &self.cap_drop).map_err(Report::new)?;
        container.no_new_privileges = security.no_new_privileges;
        container.seccomp = security.seccomp;
        Ok(())
    }
}

struct Security {
    no_new_privileges: bool,
    seccomp: bool,
}

impl Security {
    fn parse(options: &[String]) -> Result<Self, Report> {
        let mut security = Self { no_new_privileges: false, seccomp: true };
        for option in options {
            match option.split_once(['=', ':']).unwrap_or((option, "true")) {
                ("no-new-privileges", value) => security.no_new_privileges = value != "false",
                ("seccomp", "unconfined") => security.seccomp = false,
                // Neither SELinux nor AppArmor is used; everybody's scripts switch them off.
                ("label" | "apparmor", _) => {}
                _ => {
                    return Err(Report::new(format!("the security option `{option}` is not known"))
                        .hint("`no-new-privileges` and `seccomp=unconfined` are"));
                }
            }
        }
        Ok(security)
    }
}
