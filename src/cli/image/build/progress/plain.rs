//! Podman's lines: the steps, and what commands write, each to the output that it was written to.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{Write, stderr, stdout};

use super::{WHY_CACHED, heading, keep, stage};
use crate::build::progress::{Event, Number, Progress, Whose};
use crate::cli::output;
use crate::container::commit::step::Output;

#[derive(Debug)]
pub struct Plain {
    quiet: bool,
    explain: bool,
    stages: RefCell<BTreeMap<usize, Written>>,
}

/// What the running command of a stage wrote, as far as nobody has seen it.
#[derive(Debug, Default)]
struct Written {
    /// By a quiet build.
    kept: Vec<u8>,
    /// The beginnings of lines: where several stages write at a time, each line is one stage's.
    standard: Vec<u8>,
    error: Vec<u8>,
}

impl Plain {
    pub fn new(quiet: bool, explain: bool) -> Self {
        Self { quiet, explain, stages: RefCell::default() }
    }

    /// The reader may be gone, as of `| head`: the build goes on.
    fn line(&self, text: &str) {
        if !self.quiet {
            let mut out = stdout().lock();
            // Whole, as always before a process is cloned.
            let _ = writeln!(out, "{}", output::printable(text)).and_then(|()| out.flush());
        }
    }

    /// The last lines of a stage, which nothing ends.
    fn flush(&self, of: Whose<'_>) {
        let mut stages = self.stages.borrow_mut();
        let written = stages.entry(of.stage).or_default();
        for (from, rest) in [(Output::Standard, &mut written.standard), (Output::Error, &mut written.error)] {
            if !rest.is_empty() {
                rest.push(b'\n');
                write(from, &[stage(of).as_bytes(), rest].concat());
                rest.clear();
            }
        }
    }
}

impl Progress for Plain {
    fn event(&self, of: Whose<'_>, event: &Event<'_>) {
        self.flush(of);
        match event {
            Event::Step { number: Number { step, steps }, text } => {
                self.stages.borrow_mut().remove(&of.stage);
                self.line(&format!("{}{text}", heading(of, *step, *steps)));
            }
            Event::Cached { key } => {
                let whose = if of.is_alone { String::new() } else { stage(of) };
                self.line(&format!("{whose}--> Using cache {}", key.get(..12).unwrap_or(key)));
                if self.explain {
                    self.line(&format!("    {WHY_CACHED}"));
                }
            }
            Event::Made { why } if self.explain => self.line(&format!("    not from the cache: {why}")),
            Event::Made { .. } => {}
        }
    }

    fn output(&self, of: Whose<'_>, from: Output, bytes: &[u8]) {
        if self.quiet {
            return keep(&mut self.stages.borrow_mut().entry(of.stage).or_default().kept, bytes);
        }
        if of.is_alone {
            self.flush(of);
            return write(from, bytes);
        }
        let mut stages = self.stages.borrow_mut();
        let written = stages.entry(of.stage).or_default();
        let rest = match from {
            Output::Standard => &mut written.standard,
            Output::Error => &mut written.error,
        };
        rest.extend_from_slice(bytes);
        let Some(end) = rest.iter().rposition(|byte| *byte == b'\n') else { return };
        let lines: Vec<u8> = rest.drain(..=end).collect();
        let prefix = stage(of);
        let lines = lines.split_inclusive(|byte| *byte == b'\n');
        write(from, &lines.flat_map(|line| [prefix.as_bytes(), line].concat()).collect::<Vec<u8>>());
    }

    fn ended(&self, of: Whose<'_>, failed: bool) {
        self.flush(of);
        if let Some(written) = self.stages.borrow_mut().remove(&of.stage).filter(|_| failed) {
            write(Output::Error, &written.kept);
        }
    }

    fn commit(&self, name: Option<&str>) {
        self.line(format!("COMMIT {}", name.unwrap_or_default()).trim_end());
    }

    fn tick(&self) {}
}

fn write(to: Output, bytes: &[u8]) {
    let _ = match to {
        Output::Standard => {
            let mut out = stdout().lock();
            out.write_all(bytes).and_then(|()| out.flush())
        }
        Output::Error => stderr().lock().write_all(bytes),
    };
}
