//! Streams of large pictures to files, band by band.
//!
//! What must stay true: what is written is the file, or the result is an error; a band that is decoded holds no more than its
//! own rows and those above it that its windows see.

use super::super::bands::{self, Code, Model};
use super::super::decompress::supported;
use super::super::error::DecodeError;
use super::super::job::{adapted_by, banded, decode_bytes, is_damaged};
use super::super::long::{self, Sink};
use super::super::models::Models;
use super::super::pieces::row_hint;
use super::super::progress::Progress;
use super::super::sound::Restored;
use super::super::{order, parts};
use super::{LEAST, join};
use crate::container::{self, Chunk, Coding, Content, Header, Hint, Role};
use crate::engine::{ModelId, Network};
use crate::media::Medium;
use crate::media::image::lattice::{Restorer, Transform};
use crate::media::image::{png, pnm};
use crate::predict::adjust;
use std::io::{Read, Write};
use std::sync::Arc;

/// A stream of a large picture, or of a large file that is stored, of which the header was read.
#[derive(Debug)]
pub struct Incoming {
    header: Header,
    medium: Option<Medium>,
    /// Where the first chunk begins.
    pub start: usize,
}

/// The header of a stream that begins so, if its file is restored while it is read.
pub fn incoming(head: &[u8]) -> Result<Option<Incoming>, DecodeError> {
    incoming_of(head, LEAST)
}

/// As [`incoming`], of a file of so many bytes at least.
pub(super) fn incoming_of(head: &[u8], least: u64) -> Result<Option<Incoming>, DecodeError> {
    let Ok((header, start)) = container::open_front(head) else { return Ok(None) };
    // A PNG file may be much smaller than its samples.
    let size = if header.medium.is_some() { header.decoded(Role::Content) } else { header.length };
    if size < least {
        return Ok(None);
    }
    let medium = supported(&header)?;
    let by_zlib = || header.parts.contains(&parts::rebuilder(png::ZLIB));
    let is_one = match header.content {
        Content::Bands { .. } | Content::Planes { .. } | Content::Rows { .. } => {
            medium == Some(Medium::Pnm) || medium == Some(Medium::Png) && by_zlib()
        }
        Content::Bytes(_) => header.medium.is_none(),
        _ => false,
    };
    Ok(is_one.then_some(Incoming { header, medium, start }))
}

impl Incoming {
    /// Bytes of the whole stream, as its header says.
    pub fn coded(&self) -> u64 {
        self.header.coded().saturating_add(self.start as u64)
    }

    /// Restores the file from a stream that is read from its first chunk on. `limit` bounds what is allocated: a band a thread
    /// with its code, and what stands before and beside the bands.
    pub fn restore(
        &self,
        mut input: impl Read + Send,
        mut out: impl Write + Send,
        models: &Models,
        limit: u64,
        progress: &dyn Progress,
    ) -> Result<Restored, DecodeError> {
        let header = &self.header;
        let mut sink = Sink::new(&mut out);
        progress.begin(header.decoded(Role::Recipe).saturating_add(header.decoded(Role::Content)));
        if let [entry @ Chunk { coding: Coding::Stored, .. }] = header.chunks[..] {
            stored(&mut input, &entry, &mut sink, progress)?;
        } else {
            let needed = self.memory();
            if needed > limit || usize::try_from(needed).is_err() {
                return Err(DecodeError::OverLimit { needed, limit });
            }
            self.decode(&mut input, &mut sink, (models, limit), progress)?;
        }
        long::end(&mut input)?;
        if sink.length != header.length || sink.checksum.finish() != header.checksum {
            return Err(DecodeError::Checksum);
        }
        let length = sink.length;
        out.flush().map_err(DecodeError::Write)?;
        Ok(Restored { length, missing: Vec::new() })
    }

    /// Bytes that are allocated: what is not content, and for each thread the longest chunk, its code, and what it hands down.
    fn memory(&self) -> u64 {
        let header = &self.header;
        let content = |entry: &&Chunk| entry.role == Role::Content;
        let longest = header.chunks.iter().filter(content).map(|c| c.decoded.saturating_mul(2).saturating_add(c.coded));
        let open = longest.max().unwrap_or(0).saturating_mul(rayon::current_num_threads() as u64);
        let others = header.chunks.iter().filter(|entry| !content(entry)).map(|c| c.decoded.saturating_add(c.coded));
        others.fold(open, u64::saturating_add)
    }

    fn decode<W: Write + Send>(
        &self,
        input: &mut (impl Read + Send),
        sink: &mut Sink<W>,
        (models, limit): (&Models, u64),
        progress: &dyn Progress,
    ) -> Result<(), DecodeError> {
        let (header, count) = (&self.header, self.header.chunks.len());
        let mut network = header.model.map(|id| models.find(ModelId(id))).transpose()?;
        let (mut recipe, mut exceptions) = (Vec::new(), Vec::new());
        let before = header.chunks.iter().enumerate().take_while(|(_, entry)| entry.role != Role::Content);
        for (index, entry) in before {
            let coded = long::chunk(input, entry)?;
            if entry.role == Role::Adaptation {
                let adapted = |network: Arc<Network>| adapted_by(&network, entry, &coded, (index, count));
                network = network.map(adapted).transpose()?;
                continue;
            }
            let mut piece = vec![0; entry.decoded as usize];
            let damaged = |_| DecodeError::DamagedChunk { index, count };
            decode_bytes(entry, &coded, Hint::default(), &mut piece).map_err(damaged)?;
            match entry.role {
                Role::Recipe => {
                    progress.advance(entry.decoded);
                    recipe.extend(piece);
                }
                _ => exceptions.extend(piece),
            }
        }
        let adjusted = header.parts.contains(&parts::adaptive(adjust::PART));
        let model = network.as_deref().map(|network| Model { network, adjusted });
        let shape = shape(&header.content);
        let (before, after) = match (self.medium, shape) {
            (Some(Medium::Png), Some(shape)) => {
                let decode = |take: &mut join::Take| content(header, model, &exceptions, input, take, progress);
                return join::png(&recipe, shape, limit, sink, decode);
            }
            (Some(_), Some(shape)) => pnm::around(&recipe, shape)?,
            _ => Default::default(),
        };
        sink.write(&before)?;
        content(header, model, &exceptions, input, |rows| sink.write(&rows), progress)?;
        sink.write(&after)
    }
}

/// Width, height and channels of a picture's rows.
fn shape(content: &Content) -> Option<(u32, u32, u8)> {
    match *content {
        Content::Rows { width, height, channels } => Some((width, height, channels)),
        ref content => content.banded(),
    }
}

/// Bytes of a stored file that are copied at a time.
const PIECE: u64 = 1 << 20;

/// Copies a file that is stored in one chunk.
fn stored<W: Write>(
    input: &mut impl Read,
    entry: &Chunk,
    sink: &mut Sink<W>,
    progress: &dyn Progress,
) -> Result<(), DecodeError> {
    let (mut left, mut crc) = (entry.coded, crc32fast::Hasher::new());
    while left > 0 {
        let piece = long::chunk(input, &Chunk { coded: left.min(PIECE), ..*entry })?;
        crc.update(&piece);
        sink.write(&piece)?;
        progress.advance(piece.len() as u64);
        left -= piece.len() as u64;
    }
    if crc.finalize() == entry.crc { Ok(()) } else { Err(DecodeError::DamagedChunk { index: 0, count: 1 }) }
}

/// Decodes the content from its chunks, which come next; `write` gets it in order.
pub(super) fn content(
    header: &Header,
    model: Option<Model>,
    exceptions: &[u8],
    input: &mut (impl Read + Send),
    mut write: impl FnMut(Vec<u8>) -> Result<(), DecodeError> + Send,
    progress: &dyn Progress,
) -> Result<(), DecodeError> {
    let in_bands = header.content.banded().is_some();
    if in_bands {
        banded(header, model.map(|model| model.network))?;
    }
    let (width, height, channels) = shape(&header.content).unwrap_or((0, 0, 0));
    let hint = match header.content {
        Content::Bytes(hint) => hint,
        _ => row_hint(width, channels),
    };
    let pixels = u64::from(width) * u64::from(height);
    let mut restorer = match header.content {
        Content::Planes { transform, .. } => {
            let transform = Transform::from_id(transform).ok_or(DecodeError::Inconsistent("an unknown transform"))?;
            Some(Restorer::new(transform, pixels, exceptions)?)
        }
        _ => None,
    };
    let count = header.chunks.len();
    let first = header.chunks.iter().take_while(|entry| entry.role != Role::Content).count();
    let (entries, mut chain, mut number) = (&header.chunks[first..], bands::Chain::new(), 0);
    let read = || {
        let Some(entry) = entries.get(number) else { return Ok(None) };
        number += 1;
        Ok(Some((entry, long::chunk(input, entry)?, chain.next(number == entries.len()))))
    };
    let work = |index: usize, (entry, coded, link): (&Chunk, Vec<u8>, bands::Link)| {
        let mut out = vec![0; entry.decoded as usize];
        let done = match model.filter(|_| in_bands) {
            None => decode_bytes(entry, &coded, hint, &mut out),
            Some(model) => {
                let other = |out: &mut [u8]| decode_bytes(entry, &coded, hint, out);
                let code = match entry.coding {
                    Coding::Network => Code::Network(&coded),
                    _ => Code::Other(Box::new(other)),
                };
                bands::decode_linked(model, &code, &mut out, (width as usize, channels.into()), link)
            }
        };
        progress.advance(entry.decoded);
        if done.is_err() || is_damaged(entry, &out) {
            return Err(DecodeError::DamagedChunk { index: first + index, count });
        }
        Ok(out)
    };
    let write = |mut rows: Vec<u8>| {
        if let Some(restorer) = &mut restorer {
            restorer.rows(&mut rows)?;
        }
        write(rows)
    };
    order::in_order(rayon::current_num_threads(), read, work, write)
}
