//! Sound: the samples of recordings, and everything else in their files.
//!
//! What must stay true: [`Pcm::bytes`] are the bytes of the file, so nothing that a format can say about samples (unused
//! bits, the payload of a NaN) is lost by taking them apart; [`Sound`] is for those who want numbers.

pub mod aiff;
pub mod file;
pub mod flac;
pub mod making;
pub mod raw;
pub mod riff;
pub mod wav;

use super::{Limits, MediaError};
use crate::predict::audio::ordered;
use thiserror::Error;

/// Most channels of a recording that is taken apart.
pub const MAX_CHANNELS: u16 = 8;

/// How one sample stands in a file, little-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum SampleFormat {
    /// 8 bits, silence is 128.
    U8 = 0,
    /// 16 bits, signed.
    S16 = 1,
    /// 24 bits, signed.
    S24 = 2,
    /// 32 bits, signed.
    S32 = 3,
    /// IEEE 754, 32 bits.
    F32 = 4,
}

impl SampleFormat {
    /// Every format, by its number.
    pub const ALL: [Self; 5] = [Self::U8, Self::S16, Self::S24, Self::S32, Self::F32];

    /// The format with this number.
    pub fn from_id(id: u8) -> Option<Self> {
        Self::ALL.get(usize::from(id)).copied()
    }

    /// Bytes of a sample: 1 to 4.
    pub fn bytes(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::S16 => 2,
            Self::S24 => 3,
            Self::S32 | Self::F32 => 4,
        }
    }

    /// Whether a sample is an integer.
    pub fn is_integer(self) -> bool {
        self != Self::F32
    }

    /// For messages: `16-bit`.
    pub fn name(self) -> &'static str {
        match self {
            Self::U8 => "8-bit",
            Self::S16 => "16-bit",
            Self::S24 => "24-bit",
            Self::S32 => "32-bit",
            Self::F32 => "32-bit float",
        }
    }

    /// The samples in `bytes` as integers: 8-bit ones less 128, so that silence is 0; those in floating point by
    /// numbers in the same order. A rest that is no whole sample is left out.
    pub fn integers(self, bytes: &[u8]) -> Vec<i32> {
        let each = bytes.chunks_exact(self.bytes());
        match self {
            Self::U8 => each.map(|b| i32::from(b[0]) - 128).collect(),
            Self::S16 => each.map(|b| i32::from(i16::from_le_bytes([b[0], b[1]]))).collect(),
            Self::S24 => each.map(|b| i32::from_le_bytes([0, b[0], b[1], b[2]]) >> 8).collect(),
            Self::S32 => each.map(|b| i32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
            Self::F32 => each.map(|b| ordered(i32::from_le_bytes([b[0], b[1], b[2], b[3]]))).collect(),
        }
    }

    /// The bytes of samples, as [`integers`](Self::integers) gives them; higher bits than a format has are cut off.
    pub fn to_bytes(self, samples: &[i32]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(samples.len() * self.bytes());
        for &sample in samples {
            let sample = match self {
                Self::U8 => sample.wrapping_add(128),
                Self::F32 => ordered(sample),
                _ => sample,
            };
            bytes.extend_from_slice(&sample.to_le_bytes()[..self.bytes()]);
        }
        bytes
    }
}

/// What the frames of a recording are: one sample of each channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frames {
    /// 1 to [`MAX_CHANNELS`].
    pub channels: u8,
    /// How many a second, as the file says it; it need not be true.
    pub rate: u32,
    /// How a sample stands.
    pub format: SampleFormat,
}

impl Frames {
    /// Bytes of a frame.
    pub fn bytes(&self) -> usize {
        usize::from(self.channels) * self.format.bytes()
    }
}

/// The samples of a recording as its file holds them, in the order of [`SampleFormat`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pcm {
    /// What the frames are.
    pub frames: Frames,
    /// Frames, one after the other; a whole number of them.
    pub bytes: Vec<u8>,
}

impl Pcm {
    /// Whether the channels are possible and the frames whole.
    pub fn is_consistent(&self) -> bool {
        (1..=MAX_CHANNELS).contains(&self.frames.channels.into()) && self.bytes.len() % self.frames.bytes() == 0
    }
}

/// The samples of a recording as integers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sound {
    /// At least 1.
    pub channels: u16,
    /// Bits of a sample, 1 to 32: `-2^(bits - 1)` to `2^(bits - 1) - 1`.
    pub bits: u8,
    /// Frames a second.
    pub rate: u32,
    /// Frame after frame, the channels of a frame side by side.
    pub samples: Vec<i32>,
}

/// Why a file gave no samples.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AudioError {
    /// It is of no known format.
    #[error("it is no recording that is read here (WAV, AIFF or FLAC)")]
    Unknown,
    /// It is of a known format, in a form that is not read.
    #[error("the file {0}")]
    Unsupported(String),
    /// The FLAC decoder refused.
    #[error("the FLAC file is damaged: {0}")]
    Flac(String),
    /// Its samples are more than allowed.
    #[error(transparent)]
    TooLarge(MediaError),
}

/// Whether a file begins as those that [`read`] takes.
pub fn is_recording(file: &[u8]) -> bool {
    flac::is_flac(file) || riff::is_wav(file) || aiff::is_aiff(file)
}

/// The samples of a WAV, AIFF or FLAC file, whatever it is called. Those in floating point are refused.
pub fn read(file: &[u8], limits: &Limits) -> Result<Sound, AudioError> {
    if flac::is_flac(file) {
        return flac::read(file, limits);
    }
    let found = if aiff::is_aiff(file) { aiff::find(file) } else { riff::find(file).map(|(found, _)| found) };
    let found = found.map_err(|fault| match fault {
        file::NoLayout::Other => AudioError::Unknown,
        file::NoLayout::Because(why) => AudioError::Unsupported(why),
    })?;
    file::read(file, found, limits)
}
