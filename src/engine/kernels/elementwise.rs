//! What is done to every value by itself, and the features of a window: plain loops, compiled once more with AVX2 where the
//! machine has it.

use super::{Kernel, LANES, Rows};
use crate::engine::field::{BLOCK, Field};
use crate::engine::network::Run;

/// Defines a function twice, with the same body: for the target's baseline and for AVX2.
macro_rules! versions {
    ($(#[$doc:meta])* fn $name:ident($($arg:ident: $type:ty),*) $body:block) => {
        $(#[$doc])*
        pub fn $name(kernel: Kernel, $($arg: $type),*) {
            #[inline(always)]
            fn plain($($arg: $type),*) $body
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2")]
            unsafe fn avx2($($arg: $type),*) {
                plain($($arg),*)
            }
            match kernel {
                // SAFETY: the machine has AVX2 (every one with AVX-512 does).
                #[cfg(target_arch = "x86_64")]
                Kernel::Avx2 | Kernel::Avx512 if Kernel::Avx2.is_available() => unsafe { avx2($($arg),*) },
                _ => plain($($arg),*),
            }
        }
    };
}

/// How a difference becomes a feature at each level of the local scale.
#[derive(Debug, Clone, Copy)]
pub struct Scaling<'p> {
    pub limit: &'p [i16],
    pub shift: &'p [u8],
    pub multiplier: &'p [i16],
}

versions! {
    /// `out = ((clamp(x - mean, -limit, limit) << shift) * multiplier) >> 16` in the first `rows` rows, where each `mean` goes
    /// with `each` values and the level of its row; `inputs` are x, mean, level. The caller has proved that the shifted difference fits 16 bits.
    fn normalize(inputs: [&Rows; 3], scaling: Scaling, each: usize, channels: usize, rows: usize, out: &mut Rows) {
        let [x, mean, level] = inputs;
        for i in 0..rows {
            let q = level.row(i)[0] as usize;
            let (limit, shift, multiplier) = (scaling.limit[q], scaling.shift[q], i32::from(scaling.multiplier[q]));
            let (x, means) = (&x.row(i)[..channels * each], &mean.row(i)[..channels]);
            let out = &mut out.row_mut(i)[..channels * each];
            for (c, mean) in means.iter().enumerate() {
                let (x, out) = (&x[c * each..][..each], &mut out[c * each..][..each]);
                for (x, out) in x.iter().zip(out) {
                    let difference = (x - mean).clamp(-limit, limit) << shift;
                    *out = ((i32::from(difference) * multiplier) >> 16) as i16;
                }
            }
        }
    }
}

versions! {
    /// Copies the windows of positions (row, column) in the inside of a picture, channel after channel, and a block of zeros
    /// behind them. A picture of fewer than `channels` channels is seen as one whose last ones are equal.
    fn gather(field: &Field, runs: &[Run], window: usize, channels: usize, position: (usize, usize), out: &mut [i16]) {
        for channel in 0..channels {
            let at = field.index(channel.min(field.channels() - 1), position.0 as isize, position.1);
            let out = &mut out[channel * window..];
            for run in runs {
                // By value, so that the compiler sees no overlap and uses vectors.
                let block = field.block(at, run.first).map(i16::from);
                out[run.place..run.place + BLOCK].copy_from_slice(&block);
            }
        }
        // What the last block brought along is no value.
        out[channels * window..channels * window + BLOCK].fill(0);
    }
}

versions! {
    /// Copies the first `width` values of each row of `x` to rows of `out`, from `at` on.
    fn copy(x: &Rows, width: usize, rows: usize, at: usize, out: &mut Rows) {
        for i in 0..rows {
            let (x, out) = (x.row(i), &mut out.row_mut(i)[at..]);
            if width % LANES == 0 {
                for (x, out) in x[..width].chunks_exact(LANES).zip(out.chunks_exact_mut(LANES)) {
                    out.copy_from_slice(x);
                }
            } else {
                x[..width].iter().zip(out).for_each(|(x, out)| *out = *x);
            }
        }
    }
}

versions! {
    /// `out = max(x, 0)`.
    fn rectify(x: &[i16], out: &mut [i16]) {
        for (x, out) in x.iter().zip(out) {
            *out = (*x).max(0);
        }
    }
}

versions! {
    /// `out = clamp(a + b, low, high)`. The caller has proved that the sum fits 16 bits.
    fn add(a: &[i16], b: &[i16], low: i16, high: i16, out: &mut [i16]) {
        for ((a, b), out) in a.iter().zip(b).zip(out) {
            *out = (a + b).clamp(low, high);
        }
    }
}

versions! {
    /// `gradient = 0` where `x` is not strictly between `low` and `high`: there the value was clamped.
    fn mask(x: &[i16], low: i16, high: i16, gradient: &mut [i16]) {
        for (x, gradient) in x.iter().zip(gradient) {
            *gradient = if *x > low && *x < high { *gradient } else { 0 };
        }
    }
}

versions! {
    /// `sums += gradient`. The caller bounds the number of calls, so that sums fit.
    fn add_to(gradient: &[i16], sums: &mut [i32]) {
        for (gradient, sum) in gradient.iter().zip(sums) {
            *sum += i32::from(*gradient);
        }
    }
}

versions! {
    /// `out = clamp(out + x, -limit, limit)`. The caller has proved that the sum fits 16 bits.
    fn accumulate(x: &[i16], limit: i16, out: &mut [i16]) {
        for (x, out) in x.iter().zip(out) {
            *out = (*out + x).clamp(-limit, limit);
        }
    }
}
