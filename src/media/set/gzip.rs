//! The gzip container (RFC 1952) around a file.
//!
//! What must stay true: nothing is unpacked beyond the limit or beyond what deflate can pack into that many bytes; the length
//! and the check value at the end are those of what comes out.
//!
//! In the recipe: 0, or 1, the bytes of the header (length, bytes) and how the deflate data is made
//! ([`Rebuild`]). Check value and length follow from the content.

use super::SetError;
use crate::media::image::png::idat::Pieces;
use crate::media::image::png::rebuild::Rebuild;
use crate::media::image::png::{retoken, search};
use crate::media::image::zlib::Inflater;
use crate::media::{Limits, MediaError, Rebuilder, Sink, emit};
use crate::wire::{Reader, Writer};
use std::borrow::Cow;

/// Deflate cannot expand a byte to more than this.
const MOST_EXPANSION: u64 = 1032;
/// Check value and length.
const TAIL: usize = 8;
/// Corrections may take one in so many bytes of the deflate data.
const CORRECTIONS_SHARE: u64 = 4;
/// How many guesses are tried on the whole file.
const GUESSES: usize = 4;

const FHCRC: u8 = 2;
const FEXTRA: u8 = 4;
const FNAME: u8 = 8;
const FCOMMENT: u8 = 16;

/// The file, unpacked if it is gzipped.
///
/// # Errors
/// A damaged container, or one that unpacks to more than the limit.
pub fn unzipped<'a>(file: &'a [u8], limits: &Limits) -> Result<Cow<'a, [u8]>, SetError> {
    if !file.starts_with(&[0x1f, 0x8b]) {
        return Ok(Cow::Borrowed(file));
    }
    let body = &file[header_length(file).ok_or(SetError::Gzip("its header is damaged"))?..];
    let Some(at) = body.len().checked_sub(TAIL) else { return Err(SetError::Gzip("it is cut short")) };
    let (deflate, tail) = body.split_at(at);
    let bytes = u64::from(u32::from_le_bytes([tail[4], tail[5], tail[6], tail[7]]));
    if bytes > limits.max_bytes {
        return Err(SetError::TooLarge { bytes, limit: limits.max_bytes });
    }
    // A byte more, so that data that are longer than they say come to light.
    let most = (deflate.len() as u64).saturating_mul(MOST_EXPANSION);
    if bytes > most {
        return Err(SetError::Gzip("it is cut short, or its length is wrong"));
    }
    let mut out = vec![0; bytes as usize + 1];
    let progress = Inflater::new().and_then(|mut i| i.read(deflate, &mut out)).ok_or(SetError::Gzip("its data"))?;
    if !progress.ended || progress.made as u64 != bytes {
        return Err(SetError::Gzip("it is cut short, or its length is wrong"));
    }
    if progress.taken != deflate.len() {
        return Err(SetError::Gzip("something follows its first part"));
    }
    out.truncate(bytes as usize);
    if crc32fast::hash(&out).to_le_bytes() != tail[..4] {
        return Err(SetError::Gzip("its check value does not match"));
    }
    Ok(Cow::Owned(out))
}

/// The first bytes of what is gzipped; `None` for other files.
pub fn peek(file: &[u8]) -> Option<[u8; 8]> {
    let body = file.get(header_length(file).filter(|_| file.starts_with(&[0x1f, 0x8b]))?..)?;
    let mut start = [0; 8];
    let progress = Inflater::new()?.read(body, &mut start)?;
    (progress.made == start.len()).then_some(start)
}

/// Bytes before the deflate data.
fn header_length(file: &[u8]) -> Option<usize> {
    let flags = *file.get(3)?;
    if file[2] != 8 || flags & 0xe0 != 0 {
        return None;
    }
    let mut at = 10;
    if flags & FEXTRA != 0 {
        at += 2 + usize::from(u16::from_le_bytes([*file.get(at)?, *file.get(at + 1)?]));
    }
    for text in [FNAME, FCOMMENT] {
        if flags & text != 0 {
            at += file.get(at..)?.iter().position(|b| *b == 0)? + 1;
        }
    }
    if flags & FHCRC != 0 {
        at += 2;
    }
    (at <= file.len()).then_some(at)
}

/// How a file is gzipped.
pub enum Wrapper {
    /// It is not.
    None,
    /// Its header, and how its data is made.
    Gzip(Vec<u8>, Rebuild),
}

/// Ways in which `file` may be made of `inner`, the likelier first.
pub fn wrappers<'a>(file: &'a [u8], inner: &'a [u8]) -> Box<dyn Iterator<Item = Wrapper> + 'a> {
    let Some(length) = header_length(file).filter(|_| file.starts_with(&[0x1f, 0x8b])) else {
        return Box::new(std::iter::once(Wrapper::None));
    };
    let (header, deflate) = (&file[..length], &file[length..file.len() - TAIL]);
    // As zlib's header would say it: 2 and 4 are the slowest and the fastest level.
    let level = match header[8] {
        2 => 3,
        4 => 0,
        _ => 2,
    };
    let whole = [deflate];
    let guesses = search::guesses(inner, &Pieces::new(&whole), [0x78, level << 6]);
    let corrected = std::iter::once_with(|| {
        retoken::analyse(inner, deflate.iter().copied(), deflate.len() as u64, CORRECTIONS_SHARE)
    });
    let rebuilds = guesses.into_iter().take(GUESSES).map(Rebuild::Zlib);
    let rebuilds = rebuilds.chain(corrected.flatten().map(Rebuild::Retoken));
    Box::new(rebuilds.map(|rebuild| Wrapper::Gzip(header.to_vec(), rebuild)))
}

impl Wrapper {
    /// What [`join`](Self::join) runs.
    pub fn rebuilder(&self) -> Option<Rebuilder> {
        match self {
            Self::None => None,
            Self::Gzip(_, rebuild) => Some(rebuild.rebuilder()),
        }
    }

    /// Appends it to a recipe.
    pub fn write(&self, w: &mut Writer) {
        match self {
            Self::None => w.u8(0),
            Self::Gzip(header, rebuild) => {
                w.u8(1);
                w.blob(header);
                rebuild.write(w);
            }
        }
    }

    /// Reads what [`write`](Self::write) wrote.
    pub fn read(r: &mut Reader<'_>) -> Result<Self, MediaError> {
        match r.u8()? {
            0 => Ok(Self::None),
            1 => Ok(Self::Gzip(r.blob()?.to_vec(), Rebuild::read(r)?)),
            _ => Err(MediaError::Inconsistent("an unknown container")),
        }
    }

    /// Packs what `inner` hands out.
    pub fn join(
        &self,
        limits: &Limits,
        sink: &mut Sink<'_>,
        inner: impl FnOnce(&mut Sink<'_>) -> Result<(), MediaError>,
    ) -> Result<(), MediaError> {
        let Self::Gzip(header, rebuild) = self else { return inner(sink) };
        let (mut bytes, mut over) = (Vec::new(), None);
        let result = inner(&mut |piece| match limits.check((bytes.len() + piece.len()) as u64, "the unpacked file") {
            Ok(_) => {
                bytes.extend_from_slice(piece);
                std::ops::ControlFlow::Continue(())
            }
            Err(error) => {
                over = Some(error);
                std::ops::ControlFlow::Break(())
            }
        });
        over.map_or(result, Err)?;
        emit(sink, header)?;
        rebuild.run_plain(&bytes, &mut |piece| emit(sink, piece))?;
        emit(sink, &crc32fast::hash(&bytes).to_le_bytes())?;
        emit(sink, &(bytes.len() as u32).to_le_bytes())
    }
}
