//! Restarted, renamed, pruned.

use crate::harness::{Case, LIMIT, wait_until};

fn restarted(case: &Case) {
    let image = case.busybox();
    let script = "echo x >>/tmp/starts; trap 'exit 4' TERM; echo ready; while :; do sleep 0.05; done";
    case.coracle(["run", "-d", "--network=none", "--name", "box", &image, "sh", "-c", script]).succeeded();
    case.coracle(["create", "--network=none", "--name", "new", &image, "sleep", "1000"]).succeeded();
    let lines = || case.coracle(["logs", "box"]).stdout.lines().count();
    wait_until("it is ready", LIMIT, || lines() == 1);
    let before = case.inspect("box", "{{.State.Pid}}");
    case.coracle(["restart", "box"]).code(0).stdout("box\n").stderr("");
    wait_until("it is ready again", LIMIT, || lines() == 2);
    assert_ne!(case.inspect("box", "{{.State.Pid}}"), before);
    // What it had written is there.
    case.coracle(["exec", "box", "cat", "/tmp/starts"]).code(0).stdout("x\nx\n");
    // One that does not run is started, but with --running.
    case.coracle(["restart", "--running", "new"]).code(0).stdout("");
    assert_eq!(case.inspect("new", "{{.State.Status}}"), "created");
    case.coracle(["restart", "--time", "0", "--latest"]).code(0);
    assert_eq!(case.inspect("new", "{{.State.Status}}"), "running");
    // A name that nobody has, and nothing is done.
    let before = case.inspect("box", "{{.State.Pid}}");
    case.coracle(["restart", "absent", "box"]).code(125).stdout("").error("absent");
    assert_eq!(case.inspect("box", "{{.State.Pid}}"), before);
    case.coracle(["run", "-d", "--rm", "--network=none", "--name", "goes", &image, "sleep", "1000"]).succeeded();
    case.coracle(["restart", "goes"]).code(125).stdout("").error("can't be restarted");
    assert_eq!(case.inspect("goes", "{{.State.Status}}"), "running");
}

/// Two changes at once: neither is lost.
fn renamed_and_updated(case: &Case) {
    let image = case.busybox();
    case.coracle(["create", "--network=none", "--name", "name-0", &image, "true"]).succeeded();
    let id = case.inspect("name-0", "{{.Id}}");
    for round in 1..20 {
        let (name, policy) = (format!("name-{round}"), format!("on-failure:{round}"));
        let update = case.command(["update", "--restart", &policy, &id]).start();
        let rename = case.command(["rename", &id, &name]).start();
        update.finish().code(0);
        rename.finish().code(0);
        let shown = case.inspect(&id, "{{.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}");
        assert_eq!(shown, format!("{name} {round}"));
    }
}

fn renamed(case: &Case) {
    let image = case.busybox();
    let id = case
        .coracle(["run", "-d", "--rm", "--network=none", "--name", "old", &image, "sleep", "1000"])
        .succeeded()
        .stdout;
    case.coracle(["create", "--network=none", "--name", "other", &image, "true"]).succeeded();
    case.coracle(["rename", "old", "/new"]).code(0).stdout("").stderr("");
    assert_eq!(case.inspect("new", "{{.Name}} {{.Id}}"), format!("new {}", id.trim_end()));
    case.coracle(["inspect", "old"]).code(125);
    case.coracle(["rename", "new", "other"]).code(125).error("already in use");
    case.coracle(["rename", "new", "a b"]).code(125).error("`a b`");
    case.coracle(["rename", "absent", "x"]).code(125).error("absent");
    case.coracle(["rename", &id[..12], "new"]).code(0);
    // The old name is free, and the new one once the container has gone.
    case.coracle(["create", "--network=none", "--name", "old", &image, "true"]).succeeded();
    case.coracle(["stop", "-t", "0", "new"]).code(0);
    wait_until("it has gone", LIMIT, || case.coracle(["ps", "-q"]).stdout.is_empty());
    case.coracle(["create", "--network=none", "--name", "new", &image, "true"]).succeeded();
}

fn pruned(case: &Case) {
    let image = case.busybox();
    let create = |label: &str| {
        let made = case.coracle(["create", "--network=none", "--label", label, &image, "true"]);
        made.succeeded().stdout
    };
    let (a, b, c) = (create("kind=a"), create("kind=b"), create("other"));
    case.coracle(["run", "-d", "--network=none", "--name", "alive", &image, "sleep", "1000"]).succeeded();
    let prune = |flags: &[&str]| case.coracle(["container", "prune"].iter().chain(flags).copied());
    prune(&["-f", "--filter", "until=1h"]).code(0).stdout("");
    prune(&["-f", "--filter", "label=kind=a"]).code(0).stdout(&a);
    prune(&["-f", "--filter", "label!=kind"]).code(0).stdout(&c);
    prune(&["--filter", "size=1"]).code(125).error("size is an invalid filter");
    let asked = case.command(["container", "prune"]).stdin("n\n").finish().code(0).stdout;
    assert!(asked.starts_with("WARNING! ") && asked.ends_with("[y/N] "), "{asked}");
    let agreed = case.command(["container", "prune"]).stdin("y\n").finish().code(0).stdout;
    assert!(agreed.ends_with(&b), "{agreed}");
    case.coracle(["ps", "-a", "--format", "{{.Names}}"]).code(0).stdout("alive\n");
}

on_both_drivers!(restarted, renamed, renamed_and_updated, pruned);
