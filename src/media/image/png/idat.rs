//! The IDAT chunks: one zlib stream cut into pieces.
//!
//! What must stay true: the lengths of the pieces are part of the recipe, so a file is written from front to back without
//! holding a piece; a stream that is longer or shorter than the pieces together is an error.

use crate::media::{MediaError, Sink, emit};
use crate::wire::{Reader, Writer};

/// How the stream is cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cuts {
    /// The length of each piece.
    pub lengths: Vec<u32>,
    /// Pieces with a wrong checksum: index and checksum, by rising index.
    pub wrong: Vec<(usize, u32)>,
}

const LIST: u8 = 1;
const WRONG: u8 = 2;

impl Cuts {
    /// A stream of `total` bytes in pieces of `piece` bytes, the last one shorter.
    pub fn even(total: u64, piece: u32) -> Self {
        let whole = (total / u64::from(piece)) as usize;
        let mut lengths = vec![piece; whole];
        let rest = (total % u64::from(piece)) as u32;
        if rest > 0 || whole == 0 {
            lengths.push(rest);
        }
        Self { lengths, wrong: Vec::new() }
    }

    /// Appends: flags (1: a list of lengths, 2: wrong checksums), the count, then each length, or without flag 1 the length
    /// of all but the last (absent when there is only one) and the length of the last; then count, gaps and checksums.
    pub fn write(&self, w: &mut Writer) {
        let (last, others) = self.lengths.split_last().expect("a PNG has at least one IDAT");
        let even = others.windows(2).all(|p| p[0] == p[1]);
        w.u8(if even { 0 } else { LIST } | if self.wrong.is_empty() { 0 } else { WRONG });
        w.uint(self.lengths.len() as u64);
        let first = if even { &others[..others.len().min(1)] } else { others };
        first.iter().for_each(|&length| w.uint(length.into()));
        w.uint((*last).into());
        if !self.wrong.is_empty() {
            w.uint(self.wrong.len() as u64);
            for &(index, crc) in &self.wrong {
                w.uint(index as u64);
                w.u32_le(crc);
            }
        }
    }

    /// Reads what [`write`](Self::write) wrote. `limit` bounds the bytes that the pieces may have together, and with them
    /// (twelve bytes of framing a piece) their number.
    pub fn read(r: &mut Reader<'_>, limit: u64) -> Result<Self, MediaError> {
        const LENGTH: &str = "the length of an IDAT";
        let flags = r.u8()?;
        if flags > LIST | WRONG {
            return Err(MediaError::Inconsistent("unknown flags of the IDAT chunks"));
        }
        let longest = limit.min(0x7fff_ffff);
        let mut lengths;
        if flags & LIST != 0 {
            let most = (r.remaining() as u64).min(limit / 12);
            let count = r.at_most(most, "the number of IDATs")? as usize;
            lengths = Vec::with_capacity(count);
            for _ in 0..count {
                lengths.push(r.at_most(longest, LENGTH)? as u32);
            }
        } else {
            let count = r.at_most(limit / 12, "the number of IDATs")? as usize;
            let others = if count > 1 { r.at_most(longest, LENGTH)? as u32 } else { 0 };
            lengths = vec![others; count];
            if let Some(last) = lengths.last_mut() {
                *last = r.at_most(longest, LENGTH)? as u32;
            }
        }
        let mut wrong = Vec::new();
        if flags & WRONG != 0 {
            for _ in 0..r.count(5, "the number of wrong checksums")? {
                let index = r.uint()? as usize;
                if index >= lengths.len() || wrong.last().is_some_and(|&(before, _)| before >= index) {
                    return Err(MediaError::Inconsistent("a wrong checksum has no place"));
                }
                wrong.push((index, r.u32_le()?));
            }
        }
        Ok(Self { lengths, wrong })
    }
}

/// Writes IDAT chunks around a stream that arrives in any pieces.
pub struct Framer<'a, 's> {
    cuts: &'a Cuts,
    /// The piece being written; those before it are complete.
    index: usize,
    /// How many of its bytes are missing.
    left: u32,
    crc: crc32fast::Hasher,
    sink: &'a mut Sink<'s>,
}

impl<'a, 's> Framer<'a, 's> {
    /// Starts before the first chunk.
    pub fn new(cuts: &'a Cuts, sink: &'a mut Sink<'s>) -> Result<Self, MediaError> {
        let mut framer = Self { cuts, index: 0, left: 0, crc: crc32fast::Hasher::new(), sink };
        framer.open()?;
        framer.close_full()?;
        Ok(framer)
    }

    /// Writes the head of the current chunk, if there is one.
    fn open(&mut self) -> Result<(), MediaError> {
        if let Some(&length) = self.cuts.lengths.get(self.index) {
            self.left = length;
            self.crc = crc32fast::Hasher::new();
            self.crc.update(b"IDAT");
            emit(self.sink, &length.to_be_bytes())?;
            emit(self.sink, b"IDAT")?;
        }
        Ok(())
    }

    /// Ends every chunk that is complete.
    fn close_full(&mut self) -> Result<(), MediaError> {
        while self.left == 0 && self.index < self.cuts.lengths.len() {
            let wrong = self.cuts.wrong.binary_search_by_key(&self.index, |w| w.0);
            let crc = wrong.map_or_else(|_| self.crc.clone().finalize(), |i| self.cuts.wrong[i].1);
            emit(self.sink, &crc.to_be_bytes())?;
            self.index += 1;
            self.open()?;
        }
        Ok(())
    }

    /// Takes the next bytes of the stream.
    pub fn write(&mut self, mut bytes: &[u8]) -> Result<(), MediaError> {
        while !bytes.is_empty() {
            if self.index == self.cuts.lengths.len() {
                return Err(MediaError::Inconsistent("the image data is longer than its IDAT chunks"));
            }
            let (now, later) = bytes.split_at(bytes.len().min(self.left as usize));
            self.crc.update(now);
            emit(self.sink, now)?;
            self.left -= now.len() as u32;
            self.close_full()?;
            bytes = later;
        }
        Ok(())
    }

    /// Whether the stream filled every chunk.
    pub fn finish(self) -> Result<(), MediaError> {
        if self.index == self.cuts.lengths.len() {
            Ok(())
        } else {
            Err(MediaError::Inconsistent("the image data is shorter than its IDAT chunks"))
        }
    }
}

/// Walks over a stream that lies in pieces.
#[derive(Clone)]
pub struct Pieces<'a> {
    rest: &'a [&'a [u8]],
    head: &'a [u8],
}

impl<'a> Pieces<'a> {
    /// At the start.
    pub fn new(pieces: &'a [&'a [u8]]) -> Self {
        let mut p = Self { rest: pieces, head: &[] };
        p.settle();
        p
    }

    fn settle(&mut self) {
        while let (true, Some((first, rest))) = (self.head.is_empty(), self.rest.split_first()) {
            (self.head, self.rest) = (first, rest);
        }
    }

    /// The next bytes that lie together; empty at the end only.
    pub fn chunk(&self) -> &'a [u8] {
        self.head
    }

    /// Steps over `n` bytes of [`chunk`](Self::chunk).
    pub fn advance(&mut self, n: usize) {
        self.head = &self.head[n..];
        self.settle();
    }

    /// How many bytes are left.
    pub fn len(&self) -> u64 {
        self.head.len() as u64 + self.rest.iter().map(|p| p.len() as u64).sum::<u64>()
    }

    /// All that is left, byte by byte.
    pub fn bytes(&self) -> impl Iterator<Item = u8> + use<'a> {
        let rest = self.rest;
        self.head.iter().chain(rest.iter().flat_map(|p| p.iter())).copied()
    }

    /// The slices that hold the next `n` bytes.
    pub fn first(&self, n: u64) -> Vec<&'a [u8]> {
        let (mut walk, mut left, mut list) = (self.clone(), n, Vec::new());
        while left > 0 && !walk.head.is_empty() {
            let take = left.min(walk.head.len() as u64) as usize;
            list.push(&walk.head[..take]);
            walk.advance(take);
            left -= take as u64;
        }
        list
    }

    /// Appends up to `n` bytes to `out`, stepping over them.
    pub fn read_to(&mut self, out: &mut Vec<u8>, n: usize) {
        let mut left = n;
        while left > 0 && !self.head.is_empty() {
            let take = left.min(self.head.len());
            out.extend_from_slice(&self.head[..take]);
            self.advance(take);
            left -= take;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::ops::ControlFlow;

    proptest! {
        #[test]
        fn framing_is_what_layout_takes_apart(
            lengths in prop::collection::vec(0u32..20, 1..8),
            step in 1usize..30,
            wrong in any::<Option<u32>>(),
        ) {
            let wrong = wrong.map(|crc| (lengths.len() - 1, crc)).into_iter().collect();
            let cuts = Cuts { lengths, wrong };
            let mut w = Writer::new();
            cuts.write(&mut w);
            let bytes = w.finish();
            let mut r = Reader::new(&bytes);
            prop_assert_eq!(&Cuts::read(&mut r, 1000).unwrap(), &cuts);
            prop_assert!(r.end().is_ok());

            let stream: Vec<u8> = (0..cuts.lengths.iter().sum::<u32>()).map(|i| i as u8).collect();
            let mut file = Vec::new();
            let mut sink = |b: &[u8]| { file.extend_from_slice(b); ControlFlow::Continue(()) };
            let sink: &mut Sink<'_> = &mut sink;
            let mut framer = Framer::new(&cuts, sink).unwrap();
            for piece in stream.chunks(step) {
                framer.write(piece).unwrap();
            }
            prop_assert!(framer.finish().is_ok());
            let mut at = 0;
            let mut back = Vec::new();
            for &length in &cuts.lengths {
                prop_assert_eq!(&file[at..at + 4], &length.to_be_bytes()[..]);
                prop_assert_eq!(&file[at + 4..at + 8], b"IDAT");
                back.extend_from_slice(&file[at + 8..at + 8 + length as usize]);
                at += 12 + length as usize;
            }
            prop_assert_eq!(at, file.len());
            prop_assert_eq!(back, stream);
        }
    }

    #[test]
    fn too_long_and_too_short_are_errors() {
        let cuts = Cuts { lengths: vec![2, 1], wrong: vec![] };
        let mut sink = |_: &[u8]| ControlFlow::Continue(());
        let mut framer = Framer::new(&cuts, &mut sink).unwrap();
        assert!(framer.write(&[1, 2, 3, 4]).is_err());
        let mut framer = Framer::new(&cuts, &mut sink).unwrap();
        framer.write(&[1, 2]).unwrap();
        assert!(framer.finish().is_err());
        // a count that the limit does not allow is refused before anything is allocated
        let mut w = Writer::new();
        w.u8(0);
        w.uint(1 << 40);
        w.uint(1);
        w.uint(1);
        assert!(Cuts::read(&mut Reader::new(&w.finish()), 1 << 20).is_err());
        let list = [[LIST, 100].to_vec(), vec![0; 100]].concat();
        assert!(Cuts::read(&mut Reader::new(&list), 1200).is_ok());
        assert!(Cuts::read(&mut Reader::new(&list), 1199).is_err());
    }
}
