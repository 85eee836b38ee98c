//! Names of images that begin with a transport (containers-transports(5)): where the image is, if not at a registry.

use std::path::PathBuf;

use super::{Format, Offered};
use crate::oci::Reference;

/// Where an image is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// `docker://NAME`, or a name without a transport.
    Registry(String),
    /// `containers-storage:NAME`: in this store.
    Store(String),
    Archive {
        format: Format,
        path: PathBuf,
        which: Which,
    },
}

/// Which of an archive's images are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    All,
    /// There must be no other.
    Only,
    Named(String),
    /// `@N`, from 0.
    Nth(usize),
}

const ARCHIVES: [(&str, Format); 4] = [
    ("docker-archive:", Format::DockerArchive),
    ("oci-archive:", Format::OciArchive),
    ("oci:", Format::OciDir),
    ("dir:", Format::DockerDir),
];

impl Format {
    /// The transport whose archives have this format.
    pub fn transport(self) -> &'static str {
        ARCHIVES.iter().find(|(_, format)| *format == self).map_or("", |(prefix, _)| prefix.trim_end_matches(':'))
    }
}

/// Transports that need what this program does without: a daemon, a repository of another program.
const REFUSED: [&str; 3] = ["docker-daemon:", "ostree:", "sif:"];

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TransportError {
    #[error("the transport `{0}` is not supported")]
    Refused(&'static str),
    #[error("`{0}` names no path")]
    NoPath(String),
}

impl Place {
    pub fn parse(text: &str) -> Result<Self, TransportError> {
        if let Some(name) = text.strip_prefix("docker://") {
            return Ok(Self::Registry(name.to_owned()));
        }
        if let Some(name) = text.strip_prefix("containers-storage:") {
            return Ok(Self::Store(name.to_owned()));
        }
        if let Some(transport) = REFUSED.into_iter().find(|transport| text.starts_with(transport)) {
            return Err(TransportError::Refused(transport.trim_end_matches(':')));
        }
        let archive = ARCHIVES.into_iter().find_map(|(prefix, format)| Some((text.strip_prefix(prefix)?, format)));
        let Some((rest, format)) = archive else { return Ok(Self::Registry(text.to_owned())) };
        let (path, which) = match rest.split_once(':') {
            // A directory of this transport holds one image, and its path may be any.
            _ if format == Format::DockerDir => (rest, Which::Only),
            Some((path, "")) => (path, Which::Only),
            Some((path, which)) => (path, Which::parse(which)),
            None => (rest, Which::Only),
        };
        match path.is_empty() {
            true => Err(TransportError::NoPath(text.to_owned())),
            false => Ok(Self::Archive { format, path: path.into(), which }),
        }
    }
}

impl Which {
    fn parse(text: &str) -> Self {
        let number = text.strip_prefix('@').and_then(|number| number.parse().ok());
        number.map_or_else(|| Self::Named(text.to_owned()), Self::Nth)
    }

    /// The name that something new gets in an archive.
    pub fn name(self) -> Option<String> {
        match self {
            Self::Named(name) => Some(name),
            Self::All | Self::Only | Self::Nth(_) => None,
        }
    }

    /// The names under which an image, the `place`th of its archive, is taken; `None`: it is not meant.
    pub fn names(&self, place: usize, image: &Offered) -> Option<Vec<String>> {
        match self {
            Self::All | Self::Only => Some(image.names.clone()),
            Self::Nth(wanted) => (*wanted == place).then(|| image.names.clone()),
            Self::Named(wanted) => {
                let full = |name: &str| name.parse::<Reference>().ok().map(Reference::or_latest);
                let is_meant =
                    |name: &&String| *name == wanted || full(name).is_some_and(|name| Some(name) == full(wanted));
                image.names.iter().find(is_meant).map(|name| vec![name.clone()])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transports_are_told_from_names() {
        let archive = |format, path: &str, which| Ok(Place::Archive { format, path: path.into(), which });
        let named = |name: &str| Which::Named(name.to_owned());
        for (text, expected) in [
            ("debian:12", Ok(Place::Registry("debian:12".into()))),
            ("docker://debian:12", Ok(Place::Registry("debian:12".into()))),
            ("dir/x:1", Ok(Place::Registry("dir/x:1".into()))),
            ("containers-storage:x", Ok(Place::Store("x".into()))),
            ("dir:/a:b", archive(Format::DockerDir, "/a:b", Which::Only)),
            ("oci:/a", archive(Format::OciDir, "/a", Which::Only)),
            ("oci-archive:a.tar:12", archive(Format::OciArchive, "a.tar", named("12"))),
            ("docker-archive:a.tar:q.io/x:1", archive(Format::DockerArchive, "a.tar", named("q.io/x:1"))),
            ("docker-archive:a.tar:@2", archive(Format::DockerArchive, "a.tar", Which::Nth(2))),
            ("docker-daemon:x", Err(TransportError::Refused("docker-daemon"))),
            ("oci::x", Err(TransportError::NoPath("oci::x".into()))),
        ] {
            assert_eq!(Place::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn a_name_picks_one_name_of_one_image() {
        let names = ["docker.io/library/x:1", "localhost/y:latest", "12"].map(str::to_owned).to_vec();
        let image = Offered { names: names.clone(), manifest: crate::oci::Digest::of(b"") };
        let pick = |text: &str| Which::parse(text).names(1, &image);
        assert_eq!(pick("x:1"), Some(vec![names[0].clone()]));
        assert_eq!(pick("localhost/y"), Some(vec![names[1].clone()]));
        assert_eq!(pick("12"), Some(vec![names[2].clone()]));
        assert_eq!((pick("@1"), pick("@0"), pick("x:2")), (Some(names), None, None));
    }
}
