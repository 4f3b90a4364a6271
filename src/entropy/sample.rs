//! Drawing symbols: a coder that makes its own code up.
//!
//! What must stay true: what is drawn depends on the seed and the distributions alone.

use super::{Coder, Damaged, Distribution};

/// Draws each symbol from its distribution: a uniform quantile picks the interval that holds it (the inverse of the cumulative
/// distribution). The quantiles are those of SplitMix64 (Steele et al. 2014).
#[derive(Debug, Clone)]
pub struct Sampler(u64);

impl Sampler {
    /// A sampler that draws the same symbols for the same seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }
}

impl Coder for Sampler {
    fn code<const P: usize>(&mut self, distribution: &impl Distribution<P>, _symbol: u32) -> Result<u32, Damaged> {
        const { assert!(P >= 1 && P <= 32) };
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Ok(distribution.locate(((z ^ (z >> 31)) >> (64 - P)) as u32).0)
    }
}
