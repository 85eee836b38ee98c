//! Namespaces of the host and of other containers, and the containers that one needs.

use std::time::Duration;

use super::{inspected, run};
use crate::harness::{Case, Driver, wait_until};

/// What a link of /proc names, of this process.
fn own(namespace: &str) -> String {
    std::fs::read_link(format!("/proc/self/ns/{namespace}")).unwrap().to_string_lossy().into_owned() + "\n"
}

fn the_hosts_namespaces_are_seen(case: &Case) {
    for (flag, namespace) in [("--pid", "pid"), ("--ipc", "ipc"), ("--uts", "uts"), ("--cgroupns", "cgroup")] {
        let link = format!("readlink /proc/self/ns/{namespace}");
        run(case, &[&format!("{flag}=host")], &link).code(0).stdout(&own(namespace));
        assert_ne!(run(case, &[&format!("{flag}=private")], &link).succeeded().stdout, own(namespace));
    }
    let pid = std::process::id();
    run(case, &["--pid=host"], &format!("test -d /proc/{pid} && echo seen")).code(0).stdout("seen\n");
    run(case, &["--pid=private"], "echo $$").code(0).stdout("1\n");
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    run(case, &["--uts=host"], "hostname; cat /etc/hostname; echo $HOSTNAME").code(0).stdout(&name.repeat(3));
    run(case, &["--uts=host", "--hostname=x"], "true").code(125).error("cannot set hostname");
    run(case, &["--ipc=none"], "ls -d /dev/shm").stdout("");
    run(case, &["--ipc=host"], "test -d /dev/shm && echo there").code(0).stdout("there\n");
}

fn modes_that_nobody_knows_are_refused(case: &Case) {
    for flag in ["--pid", "--ipc", "--uts", "--cgroupns", "--userns"] {
        run(case, &[&format!("{flag}=foo")], "true").code(125).error("unrecognized namespace mode foo passed");
        run(case, &[&format!("{flag}=container:nobody")], "true").code(125).error("nobody");
    }
    run(case, &["--ipc=ns:/no/such"], "true").code(125).error("/no/such");
    let image = case.busybox();
    for mode in ["container:nobody", "ns:/no/such", "foo"] {
        case.coracle(["run", "--rm", "--network", mode, &image, "true"]).code(125).error("");
    }
}

fn another_containers_namespaces_are_joined(case: &Case) {
    let image = case.busybox();
    let script = "echo shared >/dev/shm/file; exec sleep 100";
    let line = ["run", "-d", "--name=first", "--network=none", "--hostname=first-host", &image, "sh", "-c", script];
    case.coracle(line).succeeded();
    let of_first = |namespace: &str| {
        let link = format!("/proc/self/ns/{namespace}");
        case.coracle(["exec", "first", "readlink", &link]).succeeded().stdout
    };
    let join = |flag: &str, script: &str| {
        // A network is named once.
        let network = (!flag.starts_with("--net=")).then_some("--network=none");
        case.coracle(["run", "--rm", flag].into_iter().chain(network).chain([&*image, "sh", "-c", script]))
    };
    for (flag, namespace) in [
        ("--pid", "pid"),
        ("--ipc", "ipc"),
        ("--uts", "uts"),
        ("--cgroupns", "cgroup"),
        ("--userns", "user"),
        ("--net", "net"),
    ] {
        let joined = join(&format!("{flag}=container:first"), &format!("readlink /proc/self/ns/{namespace}"));
        joined.code(0).stdout(&of_first(namespace));
    }
    join("--pid=container:first", "ps -o args | grep -c '^sleep 100'").code(0).stdout("1\n");
    join("--pid=container:first", "ls /proc/1/root/dev/shm").code(0).stdout("file\n");
    join("--ipc=container:first", "cat /dev/shm/file; echo new >/dev/shm/made").code(0).stdout("shared\n");
    case.coracle(["exec", "first", "cat", "/dev/shm/made"]).code(0).stdout("new\n");
    join("--uts=container:first", "hostname; cat /etc/hostname").code(0).stdout("first-host\nfirst-host\n");
    // As root of the network, too.
    let line = [
        "run",
        "--rm",
        "--cap-add=NET_ADMIN",
        "--net=container:first",
        &image,
        "ip",
        "link",
        "set",
        "lo",
        "mtu",
        "1234",
    ];
    case.coracle(line).code(0).stdout("");
    case.coracle(["exec", "first", "cat", "/sys/class/net/lo/mtu"]).code(0).stdout("1234\n");
    join("--net=container:first", "cat /sys/class/net/lo/mtu; grep -c first-host /etc/hosts")
        .code(0)
        .stdout("1234\n1\n");
    let socket = format!("--net=ns:/proc/{}/ns/net", case.inspect("first", "{{.State.Pid}}"));
    join(&socket, "cat /sys/class/net/lo/mtu || ip link show lo | grep -o 'mtu 1234'").code(0);
}

fn ipc_that_is_private_is_not_joined(case: &Case) {
    let image = case.busybox();
    case.coracle(["run", "-d", "--name=first", "--network=none", "--ipc=private", &image, "sleep", "100"]).succeeded();
    run(case, &["--ipc=container:first"], "true").code(125).error("non-shareable IPC");
}

fn a_command_joins_a_container_that_shares(case: &Case) {
    let image = case.busybox();
    let flags = ["--pid=host", "--ipc=host", "--uts=host", "--cgroupns=host"];
    let line = ["run", "-d", "--name=open", "--network=none"].iter().chain(&flags).copied();
    case.coracle(line.chain([image.as_str(), "sleep", "100"])).succeeded();
    case.coracle(["exec", "open", "readlink", "/proc/self/ns/pid"]).code(0).stdout(&own("pid"));
    case.coracle(["run", "-d", "--name=second", "--net=container:open", &image, "sleep", "100"]).succeeded();
    let link = "/proc/self/ns/net";
    let first = case.coracle(["exec", "open", "readlink", link]).succeeded().stdout;
    case.coracle(["exec", "second", "readlink", link]).code(0).stdout(&first);
    for (key, expected) in [("Pid", "host"), ("Ipc", "host"), ("UTS", "host"), ("Cgroup", "host")] {
        assert_eq!(case.inspect("open", &format!("{{{{.HostConfig.{key}Mode}}}}")), expected);
    }
    let id = case.inspect("open", "{{.Id}}");
    assert_eq!(case.inspect("second", "{{.HostConfig.NetworkMode}}"), format!("container:{id}"));
    assert_eq!(inspected(case, &["--ipc=private"], "{{.HostConfig.IpcMode}}"), "private");
}

/// With no pid namespace of its own to end them, the monitor ends what the program leaves; without a monitor the kernel does, or
/// the next command.
fn nothing_outlives_a_container_among_the_hosts_processes(case: &Case) {
    let image = case.busybox();
    let mark = 1_000_000 + 2 * std::process::id() + u32::from(case.driver == Driver::Fuse);
    let sleep = format!("sleep {mark}");
    let alive = || {
        let mut found = 0;
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            found += usize::from(line == format!("sleep\0{mark}\0").as_bytes());
        }
        found
    };
    run(case, &["--pid=host"], &format!("(setsid {sleep} &); (setsid {sleep} &); echo started"))
        .code(0)
        .stdout("started\n");
    assert_eq!(alive(), 0);
    let line = ["run", "-d", "--name=open", "--network=none", "--pid=host", &image, "sh", "-c"];
    case.coracle(line.iter().copied().chain([format!("exec {sleep}").as_str()])).succeeded();
    wait_until("the program runs", Duration::from_secs(10), || alive() == 1);
    let monitor: i32 = case.inspect("open", "{{.State.ConmonPid}}").parse().unwrap();
    let monitor = rustix::process::Pid::from_raw(monitor).unwrap();
    rustix::process::kill_process(monitor, rustix::process::Signal::KILL).unwrap();
    wait_until("the program has ended", Duration::from_secs(10), || alive() == 0);
    assert_eq!(case.inspect("open", "{{.State.Status}} {{.State.ExitCode}}"), "exited -1");
    case.coracle(["rm", "open"]).code(0);
}

/// What has lost its parent is nobody's zombie, also if a real-time signal has ended it.
fn orphans_are_reaped(case: &Case) {
    let image = case.busybox();
    let script = "(sh -c 'sleep 0.1; kill -34 $$' &); (sh -c 'sleep 0.1; exit 3' &); exec sleep 1000";
    let line = ["run", "-d", "--name=box", "--network=none", "--pid=host", &image, "sh", "-c", script];
    case.coracle(line).succeeded();
    let monitor = case.inspect("box", "{{.State.ConmonPid}}");
    let program = case.inspect("box", "{{.State.Pid}}");
    let children = || std::fs::read_to_string(format!("/proc/{monitor}/task/{monitor}/children")).unwrap();
    let is_theirs = |pid: &&str| {
        std::fs::read_to_string(format!("/proc/{pid}/comm"))
            .is_ok_and(|name| ["sh\n", "sleep\n"].contains(&name.as_str()))
    };
    wait_until("the program alone is left", Duration::from_secs(10), || {
        children().split_whitespace().filter(is_theirs).collect::<Vec<_>>() == [program.as_str()]
    });
    case.coracle(["rm", "-f", "-t0", "box"]).succeeded();
}

fn containers_that_are_needed_start_first_and_go_last(case: &Case) {
    let image = case.busybox();
    case.coracle(["create", "--name=needed", "--network=none", &image, "sleep", "100"]).succeeded();
    case.coracle(["run", "--rm", "--requires=needed", "--network=none", &image, "true"]).succeeded();
    assert_eq!(case.inspect("needed", "{{.State.Status}}"), "running");
    case.coracle(["stop", "-t0", "needed"]).succeeded();
    case.coracle(["create", "--name=needing", "--network=container:needed", &image, "echo", "ran"]).succeeded();
    case.coracle(["start", "-a", "needing"]).code(0).stdout("ran\n");
    assert_eq!(case.inspect("needed", "{{.State.Status}}"), "running");
    let id = case.inspect("needed", "{{.Id}}");
    assert_eq!(case.inspect("needing", "{{.Dependencies}}"), format!("[{id}]"));
    case.coracle(["rm", "-f", "-t0", "needed"]).code(125).error("has dependent containers");
    run(case, &["--requires=nobody"], "true").code(125).error("\"nobody\" is not a valid container");
    case.coracle(["rm", "-a", "-f", "-t0"]).code(0);
    case.coracle(["ps", "-aq"]).code(0).stdout("");
}

on_both_drivers!(
    the_hosts_namespaces_are_seen,
    modes_that_nobody_knows_are_refused,
    another_containers_namespaces_are_joined,
    ipc_that_is_private_is_not_joined,
    a_command_joins_a_container_that_shares,
    nothing_outlives_a_container_among_the_hosts_processes,
    orphans_are_reaped,
    containers_that_are_needed_start_first_and_go_last,
);
