//! Programs on a grid of one size: what a network for pictures, text or sound computes for an example.
//!
//! [`mod@reference`] is the definition: all nodes at all places, by plain loops. [`GridNetwork`] is the same program laid out
//! for the kernels, with the schedule by which each value is computed once, as soon as the symbols that it needs are known;
//! [`GridExecutor`] follows it for some examples in lockstep, or computes everything at once.
//!
//! What must stay true: the parameters of every symbol have the bits of `reference`, with every kernel, for any number of
//! examples, step by step and at once.

mod attention;
mod executor;
mod gather;
mod influence;
mod network;
mod nodes;
pub(in crate::engine) mod places;
pub mod reference;
mod schedule;
mod store;
#[cfg(test)]
mod tests;
mod timeline;

pub use executor::GridExecutor;
pub use influence::influence;
pub use network::{GridError, GridNetwork};
