//! What the program may do: identity, capabilities, limits, system calls.
//!
//! The order is forced. The bounding set goes while CAP_SETPCAP is there; the real change of ids comes before the filters, which
//! would fake it; the filters come last, with CAP_SYS_ADMIN kept so that no-new-privileges is not needed for them; execve then
//! reduces uid 0 to the bounding set and anybody else to nothing (capabilities(7)). Inheritable and ambient sets stay empty.

use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{Gid, Uid};

use super::Filters;
use crate::oci::capability::CapabilitySet;
use crate::runtime::handshake;
use crate::runtime::identity::Identity;
use crate::runtime::plan::Process;
use crate::runtime::seccomp::Choice;
use crate::sys::{Call, Result, capability, seccomp};

/// Resource limits; one that is above what this user may have is set to what they may have, as Podman does.
pub fn limits(limits: &[(u32, u64, u64)]) -> Result<()> {
    for &(number, soft, hard) in limits {
        crate::sys::process::set_limit(number, soft, hard)?;
    }
    Ok(())
}

/// Becomes the root of this user namespace, of which the process has all capabilities anyway. Supplementary groups stay.
pub fn become_root() -> Result<()> {
    rustix::thread::set_thread_res_gid(Gid::ROOT, Gid::ROOT, Gid::ROOT).call("setresgid(0)")?;
    rustix::thread::set_thread_res_uid(Uid::ROOT, Uid::ROOT, Uid::ROOT).call("setresuid(0)")
}

/// Drops the bounding set and becomes the user. The capabilities of a user other than root are gone after the exec.
pub fn take_identity(identity: &Identity, bounding: CapabilitySet) -> Result<()> {
    capability::limit_bounding_set(bounding.bits())?;
    capability::keep_across_setuid(true)?;
    if !identity.keep_groups {
        let groups: Vec<Gid> = identity.groups.iter().map(|gid| Gid::from_raw(*gid)).collect();
        rustix::thread::set_thread_groups(&groups).call("setgroups")?;
    }
    let gid = Gid::from_raw(identity.gid);
    rustix::thread::set_thread_res_gid(gid, gid, gid).call_with(|| format!("setresgid({})", identity.gid))?;
    let uid = Uid::from_raw(identity.uid);
    rustix::thread::set_thread_res_uid(uid, uid, uid).call_with(|| format!("setresuid({})", identity.uid))?;
    // The change of uid took the effective set away; what is permitted was kept. The working directory is entered with it, as
    // with other runtimes: it may be one that only root can enter.
    capability::raise_permitted()?;
    capability::clear_inheritable()
}

/// For who is in no pid namespace that ends with the parent. A change of ids takes the signal away: the last one was made.
pub fn end_with_parent() -> Result<()> {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))
        .call("prctl(PR_SET_PDEATHSIG)")
}

/// Loads the filters; nothing after it but execve.
pub fn restrict(process: &Process, filters: &Filters, channel: BorrowedFd<'_>) -> Result<()> {
    if process.no_new_privileges {
        rustix::thread::set_no_new_privs(true).call("prctl(PR_SET_NO_NEW_PRIVS)")?;
    }
    emulate_root(filters, channel)?;
    if process.seccomp != Choice::Unconfined {
        seccomp::load(&filters.container)?;
    }
    Ok(())
}

/// Before the container's filter, which may forbid to load another. Without a listener (an old kernel, or one that watches this
/// program already), changes of owners are answered and nobody is told.
fn emulate_root(filters: &Filters, channel: BorrowedFd<'_>) -> Result<()> {
    if !filters.listened.is_empty()
        && let Ok(listener) = seccomp::load_with_listener(&filters.listened)
    {
        return handshake::send_listener(channel, listener.as_fd());
    }
    if filters.emulation.is_empty() { Ok(()) } else { seccomp::load(&filters.emulation) }
}
