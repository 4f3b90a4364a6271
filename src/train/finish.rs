//! From the last checkpoint to what a user keeps: float weights, and the model in integers.
//!
//! What must stay true: the model file is what `surprisal quantize` makes of the weights' file.

use super::TrainError;
use super::checkpoint::Checkpoint;
use super::params::Layout;
use crate::engine::Program;
use crate::engine::reference::Picture;
use crate::quantize::{self, Report, weights};
use crate::zoo::window;

/// The end of a training.
pub struct Finished {
    /// A safetensors file of the average weights.
    pub weights: Vec<u8>,
    /// The model.
    pub program: Program,
    /// What each step to integers cost on the calibration pictures.
    pub report: Report,
}

/// Quantizes the average weights; scales are chosen on `pictures`.
pub fn finish(
    name: &str,
    config: &window::Config,
    checkpoint: &Checkpoint,
    pictures: &[Picture],
) -> Result<Finished, TrainError> {
    let mut network = weights::blank(config);
    Layout::new(&network.spec)?.scatter(&checkpoint.vectors[1], &mut network);
    let weights = weights::write(config, &network)?;
    let (program, report) = quantize::quantize(name, &weights, pictures)?;
    Ok(Finished { weights, program, report })
}
