//! A container's life: started in the background, listed, inspected, stopped, removed; and its name.

use serde_json::Value;

use crate::harness::{Case, Driver, LIMIT, wait_until};

fn detached(case: &Case) {
    let image = case.busybox();
    let script = "trap 'exit 4' TERM; while :; do sleep 0.05; done";
    let started = case.coracle(["run", "-d", "--network=none", "--name", "box", &image, "sh", "-c", script]);
    let id = started.succeeded().stdout.trim_end().to_owned();
    assert!(id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");

    let listed = case.coracle(["ps"]).succeeded();
    let mut lines = listed.stdout.lines();
    let header: Vec<_> = lines.next().unwrap().split("  ").map(str::trim).filter(|word| !word.is_empty()).collect();
    assert_eq!(header, ["CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"], "{listed}");
    let row = lines.next().unwrap();
    assert!(row.starts_with(&id[..12]) && row.contains(&image) && row.ends_with("box"), "{listed}");
    assert!(row.contains("Up "), "{listed}");
    assert_eq!(lines.next(), None);

    case.coracle(["ps", "-q"]).code(0).stdout(&format!("{}\n", &id[..12]));
    case.coracle(["ps", "-q", "--no-trunc"]).code(0).stdout(&format!("{id}\n"));
    case.coracle(["ps", "--format", "{{.ID}} {{.Image}} {{.Names}}"])
        .code(0)
        .stdout(&format!("{} {image} box\n", &id[..12]));
    case.coracle(["rm", "box"]).code(2).stdout("").error("running");

    assert_eq!(case.inspect("box", "{{.State.Status}} {{.State.Running}} {{.State.ExitCode}}"), "running true 0");
    assert_eq!(case.inspect(&id[..12], "{{.Id}} {{.Name}} {{.ImageName}}"), format!("{id} box {image}"));
    let pid: i32 = case.inspect("box", "{{.State.Pid}}").parse().unwrap();
    assert!(std::path::Path::new(&format!("/proc/{pid}")).exists());

    case.coracle(["stop", "box"]).code(0).stdout("box\n").stderr("");
    assert_eq!(case.inspect("box", "{{.State.Status}} {{.State.Running}} {{.State.ExitCode}}"), "exited false 4");
    case.coracle(["ps", "-q"]).code(0).stdout("");
    let status = case.coracle(["ps", "-a", "--format", "{{.Status}}"]).succeeded().stdout;
    assert!(status.starts_with("Exited (4) ") && status.ends_with(" ago\n"), "{status}");

    case.coracle(["rm", "box"]).code(0).stdout("box\n").stderr("");
    case.coracle(["rm", "box"]).code(1).stdout("").error("box");
    case.coracle(["ps", "-a", "-q"]).code(0).stdout("");
}

/// Nothing that a container leaves stays: folders, mounts, processes.
fn nothing_is_left(case: &Case) {
    let image = case.busybox();
    let marker = format!("{}", 100_000 + std::process::id());
    case.coracle(["run", "-d", "--rm", "--network=none", "--name", "gone", &image, "sleep", &marker]).succeeded();
    let processes = || -> usize {
        let proc = std::fs::read_dir("/proc").unwrap().flatten();
        proc.filter(|entry| {
            let bytes = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&bytes).contains(&marker)
        })
        .count()
    };
    wait_until("it runs", LIMIT, || processes() > 0);
    case.coracle(["stop", "-t", "0", "gone"]).code(0);
    wait_until("its folder is gone", LIMIT, || case.coracle(["ps", "-a", "-q"]).stdout.is_empty());
    wait_until("its processes are gone", LIMIT, || processes() == 0);
    for folder in ["containers", "names", "tmp"] {
        wait_until(&format!("`{folder}` is empty"), LIMIT, || {
            std::fs::read_dir(case.store().join(folder)).map_or(0, Iterator::count) == 0
        });
    }
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
    assert!(!mounts.contains(&case.home.display().to_string()), "{mounts}");
}

fn names(case: &Case) {
    let image = case.busybox();
    let started = case.coracle(["run", "-d", "--network=none", "--name", "/one", &image, "sleep", "1000"]);
    let id = started.succeeded().stdout.trim_end().to_owned();
    assert_eq!(case.inspect("one", "{{.Name}}"), "one");
    let taken = format!(
        "the container name \"one\" is already in use by {id}. You have to remove that container to be able to reuse that name"
    );
    let refused =
        case.coracle(["run", "--network=none", "--name", "one", &image, "true"]).code(125).stdout("").error(&taken);
    assert!(refused.stderr.contains("--replace"), "{refused}");
    // The failure has left nothing.
    case.coracle(["ps", "-a", "--format", "{{.Names}}"]).code(0).stdout("one\n");
    for bad in ["", "a b", "a/b", "-a", "ä", "../x"] {
        let flag = format!("--name={bad}");
        let finished = case.coracle(["run", "--rm", "--network=none", &flag, &image, "true"]);
        assert!(finished.code == Some(125) || bad.is_empty(), "{bad:?}: {finished}");
    }
    // One that the program thinks of: two words.
    case.coracle(["stop", "-t", "0", "one"]).code(0);
    case.coracle(["rm", "one"]).code(0);
    case.coracle(["run", "--network=none", &image, "true"]).code(0);
    let name = case.coracle(["ps", "-a", "--format", "{{.Names}}"]).succeeded().stdout;
    assert!(name.trim_end().split('_').count() == 2, "{name}");
}

/// Of twenty at once that want one name, one gets it.
fn a_name_is_claimed_once(case: &Case) {
    let image = case.busybox();
    let codes = std::thread::scope(|scope| {
        let run = || case.coracle(["run", "-d", "--network=none", "--name", "prize", &image, "sleep", "1000"]).code;
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(run)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(codes.iter().filter(|code| **code == Some(0)).count(), 1, "{codes:?}");
    assert!(codes.iter().all(|code| matches!(code, Some(0 | 125))), "{codes:?}");
    case.coracle(["stop", "-t", "0", "prize"]).code(0);
}

fn inspect_as_json(case: &Case) {
    let image = case.busybox();
    case.coracle(["run", "--network=none", "--name", "box", "-e", "A=b", &image, "sh", "-c", "exit 6"]).code(6);
    let inspected = case.coracle(["inspect", "box"]).succeeded();
    let all: Vec<Value> = serde_json::from_str(&inspected.stdout).unwrap();
    let box_ = &all[0];
    assert_eq!(all.len(), 1);
    assert_eq!(box_["Name"], "box");
    assert_eq!(box_["ImageName"], image.as_str());
    assert_eq!(box_["Path"], "sh");
    assert_eq!(box_["Args"], serde_json::json!(["-c", "exit 6"]));
    assert_eq!(box_["State"]["ExitCode"], 6);
    assert_eq!(box_["State"]["Status"], "exited");
    assert_eq!(box_["HostConfig"]["NetworkMode"], "none");
    assert!(box_["Config"]["Env"].as_array().unwrap().contains(&"A=b".into()));
    assert_eq!(box_["GraphDriver"]["Data"]["Driver"], case.driver.name(), "{inspected}");
    case.coracle(["inspect", "no-such"]).code(125).stdout("[]\n").error("no-such");
}

/// The file of `--cidfile` is never overwritten, and there is none without a container.
#[test]
fn the_file_of_the_id() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    let path = case.home.join("id");
    let run = |flags: &[&str], image: &str| {
        let head = ["create", "--network=none", "--cidfile", path.to_str().unwrap()];
        case.coracle(head.iter().chain(flags).copied().chain([image, "true"]))
    };
    run(&["--pull=never"], "localhost:1/absent").code(125);
    run(&["--name=a b"], &image).code(125);
    assert!(!path.exists());
    let id = run(&[], &image).succeeded().stdout.trim_end().to_owned();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), id);
    let words = "container id file exists. Ensure another container is not using it or delete ";
    run(&[], &image).code(125).stdout("").error(&format!("{words}{}", path.display()));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), id);
    case.coracle(["ps", "-a", "-q", "--no-trunc"]).code(0).stdout(&format!("{id}\n"));
    case.coracle(["create", "--cidfile=/dev/full", &image, "true"]).code(125);
    case.coracle(["create", "--cidfile=/nowhere/id", &image, "true"]).code(125).error("/nowhere/id");
    case.coracle(["ps", "-a", "-q", "--no-trunc"]).code(0).stdout(&format!("{id}\n"));
}

/// `rm -f` at any moment of a start: no container is left, and none runs on unseen.
fn removed_during_its_start(case: &Case) {
    let image = case.busybox();
    for delay in 0..20 {
        let running = case.command(["run", "-d", "--network=none", "--name", "box", &image, "sleep", "1000"]).start();
        let name = case.store().join("names/box");
        wait_until("it is there", LIMIT, || std::fs::symlink_metadata(&name).is_ok());
        std::thread::sleep(std::time::Duration::from_millis(delay));
        case.coracle(["rm", "-f", "-t", "0", "box"]).code(0);
        running.finish();
        case.coracle(["ps", "-a", "-q"]).code(0).stdout("");
    }
}

/// The code of a container that removes itself reaches everybody who waits for it.
fn wait_for_one_that_goes(case: &Case) {
    let image = case.busybox();
    for round in 0..5 {
        case.coracle(["run", "-d", "--rm", "--network=none", "--name", "box", &image, "sleep", "1000"]).succeeded();
        let waiting: Vec<_> = (0..3).map(|_| case.command(["wait", "box"]).start()).collect();
        // They hold its directory open: the lock in it, to be exact.
        for waiting in &waiting {
            let fds = format!("/proc/{}/fd", waiting.pid().as_raw_nonzero());
            wait_until("it waits", LIMIT, || {
                let fds = std::fs::read_dir(&fds).unwrap().flatten();
                let mut targets = fds.filter_map(|fd| std::fs::read_link(fd.path()).ok());
                targets.any(|target| target.to_string_lossy().contains("pidfd"))
            });
        }
        let signal = ["TERM", "KILL", "HUP", "KILL", "USR1"][round];
        case.coracle(["kill", "-s", signal, "box"]).code(0);
        if !matches!(signal, "KILL") {
            // sleep as the first process of its namespace hears no other.
            case.coracle(["kill", "box"]).code(0);
        }
        for waiting in waiting {
            waiting.finish().code(0).stdout("137\n");
        }
        wait_until("it is gone", LIMIT, || case.coracle(["ps", "-a", "-q"]).stdout.is_empty());
    }
}

/// Whoever waits for several learns the code also of one that has gone by when its turn comes.
fn wait_for_several_that_go(case: &Case) {
    let image = case.busybox();
    for (name, command) in [("last", "until [ -e /now ]; do sleep 0.01; done; exit 5"), ("first", "cat; exit 7")] {
        let flags = ["run", "-d", "-i", "--rm", "--network=none", "--name", name];
        case.coracle(flags.into_iter().chain([image.as_str(), "sh", "-c", command])).succeeded();
    }
    let waiting = case.command(["wait", "last", "first"]).start();
    let fds = format!("/proc/{}/fd", waiting.pid().as_raw_nonzero());
    wait_until("it waits", LIMIT, || {
        let fds = std::fs::read_dir(&fds).unwrap().flatten();
        let mut targets = fds.filter_map(|fd| std::fs::read_link(fd.path()).ok());
        targets.any(|target| target.to_string_lossy().contains("pidfd"))
    });
    case.coracle(["kill", "first"]).code(0);
    wait_until("it is gone", LIMIT, || !case.coracle(["ps", "-a"]).stdout.contains("first"));
    case.coracle(["exec", "last", "touch", "/now"]).code(0);
    waiting.finish().code(0).stdout("5\n137\n");
}

on_both_drivers!(
    removed_during_its_start,
    wait_for_one_that_goes,
    wait_for_several_that_go,
    detached,
    nothing_is_left,
    names,
    a_name_is_claimed_once,
    inspect_as_json
);

#[test]
fn rm_of_what_is_not_there() {
    let case = Case::new(Driver::Auto);
    case.coracle(["rm", "absent"]).code(1).stdout("").error("absent");
    case.coracle(["rm", "-f", "absent"]).code(0).stdout("").stderr("");
    case.coracle(["stop", "absent"]).code(125).stdout("").error("absent");
    // As an unset variable of a script gives it.
    for verb in [&["rm"][..], &["rm", "-f"], &["stop"], &["inspect"], &["logs"]] {
        case.coracle(verb.iter().copied().chain([""])).code(125).error("name or ID cannot be empty");
    }
}
