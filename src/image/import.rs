//! `import`: an image of one layer, which is a tar archive of a file system.

use std::fs::File;

use super::make::New;
use super::make::layer::NewLayer;
use super::{Progress, Result, tag};
use crate::host::subid::IdMaps;
use crate::layer::worker::{self, Limits};
use crate::oci::image_config::History;
use crate::oci::instruction;
use crate::oci::media_type::Format;
use crate::oci::{Digest, ImageConfig, Platform};
use crate::registry;
use crate::store::Store;

/// What the image is to be.
pub struct Import<'a> {
    pub store: &'a Store,
    pub progress: &'a dyn Progress,
    pub platform: Platform,
    pub message: &'a str,
    /// Instructions of a Containerfile.
    pub changes: &'a [String],
    /// Knows the names of signals.
    pub is_signal: fn(&str) -> bool,
    /// As the user wrote it.
    pub name: Option<&'a str>,
    /// What the archive is called, for the policy.
    pub source: &'a str,
    /// The most bytes that it may unpack to; `None`: nine tenths of what the disk has free.
    pub max_layer_size: Option<u64>,
}

impl Import<'_> {
    /// Makes an image of an archive, compressed or not, which may be a pipe. Its id.
    pub fn run(self, archive: File) -> Result<Digest> {
        registry::admit_archive("tarball", None, self.source, None)?;
        let ids = IdMaps::of_account().map_err(crate::layer::Error::from).map_err(super::Error::Pack)?;
        let name = self.name.map(tag::full_name).transpose()?;
        // Before the archive is read: what is written wrong is told at once.
        let mut config = ImageConfig {
            created: Some(chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Nanos, true)),
            comment: Some(self.message.to_owned()),
            architecture: self.platform.architecture.clone(),
            os: self.platform.os.clone(),
            variant: self.platform.variant.clone(),
            ..ImageConfig::default()
        };
        config.rootfs.kind = "layers".to_owned();
        instruction::apply(&mut config.config, self.changes, self.is_signal)?;
        // Whoever was killed left something: a failure to remove it is not this import's.
        let _ = worker::sweep(self.store);
        let limits = Limits { size: self.max_layer_size, ..Limits::default() };
        let layer = NewLayer::read(self.store, &ids, worker::mode_for(&ids), archive, limits)?;
        config.history.push(History {
            created: config.created.clone(),
            created_by: Some(format!("/bin/sh -c #(nop) ADD file:{} in /", layer.diff_id().hex())),
            comment: config.comment.clone(),
            ..History::default()
        });
        let (store, progress) = (self.store, self.progress);
        let (below, annotations) = Default::default();
        let new = New { store, progress, format: Format::Oci, below, config, annotations, name: name.as_deref() };
        new.finish(layer, &ids)
    }
}
