//! From float weights to a program: a power-of-two scale for each tensor of activations, chosen on calibration examples,
//! and for each row of weights the largest power of two that can be proved free of overflow.

use super::float::{FloatNetwork, Layer, activation};
use super::fractions::{Fractions, GATE_FRACTION, STATE_FRACTION};
use super::rows::{Columns, rows, values};
use super::{QuantizeError, tables};
use crate::engine::{Params, Program};
use crate::likelihood::Head;
use crate::spec::{Condition, Domain, Function, Likelihood, NetworkSpec, NodeId, Op, SIGNED};

/// A program, and what its integers stand for.
pub struct Quantized {
    /// The integers.
    pub program: Program,
    /// `[nodes][columns]`: a value is its integer times `2^-fraction`.
    pub fractions: Vec<Vec<i32>>,
    /// The float network with the weights that the integers stand for.
    pub rounded: FloatNetwork,
}

/// Largest magnitude of a weight on a grid, where that is enough: finer steps change code lengths by less than a hundredth of a percent, and make
/// files larger.
const MOST_ON_GRID: f64 = 2047.0;

/// What the nodes so far yield.
struct Work<'n> {
    network: &'n FloatNetwork,
    /// What weights of products need not exceed.
    most: f64,
    shared: Fractions,
    alphabets: Vec<Option<u32>>,
    fractions: Vec<Vec<i32>>,
    magnitudes: Vec<Vec<i64>>,
    /// Levels of the local scale.
    levels: usize,
    rounded: FloatNetwork,
}

/// A node's integers, and the largest magnitude of each column of its values.
type Node = (Params, Vec<i64>);

/// Quantizes `network`; `largest[node]` is the largest magnitude of a node's values on the calibration examples.
pub fn quantize(
    name: &str,
    network: &FloatNetwork,
    domain: &Domain,
    largest: &[f64],
) -> Result<Quantized, QuantizeError> {
    let spec = &network.spec;
    let (widths, alphabets) = (spec.widths()?, spec.alphabets()?);
    let shared = Fractions::new(network, largest);
    let (fractions, magnitudes) = (Vec::new(), Vec::new());
    let rounded = network.clone();
    let most = if *domain == Domain::Photographs { f64::INFINITY } else { MOST_ON_GRID };
    let mut work = Work { network, most, shared, alphabets, fractions, magnitudes, levels: 0, rounded };
    let mut params: Vec<Params> = Vec::new();
    for (id, width) in widths.iter().enumerate() {
        let (param, magnitudes) = work.node(id, *width)?;
        params.push(param);
        work.magnitudes.push(magnitudes);
        work.fractions.push(work.columns(id, *width));
    }
    let heads = spec.outputs.iter().map(|output| {
        let fraction = work.shared.bits[output.parameters] as u8;
        match &output.likelihood {
            Likelihood::LogisticMixture { unit, floor, .. } => {
                Head::Mixture(tables::mixture(work.levels, *unit, *floor, fraction))
            }
            Likelihood::Bernoulli => Head::Bernoulli(tables::bernoulli(fraction)),
            Likelihood::Categorical => Head::Categorical(tables::categorical(fraction)),
            Likelihood::SignedMixture { .. } => Head::Signed(tables::signed(fraction)),
            Likelihood::CoupledMixture { .. } => Head::Coupled(tables::coupled(spec.symbols.alphabet, fraction)),
        }
    });
    let program = Program::new(name, domain.clone(), spec.clone(), params, heads.collect())?;
    Ok(Quantized { program, fractions: work.fractions, rounded: work.rounded })
}

impl Work<'_> {
    fn spec(&self) -> &NetworkSpec {
        &self.network.spec
    }

    /// The number of an input.
    fn input(&self, id: NodeId, n: usize) -> NodeId {
        self.spec().nodes[id].inputs[n]
    }

    /// The fractional bits of all columns of an input.
    fn uniform(&self, id: NodeId, n: usize) -> Result<i32, QuantizeError> {
        let columns = &self.fractions[self.input(id, n)];
        if columns.iter().all(|f| *f == columns[0]) { Ok(columns[0]) } else { Err(self.scales(id)) }
    }

    fn scales(&self, id: NodeId) -> QuantizeError {
        QuantizeError::Operation(format!("{:?} of tensors with different scales", self.spec().nodes[id].op))
    }

    /// The largest magnitude of any column of an input.
    fn magnitude(&self, id: NodeId, n: usize) -> i64 {
        self.magnitudes[self.input(id, n)].iter().copied().max().unwrap_or(0)
    }

    /// The trained numbers of a node.
    fn layer(&self, id: NodeId) -> Result<&Layer, QuantizeError> {
        let missing = || QuantizeError::Missing(format!("{id:03}.{}", self.spec().nodes[id].op.name()));
        self.network.layers.get(&id).ok_or_else(missing)
    }

    /// The fractional bits of a node's columns.
    fn columns(&self, id: NodeId, width: usize) -> Vec<i32> {
        match &self.spec().nodes[id].op {
            Op::Concat | Op::Mirror | Op::Select { .. } | Op::Relu => self.handed(id, &self.fractions),
            _ => vec![self.shared.bits[id]; width],
        }
    }

    /// What a node that hands on its inputs' values takes from `columns`.
    fn handed<T: Copy>(&self, id: NodeId, columns: &[Vec<T>]) -> Vec<T> {
        let node = &self.spec().nodes[id];
        let all: Vec<T> = node.inputs.iter().flat_map(|i| &columns[*i]).copied().collect();
        match &node.op {
            Op::Mirror => all.repeat(2),
            Op::Select { start, width } => all[*start as usize..][..*width as usize].to_vec(),
            _ => all,
        }
    }

    fn node(&mut self, id: NodeId, width: usize) -> Result<Node, QuantizeError> {
        let (network, fraction, limit) = (self.network, self.shared.bits[id], self.shared.limits[id]);
        let spec = &network.spec;
        let alike = |magnitude: i64| vec![magnitude; width];
        let samples = |alphabet: u32| match alphabet {
            SIGNED => (Params::None, alike(i64::from(SIGNED / 2))),
            _ => (Params::None, alike(i64::from(alphabet) - 1)),
        };
        let ends = (-limit as i16, limit as i16);
        Ok(match &spec.nodes[id].op {
            Op::Neighbours { .. } | Op::Current { .. } | Op::LocalMean { .. } | Op::Previous => {
                samples(spec.symbols.alphabet)
            }
            Op::Condition { index } => match spec.conditions[usize::from(*index)] {
                Condition::Class { count } => samples(count),
                condition => return Err(QuantizeError::Operation(format!("{condition:?}"))),
            },
            Op::Coordinate { modulus, .. } => samples(*modulus),
            Op::OneHot => samples(2),
            Op::LocalScale { near } => {
                let level = tables::levels(near.len() * usize::from(spec.symbols.channels));
                self.levels = usize::from(*level.last().expect("never empty")) + 1;
                (Params::Scale { level }, alike(self.levels as i64 - 1))
            }
            Op::Normalize { unit, clamp } => {
                let top = (i64::from(*clamp) << fraction) + 1;
                (tables::normalize(self.levels, *unit, *clamp, fraction), alike(top))
            }
            Op::Linear { .. } | Op::MaskedLinear { .. } | Op::Convolution { .. } | Op::Transposed { .. } => {
                let only_rectified = spec.nodes.iter().filter(|n| n.inputs.contains(&id)).all(|n| n.op == Op::Relu)
                    && spec.outputs.iter().all(|o| o.parameters != id);
                let low = if only_rectified { 0 } else { ends.0 };
                let input = self.input(id, 0);
                let columns = Columns { fractions: &self.fractions[input], magnitudes: &self.magnitudes[input] };
                let made = rows(self.layer(id)?, columns, fraction, self.most);
                let made = made.map_err(|row| QuantizeError::Unsafe { node: id, row })?;
                self.rounded.layers.insert(id, made.back);
                let (weights, bias, shift) = (made.weights, made.bias, made.shift);
                (Params::Linear { weights, bias, shift, low, high: ends.1 }, alike(limit.into()))
            }
            Op::Embedding { .. } | Op::Constant { .. } => {
                let layer = self.layer(id)?;
                let unsafe_ = QuantizeError::Unsafe { node: id, row: 0 };
                let is_constant = matches!(spec.nodes[id].op, Op::Constant { .. });
                let trained = if is_constant { &layer.bias } else { &layer.weights };
                let (values, back) = values(trained, fraction, limit).ok_or(unsafe_)?;
                let (weights, bias) = if is_constant { (vec![], back) } else { (back, vec![]) };
                self.rounded.layers.insert(id, Layer { weights, bias });
                let params = if is_constant { Params::Constant { values } } else { Params::Embedding { values } };
                (params, alike(limit.into()))
            }
            Op::Activation { function } => {
                let table = self.table(id, *function, fraction)?;
                let top = table.values.iter().map(|v| i64::from(*v).abs()).max().unwrap_or(0);
                (Params::Table(table), alike(top))
            }
            Op::Relu | Op::Concat | Op::Mirror | Op::Select { .. } => (Params::None, self.handed(id, &self.magnitudes)),
            Op::Add => {
                if (0..2).any(|n| self.fractions[self.input(id, n)].iter().any(|f| *f != fraction)) {
                    return Err(self.scales(id));
                }
                (Params::Add { low: ends.0, high: ends.1 }, alike(limit.into()))
            }
            Op::Gate => {
                let shift = self.uniform(id, 0)? + self.uniform(id, 1)? - fraction;
                let shift = u8::try_from(shift).ok().filter(|s| (1..=30).contains(s)).ok_or_else(|| self.scales(id))?;
                (Params::Gate { shift, low: ends.0, high: ends.1 }, alike(limit.into()))
            }
            Op::Lstm { cells } => self.recurrent(id, *cells as usize)?,
            Op::Attention { heads, .. } => {
                let keys = self.fractions[self.input(id, 0)].len() / usize::from(*heads);
                let params = tables::attention(self.uniform(id, 0)? + self.uniform(id, 1)?, keys);
                if self.uniform(id, 2)? != fraction {
                    return Err(self.scales(id));
                }
                (params, self.magnitudes[self.input(id, 2)].clone())
            }
            other => return Err(QuantizeError::Operation(format!("{other:?}"))),
        })
    }

    fn table(&self, id: NodeId, function: Function, out: i32) -> Result<crate::engine::program::Table, QuantizeError> {
        let (fraction, magnitude) = (self.uniform(id, 0)?, self.magnitude(id, 0));
        let end = magnitude as f64;
        let f = |x: f64| activation(function, x);
        Ok(match function {
            Function::Sigmoid => tables::gate(f, tables::SIGMOID_END, fraction, magnitude, out),
            Function::Tanh => tables::gate(f, tables::TANH_END, fraction, magnitude, out),
            Function::Elu | Function::Gelu => {
                tables::function(f, (-tables::SIGMOID_END, end), fraction, magnitude, out, None)
            }
            Function::Centre => {
                let alphabet = f64::from(self.alphabets[self.input(id, 0)].unwrap_or(2));
                let centred = |x: f64| (2.0 * x - (alphabet - 1.0)) * 2.0 / alphabet;
                tables::function(centred, (0.0, end), fraction, magnitude, out, None)
            }
            Function::Log => tables::function(f, (-end, end - 1.0), fraction, magnitude, out, None),
            Function::MuLaw => return Err(QuantizeError::Operation(format!("{function:?}"))),
        })
    }

    /// A recurrent layer: its products have a scale for the tables, whatever the calibration says.
    fn recurrent(&mut self, id: NodeId, cells: usize) -> Result<Node, QuantizeError> {
        const FRACTION: i32 = 11;
        let high = (tables::SIGMOID_END * 2f64.powi(FRACTION)) as i64;
        let input = self.input(id, 0);
        let fractions = [&self.fractions[input][..], &vec![STATE_FRACTION; cells]].concat();
        let magnitudes = [&self.magnitudes[input][..], &vec![1 << STATE_FRACTION; cells]].concat();
        let columns = Columns { fractions: &fractions, magnitudes: &magnitudes };
        let made = rows(self.layer(id)?, columns, FRACTION, self.most);
        let made = made.map_err(|row| QuantizeError::Unsafe { node: id, row })?;
        self.rounded.layers.insert(id, made.back);
        let tanh = |x: f64| activation(Function::Tanh, x);
        let gate = |f: Function, end| tables::gate(|x| activation(f, x), end, FRACTION, high, GATE_FRACTION);
        let params = Params::Lstm {
            weights: made.weights,
            bias: made.bias,
            shift: made.shift,
            high: high as i16,
            sigmoid: gate(Function::Sigmoid, tables::SIGMOID_END),
            tanh: gate(Function::Tanh, tables::TANH_END),
            squash: tables::gate(tanh, tables::TANH_END, GATE_FRACTION, 1 << 24, GATE_FRACTION),
        };
        Ok((params, vec![1 << STATE_FRACTION; cells]))
    }
}
