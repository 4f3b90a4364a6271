//! Contracts of devices: streams do not depend on what runs the network, and a device that computes anything else is refused.
//!
//! A device made of the kernels stands for all others; with the feature `torch`, libtorch's runs on the processor, too.

mod cli;
#[cfg(feature = "torch")]
mod grid;
mod plain;
mod streams;
#[cfg(feature = "torch")]
mod torch;
