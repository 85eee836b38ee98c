//! `--systemd`: what systemd, as the first program of a container, expects to find (systemd.io, CONTAINER_INTERFACE).

use oci_spec::runtime::Mount;

use super::Built;
use super::kernel::new;
use crate::container::record::Systemd;

/// Paths that lead to it.
const INIT: [&str; 3] = ["/sbin/init", "/usr/sbin/init", "/usr/local/sbin/init"];

/// Where it keeps what one boot needs: in memory, and empty at each start.
const IN_MEMORY: [(&str, &str); 4] =
    [("/run", "mode=755"), ("/run/lock", "mode=1777"), ("/tmp", "mode=1777"), ("/var/log/journal", "mode=755")];

/// Whether this program is systemd, as far as its name tells.
pub fn is(program: &str) -> bool {
    INIT.contains(&program) || program.rsplit('/').next() == Some("systemd")
}

pub fn mounts(systemd: &Systemd) -> Built<Vec<Mount>> {
    let size = systemd.size.map(|size| format!("size={size}"));
    let one = |(target, mode): (&str, &str)| {
        let options: Vec<&str> = ["rw", "nosuid", "nodev", mode].into_iter().chain(size.as_deref()).collect();
        new("tmpfs", target, &options)
    };
    IN_MEMORY.into_iter().map(one).collect()
}
