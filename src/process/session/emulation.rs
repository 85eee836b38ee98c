//! Root emulation: which filters a program gets where there is but one id, and what the supervisor must know.

use std::os::fd::BorrowedFd;

use rustix::fs::{AtFlags, StatxFlags, statx};

use super::prepare::compile;
use super::refusal::Refusal;
use crate::process::supervisor::Device;
use crate::runtime::identity::Identity;
use crate::runtime::inside::Filters;
use crate::runtime::plan::Process;
use crate::runtime::seccomp::emulation;
use crate::sys::{self, Call};

/// The filters for who is root and has no other ids; without the container's own. `recorded`: owners are written down.
pub fn filters(process: &Process, identity: &Identity, one_id: bool, recorded: bool) -> Result<Filters, Refusal> {
    let mut filters = Filters::default();
    if one_id && identity.uid == 0 {
        filters.emulation = compile(&emulation(identity.gid, false), process)?;
        if recorded {
            filters.listened = compile(&emulation(identity.gid, true), process)?;
        }
    }
    Ok(filters)
}

/// The device number of a mounted file system.
pub fn device(root: BorrowedFd<'_>) -> sys::Result<Device> {
    let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
    let stat = statx(root, c"", flags, StatxFlags::TYPE).call("statx(root)")?;
    Ok((stat.stx_dev_major, stat.stx_dev_minor))
}
