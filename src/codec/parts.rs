//! The adaptive parts and rebuilders of this program, by the names and versions that streams record.

use super::error::DecodeError;
use crate::container::Part;
use crate::media::{self, Rebuilder};
use crate::predict;

/// A part of `predict`, as a header names it.
pub(super) fn adaptive(part: predict::Part) -> Part {
    Part { name: part.name.to_owned(), version: part.version.to_string() }
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
        let have = known().find(|k| k.name == part.name);
        if have.as_ref() != Some(part) {
            let (name, version) = (part.name.clone(), part.version.clone());
            return Err(DecodeError::UnknownPart { name, version, known: have.map(|k| k.version) });
        }
    }
    Ok(())
}
