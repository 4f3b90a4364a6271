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
        let inverse = i64::from(self.tables.inverse[level]).max(1);
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
            c.inverse = self.tables.inverse[c.level as usize];
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
        let (mut weights, mut likelihood, mut shift, mut widen) = (0, 0, 0, 0);
        for c in &self.components[..self.used] {
            let (low, from) = if symbol > 0 { self.sigmoid(c, symbol) } else { (0, 0) };
            let (high, to) = if symbol < 255 { self.sigmoid(c, symbol + 1) } else { (0, SIGMOID_ONE) };
            let (weight, low_slope, high_slope) = (i64::from(c.weight), slope(from), slope(to));
            weights += weight;
            likelihood += weight * (i64::from(to) - i64::from(from));
            shift += weight * (((low_slope - high_slope) * i64::from(c.inverse)) >> INVERSE_FRACTION);
            widen += weight * ((low * low_slope - high * high_slope) >> ARGUMENT_FRACTION);
        }
        // The floor's share, in the same units: floor / 2^24 of all weights.
        let floor = ((weights << 22) / TOTAL as i64) * i64::from(self.tables.floor);
        let likelihood = ((likelihood + floor) >> FRACTION).max(1);
        let shift = ((shift >> MEAN_FRACTION) * moments.unit).div_euclid(likelihood);
        (shift, widen.div_euclid(likelihood))
    }

    /// The sigmoid's argument at a bound between two symbols, with [`ARGUMENT_FRACTION`] bits, and its value.
    #[inline]
    fn sigmoid(&self, c: &Component, bound: u32) -> (i64, u32) {
        let argument = c.argument(bound);
        (argument, self.tables.sigmoid_at(argument))
    }
}
