//! Large pictures to streams: read, coded and kept aside band by band.
//!
//! What must stay true: each band is coded and verified with the very rows above it that a decoder will have.

use super::super::bands::{Band, ROWS, Source};
use super::super::compress::{Options, Summary};
use super::super::error::CompressError;
use super::super::long::{Again, Identity, Input, Long, Undo, whole_file};
use super::super::models::Models;
use super::super::pieces::{self, Mode, Piece, row_hint};
use super::super::plan::chunk;
use super::super::progress::Progress;
use super::super::{order, parts};
use super::png::{self, changed};
use super::sample::{self, Coder, Way};
use super::{Large, restore};
use crate::container::{self, Chunk, Coding, Content, Header, Hint, Role};
use crate::entropy::Bits;
use crate::media::image::lattice::{Exceptions, Planes};
use crate::media::image::{Picture, pnm};
use crate::predict::{adjust, bytes};
use std::borrow::Cow;
use std::io::{self, Read, Seek, SeekFrom, Write};

/// Compresses a large picture that is read from its front; `again` is the same file, if it can be read at any place. `aside` is an
/// empty file or the like, which holds the code until the header can be written.
pub fn compress<S: Read + Write + Seek + Send>(
    input: impl Read + Send,
    again: Option<&mut dyn Again>,
    large: &Large,
    aside: S,
    (models, options): (&Models, &Options),
    progress: &dyn Progress,
) -> Result<Long<S>, CompressError> {
    coded(input, again, large, aside, (models, options, Mode::Write { verify: options.verify }), progress)
}

/// The figures of the stream that [`compress`] would write.
pub fn measure(
    input: impl Read + Send,
    again: Option<&mut dyn Again>,
    large: &Large,
    (models, options): (&Models, &Options),
    progress: &dyn Progress,
) -> Result<Summary, CompressError> {
    let aside = io::Cursor::new(Vec::new());
    coded(input, again, large, aside, (models, options, Mode::Measure), progress).map(|long| long.summary)
}

fn coded<S: Read + Write + Seek + Send>(
    input: impl Read + Send,
    mut again: Option<&mut dyn Again>,
    large: &Large,
    mut aside: S,
    (models, options, mode): (&Models, &Options, Mode),
    progress: &dyn Progress,
) -> Result<Long<S>, CompressError> {
    let (sample, source) = begun(input, again.as_deref_mut(), large, progress)?;
    let way = sample::choose(&sample, models, options)?;
    drop(sample);
    let mut input = Input::new(source);
    let before = input.next(large.found.start as u64)?;
    let mut rows =
        Rows { large, way: &way, above: Vec::new(), exceptions: Exceptions::default(), done: 0, after: None };
    let (mut chunks, mut costs) = (Vec::new(), Vec::new());
    let read = || rows.next(&mut input).map_err(CompressError::Io);
    let work = |index: usize, (picture, band): (Picture, Band)| {
        let piece = match &way.network {
            Some(coder) => {
                let source = Source::Kernels(coder.model());
                pieces::one_band([source; 2], &picture, (index, band), mode, progress)?
            }
            None => {
                let piece = pieces::one_of_bytes(&picture.samples, hint(large), index, mode)?;
                progress.advance(piece.decoded as u64);
                piece
            }
        };
        let (entry, cost) = (chunk(&piece, Role::Content), piece.cost);
        Ok((entry, cost, if mode == Mode::Measure { Vec::new() } else { piece.bytes.into_owned() }))
    };
    let write = |(entry, cost, bytes): (Chunk, Bits, Vec<u8>)| {
        chunks.push(entry);
        costs.push(cost);
        aside.write_all(&bytes).map_err(CompressError::Io)
    };
    order::in_order(rayon::current_num_threads(), read, work, write)?;
    let Rows { exceptions, done, after: cut, .. } = rows;
    let is_whole = done == large.found.height;
    let mut after = cut.unwrap_or_default();
    after.extend(input.rest(options.limit)?);
    let read = input.identity();
    if large.png.as_ref().is_some_and(|png| read.checksum != png.samples) {
        return Err(changed());
    }
    // A header of which only some rows are there is undone below.
    let height = if is_whole { large.found.height } else { done.max(1) };
    let content = content(large, &way, &chunks, height);
    let (recipe, file) = match &large.png {
        Some(png) => (png.scan.recipe.clone(), png.file),
        None => {
            let recipe = pnm::recipe(&before, &after);
            let fault = || CompressError::Join("its header has changed".to_owned());
            (recipe.ok_or_else(fault)?, read)
        }
    };
    let recipe = pieces::segments(&recipe, Hint::default(), mode, progress)?;
    let exceptions = exceptions.finish();
    let mut front: Vec<(Piece, Role)> = recipe.into_iter().map(|piece| (piece, Role::Recipe)).collect();
    let coder = way.network.as_ref().filter(|_| chunks.iter().any(|entry| entry.coding == Coding::Network));
    let adaptation = coder.and_then(|coder| coder.adaptation.as_deref());
    front.extend(adaptation.map(|code| (pieces::stored(Cow::Borrowed(code)), Role::Adaptation)));
    let beside = match exceptions.len() {
        ..=bytes::SEGMENT => pieces::segments(&exceptions, Hint::default(), mode, progress)?,
        // They may be in one chunk.
        _ => vec![pieces::stored(Cow::Borrowed(&exceptions))],
    };
    front.extend(beside.into_iter().map(|piece| (piece, Role::Beside)));
    let entries: Vec<Chunk> =
        front.iter().map(|(piece, role)| chunk(piece, *role)).chain(chunks.iter().copied()).collect();
    let cost: Bits = front.iter().map(|(piece, _)| piece.cost).chain(costs).sum();
    let header = header(&content, entries, (large, coder), (file.length, file.checksum));
    let overhead = container::overhead(&header) as u64;
    let pays = is_whole && (coder.is_some() || way.transform.is_none()) && cost.ceil_bytes() + overhead < file.length;
    let summary = Summary {
        length: file.length,
        coding: if coder.is_some() { Coding::Network } else { Coding::Bytes },
        medium: Some(large.medium().format().name),
        samples: header.samples(),
        cost,
        chunks: header.chunks.len(),
        overhead,
        exact: true,
        notes: large.png.iter().filter_map(|png| png.scan.note.clone()).collect(),
    };
    let before_chunks: Vec<u8> = front.iter().flat_map(|(piece, _)| piece.bytes.iter().copied()).collect();
    if pays {
        return Ok(Long { front: container::front(&header), recipe: before_chunks, aside, undo: None, summary });
    }
    let undo = match (&large.png, again) {
        (None, _) | (_, None) => undone(header.clone(), way.network, exceptions, (before, after)),
        (Some(_), Some(_)) if mode == Mode::Measure => Box::new(|_, _: &mut (dyn Write + Send)| Ok(0)),
        (Some(_), Some(again)) => kept(again, &mut aside, &file)?,
    };
    let (header, summary) = whole_file(header, summary, file.crc);
    Ok(Long { front: container::front(&header), recipe: Vec::new(), aside, undo: Some(undo), summary })
}

/// A sample of a picture, and what its file's bytes, or if it is a PNG its samples, are read from.
fn begun<'a>(
    mut input: impl Read + Send + 'a,
    again: Option<&'a mut (dyn Again + '_)>,
    large: &Large,
    progress: &dyn Progress,
) -> Result<(Picture, Box<dyn Read + Send + 'a>), CompressError> {
    if let Some(png) = &large.png {
        let again = again.ok_or_else(changed)?;
        return Ok((png.sample(large), png::samples(again)?));
    }
    progress.begin(large.samples());
    let mut front = Vec::new();
    let sample = match again {
        Some(file) => sample::spread(large, file)?,
        None => {
            (&mut input).take(sample::front(large)).read_to_end(&mut front)?;
            sample::first(large, &front)
        }
    };
    Ok((sample, Box::new(io::Cursor::new(front).chain(input))))
}

/// Copies a file behind its code, from where it is stored after all.
fn kept<S: Read + Write + Seek + Send>(
    again: &mut dyn Again,
    aside: &mut S,
    file: &Identity,
) -> Result<Undo<S>, CompressError> {
    let start = aside.stream_position()?;
    again.rewind()?;
    let mut input = Input::new(again);
    io::copy(&mut input, aside)?;
    if input.identity() != *file {
        return Err(changed());
    }
    Ok(Box::new(move |mut aside: S, out: &mut (dyn Write + Send)| {
        aside.seek(SeekFrom::Start(start))?;
        io::copy(&mut aside, out)
    }))
}

/// What the byte model is told.
fn hint(large: &Large) -> Hint {
    row_hint(large.found.width, large.found.channels)
}

/// The rows of a picture as they are read.
struct Rows<'a> {
    large: &'a Large,
    way: &'a Way,
    /// The band above, as it is coded.
    above: Vec<u8>,
    exceptions: Exceptions,
    /// Rows that were read.
    done: u32,
    /// What is left of a file that ends within its samples.
    after: Option<Vec<u8>>,
}

impl Rows<'_> {
    /// The next rows: a band and the rows above it, or a segment for the byte model.
    fn next(&mut self, input: &mut Input<impl Read>) -> io::Result<Option<(Picture, Band)>> {
        let (line, left) = (self.large.line(), self.large.found.height - self.done);
        let count = if self.way.network.is_some() { ROWS } else { (bytes::SEGMENT / line).max(1) as u32 }.min(left);
        if count == 0 || self.after.is_some() {
            return Ok(None);
        }
        let mut samples = input.next(u64::from(count) * line as u64)?;
        if samples.len() < count as usize * line {
            self.after = Some(samples);
            return Ok(None);
        }
        self.done += count;
        let (width, channels) = (self.large.found.width, self.large.found.channels);
        let picture = |samples: Vec<u8>, height| Picture { width, height, channels, samples };
        if self.way.network.is_none() {
            return Ok(Some((picture(samples, count), Band { first: 0, rows: count })));
        }
        if let Some(transform) = self.way.transform {
            samples = Planes::of_rows(&picture(samples, count), transform, &mut self.exceptions).samples;
        }
        let above = std::mem::replace(&mut self.above, samples.clone());
        let first = (above.len() / line) as u32;
        Ok(Some((picture([above, samples].concat(), first + count), Band { first, rows: count })))
    }
}

/// What the stream's content is.
fn content(large: &Large, way: &Way, chunks: &[Chunk], height: u32) -> Content {
    let (width, channels) = (large.found.width, large.found.channels);
    match way.transform {
        Some(transform) => Content::Planes { width, height, transform: transform.id },
        None if chunks.iter().any(|entry| entry.coding == Coding::Network) => {
            Content::Bands { width, height, channels }
        }
        None => Content::Rows { width, height, channels },
    }
}

/// The header of a stream with these chunks; `coder` codes some of them. Length and checksum are those of the file.
fn header(
    content: &Content,
    chunks: Vec<Chunk>,
    (large, coder): (&Large, Option<&Coder>),
    (length, checksum): (u64, [u8; container::CHECKSUM_BYTES]),
) -> Header {
    let adjusted = coder.filter(|coder| coder.adjusted).map(|_| parts::adaptive(adjust::PART));
    let rebuilder = large.png.as_ref().map(|png| parts::rebuilder(png.scan.rebuilder));
    let parts = parts::of_chunks(&chunks, content, adjusted.into_iter().chain(rebuilder).collect());
    let medium = large.medium();
    let medium = Some(container::Medium { id: medium as u8, version: u32::from(medium.format().version) });
    Header { length, checksum, medium, model: coder.map(|coder| coder.id.0), parts, content: *content, chunks }
}

/// Makes the file of the codes that were kept aside.
fn undone<S: Read + Send>(
    header: Header,
    coder: Option<Coder>,
    exceptions: Vec<u8>,
    (before, after): (Vec<u8>, Vec<u8>),
) -> Undo<S> {
    Box::new(move |mut aside: S, out: &mut (dyn Write + Send)| {
        let model = coder.as_ref().map(Coder::model);
        let mut length = (before.len() + after.len()) as u64;
        out.write_all(&before)?;
        let write = |rows: Vec<u8>| {
            length += rows.len() as u64;
            out.write_all(&rows).map_err(super::super::DecodeError::Write)
        };
        if header.decoded(Role::Content) > 0 {
            let done = restore::content(&header, model, &exceptions, &mut aside, write, &());
            done.map_err(|fault| io::Error::other(format!("the code that was kept aside: {fault}")))?;
        }
        out.write_all(&after)?;
        Ok(length)
    })
}
