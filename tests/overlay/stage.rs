//! Stacks of layers on disk, mounted in a user namespace of their own, and a case run on them.
//!
//! A case is run by this test binary in the namespaces that unshare(1) and newuidmap make (the ignored test `inside`). Most
//! find a mounted stack as their current directory; the others ([`Case::Stage`]) mount what they like themselves.

use std::ffi::CString;
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use coracle::host::role::{self, Role};
use coracle::overlay::start::{self, Job};
use coracle::overlay::{self, Features, Stack, Upper, kernel};
use coracle::sys::process::{Child, Spawn};
use rustix::mount::{MountPropagationFlags, MoveMountFlags, UnmountFlags, mount_change, move_mount, unmount};

use super::snapshot::snapshot;
use crate::harness::{Account, binary, has, long_or};

/// The stage of this process: `DRIVER DIRECTORY CASE`. The driver `bare` is none.
const STAGE: &str = "CORACLE_OVERLAY";

/// What is run inside the namespaces.
pub enum Case {
    /// With the layers of [`Stage::fill`] mounted as the current directory; the other driver must show the same tree after it.
    Tree(fn()),
    /// With nothing mounted.
    Stage(fn(&Stage)),
}

/// Runs a case on a driver, in namespaces and directories of its own; what it wrote to its standard output.
pub fn run(driver: &str, case: &str) -> String {
    if !has("subordinate ids", Account::current().subordinate != 0) {
        return String::new();
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
    let command = command.env(STAGE, format!("{driver} {} {case}", place.display()));
    let output = ended(command, case);
    in_namespace(Path::new("rm")).arg("-rf").arg(&place).status().unwrap();
    let (said, failed) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("1 passed"), "{said}{failed}");
    said.into_owned()
}

/// Nothing that is done to a file system of ours lasts for ever; the long forms have all the time that they want.
fn ended(command: &mut Command, case: &str) -> Output {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let pid = rustix::process::Pid::from_child(&child);
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || tell.send(child.wait_with_output()));
    let limit = long_or(Duration::from_secs(30 * 3600), Duration::from_secs(20 * 60));
    told.recv_timeout(limit).map(Result::unwrap).unwrap_or_else(|_| {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        panic!("{case} hangs: it has not ended within {limit:?}")
    })
}

#[test]
#[ignore = "runs in the namespace that `run` makes"]
fn inside() {
    let Ok(stage) = std::env::var(STAGE) else { return };
    let mut words = stage.split(' ');
    let (driver, place, case) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
    mount_change("/", MountPropagationFlags::REC | MountPropagationFlags::PRIVATE).unwrap();
    let mut words = case.split(':');
    let case = super::case(words.next().unwrap());
    let stage = Stage::new(place.into(), driver, words);
    let case = match case {
        Case::Tree(case) => case,
        Case::Stage(case) => return case(&stage),
    };
    stage.fill();
    if driver == "bare" {
        stage.merge();
        std::env::set_current_dir(stage.place.join("merged")).unwrap();
        return case();
    }
    let mounted = stage.mount(driver);
    // Chosen by their names, as a container would reach them.
    std::env::set_current_dir(&mounted.at).unwrap();
    case();
    let shown = snapshot(Path::new("."));
    std::env::set_current_dir("/").unwrap();
    mounted.unmount();
    let other = stage.mount(if driver == "fuse" { "kernel" } else { "fuse" });
    assert_eq!(shown, snapshot(&other.at), "the other driver shows another tree");
    other.unmount();
}

/// The directories of one stack: `lower1` (the topmost) to `lowerN`, `upper`, `work`, and `merged` to mount it on.
#[derive(Clone)]
pub struct Stage {
    pub place: PathBuf,
    /// What the case is to be tried on.
    pub driver: String,
    pub lowers: Vec<String>,
    pub features: Features,
    /// What stood behind the case's name, separated by colons.
    pub words: Vec<String>,
}

impl Stage {
    fn new<'a>(place: PathBuf, driver: &str, words: impl Iterator<Item = &'a str>) -> Self {
        let lowers = vec!["lower1".to_owned(), "lower2".to_owned()];
        let features = Features { volatile: true, ..Features::default() };
        let words = words.map(str::to_owned).collect();
        let stage = Self { place, driver: driver.to_owned(), lowers, features, words };
        for dir in ["upper", "work", "merged"] {
            fs::create_dir_all(stage.place.join(dir)).unwrap();
        }
        stage
    }

    /// Two small layers with something of everything.
    pub fn fill(&self) {
        let place = &self.place;
        for dir in ["lower1/d", "lower2/d/sub/deep", "lower2/only"] {
            fs::create_dir_all(place.join(dir)).unwrap();
        }
        for (name, text) in [("lower2/f", "f"), ("lower2/d/a", "a below"), ("lower2/d/c", "c"), ("lower1/d/b", "b")] {
            fs::write(place.join(name), text).unwrap();
        }
        fs::write(place.join("lower1/d/a"), "a above").unwrap();
        fs::write(place.join("lower2/d/sub/deep/x"), "x").unwrap();
        fs::write(place.join("lower2/h1"), "linked").unwrap();
        fs::hard_link(place.join("lower2/h1"), place.join("lower2/h2")).unwrap();
        fs::create_dir_all(place.join("lower2/links/sub")).unwrap();
        fs::write(place.join("lower2/links/one"), "far").unwrap();
        for other in ["sub/two", "three"] {
            fs::hard_link(place.join("lower2/links/one"), place.join("lower2/links").join(other)).unwrap();
        }
        symlink("f", place.join("lower2/s")).unwrap();
        fs::write(place.join("lower2/gone"), "").unwrap();
        whiteout(&place.join("lower1/gone"));
    }

    /// Makes a plain directory of what the layers of [`Stage::fill`] show.
    fn merge(&self) {
        let merged = self.place.join("merged");
        for layer in ["lower2", "lower1"] {
            let mut copy = Command::new("cp");
            let copied = copy.args(["-aT", "--remove-destination"]).arg(self.place.join(layer)).arg(&merged).status();
            assert!(copied.unwrap().success());
        }
        fs::remove_file(merged.join("gone")).unwrap();
    }

    /// Mounts the stack on `merged`.
    pub fn mount(&self, driver: &str) -> Mounted {
        self.mount_at(driver, &self.place.join("merged"))
    }

    fn stack(&self) -> Stack {
        let open = |name: &str| overlay::open_directory(&*self.place.join(name)).unwrap();
        let upper = Upper { dir: open("upper"), work: open("work") };
        Stack { lowers: self.lowers.iter().map(|name| open(name)).collect(), upper: Some(upper) }
    }

    /// What the server says that can't mount the stack.
    pub fn refusal(&self) -> String {
        let (mount, _socket, child) = mounter(&self.stack(), &self.features);
        let refusal = mount.unwrap_err().to_string();
        assert!(!child.wait().unwrap().success());
        refusal
    }

    pub fn mount_at(&self, driver: &str, at: &Path) -> Mounted {
        let stack = self.stack();
        let (mount, mounter) = match driver {
            "kernel" => (kernel::mount(&stack, true, None).unwrap(), None),
            _ => {
                let (mount, socket, child) = mounter(&stack, &self.features);
                (mount.unwrap(), Some((socket, child)))
            }
        };
        move_mount(&mount, "", rustix::fs::CWD, at, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH).unwrap();
        Mounted { at: at.to_owned(), mounter }
    }
}

/// A mounted stack, and the process that serves it.
pub struct Mounted {
    pub at: PathBuf,
    /// The socket that keeps it alive, and the mounter itself.
    pub mounter: Option<(OwnedFd, Child)>,
}

impl Mounted {
    pub fn unmount(self) {
        unmount(&self.at, UnmountFlags::empty()).unwrap();
        if let Some((socket, child)) = self.mounter {
            // Gone with the mount, by itself, though its socket is still open.
            let ended = child.wait().unwrap();
            let mut reason = [0; 4096];
            let read = if ended.success() { 0 } else { rustix::io::read(&socket, &mut reason).unwrap_or(0) };
            assert!(ended.success(), "{ended:?}: {}", String::from_utf8_lossy(&reason[..read]));
            drop(socket);
        }
    }
}

/// The real role, in the real binary.
fn mounter(stack: &Stack, features: &Features) -> (Result<OwnedFd, overlay::Error>, OwnedFd, Child) {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
    let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
    let features = features.clone();
    let job = Job { version: 1, lowers: stack.lowers.len(), has_upper: true, features, threads: None };
    let job = role::pack(&job).unwrap();
    let null = fs::OpenOptions::new().read(true).write(true).open("/dev/null").unwrap();
    let upper = stack.upper.as_ref().unwrap();
    let error = std::io::stderr();
    let mut fds = vec![null.as_fd(), null.as_fd(), error.as_fd(), job.as_fd(), theirs.as_fd()];
    fds.extend([upper.dir.as_fd(), upper.work.as_fd()]);
    fds.extend(stack.lowers.iter().map(AsFd::as_fd));
    let program = CString::new(binary().into_os_string().into_encoded_bytes()).unwrap();
    let spawn = Spawn { program, args: role::arguments(Role::Mounter), env: role::environment(), fds };
    let child = spawn.start().unwrap();
    drop(theirs);
    (start::receive(ours.as_fd()), ours, child)
}

/// Hides what lies under that name in the layers below.
pub fn whiteout(path: &Path) {
    let none = rustix::fs::Mode::empty();
    rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::CharacterDevice, none, 0).unwrap();
}
