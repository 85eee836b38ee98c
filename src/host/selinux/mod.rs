//! SELinux as this machine has it: whether it is on, and which labels its policy has for containers.
//!
//! A policy names them in a file for whoever runs containers (selinux(8), `contexts/lxc_contexts`):
//!
//! ```text
//! process = "system_u:system_r:container_t:s0"
//! file = "system_u:object_r:container_file_t:s0"
//! ro_file = "system_u:object_r:container_ro_file_t:s0"
//! ```
//!
//! Two categories of 1,024 at the end of the level, `s0:c17,c803`, tell one container from another: policies have processes reach
//! what has no category that they lack.

mod label;

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};

use crate::host::system_file;

pub use label::{Label, NotALabel};

/// Where selinuxfs is mounted, and what statfs(2) calls it (linux/magic.h).
const MOUNT: &str = "/sys/fs/selinux";
const MAGIC: i64 = 0xf97c_ff8c;

/// What is written here is checked.
const CHECK: &str = "/sys/fs/selinux/context";

const CONFIGURATION: &str = "/etc/selinux/config";

/// Which policy is meant where the configuration does not say.
const USUAL_POLICY: &str = "targeted";

/// What a process has before a policy is loaded.
const NO_POLICY: &str = "kernel";

/// The labels of a policy for a container's processes, for its files, and for those of images, with no categories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contexts {
    pub process: Label,
    pub file: Label,
    pub layer: Label,
}

/// Whether the kernel labels processes by a policy, whether it enforces that or only tells of it.
pub fn is_enabled() -> bool {
    let mounted = rustix::fs::statfs(MOUNT).is_ok_and(|found| found.f_type == MAGIC);
    mounted && system_file::read("/proc/self/attr/current").is_some_and(|own| has_policy(&own))
}

fn has_policy(own: &str) -> bool {
    let own = own.trim_end_matches(['\0', '\n']);
    !own.is_empty() && own != NO_POLICY
}

/// Whether the loaded policy has this label (security_check_context(3)); who may not ask is left to learn it later.
pub fn knows(label: &str) -> bool {
    let file = OpenOptions::new().read(true).write(true).open(CHECK);
    let refused = file.and_then(|mut file| file.write_all(label.as_bytes())).err();
    refused.is_none_or(|error| error.kind() != ErrorKind::InvalidInput)
}

/// What the machine's policy has for containers; `None`: nothing. Some name labels that they then lack.
pub fn contexts() -> Option<Contexts> {
    let configuration = system_file::read(CONFIGURATION).unwrap_or_default();
    let policy = value(&configuration, "SELINUXTYPE").unwrap_or(USUAL_POLICY);
    let contexts = parse(&system_file::read(format!("/etc/selinux/{policy}/contexts/lxc_contexts"))?)?;
    let known = [&contexts.process, &contexts.file, &contexts.layer].into_iter().all(|label| knows(&label.to_string()));
    known.then_some(contexts)
}

fn parse(text: &str) -> Option<Contexts> {
    let label = |key| value(text, key)?.parse().ok();
    let file: Label = label("file")?;
    // Older policies have one for both.
    let layer = label("ro_file").unwrap_or_else(|| file.clone());
    Some(Contexts { process: label("process")?, file, layer })
}

/// The value of a line `KEY = "VALUE"`, with or without spaces and quotation marks.
fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        (name.trim() == key).then(|| value.trim().trim_matches('"'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_names_its_labels_for_containers() {
        let text = "# of the policy\nprocess = \"system_u:system_r:container_t:s0\"\ncontent = \"a:b:virt_t:s0\"\n\
                    file=system_u:object_r:container_file_t:s0\n";
        let contexts = parse(text).unwrap();
        assert_eq!(contexts.process.to_string(), "system_u:system_r:container_t:s0");
        assert_eq!(contexts.file.to_string(), "system_u:object_r:container_file_t:s0");
        assert_eq!(contexts.layer, contexts.file);
        let newer = parse(&format!("{text}ro_file = \"a:b:read_t:s0\"")).unwrap();
        assert_eq!(newer.layer.to_string(), "a:b:read_t:s0");
        for bad in ["", "process = \"a:b:c:s0\"", "process = \"a:b:c:s0\"\nfile = \"\"", "process = x\nfile = a:b:c:s0"]
        {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
        assert_eq!(value("SELINUX=enforcing\nSELINUXTYPE=mls\n", "SELINUXTYPE"), Some("mls"));
    }

    #[test]
    fn a_kernel_without_a_policy_labels_nothing() {
        assert!(has_policy("unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023\0"));
        assert!(!has_policy("kernel\0") && !has_policy(""));
    }
}
