//! Layers: a tar stream, as an image from anywhere brings it.

use std::fs::{self, File};
use std::io::{Cursor, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use coracle::host::change;
use coracle::layer::compression::{self, Window};
use coracle::layer::merged::{Merged, Owners};
use coracle::layer::pack::{self as packing, Form};
use coracle::layer::tar_stream::TarStream;
use coracle::layer::unpack as unpacking;
use coracle::store::layers::Mode;

/// A bomb is the disk's problem, not the fuzzer's.
const MOST: u64 = 1 << 20;

/// The reader ends, with an error or without, and never says more than it was given.
pub fn tar_stream(bytes: &[u8]) {
    let bytes = with_checksums(bytes);
    let mut stream = TarStream::new(bytes.as_slice());
    while let Ok(Some(entry)) = stream.next_entry() {
        assert!(!entry.path.contains(&0) && !entry.link.contains(&0));
        assert!(entry.mode <= 0o7777);
        while let Ok(piece) = stream.data() {
            let length = piece.len();
            if length == 0 {
                break;
            }
            stream.consume(length);
        }
        assert!(stream.position() <= bytes.len() as u64);
    }
}

/// Whatever comes out of a layer, compressed or not, nothing outside its root has changed.
pub fn unpack(bytes: &[u8]) {
    let scratch = super::scratch("unpack");
    let (root, canary) = (scratch.join("root"), scratch.join("canary"));
    if !canary.exists() {
        fs::write(&canary, "untouched").unwrap();
    }
    change::remove_tree(&root).unwrap();
    change::create_dir(&root).unwrap();
    let seen = |path: &Path| {
        let found = fs::symlink_metadata(path).unwrap();
        (found.ino(), found.mode(), found.nlink(), found.ctime(), found.ctime_nsec())
    };
    let before = seen(&canary);
    if let Ok(plain) = compression::plain(Cursor::new(with_checksums(bytes)), Window::default()) {
        let plain = std::io::BufReader::new(plain.take(MOST));
        let _ = unpacking::unpack(plain, File::open(&root).unwrap().as_fd(), Mode::Recorded);
    }
    fs::set_permissions(&root, PermissionsExt::from_mode(0o700)).unwrap();
    assert_eq!(seen(&canary), before);
    assert_eq!(fs::read_dir(&scratch).unwrap().count(), 2);
}

/// What a layer unpacks to is packed, unpacked and packed again to the same bytes.
pub fn pack(bytes: &[u8]) {
    let scratch = super::scratch("pack");
    let unpacked = |name: &str, bytes: &[u8]| {
        let root = scratch.join(name);
        change::remove_tree(&root).unwrap();
        change::create_dir(&root).unwrap();
        let done = unpacking::unpack(bytes, File::open(&root).unwrap().as_fd(), Mode::Recorded);
        fs::set_permissions(&root, PermissionsExt::from_mode(0o700)).unwrap();
        done.map(|_| root)
    };
    let packed = |root: &Path| {
        let mut bytes = Vec::new();
        let root = Merged::root(vec![(File::open(root).unwrap().into(), Owners::Disk)]);
        packing::pack(root, Form::LAYER, &[], &mut bytes).map(|_| bytes)
    };
    let bytes = with_checksums(bytes);
    let bytes = bytes.get(..MOST as usize).unwrap_or(&bytes);
    // A directory without permissions can't be read by who is not root.
    let Ok(Ok(first)) = unpacked("first", bytes).map(|root| packed(&root)) else { return };
    let again = unpacked("again", &first).expect("what was packed can be unpacked");
    assert!(packed(&again).unwrap() == first);
}

/// Makes the checksums of headers right: else no mutant would come past the first of them.
fn with_checksums(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for header in bytes.chunks_exact_mut(512).filter(|block| block[257..].starts_with(b"ustar")) {
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
    bytes
}
