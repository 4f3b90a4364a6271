//! How many trained numbers each operation has, and how they are laid out.
//!
//! What must stay true: it says of [`Layer`] what its documentation says.

use crate::quantize::float::Layer;
use crate::spec::{NetworkSpec, NodeId, Op, SpecError};

/// The sizes of a node's layer: weights `[rows][taps][inputs]`, and a bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerShape {
    /// Outputs; the outputs of all inputs of an embedding.
    pub rows: usize,
    /// Taps of a kernel.
    pub taps: usize,
    /// Inputs; the alphabet of an embedding.
    pub inputs: usize,
    /// Length of the bias.
    pub bias: usize,
}

impl LayerShape {
    /// The shape of every node's layer.
    pub fn all(spec: &NetworkSpec) -> Result<Vec<Self>, SpecError> {
        let (widths, alphabets) = (spec.widths()?, spec.alphabets()?);
        Ok((0..widths.len()).map(|id| Self::new(spec, id, &widths, &alphabets)).collect())
    }

    fn new(spec: &NetworkSpec, id: NodeId, widths: &[usize], alphabets: &[Option<u32>]) -> Self {
        let node = &spec.nodes[id];
        let (rows, inputs) = (widths[id], node.inputs.first().map_or(0, |i| widths[*i]));
        match &node.op {
            Op::Linear { .. } | Op::MaskedLinear { .. } => Self { rows, taps: 1, inputs, bias: rows },
            Op::Convolution { kernel, .. } | Op::Transposed { kernel, .. } => {
                Self { rows, taps: kernel.taps(), inputs, bias: rows }
            }
            Op::Lstm { .. } => Self { rows: 4 * rows, taps: 1, inputs: inputs + rows, bias: 4 * rows },
            Op::Constant { .. } => Self { rows: 0, taps: 0, inputs: 0, bias: rows },
            Op::Embedding { .. } => {
                let alphabet = alphabets[node.inputs[0]].unwrap_or(0) as usize;
                Self { rows, taps: 1, inputs: alphabet, bias: 0 }
            }
            _ => Self { rows: 0, taps: 0, inputs: 0, bias: 0 },
        }
    }

    /// Number of weights.
    pub fn weights(&self) -> usize {
        self.rows * self.taps * self.inputs
    }

    /// Whether a layer has this shape.
    pub fn fits(&self, layer: &Layer) -> bool {
        layer.weights.len() == self.weights() && layer.bias.len() == self.bias
    }

    /// The sizes of the weights in a file: `[outputs, inputs]`, `[outputs, taps, inputs]`, or of an embedding
    /// `[inputs, alphabet, outputs]`.
    pub fn sizes(&self, op: &Op) -> Vec<usize> {
        match op {
            Op::Embedding { outputs } => vec![self.rows / *outputs as usize, self.inputs, *outputs as usize],
            Op::Convolution { .. } | Op::Transposed { .. } => vec![self.rows, self.taps, self.inputs],
            _ => vec![self.rows, self.inputs],
        }
    }

    /// Blanks what the mask leaves out.
    pub fn mask(&self, op: &Op, layer: &mut Layer) {
        if matches!(op, Op::MaskedLinear { .. } | Op::Convolution { .. }) {
            let columns = self.taps * self.inputs;
            for (i, w) in layer.weights.iter_mut().enumerate() {
                let (o, k) = (i / columns, i % columns);
                if !op.keeps(self.inputs, o, k / self.inputs, k % self.inputs) {
                    *w = 0.0;
                }
            }
        }
    }
}
