//! Long recordings to streams: read, coded and kept aside segment by segment.
//!
//! What must stay true: the stream is the one that a recording in memory gives, where samples are what makes it smallest; and it
//! is never more than 64 bytes longer than the file.

use super::super::compress::{Options, Summary};
use super::super::error::CompressError;
use super::super::long::{Input, Long, Undo, whole_file};
use super::super::order;
use super::super::parts;
use super::super::pieces::{self, Mode};
use super::super::plan::chunk;
use super::super::progress::Progress;
use super::{content, decode, segment};
use crate::container::{self, Chunk, Coding, Header, Hint, Role};
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
    let mut input = Input::new(input);
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
    after.extend(input.rest(options.limit)?);
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
    let cost: Bits = recipe.iter().map(|piece| piece.cost).chain(costs).sum();
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
    let mut undo = None;
    if !is_sound {
        (header, summary) = whole_file(header, summary, input.crc.finalize());
        undo = Some(undone(frames, chunks, around));
    }
    let recipe = recipe.iter().flat_map(|piece| piece.bytes.iter().copied()).collect();
    Ok(Long { front: container::front(&header), recipe, aside, undo, summary })
}

/// Makes the file of the codes that were kept aside.
fn undone<S: Read>(frames: Frames, chunks: Vec<Chunk>, around: Around) -> Undo<S> {
    Box::new(move |mut aside: S, out: &mut (dyn Write + Send)| {
        out.write_all(&around.before)?;
        let mut length = (around.before.len() + around.after.len()) as u64;
        for entry in chunks {
            let mut bytes = Vec::new();
            (&mut aside).take(entry.coded).read_to_end(&mut bytes)?;
            if entry.coding != Coding::Stored {
                let fault = |_| io::Error::other("the code that was kept aside is damaged");
                bytes = decode(&bytes, &frames, entry.decoded as usize).map_err(fault)?;
            }
            around.order.turn(frames.format, &mut bytes);
            length += bytes.len() as u64;
            out.write_all(&bytes)?;
        }
        out.write_all(&around.after)?;
        Ok(length)
    })
}
