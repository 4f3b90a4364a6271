//! Where an example is odd: searches of its blocks, by the coder's walk and by its pixels, and which of them found what normal examples
//! do not have.
//!
//! Each search gives the block in which its figure is highest. Every normal example has such a block, too, so that a figure is compared with
//! the highest ones of normal examples: how far above their median it is, in units in which a tenth of normal examples have more than 1. The
//! block of the search that is farthest above is the strangest. Few figures of each normal file are kept for it, and no maps.
//!
//! What must stay true: what a search finds depends on the example and its scores alone, and ties go to the first block.

mod contours;
mod walk;

use super::example::{Example, Region, Summary};
use super::scale::Scale;
use serde::{Deserialize, Serialize};

/// The block in which a figure is highest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Peak {
    /// The figure; finite.
    pub value: f64,
    /// The block.
    pub region: Region,
}

/// Number of searches.
pub const SEARCHES: usize = walk::SEARCHES + contours::SEARCHES;

/// Normal examples that must have a block of a search, so that it is compared with them.
const LEAST: usize = 8;

/// What each search finds; nothing where no block fits in. `places` and, of a picture, `luminance` are those of the example.
pub fn peaks(example: &Example, places: &[[f64; 2]], luminance: &[f64]) -> Vec<Option<Peak>> {
    let mut peaks = walk::peaks(example, places).to_vec();
    peaks.extend(contours::peaks(example, luminance));
    peaks
}

/// What is odd about the block of a search, in words.
fn words(search: usize) -> &'static str {
    match search.checked_sub(walk::SEARCHES) {
        None => walk::WORDS[search],
        Some(search) => contours::words(search),
    }
}

/// The highest of some figures.
fn highest(figures: impl Iterator<Item = (Region, f64)>) -> Option<Peak> {
    let peak = |most: Option<Peak>, (region, value): (Region, f64)| match most {
        Some(most) if value <= most.value => Some(most),
        _ => Some(Peak { value, region }),
    };
    figures.filter(|(_, value)| value.is_finite()).fold(None, peak)
}

/// How high each search's figure is in normal examples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Places(Vec<Option<Scale>>);

impl Places {
    /// Of normal examples.
    pub fn new(normal: &[&Summary]) -> Self {
        let scale = |search: usize| {
            let peaks = normal.iter().filter_map(|s| s.peaks.get(search).copied().flatten());
            let values: Vec<f64> = peaks.map(|peak| peak.value).collect();
            if values.len() < LEAST { None } else { Scale::upper(&values).or_else(|| Scale::of(&values)) }
        };
        Self((0..SEARCHES).map(scale).collect())
    }

    /// The strangest block of an example, and what is odd about it.
    pub fn of(&self, summary: &Summary) -> Option<(Region, &'static str)> {
        let found = self.0.iter().zip(&summary.peaks).enumerate();
        let each = found
            .filter_map(|(search, (scale, peak))| Some((search, scale.as_ref()?.z(peak.as_ref()?.value), (*peak)?)));
        let strangest = each.reduce(|most, next| if next.1 > most.1 { next } else { most });
        strangest.map(|(search, _, peak)| (peak.region, words(search)))
    }

    /// Whether its numbers can be used.
    pub fn is_sound(&self) -> bool {
        self.0.len() == SEARCHES && self.0.iter().flatten().all(|scale| scale.is_sound())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(peaks: Vec<Option<Peak>>) -> Summary {
        Summary { content: [0; 32], group: [0; 32], values: Vec::new(), layer: Vec::new(), peaks }
    }

    fn peak(value: f64, x: usize) -> Option<Peak> {
        Some(Peak { value, region: Region { x, y: 0, width: 1, height: 1 } })
    }

    #[test]
    fn the_strangest_block_is_so_beside_normal_ones() {
        // The first search's figures are large in normal examples, too; the third has too few, the others none.
        let normal = |i: usize| {
            let third = if i < LEAST - 1 { peak(0.0, 2) } else { None };
            summary(vec![peak(100.0 + i as f64, 0), peak(i as f64 / 100.0, 1), third])
        };
        let normal: Vec<Summary> = (0..30).map(normal).collect();
        let places = Places::new(&normal.iter().collect::<Vec<_>>());
        assert!(places.is_sound());
        let of = |first: f64, second: f64| places.of(&summary(vec![peak(first, 0), peak(second, 1), peak(1e9, 2)]));
        assert_eq!(of(120.0, 5.0).map(|(region, _)| region.x), Some(1));
        assert_eq!(of(300.0, 0.2), Some((Region { x: 0, y: 0, width: 1, height: 1 }, words(0))));
        assert_eq!(places.of(&summary(vec![None; SEARCHES])), None);
        assert!(!Places(Vec::new()).is_sound());
    }
}
