//! The logistic domain: `stretch(p) = ln(p / (1 - p))` and its inverse `squash`, as tables made of integers.
//!
//! What must stay true: both are monotone, and no entry depends on a library's `exp` or `ln`.

/// Units of the logistic domain in one nat.
const NAT: i32 = 256;
/// Largest absolute value of a mixer's input.
pub const INPUT_LIMIT: i32 = 2047;
/// Largest absolute value that [`squash`] takes.
pub const LIMIT: i32 = 3071;

/// `2^40 / (1 + exp(-x / 256))` for `x` from 0 to 3071.
static FINE: [u64; 3072] = {
    const ONE: u128 = 1 << 60;
    // exp(-1/256) by its series, then its powers by multiplication.
    let (mut step, mut term, mut n) = (ONE as i128, ONE as i128, 1);
    while n < 12 {
        term = -term / (NAT as i128 * n);
        step += term;
        n += 1;
    }
    let mut table = [0; 3072];
    let (mut power, mut x) = (ONE, 0);
    while x < 3072 {
        table[x] = (((ONE << 40) + (ONE + power) / 2) / (ONE + power)) as u64;
        power = (power * step as u128) >> 60;
        x += 1;
    }
    table
};

/// `2^16 / (1 + exp(-x / 256))` for `x = index - 4096`, at least 1 and at most 65 535; beyond ±[`LIMIT`] as there.
static SQUASH: [u16; 8192] = {
    let mut table = [1; 8192];
    let mut x = 0;
    while x < 4096 {
        let p = (FINE[if x < 3072 { x } else { 3071 }] + (1 << 23)) >> 24;
        let p = if p > 65535 { 65535 } else { p as u32 };
        table[4096 - x] = (65536 - p) as u16;
        table[4096 + x] = p as u16;
        x += 1;
    }
    table
};

/// `ln(p / (1 - p)) * 256` for `p = (index + 1/2) / 4096`, rounded up, within ±[`INPUT_LIMIT`].
static STRETCH: [i16; 4096] = {
    let mut table = [0; 4096];
    let (mut x, mut i) = (0, 0);
    while i < 2048 {
        while x < INPUT_LIMIT && FINE[x as usize] < ((1 << 39) + (1 << 27) + ((i as u64) << 28)) {
            x += 1;
        }
        table[2048 + i] = x as i16;
        table[2047 - i] = -x as i16;
        i += 1;
    }
    table
};

/// Logistic value of a 12-bit probability.
#[inline(always)]
pub fn stretch(p12: usize) -> i32 {
    i32::from(STRETCH[p12 & 4095])
}

/// 16-bit probability (1 to 65 535) of a logistic value within ±[`LIMIT`].
#[inline(always)]
pub fn squash(x: i32) -> i32 {
    i32::from(SQUASH[(x + 4096) as usize & 8191])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::float_arithmetic, reason = "compares with libm")]
    fn tables_are_the_logistic_function() {
        for x in -LIMIT..=LIMIT {
            let exact = 65536.0 / (1.0 + (-f64::from(x) / 256.0).exp());
            assert!((f64::from(squash(x)) - exact.clamp(1.0, 65535.0)).abs() < 0.51, "{x}");
            assert!(x == -LIMIT || squash(x) >= squash(x - 1));
            assert_eq!(squash(x) + squash(-x), 65536, "{x}");
        }
        for i in 0..4096 {
            let p = (i as f64 + 0.5) / 4096.0;
            let exact = ((p / (1.0 - p)).ln() * 256.0).clamp(-2047.0, 2047.0);
            assert!((f64::from(stretch(i)) - exact).abs() <= 1.0, "{i}");
        }
    }
}
