//! The owners of a layer, by path. A file of lines, sorted by path, so that one is found by halving:
//!
//! ```text
//! coracle-owners 1⏎
//! 0:42 - usr/bin/chage␀          uid:gid, device or `-`, path from the layer's root (the root itself: empty)
//! 0:0 c1:3 dev/null␀
//! ```
//!
//! Every name of a file with several links stands in it.

use std::os::fd::BorrowedFd;

use super::{Device, LIMIT, Owner, read_beside, unreadable};
use crate::sys;

/// It names the version.
const HEAD: &[u8] = b"coracle-owners 1\n";

/// What is not root's in a layer, and its devices.
#[derive(Debug, Default)]
pub struct Table {
    text: Vec<u8>,
    /// Where the lines start, in the order of their paths.
    starts: Vec<u32>,
}

impl Table {
    /// Reads the table beside `fs`, a layer's files. A layer without one is all root's.
    pub fn beside(fs: BorrowedFd<'_>) -> sys::Result<Self> {
        match read_beside(fs)? {
            Some(text) if !text.is_empty() => Self::parse(text).ok_or_else(|| unreadable("it is no table of owners")),
            _ => Ok(Self::default()),
        }
    }

    fn parse(text: Vec<u8>) -> Option<Self> {
        let mut table = Self { text, starts: Vec::new() };
        let lines = table.text.strip_prefix(HEAD)?.strip_suffix(b"\0")?;
        let mut start = HEAD.len();
        let mut starts = Vec::new();
        let mut before: Option<&[u8]> = None;
        for line in lines.split(|byte| *byte == 0) {
            let (_, _, path) = fields(line)?;
            if before.is_some_and(|before| before >= path) {
                return None;
            }
            before = Some(path);
            starts.push(u32::try_from(start).ok()?);
            start += line.len() + 1;
        }
        table.starts = starts;
        Some(table)
    }

    /// The owner of what lies at `path` in the layer, and the device that it was.
    pub fn get(&self, path: &[u8]) -> (Owner, Option<Device>) {
        let line = |start: &u32| line(&self.text, *start as usize).and_then(fields);
        let found = self.starts.binary_search_by(|start| line(start).map_or(&b""[..], |(_, _, path)| path).cmp(path));
        let found = found.ok().and_then(|at| line(self.starts.get(at)?));
        found.map_or((Owner::ROOT, None), |(owner, device, _)| (owner, device))
    }

    /// As the file has it; nothing where nothing is to be said.
    pub fn bytes(&self) -> Vec<u8> {
        if self.starts.is_empty() {
            return Vec::new();
        }
        let mut bytes = HEAD.to_vec();
        for start in &self.starts {
            bytes.extend_from_slice(line(&self.text, *start as usize).unwrap_or_default());
            bytes.push(0);
        }
        bytes
    }
}

/// A table in the making.
#[derive(Debug, Default)]
pub struct Builder {
    table: Table,
}

impl Builder {
    /// Notes one path, once.
    pub fn add(&mut self, path: &[u8], owner: Owner, device: Option<Device>) -> sys::Result<()> {
        let Table { text, starts } = &mut self.table;
        let start = u32::try_from(text.len()).ok().filter(|start| u64::from(*start) < LIMIT / 2);
        starts.push(start.ok_or_else(|| unreadable("there are too many"))?);
        let device = device.map_or_else(|| "-".to_owned(), |device| device.to_string());
        text.extend_from_slice(format!("{owner} {device} ").as_bytes());
        text.extend_from_slice(path);
        text.push(0);
        Ok(())
    }

    pub fn finish(self) -> Table {
        let Table { text, mut starts } = self.table;
        let path = |start: &u32| line(&text, *start as usize).and_then(fields).map_or(&b""[..], |(_, _, path)| path);
        starts.sort_unstable_by(|a, b| path(a).cmp(path(b)));
        Table { text, starts }
    }
}

/// The line that starts at `start`, without its end.
fn line(text: &[u8], start: usize) -> Option<&[u8]> {
    text.get(start..)?.split(|byte| *byte == 0).next()
}

fn fields(line: &[u8]) -> Option<(Owner, Option<Device>, &[u8])> {
    let mut fields = line.splitn(3, |byte| *byte == b' ');
    let mut word = || std::str::from_utf8(fields.next()?).ok();
    let (owner, device) = (word()?.parse().ok()?, word()?);
    let device = if device == "-" { None } else { Some(device.parse().ok()?) };
    Some((owner, device, fields.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(uid: u32, gid: u32) -> Owner {
        Owner { uid, gid }
    }

    #[test]
    fn what_was_added_in_any_order_is_found_again_after_a_trip_over_the_disk() {
        let null = Device { block: false, major: 1, minor: 3 };
        let mut builder = Builder::default();
        builder.add(b"var/mail", owner(0, 8), None).unwrap();
        builder.add(b"", owner(5, 5), None).unwrap();
        builder.add(b"dev/null", Owner::ROOT, Some(null)).unwrap();
        builder.add(b"odd \xff\nname with spaces", owner(7, u32::MAX), None).unwrap();
        let table = Table::parse(builder.finish().bytes()).unwrap();
        assert_eq!(table.get(b"var/mail"), (owner(0, 8), None));
        assert_eq!(table.get(b""), (owner(5, 5), None));
        assert_eq!(table.get(b"dev/null"), (Owner::ROOT, Some(null)));
        assert_eq!(table.get(b"odd \xff\nname with spaces"), (owner(7, u32::MAX), None));
        for other in [&b"var"[..], b"var/mail/x", b"zzz", b"a"] {
            assert_eq!(table.get(other), (Owner::ROOT, None));
        }
        assert!(Builder::default().finish().bytes().is_empty());
    }

    #[test]
    fn what_is_no_table_is_refused() {
        let with = |lines: &str| Table::parse([HEAD, lines.replace('|', "\0").as_bytes()].concat());
        assert!(with("0:1 - a|0:2 - b|").is_some());
        for bad in ["", "0:1 - b|0:2 - a|", "0:1 - a|0:1 - a|", "0:1 - a", "0:1 a|", "x:1 - a|", "0:1 d1:2 a|", "|"] {
            assert!(with(bad).is_none(), "{bad}");
        }
        assert!(Table::parse(b"coracle-owners 2\n0:1 - a\0".to_vec()).is_none());
    }
}
