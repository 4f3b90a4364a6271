//! A mixture of logistics, discretized to `0..256`, with an integer cumulative distribution of 24 bits.
//!
//! `F(b) = sum_k w_k sigmoid((b - 1/2 - mu_k) / s_k)` (Salimans et al. 2017, eq. 2) for the bounds `b = 1..=255` between
//! symbols; `F(0)` is 0 and `F(256)` is 1, so the lowest and the highest symbol take the tails. It is mixed with a uniform
//! floor. All functions are tables that the model brings along; between the entries of the sigmoid's it is linear, which
//! keeps it monotone.

use crate::entropy::Distribution;
use crate::wire::{Reader, WireError, Writer};

mod adjust;

pub use adjust::Moments;

/// Bits of the total count.
pub const PRECISION: usize = 24;
const TOTAL: u64 = 1 << PRECISION;
/// Most logistics of a mixture.
pub const MAX_COMPONENTS: usize = 10;
/// Fractional bits of a mean, in samples.
pub const MEAN_FRACTION: u32 = 10;
/// Fractional bits of log-weights and log-scales, in nats, where they index tables.
pub const LOG_FRACTION: u32 = 6;
/// Fractional bits of `1 / s`.
pub const INVERSE_FRACTION: u32 = 20;
/// Fractional bits of the sigmoid's argument.
pub const ARGUMENT_FRACTION: u32 = 13;
/// The sigmoid's table has entries every 2^-5, from -12 to 12.
pub const SIGMOID_STEP: u32 = 5;
/// Magnitude where the sigmoid's argument is clamped.
pub const SIGMOID_LIMIT: i64 = 12;
/// Entries of the sigmoid's table.
pub const SIGMOID_ENTRIES: usize = ((2 * SIGMOID_LIMIT) << SIGMOID_STEP) as usize + 1;
/// Largest value in the sigmoid's table.
pub const SIGMOID_ONE: u32 = 1 << 22;
/// Entries of the table of `exp(-d)`, from 0 to 12 nats.
pub const WEIGHT_ENTRIES: usize = (12 << LOG_FRACTION) + 1;
/// Largest value in the table of `exp(-d)`.
pub const WEIGHT_ONE: u16 = 1 << 15;
/// Clamp of the log of a scale, in nats.
pub const LOG_SCALE: (i64, i64) = (-3, 7);
/// Entries of the table of `1 / s`.
pub const INVERSE_ENTRIES: usize = ((LOG_SCALE.1 - LOG_SCALE.0) << LOG_FRACTION) as usize + 1;

/// Tables and units of a mixture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tables {
    /// Fractional bits of the parameters.
    pub fraction: u8,
    /// Count of the floor for each symbol.
    pub floor: u16,
    /// `[levels]`: the unit of a mean at each local scale, with [`MEAN_FRACTION`] bits.
    pub unit: Vec<u32>,
    /// `[levels]`: the log of each local scale, with [`LOG_FRACTION`] bits.
    pub log_scale: Vec<i32>,
    /// `[WEIGHT_ENTRIES]`: `exp(-d)`, falling.
    pub weight: Vec<u16>,
    /// `[SIGMOID_ENTRIES]`: rising.
    pub sigmoid: Vec<u32>,
    /// `[INVERSE_ENTRIES]`: `1 / s`, falling.
    pub inverse: Vec<u32>,
}

impl Tables {
    /// Whether every sum fits and every function is monotone; `levels` local scales may occur.
    pub fn check(&self, levels: usize) -> Result<(), &'static str> {
        let ok = |good: bool, what| if good { Ok(()) } else { Err(what) };
        ok((LOG_FRACTION as u8..=15).contains(&self.fraction), "the parameters' fraction")?;
        ok(self.floor >= 1 && u64::from(self.floor) * 256 <= TOTAL / 2, "the floor")?;
        ok(self.unit.len() == levels && self.log_scale.len() == levels, "the number of local scales")?;
        ok(self.unit.iter().all(|u| *u <= 1 << 24), "the unit of a mean")?;
        ok(self.log_scale.iter().all(|l| l.abs() <= 1 << 16), "the log of a scale")?;
        ok(self.weight.len() == WEIGHT_ENTRIES && self.weight[0] == WEIGHT_ONE, "the table of weights")?;
        ok(self.weight.is_sorted_by(|a, b| a >= b), "the order of the table of weights")?;
        ok(self.sigmoid.len() == SIGMOID_ENTRIES && self.sigmoid.is_sorted(), "the table of the sigmoid")?;
        ok(self.sigmoid[SIGMOID_ENTRIES - 1] <= SIGMOID_ONE, "the range of the sigmoid")?;
        ok(self.inverse.len() == INVERSE_ENTRIES, "the table of inverse scales")?;
        ok(self.inverse.iter().all(|v| *v <= 1 << 26), "the range of inverse scales")
    }

    /// Canonical bytes.
    pub fn write(&self, w: &mut Writer) {
        w.u8(self.fraction);
        w.uint(self.floor.into());
        w.uint(self.unit.len() as u64);
        self.unit.iter().for_each(|v| w.uint((*v).into()));
        self.log_scale.iter().for_each(|v| w.int((*v).into()));
        self.weight.iter().for_each(|v| w.uint((*v).into()));
        // Rising by little: differences are short.
        self.sigmoid.iter().fold(0, |last, v| {
            w.int(i64::from(*v) - last);
            i64::from(*v)
        });
        self.inverse.iter().for_each(|v| w.uint((*v).into()));
    }

    /// Reads canonical bytes; [`check`](Self::check) comes after.
    pub fn read(r: &mut Reader) -> Result<Self, WireError> {
        let max32 = u64::from(u32::MAX);
        let fraction = r.u8()?;
        let floor = r.at_most(u16::MAX.into(), "a floor")? as u16;
        let levels = r.at_most(256, "the number of local scales")?;
        let unit = (0..levels).map(|_| Ok(r.at_most(max32, "a unit")? as u32)).collect::<Result<_, WireError>>()?;
        let signed = |v: i64| i32::try_from(v).map_err(|_| WireError::OutOfRange("a table entry"));
        let log_scale = (0..levels).map(|_| signed(r.int()?)).collect::<Result<_, _>>()?;
        let weight = (0..WEIGHT_ENTRIES)
            .map(|_| Ok(r.at_most(u16::MAX.into(), "a weight")? as u16))
            .collect::<Result<_, WireError>>()?;
        let mut last = 0i64;
        let sigmoid = (0..SIGMOID_ENTRIES)
            .map(|_| {
                last = last.checked_add(r.int()?).ok_or(WireError::OutOfRange("a sigmoid"))?;
                u32::try_from(last).map_err(|_| WireError::OutOfRange("a sigmoid"))
            })
            .collect::<Result<_, _>>()?;
        let inverse = (0..INVERSE_ENTRIES)
            .map(|_| Ok(r.at_most(max32, "an inverse scale")? as u32))
            .collect::<Result<_, WireError>>()?;
        Ok(Self { fraction, floor, unit, log_scale, weight, sigmoid, inverse })
    }
}

/// From parameters to places in tables.
#[derive(Debug, Clone, Copy)]
pub(super) struct Units {
    drop: u32,
    half: i64,
}

impl Units {
    #[inline(always)]
    pub fn new(fraction: u8) -> Self {
        let drop = u32::from(fraction) - LOG_FRACTION;
        Self { drop, half: (1i64 << drop) >> 1 }
    }
    /// The place of a log-weight in the table of weights, where `top` is the largest.
    #[inline(always)]
    pub fn below(self, top: i16, logit: i16) -> usize {
        let below = (i64::from(top) - i64::from(logit) + self.half) >> self.drop;
        (below as usize).min(WEIGHT_ENTRIES - 1)
    }
    /// The place of a log-scale, relative to `log_scale`, in the table of inverse scales.
    #[inline(always)]
    pub fn level(self, scale: i16, log_scale: i64) -> usize {
        let log = ((i64::from(scale) + self.half) >> self.drop) + log_scale;
        let log = log.clamp(LOG_SCALE.0 << LOG_FRACTION, LOG_SCALE.1 << LOG_FRACTION);
        (log - (LOG_SCALE.0 << LOG_FRACTION)) as usize
    }
}

/// One logistic, ready to be evaluated.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Component {
    pub weight: u32,
    /// `1 / s` with [`INVERSE_FRACTION`] bits.
    pub inverse: u32,
    /// Mean plus one half, with [`MEAN_FRACTION`] bits: what a bound is compared with.
    pub center: i64,
    /// The scale's place in the table of inverse scales.
    pub level: i16,
}

impl Component {
    /// The sigmoid's argument at a bound between symbols, with [`ARGUMENT_FRACTION`] bits, within its limits.
    #[inline(always)]
    fn argument(&self, bound: u32) -> i64 {
        const LIMIT: i64 = SIGMOID_LIMIT << ARGUMENT_FRACTION;
        const SHIFT: u32 = MEAN_FRACTION + INVERSE_FRACTION - ARGUMENT_FRACTION;
        let argument = (((i64::from(bound) << MEAN_FRACTION) - self.center) * i64::from(self.inverse)) >> SHIFT;
        argument.clamp(-LIMIT, LIMIT - 1)
    }
}

/// The distribution of one symbol.
#[derive(Debug, Clone)]
pub struct Mixture<'t> {
    sigmoid: &'t [u32; SIGMOID_ENTRIES],
    inverse: &'t [u32; INVERSE_ENTRIES],
    floor: u32,
    components: [Component; MAX_COMPONENTS],
    used: usize,
    /// `(2^24 - floor) 2^16 / sum of weights`: what makes the weighted sum a count.
    gain: u64,
    /// The mean of the heaviest logistic: where a search starts.
    start: u32,
}

impl<'t> Mixture<'t> {
    /// The distribution for `parameters` (log-weights, means, log-scales of each logistic), around `mean` (a sample
    /// value), at local scale number `level`.
    #[inline]
    pub fn new(tables: &'t Tables, parameters: &[i16], used: usize, mean: i16, level: usize) -> Self {
        let (logits, rest) = parameters.split_at(used);
        let (means, scales) = rest.split_at(used);
        let top = logits.iter().copied().max().unwrap_or(0);
        let (unit, log_scale) = (i64::from(tables.unit[level]), i64::from(tables.log_scale[level]));
        let fraction = u32::from(tables.fraction);
        let units = Units::new(tables.fraction);
        // As arrays, the indices below need no check.
        let sized = "a table that was checked";
        let weights: &[u16; WEIGHT_ENTRIES] = tables.weight.first_chunk().expect(sized);
        let inverses: &[u32; INVERSE_ENTRIES] = tables.inverse.first_chunk().expect(sized);
        let middle = (i64::from(mean) << MEAN_FRACTION) + (1 << (MEAN_FRACTION - 1));
        let mut components = [Component::default(); MAX_COMPONENTS];
        let (mut total, mut heaviest, mut start) = (0, 0, middle);
        let each = logits.iter().zip(means).zip(scales).zip(&mut components);
        for (((logit, mean), scale), component) in each {
            let weight = u32::from(weights[units.below(top, *logit)]);
            let center = middle + ((i64::from(*mean) * unit) >> fraction);
            let level = units.level(*scale, log_scale);
            *component = Component { weight, inverse: inverses[level], center, level: level as i16 };
            total += weight;
            if weight > heaviest {
                (heaviest, start) = (weight, center);
            }
        }
        let start = (start >> MEAN_FRACTION).clamp(1, 255) as u32;
        Self { start, ..Self::of(tables, components, used, total, 256) }
    }

    /// The mixture of some logistics, whose weights add up to `total` (below 2^20), over `0..alphabet`.
    #[inline(always)]
    pub(super) fn of(
        tables: &'t Tables,
        components: [Component; MAX_COMPONENTS],
        used: usize,
        total: u32,
        alphabet: u32,
    ) -> Self {
        let sized = "a table that was checked";
        let sigmoid = tables.sigmoid.first_chunk().expect(sized);
        let inverse = tables.inverse.first_chunk().expect(sized);
        let floor = u32::from(tables.floor);
        let gain = ((TOTAL - u64::from(alphabet * floor)) << 16) / u64::from(total.max(1));
        Self { sigmoid, inverse, floor, components, used, gain, start: 1 }
    }

    /// The part of each logistic, of [`SIGMOID_ONE`], at a symbol of `0..alphabet`.
    pub(super) fn masses(&self, symbol: u32, alphabet: u32) -> [u32; MAX_COMPONENTS] {
        let mut masses = [0; MAX_COMPONENTS];
        for (mass, c) in masses.iter_mut().zip(&self.components[..self.used]) {
            let low = if symbol == 0 { 0 } else { self.sigmoid(c.argument(symbol)) };
            let high = if symbol + 1 >= alphabet { SIGMOID_ONE } else { self.sigmoid(c.argument(symbol + 1)) };
            *mass = high - low;
        }
        masses
    }

    /// The count below a bound of 1 or more; the floor's part of `alphabet` symbols is that of the mixture.
    #[inline]
    pub(super) fn count_below(&self, bound: u32) -> u32 {
        let [sum] = self.sums([bound]);
        self.count(bound, sum)
    }

    /// Four rising bounds around the heaviest logistic's mean, about twice its scale apart.
    #[inline(always)]
    fn around(&self) -> [u32; 4] {
        let heaviest = self.components[..self.used].iter().max_by_key(|c| c.weight);
        let inverse = heaviest.map_or(0, |c| c.inverse);
        let magnitude = 31 - inverse.leading_zeros() as i32;
        let step = 1 << (INVERSE_FRACTION as i32 - magnitude).clamp(0, 5);
        let first = (self.start as i32 + 1 - (3 * step + 1) / 2).clamp(1, 255 - 3 * step) as u32;
        [0, 1, 2, 3].map(|i| first + i * step as u32)
    }

    /// `F(bound)`: the count of all symbols below `bound`.
    #[inline]
    pub fn cumulative(&self, bound: u32) -> u32 {
        if bound == 0 {
            return 0;
        }
        if bound > 255 {
            return TOTAL as u32;
        }
        self.count_below(bound)
    }

    /// The weighted sums of the logistics' functions at some bounds: side by side, since each waits long for its table.
    #[inline(always)]
    fn sums<const N: usize>(&self, bounds: [u32; N]) -> [u64; N] {
        let mut sums = [0u64; N];
        for c in &self.components[..self.used] {
            for (sum, bound) in sums.iter_mut().zip(bounds) {
                *sum += u64::from(c.weight) * u64::from(self.sigmoid(c.argument(bound)));
            }
        }
        sums
    }

    /// The sigmoid of an argument within its limits.
    #[inline(always)]
    fn sigmoid(&self, argument: i64) -> u32 {
        const REST: u32 = ARGUMENT_FRACTION - SIGMOID_STEP;
        let argument = (argument + (SIGMOID_LIMIT << ARGUMENT_FRACTION)) as usize;
        let (index, rest) = (argument >> REST, (argument & ((1 << REST) - 1)) as u32);
        let (a, b) = (self.sigmoid[index], self.sigmoid[index + 1]);
        a + (((b - a) * rest) >> REST)
    }

    /// The count below a bound from 1 to 255 whose weighted sum is known.
    #[inline(always)]
    fn count(&self, bound: u32, sum: u64) -> u32 {
        bound * self.floor + ((sum * self.gain) >> (22 + 16)) as u32
    }
}

impl Distribution<PRECISION> for Mixture<'_> {
    #[inline]
    fn interval(&self, symbol: u32) -> (u32, u32) {
        if !(1..255).contains(&symbol) {
            let left = self.cumulative(symbol);
            return (left, self.cumulative(symbol + 1) - left);
        }
        let [a, b] = self.sums([symbol, symbol + 1]);
        let left = self.count(symbol, a);
        (left, self.count(symbol + 1, b) - left)
    }

    #[inline]
    fn left(&self, symbol: u32) -> u32 {
        self.cumulative(symbol)
    }

    #[inline]
    fn lefts<const N: usize>(&self, symbols: [u32; N]) -> [u32; N] {
        let sums = self.sums(symbols);
        std::array::from_fn(|i| self.count(symbols[i], sums[i]))
    }

    /// The largest symbol whose cumulative count is not above `quantile`. Four bounds are looked at together, first around
    /// the heaviest logistic's mean, then evenly spread over what is left: their look-ups do not wait for one another, and
    /// there are few branches that no processor can predict.
    #[inline]
    fn locate(&self, quantile: u32) -> (u32, u32, u32) {
        let (mut low, mut left, mut high, mut right) = (0, 0, 256, TOTAL as u32);
        let mut bounds = self.around();
        // low <= symbol < high always; bounds rise, and lie strictly between.
        loop {
            let sums = self.sums(bounds);
            let mut counts = [0; 4];
            for (count, (bound, sum)) in counts.iter_mut().zip(bounds.into_iter().zip(sums)) {
                *count = self.count(bound, sum);
            }
            for (bound, count) in bounds.into_iter().zip(counts) {
                if count <= quantile {
                    (low, left) = (bound, count);
                }
            }
            for (bound, count) in bounds.into_iter().zip(counts).rev() {
                if count > quantile {
                    (high, right) = (bound, count);
                }
            }
            if high - low == 1 {
                return (low, left, right - left);
            }
            let step = (high - low).div_ceil(5);
            bounds = [1, 2, 3, 4].map(|i| (low + i * step).min(high - 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantize::tables;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        /// Whatever the parameters: counts cover the total in order, none is zero, and a search finds what a scan finds.
        #[test]
        fn bisection_equals_the_linear_scan(
            parameters in prop::collection::vec(any::<i16>(), 3 * 5),
            small in any::<bool>(),
            mean in 0i16..256,
            level in 0usize..40,
            fraction in 6u8..=15,
            quantiles in prop::collection::vec(0u32..1 << 24, 40),
        ) {
            let tables = tables::mixture(40, 1, 12, fraction);
            prop_assert_eq!(tables.check(40), Ok(()));
            let parameters: Vec<i16> = parameters.iter().map(|p| if small { p >> 7 } else { *p }).collect();
            let mixture = Mixture::new(&tables, &parameters, 5, mean, level);
            let bounds: Vec<u32> = (0..=256).map(|b| mixture.cumulative(b)).collect();
            prop_assert_eq!((bounds[0], bounds[256]), (0, 1 << 24));
            prop_assert!(bounds.windows(2).all(|w| w[0] + 16 <= w[1]));
            for quantile in quantiles {
                let symbol = bounds.iter().rposition(|b| *b <= quantile).unwrap() as u32;
                let (left, width) = mixture.interval(symbol);
                prop_assert_eq!(mixture.locate(quantile), (symbol, left, width));
            }
        }
    }

    #[test]
    fn tables_have_one_form_of_bytes() {
        let tables = tables::mixture(40, 1, 12, 10);
        let mut w = Writer::new();
        tables.write(&mut w);
        let bytes = w.finish();
        let mut r = Reader::new(&bytes);
        assert_eq!(Tables::read(&mut r), Ok(tables));
        assert_eq!(r.end(), Ok(()));
    }
}
