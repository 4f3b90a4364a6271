//! What is left of a damaged picture.
//!
//! What must stay true: samples that are given back have the checksum that they should have; all others are gray.

use super::bands::{self, Model};
use super::decompress::Salvaged;
use super::error::DecodeError;
use super::job::Job;
use super::pieces::row_hint;
use crate::container::{Coding, Content, Role};
use crate::media::image::Picture;
use crate::media::image::lattice::{self, Transform};
use std::ops::Range;

/// What stands for a sample that is lost.
const GRAY: u8 = 128;

impl Job<'_> {
    /// The picture, as far as it can be decoded.
    pub fn salvage(&self) -> Result<Salvaged, DecodeError> {
        let (width, height, channels) = match self.opened.header.content {
            Content::Rows { width, height, channels } => (width, height, channels),
            content => content
                .banded()
                .ok_or(DecodeError::Inconsistent("parts can be kept of pictures that are coded as such"))?,
        };
        // Checks that the chunks are the picture's bands.
        let bands = self.opened.header.content.banded().map(|_| self.bands()).transpose()?;
        let line = width as usize * usize::from(channels);
        let samples = vec![GRAY; line * height as usize];
        let mut picture = Picture { width, height, channels, samples };
        let mut lost: Vec<Range<u32>> = Vec::new();
        let mut at = 0;
        for (index, entry, coded) in self.chunks(Role::Content) {
            let end = at + entry.decoded as usize;
            let decoded = match (&bands, entry.coding) {
                (Some(bands), Coding::Network) => {
                    let model = Model { network: bands.network(), adjusted: self.is_adjusted() };
                    let band = bands::Band { first: (at / line) as u32, rows: (entry.decoded as usize / line) as u32 };
                    let decoded = bands::decode_band(model, &picture, band, coded).ok();
                    decoded.filter(|samples| self.check(index, entry, samples).is_ok())
                }
                _ => {
                    let mut out = vec![0; end - at];
                    self.bytes(index, entry, coded, row_hint(width, channels), &mut out).ok().map(|()| out)
                }
            };
            match decoded {
                Some(decoded) => picture.samples[at..end].copy_from_slice(&decoded),
                None => {
                    let rows = (at / line) as u32..end.div_ceil(line) as u32;
                    match lost.last_mut() {
                        Some(last) if last.end >= rows.start => last.end = rows.end,
                        _ => lost.push(rows),
                    }
                }
            }
            self.progress.advance(entry.decoded);
            at = end;
        }
        if let Content::Planes { transform, .. } = self.opened.header.content {
            let transform = Transform::from_id(transform).ok_or(DecodeError::Inconsistent("an unknown transform"))?;
            // Where the list of other pixels is damaged, the planes are nearly right.
            let exceptions = self.segments(Role::Beside).unwrap_or_default();
            picture = lattice::restore(transform, picture, &exceptions)?;
        }
        Ok(Salvaged { picture, lost })
    }
}
