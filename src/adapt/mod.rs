//! Encoder-side adaptation: a network's biases are fitted to one picture and sent along; a decoder pays nothing. Scoring fits them to a
//! collection of pictures in the same way.
//!
//! The encoder runs the integer network at random positions of the picture, takes the gradient of the code length back to
//! the biases of all trained layers ([`crate::engine::adjoint`]), and follows it with Adam. The moves are rounded to steps
//! that are worth their bits and coded; the decoder moves the biases of its own copy and proves it again ([`delta`]).
//! Content-adaptive coding of this kind is in Bayesian and learned codecs since Campos et al. 2019 ("Content adaptive
//! optimization for neural image compression"); here nothing but biases is sent.
//!
//! What must stay true: what is sent depends on the pictures, the network and the [`Fit`] alone, on every machine and for
//! every number of threads; f64 only as in `predict` (`+ - * / sqrt`, comparison, floor, conversion).

mod adam;
pub mod delta;
mod fit;
pub mod mixture;
mod round;
mod sample;
#[cfg(test)]
mod tests;

pub use delta::Refused;
pub use sample::Area;
use sample::Areas;

use crate::engine::Network;
use std::sync::Arc;

/// How much an encoder tries.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// Steps of the optimiser; 0 for no adaptation.
    pub steps: u32,
    /// Positions of a step.
    pub batch: u32,
    /// Learning rate: what the first step moves a bias by, relative to the root mean square of its layer's outputs.
    pub rate: f64,
    /// Positions of all steps at most, relative to those of the picture; there are fewer steps where the picture is small.
    pub share: f64,
}

impl Fit {
    /// No adaptation.
    pub const NONE: Self = Self { steps: 0, batch: 256, rate: 0.0, share: 0.0 };
    /// Less than a quarter of the time of coding.
    pub const CHEAP: Self = Self { steps: 200, batch: 256, rate: 0.013, share: 0.1 };
    /// About the time of coding.
    pub const MEDIUM: Self = Self { steps: 600, batch: 256, rate: 0.008, share: 0.5 };
    /// Some times the time of coding.
    pub const THOROUGH: Self = Self { steps: 1000, batch: 512, rate: 0.006, share: 16.0 };

    /// Steps for a picture of that many positions; 0 where there would be too few for anything.
    fn steps_for(&self, positions: u64) -> u32 {
        let most = (self.share * positions as f64 / f64::from(self.batch.max(1))).floor();
        let steps = if most < f64::from(self.steps) { most as u32 } else { self.steps };
        if steps < LEAST_STEPS { 0 } else { steps }
    }
}

/// Fewer steps lead nowhere.
const LEAST_STEPS: u32 = 4;

/// The code of an adaptation that makes areas of pictures shorter by more than its own length; `None` if there is none.
pub fn fit(network: &Network, areas: &[Area], fit: &Fit) -> Option<Vec<u8>> {
    let areas = Areas::new(areas);
    if fit.batch == 0 || fit.steps_for(areas.count()) == 0 {
        return None;
    }
    fit::fit(network, &areas, fit).map(|moves| delta::encode(&moves))
}

/// The network that a code stands for.
pub fn apply(network: &Network, code: &[u8]) -> Result<Network, Refused> {
    let moves = delta::decode(network.program(), code)?;
    let program = delta::apply(network.program(), &moves)?;
    Ok(Network::new(Arc::new(program), network.kernel()))
}
