//! `exec`: the command has what the container's program has, and nothing of ours.

use rustix::process::Signal;

use super::terminal::on_terminal;
use crate::harness::{Case, Driver, Finished, LIMIT, wait_until};

/// A container `box` that sleeps.
fn start(case: &Case, flags: &[&str]) -> String {
    let image = case.busybox();
    let head = ["run", "-d", "--network=none", "--name", "box"].iter().chain(flags).copied();
    case.coracle(head.chain([image.as_str(), "sleep", "1000"])).succeeded();
    image
}

fn exec(case: &Case, arguments: &[&str]) -> Finished {
    case.coracle(["exec"].iter().chain(arguments).copied())
}

fn codes_and_words(case: &Case) {
    start(case, &[]);
    exec(case, &["box", "true"]).code(0).stdout("").stderr("");
    exec(case, &["box", "sh", "-c", "echo out; echo err >&2; exit 7"]).code(7).stdout("out\n").stderr("err\n");
    exec(case, &["box", "sh", "-c", "kill -9 $$"]).code(137);
    exec(case, &["box", "no-such-command"]).code(127).error("executable file `no-such-command` not found in $PATH");
    exec(case, &["box", "/etc/passwd"]).code(126).error("/etc/passwd");
    exec(case, &["-w", "/nowhere", "box", "pwd"]).code(127).error("/nowhere");
    exec(case, &["-u", "nobody-at-all", "box", "id"]).code(255).error("unable to find user nobody-at-all");
    exec(case, &["-u", "4294967296", "box", "id"]).code(255).error("4294967296");
    // Nobody in there would wait for what is left of them.
    let states = exec(case, &["box", "sh", "-c", "cat /proc/[0-9]*/stat"]).succeeded().stdout;
    assert!(states.contains("(sleep) S ") && !states.contains(") Z "), "{states}");
    exec(case, &["box"]).code(125).error("must provide a non-empty command");
    exec(case, &["absent", "true"]).code(125).error("absent");
    case.coracle(["kill", "box"]).code(0);
    case.coracle(["wait", "box"]).code(0);
    exec(case, &["box", "true"]).code(255).error("can only create exec sessions on running containers");
    exec(case, &["--latest", "true"]).code(255);
}

/// Namespaces, capabilities, filter, limits, umask, groups, environment: as the container's own program has them.
fn as_the_containers_program(case: &Case) {
    let flags =
        ["-e", "A=b", "-w", "/tmp", "-u", "33", "--group-add", "7", "--umask", "0027", "--cap-add", "SYS_PTRACE"];
    let image = case.busybox();
    let script = "mkfifo /tmp/go; show() { readlink /proc/self/ns/*; grep -E '^(Cap|Sec|NoNew|Uid|Gid|Groups|Umask)' \
        /proc/self/status; cat /proc/self/limits; env | sort; pwd; id; cat /proc/self/cgroup; }; show >/tmp/own; read a </tmp/go";
    let head = ["run", "-d", "--network=none", "--name", "box"].iter().chain(&flags).copied();
    case.coracle(head.chain([image.as_str(), "sh", "-c", script])).succeeded();
    let show = script.split_once("show() ").unwrap().1.split_once("; show").unwrap().0;
    wait_until("it has shown itself", LIMIT, || exec(case, &["box", "grep", "-c", "uid=", "/tmp/own"]).code == Some(0));
    let own = exec(case, &["box", "cat", "/tmp/own"]).succeeded().stdout;
    let ours = exec(case, &["box", "sh", "-c", show]).succeeded().stdout;
    let lines =
        |text: &str| text.lines().filter(|line| !line.starts_with("SHLVL")).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines(&ours), lines(&own));
    assert!(own.contains("A=b") && own.contains("\n/tmp\n"), "{own}");
}

fn asked_otherwise(case: &Case) {
    start(case, &["-e", "A=1", "-e", "B=1", "--group-add", "7"]);
    let file = case.home.join("variables");
    std::fs::write(&file, "# none\nB=file\nC='quoted'\n").unwrap();
    let script = "echo $A $B $C $D; pwd; id -u; id -G; echo $HOME";
    let file = file.to_str().unwrap();
    exec(
        case,
        &["--env-file", file, "-e", "A=flag", "-e", "D=", "-w", "/etc", "-u", "33:5", "box", "sh", "-c", script],
    )
    .code(0)
    .stdout("flag file 'quoted'\n/etc\n33\n5\n/var/www\n");
    let status =
        |flag: &str| exec(case, &[flag, "box", "grep", "-E", "^(CapEff|CapInh|CapAmb|Seccomp:)", "/proc/self/status"]);
    let plain = status("--privileged=false").succeeded().stdout.replace('\t', "");
    assert_eq!(plain, "CapInh:0000000000000000\nCapEff:00000000800405fb\nCapAmb:0000000000000000\nSeccomp:2\n");
    let privileged = status("--privileged").succeeded().stdout.replace('\t', "");
    assert!(privileged.contains("CapInh:0000000000000000\nCapEff:000001ffffffffff\n"), "{privileged}");
    let id = case.inspect("box", "{{.Id}}");
    std::fs::write(case.home.join("id"), id).unwrap();
    exec(case, &["--cidfile", "id", "echo", "here"]).code(0).stdout("here\n");
    exec(case, &["-l", "echo", "here"]).code(0).stdout("here\n");
}

fn input_and_output(case: &Case) {
    start(case, &[]);
    case.command(["exec", "-i", "box", "cat"]).stdin("one\ntwo").finish().code(0).stdout("one\ntwo").stderr("");
    case.command(["exec", "box", "cat"]).stdin("one").finish().code(0).stdout("").stderr("");
    // As another user, through pipes that are theirs.
    let script = "cat >/dev/stdout; echo err >/dev/stderr";
    case.command(["exec", "-i", "-u", "33", "box", "sh", "-c", script])
        .stdin("x\n")
        .finish()
        .code(0)
        .stdout("x\n")
        .stderr("err\n");
    let much = exec(case, &["-u", "33", "box", "head", "-c", "9000000", "/dev/zero"]).code(0);
    assert_eq!(much.stdout.len(), 9_000_000);
    // What it leaves running holds nobody up.
    exec(case, &["box", "sh", "-c", "sleep 1000 >/dev/null 2>&1 & echo started"]).code(0).stdout("started\n");
    exec(case, &["-u", "33", "box", "sh", "-c", "sleep 1000 & echo started"]).code(0).stdout("started\n");
}

/// A terminal of the container's own; resized, detached from, its signals the program's.
fn on_a_terminal(case: &Case) {
    start(case, &[]);
    let mut terminal = on_terminal(case, &["exec", "-it", "box", "sh"]);
    terminal.expect("# ");
    terminal.write("tty; stty size; echo $TERM; echo mine >/dev/tty\r");
    terminal.expect("/dev/pts/0\r\n24 80\r\nxterm\r\nmine\r\n");
    terminal.resize(30, 90);
    wait_until("the size arrives", LIMIT, || {
        terminal.write("stty size\r");
        terminal.expect("# ").contains("30 90")
    });
    terminal.write("exit 3\r");
    terminal.expect("ended 3\r\n");
    let mut terminal = on_terminal(case, &["exec", "-it", "box", "sh", "-c", "echo ready; sleep 1001"]);
    terminal.expect("ready");
    terminal.write("\x10\x11");
    terminal.expect("ended 0\r\n");
    wait_until("it lives on", LIMIT, || processes(case, "sleep 1001") == 1);
}

fn processes(case: &Case, line: &str) -> usize {
    let listed = exec(case, &["box", "ps", "-o", "args"]).succeeded().stdout;
    listed.lines().filter(|args| args.trim() == line).count()
}

/// `-d` outlives its command line, without `-d` the command ends with it; both end with the container.
fn who_outlives_whom(case: &Case) {
    start(case, &[]);
    let id = exec(case, &["-d", "box", "sleep", "1001"]).succeeded().stdout;
    assert_eq!(id.trim_end().len(), 64, "{id}");
    exec(case, &["-d", "-t", "box", "sh", "-c", "test -t 1 && echo much; sleep 1002"]).succeeded();
    exec(case, &["-d", "box", "true"]).succeeded();
    exec(case, &["-d", "box", "no-such-command"]).code(125).stdout("").error("no-such-command");
    exec(case, &["-d", "-w", "/nowhere", "box", "true"]).code(125).stdout("").error("/nowhere");
    let killed = case.command(["exec", "box", "sleep", "1003"]).start();
    for line in ["sleep 1001", "sleep 1002", "sleep 1003"] {
        wait_until("all run", LIMIT, || processes(case, line) == 1);
    }
    killed.signal(Signal::KILL);
    killed.finish();
    wait_until("its command has ended", LIMIT, || processes(case, "sleep 1003") == 0);
    assert_eq!((processes(case, "sleep 1001"), processes(case, "sleep 1002")), (1, 1));
    let told =
        case.command(["exec", "box", "sh", "-c", "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done"]);
    let told = told.start();
    wait_until("the trap is set", LIMIT, || processes(case, "sleep 0.05") == 1);
    told.signal(Signal::TERM);
    told.finish().code(9).stdout("ready\n");
    let last = case.command(["exec", "box", "sleep", "1004"]).start();
    wait_until("it runs", LIMIT, || processes(case, "sleep 1004") == 1);
    case.coracle(["kill", "box"]).code(0);
    last.finish().code(137);
    let joiners = || -> usize {
        let own = std::fs::read_dir("/proc").unwrap().flatten();
        own.filter(|entry| {
            let named = std::fs::read_to_string(entry.path().join("comm")).is_ok_and(|name| name == "coracle-joiner\n");
            let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
            named && String::from_utf8_lossy(&environment).contains(case.home.to_str().unwrap())
        })
        .count()
    };
    wait_until("nobody is left", LIMIT, || joiners() == 0);
}

/// `inspect` tells which sessions there are, by the ids that `exec -d` prints.
fn sessions_are_told(case: &Case) {
    start(case, &[]);
    let sessions = || case.inspect("box", "{{range .ExecIDs}}{{.}} {{end}}");
    assert_eq!(sessions(), "");
    exec(case, &["box", "mkfifo", "/tmp/f"]).code(0);
    let id = exec(case, &["-d", "box", "cat", "/tmp/f"]).code(0).stdout;
    assert_eq!(sessions(), id.trim());
    exec(case, &["box", "true"]).code(0);
    assert_eq!(sessions(), id.trim());
    exec(case, &["box", "sh", "-c", "echo >/tmp/f"]).code(0);
    wait_until("it has ended", LIMIT, || sessions().is_empty());
    // Of one that ended with its container nothing is left behind the next.
    exec(case, &["-d", "box", "sleep", "1000"]).code(0);
    case.coracle(["stop", "-t0", "box"]).code(0);
    case.coracle(["start", "box"]).code(0);
    exec(case, &["box", "true"]).code(0);
    let folder = case.store().join("containers").join(case.inspect("box", "{{.Id}}")).join("sessions");
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0);
}

/// CVE-2024-21626: of the caller's descriptors none is inside, but those that are asked for; none is a working directory.
fn only_three_descriptors(case: &Case) {
    start(case, &[]);
    let program = crate::harness::binary();
    let line = |flags: &str, command: &str| {
        let line = format!(
            "for i in $(seq 3 52); do eval \"exec $i</\"; done; exec {} exec {flags} box {command}",
            program.display()
        );
        case.command_of("bash".as_ref(), ["-c", &line]).finish()
    };
    // `ls` itself holds one more: the folder that it reads.
    line("", "ls -1 /proc/self/fd").code(0).stdout("0\n1\n2\n3\n");
    line("-u 33", "ls -1 /proc/self/fd").code(0).stdout("0\n1\n2\n3\n");
    line("-t", "ls -1 /proc/self/fd").code(0).stdout("0\r\n1\r\n2\r\n3\r\n");
    for number in 3..16 {
        line(&format!("-w /proc/self/fd/{number}"), "pwd").code(127).stdout("");
        line(&format!("-w /proc/self/fd/{number}/../.."), "pwd").code(127).stdout("");
    }
    std::fs::write(case.home.join("handed"), "handed on\n").unwrap();
    let line = format!(
        "exec 3<handed 4</dev/null; exec {} exec --preserve-fds 2 box sh -c 'cat <&3; ls -1 /proc/self/fd'",
        program.display()
    );
    case.command_of("bash".as_ref(), ["-c", &line]).finish().code(0).stdout("handed on\n0\n1\n2\n3\n4\n5\n");
    exec(case, &["--preserve-fds", "50", "box", "true"]).code(125).error("is not available");
    exec(case, &["--preserve-fd", "2", "box", "true"]).code(126).error("cannot preserve FD 2").says("hint: ");
}

/// CVE-2019-5736, CVE-2016-9962: from inside, neither this program's file can be changed nor can a process of it be looked into,
/// while it is on its way to a command.
fn nothing_of_ours_is_within_reach(case: &Case) {
    let image = case.busybox();
    // What succeeds counts only if the process was still ours afterwards, and not the command that it became meanwhile.
    let script = "touch /tmp/found; while :; do for p in /proc/[0-9]*; do
        read name <$p/comm; case $name in *coracle*) ;; *) continue;; esac; echo seen >>/tmp/seen
        for try in \"readlink $p/exe\" \"readlink $p/cwd\" \"ls $p/fd/3\" \"cat $p/environ\" \"tee $p/mem\" \"tee -a $p/exe\"; do
            echo x | $try >/dev/null && read name <$p/comm && case $name in *coracle*) echo $try >>/tmp/found;; esac
        done; done; done 2>/dev/null";
    case.coracle(["run", "-d", "--network=none", "--name", "box", &image, "sh", "-c", script]).succeeded();
    // A copy, so that no other test is harmed if this one fails.
    let program = case.home.join("copy");
    std::fs::copy(crate::harness::binary(), &program).unwrap();
    let before = crate::harness::image::digest(&std::fs::read(&program).unwrap());
    wait_until("a process was met on its way", LIMIT, || {
        case.command_of(&program, ["exec", "box", "true"]).finish().code(0);
        exec(case, &["box", "test", "-s", "/tmp/seen"]).code == Some(0)
    });
    exec(case, &["box", "cat", "/tmp/found"]).code(0).stdout("");
    // The program itself as the command: what it runs from is read-only.
    let inside = "exe=/proc/self/exe; echo '#!/proc/self/exe' >/tmp/x; chmod 755 /tmp/x; /tmp/x; chmod 777 $exe; true";
    case.command_of(&program, ["exec", "box", "sh", "-c", inside]).finish().code(0);
    case.command_of(&program, ["exec", "box", "/proc/self/exe"]).finish();
    assert_eq!(crate::harness::image::digest(&std::fs::read(&program).unwrap()), before);
}

on_both_drivers!(
    codes_and_words,
    as_the_containers_program,
    asked_otherwise,
    input_and_output,
    on_a_terminal,
    who_outlives_whom,
    sessions_are_told,
    only_three_descriptors,
    nothing_of_ours_is_within_reach,
);

#[test]
fn with_the_hosts_network() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    case.coracle(["run", "-d", "--network=host", "--name", "box", &image, "sleep", "1000"]).succeeded();
    let network = std::fs::read_link("/proc/self/ns/net").unwrap();
    exec(&case, &["box", "readlink", "/proc/self/ns/net"]).code(0).stdout(&format!("{}\n", network.display()));
}

/// Whichever of the account's ids a container has.
#[test]
fn with_other_ids() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    let own = rustix::process::getuid().as_raw().to_string();
    for (userns, user) in [("keep-id", own.as_str()), ("nomap", "0"), ("auto:size=100", "0")] {
        let flag = format!("--userns={userns}");
        case.coracle(["run", "-d", "--network=none", "--name", "box", &flag, &image, "sleep", "1000"]).succeeded();
        exec(&case, &["box", "id", "-u"]).code(0).stdout(&format!("{user}\n"));
        let finished = case.command(["exec", "-i", "-u", "33", "box", "sh", "-c", "id -u; cat /dev/stdin"]);
        finished.stdin("x\n").finish().code(0).stdout("33\nx\n").stderr("");
        case.coracle(["rm", "-f", "-t", "0", "box"]).code(0);
    }
    case.coracle(["run", "-d", "--network=none", "--name", "box", "--userns=auto:size=20", &image, "sleep", "1000"]);
    exec(&case, &["-u", "33", "box", "id"]).code(126).error("the id 33 is not mapped");
}
