//! A case: an account's own home, data, configuration and temporary folder, in which the program runs.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Command, Finished, Image, has};

/// Which overlay driver the program is told to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Driver {
    Kernel,
    Fuse,
    /// The program decides.
    Auto,
}

impl Driver {
    pub fn name(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Fuse => "fuse",
            Self::Auto => "auto",
        }
    }
}

/// The account that runs the tests.
pub struct Account {
    pub name: String,
    /// The first of its subordinate ids, 0 where it has none.
    pub subordinate: u32,
}

impl Account {
    pub fn current() -> Self {
        let uid = rustix::process::getuid().as_raw();
        let name = nix::unistd::User::from_uid(nix::unistd::Uid::from_raw(uid)).unwrap().unwrap().name;
        let table = std::fs::read_to_string("/etc/subuid").unwrap_or_default();
        let line = table.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| fields[0] == name);
        Self { name, subordinate: line.map_or(0, |fields| fields[1].parse().unwrap()) }
    }
}

/// One user's world. Dropped: the containers of its own store are ended and its folders removed.
pub struct Case {
    pub driver: Driver,
    /// `$HOME`, with everything else below it.
    pub home: PathBuf,
    /// `$XDG_DATA_HOME`: the case's own, or one that several cases share to pull a large image once.
    pub data: PathBuf,
    /// `$XDG_RUNTIME_DIR`: set with the FUSE driver alone, so that every behaviour is tested with it and without.
    pub runtime: Option<PathBuf>,
}

impl Case {
    /// Runs one test in a fresh case.
    pub fn with(driver: Driver, test: fn(&Self)) {
        if driver == Driver::Fuse && !has("/dev/fuse", usable("/dev/fuse")) {
            return;
        }
        test(&Self::new(driver));
    }

    pub fn new(driver: Driver) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let home = std::env::temp_dir().join(format!("case-{}-{number}", std::process::id()));
        let runtime = (driver == Driver::Fuse).then(|| home.join("run"));
        for folder in [&home, &home.join("tmp")].into_iter().chain(&runtime) {
            std::fs::create_dir(folder).unwrap();
            set_mode(folder, 0o700);
        }
        Self { driver, data: home.join("data"), runtime, home }
    }

    /// The same world with the store that all such cases share: for images too large to be pulled for each test.
    pub fn sharing_store(&self) -> Self {
        let mut case = Self::new(self.driver);
        case.data = std::env::temp_dir().join(format!("shared-{}", std::process::id()));
        case
    }

    /// A world with its store on a disk that `tests/setup/disks` made; none where this machine can't have it.
    pub fn on_disk(driver: Driver, disk: &str) -> Option<Self> {
        let disks = std::env::var_os("CORACLE_DISKS").map(PathBuf::from).unwrap_or_default();
        let store = disks.join(disk).join("store");
        if !has(&format!("a disk of the kind {disk}"), store.is_dir()) {
            return None;
        }
        let mut case = Self::new(driver);
        case.data = store.join(case.home.file_name()?);
        Some(case)
    }

    /// A command of the program, in this world.
    pub fn command<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        self.command_of(&binary(), arguments)
    }

    /// As [`Case::command`], of another copy of the program.
    pub fn command_of<'a>(&self, program: &Path, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(program);
        for argument in arguments {
            command = command.arg(argument);
        }
        command = command
            .env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
            .env("HOME", &self.home)
            .env("TMPDIR", self.home.join("tmp"))
            .env("LANG", "C.UTF-8")
            .env("XDG_DATA_HOME", &self.data)
            // Not what this machine says.
            .env("CONTAINERS_CONF", "/dev/null")
            .directory(&self.home);
        if let Some(runtime) = &self.runtime {
            command = command.env("XDG_RUNTIME_DIR", runtime);
        }
        match self.driver {
            Driver::Auto => command,
            driver => command.env("CORACLE_STORAGE_DRIVER", driver.name()),
        }
    }

    /// Runs a command of the program to its end.
    #[track_caller]
    pub fn coracle<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Finished {
        self.command(arguments).finish()
    }

    /// `run --rm --network=none IMAGE sh -c SCRIPT`, to its end.
    #[track_caller]
    pub fn sh(&self, image: &str, script: &str) -> Finished {
        self.coracle(["run", "--rm", "--network=none", image, "sh", "-c", script])
    }

    /// The small image (busybox), pulled into this case's store: its name.
    pub fn busybox(&self) -> String {
        static PUSHED: OnceLock<String> = OnceLock::new();
        let name = PUSHED.get_or_init(|| Image::busybox().push("busybox:latest"));
        self.pull(name)
    }

    /// An image that `tests/run` made (`debian`, `debian-dev`, `debian-services`, `debian-box`, `debian-toolbox`, `debian-languages`), pulled into this case's store: its name.
    pub fn made(&self, name: &str) -> String {
        self.pull(&format!("{}/{name}:12", super::image::registry()))
    }

    /// Pulls the image and gives its name back.
    #[track_caller]
    pub fn pull(&self, name: &str) -> String {
        self.coracle(["pull", name]).succeeded();
        name.to_owned()
    }

    /// The store: what `--root` names.
    pub fn store(&self) -> PathBuf {
        self.data.join("coracle")
    }

    /// One field of one container, by a template of `inspect`.
    #[track_caller]
    pub fn inspect(&self, container: &str, template: &str) -> String {
        self.coracle(["inspect", "--format", template, container]).succeeded().stdout.trim_end().to_owned()
    }
}

impl Drop for Case {
    fn drop(&mut self) {
        let own =
            self.home.file_name().is_some_and(|name| self.data.ends_with(name)) || self.data.starts_with(&self.home);
        if own && self.data.exists() {
            let _ = self.command(["rm", "--all", "--force", "--time", "0"]).try_finish();
        }
        // Files of subordinate ids stay; tests/run removes them with its stage.
        let _ = std::fs::remove_dir_all(&self.home);
    }
}

/// The program under test.
pub fn binary() -> PathBuf {
    std::env::var_os("CORACLE_BIN").map_or_else(|| env!("CARGO_BIN_EXE_coracle").into(), PathBuf::from)
}

pub fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn usable(path: &str) -> bool {
    std::fs::File::options().read(true).write(true).open(path).is_ok()
}
