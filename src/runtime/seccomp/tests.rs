//! The compiler against the meaning of a profile: an interpreter of classic BPF runs what was compiled.

use libc::sock_filter;

use super::syscalls::TABLE;
use super::*;
use crate::oci::capability::{Capability, CapabilitySet};

/// One call as the kernel describes it to a filter.
#[derive(Debug, Clone, Copy)]
struct Data {
    number: u32,
    audit: u32,
    arguments: [u64; 6],
}

impl Data {
    fn word(&self, offset: u32) -> u32 {
        assert!(offset < 64 && offset.is_multiple_of(4), "the kernel refuses this load: {offset}");
        match offset {
            0 => self.number,
            4 => self.audit,
            8 | 12 => 0x5eed,
            _ => {
                let argument = self.arguments[(offset as usize - 16) / 8];
                if offset.is_multiple_of(8) { argument as u32 } else { (argument >> 32) as u32 }
            }
        }
    }
}

/// What the kernel does with a filter; panics on what its verifier refuses.
fn run(program: &[sock_filter], data: &Data) -> u32 {
    let (mut at, mut accumulator) = (0_usize, 0_u32);
    loop {
        let instruction = program[at];
        let k = instruction.k;
        at += 1;
        let jump = |yes: bool| usize::from(if yes { instruction.jt } else { instruction.jf });
        match instruction.code {
            0x20 => accumulator = data.word(k),
            0x54 => accumulator &= k,
            0x05 => at += k as usize,
            0x15 => at += jump(accumulator == k),
            0x25 => at += jump(accumulator > k),
            0x35 => at += jump(accumulator >= k),
            0x06 => return k,
            code => panic!("unknown instruction {code:#x}"),
        }
    }
}

/// xorshift64: the same numbers each time, so that a failure repeats.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Small numbers, single bits, and neighbours of what a rule may compare with.
    fn value(&mut self, near: &[u64]) -> u64 {
        match self.below(6) {
            0 => self.next(),
            1 => 1 << self.below(64),
            2 => self.next() & 0xffff_ffff,
            3 => 0,
            _ => self.pick(near).wrapping_add(self.pick(&[0, 0, 0, 1, u64::MAX, 1 << 32, 0_u64.wrapping_sub(1 << 32)])),
        }
    }
}

fn facts(capabilities: CapabilitySet, architecture: Architecture) -> Facts {
    Facts { capabilities, architecture, kernel: (6, 1) }
}

/// Every number, near and far, on every architecture of the family; where arguments count, with `rounds` of them.
fn compare(profile: &Profile, facts: &Facts, random: &mut Random, rounds: usize) {
    let compiled = compile(profile, facts).unwrap();
    let program = compiled.instructions();
    let mut near = vec![0, u64::MAX];
    for condition in profile.rules.iter().flat_map(|rule| &rule.conditions) {
        near.extend([condition.value, condition.value2, condition.value2 | !condition.value]);
    }
    let conditional: Vec<_> = profile.rules.iter().filter(|rule| !rule.conditions.is_empty()).collect();
    for by in facts.architecture.family() {
        for number in (0..520).chain([1000, 0x3fff_ffff]) {
            let named = |rule: &&Rule| rule.names.iter().any(|name| by.number(name) == Some(number));
            for _ in 0..if conditional.iter().any(named) { rounds } else { 1 } {
                let mut arguments = [0; 6];
                for argument in &mut arguments {
                    *argument = random.value(&near);
                }
                let data = Data { number, audit: by.audit(), arguments };
                let expected = profile.decide(facts, *by, number, &arguments).code();
                assert_eq!(run(program, &data), expected, "{by:?} {data:x?}\n{profile:?}");
            }
        }
    }
    for number in [0, 42, X32 | 1, X32 | 520, u32::MAX] {
        let stranger = Data { number, audit: 0x8000_0016, arguments: [0; 6] };
        assert_eq!(run(program, &stranger), Action::KillProcess.code());
        if number >= X32 && facts.architecture == Architecture::X86_64 {
            let x32 = Data { audit: Architecture::X86_64.audit(), ..stranger };
            assert_eq!(run(program, &x32), Action::Errno(libc::ENOSYS as u16).code());
        }
    }
}

const X32: u32 = 0x4000_0000;

#[test]
fn the_default_profile_means_the_same_when_compiled() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    for (architecture, capabilities) in [
        (Architecture::X86_64, CapabilitySet::DEFAULT),
        (Architecture::X86_64, CapabilitySet::ALL),
        (Architecture::I386, CapabilitySet::DEFAULT.with(Capability::SYS_ADMIN)),
        (Architecture::Aarch64, CapabilitySet::DEFAULT.with(Capability::PERFMON).with(Capability::AUDIT_WRITE)),
    ] {
        compare(&Profile::default(), &facts(capabilities, architecture), &mut random, 40);
    }
}

fn random_action(random: &mut Random) -> Action {
    let errno = random.below(4096) as u16;
    random.pick(&[
        Action::Allow,
        Action::Errno(errno),
        Action::Errno(1),
        Action::KillThread,
        Action::KillProcess,
        Action::Trap,
        Action::Notify,
        Action::Log,
    ])
}

fn random_profile(random: &mut Random) -> Profile {
    use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, MaskedEqual, NotEqual};
    let default = random_action(random);
    let mut rules = Vec::new();
    for _ in 0..random.pick(&[1, 3, 20, 60]) {
        let names = (0..random.pick(&[1, 2, 5, 200])).map(|_| TABLE[random.below(TABLE.len())].0.into()).collect();
        let conditions = (0..random.pick(&[0, 0, 1, 1, 2, 4]))
            .map(|_| Condition {
                index: random.below(6) as u8,
                op: random.pick(&[
                    NotEqual,
                    Less,
                    LessOrEqual,
                    Equal,
                    GreaterOrEqual,
                    Greater,
                    MaskedEqual,
                    MaskedEqual,
                ]),
                value: random.value(&[16, 0xffff_ffff, 1 << 32]),
                value2: random.value(&[0, 16, 1 << 32]),
            })
            .collect();
        let mut includes = Scope::default();
        let mut excludes = Scope::default();
        for scope in [&mut includes, &mut excludes] {
            match random.below(8) {
                0 => scope.capabilities = CapabilitySet::from_bits(1 << random.below(40)),
                1 => scope.arches = vec![random.pick(&["amd64", "x86", "arm64", "s390x"]).into()],
                2 => scope.min_kernel = Some((random.below(8) as u32, random.below(20) as u32)),
                _ => {}
            }
        }
        rules.push(Rule { names, action: random_action(random), conditions, includes, excludes });
    }
    Profile { default, only_native: random.below(2) == 0, rules }
}

#[test]
fn random_profiles_mean_the_same_when_compiled() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..30 {
        let profile = random_profile(&mut random);
        let architecture = random.pick(&[Architecture::X86_64, Architecture::X86_64, Architecture::Aarch64]);
        let capabilities = CapabilitySet::from_bits(random.next());
        match compile(&profile, &facts(capabilities, architecture)) {
            Ok(_) => compare(&profile, &facts(capabilities, architecture), &mut random, 4),
            Err(error) => assert!(matches!(error, Error::TooLong(_)), "{error}"),
        }
    }
}

/// Far jumps: thousands of instructions between the search and the conditions.
#[test]
fn a_long_program_still_finds_its_way() {
    let mut random = Random(7);
    let rules = TABLE
        .iter()
        .take(250)
        .enumerate()
        .map(|(at, row)| Rule {
            names: vec![row.0.into()],
            action: Action::Errno(at as u16),
            conditions: vec![Condition::equal(at as u8 % 6, (at as u64) << 30)],
            includes: Scope::default(),
            excludes: Scope::default(),
        })
        .collect();
    let profile = Profile { default: Action::Allow, only_native: false, rules };
    let facts = facts(CapabilitySet::EMPTY, Architecture::X86_64);
    assert!(compile(&profile, &facts).unwrap().instructions().len() > 1500);
    compare(&profile, &facts, &mut random, 3);
}

fn default_decides(name: &str, capabilities: CapabilitySet, arguments: [u64; 6]) -> Action {
    let facts = facts(capabilities, Architecture::X86_64);
    let number = Architecture::X86_64.number(name).unwrap();
    Profile::default().decide(&facts, Architecture::X86_64, number, &arguments)
}

#[test]
fn the_default_profile_has_the_facts_of_the_field() {
    let errno = |number: i32| Action::Errno(number as u16);
    let plain = CapabilitySet::DEFAULT;
    for (name, expected) in [
        ("openat2", Action::Allow),
        ("unshare", Action::Allow),
        ("mount", Action::Allow),
        ("setns", Action::Allow),
        ("clone3", Action::Allow),
        ("ptrace", Action::Allow),
        ("chroot", Action::Allow),
        ("kexec_load", errno(libc::EPERM)),
        ("userfaultfd", errno(libc::EPERM)),
        ("bpf", errno(libc::EPERM)),
        ("perf_event_open", errno(libc::EPERM)),
        ("open_by_handle_at", errno(libc::EPERM)),
        ("init_module", errno(libc::EPERM)),
        ("settimeofday", errno(libc::EPERM)),
        ("io_uring_setup", errno(libc::ENOSYS)),
        ("add_key", errno(libc::ENOSYS)),
        ("request_key", errno(libc::ENOSYS)),
    ] {
        assert_eq!(default_decides(name, plain, [0; 6]), expected, "{name}");
    }
    let admin = plain.with(Capability::SYS_ADMIN);
    assert_eq!(default_decides("bpf", admin, [0; 6]), Action::Allow);
    assert_eq!(default_decides("perf_event_open", plain.with(Capability::PERFMON), [0; 6]), Action::Allow);
    assert_eq!(default_decides("settimeofday", plain.with(Capability::SYS_TIME), [0; 6]), Action::Allow);
    for (family, protocol, expected) in [
        (libc::AF_INET, 0, Action::Allow),
        (libc::AF_NETLINK, 0, Action::Allow),
        (libc::AF_INET, libc::NETLINK_AUDIT, Action::Allow),
        (libc::AF_NETLINK, libc::NETLINK_AUDIT, errno(libc::EINVAL)),
        (libc::AF_VSOCK, 0, errno(libc::EPERM)),
    ] {
        for above in [0, 1 << 32, u64::MAX << 32] {
            let arguments = [family as u64 | above, 3, protocol as u64 | above, 0, 0, 0];
            assert_eq!(default_decides("socket", plain, arguments), expected, "{arguments:x?}");
        }
    }
    assert_eq!(default_decides("personality", plain, [0x2_0008, 0, 0, 0, 0, 0]), Action::Allow);
    // ADDR_NO_RANDOMIZE.
    assert_eq!(default_decides("personality", plain, [0x4_0000, 0, 0, 0, 0, 0]), errno(libc::ENOSYS));
}

/// A name in the default profile that no architecture knows would silently do nothing.
#[test]
fn every_name_of_the_default_profile_is_a_call() {
    for name in Profile::default().rules.iter().flat_map(|rule| &rule.names) {
        assert!(super::syscalls::find(name).is_some() || name == "query_module", "{name}");
    }
}

#[test]
fn what_the_kernel_could_not_take_is_refused() {
    let rule = |conditions, action| Rule {
        names: vec!["read".into()],
        action,
        conditions,
        includes: Scope::default(),
        excludes: Scope::default(),
    };
    let facts = facts(CapabilitySet::EMPTY, Architecture::X86_64);
    let bad = Profile {
        default: Action::Allow,
        only_native: false,
        rules: vec![rule(vec![Condition::equal(6, 0)], Action::Allow)],
    };
    assert!(matches!(compile(&bad, &facts), Err(Error::Argument { index: 6, .. })));
    let bad = Profile { default: Action::Allow, only_native: false, rules: vec![rule(vec![], Action::Errno(4096))] };
    assert!(matches!(compile(&bad, &facts), Err(Error::Errno { number: 4096, .. })));
    let many = (0..2000).map(|value| rule(vec![Condition::equal(0, value)], Action::Log)).collect();
    assert!(matches!(
        compile(&Profile { default: Action::Allow, only_native: false, rules: many }, &facts),
        Err(Error::TooLong(_))
    ));
}
