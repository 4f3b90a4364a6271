//! Deflate data that zlib did not write: its tokens, coded as corrections to what a plain matcher would choose.
//!
//! What must stay true: encoder and decoder are one walk ([`Model::token`]), in integers, so they cannot disagree; every step
//! of the decoder consumes scanline bytes or recipe bytes, so that no recipe makes it run on, and no recipe makes it panic.
//!
//! The scanlines are known to both sides. At each token the matcher finds the longest, nearest match here and at the next
//! byte, as any compressor with lazy matching would; whether the stream has a reference, its length and its distance are
//! coded given these, with adaptive binary probabilities. A compressor's habits (lazy or greedy, its minimum length, how far
//! it goes for three bytes) are learned in the contexts; what it does otherwise costs bits. Block boundaries and code
//! descriptions are kept as they are.

use super::matcher::Matcher;
use super::tokens::{BitWriter, Bits, BlockWriter, Kind, Token, read_block, span};
use crate::entropy::{Bit, Coder, CostMeter, Damaged, Decoder, Encoder};
use crate::media::{MediaError, Rebuilder};
use crate::wire::{Reader, Writer};

/// By name and version.
pub const REBUILDER: Rebuilder = Rebuilder { name: "retoken", version: "2" };

/// How many places can be named by their order.
const NEAREST: usize = 24;
/// A match of this length is taken without a look at the next byte.
const LONG: usize = 64;

/// The probability that the next bit is 0, in 1/65536.
#[derive(Clone, Copy)]
struct Adaptive(u16);

impl Adaptive {
    const NEW: Self = Self(1 << 15);

    fn code(&mut self, coder: &mut impl Coder, bit: bool) -> Result<bool, Damaged> {
        let zero = self.0.clamp(32, u16::MAX - 32);
        let bit = coder.code(&Bit { zero }, bit.into())? == 1;
        if bit {
            self.0 -= self.0 >> 5
        } else {
            self.0 += (u16::MAX - self.0) >> 5
        }
        Ok(bit)
    }
}

/// The walk over the tokens.
struct Model<'a> {
    matcher: Matcher<'a>,
    at: usize,
    /// The longest match at `at`.
    here: (usize, usize),
    after_literal: bool,
    reference: Vec<Adaptive>,
    same_length: Vec<Adaptive>,
    length: Vec<Adaptive>,
    nearest: Vec<Adaptive>,
}

/// A class for a match length.
fn class(length: usize) -> usize {
    match length {
        0..=2 => 0,
        3..=6 => length - 2,
        7..=8 => 5,
        9..=16 => 6,
        17..=32 => 7,
        _ => 8,
    }
}
const CLASSES: usize = 9;

impl<'a> Model<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self {
            matcher: Matcher::new(text),
            at: 0,
            here: (0, 0),
            after_literal: true,
            reference: vec![Adaptive::NEW; CLASSES * 4 * 4 * 2],
            same_length: vec![Adaptive::NEW; CLASSES * 2],
            length: vec![Adaptive::NEW; CLASSES << 8],
            nearest: vec![Adaptive::NEW; CLASSES * 2 * NEAREST],
        }
    }

    /// Codes the token at the current place: `token` when encoding, anything when decoding. Needs bytes left.
    fn token(&mut self, coder: &mut impl Coder, token: Token) -> Result<Token, Damaged> {
        let (length, distance) = self.here;
        let at = self.at;
        self.matcher.enter(at + 1);
        let left = self.matcher.text().len() - at;
        let next = if length >= LONG || left < 2 { (0, 0) } else { self.matcher.longest(at + 1) };
        let better = (next.0 + 1).saturating_sub(length).min(3);
        let far = match distance {
            0..=512 => 0,
            513..=4096 => 1,
            4097..=16384 => 2,
            _ => 3,
        };
        let context = ((class(length) * 4 + better) * 4 + far) * 2 + usize::from(self.after_literal);
        if !self.reference[context].code(coder, token >= 256)? {
            self.after_literal = true;
            self.at += 1;
            self.here = if length >= LONG && left >= 2 { self.matcher.longest(at + 1) } else { next };
            return Ok(self.matcher.text()[at].into());
        }
        let class = class(length);
        let mut taken = length;
        let wanted = (token >> 16) as usize;
        if length == 0 || self.same_length[class * 2 + usize::from(self.after_literal)].code(coder, wanted != length)? {
            let mut node = 1;
            for i in (0..8).rev() {
                let bit = wanted.wrapping_sub(3) >> i & 1 == 1;
                node = node << 1 | usize::from(self.length[class << 8 | node].code(coder, bit)?);
            }
            taken = (node & 0xff) + 3;
        }
        if taken > left {
            return Err(Damaged);
        }
        let distance = self.distance(coder, taken, taken == length, (token & 0xffff) as usize)?;
        self.after_literal = false;
        self.at += taken;
        self.matcher.enter(self.at);
        self.here = self.matcher.longest(self.at);
        Ok((taken << 16 | distance) as Token)
    }

    /// Codes a distance: whether it is the nearest place with `length` equal bytes, else the next one, and so on; else bits.
    fn distance(
        &mut self,
        coder: &mut impl Coder,
        length: usize,
        longest: bool,
        wanted: usize,
    ) -> Result<usize, Damaged> {
        let contexts = (class(length) * 2 + usize::from(longest)) * NEAREST;
        let mut rank = 0;
        for place in self.matcher.places(self.at, length) {
            let distance = self.at - place;
            if !self.nearest[contexts + rank].code(coder, distance != wanted)? {
                return Ok(distance);
            }
            rank += 1;
            if rank == NEAREST {
                break;
            }
        }
        let mut distance = 0;
        for i in (0..15).rev() {
            let bit = (wanted.wrapping_sub(1) >> i & 1) as u32;
            distance = distance << 1 | coder.code(&Bit { zero: 1 << 15 }, bit)? as usize;
        }
        let distance = distance + 1;
        if distance > self.at { Err(Damaged) } else { Ok(distance) }
    }

    /// Steps over the bytes of a stored block.
    fn skip(&mut self, length: usize) {
        self.at += length;
        self.matcher.enter(self.at);
        self.here = self.matcher.longest(self.at);
    }
}

/// What has to be kept of a deflate stream when its content is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corrections {
    /// Each block: kind | last << 2; stored: length, padding; else the number of tokens, and for dynamic codes the number of
    /// bits of their description and these bits. After the last one, the padding of the stream.
    blocks: Vec<u8>,
    /// The coded tokens.
    tokens: Vec<u8>,
}

/// A description of codes is allowed for whatever the size.
const SLACK: u64 = 100;
/// How many tokens are coded before the budget is looked at for the first time.
const SAMPLE: usize = 1 << 16;

impl Corrections {
    /// How many bytes it takes.
    pub fn len(&self) -> usize {
        self.blocks.len() + self.tokens.len()
    }

    /// Appends the two parts.
    pub fn write(&self, w: &mut Writer) {
        w.blob(&self.blocks);
        w.blob(&self.tokens);
    }

    /// Reads what [`write`](Self::write) wrote.
    pub fn read(r: &mut Reader<'_>) -> Result<Self, MediaError> {
        Ok(Self { blocks: r.blob()?.to_vec(), tokens: r.blob()?.to_vec() })
    }
}

/// Counts what an encoder writes, to give up early.
struct Metered {
    encoder: Encoder,
    meter: CostMeter,
}

impl Coder for Metered {
    fn code<const P: usize>(
        &mut self,
        distribution: &impl crate::entropy::Distribution<P>,
        symbol: u32,
    ) -> Result<u32, Damaged> {
        self.meter.code(distribution, symbol)?;
        self.encoder.code(distribution, symbol)
    }
}

/// The corrections for raw deflate data (`deflate`, `size` bytes) of `text`; none when they would take more than a
/// `share`-th of it and a hundred bytes, or it is damaged.
pub fn analyse(text: &[u8], deflate: impl Iterator<Item = u8>, size: u64, share: u64) -> Option<Corrections> {
    if text.len() >= u32::MAX as usize {
        return None;
    }
    let mut bits = Bits::new(deflate);
    let mut coder = Metered { encoder: Encoder::new(), meter: CostMeter::new() };
    let mut model = Model::new(text);
    let mut blocks = Writer::new();
    let (mut tokens, mut made, mut coded) = (Vec::new(), 0, 0);
    loop {
        tokens.clear();
        let block = read_block(&mut bits, &mut tokens, &mut made, |_, _| false)?;
        if made > text.len() {
            return None;
        }
        blocks.u8(block.kind as u8 | u8::from(block.last) << 2);
        blocks.uint(tokens.len() as u64);
        match block.kind {
            Kind::Stored => {
                blocks.u8(block.padding);
                model.skip(tokens.len());
            }
            Kind::Fixed | Kind::Dynamic => {
                if block.kind == Kind::Dynamic {
                    blocks.uint(block.codes.1.into());
                    blocks.raw(&block.codes.0);
                }
                for &token in &tokens {
                    if token >= 256 && (token & 0xffff) as usize > model.at {
                        return None;
                    }
                    model.token(&mut coder, token).ok()?;
                }
                coded += tokens.len();
            }
        }
        // judged by the part that is done, which took about this part of the deflate data
        let used = coder.meter.bits().ceil_bytes() + blocks.len() as u64;
        let part = size as u128 * made as u128 / text.len().max(1) as u128;
        if coded > SAMPLE && u128::from(used) * u128::from(share) > part {
            return None;
        }
        if block.last {
            break;
        }
    }
    blocks.u8(bits.padding()?);
    let corrections = Corrections { blocks: blocks.finish(), tokens: coder.encoder.finish() };
    (made == text.len() && corrections.len() as u64 <= size / share + SLACK).then_some(corrections)
}

/// Makes the deflate data of `text`.
pub fn run(
    corrections: &Corrections,
    text: &[u8],
    take: &mut dyn FnMut(&[u8]) -> Result<(), MediaError>,
) -> Result<(), MediaError> {
    const WRONG: MediaError = MediaError::Inconsistent("the corrections are for other image data");
    if text.len() >= u32::MAX as usize {
        return Err(WRONG);
    }
    let mut r = Reader::new(&corrections.blocks);
    let mut coder = Decoder::new(&corrections.tokens);
    let mut model = Model::new(text);
    let mut out = BitWriter::default();
    loop {
        let head = r.u8()?;
        let count = r.at_most((text.len() - model.at) as u64, "the number of tokens")? as usize;
        let last = head & 4 != 0;
        out.put(last.into(), 1);
        out.put(u32::from(head & 3), 2);
        let writer = match head & !4 {
            0 => {
                let length = u16::try_from(count).map_err(|_| WRONG)?;
                out.pad(r.u8()?);
                out.put(length.into(), 16);
                out.put((!length).into(), 16);
                for &byte in &text[model.at..model.at + count] {
                    out.put(byte.into(), 8);
                }
                model.skip(count);
                None
            }
            1 => BlockWriter::new(None),
            2 => {
                let n = r.at_most(1 << 14, "the description of the codes")? as u32;
                let description = r.raw(n.div_ceil(8) as usize)?;
                let mut bits = Bits::new(description.iter().copied());
                for i in 0..n {
                    // div_ceil(8) bytes have n bits
                    out.put(bits.take(1).ok_or(WRONG)?, 1);
                    debug_assert!(i < n);
                }
                Some(BlockWriter::new(Some(description)).ok_or(WRONG)?)
            }
            _ => return Err(WRONG),
        };
        if let Some(writer) = writer {
            for _ in 0..count {
                if model.at == text.len() {
                    return Err(WRONG);
                }
                let token = model.token(&mut coder, 0).map_err(|_| WRONG)?;
                debug_assert!(span(token) > 0);
                writer.token(token, &mut out).ok_or(WRONG)?;
                if out.len() >= 1 << 15 {
                    take(&out.drain())?;
                }
            }
            writer.end(&mut out).ok_or(WRONG)?;
        }
        take(&out.drain())?;
        if last {
            break;
        }
    }
    out.pad(r.u8()?);
    r.end()?;
    if model.at != text.len() {
        return Err(WRONG);
    }
    take(&out.drain())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::image::zlib::{Deflater, Params};
    use std::ops::ControlFlow;

    /// Runs, repeats near and far, and noise.
    fn text() -> Vec<u8> {
        let mut x = 1u32;
        let mut text: Vec<u8> = Vec::new();
        while text.len() < 150_000 {
            x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (kind, n) = (x >> 30, (x >> 16 & 0xff) as usize);
            match kind {
                0 if text.len() > 40_000 => {
                    let from = text.len() - 1 - (x >> 8) as usize % 40_000;
                    text.extend_from_within(from..(from + n).min(text.len()));
                }
                1 => text.extend(std::iter::repeat_n((x >> 8) as u8, n)),
                _ => text.extend((0..n).map(|i| (x >> (i % 24)) as u8 & 0x3f)),
            }
        }
        text
    }

    fn deflated(params: Params, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let flow = Deflater::new(params).unwrap().write(text, true, |b| {
            out.extend_from_slice(b);
            ControlFlow::Continue(())
        });
        assert!(flow.is_continue());
        out
    }

    fn rebuilt(corrections: &Corrections, text: &[u8]) -> Result<Vec<u8>, MediaError> {
        let mut out = Vec::new();
        run(corrections, text, &mut |bytes| {
            out.extend_from_slice(bytes);
            Ok(())
        })?;
        Ok(out)
    }

    #[test]
    fn streams_of_every_kind_come_back() {
        let text = text();
        for (level, memory, strategy, window) in
            [(1, 8, 0, 15), (4, 9, 1, 15), (6, 8, 0, 12), (9, 9, 0, 15), (6, 1, 2, 15), (6, 8, 3, 15), (6, 8, 4, 9)]
        {
            let stream = deflated(Params { level, memory, strategy, window }, &text);
            let corrections = analyse(&text, stream.iter().copied(), stream.len() as u64, 1).unwrap();
            assert_eq!(rebuilt(&corrections, &text).unwrap(), stream);
            assert!(corrections.len() < stream.len() * 2 / 5, "{level}: {} of {}", corrections.len(), stream.len());
            // for another text they give other bytes or an error, and no panic
            let _ = rebuilt(&corrections, &text[1..]);
            assert!(rebuilt(&corrections, &text[..1000]).is_err());
        }
    }

    /// What the decoder computes is part of the stream format: if this changes, the version has to.
    #[test]
    fn the_walk_is_version_2() {
        let text = text();
        let stream = deflated(Params { level: 5, memory: 8, strategy: 0, window: 14 }, &text);
        let corrections = analyse(&text, stream.iter().copied(), stream.len() as u64, 1).unwrap();
        let mut w = Writer::new();
        corrections.write(&mut w);
        assert_eq!((REBUILDER.version, crc32fast::hash(&w.finish())), ("2", 2_789_287_036));
    }

    #[test]
    fn damaged_streams_are_left_alone() {
        let text = text();
        let mut stream = deflated(Params { level: 6, memory: 8, strategy: 0, window: 15 }, &text);
        let size = stream.len() as u64;
        assert_eq!(analyse(&text, stream.iter().copied().take(stream.len() - 5), size, 1), None);
        assert_eq!(analyse(&text[1..], stream.iter().copied(), size, 1), None);
        stream[0] |= 6;
        assert_eq!(analyse(&text, stream.iter().copied(), size, 1), None);
    }
}
