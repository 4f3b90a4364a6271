//! Moves the biases of a network so that pictures get shorter.

use super::Fit;
use super::adam::Adam;
use super::delta::{self, Move};
use super::mixture::FRACTION;
use super::round;
use super::sample::{Areas, Draw, Piece, Workers, positions};
use crate::engine::{Adjoint, Adjustable, Network, Params};
use crate::entropy::Bits;
use crate::spec::NodeId;
use std::sync::Arc;

/// Positions on which candidates are compared.
const JUDGES: u64 = 1 << 13;

/// One trained layer.
#[derive(Debug)]
pub(super) struct Layer {
    pub node: NodeId,
    /// `[outputs]`
    bias: Vec<i32>,
    shift: Vec<u8>,
    /// Root mean square of the layer's outputs at the start, in their units.
    pub magnitude: f64,
    /// Where its numbers begin among those of all layers.
    pub start: usize,
}

impl Layer {
    pub fn len(&self) -> usize {
        self.bias.len()
    }
}

/// `2^exponent`.
pub(super) fn power(exponent: i32) -> f64 {
    let (base, n) = if exponent < 0 { (0.5, -exponent) } else { (2.0, exponent) };
    (0..n).fold(1.0, |p, _| p * base)
}

/// The moves that make the areas of pictures shortest, and what they save there, less what they cost; `None` if nothing is
/// saved.
pub fn fit(network: &Network, areas: &Areas, fit: &Fit) -> Option<Vec<Move>> {
    let program = network.program();
    let mut adjustable = Adjustable::new(program, network.kernel());
    // Gradients of outputs are per unit of a parameter, which has as many integers as the tables' fraction says.
    let mut adjoint = Adjoint::new(program, i32::from(program.tables(0).fraction) + FRACTION as i32);
    let mut workers = Workers::new(network, &adjoint);
    let (mut draw, batch) = (Draw::new(1), fit.batch as usize);
    workers.calibrate(network, &mut adjoint, draw.clone().draw(&areas.fullest(), batch).first()?);
    let layers = layers(network, &mut workers, &draw.draw(areas, batch));
    let nodes: Vec<NodeId> = layers.iter().map(|l| l.node).collect();
    let count = layers.iter().map(Layer::len).sum();
    let rates: Vec<f64> = layers.iter().flat_map(|l| std::iter::repeat_n(l.magnitude, l.len())).collect();
    let units: Vec<f64> = layers.iter().map(|l| power(-adjoint.scale(l.node)) / f64::from(fit.batch)).collect();
    let steps = fit.steps_for(areas.count());
    let (mut adam, mut moved) = (Adam::new(count), vec![0.0; count]);
    for step in 0..steps {
        let sums = workers.gradients(adjustable.network(), &adjoint, &draw.draw(areas, batch), &nodes);
        let gradient: Vec<f64> =
            sums.iter().zip(&units).flat_map(|(s, u)| s.iter().map(move |s| *s as f64 * u)).collect();
        // 1 - 3 t^2 + 2 t^3 falls from 1 to 0 as half a cosine does.
        let t = f64::from(step) / f64::from(steps);
        let factor = (1.0 - t * t * (3.0 - 2.0 * t)).max(0.02);
        adam.step(&mut moved, &gradient, &rates, factor * fit.rate);
        set(&mut adjustable, &layers, &mut moved);
    }
    let judges = areas.spread(JUDGES);
    let before = workers.cost(network, &judges);
    // The mean square of a gradient over batches is 1 / batch of that over positions.
    let squares: Vec<f64> = adam.squares().iter().map(|s| s * f64::from(fit.batch)).collect();
    let mut best: Option<(u128, Vec<Move>)> = None;
    for finer in round::CANDIDATES {
        let moves = round::moves(&layers, &moved, &squares, areas.count(), finer);
        let Ok(adapted) = delta::apply(program, &moves) else { continue };
        let adapted = Network::new(Arc::new(adapted), network.kernel());
        let after = workers.cost(&adapted, &judges);
        let cost = whole(before.0, after, areas.count(), positions(&judges), &moves);
        if let Some(gain) = cost {
            if best.as_ref().is_none_or(|(best, _)| gain > *best) {
                best = Some((gain, moves));
            }
        }
    }
    best.map(|(_, moves)| moves)
}

/// What moves save on the whole areas by what they save on the judges, less what they cost and a margin for chance; `None`
/// for nothing.
fn whole(before: u128, after: Bits, count: u64, judges: u64, moves: &[Move]) -> Option<u128> {
    let saved = before.checked_sub(after.0)? / u128::from(judges) * u128::from(count);
    // Where not every position was judged, chance may have helped.
    let margin = if judges < count { saved / 8 } else { 0 };
    let code = (delta::encode(moves).len() as u128 + 8) << (3 + Bits::FRACTION);
    (saved - margin).checked_sub(code).filter(|gain| *gain > 0)
}

/// The trained layers, with the size of their outputs.
fn layers(network: &Network, workers: &mut Workers, pieces: &[Piece]) -> Vec<Layer> {
    let program = network.program();
    let nodes: Vec<NodeId> = program.trained().collect();
    let magnitudes = workers.magnitudes(network, pieces, &nodes);
    let mut start = 0;
    let mut layers = Vec::new();
    for (node, magnitude) in nodes.into_iter().zip(magnitudes) {
        let Params::Linear { bias, shift, .. } = program.params(node) else { continue };
        layers.push(Layer { node, bias: bias.clone(), shift: shift.clone(), magnitude, start });
        start += bias.len();
    }
    layers
}

/// Sets the biases to the nearest integers, and what leaves the room that is proved back into it.
fn set(adjustable: &mut Adjustable, layers: &[Layer], moved: &mut [f64]) {
    for layer in layers {
        let moved = &mut moved[layer.start..][..layer.len()];
        let room = adjustable.room(layer.node);
        let mut biases = Vec::with_capacity(layer.len());
        for (o, moved) in moved.iter_mut().enumerate() {
            let unit = power(layer.shift[o].into());
            let (bias, room) = (i64::from(layer.bias[o]), i64::from(room[o]));
            let wanted = bias + (*moved * unit + 0.5).floor() as i64;
            let allowed = wanted.clamp(-room, room);
            if allowed != wanted {
                *moved = (allowed - bias) as f64 / unit;
            }
            biases.push(allowed as i32);
        }
        adjustable.set_bias(layer.node, &biases);
    }
}
