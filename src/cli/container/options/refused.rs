//! Flags of Podman's and Docker's `run` that this program does not have, and what serves instead.
//!
//! They are no part of the definition, for which every start would pay: whoever meets a flag that is not known looks here.

/// Flags that fail for one reason, which the second text says, and the third what to do.
const REFUSED: [(&[&str], &str, &str); 14] = [
    (
        &["cpu-rt-period", "cpu-rt-runtime", "kernel-memory", "oom-kill-disable", "rdt-class"],
        "control groups of version 2 have no such setting",
        "`--cpus`, `--cpu-shares` and `--memory` limit a container",
    ),
    (
        &["link", "link-local-ip"],
        "that is Docker's alone",
        "containers on one network find each other by name: `coracle network create NAME`, `--network=NAME`",
    ),
    (&["pod", "pod-id-file"], "pods are not there yet", "`--network`, `--ipc` and `--pid` take `container:NAME`"),
    (&["seccomp-policy"], "no profile comes with an image", "`--security-opt seccomp=FILE` names one"),
    (&["decryption-key"], "encrypted images are not supported", "pull the image in the clear"),
    (
        &["chrootdirs", "personality", "disable-content-trust", "retry", "retry-delay"],
        "it would change nothing here",
        "leave it out",
    ),
    (
        &["preserve-fd", "preserve-fds"],
        "descriptors can be handed on to what is run at once alone",
        "`coracle run` and `coracle exec` have the flag",
    ),
    (&["rmi"], "the container is to be run later", "`coracle run --rmi` removes the image at the end"),
    (&["runtime"], "this program is its own runtime", "leave it out"),
    (&["domainname"], "there is no name of a domain apart", "`--hostname NAME.DOMAIN` names both"),
    (
        &["volume-driver"],
        "volumes are kept by this program alone",
        "`volume create --opt` takes the options of mount(8)",
    ),
    (
        &["health-start-interval"],
        "that is Docker's alone",
        "`--health-startup-interval` is the interval while a container starts",
    ),
    (
        &["isolation", "cpu-count", "cpu-percent", "io-maxbandwidth", "io-maxiops"],
        "that is Docker's on Windows alone",
        "leave it out",
    ),
    (&["use-api-socket"], "there is no service to speak to", "leave it out"),
];

/// Why a flag, by its name with the dashes before it, is not there, and what to do.
pub fn why(flag: &str) -> Option<(&'static str, &'static str)> {
    let name = flag.trim_start_matches('-').split('=').next()?;
    let refused = REFUSED.iter().find(|(names, ..)| names.contains(&name));
    refused.map(|(_, why, hint)| (*why, *hint))
}

/// Flags of other commands, Podman's and Docker's, that this program does not have: which commands, which flags, why, and what to do.
type OfCommands = (&'static [&'static str], &'static [&'static str], &'static str, &'static str);
const BUILD: &[&str] = &["build", "image", "builder", "buildx"];
// flat: an entry a reason
const OF_COMMANDS: [OfCommands; 26] = [
    (&["generate"], &["pod-prefix"], "pods are not there yet", "leave it out"),
    (
        BUILD,
        &["all-platforms", "manifest"],
        "a build is for one platform",
        "build for each with `--platform` and `--tag`, then `coracle manifest create LIST NAME...`",
    ),
    (
        BUILD,
        &["cache-ttl"],
        "steps are remembered until they are forgotten",
        "`--no-cache`, or `coracle builder prune --all`",
    ),
    (
        BUILD,
        &["call"],
        "instructions are built or checked, and neither outlined nor listed",
        "leave it out, or `--check` in place of `--call=check`",
    ),
    (
        BUILD,
        &["compat-volumes"],
        "what a command writes below a VOLUME is a part of the image, as BuildKit has it",
        "leave it out, or remove those files at the end of the command that makes them",
    ),
    (
        BUILD,
        &["cpp-flag"],
        "files of instructions do not go through the C preprocessor",
        "`cpp -E -P FILE | coracle build -f - CONTEXT`",
    ),
    (BUILD, &["cw"], "images for confidential workloads are not made", "`--output=type=tar,dest=FILE` gives the files"),
    (BUILD, &["decryption-key"], "encrypted images are not supported", "pull the image in the clear, over TLS"),
    (
        BUILD,
        &["hooks-dir", "runtime", "runtime-flag"],
        "this program is its own runtime",
        "leave it out: `--cap-add`, `--security-opt` and others say how commands run",
    ),
    (BUILD, &["layer-label"], "steps have layers and no images of their own", "`--label` is the image's"),
    (
        BUILD,
        &["logfile", "logsplit"],
        "what is told goes to standard output and standard error",
        "`--progress=plain`, and `>FILE 2>&1`",
    ),
    (BUILD, &["no-cache-filter"], "stages are not named to be built anew", "`--no-cache` does every step anew"),
    (
        BUILD,
        &["os-feature", "os-version"],
        "that is of images for Windows alone, in which nothing can be run here",
        "leave it out",
    ),
    (
        BUILD,
        &[
            "sbom-image-output",
            "sbom-image-purl-output",
            "sbom-merge-strategy",
            "sbom-output",
            "sbom-purl-output",
            "sbom-scanner-command",
            "sbom-scanner-image",
        ],
        "no bill of materials is made",
        "scanners read what `--output=type=oci,dest=FILE` writes",
    ),
    (BUILD, &["sign-by"], "images are not signed here", "`cosign sign` signs what is in a registry"),
    (
        BUILD,
        &["stdin"],
        "a command that is run has an empty input",
        "answer by a heredoc, `RUN program <<EOF`, or by the program's own flag (`apt-get -y`)",
    ),
    (
        BUILD,
        &["userns-gid-map", "userns-gid-map-group", "userns-uid-map", "userns-uid-map-user"],
        "files have the owners that the image gives them, whatever ids commands run with",
        "`--userns=auto:size=NUMBER` lets commands run with others",
    ),
    (
        &["pull", "push", "image"],
        &["all-tags"],
        "that is Docker's alone",
        "`coracle search --list-tags NAME` lists the tags",
    ),
    (&["pull", "push", "image"], &["disable-content-trust"], "it would change nothing here", "leave it out"),
    (
        &["pull", "push", "image"],
        &["decryption-key", "encrypt-layer", "encryption-key"],
        "encrypted images are not supported",
        "move the image in the clear, over TLS",
    ),
    (&["rmi", "image"], &["no-prune"], "what lies below an image is a part of it", "leave it out"),
    (
        &["image", "system"],
        &["build", "build-cache"],
        "that is done by a command of its own",
        "`coracle builder prune`",
    ),
    (
        &["logs"],
        &["color", "details"],
        "the lines are shown as they were written",
        "`--names` and `--timestamps` tell them apart",
    ),
    (&["cp"], &["follow-link"], "that is Docker's alone", "name what the link leads to"),
    (&["rm"], &["link"], "that is Docker's alone", "`coracle network disconnect` takes a container off a network"),
    (
        &["network"],
        &["attachable", "config-from", "config-only", "ingress", "scope"],
        "that is of Docker's swarm alone",
        "leave it out: every container of yours can be on the network",
    ),
];

/// Why a flag of another command than `run` and its like is not there.
pub fn why_of(command: &str, flag: &str) -> Option<(&'static str, &'static str)> {
    let name = flag.trim_start_matches('-').split('=').next()?;
    let refused = OF_COMMANDS.iter().find(|(commands, flags, ..)| commands.contains(&command) && flags.contains(&name));
    refused.map(|(_, _, why, hint)| (*why, *hint))
}

/// Why a flag that stands before the command is not there.
pub fn why_global(flag: &str) -> Option<(&'static str, &'static str)> {
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

#[cfg(test)]
mod tests {
    /// All flags of `podman build` 5.4, and Docker's beyond them.
    const BUILD: &str = "add-host all-platforms annotation arch authfile build-arg build-arg-file build-context \
        cache-from cache-to cache-ttl cap-add cap-drop cert-dir cgroup-parent cgroupns compat-volumes compress \
        cpp-flag cpu-period cpu-quota cpu-shares cpuset-cpus cpuset-mems creds cw decryption-key device \
        disable-compression disable-content-trust dns dns-option dns-search env file force-rm format from \
        group-add help hooks-dir http-proxy identity-label ignorefile iidfile ipc isolation jobs label \
        layer-label layers logfile logsplit manifest memory memory-swap net network no-cache no-hostname \
        no-hosts no-map-gw omit-history os os-feature os-version output pid platform pull quiet retry \
        retry-delay rm runtime runtime-flag sbom sbom-image-output sbom-image-purl-output \
        sbom-merge-strategy sbom-output sbom-purl-output sbom-scanner-command sbom-scanner-image secret \
        security-opt shm-size sign-by skip-unused-stages squash squash-all ssh stdin tag target timestamp \
        tls-verify ulimit unsetenv unsetlabel userns userns-gid-map userns-gid-map-group userns-uid-map \
        userns-uid-map-user uts variant volume \
        allow attest builder call check load metadata-file no-cache-filter progress provenance push";

    /// All flags of `podman run` 5.4.
    const PODMAN: &str = "add-host annotation arch attach authfile blkio-weight blkio-weight-device cap-add cap-drop \
        cgroup-conf cgroup-parent cgroupns cgroups chrootdirs cidfile conmon-pidfile cpu-period cpu-quota \
        cpu-rt-period cpu-rt-runtime cpu-shares cpus cpuset-cpus cpuset-mems decryption-key detach \
        detach-keys device device-cgroup-rule device-read-bps device-read-iops device-write-bps \
        device-write-iops disable-content-trust dns dns-option dns-search entrypoint env env-file env-host \
        env-merge expose gidmap gpus group-add group-entry health-cmd health-interval \
        health-log-destination health-max-log-count health-max-log-size health-on-failure health-retries \
        health-start-period health-startup-cmd health-startup-interval health-startup-retries \
        health-startup-success health-startup-timeout health-timeout help hostname hosts-file hostuser \
        http-proxy image-volume init init-path interactive ip ip6 ipc label label-file log-driver log-opt \
        mac-address memory memory-reservation memory-swap memory-swappiness mount name network \
        network-alias no-healthcheck no-hostname no-hosts oom-kill-disable oom-score-adj os passwd \
        passwd-entry personality pid pidfile pids-limit platform pod pod-id-file preserve-fd preserve-fds \
        privileged publish publish-all pull quiet rdt-class read-only read-only-tmpfs replace requires \
        restart retry retry-delay rm rmi rootfs sdnotify seccomp-policy secret security-opt shm-size \
        shm-size-systemd sig-proxy stop-signal stop-timeout subgidname subuidname sysctl systemd timeout \
        tls-verify tmpfs tty tz uidmap ulimit umask unsetenv unsetenv-all user userns uts variant volume \
        volumes-from workdir";

    /// All flags of `docker run` 28, its hidden ones and those of Windows too.
    const DOCKER: &str = "add-host annotation attach blkio-weight blkio-weight-device cap-add cap-drop cgroup-parent \
        cgroupns cidfile cpu-count cpu-percent cpu-period cpu-quota cpu-rt-period cpu-rt-runtime cpu-shares cpus \
        cpuset-cpus cpuset-mems detach detach-keys device device-cgroup-rule device-read-bps device-read-iops \
        device-write-bps device-write-iops disable-content-trust dns dns-opt dns-option dns-search domainname \
        entrypoint env env-file expose gpus group-add health-cmd health-interval health-retries \
        health-start-interval health-start-period health-timeout help hostname init interactive io-maxbandwidth \
        io-maxiops ip ip6 ipc isolation kernel-memory label label-file link link-local-ip log-driver log-opt \
        mac-address memory memory-reservation memory-swap memory-swappiness mount name net net-alias network \
        network-alias no-healthcheck oom-kill-disable oom-score-adj pid pids-limit platform privileged publish \
        publish-all pull quiet read-only restart rm runtime security-opt shm-size sig-proxy stop-signal \
        stop-timeout storage-opt sysctl tmpfs tty ulimit use-api-socket user userns uts volume volume-driver \
        volumes-from workdir";

    /// The flags of a command, aliases too.
    fn known(command: &clap::Command) -> Vec<String> {
        let names = |arg: &clap::Arg| {
            let aliases = arg.get_all_aliases().unwrap_or_default();
            arg.get_long().into_iter().chain(aliases).map(str::to_owned).collect::<Vec<_>>()
        };
        command.get_arguments().flat_map(names).collect()
    }

    #[test]
    fn every_flag_of_podmans_and_dockers_is_there_or_refused_in_words() {
        let whole = crate::cli::root::whole();
        let of_run_alone = ["detach", "detach-keys", "sig-proxy"];
        for command in ["run", "create"] {
            let command = whole.find_subcommand(command).unwrap();
            let known = known(command);
            let there = |flag: &&str| known.iter().any(|name| name == flag) || super::why(flag).is_some();
            let missing: Vec<&str> = [PODMAN, DOCKER]
                .into_iter()
                .flat_map(str::split_whitespace)
                .filter(|flag| !(there(flag) || command.get_name() == "create" && of_run_alone.contains(flag)))
                .collect();
            assert!(missing.is_empty(), "{missing:?} of {}", command.get_name());
        }
    }

    #[test]
    fn every_flag_of_builds_is_there_or_refused_in_words() {
        let whole = crate::cli::root::whole();
        let known = known(whole.find_subcommand("build").unwrap());
        let both = |flag: &&str| known.iter().any(|name| name == flag) == super::why_of("build", flag).is_some();
        let wrong: Vec<&str> = BUILD.split_whitespace().filter(|flag| *flag != "help" && both(flag)).collect();
        assert!(wrong.is_empty(), "{wrong:?}: neither taken nor refused, or both");
    }
}
