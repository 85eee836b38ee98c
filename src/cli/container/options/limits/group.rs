//! Which control group a container has: whose work it is, and where.

use clap::Args;

use super::resources;
use crate::cli::{Context, Report};
use crate::container::cgroup::Mode;
use crate::container::record::Container;
use crate::host::kernel::cgroup::Cgroups;

#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
#[group(skip)]
pub struct Flags {
    /// Write a value to a file of the container's control group
    #[arg(long, value_name = "FILE=VALUE")]
    cgroup_conf: Vec<String>,
    /// Have the container's control group in this slice of systemd's, or below this group
    #[arg(long, value_name = "SLICE")]
    cgroup_parent: Option<String>,
    /// `enabled`: a control group of its own; `split`, `no-conmon`: the caller's own is divided, as in a unit; `disabled`: none
    #[arg(long, value_name = "MODE")]
    cgroups: Option<String>,
    /// That of the configuration
    #[arg(long, value_name = "NUMBER", hide = true)]
    default_pids_limit: Option<i64>,
    #[command(flatten)]
    resources: resources::Flags,
}

impl Flags {
    pub fn fill(&self, context: &Context, container: &mut Container) -> Result<(), Report> {
        let cgroup = &mut container.cgroup;
        cgroup.maker = context.cgroup_manager()?;
        cgroup.parent = self.cgroup_parent.clone().filter(|parent| !parent.is_empty());
        if let Some(word) = self.cgroups.as_deref().filter(|word| !word.is_empty()) {
            let known = Mode::ALL.iter().find(|(name, _)| *name == word);
            cgroup.mode = known.map(|(_, mode)| *mode).ok_or_else(|| {
                Report::new(format!("`--cgroups={word}` is not known"))
                    .hint("`enabled`, `split`, `no-conmon` and `disabled` are")
            })?;
        }
        let limits = &mut cgroup.limits;
        self.resources.fill(limits)?;
        limits.usual_pids = self.default_pids_limit;
        for text in &self.cgroup_conf {
            let (file, value) = text.split_once('=').ok_or_else(|| {
                Report::new(format!("`--cgroup-conf={text}`: expected `FILE=VALUE`"))
                    .hint("for example `memory.high=1G`")
            })?;
            let is_of_controller = file.split_once('.').is_some_and(|(first, _)| !["", "cgroup"].contains(&first));
            if !is_of_controller || file.contains('/') {
                return Err(Report::new(format!("`{file}` is not a file of a controller")));
            }
            limits.conf.insert(file.to_owned(), value.to_owned());
        }
        check(container)
    }
}

/// Whether limits that are asked for can be enforced, as far as that is known before the container starts.
pub fn check(container: &Container) -> Result<(), Report> {
    let settings = container.cgroup.limits.settings().map_err(crate::container::Error::from)?;
    let asked: Vec<_> = settings.iter().filter(|setting| !setting.flag.is_empty()).collect();
    let Some(first) = asked.first() else { return Ok(()) };
    if container.cgroup.mode == Mode::Disabled {
        return Err(Report::new(format!("`--{}` can't be enforced without a control group", first.flag))
            .hint("leave `--cgroups=disabled` out"));
    }
    for setting in asked {
        if let Some(obstacle) = Cgroups::of_account().obstacle(&[&setting.controller]) {
            let message = format!("`--{}` can't be enforced: {}", setting.flag, obstacle.why);
            return Err(Report::new(message).hint(obstacle.hint));
        }
    }
    Ok(())
}
