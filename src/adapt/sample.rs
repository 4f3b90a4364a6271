//! Positions of a picture, and what a network makes of them: gradients and code lengths, by all threads.
//!
//! What must stay true: results are exact integer sums over the positions that were asked for, whatever the number of
//! threads.

use super::mixture;
use crate::engine::{Adjoint, Buffers, Executor, Field, Gradients, Network, Position};
use crate::entropy::{Bits, Distribution, cost_of};
use crate::likelihood::logistic::PRECISION;
use crate::spec::NodeId;
use rayon::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Positions that a thread works on at a time: a whole number of the kernels' six.
pub const PIECE: usize = 48;

/// The part of a picture that is fitted to.
#[derive(Debug)]
pub struct Area<'a> {
    /// The samples of the whole picture.
    pub field: &'a Field,
    /// Columns.
    pub width: u32,
    /// The numbers of the rows that count.
    pub rows: Vec<u32>,
}

impl Area<'_> {
    /// Positions.
    pub fn count(&self) -> u64 {
        u64::from(self.width) * self.rows.len() as u64
    }

    /// A position by its number.
    fn position(&self, index: u64) -> Position {
        let width = u64::from(self.width);
        Position { row: self.rows[(index / width) as usize], column: (index % width) as u32 }
    }

    /// Positions spread evenly, about `most` of them; all, if there are no more.
    pub fn spread(&self, most: u64) -> Vec<Position> {
        let count = self.count().min(most);
        // Not in step with the width.
        (0..count)
            .map(|i| self.position(((u128::from(i) * 2 + 1) * u128::from(self.count()) / u128::from(2 * count)) as u64))
            .collect()
    }
}

/// Positions in an order that is random and the same everywhere.
#[derive(Debug)]
pub struct Draw(u64);

impl Draw {
    /// The order that begins with `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next `n` positions.
    pub fn draw(&mut self, area: &Area, n: usize, positions: &mut Vec<Position>) {
        positions.clear();
        positions.extend((0..n).map(|_| {
            self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            area.position(((u128::from(self.0) * u128::from(area.count())) >> 64) as u64)
        }));
    }
}

/// A thread's memory.
#[derive(Debug)]
struct Worker {
    buffers: Option<Buffers>,
    gradients: Gradients,
}

/// The memory of all threads.
#[derive(Debug)]
pub struct Workers(Vec<Worker>);

impl Workers {
    /// Memory for the threads of the pool that this is called in.
    pub fn new(network: &Network, adjoint: &Adjoint) -> Self {
        let worker = |_| Worker {
            buffers: Some(Executor::new(network, PIECE).into_buffers()),
            gradients: Gradients::new(network, adjoint, PIECE),
        };
        Self((0..rayon::current_num_threads()).map(worker).collect())
    }

    /// Chooses the scales of gradients by one piece of positions.
    pub fn calibrate(&mut self, network: &Network, adjoint: &mut Adjoint, area: &Area, positions: &[Position]) {
        let worker = &mut self.0[0];
        let mut executor = Executor::with_buffers(network, worker.buffers.take().expect("given back"));
        let positions = &positions[..positions.len().min(PIECE)];
        seed(&mut executor, &mut worker.gradients, area.field, positions);
        adjoint.calibrate(&executor, &mut worker.gradients, positions.len(), area.field.channels());
        for node in network.program().trained() {
            let mut unused = vec![0; worker.gradients.sums(node).len()];
            worker.gradients.drain(node, &mut unused);
        }
        worker.buffers = Some(executor.into_buffers());
    }

    /// The sums of the gradients at some positions, for the biases of each of `layers`.
    pub fn gradients(
        &mut self,
        network: &Network,
        adjoint: &Adjoint,
        area: &Area,
        positions: &[Position],
        layers: &[NodeId],
    ) -> Vec<Vec<i64>> {
        self.each_piece(network, positions, |executor, gradients, positions| {
            seed(executor, gradients, area.field, positions);
            adjoint.backward(executor, gradients, positions.len(), area.field.channels());
        });
        let mut totals: Vec<Vec<i64>> =
            layers.iter().map(|node| vec![0; self.0[0].gradients.sums(*node).len()]).collect();
        for worker in &mut self.0 {
            layers.iter().zip(&mut totals).for_each(|(node, total)| worker.gradients.drain(*node, total));
        }
        totals
    }

    /// The root mean square of the outputs of some layers at some positions; 0 where the picture lacks their channels.
    pub fn magnitudes(
        &mut self,
        network: &Network,
        area: &Area,
        positions: &[Position],
        layers: &[NodeId],
    ) -> Vec<f64> {
        let channels = area.field.channels();
        let known: Vec<NodeId> = (0..channels).flat_map(|stage| network.stage_nodes(stage)).copied().collect();
        let results = self.each_piece(network, positions, |executor, _, positions| {
            executor.all(area.field, positions);
            let square = |v: &i16| u64::from(v.unsigned_abs()).pow(2);
            let sum = |node: &NodeId| {
                let run = if known.contains(node) { positions.len() } else { 0 };
                (0..run).flat_map(|i| executor.values(*node, i)).map(square).sum()
            };
            layers.iter().map(sum).collect::<Vec<u64>>()
        });
        let total = |k: usize| results.iter().map(|r| r[k]).sum::<u64>() as f64;
        let values = |node: NodeId| (positions.len() * network.program().ranges(node).len()) as f64;
        layers.iter().enumerate().map(|(k, node)| (total(k) / values(*node)).sqrt()).collect()
    }

    /// What the samples of some positions cost.
    pub fn cost(&mut self, network: &Network, area: &Area, positions: &[Position]) -> Bits {
        let results = self.each_piece(network, positions, |executor, _, positions| {
            executor.all(area.field, positions);
            let mut bits = Bits::default();
            let most = (positions.len() * area.field.channels()) as u128;
            for (i, p) in positions.iter().enumerate() {
                for channel in 0..area.field.channels() {
                    let symbol = area.field.get(channel, p.row as isize, p.column as usize);
                    bits += cost_of(executor.distribution(channel, i).interval(symbol.into()).1, PRECISION as u32);
                }
            }
            // What costs more than its samples would not be coded by the network.
            bits.min(Bits(most << (3 + Bits::FRACTION)))
        });
        results.into_iter().sum()
    }

    /// Works on pieces of positions with all threads; the results are in no order.
    fn each_piece<T: Send>(
        &mut self,
        network: &Network,
        positions: &[Position],
        work: impl Fn(&mut Executor, &mut Gradients, &[Position]) -> T + Sync,
    ) -> Vec<T> {
        let next = AtomicUsize::new(0);
        let run = |worker: &mut Worker| {
            let mut executor = Executor::with_buffers(network, worker.buffers.take().expect("given back"));
            let mut results = Vec::new();
            while let Some(piece) = positions.chunks(PIECE).nth(next.fetch_add(1, Ordering::Relaxed)) {
                results.push(work(&mut executor, &mut worker.gradients, piece));
            }
            worker.buffers = Some(executor.into_buffers());
            results
        };
        self.0.par_iter_mut().flat_map_iter(run).collect()
    }
}

/// Runs the network at positions, and writes the gradients of its outputs.
fn seed(executor: &mut Executor, gradients: &mut Gradients, field: &Field, positions: &[Position]) {
    executor.all(field, positions);
    let network = executor.network();
    gradients.begin();
    for channel in 0..field.channels() {
        let [output, ..] = network.output(channel);
        for (i, p) in positions.iter().enumerate() {
            let out = gradients.output(network, output, i);
            mixture::gradient_at(executor, field, channel, (i, *p), out);
        }
    }
}
