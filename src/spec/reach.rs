//! Sets of symbols relative to a position: what an output can see.
//!
//! A [`Reach`] is a union of boxes over slice, frame, row, column (relative) and channel (absolute). A side of a box may be
//! unbounded, so "every earlier row" is one box; the sets that convolutions, attention and recurrence produce are all of
//! this kind, and so are their sums.
//!
//! What must stay true: a reach never leaves out a symbol. Where the exact set depends on the position (strides, blocks), it
//! is the union over positions.

/// A side that has no bound: `-EVERYWHERE` below, `EVERYWHERE` above.
pub const EVERYWHERE: i64 = i64::MAX / 4;

/// Number of coordinates: slice, frame, row, column, channel.
pub(super) const COORDINATES: usize = 5;
/// The coordinate of channels.
pub(super) const CHANNEL: usize = 4;

/// A box of symbols.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// Lowest slice, frame, row, column (relative to the position) and channel.
    pub low: [i64; COORDINATES],
    /// Highest; included.
    pub high: [i64; COORDINATES],
}

/// Too many boxes: the description is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooComplex;

/// Bounds the work that a description can ask for: one unit is about one comparison of boxes.
#[derive(Debug)]
pub(super) struct Budget(pub u64);

impl Budget {
    /// Takes `n` units.
    pub fn spend(&mut self, n: usize) -> Result<(), TooComplex> {
        self.0 = self.0.checked_sub(n as u64 + 1).ok_or(TooComplex)?;
        Ok(())
    }
}

impl Term {
    /// One symbol.
    pub(super) fn point(at: [i64; COORDINATES]) -> Self {
        Self { low: at, high: at }
    }

    fn contains(&self, other: &Self) -> bool {
        (0..COORDINATES).all(|i| self.low[i] <= other.low[i] && other.high[i] <= self.high[i])
    }

    /// What lies in both.
    pub fn intersect(&self, other: &Self) -> Option<Self> {
        let mut both = *self;
        for i in 0..COORDINATES {
            both.low[i] = self.low[i].max(other.low[i]);
            both.high[i] = self.high[i].min(other.high[i]);
        }
        (0..COORDINATES).all(|i| both.low[i] <= both.high[i]).then_some(both)
    }

    /// The union, where it is a box and the two differ along one coordinate only.
    fn merge(&self, other: &Self) -> Option<Self> {
        let mut differing = (0..COORDINATES).filter(|&i| self.low[i] != other.low[i] || self.high[i] != other.high[i]);
        let (Some(i), None) = (differing.next(), differing.next()) else { return None };
        if self.low[i].max(other.low[i]) > self.high[i].min(other.high[i]) + 1 {
            return None;
        }
        let mut both = *self;
        both.low[i] = self.low[i].min(other.low[i]);
        both.high[i] = self.high[i].max(other.high[i]);
        Some(both)
    }

    /// All sums of a symbol of this and one of the other; unbounded stays unbounded.
    fn sum(&self, other: &Self) -> Self {
        let mut sum = *self;
        for i in 0..COORDINATES {
            sum.low[i] = bounded(self.low[i], other.low[i]);
            sum.high[i] = bounded(self.high[i], other.high[i]);
        }
        sum
    }
}

fn bounded(a: i64, b: i64) -> i64 {
    if a.abs() == EVERYWHERE {
        a
    } else if b.abs() == EVERYWHERE {
        b
    } else {
        a + b
    }
}

/// A set of symbols relative to a position.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    terms: Vec<Term>,
}

impl Reach {
    /// The boxes, none of which lies within another.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// Whether the symbol at a relative slice, frame, row and column and an absolute channel belongs to it.
    pub fn contains(&self, at: [i64; 5]) -> bool {
        self.terms.iter().any(|t| t.contains(&Term::point(at)))
    }

    /// The smallest box around it, if it is not empty.
    pub fn hull(&self) -> Option<Term> {
        self.terms.iter().copied().reduce(|mut a, b| {
            for i in 0..COORDINATES {
                a.low[i] = a.low[i].min(b.low[i]);
                a.high[i] = a.high[i].max(b.high[i]);
            }
            a
        })
    }

    /// Adds a box.
    pub(super) fn insert(&mut self, term: Term, budget: &mut Budget) -> Result<(), TooComplex> {
        let mut term = term;
        loop {
            budget.spend(self.terms.len())?;
            if self.terms.iter().any(|t| t.contains(&term)) {
                return Ok(());
            }
            self.terms.retain(|t| !term.contains(t));
            let Some((at, merged)) = self.terms.iter().enumerate().find_map(|(i, t)| Some((i, t.merge(&term)?))) else {
                self.terms.push(term);
                return Ok(());
            };
            self.terms.swap_remove(at);
            term = merged;
        }
    }

    /// Adds all of another.
    pub(super) fn unite(&mut self, other: &Self, budget: &mut Budget) -> Result<(), TooComplex> {
        other.terms.iter().try_for_each(|&t| self.insert(t, budget))
    }

    /// What is seen by something that sees this from each of `places` (whose channel is 0).
    pub(super) fn seen_from(&self, places: &Self, budget: &mut Budget) -> Result<Self, TooComplex> {
        let mut sum = Self::default();
        for a in &places.terms {
            for b in &self.terms {
                sum.insert(a.sum(b), budget)?;
            }
        }
        Ok(sum)
    }

    /// What lies in both.
    pub(super) fn intersect(&self, other: &Self, budget: &mut Budget) -> Result<Self, TooComplex> {
        let mut both = Self::default();
        for a in &self.terms {
            for b in &other.terms {
                budget.spend(1)?;
                if let Some(t) = a.intersect(b) {
                    both.insert(t, budget)?;
                }
            }
        }
        Ok(both)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Boxes over rows and columns, some of them unbounded on a side.
    fn boxes() -> impl Strategy<Value = Vec<Term>> {
        let side = || (-3i64..=3, 0i64..=2, 0u8..10);
        let one = (side(), side()).prop_map(|(row, column)| {
            let mut t = Term::point([0; COORDINATES]);
            for (i, (low, length, open)) in [(2, row), (3, column)] {
                t.low[i] = if open == 0 { -EVERYWHERE } else { low };
                t.high[i] = if open == 1 { EVERYWHERE } else { low + length };
            }
            t
        });
        prop::collection::vec(one, 0..6)
    }

    fn reach(boxes: &[Term]) -> Reach {
        let mut reach = Reach::default();
        boxes.iter().for_each(|&t| reach.insert(t, &mut Budget(1 << 20)).unwrap());
        reach
    }

    fn has(boxes: &[Term], row: i64, column: i64) -> bool {
        boxes.iter().any(|t| (t.low[2]..=t.high[2]).contains(&row) && (t.low[3]..=t.high[3]).contains(&column))
    }

    proptest! {
        #[test]
        fn sets_of_boxes_are_the_sets_of_their_symbols(a in boxes(), b in boxes()) {
            let budget = &mut Budget(1 << 20);
            let (ra, rb) = (reach(&a), reach(&b));
            let both = ra.intersect(&rb, budget).unwrap();
            let sum = ra.seen_from(&rb, budget).unwrap();
            for (row, column) in (-9i64..=9).flat_map(|r| (-9i64..=9).map(move |c| (r, c))) {
                let at = [0, 0, row, column, 0];
                prop_assert_eq!(ra.contains(at), has(&a, row, column));
                prop_assert_eq!(both.contains(at), has(&a, row, column) && has(&b, row, column));
                // Unbounded boxes begin within 5 of the centre, so a window of 24 has a witness for each sum.
                let summed = (-24..=24).any(|r| (-24..=24).any(|c| has(&a, r, c) && has(&b, row - r, column - c)));
                prop_assert_eq!(sum.contains(at), summed);
            }
            for (i, t) in ra.terms().iter().enumerate() {
                prop_assert!(ra.terms().iter().enumerate().all(|(j, u)| i == j || !u.contains(t)));
            }
        }
    }
}
