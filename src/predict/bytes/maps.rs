//! Adaptive maps: from a bit history, or from a prediction in a small context, to a probability learned while coding.
//!
//! What must stay true: probabilities are integers of 30 fractional bits and stay within their range whatever the bits are.

use super::history::PRIOR;
use super::logistic::{LIMIT, squash};

/// Fractional bits of a probability.
pub const FRACTION: u32 = 30;
/// A probability of one half.
pub const HALF: i32 = 1 << (FRACTION - 1);

/// From bit histories to probabilities of a 1, one for each state.
pub type StateMap = [i32; 256];

/// A state map that knows nothing but the counts.
pub fn state_map() -> StateMap {
    std::array::from_fn(|state| i32::from(PRIOR[state] >> 1) << (FRACTION - 15))
}

/// `p` moved by `2^-shift` of the way to the bit.
#[inline(always)]
pub fn moved(p: i32, bit: u32, shift: u32) -> i32 {
    p + ((((bit << FRACTION) as i32 - bit as i32) - p) >> shift)
}

/// Points of a [`Refiner`]'s curve.
const POINTS: usize = 13;

/// Probabilities at logistic values 512 apart, in one cache line.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Curve([i32; 16]);

/// An adaptive probability map: refines a prediction by what followed it in a small context.
#[derive(Debug)]
pub struct Refiner {
    curves: Vec<Curve>,
    context: usize,
    point: usize,
}

impl Refiner {
    /// Identity curves for `contexts` (a power of two) contexts.
    pub fn new(contexts: usize) -> Self {
        let mut curve = Curve([0; 16]);
        for (i, p) in curve.0.iter_mut().enumerate().take(POINTS) {
            *p = squash(((i as i32 - 6) * 512).clamp(-LIMIT, LIMIT)) << (FRACTION - 16);
        }
        Self { curves: vec![curve; contexts], context: 0, point: 0 }
    }
    /// Chooses the context; its cache line starts to come.
    #[inline(always)]
    pub fn choose(&mut self, context: usize) {
        self.context = context & (self.curves.len() - 1);
        std::hint::black_box(self.curves[self.context].0[0]);
    }
    /// The 16-bit probability for the logistic prediction `x`, within ±[`LIMIT`], in the chosen context.
    #[inline(always)]
    pub fn refine(&mut self, x: i32) -> i32 {
        let x = (x + 3072) as usize;
        let (low, weight) = ((x >> 9) & 15, (x & 511) as i32);
        self.point = (low + usize::from(weight >= 256)) & 15;
        let curve = &self.curves[self.context].0;
        let (a, b) = (curve[low] >> 9, curve[(low + 1) & 15] >> 9);
        ((a * (512 - weight)) >> (FRACTION - 16)) + ((b * weight) >> (FRACTION - 16))
    }
    /// Learns the bit that followed: a curve's nearest point moves by 2^-6 of its error.
    #[inline(always)]
    pub fn learn(&mut self, bit: u32) {
        let p = &mut self.curves[self.context].0[self.point];
        *p = moved(*p, bit, 6);
    }
}
