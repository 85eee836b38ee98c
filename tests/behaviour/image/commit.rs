//! `commit`: an image of a container. The new image shows what the container showed, on both overlay drivers.

use rustix::process::Signal;
use serde_json::{Value, json};

use super::diff;
use crate::harness::image::{noise, registry};
use crate::harness::{Account, Case, Command, Driver, Image, LIMIT, Layer, binary, wait_until};

/// All that can be seen of a tree: type, mode, owner, time, target, content.
const LISTING: &str = "cd /; for f in $(find data opt root var -print | sort); do \
     stat -c '%n %F %a %u:%g %Y' $f; [ -L $f ] && readlink $f; [ -f $f ] && md5sum <$f; done; ls /etc /bin | md5sum";

/// Four programs in `box` that have written a file each, and have it open still: 3,000,000 bytes.
pub fn held_open(case: &Case, image: &str) {
    let script =
        "for i in 0 1 2 3; do (yes | head -c 3000000; : >/done$i; exec sleep 1000) | cat >/held$i & done; wait";
    case.coracle(["run", "-d", "--network=none", "--name", "box", image, "sh", "-c", script]).succeeded();
    let pid = case.inspect("box", "{{.State.Pid}}");
    // The first process and its shell are in one pid namespace; its own files are seen through its root, as a program inside would.
    let upper = case.store().join("containers").join(case.inspect("box", "{{.Id}}")).join("upper");
    wait_until(&format!("the programs below {pid} have written"), LIMIT, || {
        (0..4).all(|file| upper.join(format!("done{file}")).exists())
    });
    // The pipe holds the last 64 KiB until `cat` has written them, after which it sleeps.
    wait_until("all is written", LIMIT, || all_asleep(&pid));
}

/// Whether each `cat` below the process waits for input.
fn all_asleep(pid: &str) -> bool {
    let read = |path: String| std::fs::read_to_string(path).unwrap_or_default();
    let children = |pid: &str| -> Vec<String> {
        read(format!("/proc/{pid}/task/{pid}/children")).split_whitespace().map(str::to_owned).collect()
    };
    let cats: Vec<String> =
        children(pid).into_iter().filter(|child| read(format!("/proc/{child}/comm")) == "cat\n").collect();
    let waits = |cat: &String| {
        let call = read(format!("/proc/{cat}/syscall"));
        // read(2) of descriptor 0.
        call.starts_with("0 0x0 ") || call.starts_with("63 0x0 ")
    };
    cats.len() == 4 && cats.iter().all(waits)
}

fn the_same_tree(case: &Case) {
    let image = diff::image(case);
    let script = format!(
        "({}) && truncate -s 8M /data/holes && echo end >>/data/holes && chmod 700 /root && {LISTING}",
        diff::CHANGES
    );
    let shown = case.coracle(["run", "--network=none", "--name", "box", &image, "sh", "-c", &script]).code(0).stdout;
    let committed = case.coracle(["commit", "box", "changed"]).code(0);
    let id = committed.stdout.trim_end().to_owned();
    assert_eq!(id.len(), 64, "{committed}");
    assert!(committed.stderr.ends_with("Writing manifest to image destination\n"), "{committed}");
    for driver in ["kernel", "fuse"] {
        let again =
            case.command(["--storage-driver", driver, "run", "--rm", "--network=none", "changed", "sh", "-c", LISTING]);
        assert_eq!(again.finish().code(0).stdout, shown, "with {driver}");
    }
    case.coracle(["diff", "box", "changed"]).code(0).stdout("");
    assert_eq!(case.coracle(["images", "-q", "--no-trunc", "changed"]).succeeded().stdout, format!("sha256:{id}\n"));
    // Made on top of itself: what the layers below hide stays hidden.
    let more = "echo 2 >/data/kept; rm -r /data/newdir; mkdir /data/gone; echo 1 >/data/gone/new";
    case.coracle(["run", "--network=none", "--name", "more", "changed", "sh", "-c", more]).code(0);
    case.coracle(["commit", "-q", "more", "changed:2"]).code(0).stderr("");
    case.sh("changed:2", "cd /data; cat kept; ls gone; ls newdir 2>/dev/null || echo absent")
        .code(0)
        .stdout("2\nnew\nabsent\n");
    // Everything in one layer.
    case.coracle(["commit", "-q", "--squash", "more", "flat"]).code(0);
    case.coracle(["diff", "flat", "changed:2"]).code(0).stdout("");
    assert_eq!(
        case.coracle(["image", "inspect", "--format", "{{len .RootFS.Layers}} {{len .History}}", "flat"]).stdout,
        "1 1\n"
    );
}

/// Attributes that mean something to the kernel arrive.
fn capabilities_and_foreign_files(case: &Case) {
    let program = std::fs::read("/bin/busybox").unwrap();
    // Version 2, effective, CAP_NET_BIND_SERVICE (bit 10).
    let capability = "\u{1}\0\0\u{2}\0\u{4}\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let layer = Layer::new().dir("opt", 0o755).pax("SCHILY.xattr.security.capability", capability).file(
        "opt/busybox",
        0o755,
        program,
    );
    let image = case.pull(&Image::busybox().layer(layer).push("capable-base:latest"));
    case.coracle([
        "run",
        "--network=none",
        "--name",
        "box",
        &image,
        "sh",
        "-c",
        "touch -d @5 /opt/busybox; chown 33 /opt",
    ])
    .code(0);
    case.coracle(["commit", "-q", "box", "capable"]).code(0);
    let run =
        ["run", "--rm", "--network=none", "-u", "33", "capable", "/opt/busybox", "grep", "CapEff", "/proc/self/status"];
    case.coracle(run).code(0).stdout("CapEff:\t0000000000000400\n");
    case.sh("capable", "stat -c '%Y' /opt/busybox; stat -c %u /opt").code(0).stdout("5\n33\n");
}

/// What POSIX ACLs (acl(5)) and a capability, as newer kernels write them (version 3, with the id of a root), are put on: `/acl`, what
/// is made in `/d`, and `/opt/busybox`. To be stacked on that of busybox.
pub fn lists_and_capabilities() -> Layer {
    let entry = |tag: u8, may: u8, id: u32| [&[tag, 0, may, 0][..], &id.to_le_bytes()].concat();
    let list = [
        vec![2, 0, 0, 0],
        entry(1, 6, u32::MAX),
        // The user 33 may read.
        entry(2, 4, 33),
        entry(4, 0, u32::MAX),
        entry(16, 4, u32::MAX),
        entry(32, 0, u32::MAX),
    ]
    .concat();
    let capability = b"\x01\0\0\x03\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    Layer::new()
        .pax("SCHILY.xattr.system.posix_acl_access", &list)
        .file("acl", 0o640, "secret\n")
        .pax("SCHILY.xattr.system.posix_acl_default", &list)
        .dir("d", 0o755)
        .dir("opt", 0o755)
        .pax("SCHILY.xattr.security.capability", capability)
        .file("opt/busybox", 0o755, std::fs::read("/bin/busybox").unwrap())
}

/// The files with ACLs can be read, to be this together, by the one user whom they name; and the program has its capability.
#[track_caller]
pub fn they_count(case: &Case, image: &str, files: &[&str], content: &str) {
    let run = |user: &str, words: &[&str]| {
        case.coracle(["run", "--rm", "--network=none", "-u", user, image].iter().chain(words).copied())
    };
    let words = [&["cat"], files].concat();
    run("33", &words).code(0).stdout(content);
    run("34", &words).code(1).stdout("");
    let capable = run("33", &["/opt/busybox", "grep", "CapEff", "/proc/self/status"]);
    capable.code(0).stdout("CapEff:\t0000000000000400\n");
}

/// From a registry to a container, from there to another registry, and back.
fn lists_of_who_may_and_newer_capabilities(case: &Case) {
    let image = case.pull(&Image::busybox().layer(lists_and_capabilities()).push("acl-base:latest"));
    they_count(case, &image, &["/acl"], "secret\n");
    let script = "touch -d @5 /acl /opt/busybox; echo new >/d/new";
    case.coracle(["run", "--network=none", "--name", "box", &image, "sh", "-c", script]).code(0);
    let to = format!("{}/acl-{}:1", registry(), case.home.file_name().unwrap().to_str().unwrap().to_lowercase());
    case.coracle(["commit", "-q", "box", &to]).code(0);
    case.coracle(["push", "-q", &to]).code(0);
    let other = Case::new(case.driver);
    other.pull(&to);
    they_count(&other, &to, &["/acl", "/d/new"], "secret\nnew\n");
}

/// Whatever ids the container had, the image has its own.
fn from_other_ids(case: &Case) {
    let image = case.busybox();
    let script = "mkdir /d; echo x >/d/a; cp /d/a /d/b; chown 33:40 /d/b; chown 5 /etc/group; stat -c %u:%g /d/a /d/b /etc/group";
    let flags = ["run", "-d", "--name", "box", "--network=none", "--userns=keep-id", "-u", "0", &image];
    case.coracle(flags.into_iter().chain(["sh", "-c", &format!("{script}; sleep 1000")])).succeeded();
    wait_until("it has changed all", LIMIT, || case.coracle(["logs", "box"]).stdout.lines().count() == 3);
    case.coracle(["commit", "-q", "box", "mine"]).code(0);
    case.sh("mine", "stat -c %u:%g /d/a /d/b /etc/group").code(0).stdout("0:0\n33:40\n5:0\n");
    case.coracle(["rm", "-f", "-t", "0", "box"]).code(0);
}

/// How much it reads is what the container changed, however large the image is.
fn what_changed_alone_is_read(case: &Case) {
    let read = |size: u64, change: &str| -> u64 {
        let image = Image::busybox().layer(Layer::new().file("large", 0o644, noise(size)));
        let image = case.pull(&image.push(&format!("large-{size}:latest")));
        case.coracle(["run", "--network=none", "--name", "box", &image, "sh", "-c", change]).code(0);
        // What its children have read counts as a shell's own once it has waited for them.
        let script = "\"$0\" commit -q box made >/dev/null && sed -n 's/^rchar: //p' /proc/$$/io";
        let counted = case.command_of("/bin/sh".as_ref(), ["-c", script, &binary().display().to_string()]);
        let counted = counted.finish().succeeded().stdout;
        case.coracle(["rm", "box"]).succeeded();
        case.coracle(["rmi", "made"]).succeeded();
        counted.trim_end().parse().unwrap()
    };
    let small = read(1_000, "echo x >/small");
    let large = read(8_000_000, "echo x >/small");
    assert!(large < small + 1_000_000, "{small} and {large} bytes");
    let changed = read(1_000, "head -c 8000000 /dev/urandom >/new");
    assert!(changed > small + 8_000_000, "{small} and {changed} bytes");
}

/// What the programs of a running container have written is in the image, though the kernel may not have written it down yet.
fn of_a_running_one(case: &Case) {
    let image = case.busybox();
    held_open(case, &image);
    case.coracle(["commit", "-q", "box", "live"]).code(0).stderr("");
    case.sh("live", "cat /held* | wc -c; yes | head -c 3000000 | cmp - /held3").code(0).stdout("12000000\n");
    assert_eq!(case.inspect("box", "{{.State.Status}}"), "running");
    case.coracle(["rm", "-f", "-t", "0", "box"]).code(0);
}

/// Two at once from one container, and others that are killed at any moment: what has a name is whole, what has none is swept.
fn at_once_and_killed(case: &Case) {
    let image = case.busybox();
    let fill = "for i in $(seq 200); do head -c 20000 /dev/urandom >/root/f$i; done; chown -R 33 /root";
    case.coracle(["run", "--network=none", "--name", "box", &image, "sh", "-c", fill]).code(0);
    let both: Vec<_> =
        (0..2).map(|number| case.command(["commit", "-q", "box", &format!("twin:{number}")]).start()).collect();
    for running in both {
        running.finish().code(0);
    }
    for delay in 0..12 {
        let running = case.command(["commit", "-q", "box", &format!("killed:{delay}")]).start();
        std::thread::sleep(std::time::Duration::from_millis(delay * 8));
        running.signal(Signal::KILL);
        running.finish();
    }
    let names = case.coracle(["images", "--format", "{{.Repository}}:{{.Tag}}"]).succeeded().stdout;
    for name in names.lines().filter(|name| name.starts_with("localhost/")) {
        case.sh(name, "ls /root | wc -l").code(0).stdout("200\n");
        case.coracle(["rmi", name]).code(0);
    }
    assert!(names.contains("twin:0") && names.contains("twin:1"), "{names}");
    // Any later command sweeps, once the workers of the killed have seen that nobody reads what they write.
    wait_until("nothing is left under `tmp`", LIMIT, || {
        case.coracle(["rm", "--ignore", "absent"]);
        case.coracle(["pull", &image]).succeeded();
        std::fs::read_dir(case.store().join("tmp")).unwrap().count() == 0
    });
    assert_eq!(std::fs::read_dir(case.store().join("layers")).unwrap().count(), 1);
}

on_both_drivers!(
    the_same_tree,
    owners,
    capabilities_and_foreign_files,
    lists_of_who_may_and_newer_capabilities,
    what_changed_alone_is_read,
    of_a_running_one,
    at_once_and_killed,
);

#[test]
fn of_a_view() {
    Case::with(Driver::Auto, from_other_ids);
}

fn case() -> Case {
    Case::new(Driver::Auto)
}

fn config(case: &Case, image: &str) -> Value {
    let inspected: Value = serde_json::from_str(&case.coracle(["image", "inspect", image]).succeeded().stdout).unwrap();
    inspected[0].clone()
}

/// The image starts what the container started, unless told otherwise; as podman 5.4.
#[test]
fn the_config_of_the_container() {
    let case = case();
    let image = case.pull(
        &Image::busybox()
            .config("Labels", json!({"a": "image"}))
            .config("StopSignal", "SIGINT")
            .push("configured:latest"),
    );
    let flags = [
        "-e",
        "A=b",
        "-l",
        "lab=el",
        "-w",
        "/var",
        "-u",
        "33",
        "-v",
        "/tmp:/mnt:ro",
        "--entrypoint",
        "[\"sh\",\"-c\"]",
    ];
    let run = ["run", "--network=none", "--name", "box"].into_iter().chain(flags).chain([image.as_str(), "echo $A"]);
    case.coracle(run).code(0).stdout("b\n");
    case.coracle(["commit", "-q", "box", "plain"]).code(0);
    let made = config(&case, "plain");
    let env = made["Config"]["Env"].as_array().unwrap();
    assert!(
        env.contains(&"A=b".into()) && env.iter().all(|pair| !pair.as_str().unwrap().starts_with("HOSTNAME=")),
        "{made}"
    );
    assert_eq!((&made["Config"]["Entrypoint"], &made["Config"]["Cmd"]), (&json!(["sh", "-c"]), &json!(["echo $A"])));
    assert_eq!((&made["Config"]["User"], &made["Config"]["WorkingDir"]), (&json!("33"), &json!("/var")));
    assert_eq!(
        (&made["Labels"], &made["Config"]["StopSignal"]),
        (&json!({"a": "image", "lab": "el"}), &json!("SIGINT"))
    );
    assert_eq!((&made["Config"]["Volumes"], &made["RepoTags"]), (&Value::Null, &json!(["localhost/plain:latest"])));
    let step = made["History"].as_array().unwrap().last().unwrap();
    assert_eq!((&step["created_by"], &step["comment"]), (&json!("sh -c echo $A"), &json!(format!("FROM {image}"))));
    case.coracle(["run", "--rm", "--network=none", "plain"]).code(0).stdout("b\n");

    let id_file = case.home.join("id");
    let merged = case.home.join("merged.json");
    std::fs::write(&merged, r#"{"User": "7", "Env": ["Z=1"], "Labels": {"w": "e"}}"#).unwrap();
    let flags =
        ["-c", "CMD [\"true\"]", "--change", "ENV A=$A$A C=\"d e\"", "-c", "ENTRYPOINT []", "-c", "WORKDIR /tmp"];
    let head = [
        "commit",
        "-q",
        "--include-volumes",
        "--iidfile",
        id_file.to_str().unwrap(),
        "--config",
        merged.to_str().unwrap(),
    ];
    let docker = ["-f", "docker", "-m", "a message", "-a", "Me <me@x>", "box", "other:1"];
    let id = case.coracle(head.into_iter().chain(flags).chain(docker)).code(0).stderr("").stdout;
    assert_eq!(std::fs::read_to_string(id_file).unwrap(), id.trim_end());
    let made = config(&case, "other:1");
    assert_eq!(
        (&made["Config"]["Cmd"], &made["Config"]["Entrypoint"], &made["Config"]["WorkingDir"]),
        (&json!(["true"]), &Value::Null, &json!("/tmp"))
    );
    assert_eq!((&made["Config"]["User"], &made["Config"]["Volumes"]), (&json!("7"), &json!({"/mnt": {}})));
    let env = made["Config"]["Env"].as_array().unwrap();
    assert!(["A=bb", "C=d e", "Z=1"].iter().all(|pair| env.contains(&json!(pair))), "{made}");
    assert_eq!((&made["Comment"], &made["Author"]), (&json!("a message"), &json!("Me <me@x>")));
    assert_eq!(made["ManifestType"], "application/vnd.docker.distribution.manifest.v2+json");
    case.coracle(["run", "--rm", "--network=none", "other:1"]).code(0);
}

#[test]
fn without_a_name() {
    let case = case();
    let image = case.busybox();
    case.coracle(["run", "--network=none", "--name", "box", &image, "touch", "/new"]).code(0);
    let id = case.coracle(["commit", "-q", "box"]).code(0).stdout.trim_end().to_owned();
    let listed = case.coracle(["images", "--format", "{{.Repository}} {{.Tag}} {{.ID}}"]).succeeded().stdout;
    assert!(listed.contains(&format!("<none> <none> {}\n", &id[..12])), "{listed}");
    case.sh(&id, "ls /new").code(0).stdout("/new\n");
    case.coracle(["tag", &id, "named"]).code(0);
    // The image below may lose its name, and goes when nothing stands on it.
    case.coracle(["rm", "box"]).code(0);
    case.coracle(["rmi", &image]).code(0);
    case.sh("named", "ls /new").code(0).stdout("/new\n");
    case.coracle(["rmi", "named"]).code(0);
    for folder in ["layers", "images/blobs/sha256", "tmp"] {
        assert_eq!(std::fs::read_dir(case.store().join(folder)).unwrap().count(), 0, "{folder}");
    }
}

#[test]
fn read_by_other_tools() {
    let case = case();
    let image = case.busybox();
    let script = "mkdir d; echo x >d/f; ln d/f d/g; ln -s f d/s; mkfifo d/p; rm /etc/group; truncate -s 9M d/holes";
    case.coracle(["run", "--network=none", "--name", "box", &image, "sh", "-c", script]).code(0);
    case.coracle(["commit", "-q", "box", "for-others"]).code(0);
    let skopeo = |words: &[&str]| {
        let skopeo =
            Command::new("skopeo").arg("--insecure-policy").env("PATH", "/usr/bin:/bin").env("HOME", &case.home);
        words.iter().fold(skopeo, Command::arg).finish().succeeded()
    };
    let source = format!("oci:{}:localhost/for-others:latest", case.store().join("images").display());
    let inspected: Value = serde_json::from_str(&skopeo(&["inspect", &source]).stdout).unwrap();
    assert_eq!(inspected["Layers"].as_array().unwrap().len(), 2);
    // Copied, every digest is checked, of the unpacked bytes too.
    let copy = case.home.join("copy");
    skopeo(&["copy", "--dest-decompress", &source, &format!("dir:{}", copy.display())]);
    let layer = inspected["Layers"][1].as_str().unwrap();
    let blob = case.store().join("images/blobs").join(layer.replace(':', "/"));
    let listed = diff::gnu_tar(&["--list", "--gzip", "--verbose", "--numeric-owner", "--file", blob.to_str().unwrap()]);
    let names = listed.lines().map(|line| line.split_whitespace().nth(5).unwrap());
    // The rest are the places where the container had /dev and the like.
    let names: Vec<_> = names.filter(|name| name.starts_with("d/") || name.starts_with("etc")).collect();
    assert_eq!(names, ["d/", "d/f", "d/g", "d/holes", "d/p", "d/s", "etc/", "etc/.wh.group"], "{listed}");
    assert!(listed.contains(" link to d/f") && listed.contains(" 9437184 "), "{listed}");
}

#[test]
fn what_is_refused() {
    let case = case();
    let image = case.busybox();
    case.coracle(["create", "--network=none", "--name", "box", &image, "true"]).succeeded();
    let refused = |words: &[&str], message: &str| {
        case.coracle(["commit"].iter().chain(words).copied()).code(125).stdout("").error(message);
    };
    refused(&["absent"], "no container with name or ID \"absent\" found: no such container");
    refused(&["box", "BAD NAME"], "BAD NAME");
    refused(&["-f", "tar", "box"], "unrecognized image format \"tar\"");
    refused(&["-m", "x", "box"], "messages are only compatible with the docker image format (-f docker)");
    refused(&["-c", "RUN x", "box"], "`RUN x` is not a change");
    refused(&["-c", "STOPSIGNAL nosuch", "box"], "`nosuch` is not a signal");
    refused(&["--config", "/nowhere", "box"], "/nowhere");
    refused(&["--iidfile", "/nowhere/id", "box"], "/nowhere/id");
    case.coracle(["images", "-q", "--filter", "dangling=true"]).stdout("");
    // A name that would be taken for a mark.
    case.coracle(["run", "--network=none", "--name", "marks", &image, "touch", "/root/.wh.x"]).code(0);
    refused(&["marks"], "`root/.wh.x`");
    assert_eq!(case.coracle(["images", "-q"]).stdout.lines().count(), 1);
}

/// A container that is removed while it is committed gives an image of all of it, or none.
#[test]
fn removed_meanwhile() {
    let case = case();
    let image = case.busybox();
    let fill = "mkdir d; for i in $(seq 300); do echo $i >d/$i; done";
    for delay in 0..8 {
        case.coracle(["run", "--network=none", "--name", "box", &image, "sh", "-c", fill]).code(0);
        let running = case.command(["commit", "-q", "box", "made"]).start();
        std::thread::sleep(std::time::Duration::from_millis(delay * 4));
        case.coracle(["rm", "box"]).code(0);
        if running.finish().code == Some(0) {
            case.sh("made", "ls /d | wc -l").code(0).stdout("300\n");
        }
    }
}

/// The owners that these steps leave in an image are the same whichever ids the account has: with subordinate ids they lie on the
/// disk, with one id they are written down, which only our own driver does.
pub fn owners(case: &Case) {
    if Account::current().subordinate == 0 && case.driver == Driver::Kernel {
        return;
    }
    let layer = Layer::new()
        .entry(tar::EntryType::Directory, "srv", 0o2775, (0, 50), "", b"")
        .owned_file("srv/below", 0o640, (33, 40), "below\n")
        .owned_file("srv/changed", 0o4755, (33, 40), "below\n")
        .entry(tar::EntryType::Symlink, "srv/link", 0o777, (7, 8), "below", b"")
        .entry(tar::EntryType::Fifo, "srv/pipe", 0o600, (0, 9), "", b"");
    let image = case.pull(&Image::busybox().layer(layer).push("of-many-owners:latest"));
    // Both ids each time: busybox fills in the other one from what it is shown, which is 0 where there is but one id.
    let steps = "cd /srv; echo more >>changed; chown 34:41 changed; chown -h 35:36 link; mv link moved; ln pipe again; touch new set own
        chown 1:2 new; ln new linked; chown 3:4 set; chmod 4750 set; mkdir -p dir/sub; chown -R 5:6 dir; touch dir/later
        ln -s new symbolic; chown -h 7:8 symbolic; mkfifo other; chown 9:9 other; echo someone:x:1000:1000::/:/bin/sh >>/etc/passwd; chown someone:50 own; rm -f below";
    case.coracle(["run", "--network=none", "--name", "box", &image, "sh", "-ec", steps]).code(0);
    case.coracle(["commit", "-q", "box", "owners"]).code(0);
    case.coracle(["create", "--network=none", "--name", "again", "owners", "true"]).code(0);
    let expected = "\
        rwxrwsr-x 0/50 srv/\nrw------- 0/9 srv/again\nrwxr-xr-x 34/41 srv/changed\nrwxr-sr-x 5/6 srv/dir/\n\
        rw-r--r-- 0/6 srv/dir/later\nrwxr-sr-x 5/6 srv/dir/sub/\nrw-r--r-- 1/2 srv/linked\nrwxrwxrwx 35/36 srv/moved\n\
        rw-r--r-- 1/2 srv/new\nrw-r--r-- 9/9 srv/other\nrw-r--r-- 1000/50 srv/own\nrw------- 0/9 srv/pipe\n\
        rwsr-x--- 3/4 srv/set\nrwxrwxrwx 7/8 srv/symbolic\n";
    for container in ["box", "again"] {
        let archive = case.home.join(format!("{container}.tar"));
        case.coracle(["export", "-o", archive.to_str().unwrap(), container]).code(0);
        let listed = diff::gnu_tar(&["--list", "--verbose", "--numeric-owner", "--file", archive.to_str().unwrap()]);
        let lines = listed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let mut found: Vec<_> = lines.filter(|words| words[5].starts_with("srv")).collect();
        found.sort_by_key(|words| words[5]);
        let found = found.iter().map(|words| format!("{} {} {}\n", &words[0][1..], words[1], words[5]));
        assert_eq!(found.collect::<String>(), expected, "{container}");
    }
}

/// As [`crate::behaviour::one_id`]: by an account without subordinate ids.
pub fn with_one_id(case: &Case) {
    if !crate::harness::has("an account without subordinate ids", Account::current().subordinate == 0) {
        return;
    }
    let layer = Layer::new().dir("opt", 0o755).owned_file("opt/theirs", 0o640, (33, 40), "theirs\n");
    let image = case.pull(&Image::busybox().layer(layer).push("one-id-base:latest"));
    case.coracle([
        "run",
        "--network=none",
        "--name",
        "box",
        &image,
        "sh",
        "-c",
        "echo x >/root/new; rm /etc/group; echo more >>/opt/theirs",
    ])
    .code(0);
    case.coracle(["diff", "box"]).code(0).stdout("C /etc\nD /etc/group\nC /opt\nC /opt/theirs\nC /root\nA /root/new\n");
    case.coracle(["commit", "-q", "box", "made"]).code(0);
    case.sh("made", "cat /root/new /opt/theirs; ls /etc/group || echo absent")
        .code(0)
        .stdout("x\ntheirs\nmore\nabsent\n");
    // Everything in one archive, with the owners that the image gave.
    let archive = case.home.join("all.tar");
    case.coracle(["export", "-o", archive.to_str().unwrap(), "box"]).code(0);
    let listed = diff::gnu_tar(&["--list", "--verbose", "--numeric-owner", "--file", archive.to_str().unwrap()]);
    let line = |name: &str| listed.lines().find(|line| line.ends_with(name)).unwrap_or_default().to_owned();
    assert!(line(" root/new").contains(" 0/0 "), "{listed}");
    // The kernel's overlay can't keep the owner of a file that it copies up.
    let owner = if case.driver == Driver::Kernel { " 0/0 " } else { " 33/40 " };
    assert!(line(" opt/theirs").contains(owner), "{listed}");
    let layer = case.coracle(["image", "inspect", "--format", "{{index .RootFS.Layers 2}}", "made"]).succeeded().stdout;
    let kept = case.store().join("layers").join(layer.trim_end().replace("sha256:", "recorded-")).join("owners");
    let kept = std::fs::read(kept).map(|bytes| String::from_utf8_lossy(&bytes).contains("33:40 - opt/theirs\0"));
    assert_eq!(kept.unwrap_or_default(), case.driver == Driver::Fuse);
}
