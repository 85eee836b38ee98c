//! The part `HostConfig`: what the container gets of the host. Limits that it does not have are 0.

use std::path::Path;

use serde_json::{Value, json};

use super::config::annotations;
use crate::cli::container::published;
use crate::cli::output::time;
use crate::cli::system::info;
use crate::container::cgroup::limits::{OfDevice, Rate, USUAL_PIDS};
use crate::container::cgroup::{Cgroup, Mode};
use crate::container::find::Found;
use crate::container::mount::shown;
use crate::container::record::{Container, Device, Rlimit};
use crate::host::kernel::cgroup::Cgroups;
use crate::host::subid::{Extent, IdMaps};
use crate::oci::capability::CapabilitySet;
use crate::runtime::cgroup::placement::Maker;

// flat: a table of keys
pub fn host_config(found: &Found) -> Value {
    let container = &found.container;
    let namespaces = &container.namespaces;
    let (added, dropped) = capabilities(container);
    let mut keys = json!({
        "Binds": shown::binds(container),
        "ContainerIDFile": container.id_file.as_deref().unwrap_or(Path::new("")),
        "CgroupMode": namespaces.cgroup.mode(),
        "LogConfig": {
            "Type": container.log.driver.name(),
            "Config": null,
            "Path": container.log.file(&found.directory).path,
            "Tag": container.log.tag,
            "Size": container.log.max_size.map_or("0B".to_owned(), time::go_size),
        },
        "NetworkMode": container.network_mode(),
        "RestartPolicy": { "Name": container.restart.name(), "MaximumRetryCount": container.restart.most() },
        "AutoRemove": container.remove,
        "AutoRemoveImage": container.remove_image,
        "Annotations": annotations(container),
        "CapAdd": added,
        "CapDrop": dropped,
        "Dns": container.resolver.servers,
        "DnsOptions": container.resolver.options,
        "DnsSearch": container.resolver.searches,
        "ExtraHosts": container.add_hosts,
        "GroupAdd": container.additional_groups,
        "IpcMode": namespaces.ipc_mode(),
        "OomScoreAdj": container.oom_score_adj.unwrap_or(0),
        "PidMode": namespaces.pid.mode(),
        "PortBindings": published::bindings(container),
        "Privileged": container.privileged,
        "PublishAllPorts": container.publish_all,
        "ReadonlyRootfs": container.read_only,
        "SecurityOpt": container.security_options,
        "Tmpfs": shown::tmpfs(container),
        "UTSMode": namespaces.uts.mode(),
        "HostsFile": container.hosts_base.as_deref().unwrap_or(Path::new("")),
        "UsernsMode": if container.user_namespace.is_some() { "private" } else { "" },
        "IDMappings": container.user_namespace.as_ref().map(|own| id_mappings(&own.maps)),
        "ShmSize": container.shm_size,
        "Runtime": "oci",
        "Init": container.init.is_some(),
        "DiskQuota": container.quota.unwrap_or(0),
        "Devices": container.devices.iter().map(device).collect::<Vec<_>>(),
        "Ulimits": container.rlimits.iter().map(ulimit).collect::<Vec<_>>(),
    });
    if let (Some(keys), Value::Object(nothing)) = (keys.as_object_mut(), nothing()) {
        keys.extend(nothing);
    }
    if let (Some(keys), Value::Object(limits)) = (keys.as_object_mut(), limits(&container.cgroup)) {
        keys.extend(limits);
    }
    keys
}

/// What no container of this program has.
fn nothing() -> Value {
    json!({
        // As in Podman, which tells of it in `State.CgroupPath`.
        "Cgroup": "",
        "Links": null,
        "VolumeDriver": "",
        "VolumesFrom": null,
        // Docker's on Windows alone.
        "ConsoleSize": [0, 0],
        "IOMaximumBandwidth": 0,
        "IOMaximumIOps": 0,
        "Isolation": "",
    })
}

/// Of control groups. What version 1 had alone is 0.
fn limits(Cgroup { mode, maker, parent, limits, .. }: &Cgroup) -> Value {
    let quota = limits.cpu_quota.unwrap_or(0).max(0);
    let period = limits.cpu_period.unwrap_or(0);
    let nano =
        i64::try_from(period).ok().filter(|period| *period > 0).map_or(0, |period| quota * 1_000_000_000 / period);
    let memory = limits.memory.unwrap_or(0);
    let usual = || match mode {
        Mode::Disabled => 0,
        _ if Cgroups::of_account().missing(&["pids"]).is_empty() => limits.usual_pids.unwrap_or(USUAL_PIDS),
        _ => 0,
    };
    let manager = maker.map_or_else(|| info::maker(&Cgroups::of_account()), Maker::name);
    let rates = |rate| rated(limits.rates.get(&rate), "Rate");
    json!({
        "BlkioDeviceReadBps": rates(Rate::ReadBps),
        "BlkioDeviceReadIOps": rates(Rate::ReadIops),
        "BlkioDeviceWriteBps": rates(Rate::WriteBps),
        "BlkioDeviceWriteIOps": rates(Rate::WriteIops),
        "BlkioWeight": limits.blkio_weight.unwrap_or(0),
        "BlkioWeightDevice": rated(Some(&limits.blkio_weights), "Weight"),
        "CgroupConf": if limits.conf.is_empty() { Value::Null } else { json!(limits.conf) },
        "CgroupManager": manager,
        "CgroupParent": parent.as_deref().unwrap_or_default(),
        "Cgroups": if *mode == Mode::Enabled { "default" } else { mode.name() },
        "CpuCount": 0,
        "CpuPercent": 0,
        "CpuPeriod": period,
        "CpuQuota": limits.cpu_quota.unwrap_or(0),
        "CpuRealtimePeriod": 0,
        "CpuRealtimeRuntime": 0,
        "CpuShares": limits.cpu_shares.unwrap_or(0),
        "CpusetCpus": limits.cpuset_cpus,
        "CpusetMems": limits.cpuset_mems,
        "KernelMemory": 0,
        "Memory": memory,
        "MemoryReservation": limits.reservation.unwrap_or(0),
        "MemorySwap": limits.swap.unwrap_or(i64::try_from(memory.saturating_mul(2)).unwrap_or(i64::MAX)),
        "MemorySwappiness": 0,
        "NanoCpus": nano,
        "OomKillDisable": false,
        "PidsLimit": limits.pids.unwrap_or_else(usual),
    })
}

fn rated(devices: Option<&Vec<OfDevice>>, key: &str) -> Value {
    let devices = devices.filter(|devices| !devices.is_empty());
    devices.map_or(Value::Null, |devices| {
        devices.iter().map(|OfDevice { path, value }| json!({ "Path": path, key: value })).collect()
    })
}

/// Those beyond the default, and those of it that are missing.
fn capabilities(container: &Container) -> (Vec<String>, Vec<String>) {
    let (own, default) = (container.capabilities, CapabilitySet::DEFAULT);
    let without = |set: CapabilitySet, other: CapabilitySet| {
        set.iter().filter(|capability| !other.contains(*capability)).map(|capability| capability.name()).collect()
    };
    (without(own, default), without(default, own))
}

fn id_mappings(maps: &IdMaps) -> Value {
    let lines = |extents: &[Extent]| -> Vec<String> {
        extents.iter().map(|Extent { inside, outside, count }| format!("{inside}:{outside}:{count}")).collect()
    };
    json!({ "UidMap": lines(&maps.uids), "GidMap": lines(&maps.gids) })
}

fn device(Device { host, target, permissions }: &Device) -> Value {
    json!({ "PathOnHost": host, "PathInContainer": target, "CgroupPermissions": permissions })
}

fn ulimit(Rlimit { name, soft, hard }: &Rlimit) -> Value {
    // -1: none.
    json!({ "Name": format!("RLIMIT_{}", name.to_uppercase()), "Soft": *soft as i64, "Hard": *hard as i64 })
}
