//! The adaptive parts and rebuilders of this program, by the names and versions that streams record.

use super::error::DecodeError;
use super::raster::Raster;
use crate::container::{Chunk, Coding, Content, Part};
use crate::media::{self, Rebuilder};
use crate::predict::{self, audio, bytes};

/// A part of `predict`, as a header names it.
pub(super) fn adaptive(part: predict::Part) -> Part {
    Part { name: part.name.to_owned(), version: part.version.to_string() }
}

/// All parts of a stream, sorted: those that its chunks use, and others.
pub(super) fn of_chunks(chunks: &[Chunk], content: &Content, others: Vec<Part>) -> Vec<Part> {
    let uses = |coding| chunks.iter().any(|c| c.coding == coding);
    let mut parts = others;
    if uses(Coding::Bytes) {
        parts.push(adaptive(bytes::PART));
    }
    if uses(Coding::Samples) {
        parts.push(Raster::of(content).map_or(adaptive(audio::PART), Raster::part));
    }
    parts.sort();
    parts
}

/// A rebuilder of a medium, as a header names it.
pub(super) fn rebuilder(part: Rebuilder) -> Part {
    Part { name: part.name.to_owned(), version: part.version.to_owned() }
}

/// Every part that this program has.
fn known() -> impl Iterator<Item = Part> {
    let rebuilders = media::REBUILDERS.iter().copied().map(rebuilder);
    predict::PARTS.iter().copied().map(adaptive).chain(rebuilders)
}

/// Refuses a stream that needs a part which is not there in that version.
pub(super) fn require(parts: &[Part]) -> Result<(), DecodeError> {
    for part in parts {
        if known().all(|k| k != *part) {
            let have = known().filter(|k| k.name == part.name).last();
            let (name, version) = (part.name.clone(), part.version.clone());
            return Err(DecodeError::UnknownPart { name, version, known: have.map(|k| k.version) });
        }
    }
    Ok(())
}
