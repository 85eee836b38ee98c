//! What people's scripts depend on: how flags are read, what fails and how.

use std::os::unix::ffi::OsStrExt;

use super::run;
use crate::harness::Case;

fn flags_are_read_as_podman_reads_them(case: &Case) {
    let image = case.busybox();
    let coracle = |words: &[&str]| case.coracle(words.iter().copied());
    // They stop at the image; a repeated one: the last counts; clusters; `-h` is the host name, `-l` a label.
    coracle(&["run", "--rm", "--network=none", &image, "echo", "--rm", "-d", "--name=x"]).stdout("--rm -d --name=x\n");
    coracle(&["run", "--rm", "--network=none", "--name=a", "-h", "one", "--name=/b", "-htwo", &image, "hostname"])
        .stdout("two\n");
    coracle(&["run", "-itd", "--rm=true", "--network=none", "--name=/first", "-lx=y", &image, "sleep", "100"]).code(0);
    assert_eq!(
        case.inspect("first", "{{.Config.Tty}} {{.Config.OpenStdin}} {{.HostConfig.AutoRemove}}"),
        "true true true"
    );
    assert_eq!(case.inspect("first", "{{.Config.Labels.x}} {{.Name}}"), "y first");
    coracle(&["rm", "-f", "-t0", "first"]).code(0);
    // A value is one whatever it looks like.
    let line = ["run", "--rm", "--network=none", "-e", "-x=--rm", "-l", "-d", "--entrypoint", "env", &image];
    assert!(coracle(&line).code(0).stdout.contains("-x=--rm\n"));
    coracle(&["run", "-d", "--network=none", "--name=trap", &image, "sh", "-c", "trap exit TERM; sleep 1 & wait"])
        .code(0);
    coracle(&["stop", "-t", "-1", "trap"]).code(0).stdout("trap\n");
    coracle(&["run", "--rm", "--network=none", "--name", "-d", &image, "true"]).code(125).error("`-d` is not a name");
    // An empty one, as of an empty variable of a script's, is none; but a variable and a label have a name.
    coracle(&["run", "--rm", "--network=none", "--name", "", "-w", "", "--stop-signal", "", "-e", "", &image, "true"])
        .code(0)
        .stderr("");
    coracle(&["run", "--rm", "-e", "=x", &image, "true"]).code(125).error("invalid variable: \"=x\"");
    coracle(&["run", "--rm", "-l", "", &image, "true"]).code(125).error("invalid label format: \"\"");
    // `--user` of a container by another name is that of the last one.
    coracle(&["run", "--rm", "--pid=host", "--net", "none", "-u33", "--user", "0", &image, "id", "-u"]).stdout("0\n");
}

/// Each switch of `run` takes `=false` and `=true`.
fn switches_can_be_switched_off(case: &Case) {
    let help = case.coracle(["run", "--help"]).succeeded().stdout;
    let switches: Vec<&str> = help
        .lines()
        .filter_map(|line| line.trim_start().split("--").nth(1)?.split_whitespace().next())
        .filter(|name| !name.contains('<') && name.bytes().all(|b| b == b'-' || b.is_ascii_lowercase()))
        .filter(|name| help.lines().any(|line| line.contains(&format!("--{name}  "))) && *name != "help")
        .collect();
    assert!(switches.contains(&"rm") && switches.contains(&"tty") && switches.len() > 8, "{switches:?}");
    let flags: Vec<String> = switches.iter().map(|name| format!("--{name}=false")).collect();
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let image = case.busybox();
    let line = ["run", "--network=none"].iter().copied().chain(flags).chain([image.as_str(), "echo", "ran"]);
    case.coracle(line).code(0).stdout("ran\n").stderr("");
    assert_eq!(case.coracle(["ps", "-aq"]).succeeded().stdout.lines().count(), 1);
    run(case, &["--rm=perhaps"], "true").code(125).error("perhaps");
}

fn success_is_silent_and_ids_are_whole(case: &Case) {
    let image = case.busybox();
    for verb in [&["create"][..], &["run", "-d"]] {
        let line = verb.iter().copied().chain(["--network=none", image.as_str(), "sleep", "100"]);
        let made = case.coracle(line).code(0).stderr("");
        assert!(made.stdout.len() == 65 && made.stdout.trim().bytes().all(|b| b.is_ascii_hexdigit()), "{made}");
    }
}

fn what_fails_has_podmans_code(case: &Case) {
    let image = case.busybox();
    case.coracle(["run", "-d", "--name=box", "--network=none", &image, "sleep", "100"]).succeeded();
    case.coracle(["create", "--name=still", "--network=none", &image, "true"]).succeeded();
    for (line, code) in [
        ("container exists nobody", 1),
        ("container exists box", 0),
        ("rm nobody", 1),
        ("rm -f nobody", 0),
        ("rm -i nobody", 0),
        ("rm box", 2),
        ("start nobody", 125),
        ("stop nobody", 125),
        ("kill nobody", 125),
        ("logs nobody", 125),
        ("wait nobody", 125),
        ("inspect nobody", 125),
        ("exec nobody true", 125),
        ("exec still true", 255),
        ("exec box no-such-program", 127),
        ("exec box sh -c exit\u{a0}7", 127),
        ("kill still", 125),
        ("stop still", 0),
        ("frob", 125),
        ("run", 125),
        ("run --frob", 125),
    ] {
        case.coracle(line.split(' ')).code(code);
    }
    let holder = case.inspect("box", "{{.Id}}");
    let taken = case.coracle(["run", "--name=box", "--network=none", &image, "true"]).code(125);
    assert!(taken.stderr.contains(&format!("\"box\" is already in use by {holder}")), "{taken}");
    case.coracle(["run", "--replace", &image, "true"])
        .code(125)
        .error("cannot replace container without --name being set");
    case.coracle(["run", "--rm", "--restart=always", &image, "true"]).code(125).error("conflicts with --restart");
    case.coracle(["inspect", "nobody"]).stdout("[]\n");
    case.coracle(["rm", "-a", "-f", "-t0"]).code(0);
}

fn streams_are_chosen(case: &Case) {
    let both = "echo out; echo err >&2";
    run(case, &["-a", "stdout"], both).code(0).stdout("out\n").stderr("");
    run(case, &["--attach=STDERR"], both).code(0).stdout("").stderr("err\n");
    run(case, &["-a=stdout,stderr"], both).code(0).stdout("out\n").stderr("err\n");
    run(case, &["-a", "frob"], "true").code(125).error("invalid stream \"frob\"");
    let image = case.busybox();
    let line = ["run", "--rm", "--network=none", "-i", "-astdin", "-astdout", &image, "cat"];
    case.command(line).stdin("fed\n").finish().code(0).stdout("fed\n");
}

fn what_is_not_there_says_what_is(case: &Case) {
    for (flag, hint) in [
        ("--oom-kill-disable", "--memory"),
        ("--cpu-rt-runtime=1", "--memory"),
        ("--link=x", "network create"),
        ("--runtime=runc", "leave it out"),
        ("--domainname=x", "--hostname"),
        ("--isolation=x", "leave it out"),
        ("--use-api-socket", "leave it out"),
    ] {
        let refused = run(case, &[flag], "true").code(125);
        let hints = refused.stderr.lines().any(|line| line.starts_with("hint: ") && line.contains(hint));
        assert!(hints && !refused.stderr.contains("unknown flag"), "{refused}");
    }
    run(case, &["--pids-limit=-1"], "echo ran").code(0).stdout("ran\n");
    let image = case.busybox();
    for (flag, hint) in [
        ("--url=unix:x", "leave it out"),
        ("--remote", "leave it out"),
        ("--tmpdir=/x", "--root"),
        ("--runtime-flag=x", "leave"),
        ("--syslog", "leave"),
        ("--imagestore=/x", "leave"),
    ] {
        let refused = case.coracle([flag, "ps"]).code(125).says("hint: ");
        assert!(refused.stderr.contains(hint) && !refused.stderr.contains("unknown flag"), "{refused}");
    }
    for (line, hint) in [
        (&["container", "clone", "box"][..], "coracle commit"),
        (&["container", "mount", "box"], "coracle cp"),
        (&["farm", "build", "."], "coracle build"),
        (&["kube", "play", "x"], "coracle run"),
    ] {
        let refused = case.coracle(line.iter().copied()).code(125).says("hint: ");
        assert!(refused.stderr.contains(hint) && !refused.stderr.contains("unrecognized"), "{refused}");
    }
    case.coracle(["frob"]).code(125).error("unrecognized command `coracle frob`");
    case.coracle(["network", "frob"]).code(125).error("unrecognized command `coracle network frob`");
    case.coracle(["rename", "x", "y", "z"]).code(125).error("one argument too many: `z`");
    case.coracle(["--frob", "ps"]).code(125).error("unknown flag: --frob");
    case.coracle(["ps", "--memory=1"]).code(125).error("unknown flag: --memory");
    case.coracle(["run", "--frob", &image]).code(125).error("unknown flag: --frob");
}

/// What a container is told is kept as text: bytes that are none are refused, by name.
fn bytes_that_are_no_text(case: &Case) {
    let image = case.busybox();
    let bytes = std::ffi::OsStr::from_bytes(b"a\xffb");
    for line in [&["run", "--rm", &image, "printf", "%s"][..], &["exec", "box", "echo"], &["ps", "--filter"]] {
        let refused = case.command(line.iter().copied()).arg(bytes).finish().code(125).stdout("");
        refused.error("the argument \"a\\xFFb\" is not valid UTF-8").says("hint: ");
    }
    case.sh(&image, "printf '\\303\\251'").code(0).stdout("é");
    case.coracle(["run", "--rm", "--network=none", &image, "printf", "é"]).code(0).stdout("é");
}

on_both_drivers!(
    bytes_that_are_no_text,
    flags_are_read_as_podman_reads_them,
    switches_can_be_switched_off,
    success_is_silent_and_ids_are_whole,
    what_fails_has_podmans_code,
    streams_are_chosen,
    what_is_not_there_says_what_is,
);
