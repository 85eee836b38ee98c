//! Times and sizes in the words of Docker and Podman.

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};

/// `2 hours`: how long, roughly.
pub fn duration(seconds: i64) -> String {
    let plural = |count: i64, unit: &str| format!("{count} {unit}{}", if count == 1 { "" } else { "s" });
    match seconds {
        i64::MIN..1 => "Less than a second".into(),
        1 => "1 second".into(),
        2..60 => plural(seconds, "second"),
        60..120 => "About a minute".into(),
        120..3600 => plural(seconds / 60, "minute"),
        3600..7200 => "About an hour".into(),
        7200..172_800 => plural(seconds / 3600, "hour"),
        172_800..1_209_600 => plural(seconds / 86_400, "day"),
        1_209_600..5_184_000 => plural(seconds / 604_800, "week"),
        5_184_000..63_072_000 => plural(seconds / 2_592_000, "month"),
        _ => plural(seconds / 31_536_000, "year"),
    }
}

/// `3 minutes ago`, of a time in seconds since 1970.
pub fn ago(then: i64) -> String {
    format!("{} ago", duration(now().saturating_sub(then)))
}

/// Seconds since 1970.
pub fn now() -> i64 {
    chrono::Utc::now().timestamp()
}

/// A moment as users write it: RFC 3339; a time or a date without a zone, which is the local one; seconds since 1970; or how long
/// ago, as Go writes durations (`1h30m`).
pub fn moment(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(moment.to_utc());
    }
    if let Ok(seconds) = text.parse::<f64>() {
        return DateTime::from_timestamp_micros((seconds * 1e6) as i64);
    }
    let local = |time: NaiveDateTime| Some(time.and_local_timezone(chrono::Local).earliest()?.to_utc());
    let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"];
    if let Some(time) = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok()) {
        return local(time);
    }
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return local(date.and_hms_opt(0, 0, 0)?);
    }
    Utc::now().checked_sub_signed(go_duration(text)?)
}

/// `1h30m`, `10s`, `1.5h`, `300ms`.
pub fn go_duration(text: &str) -> Option<TimeDelta> {
    let mut rest = text;
    let mut sum = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|char: char| !char.is_ascii_digit() && char != '.')?;
        let (number, behind) = rest.split_at(digits);
        let length = behind.find(|char: char| char.is_ascii_digit() || char == '.').unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(length);
        let seconds = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        sum += number.parse::<f64>().ok()? * seconds;
        rest = behind;
    }
    (!text.is_empty() && sum < 1e10).then(|| TimeDelta::microseconds((sum * 1e6) as i64))
}

/// `129 MB`: powers of 1000 and three digits.
pub fn size(bytes: u64) -> String {
    let (number, unit) = decimal(bytes, 3);
    format!("{number} {unit}")
}

/// `2.13MB`: the same without the space, as `history` has it.
pub fn short_size(bytes: u64) -> String {
    let (number, unit) = decimal(bytes, 3);
    format!("{number}{unit}")
}

/// `2.128MB`: the same with four digits, as Podman writes most sizes.
pub fn go_size(bytes: u64) -> String {
    let (number, unit) = decimal(bytes, 4);
    format!("{number}{unit}")
}

/// A number of so many digits, without zeros at its end, and its unit.
fn decimal(bytes: u64, digits: usize) -> (String, &'static str) {
    let mut value = bytes as f64;
    let mut units = ["B", "kB", "MB", "GB", "TB", "PB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    while value >= 999.95 {
        let Some(next) = units.next() else { break };
        (value, unit) = (value / 1000.0, next);
    }
    let whole = if value < 10.0 {
        1
    } else if value < 100.0 {
        2
    } else {
        3
    };
    let text = format!("{value:.*}", digits - whole);
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    (text.to_owned(), unit)
}

/// `23.54GiB`: powers of 1024.
pub fn binary_size(bytes: u64) -> String {
    let mut value = bytes as f64;
    let mut units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    while value >= 1024.0 {
        let Some(next) = units.next() else { break };
        (value, unit) = (value / 1024.0, next);
    }
    let text = format!("{value:.2}");
    format!("{}{unit}", text.trim_end_matches('0').trim_end_matches('.'))
}

/// `1h2m3.5s`, `3.361ms`: as Go writes how long something took.
pub fn go_text(time: std::time::Duration) -> String {
    let trimmed = |value: f64| {
        let text = format!("{value:.9}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    let (seconds, nanoseconds) = (time.as_secs(), time.subsec_nanos());
    if seconds == 0 && nanoseconds > 0 {
        return match nanoseconds {
            1_000_000.. => format!("{}ms", trimmed(f64::from(nanoseconds) / 1e6)),
            1000.. => format!("{}µs", trimmed(f64::from(nanoseconds) / 1e3)),
            _ => format!("{nanoseconds}ns"),
        };
    }
    let rest = format!("{}s", trimmed((seconds % 60) as f64 + f64::from(nanoseconds) / 1e9));
    match (seconds / 3600, seconds / 60 % 60) {
        (0, 0) => rest,
        (0, minutes) => format!("{minutes}m{rest}"),
        (hours, minutes) => format!("{hours}h{minutes}m{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read() {
        let at = |text: &str| moment(text).map(|moment| moment.timestamp_millis());
        assert_eq!((at("2026-01-31T12:00:00Z"), at("1769860800")), (Some(1_769_860_800_000), Some(1_769_860_800_000)));
        assert_eq!((at("2026-01-31T13:00:00.5+01:00"), at("1.25")), (Some(1_769_860_800_500), Some(1250)));
        assert!(at("2026-01-31T12:00:00").is_some() && at("2026-01-31T12:00").is_some() && at("2026-01-31").is_some());
        assert_eq!(go_duration("1h30m"), Some(TimeDelta::minutes(90)));
        assert_eq!(go_duration("1.5s20ms"), Some(TimeDelta::milliseconds(1520)));
        assert!(moment("1h").unwrap() < Utc::now() - TimeDelta::minutes(59));
        for bad in ["", "yesterday", "1x", "m", "1h30", "2026-13-01"] {
            assert!(moment(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn durations_and_sizes_read_as_in_podman() {
        assert_eq!(duration(0), "Less than a second");
        assert_eq!(duration(59), "59 seconds");
        assert_eq!(duration(60), "About a minute");
        assert_eq!(duration(7300), "2 hours");
        assert_eq!(duration(3 * 86_400), "3 days");
        let times = [0, 10, 3361, 1_016_960, 601_141_936, 3_723_500_000]
            .map(|micros| go_text(std::time::Duration::from_micros(micros)));
        assert_eq!(times, ["0s", "10µs", "3.361ms", "1.01696s", "10m1.141936s", "1h2m3.5s"]);
        assert_eq!((binary_size(0), binary_size(25_276_514_304)), ("0B".into(), "23.54GiB".into()));
        let sizes = [0, 999, 1000, 10_710, 2_128_498, 125_700_000, 25_276_514_304].map(go_size);
        assert_eq!(sizes, ["0B", "999B", "1kB", "10.71kB", "2.128MB", "125.7MB", "25.28GB"]);
        assert_eq!(
            (size(12), size(2_160_000), size(129_400_000), size(999_999)),
            ("12 B".into(), "2.16 MB".into(), "129 MB".into(), "1 MB".into())
        );
    }
}
