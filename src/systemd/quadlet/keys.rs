//! The keys of quadlets (podman-systemd.unit(5)), and which flag each is.

use super::file::Entry;
use super::{Error, Problem, Quadlet};

/// What becomes of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// A flag with the last value.
    Last(&'static str),
    /// A flag for each value.
    Each(&'static str),
    /// A flag for each word of each value.
    Words(&'static str),
    /// A flag of which the value is yes or no.
    Switch(&'static str),
    /// `--security-opt` with this before the value.
    Security(&'static str),
    /// More than a flag: what makes the unit reads it.
    Own,
    /// Nothing that this program has: why.
    Refused(&'static str),
}

use Means::{Each, Last, Own, Refused, Security, Switch, Words};

const NO_PODS: &str = "pods are not there yet";
const DEPRECATED: &str = "it is long out of use: `UserNS=`, `UIDMap=` and `GIDMap=` say it";

/// The section of all kinds that is for who makes the units.
pub const GENERATOR: &str = "Quadlet";

pub const CONTAINER: &[(&str, Means)] = &[
    ("AddCapability", Words("cap-add")),
    ("AddDevice", Own),
    ("AddHost", Each("add-host")),
    ("Annotation", Words("annotation")),
    ("AppArmor", Security("apparmor=")),
    ("AutoUpdate", Own),
    ("CgroupsMode", Own),
    ("ContainerName", Own),
    ("ContainersConfModule", Own),
    ("DNS", Each("dns")),
    ("DNSOption", Each("dns-option")),
    ("DNSSearch", Each("dns-search")),
    ("DropCapability", Words("cap-drop")),
    ("Entrypoint", Last("entrypoint")),
    ("Environment", Words("env")),
    ("EnvironmentFile", Own),
    ("EnvironmentHost", Switch("env-host")),
    ("Exec", Own),
    ("ExposeHostPort", Each("expose")),
    ("GIDMap", Each("gidmap")),
    ("GlobalArgs", Own),
    ("Group", Own),
    ("GroupAdd", Each("group-add")),
    ("HealthCmd", Last("health-cmd")),
    ("HealthInterval", Last("health-interval")),
    ("HealthLogDestination", Last("health-log-destination")),
    ("HealthMaxLogCount", Last("health-max-log-count")),
    ("HealthMaxLogSize", Last("health-max-log-size")),
    ("HealthOnFailure", Last("health-on-failure")),
    ("HealthRetries", Last("health-retries")),
    ("HealthStartPeriod", Last("health-start-period")),
    ("HealthStartupCmd", Last("health-startup-cmd")),
    ("HealthStartupInterval", Last("health-startup-interval")),
    ("HealthStartupRetries", Last("health-startup-retries")),
    ("HealthStartupSuccess", Last("health-startup-success")),
    ("HealthStartupTimeout", Last("health-startup-timeout")),
    ("HealthTimeout", Last("health-timeout")),
    ("HostName", Last("hostname")),
    ("HttpProxy", Switch("http-proxy")),
    ("IP", Last("ip")),
    ("IP6", Last("ip6")),
    ("Image", Own),
    ("Label", Words("label")),
    ("LogDriver", Last("log-driver")),
    ("LogOpt", Each("log-opt")),
    ("Mask", Security("mask=")),
    ("Memory", Last("memory")),
    ("Mount", Own),
    ("Network", Own),
    ("NetworkAlias", Each("network-alias")),
    ("NoNewPrivileges", Own),
    ("Notify", Own),
    ("PidsLimit", Last("pids-limit")),
    ("Pod", Refused(NO_PODS)),
    ("PodmanArgs", Own),
    ("PublishPort", Each("publish")),
    ("Pull", Last("pull")),
    ("ReadOnly", Switch("read-only")),
    ("ReadOnlyTmpfs", Switch("read-only-tmpfs")),
    ("ReloadCmd", Own),
    ("ReloadSignal", Own),
    ("RemapGid", Refused(DEPRECATED)),
    ("RemapUid", Refused(DEPRECATED)),
    ("RemapUidSize", Refused(DEPRECATED)),
    ("RemapUsers", Refused(DEPRECATED)),
    ("Retry", Last("retry")),
    ("RetryDelay", Last("retry-delay")),
    ("Rootfs", Own),
    ("RunInit", Switch("init")),
    ("SeccompProfile", Security("seccomp=")),
    ("Secret", Each("secret")),
    ("SecurityLabelDisable", Own),
    ("SecurityLabelFileType", Security("label=filetype:")),
    ("SecurityLabelLevel", Security("label=level:")),
    ("SecurityLabelNested", Own),
    ("SecurityLabelType", Security("label=type:")),
    ("ServiceName", Own),
    ("ShmSize", Last("shm-size")),
    ("StartWithPod", Refused(NO_PODS)),
    ("StopSignal", Last("stop-signal")),
    ("StopTimeout", Last("stop-timeout")),
    ("SubGIDMap", Last("subgidname")),
    ("SubUIDMap", Last("subuidname")),
    ("Sysctl", Words("sysctl")),
    ("Timezone", Last("tz")),
    ("Tmpfs", Each("tmpfs")),
    ("UIDMap", Each("uidmap")),
    ("Ulimit", Each("ulimit")),
    ("Unmask", Security("unmask=")),
    ("User", Own),
    ("UserNS", Last("userns")),
    ("VolatileTmp", Own),
    ("Volume", Own),
    ("WorkingDir", Last("workdir")),
];

pub const VOLUME: &[(&str, Means)] = &[
    ("ContainersConfModule", Own),
    ("Copy", Own),
    ("Device", Own),
    ("Driver", Last("driver")),
    ("GlobalArgs", Own),
    ("Group", Own),
    ("Image", Own),
    ("Label", Words("label")),
    ("Options", Own),
    ("PodmanArgs", Own),
    ("ServiceName", Own),
    ("Type", Own),
    ("User", Own),
    ("VolumeName", Own),
];

pub const NETWORK: &[(&str, Means)] = &[
    ("ContainersConfModule", Own),
    ("DNS", Each("dns")),
    ("DisableDNS", Switch("disable-dns")),
    ("Driver", Last("driver")),
    ("Gateway", Each("gateway")),
    ("GlobalArgs", Own),
    ("IPAMDriver", Refused("addresses are always given out by this program: leave it out")),
    ("IPRange", Each("ip-range")),
    ("IPv6", Switch("ipv6")),
    ("InterfaceName", Last("interface-name")),
    ("Internal", Switch("internal")),
    ("Label", Words("label")),
    ("NetworkDeleteOnStop", Own),
    ("NetworkName", Own),
    ("Options", Each("opt")),
    ("PodmanArgs", Own),
    ("ServiceName", Own),
    ("Subnet", Each("subnet")),
];

pub const IMAGE: &[(&str, Means)] = &[
    ("AllTags", Switch("all-tags")),
    ("Arch", Last("arch")),
    ("AuthFile", Last("authfile")),
    ("CertDir", Last("cert-dir")),
    ("ContainersConfModule", Own),
    ("Creds", Last("creds")),
    ("DecryptionKey", Refused("encrypted images are not supported")),
    ("GlobalArgs", Own),
    ("Image", Own),
    ("ImageTag", Own),
    ("OS", Last("os")),
    ("PodmanArgs", Own),
    ("Policy", Last("policy")),
    ("Retry", Last("retry")),
    ("RetryDelay", Last("retry-delay")),
    ("ServiceName", Own),
    ("TLSVerify", Switch("tls-verify")),
    ("Variant", Last("variant")),
];

pub const BUILD: &[(&str, Means)] = &[
    ("Annotation", Words("annotation")),
    ("Arch", Last("arch")),
    ("AuthFile", Last("authfile")),
    ("ContainersConfModule", Own),
    ("DNS", Each("dns")),
    ("DNSOption", Each("dns-option")),
    ("DNSSearch", Each("dns-search")),
    ("Environment", Words("env")),
    ("File", Own),
    ("ForceRM", Switch("force-rm")),
    ("GlobalArgs", Own),
    ("GroupAdd", Each("group-add")),
    ("ImageTag", Each("tag")),
    ("Label", Words("label")),
    ("Network", Own),
    ("PodmanArgs", Own),
    ("Pull", Last("pull")),
    ("Retry", Last("retry")),
    ("RetryDelay", Last("retry-delay")),
    ("Secret", Each("secret")),
    ("ServiceName", Own),
    ("SetWorkingDirectory", Own),
    ("TLSVerify", Switch("tls-verify")),
    ("Target", Last("target")),
    ("Variant", Last("variant")),
    ("Volume", Own),
];

/// What the keys of a quadlet's own section are as flags, those that are more than that left out.
pub fn flags(quadlet: &Quadlet) -> Result<Vec<String>, Error> {
    let section = quadlet.kind.section();
    let mut flags = Vec::new();
    for (key, means) in quadlet.kind.keys() {
        let last = || quadlet.file.last(section, key).into_iter();
        let values = || quadlet.file.values(section, key).into_iter();
        match means {
            Last(flag) => flags.extend(last().map(|entry| format!("--{flag}={}", entry.text()))),
            Each(flag) => flags.extend(values().map(|entry| format!("--{flag}={}", entry.text()))),
            Words(flag) => {
                for entry in values() {
                    flags.extend(entry.words()?.into_iter().map(|word| format!("--{flag}={word}")));
                }
            }
            Security(option) => {
                for entry in values() {
                    flags.extend(entry.words()?.into_iter().map(|word| format!("--security-opt={option}{word}")));
                }
            }
            Switch(flag) => {
                for entry in last() {
                    flags.push(if entry.is_on()? { format!("--{flag}") } else { format!("--{flag}=false") });
                }
            }
            Own | Refused(_) => {}
        }
    }
    Ok(flags)
}

/// Refuses what no key of the quadlet's own section means, or of that in which the generator is asked for something.
pub fn check(quadlet: &Quadlet) -> Result<(), Error> {
    for entry in quadlet.file.section(GENERATOR) {
        match entry.key.as_str() {
            // Nothing waits for the network of itself.
            "DefaultDependencies" => entry.is_on().map(drop)?,
            other => return Err(entry.problem(Problem::UnknownKey(other.to_owned(), GENERATOR))),
        }
    }
    let section = quadlet.kind.section();
    for entry in quadlet.file.section(section) {
        let Entry { key, .. } = entry;
        match quadlet.kind.keys().iter().find(|(known, _)| known == key) {
            None => return Err(entry.problem(Problem::UnknownKey(key.clone(), section))),
            Some(&(_, Refused(why))) => return Err(entry.problem(Problem::Refused(key.clone(), why))),
            Some(_) => {}
        }
    }
    Ok(())
}
