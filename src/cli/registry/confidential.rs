//! A password on the command line. Every user of the machine can read there what was typed, so it is wiped out of the arguments
//! of this process as soon as it is read.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use crate::sys::process;

#[derive(Clone)]
pub struct Confidential(String);

impl Confidential {
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl FromStr for Confidential {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        // Where there is no /proc, nobody can read it there either.
        let _ = process::wipe_arguments(text);
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Confidential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}
