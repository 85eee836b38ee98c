//! How much of what is hostile is tried: as much as the README says.

use super::{layers, registry};
use crate::architecture::root;

#[test]
fn four_hundred_cases() {
    let (registry, tar) = (registry::cases(), layers::cases());
    println!("{registry} of registries and {tar} of layers");
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let readme = readme.split_whitespace().collect::<Vec<_>>().join(" "); // wherever its lines are broken
    let claimed =
        readme.split_once(" things that a registry or a layer may try").unwrap().0.rsplit(' ').next().unwrap();
    let claimed: usize = claimed.parse().unwrap();
    assert!(claimed >= 400 && registry + tar > claimed, "{registry} of registries and {tar} of layers, not {claimed}");
}
