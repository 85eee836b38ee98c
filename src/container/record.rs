//! `container.json`: what was asked for, written once, with all defaults filled in.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::cgroup::Cgroup;
use super::life::restart::RestartPolicy;
use super::log::LogConfig;
use super::mount::Mount;
use super::mount::secret::Secret;
use super::namespace::Namespaces;
use super::networks::Attachment;
use super::user_namespace::UserNamespace;
use super::watch::health::HealthConfig;
use super::watch::service::Notify;
use crate::network::pasta::Options;
use crate::network::ports::{Passed, Published, SocketFile};
use crate::network::resolv::Asked;
use crate::network::way::Maker;
use crate::oci::Digest;
use crate::oci::capability::CapabilitySet;
use crate::oci::hook::Hook;
use crate::runtime::identity::Introductions;
use crate::runtime::seccomp::{Choice, Profile};
use crate::store::layers::Mode;
use crate::store::records::Record;

/// A container as it was asked for.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Container {
    /// 64 hexadecimal digits.
    pub id: String,
    pub name: String,
    /// RFC 3339, UTC.
    pub created: String,
    /// `None`: made from a directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rootfs: Option<Rootfs>,
    /// How the layers below are stored: with real owners, or recorded ones.
    pub mode: Mode,
    /// The image's layers, lowest first.
    pub layers: Vec<Digest>,
    /// The overlay driver that was asked for.
    pub driver: Driver,
    /// How many bytes the container may write into its file system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<u64>,
    /// Entry point and arguments as the image and the user gave them.
    pub entrypoint: Vec<String>,
    pub command: Vec<String>,
    /// `NAME=value`, all that the program gets but `HOME`, which depends on the user.
    pub env: Vec<String>,
    pub working_dir: String,
    /// It is the image's, and made if it is missing.
    #[serde(default)]
    pub working_dir_of_image: bool,
    /// `user[:group]`; empty: root.
    #[serde(default)]
    pub user: String,
    #[serde(default)]
    pub additional_groups: Vec<String>,
    /// The supplementary groups of the caller, in place of others.
    #[serde(default)]
    pub keep_groups: bool,
    /// Whom the container's account files are to know beside the caller; `None`: they stay as they are.
    #[serde(default = "own_user")]
    pub introductions: Option<Introductions>,
    /// `None`: the ids of the account's namespace, all of them and the same.
    #[serde(default)]
    pub user_namespace: Option<UserNamespace>,
    pub hostname: String,
    #[serde(default)]
    pub terminal: bool,
    /// Standard input stays open.
    #[serde(default)]
    pub interactive: bool,
    /// In the foreground, standard output, and error, are not shown.
    #[serde(default)]
    pub muted: [bool; 2],
    #[serde(default)]
    pub remove: bool,
    /// A step of a build: it lies under `tmp/`, nobody knows it by name, and whoever builds removes it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_step: bool,
    /// Nothing is mounted in it, nor any file of this program's: it is read and written from outside, and runs nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_bare: bool,
    /// `create` made it, to be started some time or never.
    #[serde(default)]
    pub waits: bool,
    #[serde(default)]
    pub read_only: bool,
    /// With it, what it has in memory is not for writing, either.
    #[serde(default)]
    pub read_only_in_memory: bool,
    #[serde(default)]
    pub privileged: bool,
    pub network: Network,
    /// What it has beside its own file system.
    #[serde(default)]
    pub mounts: Vec<Mount>,
    /// Nodes of this machine that it has beside those that all have.
    #[serde(default)]
    pub devices: Vec<Device>,
    /// What is run while it starts and ends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hooks: Vec<Hook>,
    /// Which secrets it has, without what they are.
    #[serde(default)]
    pub secrets: Vec<Secret>,
    #[serde(default)]
    pub namespaces: Namespaces,
    /// The ids of containers that are to run before this one does.
    #[serde(default)]
    pub requires: Vec<String>,
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
    pub capabilities: CapabilitySet,
    #[serde(default)]
    pub no_new_privileges: bool,
    /// The default filter, or the one of the profile; `false`: unconfined.
    pub seccomp: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seccomp_profile: Option<Profile>,
    /// The profile of AppArmor that confines the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apparmor: Option<String>,
    /// Its labels, where SELinux was on when it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selinux: Option<Labels>,
    /// `--security-opt`, as given.
    #[serde(default)]
    pub security_options: Vec<String>,
    #[serde(default)]
    pub kernel: Kernel,
    #[serde(default)]
    pub cgroup: Cgroup,
    #[serde(default)]
    pub rlimits: Vec<Rlimit>,
    /// By their paths below /proc/sys.
    #[serde(default)]
    pub sysctls: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oom_score_adj: Option<i32>,
    /// A name of tzdata, or `local`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Names given by `--add-host`: `name:address`.
    #[serde(default)]
    pub add_hosts: Vec<String>,
    /// What /etc/hosts begins with in place of the host's: the file at an absolute path, or the word [`HOSTS_NONE`] or
    /// [`HOSTS_OF_IMAGE`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hosts_base: Option<PathBuf>,
    /// What /etc/hosts is to tell of this machine; `None`: the address that the network has for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_address: Option<HostAddress>,
    /// /etc/hosts, and /etc/hostname, are the image's.
    #[serde(default)]
    pub image_hosts: bool,
    #[serde(default)]
    pub image_hostname: bool,
    /// So is /etc/resolv.conf.
    #[serde(default)]
    pub image_resolver: bool,
    #[serde(default)]
    pub resolver: Asked,
    /// Those that it is on, with [`Network::Named`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<Attachment>,
    /// `80/tcp`.
    #[serde(default)]
    pub exposed_ports: BTreeSet<String>,
    /// Who is to make its way out; `None`: whoever serves best.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<Maker>,
    /// Words for `pasta`.
    #[serde(default, skip_serializing_if = "Options::is_empty")]
    pub network_options: Options,
    /// Where `pasta` is looked for first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub helper_folders: Vec<PathBuf>,
    /// Which of this machine's ports lead to which of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub published: Vec<Published>,
    /// And which socket files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub socket_files: Vec<SocketFile>,
    /// Seconds without anybody at a published port after which it is stopped; 0: never.
    #[serde(default)]
    pub idle: u32,
    /// And which sockets of whoever starts it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed_sockets: Vec<Passed>,
    /// The unit that starts it at boot, and what enables that: they go with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub boot: Vec<PathBuf>,
    /// All exposed ports were to be.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub publish_all: bool,
    pub stop_signal: i32,
    /// Seconds between the stop signal and the kill.
    pub stop_timeout: u32,
    #[serde(default)]
    pub restart: RestartPolicy,
    /// Seconds after which the program is killed; 0: never.
    #[serde(default)]
    pub timeout: u32,
    /// Where the program's pid is written, and the monitor's.
    #[serde(default)]
    pub pid_file: Option<PathBuf>,
    #[serde(default)]
    pub monitor_pid_file: Option<PathBuf>,
    /// `--cidfile`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_file: Option<PathBuf>,
    /// `--rmi`: its image goes with it.
    #[serde(default)]
    pub remove_image: bool,
    /// `None`: nobody asks how it is.
    #[serde(default)]
    pub health: Option<HealthConfig>,
    /// Who tells a service manager that it is ready.
    #[serde(default)]
    pub notify: Notify,
    /// What runs as the first process, the program below it.
    #[serde(default)]
    pub init: Option<Init>,
    /// `None`: the program is not systemd, or is treated as if it were not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub systemd: Option<Systemd>,
    /// Bytes of /dev/shm.
    pub shm_size: u64,
    pub umask: u32,
    #[serde(default)]
    pub log: LogConfig,
    /// The command line that made it, for `inspect`.
    #[serde(default)]
    pub create_command: Vec<String>,
    /// Where that was said, which paths in it count from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create_directory: Option<PathBuf>,
}

/// What containers have that were made before anybody could be introduced.
fn own_user() -> Option<Introductions> {
    Some(Introductions::default())
}

/// Words in the place of a file: /etc/hosts begins with nothing, or as the image has it.
pub const HOSTS_NONE: &str = "none";
pub const HOSTS_OF_IMAGE: &str = "image";

/// Which image it was made from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Image {
    /// As the user wrote it, made full.
    pub name: String,
    /// The digest of the config.
    pub id: Digest,
    pub manifest: Digest,
}

/// A directory of this machine as the root file system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rootfs {
    pub path: PathBuf,
    /// It is only read: what the container writes is kept with the container.
    pub overlay: bool,
}

/// An overlay driver, as `--storage-driver` calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Driver {
    /// Whichever serves the container best.
    #[default]
    Auto,
    Kernel,
    Fuse,
}

/// What a container is told of the machine that it runs on, where it is not what the network has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HostAddress {
    /// No name leads to it.
    Untold,
    Is(IpAddr),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    None,
    Host,
    /// Another container's, or one that a file stands for (see [`Namespaces`]).
    Joined,
    /// A namespace of its own, with a way out.
    #[default]
    Private,
    /// One of its own on networks that others are on, and a way out as with `Private`.
    Named,
}

/// What of the kernel's files in /proc and /sys is seen other than usual.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Kernel {
    /// Covered, too.
    pub masked: Vec<String>,
    /// Not covered, and not read-only; `ALL`, or paths of which the last part may hold `*`.
    pub unmasked: Vec<String>,
    /// Options of the mount of /proc.
    pub proc_options: Vec<String>,
}

/// A node of this machine in the container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    pub host: PathBuf,
    pub target: String,
    /// Of `rwm`. An account can limit nobody to some of them; the node's own permissions hold.
    pub permissions: String,
}

/// A limit of the program's resources, by the name that `--ulimit` uses. `u64::MAX`: none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rlimit {
    pub name: String,
    pub soft: u64,
    pub hard: u64,
}

/// An init process: it reaps orphans and passes signals on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Init {
    /// This program, see [`crate::process`].
    Own,
    /// One of this machine's.
    Program(PathBuf),
}

/// A container in which systemd is the program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Systemd {
    /// Bytes of each of its file systems in memory; `None`: as the kernel limits them.
    pub size: Option<u64>,
}

impl Record for Container {
    const KIND: &'static str = "container";
    const VERSION: u32 = 2;

    /// Version 1 had directories of this machine, and tmpfs, in lists of their own.
    fn upgrade(_version: u32, mut value: Value) -> Value {
        let mut mounts = Vec::new();
        for (list, source) in [("binds", None), ("tmpfs", Some(json!({ "tmpfs": { "copyUp": false } })))] {
            for mut mount in value[list].as_array().cloned().unwrap_or_default() {
                mount["source"] = source.clone().unwrap_or_else(|| json!({ "bind": mount["source"] }));
                mounts.push(mount);
            }
        }
        value["mounts"] = mounts.into();
        value
    }
}

/// Labels of SELinux, as the kernel takes them: what the container's processes have, and its files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Labels {
    pub process: String,
    pub file: String,
}

impl Container {
    /// Whether it has a way out, and ports, of its own.
    pub fn has_own_network(&self) -> bool {
        matches!(self.network, Network::Private | Network::Named)
    }

    /// Whether it is to outlive a power cut.
    pub fn is_durable(&self) -> bool {
        !self.remove && !self.is_step
    }

    /// Who makes its way out, if it has one of its own.
    pub fn way_maker(&self) -> Maker {
        // What only one of them can do or understands is meant for it.
        let needs_stack = !self.socket_files.is_empty() || !self.passed_sockets.is_empty() || self.idle > 0;
        let fitting = match (needs_stack, self.network_options.is_empty()) {
            (true, _) => Some(Maker::Stack),
            (false, false) => Some(Maker::Pasta),
            (false, true) => None,
        };
        self.way.or(fitting).unwrap_or_default()
    }

    /// Whether somebody from outside can come to it.
    pub fn publishes(&self) -> bool {
        !(self.published.is_empty() && self.socket_files.is_empty() && self.passed_sockets.is_empty())
    }

    /// The first twelve digits of the id, as lists show it.
    pub fn short_id(&self) -> &str {
        self.id.get(..12).unwrap_or(&self.id)
    }

    /// The name of its image, empty without one.
    pub fn image_name(&self) -> &str {
        self.image.as_ref().map_or("", |image| &image.name)
    }

    /// The hexadecimal digits of its image's id, empty without one.
    pub fn image_id(&self) -> &str {
        self.image.as_ref().map_or("", |image| image.id.hex())
    }

    /// Which filter the system calls of its programs pass: with --privileged, none but what was asked for by name.
    pub fn filter(&self) -> Choice {
        match &self.seccomp_profile {
            Some(profile) if self.seccomp => Choice::Custom(profile.clone()),
            None if self.seccomp && !self.privileged => Choice::Default,
            _ => Choice::Unconfined,
        }
    }

    /// The whole command line of the program.
    pub fn args(&self) -> Vec<String> {
        self.entrypoint.iter().chain(&self.command).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::mount::Source;

    #[test]
    fn the_mounts_of_an_older_record_are_read() {
        let mut old = serde_json::to_value(Container::default()).unwrap();
        old.as_object_mut().unwrap().remove("mounts");
        old["binds"] = json!([{ "source": "/srv", "target": "/x", "options": ["ro"] }]);
        old["tmpfs"] = json!([{ "target": "/t", "options": ["size=1m"] }]);
        let new: Container = serde_json::from_value(Container::upgrade(1, old)).unwrap();
        let [bind, tmpfs] = &new.mounts[..] else { panic!("{:?}", new.mounts) };
        assert_eq!(
            (&bind.source, bind.target.as_str(), bind.is_read_only()),
            (&Source::Bind("/srv".into()), "/x", true)
        );
        assert_eq!((&tmpfs.source, tmpfs.options[0].as_str()), (&Source::Tmpfs { copy_up: false }, "size=1m"));
    }
}
