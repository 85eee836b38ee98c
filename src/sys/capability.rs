//! Giving up capabilities, and the settings around it (capabilities(7)).
//!
//! Every function here is a few system calls on the calling thread: nothing is allocated (but for an error), so they may run
//! between clone and exec. Their order matters, and was found by trying: first the bounding set is dropped (needs SETPCAP),
//! then the ids change with [`keep_across_setuid`] on, then filters are loaded (needs SYS_ADMIN, or no-new-privileges); the
//! execve that follows reduces root to the bounding set by itself, and anybody else to nothing.

use rustix::io::Errno;
use rustix::thread::{
    CapabilitySet, capability_is_in_bounding_set, clear_ambient_capability_set, remove_capability_from_bounding_set,
    set_capabilities, set_keep_capabilities,
};

use super::{Call, Error, Result};

/// No kernel has more.
const MOST: u32 = 64;

/// Leaves in the bounding set only what `keep` has (bit `n` is capability `n`). Needs CAP_SETPCAP.
///
/// The kernel's own count ends the loop, so a capability newer than this program is dropped as well.
pub fn limit_bounding_set(keep: u64) -> Result<()> {
    for number in 0..MOST {
        let bit = 1_u64 << number;
        let one = CapabilitySet::from_bits_retain(bit);
        match capability_is_in_bounding_set(one) {
            Ok(true) if keep & bit == 0 => remove_capability_from_bounding_set(one).call("prctl(PR_CAPBSET_DROP)")?,
            Ok(_) => {}
            // Past the last capability of this kernel.
            Err(Errno::INVAL) => break,
            Err(error) => return Err(Error::new("prctl(PR_CAPBSET_READ)", error)),
        }
    }
    Ok(())
}

/// Empties the inheritable and the ambient set and leaves the others: what must be true before any exec in a container
/// (a file with inheritable capabilities must gain nothing).
pub fn clear_inheritable() -> Result<()> {
    clear_ambient_capability_set().call("prctl(PR_CAP_AMBIENT_CLEAR_ALL)")?;
    let mut sets = rustix::thread::capabilities(None).call("capget")?;
    sets.inheritable = CapabilitySet::empty();
    set_capabilities(None, sets).call("capset")
}

/// Carries all that is permitted over an exec by an id that is not root's (capabilities(7), the ambient set).
pub fn make_all_ambient() -> Result<()> {
    let mut sets = rustix::thread::capabilities(None).call("capget")?;
    sets.inheritable = sets.permitted;
    set_capabilities(None, sets).call("capset")?;
    for number in 0..MOST {
        let one = CapabilitySet::from_bits_retain(1 << number);
        if sets.permitted.contains(one) {
            match rustix::thread::configure_capability_in_ambient_set(one, true) {
                // Past the last capability of this kernel.
                Err(Errno::INVAL) => break,
                other => other.call("prctl(PR_CAP_AMBIENT_RAISE)")?,
            }
        }
    }
    Ok(())
}

/// Raises all that is permitted into the effective set: after a change of ids with [`keep_across_setuid`], which empties it.
pub fn raise_permitted() -> Result<()> {
    let mut sets = rustix::thread::capabilities(None).call("capget")?;
    sets.effective = sets.permitted;
    set_capabilities(None, sets).call("capset")
}

/// Whether the permitted set outlives a change from root to another user id; an execve turns it off again.
pub fn keep_across_setuid(keep: bool) -> Result<()> {
    set_keep_capabilities(keep).call("prctl(PR_SET_KEEPCAPS)")
}

/// Gives up all capabilities, and all that an execve could give.
pub fn give_up() -> Result<()> {
    clear_ambient_capability_set().call("prctl(PR_CAP_AMBIENT_CLEAR_ALL)")?;
    let none = CapabilitySet::empty();
    let sets = rustix::thread::CapabilitySets { effective: none, permitted: none, inheritable: none };
    set_capabilities(None, sets).call("capset")?;
    rustix::thread::set_no_new_privs(true).call("prctl(PR_SET_NO_NEW_PRIVS)")
}
