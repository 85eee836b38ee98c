//! What the program says about itself and about mistakes.

use serde_json::Value;

use crate::harness::{Case, Driver};

fn case() -> Case {
    Case::new(Driver::Auto)
}

#[test]
fn version() {
    let case = case();
    let version = env!("CARGO_PKG_VERSION");
    case.coracle(["--version"]).code(0).stdout(&format!("coracle version {version}\n")).stderr("");
    let finished = case.coracle(["version"]).succeeded();
    assert!(finished.stdout.lines().any(|line| line.starts_with("Version:") && line.ends_with(version)), "{finished}");
    // Asking makes nothing.
    assert!(!case.data.exists());
}

#[test]
fn info() {
    let case = case();
    let finished = case.coracle(["info"]).succeeded();
    for key in ["host:", "store:", "version:"] {
        assert!(finished.stdout.lines().any(|line| line == key), "{finished}");
    }
    let json: Value = serde_json::from_str(&case.coracle(["info", "--format", "json"]).succeeded().stdout).unwrap();
    assert_eq!(json["store"]["graphRoot"], case.store().to_str().unwrap());
    assert_eq!(json["host"]["security"]["rootless"], true);
    assert_eq!(json["host"]["networkBackend"], "stack");
    let manager = &json["host"]["cgroupManager"];
    assert!(["systemd", "cgroupfs", "none"].map(Value::from).contains(manager), "{manager}");
    let files = case.home.join("registries.conf");
    std::fs::write(&files, "unqualified-search-registries = ['one.example', 'two.example']").unwrap();
    std::fs::write(case.home.join("containers.conf"), "[network]\ndefault_rootless_network_cmd = 'pasta'\n").unwrap();
    let info = case.command(["info", "--format", "{{.Host.NetworkBackend}}"]);
    info.env("CONTAINERS_CONF", case.home.join("containers.conf")).finish().code(0).stdout("pasta\n");
    // The helper that a container would get.
    let helper = case.home.join("helpers/pasta");
    std::fs::create_dir_all(helper.parent().unwrap()).unwrap();
    std::fs::write(&helper, "#!/bin/sh\n").unwrap();
    crate::harness::set_mode(&helper, 0o755);
    let text = format!("[engine]\nhelper_binaries_dir = ['{}']\n", helper.parent().unwrap().display());
    std::fs::write(case.home.join("containers.conf"), text).unwrap();
    let info = case.command(["info", "--format", "{{.Host.Pasta.Executable}}"]);
    let info = info.env("CONTAINERS_CONF", case.home.join("containers.conf")).finish().code(0);
    info.stdout(&format!("{}\n", helper.display()));
    let info = case.command(["info", "--format", "{{.Registries.search}}"]).env("CONTAINERS_REGISTRIES_CONF", &files);
    info.finish().code(0).stdout("[one.example two.example]\n");
}

#[test]
fn doctor() {
    let case = case();
    let finished = case.coracle(["doctor"]).code(0);
    assert!(finished.stdout.lines().count() >= 5, "{finished}");
    assert!(finished.stdout.lines().any(|line| line.starts_with("ok       kernel ")), "{finished}");
    // What is missing is named together with the fix.
    let broken = case.command(["doctor"]).env("PATH", "/nonexistent").finish();
    assert_ne!(broken.code, Some(0), "{broken}");
    let text = format!("{}{}", broken.stdout, broken.stderr);
    assert!(
        text.contains("broken   subordinate ids ") && text.contains("newuidmap") && text.contains("hint: "),
        "{broken}"
    );
    let json = case.command(["doctor", "--format=json"]).env("PATH", "/nonexistent").finish().code(1);
    let checks: Value = serde_json::from_str(&json.stdout).unwrap();
    let states: Vec<_> = checks.as_array().unwrap().iter().map(|check| check["State"].as_str().unwrap()).collect();
    assert!(states.contains(&"ok") && states.contains(&"broken"), "{json}");
}

/// Without the programs that write the maps, `run` says what to install.
#[test]
fn a_missing_program_is_named() {
    let case = case();
    let image = case.busybox();
    let finished = case.command(["run", "--rm", "--network=none", &image, "true"]).env("PATH", "/nonexistent").finish();
    finished.code(125).stdout("").error("newuidmap").says("hint: ");
}

/// Who asks is told what is done: on standard error, a line each, by level.
#[test]
fn messages_about_the_work() {
    let case = case();
    let image = case.busybox();
    let config = case.home.join("containers.conf");
    std::fs::write(&config, "").unwrap();
    let run = |level: &str, flags: &[&str]| {
        let line = [&["--log-level", level, "run"], flags, &["--network=none", &image, "echo", "out"]].concat();
        case.command(line).env("CONTAINERS_CONF", &config).finish().succeeded()
    };
    for flags in [&["--rm"][..], &["-d"]] {
        let told = run("debug", flags);
        let message = |part: &str| {
            let found = told.stderr.lines().find(|line| line.contains(part));
            assert!(
                found.is_some_and(|line| line.starts_with("time=\"20") && line.contains("level=debug msg=")),
                "{part}: {told}"
            );
        };
        message(config.to_str().unwrap());
        message("plan: ");
        message("starting the monitor");
        message("the root file system has the driver `");
        message("the program runs, pid ");
        assert!(told.stdout == "out\n" || told.stdout.trim_end().len() == 64, "{told}");
    }
    for level in ["info", "warn", "WARNING", "error", "fatal", "panic"] {
        assert_eq!(run(level, &["--rm"]).stderr, "", "{level}");
    }
    let warned = |level: &str| {
        case.coracle(["--log-level", level, "run", "--rm", "-it", "--network=none", &image, "true"]).succeeded().stderr
    };
    assert!(warned("warn").starts_with("warning: standard input is not a terminal"));
    assert!(warned("warn").contains("`-i` alone"));
    assert_eq!(warned("error"), "");
    case.coracle(["--log-level=loud", "ps"])
        .code(1)
        .error("Log Level \"loud\" is not supported, choose from: trace, debug");
}

#[test]
fn mistakes() {
    let case = case();
    case.coracle(["no-such-verb"]).code(125).stdout("").error("no-such-verb");
    case.coracle(["run"]).code(125).stdout("").says("Error: ");
    case.coracle(["ps", "--no-such-flag"]).code(125).stdout("").error("--no-such-flag");
    case.coracle(["inspect", "absent"]).code(125).stdout("[]\n").error("absent");
    let image = case.busybox();
    case.coracle(["run", "--network=none", &image, "true"]).code(0);
    case.coracle(["ps", "-a", "--format", "{{.NoSuchField}}"]).code(125).says("Error: ");
}

/// Listing needs no terminal, no runtime folder, no lock, and no writable store.
#[test]
fn readers_need_nothing() {
    let case = case();
    case.coracle(["ps"]).code(0).stderr("");
    case.coracle(["images"]).code(0).stderr("");
    let image = case.busybox();
    case.coracle(["run", "--network=none", "--name", "box", &image, "true"]).code(0);
    case.command(["ps", "-a", "-q"]).env("XDG_RUNTIME_DIR", "/nonexistent").finish().code(0).stderr("");
    case.command(["ps", "-a", "-q"]).env("TMPDIR", "/nonexistent").env("TERM", "dumb").finish().code(0).stderr("");
}

/// A record that can't be read is its container's matter: other containers live on, and it can be removed.
#[test]
fn broken_records() {
    let case = case();
    let image = case.busybox();
    let create = |name: &str| {
        let finished = case.coracle(["create", "--network=none", "--name", name, &image, "true"]).succeeded();
        finished.stdout.trim_end().to_owned()
    };
    let (whole, torn, newer, stateless, empty) =
        (create("whole"), create("torn"), create("newer"), create("stateless"), create("empty"));
    let folder = |id: &str| case.store().join("containers").join(id);
    std::fs::write(folder(&torn).join("container.json"), "{\"version\":1,").unwrap();
    std::fs::write(folder(&newer).join("container.json"), "{\"version\":99}").unwrap();
    std::fs::write(folder(&stateless).join("state.json"), "").unwrap();
    std::fs::remove_file(folder(&empty).join("container.json")).unwrap();
    std::fs::create_dir(folder("stray")).unwrap();

    let listed = case.coracle(["ps", "-a", "--no-trunc", "--format", "{{.ID}} {{.Status}}"]).code(0);
    assert!(listed.stdout.starts_with(&format!("{whole} Created\n")), "{listed}");
    for id in [&torn, &newer, &stateless, &empty] {
        assert!(listed.stdout.contains(&format!("{id} Broken\n")), "{listed}");
        assert!(listed.stderr.contains("warning: ") && listed.stderr.contains(&id[..12]), "{listed}");
    }
    assert_eq!(listed.stdout.lines().count(), 5, "{listed}");
    case.coracle(["run", "--rm", "--network=none", &image, "true"]).code(0).stderr("");
    assert_eq!(case.inspect("whole", "{{.Name}}"), "whole");
    case.coracle(["stop", "--all"]);
    case.coracle(["inspect", "torn"]).code(125).error(&torn[..12]).says("hint: ");

    case.coracle(["rm", "torn"]).code(0).stdout("torn\n");
    case.coracle(["rm", &empty[..12], "stateless"]).code(0);
    // Only by force: the newer program that wrote it can still read it.
    case.coracle(["rm", "newer"]).code(125);
    case.coracle(["rm", "-f", "newer"]).code(0);
    case.coracle(["ps", "-a", "-q", "--no-trunc"]).code(0).stdout(&format!("{whole}\n")).stderr("");
    // Their names are free.
    ["torn", "newer", "stateless", "empty"].into_iter().for_each(|name| drop(create(name)));
}

/// Output that nobody reads any more is no reason to panic.
#[test]
fn a_closed_output() {
    let case = case();
    let line = format!("{} info >/dev/full", crate::harness::binary().display());
    let finished = case.command_of("sh".as_ref(), ["-c", &line]).finish();
    assert!(finished.code != Some(101) && !finished.stderr.contains("panicked"), "{finished}");
    let line = format!("{} info --format json | true", crate::harness::binary().display());
    let finished = case.command_of("sh".as_ref(), ["-c", &line]).finish();
    assert!(!finished.stderr.contains("panicked"), "{finished}");
}
