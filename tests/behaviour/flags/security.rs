//! `--security-opt` and what it shows and covers.

use super::run;
use crate::harness::Case;

fn paths_are_covered_and_uncovered(case: &Case) {
    run(case, &["--security-opt=mask=/etc/passwd:/var/www"], "cat /etc/passwd; ls /var/www").code(0).stdout("");
    run(case, &["--security-opt=mask=etc"], "true").code(125).error("absolute path");
    let covers = "mount | grep -c ' /proc/'";
    let usual: u32 = run(case, &[], covers).succeeded().stdout.trim().parse().unwrap();
    for all in ["unmask=ALL", "systempaths=unconfined"] {
        run(case, &[&format!("--security-opt={all}")], covers).stdout("0\n");
    }
    run(case, &["--security-opt=unmask=/proc/keys:/proc/b*"], covers).code(0).stdout(&format!("{}\n", usual - 2));
    run(case, &["--security-opt", "unmask=/proc/sys"], "mount | grep -c ' /proc/sys '").stdout("0\n");
    run(case, &["--security-opt=proc-opts=hidepid=2"], "grep ' /proc ' /proc/mounts | grep -c hidepid").stdout("1\n");
}

fn options_are_taken_or_refused(case: &Case) {
    let no_new = "grep NoNewPrivs /proc/self/status | cut -f2";
    for (option, expected) in [
        ("no-new-privileges", "1\n"),
        ("no-new-privileges=true", "1\n"),
        ("no-new-privileges:true", "1\n"),
        ("no-new-privileges=false", "0\n"),
        ("label=disable", "0\n"),
        ("apparmor=unconfined", "0\n"),
    ] {
        run(case, &[&format!("--security-opt={option}")], no_new).code(0).stdout(expected).stderr("");
    }
    run(case, &["--security-opt=seccomp=unconfined"], "grep Seccomp: /proc/self/status | cut -f2").stdout("0\n");
    for bad in [
        "nonsense",
        "label=kind:x",
        "label=type:",
        "label=off",
        "apparmor=foo",
        "seccomp=/no/such",
        "no-new-privileges=perhaps",
    ] {
        run(case, &[&format!("--security-opt={bad}")], "true").code(125).error("");
    }
}

on_both_drivers!(paths_are_covered_and_uncovered, options_are_taken_or_refused);
