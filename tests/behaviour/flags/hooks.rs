//! Hooks of devices that a vendor's file describes: each at its moment, in its namespaces, and what happens where one fails.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{cdi, run};
use crate::harness::{Case, set_mode, wait_until};

/// What every hook of these tests runs: it writes down its moment, its namespaces, what it was told and what it has, and fails as the
/// file `fail.MOMENT` says.
const SCRIPT: &str = r#"#!/bin/sh
moment=$1
cd "$2" || exit 9
cat >"$moment.json"
{ for ns in user mnt net; do readlink /proc/self/ns/$ns; done; env | grep -v '^PWD=\|^OLDPWD=\|^_='; } >"$moment.facts"
for fd in /proc/self/fd/*; do echo "${fd##*/}"; done >"$moment.fds"
bundle=$(sed 's/.*"bundle":"\([^"]*\)".*/\1/' "$moment.json")
root=$(sed 's/.*"root":{"path":"\([^"]*\)".*/\1/' "$bundle/config.json")
[ "$moment" != createContainer ] || ln -sf /bin/busybox "$root/bin/linked"
[ ! -e "$root/bin/busybox" ] || echo "$moment" >>sees
echo "$moment" >>order
[ ! -e "fail.$moment" ] || . "./fail.$moment"
"#;

/// The folder that hooks write to, and the container has as /log.
fn folder(case: &Case) -> PathBuf {
    case.home.join("log")
}

/// Describes the device `boat.test/oar=MOMENT` with one hook for each moment, and `=all` with all of them.
fn describe(case: &Case) {
    let script = case.home.join("hook.sh");
    fs::write(&script, SCRIPT).unwrap();
    set_mode(&script, 0o755);
    fs::create_dir_all(folder(case)).unwrap();
    let inside = "cat >/log/startContainer.json; echo startContainer >>/log/order; grep CapBnd /proc/self/status >/log/inside; \
                  for ns in user mnt net; do readlink /proc/self/ns/$ns; done >/log/startContainer.facts; \
                  [ ! -e /log/fail.startContainer ] || . /log/fail.startContainer";
    let hook = |moment: &str| match moment {
        "startContainer" => {
            json!({ "hookName": moment, "path": "/bin/sh", "args": ["sh", "-c", inside], "timeout": 2 })
        }
        _ => json!({
            "hookName": moment, "path": script, "args": ["hook.sh", moment, folder(case)], "env": ["ONLY=this"], "timeout": 2,
        }),
    };
    let moments = ["poststop", "poststart", "startContainer", "createContainer", "createRuntime"];
    let edits = |hooks: Vec<Value>| json!({ "hooks": hooks });
    let mut devices =
        vec![json!({ "name": "all", "containerEdits": edits(moments.iter().map(|moment| hook(moment)).collect()) })];
    devices.push(json!({ "name": "lost", "containerEdits": edits(vec![json!({ "hookName": "createContainer", "path": "/bin/linked" })]) }));
    devices.push(json!({ "name": "bad", "containerEdits": edits(vec![json!({ "hookName": "createContainer", "path": "hook.sh" })]) }));
    let spec = json!({ "cdiVersion": "0.6.0", "kind": "boat.test/oar", "devices": devices });
    cdi::describe(case, "boat.json", &spec.to_string());
}

fn read(case: &Case, file: &str) -> String {
    fs::read_to_string(folder(case).join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Waits for the hook that comes when the program runs, so that its word stands in its place.
const PROGRAM: &str = "i=0; until grep -q poststart /log/order || [ $i = 100 ]; do sleep 0.1; i=$((i+1)); done; \
    echo program >>/log/order; for ns in user mnt net; do readlink /proc/self/ns/$ns; done >/log/program.facts; \
    grep CapBnd /proc/self/status >/log/program; readlink /bin/linked";

pub fn hooks_are_run_at_their_moments_in_their_namespaces(case: &Case) {
    describe(case);
    let volume = format!("-v{}:/log", folder(case).display());
    let id_file = case.home.join("id");
    let flags = ["--device=boat.test/oar=all", &volume, "--cidfile", id_file.to_str().unwrap()];
    run(case, &flags, PROGRAM).code(0).stdout("/bin/busybox\n");
    assert_eq!(read(case, "order"), "createRuntime\ncreateContainer\nstartContainer\npoststart\nprogram\npoststop\n");
    // The container's files lie among this machine's for one of them.
    assert_eq!(read(case, "sees"), "createContainer\n");
    let program = read(case, "program.facts");
    let only_this = "ONLY=this\n";
    let facts = |moment: &str| read(case, &format!("{moment}.facts"));
    assert_eq!(facts("createContainer"), format!("{program}{only_this}"));
    assert_eq!(facts("startContainer"), program);
    assert_eq!(read(case, "inside"), read(case, "program"), "its capabilities are the program's");
    for moment in ["createRuntime", "poststart", "poststop"] {
        let facts = facts(moment);
        assert!(facts.ends_with(only_this), "{facts}");
        assert!(
            facts.lines().zip(program.lines()).all(|(its, programs)| its != programs),
            "{moment}: {facts}{program}"
        );
    }
    let id = fs::read_to_string(id_file).unwrap();
    for (moment, status) in [
        ("createRuntime", "creating"),
        ("createContainer", "creating"),
        ("startContainer", "created"),
        ("poststart", "running"),
        ("poststop", "stopped"),
    ] {
        let state: Value = serde_json::from_str(&read(case, &format!("{moment}.json"))).unwrap();
        assert_eq!((&state["id"], &state["status"]), (&json!(id), &json!(status)), "{state}");
        assert_eq!(state["pid"].as_i64().is_some_and(|pid| pid > 1), moment != "poststop", "{state}");
        if moment != "startContainer" {
            // Above 2: the folder that the shell lists, its script, and what it puts aside.
            let fds = read(case, &format!("{moment}.fds"));
            assert!(fds.lines().all(|fd| ["0", "1", "2", "3", "10", "11"].contains(&fd)), "{moment}: {fds}");
        }
    }
}

on_both_drivers!(hooks_are_run_at_their_moments_in_their_namespaces);

fn a_hook_that_fails_is_told_and_nothing_runs(case: &Case) {
    describe(case);
    let volume = format!("-v{}:/log", folder(case).display());
    let attempt = |flags: &[&str]| run(case, &[&["--device=boat.test/oar=all", &volume], flags].concat(), "echo ran");
    for (moment, ran) in
        [("createRuntime", ""), ("createContainer", ""), ("startContainer", ""), ("poststart", "ran\n")]
    {
        let failure = folder(case).join(format!("fail.{moment}"));
        fs::write(&failure, "echo no driver is there >&2; exit 3").unwrap();
        let told = attempt(&["--name=boat"]).code(125).error(&format!("({moment}) failed with exit code 3: no driver"));
        assert!(told.stdout.is_empty() || told.stdout == ran, "{told}");
        assert!(told.stderr.contains("hint: "), "{told}");
        assert_eq!(read(case, "order").lines().last(), Some("poststop"), "{moment}");
        fs::write(&failure, "sleep 100").unwrap();
        attempt(&["--name=boat"]).code(125).error(&format!("({moment}) took longer than 2 s"));
        fs::remove_file(&failure).unwrap();
    }
    case.coracle(["container", "exists", "boat"]).code(1);
    // Too late to stop anything: it is written down.
    fs::write(folder(case).join("fail.poststop"), "echo still busy; exit 4").unwrap();
    let image = case.busybox();
    let words =
        ["run", "--name=late", "--network=none", "--device=boat.test/oar=all", &volume, &image, "sh", "-c", "exit 7"];
    case.coracle(words).code(7);
    let error = case.inspect("late", "{{.State.Error}} {{.State.ExitCode}}");
    assert!(error.contains("(poststop) failed with exit code 4: still busy") && error.ends_with(" 7"), "{error}");
    run(case, &["--device=boat.test/oar=lost"], "true")
        .code(125)
        .error("the hook `/bin/linked` (createContainer) failed with exit code 127: execve: No such file or directory");
    case.coracle(["run", "-d", "--network=none", "--name=other", &image, "sleep", "100"]).succeeded();
    run(case, &["--device=boat.test/oar=all", &volume, "--userns=container:other"], "true")
        .code(125)
        .error("(createContainer) is not run in a user namespace of another container");
    run(case, &["--device=boat.test/oar=bad"], "true").code(125).error("the hook `hook.sh`, which is not valid");
}

on_both_drivers!(a_hook_that_fails_is_told_and_nothing_runs);

fn hooks_are_run_for_each_life_and_for_nothing_else(case: &Case) {
    describe(case);
    let (image, volume) = (case.busybox(), format!("-v{}:/log", folder(case).display()));
    let words =
        ["create", "--name=boat", "--network=none", "--device=boat.test/oar=all", &volume, &image, "sleep", "100"];
    case.coracle(words).succeeded();
    case.coracle(["cp", "boat:/bin/busybox", case.home.to_str().unwrap()]).succeeded();
    let shown = run(case, &["--explain", "--device=boat.test/oar=all"], "true").succeeded().stdout;
    assert!(shown.contains("createContainer") && shown.contains("hook.sh"), "{shown}");
    assert!(!folder(case).join("order").exists(), "nothing has started yet");
    for lives in 1..=2 {
        case.coracle(["start", "boat"]).succeeded();
        case.coracle(["exec", "boat", "readlink", "/bin/linked"]).code(0).stdout("/bin/busybox\n");
        case.coracle(["kill", "boat"]).succeeded();
        case.coracle(["wait", "boat"]).succeeded();
        let count = || read(case, "order").lines().filter(|word| *word == "poststop").count();
        wait_until("the last hook", std::time::Duration::from_secs(10), || count() == lives);
        assert_eq!(read(case, "order").lines().count(), lives * 5);
    }
}

on_both_drivers!(hooks_are_run_for_each_life_and_for_nothing_else);
