//! Flags of the commands that are here, a table: which commands, which of their flags, why, and what to do.

use super::{Words, of_build, of_run};

/// Commands, by their path or, if it is one of `container`, `image` and the like, by their name; their flags, without dashes; why, and
/// what to do.
pub type Refused = (&'static [&'static str], &'static [&'static str], &'static str, &'static str);

const LATER: &str = "pods are not there yet";
const OF_SWARM: &str = "that is of Docker's swarm alone";

// flat: an entry a reason
const FLAGS: &[Refused] = &[
    // Containers.
    (
        &["start"],
        &["checkpoint", "checkpoint-dir"],
        "processes are not kept on disk",
        "`coracle commit` keeps a container's files",
    ),
    (
        &["restart", "stop"],
        &["signal", "s"],
        "the signal is the one that the container was made with: `--stop-signal`",
        "`coracle kill --signal SIGNAL` sends another one",
    ),
    (&["rm"], &["link"], "that is Docker's alone", "`coracle network disconnect` takes a container off a network"),
    (&["cp"], &["follow-link", "L"], "that is Docker's alone", "name what the link leads to"),
    (
        &["logs"],
        &["color", "details"],
        "the lines are shown as they were written",
        "`--names` and `--timestamps` tell them apart",
    ),
    (&["container cleanup"], &["exec"], "what `exec` has run leaves nothing to tidy up", "leave it out"),
    (
        &["container cleanup"],
        &["rmi"],
        "images are left alone here",
        "`coracle rmi` removes one that no container uses",
    ),
    (
        &["pod inspect", "pod ls", "pod rm"],
        &["ctr-ids", "ctr-names", "ctr-status", "l", "latest", "ns", "pod-id-file", "sort"],
        LATER,
        "leave it out: there is none to be shown or removed",
    ),
    (&["pod inspect"], &["f", "format"], LATER, "leave it out: there is none to be shown"),
    (&["generate systemd"], &["pod-prefix"], LATER, "leave it out"),
    // Images.
    (
        &["history", "image inspect", "image rm", "push", "rmi", "save"],
        &["platform"],
        "a name here is an image of one platform",
        "`coracle pull --platform=PLATFORM NAME` gives the name to another one's; `coracle manifest` keeps several together",
    ),
    (
        &["load"],
        &["platform"],
        "of an archive the images for this machine are taken",
        "`coracle pull --platform=PLATFORM oci-archive:FILE` takes another one's",
    ),
    (&["image ls", "images"], &["tree"], "that is done by a command of its own", "`coracle image tree NAME`"),
    (&["pull"], &["decryption-key"], "encrypted images are not supported", "move the image in the clear, over TLS"),
    (&["pull"], &["disable-content-trust"], "it would change nothing here", "leave it out"),
    (
        &["manifest push", "push"],
        &["encrypt-layer", "encryption-key"],
        "layers are not encrypted here",
        "move the image in the clear, over TLS",
    ),
    (
        &["manifest push", "push"],
        &["sign-by", "sign-by-sigstore", "sign-by-sigstore-private-key", "sign-passphrase-file"],
        "images are not signed here",
        "sign it at the registry, as with `cosign sign`, by the digest that `--digestfile` writes",
    ),
    (
        &["manifest create", "manifest inspect", "manifest push"],
        &["insecure"],
        "that is Docker's alone",
        "`--tls-verify=false` takes any certificate, and plain HTTP",
    ),
    (
        &["search"],
        &["automated", "stars", "s"],
        "that is a filter",
        "`--filter is-automated=true`, `--filter stars=NUMBER`",
    ),
    (
        &["builder prune", "buildx prune"],
        &["filter", "keep-storage", "max-used-space", "min-free-space", "reserved-space"],
        "what builds remember goes as a whole",
        "leave it out; `--all` forgets the steps of images that are there, too",
    ),
    (&["buildx inspect"], &["builder"], "there is one builder", "leave it out"),
    (
        &["buildx du", "buildx ls"],
        &["filter", "format", "no-trunc"],
        "the list has one form",
        "leave it out; `buildx du --verbose` shows instructions whole",
    ),
    // Networks, volumes and secrets.
    (
        &["network connect"],
        &["link", "link-local-ip"],
        "that is Docker's alone",
        "containers on one network find each other by name; `--alias` gives another one",
    ),
    (
        &["network connect"],
        &["gw-priority"],
        "a container's way out is its own, and leads through none of its networks",
        "leave it out",
    ),
    (
        &["network connect"],
        &["driver-opt"],
        "the driver takes no options of a container",
        "leave it out; `network create --opt mtu=BYTES` is the network's",
    ),
    (
        &["network create"],
        &["attachable", "config-from", "config-only", "ingress", "scope"],
        OF_SWARM,
        "leave it out: every container of yours can be on the network",
    ),
    (
        &["network create"],
        &["aux-address"],
        "addresses are not set aside one by one",
        "`--ip-range` leaves those outside of it for `--ip` to give",
    ),
    (
        &["network create"],
        &["ipam-opt"],
        "addresses are given out by this program",
        "`--subnet`, `--gateway` and `--ip-range` say which",
    ),
    (
        &["network create"],
        &["ipv4"],
        "every network has addresses of IPv4, unless `--subnet` says otherwise",
        "leave it out, or name a subnet of IPv6 alone",
    ),
    (&["network inspect"], &["verbose", "v"], OF_SWARM, "leave it out"),
    (
        &["volume create", "volume ls"],
        &[
            "availability",
            "cluster",
            "group",
            "limit-bytes",
            "required-bytes",
            "scope",
            "secret",
            "sharing",
            "topology-preferred",
            "topology-required",
            "type",
        ],
        OF_SWARM,
        "leave it out: volumes are this account's, on this machine",
    ),
    (&["volume prune"], &["all", "a"], "all that no container uses go in any case", "leave it out"),
    (
        &["secret create"],
        &["template-driver"],
        "a secret is kept as it is",
        "write the text before, as with envsubst(1): `envsubst <FILE | coracle secret create NAME -`",
    ),
];

/// Why a flag of the command at `path`, with its dashes, is not there, and what to do.
pub fn of(path: &[&str], flag: &str) -> Option<Words> {
    let name = flag.trim_start_matches('-').split('=').next()?;
    let (whole, short) = (path.join(" "), short(path));
    let is_it = |commands: &[&str]| commands.iter().any(|command| *command == whole || Some(*command) == short);
    let mut refused = [FLAGS, of_run::FLAGS, of_build::FLAGS].into_iter().flatten();
    refused.find(|(commands, flags, ..)| is_it(commands) && flags.contains(&name)).map(|(.., why, hint)| (*why, *hint))
}

/// The name of a command that is there twice, as `run` and `container run`, or by several names.
fn short<'a>(path: &[&'a str]) -> Option<&'a str> {
    match path {
        ["builder" | "buildx" | "container" | "image", name] => Some(name),
        _ => None,
    }
}

/// Why a flag that stands before the command is not there.
pub fn before_command(flag: &str) -> Option<(&'static str, &'static str)> {
    match flag.trim_start_matches('-').split('=').next()? {
        "url" | "remote" | "r" | "connection" | "c" | "context" | "host" | "H" | "identity" | "ssh" | "tls-ca"
        | "tls-cert" | "tls-key" => {
            Some(("there is no service to speak to: containers are this account's, on this machine", "leave it out"))
        }
        "tmpdir" => {
            Some(("nothing essential lies outside of the store", "`--root DIRECTORY` says where everything is kept"))
        }
        "runtime" | "runtime-flag" | "conmon" | "network-cmd-path" | "events-backend" | "hooks-dir" | "syslog"
        | "transient-store" | "imagestore" | "volumepath" | "out" | "noout" => {
            Some(("this program does that itself", "leave it out"))
        }
        _ => None,
    }
}
