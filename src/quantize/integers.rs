//! From float weights to a program: a power-of-two scale for each tensor of activations, chosen on calibration pictures,
//! and for each row of weights the largest power of two that can be proved free of overflow.

use super::float::{FloatNetwork, Layer};
use super::{QuantizeError, tables};
use crate::engine::{Params, Program};
use crate::likelihood::Head;
use crate::spec::{Domain, Likelihood, NetworkSpec, NodeId, Op};

/// Activations stay within `+-(2^ACTIVATION_BITS - 1)`, so that weights keep their bits.
pub const ACTIVATION_BITS: u32 = 13;
/// How far beyond the largest calibrated value a tensor may go before it is clamped.
const HEADROOM: f64 = 1.25;

/// A program, and what its integers stand for.
pub struct Quantized {
    /// The integers.
    pub program: Program,
    /// `[nodes][columns]`: a value is its integer times `2^-fraction`.
    pub fractions: Vec<Vec<i32>>,
    /// The float network with the weights that the integers stand for.
    pub rounded: FloatNetwork,
}

/// Quantizes `network`; `largest[node]` is the largest magnitude of a node's values on the calibration pictures.
pub fn quantize(name: &str, network: &FloatNetwork, largest: &[f64]) -> Result<Quantized, QuantizeError> {
    let spec = &network.spec;
    let shared = tensor_fractions(spec, largest);
    let mut params: Vec<Params> = Vec::new();
    let mut fractions: Vec<Vec<i32>> = Vec::new();
    let mut magnitudes: Vec<Vec<i64>> = Vec::new();
    let mut levels = 0;
    let mut rounded = network.clone();
    let widths = spec.widths()?;
    for (id, node) in spec.nodes.iter().enumerate() {
        let fraction = shared[id];
        let limit = if spec.outputs.iter().any(|o| o.parameters == id) { 32767 } else { (1 << ACTIVATION_BITS) - 1 };
        let (param, magnitude) = match &node.op {
            Op::Neighbours { .. } | Op::Current { .. } | Op::LocalMean { .. } => (Params::None, vec![255; widths[id]]),
            Op::LocalScale { near } => {
                let level = tables::levels(near.len() * usize::from(spec.symbols.channels));
                levels = usize::from(*level.last().expect("never empty")) + 1;
                (Params::Scale { level }, vec![levels as i64 - 1])
            }
            Op::Normalize { unit, clamp } => {
                let top = (i64::from(*clamp) << fraction) + 1;
                (tables::normalize(levels, *unit, *clamp, fraction), vec![top; widths[id]])
            }
            Op::Linear { .. } => {
                let input = node.inputs[0];
                let layer = &network.layers[&id];
                let only_rectified = spec.nodes.iter().filter(|n| n.inputs.contains(&id)).all(|n| n.op == Op::Relu)
                    && spec.outputs.iter().all(|o| o.parameters != id);
                let low = if only_rectified { 0 } else { -limit };
                let (param, back) = rows(layer, &fractions[input], &magnitudes[input], fraction, (low, limit))
                    .map_err(|row| QuantizeError::Unsafe { node: id, row })?;
                rounded.layers.insert(id, back);
                (param, vec![limit.into(); widths[id]])
            }
            Op::Relu => (Params::None, magnitudes[node.inputs[0]].clone()),
            Op::Add => (Params::Add { low: -limit as i16, high: limit as i16 }, vec![limit.into(); widths[id]]),
            Op::Concat => (Params::None, node.inputs.iter().flat_map(|i| magnitudes[*i].clone()).collect()),
            #[allow(unreachable_patterns, reason = "descriptions hold more than can be quantized")]
            other => return Err(QuantizeError::Operation(format!("{other:?}"))),
        };
        params.push(param);
        magnitudes.push(magnitude);
        fractions.push(match &node.op {
            Op::Concat => node.inputs.iter().flat_map(|i| fractions[*i].clone()).collect(),
            _ => vec![fraction; widths[id]],
        });
    }
    let mut mixtures = Vec::new();
    for output in &spec.outputs {
        let Likelihood::LogisticMixture { unit, floor, .. } = &output.likelihood else {
            return Err(QuantizeError::Operation(format!("{:?}", output.likelihood)));
        };
        mixtures.push(Head::Mixture(tables::mixture(levels, *unit, *floor, shared[output.parameters] as u8)));
    }
    let program = Program::new(name, Domain::Photographs, spec.clone(), params, mixtures)?;
    Ok(Quantized { program, fractions, rounded })
}

/// Fractional bits of every tensor. Tensors that are added share theirs, and a rectifier keeps its input's.
fn tensor_fractions(spec: &NetworkSpec, largest: &[f64]) -> Vec<i32> {
    let mut group: Vec<NodeId> = (0..spec.nodes.len()).collect();
    for (id, node) in spec.nodes.iter().enumerate() {
        if matches!(node.op, Op::Add | Op::Relu) {
            for other in &node.inputs {
                let (from, to) = (group[*other], group[id]);
                group.iter_mut().filter(|g| **g == from).for_each(|g| *g = to);
            }
        }
    }
    let of = |id: NodeId| {
        let node = &spec.nodes[id];
        match &node.op {
            Op::Neighbours { .. } | Op::Current { .. } | Op::LocalMean { .. } | Op::LocalScale { .. } => 0,
            Op::Normalize { clamp, .. } => ((1 << ACTIVATION_BITS) / i32::from(*clamp)).ilog2() as i32,
            _ => {
                let members = (0..group.len()).filter(|i| group[*i] == group[id]);
                let top = members.map(|i| largest[i]).fold(1e-3, f64::max) * HEADROOM;
                let bits = if spec.outputs.iter().any(|o| o.parameters == id) { 15 } else { ACTIVATION_BITS };
                ((2f64.powi(bits as i32) - 1.0) / top).log2().floor().clamp(6.0, 15.0) as i32
            }
        }
    };
    (0..spec.nodes.len()).map(of).collect()
}

/// The integers of a linear layer: each row takes the largest shift for which its weights fit 16 bits and its sums 32.
/// The error is the number of a row that has none.
fn rows(
    layer: &Layer,
    fractions: &[i32],
    magnitudes: &[i64],
    out: i32,
    (low, high): (i32, i32),
) -> Result<(Params, Layer), usize> {
    let inputs = fractions.len();
    let (mut weights, mut biases, mut shifts, mut back) = (Vec::new(), Vec::new(), Vec::new(), layer.clone());
    for (o, (row, bias)) in layer.weights.chunks_exact(inputs).zip(&layer.bias).enumerate() {
        let fitting = (1..=30).rev().find_map(|shift| {
            let scaled = |w: f32, fraction: i32| (f64::from(w) * 2f64.powi(out - fraction + shift)).round();
            let ints: Vec<f64> = row.iter().zip(fractions).map(|(w, f)| scaled(*w, *f)).collect();
            let bias = scaled(*bias, 0);
            let sum = bias.abs() + ints.iter().zip(magnitudes).map(|(w, m)| w.abs() * *m as f64).sum::<f64>();
            let fits = ints.iter().all(|w| w.abs() <= 32767.0) && sum + 2f64.powi(shift - 1) < 2f64.powi(31);
            fits.then_some((shift, ints, bias))
        });
        let Some((shift, ints, bias)) = fitting else { return Err(o) };
        for (k, w) in ints.iter().enumerate() {
            back.weights[o * inputs + k] = (w * 2f64.powi(fractions[k] - out - shift)) as f32;
        }
        back.bias[o] = (bias * 2f64.powi(-out - shift)) as f32;
        weights.extend(ints.iter().map(|w| *w as i16));
        biases.push(bias as i32);
        shifts.push(shift as u8);
    }
    let (low, high) = (low as i16, high as i16);
    Ok((Params::Linear { weights, bias: biases, shift: shifts, low, high }, back))
}
