//! A profile from a file in the engines' common format: JSON as Docker and Podman read it (`seccomp.json`), of which the runtime
//! specification's `linux.seccomp` is a subset.
//!
//! It means what it means to them, who hand it to libseccomp: a rule without conditions decides on its calls wherever it stands,
//! the first of several; conditions on one argument are alternatives; a rule that does what is done anyway says nothing. Names of
//! calls, capabilities and architectures that are not known here are passed over, so that one file serves many machines.

use std::borrow::Cow;

use nix::errno::Errno;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::profile::{Action, Architecture, Condition, Profile, Rule, Scope};
use crate::oci::capability::{Capability, CapabilitySet};

/// With more rules no filter would be short enough for the kernel.
const MOST_RULES: usize = 1024;
/// The largest error number that a filter can give.
const MAX_ERRNO: u16 = 4095;

/// Why a text is no profile.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// With the line and the column.
    #[error(transparent)]
    Document(#[from] serde_json::Error),
    #[error("it has more than {MOST_RULES} rules")]
    TooMany,
}

/// Reads a profile for this architecture.
pub fn parse(text: &str) -> Result<Profile, Error> {
    let document: Document = serde_json::from_str(text)?;
    let only_native = !document.has_foreign();
    let default = document.default_action.action(document.default_errno, document.default_errno_ret);
    let mut rules = Vec::new();
    for entry in document.syscalls.into_iter().flatten() {
        entry.add_to(&mut rules);
        if rules.len() > MOST_RULES {
            return Err(Error::TooMany);
        }
    }
    rules.retain(|rule| rule.action != default);
    // Stable: else the order stays.
    rules.sort_by_key(|rule| !rule.conditions.is_empty());
    Ok(Profile { default, only_native, rules })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    default_action: Verb,
    default_errno_ret: Option<Number>,
    default_errno: Option<Name>,
    architectures: Option<Vec<String>>,
    arch_map: Option<Vec<Family>>,
    syscalls: Option<Vec<Entry>>,
}

impl Document {
    /// Whether calls by way of another architecture than the machine's own are to be judged.
    fn has_foreign(&self) -> bool {
        let Some((native, foreign)) = Architecture::native().and_then(|native| native.family().split_first()) else {
            return false;
        };
        let families = self.arch_map.iter().flatten().filter(|family| family.architecture == name(*native));
        let named = families.flat_map(|family| family.sub_architectures.iter().flatten());
        self.architectures.iter().flatten().chain(named).any(|found| foreign.iter().any(|other| name(*other) == found))
    }
}

fn name(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::X86_64 => "SCMP_ARCH_X86_64",
        Architecture::I386 => "SCMP_ARCH_X86",
        Architecture::Aarch64 => "SCMP_ARCH_AARCH64",
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Family {
    architecture: String,
    sub_architectures: Option<Vec<String>>,
}

/// What is to be done, but for the number. Nobody is there to be notified.
#[derive(Deserialize, Clone, Copy)]
enum Verb {
    #[serde(rename = "SCMP_ACT_ALLOW")]
    Allow,
    #[serde(rename = "SCMP_ACT_ERRNO")]
    Errno,
    #[serde(rename = "SCMP_ACT_KILL", alias = "SCMP_ACT_KILL_THREAD")]
    KillThread,
    #[serde(rename = "SCMP_ACT_KILL_PROCESS")]
    KillProcess,
    #[serde(rename = "SCMP_ACT_LOG")]
    Log,
    #[serde(rename = "SCMP_ACT_TRACE")]
    Trace,
    #[serde(rename = "SCMP_ACT_TRAP")]
    Trap,
}

impl Verb {
    /// The name of an error counts before its number.
    fn action(self, name: Option<Name>, number: Option<Number>) -> Action {
        let number = name.map(|name| name.0).or(number.map(|number| number.0)).unwrap_or(libc::EPERM as u16);
        match self {
            Self::Allow => Action::Allow,
            Self::Errno => Action::Errno(number),
            Self::KillThread => Action::KillThread,
            Self::KillProcess => Action::KillProcess,
            Self::Log => Action::Log,
            Self::Trace => Action::Trace(number),
            Self::Trap => Action::Trap,
        }
    }
}

/// An error number.
#[derive(Clone, Copy)]
struct Number(u16);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u16::deserialize(deserializer)? {
            number if number > MAX_ERRNO => {
                Err(D::Error::custom(format!("the error number {number} is above {MAX_ERRNO}")))
            }
            number => Ok(Self(number)),
        }
    }
}

/// One by its name.
#[derive(Clone, Copy)]
struct Name(u16);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name: Cow<'_, str> = Cow::deserialize(deserializer)?;
        let known = (1..=libc::EHWPOISON).find(|number| format!("{:?}", Errno::from_raw(*number)) == name);
        let number = known.and_then(|number| u16::try_from(number).ok());
        number.map(Self).ok_or_else(|| D::Error::custom(format!("no error has the name `{name}`")))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    /// Of older files, in place of `names`.
    name: Option<String>,
    names: Option<Vec<String>>,
    action: Verb,
    errno_ret: Option<Number>,
    errno: Option<Name>,
    args: Option<Vec<Condition>>,
    includes: Option<Where>,
    excludes: Option<Where>,
}

impl Entry {
    fn add_to(self, rules: &mut Vec<Rule>) {
        let (includes, excludes) = (self.includes.unwrap_or_default(), self.excludes.unwrap_or_default());
        // No program has a capability that is not known.
        if includes.capabilities().is_err() {
            return;
        }
        let rule = Rule {
            names: self.name.into_iter().chain(self.names.into_iter().flatten()).map(Cow::Owned).collect(),
            action: self.action.action(self.errno, self.errno_ret),
            conditions: self.args.unwrap_or_default(),
            includes: includes.scope(),
            excludes: excludes.scope(),
        };
        let is_again = |(place, condition): (usize, &Condition)| {
            rule.conditions.iter().take(place).any(|before| before.index == condition.index)
        };
        match rule.conditions.iter().enumerate().any(is_again) {
            true => rules.extend(rule.conditions.iter().map(|one| Rule { conditions: vec![*one], ..rule.clone() })),
            false => rules.push(rule),
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Where {
    caps: Option<Vec<String>>,
    arches: Option<Vec<String>>,
    #[serde(default, deserialize_with = "kernel_version")]
    min_kernel: Option<(u32, u32)>,
}

impl Where {
    /// Those that are known, as an error if there are others.
    fn capabilities(&self) -> Result<CapabilitySet, CapabilitySet> {
        let names = self.caps.iter().flatten();
        let (known, unknown): (Vec<_>, Vec<_>) = names.map(|name| name.parse::<Capability>()).partition(Result::is_ok);
        let set = known.into_iter().flatten().fold(CapabilitySet::EMPTY, CapabilitySet::with);
        if unknown.is_empty() { Ok(set) } else { Err(set) }
    }

    fn scope(self) -> Scope {
        let capabilities = self.capabilities().unwrap_or_else(|known| known);
        let arches = self.arches.unwrap_or_default().into_iter().map(Cow::Owned).collect();
        Scope { capabilities, arches, min_kernel: self.min_kernel }
    }
}

/// `4.8`; an empty one says nothing.
fn kernel_version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<(u32, u32)>, D::Error> {
    let Some(text) = Option::<Cow<'_, str>>::deserialize(deserializer)?.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let version = text.split_once('.').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    version.map(Some).ok_or_else(|| D::Error::custom(format!("`{text}` is no version of a kernel, as `4.8` is")))
}

#[cfg(test)]
mod tests {
    use super::super::profile::{Comparison, Facts};
    use super::super::{Choice, compile};
    use super::*;

    fn decide(profile: &Profile, capabilities: CapabilitySet, name: &str, arguments: [u64; 6]) -> Action {
        let facts = Facts { capabilities, architecture: Architecture::X86_64, kernel: (6, 1) };
        compile(profile, &facts).unwrap();
        let number = Architecture::X86_64.number(name).unwrap();
        profile.decide(&facts, Architecture::X86_64, number, &arguments)
    }

    #[test]
    fn all_that_the_format_has_is_understood() {
        let profile = parse(
            r#"{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "defaultErrno": "ENOSYS", "comment": "other keys",
            "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]}],
            "syscalls": [
              {"names": ["read", "no_such_call"], "action": "SCMP_ACT_ALLOW", "args": null, "includes": {}, "excludes": {}},
              {"name": "write", "action": "SCMP_ACT_LOG"},
              {"names": ["mount"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}},
              {"names": ["mount"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5, "excludes": {"caps": ["CAP_SYS_ADMIN", "CAP_X"]}},
              {"names": ["chroot"], "action": "SCMP_ACT_ERRNO", "errno": "EACCES", "errnoRet": 1},
              {"names": ["bpf"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_OF_THE_FUTURE"]}},
              {"names": ["ptrace"], "action": "SCMP_ACT_KILL", "includes": {"minKernel": "4.8"}},
              {"names": ["acct"], "action": "SCMP_ACT_TRAP", "excludes": {"minKernel": "4.8"}},
              {"names": ["reboot"], "action": "SCMP_ACT_TRACE", "includes": {"arches": ["amd64", "x32"], "minKernel": ""}},
              {"names": ["swapon"], "action": "SCMP_ACT_KILL_PROCESS", "excludes": {"arches": ["amd64"]}},
              {"names": ["clone"], "action": "SCMP_ACT_ALLOW",
               "args": [{"index": 0, "value": 2114060288, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}]}
            ]}"#,
        )
        .unwrap();
        let root = CapabilitySet::EMPTY.with(Capability::SYS_ADMIN);
        for (capabilities, name, expected) in [
            (root, "read", Action::Allow),
            (root, "write", Action::Log),
            (root, "mount", Action::Allow),
            (CapabilitySet::EMPTY, "mount", Action::Errno(5)),
            (root, "chroot", Action::Errno(libc::EACCES as u16)),
            (CapabilitySet::ALL, "bpf", Action::Errno(38)),
            (root, "ptrace", Action::KillThread),
            (root, "acct", Action::Errno(38)),
            (root, "reboot", Action::Trace(1)),
            (root, "swapon", Action::Errno(38)),
            (root, "clone", Action::Allow),
        ] {
            assert_eq!(decide(&profile, capabilities, name, [0; 6]), expected, "{name}");
        }
        assert_eq!(decide(&profile, root, "clone", [0x1000_0000, 0, 0, 0, 0, 0]), Action::Errno(38));
        assert!(!profile.only_native);
        let choice = Choice::Custom(profile);
        assert_eq!(serde_json::from_str::<Choice>(&serde_json::to_string(&choice).unwrap()).unwrap(), choice);
    }

    #[test]
    fn rules_count_as_libseccomp_has_them() {
        let profile = parse(
            r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
              {"names": ["socket"], "action": "SCMP_ACT_TRAP", "args": [{"index": 0, "value": 40, "op": "SCMP_CMP_EQ"}]},
              {"names": ["socket"], "action": "SCMP_ACT_ALLOW"},
              {"names": ["socket"], "action": "SCMP_ACT_KILL", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]},
              {"names": ["kill"], "action": "SCMP_ACT_LOG", "args": [{"index": 1, "value": 9, "op": "SCMP_CMP_EQ"}]},
              {"names": ["kill"], "action": "SCMP_ACT_ERRNO"},
              {"names": ["kill"], "action": "SCMP_ACT_TRAP"},
              {"names": ["dup"], "action": "SCMP_ACT_ERRNO",
               "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}, {"index": 0, "value": 5, "op": "SCMP_CMP_GT"}]},
              {"names": ["dup2"], "action": "SCMP_ACT_ERRNO",
               "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_GE"}, {"index": 1, "value": 5, "op": "SCMP_CMP_LT"}]}
            ]}"#,
        )
        .unwrap();
        let eperm = Action::Errno(libc::EPERM as u16);
        for (name, first, second, expected) in [
            ("socket", 40, 0, Action::Trap),
            ("socket", 1, 0, Action::KillThread),
            ("socket", 2, 0, Action::Allow),
            ("kill", 1, 9, eperm),
            ("dup", 1, 0, eperm),
            ("dup", 6, 0, eperm),
            ("dup", 2, 0, Action::Allow),
            ("dup2", 1, 4, eperm),
            ("dup2", 1, 5, Action::Allow),
        ] {
            let arguments = [first, second, 0, 0, 0, 0];
            assert_eq!(decide(&profile, CapabilitySet::EMPTY, name, arguments), expected, "{name}{arguments:?}");
        }
        assert!(profile.only_native, "no other architecture is named");
        assert_eq!(profile.rules.iter().filter(|rule| rule.conditions.is_empty()).count(), 2);
        assert!(profile.rules.iter().any(|rule| rule.conditions.iter().any(|one| one.op == Comparison::Less)));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (text, expected) in [
            ("", "EOF while parsing a value at line 1"),
            ("{}", "missing field `defaultAction` at line 1"),
            ("{\"defaultAction\": \"SCMP_ACT_FROB\"}", "unknown variant `SCMP_ACT_FROB`, expected one of"),
            ("{\n\"defaultAction\": \"SCMP_ACT_NOTIFY\"}", "at line 2 column 34"),
            (r#"{"defaultAction":"SCMP_ACT_LOG","syscalls":[{"names":["a"]}]}"#, "missing field `action`"),
            (r#"{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":5000}"#, "the error number 5000 is above 4095"),
            (r#"{"defaultAction":"SCMP_ACT_ERRNO","defaultErrno":"EFROB"}"#, "no error has the name `EFROB`"),
            (
                r#"{"defaultAction":"SCMP_ACT_LOG","syscalls":[{"action":"SCMP_ACT_LOG","includes":{"minKernel":"x"}}]}"#,
                "`x` is no version of a kernel",
            ),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
        let rule = r#"{"names":["a"],"action":"SCMP_ACT_LOG"}"#;
        let many = format!(r#"{{"defaultAction":"SCMP_ACT_LOG","syscalls":[{}]}}"#, vec![rule; 1025].join(","));
        assert!(matches!(parse(&many), Err(Error::TooMany)));
    }
}
