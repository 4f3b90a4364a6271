//! A mixture moved and widened as a whole, and the derivatives of a symbol's log-likelihood by both.
//!
//! What must stay true: no sum overflows, whatever a model's tables hold.

use super::{
    ARGUMENT_FRACTION, Component, INVERSE_ENTRIES, INVERSE_FRACTION, MEAN_FRACTION, Mixture, SIGMOID_ONE, TOTAL,
};

/// Fractional bits of derivatives, and of moves in units of the scale.
pub const FRACTION: u32 = 12;
/// The largest unit, with [`MEAN_FRACTION`] bits.
const MAX_UNIT: i64 = 1 << 21;
/// The farthest move, with [`MEAN_FRACTION`] bits.
const MAX_MOVE: i64 = 255 << MEAN_FRACTION;

/// Where a mixture lies and how wide it is.
#[derive(Debug, Clone, Copy)]
pub struct Moments {
    /// The mean of the logistics' means, with [`MEAN_FRACTION`] bits.
    pub mean: i64,
    /// The mean of the logs of their scales: an index of the table of inverse scales.
    pub level: usize,
    /// One over that scale, with [`INVERSE_FRACTION`] bits; at least 1.
    pub inverse: i64,
    /// That scale, with [`MEAN_FRACTION`] bits.
    unit: i64,
}

impl Mixture<'_> {
    /// Its moments.
    #[inline]
    pub fn moments(&self) -> Moments {
        let (mut total, mut mean, mut level) = (0, 0, 0);
        for c in &self.components[..self.used] {
            let weight = i64::from(c.weight);
            total += weight;
            mean += weight * c.center;
            level += weight * i64::from(c.level);
        }
        let total = total.max(1);
        let level = (level / total) as usize;
        let inverse = i64::from(self.inverse[level]).max(1);
        let unit = ((1i64 << (INVERSE_FRACTION + MEAN_FRACTION)) / inverse).min(MAX_UNIT);
        Moments { mean: mean.div_euclid(total) - (1 << (MEAN_FRACTION - 1)), level, inverse, unit }
    }

    /// Moves every logistic by `shift` (in units of the mixture's scale, with [`FRACTION`] bits) and adds `widen` to the
    /// index of its scale. The moments become those of the moved mixture, but for its scale.
    #[inline]
    pub fn adjust(&mut self, moments: &mut Moments, shift: i64, widen: i32) {
        let by = ((shift * moments.unit) >> FRACTION).clamp(-MAX_MOVE, MAX_MOVE);
        for c in &mut self.components[..self.used] {
            c.center += by;
            c.level = (i32::from(c.level) + widen).clamp(0, INVERSE_ENTRIES as i32 - 1) as i16;
            c.inverse = self.inverse[c.level as usize];
        }
        moments.mean += by;
        self.start = (i64::from(self.start) + (by >> MEAN_FRACTION)).clamp(1, 255) as u32;
    }

    /// Derivatives of the log-likelihood of a symbol: by a move in units of the scale, and by the log of the scales; with
    /// [`FRACTION`] bits.
    #[inline]
    pub fn gradient(&self, moments: &Moments, symbol: u32) -> (i64, i64) {
        let one = u64::from(SIGMOID_ONE);
        // The density there: sigmoid's derivative, with 22 bits.
        let slope = |value: u32| ((u64::from(value) * (one - u64::from(value))) >> 22) as i64;
        let at = |c: &Component, bound: u32| {
            let argument = c.argument(bound);
            (argument, self.sigmoid(argument))
        };
        let (mut weights, mut likelihood, mut shift, mut widen) = (0, 0, 0, 0);
        for c in &self.components[..self.used] {
            let (low, from) = if symbol > 0 { at(c, symbol) } else { (0, 0) };
            let (high, to) = if symbol < 255 { at(c, symbol + 1) } else { (0, SIGMOID_ONE) };
            let (weight, low_slope, high_slope) = (i64::from(c.weight), slope(from), slope(to));
            weights += weight;
            likelihood += weight * (i64::from(to) - i64::from(from));
            shift += weight * (((low_slope - high_slope) * i64::from(c.inverse)) >> INVERSE_FRACTION);
            widen += weight * ((low * low_slope - high * high_slope) >> ARGUMENT_FRACTION);
        }
        // The floor's share, in the same units: floor / 2^24 of all weights.
        let floor = ((weights << 22) / TOTAL as i64) * i64::from(self.floor);
        let likelihood = ((likelihood + floor) >> FRACTION).max(1);
        let shift = ((shift >> MEAN_FRACTION) * moments.unit).div_euclid(likelihood);
        (shift, widen.div_euclid(likelihood))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::Distribution;
    use crate::likelihood::logistic::{LOG_FRACTION, Tables};
    use crate::quantize::tables;
    use proptest::prelude::*;

    fn check(mixture: &Mixture) {
        let bounds: Vec<u32> = (0..=256).map(|b| mixture.cumulative(b)).collect();
        assert_eq!((bounds[0], bounds[256]), (0, 1 << 24));
        assert!(bounds.windows(2).all(|w| w[0] < w[1]));
        for quantile in (0..1 << 24).step_by(77_777) {
            let symbol = bounds.iter().rposition(|b| *b <= quantile).unwrap() as u32;
            let (left, width) = mixture.interval(symbol);
            assert_eq!(mixture.locate(quantile), (symbol, left, width));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        /// Whatever the parameters and the move: it stays a distribution that can be searched, and nothing overflows.
        #[test]
        fn moved_mixtures_are_distributions(
            parameters in prop::collection::vec(any::<i16>(), 3 * 5),
            small in any::<bool>(),
            mean in 0i16..256,
            level in 0usize..40,
            shift in -(1i64 << 17)..1 << 17,
            widen in -130i32..130,
            wild in any::<bool>(),
        ) {
            let mut tables = tables::mixture(40, 1, 12, 10);
            if wild {
                // The largest numbers that a model file may hold.
                tables.unit.fill(1 << 24);
                tables.inverse.fill(1 << 26);
                tables.log_scale.fill(-(1 << 16));
            }
            let parameters: Vec<i16> = parameters.iter().map(|p| if small { p >> 7 } else { *p }).collect();
            let mut mixture = Mixture::new(&tables, &parameters, 5, mean, level);
            let mut moments = mixture.moments();
            mixture.adjust(&mut moments, shift, widen);
            check(&mixture);
            (0..256).for_each(|symbol| _ = mixture.gradient(&moments, symbol));
        }
    }

    /// The derivatives against differences of the code length.
    #[test]
    fn gradients_are_slopes() {
        let tables: Tables = tables::mixture(40, 1, 12, 10);
        let parameters = [0, -600, 300, 100, -900, -500, 700, 0, 90, 1500, 200, -300, 100, 0, 500];
        for (mean, level) in [(120, 12), (128, 20), (3, 16), (250, 9)] {
            let log = |symbol: u32, shift: i64, widen: i32| {
                let mut mixture = Mixture::new(&tables, &parameters, 5, mean, level);
                let mut moments = mixture.moments();
                mixture.adjust(&mut moments, shift, widen);
                f64::from(mixture.interval(symbol).1).ln()
            };
            let mixture = Mixture::new(&tables, &parameters, 5, mean, level);
            let moments = mixture.moments();
            for symbol in (i32::from(mean) - 9..i32::from(mean) + 9).filter(|s| (0..256).contains(s)) {
                let symbol = symbol as u32;
                let (shift, widen) = mixture.gradient(&moments, symbol);
                let (shift, widen) = (shift as f64 / 4096.0, widen as f64 / 4096.0);
                let by_shift = (log(symbol, 200, 0) - log(symbol, -200, 0)) / (400.0 / 4096.0);
                let by_widen = (log(symbol, 0, 2) - log(symbol, 0, -2)) / (4.0 / f64::from(1 << LOG_FRACTION));
                assert!((shift - by_shift).abs() < 0.03 + 0.03 * by_shift.abs(), "{symbol}: {shift} {by_shift}");
                assert!((widen - by_widen).abs() < 0.03 + 0.03 * by_widen.abs(), "{symbol}: {widen} {by_widen}");
            }
        }
    }
}
