//! `unit`: a container as a quadlet, which makes it again.

use crate::harness::{Case, binary};

fn a_container_becomes_a_quadlet(case: &Case) {
    let image = case.busybox();
    let line = [
        "create",
        "--name=box",
        "--network=none",
        "--env=A=1 %$",
        "-e",
        "HOME",
        "-v",
        "data:/data",
        "--read-only",
        "--restart=on-failure:3",
    ];
    let more = ["--tmpfs=/x", "--cap-drop=all", "--umask=0077", "-it", &image, "echo", "a b", "100%"];
    case.coracle(line.into_iter().chain(more)).succeeded();
    let home = case.home.display();
    let said = case.coracle(["unit", "box"]).succeeded().stdout;
    for line in [
        "[Container]",
        &format!("Image={image}"),
        "ContainerName=box",
        "Environment=\"A=1 %%$$\"",
        &format!("Environment=HOME={home}"),
        "Volume=data:/data",
        "Network=none",
        "ReadOnly=true",
        "Tmpfs=/x",
        "DropCapability=all",
        "Exec=echo \"a b\" 100%%",
        "Restart=on-failure",
        "WantedBy=default.target",
    ] {
        assert!(said.lines().any(|other| other == line), "no {line:?} in {said}");
    }
    let others = said.lines().find(|line| line.starts_with("PodmanArgs=")).unwrap();
    assert!(others.contains("--umask=0077") && others.contains("--interactive=true"), "{others}");
    let folder = case.home.join("quadlets");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("box.container"), &said).unwrap();
    let unit = case.command(["quadlet", "--dryrun"]).env("QUADLET_UNIT_DIRS", &folder).finish().succeeded().stdout;
    assert!(unit.contains(" --name=box ") && unit.contains(&format!(" {image} echo \"a b\" 100%%\n")), "{unit}");
    case.coracle(["unit", "nobody"]).code(125).error("no container with name or ID \"nobody\" found");
}

/// Paths count from where the container was made, wherever its unit is started.
fn a_unit_finds_paths_again(case: &Case) {
    let image = case.busybox();
    let project = case.home.join("a project");
    std::fs::create_dir(&project).unwrap();
    std::fs::create_dir(project.join("src")).unwrap();
    std::fs::write(project.join("vars"), "A=1\n").unwrap();
    let make = |name: &str, words: &[&str]| {
        let words = words.iter().copied();
        case.command(["create", "--network=none", "--name", name].into_iter().chain(words).chain([&*image, "true"]))
            .directory(&project)
            .finish()
            .succeeded();
    };
    make("near", &["--env-file=vars", "-v", "./src:/src"]);
    make("far", &["-v", "data:/data", "-v", "/tmp:/x"]);
    let directory = format!("WorkingDirectory={}", project.display());
    for (name, wanted) in [("near", true), ("far", false)] {
        for command in [&["unit", name][..], &["generate", "systemd", "--new", name]] {
            let said = case.coracle(command.iter().copied()).succeeded().stdout;
            let service = said.split("[Service]\n").nth(1).unwrap_or_default();
            assert_eq!(service.lines().any(|line| line == directory), wanted, "{name}: {said}");
        }
    }
}

/// For scripts that call it as Podman's: a unit of the container that is there, and one that makes it each time.
fn a_unit_is_generated(case: &Case) {
    let image = case.busybox();
    let script = "trap 'exit 0' TERM; while sleep 0.1; do :; done";
    let line = ["create", "--name=box", "--network=none", "--env=A=1 %$", "--stop-timeout=7", "--label=a=b\nc"];
    case.coracle(line.into_iter().chain([&*image, "sh", "-c", script])).succeeded();
    let id = case.inspect("box", "{{.Id}}");
    let program = binary().canonicalize().unwrap().display().to_string();
    // A value of two lines is none of a key.
    let quadlet = case.coracle(["unit", "box"]).succeeded().stdout;
    assert!(
        quadlet.lines().any(|line| line.starts_with("PodmanArgs=") && line.contains("\"--label=a=b\\nc\"")),
        "{quadlet}"
    );
    let said = case.coracle(["generate", "systemd", "box"]).succeeded().stdout;
    for line in [
        &format!("# container-{id}.service"),
        "Description=Container box",
        "Restart=on-failure",
        "TimeoutStopSec=67",
        "Type=exec",
        &format!("ExecStart={program} start --attach {id}"),
        &format!("ExecStop={program} stop --ignore --time=7 {id}"),
        "WantedBy=default.target",
    ] {
        assert!(said.lines().any(|other| other == line), "no {line:?} in {said}");
    }
    let flags = ["--restart-policy=always", "--restart-sec=3", "--start-timeout=20", "-t", "5", "--wants=a.service"];
    let more = ["--after=b.service", "--requires=c.service", "-e", "B=x y", "--container-prefix=c", "--separator=_"];
    let line = ["generate", "systemd", "--new", "--name", "--files", "--no-header"].into_iter();
    let line = line.chain(flags).chain(more).chain(["box"]);
    let file = case.home.join("c_box.service");
    let written = case.command(line).directory(&case.home).finish().succeeded();
    assert_eq!(written.stdout, format!("{}\n", file.display()));
    let said = std::fs::read_to_string(&file).unwrap();
    assert!(said.starts_with("[Unit]\n"), "{said}");
    for line in [
        "Restart=always",
        "RestartSec=3",
        "TimeoutStartSec=20",
        "TimeoutStopSec=65",
        "Wants=a.service",
        "After=b.service",
        "Requires=c.service",
        "Environment=\"B=x y\"",
        "Type=notify",
        "Delegate=yes",
        &format!("ExecStop={program} stop --ignore --time=5 box"),
        &format!("ExecStopPost=-{program} rm --force --ignore --time=5 box"),
    ] {
        assert!(said.lines().any(|other| other == line), "no {line:?} in {said}");
    }
    let start = said.lines().find(|line| line.starts_with("ExecStart=")).unwrap();
    let own = format!("ExecStart={program} run --name=box --replace --rm --cgroups=split --sdnotify=conmon ");
    assert!(start.starts_with(&own) && start.contains(" \"--env=A=1 %%$$\" ") && start.contains(&image), "{start}");
    let json = case.coracle(["generate", "systemd", "--template", "--name", "--format=json", "box"]).succeeded().stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(json["container-box@"].as_str().unwrap().contains(" --name=box-%i "), "{json}");
    case.coracle(["generate", "systemd", "nobody"]).code(125).error("no container with name or ID \"nobody\" found");
    case.coracle(["generate", "systemd", "--format=xml", "box"]).code(125).error("the format `xml` is not known");
}

/// A pair of units: the first listens where the container did, the second is the container without that port.
fn a_socket_starts_a_container(case: &Case) {
    let image = case.busybox();
    let ports = ["-p", "127.0.0.1:8080-8081:80-81", "-p", "9090:90"];
    case.coracle(["create", "--name=box"].into_iter().chain(ports).chain([&*image, "true"])).succeeded();
    let said = case.coracle(["unit", "--socket", "127.0.0.1:8080", "--idle", "10min", "box"]).succeeded().stdout;
    for line in [
        "# box.socket",
        "ListenStream=127.0.0.1:8080",
        "FileDescriptorName=port-80",
        "WantedBy=sockets.target",
        "# box.service",
        "Requires=box.socket",
        "Type=notify",
    ] {
        assert!(said.lines().any(|other| other == line), "no {line:?} in {said}");
    }
    let start = said.lines().find(|line| line.starts_with("ExecStart=")).unwrap();
    // Of a range, what is left of it.
    let rest = " --publish=127.0.0.1:8081:81/tcp ";
    for word in [" --publish=9090:90 ", rest, " --publish=fd:port-80:80 ", " --idle=600s ", " --name=box "] {
        assert!(start.contains(word), "no {word:?} in {start}");
    }
    assert!(!start.contains("8080") && start.contains(" --rm "), "{start}");
    let config = case.home.join("config");
    let install = ["unit", "--socket", "7000:70", "--install", "box"];
    let written = case.command(install).env("XDG_CONFIG_HOME", &config).finish().succeeded().stdout;
    let names: Vec<&str> = written.lines().filter_map(|path| path.rsplit('/').next()).collect();
    assert_eq!(names, ["box.socket", "box.service"]);
    let socket = std::fs::read_to_string(config.join("systemd/user/box.socket")).unwrap();
    assert!(socket.contains("ListenStream=7000\n") && socket.contains("FileDescriptorName=port-70\n"), "{socket}");
    case.command(install).env("XDG_CONFIG_HOME", &config).finish().succeeded();
    // What somebody else wrote stays, and of the pair nothing is written.
    let theirs = config.join("systemd/user/box.service");
    std::fs::write(&theirs, "mine").unwrap();
    std::fs::remove_file(config.join("systemd/user/box.socket")).unwrap();
    let refused = case.command(install).env("XDG_CONFIG_HOME", &config).finish().code(125);
    refused.error("not of this command's making").says("hint: `coracle rename`");
    assert_eq!(std::fs::read_to_string(&theirs).unwrap(), "mine");
    assert!(!config.join("systemd/user/box.socket").exists());
    let unknown = case.coracle(["unit", "--socket", "8082", "box"]).code(125);
    unknown.error("the container `box` publishes nothing on port 8082").says("hint: `--socket=8082:PORT`");
    case.coracle(["unit", "--socket", "web", "box"]).code(125).error("`--socket=web` is no port");
    case.coracle(["unit", "--socket", "8080", "--idle=soon", "box"]).code(125).error("is no time");
}

/// Where no service manager could start it, nothing is made.
fn no_boot_without_a_manager(case: &Case) {
    let image = case.busybox();
    let refused = case.coracle(["run", "-d", "--boot", "--name=box", "--network=none", &image, "sleep", "1000"]);
    refused.code(125).error("`--boot`: no service manager of this account runs here").says("hint: ");
    case.coracle(["ps", "-a", "-q"]).code(0).stdout("");
}

on_both_drivers!(
    a_container_becomes_a_quadlet,
    a_unit_finds_paths_again,
    a_unit_is_generated,
    a_socket_starts_a_container,
    no_boot_without_a_manager,
);
