//! Container Device Interface (its specification, version 0.8): files in which vendors say what a container needs to use a device.

use std::path::PathBuf;

use serde::Deserialize;

/// One file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    /// `VENDOR/CLASS`.
    pub kind: String,
    #[serde(default)]
    pub devices: Vec<Device>,
    /// What each of its devices needs.
    #[serde(default)]
    pub container_edits: Edits,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    pub name: String,
    #[serde(default)]
    pub container_edits: Edits,
}

/// What is added to a container.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Edits {
    /// `NAME=VALUE`.
    #[serde(default, deserialize_with = "super::null_as_default")]
    pub env: Vec<String>,
    #[serde(default, deserialize_with = "super::null_as_default")]
    pub device_nodes: Vec<Node>,
    #[serde(default, deserialize_with = "super::null_as_default")]
    pub mounts: Vec<Mount>,
    /// Programs of this machine that were to run while the container starts.
    #[serde(default, deserialize_with = "super::null_as_default")]
    pub hooks: Vec<serde::de::IgnoredAny>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Node {
    /// In the container, and on this machine if no other path is given.
    pub path: String,
    #[serde(default)]
    pub host_path: Option<PathBuf>,
    /// Of `rwm`.
    #[serde(default)]
    pub permissions: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mount {
    pub host_path: PathBuf,
    pub container_path: String,
    #[serde(default, deserialize_with = "super::null_as_default")]
    pub options: Vec<String>,
}

/// A device's full name, `VENDOR/CLASS=DEVICE`: the kind, and the name in it. `None`: it is not one.
pub fn parse_name(text: &str) -> Option<(&str, &str)> {
    let (kind, name) = text.split_once('=')?;
    let (vendor, class) = kind.split_once('/')?;
    let word = |text: &str, more: &str| {
        text.starts_with(|first: char| first.is_ascii_alphanumeric())
            && text.ends_with(|last: char| last.is_ascii_alphanumeric())
            && text.chars().all(|char| char.is_ascii_alphanumeric() || more.contains(char))
    };
    let good = word(vendor, "-_.") && word(class, "-_") && word(name, "-_.:");
    good.then_some((kind, name))
}

impl Spec {
    /// What the device of this name needs, with what all of the file do.
    pub fn edits(&self, name: &str) -> Option<[&Edits; 2]> {
        let device = self.devices.iter().find(|device| device.name == name)?;
        Some([&self.container_edits, &device.container_edits])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_paths() {
        assert_eq!(parse_name("nvidia.com/gpu=all"), Some(("nvidia.com/gpu", "all")));
        assert_eq!(parse_name("v/c=0:1"), Some(("v/c", "0:1")));
        for bad in ["/dev/null", "v/c", "v=c", "v/c=", "/c=x", "v/=x", "-v/c=x", "v/c/d=x", "v/c=x/y", "v /c=x"] {
            assert_eq!(parse_name(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_file_is_read() {
        let text = r#"{"cdiVersion": "0.6.0", "kind": "v/c", "containerEdits": {"env": ["A=1"], "mounts": null},
            "devices": [{"name": "x", "containerEdits": {"deviceNodes": [{"path": "/dev/x", "major": 1, "uid": 0}],
            "hooks": [{"hookName": "createContainer", "path": "/bin/false"}]}}]}"#;
        let spec: Spec = serde_json::from_str(text).unwrap();
        let [all, own] = spec.edits("x").unwrap();
        assert_eq!(
            (all.env.as_slice(), own.device_nodes[0].path.as_str(), own.hooks.len()),
            (&["A=1".to_owned()][..], "/dev/x", 1)
        );
        assert_eq!(spec.edits("y"), None);
    }
}
