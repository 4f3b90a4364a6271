//! Segments of sound: the bytes of a file's samples to the code of `predict::audio`, and back.
//!
//! What must stay true: samples that are bytes, integers or floating point come back bit for bit, whatever they mean.

use crate::container::MAX_SEGMENT;
use crate::entropy::{Bits, Damaged};
use crate::media::audio::SampleFormat;
use crate::predict::audio::{self, Shape};

/// Seconds of a segment.
const SECONDS: u32 = 30;
/// Frames of a segment at least, where the file names a rate that is too low or none.
const LEAST: u32 = 1 << 17;

/// Frames of a segment at this rate.
pub(super) fn segment(rate: u32) -> u32 {
    rate.saturating_mul(SECONDS).clamp(LEAST, MAX_SEGMENT)
}

fn shape(format: SampleFormat, channels: u8) -> Shape {
    Shape { channels: channels.into(), bits: format.bytes() as u32 * 8 }
}

/// The code of a segment, by the profile of this number.
pub(super) fn encode(data: &[u8], format: SampleFormat, channels: u8, profile: usize) -> Vec<u8> {
    audio::encode(format.integers(data), shape(format, channels), profile)
}

/// The code length of a segment.
pub(super) fn measure(data: &[u8], format: SampleFormat, channels: u8, profile: usize) -> Bits {
    audio::measure(format.integers(data), shape(format, channels), profile)
}

/// Decodes a segment to `out`, which has its length.
pub(super) fn decode(code: &[u8], format: SampleFormat, channels: u8, out: &mut [u8]) -> Result<(), Damaged> {
    let shape = shape(format, channels);
    let frames = out.len() / (shape.channels * format.bytes());
    let samples = audio::decode(code, frames, shape)?;
    out.copy_from_slice(&format.to_bytes(&samples));
    Ok(())
}
