//! Names: what climbs, what symlinks lead to, what is long, odd or deep.

use super::*;

const CANARY: &str = "../canary/file";

#[test]
fn names_that_climb_are_errors() {
    let climbs = |archive: Tar| archive.end();
    bad(
        "climb",
        &[
            ("dot dot", climbs(tar().file(CANARY, "x")), "climbs above the root"),
            ("hidden", climbs(tar().file("./../canary/file", "x")), "climbs"),
            ("lexical", climbs(tar().file("a/../../canary/file", "x")), "climbs"),
            ("absolute", climbs(tar().file("/../canary/file", "x")), "climbs"),
            ("directory", climbs(tar().dir("../canary/dir", 0o777)), "climbs"),
            ("link out", climbs(tar().link("a", CANARY)), "climbs"),
            ("whiteout", climbs(tar().file("../canary/.wh.file", "")), "climbs"),
            ("opaque", climbs(tar().file("../canary/.wh..wh..opq", "")), "climbs"),
            ("pax path", climbs(tar().pax(&[("path", CANARY.as_bytes())]).file("a", "x")), "climbs"),
            ("empty", climbs(tar().file("", "x")), "empty name"),
            ("root is a file", climbs(tar().file("./", "x")), "root of the layer"),
            ("root is a link", climbs(tar().symlink("/", "/canary")), "root of the layer"),
            ("root by dots", climbs(tar().symlink("a/..", "/canary")), "root of the layer"),
        ],
    );
}

#[test]
fn what_symlinks_name_is_inside() {
    let scratch = Scratch::new("inside-name");
    let canary = scratch.path.join("canary");
    let absolute = canary.to_str().unwrap();
    let inside = format!("{absolute}/file");
    let inside = inside.trim_start_matches('/');
    let chain = (0..30).fold(tar().dir("d", 0o755), |t, i| t.symlink(&format!("l{i}"), &format!("l{}", i + 1)));
    good(
        "inside",
        &[
            ("absolute name", tar().file(&format!("/{inside}"), "x"), &[(inside, "f644 x")]),
            ("absolute parent", tar().symlink("l", absolute).file("l/file", "x"), &[(inside, "f644 x")]),
            ("climbing parent", tar().symlink("l", "../canary").file("l/file", "x"), &[("canary/file", "f644 x")]),
            ("far up", tar().symlink("l", "../../../..").file("l/a", "x"), &[("a", "f644 x")]),
            ("to the root", tar().symlink("l", "/").dir("l/d", 0o700), &[("d", "d700"), ("l", "l /")]),
            ("in the layer", tar().dir("usr", 0o755).symlink("l", "usr").file("l/a", "x"), &[("usr/a", "f644 x")]),
            (
                "dangling",
                tar().symlink("lib", "usr/lib").file("lib/a", "x"),
                &[("usr/lib/a", "f644 x"), ("usr", "d755")],
            ),
            ("chain", chain.symlink("l30", "d").file("l0/a", "x"), &[("d/a", "f644 x")]),
            (
                "whiteout through a link",
                tar().dir("d", 0o755).symlink("l", "d").file("l/.wh.a", ""),
                &[("d/a", "whiteout 0")],
            ),
            ("link through a link", tar().file("d/a", "x").symlink("l", "/d").link("b", "l/a"), &[("b", "f644 x")]),
            (
                "a file over a link",
                tar().symlink("l", &format!("/{inside}")).file("l", "x"),
                &[("l", "f644 x"), (inside, "-")],
            ),
            (
                "a directory over a link",
                tar().dir("d", 0o750).symlink("l", "d").dir("l", 0o700),
                &[("l", "d700 opaque=y"), ("d", "d750")],
            ),
            ("a link to a symlink", tar().symlink("l", absolute).link("m", "l"), &[("m", &format!("l {absolute}"))]),
        ],
    );
    bad(
        "inside",
        &[
            ("loop", tar().symlink("a", "b").symlink("b", "a").file("a/x", "").end(), "too many symbolic links"),
            ("self", tar().symlink("a", "a").file("a/x", "").end(), "too many symbolic links"),
            ("file as parent", tar().file("a", "").file("a/x", "").end(), "which is not a directory"),
        ],
    );
}

#[test]
fn nothing_of_any_kind_climbs() {
    type Kind = (&'static str, fn(Tar, &str) -> Tar);
    const KINDS: [Kind; 12] = [
        ("file", |t, way| t.file(way, "x")),
        ("directory", |t, way| t.dir(way, 0o777)),
        ("symlink", |t, way| t.symlink(way, "a")),
        ("hard link", |t, way| t.file("a", "x").link(way, "a")),
        ("link's target", |t, way| t.link("a", way)),
        ("fifo", |t, way| t.node(way, EntryType::Fifo)),
        ("character device", |t, way| t.node(way, EntryType::Char)),
        ("block device", |t, way| t.node(way, EntryType::Block)),
        ("whiteout", |t, way| t.file(&format!("{way}/.wh.file"), "")),
        ("opaque mark", |t, way| t.file(&format!("{way}/.wh..wh..opq"), "")),
        ("pax path", |t, way| t.named(way.as_bytes(), "x")),
        ("long name", |t, way| {
            let long = [way.as_bytes(), b"\0"].concat();
            t.add(b"././@LongLink", EntryType::GNULongName, 0o644, b"", &long).file("x", "x")
        }),
    ];
    let ways = [
        "..",
        "../canary/file",
        "/../canary/file",
        "./../canary/file",
        "a/../../canary/file",
        "a/b/../../../canary/file",
        "a//.././..//canary/file",
        "../../../../../../../../../../../tmp",
    ];
    for (kind, add) in KINDS {
        let cases = ways.map(|way| (way, add(tar(), way).end(), "climbs above the root"));
        bad(&format!("climbing-{}", kind.replace(' ', "-")), &cases);
    }
}

#[test]
fn names_of_all_sorts_are_kept_as_they_are() {
    let deep = "d/".repeat(2047);
    let long = "n".repeat(255);
    let odd: [&[u8]; 14] = [
        b"\xff\xfe\x80",
        "\u{202e}gpj.exe".as_bytes(),
        b"line\nbreak",
        b"\x1b[2Jescape",
        b"\x7f",
        b"-rf",
        b" ",
        b"...",
        b"..a",
        b"back\\slash",
        b"C:",
        b".wh",
        b"..wh.x",
        b".WH.x",
    ];
    for name in odd {
        let scratch = Scratch::new("odd");
        scratch.unpack(&tar().named(name, "x").end()).unwrap();
        let path = scratch.root().join(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(name));
        assert_eq!(fs::read(&path).unwrap(), b"x", "{}", name.escape_ascii());
        assert_eq!(fs::read_dir(scratch.root()).unwrap().count(), 1);
        scratch.assert_untouched("odd");
    }
    good(
        "kept",
        &[
            ("255 bytes", tar().named(long.as_bytes(), "x"), &[(&long, "f644 x")]),
            ("2,047 levels", tar().named(deep.as_bytes(), ""), &[("d/d/d", "d755")]),
            (
                "as composed and as decomposed",
                tar().file("\u{e9}", "1").file("e\u{301}", "2"),
                &[("\u{e9}", "f644 1"), ("e\u{301}", "f644 2")],
            ),
            ("in two cases", tar().file("a", "1").file("A", "2"), &[("a", "f644 1"), ("A", "f644 2")]),
            ("many dots and slashes", tar().file("././/.//a/.//./b", "x"), &[("a/b", "f644 x")]),
            ("a slash behind a file", tar().file("a/", "x"), &[("a", "f644 x")]),
            ("back to where it was", tar().file("a/../a/../b", "x"), &[("b", "f644 x"), ("a", "-")]),
            (
                "a prefix",
                tar().file("file", "").change_last(|header| {
                    header.as_mut_bytes()[257..265].copy_from_slice(b"ustar\x0000");
                    header.as_mut_bytes()[345..349].copy_from_slice(b"some");
                }),
                &[("some/file", "f644")],
            ),
            ("no end in its header", tar().file(&"n".repeat(100), "x"), &[(&"n".repeat(100), "f644 x")]),
        ],
    );
}

#[test]
fn names_that_nothing_can_have() {
    let long_name = |length: usize| {
        tar().add(b"././@LongLink", EntryType::GNULongName, 0o644, b"", &vec![b'n'; length]).file("x", "").end()
    };
    let link = |target: &[u8]| tar().file("a", "").pax(&[("linkpath", target)]).link("b", "").end();
    let symlink = |target: &[u8]| tar().pax(&[("linkpath", target)]).symlink("b", "").end();
    bad(
        "impossible",
        &[
            ("256 bytes", tar().named(&[b'n'; 256], "").end(), "more than 255 bytes"),
            ("256 bytes in the middle", tar().named(&[&b"a/"[..], &[b'n'; 256], b"/b"].concat(), "").end(), "255"),
            ("4,097 bytes", tar().named(&b"a/".repeat(2049), "").end(), "more than 4095 bytes"),
            ("65,536 bytes", tar().named(&b"a/".repeat(1 << 15), "").end(), "more than 4095 bytes"),
            ("10,000 levels", tar().named(&b"a/".repeat(10_000), "").end(), "more than 4095 bytes"),
            ("10 MB", tar().named(&vec![b'n'; 10_000_000], "").end(), "is refused"),
            ("10 MB of GNU", long_name(10_000_000), "is refused"),
            ("1 MB of GNU", long_name(1 << 20), "more than 255 bytes"),
            ("a long name of nothing", long_name(0), "empty name"),
            ("a link's of 5,000 bytes", link(&b"a/".repeat(2500)), "more than 4095 bytes"),
            ("a link's of 256 bytes", link(&[b'n'; 256]), "more than 255 bytes"),
            ("a symlink's of 5,000 bytes", symlink(&b"a/".repeat(2500)), "symlinkat(b)"),
            ("a NUL in the middle of a path", tar().named(b"a\0/../..", "").end(), "NUL"),
        ],
    );
}

/// The kernel follows forty; the walk that makes what is missing does, too.
#[test]
fn chains_of_symlinks_have_an_end() {
    for (length, missing) in
        [(1, false), (2, false), (39, false), (40, false), (41, false), (3, true), (40, true), (41, true)]
    {
        let mut archive = if missing { tar() } else { tar().dir("d", 0o755) };
        for place in 1..=length {
            let target = if place == length { "d".to_owned() } else { format!("l{}", place + 1) };
            archive = archive.symlink(&format!("l{place}"), &target);
        }
        let archive = archive.file("l1/a", "x");
        if length > 40 {
            bad("chain", &[("a chain", archive.end(), "too many symbolic links")]);
        } else {
            good("chain", &[("a chain", archive, &[("d/a", "f644 x")])]);
        }
    }
}

/// Each directory is reached through a symlink to the one before: deeper than any path, and than there are descriptors.
#[test]
fn a_tree_that_is_deeper_than_any_path() {
    let part = ["d"; 1000].join("/");
    let mut archive = tar();
    for level in 0..10 {
        let name = if level == 0 { part.clone() } else { format!("l{level}/{part}") };
        archive = archive.pax(&[("path", name.as_bytes())]).dir("x", 0o700);
        archive = archive.pax(&[("linkpath", name.as_bytes())]).symlink(&format!("l{}", level + 1), "");
    }
    let scratch = Scratch::new("deep");
    assert_eq!(scratch.unpack(&archive.file("l10/end", "x").end()).unwrap().size, 1);
    scratch.assert_untouched("deep");
}
