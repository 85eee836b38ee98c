//! containers.conf and config.toml: the defaults of flags, which file is stronger, and what is wrong in one.

use std::path::{Path, PathBuf};

use crate::harness::image::registry;
use crate::harness::{Case, Command, Driver, Finished, Image};

/// Writes a file below the account's configuration.
fn write(case: &Case, name: &str, text: &str) -> PathBuf {
    let path = case.home.join(".config").join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path
}

/// A command that reads the account's files, and those that `variables` name.
fn command(case: &Case, variables: &[(&str, &Path)], line: &[&str]) -> Command {
    let command = case.command(line.iter().copied()).env("CONTAINERS_CONF", "");
    variables.iter().fold(command, |command, (name, value)| command.env(name, value))
}

/// `create FLAGS… IMAGE` in an environment with these variables.
fn create(case: &Case, variables: &[(&str, &Path)], flags: &[&str]) -> Finished {
    let image = case.busybox();
    let line = [&["create"], flags, &[image.as_str()]].concat();
    command(case, variables, &line).finish()
}

#[track_caller]
fn inspected(case: &Case, variables: &[(&str, &Path)], flags: &[&str], template: &str) -> String {
    let id = create(case, variables, flags).succeeded().stdout;
    case.inspect(id.trim(), template)
}

/// A key and its value, what `inspect` shows, what it shows then; a flag, and what it shows with that.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static str);

const ROWS: [Row; 22] = [
    ("annotations = ['k=conf']", "{{.Config.Annotations.k}}", "conf", "--annotation=k=flag", "flag"),
    ("annotations = ['k=conf']", "{{.Config.Annotations.k}}", "conf", "--annotation=l=flag", "conf"),
    ("cgroupns = 'host'", "{{.HostConfig.CgroupMode}}", "host", "--cgroupns=private", "private"),
    (
        "default_capabilities = ['KILL', 'CAP_CHOWN']",
        "{{.EffectiveCaps}}",
        "[CAP_CHOWN CAP_KILL]",
        "--cap-drop=chown",
        "[CAP_KILL]",
    ),
    ("dns_servers = ['9.0.0.1', '9.0.0.2']", "{{.HostConfig.Dns}}", "[9.0.0.1 9.0.0.2]", "--dns=9.0.0.3", "[9.0.0.3]"),
    ("dns_searches = ['a.b']", "{{.HostConfig.DnsSearch}}", "[a.b]", "--dns-search=c.d", "[c.d]"),
    ("dns_options = ['debug']", "{{.HostConfig.DnsOptions}}", "[debug]", "--dns-option=rotate", "[rotate]"),
    ("init = true", "{{.HostConfig.Init}}", "true", "--init=false", "false"),
    ("ipcns = 'private'", "{{.HostConfig.IpcMode}}", "private", "--ipc=shareable", "shareable"),
    (
        "label = false",
        "{{.HostConfig.SecurityOpt}}",
        "[label=disable]",
        "--security-opt=label=type:x_t",
        "[label=type:x_t]",
    ),
    ("log_driver = 'none'", "{{.HostConfig.LogConfig.Type}}", "none", "--log-driver=k8s-file", "k8s-file"),
    ("log_tag = 'conf'", "{{.HostConfig.LogConfig.Tag}}", "conf", "--log-opt=tag=flag", "flag"),
    ("netns = 'none'", "{{.HostConfig.NetworkMode}}", "none", "--network=host", "host"),
    ("oom_score_adj = -9", "{{.HostConfig.OomScoreAdj}}", "-9", "--oom-score-adj=10", "10"),
    ("pidns = 'host'", "{{.HostConfig.PidMode}}", "host", "--pid=private", "private"),
    ("privileged = true", "{{.HostConfig.Privileged}}", "true", "--privileged=false", "false"),
    ("read_only = true", "{{.HostConfig.ReadonlyRootfs}}", "true", "--read-only=false", "false"),
    ("shm_size = '1m'", "{{.HostConfig.ShmSize}}", "1048576", "--shm-size=2m", "2097152"),
    ("tz = 'UTC'", "{{.Config.Timezone}}", "UTC", "--tz=local", "local"),
    ("umask = '0027'", "{{.Config.Umask}}", "0027", "--umask=0077", "0077"),
    ("utsns = 'host'", "{{.HostConfig.UTSMode}}", "host", "--uts=private", "private"),
    ("volumes = ['/etc:/x:ro']", "{{len .Mounts}}", "1", "--volume=/etc:/y", "2"),
];

#[test]
fn keys_are_the_defaults_of_flags() {
    let case = Case::new(Driver::Auto);
    let mut wrong = Vec::new();
    for (line, template, from_file, flag, from_flag) in ROWS {
        write(&case, "containers/containers.conf", &format!("[containers]\n{line}\n[network]\nno_key_of_ours = 1\n"));
        for (flags, expected) in [(&[][..], from_file), (&[flag][..], from_flag)] {
            let shown = inspected(&case, &[], flags, template);
            if shown != expected {
                wrong.push(format!("{line} {flags:?}: {shown}, not {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The image's variables are stronger than those of a file, flags are stronger than both.
#[test]
fn a_program_has_what_files_say() {
    let case = Case::new(Driver::Auto);
    let image = case.pull(&Image::busybox().config("Env", vec!["B=image"]).push("configuration:latest"));
    let text = "[containers]\nenv = ['A=conf', 'B=conf', 'C=conf']\ndefault_ulimits = ['nofile=70:80', 'core=1']\n\
        default_sysctls = ['net.ipv4.ip_default_ttl=9']\n[engine]\nstop_timeout = 3\n";
    write(&case, "containers/containers.conf", text);
    let script = "echo $A $B $C; ulimit -n; ulimit -Hn; cat /proc/sys/net/ipv4/ip_default_ttl";
    for run in [&["run"][..], &["container", "run"], &["--module=m.conf", "--log-level", "error", "run"]] {
        write(&case, "containers/containers.conf.modules/m.conf", "");
        let flags = ["--rm", "--network=none", "--env=C=flag", "--ulimit=nofile=60:80", &image, "sh", "-c", script];
        command(&case, &[], &[run, &flags].concat()).finish().succeeded().stdout("conf image flag\n60\n80\n9\n");
    }
    assert_eq!(inspected(&case, &[], &[], "{{.Config.StopTimeout}}"), "3");
    // Nobody else's defaults are changed.
    command(&case, &[], &["ps", "-q"]).finish().succeeded();
}

/// What is of images, and where descriptions of devices are.
#[test]
fn other_commands_have_their_keys() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    let engine = |text: &str| write(&case, "containers/containers.conf", &format!("[engine]\n{text}\n"));
    let to = format!("dir:{}", case.home.join("pushed").display());
    let told = |line: &[&str], value: &str, key: &str| {
        command(&case, &[], line).finish().code(125).error(value).says(&format!("hint: `{key}` is said in "));
    };
    for line in [&["push", &image, &to][..], &["image", "push", &image, &to], &["manifest", "push", &image, &to]] {
        engine("compression_format = 'frob'");
        told(line, "'frob'", "compression_format");
        engine("retry_delay = 'soon'");
        told(line, "'soon'", "retry_delay");
    }
    engine("retry = -7");
    told(&["pull", &image], "'-7'", "retry");
    // A flag is stronger, and what is only usual is in the way of none.
    engine("compression_format = 'zstd:chunked'\ncompression_level = 3");
    command(&case, &[], &["push", "-q", &image, &to]).finish().succeeded();
    // The registry must not have the layer yet.
    let made =
        ["run", "--network=none", "--name=maker", &image, "sh", "-c", "echo $0 >/made", case.home.to_str().unwrap()];
    command(&case, &[], &made).finish().succeeded();
    command(&case, &[], &["commit", "maker", "localhost/made:1"]).finish().succeeded();
    let name = format!("{}/configuration:compressed", registry());
    for (flags, zstd) in [(&[][..], true), (&["--format=v2s2"], false), (&["--compression-format=gzip"], false)] {
        command(&case, &[], &[&["push", "-q"], flags, &["localhost/made:1", &name]].concat()).finish().succeeded();
        let manifest = command(&case, &[], &["manifest", "inspect", &name]).finish().succeeded().stdout;
        assert_eq!(manifest.contains("+zstd"), zstd, "{flags:?} {manifest}");
    }
    command(&case, &[], &["tag", &image, "localhost/other:1"]).finish().succeeded();
    let archive = case.home.join("both.tar");
    let save = ["save", "-o", archive.to_str().unwrap(), &image, "localhost/other:1"];
    engine("multi_image_archive = true");
    command(&case, &[], &save).finish().succeeded();
    let (folder, device) =
        (case.home.join("devices"), ["run", "--rm", "--network=none", "--device=a.b/c=d", &image, "true"]);
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("d.yaml"), "kind: a.b/c\ndevices: [{name: d}]\n").unwrap();
    command(&case, &[], &device).finish().code(125).error("unresolvable");
    engine(&format!("cdi_spec_dirs = ['{}']", folder.display()));
    command(&case, &[], &device).finish().code(0);
}

/// The keys that leave a container are the same, however one came to it; nothing else of the files is for one that is made.
#[test]
fn detach_keys_are_those_of_the_file() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    command(&case, &[], &["run", "-d", "--network=none", "--name=box", &image, "sleep", "1000"]).finish().succeeded();
    write(&case, "containers/containers.conf", "[containers]\nprivileged = true\nannotations = ['a=b']\n");
    command(&case, &[], &["exec", "box", "grep", "-q", "CapEff:.*3ffffffff", "/proc/self/status"]).finish().code(1);
    write(&case, "containers/containers.conf", "[engine]\ndetach_keys = 'nokey'\n");
    for line in [
        &["attach", "box"][..],
        &["exec", "box", "true"],
        &["container", "exec", "box", "true"],
        &["start", "-a", "box"],
    ] {
        command(&case, &[], line).finish().code(125).error("`nokey` is not a list of keys").says("hint: `detach_keys`");
    }
    command(&case, &[], &["exec", "--detach-keys=x", "box", "true"]).finish().code(0);
    command(&case, &[], &["rm", "-f", "-t0", "box"]).finish().code(0);
}

/// Flags are stronger than what the environment says of them.
#[test]
fn global_options_of_the_environment() {
    let case = Case::new(Driver::Auto);
    let (here, there) = (case.home.join("here"), case.home.join("there"));
    let root = |flags: &[&str]| {
        let line = [flags, &["info", "--format", "{{.Store.GraphRoot}}"]].concat();
        command(&case, &[("CORACLE_ROOT", &here)], &line).finish().succeeded().stdout
    };
    assert!(root(&[]).starts_with(here.to_str().unwrap()));
    assert!(root(&["--root", there.to_str().unwrap()]).starts_with(there.to_str().unwrap()));
    // Beside Podman's files, on the disk that its user has chosen; what is for Podman alone is passed over.
    let storage = write(&case, "storage.conf", "[storage]\ndriver = 'btrfs'\ngraphroot = '$HOME/podmans'\n");
    let info = |variables: &[(&str, &Path)]| {
        command(&case, variables, &["info", "--format", "{{.Store.GraphRoot}}"]).finish().succeeded().stdout
    };
    let named = ("CONTAINERS_STORAGE_CONF", storage.as_path());
    assert_eq!(info(&[named]), format!("{}\n", case.home.join("podmans/coracle").display()));
    assert_eq!(info(&[named, ("CORACLE_ROOT", &here)]), format!("{}\n", here.display()));
    let absent = ("CONTAINERS_STORAGE_CONF", Path::new("/no/such"));
    command(&case, &[absent], &["ps"]).finish().code(125).error("`/no/such` does not exist");
    // What is true of this boot alone may lie elsewhere, and a limit be usual.
    let (run, image) = (case.home.join("boot"), case.busybox());
    let line = ["run", "--network=none", "--rm", &image, "true"];
    command(&case, &[("CORACLE_RUNROOT", &run)], &line).finish().succeeded();
    assert!(run.join("overlay.json").exists() && !case.store().join("overlay.json").exists());
    let line = ["--runroot", "boot", "info", "--format", "{{.Store.RunRoot}}"];
    command(&case, &[], &line).finish().succeeded().stdout(&format!("{}\n", run.display()));
    let usual = ("CORACLE_STORAGE_OPT", Path::new("size=1m"));
    let quota = |variables: &[(&str, &Path)], global: &[&str], own: &[&str]| {
        let line = [global, &["create"], own, &[&image]].concat();
        let id = command(&case, variables, &line).finish().succeeded().stdout;
        case.inspect(id.trim(), "{{.HostConfig.DiskQuota}}")
    };
    assert_eq!(quota(&[usual], &[], &[]), "1048576");
    assert_eq!(quota(&[usual], &["--storage-opt=overlay.size=2m"], &[]), "2097152");
    assert_eq!(quota(&[usual], &["--storage-opt=size=2m"], &["--storage-opt=size=3m"]), "3145728");
    assert_eq!(quota(&[usual], &[], &["--storage-opt=size=0"]), "0");
    let said = |name, value: &str| command(&case, &[(name, Path::new(value))], &["ps"]).finish();
    said("CORACLE_STORAGE_DRIVER", "auto").code(0);
    let asked = ("CORACLE_CGROUP_MANAGER", Path::new("cgroupfs"));
    let id = command(&case, &[asked], &["create", &image]).finish().succeeded().stdout;
    assert_eq!(case.inspect(id.trim(), "{{.HostConfig.CgroupManager}}"), "cgroupfs");
    said("CORACLE_LOG_LEVEL", "frob").code(1).error("Log Level \"frob\" is not supported");
    command(&case, &[("CORACLE_MODULE", Path::new("no-such.conf"))], &["run", &image])
        .finish()
        .code(125)
        .error("no-such.conf");
}

/// As distributions have it: what can't be set for a container is no failure.
#[test]
fn settings_of_the_kernel_are_those_of_containers_alone() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    write(&case, "containers/containers.conf", "[containers]\ndefault_sysctls = ['net.ipv4.ping_group_range=0 0']\n");
    let script = "cat /proc/sys/net/ipv4/ping_group_range";
    let run = |flag: &str| {
        let line = ["run", "--rm", flag, &image, "sh", "-c", script];
        command(&case, &[], &line).finish().succeeded().stdout.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(run("--network=none"), "0 0");
    run("--network=host");
    let keep = ["run", "--rm", "--network=none", "--userns=keep-id", &image, "true"];
    command(&case, &[], &keep).finish().succeeded();
}

#[test]
fn the_stronger_file_counts() {
    let case = Case::new(Driver::Auto);
    let umask = |name: &str, mode: &str| write(&case, name, &format!("[containers]\numask = '{mode}'\n"));
    let shown = |variables: &[(&str, &Path)], flags: &[&str]| {
        let image = case.busybox();
        let line = [flags, &["create", &image]].concat();
        let create = command(&case, variables, &line).finish();
        case.inspect(create.succeeded().stdout.trim(), "{{.Config.Umask}}")
    };
    assert_eq!(shown(&[], &[]), "0022");
    umask("containers/containers.conf", "01");
    assert_eq!(shown(&[], &[]), "0001");
    umask("containers/containers.conf.d/20.conf", "03");
    umask("containers/containers.conf.d/10.conf", "02");
    umask("containers/containers.conf.d/30.txt", "04");
    assert_eq!(shown(&[], &[]), "0003");
    umask("containers/containers.conf.modules/m.conf", "05");
    assert_eq!(shown(&[], &["--module", "m.conf"]), "0005");
    let (alone, last) = (umask("alone", "06"), umask("last", "07"));
    assert_eq!(shown(&[("CONTAINERS_CONF", &alone)], &[]), "0006");
    assert_eq!(shown(&[("CONTAINERS_CONF", Path::new("/dev/null"))], &[]), "0022");
    assert_eq!(shown(&[("CONTAINERS_CONF_OVERRIDE", &last)], &["--module=m.conf"]), "0007");
    umask("coracle/config.toml", "010");
    assert_eq!(shown(&[("CONTAINERS_CONF_OVERRIDE", &last)], &["--module=m.conf"]), "0010");
}

#[test]
fn what_is_wrong_in_a_file_is_said_by_its_line() {
    let case = Case::new(Driver::Auto);
    let none = Path::new("/no/such.conf");
    create(&case, &[("CONTAINERS_CONF", none)], &[]).code(125).error("`/no/such.conf` does not exist");
    let image = case.busybox();
    command(&case, &[], &["--module=none.conf", "create", &image])
        .finish()
        .code(125)
        .error("`none.conf`")
        .says("hint: ");
    for (name, text, error) in [
        ("coracle/config.toml", "[containers]\n\numaks = '0'\n", "config.toml:3: `umaks` is not known"),
        ("coracle/config.toml", "\n[frob]\n", "config.toml:2: `frob` is not known"),
        ("containers/containers.conf", "[containers]\n\numask = '999'\n", "`999` is not a umask"),
        ("containers/containers.conf", "[containers]\numask = 22\n", "containers.conf:2: `umask` must be a text"),
        ("containers/containers.conf", "[containers]\n[\n", "containers.conf:2: "),
    ] {
        let path = write(&case, name, text);
        let told = command(&case, &[], &["create", &image]).finish().code(125).error(error);
        // What its flag refuses.
        if text.contains("999") {
            told.says(&format!("hint: `umask` is said in {}:3", path.display()));
        }
        case.coracle(["ps"]).succeeded();
        std::fs::remove_file(path).unwrap();
    }
    let path = write(&case, "coracle/config.toml", &"#".repeat(2 << 20));
    command(&case, &[], &["create", &image]).finish().code(125).error("is longer than");
    std::fs::remove_file(path).unwrap();
    create(&case, &[], &[]).succeeded();
}

/// As Podman makes a host name of a container's, where the container has a host name of its own.
#[test]
fn a_name_is_a_host_name() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    write(&case, "containers/containers.conf", "[containers]\ncontainer_name_as_hostname = true\n");
    let run = |flags: &[&str]| {
        let line = [&["run", "--network=none"], flags, &[&image, "sh", "-c", "hostname; echo $HOSTNAME"]].concat();
        command(&case, &[], &line).finish().succeeded().stdout
    };
    assert_eq!(run(&["--name=a_b.c-D_"]), "ab.c-D\nab.c-D\n");
    assert_eq!(run(&["--name=named", "--hostname=own"]), "own\nown\n");
    assert_eq!(run(&["--name", &"l".repeat(70)]), format!("{0}\n{0}\n", "l".repeat(64)));
    let machines = rustix::system::uname().nodename().to_string_lossy().into_owned();
    assert_eq!(run(&["--name=of-machine", "--uts=host"]), format!("{machines}\n{machines}\n"));
    // One that nobody has chosen is the container's all the same.
    assert_eq!(run(&["--cidfile=id"]).lines().next().unwrap().len(), {
        let id = std::fs::read_to_string(case.home.join("id")).unwrap();
        case.inspect(&id, "{{.Name}}").replace('_', "").len()
    });
    let hosts = ["run", "--rm", "--network=none", "--name=h_1", &image, "cat", "/etc/hosts"];
    let told = command(&case, &[], &hosts).finish().succeeded().stdout;
    assert!(told.contains("127.0.0.1\th1 h_1\n"), "{told}");
}

/// What leads to this machine, in every network, also where that has no way to it.
#[test]
fn the_address_of_this_machine() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    let key = |value: &str| {
        let text = format!("[containers]\nhost_containers_internal_ip = '{value}'\n");
        write(&case, "containers/containers.conf", &text);
    };
    let hosts = |network: &str, flags: &[&str]| {
        let line = [&["run", "--rm", network], flags, &[&image, "cat", "/etc/hosts"]].concat();
        command(&case, &[], &line).finish()
    };
    for network in ["--network=none", "--network=private", "--network=host"] {
        key("10.9.8.7");
        let told = hosts(network, &["--add-host=gate:host-gateway"]).succeeded().stdout;
        assert!(told.contains("10.9.8.7\thost.containers.internal host.docker.internal\n"), "{network}: {told}");
        assert!(told.contains("10.9.8.7\tgate\n"), "{network}: {told}");
        key("none");
        let told = hosts(network, &[]).succeeded().stdout;
        assert!(!told.contains("host.containers.internal"), "{network}: {told}");
        hosts(network, &["--add-host=gate:host-gateway"]).code(125).error("host-gateway");
    }
    key("frob");
    hosts("--network=none", &[]).code(125).error("`frob`").says("hint: `host_containers_internal_ip` is said in ");
}

/// Variables of the program itself, in which its caller is stronger, for what it does and for the programs that it asks.
#[test]
fn variables_of_the_program() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    let engine = |text: &str| write(&case, "containers/containers.conf", &format!("[engine]\nenv = [{text}]\n"));
    let path = engine("'A_SAID=conf', 'B_SAID=a=b', 'frob', '=x'");
    let printed = |of_caller: &[(&str, &Path)]| {
        let line = ["run", "--rm", "--network=none", "-e", "A_SAID", "-e", "B_SAID", &image, "env"];
        command(&case, of_caller, &line).finish().succeeded()
    };
    let done = printed(&[]);
    assert!(done.stdout.contains("A_SAID=conf\n") && done.stdout.contains("B_SAID=a=b\n"), "{done}");
    for word in ["frob", "=x"] {
        let warning = format!("{}:2: `{word}` is not `NAME=VALUE`", path.display());
        assert!(done.stderr.contains(&warning), "no {warning} in {done}");
    }
    for value in ["caller", ""] {
        let done = printed(&[("A_SAID", Path::new(value))]);
        assert!(done.stdout.contains(&format!("A_SAID={value}\n")), "{done}");
    }
    // A proxy that does not answer.
    engine("'HTTPS_PROXY=http://127.0.0.1:9'");
    std::fs::create_dir(case.home.join("context")).unwrap();
    std::fs::write(case.home.join("context/Containerfile"), "FROM registry.invalid/x\n").unwrap();
    for line in [
        &["pull", "registry.invalid/x"][..],
        &["image", "push", &image, "registry.invalid/x"],
        &["build", "context"],
        &["buildx", "build", "context"],
        &["login", "-u", "someone", "-p", "secret", "registry.invalid"],
        &["search", "registry.invalid/x"],
        &["manifest", "inspect", "registry.invalid/x"],
    ] {
        let said = command(&case, &[], line).finish().code(125).stderr;
        assert!(said.contains("refused the connection") && said.contains("`HTTPS_PROXY`"), "{line:?}: {said}");
    }
    // What only looks reads no file.
    engine("'frob'");
    command(&case, &[], &["ps", "-a"]).finish().succeeded().stderr("");
}
