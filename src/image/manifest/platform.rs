//! What an index says of its images: for which platform each is, and annotations.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::oci::{Descriptor, ImageConfig, Platform};

/// What the user says of an image; what they don't say stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Words {
    pub annotations: BTreeMap<String, String>,
    pub architecture: Option<String>,
    pub os: Option<String>,
    pub os_version: Option<String>,
    pub variant: Option<String>,
    /// Of the processor: a key that only Docker's lists have.
    pub features: Vec<String>,
    pub os_features: Vec<String>,
}

impl Words {
    /// Writes them into an index' entry.
    pub fn apply(&self, entry: &mut Descriptor) {
        entry.annotations.extend(self.annotations.clone());
        let none = Platform::new("", "", None);
        let mut platform = entry.platform.take().unwrap_or_else(|| none.clone());
        if let Some(architecture) = &self.architecture {
            // A variant is one of an architecture.
            platform.variant = platform.variant.filter(|_| platform.architecture == *architecture);
            platform.architecture.clone_from(architecture);
        }
        if let Some(os) = &self.os {
            platform.os.clone_from(os);
        }
        platform.os_version = self.os_version.clone().or(platform.os_version);
        platform.variant = self.variant.clone().or(platform.variant);
        if !self.os_features.is_empty() {
            platform.os_features.clone_from(&self.os_features);
        }
        if !self.features.is_empty() {
            platform.extra.insert("features".to_owned(), Value::from(self.features.clone()));
        }
        // An artifact, or an index, is for no platform.
        entry.platform = Some(platform).filter(|platform| *platform != none);
    }
}

/// The platform of an image, as an index has it.
pub(super) fn of_config(config: &ImageConfig) -> Platform {
    Platform { os_version: config.os_version.clone(), ..config.platform() }
}
