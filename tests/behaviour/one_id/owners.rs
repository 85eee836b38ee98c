//! Whose files would be: written down where it can't be given.

use std::path::Path;

use tar::EntryType;

use super::no_ids;
use crate::harness::{Case, Driver, Image, LIMIT, Layer, wait_for};

/// The owner that a container's file in its upper directory is noted to have.
pub fn noted(case: &Case, container: &str, path: &str) -> String {
    noted_in(&case.store().join("containers").join(case.inspect(container, "{{.Id}}")), path)
}

fn noted_in(directory: &Path, path: &str) -> String {
    let mut value = [0; 64];
    let file = directory.join("upper").join(path);
    if let Ok(length) = rustix::fs::lgetxattr(&file, "user.coracle.owner", &mut value[..]) {
        return String::from_utf8_lossy(&value[..length]).into_owned();
    }
    let number = std::os::unix::fs::MetadataExt::ino(&std::fs::symlink_metadata(&file).unwrap());
    let journal = std::fs::read_to_string(directory.join("owners")).unwrap_or_default();
    let mut lines = journal.lines().rev().filter_map(|line| line.split_once(' '));
    let found = lines.find(|(noted, _)| *noted == number.to_string()).map(|(_, owner)| owner.to_owned());
    found.filter(|owner| owner != "-").unwrap_or_else(|| "0:0".to_owned())
}

/// A file that is changed keeps the owner that its layer names, through a rename and further links, and over a new start.
fn owners_outlive_a_change(case: &Case) {
    if !no_ids() || case.driver != Driver::Fuse {
        return;
    }
    let layer = Layer::new()
        .entry(EntryType::Directory, "srv", 0o2775, (0, 50), "", b"")
        .owned_file("srv/theirs", 0o4640, (33, 40), "theirs\n")
        .entry(EntryType::Symlink, "srv/link", 0o777, (7, 8), "theirs", b"")
        .entry(EntryType::Fifo, "srv/pipe", 0o600, (0, 9), "", b"")
        .entry(EntryType::Char, "srv/null", 0o600, (0, 3), "", b"");
    let image = case.pull(&Image::busybox().layer(layer).push("owners:latest"));
    let script = "cd /srv && stat -c %u:%g * | sort -u && echo more >>theirs && mv link moved && ln pipe other && ln theirs again; \
                  touch new && chmod 666 null && mkdir sub && ln -s x sym && touch /etc/plain";
    case.coracle(["run", "--network=none", "--name", "box", &image, "sh", "-c", script]).code(0).stdout("0:0\n");
    let expected = [
        ("srv", "0:50"),
        ("srv/theirs", "33:40"),
        ("srv/again", "33:40"),
        ("srv/moved", "7:8"),
        ("srv/pipe", "0:9"),
        ("srv/other", "0:9"),
        ("srv/null", "0:3"),
        ("srv/new", "0:50"),
        ("srv/sub", "0:50"),
        ("srv/sym", "0:50"),
        ("etc/plain", "0:0"),
    ];
    for (path, owner) in expected {
        assert_eq!(noted(case, "box", path), owner, "{path}");
    }
    let null = case.store().join("containers").join(case.inspect("box", "{{.Id}}")).join("upper/srv/null");
    let mut value = [0; 64];
    let length = rustix::fs::lgetxattr(null, "user.coracle.device", &mut value[..]).unwrap();
    assert_eq!(&value[..length], b"c 0:0", "what it was is not forgotten");
}

/// What programs ask for is answered and written down, for every kind of file and by every way to it; a second start goes on
/// from there.
fn changes_of_owners(case: &Case) {
    if !no_ids() || case.driver != Driver::Fuse {
        return;
    }
    // With the commands of Debian: those of busybox always ask for both ids.
    let case = case.sharing_store();
    let image = case.made("debian");
    let first = "cd /tmp; touch file set; mkdir dir; ln -s file link; mkfifo pipe; ln -s dir way; ln file twin;
        chmod 6755 set; mkdir -p jail/tmp; touch jail/tmp/inner jail/tmp/rel
        chown 33:44 file; chown 55 dir; chgrp 66 pipe; chown -h 5:6 link; chown 7:7 set; stat -c %a set
        touch dir/in; chown 8:9 way/in; chown 10:10 ./dir/../twin; chown 3:3 /proc/self/cwd/jail /dev/stdin
        perl -e 'chroot \"jail\" or die; chdir \"/tmp\" or die; chown(3, 4, \"/tmp/inner\", \"rel\") == 2 or die'; chown 1:1 none 2>/dev/null || echo none
        chown 1:1 link/x 2>/dev/null || echo no directory";
    let second = "cd /tmp; chgrp 77 twin; chown 88 link; chgrp -h 99 link; mv pipe moved; rm set; touch new";
    let script = format!("if [ -e /second ]; then {second}; else touch /second; {first}; fi");
    let said = case.coracle(["run", "--network=none", "--name", "changes", &image, "sh", "-c", &script]).code(0);
    assert_eq!(said.stdout, "755\nnone\nno directory\n", "{said}");
    for (path, owner) in [
        ("file", "10:10"),
        ("dir", "55:0"),
        ("pipe", "0:66"),
        ("link", "5:6"),
        ("set", "7:7"),
        ("dir/in", "8:9"),
        ("jail", "3:3"),
        ("jail/tmp/inner", "3:4"),
        ("jail/tmp/rel", "3:4"),
        ("way", "0:0"),
    ] {
        assert_eq!(noted(&case, "changes", &format!("tmp/{path}")), owner, "{path}");
    }
    case.coracle(["start", "--attach", "changes"]).code(0).stdout("");
    for (path, owner) in [("file", "88:77"), ("link", "5:99"), ("moved", "0:66"), ("new", "0:0")] {
        assert_eq!(noted(&case, "changes", &format!("tmp/{path}")), owner, "{path}");
    }
    case.coracle(["rm", "changes"]).code(0);
}

/// What lies on other mounts has nobody to write it down: the call succeeds and the file stays as it is.
fn other_mounts_are_left_alone(case: &Case) {
    if !no_ids() {
        return;
    }
    let image = case.busybox();
    let volume = case.home.join("volume");
    std::fs::create_dir(&volume).unwrap();
    std::fs::write(volume.join("file"), "").unwrap();
    let volume = format!("{}:/v", volume.display());
    let script =
        "chown 33:33 /v/file /dev/shm && touch /dev/shm/f && chown 3:3 /dev/shm/f && stat -c %u:%g /v/file /dev/shm/f";
    case.coracle(["run", "--rm", "--network=none", "-v", &volume, &image, "sh", "-c", script])
        .code(0)
        .stdout("0:0\n0:0\n");
}

/// Only what can't work is faked, and only for who could have done it.
fn what_works_is_not_faked(case: &Case) {
    if !no_ids() {
        return;
    }
    let image = case.busybox();
    let script = "mkfifo /tmp/p && test -p /tmp/p && mknod /tmp/c c 1 3 && test ! -e /tmp/c && mknod /tmp/q p && test -p /tmp/q \
        && chown 1:1 /tmp/p && su -s /bin/sh nobody -c 'id -u'; grep Cap /proc/self/status | cut -f2 | sort -u | wc -l";
    case.sh(&image, script).code(0).stdout("0\n2\n");
    let refused = ["run", "--rm", "--network=none", "--cap-drop=chown", &image, "chown", "1:1", "/tmp"];
    let refused = case.coracle(refused).code(1);
    assert!(refused.stderr.contains("nvalid argument") || refused.stderr.contains("not permitted"), "{refused}");
    // The read-only root refuses, as it would refuse root.
    if case.driver == Driver::Fuse {
        let refused =
            case.coracle(["run", "--rm", "--network=none", "--read-only", &image, "chown", "1:1", "/bin"]).code(1);
        assert!(refused.stderr.contains("ead-only file system"), "{refused}");
    }
}

/// A user other than root has the one id as its own, gets no emulation, and its files are noted as its own.
fn another_user_owns_what_it_makes(case: &Case) {
    if !no_ids() || case.driver != Driver::Fuse {
        return;
    }
    let image = case.busybox();
    let script = "touch /tmp/f && ln -s x /tmp/l && stat -c %u:%g /tmp/f && chown 0:0 /tmp/f";
    let run = ["run", "--network=none", "--name", "box", "--user", "33:44", &image, "sh", "-c", script];
    let refused = case.coracle(run).code(1);
    assert_eq!(refused.stdout, "33:44\n", "{refused}");
    assert_eq!((noted(case, "box", "tmp/f"), noted(case, "box", "tmp/l")), ("33:44".into(), "33:44".into()));
}

/// Commands in a container that runs are heard as its own program is; each in its turn, and those that outlive it.
fn commands_are_heard(case: &Case) {
    if !no_ids() || case.driver != Driver::Fuse {
        return;
    }
    let image = case.busybox();
    case.coracle(["run", "-d", "--network=none", "--name", "box", &image, "sleep", "1000"]).code(0);
    let script =
        "cd /tmp; touch f g h; chown 1:2 f /proc/self/cwd/g; echo $APT_CONFIG; ps | grep [s]uperv || echo alone";
    case.coracle(["exec", "box", "sh", "-c", script]).code(0).stdout("/run/.coracle-apt.conf\nalone\n");
    case.coracle(["exec", "box", "chown", "3:4", "/tmp/h"]).code(0);
    for (path, owner) in [("f", "1:2"), ("g", "1:2"), ("h", "3:4")] {
        assert_eq!(noted(case, "box", &format!("tmp/{path}")), owner, "{path}");
    }
}

/// Each driver says whether owners are kept.
fn inspect_tells(case: &Case) {
    if !no_ids() {
        return;
    }
    let image = case.busybox();
    case.coracle(["run", "--network=none", "--name", "box", &image, "true"]).code(0);
    let reason = case.inspect("box", "{{.GraphDriver.Data.Reason}}");
    match case.driver {
        Driver::Kernel => assert_eq!(reason, "asked for; only `fuse` writes down the owners of files"),
        _ => assert_eq!(reason, "asked for"),
    }
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    case.coracle(["run", "--network=none", "--name", "box", &image, "true"]).code(0);
    assert_eq!(case.inspect("box", "{{.GraphDriver.Data.Driver}}"), "fuse");
    assert_eq!(case.inspect("box", "{{.GraphDriver.Data.Reason}}"), "only `fuse` writes down the owners of files");
}

/// A storm of changes from many processes: each is answered, and the container can be ended in the midst of them.
fn a_storm_of_changes(case: &Case) {
    if !no_ids() || case.driver != Driver::Fuse {
        return;
    }
    let image = case.busybox();
    let script = "cd /tmp; for n in 1 2 3 4; do ( for i in $(seq 200); do touch $n-$i; done; chown $n:$n $n-* ) & done; wait; ls | wc -l";
    case.coracle(["run", "--network=none", "--name", "box", &image, "sh", "-c", script])
        .code(0)
        .stdout("800\n")
        .stderr("");
    let directory = case.store().join("containers").join(case.inspect("box", "{{.Id}}"));
    let noted = |name: &str| noted_in(&directory, &format!("tmp/{name}"));
    let names = (1..=4).flat_map(|owner| (1..=200).map(move |file| (owner, format!("{owner}-{file}"))));
    let lost: Vec<_> = names.filter(|(owner, name)| noted(name) != format!("{owner}:{owner}")).collect();
    assert!(lost.is_empty(), "{lost:?}");
    let storm = "cd /tmp; touch f; touch ready; while :; do chown 1:1 f; chown 2:2 f; done";
    case.coracle(["run", "-d", "--network=none", "--name", "storm", &image, "sh", "-c", storm]).code(0);
    let upper = case.store().join("containers").join(case.inspect("storm", "{{.Id}}")).join("upper/tmp/ready");
    wait_for("the storm", LIMIT, || upper.exists().then_some(()));
    case.coracle(["stop", "--time", "0", "storm"]).code(0);
    assert_eq!(case.inspect("storm", "{{.State.Status}}"), "exited");
}

on_both_drivers!(
    owners_outlive_a_change,
    changes_of_owners,
    other_mounts_are_left_alone,
    what_works_is_not_faked,
    another_user_owns_what_it_makes,
    commands_are_heard,
    inspect_tells,
    a_storm_of_changes
);
