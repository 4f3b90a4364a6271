//! Surprisal: lossless compression and measurement with trained autoregressive models, in exact integer arithmetic.
//!
//! `-log2 p(x)` is the length of the shortest code for x and how unexpected x is; the rooms of this crate compute it the
//! same way on every machine. Dependencies point one way: `cli` → `codec` → (`engine`, `predict`, `media`, `container`) →
//! (`spec`, `entropy`, `wire`).
#![warn(missing_docs)]
#![deny(unsafe_code)]

pub mod adapt;
pub mod codec;
pub mod container;
pub mod engine;
pub mod entropy;
pub mod likelihood;
pub mod media;
pub mod predict;
pub mod quantize;
pub mod score;
pub mod spec;
#[cfg(feature = "torch")]
pub mod train;
pub mod wire;
pub mod zoo;
