//! Large files that are stored: copied while they are read.
//!
//! What must stay true: memory does not grow with the file.

use super::super::compress::Summary;
use super::super::error::CompressError;
use super::super::long::{Identity, Input, Long, whole_file};
use super::super::progress::Progress;
use crate::container::{self, Coding, Content, Header, Hint};
use crate::entropy::Bits;
use std::io::{Read, Write};

/// Bytes that are copied at once.
const PIECE: u64 = 1 << 20;

/// Stores a file; `why` becomes a note.
pub fn store<S: Write>(
    input: impl Read,
    mut aside: S,
    why: &str,
    progress: &dyn Progress,
) -> Result<Long<S>, CompressError> {
    let mut input = Input::new(input);
    loop {
        let piece = input.next(PIECE)?;
        if piece.is_empty() {
            break;
        }
        progress.begin(piece.len() as u64);
        aside.write_all(&piece)?;
        progress.advance(piece.len() as u64);
    }
    let Identity { length, checksum, crc } = input.identity();
    let content = Content::Bytes(Hint::default());
    let header = Header { length, checksum, medium: None, model: None, parts: Vec::new(), content, chunks: Vec::new() };
    let summary = Summary {
        length,
        coding: Coding::Stored,
        medium: None,
        samples: None,
        cost: Bits::default(),
        chunks: 0,
        overhead: 0,
        exact: true,
        notes: vec![why.to_owned()],
    };
    let (header, summary) = whole_file(header, summary, crc);
    Ok(Long { front: container::front(&header), recipe: Vec::new(), aside, undo: None, summary })
}
