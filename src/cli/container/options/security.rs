//! What the program may do: its capabilities, and what filters and masks its calls.

use std::fmt::Display;
use std::path::Path;

use clap::Args;

use crate::cli::Report;
use crate::container::record::{Container, Kernel};
use crate::host::{config, system_file};
use crate::oci::capability::CapabilitySet;
use crate::runtime::seccomp::{self, Facts, Profile};

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
    /// Those that the configuration has in place of the usual ones
    #[arg(long, value_name = "CAPABILITY", hide = true)]
    default_capability: Vec<String>,
    /// The profile that the configuration has where `--security-opt` names none
    #[arg(long, value_name = "PROFILE", hide = true)]
    default_apparmor_profile: Option<String>,
    /// Give all capabilities of the user namespace, show all of /proc and /sys, filter no system call
    #[arg(long)]
    privileged: bool,
    /// `no-new-privileges`, `seccomp=FILE` (a profile in JSON) or `seccomp=unconfined`, `mask=PATH:…`, `unmask=ALL` or `unmask=PATH:…`, `proc-opts=OPTION,…`, `apparmor=PROFILE`; `label=…` is accepted
    #[arg(long, value_name = "OPTION")]
    security_opt: Vec<String>,
}

impl Flags {
    pub fn fill(&self, container: &mut Container) -> Result<(), Report> {
        let capabilities = match &self.default_capability[..] {
            _ if self.privileged => CapabilitySet::ALL,
            [] => CapabilitySet::DEFAULT,
            these => CapabilitySet::EMPTY.apply(these, &[]).map_err(Report::new)?,
        };
        container.privileged = self.privileged;
        container.capabilities = capabilities.apply(&self.cap_add, &self.cap_drop).map_err(Report::new)?;
        container.seccomp = true;
        let usual = self.default_apparmor_profile.clone().filter(|profile| profile != "unconfined");
        container.apparmor = usual.filter(|_| !self.privileged && has_apparmor());
        container.security_options.clone_from(&self.security_opt);
        self.security_opt.iter().try_for_each(|option| apply(container, option))
    }
}

fn apply(container: &mut Container, option: &str) -> Result<(), Report> {
    let Kernel { masked, unmasked, proc_options } = &mut container.kernel;
    let list = |text: &str, separator: char| text.split(separator).map(str::to_owned).collect::<Vec<_>>();
    match option.split_once(['=', ':']).unwrap_or((option, "true")) {
        ("no-new-privileges", value @ ("true" | "false")) => container.no_new_privileges = value == "true",
        ("seccomp", "unconfined") => container.seccomp = false,
        ("seccomp", path) => {
            container.seccomp_profile = Some(profile(path, container.capabilities)?);
            container.seccomp = true;
        }
        ("mask", paths) => masked.extend(absolute(list(paths, ':'))?),
        ("systempaths", "unconfined") => unmasked.push("ALL".into()),
        ("unmask", paths) => unmasked.extend(list(paths, ':')),
        ("proc-opts", options) => proc_options.extend(list(options, ',')),
        // SELinux is not used; everybody's scripts switch it off.
        ("label", _) => {}
        ("apparmor", "unconfined") => container.apparmor = None,
        ("apparmor", profile) => {
            if !has_apparmor() {
                let why = "AppArmor is not enabled on this system";
                return Err(Report::new(format!("the AppArmor profile \"{profile}\" can't be used: {why}"))
                    .hint("leave the option out, or say `--security-opt apparmor=unconfined`"));
            }
            container.apparmor = Some(profile.to_owned());
        }
        _ => {
            return Err(Report::new(format!("the security option `{option}` is not known")).hint(
                "`no-new-privileges`, `seccomp=FILE`, `seccomp=unconfined`, `mask=…`, `unmask=…`, `proc-opts=…`, `label=…` and `apparmor=…` are",
            ));
        }
    }
    Ok(())
}

fn has_apparmor() -> bool {
    system_file::read("/sys/module/apparmor/parameters/enabled").is_some_and(|text| text.starts_with('Y'))
}

/// A profile of which a filter can be made for a program with these capabilities.
fn profile(path: &str, capabilities: CapabilitySet) -> Result<Profile, Report> {
    let refused = |why: &dyn Display| Report::new(format!("the seccomp profile `{path}` can't be used: {why}"));
    let text = config::text(Path::new(path)).map_err(|error| refused(&error))?;
    let text = text.ok_or_else(|| {
        refused(&"there is no such file")
            .hint("without the option there is the default profile, with `seccomp=unconfined` none")
    })?;
    let profile = seccomp::json::parse(&text).map_err(|error| refused(&error))?;
    if let Some(facts) = Facts::here(capabilities) {
        seccomp::compile(&profile, &facts).map_err(|error| refused(&error))?;
    }
    Ok(profile)
}

fn absolute(paths: Vec<String>) -> Result<Vec<String>, Report> {
    match paths.iter().find(|path| !path.starts_with('/')) {
        Some(path) => Err(Report::new(format!("`mask={path}`: expected an absolute path"))),
        None => Ok(paths),
    }
}
