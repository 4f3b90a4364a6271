//! A mixture of logistics over all channels of a position at once, discretized to the alphabet (Salimans et al. 2017,
//! section 2.2), coded channel after channel.
//!
//! **Layout of the parameters**, with K components and C channels: K log-weights; for each channel K means; for each channel
//! K log-scales; for each pair of channels c > d, in the order (1, 0), (2, 0), (2, 1), (3, 0), ..., K coefficients. So
//! parameter `p` of component k is value `p K + k`, and there are `1 + 2 C + C (C - 1) / 2` values of p.
//!
//! **Units.** With A values of a symbol and `centred(x) = (2 x - (A - 1)) 2 / A` (the unit of [`Function::Centre`], of A / 4
//! samples), the mean of channel c in component k is `m = mean[c] + sum_(d < c) clamp(coefficient[c, d], -4, 4) centred(x_d)`,
//! which is the sample `(A - 1) / 2 + m A / 4`; the scale is `s = exp(clamp(log_scale[c] + ln(A / 4), -3, 7))` samples.
//! A component gives symbol x the mass `P = sigmoid((x + 1/2 - mean) / s) - sigmoid((x - 1/2 - mean) / s)`, the lowest and
//! the highest symbol taking the tails.
//!
//! **Channel after channel.** Weights begin as the softmax w of the log-weights. Channel c has the distribution
//! `(1 - f) sum_k w_k P_k(x) + f / A` with `f = 2^-FLOOR`; once it is known, `w_k <- w_k (P_k(x_c) + 2^-22)`, scaled to add
//! up to 1.
//!
//! What must stay true: the distribution of a channel depends on parameters and earlier channels alone.
//!
//! [`Function::Centre`]: crate::spec::Function::Centre

use super::logistic::{self, Component, MAX_COMPONENTS, MEAN_FRACTION, Mixture, PRECISION, Units};
use crate::entropy::Distribution;
use crate::wire::{Reader, WireError, Writer};

/// -log2 of the floor's weight.
pub const FLOOR: u8 = 14;
/// Largest magnitude of a coefficient.
pub const COEFFICIENT: i32 = 4;
/// Largest alphabet.
pub const MAX_ALPHABET: u32 = 256;
/// Most channels.
pub const MAX_CHANNELS: usize = 4;

/// Tables and units: those of a [`logistic`] mixture with one local scale, A / 4 samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tables(pub logistic::Tables);

impl Tables {
    /// Whether every sum fits, for an alphabet.
    pub fn check(&self, alphabet: u32) -> Result<(), &'static str> {
        if alphabet > MAX_ALPHABET { Err("the alphabet") } else { self.0.check(1) }
    }

    /// Canonical bytes.
    pub fn write(&self, w: &mut Writer) {
        self.0.write(w);
    }

    /// Reads canonical bytes; [`check`](Self::check) comes after.
    pub fn read(r: &mut Reader) -> Result<Self, WireError> {
        logistic::Tables::read(r).map(Self)
    }

    /// The distribution of channel `known.len()` of `channels`, given the symbols of those before.
    pub fn distribution(&self, parameters: &[i16], channels: usize, alphabet: u32, known: &[u16]) -> Conditional<'_> {
        let used = parameters.len() / values(channels);
        let group = |p: usize| &parameters[p * used..(p + 1) * used];
        let (logits, units) = (group(0), Units::new(self.0.fraction));
        let top = logits.iter().copied().max().unwrap_or(0);
        let mut weights = [0; MAX_COMPONENTS];
        for (weight, logit) in weights.iter_mut().zip(logits) {
            *weight = u32::from(self.0.weight[units.below(top, *logit)]);
        }
        for (d, symbol) in known.iter().enumerate() {
            let mixture = self.mixture(parameters, channels, alphabet, &known[..d], weights);
            reweigh(&mut weights, mixture.masses((*symbol).into(), alphabet));
        }
        Conditional { mixture: self.mixture(parameters, channels, alphabet, known, weights), alphabet }
    }

    /// The mixture of channel `known.len()` with these weights.
    fn mixture(
        &self,
        parameters: &[i16],
        channels: usize,
        alphabet: u32,
        known: &[u16],
        weights: [u32; MAX_COMPONENTS],
    ) -> Mixture<'_> {
        let (used, c, tables) = (parameters.len() / values(channels), known.len(), &self.0);
        let (units, fraction) = (Units::new(tables.fraction), u32::from(tables.fraction));
        let (unit, log_scale) = (i64::from(tables.unit[0]), i64::from(tables.log_scale[0]));
        let (means, scales) = (1 + c, 1 + channels + c);
        let coefficients = 1 + 2 * channels + c * c.saturating_sub(1) / 2;
        let limit = i64::from(COEFFICIENT) << fraction;
        let mut components = [Component::default(); MAX_COMPONENTS];
        for (k, component) in components[..used].iter_mut().enumerate() {
            let at = |p: usize| parameters[p * used + k];
            // A coefficient moves the mean by that many times the sample's distance from (A - 1) / 2.
            let moved = known.iter().enumerate().map(|(d, x)| {
                let twice = 2 * i64::from(*x) - i64::from(alphabet - 1);
                (i64::from(at(coefficients + d)).clamp(-limit, limit) * twice) << (MEAN_FRACTION - 1)
            });
            let mean = i64::from(at(means)) * unit + moved.sum::<i64>();
            let center = (i64::from(alphabet) << (MEAN_FRACTION - 1)) + (mean >> fraction);
            let level = units.level(at(scales), log_scale);
            *component = Component { weight: weights[k], inverse: tables.inverse[level], center, level: level as i16 };
        }
        Mixture::of(tables, components, used, weights[..used].iter().sum(), alphabet)
    }
}

/// Parameters of a component.
pub fn values(channels: usize) -> usize {
    1 + 2 * channels + channels * channels.saturating_sub(1) / 2
}

/// Posterior weights, the largest of at most 16 bits.
fn reweigh(weights: &mut [u32; MAX_COMPONENTS], masses: [u32; MAX_COMPONENTS]) {
    let products: [u64; MAX_COMPONENTS] = std::array::from_fn(|k| u64::from(weights[k]) * (u64::from(masses[k]) + 1));
    let largest = products.into_iter().max().unwrap_or(0);
    let shift = (u64::BITS - largest.leading_zeros()).saturating_sub(16);
    *weights = products.map(|p| (p >> shift) as u32);
}

/// The distribution of one channel.
#[derive(Debug, Clone)]
pub struct Conditional<'t> {
    mixture: Mixture<'t>,
    alphabet: u32,
}

impl Conditional<'_> {
    /// The count of all symbols below `bound`.
    fn left(&self, bound: u32) -> u32 {
        match bound {
            0 => 0,
            b if b >= self.alphabet => 1 << PRECISION,
            b => self.mixture.count_below(b),
        }
    }
}

impl Distribution<PRECISION> for Conditional<'_> {
    fn interval(&self, symbol: u32) -> (u32, u32) {
        let left = self.left(symbol);
        (left, self.left(symbol + 1) - left)
    }

    #[inline]
    fn left(&self, symbol: u32) -> u32 {
        Conditional::left(self, symbol)
    }

    fn locate(&self, quantile: u32) -> (u32, u32, u32) {
        super::bisect(self.alphabet, 1 << PRECISION, quantile, |bound| self.left(bound))
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
        fn channels_are_near_the_formula_and_bisection_equals_the_scan(
            parameters in prop::collection::vec(-3000i16..3000, 3 * 10),
            wild in prop::collection::vec(any::<i16>(), 3 * 10),
            alphabet in prop::sample::select(vec![16u32, 100, 256]),
            places in prop::collection::vec(0f64..1.0, 3),
            quantiles in prop::collection::vec(0u32..1 << 24, 10),
        ) {
            let tables = tables::coupled(alphabet, 10);
            prop_assert_eq!(tables.check(alphabet), Ok(()));
            let symbols: Vec<u16> = places.iter().map(|p| (p * f64::from(alphabet)) as u16).collect();
            let x: Vec<f32> = parameters.iter().map(|p| f32::from(*p) / 1024.0).collect();
            for (c, symbol) in symbols.iter().enumerate() {
                for parameters in [&parameters, &wild] {
                    let d = tables.distribution(parameters, 3, alphabet, &symbols[..c]);
                    let lefts: Vec<u32> = (0..=alphabet).map(|i| d.left(i)).collect();
                    prop_assert_eq!((lefts[0], lefts[alphabet as usize]), (0, 1 << 24));
                    prop_assert!(lefts.windows(2).all(|w| w[0] < w[1]));
                    for quantile in &quantiles {
                        let symbol = lefts.iter().rposition(|b| b <= quantile).unwrap() as u32;
                        let (left, width) = d.interval(symbol);
                        prop_assert_eq!(d.locate(*quantile), (symbol, left, width));
                    }
                }
                let d = tables.distribution(&parameters, 3, alphabet, &symbols[..c]);
                let exact = float::coupled_bits(&x, 3, alphabet, &symbols[..c], *symbol);
                let cost = cost_of(d.interval((*symbol).into()).1, PRECISION as u32).to_f64();
                prop_assert!((cost - exact).abs() * (-exact / 2.0).exp2() < 0.05, "{} {}", cost, exact);
                if exact > 9.0 {
                    // What a symbol says about the components is coarse where all of them find it unlikely.
                    break;
                }
            }
        }
    }
}
