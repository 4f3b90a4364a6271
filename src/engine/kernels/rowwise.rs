//! What is done to every value by itself, for some values of many rows: plain loops, compiled once more with AVX2 where the
//! machine has it.

use super::{Kernel, LANES, View, ViewMut};
use std::ops::Range;

versions! {
    /// `out = clamp(a + b, low, high)`. The caller has proved that the sum fits 16 bits.
    fn add(a: View, b: View, rows: usize, values: &Range<usize>, clamp: (i16, i16), out: &mut ViewMut) {
        for i in 0..rows {
            let (a, b, out) = (&a.row(i)[values.clone()], &b.row(i)[values.clone()], &mut out.row(i)[values.clone()]);
            for ((a, b), out) in a.iter().zip(b).zip(out) {
                *out = (a + b).clamp(clamp.0, clamp.1);
            }
        }
    }
}

versions! {
    /// `out = clamp((a b + 2^(shift - 1)) >> shift, low, high)`. The caller has proved that the sum fits 32 bits.
    fn gate(inputs: [View; 2], rows: usize, values: &Range<usize>, shift: u8, clamp: (i16, i16), out: &mut ViewMut) {
        let [a, b] = inputs;
        let half = 1i32 << (shift - 1);
        let (low, high) = (i32::from(clamp.0), i32::from(clamp.1));
        for i in 0..rows {
            let (a, b, out) = (&a.row(i)[values.clone()], &b.row(i)[values.clone()], &mut out.row(i)[values.clone()]);
            for ((a, b), out) in a.iter().zip(b).zip(out) {
                *out = ((i32::from(*a) * i32::from(*b) + half) >> shift).clamp(low, high) as i16;
            }
        }
    }
}

versions! {
    /// `out = max(x, 0)`.
    fn rectify(x: View, rows: usize, values: &Range<usize>, out: &mut ViewMut) {
        for i in 0..rows {
            let (x, out) = (&x.row(i)[values.clone()], &mut out.row(i)[values.clone()]);
            for (x, out) in x.iter().zip(out) {
                *out = (*x).max(0);
            }
        }
    }
}

versions! {
    /// `out = table[clamp(x >> shift, first, last) - first]`, with the table's shift, first index and values.
    fn look_up(x: View, rows: usize, values: &Range<usize>, table: (u8, i32, &[i16]), out: &mut ViewMut) {
        let (shift, first, table) = table;
        let last = first + (table.len() as i32 - 1);
        for i in 0..rows {
            let (x, out) = (&x.row(i)[values.clone()], &mut out.row(i)[values.clone()]);
            for (x, out) in x.iter().zip(out) {
                *out = table[((i32::from(*x) >> shift).clamp(first, last) - first) as usize];
            }
        }
    }
}

versions! {
    /// Copies values of each row to the values of `out` from `at` on.
    fn copy(x: View, rows: usize, values: &Range<usize>, at: usize, out: &mut ViewMut) {
        for i in 0..rows {
            let x = &x.row(i)[values.clone()];
            out.row(i)[at..at + x.len()].copy_from_slice(x);
        }
    }
}

versions! {
    /// Copies the first vectors of each row to those of `out` from `at` on.
    fn copy_vectors(x: View, rows: usize, vectors: usize, at: usize, out: &mut ViewMut) {
        for i in 0..rows {
            let (x, out) = (&x.row(i)[..vectors * LANES], &mut out.row(i)[at..at + vectors * LANES]);
            for v in 0..vectors {
                out[v * LANES..][..LANES].copy_from_slice(&x[v * LANES..][..LANES]);
            }
        }
    }
}
