//! Output families: how a vector of integers becomes an integer distribution.
//!
//! What must stay true: a distribution depends on its parameters and tables alone, every symbol has a count of at least 1,
//! and finding a symbol by bisection gives what a linear scan gives.
#![deny(clippy::float_arithmetic)]

pub mod logistic;
#[cfg(feature = "torch")]
pub mod nll;
