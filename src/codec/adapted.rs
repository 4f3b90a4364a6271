//! A network adapted to a picture, for the encoder.
//!
//! What must stay true: writing and measuring ask this with the same arguments, so they code with the same network; and it
//! is the network that a decoder will make of the code.

use super::bands::{self, ROWS};
use super::pieces::looks_drawn;
use crate::adapt::{self, Area, Fit};
use crate::engine::Network;
use crate::media::image::Picture;

/// Pictures with fewer pixels are not worth a try.
const LEAST: u64 = 64 * 64;

/// As [`of_any_size`]; `None` for tiny pictures.
pub(super) fn adapted(network: &Network, picture: &Picture, fit: &Fit) -> Option<(Network, Vec<u8>)> {
    let pixels = u64::from(picture.width) * u64::from(picture.height);
    if pixels < LEAST { None } else { of_any_size(network, picture, fit) }
}

/// The network adapted to the parts of a picture that it is likely to code, and the code of the adaptation; `None` if none
/// pays.
pub(super) fn of_any_size(network: &Network, picture: &Picture, fit: &Fit) -> Option<(Network, Vec<u8>)> {
    if fit.steps == 0 {
        return None;
    }
    let line = picture.width as usize * usize::from(picture.channels);
    // What the byte model may take is not adapted to.
    let bands = picture.samples.chunks(ROWS as usize * line).enumerate();
    let rows = |(i, samples): (usize, &[u8])| i as u32 * ROWS..i as u32 * ROWS + (samples.len() / line) as u32;
    let likely = bands.filter(|(_, samples)| !looks_drawn(samples, picture.width, picture.channels));
    let rows: Vec<u32> = likely.flat_map(rows).collect();
    let field = bands::field(network, picture);
    let code = adapt::fit(network, &[Area { field: &field, width: picture.width, rows }], fit)?;
    let adapted = adapt::apply(network, &code).ok()?;
    Some((adapted, code))
}
