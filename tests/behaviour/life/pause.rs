//! `pause`: every process stops, the commands know it, and an end is still possible.

use crate::behaviour::flags::groups::divisible;
use crate::harness::{Case, LIMIT, wait_until};

fn start<'a>(case: &Case, image: &'a str, flags: &[&'a str]) {
    let script = "trap 'exit 5' TERM; while :; do echo turn; sleep 0.02; done";
    let line = ["run", "-d", "--network=none", "--name=box"].iter().chain(flags).copied();
    case.coracle(line.chain([image, "sh", "-c", script])).succeeded();
    // From here on it hears the signal.
    wait_until("the program has begun", LIMIT, || !case.coracle(["logs", "box"]).succeeded().stdout.is_empty());
}

fn a_paused_container_waits(case: &Case) {
    if !divisible(case) {
        return;
    }
    let image = case.busybox();
    start(case, &image, &[]);
    case.coracle(["pause", "box"]).code(0).stdout("box\n");
    let template = "{{.State.Status}} {{.State.Paused}} {{.State.Running}}";
    assert_eq!(case.inspect("box", template), "paused true false");
    case.coracle(["ps", "-q"]).code(0).stdout("");
    case.coracle(["ps", "--filter=status=paused", "--format={{.Names}} {{.State}} {{.Status}}"])
        .code(0)
        .stdout("box paused Paused\n");
    case.coracle(["wait", "--condition=paused", "box"]).code(0);
    // The kernel says that nobody runs, so what is written by now is all.
    let turns = || case.coracle(["logs", "box"]).succeeded().stdout.len();
    let mut before = turns();
    wait_until("the monitor has read what was written", LIMIT, || std::mem::replace(&mut before, turns()) == before);
    case.coracle(["pause", "box"]).code(125).error("is already paused");
    case.coracle(["exec", "box", "true"]).code(255).error("container state improper");
    case.coracle(["attach", "box"]).code(125).error("running containers");
    case.coracle(["stop", "box"]).code(125).error("is in state paused");
    case.coracle(["restart", "box"]).code(125).error("paused or unknown state");
    case.coracle(["start", "box"]).code(125).error("is paused");
    case.coracle(["rm", "box"]).code(2).error("as it is paused");
    case.coracle(["stop", "--all"]).code(0).stdout("");
    case.coracle(["kill", "-s", "TERM", "box"]).code(0);
    assert_eq!(case.inspect("box", "{{.State.Status}}"), "paused");
    let id = case.inspect("box", "{{.Id}}") + "\n";
    case.coracle(["unpause", "--all"]).code(0).stdout(&id);
    // What came meanwhile, it gets now.
    case.coracle(["wait", "box"]).code(0).stdout("5\n");
    case.coracle(["unpause", "box"]).code(125).error("is not paused");
    case.coracle(["pause", "box"]).code(125).error("\"exited\" is not running");
    let events = case.coracle(["events", "--stream=false", "--format={{.Status}}"]).succeeded().stdout;
    assert!(events.contains("pause\n") && events.contains("unpause\n"), "{events}");
}

fn a_paused_container_can_be_ended(case: &Case) {
    if !divisible(case) {
        return;
    }
    let image = case.busybox();
    start(case, &image, &[]);
    case.coracle(["pause", "box"]).code(0);
    case.coracle(["kill", "box"]).code(0);
    case.coracle(["wait", "box"]).code(0).stdout("137\n");
    case.coracle(["start", "box"]).code(0);
    case.coracle(["pause", "-a"]).code(0);
    assert_eq!(case.inspect("box", "{{.State.Status}}"), "paused");
    case.coracle(["rm", "-f", "box"]).code(0);
    case.coracle(["ps", "-a", "-q"]).code(0).stdout("");
}

fn a_commit_can_pause(case: &Case) {
    if !divisible(case) {
        return;
    }
    let image = case.busybox();
    start(case, &image, &[]);
    case.coracle(["commit", "-q", "--pause", "box", "kept"]).code(0);
    assert_eq!(case.inspect("box", "{{.State.Status}}"), "running");
    case.coracle(["rm", "-f", "-t0", "box"]).code(0);
    start(case, &image, &["--cgroups=disabled"]);
    case.coracle(["pause", "box"]).code(125).error("no control group of its own");
    case.coracle(["commit", "-q", "--pause", "box", "kept"]).code(125).error("no control group of its own");
    case.coracle(["update", "--pids-limit=-1", "box"]).code(0);
}

on_both_drivers!(a_paused_container_waits, a_paused_container_can_be_ended, a_commit_can_pause);
