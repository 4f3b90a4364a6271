//! The reaches of a node's values, kept as runs of equal ones.
//!
//! What must stay true: no value's reach is smaller than the union of what it is made of, and no function does more work
//! than it takes from the budget.

use super::reach::{Budget, Reach, Term, TooComplex};
use std::ops::Range;
use std::rc::Rc;

/// What keeping one more reach takes from the budget, so that it bounds the memory, too.
pub(super) const KEEP: usize = 64;

/// What each value of a node can see.
#[derive(Debug, Clone, Default)]
pub(super) struct Flow {
    /// Where a run ends, and what its values see. Ends rise.
    runs: Vec<(usize, Rc<Reach>)>,
}

impl Flow {
    /// `width` values that see the same.
    pub fn uniform(reach: Reach, width: usize) -> Self {
        Self { runs: vec![(width, Rc::new(reach))] }
    }

    /// A symbol each.
    pub fn samples(terms: impl Iterator<Item = Term>, budget: &mut Budget) -> Result<Self, TooComplex> {
        let mut flow = Self::default();
        for term in terms {
            budget.spend(KEEP)?;
            let mut reach = Reach::default();
            reach.insert(term, budget)?;
            flow.push(1, Rc::new(reach));
        }
        Ok(flow)
    }

    /// Appends `n` values.
    pub fn push(&mut self, n: usize, reach: Rc<Reach>) {
        let end = self.width() + n;
        match self.runs.last_mut() {
            Some((last, same)) if Rc::ptr_eq(same, &reach) => *last = end,
            _ => self.runs.push((end, reach)),
        }
    }

    /// How many values there are.
    pub fn width(&self) -> usize {
        self.runs.last().map_or(0, |r| r.0)
    }

    /// How many runs there are: the memory that it takes.
    pub fn runs(&self) -> usize {
        self.runs.len()
    }

    /// The runs within `range`, with their lengths there.
    fn within(&self, range: Range<usize>) -> impl Iterator<Item = (usize, &Rc<Reach>)> {
        let first = self.runs.partition_point(|r| r.0 <= range.start);
        let mut at = range.start;
        self.runs[first..].iter().map_while(move |(end, reach)| {
            let n = range.end.min(*end).checked_sub(at).filter(|&n| n > 0)?;
            at += n;
            Some((n, reach))
        })
    }

    /// What all values of `range` together see.
    pub fn union(&self, range: Range<usize>, budget: &mut Budget) -> Result<Reach, TooComplex> {
        let mut all = Reach::default();
        self.within(range).try_for_each(|(_, r)| all.unite(r, budget))?;
        Ok(all)
    }

    /// What all values together see.
    pub fn all(&self, budget: &mut Budget) -> Result<Reach, TooComplex> {
        self.union(0..self.width(), budget)
    }

    /// Appends the values of `range` of another.
    pub fn append(&mut self, other: &Self, range: Range<usize>, budget: &mut Budget) -> Result<(), TooComplex> {
        for (n, reach) in other.within(range) {
            budget.spend(1)?;
            self.push(n, reach.clone());
        }
        Ok(())
    }

    /// Every value `n` times, copies side by side.
    pub fn repeat(&self, n: usize) -> Self {
        Self { runs: self.runs.iter().map(|(end, r)| (end * n, r.clone())).collect() }
    }

    /// Value by value, what either sees; both have one width.
    pub fn pairwise(&self, other: &Self, budget: &mut Budget) -> Result<Self, TooComplex> {
        let mut flow = Self::default();
        let mut at = 0;
        let (mut a, mut b) = (self.runs.iter().peekable(), other.runs.iter().peekable());
        let mut last: Option<(*const Reach, *const Reach)> = None;
        while let (Some((end_a, ra)), Some((end_b, rb))) = (a.peek(), b.peek()) {
            let end = *end_a.min(end_b);
            let pair = (Rc::as_ptr(ra), Rc::as_ptr(rb));
            let reach = match flow.runs.last() {
                Some((_, reach)) if last == Some(pair) => reach.clone(),
                _ => {
                    budget.spend(KEEP + ra.terms().len())?;
                    let mut union = Reach::clone(ra);
                    union.unite(rb, budget)?;
                    Rc::new(union)
                }
            };
            last = Some(pair);
            flow.push(end - at, reach);
            at = end;
            if *end_a == end {
                a.next();
            }
            if *end_b == end {
                b.next();
            }
        }
        Ok(flow)
    }

    /// What the outputs of a masked matrix product see: those inputs whose degree is at most the output's.
    pub fn masked_linear(&self, from: &[u16], to: &[u16], budget: &mut Budget) -> Result<Self, TooComplex> {
        budget.spend(from.len() + to.len())?;
        let order = |degrees: &[u16]| {
            let mut order: Vec<usize> = (0..degrees.len()).collect();
            order.sort_by_key(|&i| degrees[i]);
            order
        };
        let mut inputs = order(from).into_iter().peekable();
        let mut seen = Rc::new(Reach::default());
        let mut outputs = vec![seen.clone(); to.len()];
        for o in order(to) {
            let mut more = Reach::default();
            while let Some(i) = inputs.next_if(|&i| from[i] <= to[o]) {
                self.within(i..i + 1).try_for_each(|(_, r)| more.unite(r, budget))?;
            }
            if !more.terms().is_empty() {
                budget.spend(KEEP)?;
                more.unite(&seen, budget)?;
                seen = Rc::new(more);
            }
            outputs[o] = seen.clone();
        }
        let mut flow = Self::default();
        outputs.into_iter().for_each(|r| flow.push(1, r));
        Ok(flow)
    }
}
