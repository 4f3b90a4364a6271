//! Segments of sound: the bytes of a file's samples to the code of `predict::audio`, and back; and long files, which are coded
//! and restored while they are read.
//!
//! What must stay true: samples that are bytes, integers or floating point come back bit for bit, whatever they mean; memory
//! depends on the segments that are open, one a thread, and never on the length of a recording.

mod long;
mod restore;

pub use super::long::Long;
pub use long::{Recording, compress_long, find_long, measure_long};
pub(super) use restore::restore;
pub use restore::{Incoming, Missing, Restored, incoming};

use crate::container::{Content, MAX_SEGMENT};
use crate::entropy::{Bits, Damaged};
use crate::media::audio::{Frames, SampleFormat};
use crate::predict::audio::{self, Shape};

/// Seconds of a segment.
const SECONDS: u32 = 30;
/// Samples of a segment at most, unless its seconds are named: so many open at once fit the memory of small machines.
const MOST_SAMPLES: u32 = 3 << 20;
/// Frames a second at least that are counted with, where the file names fewer or none.
const LEAST_RATE: u32 = 1000;

/// Frames of a segment of such sound.
pub(super) fn segment(frames: &Frames, seconds: Option<u32>) -> u32 {
    let rate = frames.rate.max(LEAST_RATE);
    let most = if seconds.is_some() { MAX_SEGMENT } else { MOST_SAMPLES / u32::from(frames.channels) };
    rate.saturating_mul(seconds.unwrap_or(SECONDS)).clamp(1, most.min(MAX_SEGMENT))
}

/// What a stream says about such sound.
pub(super) fn content(frames: &Frames, segment: u32) -> Content {
    Content::Sound { rate: frames.rate, segment, channels: frames.channels, format: frames.format }
}

fn shape(frames: &Frames) -> Shape {
    let Frames { channels, format, .. } = *frames;
    Shape { channels: channels.into(), bits: format.bytes() as u32 * 8, float: !format.is_integer() }
}

/// The code of a segment, by the profile of this number.
pub(super) fn encode(data: &[u8], frames: &Frames, profile: usize) -> Vec<u8> {
    audio::encode(frames.format.integers(data), shape(frames), profile)
}

/// The code length of a segment.
pub(super) fn measure(data: &[u8], frames: &Frames, profile: usize) -> Bits {
    audio::measure(frames.format.integers(data), shape(frames), profile)
}

/// Samples that are made bytes at a time.
const PIECE: usize = 1 << 14;

/// The bytes of samples, a piece at a time.
fn pieces(format: SampleFormat, samples: &[i32]) -> impl Iterator<Item = Vec<u8>> + '_ {
    samples.chunks(PIECE).map(move |piece| format.to_bytes(piece))
}

/// Whether a code decodes to the data.
pub(super) fn gives_back(code: &[u8], frames: &Frames, data: &[u8]) -> bool {
    let Ok(samples) = audio::decode(code, data.len() / frames.bytes(), shape(frames)) else { return false };
    pieces(frames.format, &samples).zip(data.chunks(PIECE * frames.format.bytes())).all(|(a, b)| a == b)
}

/// Decodes a segment of so many bytes.
pub(super) fn decode(code: &[u8], frames: &Frames, length: usize) -> Result<Vec<u8>, Damaged> {
    let samples = audio::decode(code, length / frames.bytes(), shape(frames))?;
    let mut out = Vec::with_capacity(length);
    pieces(frames.format, &samples).for_each(|piece| out.extend(piece));
    Ok(out)
}
