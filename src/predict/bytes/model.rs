//! The model of one segment: contexts, histories, match, mixer and refinement, bit by bit.
//!
//! What must stay true: `predict` reads what `learn` wrote and nothing else, so coder and decoder go the same way.

use super::Hint;
use super::contexts::{Contexts, HASHED, Kind};
use super::history::NEXT;
use super::logistic::{squash, stretch};
use super::maps::{FRACTION, HALF, Refiner, StateMap, moved, state_map};
use super::matcher::Matcher;
use super::mixer::{INPUTS, Mixer, SETS};
use super::slots::{Slot, Slots};

/// Contexts with states: order 0 and 1 in plain tables, the hashed ones.
const CONTEXTS: usize = HASHED + 2;
/// Inputs of each kind: one logistic and one linear for each context and match, and a constant.
const WIDTH: usize = INPUTS / 2;
const _: () = assert!(CONTEXTS + 3 <= WIDTH);
/// A state map's probability moves by 2^-6 of its error.
const STATE_SHIFT: u32 = 6;

pub struct Model {
    contexts: Contexts,
    slots: Slots,
    taken: [Slot; HASHED],
    hashes: [u32; HASHED],
    order1: Vec<u8>,
    order0: [u8; 256],
    maps: [StateMap; WIDTH],
    states: [u8; WIDTH],
    probabilities: [i32; WIDTH],
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
    x: i32,
    mixed: i32,
    refined: i32,
    rate: i32,
    bytes: usize,
}

impl Model {
    pub fn new(length: usize, kind: Kind, hint: Hint) -> Self {
        let scale = |per_byte: usize, least: usize, most: usize| (length * per_byte).next_power_of_two().clamp(least, most);
        Self {
            contexts: Contexts::new(kind, hint),
            slots: Slots::new(scale(4, 32, 1 << 18)),
            taken: [Slot::default(); HASHED],
            hashes: [0; HASHED],
            order1: vec![0; 65536],
            order0: [0; 256],
            maps: std::array::from_fn(|_| state_map()),
            states: [0; WIDTH],
            probabilities: [HALF; WIDTH],
            long: Matcher::new(7, scale(1, 64, 1 << 18)),
            short: Matcher::new(5, scale(1, 64, 1 << 16)),
            mixer: Mixer::new([16 * 16, 256, 256 * 8, 2048], 256, 1 << 12),
            refine1: Refiner::new(scale(8, 256, 1 << 14), 6),
            refine2: Refiner::new(scale(8, 256, 1 << 14), 6),
            partial: 1,
            bit_index: 0,
            node: 1,
            x: 0,
            mixed: 0,
            refined: 0,
            rate: 40,
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
        if !known.is_empty() {
            let h5 = (self.contexts.last() & 0xff_ffff_ffff).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
            let h7 = (self.contexts.last() & 0xff_ffff_ffff_ffff).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
            self.long.byte(known, h7 as u32);
            self.short.byte(known, h5 as u32);
        }
        self.partial = 1;
        self.bit_index = 0;
        self.bytes += 1;
        if self.rate > 12 && self.bytes % 256 == 0 {
            self.rate -= 1;
        }
        self.start_nibble();
    }

    #[inline(always)]
    fn start_nibble(&mut self) {
        self.node = 1;
        let second = self.bit_index == 4;
        let spread = if second { (self.partial & 15) + 1 } else { 0 };
        let hashes: [u32; HASHED] = std::array::from_fn(|i| self.hashes[i] ^ spread ^ (spread << 26));
        self.slots.touch(&hashes);
        for (slot, &hash) in self.taken.iter_mut().zip(&hashes) {
            self.slots.take(hash, slot);
        }
    }

    #[inline(always)]
    fn end_nibble(&mut self) {
        for i in 0..HASHED {
            self.slots.put(&self.taken[i]);
        }
    }

    /// The probability of a 1 as next bit, 1 to 65 535 of 2^16.
    #[inline(always)]
    pub fn predict(&mut self) -> u16 {
        let node = self.node & 15;
        let last = self.contexts.last();
        self.refine1.choose((last as usize & 255) << 8 | self.partial as usize);
        self.refine2.choose((((last & 0xffff) as u32).wrapping_mul(0x9E37_79B1) >> 16) as usize ^ (self.partial as usize * 0x3D4D));
        self.states[0] = self.order0[self.partial as usize & 255];
        self.states[1] = self.order1[((last as usize & 255) << 8 | self.partial as usize) & 65535];
        for i in 0..HASHED {
            self.states[2 + i] = self.taken[i].states[node];
        }
        for i in 0..CONTEXTS {
            self.probabilities[i] = self.maps[i][self.states[i] as usize];
        }
        let (long_class, _, p) = self.long.predict(self.partial, self.bit_index);
        self.probabilities[CONTEXTS] = p;
        let (short_class, _, p) = self.short.predict(self.partial, self.bit_index);
        self.probabilities[CONTEXTS + 1] = p;
        set_inputs(&self.probabilities, &mut self.mixer.inputs);
        self.mixer.inputs[WIDTH - 1] = 256;
        let seen = self.states[2..CONTEXTS].iter().map(|&s| u8::from(s != 0)).sum::<u8>() as usize;
        let class = long_class.max(short_class);
        let chosen: [usize; SETS] = [
            class * 16 + seen,
            256 + self.partial as usize,
            512 + (last as usize & 255) * 8 + self.bit_index as usize,
            512 + 2048 + (self.contexts.column & 255) * 8 + self.bit_index as usize,
        ];
        self.x = self.mixer.mix(chosen, self.partial as usize);
        self.mixed = squash(self.x);
        let r1 = self.refine1.refine(self.x);
        let r2 = self.refine2.refine(self.x);
        self.refined = (2 * self.mixed + r1 + r2 + 2) >> 2;
        self.refined.clamp(1, 65535) as u16
    }

    /// Learns the bit.
    #[inline(always)]
    pub fn learn(&mut self, bit: u32) {
        let node = self.node & 15;
        let last = self.contexts.last();
        let b = bit as usize & 1;
        learn_all(&mut self.probabilities, bit);
        for i in 0..CONTEXTS {
            self.maps[i][self.states[i] as usize] = self.probabilities[i];
            // What was never seen says nothing.
            self.maps[i][0] = HALF;
        }
        self.order0[self.partial as usize & 255] = NEXT[self.states[0] as usize][b];
        self.order1[((last as usize & 255) << 8 | self.partial as usize) & 65535] = NEXT[self.states[1] as usize][b];
        for i in 0..HASHED {
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

/// Each probability's logistic value and, in the second half, a linear one, which is small where it is unsure.
#[inline(never)]
fn set_inputs(probabilities: &[i32; WIDTH], inputs: &mut [i16; INPUTS]) {
    let (logistic, linear) = inputs.split_at_mut(WIDTH);
    for (x, &p) in logistic.iter_mut().zip(probabilities) {
        *x = stretch((p >> (FRACTION - 12)) as usize) as i16;
    }
    for (x, &p) in linear.iter_mut().zip(probabilities) {
        *x = ((p - HALF) >> (FRACTION - 10)) as i16;
    }
}

#[inline(never)]
fn learn_all(probabilities: &mut [i32], bit: u32) {
    for p in probabilities {
        *p = moved(*p, bit, STATE_SHIFT);
    }
}
