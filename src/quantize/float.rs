//! A network in floating point, at one position: what the quantizer calibrates with and compares to.

use crate::engine::reference::{Picture, neighbour};
use crate::likelihood::{coupled, signed};
use crate::spec::{Function, NetworkSpec, NodeId, Op};
use std::collections::HashMap;

/// The trained numbers of a node.
///
/// | operation | weights | bias |
/// |---|---|---|
/// | `Linear`, `MaskedLinear` | `[outputs][inputs]`, what a mask leaves out is ignored | `[outputs]` |
/// | `Convolution`, `Transposed` | `[outputs][taps][inputs]`, taps in raster order, what a mask leaves out is ignored | `[outputs]` |
/// | `Embedding` | `[inputs][alphabet][outputs]` | none |
/// | `Constant` | none | `[outputs]` |
/// | `Lstm` | `[4 cells][inputs + cells]`, gates in the order i, f, g, o | `[4 cells]` |
#[derive(Debug, Clone)]
pub struct Layer {
    /// See above.
    pub weights: Vec<f32>,
    /// See above.
    pub bias: Vec<f32>,
}

/// A description with weights.
#[derive(Debug, Clone)]
pub struct FloatNetwork {
    /// The description.
    pub spec: NetworkSpec,
    /// The weights of each linear layer.
    pub layers: HashMap<NodeId, Layer>,
}

/// Lowest value of `round(4 log2(activity + 0.3))`: level 0 of a local scale.
pub const LOWEST_QUARTER: i32 = -7;

/// Level of a local scale for a sum of `terms` absolute differences.
pub fn level(sum: usize, terms: usize) -> u8 {
    let quarter = (4.0 * (sum as f64 / terms as f64 + 0.3).log2()).round() as i32;
    (quarter - LOWEST_QUARTER) as u8
}

/// The local scale of a level.
pub fn scale(level: u8) -> f64 {
    2f64.powf(f64::from(i32::from(level) + LOWEST_QUARTER) / 4.0)
}

impl FloatNetwork {
    /// The values of every node at a position of a picture with all channels.
    pub fn evaluate(&self, picture: &Picture, row: usize, column: usize) -> Vec<Vec<f32>> {
        let mut values: Vec<Vec<f32>> = Vec::with_capacity(self.spec.nodes.len());
        for (id, node) in self.spec.nodes.iter().enumerate() {
            let x = |i: usize| &values[node.inputs[i]][..];
            let out = match &node.op {
                Op::Neighbours { offsets } => picture
                    .iter()
                    .flat_map(|plane| offsets.iter().map(|o| neighbour(plane, row, column, *o) as f32))
                    .collect(),
                Op::Current { channels } => {
                    picture[..usize::from(*channels)].iter().map(|plane| f32::from(plane[row][column])).collect()
                }
                Op::LocalMean { a, b } => {
                    let windows = x(0).chunks_exact(x(0).len() / picture.len());
                    windows.map(|w| ((w[usize::from(*a)] + w[usize::from(*b)]) / 2.0).floor()).collect()
                }
                Op::LocalScale { near } => {
                    let windows = x(0).chunks_exact(x(0).len() / picture.len()).zip(x(1));
                    let sum = windows
                        .map(|(w, m)| near.iter().map(|k| (w[usize::from(*k)] - m).abs()).sum::<f32>())
                        .sum::<f32>();
                    vec![level(sum as usize, near.len() * picture.len()).into()]
                }
                Op::Normalize { unit, clamp } => {
                    let of_current = matches!(self.spec.nodes[node.inputs[0]].op, Op::Current { .. });
                    let each = if of_current { 1 } else { x(0).len() / picture.len() };
                    let size = scale(x(2)[0] as u8) as f32 * f32::from(1u16 << unit);
                    let clamp = f32::from(*clamp);
                    x(0).iter().enumerate().map(|(i, v)| ((v - x(1)[i / each]) / size).clamp(-clamp, clamp)).collect()
                }
                Op::Linear { .. } => {
                    let layer = &self.layers[&id];
                    let rows = layer.weights.chunks_exact(x(0).len()).zip(&layer.bias);
                    rows.map(|(w, b)| b + w.iter().zip(x(0)).map(|(w, x)| w * x).sum::<f32>()).collect()
                }
                Op::Relu => x(0).iter().map(|v| v.max(0.0)).collect(),
                Op::Add => x(0).iter().zip(x(1)).map(|(a, b)| a + b).collect(),
                Op::Concat => node.inputs.iter().flat_map(|i| values[*i].iter().copied()).collect(),
                #[allow(unreachable_patterns, reason = "descriptions will hold more than can be quantized")]
                other => unimplemented!("{other:?} cannot be quantized yet"),
            };
            values.push(out);
        }
        values
    }
}

/// A function of one variable.
pub fn activation(function: Function, x: f64) -> f64 {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    match function {
        Function::Sigmoid => sigmoid(x),
        Function::Tanh => x.tanh(),
        Function::Elu => {
            if x > 0.0 {
                x
            } else {
                x.exp_m1()
            }
        }
        Function::Gelu => x * sigmoid(1.702 * x),
        Function::Log => x.signum() * (1.0 + x.abs()).log2() / 4.0,
        Function::Centre | Function::MuLaw => x,
    }
}

/// Code length in bits of `symbol` under a discretized mixture (Salimans et al. 2017, eq. 2) with a uniform floor.
/// `parameters`: log-weights, means in units of `unit` around `mean`, log-scales around `log_scale`.
pub fn mixture_bits(parameters: &[f32], mean: f64, unit: f64, log_scale: f64, floor: f64, symbol: u8) -> f64 {
    let k = parameters.len() / 3;
    let p = |i: usize| f64::from(parameters[i]);
    let top = (0..k).map(p).fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = (0..k).map(|i| (p(i) - top).exp()).sum();
    let sigmoid = |z: f64| 1.0 / (1.0 + (-z).exp());
    let mut probability = 0.0;
    for i in 0..k {
        let inverse = (-(p(2 * k + i) + log_scale).clamp(-3.0, 7.0)).exp();
        let bound = |b: f64| (b - mean - unit * p(k + i)) * inverse;
        let high = if symbol == 255 { 1.0 } else { sigmoid(bound(f64::from(symbol) + 0.5)) };
        let low = if symbol == 0 { 0.0 } else { sigmoid(bound(f64::from(symbol) - 0.5)) };
        probability += (p(i) - top).exp() / total * (high - low);
    }
    -(probability * (1.0 - floor) + floor / 256.0).log2()
}

/// Code length in bits of a symbol of two, given the log-odds of 1.
pub fn bernoulli_bits(log_odds: f32, symbol: u16) -> f64 {
    let x = f64::from(log_odds);
    (if symbol == 1 { -x } else { x }).exp().ln_1p() / std::f64::consts::LN_2
}

/// Code length in bits of a symbol, given a log-weight for each value.
pub fn categorical_bits(parameters: &[f32], symbol: u16) -> f64 {
    let top = parameters.iter().fold(f32::NEG_INFINITY, |m, v| m.max(*v));
    let total: f64 = parameters.iter().map(|v| f64::from(v - top).exp()).sum();
    (total.ln() - f64::from(parameters[usize::from(symbol)] - top)) / std::f64::consts::LN_2
}

/// Code length in bits of channel `known.len()`, given the symbols of those before, under a mixture whose parameters are laid
/// out as [`coupled`] says.
pub fn coupled_bits(parameters: &[f32], channels: usize, alphabet: u32, known: &[u16], symbol: u16) -> f64 {
    let k = parameters.len() / coupled::values(channels);
    let at = |p: usize, i: usize| f64::from(parameters[p * k + i]);
    let (a, limit) = (f64::from(alphabet), f64::from(coupled::COEFFICIENT));
    let sigmoid = |z: f64| 1.0 / (1.0 + (-z).exp());
    let mass = |c: usize, i: usize, symbol: u16| {
        let first = 1 + 2 * channels + c * c.saturating_sub(1) / 2;
        let moved = |d: usize| at(first + d, i).clamp(-limit, limit) * (2.0 * f64::from(known[d]) - a + 1.0) * 2.0 / a;
        let mean = (a - 1.0) / 2.0 + a / 4.0 * (at(1 + c, i) + (0..c).map(moved).sum::<f64>());
        let scale = (at(1 + channels + c, i) + (a / 4.0).ln()).clamp(-3.0, 7.0).exp();
        let bound = |b: f64| sigmoid((b - mean) / scale);
        let high = if u32::from(symbol) + 1 == alphabet { 1.0 } else { bound(f64::from(symbol) + 0.5) };
        high - if symbol == 0 { 0.0 } else { bound(f64::from(symbol) - 0.5) }
    };
    let top = (0..k).map(|i| at(0, i)).fold(f64::NEG_INFINITY, f64::max);
    let mut weights: Vec<f64> = (0..k).map(|i| (at(0, i) - top).exp()).collect();
    for (d, symbol) in known.iter().enumerate() {
        weights.iter_mut().enumerate().for_each(|(i, w)| *w *= mass(d, i, *symbol) + 2f64.powi(-22));
    }
    let total: f64 = weights.iter().sum();
    let probability: f64 = weights.iter().enumerate().map(|(i, w)| w / total * mass(known.len(), i, symbol)).sum();
    let floor = 2f64.powi(-i32::from(coupled::FLOOR));
    -(probability * (1.0 - floor) + floor / a).log2()
}

/// Code length in bits of a number of 16 bits in two's complement, under a mixture whose parameters are laid out as [`signed`]
/// says.
pub fn signed_bits(parameters: &[f32], symbol: u16) -> f64 {
    let k = parameters.len() / 3;
    let at = |part: usize, i: usize| f64::from(parameters[part * k + i]);
    let number = f64::from(symbol as i16);
    let top = (0..k).map(|i| at(0, i)).fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = (0..k).map(|i| (at(0, i) - top).exp()).sum();
    let sigmoid = |z: f64| 1.0 / (1.0 + (-z).exp());
    let mass = |i: usize| {
        let (low, high) = (signed::LOG_SCALE.0 as f64, signed::LOG_SCALE.1 as f64);
        let inverse = (-(at(2, i) + signed::MIDDLE as f64).clamp(low, high)).exp();
        let (far, half) = (number * inverse - at(1, i), inverse / 2.0);
        match symbol as i16 {
            i16::MIN => sigmoid(far + half),
            i16::MAX => sigmoid(half - far),
            _ => sigmoid(half - far.abs()) - sigmoid(-half - far.abs()),
        }
    };
    let probability: f64 = (0..k).map(|i| (at(0, i) - top).exp() / total * mass(i)).sum();
    let floor = 2f64.powi(-(signed::FLOOR as i32));
    -(probability * (1.0 - floor) + floor / f64::from(signed::COUNT)).log2()
}
