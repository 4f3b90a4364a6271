//! Examples in an order of their own in each pass over them, and batches as a source.
//!
//! What must stay true: within a pass every example comes once.

use super::Examples;
use crate::train::data::Random;
use crate::train::grid::Batch;
use crate::train::run::Source;

/// Batches of a training.
pub struct Draws<'a> {
    /// What they are drawn from.
    pub examples: &'a Examples,
    /// Examples a step.
    pub batch: usize,
    /// The training's seed.
    pub seed: u64,
}

impl Source<Batch> for Draws<'_> {
    fn batch(&self, step: u64) -> Batch {
        self.examples.sample(self.batch, self.seed, step)
    }
}

/// Which of `n` examples is the `at`-th drawn, counted from the first pass on: a permutation for each pass, by a Feistel
/// network over the next power of 4 that is walked until it is back below n (Black and Rogaway 2002).
pub fn drawn(at: u64, n: u64, seed: u64) -> u64 {
    let (pass, mut x) = (at / n, at % n);
    let half = (u64::BITS - (n - 1).leading_zeros()).div_ceil(2).max(1);
    let mask = (1u64 << half) - 1;
    let keys: [u64; 4] = {
        let mut random = Random::new(&[seed, pass, 2]);
        std::array::from_fn(|_| random.bits())
    };
    loop {
        let (mut left, mut right) = (x >> half, x & mask);
        for key in keys {
            (left, right) = (right, left ^ (Random::new(&[key, right]).bits() & mask));
        }
        x = left << half | right;
        if x < n {
            return x;
        }
    }
}
