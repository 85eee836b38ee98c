//! From a container to an OCI runtime spec: namespaces, mounts, devices, covered paths, as rootless Podman has them.

mod hooks;
mod kernel;
pub mod selinux;
pub mod systemd;
pub mod time_zone;

use std::collections::HashMap;
use std::path::Path;

use oci_spec::OciSpecError;
use oci_spec::runtime::{
    Capabilities, Capability, LinuxBuilder, LinuxCapabilitiesBuilder, LinuxDevice, LinuxDeviceBuilder, LinuxDeviceType,
    Mount, PosixRlimit, PosixRlimitBuilder, PosixRlimitType, ProcessBuilder, RootBuilder, Spec, SpecBuilder,
};

use super::find::Found;
use super::mount::spec::{add, mount};
use super::namespace::Namespace;
use super::record::{Container, Device, Init, Kernel, Rlimit};
use super::{Error, Result, apt};
use crate::host::subid::IdMaps;
use crate::store::Store;

const MASKED: [&str; 11] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/firmware",
];

/// Covered where they exist; `cpu*/thermal_throttle` has a place for each processor and is added apart.
const MASKED_IF_THERE: [&str; 3] = ["/sys/devices/virtual/powercap", "/sys/fs/selinux", "/sys/dev/block"];

const READ_ONLY: [&str; 5] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];

/// Where an init program of the host's is found.
const INIT: &str = "/run/podman-init";

/// The files that this program writes for every container, by the path where it finds them.
pub const FILES: [(&str, &str); 4] = [
    ("hosts", "/etc/hosts"),
    ("hostname", "/etc/hostname"),
    ("resolv.conf", "/etc/resolv.conf"),
    ("containerenv", "/run/.containerenv"),
];

/// The spec of a container of this store whose namespace has these maps.
pub fn spec(found: &Found, store: &Store, maps: &IdMaps) -> Result<Spec> {
    build(found, store, maps).map_err(|error| Error::Spec(error.to_string()))
}

type Built<T> = std::result::Result<T, OciSpecError>;

fn build(found: &Found, store: &Store, maps: &IdMaps) -> Built<Spec> {
    let container = &found.container;
    // The crate's names have no prefix.
    let known = |name: String| name.trim_start_matches("CAP_").parse::<Capability>();
    let bounding: std::result::Result<Capabilities, _> =
        container.capabilities.iter().map(|capability| known(capability.name())).collect();
    let bounding = bounding.map_err(|error| OciSpecError::Other(format!("capability: {error}")))?;
    let process = ProcessBuilder::default()
        .terminal(container.terminal)
        .args(args(container))
        .env(apt::environment(container, container.env.clone()))
        .cwd(container.working_dir.as_str())
        .capabilities(LinuxCapabilitiesBuilder::default().bounding(bounding).build()?)
        .no_new_privileges(container.no_new_privileges)
        .rlimits(rlimits(container)?);
    let process = match container.oom_score_adj {
        Some(score) => process.oom_score_adj(score),
        None => process,
    };
    let process = match &container.apparmor {
        Some(profile) => process.apparmor_profile(profile.as_str()),
        None => process,
    };
    let labels = selinux::labels(container);
    let process = match labels {
        Some(labels) => process.selinux_label(labels.process.as_str()),
        None => process,
    }
    .build()?;
    // Said in both cases: the crate has lists of its own where nothing is said.
    let (masked, read_only) = match container.privileged || container.is_bare {
        true => (Vec::new(), Vec::new()),
        false => covered(&container.kernel),
    };
    let linux = LinuxBuilder::default()
        .namespaces(kernel::namespaces(container)?)
        .devices(devices()?)
        .sysctl(container.sysctls.clone().into_iter().collect::<HashMap<_, _>>())
        .masked_paths(masked)
        .readonly_paths(read_only);
    let linux = match labels {
        Some(labels) => linux.mount_label(labels.file.as_str()),
        None => linux,
    };
    let mut spec = SpecBuilder::default()
        .version("1.2.0")
        .root(RootBuilder::default().path(found.directory.join("merged")).readonly(container.read_only).build()?)
        .hostname(container.hostname.clone())
        .process(process)
        .mounts(mounts(found, store, maps)?)
        .linux(linux.build()?)
        .build()?;
    spec.set_hooks(hooks::hooks(&container.hooks)?);
    Ok(spec)
}

/// What is covered, and what is read-only.
fn covered(kernel: &Kernel) -> (Vec<String>, Vec<String>) {
    let usual = |path: &String| !kernel.unmasked.iter().any(|pattern| pattern == "ALL" || matches(pattern, path));
    let masked = masked().into_iter().filter(usual).chain(kernel.masked.iter().cloned()).collect();
    (masked, READ_ONLY.map(str::to_owned).into_iter().filter(usual).collect())
}

/// Whether a path fits a pattern, in which `*` stands for any part of a name.
fn matches(pattern: &str, path: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern.trim_end_matches('/') == path,
        Some((before, after)) => path.strip_prefix(before).is_some_and(|rest| {
            let end = rest.find('/').unwrap_or(rest.len());
            (0..=end).any(|skipped| rest.get(skipped..).is_some_and(|rest| matches(after, rest)))
        }),
    }
}

/// With an init program of the host's, that program runs the container's.
fn args(container: &Container) -> Vec<String> {
    match &container.init {
        Some(Init::Program(_)) => [INIT.to_owned(), "--".to_owned()].into_iter().chain(container.args()).collect(),
        Some(Init::Own) | None => container.args(),
    }
}

fn masked() -> Vec<String> {
    // `0-7`: all that the machine can have, whatever this process may use.
    let possible = std::fs::read_to_string("/sys/devices/system/cpu/possible").unwrap_or_default();
    let last: usize = possible.trim().rsplit(['-', ',']).next().and_then(|cpu| cpu.parse().ok()).unwrap_or(0);
    let throttles = (0..=last).map(|cpu| format!("/sys/devices/system/cpu/cpu{cpu}/thermal_throttle"));
    MASKED.iter().chain(&MASKED_IF_THERE).map(|path| (*path).to_owned()).chain(throttles).collect()
}

fn devices() -> Built<Vec<LinuxDevice>> {
    DEVICES
        .iter()
        .map(|name| LinuxDeviceBuilder::default().path(format!("/dev/{name}")).typ(LinuxDeviceType::C).build())
        .collect()
}

/// Limits as they were asked for; init lowers what is above this user's own.
fn rlimits(container: &Container) -> Built<Vec<PosixRlimit>> {
    let limits = container.rlimits.iter();
    limits
        .map(|Rlimit { name, soft, hard }| {
            let name = format!("RLIMIT_{}", name.to_uppercase());
            let typ: PosixRlimitType = name.parse().map_err(|_| OciSpecError::Other(format!("limit: {name}")))?;
            PosixRlimitBuilder::default().typ(typ).soft(*soft).hard(*hard).build()
        })
        .collect()
}

/// What of this program's files a container finds, and where.
pub fn files(container: &Container) -> impl Iterator<Item = (&'static str, &'static str)> {
    let usual = FILES.into_iter().filter(|(file, _)| !is_of_image(container, file));
    let apt = apt::is_told(container).then_some(apt::FILE);
    let zone = container.time_zone.as_ref().map(|_| time_zone::FILE);
    usual.chain(apt).chain(zone).filter(|_| !container.is_bare)
}

/// Whether the image keeps its own in place of one of [`FILES`].
fn is_of_image(container: &Container, file: &str) -> bool {
    match file {
        "hosts" => container.image_hosts,
        "hostname" => container.image_hostname,
        "resolv.conf" => container.image_resolver,
        _ => false,
    }
}

fn mounts(found: &Found, store: &Store, maps: &IdMaps) -> Built<Vec<Mount>> {
    let Found { directory, container } = found;
    if container.is_bare {
        return Ok(Vec::new());
    }
    let mut mounts = kernel::mounts(container, maps)?;
    if let Some(systemd) = &container.systemd {
        mounts.extend(systemd::mounts(systemd)?);
    }
    if container.read_only && !container.read_only_in_memory {
        // Podman's --read-only-tmpfs: what every program expects to be able to write.
        for (target, mode) in [("/run", "mode=755"), ("/tmp", "mode=1777"), ("/var/tmp", "mode=1777")] {
            if !mounts.iter().any(|mount| mount.destination() == Path::new(target)) {
                mounts.push(kernel::new("tmpfs", target, &["nosuid", "nodev", mode])?);
            }
        }
    }
    for (file, target) in files(container) {
        // Who shares a network has the names of it.
        let home = match &container.namespaces.network {
            Namespace::Container(id) if file == "hosts" || file == "resolv.conf" => directory.with_file_name(id),
            _ => directory.to_owned(),
        };
        mounts.push(mount("bind", &home.join(file), target, &["bind", "rprivate", "nosuid", "nodev", "noexec"])?);
    }
    if let Some(Init::Program(program)) = &container.init {
        mounts.push(mount("bind", program, INIT, &["bind", "ro", "nosuid", "nodev"])?);
    }
    for Device { host, target, .. } in &container.devices {
        mounts.push(mount("bind", host, target, &["bind", "rprivate", "nosuid", "noexec"])?);
    }
    add(found, store, mounts)
}
