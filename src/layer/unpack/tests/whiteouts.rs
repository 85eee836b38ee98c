//! Whiteouts, in any order, in both forms.

use super::*;

#[test]
fn whiteouts_hide_what_is_below_in_any_order() {
    good(
        "whiteouts",
        &[
            ("of nothing here", tar().file("d/.wh.a", ""), &[("d/a", "whiteout 0"), ("d/.wh.a", "-")]),
            ("before a file", tar().file(".wh.a", "").file("a", "x"), &[("a", "f644 x")]),
            ("after a file", tar().file("a", "x").file(".wh.a", ""), &[("a", "f644 x")]),
            ("before a directory", tar().file(".wh.d", "").dir("d", 0o755), &[("d", "d755 opaque=y")]),
            ("after a directory", tar().dir("d", 0o755).file(".wh.d", ""), &[("d", "d755 opaque=y")]),
            (
                "before what is in it",
                tar().file(".wh.d", "").file("d/a", "x"),
                &[("d", "d755 opaque=y"), ("d/a", "f644 x")],
            ),
            ("twice", tar().file(".wh.a", "").file(".wh.a", ""), &[("a", "whiteout 0")]),
            (
                "opaque",
                tar().file("d/a", "x").file("d/.wh..wh..opq", "").file("d/b", "y"),
                &[("d", "d755 opaque=y"), ("d/a", "f644 x"), ("d/b", "f644 y")],
            ),
            ("opaque twice", tar().file("d/.wh..wh..opq", "").file("d/.wh..wh..opq", ""), &[("d", "d755 opaque=y")]),
            ("opaque root", tar().file(".wh..wh..opq", ""), &[("", "d555 opaque=y")]),
            (
                "of AUFS",
                tar().dir(".wh..wh.plnk", 0o700).file(".wh..wh.aufs", ""),
                &[(".wh..wh.plnk", "-"), ("", "d555")],
            ),
            ("as a directory", tar().dir(".wh.d/", 0o755), &[("d", "whiteout 0")]),
        ],
    );
    bad(
        "whiteouts",
        &[
            ("of no name", tar().file(".wh.", "").end(), "names nothing"),
            ("of .", tar().file("a/.wh..", "").end(), "names nothing"),
            ("of ..", tar().file("a/.wh...", "").end(), "names nothing"),
            ("as a parent", tar().file(".wh.a/b", "").end(), "below a whiteout"),
        ],
    );
}

#[test]
fn a_file_system_without_devices_gets_whiteouts_as_attributes() {
    let scratch = Scratch::new("attribute-form");
    let root = fs::File::open(scratch.root()).unwrap();
    let mut tree = Tree::new(root.as_fd()).unwrap();
    tree.whiteout_file(root.as_fd(), b"a").unwrap();
    assert_eq!(attribute(&scratch.root(), "user.overlay.opaque").as_deref(), Some("x"));
    assert_eq!(attribute(&scratch.root().join("a"), "user.overlay.whiteout").as_deref(), Some("y"));
    // An entry below the whiteout: an opaque directory takes its place.
    let place = tree.place(b"a/b").unwrap().unwrap();
    assert_eq!(attribute(&scratch.root().join("a"), "user.overlay.opaque").as_deref(), Some("y"));
    tree.whiteout_file(root.as_fd(), b"c").unwrap();
    tree.mark_opaque(root.as_fd()).unwrap();
    tree.whiteout_file(root.as_fd(), b"d").unwrap();
    assert_eq!(describe(&scratch.root().join("c")), "-");
    assert_eq!(describe(&scratch.root().join("d")), "-");
    drop(place);
}

#[test]
fn whiteouts_of_every_kind_of_entry_and_place() {
    let data = |t: Tar| t.file(".wh.a", &"not looked at".repeat(10_000));
    let link = |t: Tar| t.file("f", "").link(".wh.a", "f");
    let opaque = |name: &'static str| tar().dir("d", 0o700).dir(name, 0o755);
    let long = format!(".wh.{}", "n".repeat(251));
    let hidden = long.trim_start_matches(".wh.");
    good(
        "whiteouts-of-all",
        &[
            ("with data", data(tar()).file("b", "x"), &[("a", "whiteout 0"), ("b", "f644 x")]),
            ("a symlink", tar().symlink(".wh.a", "../canary/file"), &[("a", "whiteout 0")]),
            ("a link", link(tar()), &[("a", "whiteout 0"), ("f", "f644")]),
            ("a FIFO", tar().node(".wh.a", EntryType::Fifo), &[("a", "whiteout 0")]),
            ("a device", tar().node(".wh.a", EntryType::Char), &[("a", "whiteout 0")]),
            ("a directory as an opaque mark", opaque("d/.wh..wh..opq"), &[("d", "d700 opaque=y")]),
            ("a symlink as one", tar().symlink("d/.wh..wh..opq", "x"), &[("d", "d755 opaque=y")]),
            ("of 251 bytes", tar().named(long.as_bytes(), ""), &[(hidden, "whiteout 0")]),
            ("of a name with dots", tar().file(".wh...a", "").file(".wh..b", ""), &[("..a", "whiteout 0")]),
            ("over a symlink", tar().symlink("a", "b").file(".wh.a", ""), &[("a", "l b")]),
            (
                "a symlink over it",
                tar().file(".wh.a", "").symlink("a", "d").file("a/x", ""),
                &[("a", "l d"), ("d/x", "f644")],
            ),
            ("a device over it", tar().file(".wh.a", "").node("a", EntryType::Char), &[("a", "f640  device=c 0:0")]),
            (
                "before and after siblings",
                tar().file("d/a", "").file("d/.wh.a", "").file("d/.wh.b", "").file("d/b", ""),
                &[("d/a", "f644"), ("d/b", "f644"), ("d", "d755")],
            ),
            (
                "an opaque mark between siblings",
                tar().file("d/a", "").dir("d/e", 0o755).file("d/.wh..wh..opq", "").file("d/e/f", ""),
                &[("d", "d755 opaque=y"), ("d/e", "d755"), ("d/e/f", "f644")],
            ),
            ("opaque, then gone", tar().file("d/.wh..wh..opq", "").file("d", "x"), &[("d", "f644 x")]),
            (
                "opaque through a symlink",
                tar().dir("d", 0o755).symlink("l", "/d").file("l/.wh..wh..opq", ""),
                &[("d", "d755 opaque=y"), ("l", "l /d")],
            ),
            (
                "where a symlink leads outside",
                tar().symlink("l", "../canary").file("l/.wh.file", ""),
                &[("canary/file", "whiteout 0")],
            ),
            ("deep below a missing one", tar().file("a/b/c/.wh.d", ""), &[("a/b/c/d", "whiteout 0"), ("a", "d755")]),
            ("of AUFS, with what is in it", tar().dir(".wh..wh.orph", 0o700), &[(".wh..wh.orph", "-")]),
        ],
    );
}

#[test]
fn whiteouts_of_nothing() {
    bad(
        "whiteouts-of-nothing",
        &[
            ("below an opaque mark", tar().file(".wh..wh..opq/a", "").end(), "below a whiteout"),
            ("below AUFS' own", tar().file("d/.wh..wh.plnk/1.2", "").end(), "below a whiteout"),
            ("of . in a path", tar().file("a/.wh../b", "").end(), "below a whiteout"),
            ("of the root", tar().file("/.wh..", "").end(), "names nothing"),
            ("of a directory by its slash", tar().file(".wh./x", "").end(), "below a whiteout"),
            ("of nothing in a file", tar().file("a", "").file("a/.wh.b", "").end(), "not a directory"),
        ],
    );
}
