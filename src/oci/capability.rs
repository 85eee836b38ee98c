//! Linux capabilities (capabilities(7)): names, numbers, and the set that a container gets.
//!
//! A set is 64 bits, as the kernel keeps it, so it can be carried to where no memory may be allocated.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The names in the order of their numbers (`linux/capability.h`, up to Linux 6.18), without `CAP_`.
const NAMES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// One capability, by its number in the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Capability(u8);

impl Capability {
    pub const CHOWN: Self = Self(0);
    pub const DAC_OVERRIDE: Self = Self(1);
    pub const DAC_READ_SEARCH: Self = Self(2);
    pub const FOWNER: Self = Self(3);
    pub const FSETID: Self = Self(4);
    pub const KILL: Self = Self(5);
    pub const SETGID: Self = Self(6);
    pub const SETUID: Self = Self(7);
    pub const SETPCAP: Self = Self(8);
    pub const NET_BIND_SERVICE: Self = Self(10);
    pub const SYS_MODULE: Self = Self(16);
    pub const SYS_RAWIO: Self = Self(17);
    pub const SYS_CHROOT: Self = Self(18);
    pub const SYS_PTRACE: Self = Self(19);
    pub const SYS_PACCT: Self = Self(20);
    pub const SYS_ADMIN: Self = Self(21);
    pub const SYS_TIME: Self = Self(25);
    pub const SYS_TTY_CONFIG: Self = Self(26);
    pub const AUDIT_WRITE: Self = Self(29);
    pub const SETFCAP: Self = Self(31);
    pub const PERFMON: Self = Self(38);
    pub const BPF: Self = Self(39);

    /// The number in the kernel, 0 to 40.
    pub fn number(self) -> u32 {
        u32::from(self.0)
    }

    /// With `CAP_`, as the runtime specification and `inspect` write it.
    pub fn name(self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CAP_{}", NAMES.get(usize::from(self.0)).copied().unwrap_or("?"))
    }
}

/// A name that no capability bears.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown capability `{0}`")]
pub struct UnknownCapability(String);

impl FromStr for Capability {
    type Err = UnknownCapability;

    /// Any case, with or without `CAP_`.
    fn from_str(text: &str) -> Result<Self, UnknownCapability> {
        let upper = text.trim().to_ascii_uppercase();
        let bare = upper.strip_prefix("CAP_").unwrap_or(&upper);
        NAMES
            .iter()
            .position(|name| *name == bare)
            .map(|number| Self(number as u8))
            .ok_or_else(|| UnknownCapability(text.chars().take(60).collect()))
    }
}

/// A set of capabilities; bit `n` is the capability with number `n`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct CapabilitySet(u64);

/// The number of a capability by its name, in any case, with or without `CAP_`.
pub fn number(name: &str) -> Option<u32> {
    name.parse().ok().map(Capability::number)
}

impl CapabilitySet {
    pub const EMPTY: Self = Self(0);
    /// All that this program knows by name.
    pub const ALL: Self = Self((1 << NAMES.len()) - 1);
    /// What a container gets where nobody asked otherwise: Podman's eleven (containers.conf(5), `default_capabilities`).
    pub const DEFAULT: Self = Self::EMPTY
        .with(Capability::CHOWN)
        .with(Capability::DAC_OVERRIDE)
        .with(Capability::FOWNER)
        .with(Capability::FSETID)
        .with(Capability::KILL)
        .with(Capability::NET_BIND_SERVICE)
        .with(Capability::SETFCAP)
        .with(Capability::SETGID)
        .with(Capability::SETPCAP)
        .with(Capability::SETUID)
        .with(Capability::SYS_CHROOT);

    pub const fn with(self, capability: Capability) -> Self {
        Self(self.0 | 1 << capability.0)
    }

    pub const fn without(self, capability: Capability) -> Self {
        Self(self.0 & !(1 << capability.0))
    }

    pub const fn contains(self, capability: Capability) -> bool {
        self.0 & 1 << capability.0 != 0
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Bits without a name are dropped.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits & Self::ALL.0)
    }

    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub fn iter(self) -> impl Iterator<Item = Capability> {
        (0..NAMES.len() as u8).map(Capability).filter(move |capability| self.contains(*capability))
    }

    /// What `--cap-add` and `--cap-drop` make of this set. As in Podman, `ALL` on either side is the ground on which the
    /// single names of the other side then work, and a name that stands on both sides is an error.
    pub fn apply<S: AsRef<str>>(self, add: &[S], drop: &[S]) -> Result<Self, ApplyError> {
        let (add_all, add) = parse(add)?;
        let (drop_all, drop) = parse(drop)?;
        if add_all && drop_all {
            return Err(ApplyError::Both("ALL".into()));
        }
        if let Some(twice) = add.intersection(drop).iter().next() {
            return Err(ApplyError::Both(twice.name()));
        }
        let ground = match (add_all, drop_all) {
            (true, _) => Self::ALL,
            (_, true) => Self::EMPTY,
            _ => self,
        };
        Ok(Self((ground.0 | add.0) & !drop.0))
    }
}

/// Whether `ALL` is among the names, and the set of the others.
fn parse<S: AsRef<str>>(names: &[S]) -> Result<(bool, CapabilitySet), UnknownCapability> {
    let mut all = false;
    let mut set = CapabilitySet::EMPTY;
    for name in names.iter().map(AsRef::as_ref) {
        if name.trim().eq_ignore_ascii_case("ALL") {
            all = true;
        } else {
            set = set.with(name.parse()?);
        }
    }
    Ok((all, set))
}

/// Why a set could not be changed as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    #[error(transparent)]
    Unknown(#[from] UnknownCapability),
    #[error("capability `{0}` cannot be both added and dropped")]
    Both(String),
}

impl TryFrom<Vec<String>> for CapabilitySet {
    type Error = UnknownCapability;

    fn try_from(names: Vec<String>) -> Result<Self, UnknownCapability> {
        let (all, set) = parse(&names)?;
        Ok(if all { Self::ALL } else { set })
    }
}

impl From<CapabilitySet> for Vec<String> {
    fn from(set: CapabilitySet) -> Self {
        set.iter().map(Capability::name).collect()
    }
}

impl fmt::Debug for CapabilitySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_what_podman_gives() {
        // As /proc/self/status shows it in a Podman container.
        assert_eq!(CapabilitySet::DEFAULT.bits(), 0x8004_05fb);
    }

    #[test]
    fn constants_have_the_numbers_of_their_names() {
        for (constant, name) in [
            (Capability::NET_BIND_SERVICE, "CAP_NET_BIND_SERVICE"),
            (Capability::SYS_ADMIN, "CAP_SYS_ADMIN"),
            (Capability::SYS_TTY_CONFIG, "CAP_SYS_TTY_CONFIG"),
            (Capability::AUDIT_WRITE, "CAP_AUDIT_WRITE"),
            (Capability::SETFCAP, "CAP_SETFCAP"),
            (Capability::BPF, "CAP_BPF"),
        ] {
            assert_eq!(constant.name(), name);
        }
        assert_eq!(CapabilitySet::ALL.bits(), 0x1ff_ffff_ffff);
    }

    #[test]
    fn names_in_any_case_and_all_as_the_ground() {
        let none: &[&str] = &[];
        let default = CapabilitySet::DEFAULT;
        assert_eq!(default.apply(&["cap_net_raw"], none).unwrap(), default.apply(&["NET_RAW"], none).unwrap(),);
        assert_eq!(default.apply(none, &["all"]).unwrap(), CapabilitySet::EMPTY);
        assert_eq!(default.apply(&["chown"], &["ALL"]).unwrap(), CapabilitySet::EMPTY.with(Capability::CHOWN));
        assert_eq!(default.apply(&["ALL"], &["SYS_ADMIN"]).unwrap(), CapabilitySet::ALL.without(Capability::SYS_ADMIN));
        assert!(matches!(default.apply(&["KILL"], &["CAP_KILL"]), Err(ApplyError::Both(_))));
        assert!(matches!(default.apply(&["CAP_"], none), Err(ApplyError::Unknown(_))));
    }
}
