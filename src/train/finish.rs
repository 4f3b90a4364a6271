//! From the last checkpoint to what a user keeps: float weights, and the model in integers.
//!
//! What must stay true: the model file is what `surprisal quantize` makes of the weights' file.

use super::TrainError;
use super::checkpoint::{Checkpoint, Config, Plan};
use super::grid::Batch;
use super::params::Layout;
use crate::engine::Program;
use crate::engine::reference::Picture;
use crate::quantize::grid::{self, Example, Weights};
use crate::quantize::{self, QuantizeError, Report, weights};
use crate::zoo::{self, window};

/// The end of a training.
pub struct Finished {
    /// A safetensors file of the average weights.
    pub weights: Vec<u8>,
    /// The model.
    pub program: Program,
    /// Bits per dimension on the calibration examples after each step to integers, from floating point to what the coder
    /// pays.
    pub steps: Vec<(&'static str, f64)>,
}

const FLOAT: &str = "floating point";
const ROUNDED: &str = "weights rounded";

/// Quantizes the average weights of the family [`window`]; scales are chosen on `pictures`.
pub fn finish(
    name: &str,
    config: &window::Config,
    checkpoint: &Checkpoint,
    pictures: &[Picture],
) -> Result<Finished, TrainError> {
    let mut network = weights::blank(config);
    Layout::new(&network.spec)?.scatter(&checkpoint.vectors[1], &mut network);
    let weights = weights::write(config, &network)?;
    let (program, Report { float, weights: rounded, activations, likelihood }) =
        quantize::quantize(name, &weights, pictures)?;
    let last = "the distribution, too: what the coder pays";
    let steps = vec![(FLOAT, float), (ROUNDED, rounded), ("activations, too", activations), (last, likelihood)];
    Ok(Finished { weights, program, steps })
}

/// The same for a family of the registry and these weights; scales are chosen on `examples`.
pub fn finish_grid(name: &str, plan: &Plan, trained: &[f32], examples: &Batch) -> Result<Finished, TrainError> {
    let (Some(family), Config::Grid { sizes, domain, .. }) = (zoo::family(&plan.family), &plan.config) else {
        return Err(QuantizeError::Operation(format!("the family '{}'", plan.family)).into());
    };
    let spec = (family.build)(domain, sizes).map_err(QuantizeError::from)?;
    let mut network = quantize::float::FloatNetwork { spec, layers: Default::default() };
    let layout = Layout::new(&network.spec)?;
    layout.scatter(trained, &mut network);
    let size = examples.symbols.len() / examples.count.max(1);
    let class = |i: usize| examples.classes.get(i).map(|c| u32::from(*c));
    let each = examples.symbols.chunks_exact(size.max(1)).enumerate();
    let each: Vec<Example> = each.map(|(i, symbols)| Example { symbols, class: class(i) }).collect();
    let (program, report) = grid::quantize(name, &network, domain, &each)?;
    let weights = Weights { family, sizes: sizes.clone(), domain: domain.clone(), network };
    let steps =
        [(FLOAT, report.float), (ROUNDED, report.weights), ("all in integers: what the coder pays", report.integers)];
    let steps = steps.map(|(step, bits)| (step, bits / report.symbols as f64)).to_vec();
    Ok(Finished { weights: grid::write(&weights)?, program, steps })
}
