//! From compressed bytes to plain ones: gzip, zstd or neither, told by the first bytes and not by what a media type claims.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

/// The largest window that a zstd frame may ask for, as a power of two: 128 MiB, zstd's own default for streams.
const ZSTD_WINDOW: u32 = 27;

/// The plain bytes of `source`: all members of a gzip file, all frames of a zstd file.
///
/// Formats that no layer may have are refused by name. Memory: the window of the format, at most 128 MiB.
pub fn plain<'a>(source: impl Read + Send + 'a) -> io::Result<Box<dyn Read + Send + 'a>> {
    let (packing, rest) = peek(source)?;
    Ok(match packing {
        Packing::Plain => Box::new(rest),
        Packing::Gzip => Box::new(MultiGzDecoder::new(rest)),
        Packing::Zstd => {
            let mut decoder = zstd::Decoder::with_buffer(rest)?;
            decoder.window_log_max(ZSTD_WINDOW)?;
            Box::new(decoder)
        }
        Packing::Refused(format) => return Err(refused(format)),
    })
}

/// A format, told by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    Plain,
    Gzip,
    Zstd,
    /// By its name.
    Refused(&'static str),
}

pub fn told_by(start: [u8; 4]) -> Packing {
    match start {
        [0x1f, 0x8b, ..] => Packing::Gzip,
        // A frame of data, or one to be skipped (RFC 8878, 3.1.2), which may come first.
        [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => Packing::Zstd,
        [b'B', b'Z', b'h', _] => Packing::Refused("bzip2"),
        [0xfd, b'7', b'z', b'X'] => Packing::Refused("xz"),
        [0x04, 0x22, 0x4d, 0x18] => Packing::Refused("lz4"),
        _ => Packing::Plain,
    }
}

/// How `source` is compressed, and all of its bytes. A source of less than four is an error: no format is so short.
pub fn peek<R: Read>(source: R) -> io::Result<(Packing, impl BufRead + use<R>)> {
    let mut source = BufReader::with_capacity(128 << 10, source);
    let mut start = [0; 4];
    source.read_exact(&mut start)?;
    Ok((told_by(start), io::Cursor::new(start).chain(source)))
}

/// What is said of a format that is not known.
pub fn refused(format: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, format!("it is compressed with {format}: only gzip and zstd are known"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn unpack(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        plain(bytes)?.read_to_end(&mut all)?;
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
        // A window of 2 GiB: magic, descriptor, window descriptor.
        assert!(unpack(&[0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00]).is_err());
    }
}
