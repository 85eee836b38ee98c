//! Flags of `run`, `create` and `update`.

use super::flags::Refused;

const MAKING: &[&str] = &["run", "create", "update"];

// flat: an entry a reason
pub const FLAGS: &[Refused] = &[
    (&["create"], &["init-ctr"], "pods are not there yet", "run what comes first to its end: `coracle run --rm IMAGE`"),
    (
        MAKING,
        &["cpu-rt-period", "cpu-rt-runtime", "kernel-memory", "oom-kill-disable", "rdt-class"],
        "control groups of version 2 have no such setting",
        "`--cpus`, `--cpu-shares` and `--memory` limit a container",
    ),
    (
        MAKING,
        &["link", "link-local-ip"],
        "that is Docker's alone",
        "containers on one network find each other by name: `coracle network create NAME`, `--network=NAME`",
    ),
    (
        MAKING,
        &["pod", "pod-id-file"],
        "pods are not there yet",
        "`--network`, `--ipc` and `--pid` take `container:NAME`",
    ),
    (MAKING, &["seccomp-policy"], "no profile comes with an image", "`--security-opt seccomp=FILE` names one"),
    (MAKING, &["decryption-key"], "encrypted images are not supported", "pull the image in the clear"),
    (MAKING, &["chrootdirs", "personality", "disable-content-trust"], "it would change nothing here", "leave it out"),
    (
        &["create"],
        &["preserve-fd", "preserve-fds"],
        "descriptors can be handed on to what is run at once alone",
        "`coracle run` and `coracle exec` have the flag",
    ),
    (&["create"], &["rmi"], "the container is to be run later", "`coracle run --rmi` removes the image at the end"),
    (MAKING, &["runtime"], "this program is its own runtime", "leave it out"),
    (MAKING, &["domainname"], "there is no name of a domain apart", "`--hostname NAME.DOMAIN` names both"),
    (
        MAKING,
        &["volume-driver"],
        "volumes are kept by this program alone",
        "`volume create --opt` takes the options of mount(8)",
    ),
    (
        MAKING,
        &["health-start-interval"],
        "that is Docker's alone",
        "`--health-startup-interval` is the interval while a container starts",
    ),
    (
        MAKING,
        &["isolation", "cpu-count", "cpu-percent", "io-maxbandwidth", "io-maxiops"],
        "that is Docker's on Windows alone",
        "leave it out",
    ),
    (MAKING, &["use-api-socket"], "there is no service to speak to", "leave it out"),
];
