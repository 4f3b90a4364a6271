//! Code lengths without a coder: `-log2(width / 2^PRECISION)`, added up in integers.

use super::{Coder, Damaged, Distribution};

/// A code length in units of 2^-32 bit. 64 bits of them would end at 512 MiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Bits(pub u128);

impl Bits {
    /// Fractional bits of the unit.
    pub const FRACTION: u32 = 32;

    /// Whole bits, rounded up.
    pub fn ceil_bits(self) -> u64 {
        self.0.div_ceil(1 << Self::FRACTION).try_into().unwrap_or(u64::MAX)
    }
    /// Whole bytes, rounded up.
    pub fn ceil_bytes(self) -> u64 {
        self.ceil_bits().div_ceil(8)
    }
    /// The value for printing.
    #[allow(clippy::float_arithmetic, reason = "for people; no code depends on it")]
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / (1u64 << Self::FRACTION) as f64
    }
}

impl std::ops::Add for Bits {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl std::ops::AddAssign for Bits {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl std::iter::Sum for Bits {
    fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
        items.fold(Self::default(), |a, b| a + b)
    }
}

/// log2 of `1 + i / 512` in units of 2^-32, each entry by repeated squaring; the last one is log2 of 2.
const LOG2: [u64; 513] = {
    let mut table = [0; 513];
    let mut i = 0;
    while i < 512 {
        let mut x = (512 + i as u128) << 54; // 1.0 is 2^63
        let (mut bits, mut n) = (0, 0);
        while n < 34 {
            x = (x * x) >> 63;
            bits <<= 1;
            if x >> 64 != 0 {
                bits |= 1;
                x >>= 1;
            }
            n += 1;
        }
        table[i] = (bits + 2) >> 2;
        i += 1;
    }
    table[512] = 1 << 32;
    table
};

/// `PRECISION - log2(width)`: what a symbol of this width costs. The table is interpolated linearly (error below 7e-7 bit).
#[inline]
pub fn cost_of(width: u32, precision: u32) -> Bits {
    debug_assert!(width > 0);
    let exponent = 31 - width.leading_zeros();
    let mantissa = u64::from(width << (31 - exponent)) & 0x7fff_ffff; // 31 bits behind the leading one
    let (index, rest) = ((mantissa >> 22) as usize, mantissa & ((1 << 22) - 1));
    let log2 = LOG2[index] + (((LOG2[index + 1] - LOG2[index]) * rest) >> 22);
    Bits(((u64::from(precision) << 32) - (u64::from(exponent) << 32) - log2).into())
}

/// Adds up what each symbol costs.
#[derive(Debug, Default)]
pub struct CostMeter {
    total: Bits,
    last: Bits,
}

impl CostMeter {
    /// A meter at zero.
    pub fn new() -> Self {
        Self::default()
    }
    /// The sum so far.
    pub fn bits(&self) -> Bits {
        self.total
    }
    /// What the last symbol cost.
    pub fn last(&self) -> Bits {
        self.last
    }
}

impl Coder for CostMeter {
    #[inline]
    fn code<const P: usize>(&mut self, distribution: &impl Distribution<P>, symbol: u32) -> Result<u32, Damaged> {
        self.last = cost_of(distribution.interval(symbol).1, P as u32);
        self.total += self.last;
        Ok(symbol)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::float_arithmetic, reason = "compares with libm")]
    fn cost_is_minus_log2() {
        for width in (1..70_000).chain((1 << 24) - 70_000..1 << 24) {
            let exact = 24.0 - f64::from(width).log2();
            assert!((cost_of(width, 24).to_f64() - exact).abs() < 7e-7, "{width}");
        }
        assert_eq!(cost_of(1 << 15, 16), Bits(1 << 32));
    }

    #[test]
    fn sums_of_large_files_do_not_saturate() {
        let segment = Bits(8 << (Bits::FRACTION + 22)); // 4 MiB
        let sum: Bits = std::iter::repeat_n(segment, 1 << 20).sum();
        assert_eq!(sum.ceil_bytes(), 1 << 42);
    }
}
