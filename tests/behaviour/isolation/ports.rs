//! Published ports: they lead inside, are told of, and are free again when the container has ended.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicU16, Ordering};

use rustix::process::{Pid, Signal, kill_process};

use crate::harness::{Case, Driver, Finished, LIMIT, has, wait_for, wait_until};

/// `cat` for whoever comes.
const ECHO: [&str; 6] = ["nc", "-ll", "-p", "7000", "-e", "cat"];

/// Who comes by a socket that others listen on may be first, and waits for the program.
fn a_program_may_listen_late(case: &Case) {
    let file = case.home.join("late.sock");
    let publish = format!("unix:{}:7000", file.display());
    let image = case.busybox();
    let script = "until test -e /go; do sleep 0.1; done; exec nc -ll -p 7000 -e cat";
    let line = ["run", "-d", "--stop-timeout=0", "--name=box", "-p", &publish, &image, "sh", "-c", script];
    case.coracle(line).succeeded();
    let mut stream = UnixStream::connect(&file).unwrap();
    stream.write_all(b"hello").unwrap();
    stream.set_read_timeout(Some(std::time::Duration::from_millis(500))).unwrap();
    let waits = stream.read(&mut [0; 5]).unwrap_err().kind();
    assert_eq!(waits, std::io::ErrorKind::WouldBlock);
    case.coracle(["exec", "box", "touch", "/go"]).succeeded();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"hello");
}

/// Whoever makes the way in.
const NETWORKS: [&str; 2] = ["--network=pasta", "--network=stack"];

fn serve(case: &Case, flags: &[&str]) -> Finished {
    let image = case.busybox();
    let head = ["run", "-d", "--stop-timeout=0", "--name", "box"].into_iter();
    case.coracle(head.chain(flags.iter().copied()).chain([&*image]).chain(ECHO))
}

/// Where the port is published, as `port` says.
fn place(case: &Case, port: &str) -> String {
    case.coracle(["port", "box", port]).succeeded().stdout.trim_end().to_owned()
}

/// Once the program inside listens.
fn echoed(place: &str) -> String {
    wait_for("an answer", LIMIT, || {
        let mut stream = TcpStream::connect(place).ok()?;
        stream.write_all(b"hello").ok()?;
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).ok()?;
        Some(String::from_utf8_lossy(&answer).into_owned())
    })
}

fn echoed_by(file: &Path) -> String {
    wait_for("an answer", LIMIT, || {
        let mut stream = UnixStream::connect(file).ok()?;
        stream.write_all(b"hello").ok()?;
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).ok()?;
        Some(String::from_utf8_lossy(&answer).into_owned())
    })
}

pub fn they_lead_inside(case: &Case) {
    for network in NETWORKS {
        lead_inside(case, network);
        case.coracle(["rm", "-f", "-t", "0", "box"]).succeeded();
    }
}

fn lead_inside(case: &Case, network: &str) {
    serve(case, &[network, "-p", "127.0.0.1::7000"]).succeeded();
    let place = place(case, "7000");
    assert_eq!(echoed(&place), "hello");
    let port = place.strip_prefix("127.0.0.1:").unwrap();
    case.coracle(["port", "box"]).code(0).stdout(&format!("7000/tcp -> {place}\n"));
    case.coracle(["port", "box", "7000/udp"]).code(125).error("failed to find published port \"7000/udp\"");
    let id = case.inspect("box", "{{.Id}}");
    case.coracle(["port", "-a"]).code(0).stdout(&format!("{}\t7000/tcp -> {place}\n", &id[..12]));
    case.coracle(["ps", "--format", "{{.Ports}}"]).code(0).stdout(&format!("{place}->7000/tcp\n"));
    let json = case.coracle(["ps", "--format", "json"]).succeeded().stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let expected =
        format!(r#"[{{"container_port":7000,"host_ip":"127.0.0.1","host_port":{port},"protocol":"tcp","range":1}}]"#);
    assert_eq!(json[0]["Ports"].to_string(), expected);
    let bindings = format!(r#"{{"7000/tcp":[{{"HostIp":"127.0.0.1","HostPort":"{port}"}}]}}"#);
    for key in ["HostConfig.PortBindings", "NetworkSettings.Ports"] {
        assert_eq!(case.inspect("box", &format!("{{{{json .{key}}}}}")), bindings, "{key}");
    }
    let first = "{{(index (index .NetworkSettings.Ports \"7000/tcp\") 0).HostPort}}";
    assert_eq!(case.inspect("box", first), port);
    // Whoever hears of the end can have the port at once, and the next life has it again.
    case.coracle(["stop", "box"]).code(0);
    drop(TcpListener::bind(&place).unwrap());
    case.coracle(["port", "box"]).code(0).stdout("");
    case.coracle(["port", "box", "7000"]).code(0).stdout("");
    case.coracle(["start", "box"]).code(0);
    assert_eq!(echoed(&place), "hello");
    case.coracle(["restart", "box"]).code(0);
    assert_eq!(echoed(&place), "hello");
    // So does the one that takes its place.
    serve(case, &[network, "--replace", "--publish", &format!("{place}:7000")]).succeeded();
    assert_eq!(echoed(&place), "hello");
}

/// Listens on a port that the kernel gives to nobody who asks for any: when it is free again, it stays so.
fn listener() -> TcpListener {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 16_000 + (std::process::id() % 1000) as u16 * 16;
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap();
    let given: Vec<u16> = range.split_whitespace().map(|port| port.parse().unwrap()).collect();
    wait_for("a port is free", LIMIT, || {
        let port = first + NEXT.fetch_add(1, Ordering::Relaxed);
        assert!(!(given[0]..=given[1]).contains(&port), "{port} may be anybody's: {range}");
        TcpListener::bind(("127.0.0.1", port)).ok()
    })
}

fn one_that_is_taken_is_told(case: &Case) {
    let taken = listener();
    let place = taken.local_addr().unwrap();
    let publish = format!("--publish={place}:7000");
    let by_us = format!("(pid {})", std::process::id());
    serve(case, &["--rm", &publish])
        .code(126)
        .stdout("")
        .error(&format!("port {}/tcp of this machine is in use by `", place.port()))
        .error(&by_us)
        .says("hint: ");
    case.coracle(["ps", "-aq"]).code(0).stdout("");
    serve(case, &[&publish]).code(126);
    case.coracle(["start", "box"]).code(126).error(&by_us);
    drop(taken);
    case.coracle(["start", "box"]).code(0);
    let image = case.busybox();
    case.coracle(["run", "--rm", &publish, &image, "true"]).code(126).error("in use by the container `box`");
    let limit = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start").unwrap();
    if has("ports that are privileged", limit.trim() == "1024") {
        case.coracle(["run", "--rm", "-p", "1023:80", &image, "true"])
            .code(126)
            .error("port 1023 of this machine is privileged")
            .says("hint: publish one from 1024 on");
    }
    case.coracle(["run", "--rm", "-p", "192.0.2.99::80", &image, "true"]).code(125).error("192.0.2.99 is no address");
}

/// On a container that runs and on one that does not; programs see them come and go, the next life has what the last one had.
#[test]
fn they_come_and_go_while_it_runs() {
    they_come_and_go(&Case::new(Driver::Auto));
}

pub fn they_come_and_go(case: &Case) {
    serve(case, &["--network=stack"]).succeeded();
    let told = case.coracle(["port", "add", "box", "127.0.0.1::7000"]).succeeded().stdout;
    let first = place(case, "7000");
    assert_eq!(told, format!("7000/tcp -> {first}\n"));
    assert_eq!(echoed(&first), "hello");
    case.coracle(["port", "add", "box", &format!("{first}:7000")]).code(126).error("in use");
    case.coracle(["restart", "-t", "0", "box"]).succeeded();
    assert_eq!(echoed(&first), "hello");
    let mut kept = TcpStream::connect(&first).unwrap();
    kept.write_all(b"x").unwrap();
    kept.read_exact(&mut [0]).unwrap();
    case.coracle(["port", "rm", "box", "7000"]).code(0).stdout("");
    // Who is inside stays; the port is anybody's.
    drop(TcpListener::bind(&first).unwrap());
    kept.write_all(b"y").unwrap();
    kept.read_exact(&mut [0]).unwrap();
    case.coracle(["port", "box"]).code(0).stdout("");
    case.coracle(["port", "rm", "box", "7000"]).code(125).error("failed to find published port \"7000/tcp\"");
    case.coracle(["port", "rm", "box", "80:7000"]).code(125).says("hint: ");
    case.coracle(["stop", "box"]).succeeded();
    case.coracle(["port", "add", "box", &format!("{first}:7000")]).succeeded();
    case.coracle(["start", "box"]).succeeded();
    assert_eq!(echoed(&first), "hello");
    serve(case, &["--replace", "--network=pasta"]).succeeded();
    case.coracle(["port", "add", "box", "127.0.0.1::7000"]).code(125).error("pasta").says("hint: ");
    case.coracle(["run", "-d", "--name", "none", "--network=none", &case.busybox(), "sleep", "100"]).succeeded();
    case.coracle(["port", "add", "none", "127.0.0.1::7000"]).code(125).error("no ports of its own");
}

/// One of several that lead to the same place is named with its port of this machine, in a way that means no other.
#[test]
fn one_of_several_goes_alone() {
    let case = Case::new(Driver::Auto);
    serve(&case, &["--network=stack", "-p", "127.0.0.1::7000", "-p", "127.0.0.1::7000"]).succeeded();
    let places = place(&case, "7000");
    let (first, second) = places.split_once('\n').unwrap();
    let port = first.strip_prefix("127.0.0.1:").unwrap();
    case.coracle(["port", "add", "box", &format!("127.0.0.2:{port}:7000")]).succeeded();
    let third = format!("127.0.0.2:{port}");
    for place in [first, second, &third] {
        assert_eq!(echoed(place), "hello");
    }
    let rm = |text: &str| case.coracle(["port", "rm", "box", text]);
    let told = rm(&format!("{port}:7000")).code(125).error("is published at several addresses");
    assert!(
        told.stderr
            .contains(&format!("hint: one of them is named with its address: {first}:7000/tcp, {third}:7000/tcp")),
        "{told}"
    );
    let told = rm("1:7000").code(125).error("failed to find published port \"1:7000/tcp\"");
    assert!(told.stderr.contains("hint: it publishes 127.0.0.1:"), "{told}");
    rm(&format!("{third}:7000/udp")).code(125).says("hint: ");
    rm(&format!("{first}:7000")).code(0).stdout("");
    drop(TcpListener::bind(first).unwrap());
    assert_eq!((echoed(second), echoed(&third)), ("hello".into(), "hello".into()));
    rm(&format!("{port}:7000")).code(0);
    drop(TcpListener::bind(&third).unwrap());
    assert_eq!(place(&case, "7000"), second);
    case.coracle(["port", "add", "box", &format!("{first}:7000")]).succeeded();
    rm("7000").code(0);
    case.coracle(["port", "box"]).code(0).stdout("");
}

/// Only pasta takes a number to one port, whatever the address.
#[test]
fn one_number_of_two_addresses_leads_to_two_ports() {
    let case = Case::new(Driver::Auto);
    let port = listener().local_addr().unwrap().port();
    let flags = [format!("127.0.0.1:{port}:7000"), format!("127.0.0.2:{port}:7001")];
    let publish = ["-p", &flags[0], "-p", &flags[1]];
    let image = case.busybox();
    let script = "nc -ll -p 7001 -e echo other & exec nc -ll -p 7000 -e cat";
    let line = ["run", "-d", "--stop-timeout=0", "--name=box"].into_iter().chain(publish);
    case.coracle(line.chain([&*image, "sh", "-c", script])).succeeded();
    assert_eq!(echoed(&format!("127.0.0.1:{port}")), "hello");
    assert_eq!(echoed(&format!("127.0.0.2:{port}")), "other");
    let line = ["create", "--network=pasta"].into_iter().chain(publish).chain([&*image, "true"]);
    case.coracle(line).code(125).error("whatever the address").says("hint: `--network=stack`");
}

/// A port on a socket file, which is the account's alone and there as long as the program runs.
#[test]
fn a_socket_file_leads_inside() {
    lead_by_a_file(&Case::new(Driver::Auto));
}

pub fn lead_by_a_file(case: &Case) {
    let file = case.home.join("a socket");
    let publish = format!("unix:{}:7000", file.display());
    serve(case, &["-p", &publish]).succeeded();
    assert_eq!(case.inspect("box", "{{.HostConfig.NetworkMode}}"), "stack");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600);
    case.coracle(["port", "box"]).code(0).stdout(&format!("7000/tcp -> unix:{}\n", file.display()));
    assert_eq!(echoed_by(&file), "hello");
    let image = case.busybox();
    case.coracle(["run", "--rm", "-p", &publish, &image, "true"]).code(126).error("is there already").says("hint: ");
    case.coracle(["stop", "box"]).succeeded();
    assert!(!file.exists());
    // One that was left by who was killed is replaced; another file is not.
    drop(std::os::unix::net::UnixListener::bind(&file).unwrap());
    case.coracle(["start", "box"]).succeeded();
    assert_eq!(echoed_by(&file), "hello");
    case.coracle(["rm", "-f", "-t", "0", "box"]).succeeded();
    assert!(!file.exists());
    std::fs::write(&file, "mine").unwrap();
    case.coracle(["run", "--rm", "-p", &publish, &image, "true"]).code(126).error("is there already");
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");
    case.coracle(["run", "--rm", "-p", "unix:a:80", &image, "true"]).code(125).error("the path is not absolute");
    let other = format!("unix:{}:7001", file.display());
    let twice = ["create", "-p", &publish, "-p", &other, &image, "true"];
    case.coracle(twice).code(125).error("conflicting port mappings for the file `");
    case.coracle(["run", "--rm", "--network=pasta", "-p", &publish, &image, "true"]).code(125).says("hint: ");
}

/// Files, too, come and go while it runs, on the private network and on a named one.
#[test]
fn socket_files_come_and_go_while_it_runs() {
    socket_files_come_and_go(&Case::new(Driver::Auto));
}

pub fn socket_files_come_and_go(case: &Case) {
    case.coracle(["network", "create", "--subnet=10.209.5.0/24", "net"]).succeeded();
    for network in ["--network=stack", "--network=net"] {
        come_and_go_by_a_file(case, network);
        with_its_life(case, network);
        case.coracle(["rm", "-f", "-t", "0", "box"]).succeeded();
    }
    // Where there is no way for them, none is made.
    let file = case.home.join("added.sock");
    let add = |error: &str| {
        let told = case.coracle(["port", "add", "box", &format!("unix:{}:7000", file.display())]).error(error);
        assert!(!file.exists());
        case.coracle(["port", "box"]).code(0).stdout("");
        told
    };
    serve(case, &["--network=pasta"]).succeeded();
    add("`pasta` does not publish ports on socket files").says("hint: `--network=stack`");
    case.coracle(["network", "create", "--internal", "--subnet=10.209.6.0/24", "apart"]).succeeded();
    serve(case, &["--replace", "--network=apart"]).succeeded();
    add("all its networks are internal").says("hint: ");
    serve(case, &["--replace", "--network=none"]).succeeded();
    add("no ports of its own");
}

fn come_and_go_by_a_file(case: &Case, network: &str) {
    serve(case, &[network]).succeeded();
    let file = case.home.join("added.sock");
    let published = format!("unix:{}:7000", file.display());
    let add = |texts: &[&str]| case.coracle(["port", "add", "box"].iter().chain(texts).copied());
    let listed = format!("7000/tcp -> unix:{}\n", file.display());
    add(&[&published]).code(0).stdout(&listed);
    case.coracle(["port", "box"]).code(0).stdout(&listed);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(echoed_by(&file), "hello");
    add(&[&published]).code(126).error("is there already");
    add(&[&format!("unix:{}:7001", file.display())]).code(126).error("conflicting port mappings for the file");
    add(&["unix:added.sock:7000"]).code(125).error("the path is not absolute");
    // All that is asked for, or nothing.
    let other = case.home.join("other.sock");
    let (others, missing) = (format!("unix:{}:7000", other.display()), case.home.join("missing/sock"));
    let lost = format!("unix:{}:7000", missing.display());
    add(&["127.0.0.1::7000", &others, &lost]).code(126).error(&format!("`{}` can't be listened on", missing.display()));
    std::fs::write(&other, "mine").unwrap();
    add(&["127.0.0.1::7000", &others]).code(126).error("is there already").says("hint: ");
    assert_eq!(std::fs::read(&other).unwrap(), b"mine");
    case.coracle(["port", "box"]).code(0).stdout(&listed);
    std::fs::remove_file(&other).unwrap();
    assert_eq!(echoed_by(&file), "hello");
    // Who is inside stays.
    let mut kept = UnixStream::connect(&file).unwrap();
    kept.write_all(b"x").unwrap();
    kept.read_exact(&mut [0]).unwrap();
    let rm = |text: &str| case.coracle(["port", "rm", "box", text]);
    rm(&others)
        .code(125)
        .error(&format!("failed to find published port \"{others}\""))
        .says("hint: it publishes unix:");
    rm(&published).code(0).stdout("");
    assert!(!file.exists());
    kept.write_all(b"y").unwrap();
    kept.read_exact(&mut [0]).unwrap();
    case.coracle(["port", "box"]).code(0).stdout("");
    rm(&published).code(125).error("failed to find published port");
    // A port of the container's goes wherever it is published; one whose file is gone is made again.
    add(&[&published, "127.0.0.1::7000"]).succeeded();
    std::fs::remove_file(&file).unwrap();
    add(&[&published]).code(0).stdout(&listed);
    assert_eq!(echoed_by(&file), "hello");
    rm("7000").code(0);
    assert!(!file.exists());
    case.coracle(["port", "box"]).code(0).stdout("");
}

/// They end with it, and are there again in its next lives, be they begun by a command or by the monitor.
fn with_its_life(case: &Case, network: &str) {
    let file = case.home.join("added.sock");
    let published = format!("unix:{}:7000", file.display());
    serve(case, &["--replace", "--restart=always", network]).succeeded();
    case.coracle(["port", "add", "box", &published]).succeeded();
    case.coracle(["stop", "box"]).succeeded();
    assert!(!file.exists());
    case.coracle(["start", "box"]).succeeded();
    assert_eq!(echoed_by(&file), "hello");
    case.coracle(["port", "rm", "box", &published]).succeeded();
    case.coracle(["port", "add", "box", &published]).succeeded();
    let pid = || case.inspect("box", "{{.State.Pid}}");
    let first = pid();
    kill_process(Pid::from_raw(first.parse().unwrap()).unwrap(), Signal::KILL).unwrap();
    wait_until("another life", LIMIT, || !["0", &first].contains(&&*pid()));
    assert_eq!(echoed_by(&file), "hello");
    case.coracle(["stop", "box"]).succeeded();
    assert!(!file.exists());
    case.coracle(["port", "rm", "box", &published]).succeeded();
    case.coracle(["start", "box"]).succeeded();
    assert!(!file.exists());
    // The next command clears away what a killed monitor left.
    case.coracle(["port", "add", "box", &published]).succeeded();
    let monitor = case.inspect("box", "{{.State.ConmonPid}}").parse().unwrap();
    kill_process(Pid::from_raw(monitor).unwrap(), Signal::KILL).unwrap();
    case.coracle(["wait", "box"]);
    wait_until("nobody listens", LIMIT, || UnixStream::connect(&file).is_err());
    assert!(file.exists());
    case.coracle(["run", "--rm", "--network=none", &case.busybox(), "true"]).code(0);
    assert!(!file.exists());
}

/// A monitor that is killed leaves its socket file, which goes with the container, or with the next command that starts one; it is
/// found meanwhile. Who listens there has nothing to fear.
#[test]
fn a_socket_file_that_a_killed_monitor_left_goes() {
    let case = Case::new(Driver::Auto);
    let file = case.home.join("left.sock");
    let publish = format!("unix:{}:7000", file.display());
    let image = case.busybox();
    let kill = || {
        let monitor = case.inspect("box", "{{.State.ConmonPid}}").parse().unwrap();
        kill_process(Pid::from_raw(monitor).unwrap(), Signal::KILL).unwrap();
        case.coracle(["wait", "box"]);
        wait_until("nobody listens", LIMIT, || UnixStream::connect(&file).is_err());
        assert!(file.exists());
    };
    let check = ["system", "check", "--quick", "--max=0s"];
    for by in ["rm", "repair", "run", "start"] {
        serve(&case, &["-p", &publish]).succeeded();
        kill();
        case.coracle(["system", "check", "--quick"]).code(0);
        let found = case.coracle(check).code(125).error("damage detected").stdout.clone();
        assert!(found.starts_with(&format!("Damaged socket file {}: nobody listens on it", file.display())), "{found}");
        match by {
            "rm" => {}
            "repair" => drop(case.coracle(check.into_iter().chain(["--repair"])).code(0)),
            "run" => drop(case.coracle(["run", "--rm", "--network=none", &image, "true"]).code(0)),
            _ => drop(case.coracle(["start", "box"]).code(0)),
        }
        assert_eq!(file.exists(), matches!(by, "rm" | "start"), "{by}");
        case.coracle(["rm", "-f", "-t", "0", "box"]).code(0);
        assert!(!file.exists(), "{by}");
        case.coracle(check).code(0).stdout("");
    }
    // Somebody else has taken the place.
    serve(&case, &["-p", &publish]).succeeded();
    kill();
    std::fs::remove_file(&file).unwrap();
    let _theirs = std::os::unix::net::UnixListener::bind(&file).unwrap();
    case.coracle(check).code(0).stdout("");
    case.coracle(["rm", "box"]).code(0);
    drop(UnixStream::connect(&file).unwrap());
}

on_both_drivers!(a_program_may_listen_late, they_lead_inside, one_that_is_taken_is_told);

/// What is exposed is published on free ports, each once.
#[test]
fn all_that_are_exposed() {
    let case = Case::new(Driver::Auto);
    serve(&case, &["-P", "--expose=7000-7001", "--expose=7000/udp", "-p", "127.0.0.1::7001"]).succeeded();
    let told = case.coracle(["port", "box"]).succeeded().stdout;
    let mut ports: Vec<&str> = told.lines().map(|line| line.split(" -> ").next().unwrap()).collect();
    ports.sort_unstable();
    assert_eq!(ports, ["7000/tcp", "7000/udp", "7001/tcp"], "{told}");
    assert_eq!(echoed(&place(&case, "7000").replace("0.0.0.0", "127.0.0.1")), "hello");
    assert_eq!(case.inspect("box", "{{.HostConfig.PublishAllPorts}}"), "true");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    let create = |flags: &[&str]| case.coracle(["create"].iter().chain(flags).copied().chain([&*image, "true"]));
    for bad in ["", "x:80", "80:x", "65536:80", "8000-8001:80", "80/sctp", "::1:80:80", "a.example:80:80"] {
        create(&["-p", bad]).code(125).error("invalid port specification").says("hint: ");
    }
    create(&["-p", "8080:80", "-p", "8080:81"]).code(125).error("conflicting port mappings for host port 8080");
    // Where nothing can be published, nothing is, and that is said.
    for mode in ["none", "host"] {
        let finished = create(&["--name", mode, "--network", mode, "-p", "8080:80"]).succeeded();
        assert!(finished.stderr.contains("port mappings have been discarded"), "{finished}");
        assert_eq!(case.inspect(mode, "{{len .HostConfig.PortBindings}}"), "0");
    }
}
