//! What is no archive, and what two readers could read in two ways.

use super::*;

#[test]
fn malformed_archives_are_errors() {
    let huge = |size: u64| tar().file("a", "").change_last(|header| header.set_size(size)).end();
    let mut checksum = tar().file("a", "").end();
    checksum[0] = b'b';
    let cut = |length: usize| tar().file("a", "some data").end()[..length].to_vec();
    let pax = |key: &str, value: &[u8]| tar().pax(&[(key, value)]).file("a", "").end();
    let long = |length: usize| pax("path", "n/".repeat(length / 2).as_bytes());
    let big_header = |kind| tar().node("a", kind).change_last(|header| header.set_size(100 << 20)).end();
    bad(
        "malformed",
        &[
            ("data that never comes", huge(1 << 40), "ends within the data"),
            ("a size that overflows", huge(u64::MAX - 10), "ends within the data"),
            ("checksum", checksum, "checksum"),
            ("cut in a header", cut(300), "ends within a header"),
            ("cut in the data", cut(515), "ends within the data"),
            ("zeros between", [vec![0; 512], tar().file("a", "").end()].concat(), "between entries"),
            ("a large extended header", big_header(EntryType::XHeader), "is refused"),
            ("a large long name", big_header(EntryType::GNULongName), "is refused"),
            ("a large global header", big_header(EntryType::XGlobalHeader), "is refused"),
            ("not a number", pax("size", b"-5"), "malformed"),
            ("not a time", pax("mtime", b"nan"), "malformed"),
            ("a NUL", pax("path", b"a\0b"), "NUL"),
            ("a NUL in a link", tar().pax(&[("linkpath", b"a\0b")]).symlink("a", "").end(), "NUL"),
            ("a name of 256", pax("path", &[b'n'; 256]), "more than 255 bytes"),
            ("a path of 5000", long(5000), "more than 4095 bytes"),
            ("a type", tar().node("a", EntryType::new(b'Z')).end(), "does not know: `Z`"),
            ("a size by pax", tar().pax(&[("size", b"99999999")]).file("a", "").end(), "ends within the data"),
            ("a symlink to nothing", tar().symlink("a", "").end(), "symlinkat"),
        ],
    );
}

#[test]
fn the_size_of_an_extended_header_wins_and_links_have_no_data() {
    // RUSTSEC-2026-0068 and CVE-2025-62518: a reader that took the header's size would see another entry.
    let inner = tar().file("smuggled", "x").0;
    let by_pax = tar().pax(&[("size", inner.len().to_string().as_bytes())]).file("a", "").data(&inner).file("b", "");
    let long = |t: Tar| t.add(b"././@LongLink", EntryType::GNULongName, 0o644, b"", b"long");
    let long_between =
        long(tar().pax(&[("size", inner.len().to_string().as_bytes())])).file("a", "").data(&inner).file("b", "");
    let in_link = tar().file("a", "").add(b"l", EntryType::Link, 0o644, b"a", b"").change_last(|h| h.set_size(512));
    good(
        "sizes",
        &[
            ("pax", by_pax, &[("smuggled", "-"), ("b", "f644")]),
            // GHSA-3cv2-h65g-fgmm, GHSA-3pv8-6f4r-ffg2: it is the file's, and not that of a long name between the two.
            ("pax, then a long name", long_between, &[("smuggled", "-"), ("a", "-"), ("b", "f644")]),
            ("link", in_link.file("b", "x"), &[("b", "f644 x"), ("l", "f644")]),
        ],
    );
    // What follows the end is read, for the digest, and ignored.
    let scratch = Scratch::new("garbage");
    let bytes = [tar().file("a", "").end(), b"garbage".repeat(1000)].concat();
    assert_eq!(scratch.unpack(&bytes).unwrap().tar_size, bytes.len() as u64);
    // No end at all.
    assert_eq!(scratch.unpack(&tar().file("b", "").0).unwrap().entries, 1);
}

#[test]
fn extended_headers_in_every_order() {
    let long = |t: Tar, name: &[u8]| t.add(b"././@LongLink", EntryType::GNULongName, 0o644, b"", name);
    let global = |t: Tar, records: &[u8]| t.add(b"g", EntryType::XGlobalHeader, 0o644, b"", records);
    let path = |t: Tar, name: &str| t.pax(&[("path", name.as_bytes())]);
    good(
        "extended",
        &[
            ("for an extended header", path(path(tar(), "1"), "2").file("x", "x"), &[("2", "f644 x"), ("1", "-")]),
            (
                "of which the last has no path",
                path(tar(), "1").pax(&[("uid", b"0")]).file("x", "x"),
                &[("x", "f644 x")],
            ),
            ("a chain of long names", long(long(long(tar(), b"1"), b"2"), b"3").file("x", "x"), &[("3", "f644 x")]),
            ("a long name, then pax", path(long(tar(), b"gnu"), "pax").file("x", "x"), &[("gnu", "f644 x")]),
            ("pax, then a long name", long(path(tar(), "pax"), b"gnu").file("x", "x"), &[("gnu", "f644 x")]),
            ("a global path", global(tar(), b"10 path=y\n").file("x", "x"), &[("x", "f644 x"), ("y", "-")]),
            ("a global size", global(tar(), b"12 size=512\n").file("x", "x").file("z", ""), &[("z", "f644")]),
            ("global nonsense", global(tar(), b"\xff\0 what").file("x", "x"), &[("x", "f644 x")]),
            ("nothing behind it", path(tar().file("a", "x"), "b"), &[("a", "f644 x"), ("b", "-")]),
            ("a label", tar().add(b"/../label", EntryType::new(b'V'), 0, b"", b"").file("x", "x"), &[("x", "f644 x")]),
            (
                "for a directory, with a size",
                tar().pax(&[("size", b"512")]).dir("d", 0o755).file("x", "x"),
                &[("x", "f644 x")],
            ),
            ("a long name with its NUL", long(tar(), b"name\0/../../x").file("x", "x"), &[("name", "f644 x")]),
        ],
    );
    let pax = |records: &[u8]| tar().add(b"pax", EntryType::XHeader, 0o644, b"", records).file("a", "").end();
    let cases = [
        &b"x"[..],
        b"11 path",
        b"5 a=b\n",
        b"7 a=b\n",
        b"0 a=b\n",
        b"99 path=b\n",
        b"-6 a=b\n",
        b"4 =\n",
        b"5 ab\n",
        b"6 a=b\n\0\0\0",
        b"18446744073709551616 a=b\n",
        b"4294967302 a=b\n",
        b"06a=b\n",
        b" 6 a=b\n",
        b"6\ta=b\n",
    ];
    for records in cases {
        bad("records", &[("a record", pax(records), "`pax` is malformed: an extended header has a malformed record")]);
    }
}

#[test]
fn archives_that_are_none() {
    let whole = tar().file("a", "x").end();
    let text = b"#!/bin/sh\necho this is no archive\n".repeat(100);
    let html = b"<!DOCTYPE html><html><body>404".repeat(50);
    let mut cpio = b"070701".to_vec();
    cpio.resize(1024, b'0');
    let mut ascii_sum = tar().file("a", "").end();
    ascii_sum[148..156].copy_from_slice(b"sum sum ");
    bad(
        "none",
        &[
            ("a script", text, "checksum"),
            ("a page", html, "checksum"),
            ("a cpio archive", cpio, "checksum"),
            ("a checksum in words", ascii_sum, "no checksum"),
            ("one byte", vec![b'x'], "ends within a header"),
            ("511 zeros", vec![0; 511], "ends within a header"),
            ("zeros, then half a block", vec![0; 700], "ends within a header"),
            ("shifted by one", [&[0][..], &whole].concat(), "checksum"),
            ("a block of ones", vec![1; 512], "checksum"),
        ],
    );
    for (case, bytes, entries) in [
        ("nothing at all", vec![], 0),
        ("one block of zeros", vec![0; 512], 0),
        ("a megabyte of zeros", vec![0; 1 << 20], 0),
        ("a second archive behind the end", [whole.clone(), tar().file("b", "y").end()].concat(), 1),
        ("an end of one block", whole[..whole.len() - 512].to_vec(), 1),
    ] {
        let scratch = Scratch::new("almost");
        assert_eq!(scratch.unpack(&bytes).unwrap().entries, entries, "{case}");
        assert_eq!(describe(&scratch.root().join("b")), "-", "{case}");
    }
}
