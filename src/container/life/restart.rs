//! Restart policies: which end of a program begins the next life of its container, and after how long a pause.

use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The first pause; each one is twice as long as the one before.
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(60);
/// A program that has run for this long is well again: the next pause is the shortest.
const WELL: Duration = Duration::from_secs(10);

/// When a container is restarted by itself. What its user stops or kills stays so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RestartPolicy {
    #[default]
    No,
    /// When the program failed, so many times at most (`None`: without end).
    OnFailure(Option<u32>),
    Always,
    UnlessStopped,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    #[error("\"{0}\" is not a valid restart policy: invalid argument")]
    Unknown(String),
    #[error("restart policy retries can only be specified with on-failure restart policy")]
    Retries,
    #[error("the retry count of the restart policy is not a number: \"{0}\"")]
    Count(String),
}

impl FromStr for RestartPolicy {
    type Err = PolicyError;

    /// `NAME`, `on-failure:N`; an empty text is none.
    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let (name, count) = text.split_once(':').map_or((text, None), |(name, count)| (name, Some(count)));
        let policy = match name {
            "" | "no" | "never" => Self::No,
            "on-failure" => {
                let count = count.map(|count| count.parse().map_err(|_| PolicyError::Count(count.to_owned())));
                return Ok(Self::OnFailure(count.transpose()?.filter(|count| *count > 0)));
            }
            "always" => Self::Always,
            "unless-stopped" => Self::UnlessStopped,
            _ => return Err(PolicyError::Unknown(name.to_owned())),
        };
        if count.is_some() { Err(PolicyError::Retries) } else { Ok(policy) }
    }
}

impl RestartPolicy {
    /// As `--restart` and `inspect` call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::OnFailure(_) => "on-failure",
            Self::Always => "always",
            Self::UnlessStopped => "unless-stopped",
        }
    }

    /// How many restarts there may be, 0: without end, or none at all.
    pub fn most(self) -> u32 {
        if let Self::OnFailure(Some(most)) = self { most } else { 0 }
    }

    /// Whether a program that ended so, after `count` restarts, is started again. A code that nobody knows is a failure.
    pub fn again(self, code: Option<i32>, count: u32) -> bool {
        match self {
            Self::No => false,
            Self::OnFailure(most) => code != Some(0) && most.is_none_or(|most| count < most),
            Self::Always | Self::UnlessStopped => true,
        }
    }
}

/// How long it is until the next start: longer each time, so that what can't run does not keep the machine busy.
#[derive(Debug, Default)]
pub struct BackOff(Duration);

impl BackOff {
    /// The pause after a life of this length.
    pub fn next(&mut self, lived: Duration) -> Duration {
        self.0 = if lived >= WELL { SHORTEST } else { (self.0 * 2).clamp(SHORTEST, LONGEST) };
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_read() {
        let policy = |text: &str| text.parse::<RestartPolicy>();
        for (text, expected) in [
            ("", RestartPolicy::No),
            ("no", RestartPolicy::No),
            ("never", RestartPolicy::No),
            ("on-failure", RestartPolicy::OnFailure(None)),
            ("on-failure:0", RestartPolicy::OnFailure(None)),
            ("on-failure:3", RestartPolicy::OnFailure(Some(3))),
            ("always", RestartPolicy::Always),
            ("unless-stopped", RestartPolicy::UnlessStopped),
        ] {
            assert_eq!(policy(text), Ok(expected), "{text}");
        }
        assert_eq!(policy("always:3"), Err(PolicyError::Retries));
        assert_eq!(policy("on-failure:-1"), Err(PolicyError::Count("-1".into())));
        assert_eq!(policy("Always"), Err(PolicyError::Unknown("Always".into())));
    }

    #[test]
    fn failures_are_counted() {
        let twice = RestartPolicy::OnFailure(Some(2));
        assert!(twice.again(Some(1), 0) && twice.again(None, 1) && !twice.again(Some(1), 2));
        assert!(!twice.again(Some(0), 0) && RestartPolicy::Always.again(Some(0), 1000));
        assert!(!RestartPolicy::No.again(Some(1), 0));
    }

    #[test]
    fn pauses_grow_to_a_limit_and_shrink_after_a_long_life() {
        let mut pauses = BackOff::default();
        let millis: Vec<u128> = (0..12).map(|_| pauses.next(Duration::ZERO).as_millis()).collect();
        assert_eq!(millis[..4], [100, 200, 400, 800]);
        assert_eq!(millis[10..], [60_000, 60_000]);
        assert_eq!(pauses.next(WELL), SHORTEST);
    }
}
