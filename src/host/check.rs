//! What a container needs of this machine and this account, each thing tried rather than guessed: for `doctor`.
//!
//! A check changes nothing that outlives it. Each that fails says why and gives the exact line that helps.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use super::kernel::cgroup::{Cgroups, Obstacle, WANTED};
use super::subid::{Extent, IdMaps, account_name};
use super::systemd::{self, Manager};
use super::{kernel, system_file};
use crate::sys::process::{self, Child, Cloned};

/// The outcome of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was tried: `user namespaces`.
    pub name: &'static str,
    pub ok: bool,
    /// Without it no container runs; the others only cost something.
    pub essential: bool,
    /// What was found.
    pub why: String,
    /// What helps, where something is amiss.
    pub hint: Option<String>,
}

impl Check {
    pub fn good(name: &'static str, why: impl Into<String>) -> Self {
        Self { name, ok: true, essential: false, why: why.into(), hint: None }
    }

    /// Some things do not work, or not as well: something is missing.
    pub fn poor(name: &'static str, why: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { name, ok: false, essential: false, why: why.into(), hint: Some(hint.into()) }
    }

    /// Something is broken, without which no container can run.
    pub fn bad(name: &'static str, why: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { name, ok: false, essential: true, why: why.into(), hint: Some(hint.into()) }
    }
}

/// All checks of this machine and account, in the order in which a start needs the things. Call it from a process without
/// other threads: it clones.
pub fn all() -> Vec<Check> {
    vec![kernel_version(), user_namespaces(), subordinate_ids(), tun(), seccomp(), cgroups()]
}

fn kernel_version() -> Check {
    let release = kernel::release();
    let (major, minor) = kernel::OLDEST;
    if kernel::version(&release) >= kernel::OLDEST {
        return Check::good("kernel", format!("Linux {release}"));
    }
    Check::bad("kernel", format!("Linux {release} is too old"), format!("use Linux {major}.{minor} or newer"))
}

/// Makes one, with everything that a container has, and uses a right that it gives.
fn user_namespaces() -> Check {
    const NAME: &str = "user namespaces";
    let flags = libc::CLONE_NEWUSER
        | libc::CLONE_NEWNS
        | libc::CLONE_NEWPID
        | libc::CLONE_NEWIPC
        | libc::CLONE_NEWUTS
        | libc::CLONE_NEWNET
        | libc::CLONE_NEWCGROUP;
    let failure = match process::clone_single(flags as u64) {
        // An AppArmor policy lets the namespace be made, but takes away the rights in it.
        Ok(Cloned::Child) => process::exit_now(i32::from(rustix::system::sethostname(b"probe").is_err())),
        Ok(Cloned::Parent(child)) => match child.wait() {
            Ok(ended) if ended.success() => return Check::good(NAME, "can be made and used"),
            Ok(_) => "can be made, but give no rights".to_owned(),
            Err(error) => error.to_string(),
        },
        Err(error) => error.to_string(),
    };
    let sandboxed = || "a container or sandbox around this shell may forbid them: try outside it".to_owned();
    Check::bad(NAME, failure, what_allows_user_namespaces().unwrap_or_else(sandboxed))
}

/// The line with which an administrator allows user namespaces, where a setting of the kernel forbids them.
pub fn what_allows_user_namespaces() -> Option<String> {
    let settings = [
        ("kernel/unprivileged_userns_clone", 0, "kernel.unprivileged_userns_clone=1"),
        ("user/max_user_namespaces", 0, "user.max_user_namespaces=15000"),
        ("kernel/apparmor_restrict_unprivileged_userns", 1, "kernel.apparmor_restrict_unprivileged_userns=0"),
    ];
    let (_, _, line) = settings.into_iter().find(|(setting, wrong, _)| kernel::setting(setting) == Some(*wrong))?;
    Some(format!("as administrator: `echo {line} > /etc/sysctl.d/60-containers.conf && sysctl --system`"))
}

/// Maps the account's ids into a namespace, with the helpers. None granted is a way to run, but a grant that can't be used is not.
fn subordinate_ids() -> Check {
    const NAME: &str = "subordinate ids";
    let maps = match IdMaps::of_account() {
        Ok(maps) => maps,
        Err(error) => return Check::bad(NAME, error.to_string(), error.hint().unwrap_or_default()),
    };
    if maps.is_single() {
        return Check::poor(NAME, "this account has none, so a container has one user, root", grant());
    }
    for helper in ["newuidmap", "newgidmap"] {
        if let Some(check) = broken_helper(NAME, helper) {
            return check;
        }
    }
    match try_maps(&maps) {
        Ok(()) => match sharer(&maps) {
            Some(other) => Check::poor(
                NAME,
                format!("some are also those of `{other}`: each can change what the other's containers keep"),
                format!("{}, and take the old ranges out of /etc/subuid and /etc/subgid", grant()),
            ),
            None => Check::good(NAME, format!("{} ids can be mapped", maps.count())),
        },
        Err((why, hint)) => Check::bad(NAME, why, hint.unwrap_or_else(|| "see subuid(5)".into())),
    }
}

/// Another account of this machine that has, or was granted, one of these ids.
fn sharer(maps: &IdMaps) -> Option<String> {
    let uid = rustix::process::getuid().as_raw();
    let own = [account_name(uid).ok().flatten().unwrap_or_default(), uid.to_string()];
    let files = [(&maps.uids, "/etc/subuid", "/etc/passwd"), (&maps.gids, "/etc/subgid", "/etc/group")];
    files.into_iter().find_map(|(extents, grants, accounts)| {
        let read = |file| system_file::read(file).unwrap_or_default();
        other_with(extents, &read(grants), &read(accounts), &own)
    })
}

/// Who in the texts of subuid(5) and passwd(5), or of their like for groups, has one of the ids. The first extent is the account's
/// own id, which it may share by another name.
fn other_with(extents: &[Extent], grants: &str, accounts: &str, own: &[String; 2]) -> Option<String> {
    let number = |field: Option<&str>| field?.trim().parse::<u64>().ok();
    let granted = grants.lines().filter_map(|line| {
        let mut fields = line.split(':');
        Some((fields.next()?, number(fields.next())?, number(fields.next())?, extents))
    });
    let there = accounts.lines().filter_map(|line| {
        let mut fields = line.split(':');
        Some((fields.next()?, number(fields.nth(1))?, 1, extents.get(1..)?))
    });
    let meets = |first: u64, count: u64, extents: &[Extent]| {
        let (end, ids) = (first.saturating_add(count), |id: u32| u64::from(id));
        extents.iter().any(|extent| ids(extent.outside) < end && first < ids(extent.outside) + ids(extent.count))
    };
    let mut others = granted.chain(there).filter(|(owner, ..)| own.iter().all(|own| own != owner));
    others.find(|(_, first, count, extents)| meets(*first, *count, extents)).map(|(owner, ..)| owner.to_owned())
}

/// The line with which an administrator grants this account ids that nobody else has.
fn grant() -> String {
    let uid = rustix::process::getuid().as_raw();
    let account = account_name(uid).ok().flatten().unwrap_or_else(|| "USER".to_owned());
    let texts = ["/etc/subuid", "/etc/subgid"].map(|file| system_file::read(file).unwrap_or_default());
    let first = free_range(&texts);
    let last = first + 65_535;
    format!("as administrator: `usermod --add-subuids {first}-{last} --add-subgids {first}-{last} {account}`")
}

/// The first id behind all that the files grant, and behind those of ordinary accounts.
fn free_range(texts: &[String]) -> u64 {
    let end = |line: &str| {
        let mut numbers = line.rsplit(':').map(|field| field.trim().parse::<u64>().ok());
        let (count, first) = (numbers.next()??, numbers.next()??);
        first.checked_add(count)
    };
    texts.iter().flat_map(|text| text.lines()).filter_map(end).fold(100_000, u64::max)
}

/// A helper that is missing, or that could not do its work.
fn broken_helper(name: &'static str, helper: &str) -> Option<Check> {
    let install = "install the package `uidmap` (Debian, Ubuntu) or `shadow-utils` (Fedora)";
    let Some(path) = on_path(helper) else {
        return Some(Check::bad(name, format!("`{helper}` is not installed"), install));
    };
    let mode = path.metadata().map(|metadata| metadata.permissions().mode()).unwrap_or(0);
    let has_capability = rustix::fs::getxattr(&path, c"security.capability", &mut [0_u8; 64][..]).is_ok();
    if mode & 0o4000 != 0 || has_capability {
        return None;
    }
    let path = path.display();
    let fix = format!("as administrator: `chmod u+s {path}`");
    Some(Check::bad(name, format!("`{path}` is neither setuid nor has a capability"), fix))
}

/// A failure in words, and what helps against it.
type Trouble = (String, Option<String>);

fn try_maps(maps: &IdMaps) -> Result<(), Trouble> {
    let plain = |error: crate::sys::Error| (error.to_string(), None);
    let (wait, go) =
        rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).map_err(|error| (format!("pipe2: {error}"), None))?;
    let child: Child = match process::clone_single(libc::CLONE_NEWUSER as u64).map_err(plain)? {
        Cloned::Child => {
            drop(go);
            // Until the map is there, or this program is gone.
            let _ = rustix::io::read(&wait, &mut [0_u8; 1]);
            process::exit_now(0)
        }
        Cloned::Parent(child) => child,
    };
    let written = maps.write(child.pid).map_err(|error| (error.to_string(), error.hint()));
    drop(go);
    child.wait().map_err(plain)?;
    written
}

fn tun() -> Check {
    const NAME: &str = "private network";
    match usable("/dev/net/tun") {
        Ok(()) => Check::good(NAME, "/dev/net/tun can be opened"),
        Err(why) => Check::poor(
            NAME,
            why,
            "as administrator: `modprobe tun && chmod 666 /dev/net/tun`; without it only `--network=none` and \
             `--network=host` work",
        ),
    }
}

/// What starts containers at boot: the account's service manager, and that it does not wait for a login.
pub fn service_manager() -> Check {
    const NAME: &str = "services at boot";
    let linger = "`loginctl enable-linger` has your service manager run from the boot on";
    match Manager::of_user() {
        None => {
            let why = "no service manager of this account runs, so nothing starts containers at boot";
            Check::poor(
                NAME,
                why,
                format!("with systemd, {linger}; else have whatever starts things call `coracle start`"),
            )
        }
        Some(Err(error)) => Check::poor(NAME, error.to_string(), "log out and in again, or set `XDG_RUNTIME_DIR`"),
        Some(Ok(_)) if !systemd::lingers() => {
            Check::poor(NAME, "services are started with your first login, and end with your last", linger)
        }
        Some(Ok(_)) => Check::good(NAME, "this account's systemd runs, and lingers"),
    }
}

fn seccomp() -> Check {
    let known = system_file::read("/proc/sys/kernel/seccomp/actions_avail").unwrap_or_default();
    if known.split_ascii_whitespace().any(|action| action == "errno") {
        return Check::good("system call filters", "the kernel has them");
    }
    Check::bad(
        "system call filters",
        "the kernel has none",
        "use a kernel with CONFIG_SECCOMP_FILTER, or run with `--security-opt seccomp=unconfined`",
    )
}

fn cgroups() -> Check {
    const NAME: &str = "resource limits";
    let groups = Cgroups::of_account();
    match groups.obstacle(&WANTED) {
        None => Check::good(NAME, format!("{} are delegated", groups.controllers.join(", "))),
        Some(Obstacle { why, hint }) => Check::poor(NAME, format!("some can't be set: {why}"), hint),
    }
}

/// Whether a device can be opened for reading and writing; else why not.
fn usable(device: &str) -> Result<(), String> {
    match rustix::fs::open(device, OFlags::RDWR | OFlags::CLOEXEC | OFlags::NONBLOCK, Mode::empty()) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("{device} can't be opened: {error}")),
    }
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).chain(["/usr/bin", "/usr/local/bin"].map(PathBuf::from));
    places.map(|directory| directory.join(program)).find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_device_and_a_missing_helper_are_named() {
        assert!(usable("/dev/no-such-device").unwrap_err().contains("/dev/no-such-device"));
        let check = broken_helper("subordinate ids", "no-such-helper").unwrap();
        assert!(!check.ok && check.why.contains("no-such-helper") && check.hint.unwrap().contains("uidmap"));
        // `sh` is there, and is not setuid.
        assert!(broken_helper("subordinate ids", "sh").unwrap().hint.unwrap().contains("chmod u+s"));
    }

    #[test]
    fn the_granted_range_is_nobody_elses() {
        let texts = ["a:100000:65536\nb:300000:10\n# c\nbad:x:1\n".to_owned(), "a:165536:65536\n".to_owned()];
        assert_eq!(free_range(&texts), 300_010);
        assert_eq!(free_range(&[String::new()]), 100_000);
    }

    /// CVE-2024-56433: a range that others have, too.
    #[test]
    fn ids_that_others_have_are_found() {
        let extent = |outside, count| Extent { inside: 0, outside, count };
        let (extents, own) = ([extent(1000, 1), extent(100_000, 10)], ["ann".to_owned(), "1000".to_owned()]);
        let other = |grants: &str, accounts: &str| other_with(&extents, grants, accounts, &own);
        let honest = "ann:100000:10\n1000:100000:10\nbob:100010:65536\nbad\nbob:x:1\nbob:99990:10\n";
        assert_eq!(other(honest, "ann:x:1000:1000::/:\nalias:x:1000:\nbob:x:1001:\n"), None);
        for grant in ["eve:100009:1", "eve:90000:10001", "eve:500:65536", "eve:0:18446744073709551615"] {
            assert_eq!(other(&format!("{honest}{grant}"), "").as_deref(), Some("eve"), "{grant}");
        }
        assert_eq!(other("", "eve:x:100005:100005::/:").as_deref(), Some("eve"));
    }

    #[test]
    fn what_fails_says_what_helps() {
        for check in [kernel_version(), tun(), seccomp(), cgroups()] {
            assert!(check.ok || check.hint.is_some_and(|hint| !hint.is_empty()), "{}", check.name);
            assert!(!check.why.is_empty());
        }
    }
}
