//! How much containers hold: what they wrote themselves, and that with their images' layers.

use std::collections::BTreeMap;

use super::Result;
use super::find::Found;
use super::record::Container;
use crate::host::subid::IdMaps;
use crate::layer::measure;
use crate::store::Store;
use crate::store::volumes::DATA;

/// What some containers wrote, by id.
#[derive(Debug, Default)]
pub struct Sizes(BTreeMap<String, u64>);

impl Sizes {
    /// Looks at every file that they wrote.
    pub fn measure<'a>(store: &Store, containers: impl Iterator<Item = &'a Found>) -> Result<Self> {
        let ids: Vec<&str> = containers.map(|found| found.container.id.as_str()).collect();
        let paths: Vec<String> = ids.iter().map(|id| format!("{id}/upper")).collect();
        let sizes = measure::sizes(&IdMaps::of_account()?, &store.layout().containers(), &paths)?;
        Ok(Self(ids.into_iter().map(str::to_owned).zip(sizes).collect()))
    }

    /// Bytes that the container wrote, and those together with its layers.
    pub fn of(&self, store: &Store, found: &Found) -> (u64, u64) {
        let written = self.0.get(&found.container.id).copied().unwrap_or_default();
        let layer =
            |diff_id| store.layer_record(found.container.mode, diff_id).ok().flatten().map_or(0, |record| record.size);
        (written, written + found.container.layers.iter().map(layer).sum::<u64>())
    }
}

/// The names of the volumes that a container uses.
pub fn volume_names(container: &Container) -> impl Iterator<Item = &str> {
    container.mounts.iter().filter_map(|mount| Some(mount.volume()?.name.as_str()))
}

/// A volume, its bytes, and how many containers use it.
#[derive(Debug)]
pub struct VolumeSize {
    pub name: String,
    pub bytes: u64,
    pub users: usize,
}

/// All volumes, by name, and the use that these containers make of them.
pub fn volumes<'a>(store: &Store, containers: impl Iterator<Item = &'a Found>) -> Result<Vec<VolumeSize>> {
    let names: Vec<String> = store.volumes()?.found.into_iter().map(|volume| volume.name).collect();
    let paths: Vec<String> = names.iter().map(|name| format!("{name}/{DATA}")).collect();
    let sizes = measure::sizes(&IdMaps::of_account()?, &store.layout().volumes(), &paths)?;
    let used: Vec<&str> = containers.flat_map(|found| volume_names(&found.container)).collect();
    let users = |name: &String| used.iter().filter(|user| *user == name).count();
    Ok(names.into_iter().zip(sizes).map(|(name, bytes)| VolumeSize { users: users(&name), name, bytes }).collect())
}
