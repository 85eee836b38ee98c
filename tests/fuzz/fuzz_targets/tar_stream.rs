//! Any bytes, as a tar stream: the reader ends, with an error or without, and never says more than it was given.
#![no_main]

use coracle::layer::tar_stream::TarStream;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut stream = TarStream::new(bytes);
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
});
