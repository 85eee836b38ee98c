//! Sizes, as `--shm-size`, `size=` and others give them.

use crate::cli::Report;

/// `64m`: a number and one of b, k, m, g, t.
pub fn bytes(text: &str) -> Result<u64, Report> {
    let lower = text.to_lowercase();
    let (digits, unit) = match lower.trim_end_matches('b').char_indices().next_back() {
        Some((at, unit @ ('k' | 'm' | 'g' | 't'))) => (lower.get(..at).unwrap_or_default(), unit),
        _ => (lower.trim_end_matches('b'), 'b'),
    };
    let factor: u64 = match unit {
        'k' => 1 << 10,
        'm' => 1 << 20,
        'g' => 1 << 30,
        't' => 1 << 40,
        _ => 1,
    };
    let number: Option<u64> = digits.parse().ok();
    number.and_then(|number| number.checked_mul(factor)).ok_or_else(|| {
        Report::new(format!("`{text}` is not a size: expected a number and `b`, `k`, `m`, `g` or `t`"))
            .hint("as in `512m` or `2g`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(
            (bytes("64m").unwrap(), bytes("1gb").unwrap(), bytes("7").unwrap(), bytes("10B").unwrap()),
            (64 << 20, 1 << 30, 7, 10)
        );
        assert!(bytes("x").is_err() && bytes("").is_err() && bytes("99999999999g").is_err());
    }
}
