//! A terminal on standard error for bars that are repainted: a frame is gathered, and shown at once.
//!
//! What must stay true: nothing of a frame is written before all of it is there, it is written in one call, and its marks have a
//! terminal that knows them (mode 2026, synchronized output) paint it in one go. Others pass over the marks.

use std::io::{Result, Write};
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

/// How wide a line is, in columns.
pub fn width() -> u16 {
    size().1
}

fn size() -> (u16, u16) {
    let said = rustix::termios::tcgetwinsize(std::io::stderr()).ok();
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
        size().0
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
