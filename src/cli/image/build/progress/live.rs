//! What goes on now, on a terminal: each running step with its time and the last lines of its command; steps that are done stand
//! above.
//!
//! ```text
//!  cached [1/2] STEP 1/3: FROM debian
//!    3.2s [1/2] STEP 2/3: RUN apt-get install -y gcc
//!     12s [1/2] STEP 3/3: RUN make
//!         │ cc -c boat.c
//!      4s [2/2] STEP 1/2: COPY --from=assets . .
//! ```
//!
//! Nothing here has a thread: who builds clones its process. The clocks go on with [`Progress::tick`].

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::{WHY_CACHED, heading, keep};
use crate::build::progress::{Event, Number, Progress, Whose};
use crate::cli::output::{frames, printable};
use crate::container::commit::step::Output;

/// So many lines of each running command are shown.
const LINES: usize = 4;
/// No line of a terminal shows more, in bytes.
const WIDEST: usize = 4096;

pub struct Live {
    all: MultiProgress,
    explain: bool,
    steps: RefCell<BTreeMap<usize, Step>>,
}

/// The running step of a stage.
struct Step {
    title: String,
    began: Instant,
    is_cached: bool,
    head: ProgressBar,
    /// The last lines, the oldest first; the last of them may go on.
    tail: Vec<(ProgressBar, Vec<u8>)>,
    /// All that its command wrote.
    kept: Vec<u8>,
}

impl Live {
    pub fn new(explain: bool) -> Self {
        Self { all: frames::bars(), explain, steps: RefCell::default() }
    }

    /// A line above those that go on. A terminal that went away shows nothing.
    fn line(&self, text: &str) {
        let _ = self.all.println(printable(text));
    }

    fn begin(&self, stage: usize, title: String) {
        let head = self.all.add(bar("{elapsed:>7} {wide_msg}")).with_message(title.clone());
        head.tick();
        let step = Step { title, began: Instant::now(), is_cached: false, head, tail: Vec::new(), kept: Vec::new() };
        self.steps.borrow_mut().insert(stage, step);
    }

    /// What was shown of a stage's step becomes one line above.
    fn end(&self, stage: usize, failed: bool) {
        let Some(step) = self.steps.borrow_mut().remove(&stage) else { return };
        let outcome = match (failed, step.is_cached) {
            (true, _) => "failed".to_owned(),
            (false, true) => "cached".to_owned(),
            (false, false) => time(step.began.elapsed()),
        };
        // Before the rest goes: what is shown of the step is never nothing.
        self.line(&format!("{outcome:>7} {}", step.title));
        for bar in step.tail.iter().map(|(bar, _)| bar).chain([&step.head]) {
            bar.finish_and_clear();
            self.all.remove(bar);
        }
        if failed {
            let _ = self.all.clear();
            let text = printable(String::from_utf8_lossy(&step.kept).replace('\r', "\n").trim_end());
            if !text.is_empty() {
                let _ = writeln!(std::io::stderr().lock(), "{text}");
            }
        }
    }
}

impl Progress for Live {
    fn event(&self, of: Whose<'_>, event: &Event<'_>) {
        match event {
            Event::Step { number: Number { step, steps }, text } => {
                self.end(of.stage, false);
                let first = text.lines().next().unwrap_or_default();
                self.begin(of.stage, printable(&format!("{}{first}", heading(of, *step, *steps))));
            }
            Event::Cached { .. } => {
                if let Some(step) = self.steps.borrow_mut().get_mut(&of.stage) {
                    step.is_cached = true;
                }
                if self.explain {
                    self.line(&format!("        {WHY_CACHED}"));
                }
            }
            Event::Made { why } if self.explain => self.line(&format!("        not from the cache: {why}")),
            Event::Made { .. } => {}
        }
    }

    fn output(&self, of: Whose<'_>, _from: Output, bytes: &[u8]) {
        let mut steps = self.steps.borrow_mut();
        let Some(Step { head, tail, kept, .. }) = steps.get_mut(&of.stage) else { return };
        keep(kept, bytes);
        for piece in bytes.split_inclusive(|byte| *byte == b'\n' || *byte == b'\r') {
            let ends = |with: &[u8]| tail.last().is_some_and(|(_, line)| line.ends_with(with));
            let (is_whole, returned) = (ends(b"\n") || ends(b"\r") || tail.is_empty(), ends(b"\r"));
            if is_whole && !returned {
                if tail.len() < LINES {
                    let below = tail.last().map_or(&*head, |(bar, _)| bar);
                    let bar = self.all.insert_after(below, bar("        │ {wide_msg}"));
                    tail.push((bar, Vec::new()));
                } else {
                    let later: Vec<Vec<u8>> = tail.iter_mut().skip(1).map(|(_, line)| std::mem::take(line)).collect();
                    let all = later.into_iter().chain([Vec::new()]);
                    tail.iter_mut().zip(all).for_each(|((_, slot), line)| *slot = line);
                }
            }
            if let Some((_, line)) = tail.last_mut() {
                // What follows a return takes the place of what was there.
                if returned {
                    line.clear();
                }
                line.extend_from_slice(piece);
            }
            if let Some((_, line)) = tail.last_mut() {
                line.truncate(WIDEST);
            }
        }
        for (bar, line) in tail.iter() {
            bar.set_message(printable(String::from_utf8_lossy(line).trim_end()));
        }
    }

    fn ended(&self, of: Whose<'_>, failed: bool) {
        self.end(of.stage, failed);
    }

    fn commit(&self, name: Option<&str>) {
        self.line(format!("        COMMIT {}", name.unwrap_or_default()).trim_end());
        let _ = self.all.clear();
    }

    fn tick(&self) {
        self.steps.borrow().values().for_each(|step| step.head.tick());
    }
}

fn bar(template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style)
}

fn time(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    if seconds < 60 {
        format!("{:.1}s", elapsed.as_secs_f64())
    } else {
        format!("{}m{:02}s", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        assert_eq!(time(Duration::from_millis(3240)), "3.2s");
        assert_eq!(time(Duration::from_secs(125)), "2m05s");
    }
}
