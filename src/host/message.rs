//! What the program says of its own work to who asks for it (`--log-level`): which files it reads, what it starts, what it decides.
//!
//! Rooms below the command line say it here. Whether and how it is shown, the command line decides; where nobody listens, as in a
//! role, a message is not even made.

use std::sync::OnceLock;

/// How much a message matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Debug,
    Warning,
}

/// Who hears of messages, and from which level on.
type Listener = (Level, fn(Level, &str));

static LISTENER: OnceLock<Listener> = OnceLock::new();

/// From now on `listener` hears what is at least as important as `least`. Only the first call counts.
pub fn listen(least: Level, listener: fn(Level, &str)) {
    let _ = LISTENER.set((least, listener));
}

pub fn debug(text: impl FnOnce() -> String) {
    say(Level::Debug, text);
}

pub fn warn(text: impl FnOnce() -> String) {
    say(Level::Warning, text);
}

fn say(level: Level, text: impl FnOnce() -> String) {
    if let Some((least, listener)) = LISTENER.get()
        && level >= *least
    {
        listener(level, &text());
    }
}
