//! Secrets of a container: copied when it is made, and from then on its own, whatever becomes of the secret.
//!
//! The copies lie in the container's directory, readable by its user alone; those of a step of a build are nowhere on a disk. A program
//! finds them in a tmpfs, or in its environment; they are in no record, image or list.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::container::record::Container;
use crate::container::spec::selinux;
use crate::container::{Error, Result};
use crate::host::{atomic_file, change};
use crate::runtime::plan::{self, Step};
use crate::store::Store;
use crate::sys::Call;

/// Where a program finds those that have no path of their own.
pub const DIRECTORY: &str = "/run/secrets";
/// The copies, in the container's directory.
const COPIES: &str = "secrets";

/// A secret, as one container has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Secret {
    pub id: String,
    pub name: String,
    pub place: Place,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Place {
    File { target: String, uid: u32, gid: u32, mode: u32 },
    Variable(String),
}

fn copy(directory: &Path, number: usize) -> PathBuf {
    directory.join(COPIES).join(number.to_string())
}

/// Copies the secrets of a container into its directory, which nobody sees yet.
pub fn take(store: &Store, container: &Container, directory: &Path, durable: bool) -> Result<()> {
    let find = |used: &Secret| store.secret(&used.id)?.ok_or_else(|| Error::NoSecret(used.name.clone()));
    let secrets = container.secrets.iter().map(find).collect::<Result<Vec<_>>>()?;
    if !secrets.is_empty() {
        change::create_dir(&directory.join(COPIES))?;
    }
    for (number, secret) in secrets.iter().enumerate() {
        atomic_file::create(&copy(directory, number), &secret.data.0, 0o600, durable)?;
    }
    Ok(())
}

/// Where the contents of a container's secrets are, in the order in which its record has them.
#[derive(Debug, Clone, Copy)]
pub enum Contents<'a> {
    /// In its directory.
    Copies(&'a Path),
    /// In memory alone.
    Given(&'a [Vec<u8>]),
}

impl Contents<'_> {
    fn read(self, number: usize) -> Result<Vec<u8>> {
        match self {
            Self::Copies(directory) => {
                let path = copy(directory, number);
                Ok(std::fs::read(&path).call_with(|| format!("read({})", path.display()))?)
            }
            Self::Given(contents) => Ok(contents.get(number).cloned().unwrap_or_default()),
        }
    }
}

/// Of those that are in memory, what the files of [`steps`] hold.
pub fn files(container: &Container, contents: Contents<'_>) -> Vec<Vec<u8>> {
    let Contents::Given(contents) = contents else { return Vec::new() };
    let of_files =
        container.secrets.iter().zip(contents).filter(|(secret, _)| matches!(secret.place, Place::File { .. }));
    of_files.map(|(_, bytes)| bytes.clone()).collect()
}

/// Those that are variables, as `NAME=value`: for a program that starts now, and for nobody else.
pub fn variables(container: &Container, contents: Contents<'_>) -> Result<Vec<String>> {
    let mut variables = Vec::new();
    for (number, secret) in container.secrets.iter().enumerate() {
        if let Place::Variable(name) = &secret.place {
            let value = String::from_utf8(contents.read(number)?).map_err(|_| {
                Error::Spec(format!("the secret `{}` is no text, and can't be a variable", secret.name))
            })?;
            if value.contains('\0') {
                return Err(Error::Spec(format!(
                    "the secret `{}` has a NUL in it, and can't be a variable",
                    secret.name
                )));
            }
            variables.push(format!("{name}={value}"));
        }
    }
    Ok(variables)
}

/// The steps that put the others into files. Those whose contents are in memory have no source.
pub fn steps(container: &Container, contents: Contents<'_>) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    for (number, secret) in container.secrets.iter().enumerate() {
        let Place::File { target, uid, gid, mode } = &secret.place else { continue };
        if steps.is_empty() {
            let label = selinux::labels(container).map(|labels| labels.file.as_str());
            steps.push(Step::Mount(plan::Mount::in_memory(DIRECTORY, label)));
        }
        let source = match contents {
            Contents::Copies(directory) => copy(directory, number),
            Contents::Given(_) => PathBuf::new(),
        };
        let source = source.to_str().ok_or_else(|| plan::Error::NotUtf8(source.display().to_string()))?.to_owned();
        let within = target.strip_prefix(DIRECTORY).is_some_and(|rest| rest.starts_with('/'));
        // Made where nothing is ever on disk, whatever it is mounted over.
        let made_at = if within { target.clone() } else { format!("{DIRECTORY}/.{number}") };
        let moved_to = (!within).then(|| target.clone());
        steps.push(Step::Secret { source, made_at, moved_to, owner: (*uid, *gid), mode: *mode });
    }
    Ok(steps)
}
