//! The manual page coracle-configuration(5): which of the field's files of configuration are read, which keys of them count, and which
//! do not. That it leaves none of Podman's out, the tests of the documents see to.

use super::keys::{KEYS, Key, Kind, Means};
use super::{COMMANDS, REACHING};
use crate::cli::output::roff;
use crate::cli::root;

/// Keys of containers.conf(5) that are passed over, by their table, and what is so instead.
const NOT_HONOURED: [(&str, &str, &str); 31] = [
    (
        "containers",
        "apparmor_profile",
        "Whoever is not root has no profile without being told, as with Podman; --security-opt apparmor= names one.",
    ),
    ("containers", "label_users", "A label's user is the policy's, or that of --security-opt label=user:."),
    (
        "containers",
        "interface_name",
        "Say it with the network: --network=NAME:interface_name=NAME, --network=pasta:--ns-ifname,NAME.",
    ),
    ("containers", "keyring", "Every container has a session keyring of its own."),
    (
        "containers",
        "prepare_volume_on_create",
        "A volume gets its first content when the first container that has it starts.",
    ),
    ("containers", "userns_size", "How many ids --userns=auto takes, its size= says."),
    (
        "network",
        "network_backend, cni_plugin_dirs, netavark_plugin_dirs, network_config_dir, firewall_driver, dns_bind_port",
        "Networks are this program's own: no plug-ins, and no files of other programs.",
    ),
    (
        "network",
        "default_network, default_subnet, default_subnet_pools",
        "A container has a private network without being told, and `info` says through what; `network create --subnet` says what \
         another one has.",
    ),
    (
        "engine",
        "active_service, remote, remote_uri, remote_identity, ssh_config, service_timeout, compat_api_enforce_docker_hub, \
         compose_providers, compose_warning_logs",
        "There is no service, here or elsewhere; `ssh HOST coracle` runs commands there.",
    ),
    (
        "engine.service_destinations",
        "uri, identity, is_machine",
        "For the same reason, whatever the name of the destination.",
    ),
    (
        "engine",
        "image_default_format, image_build_format",
        "An image is pushed as it is and made as OCI's; --format of `push`, `build` and `commit` says otherwise.",
    ),
    ("engine", "add_compression", "`manifest push --add-compression` says it."),
    ("engine", "image_default_transport", "A name without a transport is a registry's."),
    ("engine", "image_parallel_copies", "Several layers are fetched and sent at once."),
    ("engine", "image_copy_tmp_dir", "What is on its way lies in the store, on whose disk it is to stay."),
    (
        "engine",
        "cgroup_manager, cgroup_check",
        "--cgroup-manager and $CORACLE_CGROUP_MANAGER say it; without them, what is there is used.",
    ),
    (
        "engine",
        "conmon_env_vars, conmon_path, conmonrs_path, runtime, runtimes, runtime_path, platform_to_oci_runtime, \
         runtime_supports_json, runtime_supports_kvm, runtime_supports_nocgroup, runtime_supports_nocgroups, no_pivot_root, \
         network_cmd_path, network_cmd_options",
        "The program is its own monitor and runtime, and finds other programs along PATH, but pasta in helper_binaries_dir first.",
    ),
    ("engine", "init_path", "It counts in [containers] alone."),
    (
        "engine",
        "database_backend, lock_type, num_locks, namespace, static_dir, tmp_dir, volume_path, exit_command_delay",
        "There is no database, and locks are files; --root says where everything is, volumes too.",
    ),
    ("engine", "enable_port_reservation", "Who forwards a port has it open."),
    (
        "engine",
        "events_logger, events_logfile_path, events_logfile_max_size, events_container_create_inspect_data, healthcheck_events",
        "Events are files of the store, a file a boot, and those of health checks are among them.",
    ),
    ("engine", "hooks_dir", "Hooks are those of devices (CDI) alone: none is run since a file lies somewhere."),
    ("engine", "infra_command, infra_image, pod_exit_policy, kube_generate_type", "There are no pods."),
    ("engine", "volume_plugins, volume_plugin_timeout", "Volumes are this program's own."),
    (
        "engine",
        "chown_copied_files",
        "What `cp` copies belongs to the container's user; `cp --archive=false` keeps owners.",
    ),
    ("engine", "podmansh_timeout", "There is no podmansh."),
    ("secrets", "driver, opts", "Secrets are files of the store, and `file` is the only driver."),
    ("configmaps", "driver, opts", "Podman's alone."),
    (
        "machine",
        "cpus, disk_size, image, memory, user, volumes, provider, rosetta",
        "There is no virtual machine: containers run on this one.",
    ),
    ("farms", "default, list", "Images are built on this machine; `manifest` puts those of several together."),
    ("podmansh", "shell, container, timeout", "There is no podmansh: `coracle exec` opens a shell in a container."),
];

/// Files that are read.
const FILES: [(&str, &str); 7] = [
    (
        "containers.conf",
        "/usr/share/containers/containers.conf, then /etc/containers/containers.conf and containers.conf.d/*.conf beside it, then \
         the same of $XDG_CONFIG_HOME/containers; or the one that $CONTAINERS_CONF names alone. Then the modules that \
         --module names, in containers.conf.modules of the same three directories, and at last the one that \
         $CONTAINERS_CONF_OVERRIDE names. What is read later counts more; a list with {append = true} in it is added to. What is \
         not under HONOURED is passed over, whatever its value.",
    ),
    (
        "config.toml",
        "$XDG_CONFIG_HOME/coracle/config.toml has the same tables and keys, and counts more than all of the above: in it, a key that \
         is not known is an error.",
    ),
    (
        "storage.conf",
        "Where $CONTAINERS_STORAGE_CONF names one, and of it graphroot alone. Of this file, and of registries.conf, auth.json, \
         policy.json, certs.d and registries.d: coracle-registries(5).",
    ),
    (
        "cdi",
        "Descriptions of devices: *.json, *.yaml and *.yml of /etc/cdi and /var/run/cdi, or of what cdi_spec_dirs names, and of \
         $XDG_CONFIG_HOME/cdi, whose word counts most.",
    ),
    (
        ".containerignore, .dockerignore",
        "The first that is there: beside the Containerfile with its name before, as Containerfile.containerignore, then in the \
         context. coracle-build(1).",
    ),
    ("containers/systemd", "Quadlets: coracle-quadlet(5)."),
    ("/etc/subuid, /etc/subgid", "Subordinate ids: coracle-rootless(7)."),
];

/// Files of Podman's that are not.
const NOT_READ: [(&str, &str); 5] = [
    (
        "mounts.conf",
        "Of /usr/share/containers, /etc/containers and $XDG_CONFIG_HOME/containers: containers get no directories that no flag \
         and no key names. `volumes` in containers.conf does.",
    ),
    (
        "seccomp.json",
        "Of /usr/share/containers and /etc/containers: the program has its profile in it. seccomp_profile in containers.conf \
         names another.",
    ),
    ("oci/hooks.d", "Of /usr/share/containers and /etc/containers, as with hooks_dir below."),
    (
        "networks",
        "*.json of /etc/containers/networks and of Podman's store, *.conflist of $XDG_CONFIG_HOME/cni/net.d and /etc/cni/net.d: \
         `network create` makes them anew.",
    ),
    (
        "podman-connections.json",
        "$XDG_CONFIG_HOME/containers/podman-connections.json names services and farms, of which there are none.",
    ),
];

/// What a key is whose flag is nobody's to write.
fn own_words(key: &Key) -> &'static str {
    match key.name {
        "container_name_as_hostname" => {
            "without --hostname, the host name is the name that the container is made with, without its underscores, \
             and 64 letters of it at most"
        }
        "default_capabilities" => "in place of the usual ones; --cap-add and --cap-drop change them",
        "default_sysctls" => {
            "as --sysctl, which is stronger; passed over where the namespace is not the container's own"
        }
        "label" => "where it is false, --security-opt label=disable is said unless another label is",
        "env" if key.means == Means::Variables => {
            "NAME=VALUE, variables of the program itself, as those for proxies; one that its caller has set stays, and $CORACLE_… \
             have been read by then"
        }
        "env" => "as --env; the image's variables are stronger",
        "host_containers_internal_ip" => {
            "the address of host.containers.internal, and of host-gateway; none: there is no such name"
        }
        "pids_limit" => "what --pids-limit is without the flag, where the account can set it",
        "cdi_spec_dirs" => "in place of /etc/cdi and /var/run/cdi",
        "compression_format" => {
            "what --compression-format is, for layers that the registry does not have yet; zstd:chunked means zstd, and zstd \
             nothing with --format=v2s2"
        }
        "compression_level" => "what --compression-level is without the flag",
        "default_rootless_network_cmd" => {
            "who makes the way out of a private network: pasta, or stack, this program itself; slirp4netns means stack"
        }
        "max_layer_size" => "--max-layer-size; Podman does not know the key, so its place is config.toml",
        "helper_binaries_dir" => "where pasta is looked for before PATH",
        "pasta_options" => {
            "words for pasta before those of --network=pasta:; with some, pasta makes the way out unless \
             default_rootless_network_cmd names another"
        }
        _ => "",
    }
}

/// The commands that have the flag, but for `run` and `create` where they alone count.
fn commands(whole: &clap::Command, key: &Key) -> String {
    if key.table == "containers" {
        return String::new();
    }
    if key.means == Means::Variables {
        return format!(" ({}, {})", COMMANDS.join(", "), REACHING.join(", "));
    }
    let has = |name: &&&str| {
        let command = name.split(' ').try_fold(whole, |command, word| command.find_subcommand(word));
        command.is_some_and(|command| command.get_arguments().any(|arg| arg.get_long() == Some(key.flag())))
    };
    format!(" ({})", COMMANDS.iter().filter(has).copied().collect::<Vec<_>>().join(", "))
}

/// Those of a table that count, each with its kind and what it is.
fn table(whole: &clap::Command, table: &str) -> String {
    let row = |key: &Key| {
        let kind = match key.kind {
            Kind::Text => "text",
            Kind::Number | Kind::Size => "number",
            Kind::Switch => "switch",
            Kind::List => "list",
        };
        let flag = key.flag.trim_end_matches('=');
        let means = match (own_words(key), key.means) {
            ("", Means::Default) => flag.to_owned(),
            ("", Means::Added) => format!("before {flag}"),
            (words, _) => words.to_owned(),
        };
        let means = roff::escaped(&(means + &commands(whole, key)));
        format!("\\fB{}\\fR, {kind}|T{{\n{means}\nT}}\n", key.name)
    };
    let rows: String = KEYS.iter().filter(|key| key.table == table).map(row).collect();
    format!(".SS [{table}]\n.TS\ntab(|);\nl lx.\n{rows}.TE\n")
}

/// The page, in roff.
pub fn page() -> String {
    let whole = root::whole();
    let not: Vec<(String, &str)> =
        NOT_HONOURED.iter().map(|(table, names, text)| (format!("[{table}] {names}"), *text)).collect();
    format!(
        "'\\\" t\n.TH coracle-configuration 5 \"\" \"\" coracle\n.SH NAME\ncoracle\\-configuration \\- defaults of flags, in files\n\
         .SH DESCRIPTION\nThe files are those of Podman, described in containers.conf(5), and one of this program's own. This page says \
         which of them are read, and which of their keys count.\n.SH FILES\n{}.SH FILES THAT ARE NOT READ\n{}.SH HONOURED\n\
         A key is what its flag is without being said; one that stands before a flag is added to by it. Those of [containers] are \
         for \\fBrun\\fR and \\fBcreate\\fR, the others for the commands behind them; \\fBbuild\\fR heeds no flag's. An empty text and a \
         negative log_size_max say nothing.\n\
         {}.SH NOT HONOURED\n{}.SH SEE ALSO\ncoracle\\-run(1), coracle\\-registries(5), coracle\\-from\\-podman(7)\n",
        roff::list(&FILES),
        roff::list(&NOT_READ),
        ["containers", "engine", "network"].map(|name| table(&whole, name)).concat(),
        roff::list(&not)
    )
}
