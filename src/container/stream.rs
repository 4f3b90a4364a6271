//! Header and chunks to the bytes of a stream, and back.

use super::{Header, MAGIC, StreamError, VERSION, archive};
use crate::wire::{Reader, WireError, Writer};

/// A stream whose header was read and checked; the chunks are still coded.
#[derive(Debug, Clone)]
pub struct Opened<'a> {
    /// Release and revision of the format that it names.
    pub version: [u8; 2],
    /// The header.
    pub header: Header,
    /// The coded bytes of each chunk of the table.
    pub chunks: Vec<&'a [u8]>,
    /// Bytes of the stream that are not chunks.
    pub overhead: usize,
}

/// The bytes of a stream: magic, version, header with its length and CRC-32, then the chunks.
///
/// `chunks` are the coded bytes in the order of the header's table, with the lengths that it names.
pub fn assemble<'a>(header: &Header, chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut bytes = front(header);
    let start = bytes.len();
    bytes.reserve_exact(header.coded() as usize);
    for (chunk, entry) in chunks.into_iter().zip(&header.chunks) {
        debug_assert_eq!(chunk.len() as u64, entry.coded);
        bytes.extend_from_slice(chunk);
    }
    debug_assert_eq!((bytes.len() - start) as u64, header.coded());
    bytes
}

/// How many bytes of a stream with this header are not chunks.
pub fn overhead(header: &Header) -> usize {
    front(header).len()
}

/// Everything before the chunks.
pub fn front(header: &Header) -> Vec<u8> {
    let mut body = Writer::new();
    header.write(&mut body);
    let body = body.finish();
    let mut w = Writer::new();
    w.raw(&MAGIC);
    w.raw(&VERSION);
    w.blob(&body);
    let mut bytes = w.finish();
    let crc = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&crc.to_le_bytes());
    bytes
}

/// Reads and checks the header of a stream and finds its chunks. Allocates in proportion to the bytes given.
pub fn open(stream: &[u8]) -> Result<Opened<'_>, StreamError> {
    let (header, overhead) = open_front(stream)?;
    let rest = &stream[overhead..];
    let (have, need) = (rest.len() as u64, header.coded());
    if have < need {
        return Err(StreamError::Truncated { missing: need - have });
    }
    if have > need {
        return Err(StreamError::Trailing(have - need));
    }
    let mut left = rest;
    let mut chunks = Vec::with_capacity(header.chunks.len());
    for entry in &header.chunks {
        let (chunk, tail) = left.split_at(entry.coded as usize);
        chunks.push(chunk);
        left = tail;
    }
    Ok(Opened { version: [stream[MAGIC.len()], stream[MAGIC.len() + 1]], header, chunks, overhead })
}

/// Reads and checks the header at the beginning of a stream, and says where the first chunk begins.
pub fn open_front(stream: &[u8]) -> Result<(Header, usize), StreamError> {
    let (body, rest) = frame(stream)?;
    let overhead = stream.len() - rest.len();
    if crc32fast::hash(&stream[..overhead - 4]) != le32(&stream[overhead - 4..]) {
        return Err(StreamError::Checksum);
    }
    Ok((Header::read(&mut Reader::new(body))?, overhead))
}

/// Corrects the check value of a header whose bytes were changed, so that tests reach what lies behind it.
/// False when there is no header to seal.
pub fn reseal(stream: &mut [u8]) -> bool {
    let Ok((_, rest)) = frame(stream) else { return false };
    let end = stream.len() - rest.len() - 4;
    let crc = crc32fast::hash(&stream[..end]);
    stream[end..end + 4].copy_from_slice(&crc.to_le_bytes());
    true
}

/// The header's bytes, and what follows its check value.
fn frame(stream: &[u8]) -> Result<(&[u8], &[u8]), StreamError> {
    if archive::is_archive(stream) {
        return Err(StreamError::Archive);
    }
    let mut r = Reader::new(stream);
    let known = stream.len().min(MAGIC.len());
    if known == 0 || stream[..known] != MAGIC[..known] {
        return Err(StreamError::NotAStream);
    }
    let short = |missing: u64| StreamError::Truncated { missing };
    let least = (MAGIC.len() + VERSION.len()) as u64;
    r.raw(MAGIC.len()).map_err(|_| short(least - stream.len() as u64))?;
    let version = r.raw(VERSION.len()).map_err(|_| short(least - stream.len() as u64))?;
    if version != VERSION {
        return Err(StreamError::Version { found: [version[0], version[1]] });
    }
    let length = match r.uint() {
        Err(WireError::Truncated) => return Err(short(1)),
        other => other?,
    };
    let (have, need) = (r.remaining() as u64, length.saturating_add(4));
    if have < need {
        return Err(short(need - have));
    }
    let body = r.raw(length as usize)?;
    let _check = r.raw(4)?;
    Ok((body, &stream[stream.len() - r.remaining()..]))
}

fn le32(bytes: &[u8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}
