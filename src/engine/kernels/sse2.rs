//! SSE2, which every x86-64 has: 4 outputs a register, two columns an instruction (`pmaddwd`).

use super::{LANES, Packed, Part, View, ViewMut};
use std::arch::x86_64::*;

/// # Safety
/// The sizes are as [`super::linear`] checks.
pub(super) unsafe fn linear(layer: &Packed, part: &Part, x: View, rows: usize, out: &mut ViewMut) {
    for o in part.outputs.clone().step_by(8) {
        let mut i = 0;
        // SAFETY: `o + 8 <= outputs`, and rows are within both buffers.
        unsafe {
            while i + 6 <= rows {
                tile::<6>(layer, part, x, out, i, o);
                i += 6;
            }
            while i < rows {
                tile::<1>(layer, part, x, out, i, o);
                i += 1;
            }
        }
    }
}

/// `M` rows by 8 outputs, all sums in registers.
#[inline]
unsafe fn tile<const M: usize>(layer: &Packed, part: &Part, x: View, out: &mut ViewMut, i: usize, o: usize) {
    // SAFETY: weights hold `inputs * outputs` values and o + 8 <= outputs; rows i..i+M are within x and out, as
    // `product` checks; pairs of i16 are read unaligned.
    unsafe {
        let load = |p: *const i32| _mm_loadu_si128(p.cast());
        let bias = layer.bias.as_ptr().add(o);
        let mut sums = [[load(bias), load(bias.add(4))]; M];
        let mut w = layer.weights.as_ptr().add(layer.start(o));
        let mut a = x.values.as_ptr().add(i * x.stride);
        for _ in 0..part.inputs / 2 {
            let columns = [load(w.cast()), load(w.add(8).cast())];
            for (m, row) in sums.iter_mut().enumerate() {
                let pair = _mm_set1_epi32(a.add(m * x.stride).cast::<i32>().read_unaligned());
                row[0] = _mm_add_epi32(row[0], _mm_madd_epi16(pair, columns[0]));
                row[1] = _mm_add_epi32(row[1], _mm_madd_epi16(pair, columns[1]));
            }
            w = w.add(2 * LANES);
            a = a.add(2);
        }
        for (m, row) in sums.iter().enumerate() {
            // No shift by a count a lane before AVX2.
            let mut values = [0i32; 8];
            _mm_storeu_si128(values.as_mut_ptr().cast(), row[0]);
            _mm_storeu_si128(values.as_mut_ptr().add(4).cast(), row[1]);
            for (k, v) in values.iter().enumerate() {
                let y = (v >> layer.shift[o + k]).clamp(layer.low.into(), layer.high.into());
                out.values[(i + m) * out.stride + o + k] = y as i16;
            }
        }
    }
}
