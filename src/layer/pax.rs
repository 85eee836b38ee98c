//! Extended headers of POSIX tar (pax(1), "pax Extended Header"): records `LENGTH KEY=VALUE\n`.
//!
//! The values are bytes, newlines included (extended attributes are binary), so only the length divides records.

/// The most that is read of one extended header: as the Go library that all other engines read tar with.
pub const LIMIT: u64 = 1 << 20;

/// Key and value.
pub type Record<'a> = (&'a [u8], &'a [u8]);

/// The records in order. An empty value deletes an earlier one of its key (the caller sees it as empty).
pub fn records(mut bytes: &[u8]) -> Result<Vec<Record<'_>>, &'static str> {
    const BAD: &str = "an extended header has a malformed record";
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let space = bytes.iter().take(12).position(|b| *b == b' ').ok_or(BAD)?;
        let length = number(bytes.get(..space).ok_or(BAD)?).ok_or(BAD)?;
        let length = usize::try_from(length).map_err(|_| BAD)?;
        let record = bytes.get(space + 1..length).ok_or(BAD)?;
        let (newline, record) = record.split_last().ok_or(BAD)?;
        let equals = record.iter().position(|b| *b == b'=').ok_or(BAD)?;
        let (key, value) = record.split_at_checked(equals).ok_or(BAD)?;
        if *newline != b'\n' || key.is_empty() {
            return Err(BAD);
        }
        all.push((key, value.get(1..).unwrap_or_default()));
        bytes = bytes.get(length..).unwrap_or_default();
    }
    Ok(all)
}

/// Decimal digits and nothing else.
pub fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// `[-]SECONDS[.FRACTION]` as seconds (rounded down) and nanoseconds.
pub fn time(text: &[u8]) -> Option<(i64, u32)> {
    let (negative, text) = match text.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let point = text.iter().position(|b| *b == b'.').unwrap_or(text.len());
    let seconds = i64::try_from(number(text.get(..point)?)?).ok()?;
    let fraction = text.get(point + 1..).unwrap_or_default();
    if !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let nanos = (0..9).fold(0, |sum, i| sum * 10 + u32::from(fraction.get(i).map_or(0, |digit| digit - b'0')));
    match (negative, nanos) {
        (false, _) => Some((seconds, nanos)),
        (true, 0) => Some((-seconds, 0)),
        (true, _) => Some((-seconds - 1, 1_000_000_000 - nanos)),
    }
}

/// Appends one record.
pub fn record(records: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    // The space, the `=`, the newline.
    let rest = key.len() + value.len() + 3;
    // The length counts its own digits.
    let length = (rest..).find(|length| length.to_string().len() + rest == *length).unwrap_or(rest);
    for part in [length.to_string().as_bytes(), b" ", key, b"=", value, b"\n"] {
        records.extend_from_slice(part);
    }
}

/// What [`time`] reads.
pub fn time_text((seconds, nanos): (i64, u32)) -> String {
    let (sign, seconds, nanos) = match (seconds < 0, nanos) {
        (false, _) => ("", seconds.unsigned_abs(), nanos),
        (true, 0) => ("-", seconds.unsigned_abs(), 0),
        (true, _) => ("-", seconds.unsigned_abs() - 1, 1_000_000_000 - nanos),
    };
    let text = format!("{sign}{seconds}.{nanos:09}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_length_divides_records() {
        let bytes = b"11 path=ab\n21 SCHILY.xattr.u=\n=\n8 size=\n";
        let all = records(bytes).unwrap();
        assert_eq!(all, [(&b"path"[..], &b"ab"[..]), (b"SCHILY.xattr.u", b"\n="), (b"size", b"")]);
        for bad in [
            "x",
            "5 a=b",
            "6 a=bc",
            "6 a=b\n\n",
            "0 a=b\n",
            "99 a=b\n",
            "-1 a=b\n",
            "4 =\n",
            "5 ab\n",
            "2 ",
            "99999999999999999999 a=b\n",
        ] {
            assert!(records(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn records_come_back_as_they_went() {
        // Around the lengths at which the number of digits grows.
        for length in (0..20).chain(85..105).chain(985..1005) {
            let (mut bytes, value) = (Vec::new(), vec![b'x'; length]);
            record(&mut bytes, b"key", &value);
            record(&mut bytes, b"k", b"=\n");
            assert_eq!(records(&bytes).unwrap(), [(&b"key"[..], value.as_slice()), (b"k", b"=\n")]);
        }
    }

    #[test]
    fn times_before_1970_and_parts_of_seconds() {
        let good: &[(&str, (i64, u32))] = &[
            ("0", (0, 0)),
            ("1.5", (1, 500_000_000)),
            ("12.", (12, 0)),
            ("-1", (-1, 0)),
            ("-0.25", (-1, 750_000_000)),
            ("3.0000000019", (3, 1)),
        ];
        for (text, expected) in good {
            assert_eq!(time(text.as_bytes()), Some(*expected), "{text}");
            assert_eq!(time(time_text(*expected).as_bytes()), Some(*expected), "{text}");
        }
        assert_eq!((time_text((7, 0)), time_text((-1, 750_000_000))), ("7".to_owned(), "-0.25".to_owned()));
        for bad in ["", "nan", "1e9", "-", ".5", "1.x", "+1", "99999999999999999999"] {
            assert_eq!(time(bad.as_bytes()), None, "{bad}");
        }
    }
}
