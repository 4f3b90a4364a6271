//! Where the trained numbers of a network lie in one flat vector.
//!
//! One vector makes of every step of the optimiser, of the average and of the checkpoint a few operations, however many
//! layers there are.
//!
//! What must stay true: the order follows from the description alone (nodes in order; weights, then bias).

use super::TrainError;
use crate::quantize::float::{FloatNetwork, Layer};
use crate::spec::{NetworkSpec, NodeId, Op};

/// A tensor of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Whose it is.
    pub node: NodeId,
    /// Its shape: `[outputs, inputs]` or `[outputs]`.
    pub shape: Vec<i64>,
    /// Inputs of an output, which its initial values depend on.
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
        let widths = spec.widths()?;
        let mut parts = Vec::new();
        for (node, described) in spec.nodes.iter().enumerate() {
            if let Op::Linear { outputs, trainable: true } = described.op {
                let inputs = widths[described.inputs[0]];
                parts.push(Part { node, shape: vec![outputs.into(), inputs as i64], inputs });
                parts.push(Part { node, shape: vec![outputs.into()], inputs });
            }
        }
        Ok(Self { parts })
    }

    /// Length of the vector.
    pub fn total(&self) -> usize {
        self.parts.iter().map(Part::len).sum()
    }

    /// Initial values: uniform in `+-1/sqrt(inputs)`, weights and biases alike, as PyTorch begins a linear layer. They depend
    /// on the seed alone.
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
            let bound = 1.0 / (part.inputs as f32).sqrt();
            values.extend((0..part.len()).map(|_| bound * uniform()));
        }
        values
    }

    /// The vector of a network's weights; it must have every part in its shape.
    pub fn gather(&self, network: &FloatNetwork) -> Vec<f32> {
        let of = |part: &Part| {
            let layer = &network.layers[&part.node];
            if part.shape.len() == 2 { &layer.weights } else { &layer.bias }
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
            *(if part.shape.len() == 2 { &mut layer.weights } else { &mut layer.bias }) = own.to_vec();
        }
    }
}
