//! Sparse files: all four forms, and what lies in each.

use super::*;

#[test]
fn sparse_files_keep_their_holes() {
    let expected = [&[b'x'; 3][..], &[0; 99_997], b"end"].concat();
    let old = [("GNU.sparse.size", &b"100003"[..]), ("GNU.sparse.map", b"0,3,100000,3"), ("GNU.sparse.name", b"s")];
    let new = [("GNU.sparse.major", &b"1"[..]), ("GNU.sparse.realsize", b"100003"), ("GNU.sparse.name", b"s")];
    let mut map = b"2\n0\n3\n100000\n3\n".to_vec();
    map.resize(512, 0);
    map.extend_from_slice(b"xxxend");
    let gnu = tar().add(b"s", EntryType::GNUSparse, 0o644, b"", b"");
    let gnu = gnu.change_last(|header| {
        header.set_size(6);
        let gnu = header.as_gnu_mut().unwrap();
        gnu.set_real_size(100_003);
        for (place, (offset, length)) in [(0, 3), (100_000, 3)].into_iter().enumerate() {
            gnu.sparse[place].set_offset(offset);
            gnu.sparse[place].set_length(length);
        }
    });
    for (case, archive) in [
        ("0.1", tar().pax(&old).file("x", "xxxend")),
        ("1.0", tar().pax(&new).add(b"x", EntryType::Regular, 0o644, b"", &map)),
        ("gnu", gnu.data(b"xxxend")),
    ] {
        let scratch = Scratch::new("sparse");
        scratch.unpack(&archive.file("after", "y").end()).unwrap_or_else(|error| panic!("{case}: {error}"));
        let path = scratch.root().join("s");
        assert!(fs::read(&path).unwrap() == expected, "{case}");
        assert!(fs::metadata(&path).unwrap().blocks() * 512 < 50_000, "{case}: no hole");
        assert_eq!(describe(&scratch.root().join("after")), "f644 y", "{case}");
    }
    let map = |map: &[u8], size: &[u8]| {
        tar().pax(&[("GNU.sparse.size", size), ("GNU.sparse.map", map)]).file("x", "xxxend").end()
    };
    bad(
        "sparse",
        &[
            ("overlap", map(b"0,3,2,3", b"100"), "overlaps"),
            ("outside", map(b"0,3,98,3", b"100"), "leaves the file"),
            ("overflow", map(b"18446744073709551615,3,0,3", b"100"), "overflows"),
            ("too little data", map(b"0,3", b"100"), "differ in length"),
            ("exabytes", map(b"0,3,9223372036854775804,3", b"9223372036854775807"), "can't be made"),
            ("no size", tar().pax(&[("GNU.sparse.map", b"0,6")]).file("x", "xxxend").end(), "no size"),
        ],
    );
}

#[test]
fn zeros_become_a_hole() {
    let scratch = Scratch::new("zeros");
    let data = [&[1; 70_000][..], &[0; 400_000], &[2; 5], &[0; 200_000]].concat();
    scratch.unpack(&tar().add(b"a", EntryType::Regular, 0o644, b"", &data).end()).unwrap();
    let path = scratch.root().join("a");
    assert!(fs::read(&path).unwrap() == data);
    assert!(fs::metadata(&path).unwrap().blocks() * 512 < 300_000);
}

/// A sparse file of each form that claims this map and size; the data is six bytes.
fn forms(map: &[(u64, u64)], size: u64) -> [(&'static str, Vec<u8>); 4] {
    let (number, size_text) = (|n: u64| n.to_string().into_bytes(), size.to_string());
    let texts: Vec<_> = map.iter().flat_map(|(offset, length)| [number(*offset), number(*length)]).collect();
    let size = size_text.as_bytes();
    let mut pairs = vec![("GNU.sparse.size", size)];
    let keys = ["GNU.sparse.offset", "GNU.sparse.numbytes"].into_iter().cycle();
    pairs.extend(keys.zip(&texts).map(|(key, text)| (key, text.as_slice())));
    let list = texts.join(&b',');
    let lines =
        [number(map.len() as u64)].iter().chain(&texts).map(|text| [text, &b"\n"[..]].concat()).collect::<Vec<_>>();
    let mut lines = lines.concat();
    lines.resize(lines.len().next_multiple_of(512), 0);
    lines.extend_from_slice(b"xxxend");
    let major = [("GNU.sparse.major", &b"1"[..]), ("GNU.sparse.realsize", size)];
    let gnu = tar().add(b"s", EntryType::GNUSparse, 0o644, b"", b"").change_last(|header| {
        header.set_size(6);
        let gnu = header.as_gnu_mut().unwrap();
        gnu.set_real_size(size_text.parse().unwrap());
        for (place, (offset, length)) in map.iter().enumerate() {
            gnu.sparse[place].set_offset(*offset);
            gnu.sparse[place].set_length(*length);
        }
    });
    [
        ("0.0", tar().pax(&pairs).file("s", "xxxend").end()),
        ("0.1", tar().pax(&[("GNU.sparse.size", size), ("GNU.sparse.map", &list)]).file("s", "xxxend").end()),
        ("1.0", tar().pax(&major).add(b"s", EntryType::Regular, 0o644, b"", &lines).end()),
        ("GNU", gnu.data(b"xxxend").end()),
    ]
}

#[test]
fn lies_in_every_form() {
    type Lie = (&'static str, &'static [(u64, u64)], u64, &'static str);
    const LIES: [Lie; 10] = [
        ("overlap", &[(0, 4), (2, 2)], 100, "overlaps"),
        ("the same place twice", &[(0, 3), (0, 3)], 100, "overlaps"),
        ("backwards", &[(50, 3), (0, 3)], 100, "overlaps"),
        ("behind the end", &[(0, 3), (98, 3)], 100, "leaves the file"),
        ("a size of nothing", &[(0, 6)], 0, "leaves the file"),
        ("a size too small", &[(0, 6)], 5, "leaves the file"),
        ("too little data", &[(0, 7)], 100, "differ in length"),
        ("too much data", &[(0, 5)], 100, "differ in length"),
        ("an exabyte of data", &[(0, 1 << 60)], 1 << 61, "differ in length"),
        ("an exabyte of holes", &[(0, 3), ((1 << 60) - 3, 3)], 1 << 60, "`s` can't be made"),
    ];
    for (lie, map, size, words) in LIES {
        for (form, archive) in forms(map, size) {
            bad("lies", &[(&format!("{lie}, {form}"), archive, words)]);
        }
    }
    for (form, archive) in forms(&[(0, 3), (3, 3)], 6) {
        let scratch = Scratch::new("truth");
        scratch.unpack(&archive).unwrap_or_else(|error| panic!("{form}: {error}"));
        assert_eq!(describe(&scratch.root().join("s")), "f644 xxxend", "{form}");
    }
}

#[test]
fn maps_that_can_not_be_read() {
    let list =
        |map: &[u8]| tar().pax(&[("GNU.sparse.size", b"100"), ("GNU.sparse.map", map)]).file("s", "xxxend").end();
    let lines = |lines: &[u8]| {
        let records = [("GNU.sparse.major", &b"1"[..]), ("GNU.sparse.realsize", b"100")];
        tar().pax(&records).add(b"s", EntryType::Regular, 0o644, b"", lines).end()
    };
    let records = |records: &[(&str, &[u8])]| tar().pax(records).file("s", "xxxend").end();
    let extended = |blocks: &[u8]| {
        let mut archive = tar().add(b"s", EntryType::GNUSparse, 0o644, b"", b"").change_last(|header| {
            header.as_gnu_mut().unwrap().isextended = [1];
        });
        archive.0.extend_from_slice(blocks);
        archive.0
    };
    let mut endless = [0; 512];
    endless[504] = 1;
    let ustar = tar().add(b"s", EntryType::GNUSparse, 0o644, b"", b"").change_last(|header| {
        header.as_mut_bytes()[257..265].copy_from_slice(b"ustar\x0000");
    });
    bad(
        "maps",
        &[
            ("odd", list(b"0,3,9"), "malformed"),
            ("letters", list(b"0,x"), "malformed"),
            ("negative", list(b"0,-3"), "malformed"),
            ("empty numbers", list(b",,,"), "malformed"),
            ("2^64", list(b"0,18446744073709551616"), "malformed"),
            ("2^64 in all", list(b"18446744073709551615,1"), "overflow"),
            (
                "a length without a place",
                records(&[("GNU.sparse.numbytes", b"6"), ("GNU.sparse.size", b"6")]),
                "malformed",
            ),
            ("a size in words", records(&[("GNU.sparse.size", b"large")]), "malformed"),
            ("no size", records(&[("GNU.sparse.offset", b"0"), ("GNU.sparse.numbytes", b"6")]), "no size"),
            ("no lines", lines(b""), "malformed"),
            ("a count in words", lines(b"two\n0\n3\n"), "malformed"),
            ("a count of 2^40", lines(b"1099511627776\n0\n3\n"), "malformed"),
            ("a negative count", lines(b"-1\n"), "malformed"),
            ("fewer lines than it says", lines(b"4\n0\n3\n"), "malformed"),
            ("a line without an end", lines(&[b'1'; 600]), "malformed"),
            ("no padding behind the map", lines(b"1\n0\n0\n"), "malformed"),
            ("GNU, cut in its map", extended(&[0; 100]), "ends within"),
            ("GNU, without the rest of its map", extended(&[]), "ends within a sparse map"),
            ("GNU, a map without an end", extended(&endless.repeat(100)), "ends within a sparse map"),
            ("GNU's type in another format", ustar.end(), "outside the GNU format"),
        ],
    );
}

/// A map of as many pieces as there may be costs no memory to speak of; one more is refused.
#[test]
fn maps_have_a_longest() {
    let lines = |count: usize| {
        let mut lines = format!("{count}\n").into_bytes();
        (0..count).for_each(|place| lines.extend_from_slice(format!("{}\n0\n", place * 2).as_bytes()));
        lines.resize(lines.len().next_multiple_of(512), 0);
        let records = [("GNU.sparse.major", &b"1"[..]), ("GNU.sparse.realsize", b"10000000")];
        tar().pax(&records).add(b"s", EntryType::Regular, 0o644, b"", &lines).end()
    };
    let scratch = Scratch::new("longest-map");
    assert_eq!(scratch.unpack(&lines(1 << 20)).unwrap().size, 10_000_000);
    bad("longest-map", &[("one more", lines((1 << 20) + 1), "malformed")]);
}
