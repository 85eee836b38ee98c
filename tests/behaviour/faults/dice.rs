//! Numbers that look random, and come again with the same seed.

/// A small generator (xorshift64*).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        // Neighbouring seeds give unlike numbers, and 0 would give nothing but itself.
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % limit
    }

    pub fn one_of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len() as u64) as usize]
    }
}

/// That of `CORACLE_SEED`, else another one each time.
pub fn seed() -> u64 {
    let named = std::env::var("CORACLE_SEED").ok().and_then(|seed| seed.parse().ok());
    named.unwrap_or_else(|| u64::from(std::process::id()) << 20 | 1)
}
