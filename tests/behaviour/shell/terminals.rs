//! Completion in real shells on a terminal: a person types, presses TAB, and sees the rest of the word. PowerShell alone is not here.

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
    let tmp = case.home.join("tmp").display().to_string();
    let more = [("PATH", path.as_str()), ("TERM", "xterm"), ("LANG", "C.UTF-8"), ("PS1", "> "), ("TMPDIR", &tmp)];
    let mut terminal = on_terminal_of(&case, program, &more);
    terminal.write(script);
    // What is typed has other letters.
    terminal.write("echo rea''dy\r");
    terminal.expect("ready\r\n");
    (case, terminal)
}

#[test]
fn bash() {
    let (case, mut terminal) = shell(&["bash", "--norc", "--noprofile", "-i"], "source <(coracle completion bash)\r");
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
    terminal.write("\x15coracle ps --format {{.RunningF\t");
    terminal.expect("{{.RunningFor}} ");
    terminal.write("\x15coracle cp sleeper:/et\t");
    terminal.expect("sleeper:/etc/");
    terminal.write("\x15coracle run -v /etc:/et\tX");
    terminal.expect("/etc:/etc X");
    // There, too, and at an equals sign.
    let described = case.home.join(".config/cdi");
    std::fs::create_dir_all(&described).unwrap();
    std::fs::write(described.join("x.json"), r#"{"kind": "vendor.com/class", "devices": [{"name": "one"}]}"#).unwrap();
    terminal.write("\x15coracle run --device vendor.com/cl\t");
    terminal.expect("vendor.com/class=one ");
    terminal.write("\x15coracle run --device vendor.com/class=o\t");
    terminal.expect("ne ");
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
    // Behind a colon, and in braces, quoted or not.
    terminal.write("\x15coracle rmi localhost:\t");
    terminal.expect("rmi localhost:5");
    terminal.expect("/busybox:latest");
    terminal.write("\x15coracle cp slee\t");
    terminal.expect("per:");
    terminal.write("/et\t");
    terminal.expect("/et");
    terminal.expect("c/");
    for (typed, rest) in [("'{{.RunningF", "or}}'"), ("{{.RunningF", "or}}"), ("{{.CreatedA", "t}}")] {
        terminal.write(&format!("\x15coracle ps --format {typed}\t"));
        terminal.expect(rest);
    }
    terminal.write("\x15coracle ps --format={{.RunningF\t");
    terminal.expect("or}}");
    terminal.write("\x15coracle ps --format {{.ID}}{{.Imag\tX");
    terminal.expect("{{.ID}}{{.Imag\x07X");
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
    // Behind a colon, and in braces, quoted or not.
    terminal.write("\x15coracle rmi localhost:\t");
    terminal.expect("/busybox:latest ");
    terminal.write("\x15coracle cp sleeper:/et\t");
    terminal.expect("sleeper:/etc/");
    terminal.write("\x15coracle ps --format '{{.RunningF\t");
    terminal.expect("'{{.RunningFor}}' ");
    terminal.write("\x15coracle ps --format='{{.RunningF\t");
    terminal.expect("='{{.RunningFor}}' ");
    // What it would put behind these is quoted, and would close nothing.
    terminal.write("\x15coracle ps --format {{.RunningF\tX");
    terminal.expect("{{.RunningFX");
    terminal.write("\x15coracle start \t");
    terminal.expect("sleeper");
    terminal.expect("(created, localhost:");
    terminal.expect("other-one");
    assert!(!terminal.shown().contains("slow"), "what runs can't be started: {}", terminal.shown());
}

#[test]
fn elvish() {
    let script = "eval (coracle completion elvish | slurp)\r";
    let (case, mut terminal) = shell(&["elvish", "-norc"], script);
    terminal.write("coracle inspect --format '{{.Name}} it is' slee\t\r");
    terminal.expect("sleeper it is\r\n");
    // What is not only the rest of the word it shows whole, and takes it with the next key.
    terminal.write("coracle run --pull=mi\t");
    terminal.expect("COMPLETING argument");
    terminal.expect("--pull=missing");
    terminal.write("\r\x15coracle start \t");
    terminal.expect("COMPLETING argument");
    terminal.expect("other-one (created, localhost:");
    terminal.expect("sleeper (created, localhost:");
    assert!(!terminal.shown().contains("slow"), "what runs can't be started: {}", terminal.shown());
    terminal.write("\r >/dev/null; echo rea''ched\r");
    terminal.expect("reached\r\n");
    assert_eq!(case.inspect("other-one", "{{.State.Status}}"), "running");
}

/// PowerShell is nowhere in Debian, so its script is not run here: it is the one of the package, word by word, and each of the things of
/// PowerShell's that it uses stands there once; what it is answered is tried in `answers`.
#[test]
fn powershell_as_far_as_it_can_be_had() {
    let case = Case::new(Driver::Auto);
    let script = case.coracle(["completion", "powershell"]).code(0).stderr("").stdout;
    for (open, close) in [('{', '}'), ('(', ')'), ('[', ']')] {
        let count = |wanted| script.chars().filter(|c| *c == wanted).count();
        assert_eq!(count(open), count(close), "{open} {close}");
    }
    let used = [
        "Register-ArgumentCompleter -Native -CommandName coracle -ScriptBlock",
        "param($current, $command, $position)",
        "coracle @complete powershell @words \"=$current\"",
        "[System.Management.Automation.CompletionResult]::new(",
    ];
    for part in used {
        assert_eq!(script.matches(part).count(), 1, "{part}");
    }
    let answer = case.coracle(["@complete", "powershell", "coracle", "run", "=--pull=mi"]);
    answer.code(0).stdout("--pull=missing\n");
    let answer = case.coracle(["@complete", "powershell", "coracle", "network", "=conn"]).code(0).stdout;
    assert!(answer.starts_with("connect\t"), "{answer}");
}
