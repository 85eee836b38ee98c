//! Container Device Interface (its specification, version 1.1): files in which vendors say what a container needs to use a device.

use std::path::PathBuf;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::hook::Hook;
use super::yaml;

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
    #[serde(default, deserialize_with = "super::null_as_default")]
    pub hooks: Vec<Hook>,
    /// Groups that the program is to be in.
    #[serde(default, rename = "additionalGids", deserialize_with = "super::null_as_default")]
    pub additional_groups: Vec<u32>,
    /// Nothing that an account could do.
    #[serde(default)]
    pub intel_rdt: Option<IgnoredAny>,
    #[serde(default, deserialize_with = "super::null_as_default")]
    pub net_devices: Vec<IgnoredAny>,
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
    pub fn from_json(text: &str) -> Result<Self, yaml::Error> {
        serde_json::from_str(text).map_err(|error| {
            let what = error.to_string();
            // The place that it ends with is said in the one way for both formats.
            let what = what.rsplit_once(" at line ").map_or(what.as_str(), |(what, _)| what).to_owned();
            yaml::Error { line: error.line(), what }
        })
    }

    pub fn from_yaml(text: &str) -> Result<Self, yaml::Error> {
        Self::from_json(&yaml::to_json(text)?)
    }

    /// What the device of this name needs, with what all of the file do.
    pub fn edits(&self, name: &str) -> Option<[&Edits; 2]> {
        let device = self.devices.iter().find(|device| device.name == name)?;
        Some([&self.container_edits, &device.container_edits])
    }
}

#[cfg(test)]
mod tests {
    use super::super::hook::Moment;
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
    fn a_file_is_read_in_both_formats() {
        let json = r#"{"cdiVersion": "0.6.0", "kind": "v/c", "containerEdits": {"env": ["A=1"], "mounts": null},
            "devices": [{"name": "x", "containerEdits": {"deviceNodes": [{"path": "/dev/x", "major": 1, "uid": 0}],
            "hooks": [{"hookName": "prestart", "path": "/bin/false", "args": ["false", "-v"], "timeout": 2}]}}]}"#;
        let yaml = "---
cdiVersion: 0.6.0
kind: v/c
devices:
- name: x
  containerEdits:
    deviceNodes:
    - path: /dev/x
      major: 1
      uid: 0
    hooks:
    - hookName: prestart
      path: /bin/false
      args: [\"false\", -v]
      timeout: 2
containerEdits:
  env:
  - A=1
  mounts:
";
        let spec = Spec::from_yaml(yaml).unwrap();
        assert_eq!(Spec::from_json(json), Ok(spec.clone()));
        let [all, own] = spec.edits("x").unwrap();
        assert_eq!((all.env.as_slice(), own.device_nodes[0].path.as_str()), (&["A=1".to_owned()][..], "/dev/x"));
        let [hook] = &own.hooks[..] else { panic!("{own:?}") };
        assert_eq!((hook.moment, hook.args[1].as_str(), hook.timeout), (Moment::CreateRuntime, "-v", Some(2)));
        assert_eq!(spec.edits("y"), None);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let error = |text: &str| Spec::from_yaml(text).unwrap_err().to_string();
        assert_eq!(
            error("kind: v/c\ndevices:\n- name: x\n- name: 1\n"),
            "line 4: invalid type: integer `1`, expected a string"
        );
        assert!(error("kind: v/c\ndevices:\n\n- containerEdits: {}\n").starts_with("line 4: missing field `name`"));
        assert!(
            error("kind: v/c\ncontainerEdits:\n  hooks:\n  - hookName: later\n").starts_with("line 4: unknown variant")
        );
        assert_eq!(Spec::from_json("{\n\"kind\": 1}").unwrap_err().line, 2);
    }
}
