//! A description executed with torch tensors in floating point, with gradients.
//!
//! Positions are the rows of every tensor; a node's value is `[positions, width]`. The executor knows no family: it walks the
//! nodes. What an operation means is what [`quantize::float`](crate::quantize::float) computes, and a test compares the two.
//!
//! What must stay true: only operands of trained matrix products are rounded to the precision asked for; everything else, the
//! distributions above all, is in 32 bits.

use super::TrainError;
use super::params::Layout;
use super::precision::Precision;
use crate::likelihood::nll;
use crate::quantize::float::{FloatNetwork, scale};
use crate::quantize::tables;
use crate::spec::{Likelihood, NetworkSpec, NodeId, Offset, Op};
use std::collections::HashMap;
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
    device: Device,
}

impl Executor {
    /// Prepares a network's description; of its weights only the constants are used.
    pub fn new(network: &FloatNetwork, precision: Precision, device: Device) -> Result<Self, TrainError> {
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
        Ok(Self { spec, layout, constants, levels, scales, kind: precision.kind(), device })
    }

    /// Where the trained numbers lie.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }
    /// The device that tensors must be on.
    pub fn device(&self) -> Device {
        self.device
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
                Op::Relu => x(0).f_relu()?,
                Op::Add => x(0).f_add(x(1))?,
                Op::Concat => self.concat(&node.inputs, &values)?,
                other => return Err(TrainError::Operation { node: id, what: format!("{other:?}") }),
            };
            values.push(out);
        }
        Ok(values)
    }

    /// Code lengths in bits, `[positions, channels]`.
    pub fn bits(&self, trained: &Tensor, inputs: &Inputs) -> Result<Tensor, TrainError> {
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
            let parameters = Tensor::f_stack(&parameters, 1)?.f_to_kind(Kind::Float)?;
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

    /// Values side by side; where one of them is rounded already, all are.
    fn concat(&self, inputs: &[NodeId], values: &[Tensor]) -> Result<Tensor, TrainError> {
        let rounded = inputs.iter().any(|i| values[*i].kind() != Kind::Float);
        let kind = if rounded { self.kind } else { Kind::Float };
        let parts = inputs.iter().map(|i| values[*i].f_to_kind(kind)).collect::<Result<Vec<_>, _>>()?;
        Ok(Tensor::f_cat(&parts, 1)?)
    }
}
