//! A description executed on whole examples with torch tensors in floating point, with gradients.
//!
//! A node's value is `[examples, rows, columns, width]`, 1 in place of a size along which it is the same everywhere; a
//! convolution sees it as channels last, which is what it is fastest on. One axis lies along the columns. The executor knows
//! no family: it walks the nodes. Their meaning is that of [`quantize::float`](crate::quantize::float).
//!
//! What must stay true: only operands and results of trained products, and what is computed from them on the way to the
//! next product, are rounded to the precision asked for; sums that other sums take up and the distributions are in 32 bits.

mod attention;
mod masks;
mod output;
mod places;
#[cfg(test)]
mod tests;

use super::TrainError;
use super::model::{self, Draw, Model};
use super::params::Layout;
use super::precision::{Precision, operands};
use crate::spec::{Domain, Function, Grid, NetworkSpec, NodeId, Op, Order, value};
use crate::zoo::{Family, Sizes, ZooError};
use masks::Masks;
use std::collections::HashMap;
use std::ops::Range;
use tch::{Device, Kind, Tensor};

/// A network to train on examples of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// The description.
    pub spec: NetworkSpec,
    /// What it is for.
    pub domain: Domain,
    /// The part of the values of gates and recurrent layers that training leaves out.
    pub dropout: f64,
    /// Descriptions that differ from `spec` in their masks or in the order of channels: steps take one after the other. Or
    /// none.
    pub variants: Vec<NetworkSpec>,
}

impl Network {
    /// The network of a family. `agnostic`: how many masks and orders (values of the settings `mask` and `order`, from those
    /// chosen on) steps take in turn.
    ///
    /// # Errors
    /// The family is not for such data, or does not have these settings.
    pub fn new(
        family: &Family,
        sizes: &Sizes,
        domain: &Domain,
        dropout: f64,
        agnostic: [u32; 2],
    ) -> Result<Self, ZooError> {
        let variant = |k: u32| {
            let mut chosen: Vec<(&str, i64)> = sizes.iter().collect();
            for (name, count) in ["mask", "order"].into_iter().zip(agnostic).filter(|(_, count)| *count > 1) {
                let setting = chosen.iter_mut().find(|(n, _)| *n == name);
                setting.ok_or_else(|| ZooError::Setting(name.to_owned()))?.1 += i64::from(k % count);
            }
            (family.build)(domain, &Sizes::new(family.settings, &chosen)?)
        };
        let count = agnostic[0].max(agnostic[1]);
        let variants = if count > 1 { (0..count).map(variant).collect::<Result<_, _>>()? } else { Vec::new() };
        Ok(Self { spec: (family.build)(domain, sizes)?, domain: domain.clone(), dropout, variants })
    }
}

/// Some examples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// How many.
    pub count: usize,
    /// `[count][positions][channels]`, in the order of the data.
    pub symbols: Vec<u16>,
    /// `[count]`, or empty.
    pub classes: Vec<u16>,
}

/// Symbols that are evaluated at once.
const AT_ONCE: usize = 100_000;

impl model::Batch for Batch {
    fn count(&self) -> usize {
        self.count
    }
    fn symbols(&self) -> usize {
        self.symbols.len()
    }
    fn part(&self, range: Range<usize>) -> Self {
        let cut = |all: &[u16]| {
            let each = all.len() / self.count;
            all[range.start * each..range.end * each].to_vec()
        };
        Self { count: range.len(), symbols: cut(&self.symbols), classes: cut(&self.classes) }
    }
    fn at_once(&self) -> usize {
        (AT_ONCE * self.count / self.symbols.len().max(1)).max(1)
    }
}

/// A description made ready for a device.
#[derive(Debug)]
pub struct Executor {
    spec: NetworkSpec,
    layout: Layout,
    grid: Grid,
    /// Node by node: how much coarser its grid is, and the alphabet of samples.
    strides: Vec<Option<[u32; 3]>>,
    alphabets: Vec<Option<u32>>,
    masks: Masks,
    variants: Vec<Masks>,
    /// Where the n-th coded channel lies in the data, unless that is n.
    order: Option<Tensor>,
    kind: Kind,
    rounded: Vec<bool>,
    dropout: f64,
    device: Device,
}

/// Examples on the device.
struct Inputs {
    /// `[examples, rows, columns, channels]` in coding order.
    symbols: Tensor,
    /// `[examples, 1, 1, 1]`.
    class: Option<Tensor>,
}

impl Model for Executor {
    type Network = Network;
    type Batch = Batch;

    fn new(network: &Network, precision: Precision, device: Device) -> Result<Self, TrainError> {
        let Network { spec, domain, dropout, .. } = network;
        let fail = |what: &str| TrainError::Operation { node: 0, what: what.to_owned() };
        let layout = Layout::new(spec)?;
        let grid = domain.grid(spec).map_err(fail)?;
        let (strides, alphabets) = (spec.strides()?, spec.alphabets()?);
        let kind = precision.kind();
        let variants = network.variants.iter().map(|v| masks::masks(spec, v, kind, device));
        let (masks, variants) = (masks::masks(spec, spec, kind, device)?, variants.collect::<Result<_, _>>()?);
        let order = match &spec.symbols.order {
            Order::Raster => None,
            Order::Permuted { channels } => {
                let channels: Vec<i64> = channels.iter().map(|c| (*c).into()).collect();
                Some(Tensor::f_from_slice(&channels)?.f_to_device(device)?)
            }
            _ => return Err(fail("an order in slices")),
        };
        let (spec, dropout, rounded) = (spec.clone(), *dropout, operands(spec));
        Ok(Self { spec, layout, grid, strides, alphabets, masks, variants, order, kind, rounded, dropout, device })
    }

    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn device(&self) -> Device {
        self.device
    }

    /// `[examples, rows, columns, channels]`.
    fn bits(&self, trained: &Tensor, batch: &Batch, draw: Option<Draw>) -> Result<Tensor, TrainError> {
        let inputs = self.inputs(batch)?;
        if let (Some(draw), true) = (draw, self.dropout > 0.0) {
            tch::manual_seed(draw.number());
        }
        let masks = match (draw, self.variants.len() as u64) {
            (None, _) | (_, 0) => &self.masks,
            (Some(draw), n) => &self.variants[(draw.step % n) as usize],
        };
        let values = self.values(trained, masks, &inputs, draw.is_some())?;
        self.code_lengths(&values, &inputs)
    }
}

impl Executor {
    fn inputs(&self, batch: &Batch) -> Result<Inputs, TrainError> {
        let channels = i64::from(self.grid.channels);
        let [_, rows, columns] = self.grid.size.map(i64::from);
        // A text may be shorter.
        let columns = if rows == 1 { (batch.symbols.len() / batch.count) as i64 / channels } else { columns };
        let size = [batch.count as i64, rows, columns, channels];
        let tensor = |symbols: &[u16], size: &[i64]| -> Result<Tensor, tch::TchError> {
            let alphabet = self.spec.symbols.alphabet;
            let symbols: Vec<i32> = symbols.iter().map(|s| value(alphabet, *s)).collect();
            Tensor::f_from_slice(&symbols)?.f_to_device(self.device)?.f_view(size)?.f_to_kind(Kind::Float)
        };
        let mut symbols = tensor(&batch.symbols, &size)?;
        if let Some(order) = &self.order {
            symbols = symbols.f_index_select(3, order)?;
        }
        let class = match batch.classes.is_empty() {
            true => None,
            false => Some(tensor(&batch.classes, &[batch.count as i64, 1, 1, 1])?),
        };
        Ok(Inputs { symbols, class })
    }

    /// The values of every node, from the flat vector of all trained numbers.
    fn values(
        &self,
        trained: &Tensor,
        masks: &Masks,
        inputs: &Inputs,
        training: bool,
    ) -> Result<Vec<Tensor>, TrainError> {
        let mut weights = self.weights(trained, masks)?;
        let (batch, rows, columns, channels) = inputs.symbols.size4()?;
        let mut values: Vec<Tensor> = Vec::with_capacity(self.spec.nodes.len());
        for (id, node) in self.spec.nodes.iter().enumerate() {
            let x = |i: usize| &values[node.inputs[i]];
            let operand = |i: usize| x(i).f_to_kind(self.kind);
            let mut layer = || weights.remove(&id).expect("every trained node has a place");
            let drop = |x: Tensor| match training && self.dropout > 0.0 {
                true => x.f_dropout(self.dropout, true),
                false => Ok(x),
            };
            let out = match &node.op {
                Op::Current { channels } => inputs.symbols.f_narrow(3, 0, (*channels).into())?,
                Op::Previous => {
                    let flat = inputs.symbols.f_view([batch, rows * columns, channels])?;
                    let shifted = flat.f_constant_pad_nd([0i64, 0, 1, -1].as_slice())?;
                    shifted.f_view([batch, rows, columns, channels])?
                }
                Op::Condition { .. } => match &inputs.class {
                    Some(class) => class.shallow_clone(),
                    None => return Err(TrainError::Operation { node: id, what: "a class, and no labels,".to_owned() }),
                },
                Op::Coordinate { axis, divisor, modulus } => {
                    let along_rows = self.spec.symbols.axes.len() == 2 && *axis == 0;
                    let (n, size) = if along_rows { (rows, [1, rows, 1, 1]) } else { (columns, [1, 1, columns, 1]) };
                    let step = |p: i64| (p / i64::from(*divisor) % i64::from(*modulus)) as f32;
                    let places: Vec<f32> = (0..n).map(step).collect();
                    let places = Tensor::f_from_slice(&places)?.f_to_device(self.device)?.f_view(size)?;
                    places.f_expand([1, rows, columns, 1], false)?
                }
                Op::Constant { .. } => layer().bias.f_view([1, 1, 1, -1])?,
                Op::OneHot => {
                    let alphabet = i64::from(self.alphabets[node.inputs[0]].expect("checked with the description"));
                    let one = x(0).f_to_kind(Kind::Int64)?.f_one_hot(alphabet)?;
                    one.f_flatten(3, 4)?.f_to_kind(self.kind_of(id))?
                }
                Op::Embedding { .. } => places::look_up(&layer().weights, x(0))?,
                Op::Relu => x(0).f_to_kind(self.kind_of(id))?.f_relu()?,
                Op::Activation { function } => self.activation(id, *function, x(0))?,
                Op::Mirror => Tensor::f_cat(&[x(0), &x(0).f_neg()?], 3)?,
                Op::Gate => drop(x(0).f_mul(x(1))?)?,
                Op::Select { start, width } => x(0).f_narrow(3, (*start).into(), (*width).into())?,
                Op::Add => x(0).f_to_kind(self.kind_of(id))?.f_add(&x(1).f_to_kind(self.kind_of(id))?)?,
                Op::Concat => {
                    let parts: Vec<&Tensor> = node.inputs.iter().map(|i| &values[*i]).collect();
                    places::side_by_side(&parts, self.kind_of(id))?
                }
                Op::Linear { trainable: true, .. } | Op::MaskedLinear { .. } => {
                    let layer = layer();
                    operand(0)?.f_linear(&layer.weights, Some(layer.bias))?
                }
                Op::Convolution { kernel, .. } => places::convolution(&operand(0)?, &layer(), kernel)?,
                Op::Transposed { kernel, .. } => {
                    let stride = self.strides[id].expect("checked with the description");
                    let [rows, columns] =
                        [(rows, stride[1]), (columns, stride[2])].map(|(n, s)| (n as u64).div_ceil(s.into()) as i64);
                    places::transposed(&operand(0)?, &layer(), kernel, [rows, columns])?
                }
                Op::Lstm { cells } => drop(places::lstm(&operand(0)?, &layer(), (*cells).into(), training)?)?,
                Op::Attention { heads, pattern, side } => {
                    let axes = self.spec.symbols.axes.len();
                    attention::attend([x(0), x(1), x(2)], (*heads).into(), *pattern, *side, axes)?
                }
                other => return Err(TrainError::Operation { node: id, what: format!("{other:?}") }),
            };
            values.push(out);
        }
        Ok(values)
    }

    fn activation(&self, id: NodeId, function: Function, x: &Tensor) -> Result<Tensor, TrainError> {
        let x = x.f_to_kind(self.kind_of(id))?;
        Ok(match function {
            Function::Sigmoid => x.f_sigmoid()?,
            Function::Tanh => x.f_tanh()?,
            Function::Elu => x.f_elu()?,
            Function::Gelu => x.f_mul_scalar(1.702)?.f_sigmoid()?.f_mul(&x)?,
            Function::Centre => {
                let alphabet = f64::from(self.alphabets[self.spec.nodes[id].inputs[0]].expect("checked with it"));
                x.f_mul_scalar(4.0 / alphabet)?.f_sub_scalar(2.0 * (alphabet - 1.0) / alphabet)?
            }
            Function::Log => x.f_abs()?.f_log1p()?.f_mul(&x.f_sign()?)?.f_mul_scalar(0.25 / std::f64::consts::LN_2)?,
            Function::MuLaw => return Err(TrainError::Operation { node: id, what: format!("{function:?}") }),
        })
    }

    /// Weights and bias of each trained node: views into the flat vector. Cutting it once lets the way back put the gradient
    /// together once.
    fn weights(&self, trained: &Tensor, masks: &Masks) -> Result<HashMap<NodeId, places::Layer>, TrainError> {
        let sizes: Vec<i64> = self.layout.parts.iter().map(|p| p.len() as i64).collect();
        let pieces = trained.f_split_with_sizes(sizes.as_slice(), 0)?;
        let mut weights: HashMap<NodeId, places::Layer> = HashMap::new();
        for (part, piece) in self.layout.parts.iter().zip(pieces) {
            let is_product = !matches!(self.spec.nodes[part.node].op, Op::Embedding { .. } | Op::Constant { .. });
            let mut piece = piece.f_view(part.shape.as_slice())?;
            if is_product {
                piece = piece.f_to_kind(self.kind)?;
            }
            let layer = weights.entry(part.node).or_default();
            match (part.bias, masks.get(&part.node)) {
                (true, _) => layer.bias = piece,
                (false, Some(mask)) => layer.weights = piece.f_mul(mask)?,
                (false, None) => layer.weights = piece,
            }
        }
        Ok(weights)
    }

    /// The kind of a node's values.
    fn kind_of(&self, node: NodeId) -> Kind {
        if self.rounded[node] { self.kind } else { Kind::Float }
    }
}
