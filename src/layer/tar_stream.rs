//! Reading a tar stream: one entry at a time, then its data in pieces.
//!
//! Formats: old, ustar, GNU (long names, sparse, binary numbers) and PAX (POSIX.1-2017 pax(1)). The crate `tar` decodes the
//! fields of a header block; the walk from block to block is ours, since layers are hostile: what an extended header may
//! take of memory is limited, and where parsers differ this one decides as Go's `archive/tar` does, which every other engine
//! uses: links, devices and directories have no data whatever their size field says, global extended headers are ignored, a
//! size in an extended header wins, the last extended header of several counts, GNU's long names win over all but sparse
//! files' own.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Seek};

use tar::{EntryType, GnuExtSparseHeader, Header};

use super::sparse::{self, PaxSparse, Piece};
use super::{Error, Problem, Result, pax};

const BLOCK: u64 = 512;
/// Entries of one layer: some 100 times what the largest images have.
const MOST_ENTRIES: u64 = 50_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    File,
    Directory,
    Symlink,
    HardLink,
    CharDevice,
    BlockDevice,
    Fifo,
    /// An archive's own label: nothing to make.
    Label,
}

/// One entry, all extensions applied. Names are as they stand in the archive: nothing is checked but that they have no NUL.
#[derive(Debug, Clone)]
pub struct Entry {
    pub path: Vec<u8>,
    pub link: Vec<u8>,
    pub kind: Kind,
    /// Twelve bits.
    pub mode: u32,
    pub uid: u64,
    pub gid: u64,
    /// Seconds since 1970 and nanoseconds.
    pub mtime: (i64, u32),
    /// Bytes of the file once unpacked.
    pub size: u64,
    pub device: (u32, u32),
    /// Names with their namespace (`user.x`), sorted.
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    /// Where the data goes, checked; `None`: from start to end.
    pub sparse: Option<Vec<Piece>>,
}

/// The reader. Call [`TarStream::next_entry`]; between two calls [`TarStream::data`] gives the data of the entry.
#[derive(Debug)]
pub struct TarStream<R> {
    source: R,
    /// Bytes of the current entry's data that were not given yet, and of the padding behind it.
    left: u64,
    padding: u64,
    entries: u64,
    /// Bytes taken from the source.
    position: u64,
}

/// What extension headers say about the next real entry.
#[derive(Default)]
struct Extensions {
    /// GNU's, which win.
    long_name: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
    /// The last one's alone.
    pax: Pax,
}

/// One extended header.
#[derive(Default)]
struct Pax {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    uid: Option<u64>,
    gid: Option<u64>,
    mtime: Option<(i64, u32)>,
    xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
    sparse: PaxSparse,
}

impl<R: BufRead> TarStream<R> {
    pub fn new(source: R) -> Self {
        Self { source, left: 0, padding: 0, entries: 0, position: 0 }
    }

    /// Entries so far.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// Bytes read so far.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The next entry; what was not read of the last one's data is skipped. `None`: the end of the archive.
    pub fn next_entry(&mut self) -> Result<Option<Entry>> {
        let mut extensions = Extensions::default();
        loop {
            self.skip_rest()?;
            let Some(header) = self.header()? else { return Ok(None) };
            self.entries += 1;
            if self.entries > MOST_ENTRIES {
                return Err(Error::Archive(format!("more than {MOST_ENTRIES} entries")));
            }
            let name = header.path_bytes().into_owned();
            let malformed = |error: io::Error| Error::entry(&name, Problem::Malformed(error.to_string()));
            let size = header.entry_size().map_err(malformed)?;
            match header.entry_type() {
                EntryType::XHeader => {
                    let bytes = self.special(size, "extended header")?;
                    let pax = Pax::parse(&bytes).map_err(|m| Error::entry(&name, Problem::Malformed(m.into())));
                    extensions.pax = pax?;
                }
                EntryType::XGlobalHeader => drop(self.special(size, "global extended header")?),
                EntryType::GNULongName => extensions.long_name = Some(until_nul(self.special(size, "long name")?)),
                EntryType::GNULongLink => extensions.long_link = Some(until_nul(self.special(size, "long link")?)),
                _ => return self.entry(&header, extensions).map(Some),
            }
        }
    }

    /// The next piece of the current entry's data, empty at its end. Call [`TarStream::consume`] with what was used of it.
    pub fn data(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            return Ok(&[]);
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX);
        let piece = self.source.fill_buf()?;
        if piece.is_empty() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ends within the data of an entry"));
        }
        Ok(piece.get(..most).unwrap_or(piece))
    }

    pub fn consume(&mut self, used: usize) {
        self.source.consume(used);
        self.left = self.left.saturating_sub(used as u64);
        self.position += used as u64;
    }

    /// Reads to the end of the source: whatever follows the archive counts for the digest and for nothing else.
    pub fn drain(&mut self) -> io::Result<u64> {
        loop {
            let length = self.source.fill_buf()?.len();
            if length == 0 {
                return Ok(self.position);
            }
            self.source.consume(length);
            self.position += length as u64;
        }
    }

    fn skip_rest(&mut self) -> Result<()> {
        self.left = self.left.checked_add(self.padding).ok_or_else(|| Error::Archive("a size overflows".into()))?;
        self.padding = 0;
        while self.left > 0 {
            let length = self.data()?.len();
            self.consume(length);
        }
        Ok(())
    }

    /// A header block. `None`: two blocks of zeros, or the end of the source between entries.
    fn header(&mut self) -> Result<Option<Header>> {
        let mut header = Header::new_old();
        if !self.block(header.as_mut_bytes())? {
            return Ok(None);
        }
        if header.as_bytes().iter().all(|b| *b == 0) {
            let mut second = [0; BLOCK as usize];
            if self.block(&mut second)? && second.iter().any(|b| *b != 0) {
                return Err(Error::Archive("a block of zeros stands between entries".into()));
            }
            return Ok(None);
        }
        let stated = header.cksum().map_err(|_| Error::Archive("a header has no checksum".into()))?;
        let (before, rest) = header.as_bytes().split_at(148);
        let sum = |bytes: &[u8]| bytes.iter().map(|b| u32::from(*b)).sum::<u32>();
        if sum(before) + sum(rest.get(8..).unwrap_or_default()) + 8 * 32 != stated {
            return Err(Error::Archive("the checksum of a header is wrong".into()));
        }
        fill_numbers(&mut header);
        Ok(Some(header))
    }

    /// Fills `block`; `false`: the source ended before its first byte.
    fn block(&mut self, block: &mut [u8]) -> Result<bool> {
        let mut filled = 0;
        while let Some(rest) = block.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let piece = self.source.fill_buf()?;
            let length = piece.len().min(rest.len());
            match (piece.get(..length), rest.get_mut(..length)) {
                (Some(from), Some(to)) if length > 0 => to.copy_from_slice(from),
                _ if filled == 0 => return Ok(false),
                _ => return Err(Error::Archive("it ends within a header".into())),
            }
            self.source.consume(length);
            self.position += length as u64;
            filled += length;
        }
        Ok(true)
    }

    fn expect_data(&mut self, size: u64) {
        self.left = size;
        self.padding = (BLOCK - size % BLOCK) % BLOCK;
    }

    /// The data of an extension header, which must fit in memory.
    fn special(&mut self, size: u64, what: &str) -> Result<Vec<u8>> {
        if size > pax::LIMIT {
            return Err(Error::Archive(format!("an {what} of {size} bytes: more than {} is refused", pax::LIMIT)));
        }
        self.expect_data(size);
        let mut bytes = Vec::new();
        while self.left > 0 {
            let piece = self.data()?;
            let length = piece.len();
            bytes.extend_from_slice(piece);
            self.consume(length);
        }
        Ok(bytes)
    }

    fn entry(&mut self, header: &Header, extensions: Extensions) -> Result<Entry> {
        let Extensions { long_name, long_link, pax: mut more } = extensions;
        let path = more.sparse.name.take().or(long_name).or(more.path.take());
        let path = path.unwrap_or_else(|| header.path_bytes().into_owned());
        let link = long_link.or(more.link.take()).or_else(|| header.link_name_bytes().map(|link| link.into_owned()));
        let link = link.unwrap_or_default();
        let fail = |problem| Error::entry(&path, problem);
        let malformed = |error: io::Error| fail(Problem::Malformed(error.to_string()));
        if path.contains(&0) || link.contains(&0) {
            return Err(fail(Problem::Nul));
        }
        let kind = kind_of(header, &path).map_err(fail)?;
        let stated = more.size.map_or_else(|| header.entry_size(), Ok).map_err(malformed)?;
        let mut size = if kind == Kind::File { stated } else { 0 };
        self.expect_data(size);
        let mut pieces = None;
        if kind == Kind::File {
            let map = self.sparse_map(header, &mut more.sparse).map_err(|error| match error {
                Error::Archive(text) => fail(Problem::Malformed(text)),
                other => other,
            })?;
            if let Some((map, real)) = &map {
                size = *real;
                sparse::check(map, *real, self.left).map_err(|m| fail(Problem::Malformed(m.into())))?;
            }
            pieces = map.map(|(map, _)| map);
        }
        let device = |part: io::Result<Option<u32>>| part.map(Option::unwrap_or_default).map_err(malformed);
        let device = match kind {
            Kind::CharDevice | Kind::BlockDevice => (device(header.device_major())?, device(header.device_minor())?),
            _ => (0, 0),
        };
        // The crate gives the bits of a negative number, which are what they should be read as.
        let mtime = more.mtime.map_or_else(|| header.mtime().map(|s| (s.cast_signed(), 0)), Ok).map_err(malformed)?;
        Ok(Entry {
            link,
            kind,
            mode: header.mode().map_err(malformed)? & 0o7777,
            uid: more.uid.map_or_else(|| header.uid(), Ok).map_err(malformed)?,
            gid: more.gid.map_or_else(|| header.gid(), Ok).map_err(malformed)?,
            mtime,
            size,
            device,
            xattrs: more.xattrs.into_iter().collect(),
            sparse: pieces,
            path,
        })
    }

    /// The map and the real size of a sparse file; reads as much of the data as the format keeps its map in.
    fn sparse_map(&mut self, header: &Header, pax: &mut PaxSparse) -> Result<Option<(Vec<Piece>, u64)>> {
        let bad = |text: &str| Error::Archive(text.to_owned());
        if header.entry_type() == EntryType::GNUSparse {
            let gnu = header.as_gnu().ok_or_else(|| bad("a sparse file outside the GNU format"))?;
            let (data, padding) = (self.left, self.padding);
            let mut pieces = Vec::new();
            add_pieces(&mut pieces, &gnu.sparse)?;
            let mut extended = gnu.is_extended();
            while extended {
                let mut block = GnuExtSparseHeader::new();
                if !self.block(block.as_mut_bytes())? {
                    return Err(bad("it ends within a sparse map"));
                }
                add_pieces(&mut pieces, block.sparse())?;
                extended = block.is_extended();
            }
            (self.left, self.padding) = (data, padding);
            return Ok(Some((pieces, gnu.real_size().map_err(|e| bad(&e.to_string()))?)));
        }
        if !pax.any {
            return Ok(None);
        }
        let real = pax.real_size.ok_or_else(|| bad("its sparse map has no size"))?;
        if pax.map_in_data() {
            pax.pieces = self.map_in_data()?;
        }
        Ok(Some((std::mem::take(&mut pax.pieces), real)))
    }

    /// Format 1.0: decimal numbers, one a line, the count first, padded to a block.
    fn map_in_data(&mut self) -> Result<Vec<Piece>> {
        let bad = || Error::Archive("its sparse map is malformed".into());
        let start = self.left;
        let count = usize::try_from(self.line()?).ok().filter(|count| *count <= sparse::LIMIT).ok_or_else(bad)?;
        let mut pieces = Vec::new();
        for _ in 0..count {
            pieces.push((self.line()?, self.line()?));
        }
        let used = start - self.left;
        let mut rest = (BLOCK - used % BLOCK) % BLOCK;
        while rest > 0 {
            let length = self.data()?.len().min(usize::try_from(rest).unwrap_or(0));
            if length == 0 {
                return Err(bad());
            }
            self.consume(length);
            rest -= length as u64;
        }
        Ok(pieces)
    }

    fn line(&mut self) -> Result<u64> {
        let bad = || Error::Archive("its sparse map is malformed".into());
        let mut digits = Vec::new();
        loop {
            let byte = *self.data()?.first().ok_or_else(bad)?;
            self.consume(1);
            if byte == b'\n' {
                return pax::number(&digits).ok_or_else(bad);
            }
            digits.push(byte);
            if digits.len() > 20 {
                return Err(bad());
            }
        }
    }
}

impl<R: BufRead + Seek> TarStream<R> {
    /// Passes over the rest of the current entry's data without reading them; whether they are there, nobody looks.
    pub fn leap(&mut self) -> Result<()> {
        let overflows = || Error::Archive("a size overflows".into());
        let length = self.left.checked_add(self.padding).ok_or_else(overflows)?;
        self.source.seek_relative(i64::try_from(length).map_err(|_| overflows())?)?;
        (self.left, self.padding) = (0, 0);
        self.position += length;
        Ok(())
    }
}

/// A number that is all blanks counts as 0: for Go and GNU tar it does, for the crate it is an error.
fn fill_numbers(header: &mut Header) {
    const FIELDS: [std::ops::Range<usize>; 7] = [100..108, 108..116, 116..124, 124..136, 136..148, 329..337, 337..345];
    for field in FIELDS {
        if let Some(bytes) = header.as_mut_bytes().get_mut(field).filter(|b| b.iter().all(|b| matches!(b, 0 | b' '))) {
            bytes.fill(b'0');
        }
    }
}

impl Pax {
    fn parse(bytes: &[u8]) -> std::result::Result<Self, &'static str> {
        let mut this = Self::default();
        for (key, value) in pax::records(bytes)? {
            let number = || pax::number(value).ok_or("a number of an extended header is malformed");
            let filled = (!value.is_empty()).then_some(value);
            match key {
                b"path" => this.path = filled.map(<[u8]>::to_vec),
                b"linkpath" => this.link = filled.map(<[u8]>::to_vec),
                b"size" => this.size = filled.map(|_| number()).transpose()?,
                b"uid" => this.uid = filled.map(|_| number()).transpose()?,
                b"gid" => this.gid = filled.map(|_| number()).transpose()?,
                b"mtime" => {
                    let time = |value| pax::time(value).ok_or("the time of an extended header is malformed");
                    this.mtime = filled.map(time).transpose()?;
                }
                _ => {
                    if let Some(name) = key.strip_prefix(b"SCHILY.xattr.") {
                        this.xattrs.insert(name.to_vec(), value.to_vec());
                    } else if let Some(key) = key.strip_prefix(b"GNU.sparse.") {
                        this.sparse.take(key, value)?;
                    }
                }
            }
        }
        Ok(this)
    }
}

fn add_pieces(pieces: &mut Vec<Piece>, headers: &[tar::GnuSparseHeader]) -> Result<()> {
    let bad = |error: io::Error| Error::Archive(error.to_string());
    for header in headers.iter().filter(|header| !header.is_empty()) {
        pieces.push((header.offset().map_err(bad)?, header.length().map_err(bad)?));
    }
    if pieces.len() > sparse::LIMIT { Err(Error::Archive("its sparse map is too long".into())) } else { Ok(()) }
}

fn until_nul(mut bytes: Vec<u8>) -> Vec<u8> {
    if let Some(end) = bytes.iter().position(|b| *b == 0) {
        bytes.truncate(end);
    }
    bytes
}

fn kind_of(header: &Header, path: &[u8]) -> std::result::Result<Kind, Problem> {
    // The byte as it stands: the crate takes 0 for `0`.
    let [byte] = header.as_old().linkflag;
    Ok(match byte {
        // Archives from before ustar mark a directory by its name alone.
        b'\0' if path.ends_with(b"/") => Kind::Directory,
        b'\0' | b'0' | b'7' | b'S' => Kind::File,
        b'1' => Kind::HardLink,
        b'2' => Kind::Symlink,
        b'3' => Kind::CharDevice,
        b'4' => Kind::BlockDevice,
        b'5' => Kind::Directory,
        b'6' => Kind::Fifo,
        b'V' => Kind::Label,
        other => return Err(Problem::UnknownType(other.escape_ascii().to_string())),
    })
}
