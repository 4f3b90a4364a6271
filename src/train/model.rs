//! What a training moves: a network made ready for a device, and batches of the examples that it is trained on.
//!
//! What must stay true: the code lengths depend on weights, batch and draw alone.

use super::TrainError;
use super::params::Layout;
use super::precision::Precision;
use std::ops::Range;
use tch::{Device, Tensor};

/// What of a step is left to chance, such as dropout.
#[derive(Debug, Clone, Copy)]
pub struct Draw {
    /// The training's seed.
    pub seed: u64,
    /// The step.
    pub step: u64,
}

impl Draw {
    /// A number that looks random.
    pub fn number(self) -> i64 {
        // Torch's generator takes 64 bits.
        super::data::Random::new(&[self.seed, self.step, 1]).bits() as i64
    }
}

/// A network on a device.
pub trait Model: Sized {
    /// The description and all else that is fixed.
    type Network;
    /// Examples.
    type Batch: Batch;

    /// Makes a network ready.
    fn new(network: &Self::Network, precision: Precision, device: Device) -> Result<Self, TrainError>;
    /// Where the trained numbers lie.
    fn layout(&self) -> &Layout;
    /// The device that tensors must be on.
    fn device(&self) -> Device;
    /// Code lengths in bits of every symbol of the batch, a tensor of any shape; `trained` is the flat vector of all trained
    /// numbers. With `draw` as in training, which may leave something out; without as the network will be used.
    fn bits(&self, trained: &Tensor, batch: &Self::Batch, draw: Option<Draw>) -> Result<Tensor, TrainError>;
}

/// Examples of any number.
pub trait Batch: Send + Sync + Sized {
    /// How many.
    fn count(&self) -> usize;
    /// Symbols of all of them.
    fn symbols(&self) -> usize;
    /// Some of them.
    fn part(&self, range: Range<usize>) -> Self;
    /// How many are evaluated at once.
    fn at_once(&self) -> usize;
}
