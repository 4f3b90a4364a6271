//! How many fractional bits each tensor of activations has.
//!
//! What must stay true: tensors that an operation takes together have the scale that it needs.

use super::float::FloatNetwork;
use crate::spec::{Function, Likelihood, NetworkSpec, NodeId, Op, Output};

/// Activations stay within `+-(2^ACTIVATION_BITS - 1)`, so that weights keep their bits.
pub const ACTIVATION_BITS: u32 = 13;
/// How far beyond the largest calibrated value a tensor may go before it is clamped.
const HEADROOM: f64 = 1.25;
/// Fractional bits of what saturates: gates, and centred samples (below 2).
pub const GATE_FRACTION: i32 = 14;
/// Fractional bits of centred samples.
pub const CENTRE_FRACTION: i32 = 12;
/// Fractional bits of a recurrent layer's output.
pub const STATE_FRACTION: i32 = 13;
/// Largest log-odds that change anything.
const LOG_ODDS: f64 = 12.0;

/// Fractional bits and limits of the tensors.
pub struct Fractions {
    /// `[nodes]`
    pub bits: Vec<i32>,
    /// `[nodes]`: largest magnitude of a value that an operation clamps.
    pub limits: Vec<i32>,
}

/// Whether a node hands on values of others as they are.
fn hands_on(op: &Op) -> bool {
    matches!(op, Op::Concat | Op::Select { .. } | Op::Mirror | Op::Relu)
}

/// The nodes that a node's values come from.
fn sources(spec: &NetworkSpec, id: NodeId) -> Vec<NodeId> {
    let node = &spec.nodes[id];
    if hands_on(&node.op) { node.inputs.iter().flat_map(|i| sources(spec, *i)).collect() } else { vec![id] }
}

impl Fractions {
    /// `largest[node]` is the largest magnitude of a node's values on the calibration examples. Tensors that are added share
    /// their scale, and so do those that go through one table.
    pub fn new(network: &FloatNetwork, largest: &[f64]) -> Self {
        let spec = &network.spec;
        let mut group: Vec<NodeId> = (0..spec.nodes.len()).collect();
        let mut unite = |members: &[NodeId]| {
            for pair in members.windows(2) {
                let (from, to) = (group[pair[0]], group[pair[1]]);
                group.iter_mut().filter(|g| **g == from).for_each(|g| *g = to);
            }
        };
        for (id, node) in spec.nodes.iter().enumerate() {
            let from = |n: usize| sources(spec, node.inputs[n]);
            match &node.op {
                Op::Add => unite(&[from(0), from(1), vec![id]].concat()),
                Op::Activation { function: Function::Elu | Function::Gelu } => unite(&[from(0), vec![id]].concat()),
                Op::Activation { function: Function::Sigmoid | Function::Tanh } => unite(&from(0)),
                Op::Gate => {
                    unite(&from(0));
                    unite(&from(1));
                }
                Op::Attention { .. } => {
                    unite(&from(0));
                    unite(&from(1));
                    unite(&[from(2), vec![id]].concat());
                }
                _ => {}
            }
        }
        let alone = |id: NodeId| group.iter().filter(|g| **g == group[id]).count() == 1;
        let output = |id: NodeId| spec.outputs.iter().find(|o| o.parameters == id);
        // The largest trained value may be of a symbol that no example has.
        let largest = |id: NodeId| match (&spec.nodes[id].op, network.layers.get(&id)) {
            (Op::Embedding { .. } | Op::Constant { .. }, Some(layer)) => {
                layer.weights.iter().chain(&layer.bias).fold(largest[id], |m, v| m.max(f64::from(v.abs())))
            }
            _ => largest[id],
        };
        let bits = |id: NodeId| match &spec.nodes[id].op {
            Op::Neighbours { .. } | Op::Current { .. } | Op::LocalMean { .. } | Op::LocalScale { .. } => 0,
            Op::Previous | Op::Condition { .. } | Op::Coordinate { .. } | Op::OneHot => 0,
            Op::Normalize { clamp, .. } => ((1 << ACTIVATION_BITS) / i32::from(*clamp)).ilog2() as i32,
            Op::Activation { function: Function::Centre | Function::Log } => CENTRE_FRACTION,
            Op::Activation { function: Function::Sigmoid | Function::Tanh } if alone(id) => GATE_FRACTION,
            Op::Lstm { .. } => STATE_FRACTION,
            _ => {
                let members = || (0..group.len()).filter(|i| group[*i] == group[id]);
                let mut top = members().map(largest).fold(1e-3, f64::max) * HEADROOM;
                let mut bits = ACTIVATION_BITS;
                if let Some(output) = output(id).filter(|_| alone(id)) {
                    bits = 15;
                    if output.likelihood == Likelihood::Bernoulli {
                        top = top.min(LOG_ODDS * HEADROOM);
                    }
                }
                let is_mixture = |o: &Output| {
                    matches!(o.likelihood, Likelihood::LogisticMixture { .. } | Likelihood::SignedMixture { .. })
                };
                let outputs: Vec<&Output> = members().filter_map(output).collect();
                let is_dense = |id: NodeId| matches!(spec.nodes[id].op, Op::MaskedLinear { .. });
                let least = match outputs.as_slice() {
                    // MADE has weights of its own for each pixel, and of one that never varies it is as sure as it likes: its units grow.
                    [] if members().all(is_dense) => 0.0,
                    outputs if outputs.iter().copied().all(is_mixture) => 6.0,
                    _ => 7.0,
                };
                ((2f64.powi(bits as i32) - 1.0) / top).log2().floor().clamp(least, 15.0) as i32
            }
        };
        // A sum's terms must not be larger than 14 bits.
        let free = |id: NodeId| output(id).is_some() && (alone(id) || spec.nodes[id].op == Op::Add);
        let limits = (0..group.len()).map(|id| if free(id) { 32767 } else { (1 << ACTIVATION_BITS) - 1 }).collect();
        Self { bits: (0..group.len()).map(bits).collect(), limits }
    }
}
