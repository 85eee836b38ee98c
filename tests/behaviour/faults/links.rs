//! The power goes out, or the disk is full, at every point of a command that changes how a container that runs is reached: it can be
//! taken back, and done again.

use std::fs;
use std::io::Read;
use std::net::TcpStream;
use std::time::Duration;

use super::cut::{lawful, nothing_left};
use crate::behaviour::network::{ask, internal, reaches, serve};
use crate::harness::{Case, Driver, tell};

struct Link {
    make: &'static [&'static str],
    unmake: &'static [&'static str],
    /// What is said where there is nothing to take back.
    none: &'static str,
    leads: fn(&Case) -> bool,
}

const LINKS: [Link; 2] = [
    Link {
        make: &["port", "add", "one", "127.0.0.1:28117:7000"],
        unmake: &["port", "rm", "one", "28117:7000"],
        none: "failed to find published port",
        leads: |_| {
            let Ok(mut stream) = TcpStream::connect("127.0.0.1:28117") else { return false };
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            let mut said = [0; 3];
            stream.read_exact(&mut said).is_ok() && &said == b"one"
        },
    },
    Link {
        make: &["network", "connect", "--ip=10.209.4.9", "right", "one"],
        unmake: &["network", "disconnect", "right", "one"],
        none: "is not connected to network",
        leads: |case| {
            let has_interface = case.coracle(["exec", "one", "test", "-e", "/sys/class/net/eth1"]).code == Some(0);
            has_interface && ask(case, "two", "10.209.4.9") == "one"
        },
    },
];

#[test]
fn links_are_cut() {
    let case = Case::new(Driver::Auto);
    case.coracle(["network", "create", "--subnet=10.209.3.0/24", "left"]).code(0);
    internal(&case, "right", &["--subnet=10.209.4.0/24"]);
    serve(&case, "one", &["--network=left"]);
    serve(&case, "two", &["--network=right"]);
    reaches(&case, "one", "127.0.0.1", "one");
    reaches(&case, "two", "127.0.0.1", "two");
    let plan = case.home.join("points");
    let mut count = 0;
    for link in &LINKS {
        for (deed, is_there) in [(link.make, true), (link.unmake, false)] {
            for kind in ["die", "full"] {
                for number in 1.. {
                    if !is_there {
                        case.coracle(link.make.iter().copied()).code(0);
                    }
                    let _ = fs::remove_file(&plan);
                    let fault = format!("{kind} {number} {}", plan.display());
                    let done = case.command(deed.iter().copied()).env("CORACLE_FAULT", fault).finish();
                    let points = fs::read_to_string(&plan).unwrap_or_default();
                    let point = points.lines().nth(number - 1);
                    let told = format!("{kind} at `{}`, point {number} of {deed:?}", point.unwrap_or("none"));
                    assert!(done.signal.is_none(), "{told}: {done}");
                    if done.code == Some(0) {
                        assert_eq!((link.leads)(&case), is_there, "{told}: reported done");
                    }
                    lawful(&case, &told);
                    let back = case.coracle(link.unmake.iter().copied());
                    assert!(back.code == Some(0) || back.stderr.contains(link.none), "{told}: {back}");
                    assert!(!(link.leads)(&case), "{told}: taken back");
                    let again = case.coracle(link.make.iter().copied());
                    assert_eq!(again.code, Some(0), "{told}: {again}");
                    assert!((link.leads)(&case), "{told}: done again");
                    case.coracle(link.unmake.iter().copied()).code(0);
                    if point.is_none() {
                        break;
                    }
                    count += 1;
                }
            }
        }
    }
    tell(&format!("{count} points of links were cut"));
    case.coracle(["rm", "-f", "-t0", "-a"]).code(0);
    case.coracle(["network", "prune", "-f"]).code(0);
    nothing_left(&case, "at the end");
}
