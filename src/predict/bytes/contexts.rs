//! The contexts of the next byte: what each table lookup is keyed with.
//!
//! What must stay true: a context is computed from the bytes already known, the hint and the chosen kind alone.

use super::Hint;

/// Hashed contexts of a byte of text.
pub const TEXT: usize = 6;
/// Hashed contexts of any other byte.
pub const MOST: usize = 8;

/// Longest record that is looked for.
const LONGEST_RECORD: usize = 4096;
/// Bytes that must agree before a record length is believed.
const VOTES: u32 = 12;

/// What a segment looks like, so which contexts it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Prose, markup, source code.
    Text,
    /// Anything else: executables, tables, records.
    Binary,
    /// Rows of samples, known by the hint.
    Raster,
}

/// Running state over the bytes.
pub struct Contexts {
    kind: Kind,
    last: u64,
    word: u32,
    word_before: u32,
    seen: Box<[[u32; 3]; 256]>,
    record: usize,
    pixel: usize,
    candidate: usize,
    votes: u32,
    /// Column within the record; the channel of a raster's byte.
    column: usize,
}

#[inline(always)]
fn mixed(value: u64, salt: u64) -> u32 {
    let h = (value ^ (salt << 56)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((h ^ (h >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 32) as u32
}

impl Contexts {
    pub fn new(kind: Kind, hint: Hint) -> Self {
        Self {
            kind,
            last: 0,
            word: 0,
            word_before: 0,
            seen: Box::new([[0; 3]; 256]),
            record: if hint.record > 0 { hint.record as usize } else { 4 },
            pixel: hint.pixel.max(1) as usize,
            candidate: 0,
            votes: 0,
            column: 0,
        }
    }
    /// The last eight bytes, latest lowest.
    #[inline(always)]
    pub fn last(&self) -> u64 {
        self.last
    }
    /// The channel of the next byte of a raster; 0 otherwise.
    #[inline(always)]
    pub fn channel(&self) -> usize {
        if self.kind == Kind::Raster { self.column } else { 0 }
    }
    /// Takes in the byte that has just become known (the last of `known`).
    #[inline(always)]
    pub fn byte(&mut self, known: &[u8]) {
        let c = known[known.len() - 1];
        self.last = (self.last << 8) | u64::from(c);
        match self.kind {
            Kind::Text => self.follow_words(c),
            Kind::Binary => self.follow_records(known.len(), c),
            Kind::Raster => self.column = known.len() % self.record % self.pixel,
        }
    }
    fn follow_words(&mut self, c: u8) {
        let lower = c.to_ascii_lowercase();
        if lower.is_ascii_alphabetic() || c >= 128 {
            self.word = (self.word.wrapping_add(u32::from(lower) + 1)).wrapping_mul(0x2F0B_4C47);
        } else if self.word != 0 {
            self.word_before = self.word;
            self.word = 0;
        }
    }
    /// A record's length is the distance at which a byte occurs three times over; it is taken once enough bytes agree.
    fn follow_records(&mut self, position: usize, c: u8) {
        let now = position as u32;
        let seen = &mut self.seen[c as usize];
        let distance = now.wrapping_sub(seen[0]);
        if distance > 1 && distance == seen[0].wrapping_sub(seen[1]) && distance == seen[1].wrapping_sub(seen[2]) {
            if self.candidate != distance as usize {
                self.candidate = distance as usize;
                self.votes = 0;
            } else if self.candidate < LONGEST_RECORD {
                self.votes += 1;
                if self.votes > VOTES {
                    self.record = self.candidate;
                    self.votes = 0;
                }
            }
        }
        *seen = [now, seen[0], seen[1]];
        self.column = position % self.record;
    }
    /// The hashes of the contexts of the next byte.
    #[inline(always)]
    pub fn hashes<const N: usize>(&self, known: &[u8]) -> [u32; N] {
        let values = match self.kind {
            Kind::Text => self.text_contexts(),
            Kind::Binary => self.record_contexts(known),
            Kind::Raster => self.raster_contexts(known),
        };
        std::array::from_fn(|i| mixed(values[i], i as u64 + 1))
    }

    /// The last `n` bytes (below 8).
    #[inline(always)]
    fn order(&self, n: u32) -> u64 {
        self.last & ((1 << (8 * n)) - 1)
    }

    #[inline(always)]
    fn text_contexts(&self) -> [u64; MOST] {
        let (word, before) = (u64::from(self.word), u64::from(self.word_before));
        [
            self.order(2),
            self.order(3),
            self.order(4),
            self.order(6),
            word << 8 | self.order(1),
            word.wrapping_mul(0x9E37_79B9_7F4A).wrapping_add(before << 8),
            0,
            0,
        ]
    }

    #[inline(always)]
    fn record_contexts(&self, known: &[u8]) -> [u64; MOST] {
        let at = |back: usize| known.len().checked_sub(back).map_or(0, |i| u64::from(known[i]));
        let (record, column) = (self.record, self.column as u64);
        let above = at(record);
        [
            self.order(2),
            self.order(4),
            self.order(6),
            above << 8 | self.order(1),
            above | at(2 * record) << 8 | column << 16,
            column << 16 | self.order(1) << 8 | 1,
            above | at(record + 1) << 8 | at((record - 1).max(1)) << 16,
            (self.last >> 16) & 0xffff | (self.last & 0xf0) << 16,
        ]
    }

    /// Neighbours by compass (north is the row above), `before` the byte before: the channel before of the same pixel.
    #[inline(always)]
    fn raster_contexts(&self, known: &[u8]) -> [u64; MOST] {
        let at = |back: usize| known.len().checked_sub(back).map_or(0, |i| i64::from(known[i]));
        let (row, pixel) = (self.record, self.pixel);
        let (w, n, nw, before) = (at(pixel), at(row), at(row.saturating_add(pixel)), at(1));
        let (ww, nn) = (at(pixel.saturating_mul(2)), at(row.saturating_mul(2)));
        let ne = at(row.saturating_sub(pixel).max(1));
        let (w_before, n_before) = (at(pixel.saturating_add(1)), at(row.saturating_add(1)));
        let channel = (self.column as u64 & 255) << 56;
        let packed = |bytes: [i64; 5]| channel | bytes.iter().fold(0, |all, &b| all << 9 | b.clamp(0, 255) as u64);
        let gradient = w + n - nw;
        [
            packed([w, n, nw, before, 0]),
            packed([w, n, ne, nn, 0]),
            packed([gradient, 1, 0, 0, 0]),
            packed([w + before - w_before, gradient >> 3, 0, 0, 0]),
            packed([n + before - n_before, (w - n).abs() >> 3, 0, 0, 0]),
            packed([w, before, ww >> 4, 0, 0]),
            packed([n, before, nn >> 4, 0, 0]),
            packed([(w + n + 1) >> 1, (w - n).abs() >> 2, (n - ne).abs() >> 3, 0, 0]),
        ]
    }
}
