//! `events`: each thing that happens is told, once, in the order in which it happens.

use std::io::{BufRead, BufReader};

use serde_json::Value;

use crate::harness::{Case, LIMIT, wait_until};

fn told(case: &Case, arguments: &[&str]) -> Vec<String> {
    let all = ["events", "--stream=false"].iter().chain(arguments).copied();
    case.coracle(all).succeeded().stdout.lines().map(str::to_owned).collect()
}

fn actions(case: &Case, container: &str) -> Vec<String> {
    let filter = format!("container={container}");
    told(case, &["--filter", &filter, "--format", "{{.Status}}"])
}

fn a_life(case: &Case) {
    let image = case.busybox();
    case.coracle(["create", "--network=none", "--name", "one", "--label", "k=v", &image, "sleep", "1000"]).code(0);
    case.coracle(["start", "one"]).code(0);
    case.coracle(["exec", "one", "sh", "-c", "exit 5"]).code(5);
    case.coracle(["kill", "-s", "USR1", "one"]).code(0);
    case.coracle(["rename", "one", "two"]).code(0);
    case.coracle(["stop", "-t", "0", "two"]).code(0);
    case.coracle(["commit", "-q", "two", "made"]).code(0);
    case.coracle(["rm", "two"]).code(0);
    let id = &told(case, &["--filter", "event=create", "--format", "{{.ID}}"])[0];
    wait_until("the command's end is told", LIMIT, || actions(case, id).len() >= 12);
    let mut all = actions(case, id);
    // The stop is told by who asked for it, the end by the monitor.
    all.sort();
    assert_eq!(
        all,
        [
            "cleanup",
            "commit",
            "create",
            "died",
            "exec",
            "exec_died",
            "init",
            "kill",
            "remove",
            "rename",
            "start",
            "stop"
        ]
        .map(str::to_owned)
        .to_vec()
    );

    let json = told(case, &["--filter", "container=two", "--filter", "event=died", "--format", "json"]);
    let died: Value = serde_json::from_str(&json[0]).unwrap();
    assert_eq!(
        (&died["Name"], &died["ContainerExitCode"], &died["Type"]),
        (&"two".into(), &137.into(), &"container".into())
    );
    assert_eq!((&died["Image"], &died["Attributes"]), (&image.as_str().into(), &serde_json::json!({"k": "v"})));
    assert_eq!(died["timeNano"].as_i64().unwrap() / 1_000_000_000, died["time"].as_i64().unwrap());
    let exec = told(case, &["--filter", "event=exec_died", "--format", "{{.Name}} {{.ContainerExitCode}}"]);
    assert_eq!(exec, ["one 5"]);
    let words = told(case, &["--filter", "event=remove"]);
    assert!(words[0].ends_with(&format!(" UTC container remove {id} (image={image}, name=two, k=v)")), "{words:?}");
    let images = told(case, &["--filter", "type=image", "--format", "{{.Status}} {{.Name}}"]);
    assert_eq!(images, [format!("pull {image}")]);

    // A moment between two events.
    let at = died["timeNano"].as_i64().unwrap();
    let time = format!("{}.{:09}", at / 1_000_000_000, at % 1_000_000_000 + 1);
    let before = told(case, &["--until", &time, "--filter", "container=two", "--format", "{{.Status}}"]);
    assert!(before.contains(&"rename".to_owned()) && !before.contains(&"remove".to_owned()), "{before:?}");
    assert!(told(case, &["--since", &time, "--format", "{{.Status}}"]).contains(&"remove".to_owned()));
}

/// With `--rm` the monitor tells of all, and of one that can't start nothing is said but that it was there.
fn one_that_removes_itself(case: &Case) {
    let image = case.busybox();
    case.coracle(["run", "--rm", "--network=none", "--name", "brief", &image, "sh", "-c", "exit 3"]).code(3);
    case.coracle(["run", "--rm", "--network=none", "--name", "wrong", &image, "no-such-program"]).code(127);
    let mut all = actions(case, "brief");
    all.retain(|action| action != "attach");
    assert_eq!(all, ["create", "init", "start", "died", "remove"]);
    let mut all = actions(case, "wrong");
    all.retain(|action| action != "attach");
    assert_eq!(all, ["create", "remove"]);
}

/// Whoever makes a volume or removes it: a command about volumes, or a container that has it.
fn of_volumes(case: &Case) {
    let image = case.busybox();
    case.coracle(["volume", "create", "kept"]).code(0);
    case.coracle(["volume", "create", "--ignore", "kept"]).code(0);
    let with = ["-v", "kept:/a", "-v", "made:/b", "-v", "/c"];
    let run = ["run", "--rm", "--network=none"].into_iter().chain(with).chain([image.as_str(), "true"]);
    case.coracle(run).code(0);
    case.coracle(["volume", "rm", "made"]).code(0);
    case.coracle(["volume", "prune", "-f"]).code(0);
    let all = told(case, &["--filter", "type=volume", "--format", "{{.Status}} {{.Name}}"]);
    let nameless = all[2].strip_prefix("create ").unwrap();
    let without_name = |action| format!("{action} {nameless}");
    let expected = ["create kept", "create made", &without_name("create"), &without_name("remove"), "remove made"];
    assert_eq!(all, expected.into_iter().chain(["remove kept"]).collect::<Vec<_>>());
    let words = told(case, &["--filter", "volume=made", "--filter", "event=remove"]);
    assert!(words[0].ends_with(" UTC volume remove made"), "{words:?}");
}

fn followed(case: &Case) {
    let image = case.busybox();
    let mut follower = case.command(["events", "--filter", "event=died", "--format", "{{.Name}}"]).piped();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    let mut count = 0;
    // Once it has been heard of the first, it follows.
    std::thread::scope(|scope| {
        let heard = scope.spawn(move || (lines.next().unwrap().unwrap(), lines));
        while !heard.is_finished() {
            count += 1;
            let name = format!("early{count}");
            case.coracle(["run", "--rm", "--network=none", "--name", &name, &image, "true"]).code(0);
        }
        let (first, mut lines) = heard.join().unwrap();
        assert!(first.starts_with("early"), "{first}");
        case.coracle(["run", "--rm", "--network=none", "--name", "last", &image, "true"]).code(0);
        let rest: Vec<String> = std::iter::from_fn(|| lines.next()?.ok()).take_while(|line| line != "last").collect();
        assert!(rest.iter().all(|line| line.starts_with("early")), "{rest:?}");
        follower.kill().unwrap();
        follower.wait().unwrap();
    });
}

/// Of events nobody's work depends.
fn that_cannot_be_written(case: &Case) {
    let image = case.busybox();
    std::fs::remove_dir_all(case.store().join("events")).unwrap();
    std::fs::write(case.store().join("events"), "not a directory").unwrap();
    case.coracle(["run", "--rm", "--network=none", &image, "echo", "fine"]).code(0).stdout("fine\n").stderr("");
    case.coracle(["events", "--stream=false"]).code(125).says("Error: ");
}

on_both_drivers!(a_life, one_that_removes_itself, of_volumes, followed, that_cannot_be_written);

#[test]
fn mistakes() {
    let case = Case::new(crate::harness::Driver::Auto);
    case.coracle(["events", "--stream=false"]).code(0).stdout("").stderr("");
    case.coracle(["events", "--filter", "foo=bar"])
        .code(125)
        .says("Error: failed to parse event filters: foo is an invalid filter");
    let bad = case.coracle(["events", "--since", "bogus"]).code(125);
    assert!(bad.stderr.contains("unable to convert since time of bogus"), "{bad}");
    case.coracle(["system", "events", "--stream=false", "--format", "{{.Foo}}"]).code(0);
}
