//! What whoever waits for a pull is told.

use crate::oci::{Digest, Platform, Reference};

/// Takes the events of a pull, from several threads at once.
pub trait Progress: Sync {
    fn event(&self, event: Event<'_>);
}

/// What happens. The digest of a layer is that of its compressed blob, as its manifest lists it.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// The registry is asked for this image.
    Trying {
        image: &'a Reference,
    },
    /// The image was made for another platform than this machine's, and there is no other.
    OtherPlatform {
        image: &'a Platform,
        wanted: &'a Platform,
    },
    /// The layer is here already.
    Present {
        layer: &'a Digest,
    },
    /// Another process is fetching the same layer.
    Waiting {
        layer: &'a Digest,
    },
    /// The layer is fetched; `size` is in bytes, compressed.
    Started {
        layer: &'a Digest,
        size: u64,
    },
    /// So many bytes of the layer have come.
    Received {
        layer: &'a Digest,
        bytes: u64,
    },
    /// The connection broke; the layer is fetched on from this byte.
    Again {
        layer: &'a Digest,
        from: u64,
        reason: &'a str,
    },
    /// The layer is unpacked and checked.
    Done {
        layer: &'a Digest,
    },
    Config {
        digest: &'a Digest,
    },
    /// Of the images of an index, this one is next.
    Instance {
        manifest: &'a Digest,
        number: usize,
        of: usize,
    },
    /// All is here; it is synced to the disk and gets its name.
    Writing,
}

/// For who is not waiting.
impl Progress for () {
    fn event(&self, _: Event<'_>) {}
}
