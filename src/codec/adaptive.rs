//! Scores by the models that learn as they go: that of bytes for texts, that of samples for recordings.
//!
//! What must stay true: the walk is the coder's, so the surprises are the lengths of its codes; a score depends on nothing but
//! the file, and the name of a model says its version.

use super::sound;
use crate::engine::ModelId;
use crate::entropy::{DecisionMeter, Score};
use crate::media::audio::{Frames, SampleFormat, Sound};
use crate::predict::audio::{self, Shape};
use crate::predict::bytes::{self, Hint};
use rayon::prelude::*;

/// The profile of sound: the fastest, for the others know little more.
const PROFILE: usize = 0;

/// A model that learns as it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adaptive {
    /// Of bytes, for texts.
    Bytes,
    /// Of samples, for recordings.
    Samples,
}

impl Adaptive {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Bytes, Self::Samples];

    /// Its name for messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bytes => bytes::PART.name,
            Self::Samples => audio::PART.name,
        }
    }

    /// A hash of its name, version and settings: two that score differently have different ones.
    pub fn id(self) -> ModelId {
        let version = match self {
            Self::Bytes => bytes::PART.version,
            Self::Samples => audio::PART.version,
        };
        ModelId::of(format!("adaptive {} {version} {PROFILE}", self.name()).as_bytes())
    }
}

/// The scores of a text's bytes.
pub fn text(bytes: &[u8]) -> Vec<Score> {
    let segment = |segment: &[u8]| {
        let mut meter = DecisionMeter::default();
        bytes::walk(&mut meter, &mut segment.to_vec(), Hint::default()).expect("a meter never fails");
        meter.units()
    };
    bytes.par_chunks(bytes::SEGMENT).flat_map_iter(segment).collect()
}

/// The scores of a recording's samples, in its order. Channels over those that a segment can have are scored apart.
pub fn recording(recording: &Sound) -> Vec<Score> {
    let channels = usize::from(recording.channels);
    let form =
        Frames { channels: channels.min(audio::MAX_CHANNELS) as u8, rate: recording.rate, format: SampleFormat::S16 };
    let frames = sound::segment(&form, None) as usize;
    let segment = |samples: &[i32]| {
        let mut scores = vec![Score::default(); samples.len()];
        for first in (0..channels).step_by(audio::MAX_CHANNELS) {
            let some = audio::MAX_CHANNELS.min(channels - first);
            let frames = samples.chunks_exact(channels);
            let mut part: Vec<i32> = frames.flat_map(|frame| &frame[first..first + some]).copied().collect();
            let shape = Shape { channels: some, bits: u32::from(recording.bits).max(8), float: false };
            let mut meter = DecisionMeter::default();
            audio::score(&mut meter, &mut part, shape, PROFILE).expect("samples have the bits that the recording says");
            // Channel after channel to frame after frame.
            let count = part.len() / some;
            for (i, score) in meter.units().into_iter().enumerate() {
                scores[i % count * channels + first + i / count] = score;
            }
        }
        scores
    };
    recording.samples.par_chunks(frames * channels).flat_map_iter(segment).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(scores: &[Score]) -> u64 {
        scores.iter().map(|s| u64::from(s.surprise)).sum::<u64>() >> Score::FRACTION
    }

    #[test]
    fn scores_add_up_to_the_code_and_lie_where_the_surprise_is() {
        let text_ = b"the cat sat on the mat, and the cat sat on the mat again; the cat sat on the QZX mat.".repeat(3);
        let scores = text(&text_);
        assert_eq!(scores.len(), text_.len());
        let coded = bytes::measure(&text_, Hint::default()).ceil_bytes() * 8;
        assert!(bits(&scores).abs_diff(coded) < 12, "{} {coded}", bits(&scores));

        // Two channels, of which the second has a click.
        let wave = |t: i32, c: i32| ((t * (3 + c)) % 200 - 100) * 20 + (t * 7919 % 13);
        let mut samples: Vec<i32> = (0..4000).flat_map(|t| [wave(t, 0), wave(t, 1)]).collect();
        samples[2 * 3000 + 1] = 30_000;
        let sound = Sound { channels: 2, bits: 16, rate: 8000, samples };
        let scores = recording(&sound);
        assert_eq!(scores.len(), 8000);
        let late = scores.iter().enumerate().skip(4000);
        assert_eq!(late.max_by_key(|(_, s)| s.surprise).map(|(i, _)| i), Some(6001));
        let many = Sound { channels: 10, bits: 16, rate: 8000, samples: vec![5; 200] };
        assert_eq!(recording(&many).len(), 200);
        assert!(text(&[]).is_empty() && recording(&Sound { samples: vec![], ..sound }).is_empty());
        assert_ne!(Adaptive::Bytes.id(), Adaptive::Samples.id());
    }
}
