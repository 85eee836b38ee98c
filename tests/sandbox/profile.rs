//! Filters from a file: what `--security-opt seccomp=FILE` and `seccomp_profile` of containers.conf do.

use coracle::oci::capability::{Capability, CapabilitySet};
use coracle::runtime::seccomp::{Architecture, Facts, Profile, json};

use crate::harness::{Case, Finished};

/// All is allowed but `mkdir`.
const NO_MKDIR: &str = r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
    {"names": ["mkdir", "mkdirat", "a_call_of_the_future"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]}"#;

fn run(case: &Case, flags: &[&str], script: &str) -> Finished {
    let image = case.busybox();
    let head = ["run", "--rm", "--network=none"];
    case.coracle(head.iter().chain(flags).copied().chain([image.as_str(), "sh", "-c", script]))
}

fn a_call_is_blocked(case: &Case) {
    std::fs::write(case.home.join("profile.json"), NO_MKDIR).unwrap();
    let flag = "--security-opt=seccomp=profile.json";
    let refused = |finished: Finished| {
        let finished = finished.code(1);
        assert!(finished.stderr.contains("No space left on device"), "{finished}");
    };
    refused(run(case, &[flag], "mkdir /x"));
    run(case, &[flag], "touch /x && unshare -U true && echo done").code(0).stdout("done\n");
    run(case, &[], "mkdir /x").code(0);
    // The last one counts; with --privileged, one that was named.
    run(case, &[flag, "--security-opt=seccomp=unconfined"], "mkdir /x; grep Seccomp: /proc/self/status")
        .stdout("Seccomp:\t0\n");
    run(case, &["--privileged"], "mkdir /x; grep Seccomp: /proc/self/status").stdout("Seccomp:\t0\n");
    refused(run(case, &["--privileged", flag], "mkdir /x"));
    // What it was made with holds, for all that runs in it, whatever becomes of the file.
    let image = case.busybox();
    case.coracle(["create", "--network=none", "--name=box", flag, &image, "sleep", "1000"]).succeeded();
    std::fs::remove_file(case.home.join("profile.json")).unwrap();
    case.coracle(["start", "box"]).succeeded();
    refused(case.coracle(["exec", "box", "mkdir", "/x"]));
    assert_eq!(case.inspect("box", "{{.HostConfig.SecurityOpt}}"), "[seccomp=profile.json]");
}

fn of_the_configuration(case: &Case) {
    let profile = case.home.join("profile.json");
    std::fs::write(&profile, NO_MKDIR).unwrap();
    let configuration = case.home.join("containers.conf");
    std::fs::write(&configuration, format!("[containers]\nseccomp_profile = '{}'\n", profile.display())).unwrap();
    let image = case.busybox();
    let run = |flags: &[&str]| {
        let head = ["run", "--rm", "--network=none"];
        let line = head.iter().chain(flags).copied().chain([image.as_str(), "mkdir", "/x"]);
        case.command(line).env("CONTAINERS_CONF", &configuration).finish()
    };
    run(&[]).code(1);
    run(&["--security-opt=seccomp=unconfined"]).code(0);
    std::fs::write(&profile, "{").unwrap();
    run(&[]).code(125).error("EOF").says("hint: `seccomp_profile` is said in ");
}

fn what_is_wrong_is_said(case: &Case) {
    let refused = |text: &str, cause: &str| {
        std::fs::write(case.home.join("bad.json"), text).unwrap();
        let finished = run(case, &["--security-opt=seccomp=bad.json"], "true").code(125);
        finished.error("the seccomp profile `bad.json` can't be used: ").error(cause);
    };
    refused("{\n\"defaultAction\": \"SCMP_ACT_FROB\"}", "unknown variant `SCMP_ACT_FROB`");
    refused("{\n\"defaultAction\": \"SCMP_ACT_FROB\"}", "at line 2 column ");
    let many: Vec<String> =
        (0..900).map(|value| format!(r#"{{"index": 0, "op": "SCMP_CMP_EQ", "value": {value}}}"#)).collect();
    let rule = format!(r#"{{"names": ["read"], "action": "SCMP_ACT_ERRNO", "args": [{}]}}"#, many.join(","));
    refused(
        &format!(
            r#"{{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{rule}, {{"names": ["write"], "action": "SCMP_ACT_ERRNO",
        "args": [{{"index": 9, "op": "SCMP_CMP_EQ", "value": 1}}]}}]}}"#
        ),
        "argument 9",
    );
    refused(
        &format!(
            r#"{{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{}]}}"#,
            vec!["{\"action\":\"SCMP_ACT_LOG\"}"; 1025].join(",")
        ),
        "1024",
    );
    std::fs::write(case.home.join("large.json"), " ".repeat((1 << 20) + 1)).unwrap();
    run(case, &["--security-opt=seccomp=large.json"], "true").code(125).error("longer than 1048576 bytes");
    run(case, &["--security-opt=seccomp=/no/such"], "true").code(125).error("there is no such file").says("hint: ");
}

on_both_drivers!(a_call_is_blocked, of_the_configuration, what_is_wrong_is_said);

/// The file that Debian 12 has for its engines, of 2022, says of every call what our default says, but of those that are newer than
/// the file, of a few that the field's default has allowed or ceased to allow since, and where ours differs on purpose (`default.rs`).
#[test]
fn the_fields_default_profile_means_what_ours_does() {
    let text = std::fs::read_to_string("/usr/share/containers/seccomp.json").expect("golang-github-containers-common");
    let theirs = json::parse(&text).unwrap();
    let ours = Profile::default();
    let others = "cachestat fchmodat2 futex_requeue futex_wait futex_waitv futex_wake io_pgetevents_time64 map_shadow_stack \
        mount_setattr process_madvise quotactl_fd set_mempolicy_home_node landlock_add_rule landlock_create_ruleset \
        landlock_restrict_self memfd_secret process_mrelease bpf perf_event_open readdir sigaction sigpending sigsuspend";
    let others: Vec<&str> = others.split_whitespace().collect();
    let mut differences = Vec::new();
    for capabilities in [CapabilitySet::DEFAULT, CapabilitySet::ALL, CapabilitySet::EMPTY.with(Capability::SYS_ADMIN)] {
        let facts = Facts { capabilities, architecture: Architecture::native().unwrap(), kernel: (6, 1) };
        for by in facts.architecture.family() {
            let mut judged = 0;
            for number in 0..512 {
                let is_other = others.iter().any(|name| by.number(name) == Some(number));
                for arguments in [[0; 6], [16, 0, 9, 0, 0, 0], [2, 1, 0, 0, 0, 0], [8, 0, 0, 0, 0, 0]] {
                    let [theirs, ours] =
                        [&theirs, &ours].map(|profile| profile.decide(&facts, *by, number, &arguments));
                    if theirs != ours && !is_other {
                        differences.push((*by, number, arguments, theirs, ours));
                    }
                    judged += 1;
                }
            }
            assert_eq!(judged, 2048);
        }
    }
    assert!(differences.is_empty(), "{differences:?}");
}
