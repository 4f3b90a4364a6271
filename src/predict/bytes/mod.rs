//! The byte model: adaptive context mixing for any bytes, in integers.
//!
//! Every byte is coded as eight binary decisions. For each one, contexts of several kinds (the last one to six bytes, the
//! word, the record or the pixels around) find bit histories in a hash table (`slots`); adaptive maps turn the histories into
//! probabilities (`maps`); match models add what followed the last occurrence of the same bytes (`matcher`); a two-layer
//! mixer weighs them all (`mixer`) and two adaptive probability maps refine the result. The design follows what is known
//! of context mixing (Mahoney 2005 and later); tables and constants are this project's own.
//!
//! What must stay true: the walk is the same for encoder, decoder and meter, and every probability is exact integer
//! arithmetic; a change of any probability raises [`PART`]'s version.
#![deny(clippy::float_arithmetic)]

mod contexts;
mod history;
pub(super) mod logistic;
pub(super) mod maps;
mod matcher;
pub(super) mod mixer;
mod model;
mod probe;
mod slots;
#[cfg(test)]
mod tests;

use super::Part;
use crate::entropy::{Bit, Bits, Coder, CostMeter, Damaged, Decoder, Encoder};
use contexts::Kind;
use model::Model;

pub use probe::looks_incompressible;

/// This part's name and version.
pub const PART: Part = Part { name: "bytes", version: 1 };

/// Bytes of one independent segment (4 MiB).
///
/// On 8 MiB of source text, segments of 1, 2 and 4 MiB cost 5.9, 3.1 and 1.0 % over one of 8 MiB. A walk takes 11 MB beside its data.
pub const SEGMENT: usize = 4 << 20;

/// What is known about the bytes beforehand; a stream carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hint {
    /// Bytes from one row (or record) to the next; 0: not known.
    pub record: u32,
    /// Bytes from one pixel to the next within a row; 0: not known.
    pub pixel: u32,
}

/// Codes a segment: an encoder or meter reads `data`, a decoder fills it.
///
/// The length of `data` must be the same on both sides; it sets the size of the tables (11 MB at most).
pub fn walk<C: Coder>(coder: &mut C, data: &mut [u8], hint: Hint) -> Result<(), Damaged> {
    if data.is_empty() {
        return Ok(());
    }
    if hint.record > 0 {
        return walk_bytes(coder, data, Model::<{ contexts::MOST }>::new(data.len(), Kind::Raster, hint));
    }
    // A decoder looks at bytes that it does not have yet; what counts is the answer that the coder gives back.
    let text = coder.code(&Bit { zero: 1 << 15 }, u32::from(probe::looks_like_text(data)))?;
    if text == 1 {
        walk_bytes(coder, data, Model::<{ contexts::TEXT }>::new(data.len(), Kind::Text, hint))
    } else {
        walk_bytes(coder, data, Model::<{ contexts::MOST }>::new(data.len(), Kind::Binary, hint))
    }
}

fn walk_bytes<C: Coder, const N: usize>(coder: &mut C, data: &mut [u8], mut model: Model<N>) -> Result<(), Damaged> {
    for position in 0..data.len() {
        model.start_byte(&data[..position]);
        let byte = u32::from(data[position]);
        let mut partial = 1;
        for shift in (0..8).rev() {
            let one = u32::from(model.predict());
            let bit = coder.code(&Bit { zero: (65536 - one) as u16 }, (byte >> shift) & 1)?;
            model.learn(bit);
            partial = partial << 1 | bit;
        }
        data[position] = partial as u8;
        coder.complete();
    }
    Ok(())
}

/// The coded bytes of a segment.
pub fn encode(data: &[u8], hint: Hint) -> Vec<u8> {
    let mut encoder = Encoder::new();
    let mut data = data.to_vec();
    walk(&mut encoder, &mut data, hint).expect("an encoder never fails");
    encoder.finish()
}

/// The `length` bytes of a segment; the caller has checked the length against its limits.
pub fn decode(bytes: &[u8], length: usize, hint: Hint) -> Result<Vec<u8>, Damaged> {
    let mut data = vec![0; length];
    walk(&mut Decoder::new(bytes), &mut data, hint)?;
    Ok(data)
}

/// The code length of a segment.
pub fn measure(data: &[u8], hint: Hint) -> Bits {
    let mut meter = CostMeter::new();
    let mut data = data.to_vec();
    walk(&mut meter, &mut data, hint).expect("a meter never fails");
    meter.bits()
}
