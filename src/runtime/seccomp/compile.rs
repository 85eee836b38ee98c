//! From a profile to classic BPF, the language of seccomp filters (kernel document `networking/filter.rst`).
//!
//! ```text
//! load arch ── x86-64? ── load number ── x32 bit? ─▶ ENOSYS     number >= 200? ─┬─ yes ─ number >= 310? ...
//!           │                        └─ no ──────────────────▶                  └─ no ── number >= 90? ...
//!           ├─ i386? ─── load number ── (its own tree)                                         │
//!           └─ else ─▶ kill                            a range of equal verdicts ◀─────────────┘
//! ```
//!
//! Neighbouring numbers with the same verdict become one range, and the ranges are searched by halving: about seven
//! comparisons a call. A verdict with conditions is a small tree on the arguments, 64 bits as two halves of 32.
//!
//! Jumps of this machine go forward only and, if they depend on something, over at most 255 instructions. So the program is
//! written backwards: where a jump leads is known when the jump is made, and where that is too far a stepping stone (or a
//! copy of the return that was meant) is put in between.

use libc::sock_filter;

use super::profile::{Action, Architecture, Comparison, Condition, Facts, Profile, Rule};
use super::syscalls::{Finder, Row};

/// The kernel takes no longer program (`BPF_MAXINSNS`).
const MAX_LENGTH: usize = 4096;
/// Numbers from here on have the profile's default; every table ends below.
const NUMBERS: usize = 512;
/// Calls with this bit are x32's.
const X32_BIT: u32 = 0x4000_0000;

/// Offsets in `struct seccomp_data`.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const ARGUMENTS: u32 = 16;

const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const AND: u16 = (libc::BPF_ALU | libc::BPF_AND | libc::BPF_K) as u16;
const JUMP: u16 = (libc::BPF_JMP | libc::BPF_JA) as u16;
const IF_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const IF_GREATER: u16 = (libc::BPF_JMP | libc::BPF_JGT | libc::BPF_K) as u16;
const IF_AT_LEAST: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

/// Why a profile can't be made into a filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("a seccomp rule for `{call}` looks at argument {index}: there are only 0 to 5")]
    Argument { call: String, index: u8 },
    #[error("a seccomp rule for `{call}` gives the error number {number}: the largest is 4095")]
    Errno { call: String, number: u16 },
    #[error("the seccomp profile is too large: {0} instructions, the kernel takes 4096")]
    TooLong(usize),
}

/// A filter, ready to be loaded.
#[derive(Debug, Clone)]
pub struct Program {
    instructions: Vec<sock_filter>,
}

impl Program {
    pub fn instructions(&self) -> &[sock_filter] {
        &self.instructions
    }
}

/// Translates what of `profile` is in force under `facts`.
pub fn compile(profile: &Profile, facts: &Facts) -> Result<Program, Error> {
    let rules: Vec<&Rule> = profile.rules.iter().filter(|rule| rule.applies(facts)).collect();
    check(&rules, profile.default)?;
    let named = named(&rules);
    let mut code = Assembler::default();
    let mut entry = Target::Return(Action::KillProcess.code());
    // The first comparison is written last: the native architecture's.
    let family = facts.architecture.family().iter().rev();
    for architecture in family.filter(|other| !profile.only_native || **other == facts.architecture) {
        let verdicts = Verdicts::of(*architecture, &named, profile.default);
        let mut search = verdicts.search(&rules, &mut code);
        if *architecture == Architecture::X86_64 {
            // Whatever the profile says: nothing uses x32, and its calls have the same numbers as others.
            search =
                code.branch(IF_AT_LEAST, X32_BIT, Target::Return(Action::Errno(libc::ENOSYS as u16).code()), search);
        }
        let judge = code.load(NUMBER, search);
        entry = code.branch(IF_EQUAL, architecture.audit(), judge, entry);
    }
    code.load(ARCHITECTURE, entry);
    if code.backwards.len() > MAX_LENGTH {
        return Err(Error::TooLong(code.backwards.len()));
    }
    code.backwards.reverse();
    Ok(Program { instructions: code.backwards })
}

fn check(rules: &[&Rule], default: Action) -> Result<(), Error> {
    let call = |rule: &Rule| rule.names.first().map_or_else(String::new, ToString::to_string);
    for rule in rules {
        if let Some(wrong) = rule.conditions.iter().find(|condition| condition.index > 5) {
            return Err(Error::Argument { call: call(rule), index: wrong.index });
        }
    }
    let actions = rules.iter().map(|rule| (rule.action, call(rule)));
    for (action, call) in actions.chain([(default, "all others".to_owned())]) {
        if let Action::Errno(number) = action
            && number > 4095
        {
            return Err(Error::Errno { call, number });
        }
    }
    Ok(())
}

/// A call that a rule names, with the rule and its place.
type Named<'a> = (&'static Row, usize, &'a Rule);

/// All calls that rules name, in the order of the rules. Done once for all architectures: it is most of the work.
fn named<'a>(rules: &[&'a Rule]) -> Vec<Named<'a>> {
    let mut finder = Finder::default();
    let mut named = Vec::with_capacity(NUMBERS);
    for (index, rule) in rules.iter().enumerate() {
        named.extend(rule.names.iter().filter_map(|name| Some((finder.find(name)?, index, *rule))));
    }
    named
}

/// What becomes of a call: the first of some rules whose conditions hold, else `last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Verdict {
    /// An index into [`Verdicts::chains`]; chain 0 is empty.
    chain: usize,
    /// `None` while a later rule may still speak.
    last: Option<Action>,
}

/// The verdict of every number of one architecture.
struct Verdicts {
    by_number: Vec<Verdict>,
    /// Rules with conditions, by index, in their order. Numbers with equal ones share a chain.
    chains: Vec<Vec<usize>>,
    default: Action,
}

impl Verdicts {
    fn of(architecture: Architecture, named: &[Named<'_>], default: Action) -> Self {
        let by_number = vec![Verdict { chain: 0, last: None }; NUMBERS];
        let mut all = Self { by_number, chains: vec![Vec::new()], default };
        for (row, index, rule) in named {
            if let Some(number) = architecture.number_in(row) {
                all.add(number as usize, *index, rule);
            }
        }
        for verdict in &mut all.by_number {
            verdict.last = verdict.last.or(Some(default));
        }
        all
    }

    fn add(&mut self, number: usize, index: usize, rule: &Rule) {
        let Some(verdict) = self.by_number.get_mut(number).filter(|verdict| verdict.last.is_none()) else { return };
        if rule.conditions.is_empty() {
            verdict.last = Some(rule.action);
            return;
        }
        let before = self.chains.get(verdict.chain).map_or(&[][..], Vec::as_slice);
        // A name that stands twice in a rule changes nothing.
        if before.last() == Some(&index) {
            return;
        }
        let longer: Vec<usize> = before.iter().copied().chain([index]).collect();
        verdict.chain = self.chains.iter().position(|chain| *chain == longer).unwrap_or(self.chains.len());
        if verdict.chain == self.chains.len() {
            self.chains.push(longer);
        }
    }

    /// Writes the search for the number that is in the accumulator.
    fn search(&self, rules: &[&Rule], code: &mut Assembler) -> Target {
        let mut known: Vec<(Verdict, Target)> = Vec::new();
        let mut ranges: Vec<(u32, Target)> = Vec::new();
        let mut previous = None;
        let end = Verdict { chain: 0, last: Some(self.default) };
        for (number, verdict) in self.by_number.iter().copied().chain([end]).enumerate() {
            if previous == Some(verdict) {
                continue;
            }
            previous = Some(verdict);
            let target = known.iter().find(|(same, _)| *same == verdict).map(|(_, target)| *target);
            let target = target.unwrap_or_else(|| {
                let target = self.judge(verdict, rules, code);
                known.push((verdict, target));
                target
            });
            ranges.push((number as u32, target));
        }
        code.halve(&ranges)
    }

    /// Writes the conditions of one verdict.
    fn judge(&self, verdict: Verdict, rules: &[&Rule], code: &mut Assembler) -> Target {
        let mut next = Target::Return(verdict.last.unwrap_or(self.default).code());
        let chain = self.chains.get(verdict.chain).map_or(&[][..], Vec::as_slice);
        for rule in chain.iter().rev().filter_map(|index| rules.get(*index)) {
            let mut holds = Target::Return(rule.action.code());
            for condition in rule.conditions.iter().rev() {
                holds = code.condition(condition, holds, next);
            }
            next = holds;
        }
        next
    }
}

/// Where to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    /// End with this value.
    Return(u32),
    /// An instruction, by its place counted from the program's end.
    At(usize),
}

/// A program that is written from its end.
#[derive(Default)]
struct Assembler {
    backwards: Vec<sock_filter>,
    /// The latest return of each value.
    returns: Vec<(u32, usize)>,
}

impl Assembler {
    fn push(&mut self, code: u16, k: u32, jt: u8, jf: u8) -> usize {
        self.backwards.push(sock_filter { code, jt, jf, k });
        self.backwards.len() - 1
    }

    /// How many instructions lie between the next one to be written, if `more` come before it, and `place`.
    fn distance(&self, place: usize, more: usize) -> usize {
        self.backwards.len() + more - place - 1
    }

    /// A place that means `target` and that an instruction can jump to even if `more` are written before it.
    fn reach(&mut self, target: Target, more: usize) -> usize {
        match target {
            Target::At(place) if self.distance(place, more) <= 255 => place,
            Target::At(place) => {
                let over = self.distance(place, 0) as u32;
                self.push(JUMP, over, 0, 0)
            }
            Target::Return(value) => {
                let latest = self.returns.iter().position(|(known, _)| *known == value);
                if let Some((_, place)) = latest.and_then(|at| self.returns.get(at).copied())
                    && self.distance(place, more) <= 255
                {
                    return place;
                }
                let place = self.push(RETURN, value, 0, 0);
                match latest.and_then(|at| self.returns.get_mut(at)) {
                    Some(entry) => entry.1 = place,
                    None => self.returns.push((value, place)),
                }
                place
            }
        }
    }

    /// Compares the accumulator with `k`.
    fn branch(&mut self, code: u16, k: u32, yes: Target, no: Target) -> Target {
        if yes == no {
            return yes;
        }
        let no = self.reach(no, 1);
        let yes = self.reach(yes, 0);
        let (jt, jf) = (self.distance(yes, 0) as u8, self.distance(no, 0) as u8);
        Target::At(self.push(code, k, jt, jf))
    }

    /// Does something to the accumulator and goes on at `then`, which must be what follows.
    fn step(&mut self, code: u16, k: u32, then: Target) -> Target {
        let next = self.backwards.len().wrapping_sub(1);
        match then {
            Target::At(place) if place == next => {}
            Target::At(place) => {
                let over = self.distance(place, 0) as u32;
                self.push(JUMP, over, 0, 0);
            }
            Target::Return(value) => {
                self.push(RETURN, value, 0, 0);
            }
        }
        Target::At(self.push(code, k, 0, 0))
    }

    fn load(&mut self, offset: u32, then: Target) -> Target {
        self.step(LOAD, offset, then)
    }

    /// Finds the range that the accumulator lies in: the last one whose start it reaches.
    fn halve(&mut self, ranges: &[(u32, Target)]) -> Target {
        let (lower, upper) = ranges.split_at(ranges.len() / 2);
        match (lower.is_empty(), upper.first()) {
            (_, None) => Target::Return(Action::KillProcess.code()),
            (true, Some((_, only))) => *only,
            (false, Some((start, _))) => {
                let yes = self.halve(upper);
                let no = self.halve(lower);
                self.branch(IF_AT_LEAST, *start, yes, no)
            }
        }
    }

    fn condition(&mut self, condition: &Condition, yes: Target, no: Target) -> Target {
        let Condition { index, op, value, value2 } = *condition;
        match op {
            Comparison::Equal => self.equal(index, u64::MAX, value, yes, no),
            Comparison::NotEqual => self.equal(index, u64::MAX, value, no, yes),
            Comparison::MaskedEqual => self.equal(index, value, value2, yes, no),
            Comparison::Greater => self.order(index, IF_GREATER, value, yes, no),
            Comparison::LessOrEqual => self.order(index, IF_GREATER, value, no, yes),
            Comparison::GreaterOrEqual => self.order(index, IF_AT_LEAST, value, yes, no),
            Comparison::Less => self.order(index, IF_AT_LEAST, value, no, yes),
        }
    }

    /// `argument & mask == value`.
    fn equal(&mut self, index: u8, mask: u64, value: u64, yes: Target, no: Target) -> Target {
        if value & !mask != 0 {
            return no;
        }
        let low = self.half_equal(low_half(index), mask as u32, value as u32, yes, no);
        self.half_equal(high_half(index), (mask >> 32) as u32, (value >> 32) as u32, low, no)
    }

    fn half_equal(&mut self, offset: u32, mask: u32, value: u32, yes: Target, no: Target) -> Target {
        if mask == 0 {
            return yes;
        }
        let mut test = self.branch(IF_EQUAL, value, yes, no);
        if test == yes {
            return yes;
        }
        if mask != u32::MAX {
            test = self.step(AND, mask, test);
        }
        self.load(offset, test)
    }

    /// `argument > value` or `argument >= value`, as `low` says for the lower half.
    fn order(&mut self, index: u8, low: u16, value: u64, yes: Target, no: Target) -> Target {
        let test = self.branch(low, value as u32, yes, no);
        let lower = self.load(low_half(index), test);
        let equal = self.branch(IF_EQUAL, (value >> 32) as u32, lower, no);
        let higher = self.branch(IF_GREATER, (value >> 32) as u32, yes, equal);
        self.load(high_half(index), higher)
    }
}

/// Arguments are 64 bits in the machine's byte order; every architecture that is known here is little-endian.
const fn low_half(index: u8) -> u32 {
    ARGUMENTS + 8 * index as u32
}

const fn high_half(index: u8) -> u32 {
    low_half(index) + 4
}
