//! Pictures.

pub mod bmp;
pub mod lattice;
pub mod png;
pub mod pnm;
pub mod tiff;
pub mod zlib;

use super::{Content, MediaError};

/// Samples of a picture, row by row, the channels of a pixel side by side (R, G, B, or one gray).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// 1 (gray) or 3 (R, G, B).
    pub channels: u8,
    /// `width * height * channels` samples.
    pub samples: Vec<u8>,
}

impl Picture {
    /// Whether the number of samples is what the shape says.
    pub fn is_consistent(&self) -> bool {
        let samples = u64::from(self.width) * u64::from(self.height);
        matches!(self.channels, 1 | 3)
            && samples.checked_mul(self.channels.into()).is_some_and(|n| n == self.samples.len() as u64)
    }
}

/// The picture in a content that must be one.
pub(super) fn picture(content: &Content) -> Result<&Picture, MediaError> {
    match content {
        Content::Picture(p) if p.is_consistent() => Ok(p),
        Content::Picture(_) => Err(MediaError::Inconsistent("the number of samples is not width x height x channels")),
        _ => Err(MediaError::Inconsistent("it needs a picture, and something else was given")),
    }
}
