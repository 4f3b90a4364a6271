//! Deflate data as blocks of tokens (literals and references, RFC 1951), and back to bits.
//!
//! What must stay true: it reads any bytes whatever without a panic, and never more tokens than it is asked for.

/// A literal (0 to 255), or a reference: length << 16 | distance.
pub type Token = u32;

/// The longest reference.
pub const LONGEST: usize = 258;
/// The farthest reference.
pub const FARTHEST: usize = 1 << 15;

/// The first tokens of a stream.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Start {
    /// Tokens in order, those of stored blocks as literals.
    pub tokens: Vec<Token>,
    /// How many tokens the first block has, where it ended within what was read, is not stored and is not the last.
    pub first_block: Option<usize>,
}

/// How many bytes a token stands for.
pub fn span(token: Token) -> usize {
    if token < 256 { 1 } else { (token >> 16) as usize }
}

/// Reads the tokens that make the first `most` bytes or more (the first block is read on until it has more tokens than any
/// memLevel allows), fewer when the stream ends before or is damaged.
pub fn start(bytes: impl Iterator<Item = u8>, most: usize) -> Start {
    let mut start = Start::default();
    let mut bits = Bits::new(bytes);
    let mut made = 0;
    while made < most {
        let before = start.tokens.len();
        let enough = |tokens: &[Token], made: usize| made >= most && (before > 0 || tokens.len() > 1 << 15);
        // a damaged stream has a start, too; whoever compares it finds that it ends early
        let Some(block) = read_block(&mut bits, &mut start.tokens, &mut made, enough) else { break };
        if before == 0 && block.complete && !block.last && block.kind != Kind::Stored {
            start.first_block = Some(start.tokens.len());
        }
        if block.last || !block.complete {
            break;
        }
    }
    start
}

/// The three ways of coding a block (section 3.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Bytes as they are.
    Stored,
    /// The fixed codes.
    Fixed,
    /// Codes of its own.
    Dynamic,
}

/// What there is to a block besides its tokens.
#[derive(Debug)]
pub struct Block {
    /// How it is coded.
    pub kind: Kind,
    /// It is the last one.
    pub last: bool,
    /// The bits that pad to a byte before a stored block.
    pub padding: u8,
    /// The bits that describe the codes of a dynamic block, and how many there are.
    pub codes: (Vec<u8>, u32),
    /// All of it was read.
    pub complete: bool,
}

/// Bits, lowest first.
pub struct Bits<I> {
    bytes: I,
    held: u32,
    count: u32,
    /// What was taken since [`record`](Self::record).
    record: Option<BitWriter>,
}

impl<I: Iterator<Item = u8>> Bits<I> {
    /// At the start of `bytes`.
    pub fn new(bytes: I) -> Self {
        Self { bytes, held: 0, count: 0, record: None }
    }

    /// The next `n` bits (at most 16), lowest first.
    pub fn take(&mut self, n: u32) -> Option<u32> {
        while self.count < n {
            self.held |= u32::from(self.bytes.next()?) << self.count;
            self.count += 8;
        }
        let value = self.held & ((1 << n) - 1);
        self.held >>= n;
        self.count -= n;
        if let Some(record) = &mut self.record {
            record.put(value, n);
        }
        Some(value)
    }

    /// The bits up to the end of the byte.
    pub fn padding(&mut self) -> Option<u8> {
        self.take(self.count % 8).map(|v| v as u8)
    }
}

/// Writes bits, lowest first.
#[derive(Debug, Default)]
pub struct BitWriter {
    bytes: Vec<u8>,
    held: u64,
    count: u32,
}

impl BitWriter {
    /// Appends the lowest `n` bits (at most 16) of `value`.
    pub fn put(&mut self, value: u32, n: u32) {
        self.held |= u64::from(value) << self.count;
        self.count += n;
        while self.count >= 8 {
            self.bytes.push(self.held as u8);
            self.held >>= 8;
            self.count -= 8;
        }
    }

    /// Pads to a byte with the lowest bits of `value`.
    pub fn pad(&mut self, value: u8) {
        let n = (8 - self.count) % 8;
        self.put(u32::from(value) & ((1 << n) - 1), n);
    }

    /// Takes the bytes that are complete.
    pub fn drain(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    /// How many bytes are complete.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }
}

/// A canonical Huffman code: how many codes each length has, and the symbols in the order of their codes.
struct Code {
    counts: [u16; 16],
    symbols: Vec<u16>,
}

impl Code {
    fn new(lengths: &[u8]) -> Self {
        let mut counts = [0u16; 16];
        lengths.iter().for_each(|&l| counts[usize::from(l)] += 1);
        counts[0] = 0;
        let mut symbols: Vec<u16> = (0..lengths.len() as u16).filter(|&s| lengths[usize::from(s)] > 0).collect();
        symbols.sort_by_key(|&s| lengths[usize::from(s)]);
        Self { counts, symbols }
    }

    /// The next symbol, bit by bit: `first` is the first code of the current length, `index` its place in `symbols`.
    fn read(&self, bits: &mut Bits<impl Iterator<Item = u8>>) -> Option<usize> {
        let (mut code, mut first, mut index) = (0u32, 0u32, 0u32);
        for &count in &self.counts[1..] {
            code |= bits.take(1)?;
            let count = u32::from(count);
            if code < first + count {
                return self.symbols.get((index + code.checked_sub(first)?) as usize).map(|&s| s.into());
            }
            index += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        None
    }
}

/// Section 3.2.5: the shortest length of symbols 257 to 285, and their extra bits.
const LENGTHS: [(u16, u8); 29] = {
    let mut table = [(258, 0); 29];
    let (mut i, mut base) = (0, 3);
    while i < 28 {
        let extra = if i < 8 { 0 } else { i as u8 / 4 - 1 };
        table[i] = (base, extra);
        base += 1 << extra;
        i += 1;
    }
    table
};

/// Section 3.2.5: the shortest distance of each distance symbol, and its extra bits.
const DISTANCES: [(u16, u8); 30] = {
    let mut table = [(1, 0); 30];
    let (mut i, mut base) = (0, 1u32);
    while i < 30 {
        let extra = if i < 4 { 0 } else { i as u8 / 2 - 1 };
        table[i] = (base as u16, extra);
        base += 1 << extra;
        i += 1;
    }
    table
};

/// Reads a block, appending its tokens and adding their bytes to `made`; stops inside it when `enough` (of the tokens and
/// the bytes) says so. None when the stream ends or is damaged.
pub fn read_block<I: Iterator<Item = u8>>(
    bits: &mut Bits<I>,
    tokens: &mut Vec<Token>,
    made: &mut usize,
    enough: impl Fn(&[Token], usize) -> bool,
) -> Option<Block> {
    let last = bits.take(1)? == 1;
    let kind = [Kind::Stored, Kind::Fixed, Kind::Dynamic].get(bits.take(2)? as usize).copied()?;
    let mut block = Block { kind, last, padding: 0, codes: (Vec::new(), 0), complete: true };
    let lengths = match kind {
        Kind::Stored => {
            block.padding = bits.padding()?;
            let length = bits.take(16)?;
            if bits.take(16)? != length ^ 0xffff {
                return None;
            }
            for _ in 0..length {
                tokens.push(bits.take(8)?);
            }
            *made += length as usize;
            return Some(block);
        }
        Kind::Fixed => fixed_lengths(),
        Kind::Dynamic => {
            bits.record = Some(BitWriter::default());
            let lengths = dynamic_lengths(bits);
            let mut record = bits.record.take()?;
            let n = record.len() as u32 * 8 + record.count;
            record.pad(0);
            block.codes = (record.drain(), n);
            lengths?
        }
    };
    let (literals, distances) = (Code::new(&lengths.0), Code::new(&lengths.1));
    loop {
        let symbol = literals.read(bits)?;
        let token = match symbol {
            0..=255 => symbol as u32,
            256 => return Some(block),
            _ => {
                let &(base, extra) = LENGTHS.get(symbol - 257)?;
                let length = u32::from(base) + bits.take(extra.into())?;
                let &(base, extra) = DISTANCES.get(distances.read(bits)?)?;
                length << 16 | (u32::from(base) + bits.take(extra.into())?)
            }
        };
        tokens.push(token);
        *made += span(token);
        if enough(tokens, *made) {
            block.complete = false;
            return Some(block);
        }
    }
}

/// Code lengths of literals and lengths, and of distances.
type Lengths = (Vec<u8>, Vec<u8>);

/// Section 3.2.6.
fn fixed_lengths() -> Lengths {
    let mut lengths = vec![8; 288];
    lengths[144..256].fill(9);
    lengths[256..280].fill(7);
    (lengths, vec![5; 30])
}

/// Section 3.2.7.
fn dynamic_lengths<I: Iterator<Item = u8>>(bits: &mut Bits<I>) -> Option<Lengths> {
    const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
    let literals = bits.take(5)? as usize + 257;
    let distances = bits.take(5)? as usize + 1;
    let count = bits.take(4)? as usize + 4;
    let mut lengths = [0u8; 19];
    for &at in &ORDER[..count] {
        lengths[at] = bits.take(3)? as u8;
    }
    let code = Code::new(&lengths);
    let mut lengths = Vec::with_capacity(literals + distances);
    while lengths.len() < literals + distances {
        let (value, repeat) = match code.read(bits)? {
            16 => (*lengths.last()?, bits.take(2)? + 3),
            17 => (0, bits.take(3)? + 3),
            18 => (0, bits.take(7)? + 11),
            value => (value as u8, 1),
        };
        lengths.extend(std::iter::repeat_n(value, repeat as usize));
    }
    if lengths.len() > literals + distances {
        return None;
    }
    let distances = lengths.split_off(literals);
    Some((lengths, distances))
}

/// Writes the tokens of a block that is not stored.
pub struct BlockWriter {
    literals: Vec<(u16, u8)>,
    distances: Vec<(u16, u8)>,
}

impl BlockWriter {
    /// For the codes that `codes` describe (those of a dynamic block), or the fixed ones; none when they are damaged.
    pub fn new(codes: Option<&[u8]>) -> Option<Self> {
        let (literals, distances) = match codes {
            None => fixed_lengths(),
            Some(bytes) => dynamic_lengths(&mut Bits::new(bytes.iter().copied()))?,
        };
        Some(Self { literals: codes_of(&literals), distances: codes_of(&distances) })
    }

    fn put(codes: &[(u16, u8)], symbol: usize, out: &mut BitWriter) -> Option<()> {
        let &(code, length) = codes.get(symbol).filter(|c| c.1 > 0)?;
        out.put(code.into(), length.into());
        Some(())
    }

    /// Writes a token, or none if there is no code for it. A reference has a length of 3 to 258 and a distance of 1 to 32768.
    pub fn token(&self, token: Token, out: &mut BitWriter) -> Option<()> {
        if token < 256 {
            return Self::put(&self.literals, token as usize, out);
        }
        let (length, distance) = ((token >> 16) as u16, token & 0xffff);
        let i = LENGTHS.partition_point(|l| l.0 <= length).checked_sub(1)?;
        Self::put(&self.literals, 257 + i, out)?;
        out.put((length - LENGTHS[i].0).into(), LENGTHS[i].1.into());
        let i = DISTANCES.partition_point(|d| u32::from(d.0) <= distance).checked_sub(1)?;
        Self::put(&self.distances, i, out)?;
        out.put(distance - u32::from(DISTANCES[i].0), DISTANCES[i].1.into());
        Some(())
    }

    /// Ends the block.
    pub fn end(&self, out: &mut BitWriter) -> Option<()> {
        Self::put(&self.literals, 256, out)
    }
}

/// The code of each symbol, its first bit lowest, and its length (section 3.2.2).
fn codes_of(lengths: &[u8]) -> Vec<(u16, u8)> {
    let code = Code::new(lengths);
    let mut codes = vec![(0, 0); lengths.len()];
    let (mut next, mut symbols) = (0u32, code.symbols.iter());
    for length in 1..=15u8 {
        for _ in 0..code.counts[usize::from(length)] {
            if let Some(&symbol) = symbols.next() {
                codes[usize::from(symbol)] = ((next as u16).reverse_bits() >> (16 - length), length);
            }
            next += 1;
        }
        next <<= 1;
    }
    codes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::image::zlib::{Deflater, Params};
    use proptest::prelude::*;
    use std::ops::ControlFlow;

    fn deflated(params: Params, input: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let flow = Deflater::new(params).unwrap().write(input, true, |b| {
            out.extend_from_slice(b);
            ControlFlow::Continue(())
        });
        assert!(flow.is_continue());
        out
    }

    fn inflated(tokens: &[Token]) -> Vec<u8> {
        let mut out: Vec<u8> = Vec::new();
        for &t in tokens {
            if t < 256 {
                out.push(t as u8);
            } else {
                for _ in 0..span(t) {
                    out.push(out[out.len() - (t & 0xffff) as usize]);
                }
            }
        }
        out
    }

    #[test]
    fn tokens_are_what_zlib_wrote() {
        // runs, text-like repeats, far references and noise; enough for several blocks
        let mut x = 1u32;
        let input: Vec<u8> = (0..200_000u32)
            .map(|i| {
                x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                if i / 5000 % 3 == 0 { (x >> 24) as u8 } else { (i % 977 / 8) as u8 }
            })
            .collect();
        for (level, memory, strategy) in [(1, 8, 0), (6, 8, 0), (9, 9, 1), (6, 9, 2), (6, 8, 3), (6, 8, 4)] {
            let params = Params { level, memory, strategy, window: 15 };
            let start = start(deflated(params, &input).into_iter(), usize::MAX);
            assert_eq!(inflated(&start.tokens), input);
            assert_eq!(start.first_block, Some((1 << (memory + 6)) - 1));
        }
        let one_block =
            start(deflated(Params { level: 6, memory: 8, strategy: 0, window: 15 }, b"abc").into_iter(), 100);
        assert_eq!(one_block, Start { tokens: b"abc".map(u32::from).to_vec(), first_block: None });
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let start = start(bytes.into_iter(), 1000);
            prop_assert!(start.tokens.len() <= 300 * 8);
        }
    }
}
