//! Samples of sound, coded by adaptive prediction.
//!
//! A segment is coded channel after channel: least squares and a cascade of filters predict each sample (`predictor`), and the
//! sample is coded by a distribution around the prediction (`residual`). Bits that no sample of a channel uses are left out.
//! Everything starts afresh in each segment.
//!
//! What must stay true: the walk is the same for encoder, decoder and meter; floating point only as `ols`, `lms` and
//! `residual` say, so that every machine computes the same probabilities; a change of any raises [`PART`]'s version.

mod lanes;
mod lms;
pub(super) mod ols;
mod predictor;
mod profile;
pub(super) mod residual;
#[cfg(test)]
mod tests;

use super::Part;
use crate::entropy::{Bit, Bits, Coder, CostMeter, Damaged, Decoder, Encoder};
use predictor::{Predictor, Track};
pub use profile::PROFILES;
use residual::Residual;

/// This part's name and version.
pub const PART: Part = Part { name: "audio", version: 1 };

/// Most channels of a segment.
pub const MAX_CHANNELS: usize = 8;

/// What the samples of a segment are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// 1 to [`MAX_CHANNELS`], side by side in each frame.
    pub channels: usize,
    /// Bits of a sample, 8 to 32: `-2^(bits - 1)` to `2^(bits - 1) - 1`.
    pub bits: u32,
}

/// Bits of a sample of size 1: what the constants of the predictors mean.
const UNIT_BITS: u32 = 16;

/// Codes a segment: an encoder or meter reads `samples` (whole frames), a decoder fills them; `profile` is a number in
/// [`PROFILES`], and a decoder's is ignored.
pub fn walk<C: Coder>(coder: &mut C, samples: &mut [i32], shape: Shape, profile: usize) -> Result<(), Damaged> {
    let profile = PROFILES.get(number(coder, 2, profile as u32)? as usize).ok_or(Damaged)?;
    let frames = samples.len() / shape.channels;
    let mut before: Option<Track> = None;
    for channel in 0..shape.channels {
        let mut predictor = Predictor::new(profile, before.is_some());
        let mut residual = Residual::default();
        let mut track = Track::new(frames);
        let shift = number(coder, 5, unused_bits(samples[channel..].iter().step_by(shape.channels)))?;
        // Powers of two: nothing is rounded.
        let unit = 1.0 / f64::from(1u32 << shape.bits.saturating_sub(UNIT_BITS)) * f64::from(1u32 << shift);
        let most = f64::from(1u32 << (shape.bits - 1)) / f64::from(1u32 << shift);
        for at in 0..frames {
            let prediction = predictor.predict(at, &track, before.as_ref());
            let centre = prediction / unit;
            // No number becomes the least.
            let centre = if centre > -most { if centre < most { centre } else { most } } else { -most };
            let sample = &mut samples[at * shape.channels + channel];
            let value = residual.code(coder, centre, i64::from(*sample >> shift))?;
            *sample = i32::try_from(value << shift).map_err(|_| Damaged)?;
            coder.complete();
            let value = value as f64 * unit;
            track.set(at, value);
            predictor.learn(value, prediction);
        }
        before = Some(track);
    }
    Ok(())
}

/// Codes a number of `bits` bits, all equally likely.
fn number<C: Coder>(coder: &mut C, bits: u32, number: u32) -> Result<u32, Damaged> {
    let mut coded = 0;
    for shift in (0..bits).rev() {
        coded = coded << 1 | coder.code(&Bit { zero: 1 << 15 }, number >> shift & 1)?;
    }
    Ok(coded)
}

/// How many of the lowest bits are zero in all of the samples; 0 if all are.
fn unused_bits<'a>(samples: impl Iterator<Item = &'a i32>) -> u32 {
    samples.fold(0, |all, sample| all | sample).trailing_zeros() % 32
}

/// The code of a segment, by the profile of this number.
pub fn encode(mut samples: Vec<i32>, shape: Shape, profile: usize) -> Vec<u8> {
    let mut encoder = Encoder::new();
    walk(&mut encoder, &mut samples, shape, profile).expect("samples have the bits that the shape says");
    encoder.finish()
}

/// The samples of a segment, as many as `frames` say; the caller has compared them with its limits.
pub fn decode(code: &[u8], frames: usize, shape: Shape) -> Result<Vec<i32>, Damaged> {
    let mut samples = vec![0; frames * shape.channels];
    walk(&mut Decoder::new(code), &mut samples, shape, 0)?;
    Ok(samples)
}

/// The code length of a segment.
pub fn measure(mut samples: Vec<i32>, shape: Shape, profile: usize) -> Bits {
    let mut meter = CostMeter::new();
    walk(&mut meter, &mut samples, shape, profile).expect("samples have the bits that the shape says");
    meter.bits()
}
