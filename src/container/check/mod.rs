//! Whether what the store holds is whole, and what to do about what is not.
//!
//! A store is never half written by us, but disks lose bits and users remove files. What a killed command may leave is no damage:
//! directories in `tmp/`, names that lead nowhere, blobs and layers that no image names. Those are counted as damage only once they
//! are old, so that they can be removed.

mod layers;
mod mend;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

pub use mend::{Mended, mend};

use super::find::{self, Broken, Found};
use super::mount::volumes;
use super::state::Status;
use super::{Error, Result, life, publish};
use crate::host::change;
use crate::host::subid::IdMaps;
use crate::image::needs::Needs;
use crate::layer::measure;
use crate::layer::worker::{self, mode_for};
use crate::network::ports::SocketFile;
use crate::oci::Digest;
use crate::store::layers::{FS, LayerRecord, Mode};
use crate::store::networks::members::Member;
use crate::store::volumes::{DATA, Volume, Volumes};
use crate::store::{self, Store};

/// How to look.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// Not at every byte.
    pub quick: bool,
    /// How old a blob or layer may grow that no image and no container uses.
    pub max_age: Duration,
}

/// What is damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    Blob(Digest),
    Layer(Mode, Digest),
    /// A directory of the store.
    Directory(PathBuf),
    /// What names the images.
    Index,
    /// An image or index by the key of its entry, and how it is called.
    Image(Digest, String),
    Container(String),
    /// A name, and the id of the container that is to have it.
    Name(String, String),
    Volume(String),
    /// Its file, which is named after nothing that a user knows.
    Secret(PathBuf),
    Network(String),
    /// A claim of addresses: the network's id and the container's.
    Member(String, String),
    /// On which a port of a container was published.
    SocketFile(SocketFile),
}

#[derive(Debug)]
pub struct Damage {
    pub subject: Subject,
    pub why: String,
    /// It is whole, but old, and nothing uses it.
    pub is_waste: bool,
}

/// What is used, and what is there.
struct Survey<'a> {
    store: &'a Store,
    check: Check,
    blobs: BTreeSet<Digest>,
    layers: BTreeSet<(Mode, Digest)>,
    used_blobs: BTreeSet<Digest>,
    used_layers: BTreeSet<Digest>,
    found: Vec<Damage>,
}

impl Check {
    /// Looks at everything, and again at a store in which nothing is removed meanwhile if it does not look sound.
    pub fn run(self, store: &Store) -> Result<Vec<Damage>> {
        let missing = store.missing_directories();
        if !missing.is_empty() {
            let damage =
                |path| Damage { subject: Subject::Directory(path), why: "it is missing".into(), is_waste: false };
            return Ok(missing.into_iter().map(damage).collect());
        }
        if self.look(store).is_ok_and(|found| found.is_empty()) {
            return Ok(Vec::new());
        }
        let _lock = store.lock_shared()?;
        self.look(store)
    }

    fn look(self, store: &Store) -> Result<Vec<Damage>> {
        let mut survey = Survey {
            store,
            check: self,
            blobs: store.blobs()?.into_iter().collect(),
            layers: store.layers()?.into_iter().collect(),
            used_blobs: BTreeSet::new(),
            used_layers: BTreeSet::new(),
            found: Vec::new(),
        };
        survey.look_at_blobs()?;
        survey.look_at_layers()?;
        survey.look_at_images()?;
        survey.look_at_containers()?;
        survey.look_at_volumes()?;
        survey.look_at_secrets()?;
        survey.look_at_networks()?;
        // Without the index nobody knows what is used.
        if !survey.found.iter().any(|damage| damage.subject == Subject::Index) {
            survey.look_for_unused();
        }
        Ok(survey.found)
    }
}

impl Survey<'_> {
    fn report(&mut self, subject: Subject, why: impl ToString) {
        self.found.push(Damage { subject, why: why.to_string(), is_waste: false });
    }

    fn look_at_blobs(&mut self) -> Result<()> {
        if self.check.quick {
            return Ok(());
        }
        for digest in self.blobs.clone() {
            match self.store.hash_blob(&digest) {
                Ok(found) if found == digest => {}
                Ok(found) => {
                    self.blobs.remove(&digest);
                    self.report(Subject::Blob(digest), format!("its bytes have the digest {found}"));
                }
                Err(error) => {
                    self.blobs.remove(&digest);
                    self.report(Subject::Blob(digest), error);
                }
            }
        }
        Ok(())
    }

    fn look_at_layers(&mut self) -> Result<()> {
        let mut records = Vec::new();
        for (mode, diff_id) in self.layers.clone() {
            let why = match self.store.layer_record(mode, &diff_id) {
                Ok(Some(record)) if record.diff_id != diff_id => "its record is another layer's".to_owned(),
                Ok(Some(_)) if !self.store.layer_fs(mode, &diff_id).is_dir() => "its files are missing".to_owned(),
                Ok(Some(record)) => {
                    records.push((mode, record));
                    continue;
                }
                Ok(None) => "its record is missing".to_owned(),
                Err(error) => error.to_string(),
            };
            self.layers.remove(&(mode, diff_id.clone()));
            self.report(Subject::Layer(mode, diff_id), why);
        }
        if self.check.quick {
            return Ok(());
        }
        let path = |(mode, record): &(Mode, LayerRecord)| format!("{}-{}/{FS}", mode.name(), record.diff_id.hex());
        let paths: Vec<String> = records.iter().map(path).collect();
        let sizes = measure::sizes(&IdMaps::of_account()?, &self.store.layout().layers(), &paths)?;
        for ((mode, record), size) in records.into_iter().zip(sizes) {
            let blob = record.blob.as_ref().filter(|blob| self.blobs.contains(*blob));
            let why = match blob {
                _ if size != record.size => Some(format!("its files have {size} bytes, and had {}", record.size)),
                Some(blob) => layers::difference(self.store, mode, &record.diff_id, blob)?
                    .map(|path| format!("`{path}` is not as its blob has it")),
                None => None,
            };
            if let Some(why) = why {
                self.layers.remove(&(mode, record.diff_id.clone()));
                self.report(Subject::Layer(mode, record.diff_id), why);
            }
        }
        Ok(())
    }

    /// A layer that is not there at all is made again, if it can be.
    fn report_missing(&mut self, needs: &Needs) -> Result<()> {
        let mode = mode_for(&IdMaps::of_account()?);
        for (diff_id, sources) in &needs.sources {
            let there = Mode::ALL.into_iter().any(|mode| self.store.has_layer(mode, diff_id));
            let subject = Subject::Layer(mode, diff_id.clone());
            let is_known = there || self.found.iter().any(|damage| damage.subject == subject);
            if !is_known && sources.iter().any(|blob| self.blobs.contains(blob)) {
                self.report(subject, "it is missing");
            }
        }
        Ok(())
    }

    fn has_layer(&self, diff_id: &Digest) -> bool {
        Mode::ALL.into_iter().any(|mode| self.layers.contains(&(mode, diff_id.clone())))
    }

    fn look_at_images(&mut self) -> Result<()> {
        let mut seen = BTreeSet::new();
        let entries = match self.store.images() {
            Err(error @ store::Error::Record { .. }) => {
                self.report(Subject::Index, error);
                return Ok(());
            }
            entries => entries?,
        };
        for entry in &entries {
            if !seen.insert(entry.key().clone()) {
                continue;
            }
            let name = entry.name().map_or(entry.digest.to_string(), str::to_owned);
            let subject = Subject::Image(entry.key().clone(), name);
            let needs = match Needs::of(self.store, [entry]) {
                Ok(needs) => needs,
                Err(error) => {
                    self.used_blobs.insert(entry.digest.clone());
                    self.report(subject, error);
                    continue;
                }
            };
            let missing_blob = needs.blobs.iter().find(|blob| !self.blobs.contains(*blob));
            let missing_layer = needs.layers.iter().find(|layer| !self.has_layer(layer));
            let why = match (missing_blob, missing_layer) {
                (Some(blob), _) => Some(format!("its blob {blob} is missing or damaged")),
                (None, Some(layer)) => Some(format!("its layer {layer} is missing or damaged")),
                (None, None) => None,
            };
            if let Some(why) = why {
                self.report(subject, why);
            }
            self.report_missing(&needs)?;
            self.used_blobs.extend(needs.blobs);
            self.used_layers.extend(needs.layers);
        }
        let mut cached = Needs::default();
        cached.add_cached(self.store);
        self.used_blobs.extend(cached.blobs);
        self.used_layers.extend(cached.layers);
        Ok(())
    }

    fn look_at_containers(&mut self) -> Result<()> {
        let find::All { found, broken } = find::list(self.store)?;
        for Broken { id, error } in broken {
            self.report(Subject::Container(id), error);
        }
        // In the middle of a change, one has another name than its record says, or somebody else has that; who is being made has
        // none before it can be started.
        let (names, named): (BTreeSet<String>, BTreeSet<String>) = self.store.names()?.into_iter().unzip();
        let mut left = Vec::new();
        for found in found {
            let container = &found.container;
            let is_made = found.state().is_ok_and(|state| state.status != Status::Created) && !found.is_gone();
            if is_made && !names.contains(&container.name) && !named.contains(&container.id) {
                let subject = Subject::Name(container.name.clone(), container.id.clone());
                self.report(subject, format!("it does not lead to container {}", container.id));
            }
            let has = |diff_id: &&Digest| self.layers.contains(&(container.mode, (*diff_id).clone()));
            let missing = container.layers.iter().find(|diff_id| !has(diff_id));
            let why = match (missing, found.state()) {
                (Some(layer), _) => Some(format!("its layer {layer} is missing or damaged")),
                (None, Err(error)) => Some(error.to_string()),
                (None, Ok(_)) => ["upper", "work"]
                    .into_iter()
                    .find(|folder| !found.directory.join(folder).is_dir())
                    .map(|folder| format!("its directory `{folder}` is missing")),
            };
            if let Some(why) = why {
                self.report(Subject::Container(container.id.clone()), why);
            }
            if let Ok(state) = found.state()
                && !self.store.is_running(&container.id)
            {
                for file in publish::left(&state, container).filter(|file| self.is_old(&file.path)) {
                    let why = format!("nobody listens on it since container {} ended", container.id);
                    left.push(Damage { subject: Subject::SocketFile(file.clone()), why, is_waste: true });
                }
            }
            self.used_layers.extend(found.container.layers);
        }
        self.found.extend(left);
        Ok(())
    }

    fn look_at_volumes(&mut self) -> Result<()> {
        let Volumes { found, broken } = self.store.volumes()?;
        for (name, error) in broken {
            self.report(Subject::Volume(name), error);
        }
        for Volume { name, .. } in found {
            if !self.store.layout().volume(&name).join(DATA).is_dir() && self.store.has_volume(&name) {
                self.report(Subject::Volume(name), "its files are missing");
            }
        }
        Ok(())
    }

    fn look_at_secrets(&mut self) -> Result<()> {
        for (path, error) in self.store.secrets()?.broken {
            self.report(Subject::Secret(path), error);
        }
        Ok(())
    }

    /// Addresses that somebody has who does not run are free, but nobody has said so.
    fn look_at_networks(&mut self) -> Result<()> {
        for (name, error) in self.store.networks()?.broken {
            self.report(Subject::Network(name), error);
        }
        for network in self.store.networks_with_claims()? {
            for Member { container, addresses, .. } in self.store.claims(&network)? {
                let path = self.store.member_path(&network, &container);
                if !self.store.is_running(&container) && self.is_old(&path) {
                    let texts: Vec<String> = addresses.iter().map(ToString::to_string).collect();
                    let why = format!("it has {}, and does not run", texts.join(" and "));
                    self.found.push(Damage {
                        subject: Subject::Member(network.clone(), container),
                        why,
                        is_waste: true,
                    });
                }
            }
        }
        Ok(())
    }

    fn is_old(&self, path: &Path) -> bool {
        let written = path.metadata().and_then(|found| found.modified());
        written.is_ok_and(|written| SystemTime::now().duration_since(written).is_ok_and(|age| age > self.check.max_age))
    }

    fn look_for_unused(&mut self) {
        let old = |path: PathBuf| self.is_old(&path);
        let blobs = self.blobs.difference(&self.used_blobs).filter(|blob| old(self.store.blob_path(blob)));
        let layers = self.layers.iter().filter(|(mode, diff_id)| {
            !self.used_layers.contains(diff_id) && old(self.store.layer_path(*mode, diff_id))
        });
        let subjects: Vec<Subject> = blobs
            .map(|blob| Subject::Blob(blob.clone()))
            .chain(layers.map(|(mode, diff_id)| Subject::Layer(*mode, diff_id.clone())))
            .collect();
        let waste = |subject| Damage { subject, why: "nothing uses it".to_owned(), is_waste: true };
        self.found.extend(subjects.into_iter().map(waste));
    }
}

/// Removes what is damaged; containers, volumes, secrets and networks only by `force`, which ends containers that run. A volume that a container uses
/// stays.
pub fn repair(store: &Store, damage: &Damage, force: bool) -> Result<bool> {
    match &damage.subject {
        Subject::Container(_) | Subject::Volume(_) | Subject::Secret(_) | Subject::Network(_) if !force => {
            return Ok(false);
        }
        Subject::Volume(name) => match volumes::retire(store, name) {
            Ok(gone) => worker::remove_tmp(&IdMaps::of_account()?, gone)?,
            Err(Error::VolumeInUse { .. }) => return Ok(false),
            Err(error) => return Err(error),
        },
        Subject::Secret(path) => drop(change::remove_file(path)?),
        Subject::Network(name) => {
            let _lock = store.lock_networks()?;
            store.remove_network(name)?;
        }
        Subject::Member(network, _) => {
            let _lock = store.lock_networks()?;
            store.sweep_members(network)?;
        }
        Subject::SocketFile(file) => file.remove(),
        Subject::Container(id) => match find::find(store, id) {
            Ok(found) => remove(store, &found)?,
            Err(_) => life::remove::remove_broken(store, id, true)?,
        },
        // These are mended, or stay.
        Subject::Directory(_) | Subject::Index | Subject::Name(..) => return Ok(false),
        Subject::Image(key, _) => {
            let _lock = store.lock_exclusive()?;
            store.forget(key)?;
        }
        Subject::Blob(digest) => {
            let _lock = store.lock_exclusive()?;
            store.remove_blob(digest)?;
        }
        Subject::Layer(mode, diff_id) => {
            if !force && find::list(store)?.found.iter().any(|found| found.container.layers.contains(diff_id)) {
                return Ok(false);
            }
            let lock = store.lock_exclusive()?;
            let gone = store.retire_layer(*mode, diff_id)?;
            drop(lock);
            if let Some(gone) = gone {
                worker::remove_tmp(&IdMaps::of_account()?, gone)?;
            }
        }
    }
    Ok(true)
}

fn remove(store: &Store, found: &Found) -> Result<()> {
    life::remove::remove(store, found, true, Duration::ZERO)
}
