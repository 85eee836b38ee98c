//! Signals and sudden deaths: of the command line, of the monitor, of the container.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::harness::{Case, LIMIT, Running, wait_until};

/// Much less than anything here waits for by design.
const SOON: Duration = Duration::from_secs(10);

const PATIENT: &str =
    "trap 'echo term; exit 9' TERM; trap 'echo int; exit 8' INT; echo ready; while :; do sleep 0.05; done";

pub fn exists(pid: Pid) -> bool {
    // A zombie has ended too.
    std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or_default().starts_with(" Z"))
}

pub fn pid_of(case: &Case, container: &str, field: &str) -> Pid {
    Pid::from_raw(case.inspect(container, field).parse().unwrap()).expect("a pid")
}

/// The mounter is a child of the monitor.
pub fn mounter_of(monitor: Pid) -> Pid {
    let monitor = monitor.as_raw_nonzero();
    let children = std::fs::read_to_string(format!("/proc/{monitor}/task/{monitor}/children")).unwrap();
    let is_mounter =
        |pid: &&str| std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name == "coracle-mounter\n");
    let found = children.split_whitespace().find(is_mounter).expect("a child of the monitor is the mounter");
    Pid::from_raw(found.parse().unwrap()).expect("a pid")
}

/// A foreground run of [`PATIENT`] as `box`, once its traps are set.
fn patient(case: &Case, image: &str, flags: &[&str]) -> Running {
    let head = ["run", "--network=none", "--name", "box"].iter().chain(flags).copied();
    let running = case.command(head.chain([image, "sh", "-c", PATIENT])).own_group().start();
    wait_until("it runs", LIMIT, || {
        let finished = case.coracle(["inspect", "--format", "{{.State.Pid}}", "box"]);
        let Ok(pid) = finished.stdout.trim_end().parse::<i32>() else { return false };
        // The traps are set once the shell sleeps for the first time.
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        pid > 0 && !children.trim().is_empty()
    });
    running
}

fn signals_are_passed_on(case: &Case) {
    let image = case.busybox();
    for (signal, word, code) in [(Signal::TERM, "term", 9), (Signal::INT, "int", 8)] {
        let running = patient(case, &image, &["--rm"]);
        running.signal(signal);
        running.finish().code(code).stdout(&format!("ready\n{word}\n"));
    }
}

/// `--sig-proxy=false`: the command line ends of its signal as any program does, and the container learns nothing of it.
fn signals_are_not_passed_on(case: &Case) {
    let image = case.busybox();
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let running = patient(case, &image, &["--sig-proxy=false"]);
        running.signal(signal);
        running.finish().code(code).stderr("");
        assert_eq!(case.inspect("box", "{{.State.Status}}"), "running");
        case.coracle(["stop", "box"]).code(0);
        case.coracle(["logs", "box"]).code(0).stdout("ready\nterm\n");
        assert_eq!(case.inspect("box", "{{.State.ExitCode}}"), "9");
        case.coracle(["rm", "box"]).code(0);
    }
}

/// Ctrl-C reaches the whole foreground group of a terminal: the container gets it once, and its code comes back.
fn interrupt_of_the_group(case: &Case) {
    let image = case.busybox();
    let running = patient(case, &image, &["--rm"]);
    rustix::process::kill_process_group(running.pid(), Signal::INT).unwrap();
    running.finish().code(8).stdout("ready\nint\n");
    case.coracle(["ps", "-a", "-q"]).code(0).stdout("");
}

/// A foreground command line that is killed takes its container along.
fn killed_command_line(case: &Case) {
    let image = case.busybox();
    let running = patient(case, &image, &["--rm"]);
    let init = pid_of(case, "box", "{{.State.Pid}}");
    running.signal(Signal::KILL);
    wait_until("the container's program is gone", LIMIT, || !exists(init));
    // `--rm` is kept by whoever comes next, if not by the monitor.
    wait_until("the container is removed", LIMIT, || case.coracle(["ps", "-a", "-q"]).stdout.is_empty());
    running.finish();
}

fn killed_command_line_without_rm(case: &Case) {
    let image = case.busybox();
    let running = patient(case, &image, &[]);
    let init = pid_of(case, "box", "{{.State.Pid}}");
    running.signal(Signal::KILL);
    wait_until("the container's program is gone", LIMIT, || !exists(init));
    wait_until("it is shown as ended", LIMIT, || case.inspect("box", "{{.State.Status}}") == "exited");
    running.finish();
    case.coracle(["rm", "box"]).code(0);
}

/// By the kernel's hand: the monitor is the first process of the pid namespace that holds the container's.
fn killed_monitor(case: &Case) {
    let image = case.busybox();
    // A grandchild that changed its ids and ignores everything dies too.
    let script = "setsid sh -c 'trap \"\" TERM HUP INT; sleep 1000' & sleep 1000";
    case.coracle(["run", "-d", "--network=none", "--name", "box", &image, "sh", "-c", script]).succeeded();
    let init = pid_of(case, "box", "{{.State.Pid}}");
    let monitor = pid_of(case, "box", "{{.State.ConmonPid}}");
    assert!(exists(init) && exists(monitor));
    kill_process(monitor, Signal::KILL).unwrap();
    wait_until("the container's program is gone", LIMIT, || !exists(init));
    // The code is unknown, and never 0.
    wait_until("it is shown as ended", LIMIT, || case.inspect("box", "{{.State.Status}}") == "exited");
    assert_ne!(case.inspect("box", "{{.State.ExitCode}}"), "0");
    let status = case.coracle(["ps", "-a", "--format", "{{.Status}}"]).succeeded().stdout;
    assert!(status.starts_with("Exited ") && !status.contains("(0)"), "{status}");
    case.coracle(["rm", "box"]).code(0).stdout("box\n");
    case.coracle(["ps", "-a", "-q"]).code(0).stdout("");
}

/// The container's first process is killed from outside: 128+9, recorded.
fn killed_program(case: &Case) {
    let image = case.busybox();
    let running = patient(case, &image, &[]);
    kill_process(pid_of(case, "box", "{{.State.Pid}}"), Signal::KILL).unwrap();
    running.finish().code(137);
    assert_eq!(case.inspect("box", "{{.State.Status}} {{.State.ExitCode}}"), "exited 137");
}

/// A program that does not listen is killed after its time.
fn stop_of_a_deaf_program(case: &Case) {
    let image = case.busybox();
    let script = "trap '' TERM; while :; do sleep 0.05; done";
    case.coracle(["run", "-d", "--network=none", "--name", "deaf", &image, "sh", "-c", script]).succeeded();
    let started = std::time::Instant::now();
    let finished = case.coracle(["stop", "-t", "1", "deaf"]).code(0);
    assert_eq!(finished.stdout, "deaf\n");
    assert!(started.elapsed().as_millis() >= 900, "killed before its time");
    assert_eq!(case.inspect("deaf", "{{.State.ExitCode}}"), "137");
}

/// The image's own stop signal is the one that is sent.
fn stop_signal_of_the_image(case: &Case) {
    let image = crate::harness::Image::busybox().config("StopSignal", "SIGUSR1").push("stopsignal:latest");
    let image = case.pull(&image);
    let script = "trap 'exit 11' USR1; while :; do sleep 0.05; done";
    case.coracle(["run", "-d", "--network=none", "--name", "box", &image, "sh", "-c", script]).succeeded();
    let init = pid_of(case, "box", "{{.State.Pid}}").as_raw_nonzero();
    wait_until("the trap is set", LIMIT, || {
        !std::fs::read_to_string(format!("/proc/{init}/task/{init}/children")).unwrap_or_default().trim().is_empty()
    });
    case.coracle(["stop", "box"]).code(0);
    assert_eq!(case.inspect("box", "{{.State.ExitCode}}"), "11");
}

/// Real-time signals: systemd's are, as an image's stop signal and by hand. One that no kernel has is the image's mistake.
fn real_time_signals(case: &Case) {
    for (signal, code) in [("SIGRTMIN+3", "12"), ("SIGNONSENSE", "13")] {
        // The other driver's test pushes at the same time: to each image its own name.
        let name = format!("realtime-{code}:latest");
        let image = crate::harness::Image::busybox().config("StopSignal", signal).push(&name);
        let image = case.pull(&image);
        let script = "trap 'exit 12' 37; trap 'exit 13' TERM; while :; do sleep 0.05; done";
        case.coracle(["run", "-d", "--network=none", "--name", "box", &image, "sh", "-c", script]).succeeded();
        let init = pid_of(case, "box", "{{.State.Pid}}").as_raw_nonzero();
        wait_until("the traps are set", LIMIT, || {
            let children = std::fs::read_to_string(format!("/proc/{init}/task/{init}/children")).unwrap_or_default();
            !children.trim().is_empty()
        });
        case.coracle(["stop", "box"]).code(0);
        assert_eq!(case.inspect("box", "{{.State.ExitCode}}"), code);
        case.coracle(["rm", "box"]).code(0);
    }
    let image = case.busybox();
    case.coracle(["run", "-d", "--network=none", "--name", "box", &image, "sleep", "1000"]).succeeded();
    case.coracle(["kill", "--signal", "RTMAX+1", "box"]).code(125).error("RTMAX+1");
    case.coracle(["kill", "--signal", "RTMIN+1", "box"]).code(0);
    case.coracle(["rm", "-f", "-t", "0", "box"]).code(0);
    case.coracle(["run", "--rm", "--network=none", "--stop-signal=NOPE", &image, "true"]).code(125).error("NOPE");
}

/// What was killed together with its monitor, or before it had one, and was to remove itself, the next command removes.
fn killed_with_rm(case: &Case) {
    let image = case.busybox();
    let run = |name: &str| {
        let finished = case.coracle(["run", "-d", "--rm", "--network=none", "--name", name, &image, "sleep", "1000"]);
        finished.succeeded().stdout.trim_end().to_owned()
    };
    let waiting = case.coracle(["create", "--rm", "--network=none", &image, "true"]).succeeded().stdout;
    let launch = |id: &str| {
        let path = case.store().join("containers").join(id.trim_end()).join("container.json");
        let text = std::fs::read_to_string(&path).unwrap();
        let mut record: serde_json::Value = serde_json::from_str(&text).unwrap();
        record["waits"] = false.into();
        std::fs::write(&path, record.to_string()).unwrap();
    };
    for next in [&["ps", "-a"] as &[&str], &["rm", "-f", "absent"], &["run", "--rm", "--network=none", "--name", "box"]]
    {
        let living = run("alive");
        run("box");
        let (init, monitor) = (pid_of(case, "box", "{{.State.Pid}}"), pid_of(case, "box", "{{.State.ConmonPid}}"));
        kill_process(monitor, Signal::KILL).unwrap();
        wait_until("both are gone", LIMIT, || !exists(init) && !exists(monitor));
        // One whose `run` was killed before the launch.
        let stranded = case.coracle(["create", "--rm", "--network=none", &image, "true"]).succeeded().stdout;
        launch(&stranded);
        let program: &[&str] = if next[0] == "run" { &[&image, "true"] } else { &[] };
        case.coracle(next.iter().chain(program).copied()).code(0);
        let left = std::fs::read_dir(case.store().join("containers")).unwrap().flatten();
        let mut left: Vec<_> = left.map(|entry| entry.file_name().into_string().unwrap()).collect();
        let mut expected = [waiting.trim_end().to_owned(), living];
        left.sort();
        expected.sort();
        assert_eq!(left, expected, "after {next:?}");
        assert!(std::fs::symlink_metadata(case.store().join("names/box")).is_err());
        case.coracle(["rm", "-f", "-t", "0", "alive"]).code(0);
    }
}

/// A `run --rm` that is interrupted at any moment before its program runs leaves nothing that the next command meets.
fn interrupted_while_it_starts(case: &Case) {
    let image = case.busybox();
    let run = ["run", "--rm", "--network=none", "--name", "box", &image, "true"];
    for (round, signal) in [Signal::INT, Signal::TERM, Signal::KILL].into_iter().cycle().take(24).enumerate() {
        let running = case.command(run).start();
        wait_until("it has its name, or is gone", LIMIT, || {
            std::fs::symlink_metadata(case.store().join("names/box")).is_ok() || !exists(running.pid())
        });
        std::thread::sleep(Duration::from_micros(300) * u32::try_from(round / 3).unwrap());
        running.signal(signal);
        running.finish();
        // A monitor that had been started takes a moment to end.
        wait_until("nothing is left", SOON, || case.coracle(["ps", "-a", "-q"]).succeeded().stdout.is_empty());
        case.coracle(run).code(0).stderr("");
    }
    // Just before the monitor is started, which is when it is all there.
    let plan = case.home.join("points");
    let fault = |kind: usize| format!("die {kind} {}", plan.display());
    case.command(run).env("CORACLE_FAULT", fault(1000)).finish().code(0);
    let points = std::fs::read_to_string(&plan).unwrap();
    let launch = points.lines().position(|point| point == "launch: clone the monitor").expect("a launch");
    let _ = std::fs::remove_file(&plan);
    case.command(run).env("CORACLE_FAULT", fault(launch + 1)).finish();
    case.coracle(run).code(0).stderr("");
}

on_both_drivers!(
    killed_with_rm,
    interrupted_while_it_starts,
    real_time_signals,
    signals_are_passed_on,
    signals_are_not_passed_on,
    interrupt_of_the_group,
    killed_command_line,
    killed_command_line_without_rm,
    killed_monitor,
    killed_program,
    stop_of_a_deaf_program,
    stop_signal_of_the_image,
);

/// A caller that ignores SIGCHLD hands that on: children must be waited for all the same.
#[test]
fn a_caller_that_ignores_children() {
    let case = Case::new(crate::harness::Driver::Auto);
    let image = case.busybox();
    let program = crate::harness::binary();
    let line = format!("trap '' CHLD; exec '{}' run --rm --network=none {image} sh -c 'exit 3'", program.display());
    case.command_of("bash".as_ref(), ["-c", &line]).finish().code(3).stderr("");
}

/// The mounter dies: the container must not live on with a dead root.
#[test]
fn killed_mounter() {
    Case::with(crate::harness::Driver::Fuse, |case| ends_with_its_mounter(case, &[]));
}

/// Nor with a dead volume.
#[test]
fn killed_mounter_of_a_volume() {
    Case::with(crate::harness::Driver::Kernel, |case| {
        let shared = case.home.join("shared");
        std::fs::create_dir(&shared).unwrap();
        ends_with_its_mounter(case, &["-u", "33", "-v", &format!("{}:/v:mine", shared.display())]);
    });
}

fn ends_with_its_mounter(case: &Case, flags: &[&str]) {
    let image = case.busybox();
    let all = [&["run", "-d", "--network=none", "--name", "box"], flags, &[&image, "sleep", "1000"]].concat();
    case.coracle(all).succeeded();
    let init = pid_of(case, "box", "{{.State.Pid}}");
    kill_process(mounter_of(pid_of(case, "box", "{{.State.ConmonPid}}")), Signal::KILL).unwrap();
    wait_until("the container's program is gone", LIMIT, || !exists(init));
    wait_until("it is shown as ended", LIMIT, || case.inspect("box", "{{.State.Status}}") == "exited");
    assert_ne!(case.inspect("box", "{{.State.ExitCode}}"), "0");
}
