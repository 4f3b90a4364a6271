//! Where the trained numbers of a network lie in one flat vector.
//!
//! One vector makes of every step of the optimiser, of the average and of the checkpoint a few operations, however many
//! layers there are.
//!
//! What must stay true: the order follows from the description alone (nodes in order; weights, then bias).

use super::TrainError;
use crate::quantize::float::{FloatNetwork, Layer};
use crate::quantize::grid::LayerShape;
use crate::spec::{NetworkSpec, NodeId, Op};

/// A tensor of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Whose it is.
    pub node: NodeId,
    /// Whether it is the node's bias (see [`Layer`]).
    pub bias: bool,
    /// Its shape, as [`Layer`] has it.
    pub shape: Vec<i64>,
    /// Numbers that are added up in an output, which initial values depend on; 0 where they begin at zero.
    pub inputs: usize,
}

impl Part {
    /// How many numbers.
    pub fn len(&self) -> usize {
        self.shape.iter().product::<i64>() as usize
    }

    /// Never: a description has no empty layer.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The parts of the vector, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Side by side, without gaps.
    pub parts: Vec<Part>,
}

impl Layout {
    /// The layout of a description's trainable nodes.
    pub fn new(spec: &NetworkSpec) -> Result<Self, TrainError> {
        let mut parts = Vec::new();
        for ((node, described), shape) in spec.nodes.iter().enumerate().zip(LayerShape::all(spec)?) {
            let (op, columns) = (&described.op, shape.taps * shape.inputs);
            let inputs = match op {
                Op::Linear { trainable: false, .. } => continue,
                Op::Constant { .. } => 0,
                Op::Embedding { .. } => 1,
                Op::Lstm { cells } => *cells as usize,
                // Those that the last output sees: no output sees more.
                Op::Convolution { .. } => {
                    let keeps = |k: &usize| op.keeps(shape.inputs, shape.rows - 1, k / shape.inputs, k % shape.inputs);
                    (0..columns).filter(keeps).count().max(1)
                }
                _ => columns,
            };
            let sizes = |sizes: &[usize]| sizes.iter().map(|n| *n as i64).collect();
            if shape.weights() > 0 {
                parts.push(Part { node, bias: false, shape: sizes(&shape.sizes(op)), inputs });
            }
            if shape.bias > 0 {
                parts.push(Part { node, bias: true, shape: sizes(&[shape.bias]), inputs });
            }
        }
        Ok(Self { parts })
    }

    /// Length of the vector.
    pub fn total(&self) -> usize {
        self.parts.iter().map(Part::len).sum()
    }

    /// Initial values: uniform in `+-1/sqrt(inputs)`, weights and biases alike, as PyTorch begins a linear layer; in `+-1` for
    /// vectors that are looked up. They depend on the seed alone.
    pub fn initial(&self, seed: u64) -> Vec<f32> {
        let mut state = seed ^ 0x5375_7270_7269_7361;
        let mut uniform = || {
            // SplitMix64 (Steele et al. 2014); the upper 24 bits are exact in f32.
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (((z ^ (z >> 31)) >> 40) as f32 / (1 << 23) as f32) - 1.0
        };
        let mut values = Vec::with_capacity(self.total());
        for part in &self.parts {
            let bound = if part.inputs == 0 { 0.0 } else { 1.0 / (part.inputs as f32).sqrt() };
            values.extend((0..part.len()).map(|_| bound * uniform()));
        }
        values
    }

    /// The vector of a network's weights; it must have every part in its shape.
    pub fn gather(&self, network: &FloatNetwork) -> Vec<f32> {
        let of = |part: &Part| {
            let layer = &network.layers[&part.node];
            if part.bias { &layer.bias } else { &layer.weights }
        };
        self.parts.iter().flat_map(|part| of(part).iter().copied()).collect()
    }

    /// Puts the vector's weights into a network, whose constants stay.
    pub fn scatter(&self, values: &[f32], network: &mut FloatNetwork) {
        let mut rest = values;
        for part in &self.parts {
            let (own, behind) = rest.split_at(part.len());
            rest = behind;
            let empty = || Layer { weights: Vec::new(), bias: Vec::new() };
            let layer = network.layers.entry(part.node).or_insert_with(empty);
            *(if part.bias { &mut layer.bias } else { &mut layer.weights }) = own.to_vec();
        }
    }
}
