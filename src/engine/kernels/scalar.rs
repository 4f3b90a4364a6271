//! Plain Rust: what every other kernel must equal.

use super::{LANES, Packed, Part, View, ViewMut};

pub(super) fn linear(layer: &Packed, part: &Part, x: View, rows: usize, out: &mut ViewMut) {
    for i in 0..rows {
        let x = &x.row(i)[..part.inputs];
        for o in part.outputs.clone().step_by(LANES) {
            let mut sums = [0i32; LANES];
            sums.copy_from_slice(&layer.bias[o..o + LANES]);
            for (pair, weights) in x.chunks_exact(2).zip(layer.weights[layer.start(o)..].chunks_exact(2 * LANES)) {
                let (a, b) = (i32::from(pair[0]), i32::from(pair[1]));
                for (sum, w) in sums.iter_mut().zip(weights.chunks_exact(2)) {
                    *sum += a * i32::from(w[0]) + b * i32::from(w[1]);
                }
            }
            for ((y, sum), shift) in out.row(i)[o..o + LANES].iter_mut().zip(&sums).zip(&layer.shift[o..]) {
                *y = (sum >> shift).clamp(i32::from(layer.low), i32::from(layer.high)) as i16;
            }
        }
    }
}
