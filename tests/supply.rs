//! What the program is made of: every package's licence and source, and how many there are. No network is asked.

use serde_json::Value;

/// Licences that the program may be linked with. `AND` needs all of its sides, `OR` one.
const LICENCES: [&str; 14] = [
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "Unlicense",
    "0BSD",
    "BSL-1.0",
    "CC0-1.0",
    "Unicode-3.0",
    "CDLA-Permissive-2.0",
    "bzip2-1.0.6",
];

/// Packages under another licence, each for a reason.
const EXCEPTIONS: [(&str, &str); 1] = [
    // Asks for nothing but that changes to its own one file are published; `directories` brings it.
    ("option-ext", "MPL-2.0"),
];

/// Packages in `Cargo.lock`, this one too.
const CEILING: usize = 273;

fn packages() -> Vec<Value> {
    let bytes = match std::env::var_os("CORACLE_METADATA") {
        Some(file) => std::fs::read(file).unwrap(),
        None => {
            let cargo = std::process::Command::new(env!("CARGO"))
                .args(["metadata", "--locked", "--offline", "--format-version", "1", "--manifest-path"])
                .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
                .output()
                .unwrap();
            assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
            cargo.stdout
        }
    };
    let metadata: Value = serde_json::from_slice(&bytes).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

/// Whether one may choose licences out of `expression` so that all of them are allowed.
fn allowed(expression: &str) -> bool {
    // `OR` binds less than `AND`; the old `/` means `OR`.
    let expression = expression.replace('/', " OR ");
    let sides = split(&expression, " OR ");
    if sides.len() > 1 {
        return sides.iter().any(|side| allowed(side));
    }
    let sides = split(&expression, " AND ");
    if sides.len() > 1 {
        return sides.iter().all(|side| allowed(side));
    }
    let term = expression.trim();
    match term.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
        Some(inner) => allowed(inner),
        None => LICENCES.contains(&term),
    }
}

/// Splits at an operator that stands outside of parentheses.
fn split<'a>(expression: &'a str, operator: &str) -> Vec<&'a str> {
    let (mut depth, mut from, mut parts) = (0, 0, Vec::new());
    for (at, char) in expression.char_indices() {
        match char {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ if depth == 0 && expression[at..].starts_with(operator) => {
                parts.push(&expression[from..at]);
                from = at + operator.len();
            }
            _ => {}
        }
    }
    parts.push(&expression[from..]);
    parts
}

#[test]
fn every_licence_is_allowed() {
    let packages = packages();
    let faults: Vec<_> = packages
        .iter()
        .filter(|package| !package["license"].as_str().is_some_and(allowed))
        .filter(|package| {
            !EXCEPTIONS.iter().any(|(name, licence)| package["name"] == *name && package["license"] == *licence)
        })
        .map(|package| format!("{} {}: {}", package["name"], package["version"], package["license"]))
        .collect();
    assert!(faults.is_empty(), "packages under other licences:\n{}", faults.join("\n"));
}

#[test]
fn every_source_is_the_registry() {
    let packages = packages();
    let own = |package: &Value| package["source"].is_null() && package["name"] == env!("CARGO_PKG_NAME");
    let registry = |package: &Value| package["source"] == "registry+https://github.com/rust-lang/crates.io-index";
    let faults: Vec<_> = packages
        .iter()
        .filter(|package| !own(package) && !registry(package))
        .map(|package| format!("{}: {}", package["name"], package["source"]))
        .collect();
    assert!(faults.is_empty(), "packages from elsewhere:\n{}", faults.join("\n"));
}

#[test]
fn the_lock_file_stays_below_its_ceiling() {
    let lock = include_str!("../Cargo.lock");
    let count = lock.lines().filter(|line| *line == "[[package]]").count();
    assert!(count <= CEILING, "{count} packages in Cargo.lock, {CEILING} at most");
    let unchecked: Vec<_> = lock
        .split("[[package]]")
        .skip(1)
        .filter(|package| package.contains("\nsource = ") && !package.contains("\nchecksum = "))
        .collect();
    assert!(unchecked.is_empty(), "packages without a checksum: {unchecked:?}");
}

#[test]
fn licence_expressions_are_understood() {
    for good in
        ["MIT", "MIT OR GPL-3.0", "MIT/Apache-2.0", "(MIT OR GPL-2.0) AND ISC", "Apache-2.0 WITH LLVM-exception"]
    {
        assert!(allowed(good), "{good}");
    }
    for bad in ["GPL-3.0", "MIT AND GPL-3.0", "(GPL-2.0 OR AGPL-3.0) AND MIT", ""] {
        assert!(!allowed(bad), "{bad}");
    }
}

/// One file that asks for no loader and no library of the machine (elf(5): no PT_INTERP), at fixed addresses (ET_EXEC).
#[test]
fn the_program_is_one_static_file() {
    let bytes = std::fs::read(crate::harness::binary()).unwrap();
    let number = |at: usize, length: usize| {
        bytes[at..at + length].iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte))
    };
    assert_eq!(bytes[..5], *b"\x7fELF\x02");
    let (kind, headers, size, count) = (number(16, 2), number(32, 8), number(54, 2), number(56, 2));
    let kinds: Vec<_> = (0..count).map(|index| number(headers + index * size, 4)).collect();
    assert_eq!(kind, 2, "position-independent");
    assert!(!kinds.contains(&3), "it asks for a loader");
}
