//! Limits that need no cgroup.

use super::{inspected, run};
use crate::harness::Case;

fn resources_are_limited(case: &Case) {
    run(case, &["--ulimit=nofile=100:200"], "ulimit -Sn; ulimit -Hn").code(0).stdout("100\n200\n");
    run(case, &["--ulimit=nofile=100:200", "--ulimit", "nofile=50"], "ulimit -Hn").code(0).stdout("50\n");
    run(case, &[], "ulimit -Sc; ulimit -Hc").code(0).stdout("0\nunlimited\n");
    run(case, &["--ulimit=core=-1"], "ulimit -Sc").code(0).stdout("unlimited\n");
    let own = |flag| std::process::Command::new("sh").args(["-c", flag]).output().unwrap().stdout;
    let host = run(case, &["--ulimit=host"], "ulimit -Sn; ulimit -Hn").succeeded().stdout;
    assert_eq!(host.as_bytes(), own("ulimit -Sn; ulimit -Hn"));
    let shown =
        inspected(case, &["--ulimit=core=1:2"], "{{range .HostConfig.Ulimits}}{{.Name}} {{.Soft}} {{.Hard}};{{end}}");
    assert!(shown.contains("RLIMIT_CORE 1 2;"), "{shown}");
    for bad in ["frob=1", "nofile", "nofile=x", "nofile=2:1", "nofile=99999999999"] {
        run(case, &[&format!("--ulimit={bad}")], "true").code(125).error(bad);
    }
    // A command that joins has the same.
    let image = case.busybox();
    case.coracle(["run", "-d", "--name=limited", "--network=none", "--ulimit=nofile=77", &image, "sleep", "100"])
        .succeeded();
    case.coracle(["exec", "limited", "sh", "-c", "ulimit -n"]).code(0).stdout("77\n");
}

fn settings_of_the_namespaces_are_changed(case: &Case) {
    let flags = ["--sysctl=net.ipv4.ip_forward=1", "--sysctl", "kernel.msgmax=7000", "--sysctl=net.core.somaxconn=77"];
    let script = "cd /proc/sys; cat net/ipv4/ip_forward kernel/msgmax net/core/somaxconn";
    run(case, &flags, script).code(0).stdout("1\n7000\n77\n");
    run(case, &["--uidmap=0:0:100", flags[0]], "cat /proc/sys/net/ipv4/ip_forward").code(0).stdout("1\n");
    for bad in ["kernel.hostname=x", "vm.swappiness=1", "net/../kernel/hostname=x"] {
        run(case, &[&format!("--sysctl={bad}")], "true").code(125).error("is not allowed");
    }
    run(case, &["--sysctl=nonsense"], "true").code(125).error("KEY=VALUE");
    run(case, &["--sysctl=net.no.such=1"], "true").code(125).error("net/no/such");
    let image = case.busybox();
    case.coracle(["run", "--rm", "--network=host", flags[0], &image, "true"])
        .code(125)
        .error("hosts network namespace");
}

fn the_score_for_running_out_of_memory_is_raised(case: &Case) {
    run(case, &["--oom-score-adj=500"], "cat /proc/self/oom_score_adj").code(0).stdout("500\n");
    // Lower than ours only the machine's root may set.
    run(case, &["--oom-score-adj", "-5"], "cat /proc/self/oom_score_adj").code(0).stdout("0\n").stderr("");
    run(case, &["--oom-score-adj=1001"], "true").code(125).error("1001");
    assert_eq!(inspected(case, &["--oom-score-adj=7"], "{{.HostConfig.OomScoreAdj}}"), "7");
    let image = case.busybox();
    case.coracle(["run", "-d", "--name=scored", "--network=none", "--oom-score-adj=300", &image, "sleep", "100"])
        .succeeded();
    case.coracle(["exec", "scored", "cat", "/proc/self/oom_score_adj"]).code(0).stdout("300\n");
}

on_both_drivers!(
    resources_are_limited,
    settings_of_the_namespaces_are_changed,
    the_score_for_running_out_of_memory_is_raised,
);
