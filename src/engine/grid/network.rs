//! A program on its grid, laid out for the kernels.
//!
//! What must stay true: this changes where values lie and when they are computed, and no value.

use super::places::{Places, Taps, View};
use super::schedule::{Parts, Plan, plans};
use super::timeline::timelines;
use crate::engine::kernels::{Kernel, Packed, padded};
use crate::engine::program::{Params, Program};
use crate::spec::{Condition, Grid, Likelihood, NetworkSpec, NodeId, Op, Order, SpecError};
use std::ops::Range;
use std::sync::Arc;
use thiserror::Error;

/// Why a program cannot be run on a grid.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GridError {
    /// Photographs have their own way.
    #[error("the model is for photographs of any size")]
    NoGrid,
    /// The description is wrong.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// An operation that is not run on grids.
    #[error("node {node} ({op}) cannot be run on a grid")]
    Operation {
        /// Which node.
        node: NodeId,
        /// Its operation.
        op: &'static str,
    },
    /// Something else that is not run on grids.
    #[error("{0} cannot be run on a grid")]
    Unsupported(&'static str),
    /// The schedule would need too much memory.
    #[error("the model has too many values to be run")]
    TooLarge,
    /// The distribution of a symbol needs that symbol or a later one.
    #[error("the distribution of channel {channel} at place {place} cannot be computed in time")]
    Late {
        /// Which channel.
        channel: usize,
        /// Which place.
        place: usize,
    },
}

/// Where the values of a node lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Home {
    /// The node that holds them: itself, or one that it is a part of.
    pub node: NodeId,
    /// Its first value there.
    pub offset: usize,
}

/// A layer for the kernels: one matrix a phase of [`Taps`], or one.
#[derive(Debug)]
pub(super) struct Layer {
    pub packed: Vec<Packed>,
    /// `[vector of outputs]`: how many inputs have weights that are not masked; empty if all.
    pub seen: Vec<usize>,
}

/// A program on its grid.
#[derive(Debug)]
pub struct GridNetwork {
    program: Arc<Program>,
    kernel: Kernel,
    grid: Grid,
    pub(in crate::engine) widths: Vec<usize>,
    pub(in crate::engine) places: Vec<Places>,
    pub(in crate::engine) taps: Vec<Option<Taps>>,
    pub(super) homes: Vec<Home>,
    pub(super) layers: Vec<Option<Layer>>,
    pub(super) plans: Vec<Plan>,
    /// `[node]`: range of what a sum, product or layer yields, with a rectifier that follows it.
    pub(super) clamps: Vec<(i16, i16)>,
    /// `[channel]`: its output.
    outputs: Vec<usize>,
}

impl GridNetwork {
    /// Lays out a program.
    ///
    /// # Errors
    /// Operations, orders and sizes that are not run on grids.
    pub fn new(program: Arc<Program>, kernel: Kernel) -> Result<Self, GridError> {
        let grid = program.grid().ok_or(GridError::NoGrid)?;
        let spec = program.spec();
        check(spec)?;
        let widths = spec.widths()?;
        let places: Vec<Places> = spec.strides()?.into_iter().map(|s| Places::new(grid.size, s)).collect();
        let axes = spec.symbols.axes.len();
        let is_long = |(id, n): (usize, &crate::spec::Node)| {
            View::new(&n.op, axes).is_some() && places[id].count() > MAX_ATTENTION
        };
        if spec.nodes.iter().enumerate().any(is_long) {
            return Err(GridError::TooLarge);
        }
        let taps: Vec<Option<Taps>> = spec.nodes.iter().map(|n| Taps::new(&n.op)).collect();
        let needed = needed(spec);
        let homes = homes(spec, &needed);
        let lines = timelines(spec, &widths, &places, &taps)?;
        let mut outputs = Vec::new();
        for (n, output) in spec.outputs.iter().enumerate() {
            let span = spec.output_channels(n);
            for channel in span.clone() {
                let share = share(&output.likelihood, &span, channel, widths[output.parameters]);
                let share = share.start as u32..share.end as u32;
                for place in 0..grid.positions() {
                    let own = places[output.parameters].at(place);
                    let step = place * usize::from(grid.channels);
                    // One row serves all channels of a coupled mixture.
                    let first = if share.len() == widths[output.parameters] { span.start } else { channel };
                    if lines[output.parameters].of(own, share.clone()) as usize > step + first {
                        return Err(GridError::Late { channel, place });
                    }
                }
                outputs.push(n);
            }
        }
        let steps = grid.symbols() as u32;
        let parts = Parts {
            spec,
            widths: &widths,
            places: &places,
            taps: &taps,
            homes: &homes,
            needed: &needed,
            lines: &lines,
            steps,
        };
        let plans = plans(&parts)?;
        let clamps: Vec<(i16, i16)> = (0..spec.nodes.len()).map(|id| clamp(&program, id, &homes)).collect();
        let layer =
            |id: usize| if needed[id] { layer(&program, id, taps[id].as_ref(), &widths, clamps[id]) } else { None };
        let layers = (0..spec.nodes.len()).map(layer).collect();
        Ok(Self { kernel, grid, widths, places, homes, layers, plans, clamps, outputs, taps, program })
    }

    /// The program.
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }
    /// The kernel of its products.
    pub fn kernel(&self) -> Kernel {
        self.kernel
    }
    /// The grid of an example.
    pub fn grid(&self) -> Grid {
        self.grid
    }
    /// Symbols of a whole example.
    pub fn symbols(&self) -> usize {
        self.grid.symbols()
    }
    /// The number of classes, if one must be given for each example.
    pub fn classes(&self) -> Option<u32> {
        self.program.spec().conditions.iter().find_map(|c| match c {
            Condition::Class { count } => Some(*count),
            Condition::Grid { .. } => None,
        })
    }

    /// Which symbol of an example, in the order of the data, is coded at a step.
    pub fn data_index(&self, step: usize) -> usize {
        match &self.program.spec().symbols.order {
            Order::Permuted { channels } => {
                step / channels.len() * channels.len() + usize::from(channels[step % channels.len()])
            }
            _ => step,
        }
    }

    /// The output that a step's symbol belongs to, and the number of its channel within the output.
    pub fn output(&self, step: usize) -> (usize, usize) {
        let channel = step % usize::from(self.grid.channels);
        let output = self.outputs[channel];
        (output, channel - usize::from(self.program.spec().outputs[output].channel))
    }

    /// The node that holds a step's parameters, and which of its values they are: those of its channel, or all where the
    /// channels of an output are coupled.
    pub(in crate::engine) fn share(&self, step: usize) -> (NodeId, Range<usize>) {
        let spec = self.program.spec();
        let (output, channel) = self.output(step);
        let (span, output) = (spec.output_channels(output), &spec.outputs[output]);
        let width = self.widths[output.parameters];
        (output.parameters, share(&output.likelihood, &span, span.start + channel, width))
    }

    /// Multiply-adds of an example's layers, those of attention apart.
    pub fn macs(&self) -> u64 {
        let of_node = |id: usize| {
            let count = |weights: &[i16]| weights.iter().filter(|w| **w != 0).count() as u64;
            let each = match self.program.params(id) {
                Params::Linear { weights, .. } | Params::Lstm { weights, .. } => count(weights),
                _ => 0,
            };
            // A transposed convolution uses the taps of one phase.
            let phases = self.taps[id].as_ref().map_or(1, |t| t.phases.len() as u64);
            if self.plans[id].slots > 0 { each * self.places[id].count() as u64 / phases } else { 0 }
        };
        (0..self.widths.len()).map(of_node).sum()
    }

    /// Bytes that an executor keeps for each example while it goes step by step.
    pub fn bytes(&self) -> usize {
        let values: usize = self.plans.iter().zip(&self.widths).map(|(p, w)| p.slots * padded(*w)).sum();
        2 * (values + self.symbols())
    }
}

/// Most places of a grid that attention looks over.
const MAX_ATTENTION: usize = 1 << 14;

/// Refuses what is not run on grids.
fn check(spec: &NetworkSpec) -> Result<(), GridError> {
    if spec.slices() > 1 {
        return Err(GridError::Unsupported("a network over slices"));
    }
    if spec.conditions.len() > 1 || spec.conditions.iter().any(|c| matches!(c, Condition::Grid { .. })) {
        return Err(GridError::Unsupported("a condition other than one class"));
    }
    if spec.outputs.iter().any(|o| matches!(o.likelihood, Likelihood::LogisticMixture { .. })) {
        return Err(GridError::Unsupported("a mixture around a local mean"));
    }
    for (node, op) in spec.nodes.iter().map(|n| &n.op).enumerate() {
        let unknown = matches!(
            op,
            Op::Neighbours { .. }
                | Op::LocalMean { .. }
                | Op::LocalScale { .. }
                | Op::Normalize { .. }
                | Op::Slices { .. }
                | Op::LayerNorm
        );
        if unknown {
            return Err(GridError::Operation { node, op: op.name() });
        }
    }
    Ok(())
}

/// The parameters of a channel among those of an output of `width`.
fn share(likelihood: &Likelihood, span: &Range<usize>, channel: usize, width: usize) -> Range<usize> {
    match likelihood {
        Likelihood::Bernoulli | Likelihood::Categorical => {
            let each = width / span.len();
            (channel - span.start) * each..(channel - span.start + 1) * each
        }
        _ => 0..width,
    }
}

/// Whether an output depends on the values of each node.
pub(super) fn needed(spec: &NetworkSpec) -> Vec<bool> {
    let mut needed = vec![false; spec.nodes.len()];
    spec.outputs.iter().for_each(|o| needed[o.parameters] = true);
    for id in (0..spec.nodes.len()).rev() {
        if needed[id] {
            spec.nodes[id].inputs.iter().for_each(|i| needed[*i] = true);
        }
    }
    needed
}

/// Where the values of each node lie: a part of a node with it, and a rectifier in place of what alone it reads.
pub(super) fn homes(spec: &NetworkSpec, needed: &[bool]) -> Vec<Home> {
    let mut readers = vec![0usize; spec.nodes.len()];
    spec.outputs.iter().for_each(|o| readers[o.parameters] += 1);
    for (node, _) in spec.nodes.iter().zip(needed).filter(|(_, needed)| **needed) {
        node.inputs.iter().for_each(|i| readers[*i] += 1);
    }
    let mut homes: Vec<Home> = Vec::with_capacity(spec.nodes.len());
    for (id, node) in spec.nodes.iter().enumerate() {
        let input = |homes: &[Home]| homes[node.inputs[0]];
        homes.push(match &node.op {
            Op::Select { start, .. } => Home { offset: input(&homes).offset + *start as usize, ..input(&homes) },
            Op::Relu if needed[id] && rectifies(spec, node.inputs[0]) && readers[node.inputs[0]] == 1 => input(&homes),
            _ => Home { node: id, offset: 0 },
        });
    }
    homes
}

/// Whether an operation ends in a clamp, which can rectify as well.
fn rectifies(spec: &NetworkSpec, id: NodeId) -> bool {
    matches!(
        spec.nodes[id].op,
        Op::Linear { .. }
            | Op::MaskedLinear { .. }
            | Op::Convolution { .. }
            | Op::Transposed { .. }
            | Op::Add
            | Op::Gate
    )
}

/// The range to which a node's values are clamped, with a rectifier that lies in its place.
fn clamp(program: &Program, id: NodeId, homes: &[Home]) -> (i16, i16) {
    let (low, high) = match program.params(id) {
        Params::Linear { low, high, .. } | Params::Gate { low, high, .. } | Params::Add { low, high } => (*low, *high),
        Params::Lstm { high, .. } => (-*high, *high),
        _ => return (i16::MIN, i16::MAX),
    };
    let nodes = program.spec().nodes.iter().enumerate();
    let is_rectified =
        |(other, n): (usize, &crate::spec::Node)| n.op == Op::Relu && n.inputs == [id] && homes[other].node == id;
    if nodes.skip(id + 1).any(is_rectified) { (low.max(0), high.max(0)) } else { (low, high) }
}

fn layer(program: &Program, id: NodeId, taps: Option<&Taps>, widths: &[usize], clamp: (i16, i16)) -> Option<Layer> {
    let op = &program.spec().nodes[id].op;
    let (weights, bias, shift) = match program.params(id) {
        Params::Linear { weights, bias, shift, .. } | Params::Lstm { weights, bias, shift, .. } => {
            (weights, bias, shift)
        }
        _ => return None,
    };
    let pack = |weights: &[i16]| Packed::new(weights, bias, shift, clamp.0, clamp.1);
    let inputs = widths[program.spec().nodes[id].inputs[0]];
    let packed = match taps {
        None => vec![pack(weights)],
        Some(taps) => {
            let columns = weights.len() / bias.len();
            let phase = |taps: &[usize]| {
                let of_row = |row: &[i16]| -> Vec<i16> {
                    taps.iter().flat_map(|t| &row[t * inputs..(t + 1) * inputs]).copied().collect()
                };
                pack(&weights.chunks_exact(columns).flat_map(of_row).collect::<Vec<_>>())
            };
            taps.phases.iter().map(|p| phase(&p.taps)).collect()
        }
    };
    let seen = match op {
        Op::MaskedLinear { from, to } => {
            let last = |to: &u16| from.iter().rposition(|f| f <= to).map_or(0, |i| i + 1);
            to.chunks(crate::engine::kernels::LANES).map(|to| to.iter().map(last).max().unwrap_or(0)).collect()
        }
        _ => vec![],
    };
    Some(Layer { packed, seen })
}
