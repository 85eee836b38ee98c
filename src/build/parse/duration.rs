//! How long something may take, as Go writes it: `30s`, `1m30s`, `1.5h`.

use std::time::Duration;

/// `None`: it is none.
pub fn read(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let (mut rest, mut sum) = (text, 0_f64);
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        let unit_end = rest[end..].find(|c: char| c.is_ascii_digit() || c == '.').map_or(rest.len(), |at| end + at);
        let nanoseconds = match &rest[end..unit_end] {
            "ns" => 1_f64,
            "us" | "µs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 60e9,
            "h" => 3600e9,
            _ => return None,
        };
        sum += number * nanoseconds;
        rest = &rest[unit_end..];
    }
    (sum <= i64::MAX as f64).then(|| Duration::from_nanos(sum as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        for (text, milliseconds) in [
            ("30s", Some(30_000)),
            ("1m30s", Some(90_000)),
            ("1.5h", Some(5_400_000)),
            ("0", Some(0)),
            ("500ms", Some(500)),
        ] {
            assert_eq!(read(text), milliseconds.map(Duration::from_millis), "{text}");
        }
        for bad in ["", "30", "s", "1d", "-1s", "1s ", "1..5s", "999999999999h"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
