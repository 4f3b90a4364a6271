//! Which zlib parameters wrote a deflate stream?
//!
//! What must stay true: the answer is a list of guesses, the likelier first; the caller tries them on the whole file, so a
//! wrong guess costs time and nothing else.
//!
//! The level and the strategy decide which tokens a compressor chooses, whatever its blocks: so a guess compresses the first
//! few thousand bytes by themselves and compares tokens. memLevel decides after how many tokens a block ends.

use std::ops::ControlFlow;

use super::idat::Pieces;
use super::tokens::{self, Token, span};
use crate::media::image::zlib::{Deflater, Params};

/// How much of the input is compressed to tell guesses apart, in turn, and with how few left that is enough: then the whole
/// file is tried with each, which, too, stops where it first differs, and most often the first is right. (Where there is
/// little to match, in noise or on an empty background, the levels agree for long.)
const STEPS: [(usize, usize); 5] = [(1 << 12, 1), (1 << 14, 4), (1 << 16, 8), (1 << 18, 8), (1 << 20, 8)];
/// What is this near to the end of the input is not compared: matches (258 bytes) and zlib's look-ahead end there.
const MARGIN: usize = 600;

/// The guesses that agree with the stream, as far as they were tried.
///
/// `input` is what was compressed, `deflate` the raw deflate data, `header` the two bytes of the zlib header.
pub fn guesses(input: &[u8], deflate: &Pieces<'_>, header: [u8; 2]) -> Vec<Params> {
    let mut list = Vec::new();
    for (step, few) in STEPS {
        let part = &input[..input.len().min(step)];
        let whole = part.len() == input.len();
        let wanted = tokens::start(deflate.bytes(), part.len());
        if list.is_empty() {
            list = candidates(header, wanted.first_block);
        }
        let compared = if whole { part.len() } else { part.len() - MARGIN };
        // those that differ in memLevel and window alone choose the same tokens but for rare hash chains
        list.retain(|&params| agrees(params, part, &wanted.tokens, compared));
        if list.len() <= few || whole {
            break;
        }
    }
    list
}

/// Every distinct setting, ordered by what the header says: its window first, and the levels that write its FLEVEL.
fn candidates([cmf, flg]: [u8; 2], first_block: Option<usize>) -> Vec<Params> {
    // levels 1 to 3 ignore Z_FILTERED; run length, Huffman only and fixed codes hardly depend on the level
    let mut kinds: Vec<(u8, u8)> = (1..=9).flat_map(|level| [(level, 1), (level, 0)]).collect();
    kinds.retain(|&(level, strategy)| strategy == 0 || level >= 4);
    kinds.extend([(6, 3), (6, 2), (6, 4)]);
    // what zlib writes: FLEVEL 0 below level 2 and for strategies from 2 on, 1 below 6, 2 for 6, 3 above
    let flevel = |level, strategy| match (level, strategy) {
        (_, 2..) | (1, _) => 0,
        (2..=5, _) => 1,
        (6, _) => 2,
        _ => 3,
    };
    // the level that most programs choose first: 9 and 6
    kinds.sort_by_key(|&(level, strategy)| (flevel(level, strategy) != flg >> 6, level % 3, 9 - level));
    let declared = ((cmf >> 4) + 8).clamp(9, 15);
    let windows: &[u8] = if declared == 15 { &[15] } else { &[declared, 15] };
    // a block ends when its buffer of 2^(memLevel + 6) - 1 tokens is full
    let memories: Vec<u8> = match first_block {
        Some(count) => (1..=9).filter(|m| (1 << (m + 6)) - 1 == count).collect(),
        None => vec![8, 9],
    };
    let mut list = Vec::new();
    for (level, strategy) in kinds {
        for &window in windows {
            list.extend(memories.iter().map(|&memory| Params { level, memory, strategy, window }));
        }
    }
    list
}

/// Whether compressing `input` gives the tokens `wanted`, as far as they lie within the first `compared` bytes.
fn agrees(params: Params, input: &[u8], wanted: &[Token], compared: usize) -> bool {
    let Some(mut deflater) = Deflater::new(params) else { return false };
    let mut made = Vec::new();
    let flow = deflater.write(input, true, |bytes| {
        made.extend_from_slice(bytes);
        ControlFlow::Continue(())
    });
    let made = tokens::start(made.into_iter(), input.len());
    let mut at = 0;
    for (i, &token) in made.tokens.iter().enumerate() {
        at += span(token);
        if at > compared {
            break;
        }
        if wanted.get(i) != Some(&token) {
            return false;
        }
    }
    flow.is_continue()
}
