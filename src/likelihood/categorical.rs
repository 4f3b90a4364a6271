//! Any distribution over an alphabet: log-weights become counts of 24 bits.
//!
//! With `d_i = max_j x_j - x_i`, `e_i = weight[d_i]`, `C_i = e_0 + ... + e_(i-1)` and `W = C_n` the count below symbol i is
//! `i + floor(C_i (2^24 - n) / W)`: every symbol has at least 1.
//!
//! What must stay true: no product overflows 64 bits for alphabets of up to [`MAX_ALPHABET`] values.

use crate::entropy::Distribution;
use crate::wire::{Reader, WireError, Writer};

/// Bits of the total count.
pub const PRECISION: usize = 24;
const TOTAL: u64 = 1 << PRECISION;
/// Largest alphabet.
pub const MAX_ALPHABET: u32 = 4096;
/// Fractional bits of log-weights, in nats, where they index the table.
pub const FRACTION: u32 = 7;
/// Entries of the table of `exp(-d)`, from 0 to 17 nats.
pub const ENTRIES: usize = (17 << FRACTION) + 1;
/// The first entry.
pub const ONE: u32 = 1 << 24;

/// Tables and units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tables {
    /// Fractional bits of the parameters.
    pub fraction: u8,
    /// `[ENTRIES]`: `exp(-d)`, falling from [`ONE`].
    pub weight: Vec<u32>,
}

impl Tables {
    /// Whether every sum fits.
    pub fn check(&self) -> Result<(), &'static str> {
        let ok = |good: bool, what| if good { Ok(()) } else { Err(what) };
        ok((FRACTION as u8..=15).contains(&self.fraction), "the parameters' fraction")?;
        ok(self.weight.len() == ENTRIES && self.weight[0] == ONE, "the table of weights")?;
        ok(self.weight.is_sorted_by(|a, b| a >= b), "the order of the table of weights")
    }

    /// Canonical bytes.
    pub fn write(&self, w: &mut Writer) {
        w.u8(self.fraction);
        super::write_falling(w, self.weight.iter().copied());
    }

    /// Reads canonical bytes; [`check`](Self::check) comes after.
    pub fn read(r: &mut Reader) -> Result<Self, WireError> {
        Ok(Self { fraction: r.u8()?, weight: super::read_falling(r, ENTRIES)? })
    }

    /// The distribution for the log-weights of all values. `sums` is room for its sums.
    pub fn distribution<'s>(&self, parameters: &[i16], sums: &'s mut Vec<u64>) -> Categorical<'s> {
        let top = i32::from(parameters.iter().copied().max().unwrap_or(0));
        let drop = u32::from(self.fraction) - FRACTION;
        let half = (1i32 << drop) >> 1;
        sums.clear();
        sums.push(0);
        let mut sum = 0;
        for parameter in parameters {
            let below = (top - i32::from(*parameter) + half) >> drop;
            sum += u64::from(self.weight[(below as usize).min(ENTRIES - 1)]);
            sums.push(sum);
        }
        Categorical { sums }
    }
}

/// The distribution of one symbol.
#[derive(Debug, Clone, Copy)]
pub struct Categorical<'s> {
    /// `[alphabet + 1]`: C.
    sums: &'s [u64],
}

impl Categorical<'_> {
    /// The count of all symbols below `symbol`.
    #[inline]
    fn left(&self, symbol: usize) -> u32 {
        let n = self.sums.len() - 1;
        (symbol as u64 + self.sums[symbol] * (TOTAL - n as u64) / self.sums[n]) as u32
    }
}

impl Distribution<PRECISION> for Categorical<'_> {
    fn interval(&self, symbol: u32) -> (u32, u32) {
        let left = self.left(symbol as usize);
        (left, self.left(symbol as usize + 1) - left)
    }

    fn locate(&self, quantile: u32) -> (u32, u32, u32) {
        // low <= symbol < high always.
        let (mut low, mut high) = (0, self.sums.len() - 1);
        while high - low > 1 {
            let middle = (low + high) / 2;
            if self.left(middle) <= quantile { low = middle } else { high = middle }
        }
        let (left, width) = self.interval(low as u32);
        (low as u32, left, width)
    }
}

#[cfg(test)]
#[allow(clippy::float_arithmetic, reason = "compares with formulas in floating point")]
mod tests {
    use super::*;
    use crate::entropy::cost_of;
    use crate::quantize::{float, tables};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bisection_equals_the_linear_scan(
            parameters in (2usize..600).prop_flat_map(|n| prop::collection::vec(any::<i16>(), n)),
            drop in 0u32..8,
            fraction in 7u8..=15,
            quantiles in prop::collection::vec(0u32..1 << 24, 20),
        ) {
            let tables = tables::categorical(fraction);
            prop_assert_eq!(tables.check(), Ok(()));
            let parameters: Vec<i16> = parameters.iter().map(|p| p >> drop).collect();
            let mut sums = vec![];
            let d = tables.distribution(&parameters, &mut sums);
            let lefts: Vec<u32> = (0..=parameters.len()).map(|i| d.left(i)).collect();
            prop_assert_eq!((lefts[0], lefts[parameters.len()]), (0, 1 << 24));
            prop_assert!(lefts.windows(2).all(|w| w[0] < w[1]));
            for quantile in quantiles {
                let symbol = lefts.iter().rposition(|b| *b <= quantile).unwrap() as u32;
                let (left, width) = d.interval(symbol);
                prop_assert_eq!(d.locate(quantile), (symbol, left, width));
            }
            // What is paid is near the formula.
            let x: Vec<f32> = parameters.iter().map(|p| f32::from(*p) / f32::from(1u16 << fraction)).collect();
            let mut excess = 0.0;
            for symbol in 0..parameters.len() {
                let exact = float::categorical_bits(&x, symbol as u16);
                let cost = cost_of(d.interval(symbol as u32).1, PRECISION as u32).to_f64();
                prop_assert!(exact > 12.0 || (cost - exact).abs() < 0.02, "{} {}", cost, exact);
                excess += (cost - exact) * (-exact).exp2();
            }
            prop_assert!(excess < 1e-4, "{}", excess);
        }
    }

    #[test]
    fn the_largest_alphabet_fits() {
        let (tables, mut sums) = (tables::categorical(9), vec![]);
        let d = tables.distribution(&[i16::MAX; MAX_ALPHABET as usize], &mut sums);
        assert_eq!(d.interval(4095), ((1 << 24) - (1 << 12), 1 << 12));
    }
}
