//! What is repainted: bars on standard error, and what is looked at again and again on standard output. A frame is gathered, and shown
//! at once.
//!
//! What must stay true: nothing of a frame is written before all of it is there, it is written in one call, and its marks have a
//! terminal that knows them (mode 2026, synchronized output) paint it in one go. Others pass over the marks.

use std::io::{Result, Write};
use std::os::fd::AsFd;
use std::sync::{Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressDrawTarget, TermLike};

/// So often bars are repainted at most, each second.
const RATE: u8 = 20;
const BEGIN: &str = "\x1b[?2026h";
const END: &str = "\x1b[?2026l";
/// Of a terminal that does not say it: rows and columns.
const SIZE: (u16, u16) = (24, 80);

/// Bars on standard error, none of which is there yet.
pub fn bars() -> MultiProgress {
    MultiProgress::with_draw_target(ProgressDrawTarget::term_like_with_hz(Box::new(Frames::default()), RATE))
}

/// A frame that fills the terminal of standard output from its first row on. Each row is written over and no row is empty in between.
pub fn whole(text: &str) -> String {
    let rows = usize::from(size(std::io::stdout()).0).saturating_sub(1);
    let lines: String = text.lines().take(rows).map(|line| format!("{line}\x1b[K\r\n")).collect();
    format!("{BEGIN}\x1b[H{lines}\x1b[J{END}")
}

/// How wide a line is, in columns.
pub fn width() -> u16 {
    size(std::io::stderr()).1
}

fn size(terminal: impl AsFd) -> (u16, u16) {
    let said = rustix::termios::tcgetwinsize(terminal).ok();
    said.map(|size| (size.ws_row, size.ws_col)).filter(|(rows, columns)| *rows > 0 && *columns > 0).unwrap_or(SIZE)
}

#[derive(Debug, Default)]
struct Frames {
    frame: Mutex<String>,
}

impl Frames {
    fn add(&self, text: &str) -> Result<()> {
        self.frame.lock().unwrap_or_else(PoisonError::into_inner).push_str(text);
        Ok(())
    }

    /// The cursor goes so far; of 0 the terminal would make 1.
    fn go(&self, count: usize, direction: char) -> Result<()> {
        if count == 0 { Ok(()) } else { self.add(&format!("\x1b[{count}{direction}")) }
    }
}

impl TermLike for Frames {
    fn width(&self) -> u16 {
        width()
    }

    fn height(&self) -> u16 {
        size(std::io::stderr()).0
    }

    fn move_cursor_up(&self, count: usize) -> Result<()> {
        self.go(count, 'A')
    }

    fn move_cursor_down(&self, count: usize) -> Result<()> {
        self.go(count, 'B')
    }

    fn move_cursor_right(&self, count: usize) -> Result<()> {
        self.go(count, 'C')
    }

    fn move_cursor_left(&self, count: usize) -> Result<()> {
        self.go(count, 'D')
    }

    fn write_line(&self, text: &str) -> Result<()> {
        self.add(text)?;
        self.add("\n")
    }

    fn write_str(&self, text: &str) -> Result<()> {
        self.add(text)
    }

    fn clear_line(&self) -> Result<()> {
        self.add("\r\x1b[2K")
    }

    fn flush(&self) -> Result<()> {
        let frame = std::mem::take(&mut *self.frame.lock().unwrap_or_else(PoisonError::into_inner));
        if frame.is_empty() {
            return Ok(());
        }
        let mut out = std::io::stderr().lock();
        out.write_all(format!("{BEGIN}{frame}{END}").as_bytes())
    }
}
