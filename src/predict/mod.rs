//! Predictors that learn while they code: they need no training and no model file, only the symbols so far.
//!
//! Each one is a [`Part`] with a name and a version that streams record. What must stay true: a part's version is raised
//! with every change that gives other probabilities, so that a decoder either has the very same part or refuses the stream.

pub mod adjust;
pub mod audio;
pub mod bilevel;
pub mod bytes;
pub mod deep;
pub mod linear;
pub mod lpc;

use crate::entropy::{Bit, Coder, Damaged};

/// An adaptive part as streams name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Part {
    /// Lower-case name.
    pub name: &'static str,
    /// Raised with every change of the probabilities.
    pub version: u16,
}

/// All parts that this build can decode; of a name in several versions, the latest is the last.
pub const PARTS: &[Part] = &[adjust::PART, audio::PART, bilevel::PART, bytes::PART, deep::PART, linear::PART];

/// The probability of a decision, by what it was before: it starts at one half.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chance {
    one: i32,
    seen: i32,
}

impl Chance {
    pub(crate) const NEW: Self = Self { one: 1 << 15, seen: 0 };

    pub(crate) fn code<C: Coder>(&mut self, coder: &mut C, bit: bool) -> Result<bool, Damaged> {
        let one = self.one.clamp(32, 65536 - 32);
        let bit = coder.code(&Bit { zero: (65536 - one) as u16 }, bit.into())? == 1;
        self.seen = (self.seen + 1).min(60);
        self.one += (if bit { 65536 } else { 0 } - self.one) / (self.seen + 1);
        Ok(bit)
    }
}

/// Codes a number of `bits` bits, all equally likely.
pub(crate) fn number<C: Coder>(coder: &mut C, bits: u32, number: u32) -> Result<u32, Damaged> {
    let mut coded = 0;
    for shift in (0..bits).rev() {
        coded = coded << 1 | coder.code(&Bit { zero: 1 << 15 }, number >> shift & 1)?;
    }
    Ok(coded)
}
