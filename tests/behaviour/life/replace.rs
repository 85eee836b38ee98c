//! `--replace`: the name leads to a container at every moment, and to nobody else's.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::harness::{Case, Finished, LIMIT, wait_until};

/// Replaces `name` with one that runs, and whose end takes no time.
fn replace(case: &Case, image: &str, name: &str) -> Finished {
    let head = ["run", "-d", "--replace", "--network=none", "--stop-timeout=0", "--name", name];
    case.coracle(head.into_iter().chain([image, "sleep", "1000"]))
}

fn the_name_is_never_absent(case: &Case) {
    let image = case.busybox();
    replace(case, &image, "box").succeeded();
    let done = AtomicBool::new(false);
    let (probes, replaced) = std::thread::scope(|scope| {
        let prober = scope.spawn(|| {
            let mut probes = Vec::new();
            while !done.load(Ordering::Relaxed) {
                probes.push(case.coracle(["container", "exists", "box"]).code);
            }
            probes
        });
        let replaced: Vec<_> = (0..8).map(|_| replace(case, &image, "box")).collect();
        done.store(true, Ordering::Relaxed);
        (prober.join().unwrap(), replaced)
    });
    assert!(probes.len() > 8 && probes.iter().all(|code| *code == Some(0)), "{probes:?}");
    let ids: Vec<_> = replaced.into_iter().map(|one| one.succeeded().stdout).collect();
    case.coracle(["ps", "-aq", "--no-trunc"]).code(0).stdout(ids.last().unwrap());
}

/// Those who replace by one name at once all succeed, and one of them stays.
fn at_once(case: &Case) {
    let image = case.busybox();
    let all: Vec<_> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..8).map(|_| scope.spawn(|| replace(case, &image, "box"))).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let ids: Vec<_> = all.into_iter().map(|one| one.succeeded().stdout).collect();
    let left = case.coracle(["ps", "-aq", "--no-trunc"]).succeeded().stdout;
    assert!(ids.contains(&left), "{left} of {ids:?}");
    assert_eq!(case.inspect("box", "{{.Id}} {{.State.Status}}"), format!("{} running", left.trim_end()));
}

/// What is refused leaves the one that has the name as it was; one whose ID begins like the name is another.
fn nobody_else_goes(case: &Case) {
    let image = case.busybox();
    let first = replace(case, &image, "box").succeeded().stdout;
    let needs = ["run", "-d", "--network=container:box", "--name", "needs", &image, "sleep", "1000"];
    case.coracle(needs).succeeded();
    replace(case, &image, "box").code(125).error("dependent");
    assert_eq!(case.inspect("box", "{{.Id}} {{.State.Status}}"), format!("{} running", first.trim_end()));
    replace(case, &image, &first[..12]).succeeded();
    assert_eq!(case.inspect("box", "{{.State.Status}}"), "running");
}

/// The old one runs on under its name, as if nothing had been asked; one that only waits for its start takes the name all the same.
fn what_can_not_start_costs_nobody_a_container(case: &Case) {
    let image = case.busybox();
    let head = ["run", "-d", "--replace", "--network=none", "--stop-timeout=0", "--name=box", "-v=data:/data"];
    let with = |more: &[&str]| case.coracle(head.into_iter().chain(more.iter().copied()));
    with(&[&image, "sh", "-c", "touch /data/script; exec sleep 1000"]).succeeded();
    let shown = || case.inspect("box", "{{.Id}} {{.State.Pid}} {{.State.Status}}");
    let before = shown();
    for (more, code) in [
        (&[image.as_str(), "missing"][..], 127),
        (&["--init", &image, "missing"], 127),
        (&[&image, "/data/script"], 126),
        (&["--user=nobody-here", &image, "true"], 126),
        (&["--rm", "-v=/etc:/etc/passwd", &image, "true"], 125),
    ] {
        with(more).code(code).stdout("");
        assert_eq!(shown(), before, "after {more:?}");
        assert_eq!(case.coracle(["ps", "-aq"]).succeeded().stdout.lines().count(), 1, "after {more:?}");
    }
    // What no two containers can have at once is not asked for beside it.
    case.coracle(["volume", "create", "--opt=type=tmpfs", "--opt=device=tmpfs", "memory"]).succeeded();
    for _ in 0..2 {
        with(&["-v=memory:/memory", &image, "sleep", "1000"]).succeeded();
    }
    case.coracle(["create", "--replace", "--name=box", &image, "missing"]).succeeded();
    assert_eq!(case.inspect("box", "{{.State.Status}}"), "created");
}

/// While one that is deaf to its stop signal is waited for, images can be removed; so they can beside who waits for the turn.
fn images_are_not_kept_from_others(case: &Case) {
    let image = case.busybox();
    let run = ["run", "-d", "--network=none", "--stop-timeout=20", "--name", "box"];
    let old = case.coracle(run.iter().copied().chain([&*image, "sleep", "1000"])).succeeded().stdout;
    let replace = || {
        let head = ["run", "-d", "--replace", "--network=none", "--stop-timeout=0", "--name", "box"];
        case.command(head.into_iter().chain([&*image, "sleep", "1000"])).start()
    };
    let first = replace();
    wait_until("the name has a new holder", LIMIT, || case.inspect("box", "{{.Id}}") != old.trim_end());
    let second = replace();
    for number in 0..20 {
        let name = format!("localhost/name-{number}");
        let begun = Instant::now();
        case.coracle(["tag", &image, &name]).code(0);
        case.coracle(["rmi", &name]).code(0);
        assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    }
    // It need not be waited for any longer.
    case.coracle(["kill", old.trim_end()]).code(0);
    first.finish().code(0);
    second.finish().code(0);
}

on_both_drivers!(
    the_name_is_never_absent,
    at_once,
    nobody_else_goes,
    what_can_not_start_costs_nobody_a_container,
    images_are_not_kept_from_others,
);
