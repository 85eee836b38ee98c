//! Signals, as `--signal` and `--stop-signal` name them.

use crate::cli::Report;

/// A signal by name, with or without `SIG`, or number; real-time ones are `RTMIN`, `RTMIN+n`, `RTMAX-n`, `RTMAX`.
pub fn signal(text: &str) -> Result<i32, Report> {
    number_of_signal(text)
        .ok_or_else(|| Report::new(format!("`{text}` is not a signal")).hint("`kill -l` lists their names"))
}

/// The real-time signals that the C libraries leave to programs (signal(7)): what `RTMIN` and `RTMAX` mean to all shells.
const REAL_TIME: std::ops::RangeInclusive<i32> = 34..=64;

pub fn number_of_signal(text: &str) -> Option<i32> {
    use std::str::FromStr;
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().filter(|number| (1..=64).contains(number));
    }
    let upper = text.to_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    // Only digits: `parse` alone would take a second sign.
    let distance = |text: &str, sign: char| match text.strip_prefix(sign) {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse::<i32>().ok(),
        None if text.is_empty() => Some(0),
        _ => None,
    };
    let number = if let Some(rest) = name.strip_prefix("RTMIN") {
        REAL_TIME.start().checked_add(distance(rest, '+')?)?
    } else if let Some(rest) = name.strip_prefix("RTMAX") {
        REAL_TIME.end().checked_sub(distance(rest, '-')?)?
    } else {
        return nix::sys::signal::Signal::from_str(&format!("SIG{name}")).ok().map(|signal| signal as i32);
    };
    REAL_TIME.contains(&number).then_some(number)
}

/// The name of a signal, as `inspect` shows it.
pub fn name_of_signal(number: i32) -> String {
    match nix::sys::signal::Signal::try_from(number) {
        Ok(signal) => signal.as_str().to_owned(),
        Err(_) if number == *REAL_TIME.start() => "SIGRTMIN".to_owned(),
        Err(_) => format!("SIGRTMIN+{}", number - REAL_TIME.start()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_named_and_numbered() {
        assert_eq!((signal("TERM").unwrap(), signal("sigkill").unwrap(), signal("2").unwrap()), (15, 9, 2));
        let number = |text| signal(text).unwrap();
        assert_eq!((number("RTMIN"), number("sigrtmin+3"), number("RTMAX-1"), number("SIGRTMAX")), (34, 37, 63, 64));
        assert_eq!((number("64"), number("rtmin+30"), number("RTMAX-30")), (64, 64, 34));
        for bad in ["65", "0", "-1", "+9", "", "SIG", "NOPE", "RTMIN-1", "RTMAX+1", "RTMIN+31", "RTMIN++1", "RTMIN+"] {
            assert!(signal(bad).is_err(), "{bad}");
        }
    }
}
