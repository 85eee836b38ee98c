//! When each step of a start was over, on the clock that all processes of this machine share: so those of several are one story.

use rustix::time::{ClockId, clock_gettime};

/// How a line begins that says when something was over.
const MARK: char = '@';

/// Steps, with the moment at which each was over, in nanoseconds of CLOCK_MONOTONIC.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Times(Vec<(u64, String)>);

/// Now, in nanoseconds.
pub fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    u64::try_from(now.tv_sec).unwrap_or_default() * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap_or_default()
}

impl Times {
    pub fn mark(&mut self, what: &str) {
        self.mark_at(now(), what);
    }

    pub fn mark_at(&mut self, moment: u64, what: &str) {
        self.0.push((moment, what.to_owned()));
    }

    /// As lines for another process.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(moment, what)| format!("{MARK}{moment} {what}"))
    }

    /// Takes a line of another process's; `false`: it is none.
    pub fn take(&mut self, line: &str) -> bool {
        let mark = line.strip_prefix(MARK).and_then(|rest| rest.split_once(' '));
        let Some((Ok(moment), what)) = mark.map(|(moment, what)| (moment.parse(), what)) else { return false };
        self.mark_at(moment, what);
        true
    }

    /// What each step took, in nanoseconds, in their order.
    pub fn steps(mut self, begin: u64) -> Vec<(u64, String)> {
        self.0.sort_by_key(|(moment, _)| *moment);
        let mut before = begin;
        let step = |(moment, what): (u64, String)| {
            let took = moment.saturating_sub(before);
            before = before.max(moment);
            (took, what)
        };
        self.0.into_iter().map(step).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_two_processes_are_one_story() {
        let (mut ours, mut theirs) = (Times::default(), Times::default());
        ours.mark_at(110, "asked");
        theirs.mark_at(150, "mounted it");
        ours.mark_at(130, "began");
        assert!(theirs.lines().all(|line| ours.take(&line)));
        assert!(!ours.take("the program runs") && !ours.take("@x y"));
        let steps = ours.steps(100).into_iter().map(|(took, what)| format!("{took} {what}"));
        assert_eq!(steps.collect::<Vec<_>>(), ["10 asked", "20 began", "20 mounted it"]);
    }
}
