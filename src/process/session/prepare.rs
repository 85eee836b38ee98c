//! What is found out about a program before it starts: who it runs as, and which system calls it may make.

use super::refusal::Refusal;
use crate::host::id_map;
use crate::host::subid::{Extent, IdMaps};
use crate::runtime::identity::{Accounts, Identity};
use crate::runtime::plan::Process;
use crate::runtime::seccomp::{self, Choice, Facts, Profile};

/// Resolves the program's user in the container's own files; the container must have such ids. With `one_id`, the account's only
/// one, there are no groups to have.
pub fn identity(accounts: &Accounts, process: &Process, maps: &IdMaps, one_id: bool) -> Result<Identity, Refusal> {
    let refused = |error| Refusal { code: 126, message: format!("{error}") };
    let mut identity = accounts.identity(&process.user, &process.additional_groups).map_err(refused)?;
    identity.keep_groups = one_id || process.keep_groups;
    let mapped = |id: u32, extents: &[Extent]| id_map::outward(extents, id).is_some();
    // Asked for, by the user or the image; memberships that the image's files add are left out where they can't be had.
    let asked = match one_id {
        true => Vec::new(),
        false => accounts.identity("0:0", &process.additional_groups).map_err(refused)?.groups,
    };
    let wanted = [(identity.uid, &maps.uids), (identity.gid, &maps.gids)];
    for (id, extents) in wanted.into_iter().chain(asked.iter().map(|gid| (*gid, &maps.gids))) {
        if !mapped(id, extents) {
            let message = format!("the id {id} is not mapped: this container has {} ids", maps.count());
            return Err(Refusal { code: 126, message });
        }
    }
    identity.groups.retain(|gid| mapped(*gid, &maps.gids));
    Ok(identity)
}

pub type Filter = Vec<libc::sock_filter>;

/// The filter of the program's system calls, empty where it has none; it depends on nothing but the plan.
pub fn filter(process: &Process) -> Result<Filter, Refusal> {
    match &process.seccomp {
        Choice::Unconfined => Ok(Vec::new()),
        Choice::Default => compile(&Profile::default(), process),
        Choice::Custom(profile) => compile(profile, process),
    }
}

/// A filter for a program with these capabilities.
pub fn compile(profile: &Profile, process: &Process) -> Result<Filter, Refusal> {
    let facts = Facts::here(process.capabilities)
        .ok_or_else(|| Refusal::ours("there is no system call filter for this architecture"))?;
    let program = seccomp::compile(profile, &facts).map_err(Refusal::ours)?;
    Ok(program.instructions().to_vec())
}
