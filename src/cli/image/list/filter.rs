//! `--filter` of `images`, with Podman's keys: what is given for `reference`, any of it must fit; of all else, all.

use std::collections::BTreeMap;

use crate::build::pattern::Pattern;
use crate::cli::Report;
use crate::cli::filter::has_label;
use crate::cli::output::time;
use crate::image::Error;
use crate::image::find::find_any;
use crate::image::list::{Listed, created};
use crate::oci::Reference;
use crate::oci::media_type::{ManifestKind, manifest_kind};
use crate::store::Store;

/// One test of an image.
#[derive(Debug)]
struct Filter {
    test: Test,
    /// `KEY!=VALUE`.
    negated: bool,
}

#[derive(Debug)]
enum Test {
    /// Made before this moment, in seconds since 1970.
    Before(i64),
    Since(i64),
    Containers(bool),
    /// No container of this program has it.
    NoneOfOurs,
    Dangling(bool),
    /// Without a name, and others were made on it.
    Intermediate(bool),
    Manifest(bool),
    ReadOnly(bool),
    Digest(String),
    Id(String),
    Label(String),
    /// A name, as it stands or by a pattern.
    Reference(String),
}

/// What `images` was asked to show.
#[derive(Debug)]
pub struct Filters {
    all: Vec<Filter>,
}

impl Filters {
    /// `before` and `since` look for images of the store.
    pub fn parse(store: &Store, given: &[String]) -> Result<Self, Report> {
        contradiction(given).map_or(Ok(()), Err)?;
        let all = given.iter().map(|text| parse(store, text)).collect::<Result<_, _>>()?;
        Ok(Self { all })
    }

    /// Whether how many containers an image has must be known.
    pub fn need_containers(&self) -> bool {
        self.all.iter().any(|filter| matches!(filter.test, Test::Containers(_) | Test::NoneOfOurs))
    }

    /// Whether what an image's config says must be known.
    pub fn need_configs(&self) -> bool {
        self.all.iter().any(|filter| matches!(filter.test, Test::Label(_)))
    }

    /// Whether somebody has said which steps on the way to other images are to be shown.
    pub fn speak_of_intermediate(&self) -> bool {
        self.all.iter().any(|filter| matches!(filter.test, Test::Intermediate(_)))
    }

    /// Keeps what fits; of an image that is meant by its names, those names.
    pub fn select(&self, images: &mut Vec<Listed>, containers: impl Fn(&Listed) -> u64) {
        let (names, rest): (Vec<&Filter>, Vec<&Filter>) =
            self.all.iter().partition(|filter| matches!(filter.test, Test::Reference(_)) && !filter.negated);
        images.retain(|listed| rest.iter().all(|filter| filter.test.fits(listed, &containers) != filter.negated));
        if !names.is_empty() {
            keep_names(images, |name| names.iter().any(|filter| filter.test.is_named(name)));
        }
    }
}

/// Filters of which only one can hold, with two values.
fn contradiction(given: &[String]) -> Option<Report> {
    const ONCE: [&str; 5] = ["containers", "dangling", "intermediate", "manifest", "readonly"];
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    let pairs = given.iter().filter_map(|text| text.split_once('='));
    let mut pairs = pairs.map(|(key, value)| (key.trim_end_matches('!'), value)).filter(|(key, _)| ONCE.contains(key));
    let (key, _) = pairs.find(|(key, value)| seen.insert(key, value).is_some_and(|before| before != *value))?;
    Some(Report::new(format!("specifying \"{key}\" filter more than once with different values is not supported")))
}

fn parse(store: &Store, text: &str) -> Result<Filter, Report> {
    let bad = |key: &str| {
        Report::new(format!("invalid image filter \"{key}\": must be in the format \"filter=value or filter!=value\""))
            .hint("filters are `after`, `before`, `containers`, `dangling`, `digest`, `id`, `intermediate`, `label`, `manifest`, `readonly`, `reference`, `since` and `until`")
    };
    let (key, value) = text.split_once('=').ok_or_else(|| bad(text))?;
    let (key, negated) = key.strip_suffix('!').map_or((key, false), |key| (key, true));
    let truth = || match value.to_lowercase().as_str() {
        "true" | "t" | "1" => Ok(true),
        "false" | "f" | "0" => Ok(false),
        _ => Err(Report::new(format!("non-boolean value \"{value}\" for {key} filter"))),
    };
    let moment = || {
        let unknown =
            |error: Error| Report::new(format!("could not find local image for filter \"{key}\"=\"{value}\": {error}"));
        let found = find_any(store, value).map_err(unknown)?;
        let found = found.ok_or_else(|| unknown(Error::Unknown { name: value.to_owned() }))?;
        Ok::<_, Report>(created(&found))
    };
    let test = match key {
        "before" => Test::Before(moment()?),
        "after" | "since" => Test::Since(moment()?),
        "until" => match time::moment(value) {
            // An image's time counts in whole seconds here, and what was made in this one was made before now.
            Some(moment) => Test::Before((moment.timestamp_micros() + 999_999).div_euclid(1_000_000)),
            None => return Err(Report::new(format!("failed to parse value as time or duration: \"{value}\""))),
        },
        "containers" => match value {
            "true" | "false" => Test::Containers(truth()?),
            "external" => Test::NoneOfOurs,
            _ => return Err(Report::new(format!("unsupported value \"{value}\" for containers filter"))),
        },
        "dangling" => Test::Dangling(truth()?),
        "intermediate" => Test::Intermediate(truth()?),
        "manifest" => Test::Manifest(truth()?),
        "readonly" => Test::ReadOnly(truth()?),
        "digest" if value.starts_with("sha256:") => Test::Digest(value.to_owned()),
        "digest" => return Err(Report::new(format!("invalid value \"{value}\" for digest filter"))),
        "id" => Test::Id(value.trim_start_matches("sha256:").to_owned()),
        "label" => Test::Label(value.to_owned()),
        "reference" => Test::Reference(value.to_owned()),
        _ => return Err(bad(key)),
    };
    Ok(Filter { test, negated })
}

impl Test {
    fn fits(&self, listed: &Listed, containers: impl Fn(&Listed) -> u64) -> bool {
        let image = &listed.image;
        match self {
            Self::Before(moment) => listed.created < *moment,
            Self::Since(moment) => listed.created > *moment,
            Self::Containers(wanted) => (containers(listed) > 0) == *wanted,
            Self::NoneOfOurs => containers(listed) == 0,
            Self::Dangling(wanted) => listed.is_dangling() == *wanted,
            Self::Intermediate(wanted) => listed.is_intermediate() == *wanted,
            // Nobody else's store is read.
            Self::ReadOnly(wanted) => !wanted,
            Self::Manifest(wanted) => is_index(listed) == *wanted,
            Self::Digest(start) => image.manifest_digest.to_string().starts_with(start),
            Self::Id(start) => image.id.hex().starts_with(start),
            Self::Label(label) => has_label(&image.config.config.labels, label),
            Self::Reference(_) => image.names.iter().any(|name| self.is_named(name)),
        }
    }

    fn is_named(&self, name: &str) -> bool {
        matches!(self, Self::Reference(pattern) if named(name, pattern))
    }
}

/// Whether it is a list of images for several platforms.
pub fn is_index(listed: &Listed) -> bool {
    listed.image.manifest.media_type.as_deref().and_then(manifest_kind) == Some(ManifestKind::Index)
}

/// Keeps what `pattern` means: images of such a name, with those of their names, or of an id that begins so.
pub fn keep_meant(images: &mut Vec<Listed>, pattern: &str) {
    if images.iter().any(|listed| listed.image.names.iter().any(|name| named(name, pattern))) {
        return keep_names(images, |name| named(name, pattern));
    }
    let start = pattern.trim_start_matches("sha256:");
    images.retain(|listed| !start.is_empty() && listed.image.id.hex().starts_with(start));
}

fn keep_names(images: &mut Vec<Listed>, keep: impl Fn(&str) -> bool) {
    for listed in images.iter_mut() {
        listed.image.names.retain(|name| keep(name));
    }
    images.retain(|listed| !listed.image.names.is_empty());
}

/// Whether a full name is meant by a pattern: the whole name or its end at a `/`, with or without the tag; `*`, `?` and `[a-z]` as
/// in a shell. What is no pattern means nothing.
fn named(name: &str, pattern: &str) -> bool {
    let (Ok(reference), Ok(pattern)) = (name.parse::<Reference>(), Pattern::new(pattern)) else {
        return name == pattern;
    };
    let repository = reference.name();
    let forms = [name, repository.as_str()];
    forms.into_iter().any(|form| {
        let mut rest = form;
        loop {
            if pattern.matches(rest) {
                return true;
            }
            match rest.split_once('/') {
                Some((_, end)) => rest = end,
                None => return false,
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_matched_at_slashes_and_by_patterns() {
        let name = "localhost:5000/team/debian:12";
        for good in [
            "debian",
            "debian:12",
            "team/debian",
            "localhost:5000/team/debian:12",
            "deb*",
            "*/debian:1?",
            "d*n:*",
            "[a-d]*:12",
        ] {
            assert!(named(name, good), "{good}");
        }
        for bad in ["bian", "debian:1", "team", "*x*", "", "team/*/x", "[e-z]*", "["] {
            assert!(!named(name, bad), "{bad}");
        }
    }
}
