//! The config of an image: how its containers start, and which layers it has (OCI image-spec, config.md; Docker's image
//! specification v1.2 and v1.3, whose additional fields are all here).
//!
//! Unknown keys are kept, at every level, so that an image written from a changed config loses nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::manifest::{MAX_CONFIG, MAX_VALUES, has_few_values};
use super::{Digest, Platform, null_as_default};

/// An image's config blob. The image's id is the digest of its bytes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ImageConfig {
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    #[serde(default)]
    pub architecture: String,
    #[serde(default)]
    pub os: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    #[serde(rename = "os.version", default, skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub config: RunConfig,
    pub rootfs: RootFs,
    #[serde(default, deserialize_with = "null_as_default")]
    pub history: Vec<History>,
    #[serde(flatten)]
    pub extra: BTreeMap<String, Value>,
}

/// What containers of the image start with, unless told otherwise.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RunConfig {
    /// `user`, `uid`, `user:group`, …; empty: root.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "String::is_empty")]
    pub user: String,
    /// `80`, `80/tcp`, `53/udp`, `8000-8010/tcp`.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub exposed_ports: BTreeMap<String, Value>,
    /// `NAME=value`.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    #[serde(default, deserialize_with = "words", skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<Vec<String>>,
    #[serde(default, deserialize_with = "words", skip_serializing_if = "Option::is_none")]
    pub cmd: Option<Vec<String>>,
    /// Absolute paths of directories.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub volumes: BTreeMap<String, Value>,
    /// Empty: `/`.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "String::is_empty")]
    pub working_dir: String,
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// `SIGTERM`, `15`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<String>,
    /// In seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_timeout: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<Healthcheck>,
    #[serde(default, deserialize_with = "words", skip_serializing_if = "Option::is_none")]
    pub shell: Option<Vec<String>>,
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub on_build: Vec<String>,
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "String::is_empty")]
    pub hostname: String,
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "String::is_empty")]
    pub domainname: String,
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "std::ops::Not::not")]
    pub args_escaped: bool,
    #[serde(flatten)]
    pub extra: BTreeMap<String, Value>,
}

/// How to tell whether a container is well. Times are in nanoseconds; 0 means the default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Healthcheck {
    /// `["NONE"]`, `["CMD", program, …]` or `["CMD-SHELL", command]`; empty: inherited.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub test: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_period: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_interval: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries: Option<i64>,
    #[serde(flatten)]
    pub extra: BTreeMap<String, Value>,
}

/// Which layers the image has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootFs {
    /// `layers`.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// The digests of the uncompressed tar streams, the lowest layer first.
    #[serde(deserialize_with = "null_as_default")]
    pub diff_ids: Vec<Digest>,
    #[serde(flatten)]
    pub extra: BTreeMap<String, Value>,
}

/// How one step of the image was made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The step made no layer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub empty_layer: bool,
    #[serde(flatten)]
    pub extra: BTreeMap<String, Value>,
}

/// Why a config is not used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("the image config has {0} bytes, more than the {MAX_CONFIG} that are allowed")]
    TooLarge(usize),
    #[error("the image config has more than the {MAX_VALUES} values that are allowed")]
    TooManyValues,
    #[error("the image config is not valid: {0}")]
    Json(#[from] serde_json::Error),
}

impl ImageConfig {
    /// Reads a config; its digest is the caller's to check.
    pub fn parse(bytes: &[u8]) -> Result<Self, ConfigError> {
        if bytes.len() > MAX_CONFIG {
            return Err(ConfigError::TooLarge(bytes.len()));
        }
        if !has_few_values(bytes) {
            return Err(ConfigError::TooManyValues);
        }
        Ok(serde_json::from_slice(bytes)?)
    }

    /// What the image was made for. Old images that say nothing were made for Linux.
    pub fn platform(&self) -> Platform {
        let os = if self.os.is_empty() { "linux" } else { &self.os };
        Platform::new(os, &self.architecture, self.variant.as_deref())
    }
}

impl RunConfig {
    /// Sets one variable, `NAME=value`, in its place if it has one.
    pub fn set_env(&mut self, pair: String) {
        let name = |pair: &str| pair.split('=').next().unwrap_or_default().to_owned();
        match self.env.iter_mut().find(|old| name(old) == name(&pair)) {
            Some(old) => *old = pair,
            None => self.env.push(pair),
        }
    }
}

/// A list of words; Docker's early images have one string where a list is meant.
fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Words {
        One(String),
        Many(Vec<String>),
    }
    Ok(Option::<Words>::deserialize(deserializer)?.map(|words| match words {
        Words::One(word) => vec![word],
        Words::Many(words) => words,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dockers_fields_and_nulls_are_read() {
        let text = format!(
            r#"{{"architecture":"amd64","os":"linux","created":"2024-01-01T00:00:00Z","docker_version":"24",
            "config":{{"User":"www-data","Env":["A=b"],"Cmd":"sh","Entrypoint":["/e","x"],"Volumes":null,"OnBuild":null,
            "Labels":null,"ExposedPorts":{{"80/tcp":{{}}}},"Tty":true,"StopTimeout":3,"Shell":["/bin/sh","-c"],
            "Healthcheck":{{"Test":["CMD","x"],"Interval":30000000000}}}},
            "rootfs":{{"type":"layers","diff_ids":["sha256:{}"]}},"history":[{{"created_by":"x","empty_layer":true}}]}}"#,
            "0f".repeat(32)
        );
        let config = ImageConfig::parse(text.as_bytes()).unwrap();
        assert_eq!(config.config.cmd, Some(vec!["sh".to_owned()]));
        assert_eq!(config.config.healthcheck.as_ref().unwrap().interval, Some(30_000_000_000));
        assert_eq!(config.config.stop_timeout, Some(3));
        assert_eq!(config.platform().to_string(), "linux/amd64");
        let written = serde_json::to_string(&config).unwrap();
        assert!(written.contains("\"Tty\":true") && written.contains("\"docker_version\":\"24\""), "{written}");
        assert!(written.contains("\"80/tcp\":{}") && !written.contains("OnBuild"), "{written}");
        assert_eq!(ImageConfig::parse(written.as_bytes()).unwrap(), config);
    }

    #[test]
    fn a_config_without_layers_or_without_limits_is_refused() {
        assert!(ImageConfig::parse(b"{}").is_err());
        assert!(ImageConfig::parse(br#"{"rootfs":{"diff_ids":["../x"]}}"#).is_err());
        assert!(matches!(ImageConfig::parse(&vec![b' '; MAX_CONFIG + 1]), Err(ConfigError::TooLarge(_))));
        let many = format!(r#"{{"rootfs":{{"diff_ids":[]}},"x":[0{}]}}"#, ",0".repeat(MAX_VALUES));
        assert!(matches!(ImageConfig::parse(many.as_bytes()), Err(ConfigError::TooManyValues)));
    }
}
