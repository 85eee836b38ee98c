//! `--tz`: the file of a time zone, taken from this machine when the container is made (tzfile(5)).

use std::io::Read;
use std::path::{Component, Path};

use crate::container::{Error, Result};
use crate::sys::Call;

/// The file beside the container's record, and where the container finds it.
pub const FILE: (&str, &str) = ("localtime", "/etc/localtime");

const LOCAL: &str = "/etc/localtime";
const ZONES: &str = "/usr/share/zoneinfo";
/// The longest files of tzdata have 3,600 bytes.
const LIMIT: u64 = 64 << 10;

/// The content of the zone's file; a machine that has no local time keeps UTC.
pub fn read(zone: &str) -> Result<Vec<u8>> {
    let unknown = || Error::TimeZone(zone.to_owned());
    let inside = Path::new(zone).components().all(|part| matches!(part, Component::Normal(_)));
    let path = match zone {
        "local" if Path::new(LOCAL).exists() => Path::new(LOCAL).to_owned(),
        "local" => Path::new(ZONES).join("UTC"),
        zone if inside => Path::new(ZONES).join(zone),
        _ => return Err(unknown()),
    };
    if !path.is_file() {
        return Err(unknown());
    }
    let call = || format!("read({})", path.display());
    let mut bytes = Vec::new();
    let file = std::fs::File::open(&path).call_with(call)?;
    file.take(LIMIT).read_to_end(&mut bytes).call_with(call)?;
    if bytes.starts_with(b"TZif") { Ok(bytes) } else { Err(unknown()) }
}
