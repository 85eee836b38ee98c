//! The README's section for who comes from elsewhere: each line is true.

use crate::architecture::root;
use crate::harness::{Case, Driver};

const HEAD: &str = "## Coming from Podman or Docker";

/// What each command of the table ends with, and what it says.
const LINES: [(&str, i32, &str); 16] = [
    ("run --rm IMAGE true", 0, ""),
    ("run -d --name web --restart always IMAGE sleep 1000", 0, ""),
    ("exec web true", 0, ""),
    ("inspect --format {{.State.Status}} web", 0, "running"),
    ("ps --format json", 0, "\"Names\": ["),
    ("container checkpoint web", 125, "hint: `coracle commit`"),
    ("stop --time 0 web", 0, "web"),
    ("run --link web IMAGE true", 125, "find each other by name"),
    ("network create net", 0, "net"),
    ("container mount web", 125, "hint: `coracle cp`, `diff` and `export`"),
    ("system migrate", 0, ""),
    ("pod create", 125, "take `container:NAME`"),
    ("compose up", 125, "hint: `coracle run` starts each"),
    ("machine start", 125, "containers run on this one"),
    ("system service", 125, "there is no service to speak to"),
    ("swarm init", 125, "hint: `coracle quadlet`"),
];

#[test]
fn who_comes_from_elsewhere_is_told_the_truth() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let section = readme.split("\n## ").find(|section| HEAD.ends_with(section.lines().next().unwrap())).unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `coracle ")?.split_once('`'));
    let rows: Vec<String> = rows.map(|(command, _)| command.replace('\'', "")).collect();
    assert_eq!(rows, LINES.map(|(command, ..)| command));
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    for (command, code, words) in LINES {
        let words_of = command.split(' ').map(|word| if word == "IMAGE" { &image } else { word });
        let done = case.coracle(words_of).code(code);
        assert!(format!("{}{}", done.stdout, done.stderr).contains(words), "{command}: {done}");
    }
    assert_eq!(case.inspect("web", "{{.State.Running}}"), "false", "stopped by hand, it is not started again");
}
