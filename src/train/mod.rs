//! Training: from pictures to a model file, with torch (cargo feature `torch`).
//!
//! [`executor`] and [`grid`] run a [`NetworkSpec`](crate::spec::NetworkSpec) forwards with gradients, the one at single
//! positions of photographs, the other on whole examples; to the rest both are a [`model`]. [`adam`] moves the weights,
//! [`run`] is the loop, [`checkpoint`] what outlives the process, [`finish`] the way to the files that a user keeps.
//!
//! What must stay true: the batch of a step depends on the seed and the step's number alone, and the weights after a step on
//! the weights before it and the batch, so that a resumed run is the unbroken one bit for bit (one device, one number of
//! threads, one precision).

pub mod adam;
pub mod beside;
pub mod card;
pub mod checkpoint;
pub mod count;
pub mod csv;
pub mod data;
pub mod examples;
pub mod executor;
pub mod finish;
pub mod grid;
pub mod model;
pub mod params;
pub mod plot;
pub mod precision;
pub mod prepare;
pub mod run;

use crate::quantize::QuantizeError;
use crate::spec::SpecError;
use std::path::PathBuf;
use thiserror::Error;

/// Why a training could not begin or go on.
#[derive(Debug, Error)]
pub enum TrainError {
    /// The description is invalid.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The executor lacks an operation.
    #[error("node {node}: {what} cannot be trained by this version")]
    Operation {
        /// Which node.
        node: usize,
        /// What it is.
        what: String,
    },
    /// An output family without a loss.
    #[error("output {output}: this distribution cannot be trained by this version")]
    Likelihood {
        /// Which output.
        output: usize,
    },
    /// Torch ran out of memory.
    #[error("too little memory: {0}; use a smaller --batch or a smaller network, or end other programs")]
    Memory(String),
    /// No graphics processor of that number.
    #[error("{wanted}: {fault}; leave --device away to train on the processor")]
    Device {
        /// What was asked for.
        wanted: String,
        /// What is there.
        fault: String,
    },
    /// Any other fault in torch.
    #[error("torch: {0}")]
    Torch(String),
    /// The weights left the finite numbers.
    #[error("training diverged before step {step}: the loss is not finite; use a smaller --lr")]
    Diverged {
        /// When it was noticed.
        step: u64,
    },
    /// A checkpoint that cannot be used.
    #[error("{}: {fault}", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        fault: String,
    },
    /// A file that cannot be written.
    #[error("{}: cannot write: {error}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The last step to integers failed.
    #[error(transparent)]
    Quantize(#[from] QuantizeError),
}

impl From<tch::TchError> for TrainError {
    fn from(error: tch::TchError) -> Self {
        let text = error.to_string();
        // Behind the first line torch lists its own stack.
        let line = text.lines().next().unwrap_or_default().trim().to_owned();
        let short = ["out of memory", "can't allocate memory", "not enough memory", "bad_alloc"];
        if short.iter().any(|s| text.contains(s)) { Self::Memory(line) } else { Self::Torch(line) }
    }
}
