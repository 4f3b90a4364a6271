//! Programs on grids, on tensors: all symbols known, everything at once.
//!
//! Values are `[examples][places][values]`; what is the same everywhere has one place. What taps read is gathered by index,
//! with a row of zeros for what lies beyond the border, and multiplied by a plain matrix. Sums of products are exact as
//! everywhere here; cells stay below 2^38, which f64 holds, too; scores of attention, of up to 63 bits, are int64.
//!
//! What must stay true: each operation's arm computes what the same arm of `grid::reference` does.

use super::{On, tensor, to_vec};
use crate::engine::device::{DeviceError, DeviceName};
use crate::engine::grid::GridNetwork;
use crate::engine::grid::places::View;
use crate::engine::program::{Params, Table};
use crate::spec::{NodeId, Op, value};
use std::sync::Arc;
use tch::{Kind, TchError, Tensor};

type Result<T> = std::result::Result<T, TchError>;

/// A program on a device.
#[derive(Debug)]
pub struct GridTensors {
    network: Arc<GridNetwork>,
    on: On,
}

/// The parameters of every symbol of some examples.
#[derive(Debug)]
pub struct GridParameters {
    network: Arc<GridNetwork>,
    /// `[node]`: `[examples][places][values]` of those that outputs read.
    values: Vec<Vec<i16>>,
}

impl GridParameters {
    /// The parameters of a step's symbol, as [`GridExecutor::parameters`](crate::engine::GridExecutor::parameters) gives
    /// them.
    pub fn parameters(&self, step: usize, example: usize) -> &[i16] {
        let (node, values) = self.network.share(step);
        let places = &self.network.places[node];
        let place = places.at(step / usize::from(self.network.grid().channels));
        let row = example * places.count() + place;
        &self.values[node][row * self.network.widths[node]..][values]
    }
}

impl GridTensors {
    /// Brings a program to a device.
    ///
    /// # Errors
    /// There is no such device.
    pub fn new(network: &Arc<GridNetwork>, name: DeviceName) -> std::result::Result<Self, DeviceError> {
        Ok(Self { network: Arc::clone(network), on: On { device: super::find(name)?, name } })
    }

    /// The parameters of every symbol of examples in the order of the data; a short one is taken as if zeros followed.
    ///
    /// # Errors
    /// What libtorch says.
    ///
    /// # Panics
    /// As [`GridExecutor::all`](crate::engine::GridExecutor::all) does.
    pub fn all(&self, examples: &[&[u16]], classes: &[u32]) -> std::result::Result<GridParameters, DeviceError> {
        self.on.say(self.run(examples, classes))
    }

    fn run(&self, examples: &[&[u16]], classes: &[u32]) -> Result<GridParameters> {
        let network = &self.network;
        let count = examples.len() as i64;
        if let Some(most) = network.classes() {
            assert!(classes.len() == examples.len() && classes.iter().all(|c| *c < most), "an example's class");
        }
        let (symbols, alphabet) = (network.symbols(), network.program().spec().symbols.alphabet);
        let mut all = Vec::with_capacity(examples.len() * symbols);
        for example in examples {
            assert!(example.len() <= symbols && example.iter().all(|s| u32::from(*s) < alphabet), "an example");
            let symbol = |t: usize| example.get(network.data_index(t)).copied().unwrap_or(0);
            all.extend((0..symbols).map(|t| value(alphabet, symbol(t))));
        }
        let channels = i64::from(network.grid().channels);
        let symbols = tensor(&all, Kind::Double, self.on.device)?.f_view([count, -1, channels])?;
        let classes: Vec<i64> = classes.iter().map(|c| (*c).into()).collect();
        let known = Known { symbols, classes: tensor(&classes, Kind::Double, self.on.device)?, count };
        let spec = network.program().spec();
        let mut values: Vec<Option<Tensor>> = spec.nodes.iter().map(|_| None).collect();
        let mut last = vec![0; spec.nodes.len()];
        spec.nodes.iter().enumerate().for_each(|(id, n)| n.inputs.iter().for_each(|i| last[*i] = id));
        spec.outputs.iter().for_each(|o| last[o.parameters] = usize::MAX);
        for id in 0..spec.nodes.len() {
            values[id] = Some(self.node(id, &known, &values)?);
            // What nothing reads any more makes room.
            spec.nodes[id].inputs.iter().filter(|i| last[**i] == id).for_each(|i| values[*i] = None);
        }
        let kept = |v: &Option<Tensor>| v.as_ref().map_or(Ok(vec![]), |t| to_vec(&t.f_to_kind(Kind::Int16)?, 0i16));
        let values = values.iter().map(kept).collect::<Result<_>>()?;
        Ok(GridParameters { network: Arc::clone(network), values })
    }

    fn node(&self, id: NodeId, known: &Known, values: &[Option<Tensor>]) -> Result<Tensor> {
        let (network, device) = (&self.network, self.on.device);
        let program = network.program();
        let node = &program.spec().nodes[id];
        let (own, width) = (&network.places[id], network.widths[id] as i64);
        let input = |i: usize| -> Result<&Tensor> {
            let missing = || TchError::Shape(format!("node {} was not computed", node.inputs[i]));
            values[node.inputs[i]].as_ref().ok_or_else(missing)
        };
        let constant = |v: &[i64], places: i64| {
            tensor(v, Kind::Double, device)?.f_view([1, places, -1])?.f_expand([known.count, -1, -1], false)
        };
        match (&node.op, program.params(id)) {
            (Op::Current { .. }, _) => known.symbols.f_narrow(2, 0, width),
            (Op::Previous, _) => {
                let first = Tensor::f_zeros([known.count, 1, width], (Kind::Double, device))?;
                let places = known.symbols.size()[1];
                Tensor::f_cat(&[&first, &known.symbols.f_narrow(1, 0, places - 1)?], 1)
            }
            (Op::Condition { .. }, _) => known.classes.f_view([known.count, 1, 1]),
            (Op::Coordinate { axis, divisor, modulus }, _) => {
                let axis = 3 - program.spec().symbols.axes.len() + usize::from(*axis);
                let at = |p: usize| own.split(p)[axis] as i64 / i64::from(*divisor) % i64::from(*modulus);
                constant(&(0..own.count()).map(at).collect::<Vec<_>>(), own.count() as i64)
            }
            (Op::Constant { .. }, Params::Constant { values }) => {
                constant(&values.iter().map(|v| (*v).into()).collect::<Vec<_>>(), 1)
            }
            (Op::Linear { .. } | Op::MaskedLinear { .. }, params) => self.layer(params, input(0)?),
            (Op::Convolution { .. } | Op::Transposed { .. }, params) => self.layer(params, &self.taps(id, input(0)?)?),
            (Op::Relu, _) => input(0)?.f_clamp_min(0),
            (Op::Activation { .. }, Params::Table(table)) => self.look_up(table, input(0)?),
            (Op::Add, Params::Add { low, high }) => clamp(input(0)?.f_add(input(1)?)?, *low, *high),
            (Op::Gate, Params::Gate { shift, low, high }) => {
                clamp(round(&input(0)?.f_mul(input(1)?)?, *shift)?, *low, *high)
            }
            (Op::Concat, _) => {
                let places = own.count() as i64;
                let each = |i| input(i)?.f_expand([-1, places, -1], false);
                Tensor::f_cat(&(0..node.inputs.len()).map(each).collect::<Result<Vec<_>>>()?, 2)
            }
            (Op::Mirror, _) => Tensor::f_cat(&[input(0)?, &input(0)?.f_neg()?], 2),
            (Op::Select { start, width }, _) => input(0)?.f_narrow(2, (*start).into(), (*width).into()),
            (Op::OneHot, _) => {
                let x = input(0)?;
                let each = width / x.size()[2];
                let hot = x.f_to_kind(Kind::Int64)?.f_one_hot(each)?.f_to_kind(Kind::Double)?;
                hot.f_view([known.count, -1, width])
            }
            (Op::Embedding { outputs }, Params::Embedding { values }) => {
                let x = input(0)?;
                let inputs = x.size()[2];
                let table = tensor(values, Kind::Double, device)?.f_view([-1, i64::from(*outputs)])?;
                let first: Vec<i64> = (0..inputs).map(|i| i * table.size()[0] / inputs).collect();
                let index = x.f_to_kind(Kind::Int64)?.f_add(&tensor(&first, Kind::Int64, device)?)?;
                table.f_index_select(0, &index.f_reshape([-1])?)?.f_view([x.size()[0], -1, width])
            }
            (Op::Lstm { .. }, params) => self.recur(params, input(0)?, own.count() as i64, width),
            (Op::Attention { .. }, params) => {
                let places = own.count() as i64;
                let each = |i| input(i)?.f_expand([known.count, places, -1], false);
                self.attend(id, params, [each(0)?, each(1)?, each(2)?])
            }
            _ => unreachable!("a program holds only operations that can be run"),
        }
    }

    /// `clamp((W x + bias + 2^(shift - 1)) >> shift)`.
    fn layer(&self, params: &Params, x: &Tensor) -> Result<Tensor> {
        let (weights, bias, shift, low, high) = match params {
            Params::Linear { weights, bias, shift, low, high } => (weights, bias, shift, *low, *high),
            Params::Lstm { weights, bias, shift, high, .. } => (weights, bias, shift, -*high, *high),
            _ => unreachable!("a layer"),
        };
        let powers: Vec<i64> = shift.iter().map(|s| 1i64 << s).collect();
        let half: Vec<i64> = bias.iter().zip(shift).map(|(b, s)| i64::from(*b) + (1 << (s - 1))).collect();
        let powers = tensor(&powers, Kind::Double, self.on.device)?;
        let weights = tensor(weights, Kind::Double, self.on.device)?.f_view([bias.len() as i64, -1])?;
        // Division by powers of two is exact.
        let y = x.f_matmul(&weights.f_transpose(0, 1)?)?.f_add(&tensor(&half, Kind::Double, self.on.device)?)?;
        clamp(y.f_div(&powers)?.f_floor()?, low, high)
    }

    /// What the taps of every place read, `[examples][places][taps * inputs]`.
    fn taps(&self, id: NodeId, x: &Tensor) -> Result<Tensor> {
        let network = &self.network;
        let (Op::Convolution { kernel, .. } | Op::Transposed { kernel, .. }) = &network.program().spec().nodes[id].op
        else {
            unreachable!("it has taps");
        };
        let taps = network.taps[id].as_ref().expect("it has taps");
        let (own, from) = (&network.places[id], &network.places[network.program().spec().nodes[id].inputs[0]]);
        // A row of zeros stands behind all places.
        let mut index = vec![from.count() as i64; own.count() * kernel.taps()];
        for place in 0..own.count() {
            let phase = &taps.phases[taps.phase(own, place)];
            for (tap, source) in phase.taps.iter().zip(taps.read(own, from, place)) {
                if let Some(source) = source {
                    index[place * kernel.taps() + tap] = source as i64;
                }
            }
        }
        let (count, width) = (x.size()[0], x.size()[2]);
        let zeros = Tensor::f_zeros([count, 1, width], (Kind::Double, self.on.device))?;
        let rows = Tensor::f_cat(&[x, &zeros], 1)?;
        let read = rows.f_index_select(1, &tensor(&index, Kind::Int64, self.on.device)?)?;
        read.f_view([count, own.count() as i64, kernel.taps() as i64 * width])
    }

    fn look_up(&self, table: &Table, x: &Tensor) -> Result<Tensor> {
        let last = i64::from(table.first) + table.values.len() as i64 - 1;
        let index = x.f_div_scalar(1i64 << table.shift)?.f_floor()?.f_clamp(i64::from(table.first), last)?;
        let index = index.f_sub_scalar(i64::from(table.first))?.f_to_kind(Kind::Int64)?.f_reshape([-1])?;
        tensor(&table.values, Kind::Double, self.on.device)?.f_index_select(0, &index)?.f_view(&x.size()[..])
    }

    fn recur(&self, params: &Params, x: &Tensor, places: i64, cells: i64) -> Result<Tensor> {
        let Params::Lstm { sigmoid, tanh, squash, .. } = params else { unreachable!("an LSTM") };
        let zeros = || Tensor::f_zeros([x.size()[0], cells], (Kind::Double, self.on.device));
        let (mut cell, mut state) = (zeros()?, zeros()?);
        let mut states = Vec::new();
        for place in 0..places {
            let a = self.layer(params, &Tensor::f_cat(&[&x.f_select(1, place)?, &state], 1)?)?;
            let gate = |n: i64, table: &Table| self.look_up(table, &a.f_narrow(1, n * cells, cells)?);
            let (i, f, g, o) = (gate(0, sigmoid)?, gate(1, sigmoid)?, gate(2, tanh)?, gate(3, sigmoid)?);
            let sum = f.f_mul(&cell)?.f_add(&i.f_mul(&g)?)?;
            cell = round(&sum, 14)?.f_clamp(-(1i64 << 24), 1i64 << 24)?;
            state = round(&o.f_mul(&self.look_up(squash, &cell)?)?, 15)?;
            states.push(state.shallow_clone());
        }
        Tensor::f_stack(&states, 1)
    }

    fn attend(&self, id: NodeId, params: &Params, [q, k, v]: [Tensor; 3]) -> Result<Tensor> {
        let spec = self.network.program().spec();
        let (Op::Attention { heads, .. }, Params::Attention { multiplier, shift, exp }) = (&spec.nodes[id].op, params)
        else {
            unreachable!("it is attention");
        };
        let own = &self.network.places[id];
        let view = View::new(&spec.nodes[id].op, spec.symbols.axes.len()).expect("it is attention");
        let places = own.count();
        let mut unseen = vec![1i64; places * places];
        (0..places).for_each(|p| view.each(own, p, |k| unseen[p * places + k] = 0));
        let unseen = tensor(&unseen, Kind::Bool, self.on.device)?.f_view([places as i64, places as i64])?;
        // [examples][heads][places][values]
        let cut = |x: &Tensor| {
            x.f_contiguous()?.f_view([x.size()[0], places as i64, i64::from(*heads), -1])?.f_transpose(1, 2)
        };
        let (q, k, v) = (cut(&q)?, cut(&k)?, cut(&v)?);
        // Products of 16 bits, 2^16 at most: exact.
        let scores = q.f_matmul(&k.f_transpose(2, 3)?)?.f_to_kind(Kind::Int64)?;
        let scores = scores.f_masked_fill(&unseen, i64::MIN / 4)?;
        let below = scores.f_amax([3i64], true)?.f_sub(&scores)?.f_masked_fill(&unseen, 0)?;
        let index =
            below.f_mul_scalar(i64::from(*multiplier))?.f_bitwise_right_shift_tensor_scalar(i64::from(*shift))?;
        let index = index.f_clamp_max(exp.len() as i64 - 1)?;
        let exp: Vec<i32> = exp.iter().map(|e| (*e).into()).collect();
        let weights = tensor(&exp, Kind::Double, self.on.device)?.f_index_select(0, &index.f_reshape([-1])?)?;
        let weights = weights.f_view(&index.size()[..])?.f_masked_fill(&unseen, 0)?;
        let total = weights.f_sum_dim_intlist(&[3i64][..], true, Kind::Double)?.f_to_kind(Kind::Int64)?;
        let sums = weights.f_matmul(&v)?.f_to_kind(Kind::Int64)?.f_mul_scalar(2)?.f_add(&total)?;
        // Where there is no position, the sum is zero.
        let mean = sums.f_div_tensor_mode(&total.f_mul_scalar(2)?.f_clamp_min(1)?, "floor")?;
        let mean = mean.f_transpose(1, 2)?.f_to_kind(Kind::Double)?.f_contiguous()?;
        mean.f_view([mean.size()[0], places as i64, -1])
    }
}

/// What is known of some examples.
struct Known {
    /// `[examples][places][channels]`, in coding order.
    symbols: Tensor,
    /// `[examples]`; empty without classes.
    classes: Tensor,
    count: i64,
}

/// `(x + 2^(shift - 1)) >> shift`.
fn round(x: &Tensor, shift: u8) -> Result<Tensor> {
    x.f_add_scalar(1i64 << (shift - 1))?.f_div_scalar(1i64 << shift)?.f_floor()
}

fn clamp(x: Tensor, low: i16, high: i16) -> Result<Tensor> {
    x.f_clamp(i64::from(low), i64::from(high))
}
