//! Pulls that are cut in the middle of a layer: their worker is killed, or they are, or another pull wants the same layer.
//!
//! The registry holds a part of the layer back, so that the moment is the test's to choose.

use rustix::process::{Pid, Signal, kill_process};

use super::server::{Answer, Parts, Server};
use crate::harness::image::busybox_layer;
use crate::harness::{Case, Driver, LIMIT, Layer, Running, wait_for, wait_until};

/// A layer that can be run, with files of other owners in a folder that is shut, then data to be cut in.
fn layer() -> Layer {
    busybox_layer()
        .entry(tar::EntryType::Directory, "theirs", 0o700, (33, 40), "", b"")
        .owned_file("theirs/secret", 0o600, (33, 40), "secret\n")
        .dir("shut", 0o0)
        .file("shut/inside", 0o0, "x")
        .file("begun", 0o644, "begun\n")
        .file("data", 0o644, vec![b'x'; 1_000_000])
        .file("last", 0o644, "last\n")
}

/// A registry that sends the `first` bytes of the layer, once; then, and after its release, all of it.
fn holding(parts: &Parts, first: usize) -> Server {
    let mut answers = parts.answers();
    let whole = Answer::Whole(200, parts.layer.clone());
    answers.insert(parts.layer_path(), vec![Answer::Held(parts.layer.clone(), first), whole]);
    Server::start(answers)
}

fn pull(case: &Case, server: &Server) -> Running {
    case.command(["pull", &format!("{}/x:1", server.address)]).start()
}

/// The worker of a pull. Each thread of the pull has its own children.
fn worker(pull: &Running) -> Option<Pid> {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", pull.pid().as_raw_nonzero())).ok()?;
    let children = tasks.flatten().filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    let children = children.collect::<String>();
    let is_worker =
        |pid: &&str| std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name == "coracle-worker\n");
    Pid::from_raw(children.split_whitespace().find(is_worker)?.parse().ok()?)
}

fn count(case: &Case, folder: &str) -> usize {
    std::fs::read_dir(case.store().join(folder)).map_or(0, Iterator::count)
}

#[track_caller]
fn nothing_shows(case: &Case) {
    case.coracle(["images", "-q"]).code(0).stdout("");
    for folder in ["layers", "images/blobs/sha256"] {
        assert_eq!(count(case, folder), 0, "something in {folder}");
    }
}

/// The next pull makes all of it, and sweeps what others left.
#[track_caller]
fn next_is_whole(case: &Case, server: &Server) {
    server.release();
    let name = case.pull(&format!("{}/x:1", server.address));
    let script = "stat -c '%u %g %a' /theirs /theirs/secret /shut/inside; cat last; wc -c <data";
    case.sh(&name, script).code(0).stdout("33 40 700\n33 40 600\n0 0 0\nlast\n1000000\n");
    wait_until("`tmp` is empty", LIMIT, || count(case, "tmp") == 0);
}

/// The worker's death is an error that says so, not a hang.
#[test]
fn a_worker_that_is_killed() {
    let case = Case::new(Driver::Auto);
    let parts = Parts::of(&[layer()]);
    let server = holding(&parts, parts.layer.len() - 500_000);
    let running = pull(&case, &server);
    let begun = || {
        std::fs::read_dir(case.store().join("tmp"))
            .ok()?
            .flatten()
            .find(|entry| entry.path().join("layer/fs/begun").exists())
    };
    wait_for("the worker is in the middle", LIMIT, begun);
    let worker = worker(&running).expect("a worker at work");
    kill_process(worker, Signal::KILL).unwrap();
    server.release();
    running.finish().code(125).stdout("").error("the worker ended without a result (signal 9)");
    nothing_shows(&case);
    next_is_whole(&case, &server);
}

/// A pull that is killed takes its worker along, wherever in the layer it was.
#[test]
fn a_pull_that_is_killed() {
    let case = Case::new(Driver::Auto);
    let parts = Parts::of(&[layer()]);
    let mut last = None;
    for moment in 0..20 {
        let server = holding(&parts, parts.layer.len() * moment / 20);
        let running = pull(&case, &server);
        let worker = wait_for("a worker shows", LIMIT, || worker(&running));
        running.signal(Signal::KILL);
        assert_eq!(running.finish().signal, Some(9));
        let gone = || !std::path::Path::new(&format!("/proc/{}", worker.as_raw_nonzero())).exists();
        wait_until("the worker is gone", LIMIT, gone);
        nothing_shows(&case);
        assert!(count(&case, "tmp") > 0, "nothing was cut");
        last = Some(server);
    }
    next_is_whole(&case, &last.unwrap());
}

/// Three pulls of one image at once: its layer is fetched once.
#[test]
fn the_work_is_done_once() {
    let case = Case::new(Driver::Auto);
    let parts = Parts::of(&[layer()]);
    let server = holding(&parts, parts.layer.len() / 2);
    let pulls: Vec<_> = (0..3).map(|_| pull(&case, &server)).collect();
    wait_until("all have read the config", LIMIT, || server.asked(&parts.config_path()) == 3);
    server.release();
    for pull in pulls {
        pull.finish().succeeded();
    }
    assert_eq!(server.asked(&parts.layer_path()), 1);
    next_is_whole(&case, &server);
}

/// Layers travel together: each is asked for while none has come.
#[test]
fn layers_in_parallel() {
    let case = Case::new(Driver::Auto);
    let parts = Parts::of(&["a", "b", "c"].map(|name| Layer::new().file(name, 0o644, name)));
    let mut answers = parts.answers();
    for path in parts.layer_paths() {
        answers.entry(path).and_modify(|list| list.iter_mut().for_each(Answer::hold));
    }
    let server = Server::start(answers);
    let pull = pull(&case, &server);
    let all_asked = || parts.layer_paths().iter().all(|path| server.asked(path) == 1);
    wait_until("all layers are asked for", LIMIT, all_asked);
    server.release();
    pull.finish().succeeded();
    assert_eq!(count(&case, "layers"), 3);
}

/// What belongs to subordinate ids, and what is shut, goes with its container and its image.
fn trees_of_other_owners(case: &Case) {
    let parts = Parts::of(&[layer()]);
    let server = Server::start(parts.answers());
    let name = case.pull(&format!("{}/x:1", server.address));
    let script = "mkdir -m 700 /tmp/a && mkdir -p /tmp/a/b/c && touch /tmp/a/b/c/f && mkfifo /tmp/a/p && chown -R 33:40 /tmp/a \
                  && chmod 0 /tmp/a/b/c /tmp/a/b && echo x >>/theirs/secret";
    case.coracle(["run", "--network=none", "--name", "box", &name, "sh", "-c", script]).succeeded();
    // The account itself cannot even look.
    let trees = [case.store().join("layers"), case.store().join("containers")];
    for tree in &trees {
        let found = std::process::Command::new("find").arg(tree).output().unwrap();
        assert!(!found.status.success(), "{} can be read by its user", tree.display());
    }
    case.coracle(["rm", "box"]).code(0).stdout("box\n").stderr("");
    case.coracle(["rmi", &name]).succeeded();
    for folder in ["containers", "layers", "images/blobs/sha256"] {
        assert_eq!(count(case, folder), 0, "left in {folder}");
    }
    wait_until("`tmp` is empty", LIMIT, || count(case, "tmp") == 0);
}

on_both_drivers!(trees_of_other_owners);

/// Who waits for another pull of the same layer says so, and goes on as soon as that one is gone.
#[test]
fn whom_another_waited_for_is_killed() {
    let case = Case::new(Driver::Auto);
    let parts = Parts::of(&[layer()]);
    let server = holding(&parts, parts.layer.len() / 2);
    let first = pull(&case, &server);
    wait_for("a worker shows", LIMIT, || worker(&first));
    let second = pull(&case, &server);
    wait_until("both have read the config", LIMIT, || server.asked(&parts.config_path()) == 2);
    assert_eq!(server.asked(&parts.layer_path()), 1, "the second one did not wait");
    first.signal(Signal::KILL);
    wait_until("the second one asks for the layer", LIMIT, || server.asked(&parts.layer_path()) == 2);
    first.finish();
    server.release();
    let second = second.finish().succeeded();
    assert!(second.stderr.contains("waits for another pull of the same layer"), "{second}");
    next_is_whole(&case, &server);
}

/// One that was stopped and is never let go on holds nobody up for longer than a silent registry may; once it goes on it ends well.
#[test]
fn whom_another_waited_for_is_stopped() {
    let case = Case::new(Driver::Auto);
    let parts = Parts::of(&[layer()]);
    let server = holding(&parts, parts.layer.len() / 2);
    let first = pull(&case, &server);
    let half = || {
        case.store().join("partial").read_dir().is_ok_and(|mut entries| {
            entries.any(|entry| entry.unwrap().metadata().unwrap().len() as usize == parts.layer.len() / 2)
        })
    };
    wait_until("half of the layer is there", LIMIT, half);
    first.signal(Signal::STOP);
    server.release();
    let image = format!("{}/x:1", server.address);
    let second = case.coracle(["pull", "--stall-timeout=2", &image]).succeeded();
    assert!(second.stderr.contains("waits for another pull of the same layer"), "{second}");
    assert_eq!(server.asked(&parts.layer_path()), 2);
    first.signal(Signal::CONT);
    first.finish().succeeded();
    next_is_whole(&case, &server);
    case.coracle(["system", "check"]).code(0).stdout("");
}
