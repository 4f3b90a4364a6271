//! A set to a stream.
//!
//! What must stay true: a stream is verified piece by piece as it is made, by the same decoder that reads it; it is never longer
//! than the file stored as it is.

use super::classes::{Classes, Labels};
use super::decode::decode_chunk;
use super::layout::Layout;
use super::walk::{How, Together, Walker};
use crate::codec::compress::{Compressed, Options, Summary};
use crate::codec::error::CompressError;
use crate::codec::pieces::{self, Mode, Piece, whole};
use crate::codec::{DEFAULT_LIMIT, Progress, parts};
use crate::container::{self, Chunk, Coding, Content, Header, Hint, Medium, Role};
use crate::engine::grid::GridNetwork;
use crate::entropy::Encoder;
use crate::media::{self, Limits, set};
use crate::predict::{bytes, linear};
use crate::spec::{Domain, Samples};
use crate::wire::Writer;
use rayon::prelude::*;
use std::borrow::Cow;

/// Compresses a file that is a set for the network. `labels` gives each example's class if the network knows classes.
///
/// # Errors
/// A file that is no such set, or labels that do not fit.
pub fn compress(
    file: &[u8],
    network: &GridNetwork,
    labels: Labels<'_>,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Compressed, CompressError> {
    let program = network.program();
    let split = set::split(file, program.domain(), &Limits { max_bytes: options.limit })?;
    let symbols = split.set.symbols();
    let count = u32::try_from(symbols.len()).map_err(|_| CompressError::TooManySymbols)?;
    let classes = Classes::new(network, labels, split.set.len())?;
    let mut recipe = Writer::new();
    classes.write(&mut recipe);
    recipe.raw(&split.recipe);
    let recipe = recipe.finish();

    let bytes = unit(network);
    let layout = Layout::new(network, split.set.len());
    progress.begin(symbols.len() as u64 * u64::from(bytes));
    let length = layout.chunk * network.symbols();
    let code = |(number, symbols): (usize, &[u16])| {
        let first = number * layout.chunk;
        let classes = classes.of(first..first + symbols.len().div_ceil(network.symbols()));
        let piece = chunk(network, symbols, classes, layout.lanes, options.verify, progress);
        piece.ok_or(CompressError::Verification { piece: number })
    };
    let content: Vec<Piece> = symbols.par_chunks(length).enumerate().map(code).collect::<Result<_, _>>()?;
    let recipe = pieces::segments(&recipe, Hint::default(), Mode::Write { verify: options.verify }, progress)?;

    let role = |role| move |p: &Piece| entry(p, role);
    let chunks: Vec<Chunk> =
        recipe.iter().map(role(Role::Recipe)).chain(content.iter().map(role(Role::Content))).collect();
    let uses = |coding| chunks.iter().any(|c| c.coding == coding);
    let mut named: Vec<_> = split.rebuilders.iter().copied().map(parts::rebuilder).collect();
    if uses(Coding::Bytes) {
        named.push(parts::adaptive(bytes::PART));
    }
    if matches!(program.domain(), Domain::Sound { samples: Samples::Linear, .. }) {
        named.push(parts::adaptive(linear::PART));
    }
    named.sort();
    let networks = uses(Coding::Network);
    let (header, pieces) = (
        Header {
            length: file.len() as u64,
            checksum: container::checksum(file),
            medium: Some(Medium { id: set::MEDIUM, version: set::VERSION }),
            model: Some(program.id().0),
            parts: named,
            content: Content::Set { symbols: count, lanes: layout.lanes as u16, bytes },
            chunks,
        },
        recipe.into_iter().chain(content).collect::<Vec<_>>(),
    );
    let set = done(file, header, &pieces, Some(network));
    let stored = stored(file);
    Ok(if networks && set.bytes.len() < stored.bytes.len() { set } else { stored })
}

/// Bytes of a symbol in what chunks decode to.
pub(super) fn unit(network: &GridNetwork) -> u8 {
    if network.program().spec().symbols.alphabet > 256 { 2 } else { 1 }
}

/// Symbols as the bytes of a chunk.
pub(super) fn to_bytes(symbols: &[u16], unit: u8) -> Vec<u8> {
    match unit {
        1 => symbols.iter().map(|s| *s as u8).collect(),
        _ => symbols.iter().flat_map(|s| s.to_le_bytes()).collect(),
    }
}

/// Codes the examples of a chunk; none if they are to be verified and do not come back.
fn chunk(
    network: &GridNetwork,
    symbols: &[u16],
    classes: &[u32],
    lanes: usize,
    verify: bool,
    progress: &dyn Progress,
) -> Option<Piece<'static>> {
    let plain = to_bytes(symbols, unit(network));
    let mut coder = Together(Encoder::new());
    let mut walker = Walker::new(network);
    let size = lanes * network.symbols();
    for (number, group) in symbols.chunks(size).enumerate() {
        let classes = super::classes::part(classes, number * lanes, group.len().div_ceil(network.symbols()));
        let mut group = group.to_vec();
        walker.walk(&mut group, classes, How::Steps, &mut coder).ok()?;
        progress.advance((group.len() * usize::from(unit(network))) as u64);
    }
    let code = coder.0.finish();
    if code.len() >= plain.len() {
        return Some(pieces::stored(Cow::Owned(plain)));
    }
    if verify && decode_chunk(network, &code, symbols.len(), classes, lanes, &()).ok()? != symbols {
        return None;
    }
    let (decoded, crc, cost) = (plain.len(), crc32fast::hash(&plain), whole(code.len()));
    Some(Piece { coding: Coding::Network, decoded, crc, cost, bytes: Cow::Owned(code) })
}

/// The header's entry of a piece.
fn entry(piece: &Piece, role: Role) -> Chunk {
    let (coded, decoded) = (piece.bytes.len() as u64, piece.decoded as u64);
    Chunk { coding: piece.coding, role, coded, decoded, crc: piece.crc }
}

/// The stream and its figures.
fn done(file: &[u8], header: Header, pieces: &[Piece], network: Option<&GridNetwork>) -> Compressed {
    let bytes = container::assemble(&header, pieces.iter().map(|p| &*p.bytes));
    let mut notes = Vec::new();
    if header.memory() > DEFAULT_LIMIT {
        notes.push(format!("to restore it, decompress needs --limit {}", header.memory()));
    }
    let summary = Summary {
        length: file.len() as u64,
        coding: if network.is_some() { Coding::Network } else { Coding::Stored },
        medium: network.map(|_| media::set::NAME),
        samples: header.content.samples(),
        cost: pieces.iter().map(|p| p.cost).sum(),
        chunks: pieces.len(),
        overhead: container::overhead(&header) as u64,
        exact: true,
        notes,
    };
    Compressed { bytes, summary }
}

/// The file as it is.
fn stored(file: &[u8]) -> Compressed {
    let pieces: Vec<_> = (!file.is_empty()).then(|| pieces::stored(Cow::Borrowed(file))).into_iter().collect();
    let header = Header {
        length: file.len() as u64,
        checksum: container::checksum(file),
        medium: None,
        model: None,
        parts: Vec::new(),
        content: Content::Bytes(Hint::default()),
        chunks: pieces.iter().map(|p| entry(p, Role::Content)).collect(),
    };
    done(file, header, &pieces, None)
}
