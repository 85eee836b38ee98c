//! `--chmod`: digits, or changes to the mode that a file has, as chmod(1) and BuildKit understand them.
//!
//! ```text
//!  u=rwX,go=rX        clauses, from left to right: whose bits, then `+`, `-` or `=`, then which
//!  +x                 everybody's, but for what the usual umask (022) takes away
//!  g=u                the bits that the owner has
//! ```

use std::str::FromStr;

/// What BuildKit takes for the umask, wherever it runs.
const UMASK: u32 = 0o022;
const ALL: u32 = 0o7777;

/// What becomes of the mode of each copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chmod {
    /// Twelve bits.
    Digits(u32),
    Changes(Vec<Change>),
}

/// One operator, and those whom it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The bits that may be given or taken.
    who: u32,
    /// Those that `=` takes first.
    cleared: u32,
    operator: Operator,
    /// Nine bits, and those that stand above them; before `who` chooses among them.
    bits: u32,
    /// `X`: execution, of directories and of what somebody may execute already.
    some_execute: bool,
    /// Another's bits, in place of letters: by how many places they stand above the last.
    copied: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Add,
    Remove,
    Set,
}

/// No mode.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`--chmod={0}`: expected octal digits up to 7777, or changes as in `u=rwX,go=rX`")]
pub struct ChmodError(String);

impl Chmod {
    /// The mode of a copy of a file that has `mode`.
    pub fn apply(&self, mode: u32, is_directory: bool) -> u32 {
        match self {
            Self::Digits(digits) => *digits,
            Self::Changes(changes) => changes.iter().fold(mode & ALL, |mode, change| change.apply(mode, is_directory)),
        }
    }
}

impl Change {
    fn apply(&self, mode: u32, is_directory: bool) -> u32 {
        let mut bits = self.bits;
        if self.some_execute && (is_directory || mode & 0o111 != 0) {
            bits |= 0o111;
        }
        if let Some(place) = self.copied {
            bits |= (mode >> place & 7) * 0o111;
        }
        let bits = bits & self.who;
        match self.operator {
            Operator::Add => mode | bits,
            Operator::Remove => mode & !bits,
            // As GNU's chmod: of a directory, only who names them takes these two.
            Operator::Set if is_directory => mode & !(self.cleared & (!0o6000 | self.bits)) | bits,
            Operator::Set => mode & !self.cleared | bits,
        }
    }
}

impl FromStr for Chmod {
    type Err = ChmodError;

    fn from_str(text: &str) -> Result<Self, ChmodError> {
        let wrong = || ChmodError(text.chars().take(80).collect());
        if text.starts_with(|first: char| first.is_ascii_digit()) {
            let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= ALL);
            return mode.map(Self::Digits).ok_or_else(wrong);
        }
        let mut changes = Vec::new();
        for clause in text.split(',') {
            changes.extend(clause_of(clause).ok_or_else(wrong)?);
        }
        Ok(Self::Changes(changes))
    }
}

/// The changes of `[ugoa]*([-+=]([rwxXst]*|[ugo]))+`.
fn clause_of(text: &str) -> Option<Vec<Change>> {
    let begin = text.find(['+', '-', '='])?;
    let (whose, mut rest) = text.split_at(begin);
    let mut who = 0;
    for letter in whose.chars() {
        who |= match letter {
            'u' => 0o4700,
            'g' => 0o2070,
            'o' => 0o1007,
            'a' => ALL,
            _ => return None,
        };
    }
    let cleared = if whose.is_empty() { ALL } else { who };
    if whose.is_empty() {
        who = ALL & !UMASK;
    }
    let mut changes = Vec::new();
    while let Some(letter) = rest.chars().next() {
        let operator = match letter {
            '+' => Operator::Add,
            '-' => Operator::Remove,
            _ => Operator::Set,
        };
        let (letters, next) = rest[1..].split_at(rest[1..].find(['+', '-', '=']).unwrap_or(rest.len() - 1));
        changes.push(change((who, cleared), operator, letters)?);
        rest = next;
    }
    Some(changes)
}

fn change((who, cleared): (u32, u32), operator: Operator, letters: &str) -> Option<Change> {
    let (mut bits, mut some_execute, mut copied) = (0, false, None);
    match letters {
        "u" => copied = Some(6),
        "g" => copied = Some(3),
        "o" => copied = Some(0),
        letters => {
            for letter in letters.chars() {
                match letter {
                    'r' => bits |= 0o444,
                    'w' => bits |= 0o222,
                    'x' => bits |= 0o111,
                    'X' => some_execute = true,
                    's' => bits |= 0o6000,
                    't' => bits |= 0o1000,
                    _ => return None,
                }
            }
        }
    }
    // `t` is nobody's in particular.
    let who = if bits & 0o1000 != 0 { who | 0o1000 } else { who };
    Some(Change { who, cleared, operator, bits, some_execute, copied })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_change_as_chmod_has_it() {
        for (text, mode, is_directory, becomes) in [
            ("755", 0o600, false, 0o755),
            ("04755", 0o600, false, 0o4755),
            ("u+x", 0o644, false, 0o744),
            ("u+x,go-r", 0o644, false, 0o700),
            ("a+x", 0o644, false, 0o755),
            ("+x", 0o640, false, 0o751),
            ("+w", 0o444, false, 0o644),
            ("=r", 0o777, false, 0o444),
            ("a=r", 0o777, false, 0o444),
            ("go=", 0o777, false, 0o700),
            ("u=rwX,go=rX", 0o600, false, 0o644),
            ("u=rwX,go=rX", 0o700, false, 0o755),
            ("u=rwX,go=rX", 0o600, true, 0o755),
            ("g=u", 0o640, false, 0o660),
            ("o=g-w", 0o664, false, 0o664),
            ("u+s", 0o755, false, 0o4755),
            ("g+s", 0o755, true, 0o2755),
            ("+t", 0o755, true, 0o1755),
            ("u=rwx", 0o4644, false, 0o744),
            ("g=rx", 0o2700, true, 0o2750),
            ("a=rx", 0o6755, true, 0o6555),
            ("=s", 0o644, false, 0o6000),
            ("u+rwx-w", 0o000, false, 0o500),
        ] {
            let chmod: Chmod = text.parse().unwrap();
            let found = chmod.apply(mode, is_directory);
            assert_eq!(found, becomes, "{text} of {mode:o}: {found:o}, not {becomes:o}");
        }
    }

    #[test]
    fn what_is_no_mode() {
        for text in ["", "8", "77777", "u", "u+q", "z+x", "u+x,", "rwx", "u+ug", "0x1"] {
            assert!(text.parse::<Chmod>().is_err(), "{text}");
        }
    }
}
