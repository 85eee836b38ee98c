//! Flags of `build` that say how its containers are run: those of `run`, by whose rules they are read.

use clap::Args;

use crate::cli::container::options::Options;
use crate::cli::{Context, Report};
use crate::container::record::Container;
use crate::store::Store;

#[derive(Debug, Args)]
#[command(next_help_heading = "Containers of RUN")]
#[group(skip)]
pub struct Flags {
    /// Add a line to /etc/hosts
    #[arg(long, value_name = "NAME:ADDRESS")]
    add_host: Vec<String>,
    /// Give a capability
    #[arg(long, value_name = "CAPABILITY")]
    cap_add: Vec<String>,
    /// Take a capability away
    #[arg(long, value_name = "CAPABILITY")]
    cap_drop: Vec<String>,
    /// The control group namespace: `private`, `host`, or the path of one
    #[arg(long, value_name = "MODE")]
    cgroupns: Option<String>,
    /// The parent of the control groups
    #[arg(long, value_name = "PATH")]
    cgroup_parent: Option<String>,
    /// Of each period, so many microseconds of processor time
    #[arg(long, value_name = "MICROSECONDS")]
    cpu_quota: Option<String>,
    /// The period of `--cpu-quota`
    #[arg(long, value_name = "MICROSECONDS")]
    cpu_period: Option<String>,
    /// The share of processor time beside others
    #[arg(long, short = 'c', value_name = "SHARES")]
    cpu_shares: Option<String>,
    /// Which processors
    #[arg(long, value_name = "LIST")]
    cpuset_cpus: Option<String>,
    /// Which nodes of memory
    #[arg(long, value_name = "LIST")]
    cpuset_mems: Option<String>,
    /// A node of this machine
    #[arg(long, value_name = "PATH")]
    device: Vec<String>,
    /// Ask this server for names in place of the host's
    #[arg(long, value_name = "ADDRESS")]
    dns: Vec<String>,
    /// An option of resolv.conf(5)
    #[arg(long, value_name = "OPTION")]
    dns_option: Vec<String>,
    /// Look for names in this domain
    #[arg(long, value_name = "DOMAIN")]
    dns_search: Vec<String>,
    /// Add a group to the program's
    #[arg(long, value_name = "GROUP")]
    group_add: Vec<String>,
    /// Take the variables for proxies from the environment [default: true]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    http_proxy: Option<String>,
    /// The IPC namespace: `private`, `host`, or the path of one
    #[arg(long, value_name = "MODE")]
    ipc: Option<String>,
    /// Accepted for scripts: containers of steps are this program's own, whichever of Podman's kinds is asked for
    #[arg(long, hide = true, value_name = "KIND", value_parser = ["default", "oci", "rootless", "chroot"])]
    isolation: Option<String>,
    /// So many bytes of memory
    #[arg(long, short, value_name = "BYTES[bkmg]")]
    memory: Option<String>,
    /// So many bytes of memory and swap
    #[arg(long, value_name = "BYTES[bkmg]")]
    memory_swap: Option<String>,
    /// As `run` has it: `private`, `none`, `host`, `stack`, `pasta`
    #[arg(long, visible_alias = "net", value_name = "MODE")]
    network: Vec<String>,
    /// Leave /etc/hostname as the image has it
    #[arg(long)]
    no_hostname: bool,
    /// Leave /etc/hosts as the image has it
    #[arg(long)]
    no_hosts: bool,
    /// Accepted for scripts: nothing of this machine is reached by an address of the gateway's
    #[arg(long, hide = true)]
    no_map_gw: bool,
    /// The pid namespace: `private` or `host`
    #[arg(long, value_name = "MODE")]
    pid: Option<String>,
    /// `no-new-privileges`, `seccomp=FILE` and others, as `run` has them
    #[arg(long, value_name = "OPTION")]
    security_opt: Vec<String>,
    /// Bytes of /dev/shm
    #[arg(long, value_name = "BYTES[bkmg]")]
    shm_size: Option<String>,
    /// Limits of resources: `NAME=SOFT[:HARD]`
    #[arg(long, value_name = "NAME=SOFT[:HARD]")]
    ulimit: Vec<String>,
    /// The user namespace: `host`, `keep-id`, `auto` and others, as `run` has them
    #[arg(long, value_name = "MODE")]
    userns: Option<String>,
    /// The UTS namespace: `private`, `host`, or the path of one
    #[arg(long, value_name = "MODE")]
    uts: Option<String>,
    /// A directory of this machine, or a volume, that is mounted for each RUN and is no part of the image
    #[arg(long, short, value_name = "SOURCE:TARGET[:OPTIONS]")]
    volume: Vec<String>,
}

impl Flags {
    /// The words of `run` that mean the same.
    pub fn words(&self) -> Vec<String> {
        let lists = [
            ("add-host", &self.add_host),
            ("cap-add", &self.cap_add),
            ("cap-drop", &self.cap_drop),
            ("device", &self.device),
            ("dns", &self.dns),
            ("dns-option", &self.dns_option),
            ("dns-search", &self.dns_search),
            ("group-add", &self.group_add),
            ("network", &self.network),
            ("security-opt", &self.security_opt),
            ("ulimit", &self.ulimit),
            ("volume", &self.volume),
        ];
        let single = [
            ("cgroup-parent", &self.cgroup_parent),
            ("cpu-period", &self.cpu_period),
            ("cpu-quota", &self.cpu_quota),
            ("cpu-shares", &self.cpu_shares),
            ("cpuset-cpus", &self.cpuset_cpus),
            ("cpuset-mems", &self.cpuset_mems),
            ("http-proxy", &self.http_proxy),
            ("memory", &self.memory),
            ("memory-swap", &self.memory_swap),
            ("shm-size", &self.shm_size),
            ("userns", &self.userns),
        ];
        let namespaces =
            [("cgroupns", &self.cgroupns), ("ipc", &self.ipc), ("pid", &self.pid), ("uts", &self.uts)].into_iter();
        let namespaces = namespaces.filter_map(|(name, mode)| Some((name, namespace(mode.as_deref()?)?)));
        let switches = [("no-hostname", self.no_hostname), ("no-hosts", self.no_hosts)].into_iter();
        let switches = switches.filter(|(_, is_on)| *is_on).map(|(name, _)| format!("--{name}"));
        let lists = lists.into_iter().flat_map(|(name, values)| values.iter().map(move |value| (name, value)));
        let single = single.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
        let words = lists.chain(single).map(|(name, value)| format!("--{name}={value}"));
        words.chain(namespaces.map(|(name, mode)| format!("--{name}={mode}"))).chain(switches).collect()
    }

    /// A container's record, with nothing in it of a certain step.
    pub fn template(&self, context: &Context, store: &Store) -> Result<Container, Report> {
        Options::template(self.words(), context, store)
    }
}

/// A mode of Podman's `build` as `run` has it; `None`: what is so anyway.
fn namespace(mode: &str) -> Option<String> {
    match mode {
        "" | "container" | "private" => None,
        path if path.starts_with('/') => Some(format!("ns:{path}")),
        other => Some(other.to_owned()),
    }
}
