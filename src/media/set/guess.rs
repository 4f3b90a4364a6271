//! What kind of data files hold, for whoever trains a network on them.
//!
//! What must stay true: a network for what these functions say takes the files that they were asked about.

use super::{SetError, pictures, sound, unzipped};
use crate::media::Limits;
use crate::spec::{Domain, Samples};

/// The pictures that a file holds: of its own size, or `tile` (width, height) by `tile` if it is a sprite sheet. Binary if all
/// values are 0 and 255, or 0 and 1.
///
/// # Errors
/// A file that holds no pictures, or a sheet that is not made of such tiles.
pub fn pictures_of(file: &[u8], tile: Option<(u32, u32)>, limits: &Limits) -> Result<Domain, SetError> {
    let (stack, _) = pictures::open(&unzipped(file, limits)?, limits)?;
    let (width, height) = stack.tile(tile)?;
    let alphabet = if pictures::one(&stack.values).is_ok() { 2 } else { 256 };
    Ok(Domain::Pictures { channels: stack.channels, height, width, alphabet })
}

/// Texts in segments of `segment` bytes, with the characters of all of them.
pub fn text_of<'a>(texts: impl IntoIterator<Item = &'a [u8]>, segment: u32) -> Domain {
    let mut seen = [false; 256];
    texts.into_iter().flatten().for_each(|b| seen[usize::from(*b)] = true);
    Domain::Text { characters: (0..=255u8).filter(|b| seen[usize::from(*b)]).collect(), segment }
}

/// The symbols of a recording of one channel, and how many samples it has a second.
///
/// # Errors
/// A file that is no recording, or has several channels or more than 16 bits.
pub fn sound_of(file: &[u8], samples: Samples, limits: &Limits) -> Result<(Vec<u16>, u32), SetError> {
    let (numbers, rate, bits) = sound::mono(&unzipped(file, limits)?, limits)?;
    Ok((sound::symbols(&numbers, bits, samples).1, rate))
}
