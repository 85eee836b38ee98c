//! The store on disks of other kinds than the machine's own: each works, or the program says what to do.

use std::path::PathBuf;

use crate::harness::{Case, Driver, Image, Layer};

/// An image with something to remove, to replace and to move in its lower layer, and a removal in its upper one.
fn image(case: &Case) -> String {
    let lower = Layer::new()
        .dir("data", 0o755)
        .file("data/kept", 0o640, "kept\n")
        .file("data/hidden", 0o644, "hidden\n")
        .dir("data/old", 0o755)
        .file("data/old/one", 0o644, "one\n")
        .dir("data/old/sub", 0o755)
        .file("data/old/sub/two", 0o644, "two\n")
        .dir("data/other", 0o755)
        .file("data/other/three", 0o644, "three\n")
        .owned_file("data/owned", 0o600, (33, 40), "owned\n");
    case.pull(&Image::busybox().layer(lower).layer(Layer::new().whiteout("data/hidden")).push("disks:latest"))
}

const CHANGE: &str = "set -e; cd /data; ls; rm -r old; mkdir old; ls -A old; echo own >old/one; rm old/one; ls -A old
    echo again >old/sub; rm old/sub; mkdir old/sub; ls -A old/sub; echo more >>kept; mv other moved; mv moved old/one
    rm owned; mkdir owned; rmdir owned; echo x >owned; ln owned linked; mkdir hidden; mv old/sub hidden/sub; mv hidden other";
const SHOW: &str = "cd /data; find . | sort | while read -r f; do stat -c '%n %F %a %u %g %h' \"$f\"; \
    [ -f \"$f\" ] && cat \"$f\" || true; done";

/// What a container shows after many changes, and again after a new start; and why its driver was taken.
fn exercise(case: &Case) -> (String, String) {
    let image = image(case);
    let script = format!("[ -e /changed ] || {{ {CHANGE}; touch /changed; }}; {SHOW}");
    case.coracle(["create", "--name", "c", "--network=none", &image, "sh", "-c", &script]).succeeded();
    let shown = case.coracle(["start", "-a", "c"]).code(0).stderr("").stdout;
    let again = case.coracle(["start", "-a", "c"]).code(0).stderr("").stdout;
    // The first start listed what there was, too.
    assert!(shown.ends_with(&again) && again.contains("./other/sub directory"), "{shown}\n──\n{again}");
    (shown, case.inspect("c", "{{.GraphDriver.Data.Driver}}: {{.GraphDriver.Data.Reason}}"))
}

/// It does what it does on the machine's own disk.
#[track_caller]
fn works(driver: Driver, disk: &str, choice: &str) {
    let Some(case) = Case::on_disk(driver, disk) else { return };
    let (shown, chosen) = exercise(&case);
    let (expected, _) = exercise(&Case::new(Driver::Fuse));
    // A directory of another disk has other numbers of links.
    let without_links = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned()).collect()
    };
    assert_eq!(without_links(&shown), without_links(&expected), "on {disk}");
    assert!(chosen.starts_with(choice), "{chosen}");
}

#[test]
fn entries_of_unknown_kind() {
    works(Driver::Auto, "plain", "fuse: rmdir in the overlay");
    works(Driver::Fuse, "plain", "fuse");
}

#[test]
fn no_attributes() {
    works(Driver::Auto, "ram", "fuse: ");
    works(Driver::Fuse, "ram", "fuse");
}

#[test]
fn xfs() {
    works(Driver::Auto, "xfs", "kernel");
    works(Driver::Fuse, "xfs", "fuse");
}

#[test]
fn btrfs() {
    works(Driver::Auto, "btrfs", "kernel");
    works(Driver::Fuse, "btrfs", "fuse");
}

#[test]
fn tmpfs() {
    works(Driver::Auto, "tmpfs", "");
    works(Driver::Fuse, "tmpfs", "fuse");
}

/// Without attributes a layer can't hide all that lies below one of its directories: said, with what helps.
#[test]
fn a_layer_that_needs_attributes() {
    let Some(case) = Case::on_disk(Driver::Auto, "ram") else { return };
    let layer = Layer::new().dir("bin", 0o755).opaque("bin");
    let name = Image::busybox().layer(layer).push("opaque:latest");
    case.coracle(["pull", &name])
        .code(125)
        .error("user.overlay.opaque")
        .says("hint: the disk of the store takes no user");
}

/// A large file that changes shares its blocks with the layer.
fn copy_up_shares_blocks(disk: &str) {
    for driver in [Driver::Kernel, Driver::Fuse] {
        let Some(case) = Case::on_disk(driver, disk) else { return };
        let mut random = vec![0; 8 << 20];
        rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty()).unwrap();
        let image = case.pull(&Image::busybox().layer(Layer::new().file("large", 0o644, random)).push("large:latest"));
        case.coracle(["run", "--name", "c", "--network=none", &image, "sh", "-c", "echo x >>/large"]).code(0);
        let file = PathBuf::from(case.inspect("c", "{{.GraphDriver.Data.UpperDir}}")).join("large");
        assert_eq!(std::fs::metadata(&file).unwrap().len(), (8 << 20) + 2);
        let extents =
            crate::harness::Command::new("/usr/sbin/filefrag").arg("-v").arg(&file).finish().succeeded().stdout;
        assert!(extents.lines().any(|line| line.contains("shared")), "{disk}, {}: {extents}", driver.name());
    }
}

#[test]
fn copy_up_shares_blocks_on_xfs() {
    copy_up_shares_blocks("xfs");
}

#[test]
fn copy_up_shares_blocks_on_btrfs() {
    copy_up_shares_blocks("btrfs");
}

/// `cp --reflink=always` is the disk's to do with the kernel's driver, and refused with ours, which FUSE never asks for it.
fn clones(disk: &str) {
    for (driver, code) in [(Driver::Kernel, 0), (Driver::Fuse, 1)] {
        let Some(case) = Case::on_disk(driver, disk) else { return };
        let image =
            case.pull(&Image::busybox().layer(Layer::new().file("large", 0o644, [7; 1 << 20])).push("cp:latest"));
        let script = "for file in /large /made; do [ -e $file ] || cp /large $file
            cp --reflink=always $file /copy || exit 1; cmp $file /copy; done";
        let done = case.coracle(["run", "--name", "c", "--network=none", &image, "sh", "-c", script]).code(code);
        if code != 0 {
            assert!(done.stderr.ends_with("Operation not supported\n"), "{done}");
            // Who asks for it only where it can be had goes on by ranges, and those the disk shares, too: with the machine's cp.
            let machine = ["-v", "/usr/bin:/host:ro", "-v", "/usr/lib:/lib:ro", "-v", "/usr/lib64:/lib64:ro"];
            let run = [&["run", "--name", "ranges", "--network=none"], &machine[..], &[&image]].concat();
            case.coracle(run.into_iter().chain(["/host/cp", "--reflink=auto", "/large", "/copy"])).code(0);
            assert_shared(&case, "ranges");
            continue;
        }
        assert_shared(&case, "c");
    }
}

/// The blocks of the container's `/copy` are those of another file, too.
fn assert_shared(case: &Case, container: &str) {
    let copy = PathBuf::from(case.inspect(container, "{{.GraphDriver.Data.UpperDir}}")).join("copy");
    let filefrag = crate::harness::Command::new("/usr/sbin/filefrag").arg("-v").arg(copy).finish().succeeded();
    assert!(filefrag.stdout.contains("shared"), "{filefrag}");
}

#[test]
fn clones_on_xfs() {
    clones("xfs");
}

#[test]
fn clones_on_btrfs() {
    clones("btrfs");
}

/// A full disk is the program's to meet, and neither breaks what was there nor lasts longer than the fullness.
#[test]
fn a_full_disk() {
    for driver in [Driver::Kernel, Driver::Fuse] {
        let Some(case) = Case::on_disk(driver, "small") else { return };
        let image = case.busybox();
        // Our overlay passes writes on late, so that dd learns of it from the fsync.
        let script = "echo kept >/kept; dd if=/dev/zero of=/filler bs=64k count=500 conv=fsync 2>&1 | grep -o 'No space left on device'
            echo more 2>/dev/null >>/etc/passwd; rm /filler; echo again >/kept && cat /kept; tail -n 1 /etc/passwd | cut -d: -f1";
        let finished = case.sh(&image, script).code(0);
        assert!(finished.stdout.starts_with("No space left on device\nagain\n"), "{finished}");
    }
}

/// What a full disk does to containers that are there: commands say so, half files don't show, programs go on.
#[test]
fn containers_on_a_full_disk() {
    for driver in [Driver::Kernel, Driver::Fuse] {
        let Some(case) = Case::on_disk(driver, "full") else { return };
        let image = case.busybox();
        let script = "until [ -e /go ]; do sleep 0.05; done; seq 100000; echo done";
        case.coracle(["run", "-d", "--network=none", "--name", "box", &image, "sh", "-c", script]).succeeded();
        case.coracle(["create", "--network=none", "--name", "never", &image, "true"]).succeeded();
        std::fs::write(case.home.join("big"), vec![7; 4 << 20]).unwrap();
        case.coracle(["exec", "box", "touch", "/go"]).code(0);
        let filler = case.data.join("filler");
        let _ = std::fs::write(&filler, vec![0; 48 << 20]);
        for name in ["box", "never"] {
            let copied = case.coracle(["cp", "big", &format!("{name}:/tmp/big")]).code(125).stdout("");
            copied.error("No space left on device").says("hint: free space");
        }
        // A program that nobody could write down for ends all the same, and is waited for, listed and asked about.
        case.coracle(["wait", "box"]).code(0);
        case.coracle(["ps", "-a"]).succeeded();
        case.coracle(["logs", "box"]).succeeded();
        std::fs::remove_file(&filler).unwrap();
        for name in ["box", "never"] {
            case.coracle(["cp", &format!("{name}:/tmp/big"), "back"]).code(125).error("could not be found");
            case.coracle(["cp", "big", &format!("{name}:/tmp/big")]).code(0);
        }
        case.coracle(["start", "-a", "never"]).code(0);
        case.coracle(["rm", "-f", "box", "never"]).code(0);
    }
}

#[test]
fn a_read_only_disk() {
    let Some(case) = Case::on_disk(Driver::Auto, "plain") else { return };
    let image = case.busybox();
    let readonly = case.data.to_str().unwrap().replace("/disks/plain/", "/disks/readonly/");
    let root = format!("--root={readonly}/coracle");
    // What only reads works.
    let listed = case.coracle([&root, "images", "--format", "{{.Repository}}"]).succeeded().stdout;
    assert!(listed.contains("busybox"), "{listed}");
    case.coracle([&root, "ps", "-a"]).succeeded();
    case.coracle([&root, "run", "--rm", &image, "true"]).code(125).error("Read-only file system").says("hint: ");
    case.coracle([&root, "pull", &image]).code(125).error("Read-only file system").says("hint: ");
}
