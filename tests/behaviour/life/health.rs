//! Health checks, which the monitor runs by itself: what they find, what follows, and that nothing runs in between.

use serde_json::{Value, json};

use crate::behaviour::faults::death::pid_of;
use crate::harness::{Case, Driver, Image, LIMIT, wait_until};

/// A check that fails once /ill is there, and says so.
const ILL: &str = "[ ! -e /ill ] || { echo feels; echo ill >&2; exit 3; }";

fn start(case: &Case, name: &str, flags: &[&str]) {
    start_of(case, name, &case.busybox(), flags);
}

fn start_of(case: &Case, name: &str, image: &str, flags: &[&str]) {
    let run = ["run", "-d", "--network=none", "--stop-timeout=0", "--name", name].into_iter();
    case.coracle(run.chain(flags.iter().copied()).chain([image, "sleep", "1000"])).code(0);
}

fn health(case: &Case, name: &str) -> Value {
    serde_json::from_str(&case.inspect(name, "{{json .State.Health}}")).unwrap()
}

fn status(case: &Case, name: &str) -> String {
    health(case, name)["Status"].as_str().unwrap().to_owned()
}

fn checks_run_by_themselves(case: &Case) {
    start(case, "box", &["--health-cmd", ILL, "--health-interval=100ms", "--health-retries=2"]);
    wait_until("it is healthy", LIMIT, || status(case, "box") == "healthy");
    case.coracle(["exec", "box", "touch", "/ill"]).code(0);
    wait_until("it is unhealthy", LIMIT, || status(case, "box") == "unhealthy");
    let found = health(case, "box");
    assert!(found["FailingStreak"].as_u64() >= Some(2), "{found}");
    let last = found["Log"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["ExitCode"], &last["Output"]), (&json!(3), &json!("feels\nill\n")), "{found}");
    assert!(last["Start"].as_str() < last["End"].as_str(), "{found}");
    assert!(found["Log"].as_array().unwrap().len() <= 5, "{found}");
    case.coracle(["exec", "box", "rm", "/ill"]).code(0);
    wait_until("it is healthy again", LIMIT, || health(case, "box")["FailingStreak"] == 0);
    assert_eq!(status(case, "box"), "healthy");
    let events = case.coracle(["events", "--stream=false", "--filter", "event=health_status"]).succeeded().stdout;
    assert!(events.contains("healthy") && events.contains("unhealthy"), "{events}");
    // What was found last stays, and a new life begins anew.
    case.coracle(["stop", "box"]).code(0);
    assert_eq!(status(case, "box"), "healthy");
    case.coracle(["start", "box"]).code(0);
    wait_until("it is healthy in its next life", LIMIT, || status(case, "box") == "healthy");
}

fn checks_are_changed(case: &Case) {
    start(case, "box", &[]);
    case.coracle(["update", "--health-interval=100ms", "box"]).code(125).error("healthcheck command is not set");
    case.coracle(["update", "--health-cmd=true", "--health-interval=1h", "--health-retries=1", "box"]).code(0);
    wait_until("it is healthy", LIMIT, || status(case, "box") == "healthy");
    // What is not said stays: one failure in an hour.
    case.coracle(["update", "--health-cmd", ILL, "box"]).code(0);
    case.coracle(["exec", "box", "touch", "/ill"]).code(0);
    case.coracle(["healthcheck", "run", "box"]).code(1);
    assert_eq!(
        (status(case, "box"), case.inspect("box", "{{.Config.Healthcheck.Retries}}")),
        ("unhealthy".into(), "1".into())
    );
    case.coracle(["exec", "box", "rm", "/ill"]).code(0);
    case.coracle(["update", "--health-interval=100ms", "box"]).code(0);
    wait_until("it is healthy again", LIMIT, || status(case, "box") == "healthy");
    case.coracle(["update", "--no-healthcheck", "box"]).code(0);
    case.coracle(["healthcheck", "run", "box"]).code(125).error("has no defined healthcheck");
    let events = case.coracle(["events", "--stream=false", "--filter", "event=update"]).succeeded().stdout;
    assert_eq!(events.lines().count(), 4, "{events}");
}

fn checks_that_are_asked_for(case: &Case) {
    let flags = ["--health-cmd", ILL, "--health-interval=disable", "--health-retries=2", "--user=1000"];
    let image = case.busybox();
    let create = ["create", "--network=none", "--name=made"].into_iter().chain(flags);
    case.coracle(create.chain([&*image, "true"])).code(0);
    assert_eq!(health(case, "made"), json!({ "Status": "", "FailingStreak": 0, "Log": [] }));
    case.coracle(["healthcheck", "run", "made"]).code(125).error("is not running");
    start(case, "box", &flags);
    assert_eq!(status(case, "box"), "starting");
    case.coracle(["healthcheck", "run", "box"]).code(0).stdout("");
    assert_eq!(status(case, "box"), "healthy");
    case.coracle(["exec", "--user=root", "box", "touch", "/ill"]).code(0);
    case.coracle(["healthcheck", "run", "box"]).code(1).stdout("unhealthy\n");
    assert_eq!((status(case, "box"), health(case, "box")["FailingStreak"].as_u64()), ("healthy".into(), Some(1)));
    case.coracle(["healthcheck", "run", "box"]).code(1).stdout("unhealthy\n");
    assert_eq!(status(case, "box"), "unhealthy");
    start(case, "bare", &[]);
    assert_eq!(health(case, "bare"), Value::Null);
    case.coracle(["healthcheck", "run", "bare"]).code(125).error("has no defined healthcheck");
    case.coracle(["healthcheck", "run", "absent"]).code(125).error("no such container");
}

/// The check is killed, and whatever it has started stays no longer than itself.
fn a_check_that_hangs(case: &Case) {
    let flags = ["--health-cmd=exec sleep 77", "--health-timeout=1s", "--health-interval=disable"];
    start(case, "box", &flags);
    let asking: Vec<_> = (0..3).map(|_| case.command(["healthcheck", "run", "box"]).start()).collect();
    for asking in asking {
        asking.finish().code(125).error("healthcheck command exceeded timeout of 1s");
    }
    let found = health(case, "box");
    assert_eq!((&found["Log"][0]["ExitCode"], &found["FailingStreak"]), (&json!(-1), &json!(1)), "{found}");
    wait_until("it is killed", LIMIT, || !case.coracle(["exec", "box", "ps"]).stdout.contains("sleep 77"));
    // The next one runs.
    case.coracle(["healthcheck", "run", "box"]).code(125).error("exceeded timeout");
}

fn what_follows(case: &Case) {
    let flags = |action| {
        let action = format!("--health-on-failure={action}");
        [action, "--health-cmd=[ -e /well ]".into(), "--health-interval=50ms".into(), "--health-retries=2".into()]
    };
    for (action, code) in [("kill", "137"), ("stop", "137")] {
        let flags = flags(action);
        start(case, action, &flags.each_ref().map(String::as_str));
        case.coracle(["wait", action]).code(0).stdout(&format!("{code}\n"));
        assert_eq!(case.inspect(action, "{{.State.Status}} {{.State.Health.Status}}"), "exited unhealthy");
        assert_eq!(case.inspect(action, "{{.Config.HealthcheckOnFailureAction}}"), action);
    }
    let restart = flags("restart");
    start(case, "restart", &restart.each_ref().map(String::as_str));
    wait_until("it is restarted", LIMIT, || case.inspect("restart", "{{.RestartCount}}") != "0");
    case.coracle(["stop", "restart"]).code(0);
    // What its check ends may be restarted by its policy; what the check stops is not.
    for (action, again) in [("kill", true), ("stop", false)] {
        let name = format!("{action}-always");
        let flags = flags(action);
        let flags: Vec<&str> = flags.iter().map(String::as_str).chain(["--restart=always"]).collect();
        start(case, &name, &flags);
        if again {
            wait_until("it is restarted", LIMIT, || case.inspect(&name, "{{.RestartCount}}") != "0");
        } else {
            wait_until("it is stopped", LIMIT, || case.inspect(&name, "{{.State.Status}}") == "exited");
            assert_eq!(case.inspect(&name, "{{.State.Restarting}} {{.RestartCount}}"), "false 0");
        }
    }
}

fn a_startup_check_comes_first(case: &Case) {
    let startup = ["--health-startup-cmd=echo startup; [ -e /up ]", "--health-startup-interval=50ms"];
    let flags = ["--health-cmd=echo regular", "--health-interval=50ms", "--health-startup-success=2"];
    start(case, "box", &[&startup[..], &flags].concat());
    wait_until("it was tried", LIMIT, || health(case, "box")["Log"].as_array().unwrap().len() == 5);
    let found = health(case, "box");
    assert_eq!((&found["Status"], &found["FailingStreak"]), (&json!("starting"), &json!(0)), "{found}");
    assert_eq!(found["Log"][4]["Output"], "startup\n");
    case.coracle(["exec", "box", "touch", "/up"]).code(0);
    wait_until("it is healthy", LIMIT, || status(case, "box") == "healthy");
    wait_until("the other check runs", LIMIT, || health(case, "box")["Log"][4]["Output"] == "regular\n");
    start(case, "late", &[&startup[..], &flags, &["--health-startup-retries=3"]].concat());
    wait_until("it is restarted", LIMIT, || case.inspect("late", "{{.RestartCount}}") != "0");
}

fn the_check_of_an_image(case: &Case) {
    let second = 1_000_000_000_u64;
    let check = json!({ "Test": ["CMD", "test", "-e", "/etc/passwd"], "Interval": 3600 * second, "Retries": 7 });
    let image = case.pull(&Image::busybox().config("Healthcheck", check).push("checked:1"));
    start_of(case, "box", &image, &[]);
    wait_until("it is healthy", LIMIT, || status(case, "box") == "healthy");
    let config =
        |name: &str| -> Value { serde_json::from_str(&case.inspect(name, "{{json .Config.Healthcheck}}")).unwrap() };
    let test = json!(["CMD", "test", "-e", "/etc/passwd"]);
    let full = json!({ "Test": test, "Interval": 3600 * second, "Timeout": 30 * second, "Retries": 7 });
    assert_eq!(config("box"), full);
    start_of(case, "changed", &image, &["--health-interval=1m30s", "--health-retries=2", "--health-start-period=5s"]);
    let changed = json!({ "Test": test, "Interval": 90 * second, "Timeout": 30 * second, "Retries": 2, "StartPeriod": 5 * second });
    assert_eq!(config("changed"), changed);
    for (name, flag) in [("none", "--no-healthcheck"), ("none-too", "--health-cmd=none")] {
        start_of(case, name, &image, &[flag]);
        assert_eq!((config(name), health(case, name)), (Value::Null, Value::Null), "{flag}");
    }
    let none = Image::busybox().config("Healthcheck", json!({ "Test": ["NONE"] })).push("checked:2");
    start_of(case, "of-image", &case.pull(&none), &[]);
    assert_eq!(health(case, "of-image"), Value::Null);
}

on_both_drivers!(
    checks_run_by_themselves,
    checks_are_changed,
    checks_that_are_asked_for,
    a_check_that_hangs,
    what_follows,
    a_startup_check_comes_first,
    the_check_of_an_image
);

#[test]
fn what_is_kept_of_a_check() {
    let case = Case::new(Driver::Auto);
    let flags = ["--health-cmd=echo 123456789", "--health-interval=disable"];
    let kept = ["--health-log-destination=.", "--health-max-log-count=2", "--health-max-log-size=4"];
    start(&case, "box", &[&flags[..], &kept].concat());
    for _ in 0..3 {
        case.coracle(["healthcheck", "run", "box"]).code(0);
    }
    let path = case.home.join(format!("{}-healthcheck.log", case.inspect("box", "{{.Id}}")));
    let written: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let log = written["Log"].as_array().unwrap();
    assert!(log.len() == 2 && log.iter().all(|entry| entry["Output"] == "1234"), "{written}");
    assert_eq!(health(&case, "box")["Log"], written["Log"]);
    let template =
        "{{.Config.HealthcheckMaxLogCount}} {{.Config.HealthcheckMaxLogSize}} {{.Config.HealthLogDestination}}";
    assert_eq!(case.inspect("box", template), format!("2 4 {}", case.home.display()));
    start(&case, "all", &[&flags[..], &["--health-max-log-count=0", "--health-max-log-size=0"]].concat());
    for _ in 0..6 {
        case.coracle(["healthcheck", "run", "all"]).code(0);
    }
    assert_eq!(health(&case, "all")["Log"].as_array().unwrap().len(), 6);
}

#[test]
fn failures_at_the_start_do_not_count() {
    let case = Case::new(Driver::Auto);
    let flags = ["--health-cmd=false", "--health-interval=disable", "--health-retries=1"];
    start(&case, "box", &[&flags[..], &["--health-start-period=1h"]].concat());
    case.coracle(["healthcheck", "run", "box"]).code(1).stdout("unhealthy\n");
    let found = health(&case, "box");
    assert_eq!((&found["Status"], &found["FailingStreak"]), (&json!("starting"), &json!(0)), "{found}");
    start(&case, "old", &[&flags[..], &["--health-start-period=1ms"]].concat());
    case.coracle(["healthcheck", "run", "old"]).code(1);
    assert_eq!(status(&case, "old"), "unhealthy");
}

/// A monitor that waits does just that, with a check that is due in an hour, too.
#[test]
fn a_monitor_that_waits_does_not_wake() {
    let case = Case::new(Driver::Auto);
    start(&case, "box", &["--health-cmd=true", "--health-interval=1h"]);
    wait_until("it is healthy", LIMIT, || status(&case, "box") == "healthy");
    let path = format!("/proc/{}/status", pid_of(&case, "box", "{{.State.ConmonPid}}").as_raw_nonzero());
    let switches = || {
        let status = std::fs::read_to_string(&path).unwrap();
        let count = |line: &str| line.split_whitespace().last().unwrap().parse::<u64>().unwrap();
        status.lines().filter(|line| line.contains("ctxt_switches")).map(count).sum::<u64>()
    };
    // The end of the joiner is the last that it hears.
    let five_seconds = || {
        let before = switches();
        std::thread::sleep(std::time::Duration::from_secs(5));
        switches() - before
    };
    wait_until("it is at rest", LIMIT, || five_seconds() == 0);
}

#[test]
fn words_that_make_no_sense() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    let check = "--health-cmd=true";
    for (flags, words) in [
        (&[check, "--health-interval=5x"][..], "invalid healthcheck-interval"),
        (&[check, "--health-retries=0"], "healthcheck-retries must be greater than 0"),
        (&[check, "--health-timeout=0s"], "healthcheck-timeout must be at least 1 second"),
        (&[check, "--no-healthcheck"], "cannot specify both --no-healthcheck and --health-cmd"),
        (&[check, "--health-on-failure=pray"], "invalid on-failure action \"pray\""),
        (&[check, "--rm", "--health-on-failure=restart"], "conflicts with --rm"),
        (&["--health-startup-cmd=true"], "cannot set a startup healthcheck when there is no regular healthcheck"),
        (&[check, "--health-log-destination=/no/such"], "/no/such"),
        (&[check, "--health-log-destination=events_logger"], "can't be kept as events"),
    ] {
        let run = ["run", "--network=none"].into_iter().chain(flags.iter().copied());
        case.coracle(run.chain([&*image, "true"])).code(125).stdout("").error(words);
    }
    case.coracle(["run", "--rm", "--network=none", "--health-retries=3", &image, "true"]).code(0);
    case.coracle(["ps", "-aq"]).code(0).stdout("");
}
