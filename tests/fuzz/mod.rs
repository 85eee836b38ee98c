//! Each fuzz target for a second: its seeds, then mutants of them, the same ones every time. `Cargo.toml` says how to run the
//! targets by the hour.

mod targets;

use std::time::{Duration, Instant};

use crate::architecture::root;

const LIMIT: Duration = Duration::from_secs(1);
const LONGEST: usize = 64 << 10;

/// Numbers that look random and come again with the same seed (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Below `end`, which is not 0.
    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

/// What parsers stumble over.
const WORDS: [&[u8]; 16] = [
    b"\0",
    b"\n",
    b"\xff\xff\xff\xff",
    b"-1",
    b"4294967296",
    b"99999999999999999999",
    b":",
    b"/",
    b"..",
    b"\"",
    b"{}",
    b"[",
    b"null",
    b"@",
    b"\t ",
    b"ustar\x0000",
];

/// A mutant: a few pieces of it flipped, cut out, doubled, replaced by a word or by a piece of another seed.
fn mutant(seeds: &[Vec<u8>], numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = seeds[numbers.below(seeds.len())].clone();
    for _ in 0..=numbers.below(6) {
        let at = numbers.below(bytes.len() + 1);
        let end = (at + numbers.below(16)).min(bytes.len());
        match numbers.below(7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << numbers.below(8),
            1 if at < bytes.len() => bytes[at] = numbers.next() as u8,
            2 => drop(bytes.drain(at..end)),
            3 => bytes.truncate(at),
            4 => bytes.extend_from_within(at..),
            5 => drop(bytes.splice(at..end, WORDS[numbers.below(WORDS.len())].iter().copied())),
            _ => {
                let other = &seeds[numbers.below(seeds.len())];
                let from = numbers.below(other.len() + 1);
                drop(bytes.splice(at..end, other[from..].iter().copied()));
            }
        }
    }
    bytes.truncate(LONGEST);
    bytes
}

#[track_caller]
fn exercise(name: &str) {
    let (_, folder, _) = targets::ALL.into_iter().find(|(target, ..)| *target == name).expect("a target");
    let files = std::fs::read_dir(root().join("tests/fuzz/seeds").join(folder)).unwrap();
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    let seeds: Vec<_> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
    let try_it = |bytes: &[u8]| {
        if let Err(panic) = std::panic::catch_unwind(|| targets::run(name, bytes)) {
            eprintln!("{name} fails with b\"{}\"", bytes.escape_ascii());
            std::panic::resume_unwind(panic);
        }
    };
    seeds.iter().for_each(|seed| try_it(seed));
    let (mut numbers, start) = (Numbers(1), Instant::now());
    while start.elapsed() < LIMIT {
        try_it(&mutant(&seeds, &mut numbers));
    }
}

macro_rules! exercised {
    ($($name:ident),+ $(,)?) => {
        $(#[test]
        fn $name() {
            exercise(stringify!($name));
        })+

        #[test]
        fn every_target_is_exercised_and_built() {
            let exercised = [$(stringify!($name)),+];
            assert_eq!(targets::ALL.map(|(name, ..)| name), exercised);
            let manifest = std::fs::read_to_string(root().join("tests/fuzz/Cargo.toml")).unwrap();
            let built: Vec<_> = manifest.lines().filter_map(|line| line.strip_prefix("name = \"")).collect();
            // The first is the package's own name.
            assert_eq!(built[1..], exercised.map(|name| format!("{name}\"")));
        }
    };
}

exercised!(
    tar_stream,
    unpack,
    pack,
    manifest,
    image_config,
    image_index,
    reference,
    credentials,
    accounts,
    subordinate_ids,
    resolv,
    hosts,
    template,
    configuration,
    registries,
    policy,
    seccomp,
    devices,
    question,
    packet,
    quadlet,
    containerfile,
    ignore,
);
