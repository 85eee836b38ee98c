//! `logs`: what containers wrote, in order and whole, while they run and afterwards.

use rustix::process::Signal;

use crate::harness::{Case, Driver, Finished, LIMIT, Running, wait_until};

fn logs(case: &Case, arguments: &[&str]) -> Finished {
    case.coracle(["logs"].iter().chain(arguments).copied())
}

/// A container that runs `script` in the background.
fn start(case: &Case, name: &str, flags: &[&str], script: &str) {
    let image = case.busybox();
    let head = ["run", "-d", "--network=none", "--name", name].into_iter().chain(flags.iter().copied());
    case.coracle(head.chain([image.as_str(), "sh", "-c", script])).succeeded();
}

fn ended(case: &Case, name: &str, flags: &[&str], script: &str) {
    start(case, name, flags, script);
    case.coracle(["wait", name]).code(0);
}

fn which_lines(case: &Case) {
    ended(case, "box", &[], "echo two >&2; echo one; printf thr; sleep 0.2; echo ee; sleep 1; echo four; printf five");
    logs(case, &["box"]).code(0).stdout("one\nthree\nfour\nfive").stderr("two\n");
    logs(case, &["--tail", "2", "box"]).code(0).stdout("four\nfive").stderr("");
    logs(case, &["--tail", "0", "box"]).code(0).stdout("").stderr("");
    logs(case, &["--tail=-1", "-l"]).code(0).stdout("one\nthree\nfour\nfive");
    logs(case, &["--tail", "3", "box"]).code(0).stdout("three\nfour\nfive").stderr("");
    logs(case, &["--tail", "9", "box"]).code(0).stdout("one\nthree\nfour\nfive").stderr("two\n");
    let timed = logs(case, &["-t", "box"]).code(0).stdout;
    let times: Vec<_> = timed.lines().map(|line| line.split_once(' ').unwrap()).collect();
    assert_eq!(times.iter().map(|(_, text)| *text).collect::<Vec<_>>(), ["one", "three", "four", "five"]);
    let four = times[2].0;
    assert!(chrono_like(four), "{four}");
    logs(case, &["--since", four, "box"]).code(0).stdout("four\nfive").stderr("");
    logs(case, &["--until", four, "box"]).code(0).stdout("one\nthree\nfour\n").stderr("two\n");
    logs(case, &["--since", "1h", "box"]).code(0).stdout("one\nthree\nfour\nfive");
    logs(case, &["--until", "1h", "box"]).code(0).stdout("");
    logs(case, &["--since", "tomorrow", "box"]).code(125).error("`tomorrow` is not a time");
    logs(case, &["absent"]).code(125).error("absent");
}

fn chrono_like(time: &str) -> bool {
    time.len() == 35 && time.ends_with("+00:00") && time.as_bytes()[10] == b'T'
}

fn several(case: &Case) {
    ended(case, "a", &[], "echo one; echo two >&2");
    ended(case, "b", &[], "echo three");
    logs(case, &["-n", "a", "b"]).code(0).stdout("a one\nb three\n").stderr("a two\n");
    let ids: Vec<String> = ["a", "b"].iter().map(|name| case.inspect(name, "{{.Id}}")[..12].to_owned()).collect();
    logs(case, &["-f", "a", "b"]).code(0).stdout(&format!("{} one\n{} three\n", ids[0], ids[1]));
    logs(case, &["-n", "a"]).code(0).stdout("one\n");
}

/// Until a `logs -f` has begun to watch.
fn waits(following: &Running) {
    let fds = format!("/proc/{}/fd", following.pid().as_raw_nonzero());
    wait_until("it waits", LIMIT, || {
        let mut targets =
            std::fs::read_dir(&fds).unwrap().flatten().filter_map(|fd| std::fs::read_link(fd.path()).ok());
        targets.any(|target| target.to_string_lossy().contains("inotify"))
    });
}

/// Nothing is missed, and the end is the container's: by itself, by force, with its monitor, or out of sight.
fn followed(case: &Case) {
    for (flags, end) in [(&[] as &[&str], "echo"), (&["--rm"], "echo"), (&[], "kill"), (&[], "monitor")] {
        start(
            case,
            "box",
            flags,
            "i=0; while [ $i -lt 300 ]; do echo line $i; i=$((i+1)); done; mkfifo f; read x <f; echo last",
        );
        let following = case.command(["logs", "-f", "box"]).start();
        let tailing = case.command(["logs", "-f", "--tail", "0", "box"]).start();
        waits(&following);
        waits(&tailing);
        wait_until("all is written", LIMIT, || logs(case, &["--tail", "1", "box"]).stdout == "line 299\n");
        match end {
            "kill" => drop(case.coracle(["kill", "box"]).code(0)),
            "monitor" => {
                let monitor = case.inspect("box", "{{.State.ConmonPid}}").parse().unwrap();
                let monitor = rustix::process::Pid::from_raw(monitor).unwrap();
                rustix::process::kill_process(monitor, rustix::process::Signal::KILL).unwrap();
            }
            // The container's end may catch up with it.
            _ => drop(case.coracle(["exec", "box", "sh", "-c", "echo >f"])),
        }
        let lines: String = (0..300).map(|number| format!("line {number}\n")).collect();
        let last = if end == "echo" { "last\n" } else { "" };
        following.finish().code(0).stdout(&(lines + last));
        let tail = tailing.finish().code(0).stdout;
        assert!(tail.ends_with(last) && tail.len() < 4000, "{tail}");
        case.coracle(["rm", "-f", "-t", "0", "box"]).code(0);
    }
}

/// With a limit the last bytes are there, in whole lines; who follows goes on with the file that took the place of another.
fn limited(case: &Case) {
    let script = "read go <f; i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done";
    start(case, "box", &["--log-opt", "max-size=10k", "--log-driver=json-file"], &format!("mkfifo f; {script}"));
    let following = case.command(["logs", "-f", "box"]).start();
    let asleep = case.command(["logs", "-f", "box"]).start();
    waits(&following);
    waits(&asleep);
    asleep.signal(Signal::STOP);
    // The end of the container may come before the command's own.
    wait_until("it goes", LIMIT, || {
        let told = case.coracle(["exec", "box", "sh", "-c", "echo >f"]).code;
        matches!(told, Some(0 | 137)) || case.inspect("box", "{{.State.Running}}") == "false"
    });
    case.coracle(["wait", "box"]).code(0).stdout("0\n");
    let all: String = (0..3000).map(|number| format!("line {number}\n")).collect();
    let kept = logs(case, &["box"]).code(0).stdout;
    assert!(all.ends_with(&kept) && kept.len() > 1000, "{kept}");
    asleep.signal(Signal::CONT);
    // Who can't keep up is told what is missing.
    let missed = asleep.finish().code(0);
    assert!(missed.stdout.len() < all.len(), "{missed}");
    for followed in [following.finish().code(0), missed] {
        let text = &followed.stdout;
        assert!(text.starts_with("line 0\n") && text.ends_with(&kept), "{followed}");
        assert!(text.lines().all(|line| all.contains(line)), "{followed}");
        let warned = followed.stderr.starts_with("warning: output came faster than it was read");
        assert_eq!(warned, *text != all, "{followed}");
    }
    let tail = logs(case, &["--tail", "150", "box"]).code(0).stdout;
    assert!(tail.starts_with("line 2850\n") && tail.ends_with("line 2999\n"), "{tail}");
    let folder = std::fs::read_dir(case.store().join("containers")).unwrap().flatten().next().unwrap().path();
    let size = |name: &str| folder.join(name).metadata().unwrap().len();
    assert!(size("log.1") >= 10_240 && size("log.1") < 10_400 && size("log") < 10_400);
    assert_eq!(
        case.inspect("box", "{{.HostConfig.LogConfig.Type}} {{.HostConfig.LogConfig.Size}}"),
        "k8s-file 10.24kB"
    );
}

fn elsewhere_or_nowhere(case: &Case) {
    let path = case.home.join("its log");
    let option = format!("path={}", path.display());
    ended(case, "box", &["--log-opt", &option, "--log-opt", "tag=mine"], "echo kept");
    logs(case, &["box"]).code(0).stdout("kept\n");
    assert!(std::fs::read_to_string(&path).unwrap().ends_with(" stdout F kept\n"));
    let shown = case.inspect("box", "{{.HostConfig.LogConfig.Path}} {{.HostConfig.LogConfig.Tag}}");
    assert_eq!(shown, format!("{} mine", path.display()));
    ended(case, "silent", &["--log-driver=none"], "echo lost");
    logs(case, &["silent"]).code(125).stdout("").error("using the 'none' log driver");
    let image = case.busybox();
    let run = |flags: &[&str]| {
        let head = ["run", "--network=none", "--log-driver=passthrough"].iter().chain(flags).copied();
        case.coracle(head.chain([
            image.as_str(),
            "sh",
            "-c",
            "echo out; echo err >&2; readlink /proc/self/fd/1 | cut -d: -f1",
        ]))
    };
    run(&["--name", "through"]).code(0).stdout("out\npipe\n").stderr("err\n");
    logs(case, &["through"]).code(125).error("using the 'passthrough' log driver");
    run(&["-t"]).code(125).error("cannot be used on a TTY");
    run(&["--log-driver=syslog"]).code(125).error("`syslog`");
    run(&["--log-opt", "frob=3"]).code(125).error("`frob=3`");
    // Also of one in the background: its output is the caller's.
    let detached = run(&["-d", "--name", "detached"]).code(0);
    let id = case.inspect("detached", "{{.Id}}");
    assert!(detached.stdout.contains(&id) && detached.stdout.contains("pipe\n"), "{detached}");
}

on_both_drivers!(which_lines, several, followed, limited, elsewhere_or_nowhere);

/// A long log: the last lines come without reading all of it.
#[test]
fn the_end_of_a_long_one() {
    let case = Case::new(Driver::Auto);
    ended(&case, "box", &[], "yes 0123456789012345678901234567890123456789 | head -n 300000; echo the end");
    let all = logs(&case, &["box"]).code(0).stdout;
    assert_eq!(all.lines().count(), 300_001);
    let tail = logs(&case, &["--tail", "5000", "box"]).code(0).stdout;
    assert!(tail.lines().count() == 5000 && tail.ends_with("the end\n"));
}

/// A line that is longer than the piece of the log that is looked at first is one all the same.
#[test]
fn the_end_of_a_log_with_a_long_line() {
    let case = Case::new(Driver::Auto);
    ended(&case, "box", &[], "echo a; head -c 200000 /dev/zero | tr '\\0' x; echo; echo last");
    for flags in [&["--tail=2"][..], &["-f", "--tail", "2"]] {
        let said = logs(&case, &[flags, &["box"]].concat()).code(0).stdout;
        assert!(said.len() == 200_001 + "last\n".len() && said.ends_with("x\nlast\n"), "{} bytes", said.len());
    }
    logs(&case, &["--tail", "1", "box"]).code(0).stdout("last\n");
}

/// What `journalctl` prints is shown like any log; this one knows two records, and one more for who follows.
#[test]
fn records_of_the_journal() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    let create = ["create", "--network=none", "--name=box", "--log-driver=journald"];
    case.coracle(create.into_iter().chain([&*image, "true"])).code(0);
    let id = case.inspect("box", "{{.Id}}");
    let folder = case.home.join("bin");
    std::fs::create_dir(&folder).unwrap();
    let script = format!(
        r#"#!/bin/sh
        record() {{ echo "{{\"__CURSOR\":\"$1\",\"__REALTIME_TIMESTAMP\":\"176986080000000$1\",\"MESSAGE\":$2,\"PRIORITY\":\"$3\"}}"; }}
        case " $* " in *" CONTAINER_ID_FULL={id} "*) ;; *) exit 9;; esac
        case "$*" in
            *--after-cursor=2*--follow*|*--follow*--after-cursor=2*) record 3 '"three"' 6; exec sleep 1000;;
            *--after-cursor=3*) record 4 '"four"' 6;;
            *--after-cursor=2*) record 3 '"three"' 6; record 4 '"four"' 6;;
            *) record 1 '"one"' 6; record 2 '[116,119,111]' 3;;
        esac"#
    );
    let program = folder.join("journalctl");
    std::fs::write(&program, script).unwrap();
    crate::harness::set_mode(&program, 0o755);
    let path = format!("{}:/usr/bin:/bin", folder.display());
    let logs = |flags: &[&str]| {
        let line = ["logs"].into_iter().chain(flags.iter().copied()).chain(["box"]);
        case.command(line).env("PATH", &path).finish()
    };
    logs(&[]).code(0).stdout("one\n").stderr("two\n");
    logs(&["--tail=1"]).code(0).stdout("").stderr("two\n");
    logs(&["-t"]).code(0).stdout("2026-01-31T12:00:00.000001000+00:00 one\n");
    // Of one that has ended: all that has come by then.
    logs(&["-f"]).code(0).stdout("one\nthree\nfour\n").stderr("two\n");
    case.command(["logs", "box"]).env("PATH", "/nowhere").finish().code(125).error("`journalctl` is not installed");
}
