//! Samples of sound, coded by adaptive prediction.
//!
//! A segment is coded channel after channel: least squares and a cascade of filters predict each sample (`predictor`), and the
//! sample is coded by a distribution around the prediction (`residual`). Bits that no sample of a channel uses are left out.
//! Everything starts afresh in each segment.
//!
//! What must stay true: the walk is the same for encoder, decoder and meter; floating point only as `ols`, `lms` and
//! `residual` say, so that every machine computes the same probabilities; a change of any raises [`PART`]'s version.

mod alphabet;
mod fixed;
mod lanes;
mod lms;
pub(super) mod ols;
mod predictor;
mod profile;
pub(super) mod residual;
#[cfg(test)]
mod tests;
mod track;

use super::{Part, number};
use crate::entropy::{Bits, Coder, CostMeter, Damaged, Decoder, Encoder};
use alphabet::Alphabet;
pub use fixed::ordered;
pub use ols::Setting;
use predictor::Predictor;
pub use predictor::{Profile, Rest};
pub use profile::{FAST, PROFILES, SLOW, USUAL};
use residual::{FEW, Head, NARROW, Residual, WIDE};
use track::Track;

/// This part's name and version.
pub const PART: Part = Part { name: "audio", version: 4 };

/// Most channels of a segment.
pub const MAX_CHANNELS: usize = 8;

/// What the samples of a segment are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// 1 to [`MAX_CHANNELS`], side by side in each frame.
    pub channels: usize,
    /// Bits of a sample, 8 to 32: `-2^(bits - 1)` to `2^(bits - 1) - 1`.
    pub bits: u32,
    /// Whether they are floating-point numbers, made integers by [`ordered`].
    pub float: bool,
}

/// Bits of a sample of size 1: what the constants of the predictors mean.
const UNIT_BITS: u32 = 16;

/// What an encoder chose for a segment; of a decoder's choice, nothing counts.
#[derive(Debug, Clone, Copy, Default)]
struct Choice {
    /// A number in [`PROFILES`].
    profile: usize,
    /// The channel that is coded first; the others follow in order.
    first: usize,
    /// What is tried in its place: for a meter alone.
    trial: Option<Profile>,
    /// The exponent of floating-point samples that were made integers, and the bits of these.
    fixed: Option<(u32, u32)>,
}

/// Codes a segment: an encoder or meter reads `samples` (whole frames), a decoder fills them.
fn walk<C: Coder>(coder: &mut C, samples: &mut [i32], shape: Shape, choice: Choice) -> Result<(), Damaged> {
    let profile = number(coder, 3, choice.profile as u32)? as usize;
    let profile = choice.trial.as_ref().or(PROFILES.get(profile)).ok_or(Damaged)?;
    let first = number(coder, 3, choice.first as u32)? as usize;
    let (code, width) = choice.fixed.map_or((0, 0), |(exponent, bits)| (exponent + 1, bits - 1));
    let exponent = if shape.float { number(coder, 5, code)?.checked_sub(1) } else { None };
    let bits = if exponent.is_some() { number(coder, 5, width)? + 1 } else { shape.bits };
    if first >= shape.channels || bits < 8 {
        return Err(Damaged);
    }
    let mut before = None;
    for channel in std::iter::once(first).chain((0..shape.channels).filter(|c| *c != first)) {
        let mut channel = Channel { number: channel, before, channels: shape.channels, bits, alphabet: None };
        channel.walk(coder, samples, profile)?;
        before = Some(channel.number);
    }
    if let Some(exponent) = exponent {
        fixed::floats(samples, exponent);
    }
    Ok(())
}

/// One of the channels of a segment.
struct Channel {
    number: usize,
    /// The one that was coded before it.
    before: Option<usize>,
    channels: usize,
    bits: u32,
    alphabet: Option<Alphabet>,
}

impl Channel {
    fn walk<C: Coder>(&mut self, coder: &mut C, samples: &mut [i32], profile: &Profile) -> Result<(), Damaged> {
        let (channels, channel) = (self.channels, self.number);
        let frames = samples.len() / channels;
        let own = samples[channel..].iter().step_by(channels);
        let shift = number(coder, 5, unused_bits(own.clone()))?;
        let known = Alphabet::worth(own.map(|sample| sample >> shift));
        if number(coder, 1, known.is_some().into())? == 1 {
            let mut alphabet = known.unwrap_or_else(Alphabet::empty);
            alphabet.code(coder, frames)?;
            self.alphabet = Some(alphabet);
        }
        match profile.rest {
            Rest::Narrow => self.samples(coder, samples, profile, &NARROW, shift),
            Rest::Wide => self.samples(coder, samples, profile, &WIDE, shift),
            Rest::Few => self.samples(coder, samples, profile, &FEW, shift),
        }
    }

    /// The samples of the channel, of which the lowest `shift` bits are left out.
    fn samples<C: Coder, const N: usize>(
        &self,
        coder: &mut C,
        samples: &mut [i32],
        profile: &Profile,
        head: &'static Head<N>,
        shift: u32,
    ) -> Result<(), Damaged> {
        let (channels, channel) = (self.channels, self.number);
        let frames = samples.len() / channels;
        // Powers of two: nothing is rounded.
        let scale = 1.0 / f64::from(1u32 << self.bits.saturating_sub(UNIT_BITS));
        let unit = scale * f64::from(1u32 << shift);
        let most = f64::from(1u32 << (self.bits - 1)) / f64::from(1u32 << shift);
        let mut predictor = Predictor::new(profile, self.before.is_some());
        let mut residual = Residual::new(head);
        let (mut own, mut other) = (Track::default(), Track::default());
        let sample_of = |samples: &[i32], at: usize| {
            let value = self.before.and_then(|before| samples.get(at * channels + before));
            value.map_or(0.0, |sample| f64::from(*sample) * scale)
        };
        (0..predictor.ahead()).for_each(|at| other.push(sample_of(samples, at)));
        for at in 0..frames {
            if self.before.is_some() {
                other.push(sample_of(samples, at + predictor.ahead()));
            }
            let prediction = predictor.predict(&own, &other);
            let centre = prediction / unit;
            // No number becomes the least.
            let centre = if centre > -most { if centre < most { centre } else { most } } else { -most };
            let sample = &mut samples[at * channels + channel];
            let value = match &self.alphabet {
                None => residual.code(coder, centre, i64::from(*sample >> shift))?,
                Some(alphabet) => {
                    let rank = residual.code(coder, alphabet.place(centre), alphabet.rank(*sample >> shift))?;
                    alphabet.value(rank)?.into()
                }
            };
            *sample = i32::try_from(value << shift).map_err(|_| Damaged)?;
            coder.complete();
            let value = value as f64 * unit;
            own.push(value);
            predictor.learn(value, prediction);
        }
        Ok(())
    }
}

/// How many of the lowest bits are zero in all of the samples; 0 if all are.
fn unused_bits<'a>(samples: impl Iterator<Item = &'a i32>) -> u32 {
    samples.fold(0, |all, sample| all | sample).trailing_zeros() % 32
}

/// Frames by which the order of two channels is chosen.
const STRETCH: usize = 1 << 15;

/// Makes floating-point samples integers where they are, and chooses what comes first.
fn choose(samples: &mut Vec<i32>, shape: Shape, profile: usize) -> Choice {
    let mut choice = Choice { profile, ..Choice::default() };
    if let Some((exponent, integers)) = shape.float.then(|| fixed::integers(samples)).flatten() {
        let most = integers.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0);
        choice.fixed = Some((exponent, (exponent + 1).max(33 - most.leading_zeros()).max(8)));
        *samples = integers;
    }
    if shape.channels == 2 {
        let frames = samples.len() / 2;
        let from = frames.saturating_sub(STRETCH) / 2;
        let stretch = &samples[from * 2..(from + STRETCH).min(frames) * 2];
        let cost = |first| meter(&mut stretch.to_vec(), shape, Choice { profile: FAST, first, ..choice });
        choice.first = usize::from(cost(1) < cost(0));
    }
    choice
}

fn meter(samples: &mut [i32], shape: Shape, choice: Choice) -> Bits {
    let mut meter = CostMeter::new();
    walk(&mut meter, samples, shape, choice).expect("samples have the bits that the shape says");
    meter.bits()
}

/// Runs a coder that scores or meters over a segment, channel after channel in their order, by the profile of this number.
pub fn score<C: Coder>(coder: &mut C, samples: &mut [i32], shape: Shape, profile: usize) -> Result<(), Damaged> {
    walk(coder, samples, shape, Choice { profile, ..Choice::default() })
}

/// The code of a segment, by the profile of this number in [`PROFILES`].
pub fn encode(mut samples: Vec<i32>, shape: Shape, profile: usize) -> Vec<u8> {
    let choice = choose(&mut samples, shape, profile);
    let mut encoder = Encoder::new();
    walk(&mut encoder, &mut samples, shape, choice).expect("samples have the bits that the shape says");
    encoder.finish()
}

/// The samples of a segment, as many as `frames` say; the caller has compared them with its limits.
pub fn decode(code: &[u8], frames: usize, shape: Shape) -> Result<Vec<i32>, Damaged> {
    let mut samples = vec![0; frames * shape.channels];
    walk(&mut Decoder::new(code), &mut samples, shape, Choice::default())?;
    Ok(samples)
}

/// The code length of a segment.
pub fn measure(mut samples: Vec<i32>, shape: Shape, profile: usize) -> Bits {
    let choice = choose(&mut samples, shape, profile);
    meter(&mut samples, shape, choice)
}

/// The code length of a segment by any profile, also one that streams cannot name: what a stage is worth.
pub fn measure_by(mut samples: Vec<i32>, shape: Shape, profile: Profile) -> Bits {
    let choice = Choice { trial: Some(profile), ..choose(&mut samples, shape, FAST) };
    meter(&mut samples, shape, choice)
}
