//! Shapes of a network's vectors, and the checks that a description makes sense.
//!
//! What must stay true: whatever passes here can be executed without an index out of range, an overflow of a size, or an
//! allocation beyond [`MAX_WIDTH`] values a node.

use super::{Likelihood, NetworkSpec, Node, NodeId, Offset, Op};
use crate::wire::WireError;
use thiserror::Error;

/// Most nodes of a network.
pub const MAX_NODES: usize = 4096;
/// Most values of a node a position.
pub const MAX_WIDTH: usize = 1 << 16;
/// Most weights of one operation.
pub const MAX_WEIGHTS: u64 = 1 << 28;
/// Most symbols a position.
pub const MAX_CHANNELS: usize = 4096;
/// Largest alphabet.
pub const MAX_ALPHABET: u32 = 1 << 16;
/// Most bytes of a family's name.
pub const MAX_NAME: usize = 64;
/// Largest sum of differences that [`Op::LocalScale`] looks up.
pub const MAX_ACTIVITY: u64 = 1 << 20;

/// Why a description is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SpecError {
    /// The bytes do not hold a description.
    #[error("not a network description: {0}")]
    Wire(#[from] WireError),
    /// What is coded is not described properly.
    #[error("the description of the symbols: {0}")]
    Symbols(&'static str),
    /// A node is wrong.
    #[error("node {node} of the network: {what}")]
    Node {
        /// Which node.
        node: NodeId,
        /// What is wrong with it.
        what: &'static str,
    },
    /// An output is wrong.
    #[error("output {output} of the network: {what}")]
    Output {
        /// Which output.
        output: usize,
        /// What is wrong with it.
        what: &'static str,
    },
}

impl NetworkSpec {
    /// The number of values that each node yields a position, after checking the whole description.
    pub fn widths(&self) -> Result<Vec<usize>, SpecError> {
        self.check_symbols()?;
        let mut widths = Vec::with_capacity(self.nodes.len());
        for (id, node) in self.nodes.iter().enumerate() {
            let width = self.node_width(id, node, &widths).map_err(|what| SpecError::Node { node: id, what })?;
            if !(1..=MAX_WIDTH as u64).contains(&width) {
                return Err(SpecError::Node { node: id, what: "the number of values is 0 or too large" });
            }
            widths.push(width as usize);
        }
        self.check_outputs(&widths)?;
        Ok(widths)
    }

    fn check_symbols(&self) -> Result<(), SpecError> {
        let s = &self.symbols;
        let wrong = |what| Err(SpecError::Symbols(what));
        if self.family.is_empty() || self.family.len() > MAX_NAME || self.family.chars().any(char::is_control) {
            return wrong("the family's name is empty, too long or not printable");
        }
        if !(1..=3).contains(&s.axes.len()) {
            return wrong("there must be one, two or three axes");
        }
        if s.axes.iter().enumerate().any(|(i, a)| s.axes[..i].contains(a)) {
            return wrong("an axis is named twice");
        }
        if !(1..=MAX_CHANNELS).contains(&usize::from(s.channels)) {
            return wrong("the number of channels is 0 or too large");
        }
        if !(2..=MAX_ALPHABET).contains(&s.alphabet) {
            return wrong("the alphabet is too small or too large");
        }
        if self.nodes.is_empty() || self.nodes.len() > MAX_NODES {
            return wrong("the number of nodes is 0 or too large");
        }
        Ok(())
    }

    /// Whether the position at `offset` is coded before the current one, on the axes that exist.
    pub(super) fn is_causal(&self, offset: Offset) -> bool {
        let parts = [offset.frame, offset.row, offset.column];
        let unused = 3 - self.symbols.axes.len();
        parts[..unused].iter().all(|&p| p == 0) && parts < [0; 3]
    }

    fn node_width(&self, id: NodeId, node: &Node, widths: &[usize]) -> Result<u64, &'static str> {
        if node.inputs.iter().any(|&i| i >= id) {
            return Err("an input does not stand before it");
        }
        let arity = match &node.op {
            Op::Neighbours { .. } | Op::Current { .. } => 0..=0,
            Op::LocalMean { .. } | Op::Linear { .. } | Op::Relu => 1..=1,
            Op::LocalScale { .. } | Op::Add => 2..=2,
            Op::Normalize { .. } => 3..=3,
            Op::Concat => 1..=MAX_NODES,
        };
        if !arity.contains(&node.inputs.len()) {
            return Err("the number of inputs is wrong");
        }
        let op = |n: usize| &self.nodes[node.inputs[n]].op;
        let width = |n: usize| widths[node.inputs[n]] as u64;
        let channels = u64::from(self.symbols.channels);
        match &node.op {
            Op::Neighbours { offsets } => {
                if !offsets.iter().all(|&o| self.is_causal(o)) {
                    return Err("an offset is not coded before the current position");
                }
                let mut sorted = offsets.clone();
                sorted.sort_unstable();
                if sorted.windows(2).any(|w| w[0] == w[1]) {
                    return Err("an offset is named twice");
                }
                Ok(channels * offsets.len() as u64)
            }
            Op::Current { channels: n } if u64::from(*n) > channels => Err("there are not so many channels"),
            Op::Current { channels: n } => Ok(u64::from(*n)),
            Op::LocalMean { a, b } => {
                let Op::Neighbours { offsets } = op(0) else { return Err("the input is not a set of neighbours") };
                if usize::from(*a.max(b)) >= offsets.len() {
                    return Err("there is no such neighbour");
                }
                Ok(channels)
            }
            Op::LocalScale { near } => {
                let (Op::Neighbours { offsets }, Op::LocalMean { .. }) = (op(0), op(1)) else {
                    return Err("the inputs are not a set of neighbours and a local mean");
                };
                if near.is_empty() || near.iter().any(|&n| usize::from(n) >= offsets.len()) {
                    return Err("there is no such neighbour");
                }
                if near.len() as u64 * channels * u64::from(self.symbols.alphabet - 1) > MAX_ACTIVITY {
                    return Err("the sum of differences can be too large");
                }
                Ok(1)
            }
            Op::Normalize { unit, clamp } => {
                let (Op::Neighbours { .. } | Op::Current { .. }, Op::LocalMean { .. }, Op::LocalScale { .. }) =
                    (op(0), op(1), op(2))
                else {
                    return Err("the inputs are not samples, a local mean and a local scale");
                };
                if *unit > 8 || !(1..=64).contains(clamp) {
                    return Err("the unit or the clamp is out of range");
                }
                Ok(width(0))
            }
            Op::Linear { outputs, .. } => {
                if width(0) * u64::from(*outputs) > MAX_WEIGHTS {
                    return Err("there are too many weights");
                }
                Ok(u64::from(*outputs))
            }
            Op::Relu => Ok(width(0)),
            Op::Add if width(0) != width(1) => Err("the inputs differ in width"),
            Op::Add => Ok(width(0)),
            Op::Concat => Ok((0..node.inputs.len()).map(width).sum()),
        }
    }

    /// The channels of output `n`: from its first up to the next output's.
    pub fn output_channels(&self, n: usize) -> std::ops::Range<usize> {
        let end = self.outputs.get(n + 1).map_or(self.symbols.channels, |o| o.channel);
        usize::from(self.outputs[n].channel)..usize::from(end)
    }

    fn check_outputs(&self, widths: &[usize]) -> Result<(), SpecError> {
        if self.outputs.first().is_none_or(|o| o.channel != 0) {
            return Err(SpecError::Symbols("no output is for the first channel"));
        }
        for (n, output) in self.outputs.iter().enumerate() {
            let wrong = |what| Err(SpecError::Output { output: n, what });
            let span = self.output_channels(n);
            if span.is_empty() || span.end > usize::from(self.symbols.channels) {
                return wrong("the channels are not in coding order");
            }
            if output.parameters >= self.nodes.len() {
                return wrong("there is no such node");
            }
            let expected = match &output.likelihood {
                Likelihood::LogisticMixture { components, mean, scale, unit, floor } => {
                    let op = |id: NodeId| self.nodes.get(id).map(|n| &n.op);
                    if !matches!((op(*mean), op(*scale)), (Some(Op::LocalMean { .. }), Some(Op::LocalScale { .. }))) {
                        return wrong("mean and scale are not a local mean and a local scale");
                    }
                    if !(1..=64).contains(components) || *unit > 8 || !(1..=20).contains(floor) {
                        return wrong("the number of components, the unit or the floor is out of range");
                    }
                    3 * usize::from(*components) * span.len()
                }
            };
            if widths[output.parameters] != expected {
                return wrong("the number of parameters is not what the likelihood needs");
            }
        }
        Ok(())
    }
}
