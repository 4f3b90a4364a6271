//! Two values: the log-odds of 1 become a probability of 16 bits.
//!
//! Parameter: `x = ln(p / (1 - p))`, p the probability of 1. 16 bits of precision, since neither value may have more than
//! 65 535 of 65 536: a value as certain as that costs 2e-5 bits.
//!
//! What must stay true: the counts of x and of -x are each other's complement.

use crate::entropy::Bit;
use crate::wire::{Reader, WireError, Writer};

/// Bits of the total count.
pub const PRECISION: usize = 16;
/// Fractional bits of the log-odds where they index the table.
pub const FRACTION: u32 = 7;
/// Largest magnitude of the log-odds: beyond it nothing changes.
pub const LIMIT: i32 = 12;
/// Entries of the table.
pub const ENTRIES: usize = ((LIMIT as usize) << FRACTION) + 1;

/// Tables and units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tables {
    /// Fractional bits of the parameter.
    pub fraction: u8,
    /// `[ENTRIES]`: the count of the less likely value at a magnitude of the log-odds, falling from 2^15.
    pub unlikely: Vec<u16>,
}

impl Tables {
    /// Whether every count is one.
    pub fn check(&self) -> Result<(), &'static str> {
        let ok = |good: bool, what| if good { Ok(()) } else { Err(what) };
        ok((FRACTION as u8..=15).contains(&self.fraction), "the parameters' fraction")?;
        ok(self.unlikely.len() == ENTRIES && self.unlikely[0] == 1 << 15, "the table of probabilities")?;
        ok(self.unlikely.is_sorted_by(|a, b| a >= b), "the order of the table of probabilities")?;
        ok(self.unlikely[ENTRIES - 1] >= 1, "the least probability")
    }

    /// Canonical bytes.
    pub fn write(&self, w: &mut Writer) {
        w.u8(self.fraction);
        super::write_falling(w, self.unlikely.iter().map(|v| (*v).into()));
    }

    /// Reads canonical bytes; [`check`](Self::check) comes after.
    pub fn read(r: &mut Reader) -> Result<Self, WireError> {
        let fraction = r.u8()?;
        let unlikely = super::read_falling(r, ENTRIES)?;
        let narrow = |v: u32| u16::try_from(v).map_err(|_| WireError::OutOfRange("a probability"));
        Ok(Self { fraction, unlikely: unlikely.into_iter().map(narrow).collect::<Result<_, _>>()? })
    }

    /// The distribution for log-odds.
    #[inline]
    pub fn bit(&self, parameter: i16) -> Bit {
        let drop = u32::from(self.fraction) - FRACTION;
        let magnitude = (u32::from(parameter.unsigned_abs()) + ((1 << drop) >> 1)) >> drop;
        let unlikely = self.unlikely[(magnitude as usize).min(ENTRIES - 1)];
        Bit { zero: if parameter > 0 { unlikely } else { unlikely.wrapping_neg() } }
    }
}

#[cfg(test)]
#[allow(clippy::float_arithmetic, reason = "compares with formulas in floating point")]
mod tests {
    use super::*;
    use crate::entropy::{Distribution, cost_of};
    use crate::quantize::float;
    use crate::quantize::tables;

    #[test]
    fn counts_are_near_the_formula() {
        for fraction in 7..=15 {
            let tables = tables::bernoulli(fraction);
            assert_eq!(tables.check(), Ok(()));
            for parameter in (i16::MIN..=i16::MAX).step_by(7) {
                let bit = tables.bit(parameter);
                let x = f64::from(parameter) / f64::from(1u32 << fraction);
                let costs = [0, 1].map(|symbol| {
                    let exact = float::bernoulli_bits(x as f32, symbol as u16);
                    let cost = cost_of(bit.interval(symbol).1, PRECISION as u32).to_f64();
                    assert!(exact > 12.0 || (cost - exact).abs() < 0.07, "{x} {symbol}: {cost} {exact}");
                    (cost - exact) * (-exact).exp2()
                });
                let excess: f64 = costs.iter().sum();
                assert!(excess < 3e-5, "{x}: {excess}");
                let (one, other) = (tables.bit(parameter).zero, tables.bit(parameter.saturating_neg()).zero);
                assert!(parameter == i16::MIN || u32::from(one) + u32::from(other) == 1 << 16);
            }
        }
    }
}
