//! Completions and manual pages are what the program itself generates: they can't say what it does not do.

mod elsewhere;
mod keys;
mod page;
mod quadlets;
mod registries;

use std::collections::BTreeMap;
use std::path::Path;

use crate::architecture::root;

fn files(directory: &Path) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    entries
        .map(|entry| {
            let path = entry.unwrap().path();
            (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(&path).unwrap())
        })
        .collect()
}

#[test]
fn completions_and_manual_pages_are_up_to_date() {
    let made = std::env::temp_dir().join(format!("coracle-documents-{}", std::process::id()));
    let status = std::process::Command::new(crate::harness::binary()).arg("generate").arg(&made).status().unwrap();
    assert!(status.success());
    for folder in ["completions", "man"] {
        let (committed, generated) = (files(&root().join(folder)), files(&made.join(folder)));
        for name in committed.keys().chain(generated.keys()) {
            let same = committed.get(name) == generated.get(name);
            assert!(same, "{folder}/{name} is not what the program generates: run `coracle generate .` and commit");
        }
    }
    std::fs::remove_dir_all(made).unwrap();
}
