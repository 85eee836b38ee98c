//! Settings of the kernel for this process and its namespaces, written through the host's /proc while nothing else is in reach.

use std::os::fd::{AsFd, OwnedFd};

use nix::sched::{CloneFlags, unshare};
use rustix::fs::{CWD, Mode, OFlags};

use crate::sys::{Call, Result};

/// The score by which the kernel chooses whom it kills when memory runs out. As in Podman, one lower than that which this process
/// has, which only the machine's root may set, stays what it is.
pub fn oom_score(wanted: Option<i32>) -> Result<()> {
    const PATH: &str = "/proc/self/oom_score_adj";
    let Some(wanted) = wanted else { return Ok(()) };
    let mut buffer = [0; 16];
    let file =
        rustix::fs::openat(CWD, PATH, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).call("open(oom_score_adj)")?;
    let count = rustix::io::read(&file, &mut buffer[..]).call("read(oom_score_adj)")?;
    let now = buffer.get(..count).and_then(|text| str::from_utf8(text).ok()).and_then(|text| text.trim().parse().ok());
    if now.is_some_and(|now: i32| wanted <= now) {
        return Ok(());
    }
    write(PATH, &wanted.to_string())
}

/// Has the next execve confine this process by a profile of AppArmor (apparmor(7), aa_change_onexec(2)): the program's, since
/// nothing else is executed before.
pub fn profile(name: Option<&str>) -> Result<()> {
    let Some(name) = name else { return Ok(()) };
    let flags = OFlags::WRONLY | OFlags::CLOEXEC;
    // The second is that of kernels before 5.8, which know one such module alone.
    let file = rustix::fs::openat(CWD, "/proc/self/attr/apparmor/exec", flags, Mode::empty())
        .or_else(|_| rustix::fs::openat(CWD, "/proc/self/attr/exec", flags, Mode::empty()))
        .call("open(/proc/self/attr/apparmor/exec)")?;
    let what = || format!("the AppArmor profile `{name}`, which an administrator loads with `apparmor_parser`");
    rustix::io::write(file, format!("exec {name}").as_bytes()).map(drop).call_with(what)
}

/// Has the next execve give this process a label of SELinux (proc(5), /proc/PID/attr/exec).
pub fn label(label: Option<&str>) -> Result<()> {
    let Some(label) = label else { return Ok(()) };
    let flags = OFlags::WRONLY | OFlags::CLOEXEC;
    let file =
        rustix::fs::openat(CWD, "/proc/self/attr/exec", flags, Mode::empty()).call("open(/proc/self/attr/exec)")?;
    let what = || format!("the SELinux label `{label}`, which `--security-opt label=disable` leaves out");
    rustix::io::write(file, label.as_bytes()).map(drop).call_with(what)
}

/// Settings of this process's namespaces, by their paths below /proc/sys. The caller is the root of their user namespace.
pub fn write_all(settings: &[(String, String)]) -> Result<()> {
    settings.iter().try_for_each(|(path, value)| write(&format!("/proc/sys/{path}"), value))
}

/// This process's own directory in /proc, for [`enter_as`].
pub fn own_directory() -> Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat(CWD, "/proc/self", flags, Mode::empty()).call("open(/proc/self)")
}

/// Enters a user namespace within this one, in which the user and the group `ids` of this one, which the process has, are those that
/// are `shown` (user_namespaces(7): one of each is mapped by who made the namespace, if nobody in it can change its groups).
pub fn enter_as(own: &OwnedFd, ids: (u32, u32), shown: (u32, u32)) -> Result<()> {
    unshare(CloneFlags::CLONE_NEWUSER).call("unshare(user)")?;
    write_at(own, "setgroups", "deny")?;
    write_at(own, "uid_map", &format!("{} {} 1", shown.0, ids.0))?;
    write_at(own, "gid_map", &format!("{} {} 1", shown.1, ids.1))
}

fn write(path: &str, value: &str) -> Result<()> {
    write_at(CWD, path, value)
}

fn write_at(folder: impl AsFd, path: &str, value: &str) -> Result<()> {
    let flags = OFlags::WRONLY | OFlags::CLOEXEC;
    let file = rustix::fs::openat(folder, path, flags, Mode::empty()).call_with(|| format!("open({path})"))?;
    rustix::io::write(file, value.as_bytes()).map(drop).call_with(|| format!("write({value:?} to {path})"))
}
