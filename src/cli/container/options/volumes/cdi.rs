//! `--device VENDOR/CLASS=NAME` and `--gpus`: devices of which a vendor's file says what a container needs.
//!
//! The files are YAML or JSON in `/etc/cdi` and `/var/run/cdi`, or the folders that `cdi_spec_dirs` of containers.conf names, and in
//! the user's own `cdi` beside the rest of their configuration; what a later folder says of a device counts.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::devices::node;
use super::target;
use crate::cli::Report;
use crate::container::mount::{Mount, Source};
use crate::container::record::Container;
use crate::oci::cdi::{Device, Edits, Spec, parse_name};

const FOLDERS: [&str; 2] = ["/etc/cdi", "/var/run/cdi"];
/// The largest file that is read, in bytes, and how many of a folder.
const LARGEST: u64 = 1 << 20;
const MOST: usize = 1000;

/// Adds what the device needs to the container. `folders`: in place of the usual ones, if there are any. `full`: its whole name, which
/// is made of the two parts.
pub fn add(
    container: &mut Container,
    folders: &[PathBuf],
    full: &str,
    (kind, name): (&str, &str),
) -> Result<(), Report> {
    let specs = specs(folders)?;
    let found = specs.iter().rev().find_map(|spec| if spec.kind == kind { spec.edits(name) } else { None });
    let edits = found.ok_or_else(|| {
        Report::new(format!("unresolvable CDI devices {full}")).hint(
            "devices are described by files in /etc/cdi, /var/run/cdi and ~/.config/cdi; `--device PATH` shows a node",
        )
    })?;
    edits.into_iter().try_for_each(|edits| apply(container, full, edits))
}

fn apply(container: &mut Container, device: &str, edits: &Edits) -> Result<(), Report> {
    if edits.intel_rdt.is_some() || !edits.net_devices.is_empty() {
        return Err(Report::new(format!(
            "the device `{device}` wants a class of cache (intelRdt) or a network interface of this machine (netDevices)"
        ))
        .hint("only the machine's root can give those: a file of your own in ~/.config/cdi without them counts"));
    }
    if let Some(hook) = edits.hooks.iter().find(|hook| !hook.path.is_absolute() || hook.timeout == Some(0)) {
        let hook = hook.path.display();
        return Err(Report::new(format!("the device `{device}` has the hook `{hook}`, which is not valid"))
            .hint("a hook has an absolute path and, where it has a timeout, at least a second"));
    }
    for found in &edits.device_nodes {
        let host = found.host_path.clone().unwrap_or_else(|| PathBuf::from(&found.path));
        let permissions = found.permissions.as_deref().unwrap_or("rwm");
        container.devices.push(node(&host, &target::parse(&found.path)?, permissions)?);
    }
    for mount in &edits.mounts {
        container.mounts.push(Mount {
            source: Source::Bind(mount.host_path.clone()),
            target: target::parse(&mount.container_path)?,
            options: mount.options.clone(),
            overlay: None,
        });
    }
    container.env.extend(edits.env.iter().cloned());
    container.hooks.extend(edits.hooks.iter().cloned());
    container.additional_groups.extend(edits.additional_groups.iter().map(u32::to_string));
    Ok(())
}

/// The full names of all devices that files describe, as far as these can be read.
pub fn names(folders: &[PathBuf]) -> BTreeSet<String> {
    let specs = files(folders).into_iter().filter_map(|file| spec(&file)?.ok());
    let named = |spec: Spec| {
        let name = |device: &Device| format!("{}={}", spec.kind, device.name);
        spec.devices.iter().map(name).collect::<Vec<_>>()
    };
    specs.flat_map(named).filter(|name| parse_name(name).is_some()).collect()
}

/// All that there are, the weakest first.
fn specs(folders: &[PathBuf]) -> Result<Vec<Spec>, Report> {
    files(folders).iter().filter_map(|file| spec(file)).collect()
}

fn files(folders: &[PathBuf]) -> Vec<PathBuf> {
    let usual = FOLDERS.map(PathBuf::from);
    let folders = if folders.is_empty() { &usual } else { folders };
    let own = directories::BaseDirs::new().map(|base| base.config_dir().join("cdi"));
    let of_folder = |folder: PathBuf| {
        let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).take(MOST).collect();
        files.sort();
        files
    };
    folders.iter().cloned().chain(own).flat_map(of_folder).collect()
}

/// `None`: it is none, by its name.
fn spec(file: &Path) -> Option<Result<Spec, Report>> {
    match file.extension()?.to_str()? {
        "json" => Some(read(file, Spec::from_json)),
        "yaml" | "yml" => Some(read(file, Spec::from_yaml)),
        _ => None,
    }
}

fn read<E: std::fmt::Display>(path: &Path, parse: fn(&str) -> Result<Spec, E>) -> Result<Spec, Report> {
    let bad = |error: &dyn std::fmt::Display| {
        Report::new(format!("the description of devices `{}` can't be read: {error}", path.display()))
    };
    let file = std::fs::File::open(path).map_err(|error| bad(&error))?;
    if !file.metadata().is_ok_and(|found| found.is_file() && found.len() <= LARGEST) {
        return Err(bad(&"it is no file, or too large"));
    }
    let mut text = String::new();
    file.take(LARGEST).read_to_string(&mut text).map_err(|error| bad(&error))?;
    parse(&text).map_err(|error| bad(&error))
}
