//! Completion in real shells on a terminal: a person types, presses TAB, and sees the rest of the word.

use crate::behaviour::into::terminal::on_terminal_of;
use crate::harness::{Case, Driver, Terminal};

/// A case with two containers, of which the one named `sleeper` can be started, and the shell, which has read its script.
fn shell(program: &[&str], script: &str) -> (Case, Terminal) {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    for (verb, name) in [(&["create"][..], "sleeper"), (&["create"], "other-one"), (&["run", "-d"], "slow")] {
        case.coracle([verb, &["--network=none", "--name", name, &image, "sleep", "1000"]].concat()).succeeded();
    }
    let folder = crate::harness::binary().parent().unwrap().display().to_string();
    let path = format!("{folder}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin");
    let more = [("PATH", path.as_str()), ("TERM", "xterm"), ("LANG", "C.UTF-8"), ("PS1", "> ")];
    let mut terminal = on_terminal_of(&case, program, &more);
    terminal.write(script);
    // What is typed has other letters.
    terminal.write("echo rea''dy\r");
    terminal.expect("ready\r\n");
    (case, terminal)
}

#[test]
fn bash() {
    let (_case, mut terminal) = shell(&["bash", "--norc", "--noprofile", "-i"], "source <(coracle completion bash)\r");
    terminal.write("coracle start sl\t");
    terminal.expect("start sleeper ");
    terminal.write("\x15coracle run --pull=mi\t");
    terminal.expect("--pull=missing ");
    // Its registry has a colon in it, where bash ends a word.
    terminal.write("\x15coracle rmi localhost:\t");
    terminal.expect("rmi localhost:5");
    terminal.expect("/busybox:latest ");
    terminal.write("\x15coracle ps --format '{{.RunningF\t");
    terminal.expect("{{.RunningFor}}'");
    terminal.write("\x15coracle start \t\t");
    terminal.expect("other-one");
    terminal.expect("sleeper");
    assert!(!terminal.shown().contains("slow"), "what runs can't be started: {}", terminal.shown());
}

#[test]
fn zsh() {
    let script = "autoload -Uz compinit; compinit -u -D; source <(coracle completion zsh)\r";
    let (_case, mut terminal) = shell(&["zsh", "-f", "-i"], script);
    terminal.write("coracle start sl\t");
    terminal.expect("eeper");
    terminal.write("\x15coracle run --pull=mi\t");
    terminal.expect("ssing");
    terminal.write("\x15coracle start \t");
    // It shows what two have in common once.
    terminal.expect("-- created, localhost:");
    assert!(terminal.shown().contains("other-one") && terminal.shown().contains("sleeper  "), "{}", terminal.shown());
    assert!(!terminal.shown().contains("slow"), "what runs can't be started: {}", terminal.shown());
}

#[test]
fn fish() {
    let (_case, mut terminal) = shell(&["fish", "--private", "--no-config"], "coracle completion fish | source\r");
    terminal.write("coracle start sl\t");
    terminal.expect("eeper");
    terminal.write("\x15coracle run --pull=mi\t");
    terminal.expect("ssing");
    terminal.write("\x15coracle start \t");
    terminal.expect("sleeper");
    terminal.expect("(created, localhost:");
    terminal.expect("other-one");
    assert!(!terminal.shown().contains("slow"), "what runs can't be started: {}", terminal.shown());
}
