//! coracle-quadlet(5) tells of each key of Podman's quadlets, those of files that are refused among them. What becomes of each, the
//! tests of quadlets try.

use std::collections::BTreeSet;

use super::page;
use crate::harness::{Case, Driver};

/// Files that are refused whole: their entry, one of them, and all keys of Podman 5.4.
const REFUSED: [(&str, &str, &str); 2] = [
    (
        "[Pod], IN .pod FILES",
        "it.pod",
        "AddHost ContainersConfModule DNS DNSOption DNSSearch GIDMap GlobalArgs IP IP6 Network NetworkAlias PodmanArgs PodName \
         PublishPort ServiceName ShmSize SubGIDMap SubUIDMap UIDMap UserNS Volume",
    ),
    (
        "[Kube], IN .kube FILES",
        "it.kube",
        "AutoUpdate ConfigMap ContainersConfModule ExitCodePropagation GlobalArgs KubeDownForce LogDriver Network PodmanArgs \
         PublishPort SetWorkingDirectory UserNS Yaml",
    ),
];

#[test]
fn each_key_is_told_of() {
    let text = page::text("coracle-quadlet");
    let (mut section, mut seen) = (String::new(), 0);
    for line in include_str!("../behaviour/service/quadlet.keys").lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = match name {
                "Quadlet" => "DESCRIPTION".to_owned(),
                _ => format!("\"[{name}], IN .{} FILES\"", name.to_lowercase()),
            };
        }
        let Some((key, _)) = line.split_once('=').filter(|(key, _)| !key.starts_with('#') && *key != "Frob") else {
            continue;
        };
        let key = format!("{key}=");
        let entries = page::entries(&text, &section);
        let told = entries.iter().any(|(name, told)| *name == key || (name == "[Quadlet]" && told.starts_with(&key)));
        assert!(told, "{key} in {section}");
        seen += 1;
    }
    assert!(seen > 150, "{seen}");
}

#[test]
fn each_key_of_a_file_that_is_refused_is_named() {
    let (text, case) = (page::text("coracle-quadlet"), Case::new(Driver::Auto));
    let entries = page::entries(&text, "NOT HONOURED");
    for (name, file, keys) in REFUSED {
        let (_, told) = entries.iter().find(|(found, _)| found == name).unwrap_or_else(|| panic!("{name}"));
        let named = told.split([' ', ',', ':']).filter_map(|word| word.strip_suffix('='));
        assert_eq!(named.collect::<BTreeSet<_>>(), keys.split_whitespace().collect(), "{name}");
        let folder = case.home.join(format!("{file}.d"));
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join(file), "").unwrap();
        let dry_run = case.command(["quadlet", "--dryrun", "--user"]).env("QUADLET_UNIT_DIRS", &folder);
        let said = dry_run.finish();
        assert!(said.code == Some(1) && said.stderr.contains(file), "{said}");
    }
    assert_eq!(entries.len(), REFUSED.len());
}
