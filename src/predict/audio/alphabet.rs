//! The values that the samples of a channel take, where they leave most of their neighbours out: after a change of volume, a
//! conversion from fewer bits, clipping. A sample is then coded by its rank among them.
//!
//! What must stay true: an encoder lists the values of its samples, all of them and in order; a decoder accepts no list that
//! is longer than the channel or leaves 32 bits.

use crate::entropy::{Bits, Coder, CostMeter, Damaged, cost_of};
use crate::predict::{Chance, number};

/// Bits of the number of values.
const COUNT_BITS: u32 = 18;
/// Widest range of values that is looked at: its flags take a bit each.
const MOST_RANGE: u64 = 1 << 25;
/// Gaps from here on have no decisions of their own.
const WIDE: usize = 16;
/// Bits of how many bits a wide gap has.
const WIDTH_BITS: u32 = 5;

/// Values, ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alphabet(Vec<i32>);

impl Alphabet {
    /// The values of these samples, if naming them costs less than it saves: a sample, about the share of its 64 nearest
    /// values that occur.
    pub fn worth(samples: impl Iterator<Item = i32> + Clone) -> Option<Self> {
        let range = |(low, high): (i32, i32), sample: i32| (low.min(sample), high.max(sample));
        let (low, high) = samples.clone().fold((i32::MAX, i32::MIN), range);
        let width = (i64::from(high) - i64::from(low) + 1) as u64;
        if high <= low || width > MOST_RANGE {
            return None;
        }
        // Half a word of room before the first value and a whole one after the last.
        let place = |sample: i32| (i64::from(sample) - i64::from(low)) as usize + 32;
        let mut flags = vec![0u64; width as usize / 64 + 3];
        let mut length = 0usize;
        for sample in samples.clone() {
            flags[place(sample) / 64] |= 1 << (place(sample) % 64);
            length += 1;
        }
        let count = flags.iter().map(|word| word.count_ones() as usize).sum::<usize>();
        if count * 8 > width as usize * 7 || count * 3 > length || count >= 1 << COUNT_BITS {
            return None;
        }
        let mut near = [0u64; 65];
        for sample in samples {
            let (word, bit) = ((place(sample) - 32) / 64, (place(sample) - 32) % 64);
            let window = (u128::from(flags[word]) | u128::from(flags[word + 1]) << 64) >> bit;
            near[(window as u64).count_ones() as usize] += 1;
        }
        let gain = (1..65).map(|n| cost_of(n, 6).0 * u128::from(near[n as usize])).sum::<u128>();
        let set = flags.iter().enumerate().flat_map(|(word, bits)| {
            (0..64).filter(move |bit| bits >> bit & 1 == 1).map(move |bit| (word * 64 + bit) as i64 - 32)
        });
        let mut alphabet = Self(set.map(|at| (i64::from(low) + at) as i32).collect());
        let mut meter = CostMeter::new();
        alphabet.code(&mut meter, length).ok()?;
        let cost = meter.bits().0;
        (gain > cost + cost / 8 + (64 << Bits::FRACTION)).then_some(alphabet)
    }

    /// A list to decode into.
    pub fn empty() -> Self {
        Self(Vec::new())
    }

    /// Codes the list: a decoder's is filled. A channel of `length` samples has at most as many.
    pub fn code<C: Coder>(&mut self, coder: &mut C, length: usize) -> Result<(), Damaged> {
        let count = number(coder, COUNT_BITS, self.0.len() as u32)? as usize;
        let first = number(coder, 32, self.0.first().map_or(0, |v| *v as u32))? as i32;
        if count == 0 || count > length {
            return Err(Damaged);
        }
        self.0.resize(count, 0);
        self.0[0] = first;
        let mut chances = [[Chance::NEW; WIDE + 1]; WIDE + 1];
        // The last gap, and the last one that was another.
        let (mut last, mut other) = (1, 1);
        let mut again = [Chance::NEW; 2];
        for i in 1..count {
            let value = i64::from(self.0[i - 1]);
            let mut next = (i64::from(self.0[i]) - value) as u64;
            let is_wide = last >= WIDE as u64;
            if is_wide && again[0].code(coder, next == last)? {
                next = last;
            } else if is_wide && again[1].code(coder, next == other)? {
                next = other;
            } else {
                next = gap(coder, &mut chances[(last as usize).min(WIDE)], next)?;
            }
            if next != last {
                (last, other) = (next, last);
            }
            self.0[i] = i32::try_from(value + next as i64).map_err(|_| Damaged)?;
        }
        Ok(())
    }

    /// The rank of a value of the list.
    #[inline]
    pub fn rank(&self, value: i32) -> i64 {
        self.0.partition_point(|v| *v < value) as i64
    }

    /// The value of this rank.
    #[inline]
    pub fn value(&self, rank: i64) -> Result<i32, Damaged> {
        usize::try_from(rank).ok().and_then(|rank| self.0.get(rank)).copied().ok_or(Damaged)
    }

    /// Where a number lies between the ranks.
    #[inline]
    pub fn place(&self, number: f64) -> f64 {
        let above = self.0.partition_point(|v| f64::from(*v) <= number);
        let Some(below) = above.checked_sub(1) else { return 0.0 };
        let Some(high) = self.0.get(above) else { return below as f64 };
        let low = f64::from(self.0[below]);
        below as f64 + (number - low) / (f64::from(*high) - low)
    }
}

/// Codes the distance from a value to the next, at least 1.
fn gap<C: Coder>(coder: &mut C, chances: &mut [Chance; WIDE + 1], gap: u64) -> Result<u64, Damaged> {
    for (i, chance) in (1..=WIDE as u64).zip(chances) {
        if !chance.code(coder, gap > i)? {
            return Ok(i);
        }
    }
    let more = gap.wrapping_sub(WIDE as u64) as u32;
    let bits = number(coder, WIDTH_BITS, more.checked_ilog2().unwrap_or(0))?;
    let rest = number(coder, bits, more & ((1 << bits) - 1))?;
    Ok(WIDE as u64 + (1 << bits | u64::from(rest)))
}
