//! From the monitor (U) to init (the container's own namespaces, nested in U).

use std::ffi::CString;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags};

use super::join::{Join, clone_into};
use crate::host::role::{self, Role};
use crate::host::{fault, subid};
use crate::runtime::handshake::{self, ToInit};
use crate::runtime::identity::Identity;
use crate::runtime::inside::{self, Filters, Prepared, Program};
use crate::runtime::plan::{Plan, Process};
use crate::sys::process::{self, Child, Cloned, Handed};
use crate::sys::{self, Call};

/// Where programs are looked for when the container's environment does not say.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    System(#[from] sys::Error),
    #[error(transparent)]
    Ids(#[from] subid::Error),
    #[error("`{0}` contains a NUL byte")]
    Nul(String),
}

/// init, cloned and on its way.
#[derive(Debug)]
pub struct Init {
    pub child: Child,
    /// Its pid as the host sees it.
    pub host_pid: i32,
    /// Its mount namespace: what is mounted there stays until this is closed, too.
    pub mounts: OwnedFd,
    /// The monitor's end of the handshake.
    pub channel: OwnedFd,
}

/// The descriptors of a program.
#[derive(Debug, Default)]
pub struct Streams {
    /// Standard input, output and error, where it gets no terminal.
    pub stdio: Option<[OwnedFd; 3]>,
    pub handed_on: Vec<Handed>,
}

/// Makes ready what init needs; nothing of it is decided after the clone.
pub fn prepare(
    plan: &Plan,
    root: OwnedFd,
    served: Vec<(usize, OwnedFd)>,
    identity: Identity,
    Streams { stdio, handed_on }: Streams,
    filters: Filters,
) -> Result<(Prepared, OwnedFd), Error> {
    let (ours, theirs) = handshake::pair()?;
    let program = program(&plan.process, identity, filters)?;
    let channel = process::above(&handed_on, theirs.as_fd())?;
    Ok((Prepared { root, served, program, stdio, handed_on, channel }, ours))
}

/// What the exec needs.
pub fn program(process: &Process, identity: Identity, filters: Filters) -> Result<Program, Error> {
    let mut env = process.env.clone();
    if !env.iter().any(|pair| pair.starts_with("HOME=")) {
        env.push(format!("HOME={}", identity.home));
    }
    let path = env.iter().find_map(|pair| pair.strip_prefix("PATH=")).unwrap_or(DEFAULT_PATH);
    let (candidates, mut args) = match process.init {
        true => (vec![c"/proc/self/exe".to_owned()], role::arguments(Role::Init)),
        false => (strings(&candidates(&process.args, path))?, Vec::new()),
    };
    args.extend(strings(&process.args)?);
    Ok(Program { identity, candidates, args, env: strings(&env)?, filters })
}

/// execvp(3): a name with a slash is a path, any other is looked for along PATH.
fn candidates(args: &[String], path: &str) -> Vec<String> {
    let Some(name) = args.first().filter(|name| !name.is_empty()) else { return Vec::new() };
    if name.contains('/') {
        return vec![name.clone()];
    }
    path.split(':').map(|folder| format!("{}/{name}", if folder.is_empty() { "." } else { folder })).collect()
}

fn strings(texts: &[String]) -> Result<Vec<CString>, Error> {
    texts.iter().map(|text| CString::new(text.as_str()).map_err(|_| Error::Nul(text.clone()))).collect()
}

/// Clones init into its namespaces, and its group, and gives it its ids; it goes on by itself from there.
pub fn start(
    plan: &Plan,
    joins: &[Join],
    prepared: Prepared,
    channel: OwnedFd,
    group: Option<BorrowedFd<'_>>,
) -> Result<Init, Error> {
    fault::point("init: clone").call("clone init")?;
    // A cgroup namespace begins at the group of who makes it, which here is not init's: it makes its own.
    let child = match clone_into(joins, plan.namespaces & !(libc::CLONE_NEWCGROUP as u64), group)? {
        Cloned::Child => inside::run(plan, &prepared),
        Cloned::Parent(child) => child,
    };
    drop(prepared);
    let host_pid = host_pid(&child.pidfd)?;
    if plan.namespaces & libc::CLONE_NEWUSER as u64 != 0 {
        plan.maps.write_nested(&format!("/proc/{host_pid}"))?;
    }
    // Before it goes on: of one that has failed, and is on its way out, nobody gets this, and its own words are what counts.
    let path = format!("/proc/{host_pid}/ns/mnt");
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let mounts = rustix::fs::open(path.as_str(), flags, Mode::empty()).call_with(|| format!("open({path})"))?;
    handshake::tell(channel.as_fd(), ToInit::Go)?;
    Ok(Init { child, host_pid, mounts, channel })
}

/// The pid in the pid namespace of the /proc that this process sees, which is the host's (proc(5), fdinfo of a pidfd).
pub fn host_pid(pidfd: &OwnedFd) -> Result<i32, Error> {
    let path = format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd());
    let text = std::fs::read_to_string(&path).call_with(|| format!("read({path})"))?;
    let pid = text.lines().find_map(|line| line.strip_prefix("Pid:")).and_then(|pid| pid.trim().parse().ok());
    pid.ok_or_else(|| sys::Error::new(path, rustix::io::Errno::SRCH).into())
}

#[cfg(test)]
mod tests {
    use super::candidates;

    #[test]
    fn names_are_looked_for_along_the_path_and_paths_are_not() {
        assert_eq!(candidates(&["ls".into()], "/a::/b"), ["/a/ls", "./ls", "/b/ls"]);
        assert_eq!(candidates(&["./ls".into()], "/a"), ["./ls"]);
        assert!(candidates(&["".into()], "/a").is_empty());
    }
}
