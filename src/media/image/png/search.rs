//! Which zlib parameters wrote a deflate stream?
//!
//! What must stay true: the answer is a list of guesses, the likelier first; the caller tries them on the whole file, so a
//! wrong guess costs time and nothing else.

use std::ops::ControlFlow;

use super::idat::Pieces;
use crate::media::image::zlib::{Deflater, Params};

/// How much of the input is compressed to tell guesses apart, in turn. A photograph's first block ends within the first
/// step, which refutes most guesses; the others tell neighbouring levels apart.
const STEPS: [usize; 3] = [1 << 16, 1 << 19, 1 << 22];

/// The guesses that agree with the stream, as far as they were tried.
///
/// `input` is what was compressed, `deflate` the raw deflate data, `header` the two bytes of the zlib header.
pub fn guesses(input: &[u8], deflate: &Pieces<'_>, header: [u8; 2]) -> Vec<Params> {
    let mut list = candidates(header, deflate.chunk().first().copied().unwrap_or(0));
    for step in STEPS {
        let part = &input[..input.len().min(step)];
        let whole = part.len() == input.len();
        list.retain(|&params| agrees(params, part, whole, deflate.clone()));
        if list.len() <= 1 || whole {
            break;
        }
    }
    list
}

/// Every distinct setting, ordered by what the header says: its window first, and the levels that write its FLEVEL.
fn candidates([cmf, flg]: [u8; 2], first: u8) -> Vec<Params> {
    let declared = ((cmf >> 4) + 8).clamp(9, 15);
    let windows = [declared, 15];
    let windows = if declared == 15 { &windows[..1] } else { &windows };
    // levels 1 to 3 ignore Z_FILTERED; run length and Huffman only ignore the level
    let mut kinds: Vec<(u8, u8)> = Vec::new();
    match first >> 1 & 3 {
        // fixed codes: a tiny file, or Z_FIXED
        1 => kinds.extend((1..=9).flat_map(|level| [(level, 0), (level, 1), (level, 4)])),
        _ => kinds.extend((1..=9).flat_map(|level| [(level, 0), (level, 1)])),
    }
    kinds.retain(|&(level, strategy)| strategy != 1 || level >= 4);
    kinds.extend([(6, 2), (6, 3)]);
    // what zlib writes: FLEVEL 0 below level 2 and for strategies from 2 on, 1 below 6, 2 for 6, 3 above
    let flevel = |&(level, strategy): &(u8, u8)| match (level, strategy) {
        (_, 2..) | (1, _) => 0,
        (2..=5, _) => 1,
        (6, _) => 2,
        _ => 3,
    };
    // nearest to the usual level first
    kinds.sort_by_key(|k| (flevel(k) != flg >> 6, k.0.abs_diff(6)));
    let mut list = Vec::new();
    for &window in windows {
        for memory in [8, 9] {
            list.extend(kinds.iter().map(|&(level, strategy)| Params { level, memory, strategy, window }));
        }
    }
    list.sort_by_key(|p| flevel(&(p.level, p.strategy)) != flg >> 6);
    list
}

/// Whether compressing `input` (the whole of it: `finish`) starts with, or is, what comes next in `deflate`.
fn agrees(params: Params, input: &[u8], finish: bool, mut deflate: Pieces<'_>) -> bool {
    let Some(mut deflater) = Deflater::new(params) else { return false };
    // small pieces, so that a wrong guess is noticed soon after its first block
    const PIECE: usize = 1 << 13;
    let mut compare = |bytes: &[u8]| match deflate.strip(bytes) {
        true => ControlFlow::Continue(()),
        false => ControlFlow::Break(()),
    };
    for piece in input.chunks(PIECE) {
        if deflater.write(piece, false, &mut compare).is_break() {
            return false;
        }
    }
    !finish || (deflater.write(&[], true, &mut compare).is_continue() && deflate.chunk().is_empty())
}
