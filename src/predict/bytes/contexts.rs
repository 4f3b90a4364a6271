//! The contexts of the next byte: what each table lookup is keyed with.
//!
//! What must stay true: a context is computed from the bytes already known, the hint and the chosen kind alone.

use super::Hint;

/// Hashed contexts a byte.
pub const HASHED: usize = 10;

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
    hint: Hint,
    last: u64,
    word: u32,
    word_before: u32,
    word_before2: u32,
    seen: Box<[[u32; 3]; 256]>,
    record: usize,
    candidate: usize,
    votes: u32,
    /// Column within the record, for choosing weights.
    pub column: usize,
    pub order_hash: u32,
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
            hint,
            last: 0,
            word: 0,
            word_before: 0,
            word_before2: 0,
            seen: Box::new([[0; 3]; 256]),
            record: if hint.record > 0 { hint.record as usize } else { 4 },
            candidate: 0,
            votes: 0,
            column: 0,
            order_hash: 0,
        }
    }
    /// The last eight bytes, latest lowest.
    #[inline(always)]
    pub fn last(&self) -> u64 {
        self.last
    }
    /// Takes in the byte that has just become known (the last of `known`).
    #[inline(always)]
    pub fn byte(&mut self, known: &[u8]) {
        let c = known[known.len() - 1];
        self.last = (self.last << 8) | u64::from(c);
        match self.kind {
            Kind::Text => self.text(c),
            _ => self.records(known, c),
        }
    }
    fn text(&mut self, c: u8) {
        let lower = c.to_ascii_lowercase();
        if lower.is_ascii_alphabetic() || c >= 128 {
            self.word = (self.word.wrapping_add(u32::from(lower) + 1)).wrapping_mul(0x2F0B_4C47);
        } else if self.word != 0 {
            self.word_before2 = self.word_before;
            self.word_before = self.word;
            self.word = 0;
        }
    }
    /// A record's length is the distance at which bytes repeat three times over.
    fn records(&mut self, known: &[u8], c: u8) {
        let position = known.len() as u32;
        let seen = &mut self.seen[c as usize];
        if self.hint.record == 0 {
            let distance = position - seen[0];
            if distance > 1 && distance == seen[0].wrapping_sub(seen[1]) && distance == seen[1].wrapping_sub(seen[2]) {
                if self.candidate == distance as usize {
                    self.votes += 1;
                    if self.votes > 12 && (distance as usize) < 4096 {
                        self.record = self.candidate;
                        self.votes = 0;
                    }
                } else {
                    self.candidate = distance as usize;
                    self.votes = 0;
                }
            }
        }
        *seen = [position, seen[0], seen[1]];
        self.column = known.len() % self.record;
    }
    /// The hashes of the contexts of the next byte.
    #[inline(always)]
    pub fn hashes(&mut self, known: &[u8]) -> [u32; HASHED] {
        let last = self.last;
        let order = |n: u32| last & ((1u64 << (8 * n)) - 1);
        self.order_hash = mixed(order(6), 20);
        let values: [u64; HASHED] = match self.kind {
            Kind::Text => {
                let w = u64::from(self.word);
                let b = u64::from(self.word_before);
                [
                    order(2),
                    order(3),
                    order(4),
                    order(5),
                    order(6),
                    order(7).wrapping_mul(0x9E37_79B9),
                    w << 8 | (last & 255),
                    w.wrapping_mul(0x9E37_79B9_7F4A).wrapping_add(b << 8),
                    w.wrapping_mul(0x85EB_CA77_C2B2) ^ (u64::from(self.word_before2) << 12),
                    (last >> 8) & 0xff_ffff,
                ]
            }
            _ => {
                let at = |back: usize| known.len().checked_sub(back).map_or(0, |i| u64::from(known[i]));
                let r = self.record;
                let above = at(r);
                let above2 = at(2 * r);
                let left_above = at(r + 1);
                let column = self.column as u64;
                [
                    order(2),
                    order(3),
                    order(4),
                    order(6),
                    above << 8 | (last & 255),
                    above | above2 << 8 | column << 16,
                    column << 16 | (last & 255) << 8 | 1,
                    above | left_above << 8 | at(r.saturating_sub(1).max(1)) << 16,
                    (last >> 8) & 0xffff,
                    (last >> 16) & 0xffff | (last & 0xf0) << 16,
                ]
            }
        };
        std::array::from_fn(|i| mixed(values[i], i as u64 + 1))
    }
}
