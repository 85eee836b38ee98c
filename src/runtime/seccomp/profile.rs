//! A system call filter as data.
//!
//! The shape is that of the engines' common profile format (`seccomp.json` of Docker and Podman; the runtime specification's
//! `linux.seccomp` is a subset), so that reading one is a matter of names. Everything is judged when the filter is made but
//! the number, the architecture and the arguments of a call.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::syscalls::{self, ABSENT, Row};
use crate::host::kernel;
use crate::oci::capability::CapabilitySet;

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    Allow,
    /// Not executed; the caller sees this error number (0: success). The kernel takes at most 4095.
    Errno(u16),
    KillThread,
    KillProcess,
    /// SIGSYS.
    Trap,
    /// A tracer that asked for it sees this number; where there is none, the call does not exist (ENOSYS).
    Trace(u16),
    /// Whoever holds the listener decides (seccomp_unotify(2)).
    Notify,
    /// Allowed, and noted in the kernel's log.
    Log,
}

impl Action {
    /// The value that a filter returns to the kernel (`linux/seccomp.h`).
    pub fn code(self) -> u32 {
        match self {
            Self::Allow => libc::SECCOMP_RET_ALLOW,
            Self::Errno(number) => libc::SECCOMP_RET_ERRNO | u32::from(number),
            Self::KillThread => libc::SECCOMP_RET_KILL_THREAD,
            Self::KillProcess => libc::SECCOMP_RET_KILL_PROCESS,
            Self::Trap => libc::SECCOMP_RET_TRAP,
            Self::Trace(number) => libc::SECCOMP_RET_TRACE | u32::from(number),
            Self::Notify => libc::SECCOMP_RET_USER_NOTIF,
            Self::Log => libc::SECCOMP_RET_LOG,
        }
    }
}

/// How an argument is compared with a value; all are unsigned, over 64 bits. The names are those of the profile format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparison {
    #[serde(rename = "SCMP_CMP_NE")]
    NotEqual,
    #[serde(rename = "SCMP_CMP_LT")]
    Less,
    #[serde(rename = "SCMP_CMP_LE")]
    LessOrEqual,
    #[serde(rename = "SCMP_CMP_EQ")]
    Equal,
    #[serde(rename = "SCMP_CMP_GE")]
    GreaterOrEqual,
    #[serde(rename = "SCMP_CMP_GT")]
    Greater,
    /// `argument & value == value2`.
    #[serde(rename = "SCMP_CMP_MASKED_EQ")]
    MaskedEqual,
}

/// A condition on one argument of a call, in JSON as the profile format has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// Which argument: 0 to 5.
    pub index: u8,
    pub op: Comparison,
    pub value: u64,
    /// For [`Comparison::MaskedEqual`] alone.
    #[serde(default, rename = "valueTwo")]
    pub value2: u64,
}

impl Condition {
    /// The lower 32 bits of an argument are `value`: what an `int` parameter is to the kernel.
    pub const fn int(index: u8, value: u32) -> Self {
        Self { index, op: Comparison::MaskedEqual, value: 0xffff_ffff, value2: value as u64 }
    }

    pub const fn equal(index: u8, value: u64) -> Self {
        Self { index, op: Comparison::Equal, value, value2: 0 }
    }

    fn holds(&self, arguments: &[u64; 6]) -> bool {
        let Some(argument) = arguments.get(usize::from(self.index)).copied() else { return false };
        match self.op {
            Comparison::NotEqual => argument != self.value,
            Comparison::Less => argument < self.value,
            Comparison::LessOrEqual => argument <= self.value,
            Comparison::Equal => argument == self.value,
            Comparison::GreaterOrEqual => argument >= self.value,
            Comparison::Greater => argument > self.value,
            Comparison::MaskedEqual => argument & self.value == self.value2,
        }
    }
}

/// Where a rule is in force. An empty part says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Scope {
    pub capabilities: CapabilitySet,
    /// Names of native architectures as the profile format has them: `amd64`, `x86`, `x32`, `arm64`.
    pub arches: Vec<Cow<'static, str>>,
    /// Linux of at least this major and minor version.
    pub min_kernel: Option<(u32, u32)>,
}

/// What is done with some calls, under some conditions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Names that an architecture (or this program) does not have are passed over.
    pub names: Vec<Cow<'static, str>>,
    pub action: Action,
    /// All must hold.
    pub conditions: Vec<Condition>,
    /// In force only where all of this is given: every capability, one of the architectures, the kernel.
    pub includes: Scope,
    /// Not in force where any of this is given.
    pub excludes: Scope,
}

impl Rule {
    pub fn applies(&self, facts: &Facts) -> bool {
        let is_native = |name: &Cow<'static, str>| name == facts.architecture.name();
        let (with, without) = (&self.includes, &self.excludes);
        with.capabilities.intersection(facts.capabilities) == with.capabilities
            && (with.arches.is_empty() || with.arches.iter().any(is_native))
            && with.min_kernel.is_none_or(|least| facts.kernel >= least)
            && without.capabilities.intersection(facts.capabilities).is_empty()
            && !without.arches.iter().any(is_native)
            && without.min_kernel.is_none_or(|least| facts.kernel < least)
    }
}

/// A whole filter: the first rule that fits decides, else `default`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    pub default: Action,
    /// A call by way of another architecture than the machine's own kills the process.
    pub only_native: bool,
    pub rules: Vec<Rule>,
}

impl Profile {
    /// What becomes of one call: the meaning of a profile. `number` is in the architecture's own numbering.
    pub fn decide(&self, facts: &Facts, by: Architecture, number: u32, arguments: &[u64; 6]) -> Action {
        if self.only_native && by != facts.architecture {
            return Action::KillProcess;
        }
        let rule = self.rules.iter().filter(|rule| rule.applies(facts)).find(|rule| {
            rule.names.iter().any(|name| by.number(name) == Some(number))
                && rule.conditions.iter().all(|condition| condition.holds(arguments))
        });
        rule.map_or(self.default, |rule| rule.action)
    }
}

/// Which filter a program gets.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Choice {
    Unconfined,
    #[default]
    Default,
    Custom(Profile),
}

/// A way into the kernel, with its own numbers for the calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    X86_64,
    I386,
    Aarch64,
}

impl Architecture {
    /// The one that this program was built for; `None`: not known here, no filter can be made.
    pub fn native() -> Option<Self> {
        if cfg!(target_arch = "x86_64") {
            Some(Self::X86_64)
        } else if cfg!(target_arch = "aarch64") {
            Some(Self::Aarch64)
        } else {
            None
        }
    }

    /// Those by which a program may call a kernel of this architecture, itself first.
    pub fn family(self) -> &'static [Self] {
        match self {
            Self::X86_64 => &[Self::X86_64, Self::I386],
            Self::I386 => &[Self::I386],
            Self::Aarch64 => &[Self::Aarch64],
        }
    }

    /// As profiles name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "amd64",
            Self::I386 => "x86",
            Self::Aarch64 => "arm64",
        }
    }

    /// `AUDIT_ARCH_*` (`linux/audit.h`): ELF machine number, 64-bit flag, little-endian flag.
    pub fn audit(self) -> u32 {
        match self {
            Self::X86_64 => 0xc000_003e,
            Self::I386 => 0x4000_0003,
            Self::Aarch64 => 0xc000_00b7,
        }
    }

    /// The number of a call, where it exists.
    pub fn number(self, name: &str) -> Option<u32> {
        self.number_in(syscalls::find(name)?)
    }

    /// This architecture's column.
    pub(super) fn number_in(self, row: &Row) -> Option<u32> {
        let number = match self {
            Self::X86_64 => row.1,
            Self::I386 => row.2,
            Self::Aarch64 => row.3,
        };
        if number == ABSENT { None } else { u32::try_from(number).ok() }
    }
}

/// What the scopes of rules are judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// What the container's programs can have: its bounding set.
    pub capabilities: CapabilitySet,
    pub architecture: Architecture,
    /// Major and minor version.
    pub kernel: (u32, u32),
}

impl Facts {
    /// Of this machine; `None` on an architecture that is not known.
    pub fn here(capabilities: CapabilitySet) -> Option<Self> {
        let kernel = kernel::version(&kernel::release());
        Some(Self { capabilities, architecture: Architecture::native()?, kernel })
    }
}
