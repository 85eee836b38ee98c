//! A header block of the stream, and the extended header before it (POSIX.1-2017, pax(1)).
//!
//! ustar holds what it can; a PAX record says what it can't: long names, large numbers, parts of a second, attributes. Readers
//! that don't know a record still find their way, since sizes of blocks are always told in a form that they know.

use tar::EntryType;

use super::super::attributes::Attribute;
use super::super::pax;

pub const BLOCK: usize = 512;

/// The longest name of a ustar header.
const NAME: usize = 100;
/// The largest id that seven octal digits hold, and the largest size or time in eleven.
const LARGEST_ID: u32 = 0o777_7777;
const LARGEST: u64 = 0o777_7777_7777;

/// What an entry is.
#[derive(Debug)]
pub struct Header {
    pub path: Vec<u8>,
    /// Where a symlink leads, or the first name of a file.
    pub link: Vec<u8>,
    pub kind: EntryType,
    /// Twelve bits.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    /// Seconds since 1970, rounded down, and nanoseconds.
    pub mtime: (i64, u32),
    /// Bytes of data that follow.
    pub size: u64,
    pub device: (u32, u32),
    pub xattrs: Vec<Attribute>,
    /// The file's size, where the data are a map and the pieces that it names.
    pub sparse: Option<u64>,
}

/// Whether the checksum of a header block is right.
pub fn is_header(block: &[u8]) -> bool {
    let Some(field) = block.get(148..156).filter(|_| block.len() == BLOCK) else { return false };
    let digits = String::from_utf8_lossy(field);
    let said = u32::from_str_radix(digits.trim_matches(['\0', ' ']), 8);
    let sum = block.iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) });
    said == Ok(sum.sum())
}

impl Header {
    /// An empty file of root's without permissions, made in 1970: what whiteouts are, and what others are filled in from.
    pub fn marker() -> Self {
        Self {
            path: Vec::new(),
            link: Vec::new(),
            kind: EntryType::Regular,
            mode: 0,
            uid: 0,
            gid: 0,
            mtime: (0, 0),
            size: 0,
            device: (0, 0),
            xattrs: Vec::new(),
            sparse: None,
        }
    }

    /// The blocks of the entry, its data not among them.
    pub fn encode(&self) -> Vec<u8> {
        let records = self.records();
        let mut bytes = Vec::new();
        if !records.is_empty() {
            let path = [b"PaxHeaders.0/", last(&self.path)].concat();
            let extended = Self { path, kind: EntryType::XHeader, mode: 0o644, ..Self::marker() };
            bytes.extend(extended.block(records.len() as u64));
            bytes.extend(&records);
            bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
        }
        bytes.extend(self.block(self.size));
        bytes
    }

    fn records(&self) -> Vec<u8> {
        let mut records = Vec::new();
        let mut add = |key: &[u8], value: &[u8]| pax::record(&mut records, key, value);
        if let Some(size) = self.sparse {
            add(b"GNU.sparse.major", b"1");
            add(b"GNU.sparse.minor", b"0");
            add(b"GNU.sparse.name", &self.path);
            add(b"GNU.sparse.realsize", size.to_string().as_bytes());
        } else if self.path.len() > NAME {
            add(b"path", &self.path);
        }
        if self.link.len() > NAME {
            add(b"linkpath", &self.link);
        }
        if self.size > LARGEST {
            add(b"size", self.size.to_string().as_bytes());
        }
        for (key, id) in [(&b"uid"[..], self.uid), (b"gid", self.gid)] {
            if id > LARGEST_ID {
                add(key, id.to_string().as_bytes());
            }
        }
        if self.mtime.1 != 0 || self.whole_seconds().is_none() {
            add(b"mtime", pax::time_text(self.mtime).as_bytes());
        }
        for (name, value) in &self.xattrs {
            add(&[b"SCHILY.xattr.", name.as_slice()].concat(), value);
        }
        records
    }

    /// The time as far as a block holds it.
    fn whole_seconds(&self) -> Option<u64> {
        u64::try_from(self.mtime.0).ok().filter(|seconds| *seconds <= LARGEST)
    }

    fn block(&self, size: u64) -> [u8; BLOCK] {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(self.kind);
        header.set_mode(self.mode);
        // What a record says is 0 here.
        header.set_uid(Some(self.uid).filter(|id| *id <= LARGEST_ID).unwrap_or(0).into());
        header.set_gid(Some(self.gid).filter(|id| *id <= LARGEST_ID).unwrap_or(0).into());
        header.set_size(Some(size).filter(|size| *size <= LARGEST).unwrap_or(0));
        header.set_mtime(self.whole_seconds().unwrap_or(0));
        if let (EntryType::Char | EntryType::Block, Some(ustar)) = (self.kind, header.as_ustar_mut()) {
            ustar.set_device_major(self.device.0);
            ustar.set_device_minor(self.device.1);
        }
        let sparse = [b"GNUSparseFile.0/", last(&self.path)].concat();
        let name = if self.sparse.is_some() { &sparse } else { &self.path };
        fill(&mut header.as_old_mut().name, name);
        fill(&mut header.as_old_mut().linkname, &self.link);
        header.set_cksum();
        *header.as_bytes()
    }
}

/// As much as there is room for.
fn fill(field: &mut [u8; NAME], text: &[u8]) {
    field.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
}

/// The last component.
fn last(path: &[u8]) -> &[u8] {
    let path = path.strip_suffix(b"/").unwrap_or(path);
    path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_known_by_its_checksum() {
        let header = Header { path: b"x".to_vec(), ..Header::marker() }.encode();
        assert!(is_header(&header));
        assert!(!is_header(&[0; BLOCK]) && !is_header(b"text"));
    }
}
