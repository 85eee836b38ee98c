//! What can go wrong with an image.

use super::archive;
use crate::layer::About;
use crate::oci::image_config::ConfigError;
use crate::oci::instruction::InstructionError;
use crate::oci::manifest::{MAX_ENTRIES, ManifestError};
use crate::oci::reference::ReferenceError;
use crate::oci::{Digest, Reference};
use crate::{layer, registry, store, sys};

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    System(#[from] sys::Error),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Registry(#[from] registry::Error),
    #[error("layer `{diff_id}`: {source}")]
    Layer { diff_id: Digest, source: layer::Error },
    #[error(transparent)]
    Pack(layer::Error),
    #[error("the layer `{diff_id}` of `{image}` is not unpacked for this account")]
    NotUnpacked { diff_id: Digest, image: String },
    #[error("the layer `{diff_id}`, on which the new one stands, is no longer in the store")]
    LayerGone { diff_id: Digest },
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// What the registry sent under this name is not used.
    #[error("`{image}`: {source}")]
    Image { image: String, source: Box<Error> },
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("{name}: image not known")]
    Unknown { name: String },
    #[error("{name}: image is not a manifest list")]
    NotAnIndex { name: String },
    #[error("image name \"{name}\" is already associated with image \"{id}\": that name is already in use")]
    NameInUse { name: String, id: String },
    #[error("`{}` is not a file", path.display())]
    NotAFile { path: std::path::PathBuf },
    #[error("no image `{instance}` is in the manifest list `{index}`")]
    NoInstance { index: String, instance: String },
    #[error("`{name}` could be any of {}", listed(candidates))]
    Ambiguous { name: String, candidates: Vec<String> },
    #[error("there is no image for the platform `{wanted}` among {}", listed(offered))]
    NoPlatform { wanted: String, offered: Vec<String> },
    #[error("the registry's indexes point to each other more than {0} deep")]
    DeepIndex(usize),
    #[error("the {what} has the digest `{found}`, not `{expected}`")]
    WrongDigest { what: &'static str, expected: Digest, found: Digest },
    #[error("the {what} `{digest}` has {found} bytes, not the {expected} that its manifest says")]
    WrongSize { what: &'static str, digest: Digest, expected: u64, found: u64 },
    #[error("layer `{digest}` is not distributable (`{media_type}`): its bytes are not at the registry")]
    Foreign { digest: Digest, media_type: String },
    #[error("layer `{digest}` has the type `{media_type}`, which is no file system layer")]
    NotALayer { digest: Digest, media_type: String },
    #[error("unable to delete image \"{id}\" by ID with more than one tag ([{}]): please force removal", names.join(" "))]
    SeveralNames { id: String, names: Vec<String> },
    #[error("image `{name}` is in use by container{} {}", if containers.len() == 1 { "" } else { "s" }, listed(containers))]
    InUse { name: String, containers: Vec<String> },
    #[error("the containers that use the image can't be told: {0}")]
    Users(Box<dyn std::error::Error + Send + Sync>),
    #[error("`{name}`: {source}")]
    Archive { name: String, source: Box<Self> },
    #[error(transparent)]
    Contents(layer::Error),
    #[error(
        "payload does not match any of the supported image formats: docker-archive, oci-archive, oci-dir, docker-dir"
    )]
    NoArchive,
    #[error("the image can't be mounted: {0}")]
    Mount(String),
    #[error(transparent)]
    Change(#[from] InstructionError),
    #[error(transparent)]
    Transport(#[from] archive::transport::TransportError),
    #[error(
        "copying multiple images: destination transport \"docker-archive\" does not support copying multiple images as a group"
    )]
    NoLists,
    #[error("docker-dir holds one image")]
    OneImage,
    #[error("it holds {0} images: choose one")]
    SeveralImages(usize),
    #[error("it has {0} names for its images, more than the {MAX_ENTRIES} that are allowed")]
    TooManyNames(usize),
    #[error("it holds no such image")]
    NoImage,
    #[error("it has no `{name}`, of which it speaks")]
    Missing { name: String },
    #[error("the registry stored the manifest as `{told}`, not as `{digest}`")]
    OtherDigest { told: String, digest: Digest },
    #[error("layer `{digest}` is compressed with zstd, which the format v2s2 does not have")]
    NoZstd { digest: Digest },
    #[error("the pull was given up since another layer failed")]
    GivenUp,
}

fn listed(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

impl Error {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.hint(),
            Self::Registry(error) => error.hint(),
            Self::Image { source, .. } => source.hint(),
            Self::Layer { source, .. } | Self::Pack(source) | Self::Contents(source) => source.hint(),
            Self::Archive { source, .. } if source.is_damage() => {
                Some("the archive is damaged or was tampered with: have it written again".into())
            }
            Self::Archive { source, .. } => source.hint(),
            Self::SeveralImages(_) => {
                Some("name it behind the path, as in `oci-archive:x.tar:name`, or by its place: `:@0`".into())
            }
            Self::NotUnpacked { image, .. } => Some(format!("`coracle pull {image}` unpacks it")),
            Self::Unknown { .. } => {
                Some("`coracle images` lists all images that are here, `coracle pull` fetches one".into())
            }
            Self::LayerGone { .. } => Some("pull the image of the container again".into()),
            Self::Manifest(ManifestError::Schema1) => {
                Some("have the image pushed again with a tool of this decade: `skopeo copy --format oci`".into())
            }
            Self::Manifest(ManifestError::Artifact(_)) => Some(
                "an artifact can be pulled, pushed, tagged, and saved in the formats `oci-archive` and `oci-dir`"
                    .into(),
            ),
            Self::NoZstd { .. } => Some("add `--compression-format gzip`, or push it with `--format oci`".into()),
            Self::NoLists => Some("`oci-archive:`, `oci:` and `dir:` do".into()),
            Self::NameInUse { .. } => Some("`--amend` goes on with a list of this name".into()),
            Self::NoInstance { index, .. } => Some(format!("`coracle manifest inspect {index}` shows their digests")),
            Self::Ambiguous { .. } => Some("name the registry too, or more digits of the id".into()),
            Self::NoPlatform { .. } => Some("ask for one of these with `--platform`".into()),
            Self::WrongDigest { .. } | Self::WrongSize { .. } => {
                Some("the registry's copy is damaged or was tampered with: push the image again".into())
            }
            Self::Foreign { .. } => Some("only Windows images have such layers, and they can't be run here".into()),
            Self::SeveralNames { .. } => Some("remove the names one by one, or all of them with `--force`".into()),
            Self::InUse { containers, .. } => Some(format!(
                "remove them first, with `coracle rm {}`, or with the image by `--force`",
                containers.join(" ")
            )),
            _ => None,
        }
    }

    /// The archive of this name is the one that it is about.
    pub(super) fn in_archive(self, name: &str) -> Self {
        Self::Archive { name: name.to_owned(), source: Box::new(self) }
    }

    /// What was read is not what it is said to be.
    fn is_damage(&self) -> bool {
        match self {
            Self::WrongDigest { .. } | Self::WrongSize { .. } | Self::Missing { .. } => true,
            Self::Contents(error) => error.about() == About::Stream && error.hint().is_none(),
            Self::Registry(registry::Error::Source(error)) => error.downcast_ref().is_some_and(Self::is_damage),
            _ => false,
        }
    }

    /// The way to the registry failed, not what it sent.
    pub(super) fn is_of_the_network(&self) -> bool {
        match self {
            Self::Registry(error) => error.is_of_the_network(),
            Self::GivenUp => true,
            _ => false,
        }
    }

    /// Says which image it was, where the error is about what one holds.
    pub(super) fn of(self, image: &Reference) -> Self {
        match self {
            Self::System(_) | Self::Store(_) | Self::Registry(_) | Self::GivenUp => self,
            source => Self::Image { image: image.to_string(), source: Box::new(source) },
        }
    }
}
