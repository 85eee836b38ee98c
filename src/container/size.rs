//! How much containers hold: what they wrote themselves, and that with their images' layers.

use std::collections::BTreeMap;

use super::Result;
use super::find::Found;
use crate::host::subid::IdMaps;
use crate::layer::measure;
use crate::store::Store;

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
