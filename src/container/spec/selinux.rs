//! The labels of SELinux that a container has, where the machine labels anything: its processes' and its files', as Podman has
//! them.
//!
//! Both have two categories of the container's own, so that what breaks out of one reaches neither another nor its files. They are
//! chosen when the container is made, and stay.

use std::collections::HashSet;

use crate::container::find::{self, Found};
use crate::container::namespace::Namespace;
use crate::container::record::{Container, Labels};
use crate::container::{Error, Result};
use crate::host::selinux::{self, Contexts, Label};
use crate::store::Store;

/// How many categories policies have.
const CATEGORIES: u32 = 1024;

/// What of the labels can be asked for, as `--security-opt label=KEY:VALUE`.
pub const KEYS: [&str; 5] = ["user", "role", "type", "level", "filetype"];

/// Asks for none.
pub const DISABLE: &str = "disable";

/// The labels that a container has on this machine, which may be another than the one where it was made.
pub fn labels(container: &Container) -> Option<&Labels> {
    container.selinux.as_ref().filter(|_| selinux::is_enabled())
}

/// The label of what several containers use.
pub fn shared(labels: &Labels) -> String {
    labels.file.parse::<Label>().map_or_else(|_| labels.file.clone(), |label| label.shared().to_string())
}

/// The label of the layers of a container that has labels: what it maps into memory the kernel's overlay leaves to them.
pub fn of_layers(container: &Container) -> Option<String> {
    labels(container)?;
    selinux::contexts().map(|contexts| contexts.layer.to_string())
}

/// Chooses them for a container that is to be made, whose security options say what is asked for.
pub fn choose(store: &Store, container: &Container) -> Result<Option<Labels>> {
    if !selinux::is_enabled() || is_unlabelled(container) {
        return Ok(None);
    }
    let Some(contexts) = selinux::contexts() else { return Ok(None) };
    let others = find::list(store)?.found;
    if let Some(labels) = of_joined(container, &others) {
        return Ok(Some(labels));
    }
    let taken: HashSet<&str> = others.iter().filter_map(|found| level(found.container.selinux.as_ref()?)).collect();
    let labels = fit(contexts, container, &taken);
    let unknown = [&labels.process, &labels.file].into_iter().find(|label| !selinux::knows(label)).cloned();
    unknown.map_or(Ok(Some(labels)), |unknown| Err(Error::Label(unknown)))
}

fn asked_for(container: &Container) -> impl Iterator<Item = &str> {
    container
        .security_options
        .iter()
        .filter_map(|option| option.strip_prefix("label=").or(option.strip_prefix("label:")))
}

/// Who is to have all rights of the caller, or sees the caller's own processes, would only be in its own way.
fn is_unlabelled(container: &Container) -> bool {
    let namespaces = [&container.namespaces.pid, &container.namespaces.ipc];
    container.privileged
        || namespaces.into_iter().any(|namespace| *namespace == Namespace::Host)
        || asked_for(container).any(|option| option == DISABLE)
}

/// Processes that reach each other's memory or signals have one label.
fn of_joined(container: &Container, others: &[Found]) -> Option<Labels> {
    [&container.namespaces.pid, &container.namespaces.ipc].into_iter().find_map(|namespace| match namespace {
        Namespace::Container(id) => others.iter().find(|found| found.container.id == *id)?.container.selinux.clone(),
        _ => None,
    })
}

fn level(labels: &Labels) -> Option<&str> {
    labels.process.splitn(4, ':').nth(3)
}

/// The policy's labels with categories that nobody has, and with what is asked for.
fn fit(contexts: Contexts, container: &Container, taken: &HashSet<&str>) -> Labels {
    let Contexts { mut process, mut file, .. } = contexts;
    let sensitivity = process.shared().level;
    let mut levels = pairs(&container.id).map(|(low, high)| format!("{sensitivity}:c{low},c{high}"));
    // Of half a million pairs; an id has some fifty.
    let own = levels.find(|level| !taken.contains(level.as_str())).unwrap_or(sensitivity);
    (process.level, file.level) = (own.clone(), own);
    for (key, value) in asked_for(container).filter_map(|option| option.split_once(':')) {
        let value = value.to_owned();
        match key {
            "user" => process.user = value,
            "role" => process.role = value,
            "type" => process.kind = value,
            "filetype" => file.kind = value,
            "level" => (process.level, file.level) = (value.clone(), value),
            _ => {}
        }
    }
    Labels { process: process.to_string(), file: file.to_string() }
}

/// Pairs of categories, the lower first: the container's id is random already.
fn pairs(id: &str) -> impl Iterator<Item = (u32, u32)> {
    let numbers = (0..id.len()).map_while(|at| u32::from_str_radix(id.get(at..at + 8)?, 16).ok());
    let pairs = numbers.map(|number| (number % CATEGORIES, number / CATEGORIES % CATEGORIES));
    pairs.filter(|(one, two)| one != two).map(|(one, two)| (one.min(two), one.max(two)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contexts() -> Contexts {
        let file: Label = "system_u:object_r:container_file_t:s0".parse().unwrap();
        Contexts { process: "system_u:system_r:container_t:s0".parse().unwrap(), layer: file.clone(), file }
    }

    fn container(options: &[&str]) -> Container {
        let id = "00000400000008010c".repeat(3);
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        Container { id, security_options: options, ..Container::default() }
    }

    #[test]
    fn a_container_has_categories_of_its_own() {
        let none = HashSet::new();
        let first = fit(contexts(), &container(&[]), &none);
        assert_eq!(first.process, "system_u:system_r:container_t:s0:c0,c1");
        assert_eq!(first.file, "system_u:object_r:container_file_t:s0:c0,c1");
        assert_eq!(shared(&first), "system_u:object_r:container_file_t:s0");
        let taken = HashSet::from(["s0:c0,c1"]);
        let second = fit(contexts(), &container(&[]), &taken);
        assert_eq!(level(&second), Some("s0:c0,c16"));
    }

    #[test]
    fn what_is_asked_for_is_taken() {
        let asked = [
            "label=type:spc_t",
            "label=user:me",
            "label=role:r",
            "label=level:s0:c5",
            "label=filetype:x_t",
            "seccomp=x",
        ];
        let labels = fit(contexts(), &container(&asked), &HashSet::new());
        assert_eq!(
            (labels.process.as_str(), labels.file.as_str()),
            ("me:r:spc_t:s0:c5", "system_u:object_r:x_t:s0:c5")
        );
        assert!(is_unlabelled(&container(&["label=disable"])) && !is_unlabelled(&container(&asked)));
        assert!(is_unlabelled(&Container { privileged: true, ..Container::default() }));
    }
}
