//! Where the parts of a PNG file lie (PNG specification, section 5), and a compact form of the chunks that are not IDAT.
//!
//! What must stay true: header, packed chunks before, IDAT pieces and packed chunks after are the whole file; whatever is not
//! a well-formed chunk is carried as it stands.

use crate::media::{MediaError, Sink, emit};
use crate::wire::{Reader, Writer};

/// The eight bytes that open every PNG.
pub const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The image header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// 1 to 2^31 - 1.
    pub width: u32,
    /// 1 to 2^31 - 1.
    pub height: u32,
    /// Bits a sample: 1, 2, 4, 8 or 16.
    pub depth: u8,
    /// 0 gray, 2 RGB, 3 palette, 4 gray and alpha, 6 RGB and alpha.
    pub colour: u8,
    /// Adam7.
    pub interlaced: bool,
}

impl Header {
    /// The thirteen bytes of IHDR.
    fn to_bytes(self) -> [u8; 13] {
        let mut b = [0; 13];
        b[..4].copy_from_slice(&self.width.to_be_bytes());
        b[4..8].copy_from_slice(&self.height.to_be_bytes());
        (b[8], b[9], b[12]) = (self.depth, self.colour, self.interlaced.into());
        b
    }

    /// The header, or none where the specification forbids a value.
    fn from_bytes(b: &[u8]) -> Option<Self> {
        let &[w0, w1, w2, w3, h0, h1, h2, h3, depth, colour, 0, 0, interlace @ (0 | 1)] = b else { return None };
        let (width, height) = (u32::from_be_bytes([w0, w1, w2, w3]), u32::from_be_bytes([h0, h1, h2, h3]));
        Self { width, height, depth, colour, interlaced: interlace == 1 }.valid()
    }

    fn valid(self) -> Option<Self> {
        let size = 1..=0x7fff_ffff;
        let depths: &[u8] = match self.colour {
            0 => &[1, 2, 4, 8, 16],
            3 => &[1, 2, 4, 8],
            2 | 4 | 6 => &[8, 16],
            _ => &[],
        };
        (size.contains(&self.width) && size.contains(&self.height) && depths.contains(&self.depth)).then_some(self)
    }

    /// Samples a pixel.
    pub fn channels(self) -> u32 {
        match self.colour {
            2 => 3,
            4 => 2,
            6 => 4,
            _ => 1,
        }
    }

    /// Appends the header to a recipe.
    pub fn write(self, w: &mut Writer) {
        w.uint(self.width.into());
        w.uint(self.height.into());
        w.u8(self.depth | u8::from(self.interlaced) << 7);
        w.u8(self.colour);
    }

    /// Reads what [`write`](Self::write) wrote.
    pub fn read(r: &mut Reader<'_>) -> Result<Self, MediaError> {
        let width = r.at_most(0x7fff_ffff, "the width")? as u32;
        let height = r.at_most(0x7fff_ffff, "the height")? as u32;
        let (depth, colour) = (r.u8()?, r.u8()?);
        Self { width, height, depth: depth & 0x7f, colour, interlaced: depth & 0x80 != 0 }
            .valid()
            .ok_or(MediaError::Inconsistent("no PNG has such a header"))
    }
}

/// A chunk and the bytes after it.
struct Chunk<'a> {
    kind: &'a [u8],
    data: &'a [u8],
    crc: u32,
    rest: &'a [u8],
}

impl<'a> Chunk<'a> {
    /// The chunk that `bytes` start with, if it is whole.
    fn first(bytes: &'a [u8]) -> Option<Self> {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let length = u32::from_be_bytes(*length) as usize;
        if rest.len() < 8 || length > rest.len() - 8 {
            return None;
        }
        let (kind, rest) = rest.split_at(4);
        let (data, rest) = rest.split_at(length);
        let (crc, rest) = rest.split_first_chunk::<4>()?;
        Some(Self { kind, data, crc: u32::from_be_bytes(*crc), rest })
    }

    fn expected_crc(&self) -> u32 {
        crc(self.kind, self.data)
    }
}

fn crc(kind: &[u8], data: &[u8]) -> u32 {
    let mut c = crc32fast::Hasher::new();
    c.update(kind);
    c.update(data);
    c.finalize()
}

/// A PNG file, taken apart.
pub struct Layout<'a> {
    /// The image header.
    pub header: Header,
    /// The chunks between IHDR and the first IDAT.
    pub before: &'a [u8],
    /// The data of each IDAT.
    pub idat: Vec<&'a [u8]>,
    /// Each IDAT whose checksum is wrong: its index and what stands there.
    pub wrong: Vec<(usize, u32)>,
    /// All that follows the last IDAT.
    pub after: &'a [u8],
}

impl<'a> Layout<'a> {
    /// Takes `file` apart, or says why it cannot be.
    pub fn parse(file: &'a [u8]) -> Result<Self, &'static str> {
        let (header, body) = header(file)?;
        let mut rest = body;
        let mut chunk = Chunk::first(rest);
        while let Some(c) = chunk.as_ref().filter(|c| c.kind != b"IDAT" && c.kind != b"IEND") {
            rest = c.rest;
            chunk = Chunk::first(rest);
        }
        let before = &body[..body.len() - rest.len()];
        let (mut idat, mut wrong) = (Vec::new(), Vec::new());
        while let Some(c) = chunk.as_ref().filter(|c| c.kind == b"IDAT") {
            let expected = c.expected_crc();
            if c.crc != expected {
                wrong.push((idat.len(), c.crc));
            }
            idat.push(c.data);
            rest = c.rest;
            chunk = Chunk::first(rest);
        }
        if idat.is_empty() {
            return Err(if chunk.is_none() { "it is cut short" } else { "it has no image data" });
        }
        // an IDAT further on (after another chunk) stays among the rest: then the data before it does not end
        Ok(Self { header, before, idat, wrong, after: rest })
    }
}

/// Bytes of the signature and the IHDR chunk.
pub const FRONT: usize = 8 + 12 + 13;

/// The header of a file, and what follows its chunk.
pub fn header(file: &[u8]) -> Result<(Header, &[u8]), &'static str> {
    let body = file.strip_prefix(SIGNATURE).ok_or("it has no PNG signature")?;
    let first = Chunk::first(body).ok_or("it is cut short")?;
    if first.kind != b"IHDR" || first.crc != first.expected_crc() {
        return Err("its header is damaged");
    }
    let header = Header::from_bytes(first.data).ok_or("its header is not one that the PNG specification allows")?;
    Ok((header, first.rest))
}

/// Hands out the signature and the IHDR chunk.
pub fn emit_header(header: Header, sink: &mut Sink<'_>) -> Result<(), MediaError> {
    emit(sink, SIGNATURE)?;
    emit_chunk(b"IHDR", &header.to_bytes(), None, sink)
}

pub fn emit_chunk(kind: &[u8], data: &[u8], wrong_crc: Option<u32>, sink: &mut Sink<'_>) -> Result<(), MediaError> {
    emit(sink, &(data.len() as u32).to_be_bytes())?;
    emit(sink, kind)?;
    emit(sink, data)?;
    emit(sink, &wrong_crc.unwrap_or_else(|| crc(kind, data)).to_be_bytes())
}

const END: u8 = 0;
const CHUNK: u8 = 1;
const WRONG_CRC: u8 = 2;
const RAW: u8 = 3;
const IEND: u8 = 4;

/// Packs a run of chunks: tag 1: type, data (length, bytes); tag 2: the same and the wrong checksum; tag 3: the rest
/// (length, bytes), which is no chunk; tag 4: IEND; tag 0 ends the list.
pub fn pack(mut bytes: &[u8], w: &mut Writer) {
    while !bytes.is_empty() {
        let Some(c) = Chunk::first(bytes) else {
            w.u8(RAW);
            w.blob(bytes);
            break;
        };
        bytes = c.rest;
        let right = c.crc == c.expected_crc();
        if right && c.kind == b"IEND" && c.data.is_empty() {
            w.u8(IEND);
            continue;
        }
        w.u8(if right { CHUNK } else { WRONG_CRC });
        w.raw(c.kind);
        w.blob(c.data);
        if !right {
            w.u32_le(c.crc);
        }
    }
    w.u8(END);
}

/// Reads a list that [`pack`] wrote and hands its bytes to `sink`.
pub fn unpack(r: &mut Reader<'_>, sink: &mut Sink<'_>) -> Result<(), MediaError> {
    loop {
        match r.u8()? {
            END => return Ok(()),
            RAW => emit(sink, r.blob()?)?,
            IEND => emit_chunk(b"IEND", &[], None, sink)?,
            tag @ (CHUNK | WRONG_CRC) => {
                let kind = r.raw(4)?;
                let data = r.blob()?;
                if data.len() > 0x7fff_ffff {
                    return Err(MediaError::Inconsistent("a PNG chunk is too long"));
                }
                let wrong = if tag == WRONG_CRC { Some(r.u32_le()?) } else { None };
                emit_chunk(kind, data, wrong, sink)?;
            }
            _ => return Err(MediaError::Inconsistent("an unknown kind of PNG chunk")),
        }
    }
}
