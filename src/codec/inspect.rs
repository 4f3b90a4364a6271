//! What a stream says about itself, without decoding it.

use super::decompress::supported;
use super::error::DecodeError;
use super::models::Models;
use crate::container::{self, Chunk, Coding, Content, Header, Role};
use crate::engine::ModelId;
use crate::media::{self, set};

/// A stream's header and what this program knows about the things that it names.
#[derive(Debug)]
pub struct Inspection {
    /// Release and revision of the format that the stream names.
    pub version: [u8; 2],
    /// The header.
    pub header: Header,
    /// Bytes of the stream that are not chunks.
    pub overhead: usize,
    /// Name of the medium, if there is one and this program knows it.
    pub medium: Option<&'static str>,
    /// Name of the format of a file that is stored because another program has compressed it, if its first bytes say so.
    pub packed: Option<&'static str>,
    /// The model's identity and, if it was found, its name.
    pub model: Option<(ModelId, Option<String>)>,
    /// Why this program could not decode the stream, if so (damage of chunks aside).
    pub unsupported: Option<DecodeError>,
}

/// Reads a stream's header. Fails only when there is none that can be read.
pub fn inspect(stream: &[u8], models: &Models) -> Result<Inspection, DecodeError> {
    let opened = container::open(stream)?;
    let header = opened.header;
    let name = |id| match id {
        set::MEDIUM => Some(set::NAME),
        _ => media::Medium::from_id(id).map(|m| m.format().name),
    };
    let medium = header.medium.and_then(|m| name(m.id));
    let mut unsupported = supported(&header).err();
    let mut model = None;
    if let Some(id) = header.model.map(ModelId) {
        let missing = match header.content {
            Content::Set { .. } => models.find_grid(id).err(),
            _ => models.find(id).err(),
        };
        model = Some((id, models.name_of(id)));
        unsupported = unsupported.or(missing.map(DecodeError::Model));
    }
    let stored = match (&header.chunks[..], &opened.chunks[..]) {
        ([Chunk { coding: Coding::Stored, role: Role::Content, .. }], [chunk]) if medium.is_none() => *chunk,
        _ => &[],
    };
    let packed = media::packed(stored);
    let (version, overhead) = (opened.version, opened.overhead);
    Ok(Inspection { version, header, overhead, medium, packed, model, unsupported })
}
