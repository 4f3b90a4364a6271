//! Searches of blocks by the coder's walk: for what is more surprising than expected, for what is less (what was drawn is smoother than
//! what a camera gives), and for what hardly anything is expected of.
//!
//! What must stay true: a figure depends on the scores in its block alone.

use super::super::example::Example;
use super::super::statistics::blocks::{standardized, sums};
use super::{Peak, highest};

/// Number of searches, and what is odd about what they find.
pub const SEARCHES: usize = 3;
pub const WORDS: [&str; SEARCHES] =
    ["more surprising than expected", "less surprising than expected", "more predictable than normal files are"];

/// Sides of the blocks.
const LOUD: usize = 8;
const CALM: usize = 4;
const FLAT: usize = 8;
/// Bits a symbol that are added to an expected code length, so that its logarithm is finite.
const LEAST: f64 = 0.02;

/// What each search finds; `places` are those of the example.
pub fn peaks(example: &Example, places: &[[f64; 2]]) -> [Option<Peak>; SEARCHES] {
    let loud = highest(standardized(example, places, LOUD));
    let calm = highest(standardized(example, places, CALM).map(|(region, z)| (region, -z)));
    let entropies: Vec<[f64; 2]> = example
        .bits()
        .map(|[_, entropy, _]| entropy)
        .collect::<Vec<_>>()
        .chunks(example.channels.max(1))
        .map(|place| [place.iter().sum(), 0.0])
        .collect();
    let symbols = (FLAT * FLAT * example.channels.max(1)) as f64;
    let flat =
        sums(example, &entropies, FLAT).into_iter().map(|(region, [sum, _])| (region, -(sum / symbols + LEAST).ln()));
    [loud, calm, highest(flat)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::Score;
    use crate::score::Kind;

    #[test]
    fn each_search_finds_what_it_is_for() {
        let one = 1 << Score::FRACTION;
        let (width, height) = (40, 32);
        let mut scores = vec![Score { surprise: 3 * one, entropy: 3 * one, variance: one }; width * height];
        for (y, x) in (0..8).flat_map(|y| (0..8).map(move |x| (y, x))) {
            scores[(4 + y) * width + 8 + x].surprise = 6 * one;
            scores[(20 + y) * width + 28 + x].surprise = one;
            let sure = one / 64;
            scores[(20 + y) * width + 4 + x] = Score { surprise: sure, entropy: sure, variance: 0 };
        }
        let symbols = vec![0; width * height];
        let kind = Kind::Picture;
        let example = Example::new(kind, [height, width, 1], 256, &symbols, &scores);
        let found = |example: &Example| peaks(example, &example.places());
        let places = found(&example).map(|peak| peak.map(|p| (p.region.x, p.region.y, p.region.width)));
        assert_eq!(places, [Some((8, 4, 8)), Some((28, 20, 4)), Some((4, 20, 8))]);
        // A text: blocks of as many letters in a row.
        let text = Example { kind: Kind::Text, height: 1, width: width * height, ..example };
        assert_eq!(found(&text)[0].map(|p| p.region.width), Some(64));
        assert_eq!(found(&Example { width: 3, height: 1, symbols: &[0; 3], scores: &scores[..3], ..text }), [None; 3]);
    }
}
