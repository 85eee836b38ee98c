//! `--idle`: a container that ends when nobody needs it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::harness::{Case, LIMIT, wait_for};

const ECHO: [&str; 6] = ["nc", "-ll", "-p", "7000", "-e", "cat"];
const IDLE: Duration = Duration::from_secs(2);

fn ask(stream: &mut TcpStream) -> Option<[u8; 5]> {
    let mut answer = [0; 5];
    stream.write_all(b"hello").ok()?;
    stream.read_exact(&mut answer).ok()?;
    Some(answer)
}

/// It lives while somebody is connected, whether or not anything is said, and so long after the last has gone.
fn who_is_not_needed_ends(case: &Case) {
    let image = case.busybox();
    let flags = ["-d", "--name=box", "--idle=2s", "--stop-timeout=0", "--restart=always", "-p", "127.0.0.1::7000"];
    case.coracle(["run"].into_iter().chain(flags).chain([&*image]).chain(ECHO)).succeeded();
    let place = case.coracle(["port", "box", "7000"]).succeeded().stdout.trim_end().to_owned();
    let mut stream = wait_for("an answer", LIMIT, || {
        let mut stream = TcpStream::connect(&place).ok()?;
        ask(&mut stream)?;
        Some(stream)
    });
    stream.set_read_timeout(Some(IDLE * 2)).unwrap();
    // It says nothing, and must not be hung up on.
    let silence = stream.read(&mut [0; 1]).unwrap_err().kind();
    assert!(matches!(silence, std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut), "{silence}");
    assert_eq!(&ask(&mut stream).unwrap(), b"hello");
    drop(stream);
    let left = Instant::now();
    // Its stop is what was asked for: neither its exit code nor its restart policy counts.
    case.coracle(["wait", "box"]).succeeded().stdout("0\n");
    assert!(left.elapsed() >= IDLE, "{:?}", left.elapsed());
    assert_eq!(case.inspect("box", "{{.State.Status}} {{.RestartCount}}"), "exited 0");
    // Nobody comes at all, in the next life.
    case.command(["start", "-a", "box"]).finish().code(0);
}

fn where_nobody_could_come_it_is_refused(case: &Case) {
    let image = case.busybox();
    for (flags, why) in [
        (&["--idle=10m"][..], "no port is published"),
        (&["--idle=10m", "-p", "7000", "--network=pasta"], "`pasta` does not tell who comes"),
        (&["--idle=10m", "--network=host"], "no network of its own"),
        (&["--idle=soon", "-p", "7000"], "is no time"),
    ] {
        case.coracle(["create"].iter().chain(flags).copied().chain([&*image, "true"])).code(125).error(why);
    }
}

on_both_drivers!(who_is_not_needed_ends, where_nobody_could_come_it_is_refused);
