//! Root emulation: with one id, the system calls that ask for another can't work; they are answered with success, so that
//! programs which are used to be root (apt, dpkg, rpm, apk, tar, useradd, su) go on.
//!
//! Not faked: what works. `mkfifo` makes a FIFO, `setuid(0)` and the questions (`-1`) reach the kernel, and capset, so that
//! capabilities are given up in earnest. What the container's capabilities would not allow anyway is not faked either.
//!
//! It is a filter of its own, loaded when all real changes of ids are done and before the container's: for one call, the
//! kernel takes a refusal of that one before a success of this.

use super::default::{having, rule, when};
use super::profile::{Action, Comparison, Condition, Profile, Rule};
use crate::oci::capability::Capability;

const SUCCESS: Action = Action::Errno(0);

/// Who changes the ids of a process: the names by how many ids they take.
const USERS: [&str; 3] = ["setuid setuid32 setfsuid setfsuid32", "setreuid setreuid32", "setresuid setresuid32"];
const GROUPS: [&str; 3] = ["setgid setgid32 setfsgid setfsgid32", "setregid setregid32", "setresgid setresgid32"];

/// Who changes the owner of a file.
pub const CHOWN: &str = "chown chown32 lchown lchown32 fchown fchown32 fchownat";

/// For a program that runs as root with the group `gid`, there being no other ids. `listened`: a listener decides on changes of
/// owners.
pub fn emulation(gid: u32, listened: bool) -> Profile {
    let mut rules = Vec::new();
    for (own, calls, capability) in [(0, USERS, Capability::SETUID), (gid, GROUPS, Capability::SETGID)] {
        for (arguments, names) in (1..).zip(calls) {
            rules.extend(unchanged(names, arguments, own));
            rules.push(having(rule(names, SUCCESS), capability));
        }
    }
    rules.push(having(rule("setgroups setgroups32", SUCCESS), Capability::SETGID));
    for (name, mode) in [("mknod", 1), ("mknodat", 2)] {
        for kind in [libc::S_IFCHR, libc::S_IFBLK] {
            rules.push(when(rule(name, SUCCESS), &[kind_of_node(mode, kind)]));
        }
    }
    let chown = if listened { Action::Notify } else { SUCCESS };
    rules.push(having(rule(CHOWN, chown), Capability::CHOWN));
    Profile { default: Action::Allow, only_native: false, rules }
}

/// Each of the arguments is the own id or -1: one rule for each way in which that can be.
fn unchanged(names: &'static str, arguments: u8, own: u32) -> impl Iterator<Item = Rule> {
    (0..1u32 << arguments).map(move |which| {
        let value = |index: u8| if which >> index & 1 == 0 { own } else { u32::MAX };
        let conditions: Vec<Condition> = (0..arguments).map(|index| Condition::int(index, value(index))).collect();
        when(rule(names, Action::Allow), &conditions)
    })
}

fn kind_of_node(index: u8, kind: u32) -> Condition {
    Condition { index, op: Comparison::MaskedEqual, value: libc::S_IFMT.into(), value2: kind.into() }
}

#[cfg(test)]
mod tests {
    use super::super::{Architecture, Facts};
    use super::*;
    use crate::oci::capability::CapabilitySet;

    fn decide(capabilities: &[Capability], listened: bool, name: &str, arguments: &[u32]) -> Action {
        let capabilities = capabilities.iter().fold(CapabilitySet::EMPTY, |set, one| set.with(*one));
        let facts = Facts { capabilities, architecture: Architecture::X86_64, kernel: (6, 1) };
        let mut all = [0; 6];
        all.iter_mut().zip(arguments).for_each(|(place, argument)| *place = u64::from(*argument));
        let number = Architecture::X86_64.number(name).unwrap();
        emulation(5, listened).decide(&facts, Architecture::X86_64, number, &all)
    }

    #[test]
    fn only_what_can_not_work_is_faked() {
        const NONE: u32 = u32::MAX;
        let root = [Capability::SETUID, Capability::SETGID, Capability::CHOWN];
        let faked = |name: &str, arguments: &[u32]| match decide(&root, false, name, arguments) {
            Action::Errno(0) => true,
            Action::Allow => false,
            other => panic!("{other:?}"),
        };
        for (name, arguments) in [
            ("setuid", &[33][..]),
            ("setresuid", &[0, NONE, 33]),
            ("setreuid", &[33, NONE]),
            ("setgid", &[0]),
            ("setresgid", &[5, 0, 5]),
            ("setgroups", &[0]),
            ("mknod", &[0, libc::S_IFCHR | 0o600]),
            ("mknodat", &[0, 0, libc::S_IFBLK | 0o777]),
            ("fchownat", &[0]),
            ("setfsuid", &[1]),
        ] {
            assert!(faked(name, arguments), "{name}{arguments:?}");
        }
        for (name, arguments) in [
            ("setuid", &[0][..]),
            ("setresuid", &[0, NONE, 0]),
            ("setregid", &[NONE, 5]),
            ("setfsgid", &[NONE]),
            ("mknod", &[0, libc::S_IFIFO | 0o600]),
            ("mknodat", &[0, 0, libc::S_IFREG]),
            ("mknod", &[libc::S_IFCHR, 0o600]),
            ("capset", &[]),
            ("chmod", &[]),
        ] {
            assert!(!faked(name, arguments), "{name}{arguments:?}");
        }
    }

    #[test]
    fn changes_of_owners_go_to_the_listener_and_capabilities_count() {
        for name in CHOWN.split(' ').filter(|name| Architecture::X86_64.number(name).is_some()) {
            assert_eq!(decide(&[Capability::CHOWN], true, name, &[]), Action::Notify, "{name}");
            assert_eq!(decide(&[], true, name, &[]), Action::Allow, "{name}");
        }
        assert_eq!(decide(&[Capability::SETGID], false, "setuid", &[33]), Action::Allow);
    }
}
