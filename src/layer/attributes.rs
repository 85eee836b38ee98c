//! Extended attributes: which of them belong to a file, and go with it into a layer and out of one.

use std::os::fd::BorrowedFd;

use rustix::buffer::spare_capacity;
use rustix::io::Errno;

use super::shown;
use crate::sys;

/// Namespaces and names that mean something to an overlay, this one or another: a layer must not speak to it.
const OBEYED: [&[u8]; 4] = [b"user.overlay.", b"user.coracle.", b"user.fuseoverlayfs.", b"user.containers."];

/// The kernel's limit for a value, and for a list of names.
const LARGEST: usize = 64 << 10;

/// A name with its namespace, and the value.
pub type Attribute = (Vec<u8>, Vec<u8>);

/// Whether an attribute goes with the file.
pub fn is_kept(name: &[u8]) -> bool {
    match name {
        b"security.capability" | b"system.posix_acl_access" | b"system.posix_acl_default" => true,
        name => name.starts_with(b"user.") && !OBEYED.iter().any(|obeyed| name.starts_with(obeyed)),
    }
}

/// Those of an open file that go with it, by name. The kernel translates the ids in them to this user namespace's.
pub fn of(file: BorrowedFd<'_>) -> sys::Result<Vec<Attribute>> {
    let mut names = Vec::with_capacity(LARGEST);
    match rustix::fs::flistxattr(file, spare_capacity(&mut names)) {
        Ok(_) => {}
        Err(Errno::OPNOTSUPP) => return Ok(Vec::new()),
        Err(error) => return Err(sys::Error::new("flistxattr", error)),
    }
    let mut attributes = Vec::new();
    for name in names.split(|byte| *byte == 0).filter(|name| is_kept(name)) {
        let mut value = Vec::with_capacity(LARGEST);
        match rustix::fs::fgetxattr(file, name, spare_capacity(&mut value)) {
            Ok(_) => attributes.push((name.to_vec(), value.as_slice().to_vec())),
            // Removed meanwhile, or a capability of a root that is not this namespace's.
            Err(Errno::NODATA | Errno::OVERFLOW) => {}
            Err(error) => return Err(sys::Error::new(format!("fgetxattr({})", shown(name)), error)),
        }
    }
    attributes.sort_unstable();
    Ok(attributes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_can_not_speak_to_an_overlay() {
        for kept in ["user.mime", "security.capability", "system.posix_acl_access", "user.overlayed"] {
            assert!(is_kept(kept.as_bytes()), "{kept}");
        }
        for dropped in [
            "user.overlay.opaque",
            "user.overlay.overlay.whiteout",
            "trusted.overlay.redirect",
            "user.coracle.device",
            "user.fuseoverlayfs.opaque",
            "user.containers.override_stat",
            "security.selinux",
            "security.ima",
            "trusted.x",
            "",
            "user",
        ] {
            assert!(!is_kept(dropped.as_bytes()), "{dropped}");
        }
    }
}
