//! The mistakes and troubles of somebody's first days, in one table: each is told in words, with what to do.

use crate::harness::image::registry;
use crate::harness::{Case, Driver};

/// What is typed; a part of the error; a part of one of its hints. `IMAGE` is the small image, `REGISTRY` that of the tests; `web` runs,
/// `done` has ended; there are a volume `data`, a network `lan` and a secret `token`.
const TABLE: &[(&str, &str, &str)] = &[
    // Words of the command line.
    ("strat web", "unrecognized command `coracle strat`", "did you mean `coracle start`?"),
    ("network lss", "unrecognized command `coracle network lss`", "did you mean `coracle network ls`?"),
    ("frobnicate", "unrecognized command", "`coracle --help`"),
    ("run --intractive IMAGE true", "unknown flag: --intractive", "did you mean `--interactive`?"),
    ("ps --al", "unknown flag: --al", "did you mean `--all`?"),
    ("run", "missing arguments", "--help"),
    ("rename web", "missing arguments", "--help"),
    ("rename web a b", "one argument too many: `b`", "--help"),
    ("build .", "there is no `build`", "coracle commit"),
    ("compose up", "there is no `compose`", "coracle run"),
    ("machine start", "there is no `machine`", "leave it out"),
    ("run --link web IMAGE true", "--link", "coracle network create"),
    ("run --pod x IMAGE true", "--pod", "container:NAME"),
    ("run --runtime crun IMAGE true", "--runtime", "leave it out"),
    ("logs --details web", "--details", "--timestamps"),
    ("push --sign-by me IMAGE", "not signed here", "--digestfile"),
    ("network create --attachable x", "--attachable", "leave it out"),
    ("cp --follow-link a web:/", "--follow-link", "what the link leads to"),
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
    ("pull REGISTRY/busybox:nosuch", "is not at the registry", "spelling"),
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
    ("run IMAGE /etc/passwd", "/etc/passwd", "chmod +x"),
    ("run --mount type=frob,dst=/x IMAGE true", "frob", "bind"),
    ("--root /proc/x ps", "/proc/x", "--root"),
    ("--storage-driver frob run IMAGE true", "frob", "`fuse`"),
    ("--cgroup-manager frob run IMAGE true", "frob", "`systemd`"),
    ("ps --format {{.Frob}}", "Frob", "{{json .}}"),
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
    let mut complaints = Vec::new();
    for (line, error, hint) in TABLE {
        let words = line.split(' ').map(|word| match word {
            "IMAGE" => image.clone(),
            other => other.replace("REGISTRY", &registry),
        });
        let words: Vec<String> = words.collect();
        let done = case.coracle(words.iter().map(String::as_str));
        let starts = |start: &str, part: &str| {
            done.stderr.lines().any(|line| line.strip_prefix(start).is_some_and(|rest| rest.contains(part)))
        };
        if done.code == Some(0) || !starts("Error: ", error) || !starts("hint: ", hint) {
            complaints
                .push(format!("{line}\n  wanted {error:?} and {hint:?}\n  {}", done.stderr.replace('\n', "\n  ")));
        }
    }
    assert!(complaints.is_empty(), "{} of {}:\n{}", complaints.len(), TABLE.len(), complaints.join("\n"));
}
