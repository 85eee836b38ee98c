//! As `points.rs`, for what is done to images: at each point the process dies, or the disk is full or broken, or the quota is used
//! up. What was there stays whole, the same command works the next time, and nothing is left of what was cut.
//!
//! Each driver takes every other command, and one of the four in turn; with `CORACLE_LONG=1` both drivers take all, at every point.

use std::fs;
use std::path::Path;

use super::points::KINDS;
use super::points::Shown::{self, By, ByFailure};
use crate::harness::image::registry;
use crate::harness::{Case, Driver, Image, LIMIT, Layer, long_or, tell, wait_until};

type Line = &'static [&'static str];

/// What is done before, what is done, and what shows it. `KEPT` is an image that is always there, `OTHER` one of the registry that
/// shares its lowest layer; `other.tar` is an archive of that one, `files.tar` one of plain files.
const DEEDS: [(&[Line], Line, Shown); 18] = [
    (&[], &["pull", "-q", "OTHER"], By(RUNS_OTHER)),
    (&[], &["load", "-q", "-i", "other.tar"], By(RUNS_OTHER)),
    (&[], &["pull", "-q", "oci:layout"], By(RUNS_OTHER)),
    (
        &[],
        &["import", "-q", "files.tar", "localhost/imported"],
        By(&["save", "-q", "-o", "again", "localhost/imported"]),
    ),
    (&[], &["tag", "KEPT", "localhost/copy"], By(&["image", "exists", "localhost/copy"])),
    (
        &[&["tag", "KEPT", "localhost/copy"]],
        &["untag", "KEPT", "localhost/copy"],
        ByFailure(&["image", "exists", "localhost/copy"]),
    ),
    (&[&["pull", "-q", "OTHER"]], &["save", "-q", "-o", "out", "OTHER"], By(&["load", "-q", "-i", "out"])),
    (
        &[&["pull", "-q", "OTHER"]],
        &["save", "-q", "--format=oci-dir", "-o", "out", "OTHER"],
        By(&["pull", "-q", "oci:out"]),
    ),
    (&[&["pull", "-q", "OTHER"]], &["push", "-q", "OTHER", "PUSHED"], By(&["pull", "-q", "PUSHED"])),
    (&[&["pull", "-q", "OTHER"]], &["rmi", "OTHER"], ByFailure(&["image", "exists", "OTHER"])),
    (
        &[&["pull", "-q", "OTHER"], &["tag", "OTHER", "localhost/copy"]],
        &["rmi", "-f", "OTHER", "localhost/copy"],
        ByFailure(&["image", "exists", "OTHER"]),
    ),
    (&[&["pull", "-q", "OTHER"], &["untag", "OTHER"]], &["image", "prune", "-f"], By(RUNS_KEPT)),
    (&[&["pull", "-q", "OTHER"], &["untag", "OTHER"]], &["system", "prune", "-f"], By(RUNS_KEPT)),
    (&[], &["manifest", "create", "localhost/list", "KEPT"], By(&["manifest", "inspect", "localhost/list"])),
    (
        &[&["manifest", "create", "localhost/list"]],
        &["manifest", "add", "localhost/list", "KEPT"],
        By(&["manifest", "inspect", "localhost/list"]),
    ),
    (
        &[&["manifest", "create", "localhost/list", "KEPT"]],
        &["manifest", "rm", "localhost/list"],
        ByFailure(&["manifest", "exists", "localhost/list"]),
    ),
    (
        &[&["create", "--network=none", "--name=box", "KEPT"]],
        &["commit", "-q", "box", "localhost/committed"],
        By(&["run", "--rm", "--network=none", "localhost/committed", "true"]),
    ),
    (&[&["pull", "-q", "OTHER"]], &["run", "--rm", "--network=none", "OTHER", "true"], By(RUNS_OTHER)),
];

const RUNS_KEPT: &[&str] = &["run", "--rm", "--network=none", "KEPT", "true"];
const RUNS_OTHER: &[&str] = &["run", "--rm", "--network=none", "OTHER", "true"];

/// The names of the files in a folder of the store.
fn entries(case: &Case, folder: &str) -> Vec<String> {
    let listed = fs::read_dir(case.store().join(folder)).into_iter().flatten().flatten();
    listed.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

fn remove(path: &Path) {
    let _ = fs::remove_dir_all(path).or_else(|_| fs::remove_file(path));
}

/// Only `kept` is there.
fn clean(case: &Case, kept: &str, told: &str) {
    case.coracle(["rm", "-f", "-a", "-t0"]).code(0);
    let others = case.coracle(["images", "-a", "--format", "{{.Id}} {{.Repository}}:{{.Tag}}"]).code(0).stdout;
    for other in others.lines().filter_map(|line| line.split_once(' ')).filter(|(_, name)| *name != kept) {
        let name = if other.1.contains("<none>") { other.0 } else { other.1 };
        let gone = case.coracle(["rmi", "-f", name]);
        assert!(matches!(gone.code, Some(0 | 1)), "{told}: {gone}");
    }
    case.coracle(["image", "prune", "-f"]).code(0);
    remove(&case.home.join("out"));
}

fn every_point_of_images_is_cut(case: &Case) {
    let kept = case.busybox();
    let other = Image::busybox()
        .layer(Layer::new().file("other", 0o644, vec![b'x'; 700_000]).whiteout("bin/absent"))
        .push("cut:1");
    let pushed = format!("{}/cut-pushed-{}:1", registry(), case.driver.name());
    super::cut::files(case);
    fs::rename(case.home.join("archive"), case.home.join("files.tar")).unwrap();
    case.coracle(["pull", "-q", &other]).succeeded();
    case.coracle(["save", "-q", "-o", "other.tar", &other]).succeeded();
    case.coracle(["save", "-q", "--format=oci-dir", "-o", "layout", &other]).succeeded();
    clean(case, &kept, "at first");
    let folders = ["layers", "images/blobs/sha256", "tmp"];
    let whole = folders.map(|folder| entries(case, folder).len());
    let word = |word: &'static str| word.replace("KEPT", &kept).replace("OTHER", &other).replace("PUSHED", &pushed);
    let words = |words: &[&'static str]| words.iter().copied().map(word).collect::<Vec<String>>();
    let run = |words: &[String]| case.coracle(words.iter().map(String::as_str));
    let plan = case.home.join("points");
    let mut count = 0;
    let (first, step) = long_or((0, 1), (usize::from(case.driver == Driver::Fuse), 2));
    for (before, deed, shown) in DEEDS.iter().skip(first).step_by(step) {
        let deed = words(deed);
        for number in 1.. {
            let turn = count % KINDS.len();
            let mut over = false;
            for kind in if long_or(true, false) { &KINDS[..] } else { &KINDS[turn..=turn] } {
                before.iter().for_each(|line| drop(run(&words(line)).succeeded()));
                remove(&plan);
                let fault = format!("{kind} {number} {}", plan.display());
                let done = case.command(deed.iter().map(String::as_str)).env("CORACLE_FAULT", fault).finish();
                let points = fs::read_to_string(&plan).unwrap_or_default();
                let point = points.lines().nth(number - 1);
                over = point.is_none();
                let told = format!("{kind} at `{}`, point {number} of {deed:?}", point.unwrap_or("none"));
                assert!(done.signal.is_none(), "{told}: {done}");
                if *kind != "die" && done.code != Some(0) {
                    assert!(done.stderr.contains("Error: "), "{told}: {done}");
                }
                if done.code == Some(0) {
                    shown.expect(case, kind, word, &told);
                    remove(&case.home.join("again"));
                }
                let checked = case.coracle(["system", "check"]);
                assert_eq!(checked.code, Some(0), "{told}: {checked}");
                let runs = case.coracle(["run", "--rm", "--network=none", &kept, "true"]);
                assert_eq!(runs.code, Some(0), "{told}: {runs}");
                if matches!(&*deed[0], "save") {
                    remove(&case.home.join("out"));
                }
                // What was done already need not be possible again.
                let again = run(&deed);
                let done_before = matches!(&*deed[0], "untag" | "rmi" | "manifest");
                assert!(again.code == Some(0) || done_before, "{told}, again: {again}");
                clean(case, &kept, &told);
                // Behind its answer a command still removes files; the next one sweeps what nobody holds.
                wait_until(&format!("nothing is left of it in {folders:?} ({told})"), LIMIT, || {
                    case.coracle(["image", "prune", "-f"]).code(0);
                    folders.map(|folder| entries(case, folder).len()) == whole
                });
                count += usize::from(!over);
            }
            if over {
                break;
            }
        }
    }
    tell(&format!("{count} points of images were cut, with the driver {}", case.driver.name()));
}

on_both_drivers!(every_point_of_images_is_cut);
