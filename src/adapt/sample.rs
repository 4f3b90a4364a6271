//! Positions of pictures, and what a network makes of them: gradients and code lengths, by all threads.
//!
//! What must stay true: results are exact integer sums over the positions that were asked for, whatever the number of
//! threads and however these share them.

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
}

/// Areas that are fitted to together; their positions are numbered one area after the other.
#[derive(Debug, Clone)]
pub struct Areas<'a> {
    areas: &'a [Area<'a>],
    /// Where the numbers of each area end.
    ends: Vec<u64>,
}

/// Some positions of one area, no more than [`PIECE`].
#[derive(Debug)]
pub struct Piece<'a> {
    /// The samples of the picture.
    pub field: &'a Field,
    /// Where.
    pub positions: Vec<Position>,
}

impl<'a> Areas<'a> {
    /// All of these.
    pub fn new(areas: &'a [Area<'a>]) -> Self {
        let mut count = 0;
        let end = |area: &Area| {
            count += area.count();
            count
        };
        Self { areas, ends: areas.iter().map(end).collect() }
    }

    /// That with the most channels, and the most positions of those: it alone shows every layer at work.
    pub fn fullest(&self) -> Self {
        let size = |i: &usize| (self.areas[*i].field.channels(), self.areas[*i].count());
        let fullest = (0..self.areas.len()).max_by_key(size).map_or(&[][..], |i| &self.areas[i..=i]);
        Self::new(fullest)
    }

    /// Positions.
    pub fn count(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    /// Positions with these numbers, an area after the other.
    fn pieces(&self, numbers: impl Iterator<Item = u64>) -> Vec<Piece<'a>> {
        let place = |number: u64| {
            let at = self.ends.partition_point(|end| *end <= number);
            (at, self.areas[at].position(number - at.checked_sub(1).map_or(0, |i| self.ends[i])))
        };
        let mut places: Vec<(usize, Position)> = numbers.map(place).collect();
        places.sort_by_key(|(at, _)| *at);
        let same = places.chunk_by(|a, b| a.0 == b.0).flat_map(|of_area| of_area.chunks(PIECE));
        let piece = |places: &[(usize, Position)]| Piece {
            field: self.areas[places[0].0].field,
            positions: places.iter().map(|(_, position)| *position).collect(),
        };
        same.map(piece).collect()
    }

    /// Positions spread evenly, about `most` of them; all, if there are no more.
    pub fn spread(&self, most: u64) -> Vec<Piece<'a>> {
        let count = self.count().min(most);
        // Not in step with the width.
        let number = |i: u64| ((u128::from(i) * 2 + 1) * u128::from(self.count()) / u128::from(2 * count)) as u64;
        self.pieces((0..count).map(number))
    }
}

/// How many positions there are in pieces.
pub fn positions(pieces: &[Piece]) -> u64 {
    pieces.iter().map(|piece| piece.positions.len() as u64).sum()
}

/// Positions in an order that is random and the same everywhere.
#[derive(Debug, Clone)]
pub struct Draw(u64);

impl Draw {
    /// The order that begins with `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next `n` positions.
    pub fn draw<'a>(&mut self, areas: &Areas<'a>, n: usize) -> Vec<Piece<'a>> {
        let count = u128::from(areas.count());
        areas.pieces((0..n).map(|_| {
            self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            ((u128::from(self.0) * count) >> 64) as u64
        }))
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
    pub fn calibrate(&mut self, network: &Network, adjoint: &mut Adjoint, piece: &Piece) {
        let worker = &mut self.0[0];
        let mut executor = Executor::with_buffers(network, worker.buffers.take().expect("given back"));
        seed(&mut executor, &mut worker.gradients, piece);
        adjoint.calibrate(&executor, &mut worker.gradients, piece.positions.len(), piece.field.channels());
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
        pieces: &[Piece],
        layers: &[NodeId],
    ) -> Vec<Vec<i64>> {
        self.each_piece(network, pieces, |executor, gradients, piece| {
            seed(executor, gradients, piece);
            adjoint.backward(executor, gradients, piece.positions.len(), piece.field.channels());
        });
        let mut totals: Vec<Vec<i64>> =
            layers.iter().map(|node| vec![0; self.0[0].gradients.sums(*node).len()]).collect();
        for worker in &mut self.0 {
            layers.iter().zip(&mut totals).for_each(|(node, total)| worker.gradients.drain(*node, total));
        }
        totals
    }

    /// The root mean square of the outputs of some layers at some positions, 0 at those whose pictures lack their channels.
    pub fn magnitudes(&mut self, network: &Network, pieces: &[Piece], layers: &[NodeId]) -> Vec<f64> {
        let known = |channels: usize| (0..channels).flat_map(|stage| network.stage_nodes(stage)).copied();
        let most = pieces.iter().map(|piece| piece.field.channels()).max().unwrap_or(0);
        let known: Vec<Vec<NodeId>> = (0..=most).map(|channels| known(channels).collect()).collect();
        let results = self.each_piece(network, pieces, |executor, _, piece| {
            executor.all(piece.field, &piece.positions);
            let square = |v: &i16| u64::from(v.unsigned_abs()).pow(2);
            let sum = |node: &NodeId| {
                let run = if known[piece.field.channels()].contains(node) { piece.positions.len() } else { 0 };
                (0..run).flat_map(|i| executor.values(*node, i)).map(square).sum()
            };
            layers.iter().map(sum).collect::<Vec<u64>>()
        });
        let total = |k: usize| results.iter().map(|r| r[k]).sum::<u64>() as f64;
        let count = positions(pieces) as usize;
        let values = |node: NodeId| (count * network.program().ranges(node).len()) as f64;
        layers.iter().enumerate().map(|(k, node)| (total(k) / values(*node)).sqrt()).collect()
    }

    /// What the samples of some positions cost.
    pub fn cost(&mut self, network: &Network, pieces: &[Piece]) -> Bits {
        let results = self.each_piece(network, pieces, |executor, _, Piece { field, positions }| {
            executor.all(field, positions);
            let mut bits = Bits::default();
            let most = (positions.len() * field.channels()) as u128;
            for (i, p) in positions.iter().enumerate() {
                for channel in 0..field.channels() {
                    let symbol = field.get(channel, p.row as isize, p.column as usize);
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
        pieces: &[Piece],
        work: impl Fn(&mut Executor, &mut Gradients, &Piece) -> T + Sync,
    ) -> Vec<T> {
        let next = AtomicUsize::new(0);
        let run = |worker: &mut Worker| {
            let mut executor = Executor::with_buffers(network, worker.buffers.take().expect("given back"));
            let mut results = Vec::new();
            while let Some(piece) = pieces.get(next.fetch_add(1, Ordering::Relaxed)) {
                results.push(work(&mut executor, &mut worker.gradients, piece));
            }
            worker.buffers = Some(executor.into_buffers());
            results
        };
        self.0.par_iter_mut().flat_map_iter(run).collect()
    }
}

/// Runs the network at positions, and writes the gradients of its outputs.
fn seed(executor: &mut Executor, gradients: &mut Gradients, Piece { field, positions }: &Piece) {
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
