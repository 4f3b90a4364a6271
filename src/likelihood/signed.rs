//! A mixture of logistics over the numbers of 16 bits, with an integer cumulative distribution of 24 bits.
//!
//! `F(b) = sum_k w_k sigmoid((b - 1/2 - mu_k) / s_k)` (Salimans et al. 2017, eq. 2) for the bounds `b = -32767..=32767` between
//! numbers, the lowest and the highest number taking the tails. Parameters are K log-weights, K means in units of the component's
//! own scale, `mu_k = m_k s_k`, and K log-scales, `s_k = exp(clamp(l_k + 4, -3, 10))`. A symbol is a number in two's complement.
//! Every number has a count of 1 beside, 2^-8 of the whole: that costs 0.0056 bit.
//!
//! What must stay true: a count below a bound never falls with the bound, whatever the parameters; no product overflows.

use super::logistic::{
    LOG_FRACTION, MAX_COMPONENTS, SIGMOID_ENTRIES, SIGMOID_LIMIT, SIGMOID_ONE, SIGMOID_STEP, WEIGHT_ENTRIES, WEIGHT_ONE,
};
use super::{read_falling, write_falling};
use crate::entropy::Distribution;
use crate::wire::{Reader, WireError, Writer};

/// Bits of the total count.
pub const PRECISION: usize = 24;
/// Numbers.
pub const COUNT: u32 = 1 << 16;
/// -log2 of the weight of the counts of 1.
pub const FLOOR: u32 = PRECISION as u32 - 16;
/// Log-scales are relative to this, in nats.
pub const MIDDLE: i64 = 4;
/// Clamp of the log of a scale, in nats.
pub const LOG_SCALE: (i64, i64) = (-3, 10);
/// Entries of the tables of scales.
pub const SCALES: usize = ((LOG_SCALE.1 - LOG_SCALE.0) << LOG_FRACTION) as usize + 1;
/// Fractional bits of a mean and of a scale.
pub const MEAN_FRACTION: u32 = 10;
/// Fractional bits of `1 / s`.
pub const INVERSE_FRACTION: u32 = 26;
/// Fractional bits of the sigmoid's argument: a step of one number is some thousand of them at the largest scale.
const ARGUMENT_FRACTION: u32 = 24;
/// Farthest mean.
const FARTHEST: i64 = 1 << (18 + MEAN_FRACTION);

/// Tables and units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tables {
    /// Fractional bits of the parameters.
    pub fraction: u8,
    /// `[WEIGHT_ENTRIES]`: `exp(-d)`, falling, as of [`super::logistic`].
    pub weight: Vec<u32>,
    /// `[SIGMOID_ENTRIES]`: rising, as of [`super::logistic`].
    pub sigmoid: Vec<u32>,
    /// `[SCALES]`: `s`, rising, at most 2^26.
    pub scale: Vec<u32>,
    /// `[SCALES]`: `1 / s`, falling, at most 2^31.
    pub inverse: Vec<u32>,
}

impl Tables {
    /// Whether every sum fits and every function is monotone.
    pub fn check(&self) -> Result<(), &'static str> {
        let ok = |good: bool, what| if good { Ok(()) } else { Err(what) };
        ok((LOG_FRACTION as u8..=15).contains(&self.fraction), "the parameters' fraction")?;
        ok(self.weight.len() == WEIGHT_ENTRIES && self.weight[0] == u32::from(WEIGHT_ONE), "the table of weights")?;
        ok(self.weight.is_sorted_by(|a, b| a >= b), "the order of the table of weights")?;
        ok(self.sigmoid.len() == SIGMOID_ENTRIES && self.sigmoid.is_sorted(), "the table of the sigmoid")?;
        ok(self.sigmoid[SIGMOID_ENTRIES - 1] <= SIGMOID_ONE, "the range of the sigmoid")?;
        ok(self.scale.len() == SCALES && self.inverse.len() == SCALES, "the tables of scales")?;
        ok(self.scale.iter().all(|v| *v <= 1 << 26), "the range of scales")?;
        ok(self.inverse.iter().all(|v| *v <= 1 << 31), "the range of inverse scales")
    }

    /// Canonical bytes.
    pub fn write(&self, w: &mut Writer) {
        w.u8(self.fraction);
        // Rising tables are written from their end.
        write_falling(w, self.weight.iter().copied());
        write_falling(w, self.sigmoid.iter().rev().copied());
        write_falling(w, self.scale.iter().rev().copied());
        write_falling(w, self.inverse.iter().copied());
    }

    /// Reads canonical bytes; [`check`](Self::check) comes after.
    pub fn read(r: &mut Reader) -> Result<Self, WireError> {
        let fraction = r.u8()?;
        let weight = read_falling(r, WEIGHT_ENTRIES)?;
        let rising = |r: &mut Reader, entries| -> Result<Vec<u32>, WireError> {
            let mut values = read_falling(r, entries)?;
            values.reverse();
            Ok(values)
        };
        let (sigmoid, scale) = (rising(r, SIGMOID_ENTRIES)?, rising(r, SCALES)?);
        Ok(Self { fraction, weight, sigmoid, scale, inverse: read_falling(r, SCALES)? })
    }

    /// The distribution for 3 K parameters.
    pub fn distribution(&self, parameters: &[i16]) -> Signed<'_> {
        let used = parameters.len() / 3;
        let top = i64::from(parameters[..used].iter().copied().max().unwrap_or(0));
        let drop = u32::from(self.fraction) - LOG_FRACTION;
        let half = (1i64 << drop) >> 1;
        let mut components = [Component::default(); MAX_COMPONENTS];
        let mut total = 0;
        for (k, component) in components[..used].iter_mut().enumerate() {
            let at = |part: usize| i64::from(parameters[part * used + k]);
            let below = (top - at(0) + half) >> drop;
            let weight = u64::from(self.weight[(below as usize).min(WEIGHT_ENTRIES - 1)]);
            let log = ((at(2) + half) >> drop) + ((MIDDLE - LOG_SCALE.0) << LOG_FRACTION);
            let level = log.clamp(0, SCALES as i64 - 1) as usize;
            let mean = (at(1) * i64::from(self.scale[level])) >> self.fraction;
            let center = mean.clamp(-FARTHEST, FARTHEST) + (1 << (MEAN_FRACTION - 1));
            *component = Component { weight, inverse: self.inverse[level].into(), center };
            total += weight;
        }
        // Weights add up to 10 times 2^15 at most, and a sum to 2^22 as much.
        let gain = (((1u64 << PRECISION) - u64::from(COUNT)) << 16) / total.max(1);
        Signed { sigmoid: &self.sigmoid, components, used, gain }
    }
}

/// One logistic.
#[derive(Debug, Clone, Copy, Default)]
struct Component {
    weight: u64,
    inverse: i64,
    /// Mean plus one half.
    center: i64,
}

/// The distribution of one symbol; to an [`entropy::Coder`](crate::entropy::Coder) a number is its place in their order,
/// [`place`].
#[derive(Debug, Clone)]
pub struct Signed<'t> {
    sigmoid: &'t [u32],
    components: [Component; MAX_COMPONENTS],
    used: usize,
    gain: u64,
}

/// From a symbol to its place in the order of the numbers, and back.
pub fn place(symbol: u32) -> u32 {
    symbol ^ (COUNT / 2)
}

impl Signed<'_> {
    /// The count of all numbers of places below `bound`.
    #[inline]
    fn left(&self, bound: u32) -> u32 {
        if bound == 0 {
            return 0;
        }
        if bound >= COUNT {
            return 1 << PRECISION;
        }
        const LIMIT: i64 = SIGMOID_LIMIT << ARGUMENT_FRACTION;
        const SHIFT: u32 = MEAN_FRACTION + INVERSE_FRACTION - ARGUMENT_FRACTION;
        const REST: u32 = ARGUMENT_FRACTION - SIGMOID_STEP;
        let at = (i64::from(bound) - i64::from(COUNT / 2)) << MEAN_FRACTION;
        let mut sum = 0;
        for c in &self.components[..self.used] {
            // Below 2^29 times 2^31.
            let argument = (((at - c.center) * c.inverse) >> SHIFT).clamp(-LIMIT, LIMIT - 1) + LIMIT;
            let (index, rest) = ((argument >> REST) as usize, (argument & ((1 << REST) - 1)) as u64);
            let (a, b) = (u64::from(self.sigmoid[index]), u64::from(self.sigmoid[index + 1]));
            // Eight bits more than the table has: a large scale's steps are small.
            sum += c.weight * ((a << 8) + (((b - a) * rest) >> (REST - 8)));
        }
        bound + ((u128::from(sum) * u128::from(self.gain)) >> (22 + 8 + 16)) as u32
    }
}

impl Distribution<PRECISION> for Signed<'_> {
    fn interval(&self, symbol: u32) -> (u32, u32) {
        let left = self.left(symbol);
        (left, self.left(symbol + 1) - left)
    }

    #[inline]
    fn left(&self, symbol: u32) -> u32 {
        Signed::left(self, symbol)
    }

    fn locate(&self, quantile: u32) -> (u32, u32, u32) {
        super::bisect(COUNT, 1 << PRECISION, quantile, |bound| self.left(bound))
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
        fn counts_rise_are_near_the_formula_and_bisection_equals_the_scan(
            parameters in prop::collection::vec(-3000i16..3000, 3 * 4),
            wild in prop::collection::vec(any::<i16>(), 3 * 10),
            fraction in 6u8..=15,
            near in prop::collection::vec(-300i32..300, 20),
            far in prop::collection::vec(any::<i16>(), 20),
            quantiles in prop::collection::vec(0u32..1 << 24, 20),
        ) {
            let odd = tables::signed(fraction);
            prop_assert_eq!(odd.check(), Ok(()));
            let lefts: Vec<u32> = { let d = odd.distribution(&wild); (0..=COUNT).map(|b| d.left(b)).collect() };
            prop_assert_eq!((lefts[0], lefts[COUNT as usize]), (0, 1 << 24));
            prop_assert!(lefts.windows(2).all(|w| w[0] < w[1]));
            let d = odd.distribution(&wild);
            for quantile in quantiles {
                let symbol = lefts.partition_point(|b| *b <= quantile) as u32 - 1;
                let (left, width) = d.interval(symbol);
                prop_assert_eq!(d.locate(quantile), (symbol, left, width));
            }
            let (tables, x) = (tables::signed(10), parameters.iter().map(|p| f32::from(*p) / 1024.0).collect::<Vec<_>>());
            let d = tables.distribution(&parameters);
            for number in near.into_iter().chain(far.into_iter().map(i32::from)) {
                let symbol = number as u16;
                let exact = float::signed_bits(&x, symbol);
                let cost = cost_of(d.interval(place(symbol.into())).1, PRECISION as u32).to_f64();
                prop_assert!((cost - exact).abs() * (-exact / 2.0).exp2() < 0.02, "{} {} {}", number, cost, exact);
            }
        }
    }

    #[test]
    fn the_ends_take_the_tails_and_wide_scales_are_smooth() {
        let tables = tables::signed(10);
        // Far above; and as wide as can be around zero.
        let far = tables.distribution(&[0, 32767, 6 << 10]);
        assert!(far.interval(COUNT - 1).1 > (1 << 24) - 2 * COUNT, "{:?}", far.interval(COUNT - 1));
        let wide = tables.distribution(&[0, 0, 6 << 10]);
        for symbol in [100u32, 20_000, 32_768, 32_769, 45_000] {
            let (cost, exact) =
                (wide.interval(symbol).1, float::signed_bits(&[0.0, 0.0, 6.0], (symbol ^ 0x8000) as u16));
            let ratio = f64::from(cost) / 2f64.powf(24.0 - exact);
            assert!((ratio - 1.0).abs() < 0.03, "{symbol}: {cost} {ratio}");
        }
    }

    #[test]
    fn tables_have_one_form_of_bytes() {
        let tables = tables::signed(10);
        let mut w = Writer::new();
        tables.write(&mut w);
        let bytes = w.finish();
        let mut r = Reader::new(&bytes);
        assert_eq!(Tables::read(&mut r), Ok(tables));
        assert_eq!(r.end(), Ok(()));
    }
}
