//! A container as a place for systemd.

use super::{inspected, run};
use crate::harness::{Case, Image, LIMIT, Layer, wait_until};

/// A program that is called `/sbin/init` finds what systemd needs, and is told to shut down as systemd is.
fn an_init_finds_what_it_needs(case: &Case) {
    let script = "#!/bin/sh\ntrap 'echo down; exit 0' 37\necho uuid $container_uuid $container\n\
        for d in /run /run/lock /tmp /var/log/journal; do grep \" $d tmpfs rw,\" /proc/mounts | cut -d' ' -f2; touch $d/x || exit 1; done\n\
        test -e /run/of-image && exit 1\necho up\nsleep 1000 & wait\n";
    let layer = Layer::new().file("sbin/init", 0o755, script).file("run/of-image", 0o644, "");
    let image = case.pull(&Image::busybox().layer(layer).push("with-init:latest"));
    let line = ["run", "-d", "--network=none", "--name=box", &image, "/sbin/init"];
    let id = case.coracle(line).succeeded().stdout;
    wait_until("it is up", LIMIT, || case.coracle(["logs", "box"]).stdout.contains("up\n"));
    assert_eq!(case.inspect("box", "{{.Config.SystemdMode}} {{.Config.StopSignal}}"), "true SIGRTMIN+3");
    // Mount points of the kernel's own hierarchy are the machine's matter; where there is one, it is for writing.
    let groups = case.coracle(["exec", "box", "grep", " cgroup2 ", "/proc/mounts"]).stdout;
    assert!(groups.is_empty() || groups.starts_with("cgroup2 /sys/fs/cgroup cgroup2 rw,"), "{groups}");
    case.coracle(["stop", "box"]).succeeded();
    assert_eq!(case.inspect("box", "{{.State.ExitCode}}"), "0");
    let logs = case.coracle(["logs", "box"]).succeeded().stdout;
    assert_eq!(logs, format!("uuid {} podman\n/run\n/run/lock\n/tmp\n/var/log/journal\nup\ndown\n", &id[..32]));
}

fn the_flag_decides(case: &Case) {
    let mode = |flags: &[&str]| inspected(case, flags, "{{.Config.SystemdMode}} {{.Config.StopSignal}}");
    assert_eq!(mode(&[]), "false SIGTERM");
    assert_eq!(mode(&["--entrypoint=/usr/lib/systemd/systemd"]), "true SIGRTMIN+3");
    assert_eq!(mode(&["--entrypoint=/sbin/init", "--systemd=false"]), "false SIGTERM");
    assert_eq!(mode(&["--systemd=ALWAYS", "--stop-signal=INT"]), "true SIGINT");
    let small = "grep -c 'tmpfs rw,.*size=64k' /proc/mounts; df -k /tmp | tail -1 | awk '{print $2}'";
    run(case, &["--systemd=always", "--shm-size-systemd=64k"], small).code(0).stdout("4\n64\n");
    // What was asked for at the same place stands.
    run(case, &["--systemd=always", "--tmpfs=/run:size=32k", "--read-only"], "df -k /run | tail -1 | awk '{print $2}'")
        .code(0)
        .stdout("32\n");
    run(case, &["--systemd=always", "-e", "container_uuid=own"], "echo $container_uuid").code(0).stdout("own\n");
    run(case, &["--systemd=frob"], "true").code(125).error("--systemd values must be one of \"true, false, always\"");
}

on_both_drivers!(an_init_finds_what_it_needs, the_flag_decides);
