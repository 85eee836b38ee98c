//! The network of a container: none, the host's, or one of its own with a way out.

use crate::harness::{Case, set_mode};

fn none(case: &Case) {
    let image = case.busybox();
    case.sh(&image, "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '").code(0).stdout("lo\n");
    // Its own loopback is up.
    let script = "while :; do echo hello | nc -l -p 7000; done & until nc 127.0.0.1 7000 2>/dev/null | grep hello; do sleep 0.05; done";
    case.sh(&image, script).code(0).stdout("hello\n");
}

fn host(case: &Case) {
    let image = case.busybox();
    let namespace = std::fs::read_link("/proc/self/ns/net").unwrap();
    case.coracle(["run", "--rm", "--network=host", &image, "readlink", "/proc/self/ns/net"])
        .code(0)
        .stdout(&format!("{}\n", namespace.display()));
}

/// The default, and whoever makes the way out: private, with a route and a resolver; what listens on the machine's loopback is out of
/// reach.
fn private(case: &Case) {
    for network in ["private", "pasta", "stack"] {
        one_private(case, network);
    }
}

fn one_private(case: &Case, network: &str) {
    let image = case.busybox();
    let namespace = std::fs::read_link("/proc/self/ns/net").unwrap();
    let run = ["run", "--rm", "--network", network, &image];
    let run = |command: &[&str]| case.coracle(run.iter().chain(command).copied());
    let finished = run(&["readlink", "/proc/self/ns/net"]).succeeded();
    assert_ne!(finished.stdout.trim_end(), namespace.display().to_string());
    if !crate::harness::has("a route out", outbound_address().is_some_and(|address| !address.is_loopback())) {
        return;
    }
    let interfaces =
        "tail -n +3 /proc/net/dev | wc -l; ip route | grep -c ^default; grep -c ^nameserver /etc/resolv.conf";
    let finished = run(&["sh", "-c", interfaces]).succeeded();
    let counts: Vec<u32> = finished.stdout.lines().map(|line| line.parse().unwrap()).collect();
    assert!(counts[0] == 2 && counts[1] == 1 && counts[2] >= 1, "{finished}");
    // The machine's loopback stays its own.
    let loopback = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let script =
        format!("nc -w 2 127.0.0.1 {} </dev/null && echo reached; true", loopback.local_addr().unwrap().port());
    run(&["sh", "-c", &script]).code(0).stdout("");
}

/// What the user says to pasta, on the command line and in containers.conf, and what it says to that.
fn words_for_pasta(case: &Case) {
    let image = case.busybox();
    let run =
        |network: &str, script: &str| case.coracle(["run", "--rm", "--network", network, &image, "sh", "-c", script]);
    run("pasta:--mtu,1300,-I,way0", "cat /sys/class/net/way0/mtu").code(0).stdout("1300\n");
    run("pasta:--dns-forward,169.254.7.7", "grep -m 1 nameserver /etc/resolv.conf")
        .code(0)
        .stdout("nameserver 169.254.7.7\n");
    let mac = "9a:55:9a:55:9a:55";
    run(&format!("pasta:-I,way0,--ns-mac-addr,{mac}"), "cat /sys/class/net/way0/address")
        .code(0)
        .stdout(&format!("{mac}\n"));
    run("pasta:--frob", "true").code(125).error("--frob").says("hint: `pasta --help`");
    case.coracle(["create", "--mac-address", mac, &image]).code(125).says("hint: `--network=pasta:");
    // With Podman's own word the gateway is this machine.
    let loopback = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = loopback.local_addr().unwrap().port();
    let reach = format!(
        "nc -w 2 $(ip route | sed -n 's/^default via //p' | cut -d' ' -f1) {port} </dev/null && echo reached; true"
    );
    run("pasta:--map-gw", &reach).code(0).stdout("reached\n");
    run("pasta", &reach).code(0).stdout("");
    let file = case.home.join("containers.conf");
    std::fs::write(&file, "[network]\npasta_options = ['--mtu', '1400', '-I', 'way0']\n").unwrap();
    let helpers = case.home.join("helpers");
    std::fs::create_dir(&helpers).unwrap();
    let script = "#!/bin/sh\nexec /usr/bin/pasta \"$@\" --mtu 1234\n";
    std::fs::write(helpers.join("pasta"), script).unwrap();
    set_mode(&helpers.join("pasta"), 0o755);
    std::fs::write(&file, format!("[engine]\nhelper_binaries_dir = ['/nowhere', '{}']\n", helpers.display())).unwrap();
    let line = ["run", "--rm", "--network=pasta:-I,way0", &image, "cat", "/sys/class/net/way0/mtu"];
    case.command(line).env("CONTAINERS_CONF", &file).finish().code(0).stdout("1234\n");
    std::fs::write(&file, "[network]\npasta_options = ['--mtu', '1400', '-I', 'way0']\n").unwrap();
    let configured = ["run", "--rm", "--network=pasta:--ipv4-only", &image, "cat", "/sys/class/net/way0/mtu"];
    case.command(configured).env("CONTAINERS_CONF", &file).finish().code(0).stdout("1400\n");
}

/// Who makes the way out: as asked for, as containers.conf says, and else the stack.
fn who_makes_the_way_out(case: &Case) {
    let image = case.busybox();
    let file = case.home.join("containers.conf");
    let made = |path: &str, flags: &[&str]| {
        let line = ["create"].iter().chain(flags).copied().chain([&*image]);
        let command = case.command(line).env("CONTAINERS_CONF", &file).env("PATH", path).finish();
        let id = command.succeeded().stdout;
        let inspect =
            case.command(["inspect", "--format", "{{.HostConfig.NetworkMode}}", id.trim()]).env("PATH", path).finish();
        inspect.succeeded().stdout.trim_end().to_owned()
    };
    std::fs::write(&file, "").unwrap();
    let path = "/usr/bin:/bin:/usr/sbin:/sbin";
    assert_eq!(made(path, &[]), "stack");
    assert_eq!(made(path, &["--network=pasta"]), "pasta");
    assert_eq!(made(path, &["--network=stack"]), "stack");
    // Scripts that name what Podman took once run as they are; what only it can do is refused.
    assert_eq!(made(path, &["--network=slirp4netns"]), "stack");
    let options = "slirp4netns:allow_host_loopback=true";
    case.coracle(["create", "--network", options, &image]).code(125).error("slirp4netns is not used").says("hint: ");
    std::fs::write(&file, "[network]\ndefault_rootless_network_cmd = 'slirp4netns'\n").unwrap();
    assert_eq!(made(path, &[]), "stack");
    assert_eq!(made(path, &["--network=pasta"]), "pasta");
    let configured = [("default_rootless_network_cmd", "'pasta'"), ("pasta_options", "['--mtu', '1400']")];
    for (key, value) in configured {
        std::fs::write(&file, format!("[network]\n{key} = {value}\n")).unwrap();
        assert_eq!(made(path, &[]), "pasta", "{key}");
    }
    // On named networks it makes the way out as well: ports of one that runs are fixed with pasta.
    std::fs::write(&file, "[network]\ndefault_rootless_network_cmd = 'pasta'\n").unwrap();
    case.coracle(["network", "create", "net"]).code(0);
    let run = ["run", "-d", "--name=box", "--network=net", "--stop-timeout=0", &image, "sleep", "1000"];
    case.command(run).env("CONTAINERS_CONF", &file).finish().succeeded();
    case.coracle(["port", "add", "box", "127.0.0.1::7000"]).code(125).error("its way out is pasta");
    std::fs::write(&file, "[network]\ndefault_rootless_network_cmd = 'frob'\n").unwrap();
    case.command(["create", &image])
        .env("CONTAINERS_CONF", &file)
        .finish()
        .code(125)
        .error("`frob` is not known")
        .says("hint: ");
    let said = case.coracle(["run", "--rm", "--network=stack", &image, "cat", "/etc/hosts"]).succeeded().stdout;
    assert!(said.contains("169.254.1.2\thost.containers.internal"), "{said}");
}

/// A version of pasta that can let an address inside mean this machine is told to, and the container knows its names; the word stands
/// in the program, which here is a script that leaves it out again.
fn names_of_this_machine(case: &Case) {
    let image = case.busybox();
    let folder = case.home.join("bin");
    std::fs::create_dir(&folder).unwrap();
    let told = case.home.join("told");
    let script = format!(
        "#!/bin/sh\necho \"$*\" >{}\nfor word do shift; case $word in --map-guest-addr | 169.254.1.2) ;; *) set -- \"$@\" \"$word\" ;; esac; done\nexec /usr/bin/pasta \"$@\"\n",
        told.display()
    );
    std::fs::write(folder.join("pasta"), script).unwrap();
    set_mode(&folder.join("pasta"), 0o755);
    let path = format!("{}:/usr/bin:/bin:/usr/sbin:/sbin", folder.display());
    let hosts = |flags: &[&str]| {
        let line = ["run", "--rm"].iter().chain(flags).copied().chain([&*image, "cat", "/etc/hosts"]);
        case.command(line).env("PATH", &path).finish().succeeded().stdout
    };
    let names = "\thost.containers.internal host.docker.internal\n";
    let private = hosts(&["--network=pasta", "--add-host", "gate:host-gateway"]);
    assert!(private.contains(&format!("169.254.1.2{names}")) && private.contains("169.254.1.2\tgate\n"), "{private}");
    let told = std::fs::read_to_string(told).unwrap();
    assert!(told.contains(" --map-guest-addr 169.254.1.2 "), "{told}");
    let host = hosts(&["--network=host"]);
    let machine = outbound_address().map_or("127.0.0.1".to_owned(), |address| address.to_string());
    assert!(host.contains(&format!("{machine}{names}")), "{host}");
    // Its own names are where this machine is, and again so when it starts again.
    let own = format!("{machine}\tboat vessel\n");
    let line = ["create", "--hostname=boat", "--name=vessel", &image, "cat", "/etc/hosts"];
    case.command(line).env("PATH", &path).finish().succeeded();
    let file = case.store().join("containers").join(case.inspect("vessel", "{{.Id}}")).join("hosts");
    std::fs::write(&file, "").unwrap();
    let started = case.command(["start", "-a", "vessel"]).env("PATH", &path).finish().succeeded().stdout;
    assert!(started.contains(&own) && started.contains(&format!("169.254.1.2{names}")), "{started}");
    for name in ["a b", "x;y", "two\nlines", "#none"] {
        let line = ["run", "--rm", "--hostname", name, &image, "true"];
        case.command(line).env("PATH", &path).finish().code(125).error("is no host name").says("hint: ");
    }
    assert!(hosts(&["--network=none", "--hostname=A-boat_2.example."]).contains("\tA-boat_2.example. "));
    let told = hosts(&["--hostname=boat", "--network=pasta:--address,192.0.2.200,--netmask,24"]);
    assert!(told.contains("127.0.0.1\tboat "), "{told}");
    assert!(!hosts(&["--network=none"]).contains(names));
}

/// The address from which this machine would reach another.
fn outbound_address() -> Option<std::net::IpAddr> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    // Sends nothing: a connected datagram socket only looks up the route.
    socket.connect("192.0.2.1:9").ok()?;
    Some(socket.local_addr().ok()?.ip())
}

on_both_drivers!(none, host, private, who_makes_the_way_out, words_for_pasta, names_of_this_machine);
