//! From float weights to an integer program for networks on a grid.
//!
//! What must stay true: what comes out was proved by the loader's own proof; the figures of a report are of the very
//! program that comes out.

mod file;
mod float;
mod matrix;
mod shape;
pub mod variant;

pub use file::{Weights, read, write};
pub use float::{FloatGrid, Values};
pub use shape::LayerShape;
pub use variant::variant;

use super::float::FloatNetwork;
use super::{QuantizeError, integers};
use crate::engine::{GridExecutor, GridNetwork, Kernel, Program};
use crate::entropy::Bits;
use crate::likelihood::{Context, Scratch};
use crate::spec::Domain;
use rayon::prelude::*;
use std::sync::Arc;

/// One unit of data.
#[derive(Debug, Clone, Copy)]
pub struct Example<'a> {
    /// Its symbols, in the order of the data; a last text or sound may have fewer than the grid.
    pub symbols: &'a [u16],
    /// Its class, if the network is told classes.
    pub class: Option<u32>,
}

/// Code lengths in bits of all calibration examples together, each step added to the ones before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Report {
    /// Examples.
    pub examples: usize,
    /// Their symbols.
    pub symbols: usize,
    /// Everything in floating point.
    pub float: f64,
    /// Weights rounded.
    pub weights: f64,
    /// Everything in integers: what the coder pays.
    pub integers: f64,
}

/// Quantizes a network; scales are chosen on `examples`.
///
/// # Errors
/// There are no examples, or one does not fit; weights that are missing or no numbers; what the proof refuses.
pub fn quantize(
    name: &str,
    network: &FloatNetwork,
    domain: &Domain,
    examples: &[Example],
) -> Result<(Program, Report), QuantizeError> {
    if examples.is_empty() {
        return Err(QuantizeError::NoExamples);
    }
    let network = &masked(network)?;
    let grid = FloatGrid::new(network, domain)?;
    let nodes = network.spec.nodes.len();
    // The largest magnitude of each node, and the bits.
    let measure = |example: &Example| {
        let values = grid.values(*example)?;
        let largest = |v: &Values| v.values.iter().fold(0f32, |m, v| m.max(v.abs()));
        let bits = grid.bits_of(&values, *example);
        Ok::<_, QuantizeError>((values.iter().map(|v| f64::from(largest(v))).collect::<Vec<_>>(), bits))
    };
    let join = |a: (Vec<f64>, f64), b: (Vec<f64>, f64)| {
        Ok((a.0.iter().zip(&b.0).map(|(a, b)| a.max(*b)).collect(), a.1 + b.1))
    };
    let (largest, float) = examples.par_iter().map(measure).try_reduce(|| (vec![0.0; nodes], 0.0), join)?;
    let made = integers::quantize(name, network, domain, &largest)?;
    let rounded = FloatGrid::new(&made.rounded, domain)?;
    let weights = examples.par_iter().map(|e| rounded.bits(*e)).try_reduce(|| 0.0, |a, b| Ok(a + b))?;
    let program = Arc::new(made.program);
    let integers = integer_bits(&program, examples)?.to_f64();
    let symbols = examples.iter().map(|e| e.symbols.len()).sum();
    let report = Report { examples: examples.len(), symbols, float, weights, integers };
    Ok((Arc::unwrap_or_clone(program), report))
}

/// A network without the weights that its masks leave out.
fn masked(network: &FloatNetwork) -> Result<FloatNetwork, QuantizeError> {
    let mut network = network.clone();
    for (id, shape) in LayerShape::all(&network.spec)?.into_iter().enumerate() {
        if let Some(layer) = network.layers.get_mut(&id).filter(|layer| shape.fits(layer)) {
            shape.mask(&network.spec.nodes[id].op, layer);
        }
    }
    Ok(network)
}

/// What the coder pays for examples.
///
/// # Panics
/// If an example does not fit the program's data.
pub fn integer_bits(program: &Arc<Program>, examples: &[Example]) -> Result<Bits, QuantizeError> {
    const LANES: usize = 4;
    let network = GridNetwork::new(Arc::clone(program), Kernel::best())?;
    let of_lanes = |examples: &[Example]| {
        let symbols: Vec<&[u16]> = examples.iter().map(|e| e.symbols).collect();
        let classes: Vec<u32> = examples.iter().filter_map(|e| e.class).collect();
        let mut executor = GridExecutor::new(&network);
        executor.all(&symbols, &classes);
        let mut scratch = Scratch::default();
        let each = examples.iter().enumerate().map(|(lane, e)| example_bits(&executor, lane, e, &mut scratch));
        each.sum::<Bits>()
    };
    Ok(examples.par_chunks(LANES).map(of_lanes).sum())
}

/// Bits of an example whose parameters were computed.
fn example_bits(executor: &GridExecutor, lane: usize, example: &Example, scratch: &mut Scratch) -> Bits {
    let network = executor.network();
    let spec = network.program().spec();
    let mut coded: Vec<u16> = Vec::with_capacity(network.symbols());
    let mut bits = Bits::default();
    for step in 0..network.symbols() {
        let Some(symbol) = example.symbols.get(network.data_index(step)).copied() else { break };
        let (output, channel) = network.output(step);
        let context = Context {
            parameters: executor.parameters(step, lane),
            alphabet: spec.symbols.alphabet,
            channels: spec.output_channels(output).len(),
            known: &coded[step - channel..],
        };
        bits += network.program().head(output).surprise(context, scratch, symbol.into());
        coded.push(symbol);
    }
    bits
}
