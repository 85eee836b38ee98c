//! Names of images: `registry[:port]/repository[:tag][@digest]`.
//!
//! The grammar is the field's (distribution/reference, as Docker and Podman use it). A value of this type has always been
//! checked and is in its full form: `debian` has become `docker.io/library/debian`. The parts go into URLs and annotations
//! as they are.

use std::fmt;
use std::str::FromStr;

use super::Digest;
use super::digest::DigestError;

/// Where names without a registry live.
pub const DEFAULT_REGISTRY: &str = "docker.io";
/// Where names of one part live, at the default registry alone.
const DEFAULT_NAMESPACE: &str = "library";
/// The tag that is meant where neither tag nor digest is given.
pub const DEFAULT_TAG: &str = "latest";
/// Of registry and repository together, in bytes (distribution/reference, `NameTotalLengthMax`).
const MAX_NAME: usize = 255;
const MAX_TAG: usize = 128;
/// Longer than any valid reference; what is longer is not even looked at.
const MAX_TEXT: usize = MAX_NAME + MAX_TAG + 128;

/// A checked name of an image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// Why a text names no image.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ReferenceError {
    #[error("the name of an image is empty")]
    Empty,
    #[error("the name of an image is longer than {MAX_NAME} bytes")]
    TooLong,
    #[error("`{name}`: {registry:?} is not a registry: expected `host` or `host:port`")]
    Registry { name: String, registry: String },
    #[error("`{name}`: the repository name must be lower case")]
    UpperCase { name: String },
    #[error(
        "`{name}`: {part:?} is not a part of a repository name: lower-case letters, digits, and single `.` `_` `-` between them"
    )]
    Repository { name: String, part: String },
    #[error("`{name}`: {tag:?} is not a tag: up to {MAX_TAG} letters, digits, `_`, `.`, `-`, the first no `.` or `-`")]
    Tag { name: String, tag: String },
    #[error("`{name}` is the form of an image id, not of a name")]
    Id { name: String },
    #[error("`{name}`: {source}")]
    Digest { name: String, source: DigestError },
}

impl Reference {
    /// `host` or `host:port`; `docker.io` for Docker Hub.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The path at the registry, without tag and digest: `library/debian`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// `registry/repository`: what `images` shows under REPOSITORY.
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    /// The same with the tag `latest` where neither tag nor digest was given.
    pub fn or_latest(mut self) -> Self {
        if self.tag.is_none() && self.digest.is_none() {
            self.tag = Some(DEFAULT_TAG.to_owned());
        }
        self
    }

    /// The one thing that is meant: with a digest the tag does not count, with neither it is `latest`.
    pub fn pinned(self) -> Self {
        match self.digest.clone() {
            Some(digest) => self.at(digest),
            None => self.or_latest(),
        }
    }

    /// The same without its tag, at this digest.
    pub fn at(&self, digest: Digest) -> Self {
        Self { tag: None, digest: Some(digest), ..self.clone() }
    }

    /// The same at another tag, which must be one, and without its digest.
    pub fn tagged(&self, tag: &str) -> Self {
        Self { tag: Some(tag.to_owned()), digest: None, ..self.clone() }
    }

    /// The same without its digest.
    pub fn without_digest(&self) -> Self {
        Self { digest: None, ..self.clone() }
    }

    /// Whether the text names its registry, so that nothing has to be guessed: `localhost/x`, `quay.io/x`, `host:5000/x`.
    pub fn is_qualified(text: &str) -> bool {
        registry_part(text).is_some()
    }
}

/// The first part, if it is a registry: it holds a `.` or `:`, is `localhost`, or has upper-case letters.
fn registry_part(text: &str) -> Option<(&str, &str)> {
    let (first, rest) = text.split_once('/')?;
    let registry = first == "localhost"
        || first.contains(['.', ':'])
        || first.starts_with('[')
        || first.bytes().any(|b| b.is_ascii_uppercase());
    registry.then_some((first, rest))
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if text.is_empty() {
            return Err(ReferenceError::Empty);
        }
        if text.len() > MAX_TEXT {
            return Err(ReferenceError::TooLong);
        }
        let name = || text.to_owned();
        if Digest::from_hex(text).is_ok() {
            return Err(ReferenceError::Id { name: name() });
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => {
                (rest, Some(digest.parse().map_err(|source| ReferenceError::Digest { name: name(), source })?))
            }
            None => (text, None),
        };
        let (registry, rest) = registry_part(rest).unwrap_or((DEFAULT_REGISTRY, rest));
        let (path, tag) = match rest.split_once(':') {
            Some((path, tag)) => (path, Some(tag)),
            None => (rest, None),
        };
        if !is_registry(registry) {
            return Err(ReferenceError::Registry { name: name(), registry: registry.to_owned() });
        }
        if let Some(part) = path.split('/').find(|part| !is_path_part(part)) {
            let upper = is_path_part(&part.to_ascii_lowercase());
            return Err(if upper {
                ReferenceError::UpperCase { name: name() }
            } else {
                ReferenceError::Repository { name: name(), part: part.to_owned() }
            });
        }
        if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
            return Err(ReferenceError::Tag { name: name(), tag: tag.to_owned() });
        }
        let registry = if registry == "index.docker.io" { DEFAULT_REGISTRY } else { registry };
        let repository = if registry == DEFAULT_REGISTRY && !path.contains('/') {
            format!("{DEFAULT_NAMESPACE}/{path}")
        } else {
            path.to_owned()
        };
        if registry.len() + 1 + repository.len() > MAX_NAME {
            return Err(ReferenceError::TooLong);
        }
        Ok(Self { registry: registry.to_owned(), repository, tag: tag.map(str::to_owned), digest })
    }
}

/// `host[:port]`, the host a DNS name, an IPv4 address, or an IPv6 address in brackets.
pub fn is_registry(text: &str) -> bool {
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let Some((address, port)) = rest.split_once(']') else { return false };
        if address.parse::<std::net::Ipv6Addr>().is_err() {
            return false;
        }
        ("", if port.is_empty() { None } else { Some(port.strip_prefix(':').unwrap_or("none")) })
    } else {
        match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        }
    };
    let bracketed = host.is_empty() && text.starts_with('[');
    (bracketed || host.split('.').all(is_host_part))
        && port.is_none_or(|port| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok())
}

/// Letters, digits and hyphens, no hyphen first or last.
fn is_host_part(part: &str) -> bool {
    !part.is_empty()
        && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !part.starts_with('-')
        && !part.ends_with('-')
}

/// Runs of `[a-z0-9]`, between them one of: `.`, `_`, `__`, any number of `-`.
fn is_path_part(part: &str) -> bool {
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = part.as_bytes();
    if !bytes.first().is_some_and(|b| word(*b)) || !bytes.last().is_some_and(|b| word(*b)) {
        return false;
    }
    bytes
        .split(|b| word(*b))
        .all(|separator| matches!(separator, b"" | b"." | b"_" | b"__") || separator.iter().all(|b| *b == b'-'))
}

/// `[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}`.
pub fn is_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let mut bytes = tag.bytes();
    tag.len() <= MAX_TAG && bytes.next().is_some_and(word) && bytes.all(|b| word(b) || b == b'.' || b == b'-')
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(text: &str) -> String {
        text.parse::<Reference>().map(|r| r.to_string()).unwrap_or_else(|e| format!("error: {e}"))
    }

    #[test]
    fn names_become_full() {
        let digest = format!("sha256:{}", "0f".repeat(32));
        for (text, expected) in [
            ("debian", "docker.io/library/debian"),
            ("debian:12", "docker.io/library/debian:12"),
            ("docker.io/debian", "docker.io/library/debian"),
            ("index.docker.io/debian", "docker.io/library/debian"),
            ("me/app:1", "docker.io/me/app:1"),
            ("localhost/app", "localhost/app"),
            ("localhost:5000/debian:12", "localhost:5000/debian:12"),
            ("quay.io/a/b/c__d.e--f_g", "quay.io/a/b/c__d.e--f_g"),
            ("[::1]:5000/x:y", "[::1]:5000/x:y"),
            ("[2001:db8::1]/x", "[2001:db8::1]/x"),
            ("Host/x", "Host/x"),
            ("127.0.0.1:80/a:V_1.2-3", "127.0.0.1:80/a:V_1.2-3"),
            (&format!("a:1@{digest}"), &format!("docker.io/library/a:1@{digest}")),
        ] {
            assert_eq!(full(text), expected, "{text}");
            assert_eq!(full(expected), expected, "{expected} stays");
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let long = format!("q.io/{}", "a".repeat(251));
        let tag = format!("a:{}", "b".repeat(129));
        for text in [
            "",
            "/",
            "a/",
            "/a",
            "a//b",
            "A",
            "a:",
            "a:.b",
            "a:b:c",
            "a@",
            "a@sha256:00",
            "a b",
            "a\n",
            "-a",
            "a-",
            "a..b",
            "a___b",
            "a._b",
            "quay.io:x/a",
            "quay.io:65536/a",
            "[::1/a",
            "[::g]/a",
            "[::1]5/a",
            "-q.io/a",
            "q..io/a",
            "../a",
            "a/../b",
            "http://a/b",
            &long,
            &tag,
            &"0f".repeat(32),
            "q.io/é",
        ] {
            assert!(text.parse::<Reference>().is_err(), "{text} was taken for {}", full(text));
        }
        assert!(long[..255].parse::<Reference>().is_ok());
    }

    #[test]
    fn what_is_not_said_is_filled_in() {
        assert!(Reference::is_qualified("localhost/x") && !Reference::is_qualified("x/y"));
        assert_eq!("a".parse::<Reference>().unwrap().or_latest().to_string(), "docker.io/library/a:latest");
    }
}
