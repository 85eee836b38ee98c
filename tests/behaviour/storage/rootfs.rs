//! `--rootfs`: a directory of this machine in place of an image, as it is or copy-on-write.

use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::{Case, Driver, LIMIT, set_mode, wait_until};

fn case() -> Case {
    Case::new(Driver::Auto)
}

/// A directory with a shell, and what the tests look at.
fn tree(case: &Case) -> PathBuf {
    let tree = case.home.join("tree");
    for dir in ["bin", "etc", "data/sub"] {
        fs::create_dir_all(tree.join(dir)).unwrap();
        set_mode(&tree.join(dir), 0o755);
    }
    set_mode(&tree, 0o755);
    fs::copy("/bin/busybox", tree.join("bin/busybox")).unwrap();
    for name in ["sh", "cat", "ls", "sleep", "mv", "rm", "stat", "mkdir", "touch", "ln"] {
        std::os::unix::fs::symlink("busybox", tree.join("bin").join(name)).unwrap();
    }
    fs::write(tree.join("etc/passwd"), "root:x:0:0::/:/bin/sh\n").unwrap();
    fs::write(tree.join("data/file"), "of the host\n").unwrap();
    fs::write(tree.join("data/sub/deep"), "deep\n").unwrap();
    tree
}

/// The machine's own root: seen, changed for the container alone, and as closed as it is to the user.
#[track_caller]
pub fn the_machine_is_seen_and_left_alone(case: &Case) {
    let script = "set -e; id -u; stat -c '%u %g' /usr /etc/passwd /etc/shadow
        echo x >/etc/coracle-was-here; cat /etc/coracle-was-here; mkdir /etc/made; chmod 700 /usr
        rm -rf /var/lib/dpkg; ls -d /var/lib/dpkg 2>/dev/null || echo gone
        mkdir /var/lib/dpkg; ls -A /var/lib/dpkg; mv /etc/hostname /etc/moved || true
        cat /etc/shadow 2>/dev/null || echo closed; ls /proc/1 >/dev/null; ls -A /sys/kernel >/dev/null";
    let output = case.coracle(["run", "--rm", "--network=none", "--rootfs", "/:O", "sh", "-c", script]).code(0).stdout;
    assert_eq!(output, "0\n0 0\n0 0\n0 0\nx\ngone\nclosed\n");
    assert!(!Path::new("/etc/coracle-was-here").exists() && !Path::new("/etc/made").exists());
    assert!(Path::new("/var/lib/dpkg/status").exists() && Path::new("/etc/hostname").exists());
    assert_eq!(fs::read_dir(case.store().join("containers")).unwrap().count(), 0);
}

#[test]
fn a_view_of_this_machine() {
    the_machine_is_seen_and_left_alone(&case());
}

/// What a container writes is its own, over restarts; and it never sees itself.
#[test]
fn a_kept_view_keeps_its_changes() {
    let case = case();
    let view = format!("{}:O", case.home.display());
    let tree = tree(&case);
    // The store lies below the directory that is shown.
    fs::rename(tree.join("bin"), case.home.join("bin")).unwrap();
    fs::write(case.home.join("mine"), "mine\n").unwrap();
    let script =
        "cat /added 2>/dev/null; ls -A /data/coracle; echo again >>/added; rm /mine 2>/dev/null && echo removed; true";
    let arguments = ["create", "--name", "c", "--network=none", "--rootfs", &view, "/bin/sh", "-c", script];
    case.coracle(arguments).succeeded();
    case.coracle(["start", "-a", "c"]).code(0).stdout("removed\n");
    case.coracle(["start", "-a", "c"]).code(0).stdout("again\n");
    assert!(case.home.join("mine").exists() && !case.home.join("added").exists());
    assert_eq!(case.inspect("c", "{{.GraphDriver.Data.Driver}} {{.Image}}{{.ImageName}}{{.Config.Image}}"), "fuse");
    assert_eq!(case.inspect("c", "{{.Rootfs}}"), case.home.display().to_string());
    case.coracle(["ps", "-a", "--format", "{{.Names}}[{{.Image}}]"]).code(0).stdout("c[]\n");
    let forced = case.coracle(["--storage-driver", "kernel", "start", "-a", "c"]);
    forced.code(125).error("`kernel` can't serve this container").says("hint: `fuse` can");
}

/// What was changed of this machine, whatever of it is closed to the user.
#[test]
fn changes_to_this_machine_are_told() {
    let case = case();
    let script =
        "echo x >/etc/coracle-was-here; rm /etc/passwd; chmod 700 /opt; rm -r /usr/share/doc; mkdir /usr/share/doc";
    case.coracle(["run", "--name", "c", "--network=none", "--rootfs", "/:O", "sh", "-c", script]).code(0);
    let told = case.coracle(["diff", "c"]).succeeded().stdout;
    let (deleted, others): (Vec<_>, Vec<_>) = told.lines().partition(|line| line.starts_with("D /usr/share/doc/"));
    assert_eq!(
        others,
        ["C /etc", "A /etc/coracle-was-here", "D /etc/passwd", "C /opt", "C /usr", "C /usr/share", "C /usr/share/doc"]
    );
    assert!(!deleted.is_empty());
    case.coracle(["commit", "c"]).code(125).error("rootfs").says("hint: ");
}

/// What others change below shows within moments, however the container came to know what was there before.
#[test]
fn changes_from_outside_become_visible() {
    let case = case();
    let tree = tree(&case);
    let view = format!("{}:O", tree.display());
    // Each change is acknowledged in a file of the upper directory.
    let script = "ls /data; exec 3</data/sub/deep; cat /data/file >/one
        until [ \"$(cat /data/file)\" = new ]; do sleep 0.05; done
        until [ -e /data/made ] && [ ! -e /data/sub/deep ]; do sleep 0.05; done; ls /data; touch /two
        until [ \"$(cat /data/made)\" = longer-text ]; do sleep 0.05; done; touch /three
        until [ \"$(cat /moved/file)\" = new ]; do sleep 0.05; done; cat <&3; cat /one; ls /data 2>/dev/null || echo none";
    let arguments = ["run", "--network=none", "--name", "c", "--rootfs", &view, "/bin/sh", "-c", script];
    let running = case.command(arguments).start();
    wait_until("the container runs", LIMIT, || case.command(["inspect", "c"]).finish().code == Some(0));
    let upper = PathBuf::from(case.inspect("c", "{{.GraphDriver.Data.UpperDir}}"));
    wait_until("it has read", LIMIT, || fs::read(upper.join("one")).is_ok_and(|text| text == b"of the host\n"));
    // As an editor saves: another file takes the name.
    fs::write(tree.join("data/file~"), "new\n").unwrap();
    fs::rename(tree.join("data/file~"), tree.join("data/file")).unwrap();
    fs::remove_file(tree.join("data/sub/deep")).unwrap();
    fs::write(tree.join("data/made"), "text\n").unwrap();
    wait_until("it has seen that", LIMIT, || upper.join("two").exists());
    fs::write(tree.join("data/made"), "longer-text\n").unwrap();
    wait_until("it has seen that, too", LIMIT, || upper.join("three").exists());
    fs::rename(tree.join("data"), tree.join("moved")).unwrap();
    running.finish().code(0).stdout("file\nsub\nfile\nmade\nsub\ndeep\nof the host\nnone\n");
}

/// Without `:O` the directory itself is written.
#[test]
fn a_directory_as_it_is() {
    let case = case();
    let tree = tree(&case);
    let path = tree.to_str().unwrap();
    let script = "id -u 2>/dev/null || stat -c %u /etc; echo written >/data/new; rm /data/file";
    case.coracle(["run", "--rm", "--network=none", "--rootfs", path, "/bin/sh", "-c", script]).code(0).stdout("0\n");
    assert_eq!(fs::read_to_string(tree.join("data/new")).unwrap(), "written\n");
    assert!(!tree.join("data/file").exists() && tree.join("bin/busybox").exists());
    case.coracle(["create", "--name", "c", "--network=none", "--rootfs", path, "/bin/cat", "/data/new"]).succeeded();
    case.coracle(["start", "-a", "c"]).code(0).stdout("written\n");
    assert_eq!(case.inspect("c", "{{.GraphDriver.Data.Driver}} {{.Rootfs}}"), format!("none {path}"));
    case.coracle(["rm", "c"]).succeeded();
    assert!(tree.join("data/new").exists());
}

#[test]
fn what_can_not_be_a_root_is_refused() {
    let case = case();
    let run = |rootfs: &str| case.coracle(["run", "--rm", "--network=none", "--rootfs", rootfs, "true"]).code(125);
    run("/usr").error("belongs to another user").says("hint: `--rootfs /usr:O`");
    run("/nowhere:O").error("`/nowhere` can't be used: no such file");
    run("/etc/passwd:O").error("not a directory");
    run("/:idmap").error("idmap").says("hint: `:O`");
    case.coracle(["run", "--rm", "--rootfs", "/:O"]).code(125).error("no command");
    assert_eq!(fs::read_dir(case.store().join("containers")).unwrap().count(), 0);
}

/// What was changed of a view is told; there is no image to be made of it.
#[test]
fn changes_of_a_view() {
    let case = case();
    let view = format!("{}:O", tree(&case).display());
    let script = "touch /data/new; rm /data/file; ls /data/sub >/dev/null; : >>/data/sub/deep";
    let run = ["run", "--network=none", "--name", "box", "--rootfs", &view, "sh", "-c", script];
    case.coracle(run).code(0);
    case.coracle(["diff", "box"]).code(0).stdout("C /data\nD /data/file\nA /data/new\n");
    case.coracle(["commit", "box"]).code(125).error("cannot commit a container that uses an exploded rootfs");
    let archive = case.home.join("all.tar");
    case.coracle(["export", "-o", archive.to_str().unwrap(), "box"]).code(0);
    let listed = crate::behaviour::image::diff::gnu_tar(&["--list", "--file", archive.to_str().unwrap()]);
    assert!(listed.contains("\ndata/new\n") && listed.contains("\ndata/sub/deep\n"), "{listed}");
    assert!(!listed.contains("data/file"), "{listed}");
}
