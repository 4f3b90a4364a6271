//! Entropy coding: the only place that knows the crate `constriction`.
//!
//! One walk over the symbols is run with three coders: [`Encoder`] writes, [`Decoder`] reads, [`CostMeter`] adds up
//! `-log2 p`. A walk calls [`Coder::code`] for each symbol with its integer distribution and goes on with the symbol that
//! the call returns.
//!
//! What must stay true: a symbol's interval is never empty and never the whole range (probability 1 has no code in the
//! range coder), and no operation here rounds differently on another machine.
#![deny(clippy::float_arithmetic)]

mod ans;
mod cost;
mod decisions;
mod range;
mod sample;
mod score;

pub use ans::AnsDecoder;
pub use ans::AnsEncoder;
pub use cost::{Bits, CostMeter, cost_of};
pub use decisions::DecisionMeter;
pub use range::{Decoder, Encoder};
pub use sample::Sampler;
pub use score::{Score, ScoreMeter};

use thiserror::Error;

/// The bytes are no code of symbols under these distributions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the coded bytes are damaged")]
pub struct Damaged;

/// An integer probability distribution over `0..alphabet` whose total is `2^PRECISION`.
///
/// Every symbol has a width of at least 1 and less than the total; intervals are disjoint, in order, and cover the total.
pub trait Distribution<const PRECISION: usize> {
    /// `(left, width)` of a symbol: its cumulative count and its count.
    fn interval(&self, symbol: u32) -> (u32, u32);
    /// The first of these, where it may cost less to compute alone.
    #[inline]
    fn left(&self, symbol: u32) -> u32 {
        self.interval(symbol).0
    }
    /// The same of several symbols but 0, where they may cost less together.
    #[inline]
    fn lefts<const N: usize>(&self, symbols: [u32; N]) -> [u32; N] {
        symbols.map(|symbol| self.left(symbol))
    }
    /// `(symbol, left, width)` of the symbol whose interval holds `quantile` (below `2^PRECISION`).
    fn locate(&self, quantile: u32) -> (u32, u32, u32);
}

/// What a walk over symbols is run with.
pub trait Coder {
    /// Codes one symbol and returns it. A decoder ignores `symbol` and returns the one that it read.
    fn code<const PRECISION: usize>(
        &mut self,
        distribution: &impl Distribution<PRECISION>,
        symbol: u32,
    ) -> Result<u32, Damaged>;

    /// Hears that a unit (a byte, a sample) that takes several symbols is complete. Nothing is coded.
    #[inline(always)]
    fn complete(&mut self) {}
}

/// A binary distribution: `zero` of `2^16` for the symbol 0, between 1 and 65 535.
#[derive(Debug, Clone, Copy)]
pub struct Bit {
    /// Count of the symbol 0.
    pub zero: u16,
}

impl Distribution<16> for Bit {
    #[inline]
    fn interval(&self, symbol: u32) -> (u32, u32) {
        let zero = u32::from(self.zero);
        if symbol == 0 { (0, zero) } else { (zero, (1 << 16) - zero) }
    }
    #[inline]
    fn locate(&self, quantile: u32) -> (u32, u32, u32) {
        let zero = u32::from(self.zero);
        if quantile < zero { (0, 0, zero) } else { (1, zero, (1 << 16) - zero) }
    }
}
