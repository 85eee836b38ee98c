//! Hard links, renames, and renames of many in a row: of what lies below and of what is new, over one layer and over ten, as the
//! suites of others try them (unionmount-testsuite, xfstests' group `overlay`).
//!
//! The same steps are done in a plain directory, and must give an equal tree; so must the other driver over what is left.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::random::tree::{assert_equal, assert_equal_links, tree};
use super::stage::{self, Stage};

/// How many there are of each kind that is renamed in a row.
const MANY: usize = 24;

/// `moves:LAYERS:PLACE:STEPS`
pub fn moves(stage: &Stage) {
    let mut stage = stage.clone();
    let [layers, place, steps] = &stage.words[..] else { panic!("{:?}", stage.words) };
    let steps = match steps.as_str() {
        "links" => links,
        "renames" => renames,
        _ => many_renames,
    };
    stage.lowers = (0..layers.parse().unwrap()).map(|at| format!("layer{at}")).collect();
    fill(&stage);
    let place = place.as_str();
    let mounted = stage.mount(&stage.driver);
    copy(&mounted.at.join("lower"), &mounted.at.join("new"));
    let plain = stage.place.join("plain");
    copy(&mounted.at, &plain);
    for top in [&plain, &mounted.at] {
        steps(&Place { top: top.join(place), kernel: stage.driver == "kernel", new: place == "new" });
    }
    let expected = tree(&plain);
    let shown = tree(&mounted.at);
    assert_equal(&expected, &shown, &Default::default());
    if stage.driver == "fuse" {
        assert_equal_links(&expected, &shown, &Default::default());
    }
    mounted.unmount();
    let other = stage.mount(if stage.driver == "fuse" { "kernel" } else { "fuse" });
    assert_equal(&expected, &tree(&other.at), &Default::default());
    fs::remove_dir_all(other.at.join("lower")).unwrap();
    fs::remove_dir_all(other.at.join("new")).unwrap();
    other.unmount();
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-aT").args([from, to]).status().unwrap().success());
}

/// Each layer has files and directories of its own, some that all have, and hides something of the next.
fn fill(stage: &Stage) {
    let count = stage.lowers.len();
    for (at, layer) in stage.lowers.iter().enumerate() {
        let lower = stage.place.join(layer).join("lower");
        for dir in ["sub/deep", "files", "dirs", "other"] {
            fs::create_dir_all(lower.join(dir)).unwrap();
        }
        for file in ["all".to_owned(), format!("own{at}"), format!("sub/{at}"), format!("sub/deep/{at}")] {
            fs::write(lower.join(file), format!("of {at}")).unwrap();
        }
        for number in (0..MANY).filter(|number| number % count == at || (number + 3) % count == at) {
            fs::create_dir_all(lower.join(format!("dirs/{number}"))).unwrap();
            fs::write(lower.join(format!("dirs/{number}/in{at}")), number.to_string()).unwrap();
            fs::write(lower.join(format!("files/file{number}")), number.to_string()).unwrap();
            symlink(number.to_string(), lower.join(format!("files/link{number}"))).unwrap();
        }
        symlink("all", lower.join("symbolic")).unwrap();
        if at > 0 {
            fs::write(lower.join(format!("sub/hidden{at}")), "").unwrap();
            stage::whiteout(&stage.place.join(format!("layer{}/lower/sub/hidden{at}", at - 1)));
        }
    }
}

/// Where the steps are done, on one side or the other.
struct Place {
    top: PathBuf,
    /// Whether it is the kernel's driver that must be able to do it.
    kernel: bool,
    new: bool,
}

impl Place {
    fn at(&self, name: &str) -> PathBuf {
        self.top.join(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.at(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn names(&self, name: &str) -> Vec<String> {
        let entries = fs::read_dir(self.at(name)).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn try_rename(&self, from: &str, to: &str) -> Result<(), Errno> {
        self.rename_with(from, to, RenameFlags::empty())
    }

    fn rename_with(&self, from: &str, to: &str, flags: RenameFlags) -> Result<(), Errno> {
        renameat_with(CWD, self.at(from), CWD, self.at(to), flags)
    }

    /// The kernel's driver leaves it to its callers to copy a directory that lies below (EXDEV), which mv(1) does.
    fn rename(&self, from: &str, to: &str) {
        match self.try_rename(from, to) {
            Err(Errno::XDEV) if self.kernel => {
                let moved = Command::new("mv").arg("-T").args([self.at(from), self.at(to)]).status().unwrap();
                assert!(moved.success(), "mv {from} {to}");
            }
            done => done.unwrap_or_else(|error| panic!("{from} to {to}: {error}")),
        }
        assert!(!self.at(from).exists(), "{from} is still there");
    }

    fn refuses_rename(&self, from: &str, to: &str, expected: Errno) {
        let refused = self.try_rename(from, to).unwrap_err();
        assert!(refused == expected || self.kernel && refused == Errno::XDEV, "{from} to {to}: {refused}");
    }

    fn link(&self, from: &str, to: &str) -> Result<(), Errno> {
        rustix::fs::link(self.at(from), self.at(to))
    }
}

/// Of files and of a symbolic link.
fn links(place: &Place) {
    for name in ["all", "sub/0", "symbolic"] {
        let meta = |name: &str| fs::symlink_metadata(place.at(name)).unwrap();
        // For the kernel's driver the link of what it copied up is another file, with another number.
        let one_file = place.new || !place.kernel;
        let number = one_file.then(|| meta(name).ino());
        let other = format!("sub/deep/link of {}", name.replace('/', " "));
        place.link(name, &other).unwrap();
        assert_eq!((meta(name).nlink(), meta(&other).nlink()), (2, 2), "{name}");
        assert!(number.is_none_or(|number| meta(name).ino() == number && meta(&other).ino() == number), "{name}");
        for existing in [name, &other, "own0", "sub"] {
            assert_eq!(place.link(name, existing), Err(Errno::EXIST), "{existing}");
        }
        assert_eq!(place.link(name, "none/x"), Err(Errno::NOENT));
        assert_eq!(place.link(name, "own0/x"), Err(Errno::NOTDIR));
        if name != "symbolic" {
            OpenOptions::new().append(true).open(place.at(&other)).unwrap().write_all(b"!").unwrap();
            assert!(place.text(name).ends_with('!'), "{name}");
        }
        // One name of a file put in the place of another of its names: both stay.
        let replaced = place.try_rename(name, &other);
        assert!(replaced == Ok(()) || !one_file && replaced == Err(Errno::STALE), "{name}: {replaced:?}");
        assert_eq!(meta(name).nlink(), 2);
        fs::remove_file(place.at(name)).unwrap();
        assert_eq!((meta(&other).nlink(), place.at(name).exists()), (1, false));
        assert_eq!(place.link(name, "again"), Err(Errno::NOENT));
        place.link(&other, name).unwrap();
        place.rename(name, "other/moved");
        place.link("other/moved", name).unwrap();
        assert_eq!(meta(&other).nlink(), 3);
        fs::remove_file(place.at("other/moved")).unwrap();
    }
    assert_eq!(place.link("sub", "linked"), Err(Errno::PERM));
    assert_eq!(place.link("none", "linked"), Err(Errno::NOENT));
    // A directory with links moves with them.
    place.rename("sub", "moved");
    OpenOptions::new().append(true).open(place.at("moved/deep/link of all")).unwrap().write_all(b"?").unwrap();
    assert!(place.text("moved/deep/link of all").ends_with("!?"));
}

/// Of a file and of directories: there and back, into each other, over each other, and anew where they were.
fn renames(place: &Place) {
    for to in ["renamed", "sub/renamed", "sub/deep/renamed", "all"] {
        let from = ["all", "renamed", "sub/renamed", "sub/deep/renamed"].into_iter();
        let from = from.into_iter().find(|name| place.at(name).exists()).unwrap();
        place.rename(from, to);
        assert_eq!(place.text(to), "of 0");
    }
    assert_eq!(place.rename_with("all", "own0", RenameFlags::NOREPLACE), Err(Errno::EXIST));
    place.rename_with("all", "own0", RenameFlags::EXCHANGE).unwrap();
    place.rename("own0", "all");
    place.refuses_rename("all", "sub", Errno::ISDIR);
    place.refuses_rename("sub", "all", Errno::NOTDIR);
    place.refuses_rename("sub", "sub/deep/in", Errno::INVAL);
    place.refuses_rename("sub", "other/none/x", Errno::NOENT);
    place.refuses_rename("sub", "files", Errno::NOTEMPTY);
    let (inside, deep) = (place.names("sub"), place.names("sub/deep"));
    for (from, to) in [("sub", "moved"), ("moved", "other/moved"), ("other/moved", "moved again")] {
        place.rename(from, to);
        assert_eq!((place.names(to), place.names(&format!("{to}/deep"))), (inside.clone(), deep.clone()), "{to}");
        // What is made in its old place has nothing of it.
        fs::create_dir(place.at(from)).unwrap();
        assert!(place.names(from).is_empty(), "{from}");
        fs::create_dir(place.at(from).join("deep")).unwrap();
        assert!(place.names(&format!("{from}/deep")).is_empty(), "{from}");
    }
    // Over an empty one, which is gone with all that it hid.
    fs::remove_dir(place.at("sub/deep")).unwrap();
    place.rename("moved again/deep", "sub");
    assert_eq!((place.names("sub"), place.at("moved again/deep").exists()), (deep, false));
    fs::remove_dir_all(place.at("other")).unwrap();
    fs::create_dir(place.at("other")).unwrap();
    place.rename("dirs", "other");
    assert_eq!(place.names("other").len(), MANY);
    if place.new || !place.kernel {
        place.rename_with("files", "other", RenameFlags::EXCHANGE).unwrap();
        assert_eq!((place.names("files").len(), place.names("other").len()), (MANY, 2 * MANY));
    }
}

/// Each takes the name of the next, round after round, and all the way back: directories, files, symbolic links.
fn many_renames(place: &Place) {
    const ROUNDS: usize = 3;
    for name in ["dirs/", "files/file", "files/link"] {
        for round in 0..ROUNDS {
            for number in (0..MANY).rev() {
                place.rename(&format!("{name}{}", number + round), &format!("{name}{}", number + round + 1));
            }
        }
        let moved = |number: usize| format!("{name}{}", number + ROUNDS);
        for number in 0..MANY {
            match name {
                "dirs/" => {
                    for file in place.names(&moved(number)) {
                        assert_eq!(place.text(&format!("{}/{file}", moved(number))), number.to_string());
                    }
                    // Made anew while others lie in its row.
                    assert!(number >= ROUNDS || !place.at(&format!("dirs/{number}")).exists());
                }
                "files/file" => assert_eq!(place.text(&moved(number)), number.to_string()),
                _ => assert_eq!(fs::read_link(place.at(&moved(number))).unwrap(), Path::new(&number.to_string())),
            }
        }
        // Half of them go back to where they were, the others into a place of their own.
        for number in 0..MANY {
            let to = if number % 2 == 0 { format!("{name}{number}") } else { format!("other/{}{number}", &name[..4]) };
            place.rename(&moved(number), &to);
        }
    }
    assert_eq!((place.names("dirs").len(), place.names("files").len()), (MANY / 2, MANY));
    fs::remove_dir_all(place.at("dirs")).unwrap();
    place.rename("other", "dirs");
    assert!(!place.names("dirs").is_empty());
}

/// Makes two tests of each line, `NAME::kernel` and `NAME::fuse`.
macro_rules! moves {
    ($($name:ident: $words:literal),+ $(,)?) => {
        $(mod $name {
            #[test]
            fn kernel() {
                super::stage::run("kernel", concat!("moves:", $words));
            }

            #[test]
            fn fuse() {
                super::stage::run("fuse", concat!("moves:", $words));
            }
        })+
    };
}

moves!(
    links_of_lower_files: "1:lower:links",
    links_of_lower_files_of_ten_layers: "10:lower:links",
    links_of_new_files: "1:new:links",
    links_of_new_files_over_ten_layers: "10:new:links",
    renames_of_lower_ones: "1:lower:renames",
    renames_of_lower_ones_of_ten_layers: "10:lower:renames",
    renames_of_new_ones: "1:new:renames",
    renames_of_new_ones_over_ten_layers: "10:new:renames",
    many_renames_of_lower_ones: "1:lower:many",
    many_renames_of_lower_ones_of_ten_layers: "10:lower:many",
    many_renames_of_new_ones: "1:new:many",
    many_renames_of_new_ones_over_ten_layers: "10:new:many",
);
