//! The score of a unit that is coded as several decisions: a byte, or a sample of sound.
//!
//! Each decision's surprise, entropy and variance are added up. What could be expected of a decision depends on those before it,
//! of the same unit too; so surprise minus entropy is a martingale difference, as it is of a unit that is coded at once.
//!
//! What must stay true: the expectation of a decision does not depend on how it turned out.

use super::{Coder, Damaged, Distribution, Score, ScoreMeter};

/// Scores units, in the order in which they are coded.
#[derive(Debug)]
pub struct DecisionMeter {
    meter: ScoreMeter,
    sum: Score,
    units: Vec<Score>,
}

impl Default for DecisionMeter {
    fn default() -> Self {
        Self { meter: ScoreMeter::new(2, false), sum: Score::default(), units: Vec::new() }
    }
}

impl DecisionMeter {
    /// The scores so far. What was coded since the last unit was complete belongs to none.
    pub fn units(self) -> Vec<Score> {
        self.units
    }
}

impl Coder for DecisionMeter {
    fn code<const P: usize>(&mut self, distribution: &impl Distribution<P>, symbol: u32) -> Result<u32, Damaged> {
        self.meter.code(distribution, symbol)?;
        let last = self.meter.last();
        let add = u32::saturating_add;
        self.sum = Score {
            surprise: add(self.sum.surprise, last.surprise),
            entropy: add(self.sum.entropy, last.entropy),
            variance: add(self.sum.variance, last.variance),
        };
        Ok(symbol)
    }

    fn complete(&mut self) {
        self.units.push(std::mem::take(&mut self.sum));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::Bit;

    #[test]
    fn decisions_of_a_unit_add_up() {
        let mut meter = DecisionMeter::default();
        let (fair, sure) = (Bit { zero: 1 << 15 }, Bit { zero: 1 << 14 });
        for (bit, symbol) in [(fair, 0), (fair, 1), (sure, 0)] {
            assert_eq!(meter.code(&bit, symbol), Ok(symbol));
        }
        meter.complete();
        meter.code(&sure, 1).unwrap();
        meter.complete();
        meter.code(&fair, 1).unwrap();
        let units = meter.units();
        let one = 1 << Score::FRACTION;
        assert_eq!(units.iter().map(|u| u.surprise).collect::<Vec<_>>(), [4 * one, 27_200]);
        // The entropy of a quarter is 0.8113 bits.
        assert!((units[0].entropy as i32 - (2 * one as i32 + 53_168)).abs() < 4 && units[1].entropy > 53_000);
        assert_eq!(units[0].variance, units[1].variance);
    }
}
