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

/// A cell of a smooth distribution is cut in as many.
const CUT: usize = 4;
/// Cells of more than 1 / 16 of the alphabet are cut if they hold 1 / 2^12 of the mass ..
const COARSE: (u32, usize) = (16, 12);
/// .. and smaller ones if they hold 1 / 2^5.
const FINE: usize = 5;

/// Scores the last symbol that it was given.
///
/// The sums over the alphabet are exact, or, of a smooth distribution (a mixture of logistics), over cells that hold little or
/// are one symbol: within a cell the distribution is taken as flat.
#[derive(Debug)]
pub struct ScoreMeter {
    alphabet: u32,
    smooth: bool,
    last: Score,
}

fn round(bits: u128) -> u32 {
    const HALF: u128 = 1 << (Bits::FRACTION - Score::FRACTION - 1);
    u32::try_from((bits + HALF) >> (Bits::FRACTION - Score::FRACTION)).unwrap_or(u32::MAX)
}

/// Sums over an alphabet, in 64 bits: a cost is at most 24 bits, and at most 32 more within a cell; masses add up to 2^24.
#[derive(Debug, Default)]
struct Moments {
    /// Of costs in units of 2^-16.
    mean: u64,
    /// Of costs and of their squares, in units of 2^-14 and 2^-28.
    first: u64,
    second: u64,
}

impl Moments {
    /// Adds symbols of equal mass, `mass` together.
    #[inline(always)]
    fn add<const P: usize>(&mut self, symbols: u32, mass: u32) {
        const { assert!(P <= 24, "sums in 64 bits") };
        let digits = symbols.ilog2();
        // A number of symbols that is no power of two is rare.
        let within = if symbols == 1 << digits {
            u64::from(digits) << Bits::FRACTION
        } else {
            (32 << Bits::FRACTION) - cost_of(symbols, 32).0 as u64
        };
        let cost = (cost_of(mass, P as u32).0 as u64 + within) >> (Bits::FRACTION - Score::FRACTION);
        let mass = u64::from(mass);
        self.mean += cost * mass;
        self.first += (cost >> 2) * mass;
        self.second += (cost >> 2) * (cost >> 2) * mass;
    }

    /// The mean and the variance, in units of 2^-16.
    fn ends<const P: usize>(self) -> (u32, u32) {
        let mean = self.first >> (P - 10);
        let variance = ((self.second >> P) << 20).saturating_sub(mean * mean) >> 32;
        let whole = |v: u64| u32::try_from(v).unwrap_or(u32::MAX);
        (whole((self.mean + (1 << (P - 1))) >> P), whole(variance))
    }
}

impl ScoreMeter {
    /// For symbols of `0..alphabet`.
    pub fn new(alphabet: u32, smooth: bool) -> Self {
        Self { alphabet, smooth, last: Score::default() }
    }

    /// The last symbol's score.
    pub fn last(&self) -> Score {
        self.last
    }

    /// Entropy and variance, in units of 2^-16.
    fn expected<const P: usize>(&self, distribution: &impl Distribution<P>) -> (u32, u32) {
        let mut moments = Moments::default();
        if self.smooth {
            self.cells(distribution, &mut moments);
        } else {
            let mut begin = 0;
            for symbol in 0..self.alphabet {
                let end = if symbol + 1 == self.alphabet { 1 << P } else { distribution.left(symbol + 1) };
                moments.add::<P>(1, end - begin);
                begin = end;
            }
        }
        moments.ends::<P>()
    }

    /// Adds cells that hold little, or are one symbol.
    fn cells<const P: usize>(&self, distribution: &impl Distribution<P>, moments: &mut Moments) {
        // Three parts of each cell that is being cut wait, and one is cut: an alphabet of 2^32 is cut 16 times.
        let mut waiting = [(0u32, 0u32, 0u32, 0u32); 16 * (CUT - 1) + 1];
        waiting[0] = (0, self.alphabet, 0, 1 << P);
        let mut count = 1;
        let coarse = (self.alphabet / COARSE.0).max(1);
        while count > 0 {
            count -= 1;
            let (first, end, begin, stop) = waiting[count];
            let (symbols, mass) = (end - first, stop - begin);
            let share = if symbols > coarse { COARSE.1 } else { FINE };
            if symbols == 1 || mass >> (P - share) == 0 {
                moments.add::<P>(symbols, mass);
                continue;
            }
            let bounds = if symbols < CUT as u32 {
                std::array::from_fn(|i| first + (i as u32 + 1).min(symbols - 1))
            } else {
                std::array::from_fn(|i| first + ((u64::from(symbols) * (i as u64 + 1)) / CUT as u64) as u32)
            };
            let lefts: [u32; CUT - 1] = distribution.lefts(bounds);
            let (mut a, mut from) = (first, begin);
            for (b, to) in bounds.into_iter().zip(lefts).chain([(end, stop)]) {
                if b > a {
                    waiting[count] = (a, b, from, to);
                    count += 1;
                }
                (a, from) = (b, to);
            }
        }
    }
}

impl Coder for ScoreMeter {
    #[inline]
    fn code<const P: usize>(&mut self, distribution: &impl Distribution<P>, symbol: u32) -> Result<u32, Damaged> {
        let (entropy, variance) = self.expected(distribution);
        let surprise = cost_of(distribution.interval(symbol).1, P as u32);
        self.last = Score { surprise: round(surprise.0), entropy, variance };
        Ok(symbol)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::Bit;
    use proptest::prelude::*;

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

    proptest! {
        /// The definition, in floating point.
        #[test]
        #[allow(clippy::float_arithmetic, reason = "compares with libm")]
        fn sums_are_those_of_the_definition(
            parts in prop::collection::vec(1u32..100, 2..300), steep in 1u32..6, smooth in any::<bool>(),
        ) {
            let weights: Vec<f64> = parts.iter().map(|p| f64::from(*p).powi(steep as i32)).collect();
            let total: f64 = weights.iter().sum();
            let mut widths: Vec<u32> = weights.iter().map(|w| 1 + (w / total * 65_000.0) as u32).collect();
            widths[0] += 65_536 - widths.iter().sum::<u32>();
            let cost = |w: &u32| 16.0 - f64::from(*w).log2();
            let mean = widths.iter().map(|w| f64::from(*w) / 65536.0 * cost(w)).sum::<f64>();
            let square = widths.iter().map(|w| f64::from(*w) / 65536.0 * cost(w).powi(2)).sum::<f64>();
            let [_, entropy, variance] = score(&mut ScoreMeter::new(parts.len() as u32, smooth), &Widths(widths), 0);
            if smooth {
                // Cells taken as flat can only be less certain.
                prop_assert!(entropy >= mean - 1e-4);
            } else {
                prop_assert!((entropy - mean).abs() < 1e-4, "{} {}", entropy, mean);
                prop_assert!((variance - (square - mean * mean)).abs() < 1e-2, "{} {}", variance, square - mean * mean);
            }
        }
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
