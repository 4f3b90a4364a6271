//! Puts descriptions together, node by node.
//!
//! What must stay true: nothing here decides what a family is.

use crate::spec::*;

/// Logistics of a mixture over numbers with a sign.
const COMPONENTS: u8 = 6;

/// A description in the making.
#[derive(Debug, Clone)]
pub struct Net(pub NetworkSpec);

/// A square kernel of odd size around the current place.
pub fn square(size: u16) -> Kernel {
    Kernel::new([1, size, size], [0, size as i16 / 2, size as i16 / 2])
}

/// A kernel of `rows` x `columns`, whose tap (row, column) lies on the current place.
pub fn kernel(rows: u16, columns: u16, row: i16, column: i16) -> Kernel {
    Kernel::new([1, rows, columns], [0, row, column])
}

/// A kernel of an odd `side` without the rows below its middle; an even one is taken as the next.
pub fn upper(side: u32) -> Kernel {
    let reach = (side / 2) as u16;
    kernel(reach + 1, 2 * reach + 1, reach as i16, reach as i16)
}

impl Net {
    /// Begins.
    pub fn new(family: &str, axes: &[Axis], channels: u16, alphabet: u32) -> Self {
        let symbols = Symbols { axes: axes.to_vec(), channels, alphabet, order: Order::Raster };
        Self(NetworkSpec { family: family.into(), symbols, conditions: vec![], nodes: vec![], outputs: vec![] })
    }
    /// In another order than raster.
    pub fn order(mut self, order: Order) -> Self {
        self.0.symbols.order = order;
        self
    }
    /// Something that the decoder knows.
    pub fn condition(&mut self, condition: Condition) -> NodeId {
        self.0.conditions.push(condition);
        self.add(Op::Condition { index: self.0.conditions.len() as u16 - 1 }, &[])
    }
    /// Any operation.
    pub fn add(&mut self, op: Op, inputs: &[NodeId]) -> NodeId {
        self.0.nodes.push(Node { op, inputs: inputs.to_vec() });
        self.0.nodes.len() - 1
    }
    /// The first samples of every position.
    pub fn current(&mut self, channels: u16) -> NodeId {
        self.add(Op::Current { channels }, &[])
    }
    /// A trained matrix product.
    pub fn linear(&mut self, outputs: u32, x: NodeId) -> NodeId {
        self.add(Op::Linear { outputs, trainable: true }, &[x])
    }
    /// A trained vector for each sample.
    pub fn embed(&mut self, outputs: u32, x: NodeId) -> NodeId {
        self.add(Op::Embedding { outputs }, &[x])
    }
    /// `max(x, 0)`.
    pub fn relu(&mut self, x: NodeId) -> NodeId {
        self.add(Op::Relu, &[x])
    }
    /// A sum.
    pub fn plus(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.add(Op::Add, &[a, b])
    }
    /// One after the other.
    pub fn concat(&mut self, inputs: &[NodeId]) -> NodeId {
        self.add(Op::Concat, inputs)
    }
    /// A function of one variable.
    pub fn activation(&mut self, function: Function, x: NodeId) -> NodeId {
        self.add(Op::Activation { function }, &[x])
    }
    /// tanh(a) sigmoid(b).
    pub fn gate(&mut self, a: NodeId, b: NodeId) -> NodeId {
        let (a, b) = (self.activation(Function::Tanh, a), self.activation(Function::Sigmoid, b));
        self.add(Op::Gate, &[a, b])
    }
    /// The concatenated ELU (Salimans et al. 2017).
    pub fn concat_elu(&mut self, x: NodeId) -> NodeId {
        let x = self.add(Op::Mirror, &[x]);
        self.activation(Function::Elu, x)
    }
    /// The place along an axis.
    pub fn coordinate(&mut self, axis: u8, modulus: u32) -> NodeId {
        self.add(Op::Coordinate { axis, divisor: 1, modulus }, &[])
    }
    /// The place on one axis that holds rows one after the other: `(place / divisor) % modulus`.
    pub fn place(&mut self, divisor: u32, modulus: u32) -> NodeId {
        self.add(Op::Coordinate { axis: 0, divisor, modulus }, &[])
    }
    /// `x` plus a trained vector for its row and one for its column (after Liu et al. 2018). Zeros beyond the border look like
    /// black pixels, so that without this a convolution hardly knows where it is.
    pub fn located(&mut self, width: u32, [height, columns]: [u32; 2], x: NodeId) -> NodeId {
        [(0, height), (1, columns)].into_iter().filter(|(_, size)| *size > 1).fold(x, |x, (axis, size)| {
            let at = self.coordinate(axis, size);
            let at = self.embed(width, at);
            self.plus(x, at)
        })
    }
    /// A convolution without a mask.
    pub fn conv(&mut self, outputs: u32, kernel: Kernel, x: NodeId) -> NodeId {
        self.add(Op::Convolution { outputs, kernel, mask: Mask::Open }, &[x])
    }
    /// Mask B with `same`, mask A without.
    pub fn masked(&mut self, outputs: u32, kernel: Kernel, groups: u16, same: bool, x: NodeId) -> NodeId {
        self.add(Op::Convolution { outputs, kernel, mask: Mask::Causal { groups, same } }, &[x])
    }
    /// A transposed convolution.
    pub fn up(&mut self, outputs: u32, kernel: Kernel, x: NodeId) -> NodeId {
        self.add(Op::Transposed { outputs, kernel }, &[x])
    }
    /// Attention of x to itself.
    pub fn attend(&mut self, heads: u16, width: u32, pattern: Pattern, side: Side, x: NodeId) -> NodeId {
        let [q, k, v] = [0; 3].map(|_| self.linear(width, x));
        self.add(Op::Attention { heads, pattern, side }, &[q, k, v])
    }
    /// A part of the values.
    pub fn select(&mut self, start: u32, width: u32, x: NodeId) -> NodeId {
        self.add(Op::Select { start, width }, &[x])
    }
    /// Symbols as a network takes them in: a trained vector each, or on a logarithmic scale if they are numbers with a sign.
    pub fn taken_in(&mut self, outputs: u32, x: NodeId) -> NodeId {
        if self.0.symbols.alphabet == SIGNED { self.activation(Function::Log, x) } else { self.embed(outputs, x) }
    }
    /// The samples of every position as numbers: 0 and 1 of two values, else centred.
    pub fn samples(&mut self) -> NodeId {
        let x = self.current(self.0.symbols.channels);
        if self.0.symbols.alphabet == 2 { x } else { self.activation(Function::Centre, x) }
    }
    /// A gated unit: `tanh` of the first half of 2 `width` values times the `sigmoid` of the second.
    pub fn gated(&mut self, width: u32, x: NodeId) -> NodeId {
        let (a, b) = (self.select(0, width, x), self.select(width, width, x));
        self.gate(a, b)
    }
    /// Parameters and the likelihood of samples without structure: log-odds of two values, a mixture over numbers with a sign,
    /// else log-weights.
    pub fn discrete(&self) -> (u32, Likelihood) {
        let Symbols { channels, alphabet, .. } = self.0.symbols;
        match alphabet {
            2 => (channels.into(), Likelihood::Bernoulli),
            SIGNED => (3 * u32::from(COMPONENTS), Likelihood::SignedMixture { components: COMPONENTS }),
            n => (u32::from(channels) * n, Likelihood::Categorical),
        }
    }
    /// Parameters of a mixture of logistics in which the channels of a place are coupled, and its likelihood.
    pub fn mixture(&self, components: u32) -> (u32, Likelihood) {
        let c = u32::from(self.0.symbols.channels);
        let each = 1 + 2 * c + c * (c - 1) / 2;
        (components * each, Likelihood::CoupledMixture { components: components as u8 })
    }
    /// One output for all channels.
    pub fn finish(self, parameters: NodeId, likelihood: Likelihood) -> NetworkSpec {
        self.finish_each(&[parameters], likelihood)
    }
    /// An output a channel, or fewer.
    pub fn finish_each(mut self, parameters: &[NodeId], likelihood: Likelihood) -> NetworkSpec {
        let output =
            |(c, &p): (usize, &NodeId)| Output { channel: c as u16, parameters: p, likelihood: likelihood.clone() };
        self.0.outputs = parameters.iter().enumerate().map(output).collect();
        self.0
    }
}
