//! The manual page coracle-quadlet(5): which files are read, and which flag each of their keys is.

use crate::cli::output::roff;
use crate::systemd::quadlet::{Kind, Means};

/// What is not plain from the keys.
const FILES: [(&str, &str); 10] = [
    (
        "where",
        "$QUADLET_UNIT_DIRS, or else $XDG_RUNTIME_DIR/containers/systemd, $XDG_CONFIG_HOME/containers/systemd, \
         /etc/containers/systemd/users/UID and /etc/containers/systemd/users, each with the folders in it. A name that is there twice is \
         the first one's.",
    ),
    (
        "drop-ins",
        "web-one.container is read with the *.conf files of container.d, web-.container.d and web-one.container.d; \
         web@1.container with those of web@.container.d, too.",
    ),
    (
        "units",
        "NAME.container becomes NAME.service, and the others NAME-volume.service, NAME-network.service and NAME-image.service, unless \
         ServiceName= says otherwise. All sections but the own one go into the unit as they are.",
    ),
    (
        "containers",
        "The unit's main process is `coracle run`, which stays: its exit code, its output and its end are the container's. Type= is \
         notify, notify-reload, exec or oneshot; KillMode= mixed or control-group. System units with User= work as those of users do. What the program \
         writes is in the journal, with the unit's name and the container's, and `coracle logs` reads it there, unless LogDriver= says \
         otherwise.",
    ),
    (
        "reloads",
        "ReloadSignal= and ReloadCmd= say what `systemctl reload` does. With Type=notify-reload systemd sends SIGHUP, which the program \
         gets; with Notify=yes it says itself when it has read its files again.",
    ),
    (
        "WatchdogSec=",
        "The container's monitor gives the signs of life, and stops when the health checks find the container unhealthy; with Notify=yes \
         the program does, whose variable WATCHDOG_USEC says how often.",
    ),
    (
        "each other",
        "Volume=data.volume:/data, Network=net.network, Network=web.container, Image=base.image and Mount=source=data.volume mean what \
         those files make, which is made before. Units that depend on others may name their files.",
    ),
    (
        "[Install]",
        "Alias=, WantedBy=, RequiredBy= and UpheldBy= take effect when the unit is written; DefaultInstance= says which instance of a \
         template they enable.",
    ),
    (
        "[Quadlet]",
        "DefaultDependencies= is read, and changes nothing: no unit waits for the network of itself. After= and Wants= of [Unit] have \
         it wait.",
    ),
    (
        "without an administrator",
        "systemd looks for generators in directories of the system alone. `coracle quadlet install` and `rm` write the units into \
         $XDG_CONFIG_HOME/systemd/user themselves, and coracle-quadlet.path, with which systemd sees every later change of a quadlet or \
         drop-in and has `coracle quadlet sync` write them again, a moment after it. Where /usr/lib/systemd/user-generators/coracle-user-generator is a link to this program, \
         every reload of the service manager makes them.",
    ),
];

/// Sections of files that are refused, with all keys.
const NOT_HONOURED: [(&str, &str); 2] = [
    (
        "[Pod], IN .pod FILES",
        "AddHost=, ContainersConfModule=, DNS=, DNSOption=, DNSSearch=, GIDMap=, GlobalArgs=, IP=, IP6=, Network=, NetworkAlias=, \
         PodmanArgs=, PodName=, PublishPort=, ServiceName=, ShmSize=, SubGIDMap=, SubUIDMap=, UIDMap=, UserNS= and Volume=: there are no \
         pods. `Network=NAME.container` puts a container into the network of another one, whose file has the rest.",
    ),
    (
        "[Kube], IN .kube FILES",
        "AutoUpdate=, ConfigMap=, ContainersConfModule=, ExitCodePropagation=, GlobalArgs=, KubeDownForce=, LogDriver=, Network=, \
         PodmanArgs=, PublishPort=, SetWorkingDirectory=, UserNS= and Yaml=: Kubernetes files are not read. A .container file for \
         each container says the same.",
    ),
];

pub fn page() -> String {
    let mut page = String::from(
        ".TH coracle-quadlet 5 \"\" \"\" coracle\n.SH NAME\ncoracle\\-quadlet \\- files that say which containers systemd is to run\n\
         .SH DESCRIPTION\nQuadlets are files in the syntax of units, of which `coracle quadlet` makes services. They are those of \
         Podman 5.4; files for pods, Kubernetes and artifacts are refused by name.\n",
    );
    page += &roff::list(&FILES);
    for kind in Kind::ALL {
        let command = kind.command().join(" ");
        page += &format!(".SH \"[{}], IN .{} FILES\"\n", kind.section(), kind.extension());
        let entries: Vec<(String, String)> =
            kind.keys().iter().map(|(key, means)| (format!("{key}="), told(key, *means, &command))).collect();
        page += &roff::list(&entries);
    }
    page + ".SH NOT HONOURED\n" + &roff::list(&NOT_HONOURED)
}

fn told(key: &str, means: Means, command: &str) -> String {
    let flag = |flag: &str, how: &str| format!("--{flag} of `coracle {command}`{how}");
    match means {
        Means::Last(name) => flag(name, ""),
        Means::Each(name) => flag(name, ", as often as it is there"),
        Means::Words(name) => flag(name, ", for each word"),
        Means::Switch(name) => flag(name, ": yes or no"),
        Means::Security(option) => format!("--security-opt {option}WORD of `coracle {command}`"),
        Means::Own => OWN.iter().find(|(own, _)| *own == key).map_or("", |(_, words)| words).to_owned(),
        Means::Refused(why) => format!("Refused: {why}."),
    }
}

/// Keys that are more than a flag.
const OWN: [(&str, &str); 34] = [
    ("AddDevice", "--device, for each word; with `-` before it, only where the device is there."),
    ("AutoUpdate", "The label io.containers.autoupdate."),
    ("CgroupsMode", "--cgroups; `split` unless it is said."),
    ("ContainerName", "--name; systemd-NAME unless it is said."),
    ("ContainersConfModule", "--module, before the command."),
    ("Copy", "Whether the volume begins with what the image has at its place: --opt copy or nocopy."),
    ("Device", "--opt device=; what is mounted."),
    ("EnvironmentFile", "--env-file; a path counts from the folder of the quadlet."),
    ("Exec", "The command, in words, instead of the image's."),
    ("File", "--file; counts from the directory that the unit works in."),
    ("GlobalArgs", "Words before the command."),
    ("Group", "The group of User=."),
    ("Image", "The image; for a container and a volume also NAME.image and NAME.build."),
    ("ImageTag", "By which name others that name this file find the image."),
    ("Mount", "--mount; source= may be NAME.volume, NAME.image, or a path that begins with a dot."),
    ("Network", "--network; also NAME.network and NAME.container."),
    ("NetworkDeleteOnStop", "Whether the network goes when the unit stops."),
    ("NetworkName", "What the network is called; systemd-NAME unless it is said."),
    ("NoNewPrivileges", "--security-opt no-new-privileges."),
    (
        "Notify",
        "`yes`: the program says when it is ready; `healthy`: the first health check that is passed does; else it is ready when it runs.",
    ),
    ("Options", "Of a volume the mount's, --opt o=; of a network --opt."),
    ("PodmanArgs", "Words after the flags."),
    ("ReloadCmd", "What `systemctl reload` executes in the container."),
    ("ReloadSignal", "The signal that `systemctl reload` sends to its program."),
    ("Rootfs", "--rootfs, instead of an image."),
    ("SecurityLabelDisable", "--security-opt label=disable."),
    ("SecurityLabelNested", "--security-opt label=nested."),
    ("ServiceName", "What the unit is called, without `.service`."),
    (
        "SetWorkingDirectory",
        "The directory that files are copied from: a path, `unit` for this file's folder, `file` for that of File=. The unit works in the last two.",
    ),
    ("Type", "--opt type=; the kind of file system."),
    ("User", "--user; of a volume the owner, --opt o=uid=."),
    ("VolatileTmp", "A tmpfs on /tmp, unless ReadOnly= has made one."),
    ("Volume", "--volume; also NAME.volume:PATH, and a path that begins with a dot."),
    ("VolumeName", "What the volume is called; systemd-NAME unless it is said."),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::root;

    /// The commands have the flags that the keys are, and every key is told of.
    #[test]
    fn keys_are_flags_that_there_are() {
        let whole = root::whole();
        for kind in Kind::ALL {
            let command = kind.command().iter().fold(&whole, |command, name| command.find_subcommand(name).unwrap());
            for (key, means) in kind.keys() {
                if let Means::Last(flag) | Means::Each(flag) | Means::Words(flag) | Means::Switch(flag) = means {
                    let has = command.get_arguments().any(|arg| {
                        arg.get_long() == Some(flag) || arg.get_all_aliases().is_some_and(|all| all.contains(flag))
                    });
                    assert!(has, "{key}: no --{flag} in {:?}", kind.command());
                }
                assert!(!told(key, *means, "x").is_empty(), "{key}");
            }
        }
        for (key, _) in OWN {
            let is_own = |kind: Kind| kind.keys().iter().any(|(name, means)| *name == key && *means == Means::Own);
            assert!(Kind::ALL.into_iter().any(is_own), "{key}");
        }
    }
}
