//! Sockets on which a service manager listens (sd_listen_fds(3)).

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};

use super::image;
use crate::harness::{Case, Driver, LIMIT, Running, binary, wait_for};

/// Has systemd's part: a process that becomes the program, whose numbers from 3 on are the sockets.
fn activate(case: &Case, sockets: &[(&dyn AsRawFd, &str)], pid: &str, line: &str) -> Running {
    let moved = (3..).zip(sockets).map(|(number, (socket, _))| format!("{number}<&{}", socket.as_raw_fd()));
    let (moved, count) = (moved.collect::<Vec<_>>().join(" "), sockets.len());
    let names = sockets.iter().map(|(_, name)| *name).collect::<Vec<_>>().join(":");
    let script = format!(
        "exec {moved}; export LISTEN_FDS={count} LISTEN_PID={pid} LISTEN_FDNAMES={names}; exec {} {line}",
        binary().display()
    );
    case.command_of("bash".as_ref(), ["-c", &script]).start()
}

/// At a number that no other takes.
fn left_open(socket: impl Into<OwnedFd>) -> OwnedFd {
    let socket = fcntl_dupfd_cloexec(socket.into(), 100).unwrap();
    fcntl_setfd(&socket, FdFlags::empty()).unwrap();
    socket
}

fn listener() -> TcpListener {
    left_open(TcpListener::bind("127.0.0.1:0").unwrap()).into()
}

/// What the program in the container says of its socket, to who connects.
fn answer(listener: &TcpListener) -> String {
    let mut said = String::new();
    TcpStream::connect(listener.local_addr().unwrap()).unwrap().read_to_string(&mut said).unwrap();
    said
}

/// Also one without any network of its own; in the foreground, left alone, and started again.
fn a_container_has_the_sockets_of_its_service(case: &Case) {
    let (image, listener) = (case.pull(image()), listener());
    let running =
        activate(case, &[(&listener, "web")], "$$", &format!("run --rm --network=none {image} service accept"));
    assert_eq!(answer(&listener), "1 1 web");
    running.finish().succeeded();
    let line = format!("run -d --name=box --network=none {image} service accept");
    activate(case, &[(&listener, "web")], "$$", &line).finish().succeeded();
    assert_eq!(answer(&listener), "1 1 web");
    case.coracle(["wait", "box"]).succeeded().stdout("0\n");
    activate(case, &[(&listener, "web")], "$$", "start box").finish().succeeded();
    assert_eq!(answer(&listener), "1 1 web");
    case.coracle(["wait", "box"]).succeeded().stdout("0\n");
}

/// Those of another process are not, nor what is not there.
fn sockets_that_were_not_meant_stay_out(case: &Case) {
    let (image, listener) = (case.pull(image()), listener());
    let line = format!("run --rm --network=none {image} sh -c 'env | grep LISTEN; ls -1 /proc/self/fd'");
    activate(case, &[(&listener, "web")], "1", &line).finish().succeeded().stdout("0\n1\n2\n3\n");
    let script = format!("export LISTEN_FDS=900 LISTEN_PID=$$; exec {} run --rm {image} true", binary().display());
    let finished = case.command_of("bash".as_ref(), ["-c", &script]).finish().code(125);
    finished.error("is not available - LISTEN_FDS requires that file descriptors must be passed");
}

/// What a program in the container sends back that does so with all.
fn echoed(listener: &TcpListener) -> Option<String> {
    wait_for("an echo", LIMIT, || {
        let mut stream = TcpStream::connect(listener.local_addr().unwrap()).ok()?;
        stream.write_all(b"hello").ok()?;
        let mut said = [0; 5];
        stream.read_exact(&mut said).ok()?;
        Some(String::from_utf8(said.to_vec()).ok())
    })
}

/// A socket by its name leads to a port of the container, in each of its lives; its program is handed the others, in a row.
pub fn a_socket_becomes_a_published_port(case: &Case) {
    let (image, web, other) = (case.busybox(), listener(), listener());
    let both: [(&dyn AsRawFd, &str); 2] = [(&web, "web"), (&other, "other")];
    let serve = "sh -c 'env | grep LISTEN >/told; ls -1 /proc/self/fd >>/told; exec nc -ll -p 7000 -e cat'";
    let head = "run -d --stop-timeout=0 --restart=always --name=box -p fd:web:7000";
    activate(case, &both, "$$", &format!("{head} {image} {serve}")).finish().succeeded();
    assert_eq!(echoed(&web).as_deref(), Some("hello"));
    let told = case.coracle(["exec", "box", "sort", "/told"]).succeeded().stdout;
    assert_eq!(told, "0\n1\n2\n3\n4\nLISTEN_FDNAMES=other\nLISTEN_FDS=1\nLISTEN_PID=1\n");
    case.coracle(["port", "box"]).code(0).stdout("7000/tcp -> fd:web\n");
    case.coracle(["port", "box", "7000"]).code(0).stdout("fd:web\n");
    case.coracle(["ps", "--format", "{{.Ports}}"]).code(0).stdout("fd:web->7000/tcp\n");
    // A further life, of which its manager knows nothing.
    let again = || (case.inspect("box", "{{.RestartCount}} {{.State.Status}}") == "1 running").then_some(());
    let pid = case.inspect("box", "{{.State.Pid}}");
    case.command_of("kill".as_ref(), ["-9", &pid]).finish().succeeded();
    wait_for("another life", LIMIT, again);
    assert_eq!(echoed(&web).as_deref(), Some("hello"));
    // It can be started again by who passes one, alone.
    let refused = case.coracle(["restart", "box"]).code(125);
    refused.error("no socket `web` was passed to this command").says("hint: start it from a unit with a socket");
    assert_eq!(case.inspect("box", "{{.State.Status}}"), "running");
    case.coracle(["stop", "box"]).succeeded();
    case.coracle(["start", "box"]).code(125).error("no socket `web` was passed");
    activate(case, &[(&web, "web")], "$$", "start box").finish().succeeded();
    assert_eq!(echoed(&web).as_deref(), Some("hello"));
}

/// By its number, a container on a named network, too.
pub fn a_socket_leads_to_a_container_on_a_network(case: &Case) {
    let (image, web) = (case.busybox(), listener());
    case.coracle(["network", "create", "net"]).succeeded();
    let line = format!("run -d --stop-timeout=0 --network=net -p fd:3:7000 {image} nc -ll -p 7000 -e cat");
    activate(case, &[(&web, "web")], "$$", &line).finish().succeeded();
    assert_eq!(echoed(&web).as_deref(), Some("hello"));
}

fn what_is_no_such_socket_is_told(case: &Case) {
    let (image, web) = (case.busybox(), listener());
    let mine: OwnedFd = left_open(UdpSocket::bind("127.0.0.1:0").unwrap());
    let stream = left_open(TcpStream::connect(web.local_addr().unwrap()).unwrap());
    let null = left_open(std::fs::File::open("/dev/null").unwrap());
    let all: [(&dyn AsRawFd, &str); 4] = [(&web, "web"), (&mine, "udp"), (&stream, "stream"), (&null, "null")];
    let run = |flags: &str| activate(case, &all, "$$", &format!("run --rm {flags} {image} true")).finish();
    let refused = run("-p fd:nobody:80").code(125);
    refused
        .error("no socket `nobody` was passed")
        .says("hint: there are `web` (3), `udp` (4), `stream` (5), `null` (6)");
    run("-p fd:7:80").code(125).error("no socket `7` was passed");
    run("-p fd:udp:80").code(125).error("the socket `udp` that was passed is not one of streams");
    run("-p fd:stream:80").code(125).error("the socket `stream` that was passed is not listened on");
    run("-p fd:6:80").code(125).error("the socket `6` that was passed is no socket");
    run("-p fd:web").code(125).error("behind the socket stands the container's port").says("hint: `fd:SOCKET:PORT`");
    run("--network=pasta -p fd:web:80").code(125).error("`pasta` does not publish ports on sockets").says("hint: ");
    case.coracle(["ps", "-aq"]).code(0).stdout("");
}

on_both_drivers!(a_container_has_the_sockets_of_its_service, sockets_that_were_not_meant_stay_out);

#[test]
fn published() {
    a_socket_becomes_a_published_port(&Case::new(Driver::Auto));
}

#[test]
fn published_on_a_network() {
    a_socket_leads_to_a_container_on_a_network(&Case::new(Driver::Auto));
}

#[test]
fn refused() {
    what_is_no_such_socket_is_told(&Case::new(Driver::Auto));
}
