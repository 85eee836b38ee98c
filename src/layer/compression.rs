//! From compressed bytes to plain ones, told by the first bytes and not by what a media type claims. A layer has gzip, zstd or
//! neither; an archive that somebody brings may have bzip2 or xz, too.
//!
//! Inflating is what a pull waits for, so the crates were measured, on one core, in MB of plain bytes a second: flate2 with zlib-rs
//! (pure Rust) 550 to 570, with zlib-ng 575 to 610. The first is used: 5 % are not worth a C library that needs cmake to be built.

use std::io::{self, BufRead, BufReader, Read};

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;
use serde::{Deserialize, Serialize};
use zstd::zstd_safe::get_error_name;
use zstd::zstd_safe::zstd_sys::ZSTD_ErrorCode::ZSTD_error_frameParameter_windowTooLarge as WINDOW_TOO_LARGE;

/// The largest window that a frame of zstd may ask for: so much of what came before is kept while it is decompressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Window {
    /// What every decoder should have (RFC 8878, 3.1.1.1.2), and all that is needed up to level 19.
    Usual,
    /// What level 20 needs.
    #[default]
    Large,
}

impl Window {
    /// In bytes, as a power of two.
    fn log(self) -> u32 {
        match self {
            Self::Usual => 23,
            Self::Large => 25,
        }
    }
}

/// Inside an error of reading: a frame asks for a larger window than it may have.
#[derive(Debug, thiserror::Error)]
#[error("it is compressed with a window of more than the {} MiB that zstd gets here", (1 << self.0.log()) >> 20)]
pub struct WindowTooLarge(Window);

impl WindowTooLarge {
    pub fn is_in(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|error| error.is::<Self>())
    }
}

/// What an xz stream may need, in KiB: the dictionary of `xz -9`, 64 MiB, and what goes with it.
const XZ_MEMORY: u32 = (64 << 10) + 1024;

/// The plain bytes of a layer: all members of a gzip file, all frames of a zstd file. Formats that no layer may have are refused
/// by name.
pub fn plain<'a>(source: impl Read + Send + 'a, window: Window) -> io::Result<Box<dyn Read + Send + 'a>> {
    match peek(source)? {
        (packing @ (Packing::Bzip2 | Packing::Xz), _) => Err(refused(packing)),
        (packing, rest) => decoder(packing, rest, window),
    }
}

/// The plain bytes of an archive.
pub fn plain_archive<'a>(source: impl Read + Send + 'a) -> io::Result<Box<dyn Read + Send + 'a>> {
    let (packing, rest) = peek(source)?;
    unpack(packing, rest)
}

/// The plain bytes of a file that is compressed so.
pub fn unpack<'a>(packing: Packing, source: impl BufRead + Send + 'a) -> io::Result<Box<dyn Read + Send + 'a>> {
    decoder(packing, source, Window::default())
}

/// Memory: the window of the format.
fn decoder<'a>(
    packing: Packing,
    source: impl BufRead + Send + 'a,
    window: Window,
) -> io::Result<Box<dyn Read + Send + 'a>> {
    Ok(match packing {
        Packing::Plain => Box::new(source),
        Packing::Gzip => Box::new(MultiGzDecoder::new(source)),
        Packing::Zstd => {
            let mut decoder = zstd::Decoder::with_buffer(source)?;
            decoder.window_log_max(window.log())?;
            Box::new(Frames { decoder, window })
        }
        Packing::Bzip2 => Box::new(MultiBzDecoder::new(source)),
        Packing::Xz => Box::new(XzReader::new_mem_limit(source, true, XZ_MEMORY)),
        Packing::Lz4 => return Err(refused(packing)),
    })
}

/// A decoder of zstd whose errors are ours.
struct Frames<D> {
    decoder: D,
    window: Window,
}

impl<D: Read> Read for Frames<D> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.decoder.read(buffer).map_err(|error| {
            // The crate gives the name of the code alone.
            match error.to_string() == get_error_name((WINDOW_TOO_LARGE as usize).wrapping_neg()) {
                true => io::Error::other(WindowTooLarge(self.window)),
                false => error,
            }
        })
    }
}

/// A format, told by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    Plain,
    Gzip,
    Zstd,
    Bzip2,
    Xz,
    Lz4,
}

pub fn told_by(start: [u8; 4]) -> Packing {
    match start {
        [0x1f, 0x8b, ..] => Packing::Gzip,
        // A frame of data, or one to be skipped (RFC 8878, 3.1.2), which may come first.
        [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => Packing::Zstd,
        [b'B', b'Z', b'h', _] => Packing::Bzip2,
        [0xfd, b'7', b'z', b'X'] => Packing::Xz,
        [0x04, 0x22, 0x4d, 0x18] => Packing::Lz4,
        _ => Packing::Plain,
    }
}

/// How `source` is compressed, and all of its bytes. A source of less than four is an error: no format is so short.
pub fn peek<R: Read>(source: R) -> io::Result<(Packing, impl BufRead + use<R>)> {
    let mut source = BufReader::with_capacity(128 << 10, source);
    let mut start = [0; 4];
    source.read_exact(&mut start).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => io::Error::new(error.kind(), "it has less than four bytes"),
        _ => error,
    })?;
    Ok((told_by(start), io::Cursor::new(start).chain(source)))
}

fn refused(packing: Packing) -> io::Error {
    let known =
        if packing == Packing::Lz4 { "gzip, zstd, bzip2 and xz are" } else { "of layers only gzip and zstd are" };
    let format = format!("{packing:?}").to_lowercase();
    io::Error::new(io::ErrorKind::Unsupported, format!("it is compressed with {format}: {known} known"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn what_is_too_short_says_so() {
        let error = peek(&b"a\0\0"[..]).err().unwrap();
        assert_eq!(error.to_string(), "it has less than four bytes");
    }

    /// `printf xz | xz -0`
    const XZ: &[u8] = &[
        0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x04, 0xe6, 0xd6, 0xb4, 0x46, 0x02, 0x00, 0x21, 0x01, 0x0c, 0x00,
        0x00, 0x00, 0x8f, 0x98, 0x41, 0x9c, 0x01, 0x00, 0x01, 0x78, 0x7a, 0x00, 0x00, 0x00, 0x4d, 0x67, 0xc7, 0xc4,
        0xb1, 0x6a, 0xd0, 0x52, 0x00, 0x01, 0x1a, 0x02, 0xdc, 0x2e, 0xa5, 0x7e, 0x1f, 0xb6, 0xf3, 0x7d, 0x01, 0x00,
        0x00, 0x00, 0x00, 0x04, 0x59, 0x5a,
    ];

    fn unpack(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        plain(bytes, Window::default())?.read_to_end(&mut all)?;
        Ok(all)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn formats_are_told_by_their_first_bytes() {
        assert_eq!(unpack(b"plain").unwrap(), b"plain");
        assert_eq!(unpack(&gzip(b"one")).unwrap(), b"one");
        let two = [gzip(b"one"), gzip(b"two")].concat();
        assert_eq!(unpack(&two).unwrap(), b"onetwo");
        let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 1).unwrap();
        let skipped = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3][..], &zstd(b"one"), &zstd(b"two")].concat();
        assert_eq!(unpack(&skipped).unwrap(), b"onetwo");
        // Archives alone may be packed so.
        let bzip2 = |bytes: &[u8]| {
            let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        };
        for packed in [[bzip2(b"one"), bzip2(b"two")].concat(), [XZ, XZ].concat()] {
            let mut all = Vec::new();
            plain_archive(packed.as_slice()).unwrap().read_to_end(&mut all).unwrap();
            assert!(all == b"onetwo" || all == b"xzxz", "{all:?}");
            assert!(unpack(&packed).is_err());
        }
        // Packed twice: the inner one is the content.
        assert_eq!(unpack(&gzip(&gzip(b"x"))).unwrap(), gzip(b"x"));
    }

    #[test]
    fn broken_and_foreign_streams_are_errors() {
        let mut crc = gzip(b"some bytes");
        let place = crc.len() - 6;
        crc[place] ^= 1;
        let good = gzip(b"some bytes");
        let garbage = [good.clone(), b"garbage".to_vec()].concat();
        for bad in [&crc[..], &good[..good.len() - 1], &garbage, b"BZh91AY", b"\xfd7zXZ\0", b"\x04\x22\x4d\x18...."] {
            assert!(unpack(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn windows_have_a_limit() {
        // Magic, descriptor, window descriptor (2 to the power of 10 and its upper five bits), an empty last block.
        let frame = |log: u8| [0x28, 0xb5, 0x2f, 0xfd, 0, (log - 10) << 3, 1, 0, 0];
        for (window, log) in [(Window::Usual, 23), (Window::Large, 25)] {
            let read = |log| plain(&frame(log)[..], window).and_then(|mut plain| plain.read(&mut [0]));
            assert_eq!(read(log).unwrap(), 0);
            for too_large in [log + 1, 31] {
                let error = read(too_large).unwrap_err();
                assert!(WindowTooLarge::is_in(&error), "{error}");
                assert!(error.to_string().contains(&format!("the {} MiB", (1 << log) >> 20)), "{error}");
            }
        }
    }
}
