//! `top`, `stats`, `port`: what a container that runs does at the moment.

use std::time::Duration;

use serde_json::Value;

use crate::behaviour::faults::death::exists;
use crate::behaviour::into::terminal::on_terminal;
use crate::harness::{Account, Case, Driver, LIMIT, wait_until};

fn top(case: &Case) {
    let image = case.busybox();
    let added = "echo 'extra:x:77:' >>/etc/group; echo 'someone:x:77:77::/:' >>/etc/passwd; sleep 1000; true";
    case.coracle(["run", "-d", "--network=none", "--name", "box", &image, "sh", "-c", added]).succeeded();
    let sleeps = |count| {
        wait_until("all run", LIMIT, || case.coracle(["top", "box", "args"]).stdout.matches("sleep").count() == count);
    };
    sleeps(2);
    case.coracle(["exec", "-d", "-u", "77:77", "box", "sleep", "2000"]).succeeded();
    sleeps(3);

    let usual = case.coracle(["top", "box"]).succeeded().stdout;
    let mut lines = usual.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    assert_eq!(lines.next().unwrap(), ["USER", "PID", "PPID", "%CPU", "ELAPSED", "TTY", "TIME", "COMMAND"]);
    let first = lines.next().unwrap();
    assert_eq!((first[0], first[1], first[2], first[5], first[7]), ("root", "1", "0", "?", "sh"), "{usual}");
    let second = lines.next().unwrap();
    assert_eq!((second[0], second[2], second[7]), ("root", "1", "sleep"), "{usual}");

    let chosen = case.coracle(["top", "box", "pid,user,group", "uid", "huid", "hpid", "comm", "seccomp", "capeff"]);
    let chosen = chosen.succeeded().stdout;
    let rows: Vec<Vec<&str>> = chosen.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(&rows[0][..8], ["PID", "USER", "GROUP", "UID", "HUID", "HPID", "COMMAND", "SECCOMP"]);
    let account = Account::current();
    let (own, other) = (rustix::process::getuid().as_raw(), account.subordinate + 76);
    assert_eq!(rows[1][4], own.to_string(), "{chosen}");
    assert_eq!(rows[1][5], case.inspect("box", "{{.State.Pid}}"));
    assert!(rows[1][8].contains("SYS_CHROOT") && rows[1][7] == "filter", "{chosen}");
    let last = rows.last().unwrap();
    assert_eq!((&last[1..5], last[8]), (&["someone", "extra", "77", &other.to_string()][..], "none"), "{chosen}");

    // What is no descriptor is the container's own ps(1)'s to read.
    let inside = case.coracle(["top", "box", "-o", "pid,comm"]).succeeded().stdout;
    assert!(inside.starts_with("PID ") && inside.contains("sleep"), "{inside}");
    let bad = case.coracle(["top", "box", "bogus", "-Q"]).code(125).error("ps(1) failed with exit code");
    assert!(bad.stderr.contains("hint: descriptors are args capamb"), "{bad}");
    case.coracle(["stop", "-t", "0", "box"]).code(0);
    case.coracle(["top", "box"]).code(125).stdout("").error("top can only be used on running containers");
}

fn stats(case: &Case) {
    let image = case.busybox();
    case.coracle(["run", "-d", "--network=none", "--name", "busy", &image, "sh", "-c", "while :; do :; done"])
        .succeeded();
    case.coracle(["create", "--network=none", "--name", "idle", &image, "true"]).succeeded();
    let percent = || -> f64 {
        let text = case.coracle(["stats", "--no-stream", "--format", "{{.CPUPerc}}", "busy"]).succeeded().stdout;
        text.trim().trim_end_matches('%').parse().unwrap()
    };
    wait_until("its work shows", LIMIT, || percent() > 1.0);
    let table = case.coracle(["stats", "--no-stream"]).succeeded().stdout;
    let heading = table.lines().next().unwrap();
    let words: Vec<&str> = heading.split("  ").map(str::trim).filter(|word| !word.is_empty()).collect();
    let expected =
        ["ID", "NAME", "CPU %", "MEM USAGE / LIMIT", "MEM %", "NET IO", "BLOCK IO", "PIDS", "CPU TIME", "AVG CPU %"];
    assert_eq!(words, expected);
    assert_eq!(table.lines().count(), 2, "{table}");
    let all = case.coracle(["stats", "--no-stream", "-a", "--format", "{{.Name}} {{.PIDS}} {{.BlockIO}}"]).succeeded();
    assert_eq!(all.stdout, "busy 1 -- / --\nidle 0 0B / 0B\n");
    let json = case.coracle(["stats", "--no-stream", "--format", "json", "busy"]).succeeded().stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    let memory = json[0]["mem_usage"].as_str().unwrap();
    assert!(memory.contains("kB / ") || memory.contains("MB / "), "{memory}");
    assert_eq!(
        (&json[0]["name"], &json[0]["pids"], &json[0]["net_io"]),
        (&"busy".into(), &"1".into(), &"0B / 0B".into())
    );
    case.coracle(["stats", "--no-stream", "nope"]).code(125).stdout("").error("no such container");
}

/// What one life has used is no concern of the next, though the monitor and its control group are the same.
fn stats_of_a_later_life(case: &Case) {
    let image = case.busybox();
    let used = || {
        let text = case.coracle(["stats", "--no-stream", "--format", "{{.Duration}}", "box"]).succeeded().stdout;
        Duration::from_nanos(text.trim().parse().unwrap())
    };
    let script = "test -e /first && exec sleep 1000; touch /first /work; while test -e /work; do :; done";
    case.coracle(["run", "-d", "--network=none", "--name", "box", "--restart=always", &image, "sh", "-c", script])
        .code(0);
    wait_until("its work shows", LIMIT, || used() > Duration::from_millis(500));
    // The container's end may overtake that of the command.
    let removed = case.coracle(["exec", "box", "rm", "/work"]);
    assert!(matches!(removed.code, Some(0 | 137)), "{removed}");
    wait_until("it lives again", LIMIT, || case.inspect("box", "{{.RestartCount}} {{.State.Status}}") == "1 running");
    assert!(used() < Duration::from_millis(300), "{:?}", used());
}

/// On a terminal, each look takes the place of the one before, until the user has seen enough.
fn stats_of_the_moment(case: &Case) {
    let image = case.busybox();
    case.coracle(["run", "-d", "--network=none", "--name", "box", &image, "sleep", "1000"]).succeeded();
    let mut terminal = on_terminal(case, &["stats", "--interval=1"]);
    for _ in 0..2 {
        terminal.expect("\x1b[?2026h\x1b[H");
        terminal.expect("CPU %");
        terminal.expect(" box ");
    }
    // One that starts meanwhile is in the next.
    case.coracle(["run", "-d", "--network=none", "--name", "late", &image, "sleep", "1000"]).succeeded();
    terminal.expect(" late ");
    case.coracle(["rm", "-f", "-t0", "box"]).succeeded();
    wait_until("one that is gone is in it no more", LIMIT, || {
        terminal.expect("\x1b[?2026h\x1b[H");
        !terminal.expect(" late ").contains(" box ")
    });
    // Each frame writes over the one before: the screen is never empty.
    assert!(!terminal.shown().contains("\x1b[2J"));
    terminal.write("\x03");
    wait_until("it ends with its terminal's shell", LIMIT, || !exists(terminal.pid()));
}

on_both_drivers!(top, stats, stats_of_a_later_life, stats_of_the_moment);

#[test]
fn ports_of_what_publishes_none() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    case.coracle(["create", "--network=none", "--name", "box", &image, "true"]).succeeded();
    for arguments in [&["port", "box"][..], &["port", "box", "80"], &["port", "-a"], &["container", "port", "-l"]] {
        case.coracle(arguments.iter().copied()).code(0).stdout("").stderr("");
    }
    case.coracle(["port", "nope"]).code(125).error("no such container");
    case.coracle(["port"]).code(125).error("you must supply a running container name or id");
}
