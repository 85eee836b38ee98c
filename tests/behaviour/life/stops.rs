//! However a container's processes end, nothing of them is left, and it can be started again at once, with what it wrote.

use rustix::process::{Pid, Signal, kill_process};

use crate::behaviour::faults::cut::users;
use crate::behaviour::faults::death::{exists, mounter_of, pid_of};
use crate::harness::{Case, Driver, LIMIT, long_or, wait_until};

/// Keeps the server of its root busy, and counts how often it was started.
const BUSY: &str = "echo x >>/starts; while :; do cat /bin/busybox >/big; echo y >>/bin/added; rm /big; done";

/// Who is ended, and how.
#[derive(Debug, Clone, Copy)]
enum Victim {
    Mounter(Signal),
    Monitor(Signal),
    Program(Signal),
}

const VICTIMS: [Victim; 5] = [
    Victim::Mounter(Signal::ABORT),
    Victim::Monitor(Signal::KILL),
    Victim::Mounter(Signal::KILL),
    Victim::Program(Signal::KILL),
    Victim::Monitor(Signal::TERM),
];

#[test]
fn nothing_is_left_of_killed_runs() {
    Case::with(Driver::Fuse, |case| {
        let image = case.busybox();
        case.coracle(["create", "--stop-timeout=0", "--network=none", "--name", "box", &image, "sh", "-c", BUSY])
            .succeeded();
        let rounds: usize = long_or(1_000, 10);
        for (round, victim) in VICTIMS.iter().cycle().take(rounds).enumerate() {
            case.coracle(["start", "box"]).code(0);
            let init = pid_of(case, "box", "{{.State.Pid}}");
            let monitor = pid_of(case, "box", "{{.State.ConmonPid}}");
            let mounter = mounter_of(monitor);
            // What it wrote before each end is there.
            wait_until("it counts its start", LIMIT, || {
                case.coracle(["exec", "box", "cat", "/starts"]).stdout.lines().count() == round + 1
            });
            let (pid, signal): (Pid, Signal) = match *victim {
                Victim::Mounter(signal) => (mounter, signal),
                Victim::Monitor(signal) => (monitor, signal),
                Victim::Program(signal) => (init, signal),
            };
            kill_process(pid, signal).unwrap();
            for (what, pid) in [("program", init), ("monitor", monitor), ("mounter", mounter)] {
                wait_until(&format!("round {round}, {victim:?}: the {what} is gone"), LIMIT, || !exists(pid));
            }
            let store = case.store();
            wait_until("nobody has a part of the store open, or mounted", LIMIT, || users(&store).is_empty());
            wait_until("it is shown as ended", LIMIT, || case.inspect("box", "{{.State.Status}}") == "exited");
            assert_ne!(case.inspect("box", "{{.State.ExitCode}}"), "0", "{victim:?}");
        }
        case.coracle(["rm", "box"]).code(0);
    });
}

/// As a service manager does it: each process is told, and the program ends in its own way, with all its files.
fn a_unit_is_stopped(case: &Case) {
    let image = case.busybox();
    let script = "trap 'echo bye | tee /bye; exit 7' TERM; echo ready; while :; do sleep 0.1; done";
    case.coracle(["run", "-d", "--network=none", "--name", "box", &image, "sh", "-c", script]).succeeded();
    wait_until("it can be told", LIMIT, || case.coracle(["logs", "box"]).stdout == "ready\n");
    let monitor = pid_of(case, "box", "{{.State.ConmonPid}}");
    let mounter = (case.driver == Driver::Fuse).then(|| mounter_of(monitor));
    // Whoever tells the server of its root alone, is not heard: it ends with what it serves.
    if let Some(pid) = mounter {
        kill_process(pid, Signal::TERM).unwrap();
        case.coracle(["exec", "box", "sh", "-c", "echo x >/x; cat /x"]).code(0).stdout("x\n");
    }
    for pid in mounter.into_iter().chain([monitor, pid_of(case, "box", "{{.State.Pid}}")]) {
        kill_process(pid, Signal::TERM).unwrap();
    }
    wait_until("it has ended", LIMIT, || case.inspect("box", "{{.State.Status}} {{.State.ExitCode}}") == "exited 7");
    case.coracle(["start", "box"]).code(0);
    case.coracle(["exec", "box", "cat", "/bye"]).code(0).stdout("bye\n");
    case.coracle(["rm", "-f", "-t0", "box"]).code(0);
}

/// A program that takes no notice is killed when its time is over, and that is known.
fn a_unit_is_stopped_in_time(case: &Case) {
    let image = case.busybox();
    let run = ["run", "-d", "--network=none", "--name", "box", "--restart=always", "--stop-timeout=1"];
    case.coracle(run.into_iter().chain([image.as_str(), "sleep", "1000"])).succeeded();
    kill_process(pid_of(case, "box", "{{.State.ConmonPid}}"), Signal::TERM).unwrap();
    wait_until("it has ended", LIMIT, || case.inspect("box", "{{.State.Status}} {{.State.ExitCode}}") == "exited 137");
}

on_both_drivers!(a_unit_is_stopped, a_unit_is_stopped_in_time);
