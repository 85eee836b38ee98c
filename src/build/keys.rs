//! The key of a step: what its layer depends on, and nothing else.
//!
//! That is the layers below, by content; the time that no file of it may be younger than; the instruction with its variables
//! replaced; and all that it reads. So a label before a
//! RUN changes nothing for it, another user or variable does. Values of secrets are no part of it.

use sha2::{Digest as _, Sha256};

use crate::oci::Digest;
use crate::store::build_cache::Parts;

/// Another version of this program may make other layers of the same instruction.
const VERSION: &str = "coracle build step 2";

/// A key in the making: what lies below, then the instruction, then what it reads.
pub struct Key {
    below: Digest,
    instruction: Option<Digest>,
    /// Of the part that is being added to.
    now: Sha256,
}

/// The key of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepKey {
    pub digest: Digest,
    /// For who asks why a step is done again.
    pub parts: Parts,
}

impl Key {
    /// Of a step on these layers, the lowest first. `latest`: see [`crate::layer::pack::Form`].
    pub fn on<'a>(layers: impl IntoIterator<Item = &'a Digest>, latest: Option<i64>) -> Self {
        let mut below = Sha256::new();
        add(&mut below, &latest.map(|time| time.to_string()).unwrap_or_default());
        layers.into_iter().for_each(|layer| add(&mut below, layer.hex()));
        Self { below: Digest::from_sha256(below.finalize().into()), instruction: None, now: Sha256::new() }
    }

    /// One more thing that it depends on.
    pub fn part(&mut self, text: &str) {
        add(&mut self.now, text);
    }

    /// Several, in their order.
    pub fn parts<'a>(&mut self, texts: impl IntoIterator<Item = &'a str>) {
        let texts: Vec<&str> = texts.into_iter().collect();
        self.part(&texts.len().to_string());
        texts.into_iter().for_each(|text| self.part(text));
    }

    /// The instruction has been told; all that follows is what it reads.
    pub fn reads(&mut self) {
        let instruction = std::mem::take(&mut self.now);
        self.instruction = Some(Digest::from_sha256(instruction.finalize().into()));
    }

    pub fn finish(mut self) -> StepKey {
        if self.instruction.is_none() {
            self.reads();
        }
        let input = Digest::from_sha256(self.now.finalize().into());
        let parts = Parts { below: self.below, instruction: self.instruction.unwrap_or_else(|| input.clone()), input };
        let mut all = Sha256::new();
        add(&mut all, VERSION);
        [&parts.below, &parts.instruction, &parts.input].into_iter().for_each(|part| add(&mut all, part.hex()));
        StepKey { digest: Digest::from_sha256(all.finalize().into()), parts }
    }
}

fn add(hash: &mut Sha256, text: &str) {
    hash.update((text.len() as u64).to_le_bytes());
    hash.update(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_not_taken_for_others() {
        let key = |parts: &[&str]| {
            let mut key = Key::on([], None);
            key.parts(parts.iter().copied());
            key.finish()
        };
        assert_eq!(key(&["a", "b"]), key(&["a", "b"]));
        assert_ne!(key(&["ab"]), key(&["a", "b"]));
        assert_ne!(key(&["a", ""]), key(&["a"]));
        let layer = Digest::of(b"layer");
        assert_ne!(Key::on([&layer], None).finish(), Key::on([], None).finish());
        assert_ne!(Key::on([], Some(0)).finish(), Key::on([], None).finish());
        let read = |instruction: &str, input: &str| {
            let mut key = Key::on([], None);
            key.part(instruction);
            key.reads();
            key.part(input);
            key.finish()
        };
        assert_ne!(read("a", "b").digest, read("b", "a").digest);
        assert_eq!(read("a", "b").parts.instruction, read("a", "c").parts.instruction);
    }
}
