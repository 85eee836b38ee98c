//! The control socket: any number attached at once, keys that detach, and clients that behave badly.

use rustix::process::Signal;

use super::terminal::on_terminal;
use crate::harness::{Case, Driver, LIMIT, Running, wait_until};

/// A detached container `box` that keeps its input open.
fn start(case: &Case, flags: &[&str], script: &str) -> String {
    let image = case.busybox();
    let head = ["run", "-d", "-i", "--network=none", "--name", "box"].iter().chain(flags).copied();
    case.coracle(head.chain([image.as_str(), "sh", "-c", script])).succeeded();
    image
}

/// An `attach` to `box`, once it has heard that the program runs: it then holds its descriptor.
fn attach(case: &Case, flags: &[&str]) -> Running {
    let running = case.command(["attach", "box"].iter().chain(flags).copied()).open_stdin().start();
    let fds = format!("/proc/{}/fd", running.pid().as_raw_nonzero());
    wait_until("it knows the program", LIMIT, || {
        let mut targets =
            std::fs::read_dir(&fds).unwrap().flatten().filter_map(|fd| std::fs::read_link(fd.path()).ok());
        targets.any(|target| target.to_string_lossy().contains("pidfd"))
    });
    running
}

fn status(case: &Case) -> String {
    case.inspect("box", "{{.State.Status}}")
}

/// Whoever types, all read; one that leaves, or is killed, takes nobody along; the code reaches all.
fn several_at_once(case: &Case) {
    start(case, &[], "while read line; do echo got $line; echo err >&2; done; exit 7");
    let mut clients: Vec<Running> = (0..3).map(|_| attach(case, &[])).collect();
    clients[0].write(b"one\n");
    wait_until("the first line is answered", LIMIT, || case.coracle(["logs", "box"]).stdout.contains("one"));
    let dead = clients.pop().unwrap();
    dead.signal(Signal::KILL);
    dead.finish();
    clients[1].write(b"two\n");
    wait_until("the second line is answered", LIMIT, || case.coracle(["logs", "box"]).stdout.contains("two"));
    assert_eq!(status(case), "running");
    // As with Podman, the end of anybody's input is the end of the program's.
    clients[1].close_stdin();
    for client in clients {
        client.finish().code(7).stdout("got one\ngot two\n").stderr("err\nerr\n");
    }
    assert_eq!(status(case), "exited");
}

/// The keys leave, and the container lives on; what is typed later reaches it, whoever types.
fn keys_detach(case: &Case) {
    let image = case.busybox();
    let run = ["run", "-it", "--network=none", "--name", "box", &image, "sh"];
    let mut terminal = on_terminal(case, &run);
    terminal.expect("# ");
    terminal.write("a=kept\r");
    terminal.expect("# ");
    terminal.write("\x10\x11");
    terminal.expect("ended 0\r\n");
    assert_eq!(status(case), "running");
    let mut terminal = on_terminal(case, &["attach", "--detach-keys", "ctrl-x,x", "box"]);
    terminal.wait_until_raw();
    terminal.write("echo $a \x10\x11\x15stty size; echo $a\r");
    terminal.expect("24 80\r\n");
    terminal.expect("kept\r\n");
    terminal.write("\x18x");
    terminal.expect("ended 0\r\n");
    let mut terminal = on_terminal(case, &["start", "--attach", "--interactive", "box"]);
    terminal.wait_until_raw();
    terminal.write("exit 5\r");
    terminal.expect("ended 5\r\n");
    assert_eq!(case.inspect("box", "{{.State.ExitCode}}"), "5");
    case.coracle(["attach", "--detach-keys", "ctrl-ä", "box"]).code(125).error("ctrl-ä");
}

/// Without the terminal's keys: bytes are bytes.
fn keys_are_no_keys_in_a_pipe(case: &Case) {
    let image = case.busybox();
    let arguments = ["run", "-i", "--rm", "--network=none", &image, "sha256sum"];
    let finished = case.command(arguments).stdin("\x10\x11x").finish().succeeded();
    assert_eq!(format!("sha256:{}", &finished.stdout[..64]), crate::harness::image::digest(b"\x10\x11x"));
}

/// Clients that read nothing, one that talks nonsense: the program goes on, and who reads gets all of it.
fn bad_clients_hold_nobody_up(case: &Case) {
    start(case, &[], "read go; head -c 8000000 /dev/zero; echo done >&2; read end");
    let (rude, deaf) = (connect(case), connect(case));
    for packet in [b"zzz".as_slice(), b"w1", &[b'i'; 100], &[0; 60_000], b"a"] {
        rustix::net::send(&rude, packet, rustix::net::SendFlags::NOSIGNAL).unwrap();
    }
    rustix::net::send(&deaf, b"a", rustix::net::SendFlags::NOSIGNAL).unwrap();
    let asleep = attach(case, &["--no-stdin"]);
    asleep.signal(Signal::STOP);
    let mut good = attach(case, &[]);
    good.write(b"go\n");
    wait_until("the program is through", LIMIT, || case.coracle(["logs", "box"]).stderr == "done\n");
    good.write(b"end\n");
    let finished = good.finish().code(0);
    assert_eq!((finished.stdout.len(), finished.stderr.as_str()), (8_000_000, "done\n"));
    asleep.signal(Signal::CONT);
    asleep.finish().code(125).error("output came faster than it was read");
}

fn connect(case: &Case) -> std::os::fd::OwnedFd {
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketType};
    let folder = std::fs::read_dir(case.store().join("containers")).unwrap().flatten().next().unwrap().path();
    let socket = rustix::net::socket(AddressFamily::UNIX, SocketType::SEQPACKET, None).unwrap();
    let folder = std::fs::File::open(folder).unwrap();
    let path = format!("/proc/self/fd/{}/control", std::os::fd::AsRawFd::as_raw_fd(&folder));
    rustix::net::connect(&socket, &SocketAddrUnix::new(path).unwrap()).unwrap();
    socket
}

/// A program whose reader was killed in the middle of its output ends with it.
fn a_launcher_that_dies_in_mid_sentence(case: &Case) {
    let image = case.busybox();
    let program = crate::harness::binary();
    let line = format!("exec {} run --name box --network=none {image} sh -c 'trap \"\" PIPE; yes'", program.display());
    let running = case.command_of("sh".as_ref(), ["-c", &line]).start();
    wait_until("it writes", LIMIT, || case.coracle(["logs", "box"]).stdout.len() > 100_000);
    running.signal(Signal::KILL);
    running.finish();
    wait_until("the container has ended", LIMIT, || status(case) == "exited");
}

fn signals_are_passed_on(case: &Case) {
    start(case, &[], "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done");
    wait_until("it is ready", LIMIT, || case.coracle(["logs", "box"]).stdout == "ready\n");
    let alone = attach(case, &["--sig-proxy=false", "--no-stdin"]);
    alone.signal(Signal::TERM);
    alone.finish().code(143);
    assert_eq!(status(case), "running");
    let passing = attach(case, &[]);
    passing.signal(Signal::TERM);
    passing.finish().code(9);
}

/// Without the control socket a container can still be stopped; with a path longer than a socket's address it can be attached to.
fn the_socket_itself(case: &Case) {
    let mut far = Case::new(case.driver);
    far.data = far.home.join("d".repeat(100)).join("e".repeat(100));
    start(&far, &["--rm"], "read line; exit 6");
    far.command(["attach", "box"]).stdin("x\n").finish().code(6);
    start(case, &[], "trap 'exit 4' TERM; echo ready; while :; do sleep 0.05; done");
    wait_until("it is ready", LIMIT, || case.coracle(["logs", "box"]).stdout == "ready\n");
    let folder = std::fs::read_dir(case.store().join("containers")).unwrap().flatten().next().unwrap().path();
    std::fs::remove_file(folder.join("control")).unwrap();
    case.coracle(["attach", "box"]).code(125).stdout("").error("control socket");
    case.coracle(["stop", "box"]).code(0);
    assert_eq!(case.inspect("box", "{{.State.ExitCode}}"), "4");
    case.coracle(["attach", "box"]).code(125).error("you can only attach to running containers");
}

on_both_drivers!(
    several_at_once,
    keys_detach,
    keys_are_no_keys_in_a_pipe,
    bad_clients_hold_nobody_up,
    a_launcher_that_dies_in_mid_sentence,
    signals_are_passed_on,
    the_socket_itself,
);

#[test]
fn nobody_to_attach_to() {
    let case = Case::new(Driver::Auto);
    case.coracle(["attach", "absent"]).code(125).error("absent");
    case.coracle(["attach", "--latest"]).code(125).error("no such container");
    let image = case.busybox();
    case.coracle(["create", "--network=none", "--name", "box", &image, "true"]).succeeded();
    case.coracle(["attach", "-l"]).code(125).error("you can only attach to running containers");
}
