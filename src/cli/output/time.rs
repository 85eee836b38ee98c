//! Times and sizes in the words of Docker and Podman.

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

/// `129 MB`: powers of 1000 and three digits.
pub fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["B", "kB", "MB", "GB", "TB"] {
        if value < 999.5 || unit == "TB" {
            let digits = if unit == "B" || value >= 99.95 {
                0
            } else if value >= 9.995 {
                1
            } else {
                2
            };
            return format!("{value:.digits$} {unit}");
        }
        value /= 1000.0;
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_read_as_in_podman() {
        assert_eq!(duration(0), "Less than a second");
        assert_eq!(duration(59), "59 seconds");
        assert_eq!(duration(60), "About a minute");
        assert_eq!(duration(7300), "2 hours");
        assert_eq!(duration(3 * 86_400), "3 days");
        assert_eq!(
            (size(12), size(2_160_000), size(129_400_000), size(999_999)),
            ("12 B".into(), "2.16 MB".into(), "129 MB".into(), "1.00 MB".into())
        );
    }
}
