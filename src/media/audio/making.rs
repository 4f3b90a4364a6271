//! Recordings made again: samples that come in order, and what a recipe says of their file.
//!
//! What must stay true: what is held does not grow with the recording; without a recipe there is still a file that players read.

use super::file::{Around, Order, around};
use super::flac::recipe::Maker;
use super::{Frames, wav};
use crate::media::{MediaError, Medium};

/// A file that is being made.
pub enum Making<'a> {
    /// Samples as they are, and what stands around them.
    Plain(Around, Frames),
    /// Frames of FLAC.
    Flac(Box<Maker<'a>>),
}

/// Samples of a channel, or bytes of a FLAC file's samples, that are taken at a time: what is made of them goes out before more is.
const PIECE: usize = 1 << 14;

impl<'a> Making<'a> {
    /// Reads the recipe for `length` bytes of samples.
    pub fn new(medium: Medium, recipe: &'a [u8], frames: &Frames, length: u64) -> Result<Self, MediaError> {
        if medium == Medium::Flac {
            return Ok(Self::Flac(Box::new(Maker::new(recipe, frames, length)?)));
        }
        Ok(Self::Plain(around(medium, recipe, frames, length)?, *frames))
    }

    /// Without a recipe: samples with a plain header.
    pub fn without_recipe(medium: Medium, frames: &Frames, length: u64) -> Self {
        if medium == Medium::Flac {
            return Self::Flac(Box::new(Maker::without_recipe(frames, length)));
        }
        let before = wav::usual_header(frames, length, 0);
        Self::Plain(Around { before, after: Vec::new(), order: Order::Plain }, *frames)
    }

    /// Bytes of the whole file, where the recipe says so, of which `length` are samples.
    pub fn length(&self, length: u64) -> Option<u64> {
        match self {
            Self::Plain(around, _) => length.checked_add((around.before.len() + around.after.len()) as u64),
            Self::Flac(_) => None,
        }
    }

    /// What stands before the samples.
    pub fn before(&self) -> Vec<u8> {
        match self {
            Self::Plain(around, _) => around.before.clone(),
            Self::Flac(maker) => maker.before(),
        }
    }

    /// Takes the next samples, whole frames of them, and hands out what is made of them.
    pub fn feed<E: From<MediaError>>(
        &mut self,
        samples: &[u8],
        out: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            Self::Flac(maker) => samples.chunks(PIECE).try_for_each(|piece| maker.feed(piece, out)),
            Self::Plain(Around { order: Order::Plain, .. }, _) => out(samples),
            Self::Plain(around, frames) => samples.chunks(PIECE * frames.bytes()).try_for_each(|piece| {
                let mut piece = piece.to_vec();
                around.order.turn(frames.format, &mut piece);
                out(&piece)
            }),
        }
    }

    /// The samples from here on are not those of the file: what was decided for them is of no use.
    pub fn lose(&mut self) {
        if let Self::Flac(maker) = self {
            maker.lose();
        }
    }

    /// What stands after the samples, when all were taken.
    pub fn after(&self) -> Result<&[u8], MediaError> {
        match self {
            Self::Plain(around, _) => Ok(&around.after),
            Self::Flac(maker) => maker.after(),
        }
    }
}
