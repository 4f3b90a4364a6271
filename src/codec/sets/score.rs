//! How surprising each symbol of an example is, and how surprising it could be expected to be.
//!
//! What must stay true: the surprises of an example add up to its code length (each is rounded to 2^-16 bit); an expectation
//! depends on what comes before the symbol alone, and a score on nothing but the example.

use super::classes::{ClassError, Labels};
use super::layout::by_groups;
use super::walk::{Given, How, Visit, Walker};
use crate::engine::grid::GridNetwork;
use crate::entropy::{Damaged, Score};
use crate::media::set::Set;

/// Writes the scores of some examples, one after the other, in the order of the data.
struct Scores {
    size: usize,
    scores: Vec<Score>,
}

impl Visit for Scores {
    fn symbol(&mut self, lane: usize, index: usize, given: &mut Given<'_>, symbol: u16) -> Result<u16, Damaged> {
        self.scores[lane * self.size + index] = given.head.score(given.context, given.scratch, symbol.into());
        Ok(symbol)
    }
}

fn scores(walker: &mut Walker<'_>, size: usize, symbols: &[u16], classes: &[u32]) -> Vec<Score> {
    let mut scores = Scores { size, scores: vec![Score::default(); symbols.len()] };
    let mut known = symbols.to_vec();
    // Nothing is read that could be damaged.
    let _ = walker.walk(&mut known, classes, How::AtOnce, &mut scores);
    scores.scores
}

/// Scores the symbols of an example, which may be short, in the order of the data. `class` is its class if the network has
/// classes.
///
/// # Panics
/// If the example is longer than the network's grid, has a symbol that is not in the alphabet, or if the class is missing or
/// out of range.
pub fn score(network: &GridNetwork, example: &[u16], class: Option<u32>) -> Vec<Score> {
    assert!(example.len() <= network.symbols(), "an example is too long");
    scores(&mut Walker::new(network), network.symbols(), example, class.as_slice())
}

/// Scores the examples of a set, many side by side. What `then` makes of each one's number,
/// symbols and scores is kept, in order.
///
/// # Errors
/// Labels that do not fit.
///
/// # Panics
/// If the set is not one of the network's domain.
pub fn score_each<T: Send>(
    network: &GridNetwork,
    set: &Set,
    labels: Labels<'_>,
    then: impl Fn(usize, &[u16], &[Score]) -> T + Sync,
) -> Result<Vec<T>, ClassError> {
    let size = network.symbols();
    by_groups(network, set, labels, |walker, first, symbols, classes| {
        let scores = scores(walker, size, symbols, classes);
        let each = symbols.chunks(size).zip(scores.chunks(size)).enumerate();
        each.map(|(i, (example, scores))| then(first + i, example, scores)).collect()
    })
}
