//! What may stand in the place of a word, by the command or the flag that it is for.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Arg;

use super::place::Place;
use super::{Candidate, account, containerfile, fields, filters, objects, paths, words};
use crate::cli::container::options::volumes::{cdi, devices};
use crate::cli::{manual, root};
use crate::container::state::{State, Status};

/// Values of a flag.
pub fn of_option(place: &Place<'_>, arg: &Arg, typed: &str) -> Vec<Candidate> {
    let containers = || objects::containers(place, typed, |_| true);
    let mut values = words::choices(place, arg);
    match arg.get_long().unwrap_or_default() {
        "format" if values.is_empty() => values = fields::of(place, typed),
        "filter" => values = filters::of(place, typed),
        "network" => values.extend(objects::networks(place)),
        "requires" if place.path.first() != Some(&"generate") => values = containers(),
        "volumes-from" => values = containers(),
        "secret" if !place.is_build() => values = objects::secrets(place),
        "volume" if place.is_build() => values = paths::of_machine(typed, false),
        "volume" => values = volume(place, typed),
        "mount" if typed.contains(',') => values = mount(place, typed),
        "device" if !place.is_build() => values = devices(place, typed),
        "gpus" => values.extend(gpus(place)),
        "device"
        | "blkio-weight-device"
        | "device-read-bps"
        | "device-read-iops"
        | "device-write-bps"
        | "device-write-iops" => values = nodes(typed),
        "workdir" => values = inside(place, typed),
        "target" => values = containerfile::stages(place),
        "build-arg" => values = containerfile::arguments(place),
        "build-context" => values = behind(typed, '=', |path| paths::of_machine(path, true)),
        "artifact-subject" | "cache-from" | "cache-to" | "from" | "subject" | "tag" => {
            values = objects::images(place, typed);
        }
        "env" | "unsetenv" => values = account::variables(),
        "hostuser" => values = account::users(),
        "subuidname" | "subgidname" => values = account::users_with_ids(),
        "tz" => values = account::zones(typed),
        _ => values.extend(of_machine(arg, typed)),
    }
    // `container:NAME` of modes that can be another container's.
    if let Some(name) = typed.strip_prefix("container:").filter(|_| values.iter().any(|one| one.value == "container:"))
    {
        let mut lent = objects::containers(place, name, runs);
        lent.iter_mut().for_each(|candidate| candidate.value.insert_str(0, "container:"));
        values.extend(lent);
    }
    values
}

/// The words that are no flags, of which some stand before this one.
pub fn of_word(place: &Place<'_>, typed: &str) -> Vec<Candidate> {
    let containers = |fits: fn(&State) -> bool| objects::containers(place, typed, fits);
    let one_of = place.command.get_positionals().nth(place.given.len()).map(|arg| words::choices(place, arg));
    if let Some(values) = one_of.filter(|values| !values.is_empty()) {
        return values;
    }
    match (place.path.as_slice(), place.given.as_slice()) {
        (["run" | "create"], []) if place.is_said("rootfs") => paths::of_machine(typed, true),
        (["run" | "create"], []) => objects::images(place, typed),
        (["run" | "create" | "exec"], [_, ..]) => inside(place, typed),
        (["cp"], [] | [_]) => copied(place, typed),
        (["start"], _) => containers(|state| !state.lives()),
        (["attach" | "exec" | "top"] | ["port", ..] | ["healthcheck", "run"], []) => containers(runs),
        (["stop" | "kill" | "pause" | "stats"], _) => containers(runs),
        (["unpause"], _) => containers(|state| state.paused),
        (["restart" | "rm" | "wait" | "logs" | "inspect" | "cleanup"], _) => {
            let mut found = containers(|_| true);
            if place.path == ["inspect"] {
                found.extend(objects::images(place, typed));
                found.extend(objects::networks(place));
                found.extend(objects::volumes(place));
            }
            found
        }
        (["diff"], [] | [_]) => containers(|_| true).into_iter().chain(objects::images(place, typed)).collect(),
        (["network", "reload"], _) => containers(runs),
        (["commit" | "exists" | "export" | "rename" | "unit" | "update"] | ["generate", "systemd"], []) => {
            containers(|_| true)
        }
        (["network", "connect" | "disconnect"], [_]) => containers(|_| true),
        (["network", "connect" | "disconnect"], []) | (["network", "exists" | "inspect" | "rm" | "update"], _) => {
            objects::networks(place)
        }
        (["volume", "import"], [_])
        | (["secret", "create"], [_])
        | (["quadlet", "install"] | ["unshare"], _)
        | (["import"] | ["image", "import"] | ["build"] | ["image" | "builder" | "buildx", "build"], []) => {
            paths::of_machine(typed, false)
        }
        (["volume", "exists" | "export" | "import" | "inspect" | "mount" | "rm" | "unmount"], _) => {
            objects::volumes(place)
        }
        (["secret", "exists" | "inspect" | "rm"], _) => objects::secrets(place),
        (["quadlet"], _) => paths::of_machine(typed, true),
        (["quadlet", "print"], []) => account::quadlets(false),
        (["quadlet", "rm"], _) => account::quadlets(true),
        (["login" | "logout"], []) => account::registries(place),
        (["help"], given) => help(given, typed),
        (["commit" | "import"] | ["image", "import"], [_])
        | (["history" | "images" | "pull" | "push" | "rmi" | "save" | "tag" | "untag"], _) => {
            objects::images(place, typed)
        }
        (["image", name], _) if !matches!(*name, "import" | "search") => objects::images(place, typed),
        (["manifest", _], _) => objects::images(place, typed),
        _ => Vec::new(),
    }
}

/// Nodes of this machine, and devices that files describe.
fn devices(place: &Place<'_>, typed: &str) -> Vec<Candidate> {
    let described = described(place).into_iter().map(|name| Candidate::new(name, "described for containers"));
    described.chain(nodes(typed)).collect()
}

fn nodes(typed: &str) -> Vec<Candidate> {
    paths::of_machine(if typed.is_empty() { "/dev/" } else { typed }, false)
}

fn gpus(place: &Place<'_>) -> Vec<Candidate> {
    let described = described(place);
    let names = described.iter().filter_map(|name| name.strip_prefix(devices::GPU)?.strip_prefix('='));
    words::plain(names.filter(|name| *name != "all"))
}

fn described(place: &Place<'_>) -> BTreeSet<String> {
    let folders: Vec<PathBuf> = place.said("default-cdi-spec-dir").into_iter().map(PathBuf::from).collect();
    cdi::names(&folders)
}

/// A command, or what else there is a page about.
fn help(given: &[&str], typed: &str) -> Vec<Candidate> {
    let root = root::beginning_with(given.first().copied().unwrap_or(typed));
    let command = given.iter().try_fold(&root, |command, word| command.find_subcommand(word));
    let mut found = command.map(words::commands).unwrap_or_default();
    if given.is_empty() {
        found.extend(manual::topics().map(|topic| Candidate::new(topic, "a page of the manual")));
    }
    found
}

fn runs(state: &State) -> bool {
    state.status == Status::Running
}

/// Of those that `--volume` knows, what people say.
const VOLUME_OPTIONS: [&str; 8] = ["ro", "rw", "z", "Z", "U", "O", "noexec", "nocopy"];

/// A path where the program is to run: in the image of `run`, in the container of `exec`.
fn inside(place: &Place<'_>, typed: &str) -> Vec<Candidate> {
    let Some(name) = place.given.first().filter(|_| typed.starts_with('/')) else { return Vec::new() };
    match place.path.as_slice() {
        ["exec"] => paths::in_container(place, name, typed),
        _ if place.is_said("rootfs") => Vec::new(),
        _ => paths::in_image(place, name, typed),
    }
}

/// A path of this machine, or `CONTAINER:PATH`.
fn copied(place: &Place<'_>, typed: &str) -> Vec<Candidate> {
    if let Some((name, path)) = typed.split_once(':').filter(|(name, _)| !name.contains('/')) {
        let mut found = paths::in_container(place, name, if path.is_empty() { "/" } else { path });
        found.iter_mut().for_each(|candidate| candidate.value.insert_str(0, &format!("{name}:")));
        return found;
    }
    let mut containers = objects::containers(place, typed, |_| true);
    containers.iter_mut().for_each(|candidate| candidate.value.push(':'));
    containers.into_iter().chain(paths::of_machine(typed, false)).collect()
}

/// `[SOURCE:]TARGET[:OPTIONS]`: the source, a volume or a path of this machine; for the target, which the image knows that is to
/// follow, the path that it has here.
fn volume(place: &Place<'_>, typed: &str) -> Vec<Candidate> {
    match typed.splitn(3, ':').collect::<Vec<_>>()[..] {
        [_, _, options] => {
            let mark = if options.contains(',') { ',' } else { ':' };
            return behind(typed, mark, |_| words::plain(VOLUME_OPTIONS));
        }
        [source, _] if source.starts_with('/') => return words::plain([format!("{source}:{source}")]),
        [_, _] => return Vec::new(),
        _ => {}
    }
    let mut sources = objects::volumes(place);
    sources.iter_mut().for_each(|candidate| candidate.value.push(':'));
    sources.into_iter().chain(paths::of_machine(typed, false)).collect()
}

/// `type=TYPE,source=SOURCE,KEY=VALUE`: the field behind the last comma.
fn mount(place: &Place<'_>, typed: &str) -> Vec<Candidate> {
    let kind = typed.split(',').find_map(|field| field.strip_prefix("type="));
    behind(typed, ',', |field| match field.split_once('=') {
        Some(("source" | "src", _)) => behind(field, '=', |source| match kind {
            Some("volume") => objects::volumes(place),
            Some("image") => objects::images(place, source),
            Some("bind" | "glob") => paths::of_machine(source, false),
            _ => Vec::new(),
        }),
        _ => words::plain(["source=", "target=", "readonly"]),
    })
}

/// What may follow behind the last `mark`, with what is before it; before the first, nothing.
fn behind(typed: &str, mark: char, values: impl FnOnce(&str) -> Vec<Candidate>) -> Vec<Candidate> {
    let Some(at) = typed.rfind(mark) else { return Vec::new() };
    let (before, rest) = typed.split_at(at + mark.len_utf8());
    let mut values = values(rest);
    values.iter_mut().for_each(|candidate| candidate.value.insert_str(0, before));
    values
}

/// Paths of this machine, where the flag takes one.
fn of_machine(arg: &Arg, typed: &str) -> Vec<Candidate> {
    let names = arg.get_value_names().unwrap_or_default();
    match names.first().map(|name| name.as_str()) {
        Some("DIRECTORY") => paths::of_machine(typed, true),
        Some("FILE" | "PATH") => paths::of_machine(typed, false),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Command;

    use super::*;

    /// What they offer is in a store, in a file that is to be built, or in the environment: tests/behaviour/shell/answers.rs.
    const ELSEWHERE: &str = "artifact-subject build-arg build-context cache-from cache-to filter format from mount requires secret \
        subject subuidname subgidname tag target volumes-from workdir";
    /// Numbers, and texts that a person makes up.
    const FREE: &str = "add-host after alias annotation artifact-config-type artifact-layer-type artifact-type author blkio-weight \
        cgroup-conf cgroup-parent compression-level container-prefix cpu-period cpu-quota cpu-shares cpus cpuset-cpus \
        cpuset-mems creds detach-keys dns dns-add dns-drop dns-option dns-search driver-opts entrypoint env-merge \
        expose features gateway gidmap group-entry health-cmd health-interval health-max-log-count health-max-log-size \
        health-retries health-start-period health-startup-cmd health-startup-interval health-startup-retries \
        health-startup-success health-startup-timeout health-timeout hostname idle interface-name interval ip ip-range ip6 \
        jobs label last limit mac-address max max-layer-size memory memory-reservation memory-swap message name \
        network-alias oom-score-adj os-features os-version passwd-entry password pids-limit preserve-fd preserve-fds \
        publish restart-sec retry retry-delay route separator settle shm-size shm-size-systemd since socket stall-timeout \
        start-timeout stop-timeout subnet sysctl tail time timeout timestamp tmpfs uidmap umask unsetlabel until user username \
        wants watch";

    fn silent(command: &Command, path: &mut Vec<String>, found: &mut Vec<String>) {
        let line: Vec<String> = path.clone();
        for arg in command.get_arguments().filter(|arg| arg.get_action().takes_values() && !arg.is_hide_set()) {
            let Some(long) = arg.get_long() else { continue };
            let mut place = Place::find(command, &[], "");
            place.path = line.iter().map(String::as_str).skip_while(|word| *word == "container").collect();
            let listed = [ELSEWHERE, FREE].iter().any(|list| list.split_whitespace().any(|name| name == long));
            if !listed && of_option(&place, arg, "").is_empty() {
                found.push(format!("{} --{long}", path.join(" ")));
            }
        }
        for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
            path.push(below.get_name().to_owned());
            silent(below, path, found);
            path.pop();
        }
    }

    /// A new flag that has something to offer is not to be forgotten.
    #[test]
    fn a_flag_offers_something_or_is_known_to_have_nothing_to_offer() {
        let mut found = Vec::new();
        silent(&root::whole(), &mut Vec::new(), &mut found);
        assert!(found.is_empty(), "{}:\n{}", found.len(), found.join("\n"));
    }
}
