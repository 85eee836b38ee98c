//! What went wrong once, each under the name of what was found.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use rustix::fs::{CWD, FileType, Mode, SeekFrom, mknodat};

use super::disks::disk_usage;
use super::random;
use super::stage::{self, Stage};

fn layers(stage: &Stage) {
    for dir in ["lower1", "lower2"] {
        fs::create_dir(stage.place.join(dir)).unwrap();
    }
}

fn open_pipe(path: &Path) -> File {
    OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open(path).unwrap()
}

#[test]
fn an_open_pipe_keeps_the_names_that_it_has_left() {
    stage::run("fuse", "linked_pipe");
}

/// A pipe of a lower layer with two names, of which one is not known yet, was lost to who had it open when the other went.
pub fn linked_pipe(stage: &Stage) {
    layers(stage);
    let lower = stage.place.join("lower1");
    fs::create_dir(lower.join("d")).unwrap();
    for name in ["removed", "replaced"] {
        mknodat(CWD, lower.join(name), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        fs::hard_link(lower.join(name), lower.join("d").join(name)).unwrap();
    }
    let mounted = stage.mount("fuse");
    let at = |name: &str| mounted.at.join(name);
    let pipes = ["removed", "replaced"].map(|name| open_pipe(&at(name)));
    fs::remove_file(at("removed")).unwrap();
    fs::write(at("new"), "").unwrap();
    fs::rename(at("new"), at("replaced")).unwrap();
    for (pipe, name) in pipes.iter().zip(["removed", "replaced"]) {
        pipe.set_permissions(fs::Permissions::from_mode(0o640)).unwrap();
        let (open, other) = (pipe.metadata().unwrap(), fs::metadata(at("d").join(name)).unwrap());
        assert_eq!((other.mode() & 0o7777, other.ino()), (0o640, open.ino()), "{name}");
        fs::remove_file(at("d").join(name)).unwrap();
        pipe.set_permissions(fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(pipe.metadata().unwrap().mode() & 0o7777, 0o600, "{name}");
    }
    drop(pipes);
    mounted.unmount();
}

#[test]
fn who_writes_to_a_file_that_lost_a_name_writes_to_its_others() {
    stage::run("fuse", "written_link");
}

/// The copy of a file of a lower layer that is open, and of which the only known name went, had no name at all: the others could
/// not be looked up (ESTALE) as long as it was open, and showed the old file afterwards.
pub fn written_link(stage: &Stage) {
    layers(stage);
    let lower = stage.place.join("lower1");
    for dir in ["one", "two"] {
        fs::create_dir(lower.join(dir)).unwrap();
    }
    for file in ["f", "g"] {
        fs::write(lower.join("one").join(file), "old").unwrap();
        fs::hard_link(lower.join("one").join(file), lower.join("two").join(file)).unwrap();
    }
    let mounted = stage.mount("fuse");
    let at = |name: &str| mounted.at.join(name);
    let open = |name: &str| OpenOptions::new().read(true).write(true).open(at(name)).unwrap();
    let (file, last) = (open("one/f"), open("one/g"));
    for (file, name) in [(&file, "f"), (&last, "g")] {
        fs::remove_file(at("one").join(name)).unwrap();
        file.write_all_at(b"new", 0).unwrap();
        file.sync_all().unwrap();
        assert_eq!(file.metadata().unwrap().nlink(), 1);
    }
    assert_eq!(fs::read_to_string(at("two/f")).unwrap(), "new");
    let (open, other) = (file.metadata().unwrap(), fs::metadata(at("two/f")).unwrap());
    assert_eq!((open.ino(), open.nlink(), other.nlink()), (other.ino(), 1, 1));
    // Nobody has it open any more when the other name turns up.
    drop((file, last));
    assert_eq!(fs::read_to_string(at("two/g")).unwrap(), "new");
    mounted.unmount();
    let mounted = stage.mount("kernel");
    for name in ["f", "g"] {
        assert_eq!(fs::read_to_string(mounted.at.join("two").join(name)).unwrap(), "new");
        assert!(!mounted.at.join("one").join(name).exists());
    }
    mounted.unmount();
    assert_eq!(
        fs::read_dir(stage.place.join("work"))
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().file_name() != "work")
            .count(),
        0
    );
}

#[test]
fn what_a_crash_leaves_is_swept_however_deep() {
    stage::run("fuse", "leftovers");
}

/// The first directory with another in it ended the sweep, and names that are drawn anew met what was left.
pub fn leftovers(stage: &Stage) {
    layers(stage);
    fs::write(stage.place.join("lower1/f"), "").unwrap();
    let work = stage.place.join("work");
    for at in 0..20 {
        fs::create_dir_all(work.join(format!("coracle-{at}/name/deeper"))).unwrap();
    }
    let mounted = stage.mount("fuse");
    fs::remove_file(mounted.at.join("f")).unwrap();
    fs::create_dir(mounted.at.join("f")).unwrap();
    mounted.unmount();
    let left: Vec<_> = fs::read_dir(work).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn several_programs_look_for_holes() {
    stage::run("fuse", "holes");
}

/// All but one of those who asked at the same time were told that they may not ask.
pub fn holes(stage: &Stage) {
    layers(stage);
    let mounted = stage.mount("fuse");
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let path = mounted.at.join(thread.to_string());
            scope.spawn(move || {
                let file = OpenOptions::new().read(true).write(true).create_new(true).open(path).unwrap();
                for at in 0..300u64 {
                    file.write_all_at(b"x", at << 20).unwrap();
                    assert_eq!(rustix::fs::seek(&file, SeekFrom::Data(at << 20)), Ok(at << 20));
                    assert!(rustix::fs::seek(&file, SeekFrom::Hole(at << 20)).unwrap() > at << 20);
                }
            });
        }
    });
    mounted.unmount();
}

#[test]
fn a_write_through_a_mapping_moves_the_time() {
    stage::run("fuse", "mapped");
}

/// With a limit, where the kernel passes writes on at once, the time from before was put back behind those of a mapping.
pub fn mapped(stage: &Stage) {
    const WRITE: &str = "import mmap, sys
with open(sys.argv[1], 'r+b') as file, mmap.mmap(file.fileno(), 0) as mapping: mapping[5000:6000] = b'x' * 1000";
    layers(stage);
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(700_000_000);
    let lower = stage.place.join("lower1");
    fs::write(lower.join("lower"), [0; 100_000]).unwrap();
    File::open(lower.join("lower")).unwrap().set_modified(old).unwrap();
    for limit in [None, Some(1 << 20)] {
        let mut stage = stage.clone();
        stage.features.quota = limit;
        let mounted = stage.mount("fuse");
        let at = |name: &str| mounted.at.join(name);
        let file = File::create(at("new")).unwrap();
        file.write_all_at(&[0; 100_000], 0).unwrap();
        file.set_modified(old).unwrap();
        drop(file);
        for name in ["new", "lower"] {
            let start = SystemTime::now() - Duration::from_secs(1);
            assert!(Command::new("python3").args(["-c", WRITE]).arg(at(name)).status().unwrap().success());
            let shown = fs::metadata(at(name)).unwrap().modified().unwrap();
            assert!(shown > start, "{name}, limit {limit:?}: {shown:?}");
            // What a program sets afterwards stays.
            File::open(at(name)).unwrap().set_modified(old).unwrap();
            assert_eq!(fs::metadata(at(name)).unwrap().modified().unwrap(), old, "{name}, limit {limit:?}");
        }
        mounted.unmount();
        assert_eq!(fs::metadata(stage.place.join("upper/new")).unwrap().modified().unwrap(), old, "limit {limit:?}");
        random::renew_upper(&stage);
    }
}

#[test]
fn attributes_count_against_a_limit() {
    stage::run("fuse", "limited_attributes");
}

/// A million files, each with an attribute of a block, went past any limit.
pub fn limited_attributes(stage: &Stage) {
    const LIMIT: u64 = 1 << 20;
    let mut stage = stage.clone();
    stage.features.quota = Some(LIMIT);
    layers(&stage);
    let mounted = stage.mount("fuse");
    let mut refused = None;
    for at in 0..1_000 {
        let path = mounted.at.join(at.to_string());
        let made = File::create(&path).map_err(|error| rustix::io::Errno::from_io_error(&error).unwrap());
        let flags = rustix::fs::XattrFlags::empty();
        if let Err(error) = made.and_then(|_| rustix::fs::setxattr(&path, "user.x", &[7; 3_000], flags)) {
            refused = Some(error);
            break;
        }
    }
    assert_eq!(refused, Some(rustix::io::Errno::NOSPC));
    let done = Command::new("du").args(["-s", "-B1"]).arg(stage.place.join("upper")).output().unwrap();
    let used: u64 = String::from_utf8_lossy(&done.stdout).split_whitespace().next().unwrap().parse().unwrap();
    assert!(used <= LIMIT, "{used}");
    mounted.unmount();
}

#[test]
fn marks_count_against_a_limit() {
    stage::run("fuse", "limited_marks");
}

/// A directory that is moved into one that merges gets a mark, which took a block that nobody counted.
pub fn limited_marks(stage: &Stage) {
    let mut stage = stage.clone();
    stage.features.quota = Some(1 << 20);
    layers(&stage);
    fs::create_dir(stage.place.join("lower1/merges")).unwrap();
    let mounted = stage.mount("fuse");
    let (made, moved) = (mounted.at.join("made"), mounted.at.join("merges/moved"));
    fs::create_dir(&made).unwrap();
    // As much as the inode itself takes.
    rustix::fs::setxattr(&made, "user.x", &[7; 60], rustix::fs::XattrFlags::empty()).unwrap();
    fs::rename(made, &moved).unwrap();
    let numbers = rustix::fs::statvfs(&mounted.at).unwrap();
    let used = (numbers.f_blocks - numbers.f_bfree) * numbers.f_frsize;
    assert_eq!(used, disk_usage(&stage.place.join("upper")));
    mounted.unmount();
}

#[test]
fn a_group_bit_that_stands_alone_stays_under_a_limit() {
    stage::run("fuse", "limited_bits");
}

/// Each write took set-group-id, also where it is not meant for execution.
pub fn limited_bits(stage: &Stage) {
    let mut stage = stage.clone();
    stage.features.quota = Some(1 << 20);
    layers(&stage);
    let mounted = stage.mount("fuse");
    let at = |name: &str| mounted.at.join(name);
    for (mode, left) in [(0o2700, 0o2700), (0o4700, 0o700), (0o6700, 0o2700), (0o6710, 0o710), (0o2710, 0o710)] {
        fs::write(at("f"), "").unwrap();
        fs::set_permissions(at("f"), fs::Permissions::from_mode(mode)).unwrap();
        OpenOptions::new().append(true).open(at("f")).unwrap().write_all(b"x").unwrap();
        assert_eq!(fs::metadata(at("f")).unwrap().mode() & 0o7777, left, "{mode:o}");
    }
    mounted.unmount();
}
