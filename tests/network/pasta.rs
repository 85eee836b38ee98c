//! pasta as the monitor starts it: from root of a user namespace, for a network namespace that a nested one owns.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use coracle::network::pasta::{self, Error, Wanted};
use coracle::network::ports;
use coracle::sys;
use rustix::event::{PollFd, PollFlags, Timespec};

const LIMIT: Timespec = Timespec { tv_sec: 5, tv_nsec: 0 };

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

#[test]
fn a_container_reaches_the_world_and_not_the_hosts_loopback() {
    on_a_stage("network::pasta::stage_way_out");
}

#[test]
fn without_a_network_the_error_says_so() {
    on_a_stage("network::pasta::stage_no_route");
}

#[test]
fn the_container_sees_who_asks_at_a_published_port() {
    on_a_stage("network::pasta::stage_published");
}

#[test]
fn loopback_is_switched_on() {
    on_a_stage("network::pasta::stage_loopback");
}

fn ip(arguments: &str) {
    let status = Command::new("ip").args(arguments.split(' ')).status().expect("`ip` of the package iproute2");
    assert!(status.success(), "ip {arguments}");
}

/// A process in a user and network namespace of its own, nested in ours; it ends with this value.
struct Contained(Child);

impl Contained {
    fn new() -> Self {
        let child = Command::new("unshare").args(["-Urn", "sleep", "60"]).stdin(Stdio::null()).spawn().unwrap();
        let ours = std::fs::read_link("/proc/self/ns/net").unwrap();
        let limit = Instant::now() + Duration::from_secs(5);
        let this = Self(child);
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
    }
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

#[test]
#[ignore = "needs a stage"]
fn stage_way_out() {
    for step in [
        "link set lo up",
        "link add up0 type veth peer name far0",
        "link set far0 up",
        "addr add 10.9.9.1/24 dev up0",
        "link set up0 up",
        "route add default via 10.9.9.2",
        // Where the container's own address can't be in the way.
        "addr add 10.10.10.10/32 dev lo",
    ] {
        ip(step);
    }
    let container = Contained::new();
    let program = pasta::find().unwrap();
    let starting = pasta::start(&program, container.netns().as_fd(), &Wanted::default()).unwrap();
    let mut ready = [PollFd::new(&starting, PollFlags::IN)];
    rustix::event::poll(&mut ready, None).unwrap();
    let pasta = starting.finish().unwrap();
    assert_eq!(container.fetch("10.10.10.10", serve("10.10.10.10")), "hello");
    let secret = serve("127.0.0.1");
    assert_eq!(container.fetch("10.9.9.2", secret), "", "the gateway must not lead to the host's loopback");
    assert_eq!(container.fetch("127.0.0.1", secret), "", "the container's loopback is its own");
    let pid = pasta.child.pid.as_raw_nonzero();
    pasta.stop().unwrap();
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
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

#[test]
#[ignore = "needs a stage"]
fn stage_published() {
    let other = Contained::new();
    let pid = other.0.id();
    ip("link set lo up");
    ip(&format!("link add up0 type veth peer name far0 netns {pid}"));
    ip("addr add 10.9.9.1/24 dev up0");
    ip("link set up0 up");
    ip("route add default via 10.9.9.2");
    inside(&other, || ["addr add 10.9.9.3/24 dev far0", "link set far0 up"].map(ip));
    let container = Contained::new();
    let published: Vec<_> = ["8080:80", "8081-8082:90-91", "10.9.9.1:5300:53/udp"]
        .iter()
        .flat_map(|text| ports::parse(text).unwrap())
        .collect();
    let program = pasta::find().unwrap();
    let wanted = Wanted { published: published.clone(), ..Wanted::default() };
    let starting = pasta::start(&program, container.netns().as_fd(), &wanted).unwrap();
    let pasta = starting.finish().unwrap();
    let (tcp, udp) = inside(&container, || {
        let tcp = [80, 91].map(|port| TcpListener::bind(("0.0.0.0", port)).unwrap());
        (tcp, UdpSocket::bind("0.0.0.0:53").unwrap())
    });
    for (listener, port) in tcp.iter().zip([8080, 8082]) {
        let mut asking = inside(&other, move || TcpStream::connect(("10.9.9.1", port)).unwrap());
        // The version of 2023 takes a connection through once the one who asks has said something.
        asking.write_all(b"x").unwrap();
        rustix::event::poll(&mut [PollFd::new(listener, PollFlags::IN)], Some(&LIMIT)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let (mut stream, peer) = listener.accept().unwrap();
        assert_eq!(peer.ip(), asking.local_addr().unwrap().ip());
        stream.write_all(b"y").unwrap();
        asking.read_exact(&mut [0]).unwrap();
    }
    let asking = inside(&other, || UdpSocket::bind("10.9.9.3:0").unwrap());
    for socket in [&asking, &udp] {
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    }
    asking.send_to(b"x", "10.9.9.1:5300").unwrap();
    let (_, peer) = udp.recv_from(&mut [0; 8]).unwrap();
    assert_eq!(peer.ip(), asking.local_addr().unwrap().ip());
    udp.send_to(b"y", peer).unwrap();
    asking.recv_from(&mut [0; 8]).unwrap();
    // What pasta has, nobody else can; once it has ended, anybody.
    assert!(matches!(ports::check(&published), Err(ports::Error::Taken { port: 8080, .. })));
    pasta.stop().unwrap();
    ports::check(&published).unwrap();
}

#[test]
#[ignore = "needs a stage"]
fn stage_no_route() {
    let container = Contained::new();
    let starting = pasta::start(&pasta::find().unwrap(), container.netns().as_fd(), &Wanted::default()).unwrap();
    let error = starting.finish().unwrap_err();
    assert!(matches!(error, Error::NoRoute(_)), "{error}");
    assert!(error.hint().unwrap().contains("--network=none"));
}

#[test]
#[ignore = "needs a stage"]
fn stage_loopback() {
    // The namespace of this thread alone.
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).unwrap();
    assert!(TcpListener::bind("127.0.0.1:0").and_then(|listener| TcpStream::connect(listener.local_addr()?)).is_err());
    sys::interface::bring_up_loopback().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    listener.accept().unwrap().0.write_all(b"x").unwrap();
    let mut byte = [0; 1];
    client.read_exact(&mut byte).unwrap();
}
