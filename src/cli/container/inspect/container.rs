//! A container as `inspect` shows it: Podman's keys. What this program does not have is empty, none or 0, as it is there without it.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::config::config;
use super::host_config::host_config;
use super::network;
use crate::cli::Report;
use crate::container::find::Found;
use crate::container::into::sessions;
use crate::container::mount::shown;
use crate::container::record::Container;
use crate::container::state::{State, Status};
use crate::host::system_file;
use crate::store::Store;

/// Go's zero time: never.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// Bytes of what it wrote, and of that with its image.
pub type Size = Option<(u64, u64)>;

// flat: a table of keys
pub fn container(store: &Store, found: &Found, size: Size) -> Result<Value, Report> {
    let container = &found.container;
    let state = found.state()?;
    let path = |file: &str| found.directory.join(file);
    let args = container.args();
    let mut capabilities: Vec<String> = container.capabilities.iter().map(|capability| capability.name()).collect();
    capabilities.sort();
    Ok(json!({
        "Id": container.id,
        "Created": container.created,
        "Path": args.first(),
        "Args": args.get(1..).unwrap_or_default(),
        "State": self::state(found, &state)?,
        "Image": container.image_id(),
        "ImageDigest": container.image.as_ref().map_or_else(String::new, |image| image.manifest.to_string()),
        "ImageName": container.image_name(),
        "Rootfs": container.rootfs.as_ref().map_or(Path::new(""), |rootfs| &rootfs.path),
        "Pod": "",
        "ResolvConfPath": path("resolv.conf"),
        "HostnamePath": path("hostname"),
        "HostsPath": path("hosts"),
        "StaticDir": found.directory,
        "OCIRuntime": "coracle",
        "ConmonPidFile": path_or_empty(&container.monitor_pid_file),
        "PidFile": path_or_empty(&container.pid_file),
        "Name": container.name,
        "RestartCount": state.restart_count,
        "Driver": "overlay",
        "MountLabel": container.selinux.as_ref().map_or("", |labels| &labels.file),
        "ProcessLabel": container.selinux.as_ref().map_or("", |labels| &labels.process),
        "AppArmorProfile": container.apparmor.as_deref().unwrap_or_default(),
        "EffectiveCaps": capabilities,
        "BoundingCaps": capabilities,
        // Commands of `exec` have no ids.
        "ExecIDs": sessions::living(&found.directory),
        "GraphDriver": { "Name": "overlay", "Data": graph(store, found, &state) },
        "SizeRw": size.map(|(written, _)| written),
        "SizeRootFs": size.map(|(_, whole)| whole),
        "Mounts": shown::mounts(container, store),
        "Dependencies": container.dependencies(),
        "NetworkSettings": network::settings(store, container, &state)?,
        "Namespace": "",
        "IsInfra": false,
        "IsService": false,
        "KubeExitCodePropagation": "invalid",
        "Config": config(container),
        "HostConfig": host_config(found),
        "UseImageHosts": container.image_hosts,
        "UseImageHostname": container.image_hostname,
    }))
}

fn state(found: &Found, state: &State) -> Result<Value, Report> {
    let moment = |time: &str| if time.is_empty() { NEVER.to_owned() } else { time.to_owned() };
    let (pid, monitor_pid) = state.living_pids();
    Ok(json!({
        "OciVersion": "1.2.0",
        "Status": state.name(),
        "Running": state.status == Status::Running && !state.paused,
        "Paused": state.paused,
        "Restarting": state.restarting,
        "OOMKilled": state.oom_killed,
        "Dead": false,
        "Pid": pid,
        "ConmonPid": monitor_pid,
        // -1: nobody knows.
        "ExitCode": state.exit_code.unwrap_or(if state.status == Status::Exited { -1 } else { 0 }),
        "ExitCodeKnown": state.exit_code.is_some() || state.status != Status::Exited,
        "Error": state.error,
        "StartedAt": moment(&state.started_at),
        "FinishedAt": moment(&state.finished_at),
        "Health": found.health()?,
        "CgroupPath": cgroup(state),
        "CheckpointedAt": NEVER,
        "RestoredAt": NEVER,
        "Host": state.host,
    }))
}

/// Where it is now; empty where it does not run, or there is no unified hierarchy.
fn cgroup(state: &State) -> String {
    if state.status != Status::Running || !state.is_here() {
        return String::new();
    }
    let text = system_file::read(format!("/proc/{}/cgroup", state.pid)).unwrap_or_default();
    text.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or_default().to_owned()
}

fn graph(store: &Store, found: &Found, state: &State) -> Value {
    let Container { mode, layers, .. } = &found.container;
    let below: Vec<String> =
        layers.iter().rev().map(|layer| store.layer_fs(*mode, layer).display().to_string()).collect();
    json!({
        "LowerDir": below.join(":"),
        "MergedDir": found.directory.join("merged"),
        "UpperDir": found.directory.join("upper"),
        "WorkDir": found.directory.join("work"),
        "Driver": state.driver,
        "Reason": state.driver_reason,
    })
}

fn path_or_empty(path: &Option<PathBuf>) -> &Path {
    path.as_deref().unwrap_or(Path::new(""))
}
