//! AVX2: 8 outputs a register, two columns an instruction (`vpmaddwd`).

use super::{LANES, Packed, Part, View, ViewMut};
use std::arch::x86_64::*;

/// # Safety
/// The machine has the instructions, and the sizes are as [`super::linear`] checks.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn linear(layer: &Packed, part: &Part, x: View, rows: usize, out: &mut ViewMut) {
    for o in part.outputs.clone().step_by(16) {
        let mut i = 0;
        // SAFETY: `o + 16 <= outputs`, and rows are within both buffers.
        unsafe {
            while i + 6 <= rows {
                tile::<6>(layer, part, x, out, i, o);
                i += 6;
            }
            match rows - i {
                5 => tile::<5>(layer, part, x, out, i, o),
                4 => tile::<4>(layer, part, x, out, i, o),
                3 => tile::<3>(layer, part, x, out, i, o),
                2 => tile::<2>(layer, part, x, out, i, o),
                1 => tile::<1>(layer, part, x, out, i, o),
                _ => {}
            }
        }
    }
}

/// `M` rows by 16 outputs, all sums in registers.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn tile<const M: usize>(layer: &Packed, part: &Part, x: View, out: &mut ViewMut, i: usize, o: usize) {
    // SAFETY: weights hold `inputs * outputs` values and o + 16 <= outputs; rows i..i+M are within x and out, as
    // `product` checks; pairs of i16 are read unaligned.
    unsafe {
        let load = |p: *const i32| _mm256_loadu_si256(p.cast());
        let bias = layer.bias.as_ptr().add(o);
        let mut sums = [[load(bias), load(bias.add(8))]; M];
        let mut w = layer.weights.as_ptr().add(layer.start(o));
        let mut a = x.values.as_ptr().add(i * x.stride);
        for _ in 0..part.inputs / 2 {
            let columns = [load(w.cast()), load(w.add(16).cast())];
            for (m, row) in sums.iter_mut().enumerate() {
                let pair = _mm256_set1_epi32(a.add(m * x.stride).cast::<i32>().read_unaligned());
                row[0] = _mm256_add_epi32(row[0], _mm256_madd_epi16(pair, columns[0]));
                row[1] = _mm256_add_epi32(row[1], _mm256_madd_epi16(pair, columns[1]));
            }
            w = w.add(2 * LANES);
            a = a.add(2);
        }
        let (low, high) = (_mm256_set1_epi32(layer.low.into()), _mm256_set1_epi32(layer.high.into()));
        let shifts = [load(layer.shift.as_ptr().add(o)), load(layer.shift.as_ptr().add(o + 8))];
        for (m, row) in sums.iter().enumerate() {
            let y = |v: usize| _mm256_min_epi32(_mm256_max_epi32(_mm256_srav_epi32(row[v], shifts[v]), low), high);
            // The values fit i16 already, so the pack's saturation does nothing; it works on halves, hence the permutation.
            let packed = _mm256_permute4x64_epi64(_mm256_packs_epi32(y(0), y(1)), 0b11_01_10_00);
            _mm256_storeu_si256(out.values.as_mut_ptr().add((i + m) * out.stride + o).cast(), packed);
        }
    }
}
