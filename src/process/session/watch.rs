//! What a monitor does by itself while a program runs: it ends it when its time is over, and asks how it is.

use std::time::{Duration, Instant};

use super::health::{Health, Patient};
use crate::container::job::Care;

/// A joiner's has nothing to do.
#[derive(Debug, Default)]
pub struct Watch {
    /// The program's user wants its end: it is not started again.
    pub given_up: bool,
    /// It has been stopped since nobody needed it.
    pub idle: bool,
    /// What it could not go on without has ended.
    pub bereft_of: Option<&'static str>,
    /// It is started again, whatever its restart policy.
    pub again: bool,
    pub health: Option<Health>,
    /// What its user has asked for since it began.
    pub updated: Option<Care>,
    patient: Option<Patient>,
    /// How the program is stopped: the signal, and seconds until the kill.
    pub stop: (i32, u32),
    /// When its time is over.
    deadline: Option<Instant>,
    timed_out: bool,
    /// When a program that was told to stop is killed.
    kill: Option<Instant>,
}

impl Watch {
    /// From now on; `timeout` in seconds, 0: none.
    pub fn begin(timeout: u32, stop: (i32, u32), care: &Care, patient: Option<Patient>) -> Self {
        let deadline = (timeout > 0).then(|| Instant::now() + Duration::from_secs(timeout.into()));
        let health = care.health.as_ref().and_then(|job| Health::begin(job, patient.as_ref()?));
        Self { deadline, stop, health, patient, ..Self::default() }
    }

    /// Its user wants it to be looked after otherwise; one that is about to stop is left alone.
    pub fn update(&mut self, care: Care) {
        if self.kill.is_none() {
            self.health = care.health.as_ref().and_then(|job| Health::begin(job, self.patient.as_ref()?));
        }
        self.updated = Some(care);
    }

    /// The program has been told to stop.
    pub fn stopping(&mut self) {
        self.kill = Some(Instant::now() + Duration::from_secs(self.stop.1.into()));
        // Whether it is well is no question any more.
        self.health = None;
    }

    /// Whether it knows how the program is stopped.
    pub fn is_patient(&self) -> bool {
        self.stop.0 > 0
    }

    /// How long there is nothing to do. `None`: until something is heard.
    pub fn patience(&self) -> Option<Duration> {
        let rest = |moment: Instant| moment.saturating_duration_since(Instant::now());
        let health = self.health.as_ref().and_then(Health::patience);
        [self.deadline.map(rest), self.kill.map(rest), health].into_iter().flatten().min()
    }

    /// Whether the program must be killed now, which is said once.
    pub fn is_due(&mut self) -> bool {
        let now = Instant::now();
        let over = self.deadline.take_if(|deadline| *deadline <= now).is_some();
        self.timed_out |= over;
        self.kill.take_if(|kill| *kill <= now).is_some() || over
    }

    /// Whether the program was killed because its time was over.
    pub fn timed_out(&self) -> bool {
        self.timed_out
    }
}
