//! Maps of sparse files: old GNU, and GNU in PAX 0.0, 0.1 and 1.0 (GNU tar manual, "Storing Sparse Files").

use super::pax::number;

/// A piece of data: its place in the file and its length, in bytes.
pub type Piece = (u64, u64);

/// The most pieces of one file: 16 MiB of memory.
pub const LIMIT: usize = 1 << 20;

/// What `GNU.sparse.*` records of an extended header say.
#[derive(Debug, Default)]
pub struct PaxSparse {
    pub pieces: Vec<Piece>,
    pending: Option<u64>,
    major: Option<u64>,
    pub real_size: Option<u64>,
    pub name: Option<Vec<u8>>,
    pub any: bool,
}

impl PaxSparse {
    /// Takes one record, the prefix `GNU.sparse.` cut off.
    pub fn take(&mut self, key: &[u8], value: &[u8]) -> Result<(), &'static str> {
        const BAD: &str = "a number of its sparse map is malformed";
        self.any = true;
        match key {
            b"name" => self.name = Some(value.to_owned()),
            b"size" | b"realsize" => self.real_size = Some(number(value).ok_or(BAD)?),
            b"major" => self.major = Some(number(value).ok_or(BAD)?),
            b"offset" => self.pending = Some(number(value).ok_or(BAD)?),
            b"numbytes" => self.pieces.push((self.pending.take().ok_or(BAD)?, number(value).ok_or(BAD)?)),
            b"map" => {
                let mut numbers = value.split(|b| *b == b',').map(number);
                while let Some(offset) = numbers.next() {
                    self.pieces.push((offset.ok_or(BAD)?, numbers.next().flatten().ok_or(BAD)?));
                }
            }
            _ => {}
        }
        if self.pieces.len() > LIMIT { Err("its sparse map is too long") } else { Ok(()) }
    }

    /// Format 1.0: the map stands at the start of the data.
    pub fn map_in_data(&self) -> bool {
        self.major == Some(1)
    }
}

/// In order, without overlap, within the file, and as much data as there is.
pub fn check(pieces: &[Piece], real_size: u64, data: u64) -> Result<(), &'static str> {
    let mut end = 0;
    let mut sum = 0_u64;
    for (offset, length) in pieces {
        let next = offset.checked_add(*length).ok_or("its sparse map overflows")?;
        if *offset < end || next > real_size {
            return Err("its sparse map overlaps or leaves the file");
        }
        end = next;
        sum = sum.checked_add(*length).ok_or("its sparse map overflows")?;
    }
    if sum == data { Ok(()) } else { Err("its sparse map and its data differ in length") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_ordered_and_inside() {
        check(&[(0, 5), (5, 5), (100, 0)], 100, 10).unwrap();
        for (pieces, size, data) in [
            (&[(0, 5), (4, 5)][..], 100, 10),
            (&[(10, 5), (0, 5)], 100, 10),
            (&[(98, 5)], 100, 5),
            (&[(u64::MAX, 5)], u64::MAX, 5),
            (&[(0, 5)], 100, 6),
        ] {
            assert!(check(pieces, size, data).is_err(), "{pieces:?}");
        }
    }

    #[test]
    fn both_old_forms_of_pax_maps() {
        let mut old = PaxSparse::default();
        for (key, value) in [("offset", "0"), ("numbytes", "3"), ("offset", "9"), ("numbytes", "1"), ("size", "10")] {
            old.take(key.as_bytes(), value.as_bytes()).unwrap();
        }
        assert_eq!((old.pieces.as_slice(), old.real_size), (&[(0, 3), (9, 1)][..], Some(10)));
        let mut new = PaxSparse::default();
        new.take(b"map", b"0,3,9,1").unwrap();
        assert_eq!(new.pieces, old.pieces);
        assert!(PaxSparse::default().take(b"map", b"0,3,9").is_err());
        assert!(PaxSparse::default().take(b"numbytes", b"3").is_err());
    }
}
