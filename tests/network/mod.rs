//! Networks, on a stage of their own: a user namespace with a network namespace that plays the host.

mod flood;
mod pasta;
mod stack;
mod way;

use std::fs::File;
use std::io::Write;
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use coracle::host::role::{self, Role};
use coracle::network::pasta::{self as pasta_way, Pasta};
use coracle::network::ports::{self, Published};
use coracle::network::stack as stack_way;
use coracle::network::way::Maker;
use coracle::sys::process::{Child as Process, Spawn};
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, recv, socketpair};

use crate::harness::binary;

/// Runs the ignored test `name` of this binary as root of a new user namespace, in new network, mount and pid namespaces.
fn on_a_stage(name: &str) {
    let output = Command::new("unshare")
        .args(["-Urnm", "--pid", "--fork", "--mount-proc"])
        .arg(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", name, "--nocapture"])
        .output()
        .expect("`unshare` of the package util-linux");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}\n{errors}");
}

fn ip(arguments: &str) {
    let status = Command::new("ip").args(arguments.split(' ')).status().expect("`ip` of the package iproute2");
    assert!(status.success(), "ip {arguments}");
}

/// A process in a user and network namespace of its own, nested in ours; it ends with this value.
struct Contained(Child, PathBuf);

impl Contained {
    fn new() -> Self {
        let child = Command::new("unshare").args(["-Urn", "sleep", "600"]).stdin(Stdio::null()).spawn().unwrap();
        let ours = std::fs::read_link("/proc/self/ns/net").unwrap();
        let limit = Instant::now() + Duration::from_secs(60);
        let folder = std::env::temp_dir().join(format!("network-{}", child.id()));
        std::fs::create_dir_all(&folder).unwrap();
        let this = Self(child, folder);
        // The program is executed after both namespaces and the id map are there.
        while std::fs::read_link(this.proc("ns/net")).unwrap() == ours || this.name() != "sleep" {
            assert!(Instant::now() < limit);
            std::thread::sleep(Duration::from_millis(2));
        }
        this
    }

    fn proc(&self, file: &str) -> String {
        format!("/proc/{}/{file}", self.0.id())
    }

    fn name(&self) -> String {
        std::fs::read_to_string(self.proc("comm")).unwrap().trim().to_owned()
    }

    fn netns(&self) -> File {
        File::open(self.proc("ns/net")).unwrap()
    }

    /// What comes from a TCP connection made inside.
    fn fetch(&self, address: &str, port: u16) -> String {
        let script = format!("exec 3<>/dev/tcp/{address}/{port} && cat <&3");
        let output = Command::new("nsenter")
            .args(["-t", &self.0.id().to_string(), "-U", "-n", "--preserve-credentials", "timeout", "2", "bash", "-c"])
            .arg(script)
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Contained {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
        let _ = std::fs::remove_dir_all(&self.1);
    }
}

/// Runs `work` in the network namespace of the container, on a thread of its own.
fn inside<T: Send + 'static>(container: &Contained, work: impl FnOnce() -> T + Send + 'static) -> T {
    let netns = container.netns();
    let enter = move || {
        nix::sched::setns(netns, nix::sched::CloneFlags::CLONE_NEWNET).unwrap();
        work()
    };
    std::thread::spawn(enter).join().unwrap()
}

/// A way out that runs; it ends with this value.
enum Way {
    Pasta(Option<Pasta>),
    Stack(Option<OwnedFd>, Process),
}

impl Way {
    fn make(maker: Maker, container: &Contained, published: &[&str]) -> Self {
        let published: Vec<Published> = published.iter().flat_map(|text| ports::parse(text).unwrap()).collect();
        match maker {
            Maker::Pasta => {
                let wanted = pasta_way::Wanted { published, ..pasta_way::Wanted::default() };
                let program = pasta_way::find(&[]).unwrap();
                let starting = pasta_way::start(&program, container.netns().as_fd(), &wanted).unwrap();
                Self::Pasta(Some(starting.finish().unwrap()))
            }
            Maker::Stack => {
                let (socket, child) = stack(
                    container,
                    &stack_way::Wanted {
                        version: 1,
                        published,
                        directory: container.1.clone(),
                        ..stack_way::Wanted::default()
                    },
                );
                let mut word = [0; 4096];
                let (count, _) = recv(&socket, &mut word[..], RecvFlags::empty()).unwrap();
                assert_eq!(word[..count], [0], "{}", String::from_utf8_lossy(&word));
                Self::Stack(Some(socket), child)
            }
        }
    }

    fn pid(&self) -> i32 {
        match self {
            Self::Pasta(pasta) => pasta.as_ref().unwrap().child.pid.as_raw_nonzero().get(),
            Self::Stack(_, child) => child.pid.as_raw_nonzero().get(),
        }
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        match self {
            Self::Pasta(pasta) => pasta.take().unwrap().stop().unwrap(),
            Self::Stack(socket, child) => {
                drop(socket.take());
                assert!(child.wait().unwrap().success());
            }
        }
    }
}

/// The role as the monitor starts it: this binary can't play it.
fn stack(container: &Contained, wanted: &stack_way::Wanted) -> (OwnedFd, Process) {
    let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
    let (null, job, namespace) = (File::open("/dev/null").unwrap(), role::pack(wanted).unwrap(), container.netns());
    let null = null.as_fd();
    let spawn = Spawn {
        program: std::ffi::CString::new(binary().as_os_str().as_bytes()).unwrap(),
        args: role::arguments(Role::Stack),
        env: Vec::new(),
        fds: vec![null, null, null, job.as_fd(), namespace.as_fd(), theirs.as_fd()],
    };
    (ours, spawn.start().unwrap())
}

/// Switches the stage's interfaces on: `up0` leads to another machine, the namespace of `other`, and `lo` has an address that no
/// container has a copy of.
fn connect(other: &Contained) {
    let pid = other.0.id();
    for step in [
        "link set lo up",
        &format!("link add up0 type veth peer name far0 netns {pid}"),
        "addr add 10.9.9.1/24 dev up0",
        "addr add 2001:db8:9::1/64 dev up0 nodad",
        "link set up0 up",
        "route add default via 10.9.9.3",
        "-6 route add default via 2001:db8:9::3",
        "addr add 10.10.10.10/32 dev lo",
        "addr add 2001:db8:10::10/128 dev lo",
    ] {
        ip(step);
    }
    inside(other, || {
        for step in ["addr add 10.9.9.3/24 dev far0", "addr add 2001:db8:9::3/64 dev far0 nodad", "link set far0 up"] {
            ip(step);
        }
    });
}

/// Answers every connection with one word; returns the port.
fn serve(address: &str) -> u16 {
    let listener = TcpListener::bind((address, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = stream.unwrap().write_all(b"hello");
        }
    });
    port
}
