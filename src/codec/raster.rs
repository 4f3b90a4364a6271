//! Segments of rasters: bytes of rows to the codes of `predict::deep` and `predict::bilevel`, and back.
//!
//! What must stay true: how many rows a segment has follows from the content alone.

use super::parts;
use crate::container::{Content, Hint, Part};
use crate::entropy::{Bits, Damaged};
use crate::media::Form;
use crate::predict::{bilevel, deep};

/// Rows of samples with a predictor of their own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Raster {
    /// Bytes a row.
    line: usize,
    /// Samples of 16 bits a pixel; 0: one bit a pixel.
    channels: usize,
}

/// The content of rows of a form, if they have a predictor: what is not whole rows has none.
pub(super) fn content(length: usize, hint: Hint, form: Form) -> Option<Content> {
    let (line, unit) = (hint.record, hint.pixel);
    let (channels, width) = match form {
        Form::Bilevel => (0, line),
        Form::Deep if unit > 0 && unit % 2 == 0 && unit <= 8 && line % unit == 0 => ((unit / 2) as u8, line / unit),
        _ => return None,
    };
    let rows = if line > 0 && length % line as usize == 0 { length / line as usize } else { 0 };
    let height = u32::try_from(rows).ok().filter(|height| *height > 0)?;
    Some(Content::Raster { width, height, channels })
}

impl Raster {
    /// The raster of a content, if it is one.
    pub fn of(content: &Content) -> Option<Self> {
        let Content::Raster { channels, .. } = *content else { return None };
        let line = usize::try_from(content.raster_line()?).ok()?;
        Some(Self { line, channels: channels.into() })
    }

    /// What the byte model is told about it.
    pub fn hint(self) -> Hint {
        let pixel = if self.channels == 0 { 1 } else { 2 * self.channels as u32 };
        Hint { record: self.line as u32, pixel }
    }

    /// The part that codes it.
    pub fn part(self) -> Part {
        parts::adaptive(if self.channels == 0 { bilevel::PART } else { deep::PART })
    }

    /// Bytes of a segment; the last may have fewer.
    pub fn segment(self) -> usize {
        self.line * if self.channels == 0 { bilevel::rows(self.line) } else { deep::rows(self.line / 2) }
    }

    /// The code of a segment.
    pub fn encode(self, data: &[u8]) -> Vec<u8> {
        match self.channels {
            0 => bilevel::encode(data, self.line),
            channels => deep::encode(samples(data), self.line / 2, channels),
        }
    }

    /// The code length of a segment.
    pub fn measure(self, data: &[u8]) -> Bits {
        match self.channels {
            0 => bilevel::measure(data, self.line),
            channels => deep::measure(samples(data), self.line / 2, channels),
        }
    }

    /// Decodes a segment to `out`, which has its length.
    pub fn decode(self, code: &[u8], out: &mut [u8]) -> Result<(), Damaged> {
        if self.channels == 0 {
            out.copy_from_slice(&bilevel::decode(code, out.len(), self.line)?);
            return Ok(());
        }
        let decoded = deep::decode(code, out.len() / 2, self.line / 2, self.channels)?;
        for (pair, sample) in out.chunks_exact_mut(2).zip(decoded) {
            pair.copy_from_slice(&sample.to_be_bytes());
        }
        Ok(())
    }
}

/// The higher byte comes first.
fn samples(data: &[u8]) -> Vec<u16> {
    data.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
}
