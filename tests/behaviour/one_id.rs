//! An account with no subordinate ids: one mapped id, and a working shell. Run as `tester-noids`.

use tar::EntryType;

use crate::harness::{Account, Case, Driver, Image, Layer};

/// The test makes sense for an account without subordinate ids alone.
fn no_ids() -> bool {
    crate::harness::has("an account without subordinate ids", Account::current().subordinate == 0)
}

fn a_shell_works(case: &Case) {
    if !no_ids() {
        return;
    }
    let image = case.busybox();
    let finished = case.coracle(["run", "--rm", "--network=none", &image, "sh", "-c", "id; echo ok"]).succeeded();
    assert!(
        finished.stdout.starts_with("uid=0(root) gid=0(root)") && finished.stdout.ends_with("\nok\n"),
        "{finished}"
    );
    case.sh(&image, "exit 3").code(3);
    let script = "echo x >/tmp/f && cat /tmp/f && rm /bin/ls && mkdir /bin/ls && stat -c %u /tmp/f; cat /proc/self/uid_map | wc -l";
    case.sh(&image, script).code(0).stdout("x\n0\n1\n");
}

/// One more command in a container: its one id is the program's, whichever it is inside.
fn one_more_command(case: &Case) {
    if !no_ids() {
        return;
    }
    let image = case.busybox();
    case.coracle(["run", "-d", "--network=none", "--name", "box", "-u", "33:33", &image, "sleep", "1000"]).succeeded();
    case.coracle(["exec", "box", "id", "-u"]).code(0).stdout("33\n");
    case.coracle(["exec", "-t", "box", "sh", "-c", "tty; id -g"]).code(0).stdout("/dev/pts/0\r\n33\r\n");
    case.coracle(["exec", "-u", "0", "box", "id", "-u"]).code(126).error("the id 0 is not mapped");
    case.command(["exec", "-i", "box", "cat", "/dev/stdin"]).stdin("x\n").finish().code(0).stdout("x\n");
}

/// Owners that cannot be had on disk do not stop an image from being unpacked.
fn foreign_owners(case: &Case) {
    if !no_ids() {
        return;
    }
    let layer = Layer::new().dir("opt", 0o755).owned_file("opt/theirs", 0o640, (33, 40), "theirs\n");
    let image = case.pull(&Image::busybox().layer(layer).push("foreign:latest"));
    case.sh(&image, "cat /opt/theirs").code(0).stdout("theirs\n");
    let layers = std::fs::read_dir(case.store().join("layers")).unwrap().map(|layer| layer.unwrap().path());
    let tables: Vec<u8> = layers.flat_map(|layer| std::fs::read(layer.join("owners")).unwrap()).collect();
    assert_eq!(String::from_utf8(tables).unwrap(), "coracle-owners 1\n33:40 - opt/theirs\0");
}

/// The owner that a container's file in its upper directory is noted to have.
fn noted(case: &Case, container: &str, path: &str) -> String {
    let directory = case.store().join("containers").join(case.inspect(container, "{{.Id}}"));
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

#[test]
fn a_view_of_this_machine() {
    if no_ids() {
        super::rootfs::the_machine_is_seen_and_left_alone(&Case::new(Driver::Auto));
    }
}

fn a_real_distribution(case: &Case) {
    if !no_ids() {
        return;
    }
    let case = case.sharing_store();
    let image = case.made("debian");
    let finished =
        case.sh(&image, "id -u; . /etc/os-release; echo $VERSION_ID; apt-get --version | head -c 3").succeeded();
    assert_eq!(finished.stdout, "0\n12\napt");
}

fn detached(case: &Case) {
    if !no_ids() {
        return;
    }
    let image = case.busybox();
    case.coracle(["run", "-d", "--network=none", "--name", "box", &image, "sleep", "1000"]).succeeded();
    assert_eq!(case.inspect("box", "{{.State.Status}}"), "running");
    case.coracle(["stop", "-t", "0", "box"]).code(0).stdout("box\n");
    case.coracle(["rm", "box"]).code(0);
    case.coracle(["rmi", &image]).code(0);
}

/// `diff`, `commit`, `export`.
fn packed(case: &Case) {
    super::commit::with_one_id(case);
}

/// The one id can be the user's own inside; there is none to spare for anything else.
fn the_one_id_is_kept(case: &Case) {
    if !no_ids() {
        return;
    }
    let image = case.pull(&Image::busybox().config("User", "www-data").push("keep-one:latest"));
    let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    let name = Account::current().name;
    let shared = case.home.join("shared");
    std::fs::create_dir(&shared).unwrap();
    let volume = format!("{}:/shared", shared.display());
    let script = "id -u; id -g; id -un; touch /shared/f; stat -c %u:%g /shared/f";
    let flags = ["run", "--rm", "--network=none", "--userns=keep-id", "-v", &volume, &image, "sh", "-c", script];
    case.coracle(flags).succeeded().stdout(&format!("{uid}\n{gid}\n{name}\n{uid}:{gid}\n"));
    for userns in ["--userns=auto", "--userns=nomap"] {
        let refused = case.coracle(["create", userns, &image, "sh"]).code(125);
        refused.error("this account has no subordinate ids").says("hint: `--userns=keep-id` works");
    }
}

on_both_drivers!(
    a_shell_works,
    packed,
    one_more_command,
    the_one_id_is_kept,
    foreign_owners,
    owners_outlive_a_change,
    a_real_distribution,
    detached
);
