//! `system check`, where a disk has changed what was unpacked: each byte counts, and what the blob still has is had again.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::harness::{Case, Driver, Image, Layer};

/// An image with a layer of its own, where that lies, and a container `box` that shows what it should hold.
fn made(case: &Case) -> (String, PathBuf) {
    let layer = Layer::new().dir("data", 0o755).file("data/file", 0o644, "text\n").symlink("data/link", "file");
    let image = case.pull(&Image::busybox().layer(layer.whiteout("etc/passwd")).push("repair:1"));
    let show = "cat /data/link; cat /data/more; ls /etc/passwd";
    case.coracle(["create", "--network=none", "--name=box", &image, "sh", "-c", show]).succeeded();
    let layers = fs::read_dir(case.store().join("layers")).unwrap().map(|entry| entry.unwrap().path());
    (image, layers.into_iter().find(|layer| layer.join("fs/data").exists()).unwrap())
}

/// Of the same length and with the same time.
fn flip(file: &Path) {
    let time = file.metadata().unwrap().modified().unwrap();
    fs::write(file, "tExt\n").unwrap();
    File::open(file).unwrap().set_modified(time).unwrap();
}

/// What is said, and what is done to the layer.
type Damage = (&'static str, fn(&Path));

fn damaged_layers_are_unpacked_again(case: &Case) {
    let (image, layer) = made(case);
    let cases: [Damage; 7] = [
        ("`/data/file` is not as its blob has it", |layer| flip(&layer.join("fs/data/file"))),
        ("`/data/link` is not as its blob has it", |layer| fs::remove_file(layer.join("fs/data/link")).unwrap()),
        ("`/data/more` is not as its blob has it", |layer| fs::write(layer.join("fs/data/more"), "").unwrap()),
        ("`/etc/passwd` is not as its blob has it", |layer| fs::remove_file(layer.join("fs/etc/passwd")).unwrap()),
        ("its files have 6 bytes, and had 5", |layer| fs::write(layer.join("fs/data/file"), "longer").unwrap()),
        ("its record is missing", |layer| fs::remove_file(layer.join("layer.json")).unwrap()),
        ("it is missing", |layer| fs::rename(layer, layer.with_file_name("aside")).unwrap()),
    ];
    for (why, damage) in cases {
        damage(&layer);
        let found = case.coracle(["system", "check"]).code(125).error("damage detected").says("hint: `--repair`");
        assert!(found.stdout.contains(why), "{found}");
        assert!(found.stdout.contains(&format!("Damaged image {image}: ")), "{found}");
        let repaired = case.coracle(["system", "check", "--repair"]).code(0).stderr("").stdout;
        assert!(
            repaired.starts_with("Damaged layer ") && repaired.ends_with(&format!("{why}: unpacked again\n")),
            "{repaired}"
        );
        case.coracle(["system", "check"]).code(0).stdout("").stderr("");
        let shown = case.coracle(["start", "-a", "box"]).code(1).stdout("text\n");
        assert_eq!(shown.stderr.matches("No such file").count(), 2, "{shown}");
    }
}

/// Under a program that runs nothing is taken away; without the blob the image goes, and can be had again.
fn what_can_not_be_unpacked_again(case: &Case) {
    let (image, layer) = made(case);
    case.coracle(["run", "-d", "--network=none", "--name=runs", &image, "sleep", "1000"]).succeeded();
    flip(&layer.join("fs/data/file"));
    case.coracle(["system", "check", "--repair"]).code(125).says("hint: a container runs on a damaged layer");
    assert_eq!(fs::read_to_string(layer.join("fs/data/file")).unwrap(), "tExt\n");
    case.coracle(["rm", "-f", "-t0", "runs"]).code(0);
    let record: serde_json::Value = serde_json::from_slice(&fs::read(layer.join("layer.json")).unwrap()).unwrap();
    let blob = record["blob"].as_str().unwrap().replace("sha256:", "");
    fs::write(layer.join("fs/data/file"), "longer").unwrap();
    fs::write(case.store().join("images/blobs/sha256").join(blob), "rotten").unwrap();
    let repaired = case.coracle(["system", "check", "--repair", "--force"]).code(0).stdout;
    for part in ["Damaged blob ", "Damaged layer ", "Damaged image ", "Damaged container "] {
        assert!(repaired.lines().any(|line| line.starts_with(part) && line.ends_with(": removed")), "{repaired}");
    }
    case.coracle(["system", "check"]).code(0).stdout("");
    case.pull(&image);
    case.sh(&image, "cat /data/file").code(0).stdout("text\n");
}

/// Names that lead nobody anywhere lead there again, and directories that somebody took away are made again.
#[test]
fn what_was_taken_away_is_made_again() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    case.coracle(["create", "--network=none", "--name=box", &image, "echo", "found"]).succeeded();
    let check = |expected: &str, done: &str| {
        let found = case.coracle(["system", "check"]).code(125).stdout;
        assert_eq!(found, format!("{expected}\n"));
        let repaired = case.coracle(["system", "check", "--repair"]).code(0).stdout;
        assert!(repaired.starts_with(&format!("{expected}: {done}\n")), "{repaired}");
        case.coracle(["system", "check"]).code(0).stdout("");
        case.coracle(["start", "-a", "box"]).code(0).stdout("found\n");
    };
    case.coracle(["start", "-a", "box"]).code(0).stdout("found\n");
    fs::remove_file(case.store().join("names/box")).unwrap();
    let id = case.inspect(case.coracle(["ps", "-aq"]).stdout.trim(), "{{.Id}}");
    check(&format!("Damaged name box: it does not lead to container {id}"), "leads there again");
    for folder in ["locks", "layers", "images/blobs/sha256"] {
        let path = case.store().join(folder);
        fs::rename(&path, case.home.join(path.file_name().unwrap())).unwrap();
        check(&format!("Damaged directory {}: it is missing", path.display()), "made again");
    }
}

/// Of an index that is torn, names before the damage stay, and images behind it can be named again.
#[test]
fn a_torn_index_is_made_anew() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    case.coracle(["tag", &image, "localhost/second"]).succeeded();
    let other = case.pull(&Image::busybox().layer(Layer::new().file("f", 0o644, "")).push("torn:1"));
    let id = case.coracle(["inspect", "--format", "{{.Id}}", &other]).succeeded().stdout;
    let index = case.store().join("images/index.json");
    let whole = fs::read_to_string(&index).unwrap();
    fs::write(&index, &whole[..whole.find(&other).unwrap()]).unwrap();
    case.coracle(["images"]).code(125).error("image index").says("hint: `coracle system check --repair`");
    let found = case.coracle(["system", "check", "--max", "0s"]).code(125).stdout;
    assert!(found.starts_with("Damaged index of images: ") && found.lines().count() == 1, "{found}");
    let repaired = case.coracle(["system", "check", "--repair"]).code(0).stdout;
    assert!(repaired.ends_with(": made anew, with 2 names; images that have lost theirs: 1\n"), "{repaired}");
    case.coracle(["system", "check"]).code(0).stdout("");
    case.sh(&image, "echo runs").code(0).stdout("runs\n");
    case.sh("localhost/second", "echo runs").code(0).stdout("runs\n");
    case.coracle(["tag", id.trim(), "localhost/again"]).succeeded();
    case.sh("localhost/again", "ls /f").code(0).stdout("/f\n");
    assert!(index.with_extension("json.damaged").exists());
}

on_both_drivers!(damaged_layers_are_unpacked_again, what_can_not_be_unpacked_again);
