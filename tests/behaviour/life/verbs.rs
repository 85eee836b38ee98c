//! The verbs of a container's life, as scripts use them: which containers are meant, what is printed, and the exit codes.

use rustix::process::{Signal, kill_process};

use crate::behaviour::faults::death::pid_of;
use crate::harness::{Case, Driver, LIMIT, wait_until};

/// Three containers: `one` and `two` run and have a label, `three` has ended.
fn three(case: &Case) -> [String; 3] {
    let image = case.busybox();
    let sleep = |name: &str| {
        let flags = ["run", "-d", "--network=none", "--label=set=1", "--stop-timeout=0", "--name", name];
        let id = case.coracle(flags.into_iter().chain(["--cidfile", name, &image, "sleep", "1000"])).succeeded().stdout;
        id.trim_end().to_owned()
    };
    let [one, two] = ["one", "two"].map(sleep);
    case.coracle(["run", "--network=none", "--name=three", &image, "sh", "-c", "exit 4"]).code(4);
    [one, two, case.inspect("three", "{{.Id}}")]
}

fn running(case: &Case) -> String {
    let names = case.coracle(["ps", "--format={{.Names}}"]).succeeded().stdout;
    let mut names: Vec<&str> = names.lines().collect();
    names.sort_unstable();
    names.join(" ")
}

#[test]
fn containers_are_chosen() {
    let case = Case::new(Driver::Auto);
    let [one, two, three] = three(&case);
    let lines = |ids: &[&String]| ids.iter().map(|id| format!("{id}\n")).collect::<String>();

    case.coracle(["stop", "--filter=label=set=1"]).code(0).stdout(&lines(&[&one, &two]));
    assert_eq!(running(&case), "");
    case.coracle(["start", "-f", "label=set=1", "-f", "name=one"]).code(0).stdout(&lines(&[&one]));
    case.coracle(["start", "-f", "label=set=1", "two", "three"]).code(0).stdout(&lines(&[&two]));
    assert_eq!(running(&case), "one two");
    case.coracle(["kill", "--cidfile=one"]).code(0).stdout(&lines(&[&one]));
    case.coracle(["wait", "one"]).code(0).stdout("137\n");
    case.coracle(["kill", "--cidfile=one"]).code(125).stdout("").error("running");
    case.coracle(["start", "--all"]).code(0).stdout(&lines(&[&one, &two, &three]));
    case.coracle(["wait", "--latest"]).code(0).stdout("4\n");
    case.coracle(["restart", "-t0", "--running"]).code(0).stdout(&lines(&[&one, &two]));
    case.coracle(["restart", "--cidfile=two", "-t0"]).code(0).stdout(&lines(&[&two]));
    case.coracle(["kill", "-a"]).code(0);
    wait_until("none runs", LIMIT, || running(&case).is_empty());
    case.coracle(["start", "--latest"]).code(0).stdout(&lines(&[&three]));
    case.coracle(["wait", "--latest"]).code(0).stdout("4\n");
    case.coracle(["rm", "--filter=exited=4"]).code(0).stdout(&lines(&[&three]));
    case.coracle(["rm", "--cidfile=one", "--cidfile=two"]).code(0).stdout(&lines(&[&one, &two]));
    for verb in ["stop", "rm"] {
        case.coracle([verb, "--cidfile=none"]).code(125).stdout("").error("reading CIDFile");
        case.coracle([verb, "--ignore", "--cidfile=none"]).code(0).stdout("").stderr("");
        case.coracle([verb, "--all"]).code(0).stdout("").stderr("");
    }
}

/// One name that nothing has: nothing is done at all.
#[test]
fn names_that_nothing_has() {
    let case = Case::new(Driver::Auto);
    three(&case);
    for (verb, code) in [("stop", 125), ("kill", 125), ("start", 125), ("restart", 125), ("rm", 1), ("wait", 125)] {
        case.coracle([verb, "three", "absent"]).code(code).stdout("").error("\"absent\"");
        case.coracle([verb]).code(125).stdout("");
        case.coracle([verb, "--latest", "one"]).code(125).stdout("").error("--latest");
    }
    assert_eq!(running(&case), "one two");
    case.coracle(["stop", "--ignore", "one", "absent"]).code(0).stdout("one\n");
    case.coracle(["rm", "--ignore", "one", "absent"]).code(0).stdout("one\n");
    case.coracle(["rm", "--force", "-t0", "two", "absent"]).code(0).stdout("two\n");
    case.coracle(["wait", "--ignore", "absent", "three"]).code(0).stdout("-1\n4\n");
    case.coracle(["stop", "three"]).code(0).stdout("three\n");
    case.coracle(["kill", "three"]).code(125).stdout("").error("running");
    for verb in ["stop", "kill", "start", "restart", "rm"] {
        case.coracle([verb, "--all", "three"]).code(125).stdout("").error("--all");
    }
    for (verb, flag) in [("stop", "--filter=colour=red"), ("kill", "--signal=LOUD"), ("stop", "--time=soon")] {
        case.coracle([verb, flag, "three"]).code(125).stdout("");
    }
}

/// Whoever waits for something else than the end is told at once: the pause between two looks is an hour.
fn conditions_are_waited_for(case: &Case) {
    let image = case.busybox();
    let wait = |conditions: &[&str]| {
        let flags = ["wait", "--interval=1h"].into_iter();
        let waiting = case.command(flags.chain(conditions.iter().copied()).chain(["box"])).start();
        let fds = format!("/proc/{}/fd", waiting.pid().as_raw_nonzero());
        wait_until("it waits", LIMIT, || {
            let fds = std::fs::read_dir(&fds).unwrap().flatten();
            fds.filter_map(|fd| std::fs::read_link(fd.path()).ok()).any(|fd| fd.to_string_lossy().contains("inotify"))
        });
        waiting
    };
    let health = ["--health-cmd=[ ! -e /ill ]", "--health-interval=50ms", "--health-retries=1", "--stop-timeout=0"];
    let create = ["create", "--network=none", "--name=box"].into_iter().chain(health);
    case.coracle(create.chain([&*image, "sleep", "1000"])).code(0);
    case.coracle(["wait", "--condition=created", "box"]).code(0).stdout("-1\n");
    case.coracle(["wait", "--condition=configured,running", "box"]).code(0).stdout("-1\n");
    let running = wait(&["--condition=running"]);
    case.coracle(["start", "box"]).code(0);
    running.finish().code(0).stdout("-1\n");
    case.coracle(["wait", "--condition=healthy", "box"]).code(0).stdout("-1\n");
    let unhealthy = wait(&["--condition", "unhealthy", "--condition", "stopped"]);
    case.coracle(["exec", "box", "touch", "/ill"]).code(0);
    unhealthy.finish().code(0).stdout("-1\n");
    let removed = wait(&["--condition=removing"]);
    let stopped = wait(&["--condition=stopped,paused"]);
    case.coracle(["stop", "box"]).code(0);
    stopped.finish().code(0).stdout("137\n");
    let healthy = wait(&["--condition=healthy"]);
    case.coracle(["rm", "box"]).code(0);
    removed.finish().code(0).stdout("137\n");
    healthy.finish().code(125).stdout("").error("no such container");
}

/// A monitor that was killed tells nobody: it is found out.
fn an_end_that_nobody_tells(case: &Case) {
    let image = case.busybox();
    case.coracle(["run", "-d", "--network=none", "--name=box", &image, "sleep", "1000"]).code(0);
    let flags = ["wait", "--interval=10", "--condition=stopped,unhealthy", "box"];
    let waiting = case.command(flags).start();
    kill_process(pid_of(case, "box", "{{.State.ConmonPid}}"), Signal::KILL).unwrap();
    waiting.finish().code(0).stdout("-1\n");
}

#[test]
fn those_that_need_it_go_first() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    for (name, needs) in
        [("root", &[][..]), ("trunk", &["--requires=root"]), ("leaf", &["--requires=trunk,root"]), ("stone", &[])]
    {
        let create = ["create", "--network=none", "--name", name].into_iter().chain(needs.iter().copied());
        case.coracle(create.chain([&*image, "true"])).code(0);
    }
    let (trunk, leaf) = (case.inspect("trunk", "{{.Id}}"), case.inspect("leaf", "{{.Id}}"));
    case.coracle(["rm", "root"]).code(125).stdout("").error("has dependent containers");
    case.coracle(["rm", "--depend", "root", "trunk"]).code(0).stdout(&format!("{leaf}\n{trunk}\nroot\n"));
    case.coracle(["ps", "-a", "--format={{.Names}}"]).code(0).stdout("stone\n");
}

/// `--stop-signal` and `--stop-timeout`, shown and obeyed.
fn how_it_is_stopped(case: &Case) {
    let image = case.busybox();
    let start = |name: &str, flags: &[&str], script: &str| {
        let run = ["run", "-d", "--network=none", "--name", name].into_iter().chain(flags.iter().copied());
        case.coracle(run.chain([&*image, "sh", "-c", script])).code(0);
        wait_until("it is ready", LIMIT, || case.coracle(["logs", name]).stdout == "ready\n");
    };
    let loops = "echo ready; while :; do sleep 0.01; done";
    start("obeys", &["--stop-signal=USR1", "--stop-timeout=50"], &format!("trap 'exit 5' USR1; {loops}"));
    assert_eq!(case.inspect("obeys", "{{.Config.StopTimeout}}"), "50");
    case.coracle(["stop", "obeys"]).code(0);
    case.coracle(["wait", "obeys"]).code(0).stdout("5\n");
    for (name, flags, time, least) in [
        ("deaf", &["--stop-timeout=1"][..], &[][..], 1000),
        ("told", &["--stop-timeout=50"], &["-t1"], 1000),
        ("hurried", &[], &["-t0"], 0),
    ] {
        start(name, flags, &format!("trap '' TERM; {loops}"));
        let begin = std::time::Instant::now();
        case.coracle(["stop"].into_iter().chain(time.iter().copied()).chain([name])).code(0);
        let millis = begin.elapsed().as_millis();
        assert!((least..9000).contains(&millis), "{name}: {millis} ms");
        case.coracle(["wait", name]).code(0).stdout("137\n");
    }
}

on_both_drivers!(
    how_it_is_stopped,
    conditions_are_waited_for,
    an_end_that_nobody_tells,
    logs_are_followed_through_restarts
);

#[test]
fn the_first_of_several_to_end() {
    let case = Case::new(Driver::Auto);
    let [one, ..] = three(&case);
    case.coracle(["start", "three"]).code(0);
    case.coracle(["wait", "--exit-first-match", "one", "three", "two"]).code(0).stdout("4\n");
    let waiting = case.command(["wait", "--exit-first-match", "two", &one]).start();
    case.coracle(["kill", "one"]).code(0);
    waiting.finish().code(0).stdout("137\n");
    case.coracle(["wait", "--condition=sometimes", "one"]).code(125).error("unknown container state: sometimes");
    case.coracle(["wait", "--interval=soon", "one"]).code(125).error("soon");
}

/// `logs -f` goes on through the lives of a container, and ends with the last.
fn logs_are_followed_through_restarts(case: &Case) {
    let image = case.busybox();
    let flags = ["run", "-d", "--network=none", "--name=box", "--restart=on-failure:2"];
    case.coracle(flags.into_iter().chain([&*image, "sh", "-c", "echo life; exit 1"])).code(0);
    case.coracle(["logs", "--follow", "box"]).code(0).stdout("life\nlife\nlife\n");
}
