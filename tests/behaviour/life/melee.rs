//! Many processes that pull, run, commit, tag, list and remove the same few images and names, all at once.
//!
//! What is done comes from a seed, which a failure names: `CORACLE_SEED=N`. `CORACLE_LONG=1`: fifty of them, for ten minutes.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::behaviour::faults::dice::{Dice, seed};
use crate::harness::{Case, Finished, Image, LIMIT, Layer, long_or, tell, wait_until};

/// `A` and `B` are two images of the registry with one layer in common, `NAME` one of three names.
const DEEDS: [&[&str]; 25] = [
    &["pull", "-q", "A"],
    &["pull", "-q", "B"],
    &["run", "--rm", "--network=none", "A", "true"],
    &["run", "--rm", "--network=none", "--pull=always", "-q", "B", "true"],
    &["run", "-d", "--stop-timeout=0", "--network=none", "--name=NAME", "A", "sleep", "1000"],
    &["run", "-d", "--stop-timeout=0", "--replace", "--network=none", "--name=NAME", "B", "sleep", "1000"],
    &["create", "--network=none", "--name=NAME", "A", "true"],
    &["start", "NAME"],
    &["stop", "-t0", "NAME"],
    &["restart", "-t0", "NAME"],
    &["exec", "NAME", "true"],
    &["commit", "-q", "NAME", "localhost/committed"],
    &["rm", "-f", "-t0", "NAME"],
    &["rename", "NAME", "renamed"],
    &["rm", "-f", "-t0", "renamed"],
    &["ps", "-a"],
    &["inspect", "NAME"],
    &["tag", "A", "localhost/tagged"],
    &["untag", "localhost/tagged"],
    &["images", "-a"],
    &["rmi", "B"],
    &["rmi", "localhost/committed"],
    &["image", "prune", "-f"],
    &["container", "prune", "-f"],
    &["system", "prune", "-f"],
];

/// What may be said: somebody else was there first, or has it still.
const LAWFUL: [&str; 16] = [
    "no such container",
    "no container",
    "no such object",
    "image not known",
    "in use",
    "is using",
    "is used by",
    "already in use",
    "is running",
    "not running",
    "is not running",
    "already running",
    "is being",
    "has ended",
    "still being started",
    "is no longer in the store",
];

fn is_lawful(done: &Finished) -> bool {
    done.code == Some(0)
        || done.signal.is_none() && done.stderr.lines().filter(|line| line.starts_with("Error: ")).all(says_so)
}

fn says_so(line: &str) -> bool {
    LAWFUL.iter().any(|words| line.contains(words))
}

/// So many processes are enough: those of the other driver come afterwards.
static ALONE: Mutex<()> = Mutex::new(());

/// How many waits for locks there were, and the longest, with the path of the lock (see `waited` in `src/host/fault.rs`).
fn longest_wait(file: &Path) -> (usize, (Duration, String)) {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let waits = text.lines().map(|line| line.split_once(' ').expect("milliseconds and a path"));
    let waits = waits.map(|(time, path)| (Duration::from_millis(time.parse().unwrap()), path.to_owned()));
    (text.lines().count(), waits.max().unwrap_or_default())
}

/// No wait for a lock is longer.
const PATIENCE: Duration = Duration::from_secs(5);

fn a_melee(case: &Case) {
    let base = Layer::new().file("base", 0o644, vec![b'x'; 200_000]);
    let image = |tag: &str| {
        let own = Layer::new().file("own", 0o644, format!("{tag} of {}", case.driver.name()));
        Image::busybox().layer(base.clone()).layer(own).push(&format!("melee-{}:{tag}", case.driver.name()))
    };
    let (a, b) = (image("a"), image("b"));
    let seed = seed();
    let waits = case.home.join("waits");
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (processes, end) = (long_or(50, 8), Instant::now() + Duration::from_secs(long_or(600, 8)));
    let fight = |number: u64| {
        let mut dice = Dice::new(seed + number);
        let (mut count, mut slowest) = (0_u32, (Duration::ZERO, String::new()));
        while Instant::now() < end {
            let name = format!("name-{}", dice.below(3));
            let word = |word: &&str| match *word {
                "A" => a.clone(),
                "B" => b.clone(),
                word => word.replace("NAME", &name),
            };
            let deed: Vec<String> = dice.one_of(&DEEDS).iter().map(word).collect();
            let begun = Instant::now();
            let done = case.command(deed.iter().map(String::as_str)).env("CORACLE_LOCK_WAITS", &waits).finish();
            assert!(is_lawful(&done), "seed {seed}, process {number}, {count}: {done}");
            count += 1;
            slowest = slowest.max((begun.elapsed(), deed.join(" ")));
        }
        (count, slowest)
    };
    let all: Vec<_> = std::thread::scope(|scope| {
        let started: Vec<_> = (0..processes).map(|number| scope.spawn(move || fight(number))).collect();
        started.into_iter().map(|thread| thread.join().expect("nobody failed")).collect()
    });
    let commands: u32 = all.iter().map(|(count, _)| count).sum();
    let slowest = all.iter().map(|(_, slowest)| slowest).max().unwrap();
    let (count, longest) = longest_wait(&waits);
    tell(&format!(
        "{commands} commands of {processes} processes, with the driver {}; the slowest took {:.1} s: {}; {count} waits for locks, the \
         longest of {:.3} s, for {}",
        case.driver.name(),
        slowest.0.as_secs_f64(),
        slowest.1,
        longest.0.as_secs_f64(),
        longest.1
    ));
    assert!(count > 0, "nobody waited for anybody: nothing was tried");
    assert!(longest.0 <= PATIENCE, "seed {seed}: somebody waited {:?} for {}", longest.0, longest.1);
    case.coracle(["rm", "-f", "-a", "-t0"]).code(0);
    case.coracle(["system", "check"]).code(0);
    for image in [&a, &b] {
        case.pull(image);
        case.coracle(["run", "--rm", "--network=none", image, "cat", "/own"]).code(0);
    }
    case.coracle(["rmi", "-a", "-f"]).code(0);
    let left = |folder: &str| std::fs::read_dir(case.store().join(folder)).map_or(0, Iterator::count);
    wait_until("nothing is left", LIMIT, || {
        case.coracle(["system", "prune", "-f"]).code(0);
        ["containers", "names", "layers", "images/blobs/sha256", "tmp"].iter().all(|folder| left(folder) == 0)
    });
}

on_both_drivers!(a_melee);
