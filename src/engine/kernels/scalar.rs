//! Plain Rust: what every other kernel must equal.

use super::{LANES, Packed, Rows};

pub(super) fn linear(layer: &Packed, x: &Rows, rows: usize, out: &mut Rows) {
    let n = layer.outputs;
    let mut sums = vec![0i32; n];
    for i in 0..rows {
        sums.copy_from_slice(&layer.bias);
        let x = &x.row(i)[..layer.inputs];
        let blocks = layer.weights.chunks_exact(LANES * layer.inputs);
        for (sums, weights) in sums.chunks_exact_mut(LANES).zip(blocks) {
            for (pair, weights) in x.chunks_exact(2).zip(weights.chunks_exact(2 * LANES)) {
                let (a, b) = (i32::from(pair[0]), i32::from(pair[1]));
                for (sum, w) in sums.iter_mut().zip(weights.chunks_exact(2)) {
                    *sum += a * i32::from(w[0]) + b * i32::from(w[1]);
                }
            }
        }
        for ((y, sum), shift) in out.row_mut(i).iter_mut().zip(&sums).zip(&layer.shift) {
            *y = (sum >> shift).clamp(i32::from(layer.low), i32::from(layer.high)) as i16;
        }
    }
}
