//! Commands, and what serves instead.

use super::Words;

/// Commands that are missing for one reason, which the second text says, and the third what to do.
const MISSING: [(&[&str], &str, &str); 12] = [
    (&["clone"], "a container is not copied with its flags", "`coracle commit` makes an image of it to run"),
    (
        &["mount", "umount", "unmount"],
        "a container's file system is mounted inside of it alone",
        "`coracle cp`, `diff` and `export` reach its files; `coracle image mount` mounts an image",
    ),
    (&["checkpoint", "restore"], "processes are not kept on disk", "`coracle commit` keeps a container's files"),
    (&["init"], "a container is set up when it starts", "`coracle start` does both"),
    (
        &["farm"],
        "images are built on this machine alone",
        "`coracle build` builds; `coracle manifest` puts images of several machines together",
    ),
    (
        &["auto-update"],
        "images are looked for anew when somebody asks",
        "`coracle pull --policy=newer IMAGE`, then `systemctl --user restart UNIT`",
    ),
    (
        &["kube", "play", "compose"],
        "descriptions of several containers are not read yet",
        "`coracle run` starts each of them",
    ),
    (
        &["artifact"],
        "what is no image is kept as one is",
        "`coracle pull`, `push` and `manifest add --artifact` keep its media types",
    ),
    (&["machine"], "there is no virtual machine: containers run on this one", "leave it out"),
    (
        &["swarm", "service", "stack", "node", "config"],
        "containers of several machines are not led together here",
        "`coracle quadlet` lets systemd keep those of this one running",
    ),
    (
        &["context", "plugin"],
        "there is no daemon that could be another machine's, or extended",
        "`ssh HOST coracle` runs commands there",
    ),
    (
        &["trust", "sign"],
        "images are neither signed here, nor is the policy edited by a command",
        "`cosign sign` signs what is in a registry; `policy.json` says which signatures must be there: coracle-registries(5)",
    ),
];

/// Commands below others, that are missing for one reason; `*` stands for all.
const BELOW: [(&str, &[&str], &str, &str); 12] = [
    (
        "pod",
        &["*"],
        "pods are not there yet",
        "`--network`, `--ipc` and `--pid` of `coracle run` take `container:NAME`",
    ),
    (
        "container",
        &["runlabel"],
        "a command that comes with an image is not run on this machine",
        "`coracle image inspect --format '{{index .Labels \"run\"}}' IMAGE` shows it",
    ),
    (
        "generate",
        &["kube"],
        "containers are not described for Kubernetes",
        "`coracle unit NAME` writes a unit that makes the container anew",
    ),
    (
        "generate",
        &["spec"],
        "a container's description is this program's own",
        "`coracle inspect NAME` shows all of it",
    ),
    (
        "volume",
        &["update"],
        "that is of Docker's swarm alone",
        "leave it out: volumes are this account's, on this machine",
    ),
    ("buildx", &["history"], "builds are not recorded", "`coracle history IMAGE` shows the steps that made an image"),
    (
        "buildx",
        &["imagetools"],
        "lists of images have commands of their own",
        "`coracle manifest inspect NAME`, `coracle manifest create LIST NAME...`",
    ),
    (
        "buildx",
        &["dap", "debug"],
        "a build is not stopped halfway",
        "`coracle run` looks into an image built with `--target`",
    ),
    ("buildx", &["dial-stdio"], "there is no service to speak to", "`coracle build` builds at once"),
    ("buildx", &["bake"], "a build reads one file of instructions", "`coracle build` builds an image"),
    (
        "buildx",
        &["create", "use", "rm", "stop"],
        "there are no builders to choose from",
        "`coracle build` builds at once",
    ),
    (
        "system",
        &["connection", "service"],
        "there is no service to speak to",
        "`ssh HOST coracle` runs commands on another machine",
    ),
];

/// Why a command below another one is not there, and what to do.
pub fn why_below(noun: &str, name: &str) -> Option<Words> {
    let is_it = |names: &[&str]| names.contains(&name) || names.contains(&"*");
    BELOW.iter().find(|(above, names, ..)| *above == noun && is_it(names)).map(|(.., why, hint)| (*why, *hint))
}

/// Why a command is not there, and what to do.
pub fn why(name: &str) -> Option<Words> {
    MISSING.iter().find(|(names, ..)| names.contains(&name)).map(|(_, why, hint)| (*why, *hint))
}
