//! `--cache-from` and `--cache-to`: steps that others have made, and those that are given to them, at a registry.
//!
//! As with Podman: each step is an image of its own, of one layer, under a tag that is the step's key. Whoever can write there
//! decides what a build takes for its own result.

use crate::build::{Error, Result};
use crate::cli::Report;
use crate::cli::container::fetch;
use crate::cli::image::remove::remove_unused;
use crate::cli::output;
use crate::host::subid::IdMaps;
use crate::image::find::find;
use crate::image::make::New;
use crate::oci::image_config::History;
use crate::oci::media_type::Format;
use crate::oci::{Digest, ImageConfig, Platform, Reference};
use crate::store::build_cache::{CachedStep, Sources};

use super::base::Finder;

/// What others than registries keep, which is what Docker's builder has words for.
const ELSEWHERE: [&str; 6] = ["inline", "local", "gha", "s3", "azblob", "gcs"];

/// The repositories of `REPOSITORY` and `type=registry,ref=REPOSITORY[:TAG]`.
pub fn repositories(flag: &str, words: &[String]) -> std::result::Result<Vec<String>, Report> {
    let mut all = Vec::new();
    for word in words {
        let wrong = |text: &str| Report::new(format!("`--{flag}={word}`: {text}"));
        let (mut kind, mut name) = (None, None);
        match word.contains('=') {
            false => name = Some(word.as_str()),
            true => {
                for field in word.split(',') {
                    match field.split_once('=') {
                        Some(("type", value)) => kind = Some(value),
                        Some(("ref", value)) => name = Some(value),
                        // What it says of compression and the like changes nothing here.
                        _ => {}
                    }
                }
            }
        }
        if let Some(kind) = kind.filter(|kind| ELSEWHERE.contains(kind)) {
            output::complain(&format!(
                "warning: `--{flag}={word}`: nothing is kept in `{kind}` here, but on this machine"
            ));
            continue;
        }
        if let Some(kind) = kind.filter(|kind| *kind != "registry") {
            return Err(
                wrong(&format!("`{kind}` is not known")).hint("a repository, or `type=registry,ref=REPOSITORY`")
            );
        }
        let name = name.filter(|name| !name.is_empty()).ok_or_else(|| wrong("no repository is named"))?;
        let reference: Reference = name.parse().map_err(|error| wrong(&format!("{error}")))?;
        if kind.is_none() && (reference.tag().is_some() || reference.digest().is_some()) {
            return Err(
                wrong("a repository has neither tag nor digest").hint(format!("`--{flag}={}`", reference.name()))
            );
        }
        all.push(reference.name());
    }
    Ok(all)
}

impl Finder<'_> {
    /// The layer of a step, from the first repository that has it.
    pub fn pull_step(&self, key: &Digest) -> Option<CachedStep> {
        self.cache_from.iter().find_map(|repository| {
            let name = format!("{repository}:{}", key.hex());
            let id = fetch::pull_for(self.context, &name, true, (self.from, None), true).ok()?;
            let step = find(self.store, &id).ok().flatten().and_then(|found| {
                let [blob] = found.manifest.layers.as_slice() else { return None };
                let [diff_id] = found.layers.as_slice() else { return None };
                let history = found.config.history.first()?.clone();
                let (blob, diff_id) = (blob.layer_in(Format::Oci), diff_id.clone());
                Some(CachedStep {
                    diff_id,
                    blob,
                    created: history.created?,
                    instruction: history.created_by?,
                    parts: None,
                    sources: Sources::default(),
                })
            });
            let kept = step.filter(|step| self.store.cache_step(key, step).is_ok());
            // Remembered, its layer stays without a name.
            let _ = remove_unused(self.store, &name);
            kept
        })
    }

    /// Gives a step to all repositories that it is to go to.
    pub fn push_step(&self, key: &Digest, step: &CachedStep) -> Result<()> {
        for repository in &self.cache_to {
            let name = format!("{repository}:{}", key.hex());
            let Platform { architecture, os, variant, .. } = Platform::host();
            let created = Some(step.created.clone());
            let mut config =
                ImageConfig { architecture, os, variant, created: created.clone(), ..ImageConfig::default() };
            config.rootfs.kind = "layers".to_owned();
            config.history.push(History { created, created_by: Some(step.instruction.clone()), ..History::default() });
            let new = New {
                store: self.store,
                progress: &(),
                format: Format::Oci,
                below: vec![(step.blob.clone(), step.diff_id.clone())],
                config,
                annotations: Default::default(),
                name: Some(&name),
            };
            new.finish_without_layer(&IdMaps::of_account()?)?;
            let pushed = fetch::push(self.context, &name, true, self.from);
            let _ = remove_unused(self.store, &name);
            // It has said why.
            pushed.map_err(|_| Error::Hinted {
                text: format!("the step can't be pushed to `{repository}`"),
                hint: "without `--cache-to` steps are remembered on this machine alone".into(),
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_have_no_tags() {
        let of = |word: &str| repositories("cache-from", &[word.to_owned()]).ok();
        let one = |name: &str| Some(vec![name.to_owned()]);
        assert_eq!(of("registry.example.org/cache"), one("registry.example.org/cache"));
        assert_eq!(of("type=registry,ref=localhost:5000/c:main,mode=max"), one("localhost:5000/c"));
        assert_eq!(of("type=inline"), Some(Vec::new()));
        for bad in ["", "registry.example.org/cache:1", "type=registry", "type=other,ref=x", "x/UPPER"] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }
}
