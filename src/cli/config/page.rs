//! The manual page coracle-configuration(5): which keys of the field's configuration files count, and which do not.

use super::keys::{KEYS, Means};
use crate::cli::output::roff;

/// Keys of containers.conf(5) that are passed over, by their table, and what is so instead.
const NOT_HONOURED: [(&str, &str, &str); 24] = [
    (
        "containers",
        "apparmor_profile, label, label_users",
        "A profile or a label is that of --security-opt; without one the kernel's is left as it is.",
    ),
    ("containers", "container_name_as_hostname", "A host name is the beginning of the ID, or that of --hostname."),
    (
        "containers",
        "host_containers_internal_ip",
        "The name leads to where pasta leads to this machine; --add-host names another address.",
    ),
    (
        "containers",
        "interface_name",
        "The interface is named as pasta names it, which --network=pasta:--ns-ifname,NAME tells.",
    ),
    ("containers", "keyring", "Every container has a session keyring of its own."),
    (
        "containers",
        "prepare_volume_on_create",
        "A volume gets its first content when the first container that has it starts.",
    ),
    (
        "network",
        "network_backend, cni_plugin_dirs, netavark_plugin_dirs, network_config_dir, firewall_driver",
        "Networks are this program's own: no plug-ins, and no files of other programs.",
    ),
    (
        "network",
        "default_network, default_subnet, default_subnet_pools, dns_bind_port",
        "A container has a private network without being told, and `info` says through what.",
    ),
    (
        "engine",
        "active_service, remote, service_timeout, compat_api_enforce_docker_hub, compose_providers, compose_warning_logs",
        "There is no service.",
    ),
    (
        "engine",
        "add_compression, image_default_format",
        "An image is pushed as it is; push --format and manifest push --add-compression tell.",
    ),
    ("engine", "image_default_transport", "A name without a transport is a registry's."),
    ("engine", "image_parallel_copies", "Several layers are fetched and sent at once."),
    ("engine", "image_copy_tmp_dir", "What is on its way lies in the store, on whose disk it is to stay."),
    (
        "engine",
        "cgroup_manager",
        "--cgroup-manager and $CORACLE_CGROUP_MANAGER say it; without them, what is there is used.",
    ),
    (
        "engine",
        "conmon_env_vars, conmon_path, runtime, runtimes, platform_to_oci_runtime, runtime_supports_json, runtime_supports_kvm, \
         runtime_supports_nocgroups, no_pivot_root, network_cmd_path, network_cmd_options",
        "The program is its own monitor and runtime, and finds other programs along PATH, but pasta in helper_binaries_dir first.",
    ),
    (
        "engine",
        "database_backend, lock_type, num_locks, namespace, static_dir, tmp_dir, volume_path, exit_command_delay",
        "There is no database, and locks are files; --root says where everything is, volumes too.",
    ),
    ("engine", "enable_port_reservation", "Who forwards a port has it open."),
    ("engine", "env", "Variables of the program itself are those of its caller."),
    (
        "engine",
        "events_logger, events_logfile_path, events_logfile_max_size, events_container_create_inspect_data, healthcheck_events",
        "Events are files of the store, a file a boot, and those of health checks are among them.",
    ),
    ("engine", "hooks_dir", "Hooks are those of devices (CDI) alone: none is run since a file lies somewhere."),
    ("engine", "infra_command, infra_image, pod_exit_policy, kube_generate_type", "There are no pods."),
    ("engine", "volume_plugins, volume_plugin_timeout", "Volumes are this program's own."),
    ("engine", "chown_copied_files", "What cp copies belongs to the container's user; cp --archive keeps owners."),
    (
        "other tables",
        "secrets, machine, farms, podmansh, service_destinations",
        "Podman's alone; secrets are files of the store.",
    ),
];

/// What of other files counts.
const OTHERS: [(&str, &str); 3] = [
    (
        "storage.conf",
        "Read where $CONTAINERS_STORAGE_CONF names one, and of it graphroot alone, in which everything lies in a folder `coracle`. driver, \
         driver_priority, runroot, rootless_storage_path, imagestore, transient_store and all of [storage.options] are Podman's alone: \
         --storage-driver, --runroot and --storage-opt are the flags.",
    ),
    ("mounts.conf", "Not read: containers get no directories that no flag and no key names."),
    (
        "config.toml",
        "$XDG_CONFIG_HOME/coracle/config.toml has the keys below, in the same tables, and counts more than containers.conf: in it, a key that \
         is not known is an error.",
    ),
];

/// The page, in roff.
pub fn page() -> String {
    let honoured: Vec<(String, String)> = KEYS
        .iter()
        .map(|key| {
            let flag = key.flag.trim_end_matches('=');
            let text = match (flag.starts_with("--default-"), key.means) {
                // A flag that nobody writes.
                (true, _) => "What is so where no flag says it.".to_owned(),
                (false, Means::Default) => format!("What {flag} is without the flag."),
                (false, Means::Added) => format!("Stands before what {flag} says."),
            };
            (format!("[{}] {}", key.table, key.name), text)
        })
        .collect();
    let not: Vec<(String, &str)> =
        NOT_HONOURED.iter().map(|(table, names, text)| (format!("[{table}] {names}"), *text)).collect();
    format!(
        ".TH coracle-configuration 5 \"\" \"\" coracle\n.SH NAME\ncoracle\\-configuration \\- defaults of flags, in files\n.SH DESCRIPTION\n\
         The files are those of Podman, described in containers.conf(5) and containers\\-storage.conf(5), found where it finds \
         them, and one of this program's own. This page says which of their keys count, and which do not.\n.SH FILES\n{}.SH HONOURED\n\
         {}.SH NOT HONOURED\n{}.SH SEE ALSO\ncoracle\\-run(1), coracle\\-registries(5)\n",
        roff::list(&OTHERS),
        roff::list(&honoured),
        roff::list(&not)
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::file;
    use super::*;

    /// All keys of containers.conf(5), and of the file that comes with it, by their tables; with Podman 5.4.
    const PODMAN: [(&str, &str); 3] = [
        (
            "containers",
            "annotations apparmor_profile base_hosts_file cgroup_conf cgroupns cgroups container_name_as_hostname \
             default_capabilities default_sysctls default_ulimits devices dns_options dns_searches dns_servers env env_host \
             host_containers_internal_ip http_proxy init init_path interface_name ipcns keyring label label_users log_driver \
             log_size_max log_tag mounts netns no_hosts oom_score_adj pidns pids_limit prepare_volume_on_create privileged \
             read_only seccomp_profile shm_size tz umask userns utsns volumes",
        ),
        (
            "network",
            "network_backend cni_plugin_dirs netavark_plugin_dirs firewall_driver default_network default_subnet \
             default_subnet_pools default_rootless_network_cmd network_config_dir dns_bind_port pasta_options",
        ),
        (
            "engine",
            "active_service add_compression cgroup_manager compat_api_enforce_docker_hub compose_providers compose_warning_logs \
             compression_format compression_level conmon_env_vars conmon_path database_backend detach_keys enable_port_reservation \
             env events_logfile_path events_logfile_max_size events_logger events_container_create_inspect_data \
             healthcheck_events helper_binaries_dir hooks_dir cdi_spec_dirs image_default_format image_default_transport \
             image_parallel_copies image_volume_mode infra_command infra_image kube_generate_type lock_type multi_image_archive \
             namespace network_cmd_path network_cmd_options no_pivot_root num_locks pod_exit_policy pull_policy remote retry \
             retry_delay runtime runtimes platform_to_oci_runtime runtime_supports_json runtime_supports_kvm \
             runtime_supports_nocgroups image_copy_tmp_dir service_timeout static_dir stop_timeout exit_command_delay tmp_dir \
             volume_path volume_plugins volume_plugin_timeout chown_copied_files",
        ),
    ];

    #[test]
    fn every_key_of_podmans_counts_or_is_named() {
        let passed_over = |table: &str, name: &str| {
            let of_table = NOT_HONOURED.iter().filter(|(of, ..)| *of == table);
            of_table.flat_map(|(_, names, _)| names.split(", ")).any(|named| named == name)
        };
        for (table, names) in PODMAN {
            for name in names.split_whitespace() {
                let counts = KEYS.iter().any(|key| (key.table, key.name) == (table, name));
                assert!(counts != passed_over(table, name), "[{table}] {name}");
                // Of the wrong kind, for a key that counts.
                let read = file::parse(Path::new("f"), &format!("[{table}]\n{name} = 1979-05-27\n"), false);
                assert_eq!(read.is_err(), counts, "[{table}] {name}");
                assert!(page().contains(name), "{name}");
            }
        }
        assert!(page().lines().all(|line| !line.starts_with('\'')));
    }
}
