//! A build that is killed at any instant, or interrupted; and whoever works for it.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::Bench;
use crate::behaviour::build::Context;
use crate::behaviour::faults::cut::users;
use crate::behaviour::faults::death::exists;
use crate::behaviour::faults::dice::{Dice, seed};
use crate::harness::{Case, LIMIT, Running, long_or, wait_for, wait_until};

/// `CORACLE_SEED=N` does the same again; `CORACLE_LONG=1`: many times more.
fn killed_at_any_instant(case: &Case) {
    case.busybox();
    let bench = Bench::new(case);
    let begun = Instant::now();
    let done = bench.command().finish();
    let whole = u64::try_from(begun.elapsed().as_micros()).unwrap();
    bench.judge(&done, "in peace");
    let seed = seed();
    let mut dice = Dice::new(seed);
    for round in 0..long_or(300, 6) {
        let instant = Duration::from_micros(dice.below(whole));
        let victim = *dice.one_of(&["the builder", "the builder", "one of its own"]);
        let signal = *dice.one_of(&[Signal::KILL, Signal::INT, Signal::TERM]);
        let told = format!("seed {seed}, round {round}: {victim} after {instant:?}, {signal:?}");
        let running = bench.command().start();
        std::thread::sleep(instant);
        if victim == "the builder" {
            running.signal(signal);
        } else {
            let own: Vec<Pid> =
                users(&case.store()).iter().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect();
            if !own.is_empty() {
                let _ = kill_process(*dice.one_of(&own), Signal::KILL);
            }
        }
        let done = running.finish();
        assert!(done.signal.is_none() || victim == "the builder" || done.signal == Some(9), "{told}: {done}");
        bench.judge(&done, &told);
    }
}

/// A build whose second RUN sleeps, once it does: the sleeper's pid.
fn sleeping(case: &Case, flags: &[&str]) -> (Running, Pid) {
    let context = Context::new(case, "FROM IMAGE\nRUN echo first >/first\nRUN exec sleep SECONDS\n");
    // Nobody else's, of the cases that run beside this one either.
    static NEXT: AtomicU32 = AtomicU32::new(10);
    let seconds = format!("7{:05}{}", std::process::id() % 100_000, NEXT.fetch_add(1, Ordering::Relaxed));
    let text = fs::read_to_string(context.path.join("Containerfile")).unwrap();
    context.file("Containerfile", &text.replace("SECONDS", &seconds));
    let fixed = ["build", "-t", "built", "--network=none"].iter().chain(flags).copied();
    let running = case.command(fixed.chain([context.path.to_str().unwrap()])).own_group().start();
    let line = format!("sleep\0{seconds}\0");
    let pid = wait_for("the command sleeps", LIMIT, || {
        let processes =
            fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let pids = processes.filter_map(|name| name.parse().ok());
        pids.into_iter()
            .find(|pid: &i32| fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|found| found == line.as_bytes()))
    });
    (running, Pid::from_raw(pid).unwrap())
}

/// The control group of a process, where it has one to itself.
fn group_of(pid: Pid) -> Option<PathBuf> {
    let text = fs::read_to_string(format!("/proc/{}/cgroup", pid.as_raw_nonzero())).ok()?;
    let name = text.lines().find_map(|line| line.strip_prefix("0::/"))?.to_owned();
    (name.contains("payload") || name.contains("coracle-")).then(|| PathBuf::from("/sys/fs/cgroup").join(name))
}

/// With the builder its containers end, and their mounts and control groups go; what is in `tmp/` goes with the next command.
fn a_killed_builder_takes_all_along(case: &Case) {
    for signal in [Signal::KILL, Signal::TERM, Signal::INT] {
        let (running, sleeper) = sleeping(case, &[]);
        let group = group_of(sleeper);
        running.signal(signal);
        wait_until("the command is gone", LIMIT, || !exists(sleeper));
        running.finish();
        wait_until("no process has a part of the store", LIMIT, || users(&case.store()).is_empty());
        case.coracle(["ps", "-a", "-q"]).code(0).stdout("");
        case.coracle(["system", "check"]).code(0);
        case.coracle(["image", "prune", "-f"]).code(0);
        wait_until("its files are gone", LIMIT, || fs::read_dir(case.store().join("tmp")).unwrap().next().is_none());
        if let Some(group) = group {
            wait_until("its control group is gone", LIMIT, || !group.exists());
        }
    }
}

/// Ctrl-C at a terminal: all ends within a moment, and what was done before is remembered.
fn interrupted(case: &Case) {
    let (running, sleeper) = sleeping(case, &[]);
    let begun = Instant::now();
    kill_process_group(running.pid(), Signal::INT).unwrap();
    let done = running.finish();
    assert!(done.code == Some(130) || done.signal == Some(Signal::INT.as_raw()), "{done}");
    assert!(begun.elapsed() < Duration::from_secs(5), "it took {:?}", begun.elapsed());
    wait_until("the command is gone", LIMIT, || !exists(sleeper));
    case.coracle(["image", "exists", "built"]).code(1);
    let context = Context::new(case, "FROM IMAGE\nRUN echo first >/first\n");
    let again = context.build(&[]).code(0);
    assert!(again.stdout.contains("Using cache"), "{again}");
    case.coracle(["system", "check"]).code(0);
}

on_both_drivers!(killed_at_any_instant, a_killed_builder_takes_all_along, interrupted);
