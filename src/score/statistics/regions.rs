//! Where in a picture the surprise lies: its mean and that of the expectation in each part of a grid of 4 by 4.
//!
//! Pictures of one kind (digits in the middle, cells with a frame) have their details at the same places; one of another kind may
//! have as many, but elsewhere. Spatial pooling in the manner of Lazebnik et al. 2006, of code lengths.

use super::super::{Example, Kind};
use super::{Family, Figures, Statistic};

/// Parts along each side.
const SIDE: usize = 4;
const PARTS: usize = SIDE * SIDE;

/// Means of the parts, in bits a symbol.
#[derive(Debug, Default)]
pub struct Regions {
    surprise: [f64; PARTS],
    entropy: [f64; PARTS],
}

impl Regions {
    /// Those of a picture; zeros for anything else.
    pub fn of(example: &Example) -> Self {
        let mut regions = Self::default();
        if example.kind != Kind::Picture || example.height < SIDE || example.width < SIDE {
            return regions;
        }
        let mut counts = [0.0; PARTS];
        let row = example.width * example.channels.max(1);
        for (i, [surprise, entropy, _]) in example.bits().enumerate() {
            let part = i / row * SIDE / example.height * SIDE + i % row * SIDE / row;
            regions.surprise[part] += surprise;
            regions.entropy[part] += entropy;
            counts[part] += 1.0;
        }
        for (part, count) in counts.into_iter().enumerate() {
            regions.surprise[part] /= count;
            regions.entropy[part] /= count;
        }
        regions
    }
}

macro_rules! parts {
    ($($part:literal $down:literal $right:literal),*) => {
        /// The statistics of this module.
        pub static ALL: &[Statistic] = &[$(
            Statistic {
                name: concat!("surprise", $down, $right),
                what: concat!("code length in part ", $down, " of 4 down and ", $right, " of 4 across"),
                source: "spatial pooling (Lazebnik et al. 2006)",
                family: Family::Other,
                of: |f: &Figures| f.regions.surprise[$part],
            },
            Statistic {
                name: concat!("expected", $down, $right),
                what: concat!("expected code length in part ", $down, " of 4 down and ", $right, " of 4 across"),
                source: "spatial pooling (Lazebnik et al. 2006)",
                family: Family::Other,
                of: |f: &Figures| f.regions.entropy[$part],
            },
        )*];
    };
}

parts!(0 1 1, 1 1 2, 2 1 3, 3 1 4, 4 2 1, 5 2 2, 6 2 3, 7 2 4, 8 3 1, 9 3 2, 10 3 3, 11 3 4, 12 4 1, 13 4 2, 14 4 3, 15 4 4);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::Score;

    #[test]
    fn each_part_has_its_own_mean() {
        let one = 1 << Score::FRACTION;
        let (height, width) = (9, 10);
        let mut scores = vec![Score::default(); height * width];
        scores[8 * width + 9] = Score { surprise: 6 * one, entropy: 12 * one, variance: 0 };
        let symbols = vec![0; height * width];
        let example = Example::new(Kind::Picture, [height, width, 1], 256, &symbols, &scores);
        let regions = Regions::of(&example);
        // The last part has the rows 7 and 8 and the columns 8 and 9.
        assert_eq!((regions.surprise[15], regions.entropy[15]), (1.5, 3.0));
        assert_eq!(regions.surprise[..15].iter().sum::<f64>(), 0.0);
    }
}
