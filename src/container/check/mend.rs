//! What can be made whole again without anything being lost.

use super::{Damage, Subject, layers};
use crate::container::Result;
use crate::host::change;
use crate::image::salvage;
use crate::store::Store;

/// What became of something damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mended {
    /// In words.
    Done(String),
    /// It can be done as soon as no container runs on it.
    InUse,
    No,
}

/// Makes something whole, if it can be; what depends on it may then be whole, too.
pub fn mend(store: &Store, damage: &Damage) -> Result<Mended> {
    Ok(match &damage.subject {
        _ if damage.is_waste => Mended::No,
        Subject::Directory(path) => {
            change::create_dir(path)?;
            Mended::Done("made again".to_owned())
        }
        Subject::Index => {
            let (named, unnamed) = salvage::index(store)?;
            Mended::Done(format!("made anew, with {named} names; images that have lost theirs: {unnamed}"))
        }
        Subject::Layer(mode, diff_id) => layers::restore(store, *mode, diff_id)?,
        Subject::Name(name, id) => {
            store.claim_name(name, id)?;
            Mended::Done("leads there again".to_owned())
        }
        _ => Mended::No,
    })
}
