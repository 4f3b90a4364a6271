//! What is done to every value by itself: plain loops, compiled once more with AVX2 where the machine has it.

use super::Kernel;

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

versions! {
    /// `out = ((clamp(x - mean, -limit, limit) << shift) * multiplier) >> 16`. The caller has proved that the shifted
    /// difference fits 16 bits.
    fn normalize(x: &[i16], mean: i16, limit: i16, shift: u8, multiplier: i16, out: &mut [i16]) {
        for (x, out) in x.iter().zip(out) {
            let difference = (x - mean).clamp(-limit, limit) << shift;
            *out = ((i32::from(difference) * i32::from(multiplier)) >> 16) as i16;
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
