//! What the program answers a shell that completes its command line.

use std::path::PathBuf;

use crate::harness::{Account, Case, Driver, Finished, Image, Layer, set_mode};

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
    // What it is inside the image knows, which comes later: most often it is the same.
    assert_eq!(values(&case, &["run", "-v", "/etc:"]), ["/etc:/etc"]);
    assert_eq!(values(&case, &["run", "--volume=/etc:/e"]), ["--volume=/etc:/etc"]);
    assert_eq!(values(&case, &["run", "-v", "/etc:/o"]), [""; 0]);
    assert_eq!(values(&case, &["run", "-v", "name:/"]), [""; 0]);
    assert_eq!(values(&case, &["run", "-v", "/etc:/etc:r"]), ["/etc:/etc:ro", "/etc:/etc:rw"]);
    assert_eq!(values(&case, &["run", "-v", "/etc:/etc:ro,noe"]), ["/etc:/etc:ro,noexec"]);
}

/// What is made up of parts: each part by itself.
#[test]
fn values_of_several_parts() {
    let case = case();
    let image = case.busybox();
    for name in ["mine", "other"] {
        case.coracle(["volume", "create", name]).succeeded();
    }
    std::fs::create_dir(case.home.join("folder")).unwrap();
    assert_eq!(values(&case, &["run", "--mount", "type=vol"]), ["type=volume,source="]);
    assert_eq!(values(&case, &["run", "--mount", "type=volume,src=mi"]), ["type=volume,src=mine"]);
    assert_eq!(values(&case, &["run", "--mount=type=bind,source=fol"]), ["--mount=type=bind,source=folder/"]);
    assert_eq!(values(&case, &["run", "--mount", "type=image,source=local"]), [format!("type=image,source={image}")]);
    assert_eq!(values(&case, &["run", "--mount", "type=volume,source=mine,ta"]), ["type=volume,source=mine,target="]);
    assert_eq!(values(&case, &["build", "--build-context", "docs=fol"]), ["docs=folder/"]);
    assert_eq!(values(&case, &["build", "-t", "local"]), [&*image]);
    assert_eq!(values(&case, &["run", "--ulimit", "nof"]), ["nofile="]);
    assert_eq!(values(&case, &["network", "create", "--opt", "m"]), ["mtu="]);
    assert_eq!(values(&case, &["run", "--device-read-bps", "/dev/nul"]), ["/dev/null"]);
    assert_eq!(values(&case, &["run", "--tz", "loc"]), ["local"]);
    let name = Account::current().name;
    assert!(values(&case, &["run", "--hostuser", &name]).contains(&name));
    let variable = case.command(["@complete", "fish", "coracle", "run", "-e", "OF_T"]).env("OF_THIS_SHELL", "secret");
    variable.finish().code(0).stdout("OF_THIS_SHELL\n");
}

/// Devices: what files describe, and nodes; a file that is wrong hides no other.
#[test]
fn devices() {
    let case = case();
    let (own, other) = (case.home.join(".config/cdi"), case.home.join("other"));
    for folder in [&own, &other] {
        std::fs::create_dir_all(folder).unwrap();
    }
    let devices = r#""devices": [{"name": "one"}, {"name": "two"}]"#;
    std::fs::write(own.join("a.json"), format!(r#"{{"kind": "vendor.com/class", {devices}}}"#)).unwrap();
    std::fs::write(own.join("b.yaml"), "kind: nvidia.com/gpu\ndevices:\n- name: \"0\"\n- name: all\n").unwrap();
    std::fs::write(own.join("c.json"), "{").unwrap();
    std::fs::write(other.join("d.json"), format!(r#"{{"kind": "vendor.com/other", {devices}}}"#)).unwrap();
    let class = ["vendor.com/class=one", "vendor.com/class=two"];
    assert_eq!(values(&case, &["run", "--device", "vendor.com/"]), class);
    assert_eq!(values(&case, &["create", "--device=vendor.com/class=t"]), ["--device=vendor.com/class=two"]);
    let answer = asked(&case, &["run", "--device", "vendor.com/class=o"]).stdout;
    assert_eq!(answer, "vendor.com/class=one\tdescribed for containers\n");
    let elsewhere = ["run", "--default-cdi-spec-dir", "other", "--device", "vendor.com/other=o"];
    assert_eq!(values(&case, &elsewhere), ["vendor.com/other=one"]);
    let all = values(&case, &["run", "--device", ""]);
    for name in ["vendor.com/class=one", "nvidia.com/gpu=0", "/dev/null"] {
        assert!(all.iter().any(|found| found == name), "no {name} in {all:?}");
    }
    assert_eq!(values(&case, &["run", "--device", "/dev/nul"]), ["/dev/null"]);
    assert_eq!(values(&case, &["run", "--gpus", ""]), ["all", "0"]);
}

/// The file that is to be built names its stages and its arguments.
#[test]
fn parts_of_a_build() {
    let case = case();
    let context = case.home.join("context");
    std::fs::create_dir(&context).unwrap();
    let text = "ARG BASE=debian\nFROM $BASE AS first\nARG MODE\nARG BASE\nFROM first AS second\n";
    std::fs::write(context.join("Containerfile"), text).unwrap();
    std::fs::write(case.home.join("Dockerfile"), "FROM scratch AS third\n").unwrap();
    assert_eq!(values(&case, &["build", "context", "--target", ""]), ["first", "second"]);
    assert_eq!(values(&case, &["image", "build", "-f", "context/Containerfile", "--target=s"]), ["--target=second"]);
    assert_eq!(values(&case, &["build", "--target", ""]), ["third"]);
    assert_eq!(asked(&case, &["build", "context", "--build-arg", ""]).stdout, "BASE=\tARG BASE=debian\nMODE=\n");
    assert_eq!(values(&case, &["build", "--allow", "n"]), ["network.host"]);
    assert_eq!(values(&case, &["build", "-o", "type=o"]), ["type=oci,dest="]);
}

/// Registries: where somebody is logged in, and those that the configuration speaks of.
#[test]
fn registries() {
    let case = case();
    let folder = case.home.join(".config/containers");
    std::fs::create_dir_all(&folder).unwrap();
    let conf = "unqualified-search-registries = ['first.example']\n[[registry]]\nlocation = 'second.example/team'\n";
    std::fs::write(folder.join("registries.conf"), conf).unwrap();
    std::fs::create_dir(case.home.join(".docker")).unwrap();
    let known = r#"{"auths": {"mine.example": {"auth": "dTpw"}, "first.example": {"auth": "dTpw"}}}"#;
    std::fs::write(folder.join("auth.json"), known).unwrap();
    let docker =
        r#"{"auths": {"https://index.docker.io/v1/": {"auth": "dTpw"}}, "credHelpers": {"kept.example": "x"}}"#;
    std::fs::write(case.home.join(".docker/config.json"), docker).unwrap();
    assert_eq!(
        asked(&case, &["login", ""]).stdout,
        "docker.io\tlogged in\nfirst.example\tlogged in\nkept.example\tlogged in\nmine.example\tlogged in\n\
         second.example\tin registries.conf\n"
    );
    assert_eq!(values(&case, &["login", "-u", "someone", "sec"]), ["second.example"]);
    // What `logout` can forget.
    assert_eq!(values(&case, &["logout", ""]), ["first.example", "mine.example"]);
    std::fs::write(case.home.join("named.json"), r#"{"auths": {"named.example": {}}}"#).unwrap();
    assert_eq!(values(&case, &["logout", "--authfile", "named.json", ""]), ["named.example"]);
    // What can't be read has nothing to say.
    std::fs::write(folder.join("registries.conf"), "[").unwrap();
    std::fs::write(folder.join("auth.json"), "[").unwrap();
    assert_eq!(values(&case, &["login", ""]), ["docker.io", "kept.example"]);
}

#[test]
fn quadlets() {
    let case = case();
    let folder = case.home.join("units");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("web.container"), "[Container]\nImage=x\n").unwrap();
    std::fs::write(folder.join("data.volume"), "[Volume]\n").unwrap();
    case.coracle(["quadlet", "install", "units"]).code(0);
    let own = case.home.join(".config/containers/systemd");
    assert_eq!(
        asked(&case, &["quadlet", "print", ""]).stdout,
        format!("data.volume\t{0}/data.volume\nweb.container\t{0}/web.container\n", own.display())
    );
    assert_eq!(values(&case, &["quadlet", "rm", "web.container", ""]), ["data.volume"]);
    // Where they are somebody else's, they can be shown and not removed.
    let elsewhere = |verb| {
        let line = ["@complete", "fish", "coracle", "quadlet", verb, "b"];
        case.command(line).env("QUADLET_UNIT_DIRS", case.home.join("theirs")).finish().code(0).stdout
    };
    std::fs::create_dir(case.home.join("theirs")).unwrap();
    std::fs::write(case.home.join("theirs/broken.container"), "[").unwrap();
    assert!(elsewhere("print").starts_with("broken.container\t"));
    assert_eq!(elsewhere("rm"), "");
}

/// Fields of everything that has templates.
#[test]
fn fields_of_what_is_shown() {
    let case = case();
    let image = case.busybox();
    case.command(["secret", "create", "word", "-"]).stdin("x").finish().succeeded();
    for (line, expected) in [
        (&["events", "--format", "{{.Cont"][..], "{{.ContainerExitCode}}"),
        (&["version", "--format", "{{.Client.OsA"], "{{.Client.OsArch}}"),
        (&["info", "-f", "{{.Store.GraphRootR"], "{{.Store.GraphRootReason}}"),
        (&["system", "info", "-f", "{{.Ho"], "{{.Host."),
        (&["image", "inspect", "-f", "{{.Config.Ent"], "{{.Config.Entrypoint}}"),
        (&["image", "inspect", &image, "-f", "{{.Archi"], "{{.Architecture}}"),
        (&["inspect", "--type=image", "-f", "{{.RepoT"], "{{.RepoTags}}"),
        (&["network", "inspect", "-f", "{{.Sub"], "{{.Subnets}}"),
        (&["secret", "inspect", "-f", "{{.Spec.Na"], "{{.Spec.Name}}"),
        (&["volume", "inspect", "-f", "{{.Mountp"], "{{.Mountpoint}}"),
    ] {
        assert_eq!(values(&case, line), [expected], "{line:?}");
    }
}

/// Each command whose page names a container, an image or another thing offers those that there are.
#[test]
fn each_word_that_a_page_names() {
    let case = case();
    let image = case.busybox();
    for (verb, name) in [(&["create"][..], "rests"), (&["run", "-d"], "runs"), (&["run", "-d"], "waits")] {
        case.coracle([verb, &["--network=none", "--name", name, &image, "sleep", "1000"]].concat()).succeeded();
    }
    case.coracle(["pause", "waits"]).succeeded();
    case.command(["secret", "create", "word", "-"]).stdin("x").finish().succeeded();
    case.coracle(["network", "create", "lan"]).succeeded();
    case.coracle(["volume", "create", "data"]).succeeded();
    std::fs::write(case.home.join("web.container"), "[Container]\nImage=x\n").unwrap();
    case.coracle(["quadlet", "install", "web.container"]).code(0);
    std::fs::write(case.home.join(".config/containers/auth.json"), r#"{"auths": {"q.example": {}}}"#).unwrap();
    let whole = std::env::var("CORACLE_SOURCE").map_or_else(|_| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    let mut checked = 0;
    for entry in std::fs::read_dir(whole.join("man")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let Some(page) = name.strip_suffix(".1").and_then(|name| name.strip_prefix("coracle-")) else { continue };
        let text = std::fs::read_to_string(&path).unwrap();
        let synopsis = text.lines().skip_while(|line| *line != ".SH SYNOPSIS").nth(1).unwrap().to_owned();
        // The first that it takes and that is no flag.
        let words = synopsis.split("\\fI").skip(1).filter_map(|rest| rest.split(['\\', ' ']).next());
        let Some(word) = words.into_iter().find(|word| word.chars().all(char::is_uppercase)) else { continue };
        let expected = match word {
            "CONTAINER" | "CONTAINERS" => &["rests", "runs", "waits"][..],
            "IMAGE" | "IMAGES" => &[&*image],
            "NETWORK" => &["lan"],
            "VOLUME" => &["data"],
            "SECRET" => &["word"],
            "QUADLET" => &["web.container"],
            "REGISTRY" => &["q.example"],
            "SHELL" => &["bash"],
            "WORD" => &["storage"],
            _ => continue,
        };
        let command: Vec<&str> = page.split('-').collect();
        let offered = values(&case, &[&command[..], &[""]].concat());
        let found = |expected: &&str| offered.iter().any(|value| expected.ends_with(value.as_str()));
        assert!(expected.iter().any(found), "{command:?}: {word}, but {offered:?}");
        checked += 1;
    }
    assert!(checked > 80, "{checked}");
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
