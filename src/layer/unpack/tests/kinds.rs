//! Types, modes, times, owners and extended attributes.

use super::*;

#[test]
fn types_and_attributes_are_kept() {
    let time = |t: Tar| t.pax(&[("mtime", b"-1.25")]).file("a", "x");
    let char_device = |t: Tar| {
        t.node("null", EntryType::Char).change_last(|header| {
            header.set_device_major(1).unwrap();
            header.set_device_minor(3).unwrap();
        })
    };
    let shut = tar().dir("d", 0o000).file("d/a", "x").dir("d/e", 0o555).file("d/e/f", "y");
    good(
        "types",
        &[
            ("modes", tar().add(b"su", EntryType::Regular, 0o6755, b"", b"x"), &[("su", "f6755 x")]),
            ("sticky", tar().dir("tmp", 0o1777).file("tmp/a", ""), &[("tmp", "d1777"), ("tmp/a", "f644")]),
            ("setgid directory", tar().dir("d", 0o2755).dir("d/e", 0o755), &[("d/e", "d755")]),
            ("device", char_device(tar()), &[("null", "f640  device=c 1:3")]),
            ("0:0 is no whiteout", tar().node("a", EntryType::Char), &[("a", "f640  device=c 0:0")]),
            ("block", tar().node("a", EntryType::Block), &[("a", "f640  device=b 0:0")]),
            ("fifo", tar().node("a", EntryType::Fifo), &[("a", "p640")]),
            ("root", tar().dir("./", 0o700), &[("", "d700")]),
            ("no root", tar().file("d/a", ""), &[("", "d555"), ("d", "d755")]),
            ("missing parents get no time from children", time(tar()), &[("a", "f644 x")]),
            ("old directory", tar().dir("d/", 0o711).change_last(|h| h.as_old_mut().linkflag = [0]), &[("d", "d711")]),
            (
                "a chain of types",
                tar().file("a", "x").dir("a", 0o700).symlink("a", "/x").file("a", "end"),
                &[("a", "f644 end")],
            ),
            ("a directory with content goes", tar().file("a/b/c", "x").file("a", "y"), &[("a", "f644 y")]),
            (
                "a directory again",
                tar().dir("d", 0o700).file("d/a", "x").dir("d", 0o711),
                &[("d", "d711"), ("d/a", "f644 x")],
            ),
            (
                "odd names",
                tar().file("a\nb\u{1b}[2J", "x").add(b"\xff\xfe", EntryType::Regular, 0o600, b"", b"y"),
                &[("a\nb\u{1b}[2J", "f644 x")],
            ),
            (
                "a long name",
                tar()
                    .add(b"././@LongLink", EntryType::GNULongName, 0o644, b"", &[&[b'n'; 200][..], b"\0"].concat())
                    .file("short", "x"),
                &[(&"n".repeat(200), "f644 x")],
            ),
            ("shut", shut, &[("d", "d0")]),
        ],
    );
    let scratch = Scratch::new("times");
    let archive = time(tar().dir("d", 0o755)).file("d/late", "x").file("late", "");
    scratch.unpack(&archive.end()).unwrap();
    let meta = |name: &str| fs::symlink_metadata(scratch.root().join(name)).unwrap();
    assert_eq!((meta("a").mtime(), meta("a").mtime_nsec()), (-2, 750_000_000));
    assert_eq!(meta("d").mtime(), 1_000_000_000);
}

#[test]
fn attributes_that_an_overlay_obeys_are_dropped() {
    let scratch = Scratch::new("xattrs");
    let records: &[(&str, &[u8])] = &[
        ("SCHILY.xattr.user.kept", b"a\nb="),
        ("SCHILY.xattr.user.overlay.opaque", b"y"),
        ("SCHILY.xattr.user.overlay.redirect", b"/etc"),
        ("SCHILY.xattr.trusted.overlay.opaque", b"y"),
        ("SCHILY.xattr.user.coracle.device", b"c 1:3"),
        ("SCHILY.xattr.user.containers.override_stat", b"0:0:4755"),
        ("SCHILY.xattr.security.selinux", b"x"),
    ];
    let archive = tar().pax(records).dir("d", 0o755).pax(records).file("a", "").pax(records).symlink("l", "x");
    let summary = scratch.unpack(&archive.end()).unwrap();
    for name in ["a", "d"] {
        let path = scratch.root().join(name);
        let mut names = [0; 1000];
        let length = rustix::fs::llistxattr(&path, &mut names[..]).unwrap();
        let listed: Vec<_> = names[..length].split(|b| *b == 0).filter(|n| !n.starts_with(b"security.")).collect();
        assert_eq!(listed, [&b"user.kept"[..], b""], "{name}");
        assert_eq!(attribute(&path, "user.kept").as_deref(), Some("a\nb="));
    }
    assert_eq!(summary.dropped_attributes, 6 + 6 + 7);
}

#[test]
fn an_owner_that_can_not_be_mapped_is_named() {
    let scratch = Scratch::new("owner");
    let archive = tar().file("a", "").change_last(|header| header.set_uid(1 << 33)).end();
    let root = fs::File::open(scratch.root()).unwrap();
    let error = unpack(archive.as_slice(), root.as_fd(), Mode::Mapped).unwrap_err();
    assert!(error.to_string().contains("`a` belongs to 8589934592:0"), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("subuid")));
}

#[test]
fn numbers_left_blank_are_zero() {
    let scratch = Scratch::new("blank");
    let blank = |header: &mut Header| {
        for field in [108..116, 116..124, 136..148] {
            header.as_mut_bytes()[field].fill(0);
        }
    };
    scratch.unpack(&tar().file("a", "").change_last(blank).end()).unwrap();
    assert_eq!(fs::metadata(scratch.root().join("a")).unwrap().mtime(), 0);
}

/// A header in which the field is written as the bytes say.
fn field(range: std::ops::Range<usize>, bytes: &'static [u8]) -> Tar {
    tar().file("a", "").change_last(move |header| {
        let field = &mut header.as_mut_bytes()[range.clone()];
        field.fill(0);
        field[..bytes.len()].copy_from_slice(bytes);
    })
}

const MODE: std::ops::Range<usize> = 100..108;
const UID: std::ops::Range<usize> = 108..116;
const SIZE: std::ops::Range<usize> = 124..136;
const MTIME: std::ops::Range<usize> = 136..148;

#[test]
fn numbers_in_every_spelling() {
    let minus_one: &[u8] = &[0xff; 12];
    good(
        "numbers",
        &[
            ("bits of a type in the mode", field(MODE, b"0100640"), &[("a", "f640")]),
            ("blanks around it", field(MODE, b"  750 \0"), &[("a", "f750")]),
            ("no end", field(MODE, b"00000640"), &[("a", "f640")]),
            ("a binary one", field(UID, &[0x80, 0, 0, 0, 0, 0, 0, 5]), &[("a", "f644")]),
            ("all bits of the mode", tar().dir("d", 0o7777).file("d/a", ""), &[("d", "d7777"), ("d/a", "f644")]),
            ("no bits of the mode", tar().file("a", "x").dir("d", 0), &[("d", "d0")]),
            ("the largest owner", tar().pax(&[("uid", b"4294967294")]).file("a", ""), &[("a", "f644")]),
            (
                "an empty record",
                tar().pax(&[("path", b"b"), ("path", b"")]).file("a", ""),
                &[("a", "f644"), ("b", "-")],
            ),
        ],
    );
    bad(
        "numbers",
        &[
            ("letters in the mode", field(MODE, b"rwxr-xr").end(), "`a` is malformed"),
            ("letters in the owner", field(UID, b"root").end(), "`a` is malformed"),
            ("a nine in the size", field(SIZE, b"00000000009").end(), "`a` is malformed"),
            ("a minus in the size", field(SIZE, b"-1").end(), "`a` is malformed"),
            ("minus one as the size", field(SIZE, minus_one).end(), "ends within the data of `a`"),
            ("the owner -1", field(UID, b"\xff\xff\xff\xff\xff\xff\xff\xff").end(), "an id that"),
            ("the owner 2^32-1", tar().pax(&[("uid", b"4294967295")]).file("a", "").end(), "belongs to 4294967295:0"),
            ("the group 2^32", tar().pax(&[("gid", b"4294967296")]).file("a", "").end(), "belongs to 0:4294967296"),
            ("an owner of pax below zero", tar().pax(&[("uid", b"-1")]).file("a", "").end(), "malformed"),
            ("an owner of pax in words", tar().pax(&[("gid", b"wheel")]).file("a", "").end(), "malformed"),
            ("an owner of 21 digits", tar().pax(&[("uid", &[b'1'; 21])]).file("a", "").end(), "malformed"),
        ],
    );
}

/// Times that the disk can't keep become what it can; no time ends the work.
#[test]
fn times_of_all_sizes() {
    let time = |text: &str| tar().pax(&[("mtime", text.as_bytes())]).file("a", "").end();
    let mtime = |archive: &[u8]| {
        let scratch = Scratch::new("all-times");
        scratch.unpack(archive).unwrap();
        fs::metadata(scratch.root().join("a")).unwrap().mtime()
    };
    assert_eq!(mtime(&time("-1")), -1);
    assert_eq!(mtime(&field(MTIME, &[0xff; 12]).end()), -1);
    assert_eq!(mtime(&time("2147483648")), 1 << 31);
    for far in ["9223372036854775807", "-9223372036854775807", "1e0000".trim_end_matches('e'), "99999999999"] {
        let scratch = Scratch::new("far-times");
        let done = scratch.unpack(&time(far));
        assert!(done.is_ok() || done.unwrap_err().to_string().contains("malformed"), "{far}");
    }
    let mut past_the_end = [0; 12];
    (past_the_end[0], past_the_end[4]) = (0x80, 0x80);
    let scratch = Scratch::new("past-times");
    scratch.unpack(&field(MTIME, Box::leak(Box::new(past_the_end))).end()).unwrap();
    bad(
        "times",
        &[
            ("more than a number holds", time("9223372036854775808"), "malformed"),
            ("not a number", time("nan"), "malformed"),
            ("infinite", time("inf"), "malformed"),
            ("a word", time("yesterday"), "malformed"),
            ("two points", time("1.2.3"), "malformed"),
        ],
    );
}

#[test]
fn attributes_of_all_sorts() {
    let kept = |records: &[(&str, &[u8])]| {
        let scratch = Scratch::new("all-xattrs");
        let summary = scratch.unpack(&tar().pax(records).file("a", "").end());
        scratch.assert_untouched("xattrs");
        summary.map(|summary| summary.dropped_attributes)
    };
    // What the kernel or this account refuses is counted, not obeyed.
    let dropped: [(&str, &[u8]); 12] = [
        ("SCHILY.xattr.security.capability", b"not a capability"),
        ("SCHILY.xattr.system.posix_acl_access", b"not a list"),
        ("SCHILY.xattr.trusted.overlay.redirect", b"/etc"),
        ("SCHILY.xattr.user.overlay.metacopy", b""),
        ("SCHILY.xattr.user.overlay.origin", b"x"),
        ("SCHILY.xattr.user.overlay.upper", b"x"),
        ("SCHILY.xattr.user.overlay.whiteout", b"y"),
        ("SCHILY.xattr.user.fuseoverlayfs.opaque", b"y"),
        ("SCHILY.xattr.user.coracle.owner", b"0:0"),
        ("SCHILY.xattr.security.selinux", b"system_u:object_r:etc_t:s0"),
        ("SCHILY.xattr.", b"no name"),
        ("SCHILY.xattr.nonsense", b"no namespace"),
    ];
    for record in dropped {
        assert_eq!(kept(&[record]).unwrap(), 1, "{}", record.0);
    }
    // Of another program's form, or of nobody's.
    for key in ["LIBARCHIVE.xattr.user.a", "RHT.security.selinux", "SCHILY.fflags", "comment", "hdrcharset", "VENDOR.x"]
    {
        assert_eq!(kept(&[(key, b"x")]).unwrap(), 0, "{key}");
    }
    // The last word counts, and a value may be of any bytes.
    let scratch = Scratch::new("last-xattr");
    let twice = [("SCHILY.xattr.user.a", &b"1"[..]), ("SCHILY.xattr.user.a", b"\0=\n")];
    scratch.unpack(&tar().pax(&twice).file("a", "").end()).unwrap();
    assert_eq!(attribute(&scratch.root().join("a"), "user.a").as_deref(), Some("\0=\n"));
    // More than a file of this disk may have.
    let name = format!("SCHILY.xattr.user.{}", "n".repeat(251));
    for too_much in [
        (name.as_str(), &b"x"[..]),
        ("SCHILY.xattr.user.a", &[b'x'; 65_537]),
        ("SCHILY.xattr.user.b", &[b'x'; 1 << 19]),
    ] {
        let error = kept(&[too_much]).unwrap_err().to_string();
        assert!(error.contains("`a` can't be made: fsetxattr"), "{error}");
    }
    let many: Vec<_> = (0..10_000).map(|number| format!("SCHILY.xattr.user.{number}")).collect();
    let many: Vec<_> = many.iter().map(|name| (name.as_str(), &b"x"[..])).collect();
    match kept(&many) {
        Ok(dropped) => assert_eq!(dropped, 0),
        Err(error) => assert!(error.to_string().contains("`a` can't be made: fsetxattr"), "{error}"),
    }
}

/// Every byte that may stand for a type: known, or refused by name.
#[test]
fn types_of_all_bytes() {
    let scratch = Scratch::new("all-types");
    for byte in 0..=u8::MAX {
        let archive = tar().add(b"a", EntryType::new(byte), 0o644, b"b", b"").file("b", "");
        match scratch.unpack(&archive.end()) {
            Ok(_) => assert!(b"\x0001234567SVgxKL".contains(&byte), "{byte}"),
            Err(error) => {
                let text = error.to_string();
                assert!(
                    text.contains("type that this program does not know") || b"15xSL".contains(&byte),
                    "{byte}: {text}"
                );
            }
        }
    }
    scratch.assert_untouched("types");
}
