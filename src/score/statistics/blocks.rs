//! Statistics of neighbouring places.
//!
//! In a sequence, a block of n x n is n^2 places in a row.

use super::super::{Example, Region};
use super::{Family, Figures, Statistic};

/// The statistics of this module.
pub static ALL: &[Statistic] = &[
    Statistic {
        name: "neighbours",
        what: "likeness of surprise from one place to the next",
        source: "autocorrelation of the standardized surprise",
        family: Family::Walk,
        of: neighbours,
    },
    Statistic {
        name: "block4",
        what: "surprise in its strangest block of 4 x 4",
        source: "largest standardized sum of a block",
        family: Family::Walk,
        of: |f| largest(f, 4),
    },
    Statistic {
        name: "block8",
        what: "surprise in its strangest block of 8 x 8",
        source: "largest standardized sum of a block",
        family: Family::Walk,
        of: |f| largest(f, 8),
    },
    Statistic {
        name: "block16",
        what: "surprise in its strangest block of 16 x 16",
        source: "largest standardized sum of a block",
        family: Family::Walk,
        of: |f| largest(f, 16),
    },
];

/// Squared bits that every block or place may differ by, so that one that was certain to be right does not count for ever.
pub const SLACK: f64 = 0.5;

/// Sums of two figures of each place over each block of a side. Blocks overlap by half.
pub fn sums(example: &Example, places: &[[f64; 2]], side: usize) -> Vec<(Region, [f64; 2])> {
    let (wide, high) = if example.height > 1 { (side, side) } else { (side * side, 1) };
    if wide > example.width || high > example.height || places.len() < wide * high {
        return Vec::new();
    }
    // Sums of cells of half a side, four (or two) of which are a block.
    let (cell_x, cell_y) = ((wide / 2).max(1), (high / 2).max(1));
    let columns = example.width / cell_x;
    let rows = (places.len() / example.width).max(1).min(example.height) / cell_y;
    let mut cells = vec![[0.0; 2]; columns * rows];
    for (i, figures) in places.iter().enumerate() {
        let (x, y) = (i % example.width / cell_x, i / example.width / cell_y);
        if x < columns && y < rows {
            let cell = &mut cells[y * columns + x];
            *cell = [cell[0] + figures[0], cell[1] + figures[1]];
        }
    }
    let (across, down) = (wide / cell_x, high / cell_y);
    let mut blocks = Vec::new();
    for y in 0..(rows + 1).saturating_sub(down) {
        for x in 0..(columns + 1).saturating_sub(across) {
            let mut sum = [0.0; 2];
            for (dy, dx) in (0..down).flat_map(|dy| (0..across).map(move |dx| (dy, dx))) {
                let cell = cells[(y + dy) * columns + x + dx];
                sum = [sum[0] + cell[0], sum[1] + cell[1]];
            }
            blocks.push((Region { x: x * cell_x, y: y * cell_y, width: wide, height: high }, sum));
        }
    }
    blocks
}

/// Each block of a side and its standardized surprise.
pub fn standardized(example: &Example, places: &[[f64; 2]], side: usize) -> impl Iterator<Item = (Region, f64)> {
    let z = |(region, [difference, variance]): (Region, [f64; 2])| (region, difference / (variance + SLACK).sqrt());
    sums(example, places, side).into_iter().map(z)
}

/// The largest standardized surprise of a block, in either direction; 0 where no block fits in.
pub fn largest(figures: &Figures, side: usize) -> f64 {
    let blocks = standardized(figures.example, &figures.places, side);
    blocks.fold(0.0, |most, (_, z)| f64::max(most, z.abs()))
}

/// Correlation of the standardized surprises of neighbouring places, to the right and below.
pub fn neighbours(figures: &Figures) -> f64 {
    let example = figures.example;
    let places: Vec<f64> = figures.places.iter().map(|[d, v]| d / (v + SLACK).sqrt()).collect();
    let n = places.len().max(1) as f64;
    let mean = places.iter().sum::<f64>() / n;
    let variance = places.iter().map(|z| (z - mean) * (z - mean)).sum::<f64>() / n;
    let (mut sum, mut pairs) = (0.0, 0.0);
    for (i, z) in places.iter().enumerate() {
        let right = if (i + 1) % example.width == 0 { None } else { places.get(i + 1) };
        for other in right.into_iter().chain(places.get(i + example.width)) {
            sum += (z - mean) * (other - mean);
            pairs += 1.0;
        }
    }
    if pairs == 0.0 || variance < 1e-12 { 0.0 } else { sum / pairs / variance }
}
