//! A description executed with torch tensors in floating point, with gradients.
//!
//! Positions are the rows of every tensor; a node's value is `[positions, width]`. The executor knows no family: it walks the
//! nodes. What an operation means is what [`quantize::float`](crate::quantize::float) computes, and a test compares the two.
//!
//! What must stay true: only operands and results of trained matrix products are rounded to the precision asked for; sums
//! of nodes, everything before the first product and the distributions are in 32 bits.

use super::TrainError;
use super::data;
use super::model::{Batch, Draw, Model};
use super::params::Layout;
use super::precision::{Precision, operands};
use crate::likelihood::nll;
use crate::quantize::float::{FloatNetwork, scale};
use crate::quantize::tables;
use crate::spec::{Likelihood, NetworkSpec, NodeId, Offset, Op};
use std::collections::HashMap;
use std::ops::Range;
use tch::{Device, Kind, Tensor};

/// Symbols around and at some positions, 32-bit floating point, values 0 to 255.
#[derive(Debug)]
pub struct Inputs {
    /// `[positions, channels * offsets]`, as [`Op::Neighbours`] yields them.
    pub window: Tensor,
    /// `[positions, channels]` in coding order.
    pub pixel: Tensor,
}

impl Inputs {
    /// Moves bytes to a device: `window` is `[count][channels * offsets]`, `pixel` `[count][channels]`.
    pub fn new(count: usize, window: &[u8], pixel: &[u8], device: Device) -> Result<Self, TrainError> {
        let tensor = |bytes: &[u8]| -> Result<Tensor, tch::TchError> {
            let size = [count as i64, (bytes.len() / count) as i64];
            Tensor::f_from_data_size(bytes, &size, Kind::Uint8)?.f_to_device(device)?.f_to_kind(Kind::Float)
        };
        Ok(Self { window: tensor(window)?, pixel: tensor(pixel)? })
    }
}

/// A description made ready for a device.
#[derive(Debug)]
pub struct Executor {
    spec: NetworkSpec,
    layout: Layout,
    /// Weights and bias of the layers that do not move.
    constants: HashMap<NodeId, [Tensor; 2]>,
    /// The level of each sum of absolute differences, of each [`Op::LocalScale`].
    levels: HashMap<NodeId, Tensor>,
    /// The local scale of each level.
    scales: Tensor,
    /// Kind of the operands of matrix products.
    kind: Kind,
    /// Nodes whose values go into matrix products alone, so that they may be rounded at once.
    rounded: Vec<bool>,
    device: Device,
}

/// Positions that are evaluated at once.
const CHUNK: usize = 8192;

impl Batch for data::Batch {
    fn count(&self) -> usize {
        self.count
    }
    fn symbols(&self) -> usize {
        self.pixel.len()
    }
    fn part(&self, range: Range<usize>) -> Self {
        let cut = |bytes: &[u8]| {
            let each = bytes.len() / self.count;
            bytes[range.start * each..range.end * each].to_vec()
        };
        Self { count: range.len(), window: cut(&self.window), pixel: cut(&self.pixel) }
    }
    fn at_once(&self) -> usize {
        CHUNK
    }
}

impl Model for Executor {
    type Network = FloatNetwork;
    type Batch = data::Batch;

    /// Of the network's weights only the constants are used.
    fn new(network: &FloatNetwork, precision: Precision, device: Device) -> Result<Self, TrainError> {
        Self::prepare(network, precision, device)
    }
    fn layout(&self) -> &Layout {
        &self.layout
    }
    fn device(&self) -> Device {
        self.device
    }
    /// `[positions, channels]`.
    fn bits(&self, trained: &Tensor, batch: &data::Batch, _: Option<Draw>) -> Result<Tensor, TrainError> {
        let inputs = Inputs::new(batch.count, &batch.window, &batch.pixel, self.device)?;
        self.code_lengths(trained, &inputs)
    }
}

impl Executor {
    /// Prepares a network's description; of its weights only the constants are used.
    fn prepare(network: &FloatNetwork, precision: Precision, device: Device) -> Result<Self, TrainError> {
        let spec = network.spec.clone();
        let layout = Layout::new(&spec)?;
        let widths = spec.widths()?;
        let (mut constants, mut levels, mut windows) = (HashMap::new(), HashMap::new(), 0);
        for (id, node) in spec.nodes.iter().enumerate() {
            match &node.op {
                Op::Neighbours { .. } => windows += 1,
                Op::Linear { outputs, trainable: false } => {
                    let layer = &network.layers[&id];
                    let weights = Tensor::f_from_slice(&layer.weights)?;
                    let weights = weights.f_view([i64::from(*outputs), widths[node.inputs[0]] as i64])?;
                    let bias = Tensor::f_from_slice(&layer.bias)?;
                    constants.insert(id, [weights.f_to_device(device)?, bias.f_to_device(device)?]);
                }
                Op::LocalScale { near } => {
                    let table = tables::levels(near.len() * usize::from(spec.symbols.channels));
                    let table: Vec<f32> = table.into_iter().map(f32::from).collect();
                    levels.insert(id, Tensor::f_from_slice(&table)?.f_to_device(device)?);
                }
                _ => {}
            }
        }
        if windows != 1 {
            return Err(TrainError::Operation {
                node: 0,
                what: format!("a network with {windows} sets of neighbours"),
            });
        }
        let scales: Vec<f32> = (0..=u8::MAX).map(|q| scale(q) as f32).collect();
        let scales = Tensor::f_from_slice(&scales)?.f_to_device(device)?;
        let rounded = operands(&spec);
        Ok(Self { spec, layout, constants, levels, scales, kind: precision.kind(), rounded, device })
    }

    /// The neighbours that [`Inputs::window`] holds.
    pub fn offsets(&self) -> &[Offset] {
        let window = self
            .spec
            .nodes
            .iter()
            .find_map(|n| if let Op::Neighbours { offsets } = &n.op { Some(offsets) } else { None });
        window.expect("counted when the executor was made")
    }

    /// The values of every node, from the flat vector of all trained numbers.
    pub fn values(&self, trained: &Tensor, inputs: &Inputs) -> Result<Vec<Tensor>, TrainError> {
        let mut weights = self.weights(trained)?;
        let mut values: Vec<Tensor> = Vec::with_capacity(self.spec.nodes.len());
        for (id, node) in self.spec.nodes.iter().enumerate() {
            let x = |i: usize| &values[node.inputs[i]];
            let out = match &node.op {
                Op::Neighbours { .. } => inputs.window.shallow_clone(),
                Op::Current { channels } => inputs.pixel.f_narrow(1, 0, (*channels).into())?,
                Op::LocalMean { a, b } => {
                    let planes = self.planes(x(0))?;
                    let side = |k: u16| planes.f_select(2, k.into());
                    side(*a)?.f_add(&side(*b)?)?.f_mul_scalar(0.5)?.f_floor()?
                }
                Op::LocalScale { near } => {
                    let near: Vec<i64> = near.iter().map(|k| (*k).into()).collect();
                    let near = self
                        .planes(x(0))?
                        .f_index_select(2, &Tensor::f_from_slice(&near)?.f_to_device(self.device)?)?;
                    let sum = near.f_sub(&x(1).f_unsqueeze(2)?)?.f_abs()?.f_sum_dim_intlist(
                        [1i64, 2].as_slice(),
                        false,
                        None::<Kind>,
                    )?;
                    self.levels[&id].f_index_select(0, &sum.f_to_kind(Kind::Int64)?)?.f_unsqueeze(1)?
                }
                Op::Normalize { unit, clamp } => {
                    let size = self.scale(x(2))?.f_mul_scalar(f64::from(1u32 << unit))?;
                    let clamp = f64::from(*clamp);
                    let mean = if matches!(self.spec.nodes[node.inputs[0]].op, Op::Current { .. }) {
                        x(0).f_sub(&x(1).f_narrow(1, 0, x(0).size2()?.1)?)?
                    } else {
                        self.planes(x(0))?.f_sub(&x(1).f_unsqueeze(2)?)?.f_flatten(1, 2)?
                    };
                    // Nothing before has a gradient, so that this may work in place.
                    let mut out = mean;
                    let _ = out.f_div_(&size)?.f_clamp_(-clamp, clamp)?;
                    out
                }
                Op::Linear { trainable: false, .. } => {
                    let [weights, bias] = &self.constants[&id];
                    x(0).f_to_kind(Kind::Float)?.f_linear(weights, Some(bias))?
                }
                Op::Linear { .. } => {
                    let [weights, bias] = weights.remove(&id).expect("every trainable layer has a place");
                    x(0).f_to_kind(self.kind)?.f_linear(&weights, Some(bias))?
                }
                // Rounding keeps order and sign, so that it may come first.
                Op::Relu => x(0).f_to_kind(self.kind_of(id))?.f_relu()?,
                Op::Add => x(0).f_to_kind(Kind::Float)?.f_add(x(1))?,
                Op::Concat => {
                    let kind = self.kind_of(id);
                    let parts =
                        node.inputs.iter().map(|i| values[*i].f_to_kind(kind)).collect::<Result<Vec<_>, _>>()?;
                    Tensor::f_cat(&parts, 1)?
                }
                other => return Err(TrainError::Operation { node: id, what: format!("{other:?}") }),
            };
            values.push(out);
        }
        Ok(values)
    }

    /// Code lengths in bits, `[positions, channels]`.
    fn code_lengths(&self, trained: &Tensor, inputs: &Inputs) -> Result<Tensor, TrainError> {
        let values = self.values(trained, inputs)?;
        let outputs = &self.spec.outputs;
        let ends = outputs.iter().skip(1).map(|o| o.channel).chain([self.spec.symbols.channels]);
        let spans: Vec<(u16, u16)> = outputs.iter().map(|o| o.channel).zip(ends).collect();
        let mut bits = Vec::new();
        let mut first = 0;
        while first < outputs.len() {
            let described = &outputs[first].likelihood;
            // Outputs of one kind go together: a loss is many small operations.
            let alike = outputs[first..].iter().take_while(|o| o.likelihood == *described).count();
            let group = first..first + alike;
            let Likelihood::LogisticMixture { mean, scale, unit, floor, .. } = described else {
                return Err(TrainError::Likelihood { output: first });
            };
            if spans[group.clone()].iter().any(|(a, b)| b - a != 1) {
                return Err(TrainError::Likelihood { output: first });
            }
            let parameters: Vec<&Tensor> = outputs[group.clone()].iter().map(|o| &values[o.parameters]).collect();
            let parameters = Tensor::f_stack(&parameters, 1)?;
            let channels = |t: &Tensor| t.f_narrow(1, spans[first].0.into(), alike as i64);
            let size = self.scale(&values[*scale])?;
            let (mean, symbols) = (channels(&values[*mean])?, channels(&inputs.pixel)?);
            bits.push(nll::mixture_bits(&parameters, &mean, &size, *unit, *floor, &symbols)?);
            first += alike;
        }
        Ok(Tensor::f_cat(&bits, 1)?)
    }

    /// Weights and bias of each trained layer: views into the flat vector, rounded at once. Cutting it once lets the way back
    /// put the gradient together once.
    fn weights(&self, trained: &Tensor) -> Result<HashMap<NodeId, [Tensor; 2]>, TrainError> {
        let sizes: Vec<i64> = self.layout.parts.iter().map(|p| p.len() as i64).collect();
        let mut pieces = trained.f_to_kind(self.kind)?.f_split_with_sizes(sizes.as_slice(), 0)?.into_iter();
        let mut weights = HashMap::new();
        for pair in self.layout.parts.chunks_exact(2) {
            let mut next = |i: usize| pieces.next().expect("a piece a part").f_view(pair[i].shape.as_slice());
            weights.insert(pair[0].node, [next(0)?, next(1)?]);
        }
        Ok(weights)
    }

    /// `[n, channels * offsets]` as `[n, channels, offsets]`.
    fn planes(&self, window: &Tensor) -> Result<Tensor, TrainError> {
        let (n, width) = window.size2()?;
        let channels = i64::from(self.spec.symbols.channels);
        Ok(window.f_view([n, channels, width / channels])?)
    }

    /// The local scales of levels, `[n, 1]`.
    fn scale(&self, level: &Tensor) -> Result<Tensor, TrainError> {
        Ok(self.scales.f_index_select(0, &level.f_squeeze_dim(1)?.f_to_kind(Kind::Int64)?)?.f_unsqueeze(1)?)
    }

    /// The kind of a node's values.
    fn kind_of(&self, node: NodeId) -> Kind {
        if self.rounded[node] { self.kind } else { Kind::Float }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::reference::{Picture, neighbour};
    use crate::quantize::{float, position_bits, weights};
    use crate::train::precision::gradient;
    use crate::zoo::window::Config;

    /// A picture of 3 channels that has edges, flat parts and noise.
    fn picture(height: usize, width: usize) -> Picture {
        let mut state = 7u32;
        let mut noise = || {
            state = state.wrapping_mul(1664525).wrapping_add(1013904223);
            (state >> 28) as usize
        };
        let mut sample = |c: usize, y: usize, x: usize| match (y / 7 + x / 9) % 3 {
            0 => 255,
            1 => (y * 6 + x * 3 + c * 40 + noise()).min(255) as u8,
            _ => 11 * c as u8,
        };
        (0..3).map(|c| (0..height).map(|y| (0..width).map(|x| sample(c, y, x)).collect()).collect()).collect()
    }

    fn batch(picture: &Picture, offsets: &[Offset], positions: &[(usize, usize)]) -> data::Batch {
        let mut window = Vec::new();
        for (y, x) in positions {
            for plane in picture {
                window.extend(offsets.iter().map(|o| neighbour(plane, *y, *x, *o) as u8));
            }
        }
        let pixel: Vec<u8> = positions.iter().flat_map(|(y, x)| picture.iter().map(|p| p[*y][*x])).collect();
        data::Batch { count: positions.len(), window, pixel }
    }

    fn inputs(picture: &Picture, offsets: &[Offset], positions: &[(usize, usize)]) -> Inputs {
        let batch = batch(picture, offsets, positions);
        Inputs::new(batch.count, &batch.window, &batch.pixel, Device::Cpu).unwrap()
    }

    fn trained(config: &Config) -> (FloatNetwork, Vec<f32>) {
        let mut network = weights::blank(config);
        let layout = Layout::new(&network.spec).unwrap();
        let values = layout.initial(3);
        layout.scatter(&values, &mut network);
        assert_eq!(layout.gather(&network), values);
        (network, values)
    }

    #[test]
    fn every_value_and_every_code_length_is_the_scalar_networks() {
        let (picture, columns) = (picture(23, 31), 31);
        let positions: Vec<_> = (0..23 * columns).map(|i| (i / columns, i % columns)).collect();
        for config in [
            Config { radius: 2, first: 9, width: 7, blocks: 0, head: 5, components: 1 },
            Config { radius: 5, first: 24, width: 16, blocks: 2, head: 8, components: 5 },
        ] {
            let (network, values) = trained(&config);
            let executor = Executor::new(&network, Precision::Float32, Device::Cpu).unwrap();
            let inputs = inputs(&picture, executor.offsets(), &positions);
            let flat = Tensor::from_slice(&values);
            let nodes = executor.values(&flat, &inputs).unwrap();
            let nodes: Vec<Vec<f32>> = nodes.iter().map(|t| Vec::try_from(t.flatten(0, 1)).unwrap()).collect();
            let bits: Vec<f32> = Vec::try_from(executor.code_lengths(&flat, &inputs).unwrap().flatten(0, 1)).unwrap();
            let mut sums = [0.0; 2];
            for (i, (y, x)) in positions.iter().enumerate() {
                let expected = network.evaluate(&picture, *y, *x);
                for (id, (expected, found)) in expected.iter().zip(&nodes).enumerate() {
                    let found = &found[i * expected.len()..][..expected.len()];
                    for (e, f) in expected.iter().zip(found) {
                        assert!((e - f).abs() <= 2e-5 * (1.0 + e.abs()), "{y},{x} node {id}: {f}, not {e}");
                    }
                }
                let found: f64 = bits[3 * i..3 * i + 3].iter().copied().map(f64::from).sum();
                let expected = position_bits(&network, &expected, &picture, *y, *x);
                // Far in a tail, near the floor, 32 bits tell probabilities apart less well.
                assert!((found / expected - 1.0).abs() < 5e-3, "{y},{x}: {found} bits, not {expected}");
                sums = [sums[0] + found, sums[1] + expected];
            }
            assert!((sums[0] / sums[1] - 1.0).abs() < 1e-4, "{sums:?}");
        }
    }

    #[test]
    fn the_gradient_is_the_slope_and_rounding_changes_it_little() {
        let config = Config { radius: 2, first: 12, width: 10, blocks: 1, head: 6, components: 3 };
        let (network, values) = trained(&config);
        let positions: Vec<_> = (0..400).map(|i| (i % 19, i % 27)).collect();
        let slope = |precision| {
            let executor = Executor::new(&network, precision, Device::Cpu).unwrap();
            let batch = batch(&picture(20, 28), executor.offsets(), &positions);
            let flat = Tensor::from_slice(&values).set_requires_grad(true);
            let (loss, gradient) = gradient(&executor, &flat, &batch, Draw { seed: 0, step: 0 }).unwrap();
            // Along the gradient itself the loss changes most, so that differences are well above rounding.
            let step = gradient.norm().double_value(&[]).recip() * 1e-3;
            let at = |s: f64| {
                let moved = flat.detach() + gradient.detach() * s;
                executor.bits(&moved, &batch, None).unwrap().mean(Kind::Double).double_value(&[])
            };
            let expected = (at(step) - at(-step)) / (2.0 * step);
            let found = gradient.square().sum(Kind::Double).double_value(&[]);
            (loss.double_value(&[]), found, expected)
        };
        let (loss, found, expected) = slope(Precision::Float32);
        assert!((found / expected - 1.0).abs() < 0.03, "{found}, not {expected}");
        let (rounded, other, _) = slope(Precision::BFloat16);
        assert!((rounded / loss - 1.0).abs() < 0.02 && (other / found - 1.0).abs() < 0.2, "{rounded} {other}");
        assert!(rounded != loss, "nothing was rounded");
    }

    #[test]
    fn what_it_cannot_run_is_an_error() {
        let (mut network, _) = trained(&Config { radius: 2, first: 4, width: 4, blocks: 0, head: 2, components: 1 });
        let positions = [(3, 4)];
        let relu = network.spec.nodes.iter().position(|n| n.op == Op::Relu).unwrap();
        network.spec.nodes[relu].op = Op::LayerNorm;
        let executor = Executor::new(&network, Precision::Float32, Device::Cpu).unwrap();
        let inputs = inputs(&picture(8, 9), executor.offsets(), &positions);
        let flat = Tensor::from_slice(&vec![0f32; executor.layout().total()]);
        let error = executor.values(&flat, &inputs).unwrap_err().to_string();
        assert!(error.contains("LayerNorm"), "{error}");
        network.spec.outputs[1].likelihood = Likelihood::Categorical;
        assert!(Executor::new(&network, Precision::Float32, Device::Cpu).is_err());
    }

    #[test]
    fn the_loss_is_the_mixtures_code_length_for_every_symbol() {
        let parameters: Vec<f32> = vec![0.3, -1.0, 2.0, -3.0, 0.1, 4.0, -2.5, 0.4, 9.0];
        for (mean, level) in [(0.0, 0u8), (100.0, 12), (255.0, 30), (128.0, 40)] {
            let size = float::scale(level);
            let symbols: Vec<f32> = (0..=255u8).map(f32::from).collect();
            let symbols = Tensor::from_slice(&symbols).view([256, 1]);
            let all = |v: f64| Tensor::full([256, 1], v, (Kind::Float, Device::Cpu));
            let parameters_each = Tensor::from_slice(&parameters).view([1, 1, 9]).repeat([256, 1, 1]);
            let bits = nll::mixture_bits(&parameters_each, &all(mean), &all(size), 1, 12, &symbols).unwrap();
            let bits: Vec<f32> = Vec::try_from(bits.flatten(0, 1)).unwrap();
            for (symbol, found) in (0..=255u8).zip(bits) {
                let expected = float::mixture_bits(&parameters, mean, 2.0 * size, size.ln(), 0.5f64.powi(12), symbol);
                // Differences of 32-bit sigmoids are exact to 2^-24; the floor of a symbol is 2^-20.
                let (p, q) = (2f64.powf(-expected), 2f64.powf(-f64::from(found)));
                assert!((p - q).abs() < 3e-7 + 1e-5 * p, "symbol {symbol}, mean {mean}: {found} bits, not {expected}");
            }
        }
    }
}
