//! `unit`: a container as a quadlet, which makes it again.

use crate::harness::Case;

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

on_both_drivers!(a_container_becomes_a_quadlet);
