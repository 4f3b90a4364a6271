//! The model of one segment: contexts, histories, match, mixer and refinement, bit by bit.
//!
//! What must stay true: `predict` reads what `learn` wrote and nothing else, so coder and decoder go the same way.

use super::Hint;
use super::contexts::{Contexts, Kind};
use super::history::NEXT;
use super::logistic::{squash, stretch};
use super::maps::{FRACTION, HALF, Refiner, StateMap, moved, state_map};
use super::matcher::Matcher;
use super::mixer::{FASTEST, INPUTS, Mixer, SETS};
use super::slots::{Slot, Slots};

/// Contexts whose histories stand in plain tables: orders 0 and 1.
const DIRECT: usize = 2;
/// The mixer's learning rate sinks to this within the first kilobytes.
const SLOWEST: i32 = 24;
/// A state map's probability moves by 2^-7 of its error.
const STATE_SHIFT: u32 = 7;

/// The model; `N` is the number of hashed contexts.
pub struct Model<const N: usize> {
    contexts: Contexts,
    slots: Slots,
    taken: [Slot; N],
    hashes: [u32; N],
    order1: Box<[u8; 65536]>,
    order0: [u8; 256],
    /// For each context: its histories' probabilities, the state and the probability in use (matches behind the contexts).
    maps: [StateMap; INPUTS],
    states: [u8; INPUTS],
    probabilities: [i32; INPUTS],
    long: Matcher,
    short: Matcher,
    mixer: Mixer,
    refine1: Refiner,
    refine2: Refiner,
    /// The partial byte with a leading 1.
    partial: u32,
    bit_index: u32,
    /// The partial nibble with a leading 1.
    node: usize,
    /// The 16-bit probability before refinement.
    mixed: i32,
    rate: i32,
    text: bool,
    /// Which bits of the first nibble move the second nibble's line: 1 keeps it in the pair of lines that is already there.
    spread: u32,
    bytes: usize,
}

impl<const N: usize> Model<N> {
    const CONTEXTS: usize = {
        assert!(N + DIRECT + 3 <= INPUTS);
        N + DIRECT
    };

    /// A model that has seen nothing, for a segment of `length` bytes.
    pub fn new(length: usize, kind: Kind, hint: Hint) -> Self {
        // Tables grow with the segment, so that a short one does not wait for memory to be cleared.
        let scale = |per_byte: usize, least: usize, most: usize| {
            (length.min(most) * per_byte).next_power_of_two().clamp(least, most)
        };
        Self {
            contexts: Contexts::new(kind, hint),
            slots: Slots::new(scale(2, 32, 1 << 17)),
            taken: [Slot::default(); N],
            hashes: [0; N],
            order1: Box::new([0; 65536]),
            order0: [0; 256],
            maps: std::array::from_fn(|_| state_map()),
            states: [0; INPUTS],
            probabilities: [HALF; INPUTS],
            long: Matcher::new(7, scale(1, 64, 1 << 18)),
            short: Matcher::new(5, scale(1, 64, 1 << 16)),
            mixer: Mixer::new([16 * 16, 256 * 8, 2048], 256, 1 << 12),
            refine1: Refiner::new(scale(8, 256, 1 << 12)),
            refine2: Refiner::new(scale(8, 256, 1 << 12)),
            partial: 1,
            bit_index: 0,
            node: 1,
            mixed: 0,
            rate: FASTEST,
            text: kind == Kind::Text,
            spread: if kind == Kind::Text { 1 } else { 15 },
            bytes: 0,
        }
    }

    /// Prepares for the next byte after the `known` ones.
    #[inline(always)]
    pub fn start_byte(&mut self, known: &[u8]) {
        if !known.is_empty() {
            self.contexts.byte(known);
        }
        self.hashes = self.contexts.hashes(known);
        let h5 = (self.contexts.last() & 0xff_ffff_ffff).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
        let h7 = (self.contexts.last() & 0xff_ffff_ffff_ffff).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
        self.slots.touch(&self.hashes);
        self.long.touch(h7 as u32);
        self.short.touch(h5 as u32);
        if !known.is_empty() {
            self.long.byte(known, h7 as u32);
            self.short.byte(known, h5 as u32);
        }
        self.partial = 1;
        self.bit_index = 0;
        self.bytes += 1;
        if self.rate > SLOWEST && self.bytes % 256 == 0 {
            self.rate -= 1;
        }
        self.start_nibble();
    }

    #[inline(always)]
    fn start_nibble(&mut self) {
        self.node = 1;
        let second = self.bit_index == 4;
        let spread = if second { (self.partial & 15) + 1 } else { 0 };
        let hashes: [u32; N] =
            std::array::from_fn(|i| self.hashes[i] ^ (spread & self.spread) ^ (spread * 0x0F00_0000));
        if second && self.spread > 1 {
            self.slots.touch(&hashes);
        }
        for (slot, &hash) in self.taken.iter_mut().zip(&hashes) {
            self.slots.take(hash, slot);
        }
    }

    #[inline(always)]
    fn end_nibble(&mut self) {
        for i in 0..N {
            self.slots.put(&self.taken[i]);
        }
    }

    /// The probability of a 1 as next bit, 1 to 65 535 of 2^16.
    #[inline(always)]
    pub fn predict(&mut self) -> u16 {
        let node = self.node & 15;
        let last = self.contexts.last();
        self.refine1.choose((last as usize & 255) << 8 | self.partial as usize);
        self.refine2.choose(
            (((last & 0xffff) as u32).wrapping_mul(0x9E37_79B1) >> 16) as usize ^ (self.partial as usize * 0x3D4D),
        );
        self.states[0] = self.order0[self.partial as usize & 255];
        self.states[1] = self.order1[((last as usize & 255) << 8 | self.partial as usize) & 65535];
        for i in 0..N {
            self.states[2 + i] = self.taken[i].states[node];
        }
        for i in 0..Self::CONTEXTS {
            self.probabilities[i] = self.maps[i][self.states[i] as usize];
        }
        let (long_class, p) = self.long.predict(self.partial, self.bit_index);
        self.probabilities[Self::CONTEXTS] = p;
        let (short_class, p) = self.short.predict(self.partial, self.bit_index);
        self.probabilities[Self::CONTEXTS + 1] = p;
        for (x, &p) in self.mixer.inputs.iter_mut().zip(&self.probabilities).take(Self::CONTEXTS + 2) {
            *x = stretch((p >> (FRACTION - 12)) as usize) as i16;
        }
        self.mixer.inputs[INPUTS - 1] = 256;
        let seen = self.states[2..Self::CONTEXTS].iter().map(|&s| u8::from(s != 0)).sum::<u8>() as usize;
        let class = long_class.max(short_class);
        let (partial, bit_index) = (self.partial as usize & 255, self.bit_index as usize);
        let chosen: [usize; SETS] = [
            class * 16 + seen,
            256 + (last as usize & 255) * 8 + bit_index,
            256 + 2048 + (self.contexts.channel() & 7) * 256 + partial,
        ];
        let x = self.mixer.mix(chosen, if self.text { partial } else { class * 8 + bit_index });
        self.mixed = squash(x);
        let r1 = self.refine1.refine(x);
        let r2 = self.refine2.refine(x);
        ((2 * self.mixed + r1 + r2 + 2) >> 2).clamp(1, 65535) as u16
    }

    /// Learns the bit.
    #[inline(always)]
    pub fn learn(&mut self, bit: u32) {
        let node = self.node & 15;
        let last = self.contexts.last();
        let b = bit as usize & 1;
        learn_all(&mut self.probabilities, bit);
        for i in 0..Self::CONTEXTS {
            self.maps[i][self.states[i] as usize] = self.probabilities[i];
            // What was never seen says nothing.
            self.maps[i][0] = HALF;
        }
        self.order0[self.partial as usize & 255] = NEXT[self.states[0] as usize][b];
        self.order1[((last as usize & 255) << 8 | self.partial as usize) & 65535] = NEXT[self.states[1] as usize][b];
        for i in 0..N {
            self.taken[i].states[node] = NEXT[self.states[2 + i] as usize][b];
        }
        self.long.learn(bit);
        self.short.learn(bit);
        self.mixer.learn(bit, self.mixed, self.rate);
        self.refine1.learn(bit);
        self.refine2.learn(bit);
        self.partial = (self.partial << 1) | bit;
        self.bit_index += 1;
        self.node = self.node * 2 + b;
        if self.bit_index == 4 {
            self.end_nibble();
            self.start_nibble();
        } else if self.bit_index == 8 {
            self.end_nibble();
        }
    }
}

/// Not inlined and on a slice, as the mixer's loops: it becomes vector code.
#[inline(never)]
fn learn_all(probabilities: &mut [i32], bit: u32) {
    for p in probabilities {
        *p = moved(*p, bit, STATE_SHIFT);
    }
}
