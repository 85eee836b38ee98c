//! The mistakes and troubles of somebody's first days, in one table: each is told in words, with what to do.

use std::path::PathBuf;

use crate::harness::image::registry;
use crate::harness::{Case, Driver, Finished, binary, has, set_mode};

/// What is typed; a part of the error; a part of one of its hints. `IMAGE` is the small image, `REGISTRY` that of the tests; `web` runs,
/// `done` has ended; there are a volume `data`, a network `lan` and a secret `token`.
const TABLE: &[(&str, &str, &str)] = &[
    // Words of the command line.
    ("strat web", "unrecognized command `coracle strat`", "did you mean `coracle start`?"),
    ("network lss", "unrecognized command `coracle network lss`", "did you mean `coracle network ls`?"),
    ("frobnicate", "unrecognized command", "`coracle --help`"),
    ("run --intractive IMAGE true", "unknown flag: --intractive", "did you mean `--interactive`?"),
    (
        "run --storage-driver fuse IMAGE",
        "unknown flag: --storage-driver",
        "before the command: `coracle --storage-driver …`",
    ),
    ("ps --al", "unknown flag: --al", "did you mean `--all`?"),
    ("run", "missing arguments", "--help"),
    ("rename web", "missing arguments", "--help"),
    ("rename web a b", "one argument too many: `b`", "--help"),
    ("build /nowhere", "no Containerfile or Dockerfile is in `/nowhere`", "-f FILE"),
    ("farm build .", "there is no `farm`", "coracle build"),
    ("compose up", "there is no `compose`", "coracle run"),
    ("machine start", "there is no `machine`", "leave it out"),
    ("run --link web IMAGE true", "--link", "coracle network create"),
    ("run --pod x IMAGE true", "--pod", "container:NAME"),
    ("run --runtime crun IMAGE true", "--runtime", "leave it out"),
    ("logs --details web", "--details", "--timestamps"),
    ("push --sign-by me IMAGE", "not signed here", "--digestfile"),
    ("network create --attachable x", "--attachable", "leave it out"),
    ("cp --follow-link a web:/", "--follow-link", "what the link leads to"),
    ("generate kube web", "there is no `generate kube`", "coracle unit"),
    ("generate spec -c web", "there is no `generate spec`", "coracle inspect"),
    ("container runlabel run IMAGE", "there is no `container runlabel`", "coracle image inspect"),
    ("buildx imagetools inspect IMAGE", "there is no `buildx imagetools`", "coracle manifest inspect"),
    ("stop -s KILL web", "-s: the signal is the one", "coracle kill --signal"),
    ("container restart --signal=INT web", "--signal: the signal is the one", "coracle kill --signal"),
    ("create --init-ctr=once IMAGE", "--init-ctr: pods are not there yet", "coracle run"),
    ("volume prune --all", "--all: all that no container uses go", "leave it out"),
    ("start --checkpoint=x web", "--checkpoint: processes are not kept", "coracle commit"),
    ("cp -L a web:/", "-L", "what the link leads to"),
    ("images --tree", "--tree", "coracle image tree"),
    ("image save --platform linux/arm64 IMAGE", "--platform: a name here is an image of one platform", "coracle pull"),
    ("push --sign-passphrase-file x IMAGE", "not signed here", "cosign sign"),
    ("network connect --gw-priority 1 lan web", "--gw-priority", "leave it out"),
    ("--remote ps", "--remote", "leave it out"),
    ("-H tcp://x ps", "-H", "leave it out"),
    ("ps --filter frob=1", "frob is an invalid filter", "`status=`"),
    ("ps --filter status=up", "unknown container state", "`running`"),
    ("images --filter frob=1", "invalid image filter", "`reference`"),
    ("volume ls --filter frob=1", "invalid volume filter", "`dangling`"),
    ("help frob", "no page about `frob`", "coracle help"),
    // Names.
    ("start wbe", "no such container", "did you mean `web`?"),
    ("logs Web", "no such container", "did you mean `web`?"),
    ("exec qqqq true", "no such container", "coracle ps -a"),
    ("rmi busybx", "image not known", "did you mean `busybox`?"),
    ("rmi qqqq", "image not known", "coracle images"),
    ("run --pull=never qqqq true", "image not known", "coracle pull"),
    ("volume rm daat", "no such volume", "did you mean `data`?"),
    ("volume inspect qqqq", "no such volume", "coracle volume ls"),
    ("network rm lann", "network not found", "did you mean `lan`?"),
    ("run --network qqqq IMAGE true", "network not found", "coracle network create"),
    ("run --secret tokn IMAGE true", "no such secret", "did you mean `token`?"),
    ("run --name web IMAGE true", "already in use", "--replace"),
    ("run --name a/b IMAGE true", "`a/b` is not a name", "as in"),
    ("volume create a/b", "names must match", "letters"),
    // Images and registries.
    ("pull REGISTRY/no/such", "is not at the registry", "spelling"),
    ("pull REGISTRY/busybox:nosuch", "is not at the registry", "/busybox` lists those that are there"),
    ("pull 127.0.0.1:9/x", "refused the connection", "does it run?"),
    ("pull no-such-host.invalid/x", "can't be reached", "HTTPS_PROXY"),
    ("load -i no-such-file", "no-such-file", "check the path"),
    ("import no-such-file x", "no-such-file", "check the path"),
    ("load -i password", "not a readable tar archive", "damaged"),
    ("rmi IMAGE", "in use by container", "--force"),
    // Containers and their states.
    ("exec done true", "not running", "coracle start"),
    ("attach done", "only attach to running containers", "coracle start"),
    ("rm web", "running or paused containers cannot be removed", "coracle stop"),
    ("healthcheck run web", "no defined healthcheck", "--health-cmd"),
    ("cp a b", "one of the two must be in a container", "coracle cp box:"),
    ("cp no-such-file web:/", "no-such-file", "check the path"),
    ("cp web:/no/such .", "no/such", "check the path"),
    ("network rm lan", "network is being used", "--force"),
    ("volume rm data", "volume is being used", "--force"),
    // What a container is to be.
    ("run -v /no/such:/x IMAGE true", "/no/such", "must exist"),
    ("run -v data IMAGE true", "absolute path", "-v data:/data"),
    ("run -v .:x IMAGE true", "absolute path", "-v data:/data"),
    ("run -p 80:80 IMAGE true", "80", "ip_unprivileged_port_start"),
    ("run -p frob IMAGE true", "invalid port specification", "8080:80"),
    ("run --memory 1x IMAGE true", "1x", "512m"),
    ("run --cpus frob IMAGE true", "frob", "--help"),
    ("run --cap-add frob IMAGE true", "frob", "capabilities(7)"),
    ("run --device /dev/no-such IMAGE true", "/dev/no-such", "check the path"),
    ("run --env-file no-such IMAGE true", "no-such", "check the path"),
    ("run --restart frob IMAGE true", "not a valid restart policy", "unless-stopped"),
    ("run --pull frob IMAGE true", "frob", "--help"),
    ("run --stop-signal frob IMAGE true", "frob", "kill -l"),
    ("run --tz No/Where IMAGE true", "unknown time zone", "/usr/share/zoneinfo"),
    ("run --user nobody-at-all IMAGE true", "nobody-at-all", "--user"),
    ("run --userns frob IMAGE true", "frob", "keep-id"),
    ("run --storage-opt frob IMAGE true", "frob", "size="),
    ("run --security-opt seccomp=/no/such IMAGE true", "there is no such file", ""),
    ("run IMAGE no-such-program", "no-such-program", "PATH"),
    ("run IMAGE -v /x:/x true", "`-v` not found", "flags go before it"),
    ("run IMAGE /etc/passwd", "/etc/passwd", "chmod +x"),
    ("run --mount type=frob,dst=/x IMAGE true", "frob", "bind"),
    ("--root /proc/x ps", "/proc/x", "--root"),
    ("--storage-driver frob run IMAGE true", "frob", "`fuse`"),
    ("--cgroup-manager frob run IMAGE true", "frob", "`systemd`"),
    ("ps --format {{.Frob}}", "Frob", "{{json .}}"),
    ("run -p fd:nobody:80 IMAGE true", "no socket `nobody` was passed", "systemd-socket-activate"),
    ("run --dns frob IMAGE true", "frob is not an ip address", "--dns 192.0.2.53"),
    ("run --add-host frob IMAGE true", "invalid host entry `frob`", "--add-host db:10.0.0.5"),
    ("run --sysctl frob IMAGE true", "KEY=VALUE", "--sysctl net."),
    ("run --workdir rel IMAGE true", "`rel` is not an absolute path", "--workdir /rel"),
    ("run --cpuset-cpus 999 IMAGE true", "requested `999`", "lscpu"),
    ("run --mount dst=/x IMAGE true", "incorrect mount format", "type=bind"),
    ("run --rm --restart always IMAGE true", "--rm option conflicts", "without `--rm`"),
    ("run --cidfile password IMAGE true", "container id file exists", "`rm password`"),
    ("run --requires nobody IMAGE true", "cannot be used as a dependency", "coracle ps -a"),
    ("run --gpus all IMAGE true", "unresolvable CDI devices", "/etc/cdi"),
    ("run --ip 10.0.0.1 IMAGE true", "--ip needs a named network", "coracle network create"),
    ("run -p 192.0.2.1:8080:80 IMAGE true", "192.0.2.1 is no address", "ip address"),
    ("run --ulimit frob=1 IMAGE true", "frob=1", "nofile"),
    ("pull docker.io/Debian", "must be lower case", "small letters"),
    ("pull debian:", "is not a tag", "debian:12"),
    ("pull x@sha256:abc", "is not a digest", "--digests"),
    ("images --sort frob", "not a valid field for sorting", "--sort size"),
    ("top done", "top can only be used on running containers", "coracle start done"),
    ("pause done", "not running, can't pause", "coracle start"),
    ("unpause web", "not paused, can't unpause", "status=paused"),
    ("inspect qqqq", "no such object", "coracle ps -a"),
    ("logout 127.0.0.1:9", "not logged into 127.0.0.1:9", "--all"),
    ("swarm init", "there is no `swarm`", "coracle quadlet"),
    ("context ls", "there is no `context`", "ssh HOST coracle"),
];

/// What scripts say, in turn, of what this program does anyway or by another name; a part of what it prints then.
const TAKEN: &[(&str, &str)] = &[
    ("cp -q password web:/tmp", ""),
    ("exec --no-session web cat /tmp/password", "secret"),
    ("container exists --external web", ""),
    ("wait --return-on-first done", "0"),
    ("pod rm --all --ignore --time 0", ""),
    ("image search --list-tags REGISTRY/busybox", "/busybox"),
    ("export -o files.tar done", ""),
    ("import -q --platform linux/arm/v7 files.tar files", "sha256:"),
    ("image inspect --format {{.Os}}/{{.Architecture}} files", "linux/arm\n"),
    ("manifest create list IMAGE", ""),
    ("manifest inspect --verbose list", "manifests"),
    ("manifest push -q --purge list oci-archive:list.tar", ""),
    ("manifest create list", ""),
];

/// `refused SETTING VALUE COMMAND…`: where no user namespace can be made, and /proc/sys/kernel has this setting. $before is done while
/// they still can be.
const REFUSED: &str = r#"#!/bin/sh
mkdir -p settings/random chroot
cat /proc/sys/kernel/random/boot_id >settings/random/boot_id
rm -f settings/*_userns*
echo "$2" >"settings/$1"
shift 2
exec unshare -Urm sh -c '
  eval "$before"
  mount --bind settings /proc/sys/kernel && mount --rbind / chroot && exec chroot chroot sh -c "cd $PWD && exec \"\$@\"" - "$@"
' - "$@"
"#;

/// Troubles of the machine and of its settings, as [`TABLE`]; the first column is a script. What a home on NFS makes of them is in
/// tests/vm/parts/nfs.
const TROUBLES: &[(&str, &str, &str)] = &[
    // The kernel.
    (
        "unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_user_namespaces; exec $coracle --root $PWD/other load -i image.tar'",
        "unshare(user)",
        "user.max_user_namespaces=15000",
    ),
    (
        "unshare -Ur sh -c '$coracle --root $PWD/off load -q -i image.tar; echo 0 >/proc/sys/user/max_user_namespaces; \
         exec $coracle --root $PWD/off run --rm --network=none $image true'",
        "no user namespace can be made",
        "user.max_user_namespaces=15000",
    ),
    // By AppArmor, as on Ubuntu, or by Debian's own setting: the kernel's answer is the one that a program gets in a chroot.
    (
        "$refused apparmor_restrict_unprivileged_userns 1 $coracle --root $PWD/armor load -i image.tar",
        "unshare(user)",
        "kernel.apparmor_restrict_unprivileged_userns=0",
    ),
    (
        "before='$coracle --root $PWD/armed load -q -i image.tar >/dev/null' \
         $refused apparmor_restrict_unprivileged_userns 1 $coracle --root $PWD/armed run --rm --network=none $image true",
        "no user namespace can be made",
        "kernel.apparmor_restrict_unprivileged_userns=0",
    ),
    (
        "$refused unprivileged_userns_clone 0 $coracle --root $PWD/debian load -i image.tar",
        "unshare(user)",
        "kernel.unprivileged_userns_clone=1",
    ),
    ("$refused nothing 0 $coracle --root $PWD/sandbox load -i image.tar", "unshare(user)", "coracle doctor"),
    (
        "mkdir dev; unshare -Urm sh -c '$coracle --root $PWD/nofuse load -q -i image.tar; mount -t tmpfs dev dev; \
         for one in null zero full random urandom tty; do : >dev/$one; mount --bind /dev/$one dev/$one; done; \
         mount --rbind dev /dev; exec $coracle --root $PWD/nofuse --storage-driver=fuse run --rm --network=none $image true'",
        "open(/dev/fuse)",
        "modprobe fuse",
    ),
    // A device as it is where only root may open it.
    (
        "unshare -Urm sh -c 'mount --bind /etc/shadow /dev/fuse; \
         exec $coracle --root $PWD/nofuse --storage-driver=fuse run --rm --network=none $image true'",
        "open(/dev/fuse): Permission denied",
        "chmod 666 /dev/fuse",
    ),
    (
        "$coracle run -d --name holder -p 127.0.0.1:28937:80 $image sleep 1000 >/dev/null; \
         $coracle run --rm -p 127.0.0.1:28937:80 $image true; code=$?; $coracle rm -f -t0 holder >/dev/null; exit $code",
        "port 28937/tcp of this machine is in use by the container `holder`",
        "one that is free",
    ),
    (
        "unshare -Urm sh -c '$coracle --root $PWD/notun load -q -i image.tar; mount -t tmpfs net /dev/net; \
         exec $coracle --root $PWD/notun run --rm $image true'",
        "open(/dev/net/tun)",
        "--network=none",
    ),
    (
        "unshare -Urm sh -c '$coracle --root $PWD/nogroups load -q -i image.tar; mount -t tmpfs groups /sys/fs/cgroup; \
         exec $coracle --root $PWD/nogroups run --rm --network=none --memory 64m $image true'",
        "control groups are not version 2",
        "systemd.unified_cgroup_hierarchy=1",
    ),
    (
        "printf '#!/no/such\\n' >script; chmod +x script; \
         $coracle run --rm --network=none -v $PWD/script:/script $image /script",
        "the interpreter of `/script` is not in the image",
        "line ends of DOS",
    ),
    ("ulimit -n 16; $coracle run --rm --network=none $image true", "Too many open files", "ulimit -n"),
    // The account.
    ("PATH=/nonexistent $coracle run --rm --network=none $image true", "`newuidmap` is not installed", "uidmap"),
    ("mkdir -m 500 closed; $coracle --root $PWD/closed/store ps", "mkdir", "--root DIRECTORY"),
    ("$coracle --root /dev/null/store ps", "mkdir", "--root DIRECTORY"),
    ("$coracle save -o /dev/full $image", "No space left on device", "free space"),
    // Registries, and the way to them.
    (
        "HTTPS_PROXY=http://127.0.0.1:9 $coracle pull docker.io/library/x",
        "refused the connection",
        "a proxy that `HTTPS_PROXY`",
    ),
    ("$coracle pull --tls-verify=true $registry/x", "TLS", "--tls-verify=false"),
    ("$coracle pull --creds=someone:secret $tls_server/x", "certificate", "authority"),
    ("$coracle pull --cert-dir=named $tls_expired/x", "certificate of the registry", "--tls-verify=false"),
    ("$coracle pull --cert-dir=named $tls_other/x", "certificate of the registry", "--tls-verify=false"),
    ("$coracle pull $private/x", "anonymous users", "coracle login"),
    ("$coracle login --username=someone --password=guessed $private", "invalid username/password", "token"),
    ("CONTAINERS_REGISTRIES_CONF=/dev/null $coracle pull qqqq", "no unqualified-search registries", "docker.io/qqqq"),
    // Files of configuration.
    ("echo '[x' >bad; CONTAINERS_REGISTRIES_CONF=bad $coracle pull x", "bad:1: ", "containers-registries.conf(5)"),
    ("echo '[x' >bad; CONTAINERS_CONF=bad $coracle run $image true", "bad:1: ", "containers.conf(5)"),
    ("echo '{' >bad; $coracle pull --authfile=bad $registry/x", "`bad` can't be used", "--authfile FILE"),
    (
        "mkdir -p .config/containers; echo '{' >.config/containers/policy.json; $coracle pull $registry/x; code=$?; \
         rm .config/containers/policy.json; exit $code",
        "policy.json` can't be used",
        "containers-policy.json(5)",
    ),
];

#[test]
fn each_mistake_has_its_hint() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    std::fs::write(case.home.join("password"), "secret").unwrap();
    for noun in ["volume", "network"] {
        let name = if noun == "volume" { "data" } else { "lan" };
        case.coracle([noun, "create", name]).succeeded();
    }
    case.command(["secret", "create", "token", "-"]).stdin("x").finish().succeeded();
    let web = ["run", "-d", "--name", "web", "--network=lan", "-v", "data:/data", &image, "sleep", "1000"];
    case.coracle(web).succeeded();
    case.coracle(["run", "--name", "done", "--network=none", &image, "true"]).succeeded();
    let registry = registry();
    let run = |line: &str| {
        let words = line.split(' ').map(|word| match word {
            "IMAGE" => image.clone(),
            other => other.replace("REGISTRY", &registry),
        });
        let words: Vec<String> = words.collect();
        case.coracle(words.iter().map(String::as_str))
    };
    let complaints: Vec<String> =
        TABLE.iter().filter_map(|(line, error, hint)| complaint(line, &run(line), error, hint)).collect();
    assert!(complaints.is_empty(), "{} of {}:\n{}", complaints.len(), TABLE.len(), complaints.join("\n"));
    for (line, part) in TAKEN {
        let done = run(line).succeeded();
        assert!(done.stdout.contains(part), "{line}: {done}");
    }
}

/// What was wanted and is not told.
fn complaint(line: &str, done: &Finished, error: &str, hint: &str) -> Option<String> {
    let starts = |start: &str, part: &str| {
        done.stderr.lines().any(|line| line.strip_prefix(start).is_some_and(|rest| rest.contains(part)))
    };
    let told = done.code != Some(0) && starts("Error: ", error) && starts("hint: ", hint);
    (!told).then(|| format!("{line}\n  wanted {error:?} and {hint:?}\n  {}", done.stderr.replace('\n', "\n  ")))
}

#[test]
fn each_trouble_has_its_hint() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    case.coracle(["save", "-q", "-o", "image.tar", &image]).succeeded();
    let tls = PathBuf::from(std::env::var("CORACLE_TLS").unwrap_or_default());
    if !has("registries with TLS", tls.join("server.address").exists()) {
        return;
    }
    std::fs::create_dir(case.home.join("named")).unwrap();
    std::fs::copy(tls.join("ca.crt"), case.home.join("named/ca.crt")).unwrap();
    let address = |name: &str| std::fs::read_to_string(tls.join(format!("{name}.address"))).unwrap().trim().to_owned();
    let private = std::env::var("CORACLE_PRIVATE_REGISTRY").expect("tests/run starts a private registry");
    let refused = case.home.join("refused");
    std::fs::write(&refused, REFUSED).unwrap();
    set_mode(&refused, 0o700);
    let mut complaints = Vec::new();
    for (script, error, hint) in TROUBLES {
        let mut shell = case.command_of("bash".as_ref(), ["-c", script]);
        for (name, value) in [("image", image.clone()), ("registry", registry()), ("private", private.clone())] {
            shell = shell.env(name, value);
        }
        for name in ["server", "expired", "other"] {
            shell = shell.env(&format!("tls_{name}"), address(name));
        }
        let done = shell.env("coracle", binary()).env("refused", &refused).finish();
        complaints.extend(complaint(script, &done, error, hint));
    }
    assert!(complaints.is_empty(), "{} of {}:\n{}", complaints.len(), TROUBLES.len(), complaints.join("\n"));
}
