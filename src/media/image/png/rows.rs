//! PNG files whose rows are read one after the other, from the front of the file.
//!
//! What must stay true: what is held does not grow with the picture, but for four bytes an IDAT chunk; sizes that a file claims
//! are only counted, never allocated.

use super::filter::{MAX_FILTER, undo};
use super::idat::Cuts;
use super::layout::{self, Header};
use super::{CUT, DAMAGED, LONGER, SHORTER, UNKNOWN_FILTER};
use crate::media::image::zlib::Inflater;
use std::io::{self, Read};

/// Bytes that may stand before the image data, and as many after it.
const MOST_AROUND: u64 = 64 << 20;
/// Columns.
const MOST_COLUMNS: u32 = 1 << 18;
/// IDAT chunks.
const MOST_CHUNKS: usize = 1 << 22;
/// Bytes of an IDAT chunk that are read at once.
const PIECE: u32 = 1 << 16;

/// Why a file's rows cannot be had.
#[derive(Debug)]
pub enum Unfit {
    /// Of what the file is; to be said after "this PNG is kept as it is: ".
    Because(&'static str),
    /// It cannot be read.
    Io(io::Error),
}

impl From<io::Error> for Unfit {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof { Self::Because(CUT) } else { Self::Io(error) }
    }
}

impl From<&'static str> for Unfit {
    fn from(reason: &'static str) -> Self {
        Self::Because(reason)
    }
}

/// The data of the IDAT chunks, in pieces.
pub(super) struct Idat<R> {
    input: R,
    /// Bytes of the current chunk that were not read.
    left: u32,
    crc: crc32fast::Hasher,
    piece: Vec<u8>,
    at: usize,
    /// Whether the last chunk is behind.
    ended: bool,
    /// The chunks so far.
    pub cuts: Cuts,
    after: Vec<u8>,
}

/// Opens a file: its header, the chunks before its image data, and that.
pub(super) fn open<R: Read>(mut input: R) -> Result<(Header, Vec<u8>, Idat<R>), Unfit> {
    let mut front = [0; layout::FRONT];
    input.read_exact(&mut front)?;
    let (header, _) = layout::header(&front)?;
    let mut before = Vec::new();
    loop {
        let mut head = [0; 8];
        input.read_exact(&mut head)?;
        let [a, b, c, d, kind @ ..] = head;
        let length = u32::from_be_bytes([a, b, c, d]);
        match &kind {
            b"IDAT" => {
                let cuts = Cuts { lengths: Vec::new(), wrong: Vec::new() };
                let crc = crc32fast::Hasher::new();
                let after = Vec::new();
                let mut idat = Idat { input, left: 0, crc, piece: Vec::new(), at: 0, ended: false, cuts, after };
                idat.begin(length)?;
                return Ok((header, before, idat));
            }
            b"IEND" => return Err("it has no image data".into()),
            _ => before.extend_from_slice(&head),
        }
        let all = before.len() as u64 + u64::from(length) + 4;
        if all > MOST_AROUND {
            return Err("too much stands before its image data".into());
        }
        (&mut input).take(u64::from(length) + 4).read_to_end(&mut before)?;
        if (before.len() as u64) < all {
            return Err(CUT.into());
        }
    }
}

impl<R: Read> Idat<R> {
    fn begin(&mut self, length: u32) -> Result<(), Unfit> {
        if length > 0x7fff_ffff || self.cuts.lengths.len() == MOST_CHUNKS {
            return Err("its image data is in too many chunks, or in one that is too long".into());
        }
        self.cuts.lengths.push(length);
        (self.left, self.crc) = (length, crc32fast::Hasher::new());
        self.crc.update(b"IDAT");
        Ok(())
    }

    /// The end of a chunk, and the beginning of the next.
    fn step(&mut self) -> Result<(), Unfit> {
        let mut crc = [0; 4];
        self.input.read_exact(&mut crc)?;
        let crc = u32::from_be_bytes(crc);
        if crc != self.crc.clone().finalize() {
            self.cuts.wrong.push((self.cuts.lengths.len() - 1, crc));
        }
        (&mut self.input).take(8).read_to_end(&mut self.after)?;
        match self.after[..] {
            [a, b, c, d, b'I', b'D', b'A', b'T'] => {
                self.after.clear();
                self.begin(u32::from_be_bytes([a, b, c, d]))
            }
            _ => {
                self.ended = true;
                Ok(())
            }
        }
    }

    /// The bytes that come next; none at the end.
    pub fn next(&mut self) -> Result<&[u8], Unfit> {
        if self.at == self.piece.len() {
            (self.at, self.piece) = (0, std::mem::take(&mut self.piece));
            self.piece.clear();
            while self.piece.is_empty() && !self.ended {
                if self.left == 0 {
                    self.step()?;
                    continue;
                }
                let count = self.left.min(PIECE);
                self.piece.resize(count as usize, 0);
                self.input.read_exact(&mut self.piece)?;
                self.crc.update(&self.piece);
                self.left -= count;
            }
        }
        Ok(&self.piece[self.at..])
    }

    /// Steps over so many bytes of what [`next`](Self::next) gave.
    pub fn advance(&mut self, count: usize) {
        self.at += count;
    }

    /// The two bytes in front.
    pub fn zlib_header(&mut self) -> Result<[u8; 2], Unfit> {
        let mut header = [0; 2];
        for byte in &mut header {
            *byte = *self.next()?.first().ok_or(CUT)?;
            self.advance(1);
        }
        if super::is_zlib(header) { Ok(header) } else { Err(DAMAGED.into()) }
    }

    /// All that follows the last chunk, and those.
    pub fn rest(mut self) -> Result<(Cuts, Vec<u8>), Unfit> {
        (&mut self.input).take(MOST_AROUND + 1).read_to_end(&mut self.after)?;
        if self.after.len() as u64 > MOST_AROUND {
            return Err("too much follows its image data".into());
        }
        Ok((self.cuts, self.after))
    }
}

/// The scanlines of a file without interlace.
pub(super) struct Lines<R> {
    idat: Idat<R>,
    inflater: Inflater,
    ended: bool,
}

impl<R: Read> Lines<R> {
    /// From behind the zlib header.
    pub fn new(idat: Idat<R>) -> Result<Self, Unfit> {
        Ok(Self { idat, inflater: Inflater::new().ok_or("memory is short")?, ended: false })
    }

    /// Fills `out` with what comes next; `seen` gets the deflate data that was taken for it.
    pub fn fill(&mut self, out: &mut [u8], mut seen: impl FnMut(&[u8])) -> Result<(), Unfit> {
        let mut made = 0;
        while made < out.len() {
            if self.ended {
                return Err(SHORTER.into());
            }
            made += self.step(&mut out[made..], &mut seen)?;
        }
        Ok(())
    }

    /// Sees that the deflate data ends here, and gives back what is behind it.
    pub fn end(mut self, mut seen: impl FnMut(&[u8])) -> Result<Idat<R>, Unfit> {
        while !self.ended {
            self.step(&mut [], &mut seen)?;
        }
        Ok(self.idat)
    }

    fn step(&mut self, out: &mut [u8], seen: &mut impl FnMut(&[u8])) -> Result<usize, Unfit> {
        let piece = self.idat.next()?;
        if piece.is_empty() {
            return Err(CUT.into());
        }
        let progress = self.inflater.read(piece, out).ok_or(DAMAGED)?;
        seen(&piece[..progress.taken]);
        if !progress.ended && progress.made == out.len() && progress.taken < piece.len() && out.is_empty() {
            return Err(LONGER.into());
        }
        if progress.taken == 0 && progress.made == 0 && !progress.ended {
            return Err(DAMAGED.into());
        }
        self.ended = progress.ended;
        self.idat.advance(progress.taken);
        Ok(progress.made)
    }
}

/// Bytes of a row and of a pixel, of a file whose rows can be had.
pub(super) fn line(header: Header) -> Result<(usize, usize), Unfit> {
    let channels = super::picture_channels(header).ok_or("it is not 8-bit gray or RGB without interlace")?;
    if header.width > MOST_COLUMNS {
        return Err("its rows are too long".into());
    }
    Ok((header.width as usize * usize::from(channels), channels.into()))
}

/// Undoes the filter of a row; `above` is the row above, or empty.
pub(super) fn unfilter(filter: u8, row: &mut [u8], above: &[u8], unit: usize) -> Result<(), Unfit> {
    if filter > MAX_FILTER {
        return Err(UNKNOWN_FILTER.into());
    }
    undo(filter, row, above, unit);
    Ok(())
}

/// The samples of a file, as a reader.
pub struct Samples<R> {
    lines: Lines<R>,
    unit: usize,
    /// A filter type and a row; all of it handed out up to `at`.
    row: Vec<u8>,
    above: Vec<u8>,
    at: usize,
    /// Rows that were not read.
    left: u32,
}

impl<R: Read> Samples<R> {
    /// Of a file of 8-bit gray or RGB without interlace.
    ///
    /// # Errors
    /// Another file.
    pub fn new(input: R) -> Result<Self, Unfit> {
        let (header, _, mut idat) = open(input)?;
        let (line, unit) = line(header)?;
        idat.zlib_header()?;
        let row = vec![0; 1 + line];
        let (at, left) = (row.len(), header.height);
        Ok(Self { lines: Lines::new(idat)?, unit, row, above: Vec::new(), at, left })
    }

    fn next(&mut self) -> Result<(), Unfit> {
        let is_first = self.above.is_empty();
        self.above.resize(self.row.len(), 0);
        std::mem::swap(&mut self.row, &mut self.above);
        self.lines.fill(&mut self.row, |_| ())?;
        let (filter, row) = self.row.split_first_mut().expect("a filter type");
        unfilter(*filter, row, if is_first { &[] } else { &self.above[1..] }, self.unit)?;
        (self.at, self.left) = (1, self.left - 1);
        Ok(())
    }
}

impl<R: Read> Read for Samples<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at == self.row.len() && self.left > 0 {
            self.next().map_err(|unfit| match unfit {
                Unfit::Because(reason) => io::Error::other(reason),
                Unfit::Io(error) => error,
            })?;
        }
        let count = out.len().min(self.row.len() - self.at);
        out[..count].copy_from_slice(&self.row[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}
