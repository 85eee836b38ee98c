//! The keys of containers.conf that are understood, and the flags whose defaults they are.

use self::Kind::{List, Number, Size, Switch, Text};
use self::Means::{Added, Default, Variables};

/// A key of a table.
#[derive(Debug, PartialEq, Eq)]
pub struct Key {
    pub table: &'static str,
    pub name: &'static str,
    pub kind: Kind,
    pub means: Means,
    /// How the word begins that says it: `--flag=`, and what its value begins with; empty: none does.
    pub flag: &'static str,
}

impl Key {
    /// The flag's name alone.
    pub fn flag(&self) -> &'static str {
        self.flag.trim_start_matches('-').split('=').next().unwrap_or_default()
    }
}

/// What TOML has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Number,
    /// A number of bytes; a negative one is no limit.
    Size,
    Switch,
    /// Of texts; an inline table among them, `{append = true}`, is no value.
    List,
}

/// What becomes of it where the flag is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// The flag is in its place.
    Default,
    /// The flag comes behind it.
    Added,
    /// Variables of the program itself: no flag says them.
    Variables,
}

const fn key(table: &'static str, name: &'static str, kind: Kind, means: Means, flag: &'static str) -> Key {
    Key { table, name, kind, means, flag }
}

pub static KEYS: [Key; 55] = [
    key("containers", "annotations", List, Added, "--annotation="),
    key("containers", "base_hosts_file", Text, Default, "--hosts-file="),
    key("containers", "cgroup_conf", List, Default, "--cgroup-conf="),
    key("containers", "cgroupns", Text, Default, "--cgroupns="),
    key("containers", "cgroups", Text, Default, "--cgroups="),
    key("containers", "container_name_as_hostname", Switch, Default, "--default-name-as-hostname="),
    key("containers", "default_capabilities", List, Default, "--default-capability="),
    key("containers", "default_sysctls", List, Default, "--default-sysctl="),
    key("containers", "default_ulimits", List, Added, "--ulimit="),
    key("containers", "devices", List, Added, "--device="),
    key("containers", "dns_options", List, Default, "--dns-option="),
    key("containers", "dns_searches", List, Default, "--dns-search="),
    key("containers", "dns_servers", List, Default, "--dns="),
    key("containers", "env", List, Default, "--default-env="),
    key("containers", "env_host", Switch, Default, "--env-host="),
    key("containers", "host_containers_internal_ip", Text, Default, "--default-host-address="),
    key("containers", "http_proxy", Switch, Default, "--http-proxy="),
    key("containers", "init", Switch, Default, "--init="),
    key("containers", "init_path", Text, Default, "--init-path="),
    key("containers", "ipcns", Text, Default, "--ipc="),
    key("containers", "label", Switch, Default, "--default-label="),
    key("containers", "log_driver", Text, Default, "--log-driver="),
    key("containers", "log_size_max", Size, Added, "--log-opt=max-size="),
    key("containers", "log_tag", Text, Added, "--log-opt=tag="),
    key("containers", "mounts", List, Added, "--mount="),
    key("containers", "netns", Text, Default, "--network="),
    key("containers", "no_hostname", Switch, Default, "--no-hostname="),
    key("containers", "no_hosts", Switch, Default, "--no-hosts="),
    key("containers", "oom_score_adj", Number, Default, "--oom-score-adj="),
    key("containers", "pidns", Text, Default, "--pid="),
    key("containers", "pids_limit", Number, Default, "--default-pids-limit="),
    key("containers", "privileged", Switch, Default, "--privileged="),
    key("containers", "read_only", Switch, Default, "--read-only="),
    key("containers", "seccomp_profile", Text, Added, "--security-opt=seccomp="),
    key("containers", "shm_size", Text, Default, "--shm-size="),
    key("containers", "tz", Text, Default, "--tz="),
    key("containers", "umask", Text, Default, "--umask="),
    key("containers", "userns", Text, Default, "--userns="),
    key("containers", "utsns", Text, Default, "--uts="),
    key("containers", "volumes", List, Added, "--volume="),
    key("engine", "cdi_spec_dirs", List, Default, "--default-cdi-spec-dir="),
    key("engine", "compression_format", Text, Default, "--default-compression-format="),
    key("engine", "compression_level", Number, Default, "--default-compression-level="),
    key("engine", "detach_keys", Text, Default, "--detach-keys="),
    key("engine", "env", List, Variables, ""),
    key("engine", "helper_binaries_dir", List, Default, "--default-helper-folder="),
    key("engine", "image_volume_mode", Text, Default, "--image-volume="),
    key("engine", "max_layer_size", Text, Default, "--max-layer-size="),
    key("engine", "multi_image_archive", Switch, Default, "--multi-image-archive="),
    key("engine", "pull_policy", Text, Default, "--pull="),
    key("engine", "retry", Number, Default, "--retry="),
    key("engine", "retry_delay", Text, Default, "--retry-delay="),
    key("engine", "stop_timeout", Number, Default, "--stop-timeout="),
    key("network", "default_rootless_network_cmd", Text, Default, "--default-network-cmd="),
    key("network", "pasta_options", List, Default, "--default-pasta-option="),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_is_the_default_of_a_flag_that_can_have_it() {
        let whole = crate::cli::as_podman_reads(crate::cli::root::whole());
        let commands = ["run", "push", "save"].map(|name| whole.find_subcommand(name).unwrap());
        for key in KEYS.iter().filter(|key| key.means != Variables) {
            let mut flags = commands.iter().flat_map(|command| command.get_arguments());
            let flag = flags.find(|arg| arg.get_long() == Some(key.flag()));
            let flag = flag.unwrap_or_else(|| panic!("{}: no flag `{}`", key.name, key.flag()));
            let many = matches!(flag.get_action(), clap::ArgAction::Append);
            assert!(many || key.kind != List, "{}", key.name);
            assert!(key.means == Default || many, "{}: a flag that comes behind is in its place", key.name);
            assert!(key.flag.ends_with('='), "{}", key.name);
        }
    }
}
