//! What a container has mounted beside its own file system, as it was asked for: directories and files of this machine, volumes,
//! images, memory.

pub mod secret;
pub mod shown;
pub mod spec;
pub mod volumes;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::record::Image;
use crate::oci::Digest;
use crate::store::volumes::meaning::Backing;

/// Words of a mount whose files are to be given a label of SELinux on this machine: one that other containers' have, too, or the
/// container's own.
pub const RELABELLED: [&str; 2] = ["z", "Z"];

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mount {
    pub source: Source,
    /// An absolute path without `.` and `..`, and not `/` itself.
    pub target: String,
    /// As the OCI runtime spec has them (`ro`, `rslave`, …), and `U`, `mine`, `z` and `Z`; those of a tmpfs, too.
    #[serde(default)]
    pub options: Vec<String>,
    /// `O`: what is written to a directory or volume is kept apart from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlay: Option<Overlay>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Source {
    /// A directory or file of this machine.
    Bind(PathBuf),
    Volume(Volume),
    #[serde(rename_all = "camelCase")]
    Tmpfs {
        /// It begins with what the image has at its place.
        copy_up: bool,
    },
    Image {
        image: Image,
        /// Lowest first.
        layers: Vec<Digest>,
        /// Only this directory or file of it is shown.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subpath: Option<String>,
    },
    Devpts,
}

/// A volume, as one container uses it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Volume {
    pub name: String,
    /// Nobody named it: it goes with the container.
    #[serde(default)]
    pub anonymous: bool,
    #[serde(default)]
    pub backing: Backing,
    /// A fresh one gets what the image has at its place.
    #[serde(default)]
    pub copy: bool,
    /// Only this directory or file of it is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subpath: Option<String>,
}

/// Where the writes to an overlaid directory go; without directories they are thrown away when the container starts again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Overlay {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directories: Option<Directories>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Directories {
    pub upper: PathBuf,
    pub work: PathBuf,
}

impl Mount {
    /// Whether it is a part of this machine whose device nodes are what it is for: /dev, a part of it, or all with it.
    pub fn has_devices(&self) -> bool {
        let devices = Path::new("/dev");
        matches!(&self.source, Source::Bind(path) if path.starts_with(devices) || devices.starts_with(path))
    }

    pub fn is_read_only(&self) -> bool {
        self.options.iter().any(|option| option == "ro")
    }

    /// Two containers that run can't both have it.
    pub fn is_exclusive(&self) -> bool {
        let in_memory = self.volume().is_some_and(|volume| matches!(volume.backing, Backing::Tmpfs(_)));
        in_memory || self.overlay.as_ref().is_some_and(|overlay| overlay.directories.is_some())
    }

    pub fn volume(&self) -> Option<&Volume> {
        match &self.source {
            Source::Volume(volume) => Some(volume),
            _ => None,
        }
    }

    /// What of a volume or an image is shown, where it is not the whole.
    pub fn subpath(&self) -> Option<&String> {
        match &self.source {
            Source::Volume(Volume { subpath, .. }) | Source::Image { subpath, .. } => subpath.as_ref(),
            Source::Bind(_) | Source::Tmpfs { .. } | Source::Devpts => None,
        }
    }

    /// As `inspect` calls what it is.
    pub fn kind(&self) -> &'static str {
        match self.source {
            Source::Bind(_) => "bind",
            Source::Volume(_) => "volume",
            Source::Tmpfs { .. } => "tmpfs",
            Source::Image { .. } => "image",
            Source::Devpts => "devpts",
        }
    }
}
