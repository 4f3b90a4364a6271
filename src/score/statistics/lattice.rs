//! Traces of a JPEG: high frequencies of the blocks that its encoder used are weaker than those of other blocks.
//!
//! The discrete cosine transform of every block of 8 x 8, once of those that begin at multiples of 8 and once of those half-way
//! between. A picture that was never a JPEG has the same coefficients in both; an encoder has set many high ones of the former to zero
//! (Fan and de Queiroz 2003). One that was cropped by other than multiples of 8 is not found.

use super::super::{Example, Kind};
use super::{Family, Statistic};
use std::sync::LazyLock;

/// The statistics of this module.
pub static ALL: &[Statistic] = &[Statistic {
    name: "lattice",
    what: "high frequencies beside those of an 8 x 8 lattice (JPEG)",
    source: "Fan and de Queiroz 2003",
    family: Family::Trace,
    of: |f| lattice(f.example, &f.luminance),
}];

const SIDE: usize = 8;
/// Rows and columns of frequencies from here on are looked at.
const HIGH: usize = 4;
/// What rounding to whole steps of gray leaves in a coefficient, squared.
const ROUNDING: f64 = 0.25;

/// Rows of the transform of the high frequencies.
static COSINES: LazyLock<[[f64; SIDE]; SIDE - HIGH]> = LazyLock::new(|| {
    std::array::from_fn(|k| {
        std::array::from_fn(|n| ((n as f64 + 0.5) * (k + HIGH) as f64 * std::f64::consts::PI / SIDE as f64).cos() / 2.0)
    })
});

/// Mean logarithm of the squared high coefficients of blocks, of which the first begins at `(first, first)`.
fn high(plane: &[f64], width: usize, height: usize, first: usize) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for top in (first..height.saturating_sub(SIDE - 1)).step_by(SIDE) {
        for left in (first..width.saturating_sub(SIDE - 1)).step_by(SIDE) {
            let rows: [[f64; SIDE - HIGH]; SIDE] = std::array::from_fn(|y| {
                let row = &plane[(top + y) * width + left..][..SIDE];
                std::array::from_fn(|k| row.iter().zip(&COSINES[k]).map(|(a, b)| a * b).sum())
            });
            for (k, across) in COSINES.iter().flat_map(|c| (0..SIDE - HIGH).map(move |k| (k, c))) {
                let coefficient: f64 = rows.iter().zip(across).map(|(row, c)| row[k] * c).sum();
                sum += (coefficient * coefficient + ROUNDING).log2();
                count += 1.0;
            }
        }
    }
    sum / f64::max(count, 1.0)
}

/// How much weaker they are where a JPEG's blocks would begin, in logarithms to base 2.
fn lattice(example: &Example, plane: &[f64]) -> f64 {
    let (width, height) = (example.width, example.height);
    if example.kind != Kind::Picture || width < 2 * SIDE || height < 2 * SIDE {
        return 0.0;
    }
    high(plane, width, height, SIDE / 2) - high(plane, width, height, 0)
}
