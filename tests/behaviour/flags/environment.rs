//! Variables: of the image, the host, files and flags.

use super::run;
use crate::harness::{Case, Image};

fn variables_come_in_podmans_order(case: &Case) {
    let file = case.home.join("a,file");
    std::fs::write(&file, "# comment\n\nA=file\nQUOTED=\"q\"\nTAKEN\nABSENT\nPFX_*\n  B=indented\n").unwrap();
    let image =
        case.pull(&Image::busybox().config("Env", vec!["A=image", "I=image", "BASE=b"]).push("env-order:latest"));
    let flags =
        ["-eFLAG=flag", "-e", "LATER=1", "-e", "LATER=2", "--env-merge", "I=${I}+${BASE}$NONE", "--unsetenv", "BASE"];
    let head = ["run", "--rm", "--network=none", "--env-file", file.to_str().unwrap()];
    let line = head.iter().chain(&flags).copied().chain([image.as_str(), "env"]);
    let command = case.command(line).env("TAKEN", "t").env("PFX_1", "p").env("no_proxy", "x").env("HTTP_PROXY", "y");
    let printed = command.finish().succeeded().stdout;
    let value = |name: &str| printed.lines().find_map(|line| line.strip_prefix(&format!("{name}="))).map(str::to_owned);
    for (name, expected) in [
        ("A", Some("file")),
        ("QUOTED", Some("\"q\"")),
        ("TAKEN", Some("t")),
        ("ABSENT", None),
        ("PFX_1", Some("p")),
        ("FLAG", Some("flag")),
        ("LATER", Some("2")),
        ("I", Some("image+b")),
        ("BASE", None),
        ("no_proxy", Some("x")),
        ("HTTP_PROXY", Some("y")),
        ("container", Some("podman")),
    ] {
        assert_eq!(value(name).as_deref(), expected, "{name}: {printed}");
    }
}

fn the_hosts_variables_come_when_asked_for(case: &Case) {
    let image = case.busybox();
    let run = |flag: &str| {
        let line = ["run", "--rm", "--network=none", flag, "-e", "B=flag", &image, "env"];
        case.command(line).env("https_proxy", "p").env("A", "host").env("B", "host").finish().succeeded().stdout
    };
    let all = run("--env-host");
    assert!(all.contains("\nA=host\n") && all.contains("B=flag\n") && all.contains("https_proxy=p\n"), "{all}");
    let without = run("--http-proxy=false");
    assert!(!without.contains("https_proxy") && !without.contains("A=host"), "{without}");
}

fn variables_are_left_out(case: &Case) {
    let image = case.pull(&Image::busybox().config("Env", vec!["A=image"]).push("env-unset:latest"));
    let run = ["run", "--rm", "--network=none", "--unsetenv-all", "-e", "B=flag", &image, "/bin/env"];
    let printed = case.coracle(run).succeeded().stdout;
    assert!(!printed.contains("PATH=") && !printed.contains("A=image"), "{printed}");
    assert!(printed.contains("B=flag\n") && printed.contains("container=podman\n"), "{printed}");
}

fn a_file_that_is_not_there_is_an_error(case: &Case) {
    run(case, &["--env-file", "/no/such/file"], "true").code(125).error("/no/such/file");
}

on_both_drivers!(
    variables_come_in_podmans_order,
    the_hosts_variables_come_when_asked_for,
    variables_are_left_out,
    a_file_that_is_not_there_is_an_error,
);
