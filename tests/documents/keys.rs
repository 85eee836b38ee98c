//! coracle-configuration(5) names every file of Podman's that says how containers are to be, and every key of containers.conf, as one
//! that counts or as one that does not; and says the truth: a value of the wrong kind is an error where a key counts, and nothing
//! where it does not; nonsense in a file that is read is an error that names the file.

use std::collections::BTreeSet;

use super::page;
use crate::architecture::root;
use crate::harness::{Case, Driver};

const PAGE: &str = "coracle-configuration";

/// All keys that Podman 5.4 reads of containers.conf, by their tables: those of containers.conf(5), of the file that comes with it, and
/// those that neither tells of.
const KEYS: [(&str, &str); 11] = [
    (
        "containers",
        "annotations apparmor_profile base_hosts_file cgroup_conf cgroupns cgroups container_name_as_hostname \
         default_capabilities default_sysctls default_ulimits devices dns_options dns_searches dns_servers env env_host \
         host_containers_internal_ip http_proxy init init_path interface_name ipcns keyring label label_users log_driver \
         log_size_max log_tag mounts netns no_hosts oom_score_adj pidns pids_limit prepare_volume_on_create privileged \
         read_only seccomp_profile shm_size tz umask userns userns_size utsns volumes",
    ),
    (
        "network",
        "network_backend cni_plugin_dirs netavark_plugin_dirs firewall_driver default_network default_subnet \
         default_subnet_pools default_rootless_network_cmd network_config_dir dns_bind_port pasta_options",
    ),
    (
        "engine",
        "active_service add_compression cgroup_check cgroup_manager chown_copied_files compat_api_enforce_docker_hub \
         compose_providers compose_warning_logs compression_format compression_level conmon_env_vars conmon_path conmonrs_path \
         database_backend detach_keys enable_port_reservation env events_container_create_inspect_data events_logfile_max_size \
         events_logfile_path events_logger exit_command_delay healthcheck_events helper_binaries_dir hooks_dir cdi_spec_dirs \
         image_build_format image_copy_tmp_dir image_default_format image_default_transport image_parallel_copies \
         image_volume_mode infra_command infra_image init_path kube_generate_type lock_type multi_image_archive namespace \
         network_cmd_options network_cmd_path no_pivot_root num_locks platform_to_oci_runtime pod_exit_policy podmansh_timeout \
         pull_policy remote remote_identity remote_uri retry retry_delay runtime runtime_path runtime_supports_json \
         runtime_supports_kvm runtime_supports_nocgroup runtime_supports_nocgroups runtimes service_timeout ssh_config static_dir \
         stop_timeout tmp_dir volume_path volume_plugin_timeout volume_plugins",
    ),
    ("engine.service_destinations", "uri identity is_machine"),
    ("secrets", "driver opts"),
    ("configmaps", "driver opts"),
    ("machine", "cpus disk_size image memory user volumes provider rosetta"),
    ("farms", "default list"),
    ("podmansh", "shell container timeout"),
    // The first came later, the second is this program's own.
    ("containers", "no_hostname"),
    ("engine", "max_layer_size"),
];

/// Files that are read, by their entries: a variable that names the path or none, a path, and what the entry has of it.
const READ: [(&str, &str, &str, &str); 9] = [
    ("containers.conf", "", "/etc/containers/containers.conf", "/etc/containers/containers.conf"),
    ("containers.conf", "", "/etc/containers/containers.conf.d/x.conf", "containers.conf.d/*.conf beside it"),
    ("containers.conf", "", "$XDG_CONFIG_HOME/containers/containers.conf", "the same of $XDG_CONFIG_HOME/containers"),
    ("containers.conf", "", "$XDG_CONFIG_HOME/containers/containers.conf.d/x.conf", "the same of $XDG_CONFIG_HOME"),
    ("containers.conf", "CONTAINERS_CONF", "$PWD/elsewhere/named", "$CONTAINERS_CONF names"),
    ("containers.conf", "CONTAINERS_CONF_OVERRIDE", "$PWD/elsewhere/named", "$CONTAINERS_CONF_OVERRIDE names"),
    ("config.toml", "", "$XDG_CONFIG_HOME/coracle/config.toml", "$XDG_CONFIG_HOME/coracle/config.toml"),
    ("cdi", "", "/etc/cdi/x.json", "/etc/cdi"),
    ("cdi", "", "$XDG_CONFIG_HOME/cdi/x.yaml", "$XDG_CONFIG_HOME/cdi"),
];

/// Files that are not, as [`READ`].
const NOT_READ: [(&str, &str, &str); 8] = [
    ("mounts.conf", "/etc/containers/mounts.conf", "/etc/containers"),
    ("mounts.conf", "$XDG_CONFIG_HOME/containers/mounts.conf", "$XDG_CONFIG_HOME/containers"),
    ("seccomp.json", "/etc/containers/seccomp.json", "/etc/containers"),
    ("oci/hooks.d", "/etc/containers/oci/hooks.d/x.json", "/etc/containers"),
    ("networks", "/etc/containers/networks/x.json", "/etc/containers/networks"),
    ("networks", "/etc/cni/net.d/x.conflist", "/etc/cni/net.d"),
    ("networks", "$XDG_CONFIG_HOME/cni/net.d/x.conflist", "$XDG_CONFIG_HOME/cni/net.d"),
    (
        "podman-connections.json",
        "$XDG_CONFIG_HOME/containers/podman-connections.json",
        "$XDG_CONFIG_HOME/containers/podman-connections.json",
    ),
];

/// A key behind the table that it stands in.
type Key = (String, String);

/// What the page has under HONOURED: a table of keys for each of the file's.
fn honoured(page: &str) -> BTreeSet<Key> {
    let mut keys = BTreeSet::new();
    for part in page::section(page, "HONOURED").split(".SS [").skip(1) {
        let (table, rows) = part.split_once("]\n").unwrap();
        let names = rows.lines().filter_map(|row| row.strip_prefix("\\fB")?.split_once("\\fR, "));
        keys.extend(names.map(|(name, _)| (table.to_owned(), name.to_owned())));
    }
    keys
}

/// What it has under NOT HONOURED, where each entry says what is so instead.
fn passed_over(page: &str) -> BTreeSet<Key> {
    let mut keys = BTreeSet::new();
    for (name, text) in page::entries(page, "NOT HONOURED") {
        let (table, names) = name.strip_prefix('[').unwrap().split_once("] ").unwrap();
        assert!(text.trim().ends_with('.'), "nothing is said of {name}");
        for name in names.split(", ") {
            assert!(keys.insert((table.to_owned(), name.to_owned())), "[{table}] {name} is there twice");
        }
    }
    keys
}

/// The keys that the program knows, in its source.
fn known() -> BTreeSet<Key> {
    let source = std::fs::read_to_string(root().join("src/cli/config/keys.rs")).unwrap();
    let rows = source.lines().filter_map(|line| line.trim().strip_prefix("key(\"")?.split_once("\", \""));
    rows.map(|(table, rest)| (table.to_owned(), rest.split('"').next().unwrap().to_owned())).collect()
}

#[test]
fn every_key_counts_or_is_named() {
    let text = page::text(PAGE);
    let (honoured, passed_over) = (honoured(&text), passed_over(&text));
    let case = Case::new(Driver::Auto);
    let (podmans, own) = (case.home.join("podmans.conf"), case.home.join(".config/coracle/config.toml"));
    std::fs::create_dir_all(own.parent().unwrap()).unwrap();
    // What `create` says of a file.
    let said = |path: &std::path::Path, lines: &str, variable: &str| {
        std::fs::write(path, lines).unwrap();
        let create = case.command(["create", "--pull=never", "localhost/absent"]).env("CONTAINERS_CONF", variable);
        let said = create.finish().code(125).stderr;
        std::fs::remove_file(path).unwrap();
        said
    };
    let (mut all, mut wrong) = (BTreeSet::new(), Vec::new());
    for (table, key) in KEYS.iter().flat_map(|(table, keys)| keys.split_whitespace().map(move |key| (*table, key))) {
        // A destination has a name.
        let below = if table.ends_with("destinations") { ".x" } else { "" };
        let lines = format!("[{table}{below}]\n{key} = 1979-05-27\n");
        let refused = format!(":2: `{key}` must be ");
        let counts = said(&podmans, &lines, podmans.to_str().unwrap()).contains(&refused);
        let ours = said(&own, &lines, "/dev/null");
        if !ours.contains(if counts { &refused } else { " is not known" }) {
            wrong.push(format!("[{table}] {key} in config.toml: {ours}"));
        }
        let pair = (table.to_owned(), key.to_owned());
        let told = (honoured.contains(&pair), passed_over.contains(&pair));
        if told != (counts, !counts) {
            wrong.push(format!("[{table}] {key} counts: {counts}; is under HONOURED, NOT HONOURED: {told:?}"));
        }
        all.insert(pair);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(honoured, known(), "the page, and what the program knows");
    assert!(!text.contains("--default-"), "a flag that is nobody's to write");
    let others: Vec<&Key> = honoured.union(&passed_over).filter(|key| !all.contains(*key)).collect();
    assert!(others.is_empty(), "are they none of Podman's? {others:?}");
}

/// Each file, with nonsense in it: those that are not read may hold what they like.
#[test]
fn every_file_is_read_or_named() {
    let (text, case) = (page::text(PAGE), Case::new(Driver::Auto));
    // No image: none is unpacked for who has these ids.
    std::fs::create_dir(case.home.join("root")).unwrap();
    let commands = ["create --device=a.b/c=d --rootfs root true", "create --rootfs root true", "network ls"];
    let is_read = |variable: &str, path: &str| page::is_read(&case, &commands, variable, path, "$path");
    let says = |section: &str, name: &str, words: &str| {
        let entries = page::entries(&text, section);
        let entry = entries.iter().find(|(found, _)| found == name);
        assert!(entry.is_some_and(|(_, text)| text.contains(words)), "{section}: {words} of {name}");
    };
    for (name, variable, path, words) in READ {
        assert!(is_read(variable, path), "{path} {variable} is not read");
        says("FILES", name, words);
    }
    for (name, path, words) in NOT_READ {
        assert!(!is_read("", path), "{path} is read");
        says("FILES THAT ARE NOT READ", name, words);
    }
    for (name, _) in page::entries(&text, "FILES THAT ARE NOT READ") {
        assert!(NOT_READ.iter().any(|(tried, ..)| *tried == name), "{name} was not tried");
    }
}

/// What keeps files out of a context, by a rule that is none.
#[test]
fn files_beside_a_containerfile() {
    let (text, case) = (page::text(PAGE), Case::new(Driver::Auto));
    let context = case.home.join("context");
    std::fs::create_dir(&context).unwrap();
    std::fs::write(context.join("Containerfile"), "FROM scratch\nCOPY . /\n").unwrap();
    let entry = ".containerignore, .dockerignore";
    assert!(page::entries(&text, "FILES").iter().any(|(name, _)| name == entry));
    for name in entry.split(", ").flat_map(|name| [name.to_owned(), format!("Containerfile{name}")]) {
        std::fs::write(context.join(&name), "!\n").unwrap();
        let said = case.coracle(["build", "context"]).code(125).stderr;
        assert!(said.contains(&format!("{name}:1:1: ")), "{name}: {said}");
        std::fs::remove_file(context.join(&name)).unwrap();
    }
}
