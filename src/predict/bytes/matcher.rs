//! The match model: where the last bytes have occurred before, what followed there is expected again.
//!
//! What must stay true: positions point into the bytes already known, so a decoder sees the same match.

use super::maps::{HALF, moved};

/// Longest length told apart.
const LONGEST: u32 = 65535;

/// Follows the most recent occurrence of the last `MINIMUM` bytes.
pub struct Matcher {
    table: Vec<u32>,
    minimum: usize,
    pointer: usize,
    length: u32,
    /// Its class, until the partial byte differs.
    class: usize,
    /// The expected byte with a leading 1.
    expected: u32,
    maps: [i32; 128],
    used: usize,
    /// Bytes until the last failure is forgotten.
    misses: u32,
}

impl Matcher {
    /// A matcher for contexts of `minimum` bytes with a table of `entries` (a power of two).
    pub fn new(minimum: usize, entries: usize) -> Self {
        Self {
            table: vec![0; entries],
            minimum,
            pointer: 0,
            length: 0,
            class: 0,
            expected: 0,
            maps: [HALF; 128],
            used: 0,
            misses: 0,
        }
    }
    /// Starts to fetch what [`Matcher::byte`] will look up.
    #[inline(always)]
    pub fn touch(&self, hash: u32) {
        std::hint::black_box(self.table[hash as usize & (self.table.len() - 1)]);
    }
    /// Follows or seeks a match; `known` is all bytes so far, `hash` that of the last `minimum` of them.
    #[inline(always)]
    pub fn byte(&mut self, known: &[u8], hash: u32) {
        let position = known.len();
        if self.length > 0 && known[self.pointer] == known[position - 1] {
            self.length = (self.length + 1).min(LONGEST);
            self.pointer += 1;
        } else {
            self.misses = if self.length > 0 { 8 } else { self.misses };
            self.length = 0;
        }
        if position < self.minimum {
            return;
        }
        let place = hash as usize & (self.table.len() - 1);
        if self.length == 0 {
            let candidate = self.table[place] as usize;
            if candidate > 0 {
                let longest = candidate.min(400);
                let same = (1..=longest).take_while(|&i| known[candidate - i] == known[position - i]).count();
                if same >= self.minimum {
                    self.length = same as u32;
                    self.pointer = candidate;
                }
            }
        }
        self.table[place] = position as u32;
        self.misses = self.misses.saturating_sub(1);
        // No partial byte equals 0 or what it is shifted to, so a byte that is not expected is never met.
        self.expected = if self.length > 0 { u32::from(known[self.pointer]) | 256 } else { 0 };
        self.class = self.class();
    }
    /// The length class of the match that still agrees with the partial byte: 0 for none, up to 15.
    #[inline(always)]
    fn class(&self) -> usize {
        match self.length {
            0 => 0,
            n @ 1..=15 => 1 + (n as usize >> 1),
            n @ 16..=31 => 9 + (n as usize - 16) / 8,
            32..=63 => 11,
            64..=127 => 12,
            128..=511 => 13,
            512..=2047 => 14,
            _ => 15,
        }
    }
    /// `(class, probability)` for the next bit; class 0 means that nothing is expected.
    #[inline(always)]
    pub fn predict(&mut self, partial: u32, bit_index: u32) -> (usize, i32) {
        // The expected byte's bits above the next one must be those already known.
        if (self.expected >> (8 - bit_index)) != partial {
            if self.class != 0 {
                (self.misses, self.length, self.class, self.used, self.expected) = (8, 0, 0, 0, 0);
            }
            return (0, HALF);
        }
        let bit = (self.expected >> (7 - bit_index)) & 1;
        self.used = (self.class * 2 + bit as usize) * 2 + usize::from(self.misses > 0);
        (self.class, self.maps[self.used & 127])
    }
    /// Learns the bit.
    #[inline(always)]
    pub fn learn(&mut self, bit: u32) {
        let p = &mut self.maps[self.used & 127];
        *p = moved(*p, bit, 6);
    }
}
