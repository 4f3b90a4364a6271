//! Sums and updates of vectors, in a fixed shape.
//!
//! What must stay true: element `i` of a product goes to lane `i mod 16`, each lane adds in rising order, and the lanes are
//! added as the tree in [`tree`]; so the sum is the same on every machine, and compilers turn the lanes into vector code.
//! Lengths are whole numbers of lanes.

use std::ops::Add;

/// Lanes of a sum.
pub const LANES: usize = 16;

/// Lane i and lane i + 8; of these, i and i + 4; of these, 0 and 2, and 1 and 3; then both.
#[inline(always)]
fn tree<T: Copy + Add<Output = T>>(lanes: [T; LANES]) -> T {
    let eight: [T; 8] = std::array::from_fn(|i| lanes[i] + lanes[i + 8]);
    let four: [T; 4] = std::array::from_fn(|i| eight[i] + eight[i + 4]);
    (four[0] + four[2]) + (four[1] + four[3])
}

/// The sum of `x[i] w[i]`.
#[inline(never)]
pub fn dot32(x: &[f32], w: &[f32]) -> f32 {
    let mut sums = [0f32; LANES];
    for (x, w) in x.chunks_exact(LANES).zip(w.chunks_exact(LANES)) {
        for i in 0..LANES {
            sums[i] += x[i] * w[i];
        }
    }
    tree(sums)
}

/// The sum of `x[i] w[i]`.
#[inline(never)]
pub fn dot64(x: &[f64], w: &[f64]) -> f64 {
    let mut sums = [0f64; LANES];
    for (x, w) in x.chunks_exact(LANES).zip(w.chunks_exact(LANES)) {
        for i in 0..LANES {
            sums[i] += x[i] * w[i];
        }
    }
    tree(sums)
}

/// `w += gain x`.
#[inline(never)]
pub fn add32(w: &mut [f32], x: &[f32], gain: f32) {
    for (w, x) in w.iter_mut().zip(x) {
        *w += gain * *x;
    }
}

/// `w -= gain x`.
#[inline(never)]
pub fn sub64(w: &mut [f64], x: &[f64], gain: f64) {
    for (w, x) in w.iter_mut().zip(x) {
        *w -= gain * *x;
    }
}

/// `w = keep w + gain x`.
#[inline(never)]
pub fn fade64(w: &mut [f64], x: &[f64], keep: f64, gain: f64) {
    for (w, x) in w.iter_mut().zip(x) {
        *w = *w * keep + gain * *x;
    }
}
