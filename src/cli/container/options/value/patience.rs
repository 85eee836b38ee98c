//! How long a stop waits before it kills: `--time`.

/// Seconds; a number below zero, as in Podman: without end.
pub fn patience(text: &str) -> Result<u32, std::num::ParseIntError> {
    text.parse::<i64>().map(|seconds| u32::try_from(seconds).unwrap_or(u32::MAX))
}
