//! Large PNG files: looked through before they are coded.
//!
//! What must stay true: what a look through a file tells is used only while the file is the same; one that was not made again,
//! byte for byte, by its recipe is not taken apart.

use super::super::compress::Options;
use super::super::error::CompressError;
use super::super::long::{Again, Found, Identity, Input};
use super::super::progress::Progress;
use super::{LEAST, Large, sample};
use crate::container::{CHECKSUM_BYTES, Checksum};
use crate::media::image::Picture;
use crate::media::image::{png, pnm};
use std::io::{self, Read};
use std::ops::ControlFlow;

/// Pixels of the largest PNG file that is taken into memory where it cannot be coded while it is read.
const MOST: u64 = 64 << 20;

/// What a look through a file told.
#[derive(Debug)]
pub(super) struct Seen {
    pub scan: png::Scan,
    pub file: Identity,
    /// Checksum of the samples.
    pub samples: [u8; CHECKSUM_BYTES],
    /// Some of its bands, one above the other.
    sample: Vec<u8>,
}

impl Seen {
    /// What stands for the picture.
    pub fn sample(&self, large: &Large) -> Picture {
        sample::picture(large, self.sample.clone())
    }
}

/// What is said of a file that was another one when it was read again.
pub(super) fn changed() -> CompressError {
    io::Error::other("it changed while it was read; try again when nothing writes to it").into()
}

/// Whether a file that begins so is a PNG with enough samples to be looked through, or enough pixels to be stored.
pub fn is_large_png(head: &[u8]) -> bool {
    png::size(head).is_some_and(|size| is_large(&size, LEAST, MOST))
}

fn pixels(size: &png::Size) -> u64 {
    u64::from(size.width) * u64::from(size.height)
}

fn is_large(size: &png::Size, least: u64, most: u64) -> bool {
    size.channels.is_some_and(|channels| pixels(size).saturating_mul(channels.into()) >= least) || pixels(size) > most
}

/// What becomes of a PNG file that begins so, if it is large; `again` is the file, if it can be read at any place.
pub fn find_png(
    head: &[u8],
    again: Option<&mut dyn Again>,
    options: &Options,
    progress: &dyn Progress,
) -> io::Result<Option<Found>> {
    find_from(head, again, options, (LEAST, MOST), progress)
}

/// As [`find_png`], of so many samples at least, and with so many pixels at most in memory.
pub(super) fn find_from(
    head: &[u8],
    again: Option<&mut dyn Again>,
    options: &Options,
    (least, most): (u64, u64),
    progress: &dyn Progress,
) -> io::Result<Option<Found>> {
    let size = png::size(head).filter(|size| options.raw.is_none() && is_large(size, least, most));
    let Some(size) = size else { return Ok(None) };
    let reason = match again.map(|file| seen(file, size, progress)) {
        Some(Ok(large)) => return Ok(Some(Found::Picture(Box::new(large)))),
        Some(Err(png::Unfit::Io(error))) => return Err(error),
        Some(Err(png::Unfit::Because(reason))) => reason,
        None => "it comes from a pipe, and would have to be read twice",
    };
    // The user asked for something that is only done in memory.
    if pixels(&size) <= most || options.pixels {
        return Ok(None);
    }
    let millions = most >> 20;
    Ok(Some(Found::Stored(format!("stored: this PNG has more than {millions} megapixels, and {reason}"))))
}

/// Looks through a file.
fn seen(file: &mut dyn Again, size: png::Size, progress: &dyn Progress) -> Result<Large, png::Unfit> {
    let (width, height) = (size.width, size.height);
    let found = pnm::Found { width, height, channels: size.channels.unwrap_or(1), start: 0 };
    let large = Large { found, png: None };
    let (bands, mut samples, mut some) = (sample::places(&large), Checksum::default(), Vec::new());
    let line = large.line() as u64;
    progress.begin(large.samples().saturating_mul(2));
    let (mut band, mut rows) = (bands.into_iter().peekable(), 0);
    file.rewind()?;
    let mut input = Input::new(io::BufReader::with_capacity(1 << 18, &mut *file));
    let scan = png::scan(&mut input, |row| {
        samples.update(row);
        band.next_if(|band| band.first + band.rows <= rows);
        if band.peek().is_some_and(|band| band.first <= rows) {
            some.extend_from_slice(row);
        }
        rows += 1;
        progress.advance(line);
    });
    if scan.is_err() {
        // The rest of what was promised: nothing more is looked at, and what follows says itself how much it is.
        progress.advance(large.samples().saturating_mul(2) - u64::from(rows) * line);
    }
    let scan = scan?;
    let whole = input.identity();
    file.rewind()?;
    let (mut made, mut length) = (Checksum::default(), 0);
    let again = io::BufReader::with_capacity(1 << 18, &mut *file);
    let done = png::replay(&scan, again, &mut |bytes| {
        made.update(bytes);
        length += bytes.len() as u64;
        ControlFlow::Continue(())
    });
    if done.is_err() || (made.finish(), length) != (whole.checksum, whole.length) {
        return Err(png::Unfit::Because("its chunks cannot be repeated"));
    }
    Ok(Large { png: Some(Seen { scan, file: whole, samples: samples.finish(), sample: some }), ..large })
}

/// The samples of a file, from its front.
pub(super) fn samples<'a>(file: &'a mut (dyn Again + '_)) -> Result<Box<dyn Read + Send + 'a>, CompressError> {
    file.rewind()?;
    let input = io::BufReader::with_capacity(1 << 18, file);
    Ok(Box::new(png::Samples::new(input).map_err(|_| changed())?))
}
