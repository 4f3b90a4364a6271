//! How the deflate data is made again.
//!
//! What must stay true: which program makes it, and its version, is said by [`Rebuild::rebuilder`], since it runs in the
//! decoder.

use std::ops::ControlFlow;

use super::retoken;
use super::scanlines::{Filtering, Shape};
use crate::media::image::zlib::{self, Deflater, Params, adler32};
use crate::media::{Limits, MediaError, Rebuilder};
use crate::wire::{Reader, Writer};

/// Stock zlib, by name and version.
pub const ZLIB: Rebuilder = Rebuilder { name: "zlib", version: zlib::VERSION };

/// A way to make deflate data from filtered scanlines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rebuild {
    /// zlib with these parameters.
    Zlib(Params),
    /// The corrections to what a plain matcher would choose.
    Retoken(retoken::Corrections),
}

const BY_ZLIB: u8 = 1;
const BY_TOKENS: u8 = 2;

impl Rebuild {
    /// The program that runs.
    pub fn rebuilder(&self) -> Rebuilder {
        match self {
            Rebuild::Zlib(_) => ZLIB,
            Rebuild::Retoken(_) => retoken::REBUILDER,
        }
    }

    /// Appends: 1, level << 4 | memLevel, strategy << 4 | window bits; or 2 and the corrections.
    pub fn write(&self, w: &mut Writer) {
        match self {
            Rebuild::Zlib(p) => {
                w.u8(BY_ZLIB);
                w.u8(p.level << 4 | p.memory);
                w.u8(p.strategy << 4 | p.window);
            }
            Rebuild::Retoken(corrections) => {
                w.u8(BY_TOKENS);
                corrections.write(w);
            }
        }
    }

    /// Reads what [`write`](Self::write) wrote.
    pub fn read(r: &mut Reader<'_>) -> Result<Self, MediaError> {
        match r.u8()? {
            BY_ZLIB => {
                let (a, b) = (r.u8()?, r.u8()?);
                let params = Params { level: a >> 4, memory: a & 15, strategy: b >> 4, window: b & 15 };
                if !params.valid() {
                    return Err(MediaError::Inconsistent("zlib has no such parameters"));
                }
                Ok(Rebuild::Zlib(params))
            }
            BY_TOKENS => Ok(Rebuild::Retoken(retoken::Corrections::read(r)?)),
            _ => Err(MediaError::Inconsistent("an unknown way to rebuild deflate data")),
        }
    }

    /// Makes the deflate data of the scanlines that `shape`, `samples` and `filters` give; returns the scanlines' Adler-32.
    pub fn run(
        &self,
        shape: &Shape,
        samples: &[u8],
        filters: &[u8],
        limits: &Limits,
        take: &mut dyn FnMut(&[u8]) -> Result<(), MediaError>,
    ) -> Result<u32, MediaError> {
        match self {
            Rebuild::Zlib(params) => run_zlib(*params, shape, samples, filters, take),
            Rebuild::Retoken(corrections) => run_retoken(corrections, shape, samples, filters, limits, take),
        }
    }

    /// As [`run`](Self::run), of a picture without interlace whose samples come in pieces; by zlib alone.
    pub fn run_pieces(
        &self,
        shape: &Shape,
        pieces: impl Iterator<Item = Vec<u8>>,
        filters: &[u8],
        take: &mut dyn FnMut(&[u8]) -> Result<(), MediaError>,
    ) -> Result<u32, MediaError> {
        let Rebuild::Zlib(params) = self else {
            return Err(MediaError::Inconsistent("deflate data that is not made row by row"));
        };
        let (n, mut filters, mut filtering) =
            (shape.stride() as usize, filters.iter().copied(), Filtering::new(shape.unit));
        if n == 0 {
            return Err(MediaError::Inconsistent("rows that are not alike, or too long"));
        }
        let (mut adler, mut samples) = (1, Vec::new());
        deflate(*params, take, |deflater, out| {
            let mut out = |bytes: &[u8]| {
                adler = adler32(adler, bytes);
                deflater.write(bytes, false, &mut *out)
            };
            for piece in pieces {
                samples.extend_from_slice(&piece);
                let whole = samples.len() / n * n;
                filtering.rows(n, &samples[..whole], &mut filters, &mut out)?;
                samples.drain(..whole);
            }
            filtering.finish(out)
        })?;
        Ok(adler)
    }

    /// Makes the deflate data of plain bytes.
    pub fn run_plain(
        &self,
        bytes: &[u8],
        take: &mut dyn FnMut(&[u8]) -> Result<(), MediaError>,
    ) -> Result<(), MediaError> {
        match self {
            Rebuild::Zlib(params) => deflate(*params, take, |deflater, out| deflater.write(bytes, false, out)),
            Rebuild::Retoken(corrections) => retoken::run(corrections, bytes, take),
        }
    }
}

/// Takes pieces of a deflate stream, and may stop it.
type Out<'a> = dyn FnMut(&[u8]) -> ControlFlow<()> + 'a;

/// Deflates what `feed` writes.
fn deflate(
    params: Params,
    take: &mut dyn FnMut(&[u8]) -> Result<(), MediaError>,
    feed: impl FnOnce(&mut Deflater, &mut Out<'_>) -> ControlFlow<()>,
) -> Result<(), MediaError> {
    let refused = || MediaError::Rebuilder { name: ZLIB.name, reason: "it did not start, or memory is short".into() };
    let mut deflater = Deflater::new(params).ok_or_else(refused)?;
    let mut error = None;
    let mut out = |bytes: &[u8]| match take(bytes) {
        Ok(()) => ControlFlow::Continue(()),
        Err(e) => {
            error = Some(e);
            ControlFlow::Break(())
        }
    };
    let flow = feed(&mut deflater, &mut out);
    let flow = if flow.is_continue() { deflater.write(&[], true, &mut out) } else { flow };
    match (flow, error) {
        (_, Some(error)) => Err(error),
        (ControlFlow::Break(()), None) => Err(refused()),
        (ControlFlow::Continue(()), None) => Ok(()),
    }
}

fn run_zlib(
    params: Params,
    shape: &Shape,
    samples: &[u8],
    filters: &[u8],
    take: &mut dyn FnMut(&[u8]) -> Result<(), MediaError>,
) -> Result<u32, MediaError> {
    let mut adler = 1;
    deflate(params, take, |deflater, out| {
        shape.filtered(samples, filters, |bytes| {
            adler = adler32(adler, bytes);
            deflater.write(bytes, false, &mut *out)
        })
    })?;
    Ok(adler)
}

fn run_retoken(
    corrections: &retoken::Corrections,
    shape: &Shape,
    samples: &[u8],
    filters: &[u8],
    limits: &Limits,
    take: &mut dyn FnMut(&[u8]) -> Result<(), MediaError>,
) -> Result<u32, MediaError> {
    let bytes = shape.filtered_bytes().ok_or(MediaError::Inconsistent("the PNG is larger than any file"))?;
    let mut scanlines = Vec::with_capacity(limits.check(bytes, "the image data")?);
    let flow = shape.filtered(samples, filters, |bytes| {
        scanlines.extend_from_slice(bytes);
        ControlFlow::<()>::Continue(())
    });
    debug_assert!(flow.is_continue());
    retoken::run(corrections, &scanlines, take)?;
    Ok(adler32(1, &scanlines))
}
