//! Adaptive maps: from a bit history, or from a prediction in a small context, to a probability learned while coding.
//!
//! What must stay true: probabilities are 22-bit integers and stay within their range whatever the bits are.

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

/// Points of an [`Refiner`]'s curve.
const POINTS: usize = 13;

#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Curve([u32; 16]);

/// An adaptive probability map: refines a prediction by what followed it in a small context.
#[derive(Debug)]
pub struct Refiner {
    curves: Vec<Curve>,
    context: usize,
    point: usize,
    rate: u32,
}

impl Refiner {
    /// Identity curves for `contexts` (a power of two) contexts; a curve moves by `2^-rate` of the error.
    pub fn new(contexts: usize, rate: u32) -> Self {
        let mut curve = Curve([0; 16]);
        for (i, p) in curve.0.iter_mut().enumerate().take(POINTS) {
            *p = (squash((i as i32 - 6) * 512) as u32) << 16;
        }
        Self { curves: vec![curve; contexts], context: 0, point: 0, rate }
    }
    /// Chooses the context; its cache line starts to come.
    #[inline(always)]
    pub fn choose(&mut self, context: usize) {
        self.context = context & (self.curves.len() - 1);
        std::hint::black_box(self.curves[self.context].0[0]);
    }
    /// The 16-bit probability for the logistic prediction `x` in the chosen context.
    #[inline(always)]
    pub fn refine(&mut self, x: i32) -> i32 {
        let x = (x.clamp(-LIMIT, LIMIT) + 3072) as usize;
        let (low, weight) = ((x >> 9) & 15, (x & 511) as u64);
        self.point = (low + usize::from(weight >= 256)) & 15;
        let curve = &self.curves[self.context].0;
        ((u64::from(curve[low]) * (512 - weight) + u64::from(curve[(low + 1) & 15]) * weight) >> 25) as i32
    }
    /// Learns the bit that followed.
    #[inline(always)]
    pub fn learn(&mut self, bit: u32) {
        let p = &mut self.curves[self.context].0[self.point];
        let rate = self.rate;
        *p = if bit == 1 { *p + ((u32::MAX - *p) >> rate) } else { *p - (*p >> rate) };
    }
}
