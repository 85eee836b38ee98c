//! What is on disk. No database: files that are replaced by rename, links that are claims, locks that die with their holder.
//!
//! ```text
//! $XDG_DATA_HOME/coracle/                (--root)                                             all directories 0700
//! ├── images/                            an OCI image layout, readable by skopeo, umoci, crane       [images, blobs]
//! │   ├── oci-layout  index.json         names -> manifest descriptors; replaced by rename
//! │   └── blobs/sha256/<hex>
//! ├── layers/<mode>-<diff-id hex>/       one unpacked layer, immutable once it has this name         [layers]
//! │   ├── fs/                            the files
//! │   ├── owners                         mode `recorded`: whose they are                             [owners]
//! │   └── layer.json                     diff id, size, counts, the blob it was made from
//! ├── containers/<id>/                   the room `container` owns what is in it
//! ├── names/<name> -> ../containers/<id> creating the link is the claim of the name                  [names]
//! ├── secrets/<SHA-256 of the name>.json one secret, readable by its user alone                       [secrets]
//! ├── volumes/<name>/                    files that outlive containers                               [volumes]
//! ├── networks/<name>.json               networks that containers share                              [networks]
//! ├── members/<network id>/              who is on them, and with which addresses                    [networks]
//! ├── partial/<hex>                      blobs whose transfer was cut                                [partial]
//! ├── compressed.json                    what blobs became that a push compressed                    [compressed]
//! ├── mounts/<image id>/               empty, in the mount namespace of who wants it the image's files
//! ├── locks/{store,turn,volumes,ids,index,names,networks,namespace}                                  [locks]
//! └── tmp/<random>/{lock,...}            what is being made or removed                               [tmp]
//! ```
//!
//! What must stay true:
//! * A reader takes no lock and never blocks.
//! * Order of a commit: write in `tmp/`, sync the data (once for all layers), rename into place, sync the directory, then name
//!   it in `index.json`. So what has a name is whole, whenever the power goes.
//! * Whatever is under `tmp/` and whose lock is free belongs to nobody: any later command may sweep it.
//! * Locks are taken in this order: the store's, that of ids, that of volumes, a claim's in `tmp/` or
//!   one volume's, the index', that of the namespace of networks, that of networks. Waits are bounded and name the file.

use std::net::IpAddr;
use std::path::PathBuf;

use self::networks::Subnet;
use crate::host::dirs::Dirs;
use crate::host::{change, lock};
use crate::oci::Digest;
use crate::sys;

pub mod blobs;
pub mod build_cache;
pub mod commit;
pub mod compressed;
pub mod images;
pub mod layers;
pub mod layout;
pub mod locks;
pub mod names;
pub mod networks;
pub mod owners;
pub mod partial;
pub mod records;
pub mod secrets;
pub mod tmp;
pub mod volumes;

pub use commit::Commit;
pub use layout::Layout;
pub use tmp::Tmp;

/// The store of one account. Opening it reads nothing; keep one per process.
#[derive(Debug, Clone)]
pub struct Store {
    layout: Layout,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    System(#[from] sys::Error),
    #[error(transparent)]
    Lock(#[from] lock::Error),
    #[error("`{}` is not a readable {kind} record: {source}", path.display())]
    Record { kind: &'static str, path: PathBuf, source: serde_json::Error },
    #[error("`{}` was written by a newer coracle: {kind} version {found}, this program knows {known}", path.display())]
    Newer { kind: &'static str, path: PathBuf, found: u32, known: u32 },
    #[error("`{}` is larger than {limit} bytes, which no {kind} record is", path.display())]
    TooLarge { kind: &'static str, path: PathBuf, limit: usize },
    #[error("`{}` would become larger than the {limit} bytes that an {kind} may have", path.display())]
    Full { kind: &'static str, path: PathBuf, limit: usize },
    #[error("the name `{name}` is in use by container `{holder}`")]
    NameTaken { name: String, holder: String },
    #[error("`{0}` is not a name: letters, digits, `_`, `.` and `-`, the first a letter or digit, at most 255")]
    BadName(String),
    #[error("\"{0}\" is the beginning of more than one secret's ID: name more of it")]
    AmbiguousSecret(String),
    #[error("\"{0}\" is the beginning of more than one network's ID: name more of it")]
    AmbiguousNetwork(String),
    #[error("requested static ip {address} not in any subnet on network {network}")]
    StrayAddress { address: IpAddr, network: String },
    #[error("the address {address} on network {network} is in use by {holder}")]
    AddressTaken { address: IpAddr, network: String, holder: String },
    #[error("the address {mac} is in use by the container `{holder}`")]
    MacTaken { mac: String, holder: String },
    #[error("no free address is left in the subnet {subnet} of network {network}")]
    NoAddress { subnet: Subnet, network: String },
    #[error("no volume with name \"{0}\" found: no such volume")]
    NoVolume(String),
    #[error("the blob `{digest}` is not in the store")]
    NoBlob { digest: Digest },
    #[error("the bytes received have the digest `{found}`, not `{expected}`")]
    WrongDigest { expected: Digest, found: Digest },
}

impl Error {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Lock(error) => error.hint(),
            Self::Newer { .. } => Some("use the newer coracle, or another directory with `--root`".into()),
            Self::NameTaken { name, holder } => {
                Some(format!("remove it with `coracle rm {holder}`, or choose a name other than `{name}`"))
            }
            Self::BadName(_) => Some("as in `my-box_1`".into()),
            Self::AmbiguousNetwork(_) => Some("`coracle network ls` lists all networks".into()),
            Self::AddressTaken { .. } | Self::MacTaken { .. } => {
                Some("ask for another one, or for none: then one is found that is free".into())
            }
            Self::NoAddress { network, .. } => Some(format!(
                "stop a container on it (`coracle ps --filter network={network}`), or make a network with a larger `--subnet`"
            )),
            Self::StrayAddress { network, .. } => {
                Some(format!("`coracle network inspect {network}` shows its subnets"))
            }
            Self::NoVolume(_) => Some("`coracle volume ls` lists all volumes".into()),
            Self::Record { kind: images::KIND, .. } => {
                Some("`coracle system check --repair` makes it anew from what is whole".into())
            }
            Self::NoBlob { .. } => Some("pull the image again".into()),
            _ => None,
        }
    }
}

pub type Result<T> = std::result::Result<T, Error>;

impl Store {
    /// The store of this account; its directories are made if they are missing. In a store that exists this is one `stat`.
    pub fn open(dirs: &Dirs) -> Result<Self> {
        let layout = Layout::new(dirs);
        // The last to be made below, so all others are there.
        if rustix::fs::stat(layout.tmp()).is_err() {
            change::create_dirs(layout.root())?;
            for directory in layout.directories() {
                change::create_dir(&directory)?;
            }
        }
        if layout.run() != layout.root() {
            change::create_dirs(layout.run())?;
        }
        Ok(Self { layout })
    }

    /// The store of this account, if there is one: nothing is made.
    pub fn existing(dirs: &Dirs) -> Option<Self> {
        let layout = Layout::new(dirs);
        layout.tmp().is_dir().then_some(Self { layout })
    }

    /// Directories that [`Store::open`] has made and that somebody took away since, outer ones first.
    pub fn missing_directories(&self) -> Vec<PathBuf> {
        self.layout.directories().into_iter().filter(|directory| !directory.is_dir()).collect()
    }

    pub fn layout(&self) -> &Layout {
        &self.layout
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// A store of a test's own, removed at the end.
    pub(crate) struct Scratch {
        pub(crate) store: Store,
        pub(crate) root: PathBuf,
    }

    impl Scratch {
        pub(crate) fn new(name: &str) -> Self {
            let root = std::env::temp_dir().join(format!("coracle-store-{}-{name}", std::process::id()));
            change::remove_tree(&root).unwrap();
            let store = Store::open(&Dirs::at(&root)).unwrap();
            Self { store, root }
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = change::remove_tree(&self.root);
        }
    }
}
