//! The control group of a container, as it was asked for: who makes it, where, and with which limits.

pub mod limits;

use serde::{Deserialize, Serialize};

use self::limits::Limits;
use super::Result;
use crate::host::kernel::cgroup::{Cgroups, of_process};
use crate::runtime::cgroup::Place;
use crate::runtime::cgroup::placement::{Maker, Placement, Wanted};

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cgroup {
    pub mode: Mode,
    /// Who makes it; `None`: systemd, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maker: Option<Maker>,
    /// In which slice, or below which group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    #[serde(default)]
    pub limits: Limits,
}

/// `--cgroups`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// One of the container's own, the monitor's beside it.
    #[default]
    Enabled,
    /// None.
    Disabled,
    /// The caller's is divided.
    Split,
    /// The monitor stays in the caller's, which is divided if it can be; else as `Enabled`.
    NoConmon,
}

impl Mode {
    pub const ALL: [(&'static str, Self); 4] = [
        ("enabled", Self::Enabled),
        ("disabled", Self::Disabled),
        ("split", Self::Split),
        ("no-conmon", Self::NoConmon),
    ];

    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, mode)| *mode == self).map_or("", |(name, _)| name)
    }
}

impl Cgroup {
    /// How a container comes to it, and where its monitor finds it. `None`: it has none.
    pub fn placement(&self, id: &str) -> Result<Option<(Placement, Place)>> {
        let is_divisible = || Cgroups::of_groups(of_process("self")).delegated.is_some();
        let maker = match self.mode {
            Mode::Disabled => return Ok(None),
            Mode::Split => Some(Maker::Cgroupfs),
            Mode::NoConmon if is_divisible() => Some(Maker::Cgroupfs),
            Mode::NoConmon | Mode::Enabled => self.maker,
        };
        let (id, parent) = (id.to_owned(), self.parent.clone());
        Ok(Placement::prepare(Wanted { id, maker, parent, settings: self.limits.settings()? })?)
    }
}
