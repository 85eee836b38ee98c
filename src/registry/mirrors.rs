//! An image at the first of its sources that has it: mirrors in turn, then its own registry.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use super::{Attempts, Blob, Client, Content, Error, Options, Patience, Registry, Result, TlsVerify};
use crate::oci::registries::Source;
use crate::oci::{Digest, Reference, Registries};

/// The sources of one image, each with a client once it is asked.
pub struct Mirrors {
    sources: Vec<Place>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The source that had the manifest, or one behind it: all else comes from there, or from those behind it.
    chosen: Option<usize>,
    /// The source from which each blob comes.
    serving: BTreeMap<Digest, usize>,
}

struct Place {
    source: Source,
    /// That of the image, as its user names it.
    tag: Option<String>,
    options: Options,
    client: OnceLock<Client>,
}

impl Mirrors {
    /// Those of `image`. What the user gives as credentials is for the registry that the image names, and for no other.
    pub fn of(image: &Reference, registries: &Registries, options: &Options) -> Result<Self> {
        let image = image.clone().or_latest();
        let place = |source: Source| {
            let options = options_for(&source, &image, options);
            Place { source, tag: image.tag().map(str::to_owned), options, client: OnceLock::new() }
        };
        let sources = registries.sources(&image)?.into_iter().map(place).collect();
        Ok(Self { sources, state: Mutex::default() })
    }

    /// Where `image` itself is, and how that is reached: a push goes to no mirror.
    pub fn own(image: &Reference, registries: &Registries, options: &Options) -> Result<(Reference, Options)> {
        let own = registries.sources(image)?.pop();
        let source = own.unwrap_or_else(|| Source { reference: image.clone(), insecure: false });
        let options = options_for(&source, image, options);
        Ok((source.reference, options))
    }
}

fn options_for(source: &Source, image: &Reference, options: &Options) -> Options {
    let mut options = options.clone();
    if source.insecure && options.tls_verify == TlsVerify::Unset {
        options.tls_verify = TlsVerify::No;
    }
    options.credentials = options.credentials.filter(|_| source.reference.registry() == image.registry());
    options
}

impl Mirrors {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All tags of the repository, as its own registry has them: a mirror may lack some.
    pub fn tags(&self) -> Result<Vec<String>> {
        match self.sources.last() {
            Some(own) => own.client()?.tags(&own.source.reference),
            None => Err(together(Vec::new())),
        }
    }
}

impl Place {
    fn client(&self) -> Result<&Client> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = Client::new(&self.source.reference, &self.options)?;
        Ok(self.client.get_or_init(|| client))
    }

    /// The image, or a part of it, as it is called here.
    fn name(&self, image: &Reference) -> Reference {
        match (image.digest(), image.tag()) {
            (Some(digest), _) => self.source.reference.at(digest.clone()),
            // A location may name another tag; beside the image are its signatures.
            (None, Some(tag)) if Some(tag) != self.tag.as_deref() => self.source.reference.tagged(tag),
            (None, _) => self.source.reference.clone(),
        }
    }

    /// With a digest, no other bytes than those.
    fn manifest(&self, image: &Reference) -> Result<Content> {
        let client = self.client()?;
        let content = client.manifest(&self.name(image))?;
        match image.digest().map(|wanted| (wanted, Digest::of(&content.bytes))) {
            Some((wanted, found)) if *wanted != found => {
                Err(client.protocol(&format!("what it sends as the manifest `{wanted}` has the digest `{found}`")))
            }
            _ => Ok(content),
        }
    }
}

impl Registry for Mirrors {
    fn attempts(&self) -> Attempts {
        let patience = self.sources.first().map(|place| place.options.patience).unwrap_or_default();
        Attempts::new(&patience)
    }

    fn stall(&self) -> Duration {
        self.sources.first().map_or(Patience::default().stall, |place| place.options.patience.stall)
    }

    fn leave(&self, blob: &Digest) -> bool {
        let mut state = self.state();
        let State { chosen, serving } = &mut *state;
        let Some(next) = serving.remove(blob).map(|failed| failed + 1).filter(|next| *next < self.sources.len()) else {
            return false;
        };
        // Other blobs that come from there may have left it already.
        *chosen = (*chosen).max(Some(next));
        true
    }

    fn manifest(&self, image: &Reference) -> Result<Content> {
        // What has a digest is the same wherever it is; a tag means what it means where the image is.
        let (first, several) = match self.state().chosen {
            Some(chosen) => (chosen, image.digest().is_some()),
            None => (0, true),
        };
        let places = self.sources.iter().enumerate().skip(first).take(if several { usize::MAX } else { 1 });
        let mut failures = Vec::new();
        for (number, place) in places {
            match place.manifest(image) {
                Ok(content) => {
                    self.state().chosen.get_or_insert(number);
                    return Ok(content);
                }
                Err(error) => failures.push((place.name(image), error)),
            }
        }
        Err(together(failures))
    }

    fn blob(&self, image: &Reference, digest: &Digest, from: u64) -> Result<Blob> {
        let first = self.state().chosen.unwrap_or_default();
        let mut failures = Vec::new();
        // A blob is the same wherever it is: one that a mirror lacks, or fails to send, may be behind it.
        for (number, place) in self.sources.iter().enumerate().skip(first) {
            match place.client().and_then(|client| client.blob(&place.name(image), digest, from)) {
                Ok(blob) => {
                    self.state().serving.insert(digest.clone(), number);
                    return Ok(blob);
                }
                Err(error) => failures.push((place.name(image), error)),
            }
        }
        Err(together(failures))
    }
}

/// What is told is what the image's own registry says, and that the mirrors had it neither.
fn together(mut failures: Vec<(Reference, Error)>) -> Error {
    let Some((_, own)) = failures.pop() else {
        return Error::Client { cause: "there is no source of the image".to_owned() };
    };
    if failures.is_empty() {
        return own;
    }
    // Who has failed for a moment only may have it in another.
    let transient = own.is_transient() || failures.iter().any(|(_, error)| error.is_transient());
    let passing = failures.iter().map(|(_, error)| error).chain([&own]).filter(|error| error.is_transient());
    let wait = passing.filter_map(Error::retry_after).max();
    let mirrors = failures.iter().map(|(name, error)| format!("`{name}`: {error}")).collect::<Vec<_>>().join("; ");
    Error::Mirrors { own: Box::new(own), mirrors, transient, wait }
}
