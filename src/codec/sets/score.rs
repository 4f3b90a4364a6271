//! How surprising each symbol of an example is, and how surprising it could be expected to be.
//!
//! What must stay true: the surprises of an example add up to its code length; an entropy depends on what comes before the
//! symbol alone.

use super::walk::{Given, How, Visit, Walker};
use crate::engine::grid::GridNetwork;
use crate::entropy::{Bits, CostMeter, Damaged, EntropyMeter};

/// A symbol's score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Score {
    /// What the symbol costs: `-log2 p`.
    pub surprise: Bits,
    /// What it could be expected to cost before it was known: the entropy of its distribution.
    pub entropy: Bits,
}

/// Writes the scores of one example, in the order of the data.
struct Scores(Vec<Score>);

impl Visit for Scores {
    fn symbol(&mut self, _: usize, index: usize, given: &mut Given<'_>, symbol: u16) -> Result<u16, Damaged> {
        let (mut cost, mut entropy) = (CostMeter::new(), EntropyMeter::new(given.context.alphabet));
        given.code(&mut cost, symbol)?;
        given.code(&mut entropy, symbol)?;
        self.0[index] = Score { surprise: cost.bits(), entropy: entropy.bits() };
        Ok(symbol)
    }
}

/// Scores the symbols of an example, which may be short, in the order of the data. `class` is its class if the network has
/// classes.
///
/// # Panics
/// If the example is longer than the network's grid, has a symbol that is not in the alphabet, or if the class is missing or
/// out of range.
pub fn score(network: &GridNetwork, example: &[u16], class: Option<u32>) -> Vec<Score> {
    assert!(example.len() <= network.symbols(), "an example is too long");
    let mut scores = Scores(vec![Score::default(); example.len()]);
    let mut known = example.to_vec();
    // A meter reads nothing that could be damaged.
    let _ = Walker::new(network).walk(&mut known, class.as_slice(), How::AtOnce, &mut scores);
    scores.0
}
