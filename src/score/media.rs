//! Files to what models score: pictures, recordings, texts.
//!
//! What must stay true: what a file is depends on its content alone, never on its name.

use crate::codec::ModelError;
use crate::codec::sets::ClassError;
use crate::media::audio::{self, Sound};
use crate::media::image::Picture;
use crate::media::set::{self, Array, SetError};
use crate::media::{self, Content, Limits};
use serde::{Deserialize, Serialize};
use std::fmt;
use thiserror::Error;

/// Why a file could not be scored.
#[derive(Debug, Error)]
pub enum ScoreError {
    /// The file is no set for the model.
    #[error(transparent)]
    Set(#[from] SetError),
    /// The labels do not fit.
    #[error(transparent)]
    Classes(#[from] ClassError),
    /// No model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The model is for pictures, and the file is none.
    #[error("is no picture that this program reads (PNG, BMP, PNM of 8 bits, IDX){}", note.as_ref().map(|n| format!(": {n}")).unwrap_or_default())]
    NoPicture {
        /// What the reader says.
        note: Option<String>,
    },
    /// The model is for recordings, and the file is none that can be read.
    #[error("is no recording that this program reads: {0}")]
    NoRecording(String),
    /// The file is nothing that could be scored.
    #[error("is neither a picture (PNG, BMP, PNM of 8 bits, IDX) nor a recording (WAV, AIFF, FLAC) nor a text")]
    Unknown,
    /// The model cannot be fitted to files.
    #[error("{}", fixed(name, *medium))]
    Fixed {
        /// The model.
        name: String,
        /// What it is for.
        medium: Medium,
    },
    /// The code of an adaptation is none for the model.
    #[error("the calibration moves the model '{name}' as it cannot be moved: calibrate again")]
    Unfit {
        /// The model.
        name: String,
    },
    /// The background model cannot be beside the model.
    #[error("the background model {text}")]
    Background {
        /// Why.
        text: String,
    },
    /// The model has another number of channels.
    #[error("has {given} channels, and the model '{name}' is for {wanted}")]
    Channels {
        /// Of the picture.
        given: u8,
        /// Of the model.
        wanted: u16,
        /// The model.
        name: String,
    },
}

/// Why a model cannot be fitted, and which can.
fn fixed(name: &str, medium: Medium) -> String {
    let can = "networks for photographs (family window), such as those inside the binary, can";
    match medium {
        Medium::Picture => {
            format!("the model '{name}' cannot be fitted to normal files; {can}: -m fast, photo or large")
        }
        _ => format!(
            "{medium} have no model that can be fitted to normal files ('{name}' cannot); {can}: leave out --adapt"
        ),
    }
}

/// What kind of data files hold: each kind has models and a calibration of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Medium {
    /// Pictures.
    Picture,
    /// Recordings.
    Sound,
    /// Texts.
    Text,
}

impl fmt::Display for Medium {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Picture => "pictures",
            Self::Sound => "recordings",
            Self::Text => "texts",
        })
    }
}

/// How files are read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// Width and height of a sprite sheet's tiles.
    pub tile: Option<(u32, u32)>,
    /// Seconds of a window of a recording, or thousands of bytes of one of a text: each window is an example.
    pub window: Option<f64>,
    /// The most bytes that may be allocated for what a file declares.
    pub limit: u64,
    /// Of a file of many pictures, only so many are taken.
    pub first: Option<usize>,
}

impl Reading {
    pub(super) fn limits(self) -> Limits {
        Limits { max_bytes: self.limit }
    }

    /// Length of a window if a second has `rate` units.
    pub(super) fn window(self, rate: f64) -> Option<usize> {
        self.window.map(|seconds| ((seconds * rate).round() as usize).max(1))
    }
}

impl Medium {
    /// What a file holds.
    ///
    /// # Errors
    /// Something else, or too much.
    pub fn of(file: &[u8], reading: Reading) -> Result<Self, ScoreError> {
        let inner = set::unzipped(file, &reading.limits())?;
        if audio::is_recording(&inner) {
            return Ok(Self::Sound);
        }
        if media::medium_of(&inner).is_some() || inner.starts_with(b"P4") {
            return Ok(Self::Picture);
        }
        if is_text(&inner) { Ok(Self::Text) } else { Err(ScoreError::Unknown) }
    }
}

/// Whether bytes are UTF-8, or any superset of ASCII, without control characters that texts do not have.
fn is_text(bytes: &[u8]) -> bool {
    let control = |b: &u8| *b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b);
    let ascii = bytes.iter().filter(|b| b.is_ascii()).count();
    !bytes.is_empty()
        && !bytes.iter().any(control)
        && (std::str::from_utf8(bytes).is_ok() || ascii * 4 > bytes.len() * 3)
}

/// The pictures in a file: one, or those of an IDX file or of a sheet.
pub(super) fn pictures(file: &[u8], reading: Reading) -> Result<Vec<Picture>, ScoreError> {
    let limits = reading.limits();
    let picture = match media::medium_of(file) {
        // Pictures of a set are looked at one by one.
        Some(media::Medium::Idx) => Err(None),
        _ => match media::content(file, &limits) {
            Ok((_, Content::Picture(picture))) => Ok(picture),
            Ok((_, Content::Rows { .. } | Content::Pcm(_))) => Err(None),
            Err(note) => Err(note),
        },
    };
    let no_picture = match (picture, reading.tile) {
        (Ok(picture), None) => return Ok(vec![picture]),
        (Ok(_), Some(_)) => None,
        (Err(note), _) => Some(note),
    };
    let stack = Array::of(file, reading.tile, &limits).map_err(|error| match no_picture {
        None => ScoreError::from(error),
        Some(note) => ScoreError::NoPicture { note: note.or(Some(error.to_string())) },
    })?;
    let (height, width) = (stack.dims[1], stack.dims[2]);
    let channels = stack.dims.get(3).map_or(1, |c| *c as u8);
    if !matches!(channels, 1 | 3) {
        return Err(ScoreError::NoPicture { note: None });
    }
    let unit = (width as usize * height as usize * usize::from(channels)).max(1);
    let one = |samples: &[u8]| Picture { width, height, channels, samples: samples.to_vec() };
    Ok(stack.values.chunks_exact(unit).take(reading.first.unwrap_or(usize::MAX)).map(one).collect())
}

/// A recording, and the upper 16 bits of its samples as symbols.
pub(super) fn recording(file: &[u8], reading: Reading) -> Result<(Sound, Vec<u16>), ScoreError> {
    let inner = set::unzipped(file, &reading.limits())?;
    let sound = audio::read(&inner, &reading.limits()).map_err(|e| ScoreError::NoRecording(e.to_string()))?;
    let shift = |x: i32| if sound.bits > 16 { x >> (sound.bits - 16) } else { x << (16 - sound.bits) };
    let symbols = sound.samples.iter().map(|x| shift(*x) as u16).collect();
    Ok((sound, symbols))
}

/// The windows of `length` places in `places`: as many as fit best, at least one; the last takes what is left.
pub(super) fn windows(places: usize, length: Option<usize>) -> Vec<std::ops::Range<usize>> {
    let length = length.unwrap_or(places).max(1);
    let count = ((places + length / 2) / length).max(1);
    (0..count).map(|i| i * length..if i + 1 == count { places } else { (i + 1) * length }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const READING: Reading = Reading { tile: None, window: None, limit: 1 << 20, first: None };

    #[test]
    fn the_content_says_what_a_file_is() {
        let of = |bytes: &[u8]| Medium::of(bytes, READING).ok();
        assert_eq!(of(b"fLaC...."), Some(Medium::Sound));
        assert_eq!(of(b"RIFF\x24\0\0\0WAVEfmt "), Some(Medium::Sound));
        assert_eq!(of(b"FORM\0\0\0\x24AIFFCOMM"), Some(Medium::Sound));
        assert_eq!(of(b"P5\n2 2\n255\n...."), Some(Medium::Picture));
        assert_eq!(of(b"\0\0\x08\x03\0\0\0\x01"), Some(Medium::Picture));
        assert_eq!(of("Gr\u{fc}\u{df}e\n".as_bytes()), Some(Medium::Text));
        assert_eq!(of(b"some old text with one \xfc in it"), Some(Medium::Text));
        for neither in [&b""[..], b"\x7fELF\x02\x01\x01\0", b"\xff\xfe\xfd\xfc"] {
            assert!(matches!(Medium::of(neither, READING), Err(ScoreError::Unknown)));
        }
    }

    #[test]
    fn windows_cover_everything_once() {
        assert_eq!(windows(100, None).last(), Some(&(0..100)));
        assert_eq!(windows(100, Some(30)), [0..30, 30..60, 60..100]);
        assert_eq!(windows(100, Some(36)), [0..36, 36..72, 72..100]);
        assert_eq!(windows(10, Some(30)).last(), Some(&(0..10)));
        assert_eq!(windows(0, Some(30)).last(), Some(&(0..0)));
    }
}
