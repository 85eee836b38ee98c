//! What goes in and comes out where there is no terminal, and which descriptors a container has.

use std::io::Read;
use std::time::Duration;

use rustix::io::ioctl_fionread;

use crate::harness::{Case, LIMIT, wait_until};

fn input_is_piped(case: &Case) {
    let image = case.busybox();
    let run = |flags: &[&str], input: &str| {
        let arguments = ["run", "--rm", "--network=none"].iter().chain(flags).copied().chain([image.as_str(), "cat"]);
        case.command(arguments).stdin(input).finish()
    };
    run(&["-i"], "one\ntwo").code(0).stdout("one\ntwo").stderr("");
    // Without -i the container reads nothing, whatever the caller has.
    run(&[], "one\ntwo").code(0).stdout("").stderr("");
}

/// Bytes pass unchanged and in full, more than any pipe holds.
fn much_passes_through(case: &Case) {
    let image = case.busybox();
    let input: Vec<u8> = (0..3_000_000_u32).flat_map(|number| (number % 251).to_le_bytes()).collect();
    let expected = crate::harness::image::digest(&input);
    let arguments = ["run", "--rm", "-i", "--network=none", &image, "sha256sum"];
    let finished = case.command(arguments).stdin(input).finish().succeeded();
    assert_eq!(format!("sha256:{}", &finished.stdout[..64]), expected);
    let script = "head -c 12000000 /dev/zero; head -c 8000000 /dev/zero >&2";
    let finished = case.sh(&image, script).code(0);
    assert_eq!((finished.stdout.len(), finished.stderr.len()), (12_000_000, 8_000_000));
}

/// The end of input reaches the container, and answers come before it.
fn a_conversation(case: &Case) {
    let image = case.busybox();
    let script = "read a; echo got $a; cat >/dev/null; echo end";
    let mut running =
        case.command(["run", "--rm", "-i", "--network=none", &image, "sh", "-c", script]).open_stdin().start();
    running.write(b"first\n");
    running.close_stdin();
    running.finish().code(0).stdout("got first\nend\n").stderr("");
}

/// Whoever reads our output goes away: the program inside gets SIGPIPE and the run ends.
fn a_reader_that_leaves(case: &Case) {
    let image = case.busybox();
    let program = crate::harness::binary();
    let line = format!("{} run --rm --network=none {image} yes | head -n 1", program.display());
    let finished = case.command_of("sh".as_ref(), ["-c", &line]).finish();
    assert_eq!(finished.stdout, "y\n", "{finished}");
    wait_until("the container is gone", LIMIT, || case.coracle(["ps", "-a", "-q"]).stdout.is_empty());
}

/// A file of the host behind a standard stream can be neither rewritten nor made setuid from inside.
fn files_behind_streams_are_out_of_reach(case: &Case) {
    use std::os::unix::fs::PermissionsExt;
    let image = case.busybox();
    let program = crate::harness::binary();
    let folder = case.store();
    let folder = folder.parent().unwrap();
    let (input, output) = (folder.join("input"), folder.join("output"));
    std::fs::write(&input, "mine\n").unwrap();
    let inside = "cat; chmod 4777 /proc/self/fd/1; echo evil >/proc/self/fd/0; true";
    let line = format!(
        "{} run --rm -i --network=none {image} sh -c '{inside}' <{} >{}",
        program.display(),
        input.display(),
        output.display()
    );
    case.command_of("sh".as_ref(), ["-c", &line]).finish().code(0);
    assert_eq!(std::fs::read_to_string(&input).unwrap(), "mine\n");
    assert_eq!(std::fs::read_to_string(&output).unwrap(), "mine\n");
    assert_eq!(std::fs::metadata(&output).unwrap().permissions().mode() & 0o7022, 0);
}

/// A reader that reads nothing keeps nobody from stopping the container, and its end is on record.
fn a_reader_that_does_not_read(case: &Case) {
    let image = case.busybox();
    let program = crate::harness::binary();
    let line = format!("{} run --name slow --network=none {image} yes | sleep 1000", program.display());
    let running = case.command_of("sh".as_ref(), ["-c", &line]).own_group().start();
    let status = || case.coracle(["ps", "-a", "--format", "{{.State}}"]).stdout;
    wait_until("the container runs", LIMIT, || status() == "running\n");
    case.coracle(["stop", "-t", "0", "slow"]).code(0);
    assert_eq!(status(), "exited\n");
    assert_eq!(case.inspect("slow", "{{.State.ExitCode}}"), "137");
    rustix::process::kill_process_group(running.pid(), rustix::process::Signal::KILL).unwrap();
}

/// Two streams, of which a slow reader takes little pieces: nothing is lost, and each keeps its order.
fn a_slow_reader(case: &Case) {
    let image = case.busybox();
    let script = "i=0; while [ $i -lt 30000 ]; do echo out $i; echo err $i >&2; i=$((i + 1)); done";
    let line = format!("exec {} run --rm --network=none {image} sh -c '{script}'", crate::harness::binary().display());
    let mut child = case.command_of("sh".as_ref(), ["-c", &line]).piped();
    let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    // Nobody reads until a pipe is full, and so the program inside has nowhere to write to.
    wait_until("a pipe is full", LIMIT, || {
        let waiting = [ioctl_fionread(&out).unwrap(), ioctl_fionread(&err).unwrap()];
        waiting.iter().any(|bytes| *bytes > 60_000)
    });
    let streams: [Box<dyn Read + Send>; 2] = [Box::new(out), Box::new(err)];
    let readers = streams.map(|mut stream| {
        std::thread::spawn(move || {
            let (mut all, mut piece) = (Vec::new(), [0; 97]);
            while let Ok(count @ 1..) = stream.read(&mut piece) {
                all.extend_from_slice(&piece[..count]);
                std::thread::sleep(Duration::from_micros(10));
            }
            String::from_utf8(all).unwrap()
        })
    });
    let said = readers.map(|reader| reader.join().unwrap());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    for (said, word) in said.iter().zip(["out", "err"]) {
        let expected: String = (0..30000).map(|number| format!("{word} {number}\n")).collect();
        assert!(*said == expected, "{word}: {} bytes of {}", said.len(), expected.len());
    }
}

/// CVE-2024-21626: of fifty descriptors of the caller's, to the root directory, none is inside.
fn only_three_descriptors(case: &Case) {
    let image = case.busybox();
    let program = crate::harness::binary();
    let line = format!(
        "for i in $(seq 3 52); do eval \"exec $i</\"; done; exec {} run --rm --network=none {image} ls -1 /proc/self/fd",
        program.display()
    );
    // `ls` itself holds number 3: the folder that it reads.
    case.command_of("bash".as_ref(), ["-c", &line]).finish().code(0).stdout("0\n1\n2\n3\n");
    let line = line.replace("ls -1 /proc/self/fd", "sh -c 'for i in /proc/1/fd/*; do echo ${i##*/}; done'");
    let finished = case.command_of("bash".as_ref(), ["-c", &line]).finish().code(0);
    // The shell's own folder handle may show.
    let numbers: Vec<u32> = finished.stdout.lines().map(|line| line.parse().unwrap()).collect();
    assert!(numbers.starts_with(&[0, 1, 2]) && numbers.len() <= 4, "{finished}");
}

/// Those that are asked for have their own numbers inside, on a terminal and below an init process, too; nothing else is open.
fn descriptors_are_handed_on(case: &Case) {
    let image = case.busybox();
    let program = crate::harness::binary();
    std::fs::write(case.home.join("handed"), "handed on\n").unwrap();
    let run = |flags: &str, script: &str| {
        let line = format!(
            "exec 3<handed 4</dev/null 5</dev/null 9<handed; exec {} run --rm --network=none {flags} {image} sh -c '{script}'",
            program.display()
        );
        case.command_of("bash".as_ref(), ["-c", &line]).finish()
    };
    let list = "cat <&3; ls -1 /proc/self/fd";
    run("--preserve-fds=2", list).code(0).stdout("handed on\n0\n1\n2\n3\n4\n5\n");
    run("--preserve-fds=1 --init", list).code(0).stdout("handed on\n0\n1\n2\n3\n4\n");
    run("-t --preserve-fd=3", list).code(0).stdout("handed on\r\n0\r\n1\r\n2\r\n3\r\n4\r\n");
    run("--preserve-fd=9,3 --preserve-fd=9", "cat <&9; ls -1 /proc/self/fd")
        .code(0)
        .stdout("handed on\n0\n1\n2\n3\n4\n9\n");
    run("--preserve-fd=12", "true").code(125).error("file descriptor 12 is not available");
    run("--preserve-fd=1", "true").code(126).error("cannot preserve FD 1").says("hint: ");
    run("--preserve-fds=1 --preserve-fd=3", "true").code(125).error("cannot specify both");
    // A program that is started again has them again, from where the last one left off.
    let id = run("-d --rm=false --restart=on-failure:1 --preserve-fd=9", "dd bs=3 count=1 <&9 2>/dev/null; exit 1");
    let id = id.succeeded().stdout;
    wait_until("it has run twice", LIMIT, || case.coracle(["logs", id.trim()]).stdout == "handed");
}

/// `--attach` counts whenever there is a foreground.
fn streams_are_chosen(case: &Case) {
    let image = case.busybox();
    let both = [image.as_str(), "sh", "-c", "echo out; echo err >&2"];
    let command = |verb: &[&str]| case.coracle(verb.iter().chain(&both).copied());
    command(&["run", "--rm", "--network=none", "-a", "STDOUT"]).code(0).stdout("out\n").stderr("");
    command(&["run", "--rm", "--network=none", "--attach", "stdin,stderr"]).code(0).stdout("").stderr("err\n");
    command(&["run", "--rm", "--network=none", "--attach="]).code(0).stdout("out\n").stderr("err\n");
    command(&["create", "--name=box", "--network=none", "-a", "stderr"]).succeeded();
    case.coracle(["start", "-a", "box"]).code(0).stdout("").stderr("err\n");
    case.coracle(["logs", "box"]).code(0).stdout("out\n").stderr("err\n");
    command(&["create", "-a", "stdfrob"]).code(125).error("invalid stream \"stdfrob\" for --attach");
}

/// A detached run holds neither the caller's pipes nor its descriptors.
fn a_detached_run_lets_go(case: &Case) {
    let image = case.busybox();
    let arguments = ["run", "-d", "--network=none", &image, "sleep", "1000"];
    let started = std::time::Instant::now();
    // `finish` ends only when both pipes are closed by everybody.
    let id = case.command(arguments).finish().succeeded().stdout;
    assert!(started.elapsed() < Duration::from_secs(30));
    assert_eq!(id.trim_end().len(), 64, "{id}");
    case.coracle(["stop", "-t", "0", id.trim_end()]).code(0);
}

/// The word that detaches arrives although the launcher has gone with output unread.
fn a_detached_run_that_speaks_at_once(case: &Case) {
    let image = case.busybox();
    for round in 0..20 {
        let name = format!("box{round}");
        let script = "echo one; echo two; sleep 1000";
        case.coracle(["run", "-d", "--network=none", "--name", &name, &image, "sh", "-c", script]).succeeded();
    }
    assert_eq!(case.coracle(["ps", "-q"]).succeeded().stdout.lines().count(), 20);
    case.coracle(["rm", "-a", "-f", "-t", "0"]).succeeded();
}

on_both_drivers!(
    a_detached_run_that_speaks_at_once,
    input_is_piped,
    much_passes_through,
    a_conversation,
    a_reader_that_leaves,
    files_behind_streams_are_out_of_reach,
    a_reader_that_does_not_read,
    a_slow_reader,
    only_three_descriptors,
    descriptors_are_handed_on,
    streams_are_chosen,
    a_detached_run_lets_go,
);
