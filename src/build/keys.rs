//! The key of a step: what its layer depends on, and nothing else.
//!
//! That is the layers below, by content; the time that no file of it may be younger than; the instruction with its variables
//! replaced; and all that it reads. So a label before a
//! RUN changes nothing for it, another user or variable does. Values of secrets are no part of it.

use sha2::{Digest as _, Sha256};

use crate::oci::Digest;

/// Another version of this program may make other layers of the same instruction.
const VERSION: &str = "coracle build step 2";

pub struct Key(Sha256);

impl Key {
    /// Of a step on these layers, the lowest first. `latest`: see [`crate::layer::pack::Form`].
    pub fn on<'a>(layers: impl IntoIterator<Item = &'a Digest>, latest: Option<i64>) -> Self {
        let mut key = Self(Sha256::new());
        key.part(VERSION);
        key.part(&latest.map(|time| time.to_string()).unwrap_or_default());
        layers.into_iter().for_each(|layer| key.part(layer.hex()));
        key.part("");
        key
    }

    /// One more thing that it depends on.
    pub fn part(&mut self, text: &str) {
        self.0.update((text.len() as u64).to_le_bytes());
        self.0.update(text);
    }

    /// Several, in their order.
    pub fn parts<'a>(&mut self, texts: impl IntoIterator<Item = &'a str>) {
        let texts: Vec<&str> = texts.into_iter().collect();
        self.part(&texts.len().to_string());
        texts.into_iter().for_each(|text| self.part(text));
    }

    pub fn finish(self) -> Digest {
        Digest::from_sha256(self.0.finalize().into())
    }
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
    }
}
