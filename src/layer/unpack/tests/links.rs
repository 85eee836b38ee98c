//! Hard links.

use super::*;

#[test]
fn hard_links_stay_in_the_layer() {
    good(
        "links",
        &[
            ("plain", tar().file("a", "x").link("b", "a"), &[("b", "f644 x")]),
            ("absolute", tar().file("a", "x").link("b", "/a"), &[("b", "f644 x")]),
            ("to itself", tar().file("a", "x").link("a", "./a"), &[("a", "f644 x")]),
            ("over another", tar().file("a", "x").file("b", "y").link("b", "a"), &[("b", "f644 x")]),
            (
                "replaced after",
                tar().file("a", "x").link("b", "a").file("a", "new"),
                &[("a", "f644 new"), ("b", "f644 x")],
            ),
        ],
    );
    bad(
        "links",
        &[
            ("to nothing", tar().link("b", "a").end(), "`b` is a hard link to `a`, which is not in the layer"),
            ("to nothing below", tar().link("b", "d/a").end(), "not in the layer"),
            ("to a directory", tar().dir("d", 0o755).link("b", "d").end(), "not in the layer"),
            ("to a whiteout", tar().file(".wh.a", "").link("b", "a").end(), "not in the layer"),
            ("to the root", tar().link("b", "/").end(), "not in the layer"),
            ("without a target", tar().link("b", "").end(), "empty name"),
        ],
    );
}

#[test]
fn links_to_odd_things() {
    good(
        "odd-links",
        &[
            ("to a link", tar().file("a", "x").link("b", "a").link("c", "b"), &[("c", "f644 x")]),
            ("to a FIFO", tar().node("a", EntryType::Fifo).link("b", "a"), &[("b", "p640")]),
            ("to a device", tar().node("a", EntryType::Char).link("b", "a"), &[("b", "f640  device=c 0:0")]),
            ("with a mode", tar().file("a", "x").add(b"b", EntryType::Link, 0o4777, b"a", b""), &[("a", "f644 x")]),
            ("over a directory", tar().file("a", "x").file("d/e/f", "").link("d", "a"), &[("d", "f644 x")]),
            ("over a symlink", tar().file("a", "x").symlink("l", "a").link("l", "a"), &[("l", "f644 x")]),
            ("over a whiteout", tar().file("a", "x").file(".wh.b", "").link("b", "a"), &[("b", "f644 x")]),
            ("to what was hidden", tar().file("a", "x").file(".wh.a", "").link("b", "a"), &[("b", "f644 x")]),
            ("to a symlink of a directory", tar().dir("d", 0o755).symlink("l", "d").link("m", "l"), &[("m", "l d")]),
            ("with dots", tar().file("a", "x").link("b", "./x/.././a"), &[("b", "f644 x")]),
            ("with a slash", tar().file("a", "x").link("b", "a/"), &[("b", "f644 x")]),
            ("to itself by another way", tar().symlink("l", ".").file("a", "x").link("l/a", "a"), &[("a", "f644 x")]),
            (
                "to the same file again",
                tar().file("a", "x").link("b", "a").link("b", "a").link("a", "b"),
                &[("a", "f644 x"), ("b", "f644 x")],
            ),
            (
                "through a symlink out",
                tar().symlink("l", "/../canary").file("l/file", "inside").link("b", "l/file"),
                &[("b", "f644 inside")],
            ),
        ],
    );
    bad(
        "odd-links",
        &[
            ("to what comes later", tar().link("b", "a").file("a", "").end(), "not in the layer"),
            ("to a lower layer's", tar().dir("bin", 0o755).link("bin/b", "bin/sh").end(), "not in the layer"),
            ("below a file", tar().file("a", "").link("b", "a/c").end(), "not in the layer"),
            ("to what was replaced", tar().file("d/a", "").file("d", "").link("b", "d/a").end(), "not in the layer"),
            ("to itself, which is not", tar().link("a", "a").end(), "not in the layer"),
            ("through a loop", tar().symlink("l", "l").link("b", "l/a").end(), "too many symbolic links"),
            ("to the canary's place", tar().symlink("l", "/../canary").link("b", "l/file").end(), "not in the layer"),
            ("to a symlink of nothing", tar().symlink("l", "/gone").link("b", "l/file").end(), "not in the layer"),
            ("to a directory by a symlink", tar().dir("d/e", 0o755).symlink("l", "d").link("b", "l/e").end(), "not in"),
            ("to a whiteout's name", tar().file("a", "").link("b", ".wh.a").end(), "not in the layer"),
            ("of the root", tar().file("a", "").link(".", "a").end(), "root of the layer"),
            ("with data", tar().file("a", "").add(b"b", EntryType::Link, 0o644, b"a", b"data").end(), "no checksum"),
        ],
    );
}
