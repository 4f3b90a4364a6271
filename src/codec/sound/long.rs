//! Long recordings to streams: read, coded and kept aside segment by segment.
//!
//! What must stay true: the stream is the one that a recording in memory gives, where samples are what makes it smallest; and it
//! is never more than 64 bytes longer than the file.

use super::super::compress::{Options, Summary};
use super::super::error::CompressError;
use super::super::parts;
use super::super::pieces::{self, Mode};
use super::super::plan::chunk;
use super::super::progress::Progress;
use super::{content, decode, order, segment};
use crate::container::{self, Checksum, Chunk, Coding, Content, Header, Hint, Role};
use crate::entropy::Bits;
use crate::media::Medium;
use crate::media::audio::Frames;
use crate::media::audio::file::{self, Around, Found};
use std::io::{self, Read, Seek, Write};

/// What the beginning of a file says, if it is a recording that can be coded while it is read.
#[derive(Debug, Clone, Copy)]
pub struct Recording {
    medium: Medium,
    found: Found,
}

/// Whether the file that begins so is a recording that can be coded while it is read.
pub fn find_long(head: &[u8], options: &Options) -> Option<Recording> {
    let (medium, found) = file::find(head, options.media())?;
    (found.start <= head.len()).then_some(Recording { medium, found })
}

/// A stream whose chunks are kept aside.
#[derive(Debug)]
pub struct Long<S> {
    front: Vec<u8>,
    recipe: Vec<u8>,
    aside: S,
    /// Frames and chunks, and what stands around them: where the file is stored after all.
    stored: Option<(Frames, Vec<Chunk>, Around)>,
    /// Its figures.
    pub summary: Summary,
}

impl<S: Read + Write + Seek> Long<S> {
    /// Writes the stream: how many bytes it has.
    pub fn write(mut self, out: &mut dyn Write) -> io::Result<u64> {
        self.aside.rewind()?;
        let mut length = self.front.len() as u64;
        out.write_all(&self.front)?;
        let Some((frames, chunks, around)) = &self.stored else {
            out.write_all(&self.recipe)?;
            length += self.recipe.len() as u64 + io::copy(&mut self.aside, out)?;
            return Ok(length);
        };
        out.write_all(&around.before)?;
        for entry in chunks {
            let mut bytes = Vec::new();
            (&mut self.aside).take(entry.coded).read_to_end(&mut bytes)?;
            if entry.coding != Coding::Stored {
                let fault = |_| io::Error::other("the code that was kept aside is damaged");
                bytes = decode(&bytes, frames, entry.decoded as usize).map_err(fault)?;
            }
            around.order.turn(frames.format, &mut bytes);
            length += bytes.len() as u64;
            out.write_all(&bytes)?;
        }
        out.write_all(&around.after)?;
        Ok(length + (around.before.len() + around.after.len()) as u64)
    }
}

/// Bytes that room is made for at once.
const MOST_ROOM: u64 = 64 << 20;

/// A file that is read from its front.
struct Input<R> {
    rest: R,
    length: u64,
    checksum: Checksum,
    crc: crc32fast::Hasher,
}

impl<R: Read> Input<R> {
    /// The next bytes, so many unless the file ends.
    fn next(&mut self, count: u64) -> io::Result<Vec<u8>> {
        // Room that is not used is no memory.
        let mut bytes = Vec::with_capacity(count.min(MOST_ROOM) as usize);
        (&mut self.rest).take(count).read_to_end(&mut bytes)?;
        self.length += bytes.len() as u64;
        self.checksum.update(&bytes);
        self.crc.update(&bytes);
        Ok(bytes)
    }
}

/// Compresses a recording that is read from its front; `aside` is an empty file or the like, which holds the code until the
/// header can be written. `length` is the file's, if it is known, for `progress`.
pub fn compress_long<S: Read + Write + Seek + Send>(
    input: impl Read + Send,
    length: Option<u64>,
    recording: &Recording,
    aside: S,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Long<S>, CompressError> {
    coded(input, length, recording, aside, options, Mode::Write { verify: options.verify }, progress)
}

/// The figures of the stream that [`compress_long`] would write.
pub fn measure_long(
    input: impl Read + Send,
    length: Option<u64>,
    recording: &Recording,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Summary, CompressError> {
    let aside = io::Cursor::new(Vec::new());
    coded(input, length, recording, aside, options, Mode::Measure, progress).map(|long| long.summary)
}

fn coded<S: Read + Write + Seek + Send>(
    input: impl Read + Send,
    length: Option<u64>,
    recording: &Recording,
    mut aside: S,
    options: &Options,
    mode: Mode,
    progress: &dyn Progress,
) -> Result<Long<S>, CompressError> {
    let Recording { medium, found: Found { frames, order: turned, start, length: declared } } = *recording;
    let frame = frames.bytes() as u64;
    let whole = u64::from(segment(&frames, options.seconds)) * frame;
    let mut input = Input { rest: input, length: 0, checksum: Checksum::default(), crc: crc32fast::Hasher::new() };
    progress.begin(length.unwrap_or(0));
    let before = input.next(start as u64)?;
    let mut left = declared.map_or(u64::MAX, |n| n - n % frame);
    let (mut after, mut is_over) = (Vec::new(), false);
    let (mut chunks, mut costs) = (Vec::new(), Vec::new());
    let read = || {
        if is_over || left == 0 {
            return Ok(None);
        }
        let mut data = input.next(whole.min(left))?;
        left -= data.len() as u64;
        if length.is_none() {
            progress.begin(data.len() as u64);
        }
        if data.len() as u64 % frame != 0 || data.is_empty() {
            is_over = true;
            after = data.split_off(data.len() - data.len() % frame as usize);
        }
        Ok((!data.is_empty()).then_some(data))
    };
    let work = |index: usize, mut data: Vec<u8>| {
        turned.turn(frames.format, &mut data);
        let piece = pieces::one_segment(&data, &frames, options.level.sound, index, mode)?;
        let (entry, cost) = (chunk(&piece, Role::Content), piece.cost);
        let bytes = if mode == Mode::Measure { Vec::new() } else { piece.bytes.into_owned() };
        progress.advance(entry.decoded);
        Ok((entry, cost, bytes))
    };
    let write = |(entry, cost, bytes): (Chunk, Bits, Vec<u8>)| {
        chunks.push(entry);
        costs.push(cost);
        aside.write_all(&bytes).map_err(CompressError::Io)
    };
    order::in_order(rayon::current_num_threads(), read, work, write)?;
    // As much as may be allocated, and one byte more says that there is more.
    after.extend(input.next(options.limit)?);
    if !input.next(1)?.is_empty() {
        return Err(io::Error::other("more follows its samples than the limit allows: raise --limit").into());
    }
    let samples: u64 = chunks.iter().map(|c: &Chunk| c.decoded).sum();
    let around = Around { before, after, order: turned };
    let recipe = file::recipe(medium, &frames, samples, &around);
    let recipe = pieces::segments(&recipe, Hint::default(), mode, progress)?;
    let entries =
        recipe.iter().map(|piece| chunk(piece, Role::Recipe)).chain(chunks.iter().copied()).collect::<Vec<_>>();
    let medium = container::Medium { id: medium as u8, version: u32::from(medium.format().version) };
    let (length, checksum) = (input.length, input.checksum.finish());
    let content = content(&frames, segment(&frames, options.seconds));
    let parts = parts::of_chunks(&entries, &content, Vec::new());
    let mut header = Header { length, checksum, medium: Some(medium), model: None, parts, content, chunks: entries };
    let mut cost: Bits = recipe.iter().map(|piece| piece.cost).chain(costs).sum();
    let is_sound = samples > 0 && cost.ceil_bytes() + (container::overhead(&header) as u64) < length;
    let mut summary = Summary {
        length,
        coding: Coding::Samples,
        medium: Some(recording.medium.format().name),
        samples: Some(samples / frames.format.bytes() as u64),
        cost,
        chunks: header.chunks.len(),
        overhead: container::overhead(&header) as u64,
        exact: true,
        notes: Vec::new(),
    };
    if !is_sound {
        let stored = Chunk {
            coding: Coding::Stored,
            role: Role::Content,
            coded: length,
            decoded: length,
            crc: input.crc.finalize(),
        };
        let (content, chunks) = (Content::Bytes(Hint::default()), vec![stored]);
        header = Header { medium: None, parts: Vec::new(), content, chunks, ..header };
        cost = Bits(u128::from(length) << (3 + Bits::FRACTION));
        let overhead = container::overhead(&header) as u64;
        summary = Summary { coding: Coding::Stored, medium: None, samples: None, cost, chunks: 1, overhead, ..summary };
    }
    let recipe = recipe.iter().flat_map(|piece| piece.bytes.iter().copied()).collect();
    let stored = (!is_sound).then_some((frames, chunks, around));
    Ok(Long { front: container::front(&header), recipe, aside, stored, summary })
}
