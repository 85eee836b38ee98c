//! A hostile process in a container: what it can reach, and what it can wear out.

use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::net::{AddressFamily, SendFlags, SocketAddrUnix, SocketType, connect, send, socket};
use rustix::process::{Pid, Signal, kill_process};

use super::{exec, program, pull, pulled, run, start};
use crate::harness::{Account, Case, Image, LIMIT, Layer, wait_until};

/// CVE-2022-29162, CVE-2022-27649, CVE-2022-27650, CVE-2022-27651: whoever runs, and however it was started, nothing is
/// inheritable or ambient; a file that has inheritable capabilities gives none.
fn nothing_is_inheritable(case: &Case) {
    // Version 2 of `struct vfs_cap_data`: effective; permitted none; inheritable CAP_NET_RAW and CAP_CHOWN.
    let attribute = "\x01\0\0\x02\0\0\0\0\x01\x20\0\0\0\0\0\0\0\0\0\0";
    let layer = Layer::new().pax("SCHILY.xattr.security.capability", attribute).file("hostile", 0o755, program());
    let image = pulled(case, layer);
    let check = |said: &str, told: &str| {
        for line in said
            .lines()
            .map(|line| line.replace('\t', ""))
            .filter(|line| line.starts_with("CapI") || line.starts_with("CapA"))
        {
            assert!(line.ends_with(":0000000000000000"), "{told}: {said}");
        }
        assert_eq!(said.lines().count(), 5, "{told}: {said}");
    };
    let own = "grep Cap /proc/self/status";
    for flags in
        [&[][..], &["-u", "33"], &["--cap-add=NET_RAW,SYS_ADMIN"], &["--cap-add=ALL", "-u", "33"], &["--privileged"]]
    {
        check(&run(case, flags, &image, own).code(0).stdout, &format!("{flags:?}"));
        let of_file = run(case, flags, &image, "/hostile").code(0).stdout;
        check(&of_file, &format!("{flags:?}"));
        if flags.contains(&"33") {
            assert!(of_file.contains("CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n"), "{flags:?}: {of_file}");
        }
    }
    start(case, &[], &image, "sleep 1000");
    for flags in [&[][..], &["-u", "33"], &["--privileged"], &["--privileged", "-u", "33"], &["-t"]] {
        let line: Vec<&str> = flags.iter().copied().chain(["box", "grep", "Cap", "/proc/self/status"]).collect();
        check(&exec(case, &line).code(0).stdout, &format!("exec {flags:?}"));
    }
}

/// CVE-2021-20188: a user who is not root has no capability, also in a privileged container.
fn a_user_has_no_capability(case: &Case) {
    let image = case.busybox();
    let script = "grep -E 'Cap(Prm|Eff)' /proc/self/status | cut -f2";
    for flags in [
        &["-u", "1000"][..],
        &["--privileged", "-u", "1000"],
        &["--cap-add=ALL", "-u", "33"],
        &["--privileged", "-u", "33:0"],
    ] {
        run(case, flags, &image, script).code(0).stdout("0000000000000000\n0000000000000000\n");
    }
    start(case, &["--privileged"], &image, "sleep 1000");
    exec(case, &["-u", "33", "box", "sh", "-c", script]).code(0).stdout("0000000000000000\n0000000000000000\n");
}

/// CVE-2023-25809: also in the machine's cgroup namespace, no control group can be made or changed.
fn control_groups_of_the_machine(case: &Case) {
    let image = case.busybox();
    let script = "grep ' /sys/fs/cgroup' /proc/self/mountinfo | cut -d' ' -f6 | grep -vc '^ro'
        find /sys/fs/cgroup -type d 2>/dev/null | head -n 300 | while read d; do mkdir $d/planted 2>/dev/null && echo made in $d
        (echo $$ >$d/cgroup.procs) 2>/dev/null && echo moved to $d; done; true";
    for flags in [&["--cgroupns=host"][..], &["--cgroupns=private"], &["--cgroupns=host", "--cap-add=ALL"]] {
        run(case, flags, &image, script).code(0).stdout("0\n");
    }
}

/// CVE-2021-43784: nothing that is handed to the container's first process is too long to be told whole.
fn long_messages(case: &Case) {
    let image = case.busybox();
    let word = "x".repeat(100_000);
    let head = ["run", "--rm", "--network=none", &image, "sh", "-c", "echo $# ${#1} ${#10}", "sh"];
    case.coracle(head.into_iter().chain(std::iter::repeat_n(word.as_str(), 10))).code(0).stdout("10 100000 100000\n");
    let variables: String = (0..64).map(|number| format!("V{number}={}\n", "y".repeat(16_000))).collect();
    std::fs::write(case.home.join("variables"), variables).unwrap();
    run(case, &["--env-file=variables"], &image, "echo ${#V0} ${#V63}").code(0).stdout("16000 16000\n");
    let maps: Vec<String> = (0..341).map(|number| format!("--uidmap={number}:{number}:1")).collect();
    let with = |count: usize| {
        let flags: Vec<&str> = maps[..count].iter().map(String::as_str).collect();
        run(case, &flags, &image, "wc -l </proc/self/uid_map; id -u")
    };
    // Neighbours may be told as one.
    let finished = with(340);
    assert!(finished.code == Some(0) && finished.stdout.ends_with("\n0\n"), "{finished}");
    let scattered: Vec<String> = (0..341).map(|number| format!("--uidmap={}:{}:1", number * 2, number)).collect();
    let line: Vec<&str> = scattered.iter().map(String::as_str).collect();
    let finished = run(case, &line, &image, "true");
    assert!(finished.code == Some(125) && finished.stderr.starts_with("Error: "), "{finished}");
}

/// CVE-2020-15257: sockets without a file are out of reach, but for who asked for the machine's network.
fn sockets_without_a_file(case: &Case) {
    let image = case.busybox();
    let name = format!("coracle-test-{}-{}", std::process::id(), case.driver.name());
    let listener = socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
    rustix::net::bind(&listener, &SocketAddrUnix::new_abstract_name(name.as_bytes()).unwrap()).unwrap();
    let script = format!("grep -c '@{name}' /proc/net/unix; true");
    for (network, count) in [("none", "0\n"), ("private", "0\n"), ("host", "1\n")] {
        let head = ["run", "--rm", "--network", network];
        case.coracle(head.into_iter().chain([&*image, "sh", "-c", &script])).code(0).stdout(count);
    }
}

/// CVE-2022-2989, CVE-2022-2990, CVE-2022-36109: a user has the groups that the image gives them, no fewer, so that a file which shuts
/// a group out does so; and none of the caller's.
fn groups_that_shut_out(case: &Case) {
    let layer = Layer::new().owned_file("shut", 0o707, (0, 40), "read\n").owned_file("open", 0o040, (0, 40), "read\n");
    let image = pull(case, Image::busybox().layer(layer).config("User", "www-data"));
    run(case, &[], &image, "id -G; cat /open; cat /shut 2>/dev/null || echo shut")
        .code(0)
        .stdout("33 40\nread\nshut\n");
    run(case, &["-u", "33"], &image, "cat /shut 2>/dev/null || echo shut").code(0).stdout("shut\n");
    start(case, &[], &image, "sleep 1000");
    exec(case, &["-u", "www-data", "box", "cat", "/shut"]).code(1).stdout("");
    // As root of the account, the caller's groups are no more than a name that nobody has.
    run(case, &["-u", "0"], &image, "id -G").code(0).stdout("0\n");
}

/// CVE-2024-3056: memory that is shared ends with the last who shares it.
fn shared_memory_ends(case: &Case) {
    let image = case.busybox();
    let before = std::fs::read_dir("/dev/shm").unwrap().count();
    start(case, &["--ipc=shareable"], &image, "sleep 1000");
    let script = "head -c 100000 /dev/zero >/dev/shm/planted; ls /dev/shm";
    run(case, &["--ipc=container:box"], &image, script).code(0).stdout("planted\n");
    exec(case, &["box", "ls", "/dev/shm"]).code(0).stdout("planted\n");
    case.coracle(["restart", "-t0", "box"]).code(0);
    exec(case, &["box", "ls", "/dev/shm"]).code(0).stdout("");
    assert_eq!(std::fs::read_dir("/dev/shm").unwrap().count(), before);
}

/// CVE-2021-21284: a subordinate id owns nothing of the store's but what lies in containers, layers and volumes themselves.
fn the_store_is_the_accounts_own(case: &Case) {
    let image = case.busybox();
    start(case, &["-v=vol:/v"], &image, "chown -R 33:33 /v /tmp /bin; touch /v/x; chmod 777 / /v; sleep 1000");
    wait_until("it was done", LIMIT, || exec(case, &["box", "test", "-e", "/v/x"]).code == Some(0));
    fn walk(folder: &Path, own: u32) {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let found = entry.path().symlink_metadata().unwrap();
            let is_content = ["fs", "upper", "work", "merged", "data"].iter().any(|name| entry.path().ends_with(name));
            if is_content {
                assert_eq!(folder.metadata().unwrap().mode() & 0o077, 0, "{folder:?} is open to others");
            } else {
                assert_eq!(found.uid(), own, "{:?}", entry.path());
                if found.is_dir() {
                    walk(&entry.path(), own);
                }
            }
        }
    }
    walk(&case.store(), rustix::process::getuid().as_raw());
    assert!(Account::current().subordinate > 0);
}

/// The monitor, and all else outside, outlives a container that kills whatever it can see.
fn kills_reach_the_container_alone(case: &Case) {
    let image = case.busybox();
    start(
        case,
        &[],
        &image,
        "kill -9 -1; for p in $(seq 2 400); do kill -9 $p; done 2>/dev/null; touch /done; sleep 1000",
    );
    wait_until("it has tried", LIMIT, || exec(case, &["box", "test", "-e", "/done"]).code == Some(0));
    assert_eq!(case.inspect("box", "{{.State.Status}}"), "running");
    // The rest of the container is within reach.
    exec(case, &["-d", "box", "sleep", "1001"]).code(0);
    exec(case, &["box", "sh", "-c", "kill -9 -1; kill -9 0"]);
    wait_until("it is gone", LIMIT, || exec(case, &["box", "sh", "-c", "ps | grep 'sleep 100[1]'"]).code == Some(1));
    exec(case, &["box", "echo", "here"]).code(0).stdout("here\n");
    case.coracle(["stop", "-t0", "box"]).code(0);
    assert_eq!(case.inspect("box", "{{.State.ExitCode}}"), "137");
}

/// The processes of this machine with this command line.
fn running(line: &str) -> Vec<String> {
    let pids = std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let is_it = |pid: &String| {
        let told = std::fs::read_to_string(format!("/proc/{pid}/cmdline"));
        told.is_ok_and(|told| told.replace('\0', " ").trim() == line)
    };
    pids.filter(is_it).collect()
}

/// A number of seconds that nobody else sleeps.
fn mark(case: &Case) -> String {
    format!("{}{:05}", 1 + case.driver as u32, std::process::id() % 100_000)
}

/// A command ends with its container, and with its parent, also among the machine's processes, where no pid namespace ends it.
fn commands_among_the_machines_processes(case: &Case) {
    let (image, seconds) = (case.busybox(), format!("{}8", mark(case)));
    let line = format!("sleep {seconds}");
    let begin = || {
        exec(case, &["-d", "box", "sleep", &seconds]).code(0);
        wait_until("it runs", LIMIT, || running(&line).len() == 1);
    };
    start(case, &["--pid=host"], &image, "sleep 1000");
    begin();
    let status = std::fs::read_to_string(format!("/proc/{}/status", running(&line)[0])).unwrap();
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:\t")).unwrap().parse().unwrap();
    kill_process(Pid::from_raw(parent).unwrap(), Signal::KILL).unwrap();
    wait_until("it ends with its parent", LIMIT, || running(&line).is_empty());
    begin();
    case.coracle(["rm", "-f", "-t0", "box"]).code(0);
    wait_until("it ends with its container", LIMIT, || running(&line).is_empty());
}

/// A crowd of processes ends with its container, however it hides.
fn a_crowd_ends_with_its_container(case: &Case) {
    let image = case.busybox();
    let mark = mark(case);
    let script = format!(
        "trap '' TERM HUP INT; for i in $(seq 200); do setsid sh -c 'trap \"\" TERM; sleep {mark}' & done; touch /done; wait; sleep {mark}"
    );
    let line = format!("sleep {mark}");
    start(case, &[], &image, &script);
    wait_until("the crowd is there", LIMIT, || running(&line).len() >= 200);
    case.coracle(["rm", "-f", "-t0", "box"]).code(0);
    wait_until("nobody is left", LIMIT, || running(&line).is_empty());
}

/// What a container says, however much, is kept to what was asked for, and holds nobody up.
fn a_flood_of_output(case: &Case) {
    let image = case.busybox();
    let line = "x".repeat(1000);
    start(
        case,
        &["--log-opt=max-size=200k"],
        &image,
        &format!("yes {line} | head -c 60000000; head -c 3000000 /dev/zero; touch /done; sleep 1000"),
    );
    wait_until("the flood is over", LIMIT, || exec(case, &["box", "test", "-e", "/done"]).code == Some(0));
    let log = case.inspect("box", "{{.HostConfig.LogConfig.Path}}");
    let folder = Path::new(&log).parent().unwrap();
    let files = std::fs::read_dir(folder)
        .unwrap()
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().contains("log"));
    let size: u64 = files.map(|entry| entry.metadata().unwrap().len()).sum();
    assert!(size < 1 << 20, "{size} bytes of log");
    let monitor = case.inspect("box", "{{.State.ConmonPid}}");
    let status = std::fs::read_to_string(format!("/proc/{monitor}/status")).unwrap();
    let peak =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().split(' ').next()?.parse::<u64>().ok());
    assert!(peak.unwrap() < 32 << 10, "{status}");
    case.coracle(["logs", "--tail=1", "box"]).code(0);
}

/// Whoever speaks to the monitor, and whatever they say, it goes on; and what a container prints is output, though it looks like
/// the monitor's own words.
fn words_for_the_monitor(case: &Case) {
    let image = case.busybox();
    start(case, &[], &image, "sleep 1000");
    let path = case.store().join("containers").join(case.inspect("box", "{{.Id}}")).join("control");
    let mut held = Vec::new();
    for round in 0..300_u32 {
        let client = socket(AddressFamily::UNIX, SocketType::SEQPACKET, None).unwrap();
        connect(&client, &address(&path)).unwrap();
        for kind in [b'i', b'w', b'q', b'h', b'u', b'z', 0, 255] {
            let noise: Vec<u8> = (0..round % 70).map(|number| (number * 37 + round) as u8).collect();
            // Who talks nonsense may be cut off.
            let _ = send(&client, &[&[kind], noise.as_slice()].concat(), SendFlags::NOSIGNAL | SendFlags::DONTWAIT);
        }
        if round % 10 == 0 {
            held.push(client);
        }
    }
    exec(case, &["box", "echo", "here"]).code(0).stdout("here\n");
    assert_eq!(case.inspect("box", "{{.State.Status}}"), "running");
    drop(held);
    let forged = "printf 'x\\001\\000\\000\\000'; printf 'f\\175no'; exit 7";
    run(case, &["-t"], &image, forged).code(7).stdout("x\u{1}\0\0\0f}no");
}

/// The address of a socket whose path is longer than an address: through the descriptor of its folder.
fn address(path: &Path) -> SocketAddrUnix {
    use std::os::fd::AsRawFd;
    let folder = Box::leak(Box::new(std::fs::File::open(path.parent().unwrap()).unwrap()));
    let name = path.file_name().unwrap().to_str().unwrap();
    SocketAddrUnix::new(format!("/proc/self/fd/{}/{name}", folder.as_fd().as_raw_fd())).unwrap()
}

on_both_drivers!(
    nothing_is_inheritable,
    a_user_has_no_capability,
    control_groups_of_the_machine,
    long_messages,
    sockets_without_a_file,
    groups_that_shut_out,
    shared_memory_ends,
    the_store_is_the_accounts_own,
    kills_reach_the_container_alone,
    commands_among_the_machines_processes,
    a_crowd_ends_with_its_container,
    a_flood_of_output,
    words_for_the_monitor,
);
