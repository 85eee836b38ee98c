//! The plan of a container's start: everything that init will do, in order, as data.
//!
//! A plan is made from a runtime-spec by [`Plan::from_spec`] without touching the system, travels to the monitor as JSON, and is
//! carried out by [`crate::runtime::inside`], which decides nothing.

mod hooks;
mod mounts;
mod process;

use oci_spec::runtime::Spec;
use serde::{Deserialize, Serialize};

use crate::host::subid::IdMaps;
use crate::oci::capability::CapabilitySet;
use crate::oci::hook::{Hook, Moment};
use crate::runtime::seccomp::Choice;
use crate::sys::mount::Attributes;

/// What a spec asks that this program can't do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the runtime spec lacks `{0}`")]
    Missing(&'static str),
    #[error("`{0}` is not valid UTF-8, and a runtime spec is JSON")]
    NotUtf8(String),
    #[error("`{0}` is not an absolute path")]
    NotAbsolute(String),
    #[error("the overlay on `{0}` lacks a directory")]
    Overlay(String),
    #[error("the mount option `{option}` of `{target}` is not known")]
    MountOption { target: String, option: String },
    #[error("namespaces of the type `{0}` can't be made or joined")]
    Namespace(String),
    #[error("the resource limit `{0}` is not known")]
    Rlimit(String),
    #[error("the capability `{0}` is not known")]
    Capability(String),
}

/// All that happens between clone and exec.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Namespaces that init is cloned into, as clone(2) flags.
    pub namespaces: u64,
    /// Those of others that it enters, in the same way.
    pub joined: u64,
    /// The maps of the container's user namespace, in ids of the namespace around it.
    pub maps: IdMaps,
    /// Where init attaches the root file system; any directory of the host that the user can reach.
    pub root: String,
    pub root_read_only: bool,
    /// What is mounted and made beneath the root, in this order.
    pub steps: Vec<Step>,
    pub hostname: Option<String>,
    /// Settings of the new namespaces: the path below /proc/sys, and the value.
    pub sysctls: Vec<(String, String)>,
    pub process: Process,
    /// The label of SELinux that files have, of what is mounted in memory and of what is written for the container.
    #[serde(default)]
    pub file_label: Option<String>,
    /// Bring up the loopback interface: the network namespace is new.
    pub loopback: bool,
    /// What the monitor runs meanwhile, in this order.
    #[serde(default)]
    pub hooks: Vec<Hook>,
}

/// One step beneath the container's root. Paths are absolute, as the container sees them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Mount(Mount),
    /// The host's device node of this name, bound into the container's /dev.
    Device(String),
    Symlink {
        path: String,
        to: String,
    },
    Directory(String),
    /// A file with the content of one of the host's, in a tmpfs: there it stays, or it is mounted elsewhere and has no name there any
    /// more.
    Secret {
        source: String,
        made_at: String,
        moved_to: Option<String>,
        owner: (u32, u32),
        mode: u32,
    },
    /// An empty file, for something to be mounted on.
    File(String),
    /// Covered: a file by the null device, a directory by an empty read-only tmpfs.
    Mask(String),
    ReadOnly(String),
    /// What is mounted here becomes read-only, and nothing that is mounted in it.
    Freeze(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    pub target: String,
    pub source: Source,
    /// MOUNT_ATTR_* bits of mount_setattr(2).
    pub attributes: u64,
    pub propagation: Propagation,
    /// A kernel file system: its target must not be a symlink that the image made.
    pub strict: bool,
    /// Left out without an error where the kernel refuses it.
    pub optional: bool,
}

impl Mount {
    /// A small tmpfs for files of this program's own.
    pub fn in_memory(target: &str, label: Option<&str>) -> Self {
        let attributes = Attributes::NO_SUID | Attributes::NO_DEV | Attributes::NO_EXEC;
        let mut options = vec![("mode".to_owned(), Some("755".to_owned()))];
        options.extend(mounts::labelled("tmpfs", label));
        Self {
            target: target.to_owned(),
            source: Source::New { fstype: "tmpfs".to_owned(), options, copy_up: false },
            attributes: attributes.bits(),
            propagation: Propagation::Private,
            strict: false,
            optional: false,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A new instance of a file system, with the options that it understands itself.
    New {
        fstype: String,
        options: Vec<(String, Option<String>)>,
        /// It begins with what lies at its place.
        copy_up: bool,
    },
    /// What the container whose IPC namespace is joined has there.
    Joined,
    /// A directory or file of the host.
    Bind {
        path: String,
        /// What lies there inside it, whatever links it has, and not the whole.
        subpath: Option<String>,
        /// With what is mounted in it.
        recursive: bool,
        owners: Owners,
        /// The label of SELinux that its files are given on the host.
        #[serde(default)]
        label: Option<String>,
    },
    /// Directories that are only read, through this program's own file system.
    Overlay {
        /// Topmost first.
        lowers: Vec<String>,
        upper: Option<Upper>,
        /// They are layers of the store, whose owners are an image's.
        layers: bool,
        /// What lies there inside it, and not the whole.
        subpath: Option<String>,
    },
}

/// Where an overlay is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upper {
    pub dir: String,
    pub work: String,
    /// Nothing of it is kept from one start to the next.
    pub thrown_away: bool,
}

/// Whose the files of a bind are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owners {
    /// As on the host.
    #[default]
    Kept,
    /// The program's user's, for which they are changed on the host (`U`).
    Changed,
    /// The caller's are shown as the program's user's (`mine`): through this program's own file system.
    Mine,
    /// These of the container's, for which they are changed on the host: of what was made for one container.
    Given { uid: u32, gid: u32 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Propagation {
    #[default]
    Private,
    Slave,
    Shared,
    Unbindable,
}

/// The program, and what it is when it starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    pub args: Vec<String>,
    pub env: Vec<String>,
    pub cwd: String,
    /// `user[:group]` by name or number, as the image or the user gave it; looked up in the container's own files.
    pub user: String,
    pub additional_groups: Vec<String>,
    /// The supplementary groups are those of the caller, whether they are mapped or not.
    pub keep_groups: bool,
    /// The bounding set, which is also what uid 0 gets.
    pub capabilities: CapabilitySet,
    pub no_new_privileges: bool,
    /// A profile of AppArmor that the machine's administrator has loaded.
    #[serde(default)]
    pub apparmor: Option<String>,
    /// Its label of SELinux.
    #[serde(default)]
    pub selinux: Option<String>,
    pub seccomp: Choice,
    pub umask: u32,
    /// (RLIMIT_* number, soft, hard).
    pub rlimits: Vec<(u32, u64, u64)>,
    pub oom_score_adj: Option<i32>,
    /// A terminal of the container's own, with this many rows and columns.
    pub terminal: Option<(u16, u16)>,
    /// Below an init process of this program's own.
    #[serde(default)]
    pub init: bool,
}

/// What the monitor adds to a spec's plan, because the specification has no words for it.
#[derive(Debug, Clone)]
pub struct Beyond {
    pub maps: IdMaps,
    pub root: String,
    pub user: String,
    pub additional_groups: Vec<String>,
    pub keep_groups: bool,
    pub umask: u32,
    pub terminal_size: (u16, u16),
    pub seccomp: Choice,
    pub init: bool,
}

impl Plan {
    /// Whether init waits, once all is mounted, for what the monitor runs then.
    pub fn has_hooks_before_root(&self) -> bool {
        self.hooks.iter().any(|hook| matches!(hook.moment, Moment::CreateRuntime | Moment::CreateContainer))
    }

    /// Gives new file systems to the program's user that are to be theirs.
    pub fn tell_user(&mut self, uid: u32, gid: u32) {
        for step in &mut self.steps {
            if let Step::Mount(Mount { source: Source::New { options, .. }, .. }) = step
                && let Some(place) = options.iter().position(|(name, _)| name == mounts::OF_USER)
            {
                let ids = [("uid", uid), ("gid", gid)].map(|(name, id)| (name.to_owned(), Some(id.to_string())));
                options.splice(place..=place, ids);
            }
        }
    }

    /// The plan for a spec. Pure: the system is neither asked nor changed.
    pub fn from_spec(spec: &Spec, beyond: Beyond) -> Result<Self, Error> {
        let linux = spec.linux().as_ref().ok_or(Error::Missing("linux"))?;
        let (namespaces, joined) = process::namespaces(linux)?;
        let new_network = namespaces & libc::CLONE_NEWNET as u64 != 0;
        let mut steps = mounts::steps(spec)?;
        for path in linux.masked_paths().iter().flatten() {
            steps.push(Step::Mask(path.clone()));
        }
        for path in linux.readonly_paths().iter().flatten() {
            steps.push(Step::ReadOnly(path.clone()));
        }
        let root = spec.root().as_ref().ok_or(Error::Missing("root"))?;
        Ok(Self {
            namespaces,
            joined,
            root_read_only: root.readonly().unwrap_or(false),
            steps,
            // Another's name is not changed.
            hostname: spec.hostname().clone().filter(|_| namespaces & libc::CLONE_NEWUTS as u64 != 0),
            sysctls: linux.sysctl().clone().unwrap_or_default().into_iter().collect(),
            process: process::process(spec, &beyond)?,
            file_label: linux.mount_label().clone(),
            loopback: new_network,
            hooks: hooks::hooks(spec),
            maps: beyond.maps,
            root: beyond.root,
        })
    }
}
