//! The codec.
#![deny(clippy::float_arithmetic)]

pub mod bands;
