//! Pictures whose colours came from luminance and colour differences: a JPEG that was decoded, a Photo CD.
//!
//! Rounded on the way to RGB, such a picture has only a part of all RGB triples, a lattice; its planes Y, U, V have less to
//! tell than its R, G, B. A picture is tested by some of its pixels, taken back to planes, each pixel to the candidate nearest to its
//! neighbours, and pixels without a candidate are kept beside them as exceptions.
//!
//! What must stay true: [`restore`] of what [`Planes::of`] made is the picture, whatever its pixels are.

mod search;
mod transform;

use super::Picture;
use crate::media::MediaError;
use crate::wire::{Reader, Writer};
pub use transform::{TRANSFORMS, Transform};

/// A picture on a lattice, and what is not on it.
#[derive(Debug, Clone)]
pub struct Planes {
    /// How R, G, B were made.
    pub transform: &'static Transform,
    /// The planes, interleaved as U, Y, V: Y stands where the network's first channel does, which is green's place.
    pub picture: Picture,
    /// For each pixel without a candidate, in order: how many pixels lie between it and the one before (uint), and its R, G, B.
    pub exceptions: Vec<u8>,
}

/// Pixels that are tested, fewest that tell anything, and one in how many may have no candidate.
const TESTED: usize = 400;
const FEWEST: usize = 48;
const MISSES: usize = 32;

/// The transform on whose lattice nearly all tested pixels of a colour picture lie. Of all RGB triples, a quarter lie on that of
/// JPEG, a tenth on that of Photo CD. Clipped pixels tell little and are passed over.
pub fn find(picture: &Picture) -> Option<&'static Transform> {
    if picture.channels != 3 {
        return None;
    }
    let pixels = picture.samples.len() / 3;
    // Steps of the golden ratio visit a picture evenly.
    let step = ((pixels as u128 * 0x9E37_79B9) >> 32) as usize | 1;
    let pixel = |i: usize| rgb(&picture.samples, (i as u128 * step as u128 % pixels as u128) as usize);
    let telling = |rgb: &[u8; 3]| rgb.iter().all(|c| !matches!(c, 0 | 255));
    let tested: Vec<[u8; 3]> = (0..pixels.min(8 * TESTED)).map(pixel).filter(telling).take(TESTED).collect();
    if tested.len() < FEWEST {
        return None;
    }
    let fits = |transform: &&Transform| {
        let misses = tested.iter().filter(|rgb| transform.nearest(**rgb, transform.inverse(**rgb)).is_none());
        misses.take(tested.len() / MISSES + 1).count() <= tested.len() / MISSES
    };
    TRANSFORMS.into_iter().find(fits)
}

#[inline]
fn rgb(samples: &[u8], pixel: usize) -> [u8; 3] {
    [samples[3 * pixel], samples[3 * pixel + 1], samples[3 * pixel + 2]]
}

/// How often candidates are chosen again when all neighbours are known. (On three pictures of the Kodak suite it takes 0.4 % off.)
const AGAIN: usize = 2;

impl Planes {
    /// Takes a colour picture back to planes.
    ///
    /// # Panics
    /// If the picture has one channel or is not consistent.
    pub fn of(picture: &Picture, transform: &'static Transform) -> Self {
        let mut exceptions = Exceptions::default();
        let picture = Self::of_rows(picture, transform, &mut exceptions);
        Self { transform, picture, exceptions: exceptions.finish() }
    }

    /// The planes of some rows of a picture, of which those above were taken before with the same `exceptions`.
    ///
    /// # Panics
    /// As [`of`](Self::of).
    pub fn of_rows(picture: &Picture, transform: &Transform, exceptions: &mut Exceptions) -> Picture {
        assert!(picture.channels == 3 && picture.is_consistent(), "a colour picture");
        let (width, samples) = (picture.width as usize, &picture.samples);
        let pixels = samples.len() / 3;
        let mut planes: Vec<[u8; 3]> = Vec::with_capacity(pixels);
        let mut is_exception = vec![false; pixels];
        for i in 0..pixels {
            let near = match (i % width > 0, i >= width) {
                (false, false) => transform.inverse(rgb(samples, 0)),
                (true, false) => planes[i - 1],
                (false, true) => planes[i - width],
                (true, true) => gradient(planes[i - 1], planes[i - width], planes[i - width - 1]),
            };
            planes.push(transform.nearest(rgb(samples, i), near).unwrap_or_else(|| {
                exceptions.add(i as u64, rgb(samples, i));
                is_exception[i] = true;
                near
            }));
        }
        for _ in 0..AGAIN {
            for i in (0..pixels).filter(|i| !is_exception[*i]) {
                let (left, right) = (i % width > 0, i % width + 1 < width);
                let at = |is: bool, place: usize| if is { planes[place] } else { planes[i] };
                let around = [
                    at(left, i.wrapping_sub(1)),
                    at(right, i + 1),
                    at(i >= width, i.wrapping_sub(width)),
                    at(i + width < pixels, i + width),
                ];
                let near =
                    std::array::from_fn(|c| ((around.iter().map(|p| u32::from(p[c])).sum::<u32>() + 2) / 4) as u8);
                planes[i] = transform.nearest(rgb(samples, i), near).unwrap_or(planes[i]);
            }
        }
        exceptions.rows += pixels as u64;
        let samples = planes.into_iter().flat_map(|[y, u, v]| [u, y, v]).collect();
        Picture { samples, ..*picture }
    }
}

/// The plane through three neighbours, within the nearer two of them (Martucci 1990): what is expected next.
fn gradient(west: [u8; 3], north: [u8; 3], between: [u8; 3]) -> [u8; 3] {
    std::array::from_fn(|c| {
        let (w, n, nw) = (i32::from(west[c]), i32::from(north[c]), i32::from(between[c]));
        (w + n - nw).clamp(w.min(n), w.max(n)) as u8
    })
}

/// The pixels of a picture without a candidate, as they are found.
#[derive(Debug, Default)]
pub struct Exceptions {
    list: Writer,
    /// Pixels of the rows before, and the first pixel behind the last one of the list.
    rows: u64,
    next: u64,
}

impl Exceptions {
    /// The next one, so many pixels from the beginning of the rows.
    fn add(&mut self, at: u64, rgb: [u8; 3]) {
        let at = self.rows + at;
        self.list.uint(at - self.next);
        self.list.raw(&rgb);
        self.next = at + 1;
    }

    /// The list.
    pub fn finish(self) -> Vec<u8> {
        self.list.finish()
    }
}

/// Planes on their way back to the picture, from its first row to its last. Exceptions may come from anywhere: what does not
/// fit is an error.
#[derive(Debug)]
pub struct Restorer<'e> {
    transform: &'static Transform,
    exceptions: Reader<'e>,
    /// Pixels in all, those that are done, and the next exception.
    pixels: u64,
    done: u64,
    next: Option<u64>,
}

impl<'e> Restorer<'e> {
    /// For a picture of so many pixels.
    pub fn new(transform: &'static Transform, pixels: u64, exceptions: &'e [u8]) -> Result<Self, MediaError> {
        let mut new = Self { transform, exceptions: Reader::new(exceptions), pixels, done: 0, next: None };
        new.advance(0)?;
        Ok(new)
    }

    /// Finds the next exception, at `from` or behind it.
    fn advance(&mut self, from: u64) -> Result<(), MediaError> {
        self.next = None;
        if self.exceptions.remaining() > 0 {
            let at = from + self.exceptions.at_most(self.pixels, "the place of a pixel")?;
            if at >= self.pixels {
                return Err(MediaError::Inconsistent("a pixel beside the lattice is outside the picture"));
            }
            self.next = Some(at);
        }
        Ok(())
    }

    /// The next rows: planes become pixels.
    pub fn rows(&mut self, samples: &mut [u8]) -> Result<(), MediaError> {
        for pixel in samples.chunks_exact_mut(3) {
            let [u, y, v] = [pixel[0], pixel[1], pixel[2]];
            pixel.copy_from_slice(&self.transform.forward([y, u, v]));
        }
        let first = self.done;
        self.done += (samples.len() / 3) as u64;
        while let Some(at) = self.next.filter(|at| *at < self.done) {
            samples[(at - first) as usize * 3..][..3].copy_from_slice(self.exceptions.raw(3)?);
            self.advance(at + 1)?;
        }
        Ok(())
    }
}

/// The picture that planes and exceptions are of. They may come from anywhere: exceptions that do not fit are an error.
pub fn restore(transform: &'static Transform, mut planes: Picture, exceptions: &[u8]) -> Result<Picture, MediaError> {
    Restorer::new(transform, (planes.samples.len() / 3) as u64, exceptions)?.rows(&mut planes.samples)?;
    Ok(planes)
}

#[cfg(test)]
mod tests;
