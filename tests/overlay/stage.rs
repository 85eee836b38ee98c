//! A stack of layers on disk, mounted in a user namespace of its own, with a case run on it.
//!
//! `lower1` lies above `lower2`; what they hold is in `layers`.

use std::collections::BTreeMap;
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use coracle::host::role::{self, Role};
use coracle::overlay::start::{self, Job};
use coracle::overlay::{self, Features, Stack, Upper, kernel};
use coracle::sys::process::{Child, Spawn};
use rustix::mount::{MountPropagationFlags, MoveMountFlags, UnmountFlags, mount_change, move_mount, unmount};

use crate::harness::{Account, binary, has};

/// The stage of this process: `DRIVER DIRECTORY CASE`.
const STAGE: &str = "CORACLE_OVERLAY";

/// Runs a case on a driver, in namespaces and directories of its own.
pub fn run(driver: &str, case: &str) {
    if !has("subordinate ids", Account::current().subordinate != 0) {
        return;
    }
    let place = std::env::temp_dir().join(format!("overlay-{driver}-{case}-{}", std::process::id()));
    let in_namespace = |program: &Path| {
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--map-auto", "--mount"]).arg(program);
        command
    };
    let this = std::env::current_exe().unwrap();
    let mut command = in_namespace(&this);
    command.args(["--ignored", "--exact", "overlay::stage::inside", "--nocapture"]);
    let output = command.env(STAGE, format!("{driver} {} {case}", place.display())).output().unwrap();
    in_namespace(Path::new("rm")).arg("-rf").arg(&place).status().unwrap();
    let (said, failed) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("1 passed"), "{said}{failed}");
}

#[test]
#[ignore = "runs in the namespace that `run` makes"]
fn inside() {
    let Ok(stage) = std::env::var(STAGE) else { return };
    let mut words = stage.split(' ');
    let (driver, place, case) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
    mount_change("/", MountPropagationFlags::REC | MountPropagationFlags::PRIVATE).unwrap();
    let place = PathBuf::from(place);
    layers(&place);
    let shown = mounted(&place, driver, || {
        // Chosen by their names, as a container would reach them.
        std::env::set_current_dir(place.join("merged")).unwrap();
        super::case(case)();
        let shown = snapshot(Path::new("."));
        std::env::set_current_dir("/").unwrap();
        shown
    });
    // What the kernel's driver remembers of a volatile mount.
    let _ = fs::remove_dir_all(place.join("work/work"));
    let other = if driver == "fuse" { "kernel" } else { "fuse" };
    let again = mounted(&place, other, || snapshot(&place.join("merged")));
    assert_eq!(shown, again, "the other driver shows another tree");
}

fn layers(place: &Path) {
    for dir in ["lower1/d", "lower2/d/sub/deep", "lower2/only", "upper", "work", "merged"] {
        fs::create_dir_all(place.join(dir)).unwrap();
    }
    for (name, text) in [("lower2/f", "f"), ("lower2/d/a", "a below"), ("lower2/d/c", "c"), ("lower1/d/b", "b")] {
        fs::write(place.join(name), text).unwrap();
    }
    fs::write(place.join("lower1/d/a"), "a above").unwrap();
    fs::write(place.join("lower2/d/sub/deep/x"), "x").unwrap();
    fs::write(place.join("lower2/h1"), "linked").unwrap();
    fs::hard_link(place.join("lower2/h1"), place.join("lower2/h2")).unwrap();
    symlink("f", place.join("lower2/s")).unwrap();
    // Hidden by the layer above, in both forms.
    fs::write(place.join("lower2/gone"), "").unwrap();
    let none = rustix::fs::Mode::empty();
    rustix::fs::mknodat(rustix::fs::CWD, place.join("lower1/gone"), rustix::fs::FileType::CharacterDevice, none, 0)
        .unwrap();
}

fn mounted<T>(place: &Path, driver: &str, then: impl FnOnce() -> T) -> T {
    let open = |name: &str| overlay::open_directory(&*place.join(name)).unwrap();
    let upper = Upper { dir: open("upper"), work: open("work") };
    let stack = Stack { lowers: vec![open("lower1"), open("lower2")], upper: Some(upper) };
    let (mount, mounter) = match driver {
        "kernel" => (kernel::mount(&stack, true).unwrap(), None),
        _ => {
            let (mount, socket, child) = mounter(&stack);
            (mount, Some((socket, child)))
        }
    };
    drop(stack);
    let merged = place.join("merged");
    move_mount(&mount, "", rustix::fs::CWD, &merged, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH).unwrap();
    drop(mount);
    let result = then();
    unmount(&merged, UnmountFlags::empty()).unwrap();
    if let Some((socket, child)) = mounter {
        // Gone with the mount, by itself, though its socket is still open.
        assert!(child.wait().unwrap().success());
        drop(socket);
    }
    result
}

/// The real role, in the real binary.
fn mounter(stack: &Stack) -> (OwnedFd, OwnedFd, Child) {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
    let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
    let features = Features { volatile: true, ..Features::default() };
    let job = Job { version: 1, lowers: stack.lowers.len(), has_upper: true, features, threads: None };
    let job = role::pack(&job).unwrap();
    let null = fs::OpenOptions::new().read(true).write(true).open("/dev/null").unwrap();
    let upper = stack.upper.as_ref().unwrap();
    let error = std::io::stderr();
    let mut fds = vec![null.as_fd(), null.as_fd(), error.as_fd(), job.as_fd(), theirs.as_fd()];
    fds.extend([upper.dir.as_fd(), upper.work.as_fd()]);
    fds.extend(stack.lowers.iter().map(AsFd::as_fd));
    let program = std::ffi::CString::new(binary().into_os_string().into_encoded_bytes()).unwrap();
    let spawn = Spawn { program, args: role::arguments(Role::Mounter), env: role::environment(), fds };
    let child = spawn.start().unwrap();
    drop(theirs);
    (start::receive(ours.as_fd()).unwrap(), ours, child)
}

/// Everything that a tree shows, by path: mode, owners, links, times of files, content.
fn snapshot(top: &Path) -> BTreeMap<PathBuf, String> {
    let mut shown = BTreeMap::new();
    let mut pending = vec![top.to_owned()];
    while let Some(dir) = pending.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            let meta =
                fs::symlink_metadata(&path).unwrap_or_else(|error| panic!("listed: {}: {error}", path.display()));
            let mut line = format!("{:o} {}:{}", meta.mode(), meta.uid(), meta.gid());
            if meta.is_dir() {
                pending.push(path.clone());
            } else if meta.is_symlink() {
                line += &format!(" -> {}", fs::read_link(&path).unwrap().display());
            } else if meta.is_file() {
                line += &format!(" {}.{:09} {:?}", meta.mtime(), meta.mtime_nsec(), fs::read(&path).unwrap().len());
                line += &format!(
                    " {:x}",
                    fs::read(&path).unwrap().iter().fold(7u64, |sum, byte| sum * 31 % 0xffff_fffb + u64::from(*byte))
                );
            }
            shown.insert(path.strip_prefix(top).unwrap().to_owned(), line);
        }
    }
    shown
}
