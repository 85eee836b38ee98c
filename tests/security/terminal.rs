//! The user's terminal: nobody types into it, and nothing that comes from an image steers it.

use serde_json::json;

use super::{program, pull, pulled, start};
use crate::behaviour::into::terminal::{on_terminal, on_terminal_with};
use crate::harness::{Case, Image, LIMIT, Layer, wait_until};

/// CVE-2017-5226, CVE-2019-10063, CVE-2019-7303, CVE-2023-28100: what a program types into the terminals that it holds, also with bits
/// that the kernel does not look at, arrives in no terminal of the user's.
fn nobody_types_for_the_user(case: &Case) {
    let image = pulled(case, Layer::new().file("hostile", 0o755, program()));
    start(case, &[], &image, "sleep 1000");
    for line in [
        "run --rm --network=none IMAGE /hostile type",
        "run --rm -i --network=none IMAGE /hostile type",
        "run --rm -t --network=none IMAGE /hostile type",
        "run --rm -it --network=none --privileged IMAGE /hostile type",
        "exec box /hostile type",
        "exec -i box /hostile type",
        "exec -it --privileged box /hostile type",
    ] {
        let line = line.replace("IMAGE", &image);
        let words: Vec<&str> = line.split(' ').collect();
        let mut terminal = on_terminal(case, &words);
        terminal.expect("tried");
        terminal.expect("ended 0\r\n");
        let shown = terminal.shown();
        if !words.iter().any(|word| word.starts_with('-') && !word.starts_with("--") && word.contains('t')) {
            assert!(!shown.contains("typed by"), "{line}: {shown}");
        }
        // What the shell that waits outside reads is what is typed now.
        terminal.write("own\r");
        wait_until("the shell has read it", LIMIT, || terminal.shown().contains("own"));
        let after = terminal.shown()[shown.len()..].to_owned();
        assert!(!after.contains('Z'), "{line}: {after:?}");
    }
}

/// What an image or a registry says is shown, never obeyed.
fn escape_sequences(case: &Case) {
    let evil = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}2J";
    let image = Image::busybox()
        .config("Labels", json!({ "label": evil, evil: "name" }))
        .config("Env", vec![format!("EVIL={evil}"), "PATH=/bin".to_owned()])
        .config("Cmd", vec![evil])
        .config("Entrypoint", vec!["/bin/sleep"]);
    let image = pull(case, image);
    let refused = pull_as(case, Image::busybox().config("User", evil), "user");
    let absent = pull_as(case, Image::busybox().config("Cmd", vec![evil]), "command");
    let nowhere = pull_as(case, Image::busybox().config("WorkingDir", format!("/etc/passwd/{evil}")), "folder");
    case.coracle(["create", "--network=none", "--name=box", &image]).succeeded();
    let lines: [&[&str]; 14] = [
        &["ps", "-a"],
        &["ps", "-a", "--no-trunc", "--format", "{{.Command}} {{.Labels}}"],
        &["images", "--format", "{{.Repository}} {{.Labels}}"],
        &["inspect", "box"],
        &["inspect", "--format", "{{.Config.Cmd}} {{.Config.Env}} {{.Config.Labels}}", "box"],
        &["inspect", &image],
        &["history", "--no-trunc", &image],
        &["events", "--stream=false"],
        &["run", "--rm", "--network=none", &refused],
        &["run", "--rm", "--network=none", &absent],
        &["run", "--rm", "--network=none", &nowhere],
        &["image", "tree", &image],
        &["logs", evil],
        &["diff", "box"],
    ];
    for line in lines {
        // Without this program's own colours.
        let mut terminal = on_terminal_with(case, line, &[("NO_COLOR", "1")]);
        let shown = terminal.expect("ended");
        assert!(!shown.contains(['\u{1b}', '\u{7}', '\u{9b}']), "{line:?}: {shown:?}");
        // What an error tells is told to programs the same.
        let told = case.coracle(line.iter().copied()).stderr;
        assert!(!told.contains(['\u{1b}', '\u{7}', '\u{9b}']), "{line:?}: {told:?}");
    }
    // It is there, though, for who looks.
    assert!(case.inspect("box", "{{.Config.Cmd}}").contains("owned"));
}

fn pull_as(case: &Case, image: Image, name: &str) -> String {
    let tag = format!("escape-{name}:{}", case.home.file_name().unwrap().to_string_lossy());
    case.pull(&image.push(&tag))
}

on_both_drivers!(nobody_types_for_the_user, escape_sequences);
