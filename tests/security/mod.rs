//! The known attacks of the field, replayed: each must fail. `README.md` has the table of them, which [`table`] holds to what is
//! there.

mod build;
mod engine;
mod image;
mod neighbour;
mod one_id;
mod process;
mod race;
mod sources;
mod table;
mod terminal;

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::harness::{Case, Finished, Image, Layer, compiled};

/// Something of the user's outside of all containers: a folder that must stay as it is, whoever is led to it.
struct Bait {
    folder: PathBuf,
    before: Vec<String>,
}

impl Bait {
    const SECRET: &str = "for nobody else\n";

    fn new(case: &Case) -> Self {
        let folder = case.home.join("bait");
        std::fs::create_dir_all(folder.join("inner")).unwrap();
        for file in ["file", "inner/file"] {
            std::fs::write(folder.join(file), Self::SECRET).unwrap();
        }
        let mut before = Vec::new();
        describe(&folder, &mut before);
        Self { folder, before }
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    #[track_caller]
    fn is_untouched(&self) {
        let mut after = Vec::new();
        describe(&self.folder, &mut after);
        assert_eq!(after, self.before, "something outside of the container has changed");
    }
}

/// All that can change about what is at a path and below it.
fn describe(path: &Path, found: &mut Vec<String>) {
    let of = path.symlink_metadata().unwrap();
    let (time, changed) = ((of.mtime(), of.mtime_nsec()), (of.ctime(), of.ctime_nsec()));
    found.push(format!("{path:?} {} {:o} {} {} {time:?} {changed:?}", of.ino(), of.mode(), of.uid(), of.nlink()));
    if of.is_dir() {
        let mut names: Vec<_> = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.sort();
        names.iter().for_each(|path| describe(path, found));
    } else if of.is_file() {
        found.push(String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned());
    }
}

/// An image of busybox and these layers, pulled. What depends on the case, as paths do, has a tag of the case's own.
fn pulled(case: &Case, layer: Layer) -> String {
    pull(case, Image::busybox().layer(layer))
}

fn pull(case: &Case, image: Image) -> String {
    let tag = format!("hostile:{}", case.home.file_name().unwrap().to_string_lossy());
    case.pull(&image.push(&tag))
}

/// `run --rm --network=none FLAGS… IMAGE sh -c SCRIPT`.
#[track_caller]
fn run(case: &Case, flags: &[&str], image: &str, script: &str) -> Finished {
    let head = ["run", "--rm", "--network=none"];
    case.coracle(head.iter().chain(flags).copied().chain([image, "sh", "-c", script]))
}

/// `run -d --network=none --name=box FLAGS… IMAGE sh -c SCRIPT`.
#[track_caller]
fn start(case: &Case, flags: &[&str], image: &str, script: &str) {
    let head = ["run", "-d", "--network=none", "--name=box"];
    case.coracle(head.iter().chain(flags).copied().chain([image, "sh", "-c", script])).succeeded();
}

#[track_caller]
fn exec(case: &Case, arguments: &[&str]) -> Finished {
    case.coracle(["exec"].iter().chain(arguments).copied())
}

/// The program of `hostile.c`.
fn program() -> &'static [u8] {
    static PROGRAM: OnceLock<Vec<u8>> = OnceLock::new();
    PROGRAM.get_or_init(|| compiled("hostile", include_str!("hostile.c")))
}
