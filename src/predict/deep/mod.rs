//! Pictures of 16 bits a sample, coded by adaptive prediction.
//!
//! Each sample is predicted by least squares (`audio::ols`) from its neighbours, and from those of the channels of the pixel that
//! are known; it is coded by a distribution around the prediction (`audio::residual`), whose scales follow the errors of the
//! neighbours beside those of the last samples. Low bits that no sample of a channel has are left out. Everything starts afresh
//! in each segment.
//!
//! What must stay true: the walk is the same for encoder, decoder and meter; floating point only as `ols` and `residual` say, so
//! that every machine computes the same probabilities; a change of any raises [`PART`]'s version.

mod plane;
#[cfg(test)]
mod tests;

use super::Part;
use super::audio::ols::{Ols, Setting};
use super::audio::residual::{ALL, NARROW, Residual};
use crate::entropy::{Bits, Coder, CostMeter, Damaged, Decoder, Encoder};
use plane::{CROSS, OWN, Plane};

/// This part's name and version.
pub const PART: Part = Part { name: "deep", version: 1 };

/// Most channels of a pixel.
pub const MAX_CHANNELS: usize = 4;

/// Samples of a segment at most, but for a single row: what bounds the room that a thread needs.
pub const SEGMENT: usize = 1 << 19;

/// The rows of a segment of a picture with so many samples a row. Part of the stream format.
pub fn rows(line: usize) -> usize {
    (SEGMENT / line.max(1)).max(1)
}

/// The least squares of every channel. (Of 0.998, 0.9995 and 0.9999, the last two take 0.1 to 0.3 % less.)
const OLS: Setting = Setting { keep: 0.9998, ridge: 25.0, every: 8 };

/// Channels in coding order: green tells most about the others.
fn order(channels: usize) -> &'static [usize] {
    match channels {
        1 => &[0],
        2 => &[0, 1],
        3 => &[1, 0, 2],
        _ => &[1, 0, 2, 3],
    }
}

/// What is known about a channel.
struct Channel {
    place: usize,
    shift: u32,
    ols: Ols,
    residual: Residual<ALL>,
    plane: Plane,
}

/// Codes a segment of rows of `line` samples, `channels` a pixel: an encoder or meter reads `samples`, a decoder fills them.
pub fn walk<C: Coder>(coder: &mut C, samples: &mut [u16], line: usize, channels: usize) -> Result<(), Damaged> {
    let width = line / channels;
    let mut all = Vec::with_capacity(channels);
    for (number, place) in order(channels).iter().enumerate() {
        let used = samples.iter().skip(*place).step_by(channels).fold(0, |all, sample| all | sample);
        let shift = super::number(coder, 4, used.trailing_zeros() % 16)?;
        let ols = Ols::new(OWN.len() + number * CROSS.len(), OLS);
        let plane = Plane::new(width, samples.len() / line.max(1), f64::from(0x8000u16 >> shift));
        all.push(Channel { place: *place, shift, ols, residual: Residual::new(&NARROW), plane });
    }
    let mut seen = [0.0; OWN.len() + (MAX_CHANNELS - 1) * CROSS.len()];
    for (y, row) in samples.chunks_exact_mut(line.max(1)).enumerate() {
        all.iter_mut().for_each(|channel| channel.plane.begin(y));
        for (x, pixel) in row.chunks_exact_mut(channels).enumerate() {
            for number in 0..channels {
                let (known, rest) = all.split_at_mut(number);
                let Channel { place, shift, ols, residual, plane } = &mut rest[0];
                plane.open(y, x);
                let base = plane.base(y, x);
                let mut taps = seen.iter_mut();
                for (offset, tap) in OWN.iter().zip(&mut taps) {
                    *tap = plane.value(y, x, *offset) - base;
                }
                for other in known.iter() {
                    let base = other.plane.base(y, x);
                    for (offset, tap) in CROSS.iter().zip(&mut taps) {
                        *tap = other.plane.value(y, x, *offset) - base;
                    }
                }
                let predicted = ols.predict(&seen[..OWN.len() + number * CROSS.len()], &[]);
                let centre = predicted + base;
                // No number becomes the least.
                let most = f64::from(0xffffu16 >> *shift);
                let centre = if centre > 0.0 { if centre < most { centre } else { most } } else { 0.0 };
                let beside = known.last().map(|other| other.plane.error(y, x, (0, 0)));
                let errors = residual.errors_near(plane.errors(y, x, beside));
                let value = residual.code_around(coder, errors, centre, i64::from(pixel[*place] >> *shift))?;
                let sample = u16::try_from(value).map_err(|_| Damaged)?;
                if sample > 0xffff >> *shift {
                    return Err(Damaged);
                }
                pixel[*place] = sample << *shift;
                let value = f64::from(sample);
                plane.set(y, x, value, (value - centre).abs() as f32);
                ols.learn(value - base);
            }
        }
    }
    Ok(())
}

/// The code of a segment.
pub fn encode(mut samples: Vec<u16>, line: usize, channels: usize) -> Vec<u8> {
    let mut encoder = Encoder::new();
    walk(&mut encoder, &mut samples, line, channels).expect("every sample can be coded");
    encoder.finish()
}

/// The samples of a segment, as many as `length` says; the caller has compared it with its limits.
pub fn decode(code: &[u8], length: usize, line: usize, channels: usize) -> Result<Vec<u16>, Damaged> {
    let mut samples = vec![0; length];
    walk(&mut Decoder::new(code), &mut samples, line, channels)?;
    Ok(samples)
}

/// The code length of a segment.
pub fn measure(mut samples: Vec<u16>, line: usize, channels: usize) -> Bits {
    let mut meter = CostMeter::new();
    walk(&mut meter, &mut samples, line, channels).expect("every sample can be coded");
    meter.bits()
}
