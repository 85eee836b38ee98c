//! Volumes: made, filled, shared, found, removed.

use std::os::unix::fs::{MetadataExt, symlink};

use serde_json::{Value, json};

use crate::behaviour::image::diff::gnu_tar;
use crate::harness::{Account, Case, Driver, Image, Layer, has, wait_until};

/// An image with a directory of several owners, and a volume of its own there.
fn image(case: &Case) -> String {
    let layer = Layer::new()
        .dir("data", 0o1770)
        .owned_file("data/theirs", 0o640, (33, 40), "theirs\n")
        .file("data/setuid", 0o4755, "#!/bin/sh\n")
        .hard_link("data/hard", "data/theirs")
        .symlink("data/link", "/etc/passwd")
        .dir("data/sub", 0o700)
        .file("data/sub/deep", 0o600, "deep\n")
        .symlink("way", "../../../../tmp/out");
    case.pull(&Image::busybox().layer(layer).config("Volumes", json!({ "/data": {} })).push("with-volume:latest"))
}

fn names(case: &Case) -> Vec<String> {
    case.coracle(["volume", "ls", "-q"]).succeeded().stdout.lines().map(str::to_owned).collect()
}

/// Files of what was removed: whoever removes them answers first.
fn nothing_is_left(case: &Case) {
    wait_until("nothing of a removed volume is left", crate::harness::LIMIT, || {
        std::fs::read_dir(case.store().join("tmp")).unwrap().count() == 0
    });
}

const SHOW: &str =
    "cd /x; stat -c '%a %u:%g %n' . theirs setuid sub/deep; readlink link; test theirs -ef hard && echo one";

/// The image's content comes with owners, modes and links, once, on the first use.
pub fn filled_from_the_image(case: &Case) {
    let image = image(case);
    let run = |volume: &str, image: &str, script: &str| {
        let all = ["run", "--rm", "--network=none", "--image-volume=ignore", "-v", volume, image, "sh", "-c", script];
        case.coracle(all)
    };
    // Where there is one id, all files are its own.
    let theirs = if Account::current().subordinate == 0 { "0:0" } else { "33:40" };
    let all = format!("1770 0:0 .\n640 {theirs} theirs\n4755 0:0 setuid\n600 0:0 sub/deep\n/etc/passwd\none\n");
    run("db:/data", &image, &SHOW.replace("/x", "/data")).succeeded().stdout(&all);
    run("db:/x", &case.busybox(), &format!("{SHOW}; rm -r sub theirs hard")).succeeded().stdout(&all);
    // What was removed stays removed, where it is mounted again and elsewhere.
    run("db:/data", &image, "ls /data").succeeded().stdout("link\nsetuid\n");
    run("empty:/data:nocopy", &image, "ls /data; stat -c %a /data").succeeded().stdout("1770\n");
    run("empty:/data:ro", &image, "ls /data | wc -l; touch /data/x 2>/dev/null || echo ro")
        .succeeded()
        .stdout("5\nro\n");
    // A place that the image does not have; and a link that leads out of it does not.
    run("new:/a/b", &image, "stat -c '%a %u' /a/b").succeeded().stdout("755 0\n");
    run("out:/way/data", &image, "touch /way/data/x; ls /tmp/out/data").succeeded().stdout("x\n");
    assert!(!std::path::Path::new("/tmp/out").exists());
    assert_eq!(names(case), ["db", "empty", "new", "out"]);
    assert_eq!(std::fs::read_dir(case.store().join("volumes/db")).unwrap().count(), 3, "something is left of the copy");
}

/// An anonymous volume goes with `--rm` and with `rm -v`, and else stays.
pub fn anonymous(case: &Case) {
    let image = image(case);
    case.coracle([
        "run",
        "--rm",
        "--network=none",
        "-v",
        "/more",
        &image,
        "sh",
        "-c",
        "echo x >/data/x; echo y >/more/y",
    ])
    .code(0);
    assert_eq!(names(case), [""; 0]);
    case.coracle(["run", "--network=none", "--name", "box", &image, "touch", "/data/x"]).code(0);
    let name = case.inspect("box", "{{(index .Mounts 0).Name}}");
    assert_eq!((name.len(), names(case)), (64, vec![name.clone()]));
    case.coracle(["start", "-a", "box"]).code(0);
    case.coracle(["run", "--rm", "--network=none", "--volumes-from", "box:ro", &case.busybox(), "ls", "/data/x"])
        .code(0);
    assert_eq!(names(case).len(), 1, "a volume went that somebody else has");
    case.coracle(["rm", "-v", "box"]).code(0);
    assert_eq!(names(case), [""; 0]);
    case.coracle(["run", "--network=none", "--name", "box", &image, "true"]).code(0);
    case.coracle(["rm", "box"]).code(0);
    let kept = names(case);
    assert_eq!(kept.len(), 1);
    case.coracle(["volume", "prune", "-f"]).code(0).stdout(&format!("{}\n", kept[0]));
    // In the background, too.
    case.coracle(["run", "-d", "--rm", "--network=none", &image, "true"]).succeeded();
    wait_until("the volume has gone with its container", crate::harness::LIMIT, || names(case).is_empty());
    for (mode, there) in [("ignore", "5\n"), ("tmpfs", "5\n"), ("bind", "5\n")] {
        let mode = format!("--image-volume={mode}");
        case.coracle(["run", "--rm", "--network=none", &mode, &image, "sh", "-c", "ls /data | wc -l"])
            .code(0)
            .stdout(there);
    }
    nothing_is_left(case);
}

on_both_drivers!(filled_from_the_image, anonymous);

#[test]
fn with_other_ids_the_owners_are_the_containers() {
    let case = Case::new(Driver::Auto);
    if !has("subordinate ids", Account::current().subordinate != 0) {
        return;
    }
    let image = image(&case);
    for userns in ["--userns=keep-id", "--userns=auto", "--userns=nomap"] {
        let all = [
            "run",
            "--rm",
            "--network=none",
            userns,
            "-u",
            "0",
            "-v",
            "db:/data",
            &image,
            "stat",
            "-c",
            "%u:%g",
            "/data/theirs",
        ];
        case.coracle(all).succeeded().stdout("33:40\n");
        case.coracle(["volume", "rm", "db"]).code(0);
    }
    // An empty volume is the container's user's.
    let busybox = case.busybox();
    let all = [
        "run",
        "--rm",
        "--network=none",
        "-u",
        "33",
        "-v",
        "own:/x",
        &busybox,
        "sh",
        "-c",
        "touch /x/made; stat -c %u:%g /x",
    ];
    case.coracle(all).succeeded().stdout("33:33\n");
    let made = case.store().join("volumes/own/data/made").metadata().unwrap();
    assert_eq!(made.uid(), Account::current().subordinate + 32);
    case.coracle(["volume", "create", "--opt", "o=uid=5,gid=6", "asked"]).code(0);
    let all = ["run", "--rm", "--network=none", "-v", "asked:/x", &busybox, "stat", "-c", "%u:%g", "/x"];
    case.coracle(all).succeeded().stdout("5:6\n");
    case.coracle(["volume", "rm", "-a"]).code(0).stdout("own\nasked\n");
    nothing_is_left(&case);
}

/// As podman 5.4 answers.
#[test]
fn words_and_exit_codes() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    case.coracle(["volume", "create", "v1"]).code(0).stdout("v1\n").stderr("");
    case.coracle(["volume", "create", "v1"])
        .code(125)
        .error("volume with name v1 already exists: volume already exists");
    case.coracle(["volume", "create", "--ignore", "v1"]).code(0).stdout("v1\n");
    let create =
        ["volume", "create", "-l", "a=b", "--label=c", "--opt", "type=tmpfs", "-o", "o=size=1m,mode=1777", "v2"];
    case.coracle(create).code(0).stdout("v2\n");
    let random = case.coracle(["volume", "create"]).code(0).stdout;
    assert_eq!(random.trim().len(), 64);
    for bad in ["bad/name", ".bad", "../x", ".."] {
        case.coracle(["volume", "create", bad]).code(125).error("names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*");
    }
    case.coracle(["volume", "create", "--opt", "foo=bar", "x"])
        .code(125)
        .error("invalid mount option foo for driver 'local'");
    case.coracle(["volume", "create", "-d", "foo", "x"]).code(125).error("uses volume plugin foo");
    case.coracle(["volume", "exists", "v1"]).code(0);
    case.coracle(["volume", "exists", "v"]).code(1).stderr("");
    let listed = case.coracle(["volume", "ls"]).code(0).stdout;
    assert_eq!(listed, format!("DRIVER      VOLUME NAME\nlocal       v1\nlocal       v2\nlocal       {random}"));
    case.coracle(["volume", "list", "-n", "--filter", "label=a=b"]).code(0).stdout("local       v2\n");
    let shown: Value = serde_json::from_str(&case.coracle(["volume", "inspect", "v2"]).code(0).stdout).unwrap();
    assert_eq!(
        (&shown[0]["Labels"]["c"], &shown[0]["Options"]["type"], &shown[0]["Scope"]),
        (&"".into(), &"tmpfs".into(), &"local".into())
    );
    case.coracle(["volume", "inspect", "nope"]).code(125).stdout("[]\n").error("no such volume nope");
    case.coracle(["volume", "inspect", "v"]).code(125).error("more than one result for volume name v");
    case.coracle(["volume", "inspect", "--format", "{{.Name}} {{.Driver}} {{.Anonymous}}", "v1"])
        .code(0)
        .stdout("v1 local false\n");

    case.coracle(["run", "--network=none", "--name", "user", "-v", "v1:/data", &image, "touch", "/data/f"]).code(0);
    let id = case.inspect("user", "{{.Id}}");
    let in_use = format!("volume v1 is being used by the following container(s): {id}: volume is being used");
    case.coracle(["volume", "rm", "v1"]).code(2).error(&in_use);
    case.coracle(["volume", "rm", "nope"]).code(1).error("no volume with name \"nope\" found: no such volume");
    case.coracle(["volume", "rm", "nope", "v1"]).code(2).error("no such volume");
    case.coracle(["volume", "rm", "-f", "nope"]).code(0).stdout("").stderr("");
    case.coracle(["volume", "rm"]).code(125).error("choose either one or more volumes or all");
    for (filter, expected) in [
        ("dangling=false", "v1\n"),
        ("dangling=true", ""),
        ("name=v1", "v1\n"),
        ("opt=type=tmpfs", "v2\n"),
        ("label!=a", "v1\n"),
        ("scope=foo", ""),
        ("since=v1", "v2\n"),
        ("until=1h", ""),
        ("driver=local", "v1\nv2\n"),
        ("anonymous=true", ""),
    ] {
        let found = case.coracle(["volume", "ls", "-q", "--filter", filter]).code(0).stdout.replace(&random, "");
        assert_eq!(found, if filter == "dangling=true" { "v2\n" } else { expected }, "{filter}");
    }
    case.coracle(["volume", "ls", "--filter", "foo=bar"]).code(125).error("\"foo\" is an invalid volume filter");
    case.coracle(["ps", "-a", "-q", "--no-trunc", "--filter", "volume=v1"]).code(0).stdout(&format!("{id}\n"));
    case.coracle(["ps", "-a", "-q", "--filter", "volume=v"]).code(0).stdout("");

    case.coracle(["volume", "mount", "v1"]).code(125).says("hint: `coracle volume inspect");
    case.coracle(["volume", "unmount", "v1"]).code(0).stdout("v1\n");
    case.coracle(["volume", "reload"]).code(0).stdout("");
    case.coracle(["volume", "rm", "--force", "v1"]).code(0).stdout("v1\n");
    case.coracle(["ps", "-aq"]).code(0).stdout("");
    let asked = case.command(["volume", "prune"]).stdin("n\n").finish().code(0).stdout;
    assert!(asked.starts_with("WARNING! This will remove all volumes not used by at least one container. The following volumes will be removed:\nv2\n"), "{asked}");
    case.command(["volume", "prune", "--filter", "label=a"]).stdin("y\n").finish().code(0);
    assert_eq!(names(&case).len(), 1);
}

#[test]
fn kept_in_memory_or_in_a_directory() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    let directory = case.home.join("srv");
    std::fs::create_dir(&directory).unwrap();
    std::fs::write(directory.join("f"), "of the host\n").unwrap();
    let device = format!("device={}", directory.display());
    case.coracle(["volume", "create", "-o", "type=none", "-o", "o=bind,ro", "-o", &device, "bound"]).code(0);
    case.coracle(["volume", "create", "-o", "type=none", "-o", &device, "unbound"])
        .code(125)
        .says("hint: `--opt type=none --opt o=bind");
    case.coracle(["volume", "create", "-o", "o=uid=5", "-o", &device, "unbound"]).code(125).error("without `o=bind`");
    let run = |flags: &[&str], script: &str| {
        case.coracle([&["run", "--rm", "--network=none"], flags, &[&image, "sh", "-c", script]].concat())
    };
    run(&["-v", "bound:/x"], "cat /x/f; touch /x/f 2>/dev/null || echo ro").code(0).stdout("of the host\nro\n");
    case.coracle(["volume", "rm", "bound"]).code(0);
    assert!(directory.join("f").exists(), "the directory's own files went with the volume");
    case.coracle(["volume", "create", "-o", "type=tmpfs", "-o", "device=tmpfs", "-o", "o=size=1m,mode=1750", "memory"])
        .code(0);
    let script = "grep -c '^tmpfs /x tmpfs .*nosuid.*size=1024k' /proc/mounts; stat -c %a /x; touch /x/f";
    run(&["-v", "memory:/x"], script).code(0).stdout("1\n1750\n");
    run(&["-v", "memory:/x"], "ls /x").code(0).stdout("");
    // What is in memory can't be another container's as well.
    case.coracle(["run", "-d", "--network=none", "--name", "first", "-v", "memory:/x", &image, "sleep", "100"]).code(0);
    run(&["-v", "memory:/x"], "true")
        .code(125)
        .error("the volume `memory` is in memory, and another container that runs has it");
    case.coracle(["kill", "first"]).code(0);
}

/// What is in a volume was written by containers: no link in it leads out.
#[test]
fn a_place_in_a_volume_is_inside_it() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    let mount = |subpath: &str, script: &str| {
        let mount = format!("type=volume,src=v,dst=/x,subpath={subpath}");
        case.coracle(["run", "--rm", "--network=none", "--mount", &mount, &image, "sh", "-c", script])
    };
    case.coracle(["run", "--rm", "--network=none", "-v", "v:/x", &image, "sh", "-c",
        "cd /x; mkdir -p a/b; echo in >a/b/f; ln -s / root; ln -s ../../../../usr out; ln -s /a/b good; mkdir etc2; chmod 700 a"]).code(0);
    mount("a/b", "cat /x/f; touch /x/g").code(0).stdout("in\n");
    mount("good", "ls /x").code(0).stdout("f\ng\n");
    mount("root", "ls /x").code(0).stdout("a\netc2\ngood\nout\nroot\n");
    mount("../a/b", "ls /x").code(0).stdout("f\ng\n");
    mount("a/b/f", "cat /x").code(0).stdout("in\n");
    mount("out", "true").code(125).error("the subpath `out`: ");
    mount("nope", "true").code(125).error("No such file or directory");
    // Nor does one that was put in the place of the files.
    case.coracle(["volume", "create", "w"]).code(0);
    let data = case.store().join("volumes/w/data");
    std::fs::remove_dir(&data).unwrap();
    symlink("/etc", &data).unwrap();
    case.coracle(["run", "--rm", "--network=none", "-v", "w:/x", &image, "ls", "/x"]).code(125).error("volumes/w/data");
}

/// Of many that make a volume one does, and all have it.
/// A umask that takes all is no harm to the store.
#[test]
fn made_under_any_umask() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    let script = "umask 777; $CORACLE run --rm --network=none -v v:/v $IMAGE touch /v/f && exec $CORACLE volume rm v";
    let binary = crate::harness::binary();
    let shell = case.command_of(std::path::Path::new("/bin/sh"), ["-c", script]);
    shell.env("CORACLE", &binary).env("IMAGE", &image).finish().code(0).stdout("v\n");
    assert!(names(&case).is_empty());
}

#[test]
fn made_by_many_at_once() {
    let case = Case::new(Driver::Auto);
    let image = image(&case);
    let running: Vec<_> = (0..8)
        .map(|number| {
            let script = format!("cat /data/sub/deep; touch /data/{number}");
            case.command(["run", "--rm", "--network=none", "-v", "many:/data", &image, "sh", "-c", &script]).start()
        })
        .collect();
    for run in running {
        run.finish().succeeded().stdout("deep\n");
    }
    case.coracle([
        "run",
        "--rm",
        "--network=none",
        "-v",
        "many:/data",
        &image,
        "sh",
        "-c",
        "ls -d /data/[0-7] | wc -l",
    ])
    .code(0)
    .stdout("8\n");
    assert_eq!(names(&case), ["many"]);
}

/// However its first copy is cut off, the next container has all of it.
#[test]
fn filled_though_killed_on_the_way() {
    let case = Case::new(Driver::Auto);
    let layer = (0..300)
        .fold(Layer::new().dir("data", 0o755), |layer, number| layer.file(&format!("data/{number}"), 0o644, "x"));
    let image = case.pull(&Image::busybox().layer(layer).push("many-files:latest"));
    for wait in (2..60).step_by(4) {
        let run = case.command(["run", "--rm", "--network=none", "-v", "v:/data", &image, "sleep", "0.05"]).start();
        std::thread::sleep(std::time::Duration::from_millis(wait));
        run.signal(rustix::process::Signal::KILL);
        run.finish();
        let count =
            case.coracle(["run", "--rm", "--network=none", "-v", "v:/data", &image, "sh", "-c", "ls /data | wc -l"]);
        count.succeeded().stdout("300\n");
        case.coracle(["volume", "rm", "--force", "v"]).code(0);
    }
}

/// What is in one comes out as an archive, with owners, and goes into another, beside what is there.
pub fn exported_and_imported(case: &Case) {
    let image = case.busybox();
    let own = if Account::current().subordinate == 0 { "0/0" } else { "33/40" };
    let make = "cd /x; mkdir -m 700 d; echo deep >d/f; echo t >theirs; chown 33:40 theirs; ln -s /etc/passwd l; ln theirs hard; echo >.wh.x";
    let run = |volume: &str, script: &str| {
        case.coracle(["run", "--rm", "--network=none", "-v", &format!("{volume}:/x"), &image, "sh", "-c", script])
    };
    run("a", make).code(0);
    let archive = case.home.join("a.tar");
    let path = archive.to_str().unwrap();
    case.coracle(["volume", "export", "a", "-o", path]).code(0).stdout("");
    let listed = gnu_tar(&["--list", "--verbose", "--numeric-owner", "--file", path]);
    assert!(listed.lines().count() == 6 && listed.contains(&format!(" {own} ")), "{listed}");
    case.coracle(["volume", "create", "b"]).code(0);
    run("b", "echo mine >/x/mine; echo older >/x/l").code(0);
    case.coracle(["volume", "import", "b", path]).code(0).stdout("").stderr("");
    let show = "cd /x; ls -A | xargs; cat d/f; readlink l; stat -c %a d; test theirs -ef hard && echo one; stat -c %u/%g theirs";
    run("b", show).code(0).stdout(&format!(".wh.x d hard l mine theirs\ndeep\n/etc/passwd\n700\none\n{own}\n"));
    // By a pipe, and compressed.
    let program = crate::harness::binary().display().to_string();
    let pipe = "\"$0\" volume export a | gzip | \"$0\" volume import c -";
    case.coracle(["volume", "create", "c"]).code(0);
    case.command_of("/bin/sh".as_ref(), ["-c", pipe, &program]).finish().code(0);
    run("c", "ls -A /x | wc -l").code(0).stdout("5\n");
    case.coracle(["volume", "create", "empty"]).code(0);
    case.coracle(["volume", "export", "empty", "-o", path]).code(0);
    case.coracle(["volume", "import", "c", path]).code(0);
    case.coracle(["volume", "export", "nope"]).code(125).error("no such volume nope");
    case.coracle(["volume", "import", "nope", path]).code(125).error("no such volume nope");
    case.coracle(["volume", "import", "c", "/nope"]).code(125).error("open /nope: no such file or directory");
    case.command(["volume", "import", "c", "-"]).stdin("junk").finish().code(125).error("tar archive");
}

#[test]
fn an_archive_for_a_volume_stays_in_it() {
    let case = Case::new(Driver::Auto);
    exported_and_imported(&case);
    // Beneath a link that a container made, or that the archive has.
    let image = case.busybox();
    case.coracle(["run", "--rm", "--network=none", "-v", "out:/x", &image, "ln", "-s", "/", "/x/root"]).code(0);
    let (place, archive) = (case.home.join("place"), case.home.join("bad.tar"));
    std::fs::create_dir_all(place.join("root/tmp")).unwrap();
    std::fs::write(place.join(format!("root/tmp/written-{}", std::process::id())), "").unwrap();
    gnu_tar(&["--create", "--file", archive.to_str().unwrap(), "--directory", place.to_str().unwrap(), "root"]);
    let _ = case.coracle(["volume", "import", "out", archive.to_str().unwrap()]);
    assert!(!std::path::Path::new(&format!("/tmp/written-{}", std::process::id())).exists());
}
