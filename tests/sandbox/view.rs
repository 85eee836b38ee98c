//! What a program finds in a container with no flags (`view.c`), line by line, against what rootless Podman gives it (`view.txt`).
//! `tests/peers` asks Podman itself.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use coracle::oci::capability::CapabilitySet;
use coracle::runtime::seccomp::{Action, Architecture, Facts, Profile};

use crate::harness::{Case, Image, Layer, compiled};

/// An image of busybox with the program as `/view`.
fn image(case: &Case) -> String {
    static PROGRAM: OnceLock<Vec<u8>> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| compiled("view", include_str!("view.c")));
    case.pull(&Image::busybox().layer(Layer::new().file("view", 0o755, program)).push("view:latest"))
}

/// The facts by their names, without those of system calls.
fn facts(text: &str) -> BTreeMap<&str, &str> {
    let lines = text.lines().filter(|line| !line.starts_with("call ") && !line.starts_with('#'));
    lines.map(|line| line.split_once(": ").unwrap_or((line, ""))).collect()
}

/// Whether a value is one of those expected, in which `*` stands for anything.
fn fits(value: &str, expected: &str) -> bool {
    expected.split(" | ").any(|one| match one.split_once('*') {
        None => value.trim_end() == one,
        Some((before, after)) => value.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len()).any(|skipped| rest.get(skipped..).is_some_and(|rest| fits(rest, after)))
        }),
    })
}

fn all_is_as_with_podman(case: &Case) {
    let image = image(case);
    let said = case.coracle(["run", "--rm", "--network=none", &image, "/view"]).code(0).stdout;
    let (found, expected) = (facts(&said), facts(include_str!("view.txt")));
    let mut differences: Vec<String> = Vec::new();
    for (name, value) in &found {
        match expected.get(name) {
            Some(expected) if fits(value, expected) => {}
            expected => differences.push(format!("{name}: {value:?}, not {expected:?}")),
        }
    }
    // What the machine does not have is not covered, either.
    let is_missing = |name: &&&str| match name.strip_prefix("mount ") {
        Some(path) => found.get(format!("file {path}").as_str()).is_none_or(|file| *file != "ENOENT"),
        None => true,
    };
    let missing = expected.keys().filter(|name| !found.contains_key(**name)).filter(is_missing);
    differences.extend(missing.map(|name| format!("{name} is missing")));
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Each call that the filter refuses is refused so; none of the others has no answer for that reason.
fn every_call_has_the_filters_answer(case: &Case) {
    let image = image(case);
    let facts = Facts::here(CapabilitySet::DEFAULT).unwrap();
    let said = case.coracle(["run", "--rm", "--network=none", &image, "/view"]).code(0).stdout;
    let mut calls = 0;
    for line in said.lines().filter_map(|line| line.strip_prefix("call ")) {
        let (number, answer) = line.split_once(": ").unwrap();
        let number = number.parse().unwrap();
        let by = Architecture::native().unwrap();
        match Profile::default().decide(&facts, by, number, &[u64::MAX; 6]) {
            Action::Errno(errno) => {
                let name = format!("{:?}", nix::errno::Errno::from_raw(errno.into()));
                assert_eq!(answer, name, "call {number}");
            }
            Action::Allow => {}
            other => panic!("call {number}: {other:?}"),
        }
        calls += 1;
    }
    assert_eq!(calls, 468);
}

on_both_drivers!(all_is_as_with_podman, every_call_has_the_filters_answer);
