//! Runs a program for batches of positions.
//!
//! [`Executor::stage`] computes what depends on the first `stage` channels of each position; earlier stages stay in the
//! buffers, so a decoder computes everything once, as it learns the channels ("step"). [`Executor::all`] runs all stages
//! of positions whose samples are known ("batch").

use super::field::{BLOCK, Field};
use super::kernels::{self, Rows, elementwise};
use super::network::Network;
use super::program::Params;
use crate::likelihood::logistic::Mixture;
use crate::spec::Op;

/// A position of a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Row.
    pub row: u32,
    /// Column.
    pub column: u32,
}

/// An executor's memory, to be used by another one.
#[derive(Debug)]
pub struct Buffers {
    capacity: usize,
    values: Vec<Rows>,
}

/// Buffers for one thread.
#[derive(Debug)]
pub struct Executor<'n> {
    network: &'n Network,
    capacity: usize,
    /// `[nodes]`: a row a position.
    values: Vec<Rows>,
}

impl<'n> Executor<'n> {
    /// Buffers for up to `capacity` positions.
    pub fn new(network: &'n Network, capacity: usize) -> Self {
        let rows = |(id, width): (usize, &usize)| {
            let stored = network.home[id] == id;
            // A window's last run is copied as a whole block.
            Rows::new(
                if stored { capacity } else { 0 },
                if network.runs[id].is_empty() { *width } else { width + BLOCK },
            )
        };
        Self { network, capacity, values: network.widths.iter().enumerate().map(rows).collect() }
    }

    /// An executor with the memory of one of a network that differs in its biases at most.
    ///
    /// # Panics
    /// If the memory is that of another network.
    pub fn with_buffers(network: &'n Network, buffers: Buffers) -> Self {
        let fits = |(rows, width): (&Rows, &usize)| rows.stride >= kernels::padded(*width);
        assert!(buffers.values.len() == network.widths.len(), "memory of another network");
        assert!(buffers.values.iter().zip(&network.widths).all(fits), "memory of another network");
        Self { network, capacity: buffers.capacity, values: buffers.values }
    }

    /// Its memory.
    pub fn into_buffers(self) -> Buffers {
        Buffers { capacity: self.capacity, values: self.values }
    }

    /// The network.
    pub fn network(&self) -> &'n Network {
        self.network
    }

    /// Positions that fit at once.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// The values of a node at the `i`th position of the last batch.
    pub fn values(&self, node: usize, i: usize) -> &[i16] {
        &self.values[self.network.home[node]].row(i)[..self.network.widths[node]]
    }

    /// The values of a node at every position of the last batch.
    pub(super) fn rows(&self, node: usize) -> &Rows {
        &self.values[self.network.home[node]]
    }

    /// Computes all channels of positions whose samples are known.
    pub fn all(&mut self, field: &Field, positions: &[Position]) {
        for stage in 0..field.channels() {
            self.stage(stage, field, positions);
        }
    }

    /// Computes what depends on the window and on the first `stage` channels of each position, and on no later one.
    ///
    /// # Panics
    /// If there are more positions than the capacity, or an earlier stage was not run for them.
    pub fn stage(&mut self, stage: usize, field: &Field, positions: &[Position]) {
        for &id in self.network.stage_nodes(stage) {
            self.run_node(id, field, positions);
        }
    }

    /// Computes one node of a stage: [`stage`](Self::stage) in single steps, for those who want to know what each takes.
    ///
    /// # Panics
    /// As [`stage`](Self::stage) does; the nodes before it in its stage were run.
    #[inline]
    pub fn run_node(&mut self, id: usize, field: &Field, positions: &[Position]) {
        assert!(positions.len() <= self.capacity);
        let mut out = std::mem::take(&mut self.values[id]);
        self.node(id, field, positions, &mut out);
        self.values[id] = out;
    }

    fn input(&self, id: usize, i: usize) -> (&Rows, usize) {
        let node = self.network.program().spec().nodes[id].inputs[i];
        (&self.values[self.network.home[node]], self.network.widths[node])
    }

    fn node(&self, id: usize, field: &Field, positions: &[Position], out: &mut Rows) {
        let program = self.network.program();
        let node = &program.spec().nodes[id];
        let (n, kernel) = (positions.len(), self.network.kernel());
        match (&node.op, program.params(id)) {
            (Op::Neighbours { offsets }, _) => {
                let (window, channels) = (offsets.len(), usize::from(program.spec().symbols.channels));
                for (i, p) in positions.iter().enumerate() {
                    let (row, column) = (p.row as usize, p.column as usize);
                    let out = out.row_mut(i);
                    if !field.is_edge(row, column) {
                        elementwise::gather(
                            kernel,
                            field,
                            &self.network.runs[id],
                            window,
                            channels,
                            (row, column),
                            out,
                        );
                        continue;
                    }
                    for channel in 0..channels {
                        // A gray picture is seen as one whose channels are equal.
                        let source = channel.min(field.channels() - 1);
                        for (o, v) in offsets.iter().zip(&mut out[channel * window..]) {
                            *v = field.neighbour(source, row, column, *o).into();
                        }
                    }
                }
            }
            (Op::Current { channels }, _) => {
                for (i, p) in positions.iter().enumerate() {
                    for channel in 0..usize::from(*channels) {
                        out.row_mut(i)[channel] = field.get(channel, p.row as isize, p.column as usize).into();
                    }
                }
            }
            (Op::LocalMean { a, b }, _) => {
                let ((x, width), channels) = (self.input(id, 0), self.network.widths[id]);
                let window = width / channels;
                for i in 0..n {
                    let (x, out) = (x.row(i), out.row_mut(i));
                    for c in 0..channels {
                        out[c] = (x[c * window + usize::from(*a)] + x[c * window + usize::from(*b)]) >> 1;
                    }
                }
            }
            (Op::LocalScale { near }, Params::Scale { level }) => {
                let ((x, width), (mean, channels)) = (self.input(id, 0), self.input(id, 1));
                let window = width / channels;
                for i in 0..n {
                    let (x, means) = (x.row(i), &mean.row(i)[..channels]);
                    let mut sum = 0;
                    for (x, mean) in x.chunks_exact(window).zip(means) {
                        sum += near.iter().map(|k| u32::from(x[usize::from(*k)].abs_diff(*mean))).sum::<u32>();
                    }
                    out.row_mut(i)[0] = level[sum as usize].into();
                }
            }
            (Op::Normalize { .. }, Params::Normalize { limit, shift, multiplier }) => {
                let ((x, width), (mean, channels), (level, _)) =
                    (self.input(id, 0), self.input(id, 1), self.input(id, 2));
                let each = if matches!(program.spec().nodes[node.inputs[0]].op, Op::Current { .. }) {
                    1
                } else {
                    width / channels
                };
                let scaling = elementwise::Scaling { limit, shift, multiplier };
                elementwise::normalize(kernel, [x, mean, level], scaling, each, width / each, n, out);
            }
            (Op::Linear { .. }, _) => {
                let layer = self.network.packed[id].as_ref().expect("linear layers are packed");
                kernels::linear(kernel, layer, self.input(id, 0).0, n, out);
            }
            (Op::Relu, _) => {
                let x = self.input(id, 0).0;
                (0..n).for_each(|i| elementwise::rectify(kernel, x.row(i), out.row_mut(i)));
            }
            (Op::Add, Params::Add { low, high }) => {
                // Row by row: those of a window are longer than others of its width.
                let (a, b) = (self.input(id, 0).0, self.input(id, 1).0);
                (0..n).for_each(|i| elementwise::add(kernel, a.row(i), b.row(i), *low, *high, out.row_mut(i)));
            }
            (Op::Concat, _) => {
                let mut at = 0;
                for k in 0..node.inputs.len() {
                    let (x, width) = self.input(id, k);
                    elementwise::copy(kernel, x, width, n, at, out);
                    at += width;
                }
            }
            _ => unreachable!("a program holds only operations that can be run"),
        }
    }

    /// The distribution of a channel at the `i`th position; its stage was run.
    #[inline]
    pub fn distribution(&self, channel: usize, i: usize) -> Mixture<'n> {
        self.distributions(channel)(i)
    }

    /// The distributions of a channel, by the number of the position; its stage was run.
    #[inline]
    pub fn distributions(&self, channel: usize) -> impl Fn(usize) -> Mixture<'n> {
        let network = self.network;
        let [parameters, mean, scale] = network.output(channel);
        let rows = |node: usize| &self.values[network.home[node]];
        let (width, parameters, means, levels) =
            (network.widths[parameters], rows(parameters), rows(mean), rows(scale));
        move |i| network.mixture(channel, &parameters.row(i)[..width], means.row(i)[channel], levels.row(i)[0])
    }

    /// What [`Network::distribution`] makes the same distribution of.
    pub fn parameters(&self, channel: usize, i: usize) -> impl Iterator<Item = i16> + '_ {
        let [parameters, mean, scale] = self.network.output(channel);
        let rest = [self.values(mean, i)[channel], self.values(scale, i)[0]];
        self.values(parameters, i).iter().copied().chain(rest)
    }
}
