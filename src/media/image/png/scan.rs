//! Large PNG files: looked through once, in memory that does not grow with the picture, to find the zlib setting that makes the
//! same deflate data again.
//!
//! What must stay true: a setting is only found where the data that it makes was compared with the file's to the last byte; and
//! only a file whose recipe then gave the very same file ([`replay`]) may be taken apart.
//!
//! The settings that agree with the first scanlines ([`search`]) deflate all of them side by side, as they are read; one whose
//! data differs is dropped at once.

use super::layout::Header;
use super::rebuild::Rebuild;
use super::rows::{self, Lines, Unfit, unfilter};
use super::search;
use super::{GUESSES, Recipe, damage, join_by, picture_channels};
use super::{idat::Pieces, rebuild::ZLIB};
use crate::media::image::zlib::{Deflater, Params, adler32};
use crate::media::{Limits, MediaError, Rebuilder, Sink};
use std::io::Read;
use std::ops::ControlFlow;

/// Bytes of scanlines from which settings are guessed: more than a guess compares, and than a first block stands for (2^15 references
/// of at most 258 bytes).
const PREFIX: usize = 9 << 20;
/// Bytes of scanlines that are deflated at once.
const BATCH: usize = 1 << 16;
/// Bytes behind the deflate data.
const MOST_TAIL: usize = 1 << 16;
/// Rows, of each of which the filter type is kept.
const MOST_ROWS: u32 = 1 << 24;
const NO_ZLIB: &str = "its deflate data is not what zlib makes";

/// What the header of a PNG says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Pixels a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// 1 or 3 if it becomes a picture; none if it becomes rows of samples.
    pub channels: Option<u8>,
}

/// The size of the PNG file that begins so.
pub fn size(head: &[u8]) -> Option<Size> {
    let (header, _) = super::layout::header(head).ok()?;
    Some(size_of(header))
}

fn size_of(header: Header) -> Size {
    Size { width: header.width, height: header.height, channels: picture_channels(header) }
}

/// What a look through a file tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// All but its samples.
    pub recipe: Vec<u8>,
    /// What joining will run.
    pub rebuilder: Rebuilder,
    /// Something the user should know.
    pub note: Option<String>,
    /// Bytes of its deflate data, and the checksum of its scanlines.
    deflate: u64,
    adler: u32,
}

/// A setting, and how much of the file's deflate data it has made.
struct Runner {
    params: Params,
    deflater: Deflater,
    made: u64,
}

/// Settings side by side.
#[derive(Default)]
struct Race {
    runners: Vec<Runner>,
    /// Deflate data of the file that not all of them have made, and where it begins.
    data: Vec<u8>,
    start: u64,
}

impl Race {
    /// Deflates scanlines; drops those that make something else than `data` says.
    fn run(&mut self, scanlines: &[u8], is_last: bool) -> Result<(), Unfit> {
        let (data, start) = (&self.data, self.start);
        self.runners.retain_mut(|Runner { deflater, made, .. }| {
            let flow = deflater.write(scanlines, is_last, |bytes| {
                let at = (*made - start) as usize;
                *made += bytes.len() as u64;
                if data.get(at..at + bytes.len()) == Some(bytes) {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            });
            flow.is_continue()
        });
        let behind = self.runners.iter().map(|runner| runner.made).min().ok_or(NO_ZLIB)?;
        self.data.drain(..(behind - start) as usize);
        self.start = behind;
        Ok(())
    }

    /// How much data the file has, as far as it was read.
    fn end(&self) -> u64 {
        self.start + self.data.len() as u64
    }
}

/// Looks through a file; `each` gets its rows of samples in order.
///
/// # Errors
/// A file that is damaged, or of another kind than 8-bit gray or RGB without interlace, or that zlib did not write.
pub fn scan(input: impl Read, mut each: impl FnMut(&[u8])) -> Result<Scan, Unfit> {
    let (header, before, mut idat) = rows::open(input)?;
    let (line, unit) = rows::line(header)?;
    if header.height > MOST_ROWS {
        return Err("it has too many rows".into());
    }
    let zlib_header = idat.zlib_header()?;
    let mut lines = Lines::new(idat)?;
    let (mut row, mut above, mut filters) = (vec![0; line], Vec::new(), Vec::new());
    let (mut race, mut batch, mut adler) = (Race::default(), Vec::new(), 1);
    for y in 0..header.height {
        let start = batch.len();
        batch.resize(start + 1 + line, 0);
        lines.fill(&mut batch[start..], |bytes| race.data.extend_from_slice(bytes))?;
        let filter = batch[start];
        filters.push(filter);
        row.copy_from_slice(&batch[start + 1..]);
        unfilter(filter, &mut row, &above, unit)?;
        each(&row);
        above.resize(line, 0);
        std::mem::swap(&mut row, &mut above);
        let is_begun = !race.runners.is_empty();
        if batch.len() >= if is_begun { BATCH } else { PREFIX } && y + 1 < header.height {
            if !is_begun {
                begin(&mut race, &batch, zlib_header)?;
            }
            adler = adler32(adler, &batch);
            race.run(&batch, false)?;
            batch.clear();
            if !is_begun {
                batch.shrink_to(BATCH);
                race.data.shrink_to_fit();
            }
        }
    }
    let mut idat = lines.end(|bytes| race.data.extend_from_slice(bytes))?;
    if race.runners.is_empty() {
        begin(&mut race, &batch, zlib_header)?;
    }
    adler = adler32(adler, &batch);
    let deflate = race.end();
    race.run(&batch, true)?;
    let winner = race.runners.iter().find(|runner| runner.made == deflate).ok_or(NO_ZLIB)?;
    let rebuild = Rebuild::Zlib(winner.params);
    let mut tail = Vec::new();
    loop {
        let piece = idat.next()?;
        let count = piece.len();
        tail.extend_from_slice(piece);
        idat.advance(count);
        if count == 0 {
            break;
        }
        if tail.len() > MOST_TAIL {
            return Err("other data follows its image data".into());
        }
    }
    let (cuts, after) = idat.rest()?;
    let right = adler.to_be_bytes();
    let note = damage(&cuts.wrong, &tail, right, &after);
    let tail = (tail != right).then_some(tail);
    let recipe = Recipe { header, before: &before, filters, zlib_header, rebuild, tail, cuts, after: &after }.write();
    Ok(Scan { recipe, rebuilder: ZLIB, note, deflate, adler })
}

/// Lets those settings begin that agree with the first scanlines.
fn begin(race: &mut Race, scanlines: &[u8], header: [u8; 2]) -> Result<(), Unfit> {
    let guesses = search::guesses(scanlines, &Pieces::new(&[&race.data]), header);
    for params in guesses.into_iter().take(GUESSES) {
        let deflater = Deflater::new(params).ok_or("memory is short")?;
        race.runners.push(Runner { params, deflater, made: 0 });
    }
    if race.runners.is_empty() { Err(NO_ZLIB.into()) } else { Ok(()) }
}

/// Puts a file together by the recipe of its scan, taking the deflate data, which the scan found that zlib makes, from the file
/// itself.
///
/// # Errors
/// Those of joining, and a file that is no longer the same.
pub fn replay(scan: &Scan, input: impl Read, sink: &mut Sink<'_>) -> Result<(), MediaError> {
    const CHANGED: MediaError = MediaError::Inconsistent("the file is not the one that was read before");
    let limits = Limits { max_bytes: u64::MAX };
    join_by(&scan.recipe, &limits, sink, |_, _, take| {
        let (_, _, mut idat) = rows::open(input).map_err(|_| CHANGED)?;
        idat.zlib_header().map_err(|_| CHANGED)?;
        let mut left = scan.deflate;
        while left > 0 {
            let piece = idat.next().map_err(|_| CHANGED)?;
            let count = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            if count == 0 {
                return Err(CHANGED);
            }
            take(&piece[..count])?;
            idat.advance(count);
            left -= count as u64;
        }
        Ok(scan.adler)
    })
}

/// Puts a file together from samples that come in pieces of any length. `shape`: what the picture is, width, height and
/// channels.
///
/// # Errors
/// A recipe of another picture, or deflate data that is not made row by row.
pub fn join_pieces(
    recipe: &[u8],
    shape: (u32, u32, u8),
    limits: &Limits,
    pieces: impl Iterator<Item = Vec<u8>>,
    sink: &mut Sink<'_>,
) -> Result<(), MediaError> {
    let header = Header::read(&mut crate::wire::Reader::new(recipe))?;
    if size_of(header) != (Size { width: shape.0, height: shape.1, channels: Some(shape.2) }) {
        return Err(MediaError::Inconsistent("the samples are not those of this PNG"));
    }
    let shape = super::Shape::of(header);
    join_by(recipe, limits, sink, |rebuild, filters, take| rebuild.run_pieces(&shape, pieces, filters, take))
}
