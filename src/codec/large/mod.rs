//! Large pictures: coded while they are read, restored while their stream is read.
//!
//! A PNG file is read twice: first to find out how its deflate data is made again. Above so many pixels, what cannot be treated so
//! is stored.
//!
//! Bands of rows pass through, one a thread with the band above it; the code is kept aside in a file until the header can be
//! written. What the whole of a picture tells otherwise (whether its colours lie on a lattice, how the network is adapted,
//! whether it is drawn) is told by some of its bands.
//!
//! What must stay true: memory depends on the width of a picture and the number of threads, and not on its height: about ten
//! bands of 36 rows a thread, and what lies beside a lattice; for PNG, 24 MB of scanlines to be compared, a byte a row, four an IDAT
//! chunk.

mod compress;
mod join;
mod png;
mod restore;
mod sample;
mod store;

pub use compress::{compress, measure};
pub use png::{find_png, is_large_png};
pub use restore::{Incoming, incoming};
pub use store::store;

use super::bands;
use crate::media::Medium;
use crate::media::image::pnm;

/// Samples of the smallest picture that is large: 16 megapixels of three channels. Below, memory is not worth what a look at
/// the whole picture brings.
const LEAST: u64 = 48 << 20;

/// A large picture, as the beginning of its file says.
#[derive(Debug)]
pub struct Large {
    /// Its size, and where in a PPM or PGM file its samples begin.
    found: pnm::Found,
    /// What a look through it told, if it is a PNG file.
    png: Option<png::Seen>,
}

/// Whether a file that begins so is a large picture: a PPM or PGM file of 8 bits. `length` is the file's, if it is known.
pub fn find(head: &[u8], length: Option<u64>) -> Option<Large> {
    let found = pnm::find(head).filter(|found| found.width <= bands::MAX_WIDTH)?;
    let samples = (u64::from(found.width) * u64::from(found.height)).checked_mul(found.channels.into())?;
    let end = samples.checked_add(found.start as u64)?;
    (samples >= LEAST && length.is_none_or(|length| length >= end)).then_some(Large { found, png: None })
}

impl Large {
    /// Bytes of a row.
    fn line(&self) -> usize {
        self.found.width as usize * usize::from(self.found.channels)
    }

    fn medium(&self) -> Medium {
        if self.png.is_some() { Medium::Png } else { Medium::Pnm }
    }

    /// Bytes of all samples; [`find`] saw that there are no more.
    fn samples(&self) -> u64 {
        self.line() as u64 * u64::from(self.found.height)
    }
}

#[cfg(test)]
mod tests;
