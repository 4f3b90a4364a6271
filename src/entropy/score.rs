//! What a symbol costs beside what it could be expected to cost: the mean and the variance of `-log2 p` under its own
//! distribution.
//!
//! What must stay true: the expectation does not depend on the symbol that came.

use super::{Bits, Coder, Damaged, Distribution, cost_of};

/// A symbol's code length and what could be expected of it, each in units of 2^-16.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Score {
    /// What it costs: `-log2 p`, in bits.
    pub surprise: u32,
    /// What it could be expected to cost before it was known: the entropy of its distribution, in bits.
    pub entropy: u32,
    /// The variance of `-log2 p` under its distribution, in squared bits.
    pub variance: u32,
}

impl Score {
    /// Fractional bits of the units.
    pub const FRACTION: u32 = 16;
}

/// Cells of a smooth distribution that are looked at first.
const CELLS: u32 = 16;
/// A cell of a smooth distribution that holds more than this share (1 / 2^n) is halved.
const SHARE: usize = 5;

/// Scores the last symbol that it was given.
///
/// The sums over the alphabet are exact, or, of a smooth distribution (a mixture of logistics), over cells that hold little or
/// are one symbol: within a cell the distribution is taken as flat.
#[derive(Debug)]
pub struct ScoreMeter {
    alphabet: u32,
    /// Symbols of a cell at first, a power of two.
    cell: u32,
    last: Score,
}

/// Half-way up.
const HALF: u128 = 1 << (Bits::FRACTION - Score::FRACTION - 1);

fn round(bits: u128) -> u32 {
    u32::try_from((bits + HALF) >> (Bits::FRACTION - Score::FRACTION)).unwrap_or(u32::MAX)
}

impl ScoreMeter {
    /// For symbols of `0..alphabet`.
    pub fn new(alphabet: u32, smooth: bool) -> Self {
        let cell = if smooth { (alphabet / CELLS).max(1).next_power_of_two() } else { 1 };
        Self { alphabet, cell, last: Score::default() }
    }

    /// The last symbol's score.
    pub fn last(&self) -> Score {
        self.last
    }

    /// Entropy and variance, in units of 2^-32.
    fn expected<const P: usize>(&self, distribution: &impl Distribution<P>) -> (u128, u128) {
        let left = |symbol| if symbol >= self.alphabet { 1 << P } else { distribution.left(symbol) };
        // Halves that wait: a cell of 2^31 symbols is halved 31 times.
        let mut waiting = [(0u32, 0u32, 0u32, 0u32); 32];
        let (mut mean, mut square) = (0u128, 0u128);
        let (mut first, mut begin) = (0, 0);
        while first < self.alphabet {
            let end = first.saturating_add(self.cell).min(self.alphabet);
            let stop = left(end);
            let mut depth = 0;
            let mut cell = (first, end, begin, stop);
            loop {
                let (a, b, from, to) = cell;
                let mass = to - from;
                if b - a > 1 && mass >> (P - SHARE) > 0 && depth < waiting.len() {
                    let middle = a + (b - a) / 2;
                    let at = left(middle);
                    waiting[depth] = (middle, b, at, to);
                    depth += 1;
                    cell = (a, middle, from, at);
                    continue;
                }
                // Each symbol of the cell has an equal part of its mass.
                let within = (32u128 << Bits::FRACTION) - cost_of(b - a, 32).0;
                let cost = cost_of(mass, P as u32).0 + within;
                mean += cost * u128::from(mass);
                square += cost * cost * u128::from(mass);
                if depth == 0 {
                    break;
                }
                depth -= 1;
                cell = waiting[depth];
            }
            (first, begin) = (end, stop);
        }
        let mean = mean >> P;
        let variance = (square >> P).saturating_sub(mean * mean) >> Bits::FRACTION;
        (mean, variance)
    }
}

impl Coder for ScoreMeter {
    #[inline]
    fn code<const P: usize>(&mut self, distribution: &impl Distribution<P>, symbol: u32) -> Result<u32, Damaged> {
        let (entropy, variance) = self.expected(distribution);
        let surprise = cost_of(distribution.interval(symbol).1, P as u32);
        self.last = Score { surprise: round(surprise.0), entropy: round(entropy), variance: round(variance) };
        Ok(symbol)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::Bit;

    /// Widths, one a symbol, of 2^16.
    struct Widths(Vec<u32>);

    impl Distribution<16> for Widths {
        fn interval(&self, symbol: u32) -> (u32, u32) {
            (self.0[..symbol as usize].iter().sum(), self.0[symbol as usize])
        }
        fn locate(&self, _: u32) -> (u32, u32, u32) {
            unreachable!("a meter reads nothing")
        }
    }

    #[allow(clippy::float_arithmetic, reason = "compares with libm")]
    fn score<const P: usize>(meter: &mut ScoreMeter, distribution: &impl Distribution<P>, symbol: u32) -> [f64; 3] {
        meter.code(distribution, symbol).unwrap();
        let Score { surprise, entropy, variance } = meter.last();
        [surprise, entropy, variance].map(|v| f64::from(v) / 65536.0)
    }

    #[test]
    #[allow(clippy::float_arithmetic, reason = "compares with libm")]
    fn mean_and_variance_of_the_code_length() {
        let fair = score(&mut ScoreMeter::new(2, false), &Bit { zero: 1 << 15 }, 1);
        assert_eq!(fair, [1.0, 1.0, 0.0]);
        let p = 0.25f64;
        let [surprise, entropy, variance] = score(&mut ScoreMeter::new(2, false), &Bit { zero: 1 << 14 }, 0);
        let exact = -p * p.log2() - (1.0 - p) * (1.0 - p).log2();
        let second = p * p.log2().powi(2) + (1.0 - p) * (1.0 - p).log2().powi(2) - exact * exact;
        assert!(surprise == 2.0 && (entropy - exact).abs() < 1e-4 && (variance - second).abs() < 1e-4);
    }

    #[test]
    #[allow(clippy::float_arithmetic, reason = "compares two ways to add up")]
    fn cells_of_a_smooth_distribution_are_nearly_exact() {
        for spread in [0.5f64, 2.0, 10.0, 60.0] {
            let bell = |i: u32| 1.0 / ((f64::from(i) - 77.3) / spread).cosh().powi(2);
            let total: f64 = (0..256).map(bell).sum();
            let mut widths: Vec<u32> = (0..256).map(|i| 1 + (bell(i) / total * 65_000.0) as u32).collect();
            widths[77] += 65_536 - widths.iter().sum::<u32>();
            let widths = Widths(widths);
            let exact = score(&mut ScoreMeter::new(256, false), &widths, 80);
            let cells = score(&mut ScoreMeter::new(256, true), &widths, 80);
            assert_eq!(exact[0], cells[0]);
            assert!((exact[1] - cells[1]).abs() < 0.03, "{spread}: {exact:?} {cells:?}");
            assert!((exact[2] - cells[2]).abs() < 0.15, "{spread}: {exact:?} {cells:?}");
        }
    }
}
