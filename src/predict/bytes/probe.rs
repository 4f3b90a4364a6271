//! Cheap looks at data before they are coded: is it text, and is it worth coding at all.
//!
//! What must stay true: an answer only chooses between ways that are all lossless, so a wrong one costs size or time alone.

use super::{Hint, measure};
use crate::entropy::cost_of;

/// Data below this size are always worth a try.
const SMALL: usize = 1 << 14;
/// Blocks that are looked at, and the bytes of each.
const BLOCKS: usize = 8;
const BLOCK: usize = 2048;

/// Whether most bytes are letters and spaces, seen in every fourth KiB.
pub(super) fn looks_like_text(data: &[u8]) -> bool {
    let sample = || data.chunks(1024).step_by(4);
    let letters = sample().flatten().filter(|c| c.is_ascii_alphabetic() || **c == b' ').count();
    letters * 2 > sample().map(<[u8]>::len).sum()
}

/// Whether the bytes look compressed or encrypted already: a sample has nearly eight bits a byte, counted by values and,
/// if so, by the model itself. It takes some 20 ms at most; repeats over long distances escape it.
pub fn looks_incompressible(data: &[u8]) -> bool {
    if data.len() < SMALL {
        return false;
    }
    let step = (data.len() - BLOCK) / (BLOCKS - 1);
    let sample: Vec<u8> = (0..BLOCKS).flat_map(|i| data[i * step..][..BLOCK].iter().copied()).collect();
    let mut counts = [0u32; 256];
    for &byte in &sample {
        counts[byte as usize] += 1;
    }
    // Sum of count * log2(total / count), in units of 2^-32 bit; the sample's size is 2^14.
    let total = sample.len() as u64;
    let bits: u128 = counts.iter().filter(|&&n| n > 0).map(|&n| u128::from(n) * cost_of(n, 14).0).sum();
    if bits >> 32 < u128::from(total) * 78 / 10 {
        return false;
    }
    measure(&sample, Hint::default()).ceil_bytes() * 100 > total * 98
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_random_bytes_are_incompressible() {
        let mut state = 1u64;
        let random: Vec<u8> = (0..100_000)
            .map(|_| {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (state >> 56) as u8
            })
            .collect();
        assert!(looks_incompressible(&random));
        assert!(looks_incompressible(&random[..SMALL]));
        assert!(!looks_incompressible(&random[..SMALL - 1]));
        assert!(!looks_incompressible(&vec![7; 100_000]));
        // Uniform values, but each one known from the one before.
        let counter: Vec<u8> = (0..100_000u32).map(|i| (i * 7) as u8).collect();
        assert!(!looks_incompressible(&counter));
        assert!(!looks_like_text(&random) && looks_like_text(b"It was a bright cold day in April"));
    }
}
