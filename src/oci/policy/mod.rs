//! `policy.json` (containers-policy.json(5)): which images are taken, by where they are and who signed them.
//!
//! The file is read strictly: a field that is not known, or is there twice, makes all of it unusable. What is known and not
//! supported here (`signedBy`, Fulcio, Rekor, PKI) is a requirement that no image meets.

mod identity;
mod strict;

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{Reference, scope};
pub use identity::Identity;
use strict::Unique;

/// The transport that means registries.
const DOCKER: &str = "docker";

/// Transports of which a scope is the path of an archive, or of a directory above it; the others of archives have no scopes.
const OF_PATHS: [&str; 3] = ["dir", "oci", "oci-archive"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    default: Vec<Requirement>,
    /// By transport and scope; the empty one is for all of the transport that have no other.
    transports: BTreeMap<String, BTreeMap<String, Vec<Requirement>>>,
}

/// What an image has to meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requirement {
    /// Nothing.
    Accept,
    /// What no image meets.
    Reject,
    Signed(Signed),
    /// A requirement of this kind, which is not supported.
    Unsupported(String),
}

/// A signature by one of these keys, for this identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    pub keys: Vec<Key>,
    pub identity: Identity,
}

/// A public key, as PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    File(PathBuf),
    Data(Vec<u8>),
}

#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    #[error("{0}")]
    Wrong(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    default: Vec<WrittenRequirement>,
    #[serde(default)]
    transports: Unique<Unique<Vec<WrittenRequirement>>>,
}

#[derive(Deserialize)]
#[serde(tag = "type", deny_unknown_fields)]
enum WrittenRequirement {
    #[serde(rename = "insecureAcceptAnything")]
    Accept {},
    #[serde(rename = "reject")]
    Reject {},
    #[serde(rename = "sigstoreSigned")]
    Sigstore(Box<WrittenSigstore>),
    #[serde(rename = "signedBy", deserialize_with = "any")]
    SignedBy(()),
    #[serde(rename = "signedBaseLayer", deserialize_with = "any")]
    SignedBaseLayer(()),
}

/// Whatever fields there are, each once.
fn any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    Unique::<Value>::deserialize(deserializer).map(drop)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenSigstore {
    key_path: Option<PathBuf>,
    key_paths: Option<Vec<PathBuf>>,
    key_data: Option<String>,
    key_datas: Option<Vec<String>>,
    fulcio: Option<Value>,
    pki: Option<Value>,
    rekor_public_key_path: Option<Value>,
    rekor_public_key_paths: Option<Value>,
    rekor_public_key_data: Option<Value>,
    rekor_public_key_datas: Option<Value>,
    #[serde(default)]
    signed_identity: Identity,
}

impl Default for Policy {
    /// Where there is no file: everything is taken.
    fn default() -> Self {
        Self { default: vec![Requirement::Accept], transports: BTreeMap::new() }
    }
}

impl Policy {
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyError> {
        let written: Written = serde_json::from_slice(bytes)?;
        let mut transports = BTreeMap::new();
        for (transport, scopes) in written.transports.0 {
            let mut read = BTreeMap::new();
            for (scope, requirements) in scopes.0 {
                check_scope(&transport, &scope)?;
                read.insert(scope, all(requirements)?);
            }
            transports.insert(transport, read);
        }
        Ok(Self { default: all(written.default)?, transports })
    }

    /// What an image at a registry has to meet, all of it: what is said for the most specific scope.
    pub fn requirements(&self, image: &Reference) -> &[Requirement] {
        self.find(DOCKER, scope::of(image))
    }

    /// What the images of an archive have to meet. `path`: where it is, without symbolic links; `None`: nowhere.
    pub fn requirements_of_archive(&self, transport: &str, path: Option<&Path>) -> &[Requirement] {
        let paths = path.filter(|_| OF_PATHS.contains(&transport)).into_iter().flat_map(Path::ancestors);
        self.find(transport, paths.filter_map(|path| path.to_str().map(str::to_owned)))
    }

    fn find(&self, transport: &str, scopes: impl IntoIterator<Item = String>) -> &[Requirement] {
        let Some(known) = self.transports.get(transport) else { return &self.default };
        scopes.into_iter().chain([String::new()]).find_map(|scope| known.get(&scope)).unwrap_or(&self.default)
    }
}

/// A scope that no archive is in would be taken for one that counts.
fn check_scope(transport: &str, scope: &str) -> Result<(), PolicyError> {
    let is_path = |scope: &Path| {
        scope.parent().is_some()
            && scope.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)))
    };
    let right = match transport {
        _ if scope.is_empty() => true,
        "docker-archive" => false,
        _ if OF_PATHS.contains(&transport) => scope.starts_with('/') && is_path(Path::new(scope)),
        _ => true,
    };
    if right { Ok(()) } else { Err(PolicyError::Wrong(format!("`{transport}` has no scope `{scope}`"))) }
}

fn all(written: Vec<WrittenRequirement>) -> Result<Vec<Requirement>, PolicyError> {
    if written.is_empty() {
        return Err(PolicyError::Wrong("a list of requirements is empty".to_owned()));
    }
    written.into_iter().map(Requirement::try_from).collect()
}

impl TryFrom<WrittenRequirement> for Requirement {
    type Error = PolicyError;

    fn try_from(written: WrittenRequirement) -> Result<Self, PolicyError> {
        Ok(match written {
            WrittenRequirement::Accept {} => Self::Accept,
            WrittenRequirement::Reject {} => Self::Reject,
            WrittenRequirement::SignedBy(()) => Self::Unsupported("signedBy".to_owned()),
            WrittenRequirement::SignedBaseLayer(()) => Self::Unsupported("signedBaseLayer".to_owned()),
            WrittenRequirement::Sigstore(written) => written.read()?,
        })
    }
}

impl WrittenSigstore {
    fn read(self) -> Result<Requirement, PolicyError> {
        let wrong = |what: &str| PolicyError::Wrong(format!("`sigstoreSigned`: {what}"));
        let others = [
            ("fulcio", self.fulcio.is_some()),
            ("pki", self.pki.is_some()),
            ("rekorPublicKeyPath", self.rekor_public_key_path.is_some()),
            ("rekorPublicKeyPaths", self.rekor_public_key_paths.is_some()),
            ("rekorPublicKeyData", self.rekor_public_key_data.is_some()),
            ("rekorPublicKeyDatas", self.rekor_public_key_datas.is_some()),
        ];
        if let Some((name, _)) = others.into_iter().find(|(_, there)| *there) {
            return Ok(Requirement::Unsupported(format!("sigstoreSigned with {name}")));
        }
        let data = |texts: Vec<String>| {
            let decoded = texts.into_iter().map(|text| STANDARD.decode(text).map(Key::Data));
            decoded.collect::<Result<Vec<_>, _>>().map_err(|_| wrong("its key is not base64"))
        };
        let keys = match (self.key_path, self.key_paths, self.key_data, self.key_datas) {
            (Some(path), None, None, None) => vec![Key::File(path)],
            (None, Some(paths), None, None) => paths.into_iter().map(Key::File).collect(),
            (None, None, Some(text), None) => data(vec![text])?,
            (None, None, None, Some(texts)) => data(texts)?,
            _ => return Err(wrong("one of `keyPath`, `keyPaths`, `keyData`, `keyDatas` must be there, and one alone")),
        };
        if keys.is_empty() {
            return Err(wrong("it has no key"));
        }
        Ok(Requirement::Signed(Signed { keys, identity: self.signed_identity }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requirements(policy: &str, image: &str) -> String {
        let policy = Policy::parse(policy.as_bytes()).unwrap();
        policy.requirements(&image.parse().unwrap()).iter().map(|one| format!("{one:?} ")).collect()
    }

    #[test]
    fn the_most_specific_scope_counts() {
        let accept = r#"[{"type":"insecureAcceptAnything"}]"#;
        let policy = format!(
            r#"{{"default":[{{"type":"reject"}}],"transports":{{"dir":{{"":{accept}}},"docker":{{
                "q.io/x":{accept},"q.io/x/y:1":[{{"type":"reject"}}],"*.wild.org":{accept},
                "old.io":[{{"type":"signedBy","keyType":"GPGKeys","keyPath":"/k"}}],
                "f.io":[{{"type":"sigstoreSigned","keyPath":"/k","rekorPublicKeyData":"eA=="}}],
                "s.io":[{{"type":"sigstoreSigned","keyData":"eA=="}},{{"type":"sigstoreSigned","keyPaths":["/k"]}}]
            }}}}}}"#
        );
        for (image, expected) in [
            ("debian", "Reject "),
            ("q.io/x/y:2", "Accept "),
            ("q.io/x/y:1", "Reject "),
            ("q.io/xy", "Reject "),
            ("a.b.wild.org:5000/x", "Accept "),
            ("wild.org/x", "Reject "),
            ("old.io/x", "Unsupported(\"signedBy\") "),
            ("f.io/x", "Unsupported(\"sigstoreSigned with rekorPublicKeyData\") "),
        ] {
            assert_eq!(requirements(&policy, image), expected, "{image}");
        }
        assert_eq!(requirements(&policy, "s.io/x").matches("MatchRepoDigestOrExact").count(), 2);
        let transport =
            r#"{"default":[{"type":"reject"}],"transports":{"docker":{"":[{"type":"insecureAcceptAnything"}]}}}"#;
        assert_eq!(requirements(transport, "debian"), "Accept ");
    }

    #[test]
    fn archives_are_where_their_paths_say() {
        let accept = r#"[{"type":"insecureAcceptAnything"}]"#;
        let scopes = format!(r#"{{"/a/b":{accept},"/a/b/c":[{{"type":"reject"}}]}}"#);
        let policy = format!(
            r#"{{"default":[{{"type":"reject"}}],"transports":{{"oci":{scopes},"dir":{scopes},"oci-archive":{scopes},
                "docker-archive":{{"":{accept}}}}}}}"#
        );
        let policy = Policy::parse(policy.as_bytes()).unwrap();
        let of = |transport: &str, path: Option<&str>| {
            policy.requirements_of_archive(transport, path.map(Path::new)) == [Requirement::Accept]
        };
        for transport in OF_PATHS {
            for (path, taken) in [
                ("/a/b", true),
                ("/a/b/x/y", true),
                ("/a/b/c", false),
                ("/a/b/c/d", false),
                ("/a/bc", false),
                ("/a", false),
            ] {
                assert_eq!(of(transport, Some(path)), taken, "{transport} {path}");
            }
            assert!(!of(transport, None), "{transport}");
        }
        assert!(of("docker-archive", Some("/a/b/c")) && of("docker-archive", None) && !of("none", None));
    }

    #[test]
    fn what_is_not_known_makes_all_unusable() {
        let ok = r#"{"type":"reject"}"#;
        for policy in [
            "".to_owned(),
            "[]".to_owned(),
            "{}".to_owned(),
            r#"{"default":[]}"#.to_owned(),
            format!(r#"{{"default":[{ok}],"more":1}}"#),
            format!(r#"{{"default":[{ok}],"default":[{ok}]}}"#),
            format!(r#"{{"default":[{ok}],"transports":{{"docker":{{"a":[{ok}],"a":[{ok}]}}}}}}"#),
            format!(r#"{{"default":[{ok}],"transports":{{"docker":{{"a":[]}}}}}}"#),
            format!(r#"{{"default":[{ok}],"transports":{{"dir":{{"":[{{"type":"x"}}]}}}}}}"#),
            format!(r#"{{"default":[{ok}],"transports":{{"dir":{{"a":[{ok}]}}}}}}"#),
            format!(r#"{{"default":[{ok}],"transports":{{"oci":{{"/":[{ok}]}}}}}}"#),
            format!(r#"{{"default":[{ok}],"transports":{{"oci-archive":{{"/a/../b":[{ok}]}}}}}}"#),
            format!(r#"{{"default":[{ok}],"transports":{{"docker-archive":{{"/a":[{ok}]}}}}}}"#),
            r#"{"default":[{"type":"reject","more":1}]}"#.to_owned(),
            r#"{"default":[{"type":"insecureAcceptAnything","more":1}]}"#.to_owned(),
            r#"{"default":[{"type":"reject","type":"reject"}]}"#.to_owned(),
            r#"{"default":[{"type":"sigstoreSigned"}]}"#.to_owned(),
            r#"{"default":[{"type":"sigstoreSigned","keyPath":"/a","keyData":"eA=="}]}"#.to_owned(),
            r#"{"default":[{"type":"sigstoreSigned","keyPath":"/a","keyPath":"/b"}]}"#.to_owned(),
            r#"{"default":[{"type":"sigstoreSigned","keyPath":"/a","more":1}]}"#.to_owned(),
            r#"{"default":[{"type":"sigstoreSigned","keyPaths":[]}]}"#.to_owned(),
            r#"{"default":[{"type":"sigstoreSigned","keyData":"%"}]}"#.to_owned(),
            r#"{"default":[{"type":"sigstoreSigned","keyPath":"/a","signedIdentity":{"type":"none"}}]}"#.to_owned(),
            r#"{"default":[{"type":"sigstoreSigned","keyPath":"/a","signedIdentity":{"type":"matchExact","x":1}}]}"#
                .to_owned(),
        ] {
            assert!(Policy::parse(policy.as_bytes()).is_err(), "{policy}");
        }
    }
}
