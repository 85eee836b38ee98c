//! `run -it`: a real terminal inside, and the user's own terminal as it was, on every way out.

use rustix::process::{Pid, Signal, kill_process};

use crate::harness::{Case, LIMIT, Terminal, wait_for, wait_until};

/// The program on a terminal, under a shell that stays when it ends: it says `ended CODE` and waits for a line.
pub fn on_terminal(case: &Case, arguments: &[&str]) -> Terminal {
    on_terminal_with(case, arguments, &[])
}

/// The same, with more in its environment.
pub fn on_terminal_with(case: &Case, arguments: &[&str], more: &[(&str, &str)]) -> Terminal {
    let program = crate::harness::binary().display().to_string();
    let shell = ["sh", "-c", "\"$0\" \"$@\"; echo \"ended $?\"; read line", &program];
    on_terminal_of(case, &shell.iter().chain(arguments).copied().collect::<Vec<_>>(), more)
}

/// Any program on a terminal, as the case's user, with more in its environment.
pub fn on_terminal_of(case: &Case, program: &[&str], more: &[(&str, &str)]) -> Terminal {
    let home = case.home.display().to_string();
    let data = case.data.display().to_string();
    let path = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";
    let usual = [
        ("HOME", home.as_str()),
        ("XDG_DATA_HOME", &data),
        ("PATH", path),
        ("TERM", "xterm-256color"),
        ("CORACLE_STORAGE_DRIVER", case.driver.name()),
    ];
    let environment: Vec<(&str, &str)> = usual.iter().chain(more).copied().collect();
    Terminal::start(program, &environment, 24, 80)
}

/// The process that the shell on the terminal waits for.
fn foreground(terminal: &Terminal) -> Pid {
    let shell = terminal.pid().as_raw_nonzero();
    let file = format!("/proc/{shell}/task/{shell}/children");
    wait_for("the shell has a child", LIMIT, || {
        Pid::from_raw(std::fs::read_to_string(&file).ok()?.split_whitespace().next()?.parse().ok()?)
    })
}

fn settings(terminal: &Terminal) -> String {
    format!("{:?}", terminal.settings())
}

/// Job control, line editing, resizing; then everything as before.
fn a_shell_with_job_control(case: &Case) {
    let image = case.busybox();
    let mut terminal = on_terminal(case, &["run", "-it", "--rm", "--network=none", "--name", "box", &image, "sh"]);
    let before = format!("{:?}", terminal.before());
    terminal.expect("# ");
    assert!(terminal.is_raw());
    terminal.write("tty; echo $TERM; stty size\r");
    terminal.expect("/dev/pts/0\r\n");
    terminal.expect("xterm\r\n");
    terminal.expect("24 80\r\n");
    terminal.write("sleep 1000\r");
    terminal.expect("sleep 1000\r\n");
    // Keys make signals for the foreground job once there is one.
    wait_until("sleep runs", LIMIT, || job_in_foreground(case));
    terminal.write("\x1a");
    terminal.expect("Stopped");
    terminal.write("fg\r");
    terminal.expect("sleep 1000\r\n");
    wait_until("sleep runs again", LIMIT, || job_in_foreground(case));
    terminal.write("\x03");
    terminal.write("echo code=$?\r");
    terminal.expect("code=130\r\n");
    terminal.resize(50, 132);
    wait_until("the new size has arrived", LIMIT, || {
        terminal.write("stty size\r");
        terminal.expect("stty size\r\n");
        terminal.expect("\r\n").contains("50 132")
    });
    assert!(!terminal.shown().contains("job control turned off"), "{}", terminal.shown());
    terminal.write("exit 5\r");
    terminal.expect("ended 5\r\n");
    assert_eq!(settings(&terminal), before);
}

/// Whether the terminal of the container `box` belongs to another process group than its shell's, and that runs.
fn job_in_foreground(case: &Case) -> bool {
    let init = case.inspect("box", "{{.State.Pid}}");
    // Behind the name: state, parent, group, session, terminal, the terminal's foreground group.
    let stat = |pid: &str| -> Vec<String> {
        let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        text.rsplit(") ").next().unwrap_or_default().split(' ').map(str::to_owned).collect()
    };
    let Some(foreground) = stat(&init).get(5).cloned() else { return false };
    foreground != init && stat(&foreground)[0] == "S"
}

/// The terminal is restored when the program is told to end.
fn restored_after_signals(case: &Case) {
    let image = case.busybox();
    let script = "trap 'exit 9' TERM HUP QUIT USR1 ALRM; echo ready; while :; do sleep 0.05; done";
    for signal in [Signal::TERM, Signal::HUP, Signal::QUIT, Signal::USR1, Signal::ALARM] {
        let mut terminal = on_terminal(case, &["run", "-it", "--rm", "--network=none", &image, "sh", "-c", script]);
        let before = format!("{:?}", terminal.before());
        terminal.expect("ready\r\n");
        terminal.wait_until_raw();
        kill_process(foreground(&terminal), signal).unwrap();
        terminal.expect("ended 9\r\n");
        assert_eq!(settings(&terminal), before, "after {signal:?}");
    }
}

/// Signals that are not passed on end the program here, in order; the container lives on.
fn restored_after_a_signal_of_ones_own(case: &Case) {
    let image = case.busybox();
    let head = ["run", "-it", "--rm", "--network=none", "--sig-proxy=false", "--name", "box", &image];
    let arguments: Vec<_> = head.into_iter().chain(["sh", "-c", "echo ready; exec sleep 1000"]).collect();
    let mut terminal = on_terminal(case, &arguments);
    let before = format!("{:?}", terminal.before());
    terminal.expect("ready\r\n");
    terminal.wait_until_raw();
    kill_process(foreground(&terminal), Signal::QUIT).unwrap();
    terminal.expect("ended 131\r\n");
    assert_eq!(settings(&terminal), before);
    assert_eq!(case.inspect("box", "{{.State.Status}}"), "running");
}

/// The terminal is restored when the container is killed from elsewhere.
fn restored_after_a_stop(case: &Case) {
    let image = case.busybox();
    let arguments = ["run", "-it", "--rm", "--network=none", "--name", "doomed", &image, "sleep", "1000"];
    let mut terminal = on_terminal(case, &arguments);
    let before = format!("{:?}", terminal.before());
    terminal.wait_until_raw();
    wait_until("it runs", LIMIT, || case.coracle(["ps", "-q"]).stdout.trim_end().len() == 12);
    case.coracle(["stop", "-t", "0", "doomed"]).code(0);
    terminal.expect("ended 137\r\n");
    assert_eq!(settings(&terminal), before);
}

/// The terminal is restored when nothing could be started.
fn restored_after_a_failure(case: &Case) {
    let image = case.busybox();
    let mut terminal = on_terminal(case, &["run", "-it", "--rm", "--network=none", &image, "no-such-command"]);
    let before = format!("{:?}", terminal.before());
    terminal.expect("Error:");
    terminal.expect("ended 127\r\n");
    assert_eq!(settings(&terminal), before);
}

/// Keys that make signals outside are bytes inside: the program there decides.
fn keys_are_the_containers(case: &Case) {
    let image = case.busybox();
    let script = "trap 'echo caught' INT; echo ready; read line; read line; echo after";
    let mut terminal = on_terminal(case, &["run", "-it", "--rm", "--network=none", &image, "sh", "-c", script]);
    terminal.expect("ready\r\n");
    terminal.wait_until_raw();
    terminal.write("\x03");
    terminal.expect("caught\r\n");
    terminal.write("x\r");
    terminal.write("x\r");
    terminal.expect("after\r\n");
    terminal.expect("ended 0\r\n");
}

/// CVE-2017-5226: no descriptor inside is the user's terminal, and none can type into it.
fn the_users_terminal_stays_outside(case: &Case) {
    let case = case.sharing_store();
    let image = case.made("debian");
    let script = "test -t 0 -o -t 1 -o -t 2 && echo terminal || echo pipes; (: </dev/tty) 2>&1 | tail -c 30";
    let mut terminal = on_terminal(&case, &["run", "-i", "--rm", "--network=none", &image, "sh", "-c", script]);
    terminal.expect("pipes");
    terminal.expect("ended 0\r\n");
    let inject = r#"for my $fd (0, 1, 2) { open(my $h, "+<&=", $fd) or open($h, "<&=", $fd);
        for my $call (0x5412, 0x541C) { my $c = "Z"; print ioctl($h, $call, $c) ? "pushed" : "refused", "\n"; } }"#;
    let mut terminal = on_terminal(&case, &["run", "--rm", "--network=none", &image, "perl", "-e", inject]);
    terminal.expect("ended 0\r\n");
    assert!(!terminal.shown().contains("pushed"), "{}", terminal.shown());
    assert_eq!(terminal.shown().matches("refused").count(), 6, "{}", terminal.shown());
}

/// `-t` where the caller has no terminal: a warning at most, carriage returns in the output.
fn a_terminal_for_a_script(case: &Case) {
    let image = case.busybox();
    let finished = case.coracle(["run", "-t", "--rm", "--network=none", &image, "sh", "-c", "tty; echo $TERM"]).code(0);
    assert_eq!(finished.stdout, "/dev/pts/0\r\nxterm\r\n", "{finished}");
}

on_both_drivers!(
    a_shell_with_job_control,
    restored_after_signals,
    restored_after_a_signal_of_ones_own,
    restored_after_a_stop,
    restored_after_a_failure,
    keys_are_the_containers,
    the_users_terminal_stays_outside,
    a_terminal_for_a_script,
);
