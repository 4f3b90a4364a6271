//! Gradients of a program in integers: what moves an output, back to every bias, with the same kernels.
//!
//! A gradient tensor is i16 with a power-of-two scale, chosen once on a first batch ([`Adjoint::calibrate`]); tensors that
//! are added share theirs. `y = clamp((W x + b) >> s)` is taken as `y = 2^-s (W x + b)` where it was not clamped.
//!
//! What must stay true: sums over positions are exact, so that a gradient depends on the set of positions alone and not on
//! their order, the kernel or the number of threads. Only encoders need gradients, so nothing here is part of the format.

use super::executor::Executor;
use super::kernels::{self, Kernel, Packed, Rows, elementwise};
use super::network::Network;
use super::program::{Params, Program};
use crate::spec::{NodeId, Op};

/// Largest magnitude of a gradient's integer: larger ones are clamped.
pub const LIMIT: i16 = 8191;
/// Root mean square that calibration aims at, as a power of two: far above the rounding, far below the limit.
const TARGET: u32 = 7;
/// Positions of a batch at most, so that its sums fit 32 bits.
const MAX_POSITIONS: usize = 1 << 16;

/// The transposed weights of a linear layer.
#[derive(Debug)]
struct Transposed {
    packed: Packed,
    /// Weights were divided by two that often.
    dropped: i32,
}

impl Transposed {
    /// `W` with row o divided by `2^(s[o] - lowest s)`, so that all rows have one scale, and all by as many twos as make
    /// sums fit: `sum_o |w[o][k]| LIMIT + 2^29 < 2^31`.
    fn new(weights: &[i16], shift: &[u8]) -> Self {
        let inputs = weights.len() / shift.len();
        let lowest = shift.iter().copied().min().unwrap_or(1);
        let divided = |w: i16, s: u8, drop: u32| {
            let by = u32::from(s - lowest) + drop;
            let half = (1i64 << by) >> 1;
            (i64::from(w) + half) >> by
        };
        let fits = |drop: u32| {
            (0..inputs).all(|k| {
                let column = weights[k..].iter().step_by(inputs).zip(shift);
                let sum: i64 = column.map(|(w, s)| divided(*w, *s, drop).abs()).sum();
                sum * i64::from(LIMIT) < (1 << 31) - (1 << 29)
            })
        };
        let drop = (0..16).find(|drop| fits(*drop)).unwrap_or(16);
        let outputs = shift.len();
        let mut turned = vec![0; weights.len()];
        for (o, (row, s)) in weights.chunks_exact(inputs).zip(shift).enumerate() {
            for (k, w) in row.iter().enumerate() {
                turned[k * outputs + o] = divided(*w, *s, drop).clamp(-32768, 32767) as i16;
            }
        }
        let packed = Packed::new(&turned, &vec![0; inputs], &vec![30; inputs], -LIMIT, LIMIT);
        // Of 2^-s[o] the part 2^-lowest is still to be applied.
        Self { packed, dropped: drop as i32 - i32::from(lowest) }
    }
}

/// What gradients of a program need beside its network.
#[derive(Debug)]
pub struct Adjoint {
    /// Whether a node's values depend on a trained bias.
    needed: Vec<bool>,
    /// Nodes that share a scale have one representative.
    group: Vec<NodeId>,
    /// `[representatives]`: a gradient is its integer times `2^-scale`, per unit of the node's integers.
    scale: Vec<Option<i32>>,
    transposed: Vec<Option<Transposed>>,
}

/// Memory for the gradients of a batch, and their sums.
#[derive(Debug)]
pub struct Gradients {
    /// `[nodes]`: a row a position.
    rows: Vec<Rows>,
    /// Nodes that have a gradient in this batch.
    reached: Vec<bool>,
    spare: Rows,
    /// `[nodes][outputs]`: over the positions of a batch.
    partial: Vec<Vec<i32>>,
    /// `[nodes][outputs]`: over all positions so far.
    sums: Vec<Vec<i64>>,
}

impl Gradients {
    /// Memory for up to `capacity` positions.
    pub fn new(network: &Network, adjoint: &Adjoint, capacity: usize) -> Self {
        assert!(capacity <= MAX_POSITIONS);
        let rows = |(id, width): (usize, &usize)| {
            Rows::new(if adjoint.needed[id] && network.home[id] == id { capacity } else { 0 }, *width)
        };
        let rows: Vec<Rows> = network.widths.iter().enumerate().map(rows).collect();
        let widest = rows.iter().map(|r| r.stride).max().unwrap_or(0);
        let linear = |id: usize| if adjoint.is_trained(network, id) { network.widths[id] } else { 0 };
        let nodes = 0..network.widths.len();
        Self {
            rows,
            reached: vec![false; network.widths.len()],
            spare: Rows::new(capacity, widest),
            partial: nodes.clone().map(|id| vec![0; kernels::padded(linear(id))]).collect(),
            sums: nodes.map(|id| vec![0; linear(id)]).collect(),
        }
    }

    /// Forgets the last batch, and keeps the sums.
    pub fn begin(&mut self) {
        self.reached.fill(false);
    }

    /// Where the gradient of an output's parameters at the `i`th position is to be written, before
    /// [`Adjoint::backward`]: per unit of the node's integers, times `2^`[`Adjoint::scale`], within [`LIMIT`].
    pub fn output(&mut self, network: &Network, node: NodeId, i: usize) -> &mut [i16] {
        let home = network.home[node];
        self.reached[home] = true;
        &mut self.rows[home].row_mut(i)[..network.widths[node]]
    }

    /// The sums for a layer's biases, per unit of its outputs, times `2^`[`Adjoint::scale`].
    pub fn sums(&self, node: NodeId) -> &[i64] {
        &self.sums[node]
    }

    /// Adds the sums to `total` and sets them to zero.
    pub fn drain(&mut self, node: NodeId, total: &mut [i64]) {
        for (sum, total) in self.sums[node].iter_mut().zip(total) {
            *total += std::mem::take(sum);
        }
    }
}

impl Adjoint {
    /// Prepares a program; outputs have the scale `2^output` per unit of their parameters' integers.
    pub fn new(program: &Program, output: i32) -> Self {
        let nodes = &program.spec().nodes;
        let mut needed = vec![false; nodes.len()];
        let mut group: Vec<NodeId> = (0..nodes.len()).collect();
        for (id, node) in nodes.iter().enumerate() {
            let trained = matches!(node.op, Op::Linear { trainable: true, .. });
            needed[id] = trained || node.inputs.iter().any(|i| needed[*i]);
            if matches!(node.op, Op::Add | Op::Relu | Op::Concat) {
                for other in node.inputs.iter().filter(|i| needed[**i]) {
                    let (from, to) = (group[*other], group[id]);
                    group.iter_mut().filter(|g| **g == from).for_each(|g| *g = to);
                }
            }
        }
        let mut scale = vec![None; nodes.len()];
        program.spec().outputs.iter().for_each(|o| scale[group[o.parameters]] = Some(output));
        let transposed = nodes.iter().enumerate().map(|(id, node)| match program.params(id) {
            Params::Linear { weights, shift, .. } if needed[node.inputs[0]] => Some(Transposed::new(weights, shift)),
            _ => None,
        });
        let transposed = transposed.collect();
        Self { needed, group, scale, transposed }
    }

    /// The scale of a node's gradient, as a power of two; 0 for one that calibration did not reach.
    pub fn scale(&self, node: NodeId) -> i32 {
        self.scale[self.group[node]].unwrap_or(0)
    }

    fn is_trained(&self, network: &Network, id: NodeId) -> bool {
        matches!(network.program().spec().nodes[id].op, Op::Linear { trainable: true, .. })
    }

    /// The nodes with gradients, last first, for pictures of that many channels.
    fn order(&self, network: &Network, channels: usize) -> Vec<NodeId> {
        let mut order: Vec<NodeId> = (0..channels).flat_map(|stage| network.stage_nodes(stage)).copied().collect();
        order.retain(|id| self.needed[*id]);
        order.sort_unstable_by(|a, b| b.cmp(a));
        order
    }

    /// Chooses every scale from the gradients of a batch; the sums of that batch are left in `gradients`.
    pub fn calibrate(&mut self, executor: &Executor, gradients: &mut Gradients, n: usize, channels: usize) {
        let network = executor.network();
        for id in self.order(network, channels) {
            self.finish(id, executor, gradients, n);
            let input = network.program().spec().nodes[id].inputs.first().map_or(id, |i| self.group[*i]);
            let (from, to) = (self.scale[self.group[id]].unwrap_or(0), self.scale[input]);
            if let Some(layer) = &mut self.transposed[id] {
                let at_no_shift = from - layer.dropped; // the scale of the product before the shift
                let shift = match to {
                    Some(to) => (at_no_shift - to).clamp(1, 30),
                    None => {
                        let width = network.widths[network.program().spec().nodes[id].inputs[0]];
                        let Gradients { rows, spare, .. } = gradients;
                        search(network.kernel(), layer, &rows[id], n, width, spare)
                    }
                };
                layer.packed.set_shift(shift as u8);
                self.scale[input] = Some(to.unwrap_or(at_no_shift - shift));
            }
            self.propagate(id, executor, gradients, n);
        }
    }

    /// Takes the gradients of the outputs of a batch back to every bias, and adds them to the sums.
    pub fn backward(&self, executor: &Executor, gradients: &mut Gradients, n: usize, channels: usize) {
        for id in self.order(executor.network(), channels) {
            self.finish(id, executor, gradients, n);
            self.propagate(id, executor, gradients, n);
        }
    }

    /// Once everything behind a node was seen: leaves out what was clamped, and adds up what its biases get.
    fn finish(&self, id: NodeId, executor: &Executor, gradients: &mut Gradients, n: usize) {
        let network = executor.network();
        if !gradients.reached[id] {
            return;
        }
        let (low, high) = match network.program().params(id) {
            Params::Linear { low, high, .. } | Params::Add { low, high } => (*low, *high),
            _ if matches!(network.program().spec().nodes[id].op, Op::Relu) => (0, i16::MAX),
            _ => return,
        };
        let (values, kernel) = (executor.rows(id), network.kernel());
        let rows = &mut gradients.rows[id];
        (0..n).for_each(|i| elementwise::mask(kernel, values.row(i), low, high, rows.row_mut(i)));
        if self.is_trained(network, id) {
            let partial = &mut gradients.partial[id];
            partial.fill(0);
            (0..n).for_each(|i| elementwise::add_to(kernel, rows.row(i), partial));
            let sums = gradients.sums[id].iter_mut().zip(partial);
            sums.for_each(|(sum, partial)| *sum += i64::from(*partial));
        }
    }

    /// Hands a node's gradient on to its inputs.
    fn propagate(&self, id: NodeId, executor: &Executor, gradients: &mut Gradients, n: usize) {
        let network = executor.network();
        if !gradients.reached[id] {
            return;
        }
        let node = &network.program().spec().nodes[id];
        let kernel = network.kernel();
        let from = std::mem::take(&mut gradients.rows[id]);
        let mut at = 0;
        for input in &node.inputs {
            let (home, width) = (network.home[*input], network.widths[*input]);
            if self.needed[*input] {
                let first = !std::mem::replace(&mut gradients.reached[home], true);
                let mut to = std::mem::take(&mut gradients.rows[home]);
                match &self.transposed[id] {
                    Some(layer) if first => kernels::linear(kernel, &layer.packed, &from, n, &mut to),
                    Some(layer) => {
                        let spare = &mut gradients.spare;
                        kernels::linear(kernel, &layer.packed, &from, n, spare);
                        (0..n).for_each(|i| elementwise::accumulate(kernel, spare.row(i), LIMIT, to.row_mut(i)));
                    }
                    None if first => {
                        for i in 0..n {
                            let to = to.row_mut(i);
                            to[..width].copy_from_slice(&from.row(i)[at..at + width]);
                            to[width..].fill(0);
                        }
                    }
                    None => (0..n).for_each(|i| {
                        elementwise::accumulate(kernel, &from.row(i)[at..at + width], LIMIT, to.row_mut(i));
                    }),
                }
                gradients.rows[home] = to;
            }
            if matches!(node.op, Op::Concat) {
                at += width;
            }
        }
        gradients.rows[id] = from;
    }
}

/// The shift that gives the product of a layer the root mean square that is aimed at.
fn search(kernel: Kernel, layer: &mut Transposed, from: &Rows, n: usize, width: usize, spare: &mut Rows) -> i32 {
    let mut shift = 30;
    loop {
        layer.packed.set_shift(shift as u8);
        kernels::linear(kernel, &layer.packed, from, n, spare);
        let squares: u64 =
            (0..n).flat_map(|i| &spare.row(i)[..width]).map(|v| u64::from(v.unsigned_abs()).pow(2)).sum();
        let values = (n * width).max(1) as u64;
        // Exact enough once the values are well above the rounding.
        if squares >= 64 * values || shift <= 4 {
            let magnitude = (squares / values).max(1).ilog2() / 2;
            return (shift + magnitude as i32 - TARGET as i32).clamp(1, 30);
        }
        shift -= 2;
    }
}
