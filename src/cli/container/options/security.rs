//! What the program may do: its capabilities, and what filters and masks its calls.

use std::fmt::Display;
use std::path::Path;

use clap::{ArgAction, Args};

use crate::cli::Report;
use crate::container::record::{Container, Kernel};
use crate::container::spec::selinux;
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
    /// Whether the configuration has labels of SELinux where `--security-opt` says nothing of them
    #[arg(long, default_value_t = true, action = ArgAction::Set, hide = true)]
    #[arg(value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    default_label: bool,
    /// Give all capabilities of the user namespace, show all of /proc and /sys, filter no system call
    #[arg(long)]
    privileged: bool,
    /// `no-new-privileges`, `seccomp=FILE` (a profile in JSON) or `seccomp=unconfined`, `mask=PATH:…`, `unmask=ALL` or `unmask=PATH:…`, `proc-opts=OPTION,…`, `apparmor=PROFILE`, `label=disable`, `label=KEY:VALUE`
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
        container.security_options.clone_from(&self.security_opt);
        if !self.default_label && !self.security_opt.iter().any(|option| option.starts_with("label")) {
            container.security_options.push(format!("label={}", selinux::DISABLE));
        }
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
        ("label", asked) => label(asked)?,
        ("apparmor", "unconfined") => container.apparmor = None,
        ("apparmor", profile) => {
            let enabled = system_file::read("/sys/module/apparmor/parameters/enabled");
            if !enabled.is_some_and(|text| text.starts_with('Y')) {
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

/// What can be asked of the labels of SELinux, on whatever machine: which it has is seen when the container is made.
fn label(asked: &str) -> Result<(), Report> {
    let known = match asked.split_once(':') {
        Some((key, value)) => {
            let words = value.bytes().all(|byte| byte.is_ascii_graphic()) && !value.is_empty();
            selinux::KEYS.contains(&key) && words && (key == "level" || !value.contains(':'))
        }
        None => asked == selinux::DISABLE || asked == "nested",
    };
    let hint =
        "`label=disable`, `label=user:…`, `label=role:…`, `label=type:…`, `label=level:…` and `label=filetype:…` are";
    if known {
        Ok(())
    } else {
        Err(Report::new(format!("the security option `label={asked}` is not known")).hint(hint))
    }
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
