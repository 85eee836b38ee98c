//! What a container changed, and all that it shows: `diff` and `export`, the same on both overlay drivers.

use serde_json::{Value, json};

use super::commit::held_open;
use crate::behaviour::into::terminal::on_terminal;
use crate::harness::{Case, Command, Driver, Image, LIMIT, Layer, wait_until};

/// Every kind of change.
pub const CHANGES: &str = "cd /data && echo more >>changed && rm hidden && rm -r gone && rm -r again && mkdir again \
     && echo n >again/new && mkdir -p newdir/sub && echo x >newdir/sub/f && touch dir/y && cat touched >/dev/null \
     && rm kept && echo k >kept && rm dir/x && mkdir dir/x && mv linked moved && mkfifo fifo && ln -s a sym \
     && chown 33:40 mode && chmod 6751 mode && : >>same && rm -r to-file && echo f >to-file";

/// An image to be changed.
pub fn image(case: &Case) -> String {
    let files = [
        "changed",
        "hidden",
        "gone/file",
        "again/below",
        "touched",
        "dir/x",
        "kept",
        "mode",
        "same",
        "linked",
        "to-file/x",
    ];
    let layer = ["data", "data/gone", "data/again", "data/dir", "data/to-file"]
        .into_iter()
        .fold(Layer::new(), |layer, folder| layer.dir(folder, 0o755));
    let layer = files.into_iter().fold(layer, |layer, name| layer.file(&format!("data/{name}"), 0o644, name));
    let layer = layer.hard_link("data/link", "data/linked");
    case.pull(&Image::busybox().layer(layer).push("to-be-changed:latest"))
}

/// As podman 5.4 prints it where it compares trees, but without the folders of what the start itself made.
const EXPECTED: &str = "C /data\nC /data/again\nD /data/again/below\nA /data/again/new\nC /data/changed\nC /data/dir\n\
     C /data/dir/x\nA /data/dir/y\nA /data/fifo\nD /data/gone\nD /data/hidden\nC /data/kept\nD /data/linked\nC /data/mode\n\
     A /data/moved\nA /data/newdir\nA /data/newdir/sub\nA /data/newdir/sub/f\nA /data/sym\nC /data/to-file\n";

fn every_kind_of_change(case: &Case) {
    let image = image(case);
    case.coracle(["run", "--network=none", "--name", "box", &image, "sh", "-c", CHANGES]).code(0).stderr("");
    case.coracle(["diff", "box"]).code(0).stderr("").stdout(EXPECTED);
    case.coracle(["container", "diff", "--latest"]).code(0).stdout(EXPECTED);
    let lists: Value = serde_json::from_str(&case.coracle(["diff", "--format", "json", "box"]).code(0).stdout).unwrap();
    assert_eq!(lists["deleted"], json!(["/data/again/below", "/data/gone", "/data/hidden", "/data/linked"]));
    assert_eq!((lists["added"].as_array().unwrap().len(), lists["changed"].as_array().unwrap().len()), (8, 8));
    // The container is what the image was, and the changes; the other way round they are taken back.
    case.coracle(["diff", "box", &image]).code(0).stdout(EXPECTED);
    let back = case.coracle(["diff", &image, "box"]).code(0).stdout;
    assert!(back.contains("D /data/newdir\n") && back.contains("A /data/gone/file\n"), "{back}");
    case.coracle(["diff", "box", "box"]).code(0).stdout("");
    // The topmost layer of an image.
    let layer = case.coracle(["image", "diff", &image]).code(0).stdout;
    assert!(layer.starts_with("A /data\nA /data/again\nA /data/again/below\n") && !layer.contains("/bin"), "{layer}");
}

/// A start leaves no trace that anybody would have to look at.
fn nothing(case: &Case) {
    let image = case.busybox();
    case.coracle(["create", "--network=none", "--name", "never", &image, "true"]).succeeded();
    case.coracle(["diff", "never"]).code(0).stdout("");
    case.coracle([
        "run",
        "--network=none",
        "--name",
        "box",
        &image,
        "sh",
        "-c",
        "cat /etc/passwd >/dev/null; : >>/etc/group",
    ])
    .code(0);
    case.coracle(["diff", "box"]).code(0).stdout("");
    case.coracle(["diff", "--format", "json", "box"]).code(0).stdout("{}\n");
}

/// What the programs of a running container have written is told, though the kernel may not have written it down yet.
fn of_a_running_one(case: &Case) {
    let image = case.busybox();
    held_open(case, &image);
    let told = case.coracle(["diff", "box"]).code(0).stdout;
    for file in 0..4 {
        assert!(told.contains(&format!("A /held{file}\n")), "{told}");
    }
    let archive = case.home.join("all.tar");
    case.coracle(["export", "--output", archive.to_str().unwrap(), "box"]).code(0).stdout("").stderr("");
    let listed = gnu_tar(&["--list", "--verbose", "--file", archive.to_str().unwrap()]);
    assert_eq!(
        listed.lines().filter(|line| line.contains(" 3000000 ") && line.contains(" held")).count(),
        4,
        "{listed}"
    );
    case.coracle(["rm", "-f", "-t", "0", "box"]).code(0);
}

pub fn gnu_tar(arguments: &[&str]) -> String {
    let tar = arguments.iter().fold(Command::new("tar").env("PATH", "/usr/bin:/bin"), Command::arg);
    tar.finish().succeeded().stdout
}

/// The whole tree, as GNU tar reads it.
fn exported(case: &Case) {
    let image = image(case);
    let script =
        format!("{CHANGES} && head -c 3000 /dev/zero | tr '\\0' x >big && truncate -s 40M holes && echo end >>holes");
    case.coracle(["run", "--network=none", "--name", "box", &image, "sh", "-c", &script]).code(0);
    let archive = case.home.join("all.tar");
    let path = archive.to_str().unwrap();
    case.coracle(["container", "export", "-o", path, "box"]).code(0).stdout("").stderr("");
    assert!(std::fs::metadata(&archive).unwrap().len() < 10 << 20, "the holes are not in it");
    let place = case.home.join("unpacked");
    std::fs::create_dir(&place).unwrap();
    gnu_tar(&["--extract", "--file", path, "--directory", place.to_str().unwrap()]);
    let read = |name: &str| std::fs::read_to_string(place.join("data").join(name)).unwrap();
    assert_eq!(
        (read("changed"), read("again/new"), read("moved")),
        ("changedmore\n".into(), "n\n".into(), "linked".into())
    );
    assert_eq!(
        (read("big").len(), read("holes").len(), read("holes").ends_with("end\n")),
        (3000, (40 << 20) + 4, true)
    );
    assert!(!place.join("data/gone").exists() && !place.join("data/hidden").exists());
    let listed = gnu_tar(&["--list", "--verbose", "--numeric-owner", "--file", path]);
    let line = |name: &str| {
        listed.lines().find(|line| line.ends_with(&format!(" data/{name}"))).unwrap_or_default().to_owned()
    };
    assert!(line("mode").starts_with("-rwsr-s--x 33/40 "), "{listed}");
    assert!(line("fifo").starts_with('p') && line("newdir/").starts_with("drwxr-xr-x 0/0 "), "{listed}");
    // What goes to a pipe is the same.
    let program = crate::harness::binary().display().to_string();
    let script = ["-c", "\"$0\" export box | md5sum; md5sum <\"$1\"", &program, path];
    let counted = case.command_of("/bin/sh".as_ref(), script).finish().succeeded().stdout;
    let (first, second) = counted.trim_end().split_once('\n').unwrap();
    assert_eq!(first, second);
}

/// Root in a container may close its own root directory, even to the user to whom the container belongs.
fn of_a_closed_root(case: &Case) {
    let image = case.busybox();
    let script = "echo x >/new; chmod 000 /; [ $# = 0 ] || sleep 1000";
    let runs = ["run", "-d", "--network=none", "--name=runs", &image, "sh", "-c", script, "sh", "stay"];
    case.coracle(runs).succeeded();
    case.coracle(["run", "--network=none", "--name=box", &image, "sh", "-c", script]).code(0);
    wait_until("its root is closed", LIMIT, || case.coracle(["exec", "runs", "stat", "-c", "%a", "/"]).stdout == "0\n");
    for name in ["box", "runs"] {
        let told = case.coracle(["diff", name]).code(0).stdout;
        assert!(told.contains("A /new\n"), "{told}");
        let archive = case.home.join("all.tar");
        let archive = archive.to_str().unwrap();
        case.coracle(["export", "-o", archive, name]).code(0).stderr("");
        let listed = gnu_tar(&["--list", "--file", archive]);
        assert!(listed.lines().any(|line| line == "new"), "{listed}");
        case.coracle(["commit", "-q", name, "closed"]).code(0).stderr("");
        case.sh("closed", "cat /new").code(0).stdout("x\n");
    }
    case.coracle(["start", "--attach", "box"]).code(0);
    assert_eq!(case.coracle(["ps", "-as", "--noheading"]).succeeded().stdout.lines().count(), 2);
    case.coracle(["rm", "-f", "-t", "0", "box", "runs"]).code(0).stderr("");
    let left = || std::fs::read_dir(case.store().join("tmp")).unwrap().count();
    wait_until("what they wrote is gone", LIMIT, || left() == 0);
}

on_both_drivers!(every_kind_of_change, nothing, of_a_running_one, exported, of_a_closed_root);

/// More layers than a process may usually have files open.
#[test]
fn many_layers() {
    let case = Case::new(Driver::Fuse);
    let layers = (0..270).map(|number| Layer::new().dir("many", 0o755).file(&format!("many/{number}"), 0o644, "x"));
    let image = layers.fold(Image::busybox(), Image::layer).push("many-layers:latest");
    let image = case.pull(&image);
    case.coracle(["run", "--network=none", "--name", "box", &image, "sh", "-c", "rm /many/7; ls /many | wc -l"])
        .code(0)
        .stdout("269\n");
    case.coracle(["diff", "box"]).code(0).stdout("C /many\nD /many/7\n");
    case.coracle(["diff", &image]).code(0).stdout("C /many\nA /many/269\n");
    case.coracle(["commit", "-q", "--squash", "box", "flat"]).code(0);
    case.coracle(["diff", "flat", "box"]).code(0).stdout("");
}

#[test]
fn what_is_refused() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    case.coracle(["diff"]).code(125).error("a name or ID is needed");
    case.coracle(["diff", "absent"]).code(125).error("absent");
    case.coracle(["diff", &image, "absent"]).code(125).error("absent");
    case.coracle(["diff", "a", "b", "c"]).code(125);
    case.coracle(["diff", "--format", "xml", &image]).code(125).error("only supported value for '--format' is 'json'");
    case.coracle(["container", "diff", &image]).code(125).error("no such container");
    case.coracle(["image", "diff", "absent"]).code(125).error("absent");
    case.coracle(["export", "absent"]).code(125).error("no such container");
    case.coracle(["create", "--network=none", "--name", "box", &image, "true"]).succeeded();
    case.coracle(["export", "-o", "a:b", "box"]).code(125).error("should not contain ':'");
    case.coracle(["export", "-o", "/nowhere/x", "box"]).code(125).error("/nowhere");
    case.coracle(["export", "-o", "/dev/full", "box"]).code(125);
    let mut terminal = on_terminal(&case, &["export", "box"]);
    terminal.expect("refusing to export to terminal. Use -o flag or redirect");
    terminal.expect("ended 125");
}
