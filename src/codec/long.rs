//! Files that are coded and restored while they are read: what recordings and pictures have in common.
//!
//! What must stay true: memory does not depend on the length of a file; and a stream is never more than 64 bytes longer than
//! its file.

use super::compress::{Options, Summary};
use super::error::{CompressError, DecodeError};
use super::large::{self, Large};
use super::models::Models;
use super::pieces;
use super::progress::Progress;
use super::sound::{self, Recording, Restored};
use crate::container::{self, Checksum, Chunk, Coding, Content, Header, Hint, Role, StreamError};
use std::io::{self, Read, Seek, Write};

/// A file that can be read at any place.
pub trait Again: Read + Seek + Send {}
impl<T: Read + Seek + Send> Again for T {}

/// A file that is coded while it is read, as its beginning says.
#[derive(Debug)]
pub enum Found {
    /// A recording.
    Recording(Recording),
    /// A large picture.
    Picture(Box<Large>),
    /// A file that is stored, and why.
    Stored(String),
}

/// Whether the file that begins so is one that is coded while it is read. `length` is its length, if it is known; `again` the same
/// file, if it can be read at any place. A large PNG file is looked through.
pub fn find(
    head: &[u8],
    (length, again): (Option<u64>, Option<&mut dyn Again>),
    (models, options): (&Models, &Options),
    progress: &dyn Progress,
) -> io::Result<Option<Found>> {
    if let Some(recording) = sound::find_long(head, options) {
        return Ok(Some(Found::Recording(recording)));
    }
    // A device takes a picture as a whole.
    if models.has_device() {
        return Ok(None);
    }
    if let Some(large) = large::find(head, length) {
        return Ok(Some(Found::Picture(Box::new(large))));
    }
    large::find_png(head, again, options, progress)
}

/// Whether a file that begins so may be one that is coded while it is read although it is short: of a picture that is much larger.
pub fn may_be_large(head: &[u8]) -> bool {
    large::is_large_png(head)
}

/// Compresses a file that is read from its front, has so many bytes, and can perhaps be read at any place, too. `aside` is an empty
/// file or the like, which holds the code until the header can be written.
pub fn compress<S: Read + Write + Seek + Send>(
    input: impl Read + Send,
    (length, again): (Option<u64>, Option<&mut dyn Again>),
    found: &Found,
    aside: S,
    (models, options): (&Models, &Options),
    progress: &dyn Progress,
) -> Result<Long<S>, CompressError> {
    match found {
        Found::Recording(recording) => sound::compress_long(input, length, recording, aside, options, progress),
        Found::Picture(large) => large::compress(input, again, large, aside, (models, options), progress),
        Found::Stored(why) => large::store(input, aside, why, progress),
    }
}

/// The figures of the stream that [`compress`] would write.
pub fn measure(
    input: impl Read + Send,
    (length, again): (Option<u64>, Option<&mut dyn Again>),
    found: &Found,
    (models, options): (&Models, &Options),
    progress: &dyn Progress,
) -> Result<Summary, CompressError> {
    match found {
        Found::Recording(recording) => sound::measure_long(input, length, recording, options, progress),
        Found::Picture(large) => large::measure(input, again, large, (models, options), progress),
        Found::Stored(why) => large::store(input, io::empty(), why, progress).map(|long| long.summary),
    }
}

/// A stream whose chunks are kept aside.
pub struct Long<S> {
    pub(super) front: Vec<u8>,
    pub(super) recipe: Vec<u8>,
    pub(super) aside: S,
    /// Where the file is stored after all.
    pub(super) undo: Option<Undo<S>>,
    /// Its figures.
    pub summary: Summary,
}

/// Writes the file that the codes aside are of: how many bytes it has.
pub(super) type Undo<S> = Box<dyn FnOnce(S, &mut (dyn Write + Send)) -> io::Result<u64> + Send>;

impl<S: Read + Write + Seek> Long<S> {
    /// Writes the stream: how many bytes it has.
    pub fn write(mut self, out: &mut (dyn Write + Send)) -> io::Result<u64> {
        self.aside.rewind()?;
        out.write_all(&self.front)?;
        let rest = match self.undo {
            // A stored file has no recipe.
            Some(undo) => undo(self.aside, out)?,
            None => {
                out.write_all(&self.recipe)?;
                self.recipe.len() as u64 + io::copy(&mut self.aside, out)?
            }
        };
        Ok(self.front.len() as u64 + rest)
    }
}

/// Header and figures of a stream that stores the file.
pub(super) fn whole_file(header: Header, summary: Summary, crc: u32) -> (Header, Summary) {
    let length = header.length;
    let stored = Chunk { coding: Coding::Stored, role: Role::Content, coded: length, decoded: length, crc };
    let (content, chunks) = (Content::Bytes(Hint::default()), vec![stored]);
    let header = Header { medium: None, model: None, parts: Vec::new(), content, chunks, ..header };
    let cost = pieces::whole(length as usize);
    let overhead = container::overhead(&header) as u64;
    let summary = Summary { coding: Coding::Stored, medium: None, samples: None, cost, chunks: 1, overhead, ..summary };
    (header, summary)
}

/// Bytes that room is made for at once.
const MOST_ROOM: u64 = 64 << 20;

/// A file that is read from its front.
pub(super) struct Input<R> {
    rest: R,
    pub length: u64,
    pub checksum: Checksum,
    pub crc: crc32fast::Hasher,
}

impl<R: Read> Input<R> {
    /// Nothing was read.
    pub fn new(rest: R) -> Self {
        Self { rest, length: 0, checksum: Checksum::default(), crc: crc32fast::Hasher::new() }
    }

    /// The next bytes, so many unless the file ends.
    pub fn next(&mut self, count: u64) -> io::Result<Vec<u8>> {
        // Room that is not used is no memory.
        let mut bytes = Vec::with_capacity(count.min(MOST_ROOM) as usize);
        (&mut self.rest).take(count).read_to_end(&mut bytes)?;
        self.length += bytes.len() as u64;
        self.checksum.update(&bytes);
        self.crc.update(&bytes);
        Ok(bytes)
    }

    /// All that follows, if that is no more than the limit.
    pub fn rest(&mut self, limit: u64) -> io::Result<Vec<u8>> {
        // As much as may be allocated, and one byte more says that there is more.
        let rest = self.next(limit)?;
        if !self.next(1)?.is_empty() {
            return Err(io::Error::other("more follows its samples than the limit allows: raise --limit"));
        }
        Ok(rest)
    }
}

/// What a file was, as it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    pub length: u64,
    pub checksum: [u8; container::CHECKSUM_BYTES],
    pub crc: u32,
}

impl<R> Input<R> {
    /// What was read, which ends it.
    pub fn identity(self) -> Identity {
        Identity { length: self.length, checksum: self.checksum.finish(), crc: self.crc.finalize() }
    }
}

impl<R: Read> Read for Input<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.rest.read(out)?;
        self.length += count as u64;
        self.checksum.update(&out[..count]);
        self.crc.update(&out[..count]);
        Ok(count)
    }
}

/// What is written, and what was seen of it.
pub(super) struct Sink<'w, W> {
    out: &'w mut W,
    pub length: u64,
    pub checksum: Checksum,
}

impl<'w, W: Write> Sink<'w, W> {
    /// Nothing was written.
    pub fn new(out: &'w mut W) -> Self {
        Self { out, length: 0, checksum: Checksum::default() }
    }

    /// Goes on with `bytes`.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), DecodeError> {
        self.length += bytes.len() as u64;
        self.checksum.update(bytes);
        self.out.write_all(bytes).map_err(DecodeError::Write)
    }
}

/// The coded bytes of a chunk, which come next.
pub(super) fn chunk(input: &mut impl Read, entry: &Chunk) -> Result<Vec<u8>, DecodeError> {
    let mut coded = Vec::new();
    input.take(entry.coded).read_to_end(&mut coded).map_err(DecodeError::Read)?;
    match entry.coded - coded.len() as u64 {
        0 => Ok(coded),
        missing => Err(StreamError::Truncated { missing }.into()),
    }
}

/// Refuses what follows the last chunk.
pub(super) fn end(input: &mut impl Read) -> Result<(), DecodeError> {
    match io::copy(input, &mut io::sink()).map_err(DecodeError::Read)? {
        0 => Ok(()),
        more => Err(StreamError::Trailing(more).into()),
    }
}

/// A stream that is restored while it is read, of which the header was read.
#[derive(Debug)]
pub enum Incoming {
    /// Of a recording.
    Sound(sound::Incoming),
    /// Of a large picture, or of a large file that is stored.
    Large(large::Incoming),
}

/// The header of a stream that begins so, if it is restored while it is read; large pictures only with `large`.
pub fn incoming(head: &[u8], large: bool) -> Result<Option<Incoming>, DecodeError> {
    if let Some(sound) = sound::incoming(head)? {
        return Ok(Some(Incoming::Sound(sound)));
    }
    let incoming = if large { large::incoming(head)? } else { None };
    Ok(incoming.map(Incoming::Large))
}

impl Incoming {
    /// Where the first chunk begins.
    pub fn start(&self) -> usize {
        match self {
            Self::Sound(sound) => sound.start,
            Self::Large(large) => large.start,
        }
    }

    /// Bytes of the whole stream, as its header says.
    pub fn coded(&self) -> u64 {
        match self {
            Self::Sound(sound) => sound.coded(),
            Self::Large(large) => large.coded(),
        }
    }

    /// Restores the file from a stream that is read from its first chunk on. `limit` bounds what is allocated. With
    /// `keep_going`, what is damaged of a recording is left out and reported.
    pub fn restore(
        &self,
        input: impl Read + Send,
        out: impl Write + Send,
        models: &Models,
        (limit, keep_going): (u64, bool),
        progress: &dyn Progress,
    ) -> Result<Restored, DecodeError> {
        match self {
            Self::Sound(sound) => sound.restore(input, out, limit, keep_going, progress),
            Self::Large(large) => large.restore(input, out, models, limit, progress),
        }
    }
}
