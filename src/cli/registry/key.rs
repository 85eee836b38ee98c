//! Under which key credentials are kept: a registry, or a namespace or repository there.

use crate::cli::Report;
use crate::oci::Registries;
use crate::oci::reference::{DEFAULT_REGISTRY, Reference, is_registry};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// `host[:port][/path]`.
    pub key: String,
    /// `host[:port]`.
    pub registry: String,
}

impl Key {
    /// What the user says, or else the first registry that short names are searched at.
    pub fn of(text: Option<&str>, registries: &Registries) -> Result<Self, Report> {
        match text.or(registries.searched().first().map(String::as_str)) {
            Some(text) => Self::parse(text),
            None => Err(Report::new("no registries found in registries.conf, a registry must be provided")
                .hint("as in `coracle login docker.io`")),
        }
    }

    fn parse(text: &str) -> Result<Self, Report> {
        let address = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        // Of an address only the host counts, as Docker writes `https://index.docker.io/v1/`.
        let key = address.map_or(text, |rest| rest.split('/').next().unwrap_or_default());
        let registry = key.split('/').next().unwrap_or_default();
        if !is_registry(registry) {
            return Err(Report::new(format!("`{text}` is no registry: expected `host` or `host:port`")));
        }
        if registry == "index.docker.io" && key == registry {
            return Ok(Self { key: DEFAULT_REGISTRY.to_owned(), registry: DEFAULT_REGISTRY.to_owned() });
        }
        if key != registry {
            let reference: Reference = key.parse().map_err(crate::image::Error::from)?;
            if reference.tag().is_some() || reference.digest().is_some() {
                return Err(Report::new(format!("reference {key:?} contains tag or digest")));
            }
        }
        Ok(Self { key: key.to_owned(), registry: registry.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_and_places_below_them() {
        let parts = |text: &str| Key::parse(text).map(|Key { key, registry }| format!("{key} {registry}")).ok();
        for (text, expected) in [
            ("q.io", Some("q.io q.io")),
            ("localhost:5000", Some("localhost:5000 localhost:5000")),
            ("q.io/ns/repo", Some("q.io/ns/repo q.io")),
            ("https://q.io/ns", Some("q.io q.io")),
            ("https://index.docker.io/v1/", Some("docker.io docker.io")),
            ("q.io/ns:1", None),
            ("q.io/NS", None),
            ("", None),
            ("q_.io", None),
        ] {
            assert_eq!(parts(text).as_deref(), expected, "{text}");
        }
    }
}
