//! A server that may open few files at a time, one that knows many files, and mounts that follow each other at once.

use std::fs;
use std::io::{Read, Write};
use std::process::{Command, Stdio};

use coracle::sys::process::Child;
use rustix::mount::{MountFlags, UnmountFlags, mount_bind, mount_remount, unmount};
use rustix::process::{Resource, Rlimit, setrlimit};

use super::stage::{self, Mounted, Stage};
use crate::harness::{LIMIT, long_or, wait_until};

/// Walks it all; then has many files open at once, changes each, and reads it again, some of them removed meanwhile.
const MANY_FILES: &str = r"
import os, sys
os.chdir(sys.stdin.readline().strip())
found = sum(1 for _ in os.walk('.'))
assert found == 20101, found
files = [os.open(f'{at // 200}/{at % 200}/f', os.O_RDWR) for at in range(0, 20000, 40)]
for at, file in enumerate(files):
    os.pwrite(file, b'%d' % at, 0)
    os.fsync(file)
for at in range(0, 2000, 40):
    os.unlink(f'{at // 200}/{at % 200}/f')
for at in range(0, 20000, 70):
    os.rename(f'{at // 200}/{at % 200}', f'{at // 200}/moved{at}')
for at, file in enumerate(files):
    assert os.pread(file, 10, 0) == b'%d' % at
";

/// `few_descriptors:LIMIT:GREATEST:LAYERS`: how many the server may have open, and how far it may raise that itself.
pub fn few_descriptors(stage: &Stage) {
    let mut stage = stage.clone();
    let numbers: Vec<u64> = stage.words.iter().map(|word| word.parse().unwrap()).collect();
    let [limit, greatest, layers] = numbers[..] else { panic!("{:?}", stage.words) };
    stage.lowers = (1..=layers).map(|layer| format!("lower{layer}")).collect();
    for layer in &stage.lowers {
        fs::create_dir_all(stage.place.join(layer).join("0/0")).unwrap();
    }
    for at in 0..20_000 {
        let dir = stage.place.join(format!("lower1/{}/{}", at / 200, at % 200));
        fs::create_dir_all(&dir).unwrap();
        if at % 40 == 0 {
            fs::write(dir.join("f"), "").unwrap();
        }
    }
    // The program keeps the limits that it is started with, the server gets the new one.
    let mut python = Command::new("/usr/bin/python3");
    let mut program = python.args(["-c", MANY_FILES]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    setrlimit(Resource::Nofile, Rlimit { current: Some(limit), maximum: Some(greatest) }).unwrap();
    let mounted = stage.mount("fuse");
    writeln!(program.stdin.take().unwrap(), "{}", mounted.at.display()).unwrap();
    let mut said = String::new();
    program.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(program.wait().unwrap().success(), "{said}");
    mounted.unmount();
}

/// Where the account may not open the device, the server says who can help, and how.
pub fn a_closed_device(stage: &Stage) {
    for dir in ["lower1", "lower2"] {
        fs::create_dir(stage.place.join(dir)).unwrap();
    }
    mount_bind("/dev/fuse", "/dev/fuse").unwrap();
    mount_remount("/dev/fuse", MountFlags::BIND | MountFlags::NODEV, c"").unwrap();
    let refusal = stage.refusal();
    assert!(refusal.contains("open(/dev/fuse): Permission denied"), "{refusal}");
    assert!(refusal.ends_with("\nhint: as administrator: `modprobe fuse && chmod 666 /dev/fuse`"), "{refusal}");
}

/// The server gives back what was removed, whichever of its threads had to do with it, though nothing else is asked of it.
pub fn removed_files(stage: &Stage) {
    for dir in ["lower1", "lower2"] {
        fs::create_dir(stage.place.join(dir)).unwrap();
    }
    let mounted = stage.mount("fuse");
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let place = mounted.at.join(thread.to_string());
            scope.spawn(move || {
                fs::create_dir(&place).unwrap();
                for at in 0..100 {
                    fs::write(place.join(at.to_string()), "x").unwrap();
                }
                fs::remove_dir_all(place).unwrap();
            });
        }
    });
    let server = mounted.mounter.as_ref().unwrap().1.pid;
    let removed = || {
        let open = fs::read_dir(format!("/proc/{server}/fd")).unwrap();
        let paths = open.filter_map(|entry| fs::read_link(entry.unwrap().path()).ok());
        paths.filter(|path| path.as_os_str().as_encoded_bytes().ends_with(b" (deleted)")).count()
    };
    wait_until("the server closes what was removed", LIMIT, || removed() == 0);
    // Many at once, of which one message tells.
    let names: Vec<_> = (0..100).map(|at| mounted.at.join(at.to_string())).collect();
    let open: Vec<_> = names.iter().map(|name| fs::File::create(name).unwrap()).collect();
    names.iter().for_each(|name| fs::remove_file(name).unwrap());
    assert_eq!(removed(), 100);
    let signal = |signal| rustix::process::kill_process(server, signal).unwrap();
    signal(rustix::process::Signal::STOP);
    drop(open);
    signal(rustix::process::Signal::CONT);
    wait_until("the server closes what many removed", LIMIT, || removed() == 0);
    mounted.unmount();
}

/// A mount with directories named by their numbers, so many and one to begin with, each of which has files of these names.
fn with_files(stage: &Stage, directories: usize, names: impl Iterator<Item = String> + Clone) -> Mounted {
    for layer in ["lower1", "lower2"] {
        fs::create_dir(stage.place.join(layer)).unwrap();
    }
    for at in 0..=directories {
        let dir = stage.place.join(format!("upper/{at}"));
        fs::create_dir(&dir).unwrap();
        names.clone().for_each(|name| fs::write(dir.join(name), "").unwrap());
    }
    stage.mount("fuse")
}

/// What a server knows of files goes when they go: its memory is not what it was when most were known.
pub fn memory(stage: &Stage) {
    const DIRECTORIES: usize = 20;
    let files = 0..long_or(5_000, 2_500);
    let mounted = with_files(stage, DIRECTORIES, files.clone().map(|file| file.to_string()));
    let used = || memory_of(&mounted.mounter.as_ref().unwrap().1);
    // By name, and in a list.
    let look_at = |at: usize| {
        let dir = mounted.at.join(at.to_string());
        for file in files.clone() {
            fs::metadata(dir.join(file.to_string())).unwrap();
        }
        assert_eq!(fs::read_dir(dir).unwrap().count(), files.len());
    };
    let remove = |at: usize| fs::remove_dir_all(mounted.at.join(at.to_string())).unwrap();
    // After the first, its threads have all that they need for themselves.
    look_at(0);
    remove(0);
    let before = used();
    (1..=DIRECTORIES).for_each(look_at);
    let known = used() - before;
    (1..=DIRECTORIES).for_each(remove);
    wait_until("the server has forgotten most of it", LIMIT, || used() < before + known / 2);
    mounted.unmount();
}

/// What a file costs the server that is looked at, and no more.
pub fn memory_of_each(stage: &Stage) {
    const DIRECTORIES: usize = 100;
    let files = 0..long_or(10_000, 1_000);
    let name = |file: usize| format!("a-file-{file}");
    let mounted = with_files(stage, DIRECTORIES, files.clone().map(name));
    let used = || memory_of(&mounted.mounter.as_ref().unwrap().1);
    let dir = |at: usize| mounted.at.join(at.to_string());
    let look_at = |at: usize| files.clone().for_each(|file| _ = fs::metadata(dir(at).join(name(file))).unwrap());
    // After this, its threads have all that they need for themselves.
    std::thread::scope(|scope| (0..8).for_each(|_| _ = scope.spawn(|| look_at(0))));
    fs::remove_dir_all(dir(0)).unwrap();
    let before = used();
    (1..=DIRECTORIES).for_each(look_at);
    let (count, known) = ((DIRECTORIES * files.len()) as u64, used() - before);
    // With what the threads of the server take meanwhile.
    assert!(known < count * 200, "{} bytes each", known / count);
    println!("{} bytes each", known / count);
    mounted.unmount();
}

/// What a process has for itself, in bytes.
pub fn memory_of(child: &Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.pid.as_raw_nonzero())).unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

/// What one mount left, the next one has, though the server before it may still be ending: nobody ends another's mount.
pub fn mounts_in_a_row(stage: &Stage) {
    for dir in ["lower1", "lower2"] {
        fs::create_dir(stage.place.join(dir)).unwrap();
    }
    let mut before = Vec::new();
    for at in 0..long_or(10_000, 150) {
        let mounted = stage.mount("fuse");
        let file = mounted.at.join("count");
        if at > 0 {
            assert_eq!(fs::read_to_string(&file).unwrap(), (at - 1).to_string());
        }
        fs::write(&file, at.to_string()).unwrap();
        unmount(&mounted.at, UnmountFlags::DETACH).unwrap();
        before.push(mounted.mounter);
        if before.len() == 10 {
            for (socket, child) in before.drain(..).flatten() {
                assert!(child.wait().unwrap().success(), "mount {at}");
                drop(socket);
            }
        }
    }
}

#[test]
fn removed_files_are_closed() {
    stage::run("fuse", "removed_files");
}

#[test]
fn a_device_that_may_not_be_opened() {
    stage::run("fuse", "a_closed_device");
}

#[test]
fn a_thousand_descriptors() {
    stage::run("fuse", "few_descriptors:1024:1024:2");
}

#[test]
fn few_hundred_descriptors() {
    stage::run("fuse", "few_descriptors:256:256:2");
}

#[test]
fn two_hundred_layers_with_a_thousand_descriptors() {
    stage::run("fuse", "few_descriptors:1024:20000:200");
}

#[test]
fn memory_follows_the_files_in_use() {
    stage::run("fuse", "memory");
}

#[test]
fn a_file_that_was_looked_at_takes_little() {
    stage::run("fuse", "memory_of_each");
}

#[test]
fn one_mount_after_another() {
    stage::run("fuse", "mounts_in_a_row");
}
