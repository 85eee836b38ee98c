//! One archive of everything, cut and damaged everywhere.

use super::*;

/// All kinds of entries and extensions, aimed at the canary.
fn everything() -> Vec<u8> {
    tar()
        .dir("./", 0o755)
        .symlink("l", "../canary")
        .pax(&[("path", b"l/file"), ("SCHILY.xattr.user.a", b"b"), ("mtime", b"1.5")])
        .file("x", "data")
        .link("m", "l/file")
        .add(b"././@LongLink", EntryType::GNULongName, 0o644, b"", &[b'n'; 120])
        .file("x", "y")
        .node("null", EntryType::Char)
        .node("pipe", EntryType::Fifo)
        .file("d/.wh.file", "")
        .file("d/.wh..wh..opq", "")
        .pax(&[("GNU.sparse.size", b"1000"), ("GNU.sparse.map", b"0,3,997,3")])
        .file("s", "xxxend")
        .dir("d", 0o700)
        .file("l", "over the symlink")
        .end()
}

#[test]
fn an_archive_cut_anywhere_touches_nothing_else() {
    let whole = everything();
    let end = whole.len() - 1024;
    let scratch = Scratch::new("cut");
    for length in (0..whole.len()).filter(|length| length % 97 == 0 || length % 512 < 2) {
        let done = scratch.unpack(&whole[..length]);
        // Between two entries, too, an archive may end.
        assert!(done.is_err() || length % 512 == 0, "{length} of {end}");
    }
    scratch.assert_untouched("cut");
}

#[test]
fn an_archive_with_any_bit_flipped_touches_nothing_else() {
    let whole = everything();
    let scratch = Scratch::new("flipped");
    let mut refused = 0;
    for bit in (0..whole.len() * 8).step_by(53) {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        refused += usize::from(scratch.unpack(&flipped).is_err());
    }
    // Those in headers, at least: each has a checksum.
    assert!(refused > 500, "{refused}");
    scratch.assert_untouched("flipped");
}
