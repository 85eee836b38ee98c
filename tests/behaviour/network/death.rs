//! Whoever dies in whatever order: no address, interface or namespace is left behind.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

use super::{address, internal, reaches, serve};
use crate::harness::{Case, Driver, LIMIT, wait_for, wait_until};

/// A number in what the program wrote of a container's state.
fn state(case: &Case, container: &str, pointer: &str) -> i64 {
    let id = case.inspect(container, "{{.Id}}");
    let text = std::fs::read(case.store().join("containers").join(id).join("state.json")).unwrap();
    let state: serde_json::Value = serde_json::from_slice(&text).unwrap();
    state.pointer(pointer).and_then(serde_json::Value::as_i64).unwrap_or_else(|| panic!("no {pointer} in {state}"))
}

fn namespace(case: &Case, container: &str) -> i64 {
    state(case, container, "/networks/inode")
}

/// Whether a process of this user is in the network namespace, or holds it.
fn is_held(inode: i64) -> bool {
    let link = format!("net:[{inode}]");
    let is_it = |path: &Path| std::fs::read_link(path).is_ok_and(|target| target.as_os_str() == link.as_str());
    std::fs::read_dir("/proc").unwrap().flatten().any(|process| {
        let descriptors = std::fs::read_dir(process.path().join("fd")).into_iter().flatten().flatten();
        is_it(&process.path().join("ns/net")) || descriptors.into_iter().any(|descriptor| is_it(&descriptor.path()))
    })
}

/// The companion of a container.
fn companion(case: &Case, container: &str) -> i32 {
    child(case, container, "coracle-net")
}

/// A child of a container's monitor.
fn child(case: &Case, container: &str, name: &str) -> i32 {
    let monitor = state(case, container, "/monitorPid");
    let is_it = |pid: &i32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let parent = stat.split_once(&format!("({name}")).and_then(|(_, rest)| rest.split(' ').nth(2));
        parent == Some(&monitor.to_string())
    };
    let pids =
        || std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    wait_for(&format!("{name} is there"), LIMIT, || pids().find(is_it))
}

/// Who publishes a port and loses its way out does not go on as if it were reached: it ends, with a word why, or lives again.
#[test]
fn a_way_out_that_dies_takes_the_container_along() {
    let case = Case::new(Driver::Auto);
    case.coracle(["network", "create", "--subnet=10.205.4.0/24", "net"]).code(0);
    // pasta is a name of passt, which has others for what the processor can do.
    let ways = [
        ("--network=stack", "coracle-stack", "coracle-stack"),
        ("--network=pasta", "pas", "pasta"),
        ("--network=net", "coracle-stack", "coracle-stack"),
    ];
    for (network, process, name) in ways {
        let flags = [network, "-p", "127.0.0.1::7000", "--restart=always"];
        serve(&case, "box", &flags);
        let place = case.coracle(["port", "box", "7000"]).succeeded().stdout.trim_end().to_owned();
        let answer = || {
            let mut stream = TcpStream::connect(&place).ok()?;
            stream.write_all(b"x").ok()?;
            let mut text = String::new();
            stream.read_to_string(&mut text).ok()?;
            (text == "box\n").then_some(())
        };
        wait_for("an answer", LIMIT, answer);
        let pid = state(&case, "box", "/pid");
        kill(child(&case, "box", process));
        wait_until("it lives again", LIMIT, || {
            case.inspect("box", "{{.State.Status}}") == "running" && state(&case, "box", "/pid") != pid
        });
        wait_for("an answer", LIMIT, answer);
        case.coracle(["update", "--restart=no", "box"]).succeeded();
        kill(child(&case, "box", process));
        case.coracle(["wait", "box"]).code(0).stdout("137\n");
        let error = case.inspect("box", "{{.State.Error}}");
        assert!(error.starts_with(&format!("its way out (`{name}`) has ended")), "{error}");
        case.coracle(["rm", "box"]).code(0);
    }
}

fn kill(pid: i32) {
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
}

pub fn in_any_order(case: &Case) {
    internal(case, "net", &["--subnet=10.205.1.0/24"]);
    let roles: [fn(&Case, &str) -> i32; 3] = [
        companion,
        |case, name| state(case, name, "/monitorPid") as i32,
        |case, name| state(case, name, "/pid") as i32,
    ];
    // The first of three goes by each of its processes, and then the last.
    for (round, role) in roles.into_iter().enumerate() {
        for name in ["one", "two", "three"] {
            serve(case, name, &["--network=net"]);
        }
        let n = namespace(case, "one");
        assert!(["two", "three"].into_iter().all(|name| namespace(case, name) == n) && is_held(n));
        let free = address(case, "one", "net");
        kill(role(case, "one"));
        case.coracle(["wait", "one"]);
        reaches(case, "three", "two", "two");
        assert_eq!(address(case, "one", "net"), "", "round {round}");
        // Its address is nobody's.
        serve(case, "four", &["--network=net", "--ip", &free]);
        reaches(case, "two", &free, "four");
        assert_eq!(namespace(case, "four"), n);
        for name in ["two", "four", "three"] {
            assert!(is_held(n));
            kill(role(case, name));
            case.coracle(["wait", name]);
        }
        wait_until("the namespace of networks is gone", LIMIT, || !is_held(n));
        case.coracle(["rm", "-a", "-f"]).code(0);
        case.coracle(["system", "check", "--quick"]).code(0);
    }
    case.coracle(["network", "rm", "net"]).code(0);
    assert_eq!(std::fs::read_dir(case.store().join("members")).unwrap().count(), 0);
}

#[test]
fn whoever_dies() {
    in_any_order(&Case::new(Driver::Auto));
}

/// An address that a killed monitor left is found, and nobody needs to do anything about it.
#[test]
fn what_a_killed_monitor_left() {
    let case = Case::new(Driver::Auto);
    internal(&case, "net", &["--subnet=10.205.3.0/24"]);
    for repaired in [true, false] {
        serve(&case, "one", &["--network=net"]);
        kill(state(&case, "one", "/monitorPid") as i32);
        case.coracle(["wait", "one"]);
        let id = case.inspect("one", "{{.Id}}");
        case.coracle(["system", "check", "--quick"]).code(0);
        let check = ["system", "check", "--quick", "--max=0s"];
        let found = case.coracle(check).code(125).error("damage detected");
        assert!(found.stdout.contains(&format!("address of container {id}: it has 10.205.3.")), "{found}");
        match repaired {
            true => drop(case.coracle(check.into_iter().chain(["--repair"])).code(0)),
            false => drop(case.coracle(["run", "--rm", "--network=net", &case.busybox(), "true"]).code(0)),
        }
        case.coracle(check).code(0).stdout("");
        case.coracle(["rm", "one"]).code(0);
    }
    let record = case.store().join("networks/net.json");
    std::fs::write(&record, "{").unwrap();
    let found = case.coracle(["system", "check", "--quick", "--repair"]).code(125);
    assert!(found.stdout.starts_with("Damaged network net: "), "{found}");
    case.coracle(["network", "ls", "-q"]).code(0).stdout("podman\n");
    case.coracle(["system", "check", "--quick", "--force"]).code(0);
    assert!(!record.exists());
}

/// A life that its monitor begins anew has the same addresses, and a new companion.
#[test]
fn started_again_by_its_monitor() {
    let case = Case::new(Driver::Auto);
    internal(&case, "net", &["--subnet=10.205.2.0/24"]);
    serve(&case, "one", &["--network=net", "--restart=always"]);
    serve(&case, "two", &["--network=net"]);
    for _ in 0..3 {
        let pid = state(&case, "one", "/pid");
        kill(companion(&case, "one"));
        wait_until("it runs again", LIMIT, || {
            case.inspect("one", "{{.State.Status}}") == "running" && state(&case, "one", "/pid") != pid
        });
        assert_eq!(address(&case, "one", "net"), "10.205.2.2");
        reaches(&case, "two", "one", "one");
        reaches(&case, "one", "two", "two");
    }
}
