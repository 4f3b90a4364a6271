//! One interface over the families of distributions.
//!
//! What must stay true: whatever codes, measures or draws a symbol uses the same distribution.

use super::logistic::Mixture;
use super::{bernoulli, categorical, coupled, logistic, signed};
use crate::entropy::{Bits, Coder, CostMeter, Damaged, Score, ScoreMeter, cost_of};

/// What makes an output's parameters a distribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// A mixture of logistics around a local mean.
    Mixture(logistic::Tables),
    /// Two values.
    Bernoulli(bernoulli::Tables),
    /// Any distribution.
    Categorical(categorical::Tables),
    /// A mixture of logistics over all channels.
    Coupled(coupled::Tables),
    /// A mixture of logistics over numbers of 16 bits.
    Signed(signed::Tables),
}

/// What is known about a symbol before it.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The log-odds; or a log-weight for each value; or of a coupled mixture the parameters for all its channels; or of a
    /// mixture around a local mean its parameters, the local mean and the number of the local scale.
    pub parameters: &'a [i16],
    /// Values of the symbol.
    pub alphabet: u32,
    /// Channels of the output.
    pub channels: usize,
    /// The symbols of the output's earlier channels at the same position.
    pub known: &'a [u16],
}

/// Room that distributions need; one for a thread.
#[derive(Debug, Default)]
pub struct Scratch(Vec<u64>);

impl Head {
    /// Codes a symbol and returns it; a decoder ignores `symbol` and returns the one that it read.
    ///
    /// # Panics
    /// If there are not as many parameters as the context needs.
    #[inline]
    pub fn code(
        &self,
        context: Context,
        scratch: &mut Scratch,
        coder: &mut impl Coder,
        symbol: u32,
    ) -> Result<u32, Damaged> {
        let Context { parameters, alphabet, channels, known } = context;
        match self {
            Self::Mixture(tables) => {
                let [parameters @ .., mean, level] = parameters else { panic!("{} parameters", parameters.len()) };
                coder.code(&Mixture::new(tables, parameters, parameters.len() / 3, *mean, *level as usize), symbol)
            }
            Self::Bernoulli(tables) => coder.code(&tables.bit(parameters[0]), symbol),
            Self::Categorical(tables) => coder.code(&tables.distribution(parameters, &mut scratch.0), symbol),
            Self::Coupled(tables) => coder.code(&tables.distribution(parameters, channels, alphabet, known), symbol),
            Self::Signed(tables) => {
                coder.code(&tables.distribution(parameters), signed::place(symbol)).map(signed::place)
            }
        }
    }

    /// What a symbol costs: how surprising it is.
    pub fn surprise(&self, context: Context, scratch: &mut Scratch, symbol: u32) -> Bits {
        let mut meter = CostMeter::new();
        // A meter reads nothing that could be damaged.
        let _ = self.code(context, scratch, &mut meter, symbol);
        meter.bits()
    }

    /// What a symbol costs, and what it could be expected to cost before it was known.
    pub fn score(&self, context: Context, scratch: &mut Scratch, symbol: u32) -> Score {
        let smooth = matches!(self, Self::Mixture(_) | Self::Coupled(_) | Self::Signed(_));
        let mut meter = ScoreMeter::new(context.alphabet, smooth);
        // A meter reads nothing that could be damaged.
        let _ = self.code(context, scratch, &mut meter, symbol);
        meter.last()
    }

    /// Makes the parameters of a [`Context`] those of a softer or sharper distribution, to draw from: log-weights and
    /// log-odds are divided by the temperature, scales are multiplied by it.
    pub fn heat(&self, temperature: Temperature, parameters: &mut [i16], channels: usize) {
        // Log-weights stand for their differences: counted from the largest, those that matter do not leave 16 bits.
        let divide = |logits: &mut [i16], relative: bool| {
            let top: i64 = logits.iter().copied().max().filter(|_| relative).unwrap_or(0).into();
            for logit in logits {
                let scaled = ((i64::from(*logit) - top) * temperature.inverse) >> Temperature::FRACTION;
                *logit = scaled.clamp(i16::MIN.into(), i16::MAX.into()) as i16;
            }
        };
        let widen = |scales: &mut [i16], fraction: u8| {
            let by = (temperature.log << fraction) >> Temperature::FRACTION;
            for scale in scales {
                *scale = (i64::from(*scale) + by).clamp(i16::MIN.into(), i16::MAX.into()) as i16;
            }
        };
        match self {
            Self::Bernoulli(_) => divide(parameters, false),
            Self::Categorical(_) => divide(parameters, true),
            Self::Mixture(logistic::Tables { fraction, .. }) | Self::Signed(signed::Tables { fraction, .. }) => {
                let used = parameters.len() / 3;
                divide(&mut parameters[..used], true);
                widen(&mut parameters[2 * used..3 * used], *fraction);
            }
            Self::Coupled(tables) => {
                let used = parameters.len() / coupled::values(channels);
                divide(&mut parameters[..used], true);
                widen(&mut parameters[(1 + channels) * used..][..channels * used], tables.0.fraction);
            }
        }
    }
}

/// How far a distribution is softened before symbols are drawn: above 1 they vary more, below 1 less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Temperature {
    inverse: i64,
    log: i64,
}

impl Temperature {
    /// Fractional bits of both parts.
    const FRACTION: u32 = 16;

    /// A temperature in thousandths, from 1 to a million.
    pub fn thousandths(t: u32) -> Self {
        let t = t.clamp(1, 1_000_000);
        // cost_of gives -log2: ln(t / 1000) = (cost(1000) - cost(t)) ln 2.
        let [one, own] = [1000, t].map(|v| cost_of(v, 32).0 as i64);
        let log = ((one - own) >> (Bits::FRACTION - 24)) * LN_2_24;
        Self { inverse: (1000 << Self::FRACTION) / i64::from(t), log: log >> (48 - Self::FRACTION) }
    }
}

/// The natural logarithm of 2 with 24 fractional bits.
const LN_2_24: i64 = 11_629_080;

#[cfg(test)]
#[allow(clippy::float_arithmetic, reason = "compares with formulas in floating point")]
mod tests {
    use super::*;
    use crate::entropy::Sampler;
    use crate::quantize::tables;

    fn context<'a>(parameters: &'a [i16], alphabet: u32, known: &'a [u16]) -> Context<'a> {
        Context { parameters, alphabet, channels: 3, known }
    }

    /// Heads over small alphabets with some parameters of 10 fractional bits.
    fn heads() -> [(Head, Vec<i16>, u32); 3] {
        let some = |n: i32| (0..n).map(|i| ((i * 7919) % 2001 - 1000) as i16).collect::<Vec<_>>();
        [
            (Head::Bernoulli(tables::bernoulli(10)), vec![-700], 2),
            (Head::Categorical(tables::categorical(10)), some(9), 9),
            (Head::Coupled(tables::coupled(16, 10)), some(20), 16),
        ]
    }

    #[test]
    fn entropy_is_the_mean_surprise_and_what_is_drawn_costs_it() {
        let (mut scratch, mut sampler) = (Scratch::default(), Sampler::new(1));
        for (head, parameters, alphabet) in heads() {
            let context = context(&parameters, alphabet, &[3, 9]);
            let entropy = f64::from(head.score(context, &mut scratch, 0).entropy) / 65536.0;
            let costs: Vec<f64> = (0..alphabet).map(|s| head.surprise(context, &mut scratch, s).to_f64()).collect();
            let mean: f64 = costs.iter().map(|c| c * (-c).exp2()).sum();
            assert!(
                (entropy - mean).abs() < if matches!(head, Head::Coupled(_)) { 0.05 } else { 2e-5 },
                "{entropy} {mean}"
            );
            let n = 20_000;
            let paid: f64 =
                (0..n).map(|_| costs[head.code(context, &mut scratch, &mut sampler, 0).unwrap() as usize]).sum();
            assert!((paid / f64::from(n) / entropy - 1.0).abs() < 0.03, "{paid} {entropy}");
        }
    }

    #[test]
    fn heat_divides_and_widens() {
        let mut scratch = Scratch::default();
        for (head, parameters, alphabet) in heads() {
            let entropy = |t: u32, scratch: &mut Scratch| {
                let mut heated = parameters.clone();
                head.heat(Temperature::thousandths(t), &mut heated, 3);
                f64::from(head.score(context(&heated, alphabet, &[]), scratch, 0).entropy) / 65536.0
            };
            let levels = [1, 300, 1000, 3000, 1_000_000].map(|t| entropy(t, &mut scratch));
            assert!(levels[0] < levels[1] && levels[1] < levels[2], "{levels:?}");
            // Very wide logistics lie beyond the alphabet; the others end at the uniform distribution.
            let flat = levels[3] > levels[2] && levels[4] > f64::from(alphabet).log2() - 0.02;
            assert!(flat || matches!(head, Head::Coupled(_)), "{levels:?}");
            assert!(levels[0] < if flat { 1e-3 } else { 1.0 }, "{levels:?}");
            let own = f64::from(head.score(context(&parameters, alphabet, &[]), &mut scratch, 0).entropy) / 65536.0;
            assert!((levels[2] - own).abs() < 1e-3, "{levels:?} {own}");
        }
        let half = Temperature::thousandths(500);
        assert!((half.log as f64 / 65536.0 + std::f64::consts::LN_2).abs() < 1e-4, "{half:?}");
        assert_eq!(half.inverse, 2 << 16);
    }
}
