//! Data made up to study families on: pairs of values from a distribution that is known, and pictures in which a row comes
//! again.
//!
//! What must stay true: the same numbers give the same data everywhere. So the distribution is made with `+ - * /` and square
//! roots, which are exact on every machine, and then of whole numbers.

use surprisal::entropy::{Bit, Coder, Distribution, Sampler};
use surprisal::media::set::Array;

/// Values of each of the two.
pub const SIDE: usize = 200;
/// Counts of a distribution over all pairs add up to 2 to this.
const PRECISION: usize = 24;

/// A distribution over pairs `(x1, x2)`; the symbol of a pair is `x1 * SIDE + x2`.
pub struct Toy {
    /// `[SIDE * SIDE + 1]`: how much lies before each pair.
    before: Vec<u32>,
}

/// A hill that is 1 where `t` is 0 and ends where it is 1 (or -1).
fn hill(t: f64) -> f64 {
    let rest = 1.0 - t * t;
    if rest > 0.0 { rest * rest } else { 0.0 }
}

/// Two rings through one another, a bar, a round hill and a row of dots, not normalised.
fn height(a: f64, b: f64) -> f64 {
    let distance = |x: f64, y: f64| ((a - x) * (a - x) + (b - y) * (b - y)).sqrt();
    let rings = hill((distance(65.0, 70.0) - 42.0) / 9.0) + 1.5 * hill((distance(105.0, 95.0) - 36.0) / 6.0);
    let along = (a - 25.0) / 150.0;
    let bar = if (0.0..=1.0).contains(&along) { 0.3 + along } else { 0.0 } * hill((b - 172.0 + 30.0 * along) / 7.0);
    let dots: f64 = (0..5).map(|i| hill(distance(30.0 + 34.0 * f64::from(i), 12.0) / 6.0)).sum();
    rings + bar + 1.2 * hill(distance(160.0, 55.0) / 24.0) + dots
}

impl Toy {
    /// The distribution.
    pub fn new() -> Self {
        let cells = (0..SIDE * SIDE).map(|i| height((i / SIDE) as f64, (i % SIDE) as f64));
        let heights: Vec<f64> = cells.collect();
        let total: f64 = heights.iter().sum();
        let free = f64::from((1u32 << PRECISION) - (SIDE * SIDE) as u32);
        // Every pair has a chance, if only the least.
        let mut counts: Vec<u32> = heights.iter().map(|h| 1 + (h / total * free).floor() as u32).collect();
        let left = (1u32 << PRECISION) - counts.iter().sum::<u32>();
        let highest = (0..counts.len()).max_by_key(|i| counts[*i]).unwrap_or(0);
        counts[highest] += left;
        let mut before = vec![0];
        counts.iter().for_each(|c| before.push(before[before.len() - 1] + c));
        Self { before }
    }

    /// Probabilities of all pairs, `[SIDE * SIDE]`.
    pub fn probabilities(&self) -> Vec<f64> {
        self.before.windows(2).map(|w| f64::from(w[1] - w[0]) / f64::from(1u32 << PRECISION)).collect()
    }

    /// Pairs drawn from it, as pictures of one row and two columns.
    pub fn draw(&self, count: u32, seed: u64) -> Array {
        let mut sampler = Sampler::new(seed);
        // A sampler reads nothing that could be damaged.
        let pairs = (0..count).map(|_| sampler.code(self, 0).unwrap_or(0) as usize);
        let values = pairs.flat_map(|pair| [(pair / SIDE) as u8, (pair % SIDE) as u8]).collect();
        Array { dims: vec![count, 1, 2], values }
    }
}

impl Distribution<PRECISION> for Toy {
    fn interval(&self, symbol: u32) -> (u32, u32) {
        let (first, end) = (self.before[symbol as usize], self.before[symbol as usize + 1]);
        (first, end - first)
    }
    fn locate(&self, quantile: u32) -> (u32, u32, u32) {
        let symbol = self.before.partition_point(|b| *b <= quantile) as u32 - 1;
        let (left, width) = self.interval(symbol);
        (symbol, left, width)
    }
}

/// Binary pictures whose first row is drawn, evenly, and comes again as the last; the rows between are empty.
pub fn copies(count: u32, rows: u32, columns: u32, seed: u64) -> Array {
    let mut sampler = Sampler::new(seed);
    let mut values = Vec::with_capacity(count as usize * rows as usize * columns as usize);
    for _ in 0..count {
        let bit = |_| sampler.code(&Bit { zero: 1 << 15 }, 0).unwrap_or(0) as u8 * 255;
        let row: Vec<u8> = (0..columns).map(bit).collect();
        values.extend_from_slice(&row);
        values.resize(values.len() + ((rows - 2) * columns) as usize, 0);
        values.extend_from_slice(&row);
    }
    Array { dims: vec![count, rows, columns], values }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_drawn_as_often_as_they_are_likely() {
        let toy = Toy::new();
        let p = toy.probabilities();
        assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12 && p.iter().all(|p| *p > 0.0));
        let drawn = toy.draw(40_000, 3);
        assert_eq!((drawn.dims, drawn.values.len()), (vec![40_000, 1, 2], 80_000));
        // The part of the pairs in each quarter, and its standard deviation.
        let quarter = |a: usize, b: usize| a / 100 * 2 + b / 100;
        for q in 0..4 {
            let expected: f64 = (0..SIDE * SIDE).filter(|i| quarter(i / SIDE, i % SIDE) == q).map(|i| p[i]).sum();
            let found = drawn.values.chunks(2).filter(|v| quarter(v[0].into(), v[1].into()) == q).count() as f64 / 4e4;
            assert!((found - expected).abs() < 5.0 * (expected / 4e4).sqrt(), "{q}: {found}, not {expected}");
        }
        assert_eq!(toy.draw(4, 0).values, toy.draw(9, 0).values[..8]);
    }

    #[test]
    fn the_last_row_is_the_first() {
        let made = copies(300, 5, 4, 1);
        assert_eq!(made.dims, [300, 5, 4]);
        let rows: Vec<&[u8]> = made.values.chunks(4).collect();
        assert!(rows.chunks(5).all(|p| p[0] == p[4] && p[1..4].iter().all(|r| *r == [0; 4])));
        let ones = made.values.iter().filter(|v| **v == 255).count();
        assert!(ones.abs_diff(1200) < 200, "{ones}");
    }
}
