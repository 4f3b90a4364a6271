//! From float weights to an integer [`Program`], with the cost of each step in bits.
//!
//! What must stay true: the program that comes out was proved free of overflow by the same function that the loader runs,
//! or there is no program.

pub mod float;
mod fractions;
pub mod grid;
pub mod integers;
mod rows;
pub mod tables;
pub mod weights;

use crate::engine::reference::{self, Picture};
use crate::engine::{GridError, Program, ProgramError};
use crate::entropy::{Distribution, cost_of};
use crate::likelihood::logistic::{Mixture, PRECISION};
use crate::spec::{Domain, Likelihood, SpecError};
use crate::zoo::ZooError;
use float::{FloatNetwork, mixture_bits};
use rayon::prelude::*;
use thiserror::Error;

/// Why weights could not be made a program.
#[derive(Debug, Error)]
pub enum QuantizeError {
    /// Not a safetensors file.
    #[error("the weights cannot be read: {0}")]
    Safetensors(String),
    /// A tensor of the family is not there.
    #[error("there is no tensor '{0}': are these weights of the family that they name?")]
    Missing(String),
    /// A tensor has another type or shape than the family needs.
    #[error("tensor '{0}' has the wrong type or shape")]
    Shape(String),
    /// A sum could overflow.
    #[error("node {node}, row {row}: no scale is safe; are the weights finite?")]
    Unsafe {
        /// The layer.
        node: usize,
        /// The row.
        row: usize,
    },
    /// The family uses something that the engines do not run.
    #[error("{0} cannot be quantized by this version")]
    Operation(String),
    /// There is nothing to calibrate with.
    #[error("there are no colour pictures to calibrate with: name a folder with PNG, PPM or BMP photographs")]
    NoPictures,
    /// Network, data and examples do not belong together.
    #[error("{0}")]
    Domain(String),
    /// There is nothing to calibrate with.
    #[error("there are no examples to calibrate with")]
    NoExamples,
    /// The family has no such network.
    #[error(transparent)]
    Zoo(#[from] ZooError),
    /// The network cannot be run.
    #[error(transparent)]
    Grid(#[from] GridError),
    /// The description is invalid.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The proof failed.
    #[error(transparent)]
    Program(#[from] ProgramError),
}

/// Code lengths in bits a sub-pixel over the calibration positions, each step added to the ones before.
#[derive(Debug, Clone, Copy)]
pub struct Report {
    /// Everything in floating point.
    pub float: f64,
    /// Weights rounded.
    pub weights: f64,
    /// Activations rounded, too.
    pub activations: f64,
    /// The distribution in integers, too: what the coder pays.
    pub likelihood: f64,
}

/// Positions that are evaluated.
const POSITIONS: usize = 24_000;

/// Quantizes weights of a known family (a safetensors file); scales are chosen on `pictures`, whose channels are in coding
/// order.
pub fn quantize(name: &str, weights: &[u8], pictures: &[Picture]) -> Result<(Program, Report), QuantizeError> {
    let (_, network) = weights::read(weights)?;
    let positions = positions(pictures)?;
    let largest = positions.par_iter().map(|(p, y, x)| magnitudes(&network, &pictures[*p], *y, *x));
    let largest = largest
        .reduce(Vec::new, |a, b| if a.is_empty() { b } else { a.iter().zip(&b).map(|(a, b)| a.max(*b)).collect() });
    let quantized = integers::quantize(name, &network, &Domain::Photographs, &largest)?;
    let each = positions.par_iter().map(|(p, y, x)| costs(&network, &quantized, &pictures[*p], *y, *x));
    let sums = each.reduce(|| [0.0; 4], |a, b| std::array::from_fn(|i| a[i] + b[i]));
    let [float, weights, activations, likelihood] = sums.map(|s| s / (3 * positions.len()) as f64);
    Ok((quantized.program, Report { float, weights, activations, likelihood }))
}

/// Random positions, equally many of each picture, the same ones each time.
fn positions(pictures: &[Picture]) -> Result<Vec<(usize, usize, usize)>, QuantizeError> {
    if pictures.is_empty() {
        return Err(QuantizeError::NoPictures);
    }
    let mut state = 1u64;
    let mut random = |n: usize| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((state >> 33) as usize) % n
    };
    let mut position = |i: usize| {
        let picture = i % pictures.len();
        (picture, random(pictures[picture][0].len()), random(pictures[picture][0][0].len()))
    };
    Ok((0..POSITIONS).map(&mut position).collect())
}

/// The largest magnitude of each node's values.
fn magnitudes(network: &FloatNetwork, picture: &Picture, row: usize, column: usize) -> Vec<f64> {
    let largest = |v: &Vec<f32>| v.iter().fold(0f64, |m, v| m.max(f64::from(v.abs())));
    network.evaluate(picture, row, column).iter().map(largest).collect()
}

/// Bits of a position after each step.
fn costs(
    network: &FloatNetwork,
    quantized: &integers::Quantized,
    picture: &Picture,
    row: usize,
    column: usize,
) -> [f64; 4] {
    let integers = reference::evaluate(&quantized.program, picture, row, column);
    let back = integers
        .iter()
        .zip(&quantized.fractions)
        .map(|(v, f)| v.iter().zip(f).map(|(v, f)| (*v as f64 * 2f64.powi(-f)) as f32).collect::<Vec<_>>());
    let back: Vec<_> = back.collect();
    let float_bits = |values: &[Vec<f32>]| position_bits(network, values, picture, row, column);
    let exact = (0..network.spec.outputs.len()).map(|channel| {
        let output = &network.spec.outputs[channel];
        let Likelihood::LogisticMixture { components, mean, scale, .. } = &output.likelihood else { unreachable!() };
        let parameters: Vec<i16> = integers[output.parameters].iter().map(|v| *v as i16).collect();
        let (mean, level) = (integers[*mean][channel] as i16, integers[*scale][0] as usize);
        let tables = quantized.program.tables(channel);
        let mixture = Mixture::new(tables, &parameters, (*components).into(), mean, level);
        cost_of(mixture.interval(picture[channel][row][column].into()).1, PRECISION as u32).to_f64()
    });
    [
        float_bits(&network.evaluate(picture, row, column)),
        float_bits(&quantized.rounded.evaluate(picture, row, column)),
        float_bits(&back),
        exact.sum(),
    ]
}

/// Bits of a position from the values of all nodes, the distribution in floating point.
pub fn position_bits(network: &FloatNetwork, values: &[Vec<f32>], picture: &Picture, row: usize, column: usize) -> f64 {
    let bits = network.spec.outputs.iter().enumerate().map(|(channel, output)| {
        let Likelihood::LogisticMixture { mean, scale, unit, floor, .. } = &output.likelihood else { unreachable!() };
        let size = float::scale(values[*scale][0] as u8);
        let mean = f64::from(values[*mean][channel]);
        let (unit, floor) = (size * f64::from(1u32 << unit), 2f64.powi(-i32::from(*floor)));
        mixture_bits(&values[output.parameters], mean, unit, size.ln(), floor, picture[channel][row][column])
    });
    bits.sum()
}
