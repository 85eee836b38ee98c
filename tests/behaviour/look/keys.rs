//! The keys of podman 5.4: everything that its `inspect` shows of a container, an image and a volume is there, but for the number of a
//! lock and the configuration file of another runtime, of which there are none.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::{Case, Driver};

/// Of a container with a volume and health checks, below the keys that they belong to.
const CONTAINER: [(&str, &str); 14] = [
    (
        "",
        "AppArmorProfile Args BoundingCaps Config ConmonPidFile Created Dependencies Driver EffectiveCaps ExecIDs GraphDriver \
         HostConfig HostnamePath HostsPath Id Image ImageDigest ImageName IsInfra IsService KubeExitCodePropagation \
         MountLabel Mounts Name Namespace NetworkSettings OCIRuntime Path PidFile Pod ProcessLabel ResolvConfPath \
         RestartCount Rootfs SizeRootFs SizeRw State StaticDir UseImageHostname UseImageHosts",
    ),
    (
        "Config.",
        "Annotations AttachStderr AttachStdin AttachStdout Cmd CreateCommand Domainname Entrypoint Env \
         HealthLogDestination Healthcheck HealthcheckMaxLogCount HealthcheckMaxLogSize HealthcheckOnFailureAction \
         Hostname Image Labels OnBuild OpenStdin Passwd StartupHealthCheck StdinOnce StopSignal StopTimeout Timeout Tty \
         Umask User Volumes WorkingDir sdNotifyMode",
    ),
    ("Config.Healthcheck.", "Interval Retries Test Timeout"),
    ("Config.StartupHealthCheck.", "Interval Test Timeout"),
    ("GraphDriver.", "Data Name"),
    (
        "HostConfig.",
        "Annotations AutoRemove AutoRemoveImage Binds BlkioDeviceReadBps BlkioDeviceReadIOps \
         BlkioDeviceWriteBps BlkioDeviceWriteIOps BlkioWeight BlkioWeightDevice CapAdd CapDrop Cgroup CgroupConf \
         CgroupManager CgroupMode \
         CgroupParent Cgroups ConsoleSize ContainerIDFile CpuCount CpuPercent CpuPeriod CpuQuota CpuRealtimePeriod \
         CpuRealtimeRuntime CpuShares CpusetCpus CpusetMems Devices DiskQuota Dns DnsOptions DnsSearch ExtraHosts GroupAdd \
         HostsFile IOMaximumBandwidth IOMaximumIOps IpcMode Isolation KernelMemory Links LogConfig Memory \
         MemoryReservation MemorySwap MemorySwappiness NanoCpus NetworkMode OomKillDisable OomScoreAdj PidMode PidsLimit \
         PortBindings Privileged PublishAllPorts ReadonlyRootfs RestartPolicy Runtime SecurityOpt ShmSize Tmpfs UTSMode \
         Ulimits UsernsMode VolumeDriver VolumesFrom",
    ),
    ("HostConfig.LogConfig.", "Config Path Size Tag Type"),
    ("HostConfig.RestartPolicy.", "MaximumRetryCount Name"),
    ("HostConfig.Ulimits.", "Hard Name Soft"),
    ("Mounts.", "Destination Driver Mode Name Options Propagation RW Source Type"),
    (
        "NetworkSettings.",
        "Bridge EndpointID Gateway GlobalIPv6Address GlobalIPv6PrefixLen HairpinMode IPAddress IPPrefixLen IPv6Gateway \
         LinkLocalIPv6Address LinkLocalIPv6PrefixLen MacAddress Networks Ports SandboxID SandboxKey",
    ),
    (
        "State.",
        "CgroupPath CheckpointedAt ConmonPid Dead Error ExitCode FinishedAt Health OOMKilled OciVersion Paused Pid \
         Restarting RestoredAt Running StartedAt Status",
    ),
    ("State.Health.", "FailingStreak Log Status"),
    ("State.Health.Log.", "End ExitCode Output Start"),
];

const IMAGE: [(&str, &str); 4] = [
    (
        "",
        "Annotations Architecture Author Comment Config Created Digest GraphDriver History Id Labels ManifestType \
         NamesHistory Os Parent RepoDigests RepoTags RootFS Size User Version VirtualSize",
    ),
    ("Config.", "Cmd Env"),
    ("GraphDriver.", "Data Name"),
    ("RootFS.", "Layers Type"),
];

const VOLUME: [(&str, &str); 1] =
    [("", "CreatedAt Driver Labels MountCount Mountpoint Name NeedsChown NeedsCopyUp Options Scope")];

/// All keys, behind those that they belong to.
fn keys(value: &Value, above: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(all) => all.iter().for_each(|one| keys(one, above, found)),
        Value::Object(fields) => {
            for (name, value) in fields {
                let name = format!("{above}{name}");
                keys(value, &format!("{name}."), found);
                found.insert(name);
            }
        }
        _ => {}
    }
}

#[track_caller]
fn has_all(case: &Case, line: &[&str], expected: &[(&str, &str)]) {
    let shown: Value = serde_json::from_str(&case.coracle(line.iter().copied()).succeeded().stdout).unwrap();
    let mut found = BTreeSet::new();
    keys(&shown, "", &mut found);
    let expected =
        expected.iter().flat_map(|(above, names)| names.split_whitespace().map(move |name| format!("{above}{name}")));
    let missing: Vec<String> = expected.filter(|key| !found.contains(key)).collect();
    assert!(missing.is_empty(), "{missing:?} of {line:?}");
}

#[test]
fn all_of_podmans_keys_are_there() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    let flags = ["run", "-d", "--network=none", "--name=box", "-v=vol:/v", "--ulimit=nofile=100"];
    let health = ["--health-cmd=true", "--health-retries=2", "--health-startup-cmd=true", &image, "sleep", "1000"];
    case.coracle(flags.into_iter().chain(health)).succeeded();
    case.coracle(["healthcheck", "run", "box"]).code(0);
    has_all(&case, &["inspect", "-s", "box"], &CONTAINER);
    has_all(&case, &["image", "inspect", &image], &IMAGE);
    has_all(&case, &["volume", "inspect", "vol"], &VOLUME);
    case.coracle(["rm", "-f", "-t0", "box"]).code(0);
}
