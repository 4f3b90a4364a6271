//! The header: what a stream holds, what a decoder needs for it, and where its chunks lie.

use super::chunk::{Chunk, Coding, Role};
use super::{CHECKSUM_BYTES, MAX_ADAPTATION, MAX_LANES, MAX_SEGMENT, StreamError};
use crate::media::audio::SampleFormat;
use crate::media::image::lattice::Transform;
use crate::wire::{Reader, WireError, Writer};

/// Bits of the flags byte.
const HAS_MEDIUM: u8 = 1;
const HAS_MODEL: u8 = 2;

/// Most adaptive parts and rebuilders that one stream may name.
const MAX_PARTS: u64 = 16;
/// Most bytes of a part's name, and of its version.
const MAX_NAME: usize = 32;

/// The medium that split a file into content and recipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Medium {
    /// Number of the medium in the registry of `media`.
    pub id: u8,
    /// Version of its recipes.
    pub version: u32,
}

/// An adaptive part or a rebuilder that a decoder must have in exactly this version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// Its name: 1 to 32 bytes of printable ASCII.
    pub name: String,
    /// Its version, in the same alphabet.
    pub version: String,
}

/// What the byte model is told about the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hint {
    /// Bytes from one record (a row of samples) to the next; 0 when not known.
    pub record: u32,
    /// Bytes from one pixel to the next within a record; 0 when not known.
    pub pixel: u32,
}

/// What the content's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Bytes, cut into segments in order.
    Bytes(Hint),
    /// Samples of a picture, row by row: one chunk a band, from top to bottom.
    Bands {
        /// Pixels a row.
        width: u32,
        /// Rows.
        height: u32,
        /// Samples a pixel: 1 or 3.
        channels: u8,
    },
    /// Samples of a picture, row by row, cut into segments as bytes are.
    Rows {
        /// Pixels a row.
        width: u32,
        /// Rows.
        height: u32,
        /// Samples a pixel: 1 or 3.
        channels: u8,
    },
    /// Symbols of a set of examples, one example after the other: each chunk has some of them, most coded by the network.
    Set {
        /// Symbols of all examples.
        symbols: u32,
        /// Examples that are decoded side by side: 1 to [`MAX_LANES`].
        lanes: u16,
        /// Bytes of a symbol in what chunks decode to: 1, or 2 (lowest first) if the alphabet has more than 256 values.
        bytes: u8,
    },
    /// Planes of a colour picture whose colours were made from them, in bands as [`Content::Bands`].
    Planes {
        /// Pixels a row.
        width: u32,
        /// Rows.
        height: u32,
        /// Number of the transform in `media::image::lattice`.
        transform: u8,
    },
    /// A picture in bands as [`Content::Bands`], whose alpha lies beside them.
    Alpha {
        /// Pixels a row.
        width: u32,
        /// Rows.
        height: u32,
        /// Samples a pixel without alpha: 1 or 3.
        channels: u8,
    },
    /// Rows of samples that have a predictor of their own, cut into segments of whole rows.
    Raster {
        /// Pixels a row; of a picture of one bit a pixel, bytes a row.
        width: u32,
        /// Rows.
        height: u32,
        /// Samples of 16 bits a pixel, higher byte first: 1 to 4. Or 0: one bit a pixel, the first in a byte's highest bit.
        channels: u8,
    },
    /// Frames of sound as the file holds them, cut into segments: one chunk each.
    Sound {
        /// Frames a second, as the file says.
        rate: u32,
        /// Frames of a segment; the last may have fewer. At least 1, at most [`MAX_SEGMENT`].
        segment: u32,
        /// 1 to 8.
        channels: u8,
        /// How a sample stands.
        format: SampleFormat,
    },
}

impl Content {
    /// Number of samples of a picture, or of symbols of a set; `None` for what only the chunks say.
    pub fn samples(&self) -> Option<u64> {
        match *self {
            Self::Bytes(_) | Self::Sound { .. } => None,
            Self::Bands { width, height, channels } | Self::Rows { width, height, channels } => {
                Some((u64::from(width) * u64::from(height)).saturating_mul(u64::from(channels)))
            }
            Self::Planes { width, height, .. } => Some((u64::from(width) * u64::from(height)).saturating_mul(3)),
            Self::Alpha { width, height, channels } => {
                Some((u64::from(width) * u64::from(height)).saturating_mul(u64::from(channels) + 1))
            }
            Self::Raster { width, height, channels } => {
                let pixel = if channels == 0 { 8 } else { channels.into() };
                Some((u64::from(width) * u64::from(height)).saturating_mul(pixel))
            }
            Self::Set { symbols, .. } => Some(symbols.into()),
        }
    }

    /// Size and channels of a picture in bands; `None` for anything else.
    pub fn banded(&self) -> Option<(u32, u32, u8)> {
        match *self {
            Self::Bands { width, height, channels } | Self::Alpha { width, height, channels } => {
                Some((width, height, channels))
            }
            Self::Planes { width, height, .. } => Some((width, height, 3)),
            _ => None,
        }
    }

    /// Bytes that the chunks decode to; `None` where only the file says it.
    fn decoded(&self) -> Option<u64> {
        match *self {
            Self::Set { bytes, .. } => self.samples().map(|n| n.saturating_mul(bytes.into())),
            Self::Raster { width, height, .. } => {
                Some((u64::from(width) * u64::from(height)).saturating_mul(self.raster_unit()))
            }
            Self::Alpha { width, height, channels } => Self::Bands { width, height, channels }.samples(),
            _ => self.samples(),
        }
    }

    /// Bytes of a raster's unit of width.
    fn raster_unit(&self) -> u64 {
        if let Self::Raster { channels: channels @ 1.., .. } = *self { 2 * u64::from(channels) } else { 1 }
    }

    /// Bytes a row of a raster.
    pub fn raster_line(&self) -> Option<u64> {
        if let Self::Raster { width, .. } = *self { Some(u64::from(width) * self.raster_unit()) } else { None }
    }

    /// Bytes that the chunks beside the content decode to; `None` where it may be any number.
    fn beside(&self) -> Option<u64> {
        match *self {
            Self::Planes { .. } => None,
            Self::Alpha { width, height, .. } => Some(u64::from(width) * u64::from(height)),
            _ => Some(0),
        }
    }

    fn write(&self, w: &mut Writer) {
        let (kind, a, b, last) = match *self {
            Self::Bytes(hint) => (0, hint.record, hint.pixel, None),
            Self::Bands { width, height, channels } => (1, width, height, Some(channels)),
            Self::Rows { width, height, channels } => (2, width, height, Some(channels)),
            Self::Set { symbols, lanes, bytes } => (3, symbols, lanes.into(), Some(bytes)),
            Self::Sound { rate, segment, channels, format } => {
                (4, rate, segment, Some((channels - 1) << 4 | format as u8))
            }
            Self::Planes { width, height, transform } => (5, width, height, Some(transform)),
            Self::Raster { width, height, channels } => (6, width, height, Some(channels)),
            Self::Alpha { width, height, channels } => (7, width, height, Some(channels)),
        };
        w.u8(kind);
        w.uint(u64::from(a));
        w.uint(u64::from(b));
        if let Some(last) = last {
            w.u8(last);
        }
    }

    fn read(r: &mut Reader) -> Result<Self, WireError> {
        let kind = r.u8()?;
        let width = r.at_most(u64::from(u32::MAX), "a width")? as u32;
        let height = r.at_most(u64::from(u32::MAX), "a height")? as u32;
        if kind == 0 {
            return Ok(Self::Bytes(Hint { record: width, pixel: height }));
        }
        let channels = r.u8()?;
        if kind == 3 {
            let lanes = u16::try_from(height).ok().filter(|n| (1..=MAX_LANES).contains(n));
            let lanes = lanes.filter(|_| width > 0 && matches!(channels, 1 | 2));
            let lanes = lanes.ok_or(WireError::OutOfRange("the shape of a set"))?;
            return Ok(Self::Set { symbols: width, lanes, bytes: channels });
        }
        if kind == 4 {
            let segment = Some(height).filter(|n| (1..=MAX_SEGMENT).contains(n));
            let format = SampleFormat::from_id(channels & 15);
            let shape = segment.zip(format).filter(|_| channels >> 4 < 8);
            let (segment, format) = shape.ok_or(WireError::OutOfRange("the shape of sound"))?;
            return Ok(Self::Sound { rate: width, segment, channels: (channels >> 4) + 1, format });
        }
        let is_shape = match kind {
            5 => Transform::from_id(channels).is_some(),
            6 => channels <= 4,
            _ => matches!(channels, 1 | 3),
        };
        if width == 0 || height == 0 || !is_shape {
            return Err(WireError::OutOfRange("the shape of a picture"));
        }
        match kind {
            1 => Ok(Self::Bands { width, height, channels }),
            2 => Ok(Self::Rows { width, height, channels }),
            5 => Ok(Self::Planes { width, height, transform: channels }),
            6 => Ok(Self::Raster { width, height, channels }),
            7 => Ok(Self::Alpha { width, height, channels }),
            _ => Err(WireError::OutOfRange("the kind of content")),
        }
    }
}

/// Everything that stands before the chunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Length in bytes of the file that the stream restores.
    pub length: u64,
    /// BLAKE3 of that file, its first 128 bits.
    pub checksum: [u8; CHECKSUM_BYTES],
    /// The medium that restores the file from content and recipe; `None` when the content is the file.
    pub medium: Option<Medium>,
    /// Identity of the network; present exactly when a chunk is coded by it.
    pub model: Option<[u8; 16]>,
    /// What else a decoder must have, sorted, each name once.
    pub parts: Vec<Part>,
    /// What the content's bytes are.
    pub content: Content,
    /// The chunks in their order: first the recipe's, then the content's.
    pub chunks: Vec<Chunk>,
}

impl Header {
    /// Bytes that the chunks of a role decode to, without overflow (a read header was checked for that).
    pub fn decoded(&self, role: Role) -> u64 {
        self.chunks.iter().filter(|c| c.role == role).map(|c| c.decoded).fold(0, u64::saturating_add)
    }

    /// Number of samples of a picture or of sound, or of symbols of a set; `None` for bytes.
    pub fn samples(&self) -> Option<u64> {
        match self.content {
            Content::Sound { format, .. } => Some(self.decoded(Role::Content) / format.bytes() as u64),
            content => content.samples(),
        }
    }

    /// Whether the content's chunks are whole segments of sound, if it is sound.
    fn has_segments(&self) -> bool {
        let Content::Sound { segment, channels, format, .. } = self.content else { return true };
        let frame = u64::from(channels) * format.bytes() as u64;
        let whole = u64::from(segment) * frame;
        let lengths: Vec<u64> = self.chunks.iter().filter(|c| c.role == Role::Content).map(|c| c.decoded).collect();
        match lengths.split_last() {
            Some((last, others)) => others.iter().all(|n| *n == whole) && *last <= whole && last % frame == 0,
            None => false,
        }
    }

    /// The entry of the network's adaptation, if there is one, and its place in the table.
    pub fn adaptation(&self) -> Option<(usize, &Chunk)> {
        self.chunks.iter().enumerate().find(|(_, c)| c.role == Role::Adaptation)
    }

    /// Bytes of the stream that the chunks take.
    pub fn coded(&self) -> u64 {
        self.chunks.iter().map(|c| c.coded).fold(0, u64::saturating_add)
    }

    /// Bytes that a decoder must allocate and that the stream's own length does not justify: everything decoded, apart from
    /// stored chunks of a file without a medium.
    pub fn memory(&self) -> u64 {
        let expands = |c: &&Chunk| self.medium.is_some() || c.coding != Coding::Stored;
        let mut decoded = self.chunks.iter().filter(expands).map(|c| c.decoded).fold(0, u64::saturating_add);
        if let Content::Set { symbols, .. } = self.content {
            // As symbols of two bytes beside.
            decoded = decoded.saturating_add(2 * u64::from(symbols));
        }
        if self.medium.is_some() { decoded.saturating_add(self.length) } else { decoded }
    }

    pub(super) fn write(&self, w: &mut Writer) {
        let flag = |is, bit| if is { bit } else { 0 };
        w.u8(flag(self.medium.is_some(), HAS_MEDIUM) | flag(self.model.is_some(), HAS_MODEL));
        w.uint(self.length);
        w.raw(&self.checksum);
        if let Some(medium) = self.medium {
            w.u8(medium.id);
            w.uint(u64::from(medium.version));
        }
        if let Some(model) = &self.model {
            w.raw(model);
        }
        w.uint(self.parts.len() as u64);
        for part in &self.parts {
            w.text(&part.name);
            w.text(&part.version);
        }
        self.content.write(w);
        w.uint(self.chunks.len() as u64);
        for chunk in &self.chunks {
            chunk.write(w);
        }
    }

    pub(super) fn read(r: &mut Reader) -> Result<Self, StreamError> {
        let flags = r.u8()?;
        if flags & !(HAS_MEDIUM | HAS_MODEL) != 0 {
            return Err(StreamError::Inconsistent("a reserved bit is set"));
        }
        let length = r.uint()?;
        let checksum = array(r)?;
        let medium = if flags & HAS_MEDIUM != 0 {
            Some(Medium { id: r.u8()?, version: r.at_most(u64::from(u32::MAX), "the version of a medium")? as u32 })
        } else {
            None
        };
        let model = if flags & HAS_MODEL != 0 { Some(array(r)?) } else { None };
        let mut parts = Vec::new();
        for _ in 0..r.at_most(MAX_PARTS, "the number of parts")? {
            parts.push(Part { name: name(r)?, version: name(r)? });
        }
        let content = Content::read(r)?;
        let count = r.count(Chunk::LEAST, "the number of chunks")?;
        let mut chunks = Vec::with_capacity(count);
        for _ in 0..count {
            chunks.push(Chunk::read(r)?);
        }
        r.end()?;
        let header = Self { length, checksum, medium, model, parts, content, chunks };
        header.check()?;
        Ok(header)
    }

    /// The rules that tie fields together.
    fn check(&self) -> Result<(), StreamError> {
        let refuse = |what| Err(StreamError::Inconsistent(what));
        let total = |f: fn(&Chunk) -> u64| self.chunks.iter().try_fold(0u64, |sum, c| sum.checked_add(f(c)));
        if total(|c| c.decoded).is_none() || total(|c| c.coded).is_none() {
            return refuse("the chunks are longer than any file");
        }
        if self.parts.windows(2).any(|p| p[0].name >= p[1].name) {
            return refuse("the parts are not in order");
        }
        let recipes = self.chunks.iter().take_while(|c| c.role == Role::Recipe).count();
        let rest = &self.chunks[recipes..];
        let adaptation = rest.first().filter(|c| c.role == Role::Adaptation);
        let rest = &rest[usize::from(adaptation.is_some())..];
        let beside = rest.iter().take_while(|c| c.role == Role::Beside).count();
        if rest[beside..].iter().any(|c| c.role != Role::Content) {
            return refuse("a recipe, an adaptation or what is beside the content stands behind the content");
        }
        let fits = match self.content.beside() {
            Some(bytes) => self.decoded(Role::Beside) == bytes,
            None => beside <= 1,
        };
        if !fits {
            return refuse("what is beside the content is not what belongs there");
        }
        if adaptation.is_some_and(|c| c.coding != Coding::Stored || c.decoded > MAX_ADAPTATION) {
            return refuse("an adaptation is coded or longer than adaptations are");
        }
        let networks = self.chunks.iter().any(|c| c.coding == Coding::Network);
        if networks != self.model.is_some() {
            return refuse("a network is named and not used, or used and not named");
        }
        let banded = self.content.banded().is_some();
        let set = matches!(self.content, Content::Set { .. });
        if self.chunks.iter().any(|c| c.coding == Coding::Network && (c.role != Role::Content || !(banded || set))) {
            return refuse("a network codes something else than a band or examples");
        }
        if banded && !networks {
            return refuse("bands without a network");
        }
        if set && !networks {
            return refuse("a set without a network");
        }
        let is_sound = matches!(self.content, Content::Sound { .. });
        let is_raster = matches!(self.content, Content::Raster { .. });
        let samples = |c: &&Chunk| c.coding == Coding::Samples;
        if self.chunks.iter().filter(samples).any(|c| c.role != Role::Content || !(is_sound || is_raster)) {
            return refuse("a chunk of samples that is neither sound nor a raster");
        }
        if is_sound && self.medium.is_none() {
            return refuse("sound without a medium");
        }
        if !self.has_segments() {
            return refuse("the chunks are not the segments of the sound");
        }
        if adaptation.is_some() && !banded {
            return refuse("an adaptation without bands");
        }
        match (self.medium, self.content.decoded()) {
            (None, _) if recipes > 0 => refuse("a recipe without a medium"),
            (None, Some(_)) => refuse("a picture or a set without a medium"),
            (None, None) if self.decoded(Role::Content) != self.length => refuse("the chunks do not make up the file"),
            (Some(_), Some(bytes)) if self.decoded(Role::Content) != bytes => {
                refuse("the chunks do not make up the picture or the set")
            }
            _ => Ok(()),
        }
    }
}

fn array(r: &mut Reader) -> Result<[u8; 16], WireError> {
    let mut out = [0; 16];
    out.copy_from_slice(r.raw(16)?);
    Ok(out)
}

fn name(r: &mut Reader) -> Result<String, WireError> {
    let text = r.text()?;
    if text.is_empty() || text.len() > MAX_NAME || !text.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(WireError::OutOfRange("the name or version of a part"));
    }
    Ok(text.to_owned())
}
