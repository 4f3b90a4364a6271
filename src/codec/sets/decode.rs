//! A stream's chunks to the file of a set.
//!
//! What must stay true: nothing is allocated for what a stream says before that was compared with the limit (the caller did
//! that) and with the network's own sizes; every chunk is compared with its check value.

use super::classes::{self, Classes};
use super::encode::{to_bytes, unit};
use super::walk::{How, Together, Walker};
use crate::codec::Progress;
use crate::codec::error::DecodeError;
use crate::container::{Chunk, Coding, Content};
use crate::engine::grid::GridNetwork;
use crate::entropy::{Damaged, Decoder};
use crate::media::{Limits, set};
use crate::wire::Reader;
use rayon::prelude::*;
use std::ops::ControlFlow;

/// The content of a stream: number, entry and coded bytes of each chunk, and how many chunks the stream has.
pub(crate) struct Chunks<'a> {
    /// In order.
    pub list: Vec<(usize, &'a Chunk, &'a [u8])>,
    /// Of all roles.
    pub count: usize,
    /// What the header says of them.
    pub content: Content,
}

/// The file of a set, which has `length` bytes or is none.
pub(crate) fn restore(
    network: &GridNetwork,
    recipe: &[u8],
    chunks: &Chunks<'_>,
    (length, limit): (u64, u64),
    progress: &dyn Progress,
) -> Result<Vec<u8>, DecodeError> {
    let Content::Set { symbols: total, lanes, bytes } = chunks.content else {
        return Err(DecodeError::Inconsistent("the content is no set"));
    };
    let (size, lanes, unit) = (network.symbols(), usize::from(lanes), usize::from(unit(network)));
    if usize::from(bytes) != unit {
        return Err(DecodeError::Inconsistent("the model has another alphabet than the set"));
    }
    let needed = (network.bytes() as u64).saturating_mul(lanes as u64);
    if needed > limit {
        return Err(DecodeError::OverLimit { needed, limit });
    }
    let total = total as usize;
    let examples = total.div_ceil(size);
    let mut r = Reader::new(recipe);
    let classes = Classes::read(&mut r, network, examples).map_err(crate::media::MediaError::from)?;
    let classes = classes.ok_or(DecodeError::Inconsistent("the classes are not those of the model"))?;
    let recipe = r.raw(r.remaining()).map_err(crate::media::MediaError::from)?;

    let mut symbols = vec![0u16; total];
    let mut rest = &mut symbols[..];
    let (mut jobs, mut first) = (Vec::with_capacity(chunks.list.len()), 0);
    for (index, entry, coded) in &chunks.list {
        let n = entry.decoded as usize / unit;
        if n * unit != entry.decoded as usize || n > rest.len() || (n % size != 0 && n != rest.len()) {
            return Err(DecodeError::Inconsistent("a chunk is not made of whole examples"));
        }
        let (out, tail) = rest.split_at_mut(n);
        rest = tail;
        let count = n.div_ceil(size);
        jobs.push((*index, *entry, *coded, classes.of(first..first + count), out));
        first += count;
    }
    type Job<'j> = (usize, &'j Chunk, &'j [u8], &'j [u32], &'j mut [u16]);
    let run = |(index, entry, coded, classes, out): Job<'_>| -> Option<DecodeError> {
        let damaged = DecodeError::DamagedChunk { index, count: chunks.count };
        match entry.coding {
            Coding::Network => match decode_chunk(network, coded, out.len(), classes, lanes, progress) {
                Ok(decoded) => out.copy_from_slice(&decoded),
                Err(Damaged) => return Some(damaged),
            },
            Coding::Stored => {
                let alphabet = network.program().spec().symbols.alphabet;
                for (symbol, b) in out.iter_mut().zip(coded.chunks_exact(unit)) {
                    *symbol = b.iter().rev().fold(0, |s, b| s << 8 | u16::from(*b));
                    if u32::from(*symbol) >= alphabet {
                        return Some(damaged);
                    }
                }
                progress.advance(entry.decoded);
            }
            Coding::Bytes | Coding::Samples => {
                return Some(DecodeError::Inconsistent("a set in the byte model's code"));
            }
        }
        (crc32fast::hash(&to_bytes(out, unit as u8)) != entry.crc).then_some(damaged)
    };
    if let Some(fault) = jobs.into_par_iter().find_map_first(run) {
        return Err(fault);
    }
    join(recipe, &symbols, network, length, limit)
}

/// The file that recipe and symbols make.
fn join(
    recipe: &[u8],
    symbols: &[u16],
    network: &GridNetwork,
    length: u64,
    limit: u64,
) -> Result<Vec<u8>, DecodeError> {
    let mut file = Vec::with_capacity(length as usize);
    let mut longer = false;
    let mut sink = |bytes: &[u8]| {
        longer = (file.len() + bytes.len()) as u64 > length;
        if longer {
            return ControlFlow::Break(());
        }
        file.extend_from_slice(bytes);
        ControlFlow::Continue(())
    };
    let joined = set::join(recipe, symbols, network.program().domain(), &Limits { max_bytes: limit }, &mut sink);
    if longer {
        return Err(DecodeError::Checksum);
    }
    joined?;
    Ok(file)
}

/// The symbols of a chunk.
pub(super) fn decode_chunk(
    network: &GridNetwork,
    code: &[u8],
    length: usize,
    classes: &[u32],
    lanes: usize,
    progress: &dyn Progress,
) -> Result<Vec<u16>, Damaged> {
    let mut symbols = vec![0; length];
    let mut coder = Together(Decoder::new(code));
    let mut walker = Walker::new(network);
    for (number, group) in symbols.chunks_mut(lanes * network.symbols()).enumerate() {
        let classes = classes::part(classes, number * lanes, group.len().div_ceil(network.symbols()));
        walker.walk(group, classes, How::Steps, &mut coder)?;
        progress.advance((group.len() * usize::from(unit(network))) as u64);
    }
    Ok(symbols)
}
