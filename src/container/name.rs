//! Names for containers whose user gave none: a word for weather or mood, and a word of boats and water.

use crate::sys::{self, Call};

const FIRST: [&str; 64] = [
    "able", "agile", "amber", "ample", "azure", "bold", "brave", "breezy", "bright", "brisk", "calm", "candid",
    "clear", "clever", "coral", "cosy", "daring", "deft", "eager", "early", "easy", "fair", "fleet", "fond", "fresh",
    "gentle", "glad", "golden", "grand", "green", "happy", "hardy", "honest", "humble", "jolly", "keen", "kind",
    "light", "lively", "loyal", "lucky", "mellow", "merry", "mild", "misty", "neat", "nimble", "noble", "placid",
    "proud", "quick", "quiet", "rapid", "ready", "serene", "silver", "steady", "sunny", "swift", "tidy", "tranquil",
    "warm", "windy", "witty",
];

const SECOND: [&str; 64] = [
    "anchor", "barge", "bay", "beacon", "beam", "bight", "boom", "bow", "bridge", "brook", "buoy", "canoe", "cape",
    "channel", "cleat", "cove", "creek", "current", "delta", "dinghy", "dock", "drift", "eddy", "estuary", "ferry",
    "fjord", "galley", "gangway", "gull", "harbour", "helm", "heron", "hull", "inlet", "island", "jetty", "kayak",
    "keel", "kelp", "lagoon", "lantern", "ledger", "lock", "mast", "mooring", "oar", "otter", "paddle", "pier",
    "pilot", "quay", "raft", "reef", "ripple", "river", "rudder", "sail", "shoal", "skiff", "sloop", "spray", "tide",
    "wake", "willow",
];

/// 64 hexadecimal digits that no other container has.
pub fn random_id() -> sys::Result<String> {
    use std::fmt::Write;
    let mut id = String::with_capacity(64);
    for byte in random::<32>()? {
        let _ = write!(id, "{byte:02x}");
    }
    Ok(id)
}

/// `calm_heron`; after `tries` clashes with a number behind it.
pub fn random_name(tries: usize) -> sys::Result<String> {
    let [first, second, low, high] = random()?;
    let word = |words: &[&'static str; 64], byte: u8| words.get(usize::from(byte) % 64).copied().unwrap_or("coracle");
    let name = format!("{}_{}", word(&FIRST, first), word(&SECOND, second));
    Ok(if tries < 5 { name } else { format!("{name}{}", u16::from_le_bytes([low, high])) })
}

fn random<const N: usize>() -> sys::Result<[u8; N]> {
    let mut bytes = [0; N];
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty()).call("getrandom")?;
    Ok(bytes)
}
