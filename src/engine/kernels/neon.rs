//! NEON, which every aarch64 has: 4 outputs a register, one column an instruction (`smlal`).

use super::{LANES, Packed, Part, View, ViewMut};
use std::arch::aarch64::*;

/// # Safety
/// The sizes are as [`super::linear`] checks.
#[target_feature(enable = "neon")]
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
#[target_feature(enable = "neon")]
#[inline]
unsafe fn tile<const M: usize>(layer: &Packed, part: &Part, x: View, out: &mut ViewMut, i: usize, o: usize) {
    // SAFETY: weights hold `inputs * outputs` values and o + 8 <= outputs; rows i..i+M are within x and out, as
    // `product` checks.
    unsafe {
        let bias = layer.bias.as_ptr().add(o);
        let mut sums = [[vld1q_s32(bias), vld1q_s32(bias.add(4))]; M];
        let mut w = layer.weights.as_ptr().add(layer.start(o));
        let mut a = x.values.as_ptr().add(i * x.stride);
        for _ in 0..part.inputs / 2 {
            // Even and odd columns of eight outputs.
            let c = vld2q_s16(w);
            for (m, row) in sums.iter_mut().enumerate() {
                let (x0, x1) = (*a.add(m * x.stride), *a.add(m * x.stride + 1));
                row[0] = vmlal_n_s16(row[0], vget_low_s16(c.0), x0);
                row[1] = vmlal_n_s16(row[1], vget_high_s16(c.0), x0);
                row[0] = vmlal_n_s16(row[0], vget_low_s16(c.1), x1);
                row[1] = vmlal_n_s16(row[1], vget_high_s16(c.1), x1);
            }
            w = w.add(2 * LANES);
            a = a.add(2);
        }
        let (low, high) = (vdupq_n_s32(layer.low.into()), vdupq_n_s32(layer.high.into()));
        let shift = layer.shift.as_ptr().add(o);
        let shifts = [vnegq_s32(vld1q_s32(shift)), vnegq_s32(vld1q_s32(shift.add(4)))];
        for (m, row) in sums.iter().enumerate() {
            let y = |v: usize| vmovn_s32(vminq_s32(vmaxq_s32(vshlq_s32(row[v], shifts[v]), low), high));
            vst1q_s16(out.values.as_mut_ptr().add((i + m) * out.stride + o), vcombine_s16(y(0), y(1)));
        }
    }
}
