//! The keys that leave a container and let it live on: `ctrl-p,ctrl-q` unless told otherwise.

use crate::cli::Report;

/// What Podman and Docker take where nothing is said.
pub const DEFAULT: &str = "ctrl-p,ctrl-q";

/// A sequence of keys, and how much of it has been typed. Empty: nothing detaches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DetachKeys {
    sequence: Vec<u8>,
    typed: usize,
}

impl DetachKeys {
    /// Reads a list of keys, separated by commas: a character, or `ctrl-` and one of `a` to `z`, `@`, `[`, `\`, `]`, `^`, `_`.
    pub fn parse(text: &str) -> Result<Self, Report> {
        let key = |name: &str| {
            let (control, name) = name.strip_prefix("ctrl-").map_or((false, name), |rest| (true, rest));
            match (control, name.as_bytes()) {
                (false, [byte]) if byte.is_ascii() => Ok(*byte),
                (true, [letter @ (b'a'..=b'z' | b'@' | b'[' | b'\\' | b']' | b'^' | b'_')]) => Ok(letter & 0x1f),
                _ => Err(Report::new(format!("`{text}` is not a list of keys to detach with: `{name}` is no key"))
                    .hint("for example `ctrl-p,ctrl-q`, or an empty text for none")),
            }
        };
        let sequence = if text.is_empty() { Ok(Vec::new()) } else { text.split(',').map(key).collect() };
        Ok(Self { sequence: sequence?, typed: 0 })
    }

    /// Takes what was typed: what of it is for the program, and whether the sequence is complete. Its beginning is kept back until
    /// it is clear that the rest does not follow.
    pub fn take(&mut self, bytes: &[u8]) -> (Vec<u8>, bool) {
        let mut passed = Vec::with_capacity(bytes.len());
        for byte in bytes {
            if self.sequence.get(self.typed) != Some(byte) {
                passed.extend_from_slice(self.sequence.get(..self.typed).unwrap_or_default());
                self.typed = 0;
            }
            if self.sequence.get(self.typed) == Some(byte) {
                self.typed += 1;
                if self.typed == self.sequence.len() {
                    return (passed, true);
                }
            } else {
                passed.push(*byte);
            }
        }
        (passed, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_keys_are_read() {
        let keys = |text: &str| DetachKeys::parse(text).unwrap().sequence;
        assert_eq!(keys(DEFAULT), [16, 17]);
        assert_eq!((keys("a,ctrl-[,Z"), keys("ctrl-@"), keys("")), (vec![b'a', 27, b'Z'], vec![0], vec![]));
        for bad in ["ctrl-", "ctrl-P", "ab", ",", "a,", "ctrl-pp", "ä"] {
            assert!(DetachKeys::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_sequence_that_is_broken_off_reaches_the_program() {
        let mut keys = DetachKeys::parse("x,y").unwrap();
        assert_eq!(keys.take(b"axb"), (b"axb".to_vec(), false));
        assert_eq!(keys.take(b"x"), (Vec::new(), false));
        assert_eq!(keys.take(b"xz"), (b"xxz".to_vec(), false));
        assert_eq!(keys.take(b"1x"), (b"1".to_vec(), false));
        assert_eq!(keys.take(b"y2"), (Vec::new(), true));
        assert_eq!(DetachKeys::default().take(b"xy"), (b"xy".to_vec(), false));
    }
}
