//! Where the time of this command went, for who wants to know: `run --explain=times`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::cli::output;
use crate::runtime::times::{self, Times};

/// When the program began.
static BEGIN: AtomicU64 = AtomicU64::new(0);
static STEPS: Mutex<Option<Times>> = Mutex::new(None);

/// The program begins.
pub fn begin() {
    BEGIN.store(times::now(), Ordering::Relaxed);
}

/// Somebody wants to know.
pub fn measure() {
    *STEPS.lock().unwrap_or_else(PoisonError::into_inner) = Some(Times::default());
}

/// A step is over.
pub fn mark(what: &str) {
    mark_at(times::now(), what);
}

/// A step was over at that moment.
pub fn mark_at(moment: u64, what: &str) {
    if let Some(steps) = STEPS.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
        steps.mark_at(moment, what);
    }
}

/// Whether a line of the monitor's is about a step, which is kept.
pub fn take(line: &str) -> bool {
    let mut steps = STEPS.lock().unwrap_or_else(PoisonError::into_inner);
    steps.as_mut().map_or_else(|| Times::default().take(line), |steps| steps.take(line))
}

/// Says on standard error what each step took.
pub fn tell() {
    let steps = STEPS.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(steps) = steps else { return };
    let steps = steps.steps(BEGIN.load(Ordering::Relaxed));
    let in_all = steps.iter().map(|(took, _)| took).sum();
    for (took, what) in steps.iter().map(|(took, what)| (*took, what.as_str())).chain([(in_all, "in all")]) {
        output::complain(&format!("{:>10.3} ms  {what}", took as f64 / 1e6));
    }
}
