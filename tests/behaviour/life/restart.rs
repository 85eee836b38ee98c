//! What a monitor does by itself: it starts a program again, or ends it in time; and the init process, and files of pids.

use rustix::process::{Pid, Signal, kill_process};

use crate::behaviour::faults::death::{exists, pid_of};
use crate::harness::{Case, Driver, LIMIT, long_or, wait_for, wait_until};

const NEVER: &str = "while :; do sleep 1000; done";

fn states(case: &Case, container: &str) -> String {
    case.inspect(container, "{{.State.Status}} {{.State.Restarting}} {{.RestartCount}} {{.State.ExitCode}}")
}

/// Each life finds what the one before has written, and the log has all of them. Who stayed with it leaves with the first.
fn a_failure_is_tried_again(case: &Case) {
    let image = case.busybox();
    let flags = ["run", "--network=none", "--name=box", "--restart=on-failure:2"];
    let script = "echo life >>/lives; wc -l </lives; exit 3";
    case.coracle(flags.into_iter().chain([&*image, "sh", "-c", script])).code(3).stdout("1\n");
    wait_until("it has ended for good", LIMIT, || states(case, "box") == "exited false 2 3");
    case.coracle(["logs", "box"]).code(0).stdout("1\n2\n3\n");
    assert_eq!(
        case.inspect("box", "{{with .HostConfig.RestartPolicy}}{{.Name}} {{.MaximumRetryCount}}{{end}}"),
        "on-failure 2"
    );
    // Started by its user, it has all of its tries again.
    case.coracle(["start", "--attach", "box"]).code(3);
    wait_until("it has ended again", LIMIT, || states(case, "box") == "exited false 2 3");
    case.coracle(["rm", "box"]).code(0);

    let script = "[ -e /failed ] || { touch /failed; exit 1; }";
    case.coracle(["run", "-d", "--network=none", "--name=box", "--restart=on-failure", &image, "sh", "-c", script])
        .code(0);
    wait_until("it has succeeded", LIMIT, || states(case, "box") == "exited false 1 0");
}

/// Of what runs and of what does not; streams that were the launcher's are not needed for another life.
fn the_policy_is_changed(case: &Case) {
    let image = case.busybox();
    let policy = || case.inspect("box", "{{.HostConfig.RestartPolicy.Name}}");
    case.coracle(["create", "--network=none", "--name=box", &image, "sh", "-c", "exit 3"]).code(0);
    let id = case.inspect("box", "{{.ID}}");
    case.coracle(["update", "--restart=on-failure:1", "box"]).code(0).stdout(&format!("{id}\n"));
    assert_eq!(policy(), "on-failure");
    case.coracle(["start", "box"]).code(0);
    wait_until("it has ended for good", LIMIT, || states(case, "box") == "exited false 1 3");
    case.coracle(["rm", "box"]).code(0);

    let script = "[ -e /once ] && sleep 1000; touch /once; echo up; while [ ! -e /end ]; do sleep 0.1; done";
    for flags in [&["-d"][..], &[]] {
        let run = ["run", "--network=none", "--name=box", "--stop-timeout=0"].into_iter().chain(flags.iter().copied());
        let running = case.command(run.chain([&*image, "sh", "-c", script])).start();
        wait_until("it runs", LIMIT, || case.coracle(["exec", "box", "ls", "/once"]).code == Some(0));
        case.coracle(["update", "--restart=always", "box"]).code(0);
        case.coracle(["exec", "box", "touch", "/end"]).code(0);
        running.finish().code(0);
        wait_until("it lives again", LIMIT, || states(case, "box") == "running false 1 0");
        case.coracle(["update", "--restart=no", "box"]).code(0);
        case.coracle(["exec", "box", "kill", "-9", "-1"]);
        wait_until("it has ended for good", LIMIT, || states(case, "box").starts_with("exited false 1"));
        case.coracle(["rm", "box"]).code(0);
    }
    case.coracle(["create", "--rm", "--name=box", &image]).code(0);
    case.coracle(["update", "--restart=always", "box"]).code(125).error("removes itself").says("hint: ");
    case.coracle(["update", "--restart=often", "box"]).code(125).error("not a valid restart policy");
    case.coracle(["update", "--memory=much", "box"]).code(125).error("`much` is not a size");
    case.coracle(["update", "--restart=no", "no-such"]).code(125).error("no such container");
}

/// The pause before each life is twice as long as the one before it: a program that can't run does not keep the machine busy.
fn the_pauses_grow(case: &Case) {
    let image = case.busybox();
    let flags = ["run", "-d", "--network=none", "--name=box", "--restart=on-failure:4"];
    let script = "cut -d' ' -f1 /proc/uptime; exit 1";
    case.coracle(flags.into_iter().chain([&*image, "sh", "-c", script])).succeeded();
    wait_until("it has ended for good", LIMIT, || states(case, "box") == "exited false 4 1");
    let births = case.coracle(["logs", "box"]).succeeded().stdout;
    let births: Vec<f64> = births.lines().map(|line| line.parse().unwrap()).collect();
    let pauses: Vec<f64> = births.windows(2).map(|two| two[1] - two[0]).collect();
    // To a hundredth of a second.
    let longer = pauses.iter().zip([0.1, 0.2, 0.4, 0.8]).all(|(pause, least)| *pause > least - 0.02);
    assert!(pauses.len() == 4 && longer, "{pauses:?}");
}

/// A life that can't begin is counted, and tried again with a pause.
fn a_start_that_fails_is_no_loop(case: &Case) {
    let image = case.busybox();
    let flags = ["run", "-d", "--network=none", "--name=box", "--restart=always"];
    case.coracle(flags.into_iter().chain([&*image, "no-such"])).code(127);
    assert_eq!(states(case, "box"), "created false 0 127");
    case.coracle(["rm", "box"]).code(0);
    let script = "cp /bin/busybox /again; rm -f /bin/sh; exit 1";
    let flags = ["run", "-d", "--network=none", "--name=box", "--restart=on-failure:3"];
    case.coracle(flags.into_iter().chain([&*image, "sh", "-c", script])).code(0);
    wait_until("it is given up", LIMIT, || states(case, "box") == "exited false 3 127");
    assert!(
        case.inspect("box", "{{.State.Error}}").contains("`sh` not found"),
        "{}",
        case.inspect("box", "{{json .State}}")
    );
}

/// What its user ends stays so, while it runs and between two lives; what anybody else ends does not.
fn its_user_ends_it(case: &Case) {
    let image = case.busybox();
    let flags = ["run", "-d", "--network=none", "--restart=always", "--name=box"];
    case.coracle(flags.into_iter().chain([&*image, "sh", "-c", NEVER])).code(0);
    for (round, command) in [&["stop", "-t0"][..], &["kill"], &["stop", "-t0", "-a"]].iter().enumerate() {
        let first = pid_of(case, "box", "{{.State.Pid}}");
        kill_process(first, Signal::KILL).unwrap();
        wait_until("it lives again", LIMIT, || states(case, "box") == "running false 1 0");
        assert_ne!(pid_of(case, "box", "{{.State.Pid}}"), first);
        let names: &[&str] = if round == 2 { &[] } else { &["box"] };
        case.coracle(command.iter().chain(names).copied()).code(0);
        case.coracle(["wait", "box"]).code(0).stdout("137\n");
        assert_eq!(states(case, "box"), "exited false 1 137", "{command:?}");
        case.coracle(["restart", "box"]).code(0);
        assert_eq!(states(case, "box"), "running false 0 0", "{command:?}");
    }
    case.coracle(["rm", "-f", "-t0", "box"]).code(0);

    // By a signal to who stays with it.
    let flags = ["run", "--network=none", "--restart=always", "--name=box"];
    let script = "trap 'exit 9' HUP; echo ready; while :; do sleep 0.01; done";
    let staying = case.command(flags.into_iter().chain([&*image, "sh", "-c", script])).start();
    wait_until("it is ready", LIMIT, || case.coracle(["logs", "box"]).stdout == "ready\n");
    staying.signal(Signal::HUP);
    staying.finish().code(9);
    case.coracle(["wait", "box"]).code(0).stdout("9\n");
    assert_eq!(states(case, "box"), "exited false 0 9");
    case.coracle(["rm", "box"]).code(0);

    // In the pause.
    let flags = ["run", "-d", "--network=none", "--restart=unless-stopped"];
    for end in [&["stop"][..], &["kill"], &["rm", "-f", "-t0"]] {
        case.coracle(flags.into_iter().chain(["--name=box", &image, "false"])).code(0);
        wait_until("it waits for its third life or a later one", LIMIT, || {
            let state = states(case, "box");
            state.starts_with("exited true") && !state.contains(" true 0") && !state.contains(" true 1")
        });
        case.coracle(end.iter().copied().chain(["box"])).code(0);
        if end[0] != "rm" {
            case.coracle(["wait", "box"]).code(0).stdout("1\n");
            assert!(states(case, "box").starts_with("exited false"), "{end:?}: {}", states(case, "box"));
            case.coracle(["rm", "box"]).code(0);
        }
    }
    case.coracle(["ps", "-aq"]).code(0).stdout("");
}

/// Whoever sees the state may kill what it names, though it has not become the program yet: that is an end as any other.
fn killed_as_soon_as_it_is_seen(case: &Case) {
    let image = case.busybox();
    case.coracle(["create", "--network=none", "--name=box", &image, "sleep", "1000"]).code(0);
    let path = case.store().join("containers").join(case.inspect("box", "{{.Id}}")).join("state.json");
    let pid = || -> Option<i64> {
        let state: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).ok()?).ok()?;
        state["pid"].as_i64().filter(|pid| *pid > 0)
    };
    for _ in 0..long_or(1000, 20) {
        let starting = case.command(["start", "box"]).start();
        let pid = wait_for("its state is there", LIMIT, pid);
        kill_process(Pid::from_raw(pid as i32).unwrap(), Signal::KILL).unwrap();
        starting.finish().code(0);
        case.coracle(["wait", "box"]).code(0).stdout("137\n");
        assert_eq!(states(case, "box"), "exited false 0 137");
    }
}

/// A restart leaves nothing of the life before: neither descriptors of the monitor nor processes.
fn nothing_gathers(case: &Case) {
    let image = case.busybox();
    let script = "sleep 1000 & echo x >>/lives; [ $(wc -l </lives) -lt 5 ] && exit 1; wait";
    let flags = ["run", "-d", "--network=none", "--name=box", "--restart=always"];
    case.coracle(flags.into_iter().chain([&*image, "sh", "-c", script])).code(0);
    wait_until("its fifth life", LIMIT, || states(case, "box") == "running false 4 0");
    case.coracle(["run", "-d", "--network=none", "--name=new", &image, "sh", "-c", "sleep 1000 & wait"]).code(0);
    let facts = |container: &str| {
        let monitor = pid_of(case, container, "{{.State.ConmonPid}}").as_raw_nonzero();
        let count = |path: &str| std::fs::read_dir(path).unwrap().count();
        let children = std::fs::read_to_string(format!("/proc/{monitor}/task/{monitor}/children")).unwrap();
        (count(&format!("/proc/{monitor}/fd")), children.split_whitespace().count())
    };
    wait_until("both are at rest", LIMIT, || facts("box") == facts("new"));
}

/// Killed in a life, in a pause, or in between: the container is at rest, no process is left of it, and it starts again.
fn a_monitor_is_killed_at_any_moment(case: &Case) {
    let image = case.busybox();
    let marker = format!("{}", 200_000 + std::process::id());
    let script = format!("sleep {marker} & sleep 0.02; exit 1");
    let flags = ["create", "--network=none", "--name=box", "--restart=always", "--health-cmd=true"];
    let create = flags.into_iter().chain(["--health-interval=10ms", "--stop-timeout=0"]);
    case.coracle(create.chain([&*image, "sh", "-c", &script])).code(0);
    let left = || {
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        let mut lines = processes.map(|entry| std::fs::read(entry.path().join("cmdline")).unwrap_or_default());
        lines.any(|line| String::from_utf8_lossy(&line).contains(&marker))
    };
    for round in 0..long_or(500, 15) {
        case.coracle(["start", "box"]).code(0);
        let monitor = pid_of(case, "box", "{{.State.ConmonPid}}");
        std::thread::sleep(std::time::Duration::from_millis(round * 37 % 400));
        kill_process(monitor, Signal::KILL).unwrap();
        wait_until("it is at rest", LIMIT, || states(case, "box").starts_with("exited false"));
        assert!(!states(case, "box").ends_with(" 0"), "{}", states(case, "box"));
        wait_until("no process is left", LIMIT, || !left() && !exists(monitor));
        case.coracle(["wait", "box"]).code(0);
        case.coracle(["healthcheck", "run", "box"]).code(125).error("not running");
    }
    case.coracle(["rm", "box"]).code(0);
}

fn an_init_reaps_and_passes_on(case: &Case) {
    let image = case.busybox();
    let run = |flags: &[&str], script: &str| {
        let head = ["run", "--rm", "--network=none"];
        case.coracle(head.into_iter().chain(flags.iter().copied()).chain([&*image, "sh", "-c", script]))
    };
    run(&["--init"], "echo $$").code(0).stdout("2\n");
    run(&[], "echo $$").code(0).stdout("1\n");
    run(&["--init", "--user=1000", "--read-only"], "exit 5").code(5);
    run(&["--init"], "kill -KILL $$").code(137);
    case.coracle(["run", "--rm", "--network=none", "--init", &image, "no-such"]).code(127).error("no-such");
    // The orphan is reaped, and the program's own child is not taken from it.
    let orphan =
        "(sh -c 'sleep 0.01 &') ; while ps | grep -v grep | grep -q sleep; do :; done; sh -c 'exit 4'; echo $?";
    run(&["--init"], orphan).code(0).stdout("4\n");
    case.coracle(["run", "-d", "--network=none", "--name=box", "--init", &image, "sleep", "1000"]).code(0);
    assert_eq!(case.inspect("box", "{{.HostConfig.Init}} {{.Path}}"), "true sleep");
    case.coracle(["stop", "box"]).code(0);
    assert_eq!(case.inspect("box", "{{.State.ExitCode}}"), "143");
    let path = case.home.join("init");
    std::fs::copy("/bin/busybox", &path).unwrap();
    let init = format!("--init-path={}", path.display());
    run(&["--init", &init], "true").code(127).says("podman-init: applet not found");
    run(&["--init", "--init-path=/no/such"], "true").code(125).error("/no/such");
}

on_both_drivers!(
    a_failure_is_tried_again,
    the_pauses_grow,
    the_policy_is_changed,
    a_start_that_fails_is_no_loop,
    its_user_ends_it,
    killed_as_soon_as_it_is_seen,
    nothing_gathers,
    a_monitor_is_killed_at_any_moment,
    an_init_reaps_and_passes_on
);

#[test]
fn time_that_is_over() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    case.coracle(["run", "--network=none", "--name=box", "--timeout=1", &image, "sh", "-c", NEVER]).code(255);
    assert_eq!(case.inspect("box", "{{.State.ExitCode}} {{.Config.Timeout}}"), "-1 1");
    case.coracle(["wait", "box"]).code(0).stdout("-1\n");
    case.coracle(["run", "--rm", "--network=none", "--timeout=1000", &image, "true"]).code(0);
}

#[test]
fn pids_are_written() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    let flags = ["run", "-d", "--network=none", "--name=box", "--pidfile=program", "--conmon-pidfile=monitor"];
    case.coracle(flags.into_iter().chain([&*image, "sleep", "1000"])).code(0);
    let read = |file| std::fs::read_to_string(case.home.join(file)).unwrap();
    let inspected = case.inspect("box", "{{.State.Pid}} {{.State.ConmonPid}} {{.PidFile}} {{.ConmonPidFile}}");
    let paths = [case.home.join("program"), case.home.join("monitor")].map(|path| path.display().to_string());
    assert_eq!(inspected, format!("{} {} {} {}", read("program"), read("monitor"), paths[0], paths[1]));
    let flags = ["run", "--rm", "--network=none", "--pidfile=/no/such/place", &image, "true"];
    case.coracle(flags).code(125).error("/no/such/place");
}

#[test]
fn words_that_make_no_sense() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    for (flags, words) in [
        (&["--rm", "--restart=always"][..], "the --rm option conflicts with --restart"),
        (&["--restart=sometimes"], "\"sometimes\" is not a valid restart policy"),
        (&["--restart=always:3"], "retries can only be specified with on-failure"),
        (&["--restart=on-failure:many"], "many"),
        (&["--sdnotify=loudly"], "loudly"),
    ] {
        let run = ["run", "--network=none"].into_iter().chain(flags.iter().copied());
        case.coracle(run.chain([&*image, "true"])).code(125).stdout("").error(words);
    }
    case.coracle(["run", "--rm", "--restart=no", "--sdnotify=ignore", "--network=none", &image, "true"]).code(0);
    case.coracle(["ps", "-aq"]).code(0).stdout("");
}
