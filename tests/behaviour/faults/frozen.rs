//! Who only asks waits for nobody, and nothing hangs on the runtime directory.

use rustix::process::{Signal, kill_process};

use super::death::{mounter_of, pid_of};
use crate::harness::{Case, Driver};

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

on_both_drivers!(answers_beside_stopped_monitors, without_the_runtime_directory);
