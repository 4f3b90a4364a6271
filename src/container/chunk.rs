//! The entries of the chunk table.

use crate::wire::{Reader, WireError, Writer};

/// How a chunk's bytes are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// As they are.
    Stored,
    /// By the byte model.
    Bytes,
    /// By the network that the header names.
    Network,
    /// Samples of sound, by `predict::audio`.
    Samples,
}

impl Coding {
    /// The word that `info` prints.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Bytes => "bytes",
            Self::Network => "network",
            Self::Samples => "samples",
        }
    }
}

/// What a chunk's bytes are a part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// What a medium needs beside the content to restore the exact file. All recipe chunks come before the content.
    Recipe,
    /// How the network is adapted to the content: the code of `adapt::delta`. At most one, between recipe and content.
    Adaptation,
    /// What the content's bands leave out, before them: of planes, in at most one chunk, the pixels that they do not give
    /// (`media::image::lattice`); of a picture with alpha, its alpha.
    Beside,
    /// The samples of a medium, or the bytes of a file without one.
    Content,
}

/// One entry of the chunk table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    /// How the bytes are coded.
    pub coding: Coding,
    /// What they belong to.
    pub role: Role,
    /// How many bytes of the stream hold the chunk; equal to `decoded` for a stored one.
    pub coded: u64,
    /// How many bytes it decodes to; never 0.
    pub decoded: u64,
    /// CRC-32 (IEEE 802.3) of the decoded bytes.
    pub crc: u32,
}

/// Bits of the tag byte that say what a chunk belongs to.
const RECIPE: u8 = 4;
const ADAPTATION: u8 = 8;
const BESIDE: u8 = 12;

impl Chunk {
    /// The fewest bytes that an entry takes.
    pub(super) const LEAST: usize = 6;

    pub(super) fn write(&self, w: &mut Writer) {
        let coding = match self.coding {
            Coding::Stored => 0,
            Coding::Bytes => 1,
            Coding::Network => 2,
            Coding::Samples => 3,
        };
        w.u8(coding
            | match self.role {
                Role::Content => 0,
                Role::Recipe => RECIPE,
                Role::Adaptation => ADAPTATION,
                Role::Beside => BESIDE,
            });
        w.uint(self.decoded);
        if self.coding != Coding::Stored {
            w.uint(self.coded);
        }
        w.u32_le(self.crc);
    }

    pub(super) fn read(r: &mut Reader) -> Result<Self, WireError> {
        let tag = r.u8()?;
        let (role, coding) = match tag & !3 {
            0 => (Role::Content, tag & 3),
            RECIPE => (Role::Recipe, tag & 3),
            ADAPTATION => (Role::Adaptation, tag & 3),
            BESIDE => (Role::Beside, tag & 3),
            _ => return Err(WireError::OutOfRange("the tag of a chunk")),
        };
        let coding = match coding {
            0 => Coding::Stored,
            1 => Coding::Bytes,
            2 => Coding::Network,
            _ => Coding::Samples,
        };
        let decoded = r.uint()?;
        if decoded == 0 {
            return Err(WireError::OutOfRange("the length of a chunk"));
        }
        let coded = if coding == Coding::Stored { decoded } else { r.uint()? };
        Ok(Self { coding, role, coded, decoded, crc: r.u32_le()? })
    }
}
