//! AVX-512 with VNNI: 16 outputs a register, two columns an instruction (`vpdpwssd`, which wraps and does not saturate).
#![allow(clippy::incompatible_msrv, reason = "Rust 1.85 has no AVX-512; the older compiler is used for aarch64 alone")]

use super::{LANES, Packed, Part, View, ViewMut};
use std::arch::x86_64::*;

/// # Safety
/// The machine has the instructions, and the sizes are as [`super::linear`] checks.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) unsafe fn linear(layer: &Packed, part: &Part, x: View, rows: usize, out: &mut ViewMut) {
    let mut o = part.outputs.start;
    while o < part.outputs.end {
        let vectors = ((part.outputs.end - o) / 16).min(4);
        // SAFETY: `o + 16 * vectors <= outputs`, and rows are within both buffers.
        unsafe {
            match vectors {
                4 => columns::<4>(layer, part, x, rows, out, o),
                3 => columns::<3>(layer, part, x, rows, out, o),
                2 => columns::<2>(layer, part, x, rows, out, o),
                _ => columns::<1>(layer, part, x, rows, out, o),
            }
        }
        o += 16 * vectors;
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
unsafe fn columns<const V: usize>(layer: &Packed, part: &Part, x: View, rows: usize, out: &mut ViewMut, o: usize) {
    let mut i = 0;
    // SAFETY: as above; each call handles rows i..i+M.
    unsafe {
        while i + 6 <= rows {
            tile::<6, V>(layer, part, x, out, i, o);
            i += 6;
        }
        match rows - i {
            5 => tile::<5, V>(layer, part, x, out, i, o),
            4 => tile::<4, V>(layer, part, x, out, i, o),
            3 => tile::<3, V>(layer, part, x, out, i, o),
            2 => tile::<2, V>(layer, part, x, out, i, o),
            1 => tile::<1, V>(layer, part, x, out, i, o),
            _ => {}
        }
    }
}

/// `M` rows by `V` vectors of outputs, all sums in registers.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
#[inline]
unsafe fn tile<const M: usize, const V: usize>(
    layer: &Packed,
    part: &Part,
    x: View,
    out: &mut ViewMut,
    i: usize,
    o: usize,
) {
    // SAFETY: weights hold `inputs * outputs` values and o + 16 V <= outputs; rows i..i+M are within x and out, as
    // `product` checks; pairs of i16 are read unaligned.
    unsafe {
        let mut sums = [[_mm512_setzero_si512(); V]; M];
        for v in 0..V {
            let bias = _mm512_loadu_si512(layer.bias.as_ptr().add(o + 16 * v).cast());
            for row in &mut sums {
                row[v] = bias;
            }
        }
        let mut w = layer.weights.as_ptr().add(layer.start(o));
        let next = layer.inputs * LANES;
        let mut a = x.values.as_ptr().add(i * x.stride);
        for _ in 0..part.inputs / 2 {
            let mut columns = [_mm512_setzero_si512(); V];
            for (v, c) in columns.iter_mut().enumerate() {
                *c = _mm512_loadu_si512(w.add(v * next).cast());
            }
            for (m, row) in sums.iter_mut().enumerate() {
                let pair = _mm512_set1_epi32(a.add(m * x.stride).cast::<i32>().read_unaligned());
                for v in 0..V {
                    row[v] = _mm512_dpwssd_epi32(row[v], pair, columns[v]);
                }
            }
            w = w.add(2 * LANES);
            a = a.add(2);
        }
        let (low, high) = (_mm512_set1_epi32(layer.low.into()), _mm512_set1_epi32(layer.high.into()));
        for v in 0..V {
            let shift = _mm512_loadu_si512(layer.shift.as_ptr().add(o + 16 * v).cast());
            for (m, row) in sums.iter().enumerate() {
                let y = _mm512_min_epi32(_mm512_max_epi32(_mm512_srav_epi32(row[v], shift), low), high);
                let to = out.values.as_mut_ptr().add((i + m) * out.stride + o + 16 * v);
                _mm256_storeu_si256(to.cast(), _mm512_cvtepi32_epi16(y));
            }
        }
    }
}
