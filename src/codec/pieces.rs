//! One piece of a file, coded by whichever model makes it smallest, and checked at once.
//!
//! What must stay true: writing and measuring choose the same way, so the length that `measure` prints is the length
//! that `compress` writes.

use super::error::CompressError;
use super::progress::Progress;
use super::tile::{self, Tile};
use crate::container::{Coding, Hint};
use crate::engine::Network;
use crate::entropy::{Bits, Damaged};
use crate::media::image::Picture;
use crate::predict::bytes;
use rayon::prelude::*;
use std::borrow::Cow;

/// What is done with a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Code it; with `verify`, decode it again and compare.
    Write {
        /// Whether to decode again.
        verify: bool,
    },
    /// Add up what it costs.
    Measure,
}

/// A coded (or measured) piece.
#[derive(Debug)]
pub(super) struct Piece<'a> {
    pub coding: Coding,
    /// Length of the piece before coding.
    pub decoded: usize,
    /// CRC-32 of the piece before coding.
    pub crc: u32,
    /// Its code length.
    pub cost: Bits,
    /// The coded bytes; empty when it was only measured.
    pub bytes: Cow<'a, [u8]>,
}

/// A candidate for a piece: how, how long, and the bytes if it was written.
struct Coded {
    coding: Coding,
    cost: Bits,
    bytes: Vec<u8>,
}

/// The code length of whole bytes.
pub(super) fn whole(bytes: usize) -> Bits {
    Bits((bytes as u64).saturating_mul(8 << Bits::FRACTION))
}

impl Coded {
    fn written(coding: Coding, bytes: Vec<u8>) -> Self {
        Self { coding, cost: whole(bytes.len()), bytes }
    }
    fn measured(coding: Coding, cost: Bits) -> Self {
        Self { coding, cost, bytes: Vec::new() }
    }
}

/// The byte model's form of a hint.
pub(super) fn byte_hint(hint: Hint) -> bytes::Hint {
    bytes::Hint { record: hint.record, pixel: hint.pixel }
}

fn by_bytes(data: &[u8], hint: Hint, mode: Mode) -> Coded {
    match mode {
        Mode::Write { .. } => Coded::written(Coding::Bytes, bytes::encode(data, byte_hint(hint))),
        Mode::Measure => Coded::measured(Coding::Bytes, bytes::measure(data, byte_hint(hint))),
    }
}

fn by_network(network: &Network, picture: &Picture, tile: Tile, mode: Mode) -> Coded {
    match mode {
        Mode::Write { .. } => Coded::written(Coding::Network, tile::encode_tile(network, picture, tile)),
        Mode::Measure => Coded::measured(Coding::Network, tile::measure_tile(network, picture, tile)),
    }
}

/// Codes bytes in segments, in parallel. A segment that the byte model does not make smaller is stored.
pub(super) fn segments<'a>(
    data: &'a [u8],
    hint: Hint,
    mode: Mode,
    progress: &dyn Progress,
) -> Result<Vec<Piece<'a>>, CompressError> {
    let code = |(index, data): (usize, &'a [u8])| {
        let best = if bytes::looks_incompressible(data) { None } else { Some(by_bytes(data, hint, mode)) };
        let check = |coded: &Coded| bytes::decode(&coded.bytes, data.len(), byte_hint(hint));
        let piece = smallest(Cow::Borrowed(data), best, check, mode);
        progress.advance(data.len() as u64);
        piece.ok_or(CompressError::Verification { piece: index })
    };
    progress.begin(data.len() as u64);
    if data.len() <= bytes::SEGMENT {
        return data.chunks(bytes::SEGMENT).enumerate().map(code).collect();
    }
    data.par_chunks(bytes::SEGMENT).enumerate().map(code).collect()
}

/// Codes the tiles of a picture, in parallel: each by the network, by the byte model where that looks better, or stored.
pub(super) fn tiles(
    network: &Network,
    picture: &Picture,
    mode: Mode,
    progress: &dyn Progress,
) -> Result<Vec<Piece<'static>>, CompressError> {
    let tiles = tile::tiles(picture.width, picture.height);
    progress.begin(picture.samples.len() as u64);
    let code = |(index, &tile): (usize, &Tile)| {
        let samples = tile::cut_out(picture, tile);
        let length = samples.len();
        let hint = row_hint(tile.width, picture.channels);
        let mut best = by_network(network, picture, tile, mode);
        if looks_drawn(&samples, picture.channels) || best.cost >= whole(length) {
            let other = by_bytes(&samples, hint, mode);
            if other.cost < best.cost {
                best = other;
            }
        }
        let check = |coded: &Coded| match coded.coding {
            Coding::Network => tile::decode_tile(network, picture.channels, tile, &coded.bytes),
            _ => bytes::decode(&coded.bytes, length, byte_hint(hint)),
        };
        let piece = smallest(Cow::Owned(samples), Some(best), check, mode);
        progress.advance(length as u64);
        piece.ok_or(CompressError::Verification { piece: index })
    };
    if let [tile] = tiles[..] {
        return Ok(vec![code((0, &tile))?]);
    }
    tiles.par_iter().enumerate().map(code).collect()
}

/// The candidate if it is smaller than the data, else the data themselves; `None` when it is to be verified and `decode`
/// does not give the data back.
fn smallest<'a>(
    data: Cow<'a, [u8]>,
    coded: Option<Coded>,
    decode: impl Fn(&Coded) -> Result<Vec<u8>, Damaged>,
    mode: Mode,
) -> Option<Piece<'a>> {
    let (crc, decoded) = (crc32fast::hash(&data), data.len());
    match coded {
        Some(coded) if coded.cost < whole(decoded) => {
            if mode == (Mode::Write { verify: true }) && !decode(&coded).is_ok_and(|back| back == *data) {
                return None;
            }
            Some(Piece { coding: coded.coding, decoded, crc, cost: coded.cost, bytes: Cow::Owned(coded.bytes) })
        }
        _ => Some(Piece { coding: Coding::Stored, decoded, crc, cost: whole(decoded), bytes: data }),
    }
}

/// What the byte model is told about rows of pixels.
pub(super) fn row_hint(width: u32, channels: u8) -> Hint {
    Hint { record: width.saturating_mul(u32::from(channels)), pixel: u32::from(channels) }
}

/// Whether a quarter of the pixels or more equal the one before: rare in photographs, usual in drawings and screenshots,
/// where the byte model may beat a network that was trained on photographs. Only the encoder asks this.
fn looks_drawn(samples: &[u8], channels: u8) -> bool {
    let unit = usize::from(channels);
    let same = samples.chunks_exact(unit).zip(samples.chunks_exact(unit).skip(1)).filter(|(a, b)| a == b).count();
    same * 4 * unit >= samples.len()
}
