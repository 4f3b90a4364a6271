//! Output families: how a vector of integers becomes an integer distribution.
//!
//! What must stay true: a distribution depends on its parameters and tables alone, every symbol has a count of at least 1,
//! and finding a symbol by bisection gives what a linear scan gives.
#![deny(clippy::float_arithmetic)]

pub mod bernoulli;
pub mod categorical;
pub mod coupled;
mod head;
pub mod logistic;
#[cfg(feature = "torch")]
pub mod nll;
pub mod signed;

pub use head::{Context, Head, Scratch, Temperature};

use crate::wire::{Reader, WireError, Writer};

/// `(symbol, left, width)` of the symbol of `0..count` that holds `quantile`, by bisection: `left` is the count of all symbols
/// below one that is neither 0 nor `count`, and `total` that of all.
#[inline]
fn bisect(count: u32, total: u32, quantile: u32, left: impl Fn(u32) -> u32) -> (u32, u32, u32) {
    // low <= symbol < high always.
    let (mut low, mut high) = (0, count);
    let (mut first, mut end) = (0, total);
    while high - low > 1 {
        let middle = (low + high) / 2;
        let below = left(middle);
        if below <= quantile {
            (low, first) = (middle, below);
        } else {
            (high, end) = (middle, below);
        }
    }
    (low, first, end - first)
}

/// Writes a falling table: its first entry, then how much each next one is less.
fn write_falling(w: &mut Writer, values: impl Iterator<Item = u32>) {
    values.fold(0, |last, v| {
        w.int(last - i64::from(v));
        i64::from(v)
    });
}

/// Reads what [`write_falling`] wrote.
fn read_falling(r: &mut Reader, entries: usize) -> Result<Vec<u32>, WireError> {
    let mut last = 0i64;
    let mut next = || {
        last = last.checked_sub(r.int()?).ok_or(WireError::OutOfRange("a table entry"))?;
        u32::try_from(last).map_err(|_| WireError::OutOfRange("a table entry"))
    };
    (0..entries).map(|_| next()).collect()
}
