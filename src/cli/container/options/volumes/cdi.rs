//! `--device VENDOR/CLASS=NAME` and `--gpus`: devices of which a vendor's file says what a container needs.
//!
//! The files are JSON in `/etc/cdi`, `/var/run/cdi` and the user's own `cdi` beside the rest of their configuration; what a later
//! folder says of a device counts. Programs that a file wants to be run are refused: they would run outside of the container.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::devices::node;
use super::target;
use crate::cli::Report;
use crate::container::mount::{Mount, Source};
use crate::container::record::Container;
use crate::oci::cdi::{Edits, Spec};

const FOLDERS: [&str; 2] = ["/etc/cdi", "/var/run/cdi"];
/// The largest file that is read, in bytes, and how many of a folder.
const LARGEST: u64 = 1 << 20;
const MOST: usize = 1000;

/// Adds what the device needs to the container. `full`: its whole name, which is made of the two others.
pub fn add(container: &mut Container, full: &str, kind: &str, name: &str) -> Result<(), Report> {
    let (specs, passed_over) = specs()?;
    let found = specs.iter().rev().find_map(|spec| if spec.kind == kind { spec.edits(name) } else { None });
    let Some(edits) = found else { return Err(unresolvable(full, &passed_over)) };
    if edits.iter().any(|edits| !edits.hooks.is_empty()) {
        return Err(Report::new(format!(
            "the device `{full}` wants programs of this machine to be run (hooks), which is refused"
        ))
        .hint("a file of your own in ~/.config/cdi, without `hooks`, counts instead of the machine's"));
    }
    edits.into_iter().try_for_each(|edits| apply(container, edits))
}

fn apply(container: &mut Container, edits: &Edits) -> Result<(), Report> {
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
    Ok(())
}

fn unresolvable(name: &str, passed_over: &[PathBuf]) -> Report {
    let report = Report::new(format!("unresolvable CDI devices {name}"));
    match passed_over.first() {
        Some(yaml) => report.hint(format!(
            "`{}` is YAML, which is not read here: JSON is (`nvidia-ctk cdi generate --format=json` writes it)",
            yaml.display()
        )),
        None => report.hint(
            "devices are described by files in /etc/cdi, /var/run/cdi and ~/.config/cdi; `--device PATH` shows a node",
        ),
    }
}

/// All that can be read, the weakest first; and files that are there but in the other format.
fn specs() -> Result<(Vec<Spec>, Vec<PathBuf>), Report> {
    let own = directories::BaseDirs::new().map(|base| base.config_dir().join("cdi"));
    let (mut specs, mut passed_over) = (Vec::new(), Vec::new());
    for folder in FOLDERS.iter().map(PathBuf::from).chain(own) {
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path()).take(MOST).collect();
        files.sort();
        for file in files {
            match file.extension().and_then(|extension| extension.to_str()) {
                Some("json") => specs.push(read(&file)?),
                Some("yaml" | "yml") => passed_over.push(file),
                _ => {}
            }
        }
    }
    Ok((specs, passed_over))
}

fn read(path: &Path) -> Result<Spec, Report> {
    let bad = |error: &dyn std::fmt::Display| {
        Report::new(format!("the description of devices `{}` can't be read: {error}", path.display()))
    };
    let file = std::fs::File::open(path).map_err(|error| bad(&error))?;
    if !file.metadata().is_ok_and(|found| found.is_file() && found.len() <= LARGEST) {
        return Err(bad(&"it is no file, or too large"));
    }
    let mut text = String::new();
    file.take(LARGEST).read_to_string(&mut text).map_err(|error| bad(&error))?;
    serde_json::from_str(&text).map_err(|error| bad(&error))
}
