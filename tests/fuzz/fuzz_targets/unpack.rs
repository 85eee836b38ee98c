//! Any bytes, as a compressed layer, unpacked beside a canary: whatever comes out, nothing outside the root has changed.
#![no_main]

use std::fs::{self, File};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use coracle::host::change;
use coracle::layer::{compression, unpack};
use coracle::store::layers::Mode;
use libfuzzer_sys::fuzz_target;
use std::io::{BufReader, Read};

fuzz_target!(|bytes: &[u8]| {
    let scratch = std::env::temp_dir().join(format!("coracle-fuzz-{}", std::process::id()));
    let (root, canary) = (scratch.join("root"), scratch.join("canary"));
    if !canary.exists() {
        change::create_dirs(&scratch).unwrap();
        fs::write(&canary, "untouched").unwrap();
    }
    change::remove_tree(&root).unwrap();
    change::create_dir(&root).unwrap();
    let seen = |path| fs::symlink_metadata(path).map(|m: fs::Metadata| (m.ino(), m.mode(), m.ctime(), m.ctime_nsec())).unwrap();
    let before = seen(&canary);
    if let Ok(plain) = compression::plain(std::io::Cursor::new(bytes.to_vec())) {
        // A bomb is the disk's problem, not the fuzzer's.
        let _ = unpack::unpack(BufReader::new(plain.take(16 << 20)), File::open(&root).unwrap().as_fd(), Mode::Recorded);
    }
    let _ = fs::set_permissions(&root, PermissionsExt::from_mode(0o700));
    assert_eq!(seen(&canary), before);
    assert_eq!(fs::read_dir(&scratch).unwrap().count(), 2);
});
