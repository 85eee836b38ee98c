//! Numbers that look random, the same for the same seed (SplitMix64).

#[derive(Debug, Clone)]
pub struct Draw(u64);

impl Draw {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    pub fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    /// Often small, often at the border of a page.
    pub fn offset(&mut self, limit: u64) -> u64 {
        match self.below(4) {
            0 => self.below(100) as u64,
            1 => self.below(20) as u64 * 4096,
            _ => self.next() % limit,
        }
    }

    pub fn length(&mut self) -> usize {
        match self.below(4) {
            0 => self.below(100),
            1 => 4096 * self.below(4),
            _ => self.below(20_000),
        }
    }
}
