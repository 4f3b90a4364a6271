//! Streams of sound to files, segment by segment.
//!
//! What must stay true: what is written is the file, or the result says otherwise: an error, or what is missing.

use super::super::decompress::supported;
use super::super::error::DecodeError;
use super::super::job::{decode_bytes, is_damaged};
use super::super::long::{self, Sink};
use super::super::order;
use super::super::progress::Progress;
use super::decode;
use crate::container::{self, Chunk, Coding, Content, Header, Hint, Role};
use crate::entropy::Damaged;
use crate::media::audio::making::Making;
use crate::media::audio::{Frames, SampleFormat};
use crate::media::{MediaError, Medium};
use std::io::{Read, Write};
use std::ops::Range;

/// A stream of sound of which the header was read.
#[derive(Debug)]
pub struct Incoming {
    header: Header,
    medium: Medium,
    /// Where the first chunk begins.
    pub start: usize,
}

/// A file that was restored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restored {
    /// Its bytes.
    pub length: u64,
    /// What is not in it, in order; empty if it is the very same file.
    pub missing: Vec<Missing>,
}

/// What a damaged stream does not give back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// What stood around the samples: the header was made new.
    Header,
    /// These samples, silent in the file: frames, and how many there are a second.
    Frames(Range<u64>, u32),
    /// Nothing can be told of what is missing, but the file has not its checksum.
    Unknown,
}

/// The header of a stream that begins so, if it is one of sound.
pub fn incoming(head: &[u8]) -> Result<Option<Incoming>, DecodeError> {
    let Ok((header, start)) = container::open_front(head) else { return Ok(None) };
    if !matches!(header.content, Content::Sound { .. }) {
        return Ok(None);
    }
    Ok(supported(&header)?.map(|medium| Incoming { header, medium, start }))
}

impl Incoming {
    /// Bytes of the whole stream, as its header says.
    pub fn coded(&self) -> u64 {
        self.header.coded().saturating_add(self.start as u64)
    }

    /// Restores the file from a stream that is read from its first chunk on. `limit` bounds what is allocated, which is a
    /// segment a thread and what stands around the samples. With `keep_going`, what is damaged is left out and reported.
    pub fn restore(
        &self,
        mut input: impl Read + Send,
        mut out: impl Write + Send,
        limit: u64,
        keep_going: bool,
        progress: &dyn Progress,
    ) -> Result<Restored, DecodeError> {
        let header = &self.header;
        let longest = header.chunks.iter().map(|c| c.decoded).max().unwrap_or(0);
        let needed = header.decoded(Role::Recipe).saturating_add(longest);
        if needed > limit {
            return Err(DecodeError::OverLimit { needed, limit });
        }
        progress.begin(header.decoded(Role::Recipe).saturating_add(header.decoded(Role::Content)));
        let chunk = |_: usize, entry: &Chunk| long::chunk(&mut input, entry);
        let done = restore(header, self.medium, chunk, &mut out, keep_going, progress)?;
        match long::end(&mut input) {
            Err(DecodeError::Stream(_)) if keep_going => {}
            ended => ended?,
        }
        out.flush().map_err(DecodeError::Write)?;
        Ok(done)
    }
}

/// Restores a file of sound; `chunk` gives the coded bytes of one entry of the table after the other.
pub(in super::super) fn restore<W: Write + Send>(
    header: &Header,
    medium: Medium,
    mut chunk: impl FnMut(usize, &Chunk) -> Result<Vec<u8>, DecodeError> + Send,
    out: &mut W,
    keep_going: bool,
    progress: &dyn Progress,
) -> Result<Restored, DecodeError> {
    let Content::Sound { rate, channels, format, .. } = header.content else {
        return Err(DecodeError::Inconsistent("a content of a medium that is not for it"));
    };
    let frames = Frames { channels, rate, format };
    let count = header.chunks.len();
    let damaged = |index| DecodeError::DamagedChunk { index, count };
    let length = header.decoded(Role::Content);
    let mut missing = Vec::new();
    let recipes = header.chunks.iter().filter(|c| c.role == Role::Recipe).count();
    let (recipes, contents) = header.chunks.split_at(recipes);
    let mut recipe = Vec::new();
    let mut fault = None;
    for (index, entry) in recipes.iter().enumerate() {
        let coded = chunk(index, entry)?;
        let mut piece = vec![0; entry.decoded as usize];
        if decode_bytes(entry, &coded, Hint::default(), &mut piece).is_err() {
            fault = fault.or(Some(damaged(index)));
        }
        progress.advance(entry.decoded);
        recipe.extend(piece);
    }
    let making = match fault {
        None => Making::new(medium, &recipe, &frames, length).map_err(DecodeError::from),
        Some(fault) => Err(fault),
    };
    let mut making = making.or_else(|fault| {
        if !keep_going {
            return Err(fault);
        }
        missing.push(Missing::Header);
        Ok(Making::without_recipe(medium, &frames, length))
    })?;
    if !keep_going && making.length(length).is_some_and(|total| total != header.length) {
        return Err(DecodeError::Join(MediaError::Inconsistent("the file would have another length")));
    }
    // What is left of a damaged file may be longer than it was.
    let most = if keep_going { u64::MAX } else { header.length };
    let mut sink = Sink::new(out);
    sink.write(&making.before())?;
    let (mut number, mut at) = (0, 0);
    let read = || {
        let Some(entry) = contents.get(number) else { return Ok(None) };
        number += 1;
        match chunk(recipes.len() + number - 1, entry) {
            Ok(coded) => Ok(Some((entry, Some(coded)))),
            Err(DecodeError::Stream(_)) if keep_going => Ok(Some((entry, None))),
            Err(fault) => Err(fault),
        }
    };
    let work = |index: usize, (entry, coded): (&Chunk, Option<Vec<u8>>)| {
        let segment = coded.ok_or(Damaged).and_then(|coded| segment(entry, coded, &frames));
        progress.advance(entry.decoded);
        match segment {
            Err(Damaged) if !keep_going => Err(damaged(recipes.len() + index)),
            Err(Damaged) => Ok((silence(format, entry.decoded as usize), true)),
            Ok(bytes) => Ok((bytes, false)),
        }
    };
    let write = |(bytes, is_missing): (Vec<u8>, bool)| {
        let end = at + (bytes.len() / frames.bytes()) as u64;
        if is_missing {
            making.lose();
            match missing.last_mut() {
                Some(Missing::Frames(range, _)) if range.end == at => range.end = end,
                _ => missing.push(Missing::Frames(at..end, rate)),
            }
        }
        at = end;
        making.feed(&bytes, &mut |made| {
            if made.len() as u64 > most.saturating_sub(sink.length) {
                return Err(DecodeError::Checksum);
            }
            sink.write(made)
        })
    };
    order::in_order(rayon::current_num_threads(), read, work, write)?;
    sink.write(making.after()?)?;
    if sink.length != header.length || sink.checksum.finish() != header.checksum {
        match (keep_going, missing.is_empty()) {
            (false, _) => return Err(DecodeError::Checksum),
            (true, true) => missing.push(Missing::Unknown),
            (true, false) => {}
        }
    }
    Ok(Restored { length: sink.length, missing })
}

/// Silence of so many bytes.
fn silence(format: SampleFormat, length: usize) -> Vec<u8> {
    vec![if format == SampleFormat::U8 { 128 } else { 0 }; length]
}

/// The bytes of a segment, compared with its check value.
fn segment(entry: &Chunk, coded: Vec<u8>, frames: &Frames) -> Result<Vec<u8>, Damaged> {
    let bytes = match entry.coding {
        Coding::Samples => decode(&coded, frames, entry.decoded as usize)?,
        Coding::Stored => coded,
        _ => return Err(Damaged),
    };
    if is_damaged(entry, &bytes) { Err(Damaged) } else { Ok(bytes) }
}
