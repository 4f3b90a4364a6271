//! Puts descriptions together, node by node.

use surprisal::spec::*;

/// A description in the making.
pub struct Net(pub NetworkSpec);

/// A square kernel of odd size around the current place.
pub fn square(size: u16) -> Kernel {
    Kernel::new([1, size, size], [0, size as i16 / 2, size as i16 / 2])
}

/// A kernel of `rows` x `columns`, whose tap (row, column) lies on the current place.
pub fn kernel(rows: u16, columns: u16, row: i16, column: i16) -> Kernel {
    Kernel::new([1, rows, columns], [0, row, column])
}

impl Net {
    pub fn new(family: &str, axes: &[Axis], channels: u16, alphabet: u32) -> Self {
        let symbols = Symbols { axes: axes.to_vec(), channels, alphabet, order: Order::Raster };
        Self(NetworkSpec { family: family.into(), symbols, conditions: vec![], nodes: vec![], outputs: vec![] })
    }
    pub fn order(mut self, order: Order) -> Self {
        self.0.symbols.order = order;
        self
    }
    pub fn condition(&mut self, condition: Condition) -> NodeId {
        self.0.conditions.push(condition);
        self.add(Op::Condition { index: self.0.conditions.len() as u16 - 1 }, &[])
    }
    pub fn add(&mut self, op: Op, inputs: &[NodeId]) -> NodeId {
        self.0.nodes.push(Node { op, inputs: inputs.to_vec() });
        self.0.nodes.len() - 1
    }
    pub fn current(&mut self, channels: u16) -> NodeId {
        self.add(Op::Current { channels }, &[])
    }
    pub fn linear(&mut self, outputs: u32, x: NodeId) -> NodeId {
        self.add(Op::Linear { outputs, trainable: true }, &[x])
    }
    pub fn embed(&mut self, outputs: u32, x: NodeId) -> NodeId {
        self.add(Op::Embedding { outputs }, &[x])
    }
    pub fn relu(&mut self, x: NodeId) -> NodeId {
        self.add(Op::Relu, &[x])
    }
    pub fn plus(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.add(Op::Add, &[a, b])
    }
    pub fn concat(&mut self, inputs: &[NodeId]) -> NodeId {
        self.add(Op::Concat, inputs)
    }
    pub fn activation(&mut self, function: Function, x: NodeId) -> NodeId {
        self.add(Op::Activation { function }, &[x])
    }
    /// tanh(a) sigmoid(b).
    pub fn gate(&mut self, a: NodeId, b: NodeId) -> NodeId {
        let (a, b) = (self.activation(Function::Tanh, a), self.activation(Function::Sigmoid, b));
        self.add(Op::Gate, &[a, b])
    }
    pub fn concat_elu(&mut self, x: NodeId) -> NodeId {
        let x = self.add(Op::Mirror, &[x]);
        self.activation(Function::Elu, x)
    }
    pub fn coordinate(&mut self, axis: u8, modulus: u32) -> NodeId {
        self.add(Op::Coordinate { axis, divisor: 1, modulus }, &[])
    }
    pub fn conv(&mut self, outputs: u32, kernel: Kernel, x: NodeId) -> NodeId {
        self.add(Op::Convolution { outputs, kernel, mask: Mask::Open }, &[x])
    }
    /// Mask B with `same`, mask A without.
    pub fn masked(&mut self, outputs: u32, kernel: Kernel, groups: u16, same: bool, x: NodeId) -> NodeId {
        self.add(Op::Convolution { outputs, kernel, mask: Mask::Causal { groups, same } }, &[x])
    }
    pub fn up(&mut self, outputs: u32, kernel: Kernel, x: NodeId) -> NodeId {
        self.add(Op::Transposed { outputs, kernel }, &[x])
    }
    /// Attention of x to itself.
    pub fn attend(&mut self, heads: u16, width: u32, pattern: Pattern, side: Side, x: NodeId) -> NodeId {
        let [q, k, v] = [0; 3].map(|_| self.linear(width, x));
        self.add(Op::Attention { heads, pattern, side }, &[q, k, v])
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
