//! What a build shows: Podman's lines, the steps on standard output; of a quiet one the id alone, and what a failing command wrote.

use std::cell::RefCell;
use std::io::{Write, stderr, stdout};

use crate::build::progress::{Event, Number, Progress};
use crate::cli::output;
use crate::container::commit::step::Output;

/// So much of what a quiet build's command wrote is kept, in bytes.
const KEPT: usize = 1 << 20;

#[derive(Debug)]
pub struct Plain {
    quiet: bool,
    explain: bool,
    /// What the running command wrote, as far as nobody has seen it.
    kept: RefCell<Vec<u8>>,
}

impl Plain {
    pub fn new(quiet: bool, explain: bool) -> Self {
        Self { quiet, explain, kept: RefCell::default() }
    }

    /// What the command of the failing step wrote, where that was not shown.
    pub fn unseen(&self) -> Vec<u8> {
        self.kept.take()
    }

    /// The reader may be gone, as of `| head`: the build goes on.
    fn line(&self, text: &str) {
        if !self.quiet {
            let mut out = stdout().lock();
            // Whole, as always before a process is cloned.
            let _ = writeln!(out, "{}", output::printable(text)).and_then(|()| out.flush());
        }
    }
}

impl Progress for Plain {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::Step { number: Number { stage, stages, step, steps }, text, .. } => {
                self.kept.borrow_mut().clear();
                let stage = if stages > 1 { format!("[{stage}/{stages}] ") } else { String::new() };
                self.line(&format!("{stage}STEP {step}/{steps}: {text}"));
            }
            Event::Cached { key } => {
                self.line(&format!("--> Using cache {}", key.get(..12).unwrap_or(key)));
                if self.explain {
                    self.line("    the same instruction was done before, on the same layers and of the same input");
                }
            }
            Event::Made { why } if self.explain => self.line(&format!("    not from the cache: {why}")),
            Event::Made { .. } => {}
            Event::Output { bytes, .. } if self.quiet => {
                let mut kept = self.kept.borrow_mut();
                kept.extend_from_slice(bytes);
                let over = kept.len().saturating_sub(KEPT);
                kept.drain(..over);
            }
            Event::Output { from, bytes } => {
                let _ = match from {
                    Output::Standard => {
                        let mut out = stdout().lock();
                        out.write_all(bytes).and_then(|()| out.flush())
                    }
                    Output::Error => stderr().lock().write_all(bytes),
                };
            }
            Event::Commit { name } => self.line(format!("COMMIT {}", name.unwrap_or_default()).trim_end()),
        }
    }
}
