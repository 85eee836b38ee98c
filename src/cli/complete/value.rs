//! What may stand in the place of a word, by the command or the flag that it is for.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Arg;

use super::place::Place;
use super::{Candidate, fields, filters, objects, paths, words};
use crate::build::parse;
use crate::container::state::{State, Status};

/// Values of a flag.
pub fn of_option(place: &Place<'_>, arg: &Arg, typed: &str) -> Vec<Candidate> {
    let containers = || objects::containers(place, typed, |_| true);
    let mut values = words::choices(place, arg);
    match arg.get_long().unwrap_or_default() {
        "format" if values.is_empty() => values = fields::of(place, typed),
        "filter" => values = filters::of(place, typed),
        "network" => values.extend(objects::networks(place)),
        "requires" | "volumes-from" => values = containers(),
        "secret" => values = objects::secrets(place),
        "volume" => values = volume(place, typed),
        "device" => values = paths::of_machine(if typed.is_empty() { "/dev/" } else { typed }, false),
        "workdir" => values = inside(place, typed),
        "target" if place.path.last() == Some(&"build") => values = stages(place),
        "artifact-subject" => values = objects::images(place, typed),
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
        (["commit" | "exists" | "export" | "rename" | "unit" | "update"], []) => containers(|_| true),
        (["network", "connect" | "disconnect"], [_]) => containers(|_| true),
        (["network", "connect" | "disconnect"], []) | (["network", "exists" | "inspect" | "rm" | "update"], _) => {
            objects::networks(place)
        }
        (["volume", "import"], [_])
        | (["secret", "create"], [_])
        | (["quadlet", "install"], _)
        | (["import"] | ["image", "import"] | ["build"] | ["image" | "builder" | "buildx", "build"], []) => {
            paths::of_machine(typed, false)
        }
        (["volume", "exists" | "export" | "import" | "inspect" | "mount" | "rm" | "unmount"], _) => {
            objects::volumes(place)
        }
        (["secret", "exists" | "inspect" | "rm"], _) => objects::secrets(place),
        (["commit"], [_]) | (["history" | "images" | "pull" | "push" | "rmi" | "save" | "tag" | "untag"], _) => {
            objects::images(place, typed)
        }
        (["image", name], _) if *name != "import" => objects::images(place, typed),
        (["manifest", _], _) => objects::images(place, typed),
        _ => Vec::new(),
    }
}

/// The stages that have names in the file that is to be built.
fn stages(place: &Place<'_>) -> Vec<Candidate> {
    let context = Path::new(place.given.first().copied().unwrap_or("."));
    let files = match place.said("file") {
        Some(file) => vec![PathBuf::from(file), context.join(file)],
        None => vec![context.join("Containerfile"), context.join("Dockerfile")],
    };
    let read = |path: &PathBuf| {
        let mut bytes = Vec::new();
        File::open(path).ok()?.take(parse::LONGEST as u64).read_to_end(&mut bytes).ok()?;
        parse::parse("", &bytes).ok()
    };
    let Some(file) = files.iter().filter(|path| path.is_file()).find_map(read) else { return Vec::new() };
    let name = |instruction: &parse::Instruction| match &instruction.kind {
        parse::Kind::From(from) => {
            let about = format!("FROM {}", from.image.text);
            Some(Candidate::new(from.name.as_ref()?.text.clone(), about))
        }
        _ => None,
    };
    file.instructions.iter().filter_map(name).collect()
}

fn runs(state: &State) -> bool {
    state.status == Status::Running
}

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

/// `[SOURCE:]TARGET`: the source, a volume or a path of this machine.
fn volume(place: &Place<'_>, typed: &str) -> Vec<Candidate> {
    if typed.contains(':') {
        return Vec::new();
    }
    let mut sources = objects::volumes(place);
    sources.iter_mut().for_each(|candidate| candidate.value.push(':'));
    sources.into_iter().chain(paths::of_machine(typed, false)).collect()
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
