//! Stacks of another kind than one image's on an ordinary disk: very many layers, a directory that lives, one that is limited,
//! an upper directory where no device node can be made. (Disks of other kinds are in `behaviour/disks`.)

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use coracle::overlay;
use coracle::overlay::living::Living;
use rustix::fs::FallocateFlags;
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_bind, unmount};

use super::stage::{self, Stage};

#[test]
fn five_hundred_layers_with_the_kernel() {
    stage::run("kernel", "five_hundred_layers");
}

#[test]
fn five_hundred_layers_with_fuse() {
    stage::run("fuse", "five_hundred_layers");
}

/// As many as the kernel's driver takes: each has a file of its own, one that all have, and a part of one directory.
pub fn five_hundred_layers(stage: &Stage) {
    const COUNT: usize = 500;
    coracle::sys::process::raise_descriptor_limit();
    let mut stage = stage.clone();
    stage.lowers = (0..COUNT).map(|at| format!("layer{at}")).collect();
    for (at, layer) in stage.lowers.iter().enumerate() {
        let layer = stage.place.join(layer);
        fs::create_dir_all(layer.join("d")).unwrap();
        fs::write(layer.join(format!("d/{at}")), at.to_string()).unwrap();
        fs::write(layer.join("all"), at.to_string()).unwrap();
        if at > 0 {
            fs::write(layer.join(format!("hidden{at}")), "").unwrap();
            stage::whiteout(&stage.place.join(format!("layer{}/hidden{at}", at - 1)));
        }
    }
    let mounted = stage.mount(&stage.driver);
    let at = |name: &str| mounted.at.join(name);
    assert_eq!(fs::read_dir(at("d")).unwrap().count(), COUNT);
    assert_eq!(fs::read_dir(at("")).unwrap().count(), 2);
    assert_eq!(fs::read_to_string(at("all")).unwrap(), "0");
    assert_eq!(fs::read_to_string(at("d/499")).unwrap(), "499");
    fs::write(at("d/499"), "written").unwrap();
    fs::remove_file(at("all")).unwrap();
    for name in 0..COUNT {
        fs::remove_file(at(&format!("d/{name}"))).unwrap();
    }
    fs::remove_dir(at("d")).unwrap();
    assert_eq!(fs::read_dir(at("")).unwrap().count(), 0);
    mounted.unmount();
}

#[test]
fn living() {
    stage::run("fuse", "a_living_directory");
}

fn identity(path: &Path) -> (u64, u64) {
    let meta = fs::metadata(path).unwrap();
    (meta.dev(), meta.ino())
}

/// What is mounted in it, and what is to be hidden, shows as an empty directory; all of that can still be written over.
pub fn a_living_directory(stage: &Stage) {
    let mut stage = stage.clone();
    stage.lowers = vec!["lower1".to_owned()];
    let below = stage.place.join("lower1");
    for dir in ["disk", "bound", "hidden/deep", "kept"] {
        fs::create_dir_all(below.join(dir)).unwrap();
    }
    mount("tmpfs", below.join("disk"), "tmpfs", MountFlags::empty(), None).unwrap();
    mount_bind(below.join("kept"), below.join("bound")).unwrap();
    for file in ["disk/file", "hidden/file", "kept/file"] {
        fs::write(below.join(file), "").unwrap();
    }
    // A mark of an overlay means nothing where somebody else's files lie.
    let none = rustix::fs::XattrFlags::empty();
    fs::write(below.join("kept/marked"), "").unwrap();
    rustix::fs::setxattr(below.join("kept/marked"), "user.overlay.whiteout", b"y", none).unwrap();
    stage.features.living = Some(Living { hides: vec![identity(&below.join("hidden"))] });
    let mounted = stage.mount("fuse");
    let at = |name: &str| mounted.at.join(name);
    let list = |name: &str| -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(at(name)).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(list(""), ["bound", "disk", "hidden", "kept"]);
    assert_eq!(list("kept"), ["file", "marked"]);
    for empty in ["disk", "bound", "hidden"] {
        assert!(list(empty).is_empty() && fs::metadata(at(empty).join("file")).is_err(), "{empty}");
        fs::create_dir(at(empty).join("sub")).unwrap();
        fs::write(at(empty).join("file"), "own").unwrap();
        assert_eq!(list(empty), ["file", "sub"]);
        fs::rename(at(empty).join("sub"), at("kept").join(empty)).unwrap();
        fs::remove_dir_all(at(empty)).unwrap();
        fs::create_dir(at(empty)).unwrap();
        assert!(list(empty).is_empty(), "{empty}");
    }
    assert_eq!(list("kept"), ["bound", "disk", "file", "hidden", "marked"]);
    assert_eq!(fs::read_dir(below.join("disk")).unwrap().count(), 1, "something was written below");
    mounted.unmount();
}

#[test]
fn limited() {
    stage::run("fuse", "a_limited_directory");
}

/// What du(1) says of a directory, in bytes.
pub fn disk_usage(top: &Path) -> u64 {
    let mut seen = std::collections::BTreeMap::new();
    let mut pending = vec![top.to_owned()];
    while let Some(path) = pending.pop() {
        let meta = fs::symlink_metadata(&path).unwrap();
        seen.insert(meta.ino(), meta.blocks() * 512);
        if meta.is_dir() {
            pending.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    seen.values().sum()
}

/// At each moment the disk's numbers are those that du(1) finds in the upper directory, whatever was done, and also after the
/// server was killed.
pub fn a_limited_directory(stage: &Stage) {
    const LIMIT: u64 = 4 << 20;
    let mut stage = stage.clone();
    stage.features.quota = Some(LIMIT);
    stage.fill();
    fs::write(stage.place.join("lower2/big"), vec![1; 1 << 20]).unwrap();
    let mounted = stage.mount("fuse");
    let at = |name: &str| mounted.at.join(name);
    let used = |mounted: &stage::Mounted| {
        let stat = rustix::fs::statvfs(&mounted.at).unwrap();
        assert_eq!(stat.f_blocks * stat.f_frsize, LIMIT);
        (stat.f_blocks - stat.f_bfree) * stat.f_frsize
    };
    // Who has forgotten what was removed is told a moment later.
    let agree = |after: &str| {
        let upper = stage.place.join("upper");
        let limit = std::time::Duration::from_secs(10);
        crate::harness::wait_until(after, limit, || used(&mounted) == disk_usage(&upper));
    };
    agree("the start");
    // A write at the end of a file that is copied up.
    OpenOptions::new().append(true).open(at("big")).unwrap().write_at(b"x", 1 << 20).unwrap();
    assert!(used(&mounted) > 1 << 20);
    agree("a copy-up");
    fs::hard_link(at("big"), at("d/linked")).unwrap();
    fs::remove_file(at("big")).unwrap();
    agree("one of two names went");
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(at("sparse")).unwrap();
    file.set_len(1 << 30).unwrap();
    file.write_all_at(&[1; 100_000], 500_000_000).unwrap();
    agree("a sparse file");
    let punch = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    rustix::fs::fallocate(&file, punch, 499_990_000, 90_000).unwrap();
    agree("a hole");
    let ahead = File::create(at("ahead")).unwrap();
    rustix::fs::fallocate(&ahead, FallocateFlags::empty(), 0, 1 << 20).unwrap();
    assert_eq!(rustix::fs::fallocate(&ahead, FallocateFlags::empty(), 0, 3 << 20), Err(rustix::io::Errno::NOSPC));
    agree("blocks in advance");
    // In blocks that are there already, also of a full disk.
    let mut filled = File::create(at("filler")).unwrap();
    let full = std::io::copy(&mut std::io::repeat(7), &mut filled).unwrap_err();
    assert_eq!(full.kind(), ErrorKind::StorageFull);
    assert!(used(&mounted) <= LIMIT && used(&mounted) > LIMIT - 8192, "{}", used(&mounted));
    ahead.write_all_at(&[3; 1 << 20], 0).unwrap();
    file.write_all_at(&[3; 1000], 500_090_000).unwrap();
    assert_eq!(file.write_at(&[4; 8192], 1 << 29).unwrap_err().kind(), ErrorKind::StorageFull);
    agree("a full disk");
    fs::create_dir_all(at("a/b")).unwrap_err();
    fs::rename(at("filler"), at("sparse")).unwrap();
    drop(file);
    agree("a file took the name of another");
    filled.set_len(5000).unwrap();
    drop(filled);
    for name in 0..200 {
        fs::create_dir(at(&format!("d/a directory of a rather long name, so that many take blocks: {name}"))).unwrap();
    }
    agree("many directories");
    fs::remove_dir_all(at("d")).unwrap();
    agree("all of them removed");
    let before = used(&mounted);
    let (socket, server) = mounted.mounter.unwrap();
    rustix::process::kill_process(server.pid, rustix::process::Signal::KILL).unwrap();
    server.wait().unwrap();
    drop(socket);
    unmount(&mounted.at, UnmountFlags::DETACH).unwrap();
    let again = stage.mount("fuse");
    assert_eq!(used(&again), before);
    again.unmount();
}

#[test]
fn without_device_nodes() {
    stage::run("fuse", "a_disk_without_device_nodes");
}

/// The upper directory lies on an overlay of the kernel's, which makes no 0:0 device: whiteouts are attributes. On one of our
/// own, which takes no such attributes either, nothing can be removed, and that is said.
pub fn a_disk_without_device_nodes(stage: &Stage) {
    stage.fill();
    let mut disk = stage.clone();
    disk.place = stage.place.join("disk");
    disk.lowers = vec!["lower".to_owned()];
    for dir in ["lower/upper", "lower/work", "upper", "work", "merged"] {
        fs::create_dir_all(disk.place.join(dir)).unwrap();
    }
    let below = disk.mount("kernel");
    for dir in ["upper", "work"] {
        fs::remove_dir(stage.place.join(dir)).unwrap();
        std::os::unix::fs::symlink(below.at.join(dir), stage.place.join(dir)).unwrap();
    }
    let show = |mounted: &stage::Mounted| super::snapshot::snapshot(&mounted.at);
    let mounted = stage.mount("fuse");
    let at = |name: &str| mounted.at.join(name);
    fs::remove_file(at("f")).unwrap();
    for dir in ["d", "links"] {
        fs::remove_dir_all(at(dir)).unwrap();
    }
    fs::create_dir(at("d")).unwrap();
    fs::write(at("d/new"), "").unwrap();
    fs::rename(at("h1"), at("only/h1")).unwrap();
    fs::rename(at("d"), at("only/d")).unwrap();
    let shown = show(&mounted);
    let names: Vec<_> = shown.keys().map(|path| path.to_str().unwrap()).collect();
    assert_eq!(names, ["h2", "only", "only/d", "only/d/new", "only/h1", "s"]);
    mounted.unmount();
    let again = stage.mount("fuse");
    assert_eq!(show(&again), shown);
    fs::create_dir_all(again.at.join("u")).unwrap();
    let (upper, work) = (stage.place.join("merged/u"), stage.place.join("merged/only"));
    let open = |path: &Path| overlay::open_directory(path).unwrap();
    let stack = overlay::Stack {
        lowers: vec![open(&stage.place.join("lower1"))],
        upper: Some(overlay::Upper { dir: open(&upper), work: open(&work) }),
    };
    let options = overlay::session::Options { threads: 1, directories: 16, features: overlay::Features::default() };
    let refused = overlay::session::mount(stack, options).unwrap_err().to_string();
    assert!(refused.contains("neither user attributes nor device nodes") && refused.contains("hint: "), "{refused}");
    again.unmount();
    below.unmount();
}
