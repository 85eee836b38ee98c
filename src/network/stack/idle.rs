//! How long nobody from outside has been there, for a container that is to end when nobody is.

use smoltcp::time::{Duration, Instant};

#[derive(Debug)]
pub struct Idle {
    limit: Option<Duration>,
    /// `None`: somebody is there.
    since: Option<Instant>,
    /// How many had come when it was last looked at.
    seen: u64,
}

impl Idle {
    /// From now on; `limit` in seconds, 0: nobody wants to know.
    pub fn new(limit: u32, now: Instant) -> Self {
        Self { limit: (limit > 0).then(|| Duration::from_secs(limit.into())), since: Some(now), seen: 0 }
    }

    /// Whether nobody has been there for so long, which is said once. `come`: how many there were ever; `here`: whether somebody is.
    pub fn is_over(&mut self, now: Instant, come: u64, here: bool) -> bool {
        if here || come != self.seen {
            self.seen = come;
            self.since = (!here).then_some(now);
        } else if self.since.is_none() {
            self.since = Some(now);
        }
        let over = self.next().is_some_and(|next| next <= now);
        if over {
            self.limit = None;
        }
        over
    }

    /// When it will be, if nobody comes.
    pub fn next(&self) -> Option<Instant> {
        Some(self.since? + self.limit?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_from_when_the_last_has_gone() {
        let at = Instant::from_secs;
        let mut idle = Idle::new(10, at(0));
        assert_eq!(idle.next(), Some(at(10)));
        assert!(!idle.is_over(at(9), 1, true));
        assert_eq!(idle.next(), None);
        assert!(!idle.is_over(at(30), 1, true));
        assert!(!idle.is_over(at(40), 1, false));
        // One that came and went between two looks.
        assert!(!idle.is_over(at(49), 2, false));
        assert!(!idle.is_over(at(58), 2, false));
        assert!(idle.is_over(at(59), 2, false));
        assert!(!idle.is_over(at(99), 2, false) && idle.next().is_none());
        assert!(!Idle::new(0, at(0)).is_over(at(1_000_000), 0, false));
    }
}
