//! The table of attacks holds what it says: each row names tests that are there, and the place in the source that stops the attack.

use std::path::Path;

use crate::architecture::root;

/// A row: what is known as, what it does, what stops it, its tests, how they were seen to fail.
fn rows() -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(root().join("tests/security/README.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| id "));
    rows.map(|line| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// What stands between backquotes.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// Whether a module's file, of the tests or of the program, has a function or module of that name.
fn exists(test: &str) -> bool {
    let Some((module, name)) = test.rsplit_once("::") else { return false };
    let path = module.replace("::", "/");
    let inner = path.strip_suffix("/tests").unwrap_or(&path);
    let files = ["tests", "src"].iter().flat_map(|top| {
        [
            format!("{top}/{path}.rs"),
            format!("{top}/{path}/mod.rs"),
            format!("{top}/{inner}.rs"),
            format!("{top}/{inner}/mod.rs"),
        ]
    });
    let texts = files.filter_map(|file| std::fs::read_to_string(root().join(file)).ok());
    texts.into_iter().any(|text| text.contains(&format!("fn {name}(")))
}

#[test]
fn every_attack_has_tests_and_a_guard() {
    let rows = rows();
    assert!(rows.len() >= 45, "{} rows", rows.len());
    for row in &rows {
        let [id, attack, guard, tests, seen] = &row[..] else { panic!("{row:?} has other columns") };
        assert!(!attack.is_empty() && !seen.is_empty() && !seen.contains("yet"), "{id}: {seen}");
        assert!(
            quoted(guard).any(|file| root().join(file).exists() && Path::new(file).starts_with("src")),
            "{id}: {guard}"
        );
        assert!(quoted(tests).count() > 0, "{id} has no test");
        for test in quoted(tests) {
            assert!(exists(test), "{id}: there is no test `{test}`");
        }
    }
}
