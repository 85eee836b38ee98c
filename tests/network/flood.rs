//! A container that asks for names as fast as it can, in good words and in bad: others do not notice, and it is served again afterwards.

use std::net::UdpSocket;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use coracle::network::way::Maker;

use super::{Contained, Way, connect, inside, on_a_stage, serve};

use crate::harness::{wait_for, wait_until};

const LIMIT: Duration = Duration::from_secs(60);
/// Where names are asked for inside, and who answers.
const NAMES: &str = "169.254.1.1:53";
const RESOLVER: &str = "127.0.0.9";
/// The head of a question of one name.
const HEAD: [u8; 12] = [0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
/// So many are asked at least.
const QUESTIONS: usize = 30_000;
/// So many conversations a way out has at most, and descriptors besides.
const MOST: usize = 4096;
const OWN: usize = 32;

#[test]
fn who_floods_names_harms_nobody_else() {
    on_a_stage("network::flood::stage_names");
}

#[test]
#[ignore = "needs a stage"]
fn stage_names() {
    let other = Contained::new();
    connect(&other);
    let text = std::env::temp_dir().join(format!("resolv.conf-flood-{}", std::process::id()));
    std::fs::write(&text, format!("nameserver {RESOLVER}\n")).unwrap();
    let target = std::fs::canonicalize("/etc/resolv.conf").unwrap();
    let mounted = Command::new("mount").arg("--bind").args([&text, &target]).status().unwrap();
    std::fs::remove_file(&text).unwrap();
    assert!(mounted.success());
    resolve();
    let (bad, good) = (Contained::new(), Contained::new());
    let ways = [&bad, &good].map(|container| Way::make(Maker::Stack, container, &[]));
    let port = serve("10.10.10.10");
    let before = descriptors(&ways[0]);
    let (over, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let floods = [1, 2].map(|seed| {
        let (namespace, over, asked) = (bad.netns(), Arc::clone(&over), Arc::clone(&asked));
        std::thread::spawn(move || {
            nix::sched::setns(namespace, nix::sched::CloneFlags::CLONE_NEWNET).unwrap();
            flood(seed, &over, &asked);
        })
    });
    let begun = Instant::now();
    let mut most = 0;
    for round in 0.. {
        assert_eq!(good.fetch("10.10.10.10", port), "hello", "round {round}");
        ask(&good);
        most = most.max(descriptors(&ways[0]));
        if round >= 10 && asked.load(Ordering::Relaxed) > QUESTIONS {
            break;
        }
        assert!(begun.elapsed() < LIMIT, "{asked:?} questions");
    }
    over.store(true, Ordering::Relaxed);
    floods.into_iter().for_each(|flood| flood.join().unwrap());
    assert!((MOST / 2..MOST + OWN).contains(&most), "{most} descriptors");
    ask(&bad);
    assert_eq!(bad.fetch("10.10.10.10", port), "hello");
    assert!(memory(&ways[0]) < 32 << 10, "{} kB", memory(&ways[0]));
    wait_until("its sockets are closed", LIMIT, || descriptors(&ways[0]) <= before);
    ask(&bad);
}

/// Answers whatever looks like a question.
fn resolve() {
    let resolver = UdpSocket::bind((RESOLVER, 53)).unwrap();
    std::thread::spawn(move || {
        let mut packet = [0; 2048];
        loop {
            let (count, from) = resolver.recv_from(&mut packet).unwrap();
            if packet[..count].get(2..HEAD.len()) == Some(&HEAD[2..]) {
                packet[2] |= 0x80;
                // Whoever has gone is told nothing.
                let _ = resolver.send_to(&packet[..count], from);
            }
        }
    });
}

/// From a new port each time: half of it questions, half of it noise.
fn flood(seed: u64, over: &AtomicBool, asked: &AtomicUsize) {
    let mut state = seed;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize
    };
    while !over.load(Ordering::Relaxed) {
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        let mut question: Vec<u8> = (0..random() % 600).map(|_| random() as u8).collect();
        if random() % 2 == 0 {
            question.splice(..HEAD.len().min(question.len()), HEAD);
        }
        // A full device loses it.
        asked.fetch_add(usize::from(socket.send_to(&question, NAMES).is_ok()), Ordering::Relaxed);
    }
}

/// Asks until somebody answers: the resolver, which is the machine's, may be behind.
fn ask(container: &Contained) {
    let answered = || {
        let asking = UdpSocket::bind("0.0.0.0:0").unwrap();
        asking.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        asking.connect(NAMES).unwrap();
        asking.send(&HEAD).unwrap();
        let mut answer = [0; 64];
        asking.recv(&mut answer).ok().filter(|count| *count == HEAD.len() && answer[2] & 0x80 != 0)
    };
    inside(container, move || wait_for("an answer to a question", LIMIT, answered));
}

fn descriptors(way: &Way) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", way.pid())).unwrap().count()
}

/// Of its own, in kB.
fn memory(way: &Way) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", way.pid())).unwrap();
    let held = status.lines().find_map(|line| line.strip_prefix("RssAnon:")?.trim().strip_suffix(" kB"));
    held.unwrap().parse().unwrap()
}
