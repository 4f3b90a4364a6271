//! Pictures of one bit a pixel: context mixing over templates of neighbours.
//!
//! A template is a number of pixels around (as in ITU-T T.88, section 6.2.5.3, but seven of them, some larger): what they are is
//! hashed to a counter of the ones that followed. A mixer weighs the counters' predictions, and two adaptive maps refine the
//! result. Everything starts afresh in each segment.
//!
//! What must stay true: integers alone, and pixels already known alone; a change of any probability raises [`PART`]'s version.
#![deny(clippy::float_arithmetic)]

#[cfg(test)]
mod tests;

use super::Part;
use super::bytes::logistic::{squash, stretch};
use super::bytes::maps::Refiner;
use super::bytes::mixer::{INPUTS, Mixer};
use crate::entropy::{Bit, Bits, Coder, CostMeter, Damaged, Decoder, Encoder};

/// This part's name and version.
pub const PART: Part = Part { name: "bilevel", version: 1 };

/// Bytes of a segment at most, but for a single row: what bounds the room that a thread needs.
pub const SEGMENT: usize = 1 << 20;

/// The rows of a segment of a picture with so many bytes a row. Part of the stream format.
pub fn rows(line: usize) -> usize {
    (SEGMENT / line.max(1)).max(1)
}

/// Rows above that templates see.
const ABOVE: usize = 4;
/// Templates: for each row, from the pixel's own upwards, which pixels; bit 16 is the pixel right above, lower bits lie to the right.
const TEMPLATES: [[u32; ABOVE + 1]; 7] = [
    [left(4), span(2, 2), span(1, 1), 0, 0],
    [left(6), span(4, 4), span(3, 3), span(1, 1), 0],
    [left(3), span(2, 3), span(2, 2), span(2, 2), span(1, 1)],
    [left(12), span(6, 6), 0, 0, 0],
    [left(8), span(7, 7), span(5, 5), span(3, 3), span(2, 2)],
    [left(2), span(1, 1), span(1, 1), span(1, 1), span(1, 1)],
    [left(15), span(12, 12), span(8, 8), span(6, 6), span(4, 4)],
];
/// Counters of a template at most.
const COUNTERS: usize = 1 << 20;
/// A counter follows every pixel it sees by one part of how many it has seen, up to this many.
const SLOWEST: u32 = 255;
/// What the mixer's weights move by.
const RATE: i32 = 16;

/// So many pixels to the left, in the same row.
const fn left(count: u32) -> u32 {
    span(count, 0) & !(1 << 16)
}

/// The pixel above, so many to its left and so many to its right.
const fn span(left: u32, right: u32) -> u32 {
    ((1 << (left + 1 + right)) - 1) << (16 - right)
}

/// What is known about a segment.
struct Model {
    /// For each template: probabilities of a 1 (22 bits) and how often the counter was used (10 bits).
    counters: Vec<u32>,
    /// Counters of a template.
    each: usize,
    places: [usize; TEMPLATES.len()],
    mixer: Mixer,
    near: Refiner,
    far: Refiner,
    mixed: i32,
}

impl Model {
    /// A model that has seen nothing, for a segment of so many bytes.
    fn new(length: usize) -> Self {
        const { assert!(2 * TEMPLATES.len() < INPUTS) };
        let each = (8 * length).next_power_of_two().clamp(1 << 10, COUNTERS);
        Self {
            counters: vec![1 << 31; each * TEMPLATES.len()],
            each,
            places: [0; TEMPLATES.len()],
            mixer: Mixer::new([256, 1024, 32], 1, 1 << 12),
            near: Refiner::new(1 << 12),
            far: Refiner::new(1 << 16),
            mixed: 0,
        }
    }

    /// The probability of a 1, of 2^16; `rows` are the pixels around, as in [`TEMPLATES`].
    #[inline]
    fn predict(&mut self, rows: &[u32; ABOVE + 1]) -> u16 {
        let mut sure = 0;
        for (i, template) in TEMPLATES.iter().enumerate() {
            let hash = rows.iter().zip(template).fold(i as u64, |hash, (row, mask)| {
                (hash ^ u64::from(row & mask)).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23)
            });
            let place = i * self.each + ((hash >> 40) as usize & (self.each - 1));
            self.places[i] = place;
            let counter = self.counters[place];
            let p = stretch((counter >> 20) as usize);
            // The larger, the more often it was seen.
            let seen = (counter & 1023).min(32) as i32;
            self.mixer.inputs[2 * i] = p as i16;
            self.mixer.inputs[2 * i + 1] = ((p * seen) >> 5) as i16;
            sure += usize::from(seen > 3);
        }
        self.mixer.inputs[INPUTS - 1] = 256;
        let take = |row: usize, low: u32, count: u32| (rows[row] >> low) as usize & ((1 << count) - 1);
        let nearest = take(0, 17, 2) | take(1, 15, 3) << 2 | take(2, 16, 1) << 5;
        let wider = take(0, 17, 4) | take(1, 14, 5) << 4 | take(2, 15, 3) << 9;
        let x = self.mixer.mix([sure << 5 | nearest & 31, 256 + (wider & 1023), 256 + 1024 + take(0, 17, 5)], 0);
        self.near.choose(wider);
        self.far.choose(wider ^ take(3, 15, 3) << 12 ^ take(4, 16, 1) << 15);
        self.mixed = squash(x);
        let refined = self.near.refine(x) + self.far.refine(x);
        ((2 * self.mixed + refined + 2) >> 2).clamp(1, 65535) as u16
    }

    #[inline]
    fn learn(&mut self, bit: u32) {
        for place in self.places {
            let counter = &mut self.counters[place];
            let (p, seen) = ((*counter >> 10) as i64, *counter & 1023);
            let target = i64::from(bit) * ((1 << 22) - 1);
            // By 1 / (seen + 1.5).
            let p = p + (target - p) * 2 / i64::from(2 * seen + 3);
            *counter = (p as u32) << 10 | (seen + 1).min(SLOWEST);
        }
        self.mixer.learn(bit, self.mixed, RATE);
        self.near.learn(bit);
        self.far.learn(bit);
    }
}

/// Codes a segment of rows of `line` bytes, the first pixel of a byte in its highest bit: an encoder or meter reads `data`, a
/// decoder fills it.
pub fn walk<C: Coder>(coder: &mut C, data: &mut [u8], line: usize) -> Result<(), Damaged> {
    let mut model = Model::new(data.len());
    // Rows above, the nearest first, with room for what lies to the right of a row.
    let mut above = vec![vec![0u8; line + 3]; ABOVE];
    for row in data.chunks_exact_mut(line.max(1)) {
        // The pixels around: bit 16 is right above, and a step to the right moves all one up.
        let mut around = [0u32; ABOVE + 1];
        for (window, row) in around[1..].iter_mut().zip(&above) {
            *window = u32::from(row[0]) << 8 | u32::from(row[1]);
        }
        for at in 0..line {
            let (known, mut byte) = (row[at], 0);
            for bit in (0..8).rev() {
                for (window, row) in around[1..].iter_mut().zip(&above) {
                    *window = *window << 1 | u32::from(row[at + 2] >> bit & 1);
                }
                let one = u32::from(model.predict(&around));
                let pixel = coder.code(&Bit { zero: (65536 - one) as u16 }, u32::from(known >> bit) & 1)?;
                model.learn(pixel);
                around[0] = (around[0] | pixel << 16) << 1;
                byte = byte << 1 | pixel as u8;
            }
            row[at] = byte;
        }
        above.rotate_right(1);
        above[0][..line].copy_from_slice(row);
    }
    Ok(())
}

/// The code of a segment.
pub fn encode(data: &[u8], line: usize) -> Vec<u8> {
    let (mut encoder, mut data) = (Encoder::new(), data.to_vec());
    walk(&mut encoder, &mut data, line).expect("every pixel can be coded");
    encoder.finish()
}

/// The `length` bytes of a segment; the caller has compared them with its limits.
pub fn decode(code: &[u8], length: usize, line: usize) -> Result<Vec<u8>, Damaged> {
    let mut data = vec![0; length];
    walk(&mut Decoder::new(code), &mut data, line)?;
    Ok(data)
}

/// The code length of a segment.
pub fn measure(data: &[u8], line: usize) -> Bits {
    let (mut meter, mut data) = (CostMeter::new(), data.to_vec());
    walk(&mut meter, &mut data, line).expect("every pixel can be coded");
    meter.bits()
}
