//! What the program answers a shell that completes its command line.

use crate::harness::{Case, Driver, Finished, Image, Layer, set_mode};

/// The answer for the words behind the program's name, the last of which is to be completed: values, then descriptions.
fn asked(case: &Case, words: &[&str]) -> Finished {
    let line = ["@complete", "fish", "coracle"].into_iter().chain(words.iter().copied());
    case.coracle(line).code(0).stderr("")
}

fn values(case: &Case, words: &[&str]) -> Vec<String> {
    let lines = asked(case, words).stdout;
    lines.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
}

fn case() -> Case {
    Case::new(Driver::Auto)
}

#[test]
fn commands_and_flags() {
    let case = case();
    let commands = values(&case, &[""]);
    for command in ["run", "start", "network", "completion"] {
        assert!(commands.iter().any(|found| found == command), "{command}: {commands:?}");
    }
    assert_eq!(values(&case, &["generate", "sys"]), ["systemd"]);
    assert_eq!(values(&case, &["contai"]), ["container"]);
    assert_eq!(values(&case, &["network", "conn"]), ["connect"]);
    // Behind a global flag with a value, too, and below a noun.
    assert_eq!(values(&case, &["--log-level", "error", "container", "sto"]), ["stop"]);
    assert_eq!(values(&case, &["run", "--health-start-"]), ["--health-start-period"]);
    assert_eq!(asked(&case, &["rm", "--vol"]).stdout, "--volumes\tTheir anonymous volumes, too\n");
    // What a container's program is told is its own.
    assert!(values(&case, &["run", "image", "ls", "--"]).is_empty());
    assert!(values(&case, &["run", "-it", "-l", "x=y", "image", "-"]).is_empty());
    assert!(!case.data.exists(), "asking made something");
}

#[test]
fn values_of_flags() {
    let case = case();
    assert_eq!(values(&case, &["run", "--pull", "ne"]), ["newer", "never"]);
    assert_eq!(values(&case, &["run", "--pull=ne"]), ["--pull=newer", "--pull=never"]);
    assert_eq!(values(&case, &["run", "--restart", ""]), ["no", "on-failure", "always", "unless-stopped"]);
    assert_eq!(values(&case, &["run", "--sdnotify=c"]), ["--sdnotify=container", "--sdnotify=conmon"]);
    assert_eq!(values(&case, &["kill", "-s", "TE"]), ["TERM"]);
    assert_eq!(values(&case, &["run", "--cap-add", "CAP_NET_B"]), ["CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST"]);
    assert_eq!(values(&case, &["ps", "--sort", "ru"]), ["runningfor"]);
    assert_eq!(values(&case, &["run", "--sig-proxy="]), ["--sig-proxy=true", "--sig-proxy=false"]);
    assert_eq!(
        values(&case, &["ps", "--filter", "status=r"]),
        ["status=removing", "status=restarting", "status=running"]
    );
    assert_eq!(values(&case, &["volume", "ls", "-f", "da"]), ["dangling="]);
    assert_eq!(values(&case, &["ps", "--format", "{{.Cr"]), ["{{.Created}}", "{{.CreatedAt}}", "{{.CreatedHuman}}"]);
    assert_eq!(
        values(&case, &["ps", "--format", "table {{.ID}} {{.Name"]),
        ["table {{.ID}} {{.Names}}", "table {{.ID}} {{.Namespaces}}"]
    );
    std::fs::create_dir(case.home.join("folder")).unwrap();
    std::fs::write(case.home.join("folder/file.env"), "").unwrap();
    std::fs::write(case.home.join("folder/.hidden"), "").unwrap();
    assert_eq!(values(&case, &["run", "--env-file", "folder/"]), ["folder/file.env"]);
    assert_eq!(values(&case, &["run", "--env-file", "~/fol"]), ["~/folder/"]);
    assert_eq!(values(&case, &["run", "-v", "folder/.h"]), ["folder/.hidden"]);
}

/// Every filter that is offered is one.
#[test]
fn filters_are_known() {
    let case = case();
    for command in [&["ps"][..], &["images"], &["volume", "ls"], &["network", "ls"], &["secret", "ls"]] {
        let offered = values(&case, &[command, &["--filter", ""]].concat());
        assert!(offered.len() >= 2, "{command:?}");
        for key in offered {
            let finished = case.coracle([command, &["--filter", &key]].concat());
            let hint = finished.stderr.lines().find(|line| line.starts_with("hint: ")).unwrap_or_default();
            assert!(!finished.stderr.contains("an invalid") && !hint.contains("filters are"), "{key} {finished}");
        }
    }
}

#[test]
fn objects_by_verb_and_state() {
    let case = case();
    let image = case.busybox();
    let create = |name: &str, verb: &[&str]| {
        let line = [verb, &["--network=none", "--name", name, &image, "sleep", "1000"]].concat();
        case.coracle(line).succeeded().stdout.trim_end().to_owned()
    };
    let stopped = create("stopped", &["create"]);
    create("running", &["run", "-d"]);
    assert_eq!(asked(&case, &["start", ""]).stdout, format!("stopped\tcreated, {image}\n"));
    for verb in ["stop", "exec", "attach", "top", "kill", "pause"] {
        assert_eq!(values(&case, &[verb, ""]), ["running"], "{verb}");
    }
    assert_eq!(values(&case, &["container", "rm", ""]), ["stopped", "running"]);
    assert_eq!(values(&case, &["rm", "stopped", ""]), ["running"], "named once");
    assert_eq!(values(&case, &["unit", "st"]), ["stopped"]);
    assert_eq!(values(&case, &["run", "--network", "container:"]), ["container:", "container:running"]);
    // An ID once its beginning is typed.
    assert!(values(&case, &["start", &stopped[..1]]).iter().all(|found| found.len() < 12));
    assert_eq!(values(&case, &["start", &stopped[..2]]), [&stopped[..12]]);
    assert_eq!(values(&case, &["start", &stopped[..20]]), [&*stopped]);
    case.coracle(["pause", "running"]).succeeded();
    assert_eq!(values(&case, &["unpause", ""]), ["running"]);
    case.coracle(["unpause", "running"]).succeeded();

    for noun in ["network", "volume"] {
        case.coracle([noun, "create", "mine"]).succeeded();
        assert_eq!(values(&case, &[noun, "rm", "mi"]), ["mine"]);
    }
    case.command(["secret", "create", "word", "-"]).stdin("x").finish().succeeded();
    assert_eq!(values(&case, &["run", "--secret", ""]), ["word"]);
    assert_eq!(values(&case, &["run", "--network=mi"]), ["--network=mine"]);
    assert_eq!(values(&case, &["run", "-v", "mi"]), ["mine:"]);
    assert_eq!(values(&case, &["inspect", "--format", "{{.State.Pi"]), ["{{.State.Pid}}"]);

    // With the registry and without.
    let (registry, name) = image.split_once('/').unwrap();
    assert_eq!(values(&case, &["run", "-it", "bus"]), [name]);
    assert_eq!(values(&case, &["rmi", registry]), [&*image]);
    case.coracle(["tag", &image, "other.example/team/busybox:latest"]).succeeded();
    assert_eq!(values(&case, &["run", "team/"]), ["team/busybox:latest"]);
    let id = case.coracle(["images", "-q"]).succeeded().stdout;
    assert_eq!(values(&case, &["rmi", &id[..3]]), [&id[..12]]);
}

/// Paths in an image and in a container, of which nothing is started.
fn paths_inside(case: &Case) {
    let layer = Layer::new()
        .dir("usr", 0o755)
        .dir("usr/bin", 0o755)
        .file("usr/bin/tool", 0o755, "")
        .symlink("tools", "/usr/bin");
    let hidden = Layer::new().symlink("loop", "loop").file("usr/bin/gone", 0o755, "").file("etc/away", 0o644, "");
    let top = Layer::new().whiteout("usr/bin/gone").symlink("out", "../../usr/../usr");
    let image = case.pull(&Image::busybox().layer(layer).layer(hidden).layer(top).push("paths:1"));
    assert_eq!(values(case, &["run", &image, "/usr/bin/t"]), ["/usr/bin/tool"]);
    assert_eq!(values(case, &["run", &image, "/tools/t"]), ["/tools/tool"]);
    assert_eq!(values(case, &["run", &image, "/ou"]), ["/out/"]);
    assert_eq!(values(case, &["run", &image, "/out/bin/to"]), ["/out/bin/tool"]);
    assert_eq!(values(case, &["run", &image, "/usr/bin/g"]), [""; 0]);
    assert_eq!(values(case, &["run", &image, "/loop/"]), [""; 0]);
    let script = "echo >/usr/bin/new; mkdir '/a b'; rm /etc/away; echo up; exec sleep 1000";
    case.coracle(["run", "-d", "--network=none", "--name", "box", &image, "sh", "-c", script]).succeeded();
    crate::harness::wait_until("the program has written", crate::harness::LIMIT, || {
        case.coracle(["logs", "box"]).stdout == "up\n"
    });
    assert_eq!(values(case, &["cp", "bo"]), ["box:"]);
    assert_eq!(values(case, &["cp", "box:/usr/bin/"]), ["box:/usr/bin/new", "box:/usr/bin/tool"]);
    assert_eq!(values(case, &["cp", "box:/etc/aw"]), [""; 0]);
    assert_eq!(values(case, &["exec", "box", "/usr/bin/n"]), ["/usr/bin/new"]);
    assert_eq!(values(case, &["cp", "box:/a"]), ["box:/a b/"]);
}

on_both_drivers!(paths_inside);

/// Records that can't be read hide nothing else, and a store that can't be read has nothing to offer: in silence, and unchanged.
#[test]
fn a_broken_store_offers_what_it_can() {
    let case = case();
    let image = case.busybox();
    for name in ["whole", "torn"] {
        case.coracle(["create", "--network=none", "--name", name, &image, "true"]).succeeded();
    }
    let torn = case.inspect("torn", "{{.Id}}");
    let folder = case.store().join("containers");
    std::fs::write(folder.join(torn).join("container.json"), "{").unwrap();
    assert_eq!(values(&case, &["start", ""]), ["whole"]);
    set_mode(&folder, 0);
    assert_eq!(values(&case, &["start", ""]), [""; 0]);
    set_mode(&folder, 0o700);
    std::fs::write(case.store().join("images/index.json"), "[").unwrap();
    assert_eq!(values(&case, &["run", ""]), [""; 0]);
    // Nor does nonsense from a shell do harm.
    for words in [&[][..], &["fish"], &["bash", "x"], &["no-shell", "a", "b"], &["powershell", "coracle"]] {
        case.coracle(["@complete"].iter().chain(words).copied()).code(0).stdout("").stderr("");
    }
}
