//! What a build shows: on a terminal what goes on now, else Podman's lines; of a quiet one the id alone. Of a step that fails, all
//! that its command wrote.

mod live;
mod plain;

use std::io::IsTerminal;

use crate::build::progress::{Event, Progress, Whose};
use crate::cli::Report;
use crate::container::commit::step::Output;

use live::Live;
use plain::Plain;

/// So much of what a command wrote is kept for who asks when it has failed, in bytes: the end of it.
const KEPT: usize = 16 << 20;

pub enum Display {
    Plain(Plain),
    Live(Live),
}

impl Display {
    /// `kind`: `--progress`.
    pub fn new(kind: &str, quiet: bool, explain: bool) -> Result<Self, Report> {
        let to_terminal = std::io::stderr().is_terminal();
        let live = match kind {
            // The steps go to standard output, where somebody may read them.
            "auto" => to_terminal && std::io::stdout().is_terminal(),
            "tty" => to_terminal,
            "plain" => false,
            other => return Err(Report::new(format!("`--progress={other}`: expected `auto`, `plain` or `tty`"))),
        };
        Ok(if live && !quiet { Self::Live(Live::new(explain)) } else { Self::Plain(Plain::new(quiet, explain)) })
    }

    fn progress(&self) -> &dyn Progress {
        match self {
            Self::Plain(plain) => plain,
            Self::Live(live) => live,
        }
    }
}

impl Progress for Display {
    fn event(&self, of: Whose<'_>, event: &Event<'_>) {
        self.progress().event(of, event);
    }

    fn output(&self, of: Whose<'_>, from: Output, bytes: &[u8]) {
        self.progress().output(of, from, bytes);
    }

    fn ended(&self, of: Whose<'_>, failed: bool) {
        self.progress().ended(of, failed);
    }

    fn commit(&self, name: Option<&str>) {
        self.progress().commit(name);
    }

    fn tick(&self) {
        self.progress().tick();
    }
}

/// `[1/3] STEP 2/7: `, of a build with one stage without the first part.
fn heading(of: Whose<'_>, step: usize, steps: usize) -> String {
    format!("{}STEP {step}/{steps}: ", stage(of))
}

fn stage(of: Whose<'_>) -> String {
    if of.stages > 1 { format!("[{}/{}] ", of.stage, of.stages) } else { String::new() }
}

/// Adds bytes, of which the last are kept.
fn keep(kept: &mut Vec<u8>, bytes: &[u8]) {
    kept.extend_from_slice(bytes);
    let over = kept.len().saturating_sub(KEPT);
    // Not for each line of a long output.
    if over > KEPT / 4 {
        kept.drain(..over);
    }
}

/// Why a step was taken from the cache, for `--explain`.
const WHY_CACHED: &str = "the same instruction was done before, on the same layers and of the same input";
