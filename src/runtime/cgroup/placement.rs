//! How a container comes to its group, which its launcher sees to: the monitor is put where it belongs before it has started
//! anything, and the container's group is there, with its limits, before the program runs.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{Group, Place, SUPERVISOR, Setting};
use crate::host::kernel::cgroup::{Cgroups, MOUNT, Obstacle, WANTED};
use crate::host::message;
use crate::host::systemd::{self, Asked, Manager};
use crate::sys;

/// The container's group in a scope.
const CONTAINER: &str = "container";
/// Where systemd has what users start by hand.
const SLICE: &str = "user.slice";
/// How long the scope of a container's earlier life is waited for, which systemd is about to forget.
const FORGETTING: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(5);
/// What the limits of a container are called that were asked for long ago.
const LIMITS: &str = "the container's limits";

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{flags} can't be enforced: {}", obstacle.why)]
    Limits { flags: String, obstacle: Obstacle },
    #[error("{flags} can't be enforced: {source}")]
    Refused { flags: String, source: sys::Error },
    #[error("{flags} can't be enforced: {source}")]
    NoScope { flags: String, source: systemd::Error },
    #[error("the limits of the container can't be enforced: its control group {0} is out of reach from here")]
    OutOfReach(String),
    #[error("did not receive systemd slice as cgroup parent when using systemd to manage cgroups: `{0}`")]
    NoSlice(String),
    #[error("systemd slice received as cgroup parent when using cgroupfs: `{0}`")]
    Slice(String),
}

impl Error {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Limits { obstacle, .. } => Some(obstacle.hint.clone()),
            Self::Refused { .. } => None,
            Self::OutOfReach(_) => Some("try it where the container was started: the same login, job or unit".into()),
            Self::NoScope { .. } => Some("`systemctl --user status` tells how this user's service manager does".into()),
            Self::NoSlice(_) => Some("name one that ends in `.slice`, or use `--cgroup-manager=cgroupfs`".into()),
            Self::Slice(_) => Some(format!("name a directory below {MOUNT}")),
        }
    }
}

/// Whose work the groups are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Maker {
    /// The user's service manager.
    Systemd,
    /// This program, in a group that was delegated.
    Cgroupfs,
}

impl Maker {
    /// As `--cgroup-manager` calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Systemd => "systemd",
            Self::Cgroupfs => "cgroupfs",
        }
    }
}

/// What is wanted of a placement.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The container's.
    pub id: String,
    /// `None`: systemd, where there is one.
    pub maker: Option<Maker>,
    /// A slice, or a directory below the mount; `None`: the usual one.
    pub parent: Option<String>,
    pub settings: Vec<Setting>,
}

/// A container's group, on its way.
#[derive(Debug)]
pub struct Placement {
    wanted: Wanted,
    scope: Option<Scope>,
}

#[derive(Debug)]
struct Scope {
    manager: Manager,
    asked: Option<Asked>,
}

impl Placement {
    /// Finds out how it is to be done, and does what can be done before there is a monitor: where it will find the group.
    /// `None`: there is none to be had, and none is needed.
    pub fn prepare(wanted: Wanted) -> Result<Option<(Self, Place)>, Error> {
        let machine = Cgroups::of_groups([]);
        if !machine.is_v2 {
            return wanted.without(machine);
        }
        if wanted.maker != Some(Maker::Cgroupfs)
            && let Some(manager) = Manager::of_user()
        {
            if let Some(parent) = wanted.parent.as_ref().filter(|parent| !parent.ends_with(".slice")) {
                return Err(Error::NoSlice(parent.clone()));
            }
            return match manager {
                Ok(manager) => {
                    let scope = Some(Scope { manager, asked: None });
                    let place = Place { name: CONTAINER.to_owned(), beside: true, must: wanted.flags().is_some() };
                    Ok(Some((Self { wanted, scope }, place)))
                }
                Err(source) => wanted.forgiven(source).map(|()| None),
            };
        }
        if wanted.maker == Some(Maker::Systemd) {
            return wanted.without(machine);
        }
        let around = match &wanted.parent {
            Some(parent) if parent.ends_with(".slice") => return Err(Error::Slice(parent.clone())),
            Some(parent) => Some(Group::named(parent)),
            None => Group::of_process("self").map(Group::around_supervisor),
        };
        let found = Cgroups::of_groups(around.iter().map(|around| around.name.clone()));
        let Some(around) = around.filter(|_| found.delegated.is_some()) else { return wanted.without(found) };
        // One that has processes and hands controllers on can have no groups below but threads' (cgroups(7), "Thread mode").
        if wanted.maker == Some(Maker::Cgroupfs) || wanted.flags().is_some() {
            around.clear();
            around.hand_on();
        }
        let payload = around.child(&format!("payload-{}", wanted.id));
        wanted.fill(&payload)?;
        let place = Place { name: payload.name, beside: false, must: wanted.flags().is_some() };
        Ok(Some((Self { wanted, scope: None }, place)))
    }

    /// Asks for the monitor's scope. It is made while the caller does something else.
    pub fn ask(&mut self, monitor: i32) -> Result<(), Error> {
        let Some(scope) = &mut self.scope else { return Ok(()) };
        match scope.ask(&self.wanted, monitor) {
            Ok(asked) => scope.asked = Some(asked),
            Err(error) => self.wanted.forgiven(error)?,
        }
        Ok(())
    }

    /// Waits until the monitor is in its scope, and divides that.
    pub fn settle(mut self, monitor: i32) -> Result<(), Error> {
        let Some(scope) = &mut self.scope else { return Ok(()) };
        if let Err(error) = scope.wait(&self.wanted, monitor) {
            return self.wanted.forgiven(error);
        }
        let around = Group::of_process(&monitor.to_string()).filter(|group| group.name.ends_with(".scope"));
        let Some(around) = around else { return self.wanted.without::<()>(Cgroups::of_groups([])).map(drop) };
        around.clear();
        around.hand_on();
        self.wanted.fill(&around.child(CONTAINER))
    }
}

/// A process that comes to a container's group later.
#[derive(Debug)]
pub struct Entry {
    pub group: Group,
    /// The container has limits: nobody is to be without them.
    pub must: bool,
}

impl Entry {
    /// Has systemd move the process.
    pub fn take(&self, pid: i32) -> Result<(), Error> {
        let name = self.group.name();
        let unit = name.split('/').find(|part| part.ends_with(".scope"));
        let moved = unit.zip(Manager::of_user()).map(|(unit, manager)| {
            let below = name.split_once(unit).map_or("", |(_, below)| below);
            manager.and_then(|mut manager| manager.attach(unit, below, pid.unsigned_abs()))
        });
        match moved {
            Some(Ok(())) => Ok(()),
            _ if !self.must => Ok(()),
            Some(Err(source)) => Err(Error::NoScope { flags: LIMITS.to_owned(), source }),
            None => Err(Error::OutOfReach(name.to_owned())),
        }
    }
}

impl Scope {
    fn ask(&mut self, wanted: &Wanted, monitor: i32) -> Result<Asked, systemd::Error> {
        let name = format!("coracle-{}.scope", wanted.id);
        let slice = wanted.parent.as_deref().unwrap_or(SLICE);
        message::debug(|| format!("asking systemd for {name} in {slice}"));
        self.manager.ask_for_scope(&name, slice, &format!("container {}", wanted.id), monitor.unsigned_abs())
    }

    fn wait(&mut self, wanted: &Wanted, monitor: i32) -> Result<(), systemd::Error> {
        let deadline = Instant::now() + FORGETTING;
        loop {
            let Some(asked) = self.asked.take() else { return Ok(()) };
            match self.manager.await_scope(asked) {
                Err(error) if error.is_name_taken() && Instant::now() < deadline => std::thread::sleep(PAUSE),
                other => return other,
            }
            self.asked = Some(self.ask(wanted, monitor)?);
        }
    }
}

impl Wanted {
    fn asked_for(&self) -> impl Iterator<Item = &Setting> {
        self.settings.iter().filter(|setting| !setting.flag.is_empty())
    }

    /// The flags that ask for limits. `None`: nobody does.
    fn flags(&self) -> Option<String> {
        let mut flags: Vec<String> = self.asked_for().map(|setting| format!("`--{}`", setting.flag)).collect();
        flags.dedup();
        (!flags.is_empty()).then(|| flags.join(", "))
    }

    /// Nothing can be had here: that matters where limits are asked for.
    fn without<T>(&self, found: Cgroups) -> Result<Option<T>, Error> {
        let Some(flags) = self.flags() else { return Ok(None) };
        let controllers: Vec<&str> = self.asked_for().map(|setting| setting.controller.as_str()).collect();
        match found.obstacle(&controllers) {
            Some(obstacle) => Err(Error::Limits { flags, obstacle }),
            None => Ok(None),
        }
    }

    fn forgiven(&self, source: systemd::Error) -> Result<(), Error> {
        message::debug(|| format!("no control group: {source}"));
        self.flags().map_or(Ok(()), |flags| Err(Error::NoScope { flags, source }))
    }

    /// Makes the container's group and sets its limits.
    fn fill(&self, payload: &Group) -> Result<(), Error> {
        let refused = |source| self.flags().map_or(Ok(()), |flags| Err(Error::Refused { flags, source }));
        payload.make().or_else(refused)?;
        self.without::<()>(Cgroups::of_groups([payload.name.clone()]))?;
        payload.apply(&self.settings).or_else(refused)
    }
}

impl Group {
    /// The group that is divided, for who looks after a container in it already.
    fn around_supervisor(self) -> Self {
        let around = self.parent().filter(|_| self.name.ends_with(&format!("/{SUPERVISOR}")));
        around.unwrap_or(self)
    }

    /// Lets whoever is in the group go aside: else it can't hand anything on.
    fn clear(&self) {
        let processes = self.read("cgroup.procs").unwrap_or_default();
        let aside = self.child(SUPERVISOR);
        if !processes.is_empty() && aside.make().is_ok() {
            for process in processes.lines() {
                let _ = aside.write("cgroup.procs", process);
            }
        }
    }

    /// Hands all controllers on that limits need. What can't be is missed by those alone who ask for it.
    fn hand_on(&self) {
        let have = self.controllers();
        for controller in WANTED.iter().filter(|wanted| have.iter().any(|have| have == *wanted)) {
            let _ = self.write("cgroup.subtree_control", &format!("+{controller}"));
        }
    }
}
