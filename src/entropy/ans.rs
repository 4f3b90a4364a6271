//! The ANS coder (Duda 2013) behind the same traits: a stack, so the encoder keeps the intervals and writes them in reverse.
//!
//! `benches/entropy.rs` compares it with the range coder.

use super::range::Adapter;
use super::{Coder, Damaged, Distribution};
use constriction::UnwrapInfallible;
use constriction::stream::stack::AnsCoder;
use constriction::stream::{Decode, Encode};

/// Keeps the intervals of all symbols and writes them, last first, when it is finished.
#[derive(Debug, Default)]
pub struct AnsEncoder {
    /// Left end, width and precision of each symbol's interval.
    intervals: Vec<(u32, u32, u8)>,
}

/// One kept interval, seen as a distribution.
struct Kept(u32, u32);

impl<const P: usize> Distribution<P> for Kept {
    fn interval(&self, _symbol: u32) -> (u32, u32) {
        (self.0, self.1)
    }
    fn locate(&self, _quantile: u32) -> (u32, u32, u32) {
        unreachable!("kept intervals are only encoded with")
    }
}

impl AnsEncoder {
    /// An encoder that holds no symbol.
    pub fn new() -> Self {
        Self::default()
    }

    /// The bytes.
    pub fn finish(self) -> Vec<u8> {
        let mut ans = AnsCoder::<u32, u64>::new();
        for (left, width, precision) in self.intervals.into_iter().rev() {
            let kept = Kept(left, width);
            match precision {
                16 => ans.encode_symbol(0, Adapter::<_, 16>(&kept)),
                _ => ans.encode_symbol(0, Adapter::<_, 24>(&kept)),
            }
            .expect("no interval is empty");
        }
        let words: Vec<u32> = ans.into_compressed().unwrap_infallible();
        words.iter().flat_map(|w| w.to_le_bytes()).collect()
    }
}

impl Coder for AnsEncoder {
    #[inline]
    fn code<const P: usize>(&mut self, distribution: &impl Distribution<P>, symbol: u32) -> Result<u32, Damaged> {
        const { assert!(P == 16 || P == 24) };
        let (left, width) = distribution.interval(symbol);
        self.intervals.push((left, width, P as u8));
        Ok(symbol)
    }
}

/// Reads symbols from the bytes of an [`AnsEncoder`], first symbol first.
#[derive(Debug)]
pub struct AnsDecoder(AnsCoder<u32, u64>);

impl AnsDecoder {
    /// A decoder at the first symbol; bytes that no encoder wrote (a length that is not whole words, a last word of zero)
    /// are refused.
    pub fn new(bytes: &[u8]) -> Result<Self, Damaged> {
        if bytes.len() % 4 != 0 {
            return Err(Damaged);
        }
        let words = bytes.chunks_exact(4).map(|w| u32::from_le_bytes([w[0], w[1], w[2], w[3]])).collect();
        AnsCoder::from_compressed(words).map(Self).map_err(|_| Damaged)
    }
}

impl Coder for AnsDecoder {
    #[inline]
    fn code<const P: usize>(&mut self, distribution: &impl Distribution<P>, _symbol: u32) -> Result<u32, Damaged> {
        self.0.decode_symbol(Adapter::<_, P>(distribution)).map_err(|_| Damaged)
    }
}
