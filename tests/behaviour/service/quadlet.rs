//! Quadlets: files that become units.

use std::path::{Path, PathBuf};

use crate::harness::{Case, Command, Driver, Finished, binary};

/// Files in a folder, and the program that looks there and nowhere else.
struct Quadlets {
    case: Case,
    folder: PathBuf,
}

impl Quadlets {
    fn new(files: &[(&str, &str)]) -> Self {
        let case = Case::new(Driver::Auto);
        let folder = case.home.join("quadlets");
        std::fs::create_dir(&folder).unwrap();
        let quadlets = Self { case, folder };
        files.iter().for_each(|(name, text)| quadlets.write(name, text));
        quadlets
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn command<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        self.case.command(arguments).env("QUADLET_UNIT_DIRS", &self.folder)
    }

    #[track_caller]
    fn dry_run(&self) -> Finished {
        self.command(["quadlet", "--dryrun", "--user"]).finish()
    }

    /// The lines of a unit.
    #[track_caller]
    fn unit(&self, name: &str) -> Vec<String> {
        let said = self.dry_run().succeeded().stdout;
        let unit = said.split("---").skip_while(|part| *part != name).nth(1);
        unit.unwrap_or_else(|| panic!("no {name} in {said}")).lines().map(str::to_owned).collect()
    }
}

#[track_caller]
fn has(unit: &[String], lines: &[&str]) {
    for line in lines {
        assert!(unit.iter().any(|other| other == line), "no {line:?} in {unit:#?}");
    }
}

/// One line that begins so has all these words.
#[track_caller]
fn says(unit: &[String], start: &str, words: &[&str]) {
    let line = unit.iter().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("no {start} in {unit:#?}"));
    for word in words {
        assert!(format!("{line} ").contains(&format!(" {word} ")), "no {word} in {line}");
    }
}

#[test]
fn a_container_becomes_a_service() {
    let quadlets = Quadlets::new(&[
        (
            "web.container",
            "# mine\n[Unit]\nAfter=base.image network.target\n[Container]\nImage=base.image\nEnvironment=A=1 \"B=two words\"\n\
             Volume=data.volume:/data:ro\nVolume=./here:/here\nNetwork=inner.network:alias=w\nPublishPort=8080:80\nUser=5\nGroup=6\n\
             Exec=serve --at \\\n  \"the port\"\nEnvironmentFile=%h/env\nReadOnly=yes\nRunInit=no\nHealthCmd=\"true\"\nNotify=healthy\n\
             AddDevice=-/dev/nothing /dev/null\nMount=type=bind,source=./x,target=/x\nNoNewPrivileges=on\nPodmanArgs=--tty\n\
             GlobalArgs=--log-level=debug\nReloadSignal=HUP\n[Service]\nRestart=always\n[Install]\nWantedBy=default.target\n",
        ),
        ("data.volume", "[Volume]\nVolumeName=vault\nLabel=a=b \"c=d e\"\nOptions=ro\nUser=7\n"),
        ("inner.network", "[Network]\nSubnet=10.9.0.0/24\nGateway=10.9.0.1\nInternal=true\n"),
        ("base.image", "[Image]\nImage=localhost/base:1\nTLSVerify=false\n"),
    ]);
    let program = binary().canonicalize().unwrap().display().to_string();
    let folder = quadlets.folder.display().to_string();
    let unit = quadlets.unit("web.service");
    has(
        &unit,
        &[
            "After=base-image.service network.target",
            "Requires=data-volume.service",
            "After=data-volume.service",
            "Requires=inner-network.service",
            "Requires=base-image.service",
            &format!("RequiresMountsFor={folder}/here"),
            &format!("SourcePath={folder}/web.container"),
            "[X-Container]",
            "Restart=always",
            "Type=notify",
            "KillMode=mixed",
            "Delegate=yes",
            "SuccessExitStatus=143",
            "WantedBy=default.target",
            &format!("ExecReload={program} --log-level=debug kill --signal=HUP systemd-%N"),
            &format!("ExecStop={program} --log-level=debug rm --volumes --force --ignore systemd-%N"),
            &format!("ExecStopPost=-{program} --log-level=debug rm --volumes --force --ignore systemd-%N"),
        ],
    );
    let words = [
        "--log-level=debug run --name=systemd-%N --replace --rm --cgroups=split --sdnotify=healthy",
        "--log-driver=journald",
        "--env=A=1 \"--env=B=two words\"",
        "--volume=vault:/data:ro",
        &format!("--volume={folder}/here:/here"),
        &format!("--mount=type=bind,source={folder}/x,target=/x"),
        "--network=systemd-inner:alias=w",
        "--publish=8080:80",
        "--user=5:6",
        "--env-file=%h/env",
        "--read-only",
        "--init=false",
        "--health-cmd=true",
        "--device=/dev/null",
        "--security-opt=no-new-privileges",
        "--tty localhost/base:1 serve --at \"the port\"",
    ];
    says(&unit, &format!("ExecStart={program}"), &words);
    assert!(!unit.iter().any(|line| line.contains("/dev/nothing ") && line.starts_with("Exec")), "{unit:#?}");
    let volume = quadlets.unit("data-volume.service");
    says(&volume, "ExecStart=", &["volume create --ignore --label=a=b \"--label=c=d e\" --opt=o=uid=7,ro vault"]);
    has(&volume, &["Type=oneshot", "RemainAfterExit=yes"]);
    let network = quadlets.unit("inner-network.service");
    let words =
        ["network create --ignore", "--gateway=10.9.0.1", "--internal", "--subnet=10.9.0.0/24", "systemd-inner"];
    says(&network, "ExecStart=", &words);
    says(&quadlets.unit("base-image.service"), "ExecStart=", &["pull --tls-verify=false localhost/base:1"]);
}

/// A directory of this machine in place of an image; and as `unit` writes it.
#[test]
fn a_directory_becomes_a_service() {
    let quadlets = Quadlets::new(&[("tree.container", "[Container]\nRootfs=/srv/a tree:O\nExec=/bin/sh -c true\n")]);
    let unit = quadlets.unit("tree.service");
    says(&unit, "ExecStart=", &["--rootfs \"/srv/a tree:O\" /bin/sh -c true"]);
    quadlets.case.coracle(["create", "--name=box", "--network=none", "--rootfs", "/:O", "/bin/true"]).succeeded();
    let written = quadlets.case.coracle(["unit", "box"]).succeeded().stdout;
    assert!(written.contains("\nRootfs=/:O\n") && !written.contains("--rootfs"), "{written}");
}

/// Drop-ins from general to special, and a key that takes back what was said.
#[test]
fn drop_ins_change_a_quadlet() {
    let quadlets = Quadlets::new(&[
        ("sub/web-one@.container", "[Container]\nImage=localhost/x\nEnvironment=A=1\nLabel=kept=1\n"),
        ("container.d/10-all.conf", "[Container]\nHostName=all\n"),
        ("container.d/20-all.conf", "[Container]\nEnvironment=\nEnvironment=B=%i\n"),
        ("web-.container.d/10-all.conf", "[Container]\nHostName=special\n"),
        ("web-one@.container.d/30-last.conf", "[Install]\nDefaultInstance=first\nWantedBy=default.target\n"),
    ]);
    let unit = quadlets.unit("web-one@.service");
    says(&unit, "ExecStart=", &["--name=systemd-%p_%i", "--hostname=special", "--env=B=%i", "--label=kept=1"]);
    assert!(!unit.iter().any(|line| line.starts_with("ExecStart=") && line.contains("--env=A=1")), "{unit:#?}");
}

/// With its file and its line; and what is right becomes units all the same.
#[test]
fn mistakes_are_named_where_they_are() {
    let right = ("right.container", "[Container]\nImage=localhost/x\n");
    for (name, text, words) in [
        ("a.container", "[Container]\nImage=x\nFrob=1\n", ", line 3: unsupported key `Frob` in [Container]"),
        (
            "a.container",
            "[Container]\nImage=x\nPod=p.pod\n",
            ", line 3: `Pod=` is not supported: pods are not there yet",
        ),
        ("a.container", "[Container]\nExec=x\n", ": `Image=` is missing"),
        ("a.container", "[Container]\nImage=x\nGroup=5\n", ", line 3: `Group=5` can't be: a group needs a `User=`"),
        (
            "a.container",
            "[Container]\nImage=x\nVolume=no.volume:/x\n",
            ", line 3: `no.volume`: there is no such quadlet",
        ),
        ("a.container", "[Container]\nImage=x\nReadOnly=maybe\n", ", line 3: `ReadOnly=maybe`: expected yes or no"),
        ("a.container", "[Container]\nImage=x\nExec=\"x\n", ", line 3: a quote is not closed"),
        ("a.container", "[Container]\nImage=x\n[Service]\nType=forking\n", ", line 4: `Type=forking` can't be: "),
        (
            "a.container",
            "[Container]\nImage=x\nServiceName=../x\n",
            ", line 3: `ServiceName=../x` can't be: no name of a unit",
        ),
        ("a.container", "[Container]\nnonsense\n", ", line 2: `nonsense` is no `Key=value`, section or comment"),
        ("a.pod", "[Pod]\n", ": `.pod` files are not supported: pods are not there yet"),
        ("a.kube", "[Kube]\nYaml=x\n", ": `.kube` files are not supported"),
        ("a.build", "[Build]\nFile=/x\n", ": `ImageTag=` is missing"),
        ("a.build", "[Build]\nImageTag=x\n", ": `File` or `SetWorkingDirectory=` is missing"),
        (
            "a.build",
            "[Build]\nImageTag=x\nFile=x\n",
            ", line 3: `File=x` can't be: it counts from a directory: `SetWorkingDirectory=unit` is this file's",
        ),
        ("right.volume", "[Volume]\nServiceName=right\n", " are both the service right.service"),
    ] {
        let quadlets = Quadlets::new(&[right, (name, text)]);
        let said = quadlets.dry_run().code(1);
        assert!(said.stdout.contains("---right.service---"), "{said}");
        said.error(&format!("{}", quadlets.folder.join(name).display())).error(words);
    }
}

/// One that uses an image.
const USER: &str = "[Container]\nImage=it.image\n";
/// What a quadlet of each kind needs at least.
const LEAST: [(&str, &str, &str); 6] = [
    ("Container", "it.container", "[Container]\nImage=localhost/x\n"),
    ("Volume", "it.volume", "[Volume]\n"),
    ("Network", "it.network", "[Network]\n"),
    ("Image", "it.image", "[Image]\nImage=localhost/x\n"),
    ("Build", "it.build", "[Build]\nImageTag=localhost/x\nSetWorkingDirectory=/x\n"),
    ("Quadlet", "it.container", "[Container]\nImage=localhost/x\n[Quadlet]\nDefaultDependencies=false\n"),
];

/// Of each key of Podman's the unit says what it means, or it is refused by its name, with file and line: none is passed over.
#[test]
fn each_key_of_podman_is_translated_or_refused() {
    let keys = include_str!("quadlet.keys");
    let mut section = "";
    let (mut faults, mut seen) = (Vec::new(), 0);
    for line in keys.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = name;
            continue;
        }
        seen += 1;
        let (entry, expected) = line.split_once(" => ").unwrap_or_else(|| panic!("{line}"));
        let (key, _) = entry.split_once('=').unwrap();
        let (_, file, least) = LEAST.into_iter().find(|(name, ..)| *name == section).unwrap();
        let users: &[(&str, &str)] = if section == "Image" { &[("user.container", USER)] } else { &[] };
        let quadlets = Quadlets::new(users);
        // What systemd passes over is no unit's.
        let shown = |text: &str| {
            quadlets.write(file, text);
            let said = quadlets.dry_run();
            let parts = said.stdout.split("\n[").filter(|part| !part.starts_with("X-"));
            (parts.map(|part| format!("{part}\n")).collect::<String>(), said)
        };
        let (without, said) = shown(least);
        assert_eq!(said.code, Some(0), "{said}");
        let (with, said) = shown(&format!("{least}{entry}\n"));
        let place = format!("{}, line {}: ", quadlets.folder.join(file).display(), least.lines().count() + 1);
        let good = match expected {
            "!" => said.code == Some(1) && said.stderr.contains(&place) && said.stderr.contains(&format!("`{key}")),
            _ => said.code == Some(0) && with.contains(expected) && !without.contains(expected),
        };
        if !good {
            faults.push(format!("{line}: {said}"));
        }
    }
    assert!(seen > 150, "{seen}");
    assert!(faults.is_empty(), "{}:\n{}", faults.len(), faults.join("\n"));
}

/// By the name of a generator: units and the links that enable them.
#[test]
fn the_program_is_a_generator() {
    let quadlets = Quadlets::new(&[
        ("web.container", "[Container]\nImage=x\n[Install]\nWantedBy=default.target a.target\nAlias=www.service\n"),
        ("many@.container", "[Container]\nImage=x\n[Install]\nRequiredBy=b.target\nDefaultInstance=one\n"),
    ]);
    let (name, units) = (quadlets.case.home.join("coracle-user-generator"), quadlets.case.home.join("units"));
    std::os::unix::fs::symlink(binary(), &name).unwrap();
    let directory = units.to_str().unwrap();
    let generator = quadlets.case.command_of(&name, [directory, directory, directory]);
    generator.env("QUADLET_UNIT_DIRS", &quadlets.folder).finish().succeeded().stdout("");
    let link = |path: &str| std::fs::read_link(units.join(path)).unwrap();
    assert_eq!(link("default.target.wants/web.service"), Path::new("../web.service"));
    assert_eq!(link("a.target.wants/web.service"), Path::new("../web.service"));
    assert_eq!(link("www.service"), Path::new("web.service"));
    assert_eq!(link("b.target.requires/many@one.service"), Path::new("../many@.service"));
    let unit = std::fs::read_to_string(units.join("web.service")).unwrap();
    assert!(
        unit.contains("\n[Service]\n")
            && unit.contains(&format!("ExecStart={}", binary().canonicalize().unwrap().display()))
    );
}

/// Without an administrator: the account's own units follow its quadlets, and are nobody else's.
#[test]
fn units_are_kept_in_step() {
    let quadlets = Quadlets::new(&[
        (
            "web.container",
            "[Container]\nImage=localhost/x\nVolume=data.volume:/d\n[Install]\nWantedBy=default.target\n",
        ),
        ("data.volume", "[Volume]\n"),
        ("bad.container", "[Container]\nFrob=1\n"),
    ]);
    let case = &quadlets.case;
    let config = case.home.join("config");
    let command = |words: &[&str]| case.command(words.iter().copied()).env("XDG_CONFIG_HOME", &config).finish();
    let path = |name: &str| quadlets.folder.join(name).display().to_string();
    command(&["quadlet", "install", &path("bad.container")]).code(125).error("line 2: unsupported key `Frob`");
    command(&["quadlet", "install", &path("web.container")]).code(125).error("`data.volume`: there is no such quadlet");
    assert!(!config.join("containers").exists());
    command(&["quadlet", "install", &path("web.container"), &path("data.volume")]).code(0);
    command(&["quadlet", "install", &path("data.volume")])
        .code(125)
        .error("there is a quadlet `data.volume`")
        .says("hint: ");
    let units = config.join("systemd/user");
    let link = units.join("default.target.wants/web.service");
    assert!(units.join("data-volume.service").is_file() && units.join("web.service").is_file());
    assert_eq!(std::fs::read_link(&link).unwrap(), Path::new("../web.service"));
    let listed = command(&["quadlet", "list"]).succeeded().stdout;
    assert!(
        listed.lines().any(|line| line.split_whitespace().take(2).eq(["web.container", "web.service"])),
        "{listed}"
    );
    command(&["quadlet", "print", "data.volume"]).succeeded().stdout("[Volume]\n");
    // Systemd is told to watch the files, and so do it again when one is changed.
    let own = config.join("containers/systemd");
    let watch = std::fs::read_to_string(units.join("coracle-quadlet.path")).unwrap();
    assert!(watch.contains(&format!("PathChanged={}\n", own.display())), "{watch}");
    assert!(units.join("default.target.wants/coracle-quadlet.path").exists());
    std::fs::create_dir(own.join("web.container.d")).unwrap();
    std::fs::write(own.join("web.container.d/a.conf"), "[Container]\nEnvironment=A=1\n").unwrap();
    let service = std::fs::read_to_string(units.join("coracle-quadlet.service")).unwrap();
    let sync = service.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let words: Vec<&str> = sync.split(' ').skip(1).collect();
    command(&words).code(0);
    assert!(std::fs::read_to_string(units.join("web.service")).unwrap().contains(" --env=A=1 "));
    let watch = std::fs::read_to_string(units.join("coracle-quadlet.path")).unwrap();
    assert!(watch.contains(&format!("PathChanged={}/web.container.d\n", own.display())), "{watch}");
    // Another's unit is left alone.
    std::fs::write(units.join("other.service"), "[Service]\nExecStart=/bin/true\n").unwrap();
    std::fs::write(quadlets.folder.join("other.container"), "[Container]\nImage=localhost/x\n").unwrap();
    command(&["quadlet", "install", &path("other.container")])
        .code(125)
        .error("is a unit that no quadlet was made into");
    command(&["quadlet", "rm", "other.container", "web.container"]).code(0).stdout("other.container\nweb.container\n");
    assert!(!link.exists() && !link.is_symlink() && !units.join("web.service").exists());
    assert!(units.join("data-volume.service").is_file() && units.join("other.service").is_file());
    command(&["quadlet", "rm", "web.container"]).code(1).error("there is no quadlet `web.container`").says("hint: ");
    command(&["quadlet", "rm", "--ignore", "web.container"]).code(0);
    command(&["quadlet", "rm", "--all"]).code(0).stdout("data.volume\n");
    assert!(!units.join("data-volume.service").exists());
    // With the last of them there is nothing to watch.
    for gone in ["coracle-quadlet.path", "coracle-quadlet.service", "default.target.wants/coracle-quadlet.path"] {
        assert!(!units.join(gone).is_symlink() && !units.join(gone).exists(), "{gone}");
    }
}

/// A folder with all that belongs together, and drop-ins for what is there.
#[test]
fn folders_are_installed() {
    let quadlets = Quadlets::new(&[
        ("web.container", "[Container]\nImage=localhost/x\n"),
        ("web.container.d/a.conf", "[Container]\nEnvironment=A=1\n"),
        ("notes.txt", "nothing for systemd\n"),
    ]);
    let case = &quadlets.case;
    let config = case.home.join("config");
    let command = |words: &[&str]| case.command(words.iter().copied()).env("XDG_CONFIG_HOME", &config).finish();
    let folder = quadlets.folder.display().to_string();
    let installed = command(&["quadlet", "install", &folder]).succeeded().stdout;
    let names: Vec<&str> = installed.lines().filter_map(|line| line.split("containers/systemd/").nth(1)).collect();
    assert_eq!(names, ["web.container", "web.container.d/a.conf"]);
    let unit = || std::fs::read_to_string(config.join("systemd/user/web.service")).unwrap();
    assert!(unit().contains(" --env=A=1 "), "{}", unit());
    // What is removed leaves nothing that would change another of its name.
    let dropped = config.join("containers/systemd/web.container.d");
    assert!(dropped.join("a.conf").exists());
    command(&["quadlet", "rm", "web.container"]).succeeded().stdout("web.container\n");
    assert!(!dropped.exists());
    command(&["quadlet", "install", &folder]).succeeded();
    quadlets.write("web.container.d/b.conf", "[Container]\nEnvironment=B=2\n");
    command(&["quadlet", "install", &format!("{folder}/web.container.d")]).succeeded();
    assert!(unit().contains(" --env=A=1 --env=B=2 "), "{}", unit());
    // No service manager runs here.
    let listed = command(&["quadlet", "list"]).succeeded().stdout;
    assert!(listed.starts_with("NAME") && listed.contains("STATUS\n") && listed.contains("Not loaded\n"), "{listed}");
    quadlets.write("other/web.container", "[Container]\nImage=localhost/y\n");
    let twice = command(&["quadlet", "install", "--replace", &folder, &format!("{folder}/other")]).code(125);
    twice.error("are both the quadlet `web.container`").says("hint: ");
    assert!(!unit().contains("localhost/y"));
    let empty = quadlets.folder.join("empty");
    std::fs::create_dir(&empty).unwrap();
    command(&["quadlet", "install", &empty.display().to_string()]).code(1).error("there is no quadlet in `");
}

/// What a unit executes does what it is to do.
fn the_commands_of_units_run(case: &Case) {
    let image = case.busybox();
    let folder = case.home.join("quadlets");
    std::fs::create_dir(&folder).unwrap();
    let text = "[Volume]\n";
    std::fs::write(folder.join("data.volume"), text).unwrap();
    let text = "[Build]\nImageTag=localhost/own:1\nImageTag=localhost/other\nSetWorkingDirectory=unit\nNetwork=none\nLabel=\"a=b c\"\n";
    std::fs::write(folder.join("own.build"), text).unwrap();
    let text = format!("FROM {image}\nCOPY data.volume /is-there\nRUN echo built >>/is-there\n");
    std::fs::write(folder.join("Containerfile"), text).unwrap();
    let text = String::from(
        "[Container]\nImage=own.build\nContainerName=box\nNetwork=none\nVolume=data.volume:/data\nEnvironment=\"A=two words\"\n\
         AddCapability=NET_ADMIN\nMask=/proc/stat\nSeccompProfile=unconfined\nSecurityLabelDisable=yes\nTimezone=UTC\nLogDriver=k8s-file\n\
         Exec=sh -c 'echo \"$$A\" >/data/x; cat /data/x /is-there; exit 7'\n",
    );
    std::fs::write(folder.join("box.container"), text).unwrap();
    let said = case.command(["quadlet", "--dryrun"]).env("QUADLET_UNIT_DIRS", &folder).finish().succeeded().stdout;
    let commands: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("ExecStart=")).collect();
    let run = |start: &str| {
        let line = commands.iter().find(|line| line.contains(start)).unwrap().replace("$$", "$");
        // As systemd takes words: nothing in quotes means anything to a shell.
        case.command_of("sh".as_ref(), ["-c", &line.replace('$', "\\$")]).finish()
    };
    run("volume create").succeeded().stdout("systemd-data\n");
    assert!(said.contains(&format!("WorkingDirectory={}\n", folder.display())), "{said}");
    assert!(said.contains("Requires=own-build.service\nAfter=own-build.service\n"), "{said}");
    let built = run(" build ").succeeded().stdout;
    assert!(built.contains("Successfully tagged localhost/other:latest\n"), "{built}");
    run(" run ").code(7).stdout("two words\n[Volume]\nbuilt\n");
    let stop = said.lines().find_map(|line| line.strip_prefix("ExecStop=")).unwrap();
    case.command_of("sh".as_ref(), ["-c", stop]).finish().code(0);
}

on_both_drivers!(the_commands_of_units_run);
