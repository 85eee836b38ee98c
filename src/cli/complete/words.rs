//! Words that are known without the store: commands, flags, and what flags take one of.

use clap::{Arg, Command};

use super::Candidate;
use super::place::{Place, is_switch};
use crate::cli::container::options::limits;
use crate::oci::capability::CapabilitySet;
use crate::oci::instruction;

pub fn commands(command: &Command) -> Vec<Candidate> {
    let shown = command.get_subcommands().filter(|command| !command.is_hide_set());
    shown
        .map(|command| {
            Candidate::new(command.get_name(), command.get_about().map(ToString::to_string).unwrap_or_default())
        })
        .collect()
}

/// The long names, and of flags that have none the short one.
pub fn flags(command: &Command) -> Vec<Candidate> {
    let own = command.get_arguments().filter(|arg| !arg.is_positional() && !arg.is_hide_set());
    let name = |arg: &Arg| match (arg.get_long(), arg.get_short()) {
        (Some(long), _) => Some(format!("--{long}")),
        (None, short) => short.map(|letter| format!("-{letter}")),
    };
    let candidate = |arg: &Arg| Some(Candidate::new(name(arg)?, first_line(arg)));
    own.filter_map(candidate).chain([Candidate::new("--help", "Print help")]).collect()
}

fn first_line(arg: &Arg) -> String {
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    help.lines().next().unwrap_or_default().to_owned()
}

/// What flags take one of, by their names, where clap does not know it.
const CHOICES: [(&str, &[&str]); 31] = [
    ("allow", &["network.host", "security.insecure"]),
    ("arch", &["amd64", "arm", "arm64", "386", "ppc64le", "riscv64", "s390x"]),
    ("attach", &["stdin", "stdout", "stderr"]),
    ("cgroup-manager", &["systemd", "cgroupfs"]),
    ("cgroupns", &["private", "host", "container:", "ns:"]),
    ("cgroups", &["enabled", "disabled", "no-conmon", "split"]),
    ("gpus", &["all"]),
    ("group-add", &["keep-groups"]),
    ("health-on-failure", &["none", "kill", "restart", "stop"]),
    ("image-volume", &["anonymous", "tmpfs", "ignore"]),
    ("ipc", &["shareable", "private", "none", "host", "container:", "ns:"]),
    ("log-driver", &["k8s-file", "json-file", "journald", "none", "passthrough"]),
    ("log-level", &["trace", "debug", "info", "warn", "error", "fatal", "panic"]),
    ("log-opt", &["max-size=", "path=", "tag="]),
    (
        "mount",
        &[
            "type=bind,source=",
            "type=volume,source=",
            "type=tmpfs,target=",
            "type=image,source=",
            "type=glob,source=",
            "type=devpts,target=",
        ],
    ),
    ("network", &["private", "none", "host", "pasta", "stack", "container:", "ns:"]),
    ("os", &["linux"]),
    ("pid", &["private", "host", "container:"]),
    (
        "platform",
        &["linux/amd64", "linux/arm64", "linux/arm/v7", "linux/386", "linux/ppc64le", "linux/riscv64", "linux/s390x"],
    ),
    ("progress", &["auto", "plain", "tty"]),
    ("pull", &["missing", "always", "newer", "never"]),
    ("restart", &["no", "on-failure", "always", "unless-stopped"]),
    ("sdnotify", &["container", "conmon", "healthy", "ignore"]),
    (
        "security-opt",
        &["no-new-privileges", "seccomp=", "mask=", "unmask=", "proc-opts=", "label=disable", "apparmor="],
    ),
    ("ssh", &["default"]),
    ("storage-driver", &["auto", "kernel", "fuse"]),
    ("storage-opt", &["size="]),
    ("systemd", &["true", "false", "always"]),
    ("userns", &["host", "keep-id", "auto", "nomap", "container:"]),
    ("variant", &["v6", "v7", "v8"]),
    ("uts", &["private", "host", "container:", "ns:"]),
];

/// Where else a build can write.
const OUTPUTS: [&str; 5] =
    ["type=local,dest=", "type=tar,dest=", "type=oci,dest=", "type=docker,dest=", "type=image,name="];

/// What a flag takes one of.
pub fn choices(place: &Place<'_>, arg: &Arg) -> Vec<Candidate> {
    if is_switch(arg) {
        return plain(["true", "false"]);
    }
    let known = arg.get_possible_values();
    if !known.is_empty() {
        let about =
            |value: &clap::builder::PossibleValue| value.get_help().map(ToString::to_string).unwrap_or_default();
        let shown = known.iter().filter(|value| !value.is_hide_set());
        return shown.map(|value| Candidate::new(value.get_name(), about(value))).collect();
    }
    let long = arg.get_long().unwrap_or_default();
    match (place.path.as_slice(), long) {
        (_, "signal" | "stop-signal") => plain(signals()),
        (_, "cap-add" | "cap-drop") => {
            let names = CapabilitySet::ALL.iter().map(|capability| capability.name());
            plain(["ALL".to_owned()].into_iter().chain(names))
        }
        (_, "change") => plain(instruction::KNOWN.map(|name| format!("{name}="))),
        (_, "ulimit") => plain(limits::names().map(|name| format!("{name}="))),
        (["wait"], "condition") => {
            plain(["created", "running", "paused", "exited", "removing", "healthy", "unhealthy"])
        }
        (["network", "create"], "driver") => plain(["bridge"]),
        (["network", "create"], "opt") => plain(["mtu=", "isolate="]),
        (["secret", "create"], "driver") => plain(["file"]),
        (["volume", "create"], "driver") => plain(["local"]),
        (["volume", "create"], "opt") => plain(["type=", "device=", "o="]),
        ([.., "build"], "output") => plain(OUTPUTS),
        (["inspect"], "type") => plain(["container", "image", "volume", "network", "all"]),
        (["images"] | ["image", "ls"], "sort") => plain(["created", "id", "repository", "size", "tag"]),
        _ => {
            let found = CHOICES.iter().find(|(name, _)| *name == long);
            plain(found.map(|(_, choices)| choices.iter().copied()).into_iter().flatten())
        }
    }
}

pub fn plain(values: impl IntoIterator<Item = impl Into<String>>) -> Vec<Candidate> {
    values.into_iter().map(|value| Candidate::new(value, "")).collect()
}

/// As shells name them.
fn signals() -> impl Iterator<Item = &'static str> {
    nix::sys::signal::Signal::iterator().map(|signal| signal.as_str().trim_start_matches("SIG"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Their help tells no values, or not in the form in which they are typed.
    const NOT_TOLD: [&str; 6] = ["arch", "mount", "os", "platform", "security-opt", "variant"];

    #[test]
    fn choices_are_those_that_the_help_tells() {
        let whole = crate::cli::root::whole();
        let run = whole.find_subcommand("run").unwrap();
        let mut checked = 0;
        for (flag, choices) in CHOICES.iter().filter(|(flag, _)| !NOT_TOLD.contains(flag)) {
            let Some(arg) = run.get_arguments().find(|arg| arg.get_long() == Some(*flag)) else { continue };
            let help = arg.get_help().unwrap().to_string();
            for choice in *choices {
                checked += 1;
                assert!(help.contains(&format!("`{}", choice.trim_end_matches('='))), "--{flag} {choice}: {help}");
            }
        }
        assert!(checked > 40, "{checked}");
    }
}
