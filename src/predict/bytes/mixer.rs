//! Logistic mixing: predictions are weighed in the logistic domain by weights chosen by small contexts and learned online
//! (Mahoney 2005, "Adaptive weighing of context models for lossless data compression", section 3), in two layers.
//!
//! What must stay true: with inputs within ±2047 and 16-bit weights, a sum over [`INPUTS`] products fits an `i32`, so the
//! order of the additions cannot matter and any vector unit gives the same sum.

use super::logistic::{INPUT_LIMIT, LIMIT, squash};

/// Inputs of the first layer.
pub const INPUTS: usize = 16;
/// Weight sets of the first layer, each chosen by a context of its own.
pub const SETS: usize = 3;
/// A weight of 1 in the first layer.
const ONE: u32 = 14;

/// Largest learning rate of the first layer.
pub const FASTEST: i32 = 31;

/// Largest absolute weight of the second layer (16).
const LARGEST: i32 = 16 << 16;

/// A two-layer mixer.
#[derive(Debug)]
pub struct Mixer {
    /// The inputs, within ±2047.
    pub inputs: [i16; INPUTS],
    weights: Vec<[i16; INPUTS]>,
    chosen: [usize; SETS],
    outputs: [i32; SETS],
    /// Second layer: 2^16 is 1.
    last: Vec<[i32; SETS]>,
    last_chosen: usize,
}

// Not inlined and on slices: with a length that is not known, compilers turn these loops into vector code.

#[inline(never)]
fn dot(x: &[i16], w: &[i16]) -> i32 {
    x.iter().zip(w).map(|(&x, &w)| i32::from(x) * i32::from(w)).sum()
}

#[inline(never)]
fn train(x: &[i16], w: &mut [i16], error: i16) {
    for (w, &x) in w.iter_mut().zip(x) {
        let step = ((i32::from(x) * i32::from(error)) >> 16) as i16;
        *w = w.saturating_add((step + 1) >> 1);
    }
}

impl Mixer {
    /// A mixer with `sizes[i]` contexts for set `i`, `last` for the second layer; all weights of the first are `initial` of 2^14.
    pub fn new(sizes: [usize; SETS], last: usize, initial: i16) -> Self {
        Self {
            inputs: [0; INPUTS],
            weights: vec![[initial; INPUTS]; sizes.iter().sum()],
            chosen: [0; SETS],
            outputs: [0; SETS],
            last: vec![[65536 / SETS as i32; SETS]; last],
            last_chosen: 0,
        }
    }
    /// The logistic prediction; `chosen` are rows over all sets, `last` a row of the second layer.
    #[inline(always)]
    pub fn mix(&mut self, chosen: [usize; SETS], last: usize) -> i32 {
        self.chosen = chosen;
        self.last_chosen = last;
        let mut sum = 0i64;
        for ((output, row), &weight) in self.outputs.iter_mut().zip(chosen).zip(&self.last[last]) {
            *output = (dot(&self.inputs, &self.weights[row]) >> ONE).clamp(-INPUT_LIMIT, INPUT_LIMIT);
            sum += i64::from(*output) * i64::from(weight);
        }
        (sum >> 16).clamp(-i64::from(LIMIT), i64::from(LIMIT)) as i32
    }
    /// Learns the bit; `p` is the 16-bit probability that [`Mixer::mix`]'s value stood for. A `rate` of at most
    /// [`FASTEST`] keeps a step within 16 bits.
    #[inline(always)]
    pub fn learn(&mut self, bit: u32, p: i32, rate: i32) {
        let target = (bit << 16) as i32;
        for (&output, &row) in self.outputs.iter().zip(&self.chosen) {
            let error = ((target - squash(output)) * rate) >> 6;
            train(&self.inputs, &mut self.weights[row], error as i16);
        }
        let error = target - p;
        for (w, &x) in self.last[self.last_chosen].iter_mut().zip(&self.outputs) {
            *w = (*w + ((x * (error >> 4) + (1 << 12)) >> 13)).clamp(-LARGEST, LARGEST);
        }
    }
}
