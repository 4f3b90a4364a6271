//! A stream to the file that it was made of.

use super::bands::{self, Code, Model};
use super::error::DecodeError;
use super::models::{Models, fits};
use super::pieces::{byte_hint, row_hint};
use super::{Progress, parts};
use crate::container::{self, Chunk, Coding, Content, Header, Hint, Medium, Opened, Role};
use crate::engine::{ModelId, Network};
use crate::entropy::Damaged;
use crate::media::image::Picture;
use crate::media::{self, Limits};
use crate::predict::{adjust, bytes};
use rayon::prelude::*;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Restores the file of a stream, or says why not. `limit` bounds the bytes that are allocated for what the stream
/// declares, before they are.
pub fn decompress(stream: &[u8], models: &Models, limit: u64, progress: &dyn Progress) -> Result<Vec<u8>, DecodeError> {
    let opened = container::open(stream)?;
    let header = &opened.header;
    let medium = supported(header)?;
    if header.memory() > limit || usize::try_from(header.memory()).is_err() {
        return Err(DecodeError::OverLimit { needed: header.memory(), limit });
    }
    let network = match header.model {
        Some(id) => Some(models.find(ModelId(id))?),
        None => None,
    };
    progress.begin(header.decoded(Role::Recipe) + header.decoded(Role::Content));
    let job = Job { opened: &opened, progress };
    let file = match medium {
        None => job.segments(Role::Content)?,
        Some(medium) => {
            let recipe = job.segments(Role::Recipe)?;
            let content = job.content(network.as_deref())?;
            join(medium, &recipe, &content, header.length, limit)?
        }
    };
    if file.len() as u64 != header.length || container::checksum(&file) != header.checksum {
        return Err(DecodeError::Checksum);
    }
    Ok(file)
}

/// The medium of a stream, after checking that this program has it and every part, in the versions that it names.
pub(super) fn supported(header: &Header) -> Result<Option<media::Medium>, DecodeError> {
    parts::require(&header.parts)?;
    let uses_bytes = header.chunks.iter().any(|c| c.coding == Coding::Bytes);
    if uses_bytes && !header.parts.contains(&parts::adaptive(bytes::PART)) {
        return Err(DecodeError::Inconsistent("the byte model is used and not named"));
    }
    if header.chunks.iter().any(|c| c.coding == Coding::Bytes && c.decoded > bytes::SEGMENT as u64) {
        return Err(DecodeError::Inconsistent("a segment is longer than segments are"));
    }
    let Some(Medium { id, version }) = header.medium else { return Ok(None) };
    match media::Medium::from_id(id) {
        Some(medium) if u32::from(medium.format().version) == version => Ok(Some(medium)),
        _ => Err(DecodeError::UnknownMedium { id, version }),
    }
}

/// The file that recipe and content make, which has `length` bytes or is none.
fn join(
    medium: media::Medium,
    recipe: &[u8],
    content: &media::Content,
    length: u64,
    limit: u64,
) -> Result<Vec<u8>, DecodeError> {
    let mut file = Vec::with_capacity(length as usize);
    let mut longer = false;
    let joined = media::join_to(medium, recipe, content, &Limits { max_bytes: limit }, &mut |bytes| {
        longer = (file.len() + bytes.len()) as u64 > length;
        if longer {
            return ControlFlow::Break(());
        }
        file.extend_from_slice(bytes);
        ControlFlow::Continue(())
    });
    if longer {
        return Err(DecodeError::Checksum);
    }
    joined?;
    Ok(file)
}

/// The chunks of one stream.
struct Job<'a> {
    opened: &'a Opened<'a>,
    progress: &'a dyn Progress,
}

impl<'a> Job<'a> {
    /// Index, entry and coded bytes of the chunks of a role.
    fn chunks(&self, role: Role) -> impl Iterator<Item = (usize, &'a Chunk, &'a [u8])> {
        let opened = self.opened;
        let all = opened.header.chunks.iter().zip(&opened.chunks).enumerate();
        all.filter(move |(_, (entry, _))| entry.role == role).map(|(index, (entry, coded))| (index, entry, *coded))
    }

    fn damaged(&self, index: usize) -> DecodeError {
        DecodeError::DamagedChunk { index, count: self.opened.chunks.len() }
    }

    /// The bytes of a chunk that no network coded, written to `out`, which has their length.
    fn bytes(&self, index: usize, entry: &Chunk, coded: &[u8], hint: Hint, out: &mut [u8]) -> Result<(), DecodeError> {
        match entry.coding {
            Coding::Stored => out.copy_from_slice(coded),
            _ => {
                let decoded = bytes::decode(coded, out.len(), byte_hint(hint)).map_err(|_| self.damaged(index))?;
                out.copy_from_slice(&decoded);
            }
        }
        self.check(index, entry, out)
    }

    fn check(&self, index: usize, entry: &Chunk, decoded: &[u8]) -> Result<(), DecodeError> {
        if decoded.len() as u64 != entry.decoded || crc32fast::hash(decoded) != entry.crc {
            return Err(self.damaged(index));
        }
        Ok(())
    }

    /// All bytes of a role that is not in bands.
    fn segments(&self, role: Role) -> Result<Vec<u8>, DecodeError> {
        let hint = match (role, self.opened.header.content) {
            (Role::Content, Content::Bytes(hint)) => hint,
            (Role::Content, Content::Rows { width, channels, .. }) => row_hint(width, channels),
            _ => Hint::default(),
        };
        let mut all = vec![0; self.opened.header.decoded(role) as usize];
        let mut rest = &mut all[..];
        let mut jobs = Vec::new();
        for (index, entry, coded) in self.chunks(role) {
            let (out, tail) = rest.split_at_mut(entry.decoded as usize);
            rest = tail;
            jobs.push((index, entry, coded, out));
        }
        let run = |(index, entry, coded, out): (usize, &Chunk, &[u8], &mut [u8])| {
            let fault = self.bytes(index, entry, coded, hint, out).err();
            self.progress.advance(entry.decoded);
            fault
        };
        let fault =
            if jobs.len() == 1 { jobs.into_iter().find_map(run) } else { jobs.into_par_iter().find_map_first(run) };
        fault.map_or(Ok(all), Err)
    }

    /// The content of a medium.
    fn content(&self, network: Option<&Network>) -> Result<media::Content, DecodeError> {
        match self.opened.header.content {
            Content::Bytes(Hint { record, pixel }) => {
                Ok(media::Content::Rows { bytes: self.segments(Role::Content)?, stride: record, unit: pixel })
            }
            Content::Rows { width, height, channels } => {
                let samples = self.segments(Role::Content)?;
                Ok(media::Content::Picture(Picture { width, height, channels, samples }))
            }
            Content::Bands { width, height, channels } => {
                Ok(media::Content::Picture(self.bands(network, width, height, channels)?))
            }
        }
    }

    /// A picture in bands.
    fn bands(&self, network: Option<&Network>, width: u32, height: u32, channels: u8) -> Result<Picture, DecodeError> {
        let Some(network) = network.filter(|network| fits(network.program(), channels)) else {
            return Err(DecodeError::Inconsistent("the model is not one for pictures like this one"));
        };
        if width > bands::MAX_WIDTH {
            return Err(DecodeError::Inconsistent("the picture is wider than bands can be"));
        }
        let chunks: Vec<_> = self.chunks(Role::Content).collect();
        let line = width as usize * usize::from(channels);
        let lengths = bands::bands(height).map(|band| u64::from(band.rows) * line as u64);
        if !lengths.eq(chunks.iter().map(|(_, entry, _)| entry.decoded)) {
            return Err(DecodeError::Inconsistent("the chunks are not the picture's bands"));
        }
        // The first band that is damaged, apart from those that the network decodes, which are checked in the end.
        let damaged = AtomicUsize::new(usize::MAX);
        let fill = |&(index, entry, coded): &(usize, &'a Chunk, &'a [u8])| {
            let damaged = &damaged;
            move |out: &mut [u8]| {
                self.bytes(index, entry, coded, row_hint(width, channels), out).map_err(|_| {
                    damaged.fetch_min(index, Ordering::Relaxed);
                    Damaged
                })
            }
        };
        let fills: Vec<_> = chunks.iter().map(fill).collect();
        let codes = chunks.iter().zip(&fills).map(|(&(_, entry, coded), fill)| match entry.coding {
            Coding::Network => Code::Network(coded),
            _ => Code::Other(fill),
        });
        let codes: Vec<Code> = codes.collect();
        let threads = rayon::current_num_threads();
        let done = |bytes| self.progress.advance(bytes);
        let model = Model { network, adjusted: self.opened.header.parts.contains(&parts::adaptive(adjust::PART)) };
        let picture = bands::decode_picture(model, (width, height, channels), &codes, threads, &done);
        let picture = picture.map_err(|_| match damaged.load(Ordering::Relaxed) {
            usize::MAX => DecodeError::DamagedPicture,
            index => self.damaged(index),
        })?;
        let mut rest = &picture.samples[..];
        for (index, entry, _) in chunks {
            let (decoded, below) = rest.split_at(entry.decoded as usize);
            rest = below;
            if entry.coding == Coding::Network {
                self.check(index, entry, decoded)?;
            }
        }
        Ok(picture)
    }
}
