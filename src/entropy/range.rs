//! The range coder: a queue, so a decoder meets the symbols in the order in which the model needs them.
//! (Pasco 1976; 32-bit words, 64-bit state, at least 2^32 of range before each symbol.)

use super::{Coder, Damaged, Distribution};
use constriction::backends::{ReadWords, WriteWords};
use constriction::stream::model::{DecoderModel, EncoderModel, EntropyModel};
use constriction::stream::queue::{RangeDecoder, RangeEncoder};
use constriction::stream::{Decode, Encode};
use constriction::{Queue, UnwrapInfallible};
use std::convert::Infallible;
use std::num::NonZeroU32;

/// A [`Distribution`] in constriction's terms.
pub(super) struct Adapter<'a, D, const P: usize>(pub &'a D);

impl<D: Distribution<P>, const P: usize> EntropyModel<P> for Adapter<'_, D, P> {
    type Symbol = u32;
    type Probability = u32;
}

impl<D: Distribution<P>, const P: usize> EncoderModel<P> for Adapter<'_, D, P> {
    #[inline]
    fn left_cumulative_and_probability(&self, symbol: impl std::borrow::Borrow<u32>) -> Option<(u32, NonZeroU32)> {
        let (left, width) = self.0.interval(*symbol.borrow());
        NonZeroU32::new(width).map(|w| (left, w))
    }
}

impl<D: Distribution<P>, const P: usize> DecoderModel<P> for Adapter<'_, D, P> {
    #[inline]
    fn quantile_function(&self, quantile: u32) -> (u32, u32, NonZeroU32) {
        let (symbol, left, width) = self.0.locate(quantile);
        (symbol, left, NonZeroU32::new(width).expect("a distribution gave an empty interval"))
    }
}

/// Collects the coder's words as bytes, most significant first, so that zeros at the end can be left away.
#[derive(Debug, Default)]
struct Bytes(Vec<u8>);

impl WriteWords<u32> for Bytes {
    type WriteError = Infallible;
    fn write(&mut self, word: u32) -> Result<(), Infallible> {
        self.0.extend_from_slice(&word.to_be_bytes());
        Ok(())
    }
}

/// Reads words from bytes; beyond the end there are zeros.
#[derive(Debug)]
struct Words<'a>(&'a [u8]);

impl ReadWords<u32, Queue> for Words<'_> {
    type ReadError = Infallible;
    #[inline]
    fn read(&mut self) -> Result<Option<u32>, Infallible> {
        if let Some((word, rest)) = self.0.split_first_chunk::<4>() {
            self.0 = rest;
            return Ok(Some(u32::from_be_bytes(*word)));
        }
        if self.0.is_empty() {
            return Ok(None);
        }
        let mut word = [0; 4];
        word[..self.0.len()].copy_from_slice(self.0);
        self.0 = &[];
        Ok(Some(u32::from_be_bytes(word)))
    }
    fn maybe_exhausted(&self) -> bool {
        self.0.is_empty()
    }
}

/// Writes symbols to bytes.
#[derive(Debug)]
pub struct Encoder(RangeEncoder<u32, u64, Bytes>);

impl Default for Encoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Encoder {
    /// An encoder that holds no symbol.
    pub fn new() -> Self {
        Self(RangeEncoder::with_write_backend(Bytes::default()))
    }
    /// The bytes; zeros at the end are left away, since a [`Decoder`] reads zeros beyond the end.
    pub fn finish(self) -> Vec<u8> {
        let mut bytes = self.0.into_compressed().unwrap_infallible().0;
        while bytes.last() == Some(&0) {
            bytes.pop();
        }
        bytes
    }
}

impl Coder for Encoder {
    #[inline]
    fn code<const P: usize>(&mut self, distribution: &impl Distribution<P>, symbol: u32) -> Result<u32, Damaged> {
        const { assert!(P <= 32) };
        self.0.encode_symbol(symbol, Adapter::<_, P>(distribution)).map_err(|_| Damaged)?;
        Ok(symbol)
    }
}

/// Reads symbols from the bytes of an [`Encoder`].
///
/// It reads happily past the end: whoever uses it keeps the number of symbols and a checksum of them.
#[derive(Debug)]
pub struct Decoder<'a>(RangeDecoder<u32, u64, Words<'a>>);

impl<'a> Decoder<'a> {
    /// A decoder at the first symbol.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(RangeDecoder::with_backend(Words(bytes)).unwrap_infallible())
    }
}

impl Coder for Decoder<'_> {
    #[inline]
    fn code<const P: usize>(&mut self, distribution: &impl Distribution<P>, _symbol: u32) -> Result<u32, Damaged> {
        self.0.decode_symbol(Adapter::<_, P>(distribution)).map_err(|_| Damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{AnsDecoder, AnsEncoder, Bit, CostMeter};
    use super::*;
    use proptest::prelude::*;

    /// Uniform-ish over 0..4 in 24 bits.
    struct Quarters([u32; 3]);

    impl Distribution<24> for Quarters {
        fn interval(&self, symbol: u32) -> (u32, u32) {
            let ends = [0, self.0[0], self.0[1], self.0[2], 1 << 24];
            let (a, b) = (ends[symbol as usize], ends[symbol as usize + 1]);
            (a, b - a)
        }
        fn locate(&self, quantile: u32) -> (u32, u32, u32) {
            let symbol = self.0.iter().filter(|&&e| e <= quantile).count() as u32;
            let (left, width) = self.interval(symbol);
            (symbol, left, width)
        }
    }

    fn walk(coder: &mut impl Coder, symbols: &mut [(u32, u32)]) -> Result<(), Damaged> {
        let mut zero = 1u16;
        for (wide, bit) in symbols {
            *wide = coder.code(&Quarters([1 + u32::from(zero), 1 << 20, (1 << 24) - 1]), *wide)?;
            *bit = coder.code(&Bit { zero }, *bit)?;
            zero = zero.wrapping_mul(25173).wrapping_add(*wide as u16).max(1);
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn all_coders_agree(mut symbols in prop::collection::vec((0u32..4, 0u32..2), 0..400)) {
            let original = symbols.clone();
            let mut encoder = Encoder::new();
            walk(&mut encoder, &mut symbols).unwrap();
            let bytes = encoder.finish();
            let mut ans = AnsEncoder::new();
            walk(&mut ans, &mut symbols).unwrap();
            let stack = ans.finish();
            let mut meter = CostMeter::new();
            walk(&mut meter, &mut symbols).unwrap();
            let mut decoded = vec![(9, 9); original.len()];
            walk(&mut Decoder::new(&bytes), &mut decoded).unwrap();
            prop_assert_eq!(&decoded, &original);
            let mut decoded = vec![(9, 9); original.len()];
            walk(&mut AnsDecoder::new(&stack).unwrap(), &mut decoded).unwrap();
            prop_assert_eq!(&decoded, &original);
            // The meter's bits bound both lengths. They are no lower bound: zeros at the end of a code are left out.
            let bits = meter.bits().ceil_bits() as usize;
            prop_assert!(bytes.len() * 8 <= bits + 40, "{} {}", bits, bytes.len() * 8);
            prop_assert!(stack.len() * 8 <= bits + 70, "{} {}", bits, stack.len() * 8);
        }

        #[test]
        fn damage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut symbols = vec![(0, 0); 300];
            let _ = walk(&mut Decoder::new(&bytes), &mut symbols);
            if let Ok(mut ans) = AnsDecoder::new(&bytes) {
                let _ = walk(&mut ans, &mut symbols);
            }
        }
    }

    #[test]
    fn nothing_is_no_bytes() {
        assert!(Encoder::new().finish().is_empty());
        assert!(AnsEncoder::new().finish().is_empty());
    }
}
