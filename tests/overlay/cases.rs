//! What a file system must do, tried in the mounted tree (the current directory) as root of the namespace.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use rustix::fs::{CWD, RenameFlags, XattrFlags, renameat_with};
use rustix::io::Errno;

fn text(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn names(path: &str) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn mode(path: &str) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn set_mode(path: &str, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn ino(path: &str) -> u64 {
    fs::symlink_metadata(path).unwrap().ino()
}

fn append(path: &str, what: &str) {
    OpenOptions::new().append(true).open(path).unwrap().write_all(what.as_bytes()).unwrap();
}

fn error(result: std::io::Result<()>) -> ErrorKind {
    result.unwrap_err().kind()
}

/// What the case runs on: `kernel`, `fuse`, or the `bare` disk.
fn driver() -> String {
    std::env::var("CORACLE_OVERLAY").unwrap().split(' ').next().unwrap().to_owned()
}

/// A script of another user, in a directory that all may write.
fn as_user(uid: u32, gid: u32, script: &str) {
    set_mode(".", 0o777);
    assert!(Command::new("sh").args(["-ec", script]).uid(uid).gid(gid).status().unwrap().success(), "{script}");
}

pub fn merges() {
    assert_eq!(names("."), ["d", "f", "h1", "h2", "links", "only", "s"]);
    assert_eq!(names("d"), ["a", "b", "c", "sub"]);
    assert_eq!(text("d/a"), "a above");
    assert_eq!(text("s"), "f");
    fs::write("d/n", "new").unwrap();
    append("d/c", "!");
    assert_eq!((text("d/c"), text("d/n")), ("c!".into(), "new".into()));
    assert_eq!(names("d"), ["a", "b", "c", "n", "sub"]);
    assert_eq!(fs::metadata("gone").unwrap_err().kind(), ErrorKind::NotFound);
}

pub fn removes() {
    fs::remove_file("d/a").unwrap();
    assert_eq!(error(File::open("d/a").map(drop)), ErrorKind::NotFound);
    assert_eq!(error(fs::remove_dir("d")), ErrorKind::DirectoryNotEmpty);
    append("f", "x");
    fs::remove_file("f").unwrap();
    fs::write("f", "again").unwrap();
    fs::remove_dir_all("d").unwrap();
    fs::remove_dir("only").unwrap();
    assert_eq!(names("."), ["f", "h1", "h2", "links", "s"]);
    assert_eq!(text("f"), "again");
}

pub fn directories_replace_what_was_removed() {
    fs::remove_dir_all("d").unwrap();
    fs::create_dir("d").unwrap();
    assert!(names("d").is_empty());
    fs::remove_file("f").unwrap();
    fs::create_dir("f").unwrap();
    fs::write("f/in", "").unwrap();
    fs::remove_dir("only").unwrap();
    fs::rename("f", "only").unwrap();
    assert_eq!(names("only"), ["in"]);
    // Not only for those who saw it made: a new listing looks each entry up again.
    assert_eq!(names("."), ["d", "h1", "h2", "links", "only", "s"]);
    assert!(names("d").is_empty());
}

pub fn renames() {
    fs::rename("f", "d/b").unwrap();
    assert_eq!(text("d/b"), "f");
    fs::rename("d/b", "f").unwrap();
    assert!(!Path::new("d/b").exists());
    assert_eq!(text("f"), "f");
    let flags = RenameFlags::NOREPLACE;
    assert_eq!(renameat_with(CWD, "f", CWD, "d/c", flags), Err(Errno::EXIST));
    renameat_with(CWD, "f", CWD, "d/b", flags).unwrap();
    let mut held = File::open("d/c").unwrap();
    fs::rename("d/b", "d/c").unwrap();
    let mut old = String::new();
    held.read_to_string(&mut old).unwrap();
    assert_eq!((old.as_str(), text("d/c").as_str()), ("c", "f"));
}

/// The kernel's driver leaves that to the caller (EXDEV), so there `mv` copies.
pub fn renames_lower_directories() {
    fs::remove_file("d/a").unwrap();
    assert!(Command::new("mv").args(["d", "moved"]).status().unwrap().success());
    assert_eq!(names("moved"), ["b", "c", "sub"]);
    assert_eq!(text("moved/sub/deep/x"), "x");
    assert!(!Path::new("d").exists());
    fs::create_dir("d").unwrap();
    assert!(names("d").is_empty());
    append("moved/sub/deep/x", "y");
    assert!(Command::new("mv").args(["moved/sub", "only/"]).status().unwrap().success());
    assert_eq!(text("only/sub/deep/x"), "xy");
}

pub fn exchanges() {
    fs::create_dir("n").unwrap();
    fs::write("n/in", "").unwrap();
    renameat_with(CWD, "n", CWD, "f", RenameFlags::EXCHANGE).unwrap();
    assert_eq!((names("f"), text("n")), (vec!["in".to_owned()], "f".to_owned()));
    renameat_with(CWD, "h1", CWD, "d/b", RenameFlags::EXCHANGE).unwrap();
    assert_eq!((text("h1").as_str(), text("d/b").as_str()), ("b", "linked"));
}

pub fn links_keep_one_inode() {
    fs::hard_link("f", "d/link").unwrap();
    // The kernel's driver shows another number for a link of what was copied up, so that is asked of a new file.
    assert_eq!(fs::metadata("d/link").unwrap().nlink(), 2);
    fs::write("n", "").unwrap();
    fs::hard_link("n", "d/n").unwrap();
    assert_eq!((ino("n"), fs::metadata("n").unwrap().nlink()), (ino("d/n"), 2));
    append("d/link", "!");
    assert_eq!(text("f"), "f!");
    fs::remove_file("f").unwrap();
    assert_eq!((text("d/link").as_str(), fs::metadata("d/link").unwrap().nlink()), ("f!", 1));
    fs::hard_link("d/link", "f").unwrap();
    assert_eq!(text("f"), "f!");
}

/// Names of a lower file: they stay one file, however far apart and in whatever order they come to be known. The kernel's driver
/// breaks them and gives the copy another number, so nothing is asked of it.
pub fn lower_links_stay_one_file() {
    if driver() == "kernel" {
        return;
    }
    let links = |path: &str| fs::symlink_metadata(path).unwrap().nlink();
    let number = ino("h1");
    append("h1", "!");
    assert_eq!((text("h1").as_str(), ino("h1"), links("h1")), ("linked!", number, 2));
    // One that was never looked up, with its directory.
    fs::rename("d", "moved").unwrap();
    assert_eq!((text("h2").as_str(), ino("h2"), links("h2")), ("linked!", number, 2));
    assert_eq!((text("links/one").as_str(), links("links/one")), ("far", 3));
    append("links/one", "!");
    fs::rename("links/sub", "sub").unwrap();
    assert_eq!((text("sub/two").as_str(), ino("sub/two"), links("sub/two")), ("far!", ino("links/one"), 3));
    fs::remove_file("sub/two").unwrap();
    fs::remove_file("links/one").unwrap();
    // The last one was not known when the others went.
    assert_eq!((text("links/three").as_str(), links("links/three")), ("far!", 1));
    // Renaming one to the other does nothing, as for any two names of one file.
    fs::hard_link("links/three", "again").unwrap();
    fs::rename("again", "links/three").unwrap();
    assert_eq!((links("again"), names("links")), (2, vec!["three".to_owned()]));
}

/// What was written through one name is there under another that was known, when the first is gone and after a restart.
pub fn a_known_link_outlives_the_others() {
    // Once for all: who lists it again is not asked, and so does not see the name anew.
    assert_eq!((names("links/sub"), text("links/sub/two").as_str()), (vec!["two".to_owned()], "far"));
    append("links/one", "!");
    fs::remove_file("links/one").unwrap();
    fs::remove_file("links/three").unwrap();
    if driver() != "kernel" {
        assert_eq!(text("links/sub/two"), "far!");
    }
}

pub fn moved_directories_keep_their_times() {
    fs::remove_file("d/c").unwrap();
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1000);
    File::open("d").unwrap().set_times(fs::FileTimes::new().set_modified(time)).unwrap();
    assert!(Command::new("mv").args(["d", "moved"]).status().unwrap().success());
    assert_eq!(fs::metadata("moved").unwrap().mtime(), 1000);
}

pub fn the_inode_survives_copy_up() {
    for path in ["f", "d", "d/sub/deep/x", "s"] {
        let before = ino(path);
        let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
        rustix::fs::chownat(CWD, path, None, Some(rustix::fs::Gid::from_raw(9)), flags).unwrap();
        assert_eq!(ino(path), before, "{path}");
        let listed = fs::read_dir(Path::new(path).parent().filter(|p| *p != "").unwrap_or(Path::new(".")))
            .unwrap()
            .map(|entry| entry.unwrap())
            .find(|entry| Path::new(path).file_name() == Some(&entry.file_name()))
            .unwrap();
        assert_eq!(std::os::unix::fs::DirEntryExt::ino(&listed), before, "{path} as listed");
    }
}

pub fn unlinked_files_live_while_open() {
    for path in ["new", "f"] {
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).unwrap();
        file.write_all(b"hello").unwrap();
        fs::remove_file(path).unwrap();
        assert_eq!((file.metadata().unwrap().nlink(), file.metadata().unwrap().len()), (0, 5));
        file.set_len(3).unwrap();
        file.set_permissions(Permissions::from_mode(0o640)).unwrap();
        file.seek(SeekFrom::End(0)).unwrap();
        file.write_all(b"!").unwrap();
        let mut all = [0; 4];
        file.read_exact_at(&mut all, 0).unwrap();
        assert_eq!((&all, file.metadata().unwrap().mode() & 0o777), (b"hel!", 0o640));
        file.sync_all().unwrap();
    }
    let mut read_only = File::open("d/c").unwrap();
    fs::remove_file("d/c").unwrap();
    let mut all = String::new();
    read_only.read_to_string(&mut all).unwrap();
    assert_eq!(all, "c");
    rustix::fs::fsync(&read_only).unwrap();
}

pub fn readers_see_what_is_written_after_copy_up() {
    let file = File::open("f").unwrap();
    append("f", " and more");
    let mut all = [0; 16];
    let count = file.read_at(&mut all, 0).unwrap();
    // The kernel's driver keeps showing the file that was opened.
    assert!([&b"f and more"[..], b"f"].contains(&&all[..count]));
    assert_eq!(text("f"), "f and more");
}

pub fn masks_of_the_caller() {
    as_user(
        1000,
        1001,
        "umask 027; mkdir md; : >mf; mkfifo mp; ln -s x ms
         test \"$(stat -c %a:%u:%g md mf mp | tr '\\n' ' ')\" = '750:1000:1001 640:1000:1001 640:1000:1001 '",
    );
    as_user(1000, 1001, "umask 777; : >m0; ! cat m0 2>/dev/null; chmod 600 m0; cat m0; umask 0; mkdir -m 1777 mt");
    assert_eq!((mode("mt"), mode("m0")), (0o1777, 0o600));
    // Where a whiteout lies, nothing is different.
    fs::remove_file("f").unwrap();
    fs::remove_dir("only").unwrap();
    as_user(
        1000,
        1001,
        "umask 077; : >f; mkdir only; test \"$(stat -c %a:%u f only | tr '\\n' ' ')\" = '600:1000 700:1000 '",
    );
}

pub fn set_group_id_directories() {
    fs::remove_file("d/c").unwrap();
    for dir in ["g", "d"] {
        let _ = fs::create_dir(dir);
        std::os::unix::fs::chown(dir, None, Some(50)).unwrap();
        set_mode(dir, 0o2777);
    }
    as_user(
        1000,
        1001,
        "umask 022; for d in g d; do mkdir $d/new; : >$d/c; test $(stat -c %g:%a $d/new) = 50:2755; test $(stat -c %u:%g:%a $d/c) = 1000:50:644; done",
    );
}

pub fn writes_take_set_user_id() {
    fs::write("su", "abc").unwrap();
    for script in ["echo >>su", "echo >su", "truncate -s 1 su"] {
        set_mode("su", 0o6777);
        as_user(1000, 1000, script);
        assert_eq!(mode("su"), 0o777, "{script}");
    }
    set_mode("f", 0o4777);
    as_user(1000, 1000, "echo x >>f");
    assert_eq!(mode("f"), 0o777);
    set_mode("f", 0o4755);
    std::os::unix::fs::chown("f", Some(5), None).unwrap();
    assert_eq!(mode("f"), 0o755);
}

pub fn set_user_id_given_before_close_stays() {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o755).open("su").unwrap();
    file.write_all(&[b'x'; 100_000]).unwrap();
    file.set_permissions(Permissions::from_mode(0o4755)).unwrap();
    drop(file);
    rustix::fs::sync();
    assert_eq!((mode("su"), fs::metadata("su").unwrap().len()), (0o4755, 100_000));
}

pub fn attributes() {
    let get = |path: &str, name: &str| {
        let mut value = vec![0; 8192];
        rustix::fs::lgetxattr(path, name, &mut value[..]).map(|length| value[..length].to_vec())
    };
    rustix::fs::setxattr("f", "user.one", b"1", XattrFlags::empty()).unwrap();
    assert_eq!(get("f", "user.one").unwrap(), b"1");
    let big = vec![b'B'; 3000];
    rustix::fs::setxattr("d", "user.big", &big, XattrFlags::empty()).unwrap();
    assert_eq!(get("d", "user.big").unwrap(), big);
    fs::remove_file("d/a").unwrap();
    fs::remove_dir_all("only").unwrap();
    fs::create_dir("only").unwrap();
    let mut list = vec![0; 1024];
    assert_eq!(rustix::fs::listxattr("only", &mut list[..]).unwrap(), 0, "an opaque directory shows its mark");
    assert_eq!(rustix::fs::setxattr("f", "user.one", b"2", XattrFlags::CREATE), Err(Errno::EXIST));
    rustix::fs::removexattr("f", "user.one").unwrap();
    assert_eq!(get("f", "user.one"), Err(Errno::NODATA));
    let times = fs::FileTimes::new().set_modified(std::time::UNIX_EPOCH - std::time::Duration::from_millis(2300));
    let file = OpenOptions::new().write(true).open("f").unwrap();
    file.set_times(times).unwrap();
    let meta = fs::metadata("f").unwrap();
    assert_eq!((meta.mtime(), meta.mtime_nsec()), (-3, 700_000_000));
}

pub fn holes_and_long_names() {
    let name = "n".repeat(255);
    fs::write(&name, "").unwrap();
    fs::rename(&name, "m".repeat(255)).unwrap();
    assert!(fs::metadata("n".repeat(256)).is_err());
    let file = File::create("hole").unwrap();
    file.set_len(1 << 20).unwrap();
    file.write_at(b"x", 600_000).unwrap();
    // The one who wrote need not close the file to learn of that.
    for asked in [file, File::open("hole").unwrap()] {
        let data = rustix::fs::seek(asked, rustix::fs::SeekFrom::Data(0)).unwrap();
        assert_eq!(data / 4096, 600_000 / 4096);
    }
    assert!(fs::metadata("hole").unwrap().blocks() < 100);
}

pub fn removal_while_listing() {
    fs::create_dir("many").unwrap();
    for at in 0..3000 {
        fs::write(format!("many/{at}"), "").unwrap();
    }
    let mut removed = 0;
    for entry in fs::read_dir("many").unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
        removed += 1;
    }
    assert_eq!((removed, names("many").len()), (3000, 0));
    fs::remove_dir("many").unwrap();
}

/// Who made a name finds it in the next list, whatever others make and list at the same time. Long names, so that a list takes
/// several requests.
pub fn listing_while_others_make() {
    fs::create_dir("shared").unwrap();
    let work = &|thread: usize| {
        let mut own = Vec::new();
        for at in 0..200 {
            own.push(format!("{thread}-{at}-{}", "long".repeat(20)));
            fs::write(format!("shared/{}", own.last().unwrap()), "").unwrap();
            let listed = names("shared");
            let missing: Vec<_> = own.iter().filter(|name| listed.binary_search(name).is_err()).collect();
            assert!(missing.is_empty(), "{missing:?} of {} names", own.len());
        }
    };
    std::thread::scope(|scope| (0..4).for_each(|thread| _ = scope.spawn(move || work(thread))));
}

/// Whichever layer a file lies in, and wherever it comes to lie.
pub fn one_device_number() {
    let device = |path: &str| fs::symlink_metadata(path).unwrap().dev();
    let tree = device(".");
    fs::write("new", "").unwrap();
    for path in ["f", "d", "d/a", "d/b", "only", "s", "new"] {
        assert_eq!(device(path), tree, "{path}");
    }
    append("f", "!");
    append("d/b", "!");
    set_mode("only", 0o700);
    for path in ["f", "d", "d/b", "only"] {
        assert_eq!(device(path), tree, "{path} after its copy-up");
    }
}

/// What no overlay does; programs go another way then.
pub fn what_is_refused() {
    let mode = rustix::fs::Mode::RUSR;
    // It would be a whiteout.
    let device = rustix::fs::FileType::CharacterDevice;
    assert_eq!(rustix::fs::mknodat(CWD, "whiteout", device, mode, 0), Err(Errno::PERM));
    assert_eq!(renameat_with(CWD, "f", CWD, "moved", RenameFlags::WHITEOUT), Err(Errno::INVAL));
    assert_eq!((text("f").as_str(), Path::new("moved").exists()), ("f", false));
    // Devices are not for a user namespace, on no disk.
    assert_eq!(rustix::fs::mknodat(CWD, "null", device, mode, rustix::fs::makedev(1, 3)), Err(Errno::PERM));
    if driver() == "fuse" {
        let flags = rustix::fs::OFlags::TMPFILE | rustix::fs::OFlags::RDWR;
        assert_eq!(rustix::fs::open(".", flags, mode).map(drop), Err(Errno::OPNOTSUPP));
        // As tempfile(3) and Python's `tempfile` do, where there is no such thing.
        assert!(
            Command::new("python3")
                .args(["-c", "import tempfile; tempfile.TemporaryFile(dir='.').write(b'x')"])
                .status()
                .unwrap()
                .success()
        );
    }
}

pub fn the_kernel_drivers_probe() {
    use std::os::fd::AsFd;
    let store = coracle::overlay::open_directory("..").unwrap();
    coracle::overlay::probe::run(store.as_fd(), "probe").unwrap();
    assert!(!Path::new("../probe").exists());
    // A file system that can't be an upper one.
    let proc = coracle::overlay::open_directory("/proc").unwrap();
    assert!(coracle::overlay::probe::run(proc.as_fd(), "probe").is_err());
}
