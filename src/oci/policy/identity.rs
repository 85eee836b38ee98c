//! Which identity a signature must claim for an image: the name that the signer gave it, against the name that the user asked for.

use serde::Deserialize;

use crate::oci::Reference;

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Identity {
    /// The same, with its tag.
    MatchExact {},
    /// The same where a tag was asked for; the same repository where a digest was.
    MatchRepoDigestOrExact {},
    /// The same repository.
    MatchRepository {},
    /// This one.
    ExactReference { docker_reference: String },
    /// This repository.
    ExactRepository { docker_repository: String },
    /// As [`Identity::MatchRepoDigestOrExact`], with one prefix of the name in place of the other.
    RemapIdentity { prefix: String, signed_prefix: String },
}

impl Default for Identity {
    fn default() -> Self {
        Self::MatchRepoDigestOrExact {}
    }
}

impl Identity {
    /// Whether a signature that claims to be of `signed` is one for `image`, which has a tag or a digest.
    pub fn accepts(&self, image: &Reference, signed: &str) -> bool {
        let Ok(signed) = signed.parse::<Reference>() else { return false };
        match self {
            Self::MatchExact {} => exact(image, &signed),
            Self::MatchRepoDigestOrExact {} => repository_or_exact(image, &signed),
            Self::MatchRepository {} => image.name() == signed.name(),
            Self::ExactReference { docker_reference } => {
                docker_reference.parse().is_ok_and(|wanted: Reference| exact(&wanted, &signed))
            }
            Self::ExactRepository { docker_repository } => {
                let wanted = docker_repository.parse::<Reference>();
                wanted.is_ok_and(|wanted| {
                    wanted.tag().is_none() && wanted.digest().is_none() && wanted.name() == signed.name()
                })
            }
            Self::RemapIdentity { prefix, signed_prefix } => {
                let text = image.to_string();
                let rest = text.strip_prefix(prefix.as_str()).filter(|rest| ends_a_part(prefix, rest));
                let remapped = rest.map_or(Ok(image.clone()), |rest| format!("{signed_prefix}{rest}").parse());
                remapped.is_ok_and(|image| repository_or_exact(&image, &signed))
            }
        }
    }
}

/// A name without tag and digest says of no image which it is.
fn exact(wanted: &Reference, signed: &Reference) -> bool {
    (wanted.tag().is_some() || wanted.digest().is_some()) && wanted == signed
}

fn repository_or_exact(image: &Reference, signed: &Reference) -> bool {
    let says_which = signed.tag().is_some() || signed.digest().is_some();
    match image.digest() {
        Some(_) => says_which && image.name() == signed.name(),
        None => exact(image, signed),
    }
}

/// Whether a prefix ends where a part of the name does: a port belongs to its host.
fn ends_a_part(prefix: &str, rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('/') || prefix.contains('/') && rest.starts_with([':', '@'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_signed_what() {
        let digest = format!("sha256:{}", "0f".repeat(32));
        let pinned = format!("q.io/x@{digest}");
        let remap = r#"{"type":"remapIdentity","prefix":"q.io","signedPrefix":"v.org/a"}"#;
        for (identity, image, signed, expected) in [
            (r#"{"type":"matchExact"}"#, "q.io/x:1", "q.io/x:1", true),
            (r#"{"type":"matchExact"}"#, "q.io/x:1", "q.io/x:2", false),
            (r#"{"type":"matchExact"}"#, "q.io/x:1", "q.io/x", false),
            (r#"{"type":"matchExact"}"#, &pinned, "q.io/x:1", false),
            (r#"{"type":"matchRepoDigestOrExact"}"#, "q.io/x:1", "q.io/x:1", true),
            (r#"{"type":"matchRepoDigestOrExact"}"#, "q.io/x:1", "q.io/x:2", false),
            (r#"{"type":"matchRepoDigestOrExact"}"#, &pinned, "q.io/x:2", true),
            (r#"{"type":"matchRepoDigestOrExact"}"#, &pinned, "q.io/y:2", false),
            (r#"{"type":"matchRepository"}"#, "q.io/x:1", "q.io/x", true),
            (r#"{"type":"matchRepository"}"#, "q.io/x:1", "q.io/y", false),
            (r#"{"type":"exactReference","dockerReference":"v.org/x:1"}"#, "q.io/x:2", "v.org/x:1", true),
            (r#"{"type":"exactReference","dockerReference":"v.org/x:1"}"#, "q.io/x:1", "q.io/x:1", false),
            (r#"{"type":"exactRepository","dockerRepository":"v.org/x"}"#, "q.io/x:2", "v.org/x:7", true),
            (r#"{"type":"exactRepository","dockerRepository":"v.org/x"}"#, "q.io/x:2", "v.org/y:2", false),
            (remap, "q.io/x:1", "v.org/a/x:1", true),
            (remap, "q.io/x:1", "q.io/x:1", false),
            (remap, "q.io:5000/x:1", "q.io:5000/x:1", true),
            (remap, "r.io/x:1", "r.io/x:1", true),
            (r#"{"type":"matchRepository"}"#, "q.io/x:1", "not a name", false),
        ] {
            let read: Identity = serde_json::from_str(identity).unwrap();
            assert_eq!(read.accepts(&image.parse().unwrap(), signed), expected, "{identity} {image} {signed}");
        }
    }
}
