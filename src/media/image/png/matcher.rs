//! Finds earlier places with the same bytes, as an LZ77 compressor does.
//!
//! What must stay true: what it finds depends on the text and the places entered alone, in integers; it is part of
//! [`retoken`](super::retoken)'s version.

use super::tokens::{FARTHEST, LONGEST};

const HASH_BITS: u32 = 15;

/// Earlier places by a hash of the bytes there, the latest first.
struct Chain {
    /// How many bytes are hashed.
    bytes: usize,
    /// How many earlier places with the same hash are looked at.
    hops: usize,
    /// The latest place (plus 1; 0: none) of each hash.
    head: Vec<u32>,
    /// The place before (plus 1; 0: none) with the same hash, for the last 2^15 places.
    before: Vec<u32>,
}

impl Chain {
    fn new(bytes: usize, hops: usize) -> Self {
        Self { bytes, hops, head: vec![0; 1 << HASH_BITS], before: vec![0; FARTHEST] }
    }

    /// The hash of what is at `at`, if that is long enough.
    fn hash(&self, text: &[u8], at: usize) -> Option<usize> {
        let rest = text.get(at..)?;
        let word = match rest.first_chunk::<8>() {
            Some(word) => u64::from_le_bytes(*word),
            None if rest.len() < self.bytes => return None,
            None => rest.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)),
        };
        let word = word << (64 - 8 * self.bytes);
        Some((word.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - HASH_BITS)) as usize)
    }

    fn enter(&mut self, text: &[u8], at: usize) {
        if let Some(hash) = self.hash(text, at) {
            self.before[at % FARTHEST] = self.head[hash];
            self.head[hash] = at as u32 + 1;
        }
    }

    /// Earlier places with the same hash as `at`, the nearest first. All places before `at` are entered, none after it.
    fn places(&self, text: &[u8], at: usize, entered: usize) -> impl Iterator<Item = usize> + '_ {
        let mut last = at;
        let mut next = match self.hash(text, at) {
            Some(_) if at < entered => self.before[at % FARTHEST],
            Some(hash) => self.head[hash],
            None => 0,
        };
        std::iter::from_fn(move || {
            let place = (next as usize).checked_sub(1)?;
            // not further back: the entry was for a place that is too far, and now is for a later one
            if place >= last || at - place > FARTHEST {
                return None;
            }
            last = place;
            next = self.before[place % FARTHEST];
            Some(place)
        })
        .take(self.hops)
    }
}

/// Finds earlier places with the same bytes. A match of three bytes is looked for among the places with the same three, one
/// of six or more among those with the same six, so that few places have to be looked at.
pub struct Matcher<'a> {
    text: &'a [u8],
    /// For matches of at least 6, at least 4, and 3 bytes.
    chains: [Chain; 3],
    /// All places before this one are entered.
    entered: usize,
}

impl<'a> Matcher<'a> {
    /// For a text of less than 2^32 - 1 bytes, nothing entered yet.
    pub fn new(text: &'a [u8]) -> Self {
        Self { text, chains: [Chain::new(6, 256), Chain::new(4, 96), Chain::new(3, 48)], entered: 0 }
    }

    /// The text.
    pub fn text(&self) -> &'a [u8] {
        self.text
    }

    /// Enters the places up to `end`, which is at most the length of the text.
    pub fn enter(&mut self, end: usize) {
        for at in self.entered..end {
            self.chains.iter_mut().for_each(|c| c.enter(self.text, at));
        }
        self.entered = self.entered.max(end);
    }

    /// The length of the match of `at` with the earlier `place`, at most 258.
    fn matched(&self, place: usize, at: usize) -> usize {
        let end = self.text.len().min(at + LONGEST);
        let (mut a, mut b) = (&self.text[at..end], &self.text[place..place + (end - at)]);
        let mut n = 0;
        while let (Some((x, rest_a)), Some((y, rest_b))) = (a.split_first_chunk::<8>(), b.split_first_chunk::<8>()) {
            let differ = u64::from_le_bytes(*x) ^ u64::from_le_bytes(*y);
            if differ != 0 {
                return n + (differ.trailing_zeros() / 8) as usize;
            }
            n += 8;
            (a, b) = (rest_a, rest_b);
        }
        n + a.iter().zip(b).take_while(|(x, y)| x == y).count()
    }

    /// Places whose bytes match those at `at` in at least `length` bytes (3 or more), the nearest first.
    pub fn places(&self, at: usize, length: usize) -> impl Iterator<Item = usize> + '_ {
        let chain = self.chains.iter().find(|c| c.bytes <= length);
        let places = chain.into_iter().flat_map(move |c| c.places(self.text, at, self.entered));
        places.filter(move |&place| self.matched(place, at) >= length)
    }

    /// The longest match at `at`, and of several the nearest: length and distance; (0, 0) below three bytes.
    pub fn longest(&self, at: usize) -> (usize, usize) {
        let mut most = LONGEST.min(self.text.len() - at);
        for chain in &self.chains {
            let (mut length, mut distance) = (chain.bytes - 1, 0);
            for place in chain.places(self.text, at, self.entered) {
                if length >= most {
                    break;
                }
                if self.text[place + length] == self.text[at + length] {
                    let n = self.matched(place, at);
                    if n > length {
                        (length, distance) = (n, at - place);
                    }
                }
            }
            if distance > 0 {
                return (length, distance);
            }
            // a longer match would have been found
            most = most.min(chain.bytes - 1);
        }
        (0, 0)
    }
}
