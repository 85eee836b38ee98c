//! Layers that are hard to unpack, or written to do harm.

use tar::EntryType;

use crate::harness::{Case, Driver, Image, Layer};

fn refused(layer: Layer, tag: &str, entry: &str) {
    let case = Case::new(Driver::Auto);
    let name = Image::of(vec![layer]).push(&format!("refused:{tag}"));
    case.coracle(["pull", &name]).code(125).stdout("").error(entry);
    case.coracle(["images", "-q"]).code(0).stdout("");
    let left = std::fs::read_dir(case.store().join("tmp")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "something is left in tmp");
}

#[test]
fn a_name_above_the_root() {
    refused(Layer::new().file("../outside", 0o644, "x"), "above", "../outside");
    refused(Layer::new().file("a/../../outside", 0o644, "x"), "above-deep", "a/../../outside");
}

#[test]
fn a_hard_link_to_what_is_not_there() {
    refused(Layer::new().hard_link("the-entry", "absent"), "link", "the-entry");
    refused(Layer::new().hard_link("the-entry", "../../../../etc/passwd"), "link-above", "the-entry");
}

/// The root of a layer is a folder.
#[test]
fn a_root_that_is_no_folder() {
    refused(Layer::new().entry(EntryType::Symlink, ".", 0o777, (0, 0), "/tmp", b""), "root-link", "");
}

#[test]
fn a_stream_that_ends_early() {
    let case = Case::new(Driver::Auto);
    let mut header = tar::Header::new_ustar();
    header.set_path("short").unwrap();
    header.set_size(1 << 20);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_entry_type(EntryType::Regular);
    header.set_cksum();
    let layer = Layer::new().raw(header.as_bytes());
    let name = Image::of(vec![layer]).push("refused:short");
    case.coracle(["pull", &name]).code(125).stdout("").says("Error: ");
    case.coracle(["images", "-q"]).code(0).stdout("");
}

/// Absolute names and symlinked parents land inside of the layer, as with other engines; nothing lands outside.
fn names_that_lead_elsewhere(case: &Case) {
    let bait = case.home.join("bait");
    std::fs::create_dir(&bait).unwrap();
    let outside = bait.display().to_string();
    let layer = Layer::new()
        .dir("bin2", 0o755)
        .file("/absolute", 0o644, "inside\n")
        .symlink("parent", &outside)
        .file("parent/through-link", 0o644, "inside\n")
        .symlink("up", "../../../../../../../../..")
        .file("up/above", 0o644, "inside\n");
    let tag = format!("elsewhere:{}", case.home.file_name().unwrap().to_string_lossy());
    let name = Image::busybox().layer(layer).push(&tag);
    // Refusing such a layer is as good.
    let pulled = case.coracle(["pull", &name]);
    assert_eq!(std::fs::read_dir(&bait).unwrap().count(), 0, "something landed outside: {pulled}");
    if pulled.code == Some(0) {
        case.sh(&name, "cat /absolute /above").code(0).stdout("inside\ninside\n");
    }
}

/// The attributes that the overlay itself obeys do not come out of a tar.
fn attributes_that_the_overlay_obeys(case: &Case) {
    let layer =
        Layer::new().dir("a", 0o755).file("a/below", 0o644, "below\n").dir("b", 0o755).file("b/of-b", 0o644, "of b\n");
    let upper = Layer::new()
        .pax("SCHILY.xattr.user.overlay.opaque", "y")
        .dir("a", 0o755)
        .pax("SCHILY.xattr.user.overlay.redirect", "/a")
        .dir("b", 0o755)
        .pax("SCHILY.xattr.user.fuseoverlayfs.opaque", "y")
        .dir("a", 0o755)
        .pax("SCHILY.xattr.user.containers.override_stat", "33:33:0100777")
        .file("c", 0o600, "c\n")
        .pax("SCHILY.xattr.user.kept", "yes")
        .file("d", 0o644, "d\n");
    let name = case.pull(&Image::busybox().layer(layer).layer(upper).push("attributes:latest"));
    case.sh(&name, "ls a b; stat -c '%a %u' c; cat d").code(0).stdout("a:\nbelow\n\nb:\nof-b\n600 0\nd\n");
}

/// Device nodes, set-id bits, owners, times and sparse names arrive as the overlay needs them.
fn unusual_entries(case: &Case) {
    let mut device = tar::Header::new_ustar();
    device.set_path("null").unwrap();
    device.set_entry_type(EntryType::Char);
    device.set_device_major(1).unwrap();
    device.set_device_minor(3).unwrap();
    device.set_mode(0o666);
    device.set_uid(0);
    device.set_gid(0);
    device.set_size(0);
    device.set_cksum();
    let long = "long-".repeat(40);
    let layer = Layer::new()
        .raw(device.as_bytes())
        .entry(EntryType::Fifo, "fifo", 0o620, (33, 40), "", b"")
        .dir("sticky", 0o3775)
        .owned_file("setgid", 0o2755, (0, 40), "x")
        .pax("path", &long)
        .file("short", 0o644, "long\n")
        .file("twice", 0o644, "first\n")
        .file("twice", 0o600, "second\n")
        .file("was-file", 0o644, "x")
        .dir("was-file", 0o755)
        .file("made/parents/here", 0o644, "deep\n");
    let name = case.pull(&Image::busybox().layer(layer).push("unusual:latest"));
    let script = format!(
        "stat -c '%a %u %g %F' fifo sticky setgid; cat {long} twice made/parents/here; stat -c %a twice; test -d was-file && echo folder
         stat -c %Y setgid"
    );
    case.sh(&name, &script)
        .code(0)
        .stdout("620 33 40 fifo\n3775 0 0 directory\n2755 0 40 regular file\nlong\nsecond\ndeep\n600\nfolder\n0\n");
}

/// A `security.capability` of a file arrives, and has its effect inside.
fn file_capabilities(case: &Case) {
    let program = std::fs::read("/bin/busybox").unwrap();
    // Version 2, effective, CAP_NET_BIND_SERVICE (bit 10).
    let capability = "\u{1}\0\0\u{2}\0\u{4}\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let layer = Layer::new().dir("opt", 0o755).pax("SCHILY.xattr.security.capability", capability).file(
        "opt/busybox",
        0o755,
        program,
    );
    let name = case.pull(&Image::busybox().layer(layer).push("capable:latest"));
    let arguments =
        ["run", "--rm", "--network=none", "-u", "33", &name, "/opt/busybox", "grep", "CapEff", "/proc/self/status"];
    case.coracle(arguments).code(0).stdout("CapEff:\t0000000000000400\n");
}

/// What a lower layer has as a symbolic link is a folder in one that writes below that name: it stays in its own layer, and hides
/// the link.
pub fn below_a_link_of_a_lower_layer(case: &Case) {
    let links =
        Layer::new().symlink("out", "/etc").symlink("up", "../../../../..").symlink("proc-root", "/proc/1/root");
    let writes = Layer::new()
        .file("out/written", 0o644, "in its own layer\n")
        .file("up/tmp/written", 0o644, "too\n")
        .file("proc-root/etc/written", 0o644, "and this\n");
    let image = Image::busybox().layer(links).layer(writes);
    let name = case.pull(&image.push("below-links:latest"));
    let script = "cat out/written up/tmp/written proc-root/etc/written; ls -d /etc/written /tmp/written 2>/dev/null; \
                  for name in out up proc-root; do test -L /$name || test -d /$name && echo folder; done";
    case.sh(&name, script).code(0).stdout("in its own layer\ntoo\nand this\nfolder\nfolder\nfolder\n");
    for outside in ["/etc/written", "/tmp/written"] {
        assert!(!std::path::Path::new(outside).exists(), "{outside} was written");
    }
}

on_both_drivers!(below_a_link_of_a_lower_layer);
on_both_drivers!(names_that_lead_elsewhere, attributes_that_the_overlay_obeys, unusual_entries, file_capabilities);
