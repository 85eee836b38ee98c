//! Commands of Podman's that this program does not have, and what serves instead.

/// Commands that are missing for one reason, which the second text says, and the third what to do.
const MISSING: [(&[&str], &str, &str); 10] = [
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
        &["kube", "play", "compose", "auto-update"],
        "descriptions of several containers are not read yet",
        "`coracle run` starts each of them",
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

/// Why a command is not there, and what to do.
pub fn why(name: &str) -> Option<(&'static str, &'static str)> {
    MISSING.iter().find(|(names, ..)| names.contains(&name)).map(|(_, why, hint)| (*why, *hint))
}
