//! Mounts as `inspect` and `ps` show them: Podman's keys and words.

use serde_json::{Map, Value, json};

use super::{Mount, RELABELLED, Source};
use crate::container::record::Container;
use crate::store::Store;
use crate::store::volumes::DATA;
use crate::store::volumes::meaning::Backing;

/// Words that `inspect` shows under keys of their own.
const ACCESS: [&str; 2] = ["ro", "rw"];
const PROPAGATION: [&str; 8] =
    ["private", "rprivate", "slave", "rslave", "shared", "rshared", "unbindable", "runbindable"];

fn propagation(mount: &Mount) -> &str {
    mount.options.iter().map(String::as_str).find(|option| PROPAGATION.contains(option)).unwrap_or("rprivate")
}

/// All but access and propagation, with what is done unless asked otherwise.
fn options(mount: &Mount) -> Vec<&str> {
    let said = || mount.options.iter().map(String::as_str);
    let apart = |option: &str| [&ACCESS[..], &PROPAGATION, &RELABELLED].iter().any(|words| words.contains(&option));
    let rest = said().filter(|option| !apart(option));
    let by_default = [("nosuid", "suid"), ("nodev", "dev"), ("rbind", "bind")];
    let is_said = |word: &str| said().any(|option| option == word) || word == "dev" && mount.has_devices();
    let unsaid = by_default.iter().filter(|(own, other)| !is_said(own) && !is_said(other));
    rest.chain(unsaid.map(|(own, _)| *own)).collect()
}

/// `Mounts[]`: directories, volumes and images; tmpfs stand in `HostConfig.Tmpfs`.
pub fn mounts(container: &Container, store: &Store) -> Vec<Value> {
    let one = |mount: &Mount| {
        let (name, source, driver) = match &mount.source {
            Source::Bind(path) => (None, path.display().to_string(), ""),
            Source::Volume(volume) => {
                let data = store.layout().volume(&volume.name).join(DATA);
                let path = if let Backing::Directory { path, .. } = &volume.backing { path } else { &data };
                (Some(&volume.name), path.display().to_string(), "local")
            }
            Source::Image { image, .. } => (None, image.name.clone(), ""),
            Source::Tmpfs { .. } | Source::Devpts => return None,
        };
        let mut keys = Map::new();
        keys.insert("Type".into(), mount.kind().into());
        keys.extend(name.map(|name| ("Name".into(), json!(name))));
        keys.insert("Source".into(), source.into());
        keys.insert("Destination".into(), json!(mount.target));
        keys.insert("Driver".into(), driver.into());
        let mode = mount.options.iter().map(String::as_str).find(|option| RELABELLED.contains(option));
        keys.insert("Mode".into(), mode.unwrap_or_default().into());
        keys.insert("Options".into(), json!(options(mount)));
        keys.insert("RW".into(), json!(!mount.is_read_only()));
        keys.insert("Propagation".into(), propagation(mount).into());
        keys.extend(mount.subpath().map(|subpath| ("SubPath".into(), json!(subpath))));
        Some(Value::Object(keys))
    };
    container.mounts.iter().filter_map(one).collect()
}

fn access(mount: &Mount) -> &'static str {
    if mount.is_read_only() { "ro" } else { "rw" }
}

/// `HostConfig.Binds`: directories and volumes, each as a text.
pub fn binds(container: &Container) -> Vec<String> {
    let one = |mount: &Mount| {
        let source = match &mount.source {
            Source::Bind(path) => path.display().to_string(),
            Source::Volume(volume) => volume.name.clone(),
            _ => return None,
        };
        let words = [&[access(mount), propagation(mount)], options(mount).as_slice()].concat();
        Some(format!("{source}:{}:{}", mount.target, words.join(",")))
    };
    container.mounts.iter().filter_map(one).collect()
}

/// `HostConfig.Tmpfs`: the options by their targets.
pub fn tmpfs(container: &Container) -> Map<String, Value> {
    let one = |mount: &Mount| {
        let Source::Tmpfs { copy_up } = mount.source else { return None };
        let own = mount.options.iter().map(String::as_str).filter(|option| !ACCESS.contains(option));
        let copied = copy_up.then_some("tmpcopyup");
        let words: Vec<&str> = [access(mount), "rprivate"].into_iter().chain(own).chain(copied).collect();
        Some((mount.target.clone(), words.join(",").into()))
    };
    container.mounts.iter().filter_map(one).collect()
}

/// What `ps` lists: where there is something.
pub fn targets(container: &Container) -> Vec<&str> {
    container.mounts.iter().map(|mount| mount.target.as_str()).collect()
}

/// Whether it is the volume, or the directory of this machine, that is called so (`ps --filter volume=`).
pub fn is_named(mount: &Mount, name: &str) -> bool {
    match &mount.source {
        Source::Volume(volume) => volume.name == name,
        Source::Bind(path) => path == std::path::Path::new(name),
        _ => false,
    }
}
