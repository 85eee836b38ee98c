//! Who only asks waits for nobody, and nothing hangs on the runtime directory.

use std::time::{Duration, Instant};

use rustix::process::{Signal, kill_process};

use super::death::{exists, mounter_of, pid_of};
use crate::harness::{Case, Driver, LIMIT, wait_until};

/// With monitors and servers that are stopped, whatever only reads answers.
fn answers_beside_stopped_monitors(case: &Case) {
    let image = case.busybox();
    case.coracle(["run", "-d", "--network=none", "--name", "box", &image, "sh", "-c", "echo said; exec sleep 1000"])
        .succeeded();
    let monitor = pid_of(case, "box", "{{.State.ConmonPid}}");
    let mut stopped = vec![monitor];
    if case.driver == Driver::Fuse {
        stopped.push(mounter_of(monitor));
    }
    stopped.iter().for_each(|pid| kill_process(*pid, Signal::STOP).unwrap());
    for question in [
        &["ps"] as &[&str],
        &["ps", "-a", "--format", "json"],
        &["ps", "-q", "--filter", "status=running"],
        &["inspect", "box"],
        &["info"],
        &["images"],
        &["logs", "box"],
        &["container", "exists", "box"],
        &["port", "box"],
        &["volume", "ls"],
        &["--help"],
    ] {
        case.coracle(question.iter().copied()).code(0);
    }
    // Another container starts, too, and goes.
    case.sh(&image, "echo lives").code(0).stdout("lives\n");
    stopped.iter().for_each(|pid| kill_process(*pid, Signal::CONT).unwrap());
    case.coracle(["exec", "box", "true"]).code(0);
}

/// Nor does one hold up the end of its container, whether the program lives or has died beside it.
fn ends_beside_a_stopped_monitor(case: &Case) {
    let image = case.busybox();
    for died in [false, true] {
        for end in [["stop", "-t1", "box"], ["rm", "-ft0", "box"]] {
            case.coracle(["run", "-d", "--network=none", "--name", "box", &image, "sleep", "1000"]).succeeded();
            let init = pid_of(case, "box", "{{.State.Pid}}");
            kill_process(pid_of(case, "box", "{{.State.ConmonPid}}"), Signal::STOP).unwrap();
            if died {
                kill_process(init, Signal::KILL).unwrap();
                wait_until("the program has ended", LIMIT, || !exists(init));
            }
            let begun = Instant::now();
            case.coracle(end).code(0).stdout("box\n");
            assert!(begun.elapsed() < Duration::from_secs(8), "{end:?} took {:?}", begun.elapsed());
            if end[0] == "stop" {
                assert_eq!(case.inspect("box", "{{.State.Status}} {{.State.ExitCode}}"), "exited 137");
                case.coracle(["rm", "box"]).code(0);
            }
            case.coracle(["ps", "-a", "-q"]).code(0).stdout("");
        }
    }
}

/// Who would speak with it is told, after a while, or goes when it is interrupted.
fn no_talk_with_a_stopped_monitor(case: &Case) {
    let image = case.busybox();
    let check = ["--health-cmd=true", "--health-interval=disable"];
    let run = ["run", "-d", "--network=none", "--name", "box"].into_iter().chain(check);
    case.coracle(run.chain([&*image, "sleep", "1000"])).succeeded();
    let monitor = pid_of(case, "box", "{{.State.ConmonPid}}");
    kill_process(monitor, Signal::STOP).unwrap();
    let talks = [&["attach", "box"][..], &["update", "--restart=always", "box"], &["healthcheck", "run", "box"]];
    let begun = talks.map(|talk| case.command(talk.iter().copied()).start());
    for talk in begun {
        talk.finish().code(125).error("does not answer").says("hint: `kill -CONT ");
    }
    let attached = case.command(["attach", "box"]).start();
    wait_until("it waits", LIMIT, || {
        let call = std::fs::read_to_string(format!("/proc/{}/syscall", attached.pid().as_raw_nonzero()));
        let call = call.ok().and_then(|call| call.split(' ').next()?.parse().ok());
        [libc::SYS_poll, libc::SYS_ppoll].map(Some).contains(&call)
    });
    attached.signal(Signal::INT);
    assert_eq!(attached.finish().signal, Some(Signal::INT.as_raw()));
    kill_process(monitor, Signal::CONT).unwrap();
    case.coracle(["exec", "box", "true"]).code(0);
}

/// An end takes as long as the disk takes to be written; nobody calls that a container that can't be killed.
fn ends_once_all_is_written(case: &Case) {
    let image = case.busybox();
    let script = "echo kept >/file; echo written; exec sleep 1000";
    case.coracle(["run", "-d", "--network=none", "--name", "box", &image, "sh", "-c", script]).succeeded();
    wait_until("it has written", LIMIT, || case.coracle(["logs", "box"]).stdout == "written\n");
    let init = pid_of(case, "box", "{{.State.Pid}}");
    let mounter = mounter_of(pid_of(case, "box", "{{.State.ConmonPid}}"));
    kill_process(mounter, Signal::STOP).unwrap();
    let stop = case.command(["stop", "-t0", "box"]).start();
    wait_until("the program has ended", LIMIT, || !exists(init));
    // Longer than what is killed may take.
    std::thread::sleep(Duration::from_secs(11));
    kill_process(mounter, Signal::CONT).unwrap();
    stop.finish().code(0).stdout("box\n");
    assert_eq!(case.inspect("box", "{{.State.Status}} {{.State.ExitCode}}"), "exited 137");
    case.coracle(["start", "box"]).code(0);
    case.coracle(["exec", "box", "cat", "/file"]).code(0).stdout("kept\n");
}

/// A logout takes the runtime directory away, and the containers live on.
fn without_the_runtime_directory(case: &Case) {
    let image = case.busybox();
    let script = "trap 'echo ended; exit 0' TERM; echo said; while :; do sleep 0.05; done";
    case.coracle(["run", "-d", "--network=none", "--name", "box", &image, "sh", "-c", script]).succeeded();
    if let Some(runtime) = &case.runtime {
        std::fs::remove_dir_all(runtime).unwrap();
    }
    case.coracle(["exec", "box", "echo", "in"]).code(0).stdout("in\n");
    case.coracle(["ps", "--format", "{{.Names}}"]).code(0).stdout("box\n");
    case.coracle(["cp", "box:/etc/passwd", "passwd"]).code(0);
    case.coracle(["stop", "box"]).code(0);
    case.coracle(["logs", "box"]).code(0).stdout("said\nended\n");
    assert_eq!(case.inspect("box", "{{.State.Status}} {{.State.ExitCode}}"), "exited 0");
    case.coracle(["start", "box"]).code(0);
    case.coracle(["kill", "box"]).code(0);
    case.coracle(["rm", "-f", "box"]).code(0);
}

on_both_drivers!(
    answers_beside_stopped_monitors,
    ends_beside_a_stopped_monitor,
    no_talk_with_a_stopped_monitor,
    without_the_runtime_directory,
);

#[test]
fn an_end_waits_for_the_disk() {
    Case::with(Driver::Fuse, ends_once_all_is_written);
}
