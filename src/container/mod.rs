#![doc = include_str!("FORMAT.md")]
#![deny(clippy::float_arithmetic)]

pub mod archive;
mod chunk;
mod error;
mod header;
mod stream;

pub use chunk::{Chunk, Coding, Role};
pub use error::StreamError;
pub use header::{Content, Header, Hint, Medium, Part};
pub use stream::{Opened, assemble, front, open, open_front, overhead, reseal};

/// The first four bytes of every stream. The first one occurs in no UTF-8 text.
pub const MAGIC: [u8; 4] = [0xf5, b'S', b'R', b'P'];

/// Release and revision of the format that this program writes and reads.
///
/// What is added to the format raises the revision, and a stream names the lowest one that has all that it uses; what changes the
/// meaning of a field raises the release. A program reads every release and revision up to its own, and refuses later ones by
/// name. Release 0 was that of drafts, which ended with the program's version 0.1.0.
pub const VERSION: [u8; 2] = [1, 0];

/// Bytes of an adaptation at most.
pub const MAX_ADAPTATION: u64 = 1 << 20;

/// Examples of a set that are decoded side by side, at most.
pub const MAX_LANES: u16 = 256;

/// Frames of a segment of sound, at most: what bounds the room that a thread needs for one.
pub const MAX_SEGMENT: u32 = 1 << 23;

/// How many bytes a checksum of a whole file has (BLAKE3, cut to 128 bits).
pub const CHECKSUM_BYTES: usize = 16;

/// Makes the checksum of a file's bytes, piece by piece.
#[derive(Debug, Default)]
pub struct Checksum(blake3::Hasher);

impl Checksum {
    /// Goes on with `bytes`.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
    /// The checksum of everything so far.
    pub fn finish(&self) -> [u8; CHECKSUM_BYTES] {
        let mut out = [0; CHECKSUM_BYTES];
        out.copy_from_slice(&self.0.finalize().as_bytes()[..CHECKSUM_BYTES]);
        out
    }
}

/// The checksum of a file's bytes that a header holds.
pub fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut checksum = Checksum::default();
    checksum.update(bytes);
    checksum.finish()
}
