//! Reading the small files in which a system says how it is set up: /etc/resolv.conf, /proc/sys, /sys.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::message;

/// More of such a file is not read, in bytes.
const LIMIT: u64 = 256 << 10;

/// The text of a file; `None` where it can't be read. Bytes that are not UTF-8 become U+FFFD.
pub fn read(path: impl AsRef<Path>) -> Option<String> {
    let path = path.as_ref();
    // The open itself would wait for ever at a pipe, and a device has no end.
    if !path.metadata().ok()?.is_file() {
        return None;
    }
    message::debug(|| format!("reading {}", path.display()));
    let file = File::open(path).ok()?;
    let mut bytes = Vec::new();
    file.take(LIMIT).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
