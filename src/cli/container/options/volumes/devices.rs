//! `--device` and `--gpus`: nodes of this machine in the container.

use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use clap::Args;

use super::{cdi, target};
use crate::cli::Report;
use crate::container::record::{Container, Device};
use crate::host::message;
use crate::oci::cdi::parse_name;

/// The kind of those that `--gpus` names.
pub const GPU: &str = "nvidia.com/gpu";
/// How many nodes one directory may stand for.
const LIMIT: usize = 1000;

#[derive(Debug, Args)]
#[command(next_help_heading = "Volumes")]
#[group(skip)]
pub struct Flags {
    /// Show a device of this machine, or all in a directory, in the container; whether it can be used its own permissions say, and
    /// your groups with `--group-add=keep-groups`. `VENDOR/CLASS=NAME`: a device that a file in /etc/cdi describes
    #[arg(long, value_name = "PATH[:TARGET][:rwm]")]
    device: Vec<String>,
    /// As `--device nvidia.com/gpu=NAME`; `all`: all of them
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    gpus: Vec<String>,
    /// Where files that describe devices are looked for, in place of /etc/cdi and /var/run/cdi
    #[arg(long, hide = true, value_name = "DIRECTORY")]
    default_cdi_spec_dir: Vec<PathBuf>,
    /// Refused: only the machine's root can make such rules
    #[arg(long, value_name = "RULE", hide = true)]
    device_cgroup_rule: Vec<String>,
}

impl Flags {
    pub fn fill(&self, container: &mut Container) -> Result<(), Report> {
        if !self.device_cgroup_rule.is_empty() {
            return Err(Report::new("device cgroup rules are not supported in rootless mode or in a user namespace")
                .hint("`--device PATH` shows a device that your account can use"));
        }
        let gpus: Vec<String> = self.gpus.iter().map(|name| format!("{GPU}={name}")).collect();
        for text in self.device.iter().chain(&gpus) {
            match parse_name(text) {
                Some(name) => cdi::add(container, &self.default_cdi_spec_dir, text, name)?,
                None => container.devices.extend(parse(text)?),
            }
        }
        container.devices.iter().for_each(|device| warn_of_group(&device.host, container.keep_groups));
        Ok(())
    }
}

/// A node that is there.
pub fn node(host: &Path, target: &str, permissions: &str) -> Result<Device, Report> {
    let spec = format!("{}:{target}:{permissions}", host.display());
    let mut found = parse(&spec)?;
    match found.pop().filter(|_| found.is_empty()) {
        Some(device) => Ok(device),
        None => Err(Report::new(format!("{} is not a valid device: not a device node", host.display()))),
    }
}

/// Says what helps, where a node is for the members of a group.
fn warn_of_group(node: &Path, keep_groups: bool) {
    use rustix::fs::Access;
    let Ok(meta) = node.metadata() else { return };
    let for_others = meta.mode() & 0o006 == 0o006;
    if for_others || meta.uid() == rustix::process::getuid().as_raw() || meta.mode() & 0o060 != 0o060 {
        return;
    }
    let usable = rustix::fs::access(node, Access::READ_OK | Access::WRITE_OK).is_ok();
    let (path, gid) = (node.display(), meta.gid());
    match (usable, keep_groups) {
        (true, true) => {}
        (true, false) => message::warn(|| {
            format!(
                "{path} is for members of the group {gid}: in the container it can be used with `--group-add=keep-groups`"
            )
        }),
        (false, _) => message::warn(|| {
            format!(
                "{path} is for members of the group {gid}, and this account is none: an administrator adds it with usermod(8)"
            )
        }),
    }
}

fn parse(text: &str) -> Result<Vec<Device>, Report> {
    let is_mode = |word: &str| !word.is_empty() && word.chars().all(|char| "rwm".contains(char));
    let bad_mode = |word: &str| Report::new(format!("invalid device mode: {word}"));
    let fields: Vec<&str> = text.split(':').collect();
    let (host, inside, mode) = match fields[..] {
        [host] => (host, host, "rwm"),
        [host, word] if word.starts_with('/') => (host, word, "rwm"),
        [host, word] => (host, host, word),
        [host, inside, mode] => (host, inside, mode),
        _ => return Err(Report::new(format!("invalid device specification: {text}"))),
    };
    if !is_mode(mode) {
        return Err(bad_mode(mode));
    }
    let inside = target::parse(inside)?;
    let nodes = nodes(Path::new(host))?;
    let device = |node: PathBuf| {
        let within = node.strip_prefix(host).ok().filter(|rest| !rest.as_os_str().is_empty());
        let place = within.map_or_else(|| PathBuf::from(&inside), |rest| Path::new(&inside).join(rest));
        Device { target: place.display().to_string(), host: node, permissions: mode.to_owned() }
    };
    Ok(nodes.into_iter().map(device).collect())
}

/// The node, or those in the directory, in order.
fn nodes(path: &Path) -> Result<Vec<PathBuf>, Report> {
    let meta = std::fs::metadata(path).map_err(|error| {
        let error = error.to_string();
        let reason = error.split(" (os error").next().unwrap_or_default().to_lowercase();
        Report::new(format!("stat {}: {reason}", path.display()))
    })?;
    let is_node = |kind: std::fs::FileType| kind.is_char_device() || kind.is_block_device();
    if is_node(meta.file_type()) {
        return Ok(vec![path.to_owned()]);
    }
    if !meta.is_dir() {
        return Err(Report::new(format!("{} is not a valid device: not a device node", path.display())));
    }
    let (mut pending, mut found) = (vec![path.to_owned()], Vec::new());
    while let Some(directory) = pending.pop() {
        for entry in std::fs::read_dir(&directory).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => pending.push(entry.path()),
                Ok(kind) if is_node(kind) && found.len() < LIMIT => found.push(entry.path()),
                _ => {}
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_devices() {
        let one = |text: &str| parse(text).map(|devices| (devices[0].target.clone(), devices[0].permissions.clone()));
        assert_eq!(one("/dev/null").unwrap(), ("/dev/null".into(), "rwm".into()));
        assert_eq!(one("/dev/null:/dev/xx:r").unwrap(), ("/dev/xx".into(), "r".into()));
        assert_eq!(one("/dev/null:rw").unwrap(), ("/dev/null".into(), "rw".into()));
        assert_eq!(one("/dev/null:/dev/../etc/x").unwrap(), ("/etc/x".into(), "rwm".into()));
        for bad in [
            "/dev/nope",
            "/dev/null:foo",
            "/dev/null:/x:q",
            "/etc/passwd",
            "dev/null",
            "v/c=x",
            "/dev/null::",
            "/dev/null:/:rw",
            "",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
