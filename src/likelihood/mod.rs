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
