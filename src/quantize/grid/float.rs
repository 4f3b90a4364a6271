//! A network in floating point on whole examples, every node at every place.
//!
//! What must stay true: it reads a description as the trainer and the engine do; it knows no family.

use super::Example;
use super::matrix::Matrix;
use super::shape::LayerShape;
use crate::quantize::QuantizeError;
use crate::quantize::float::{
    FloatNetwork, Layer, activation, bernoulli_bits, categorical_bits, coupled_bits, signed_bits,
};
use crate::spec::{
    Condition, Domain, Function, Grid, Kernel, Likelihood, NetworkSpec, NodeId, Op, Order, Pattern, Side, value,
};

/// A description with weights, made ready for the grid of its data.
#[derive(Debug)]
pub struct FloatGrid {
    spec: NetworkSpec,
    grid: Grid,
    nodes: Vec<Prepared>,
}

/// What a node needs.
#[derive(Debug)]
struct Prepared {
    width: usize,
    /// Places of its grid; one if all are the same.
    size: [usize; 3],
    same: bool,
    alphabet: Option<u32>,
    layer: Layer,
    /// Its product, and of a recurrent layer the product with its own output.
    products: Vec<Matrix>,
}

/// The values of a node: `[places][width]`.
#[derive(Debug, Clone)]
pub struct Values {
    /// The values.
    pub values: Vec<f32>,
    width: usize,
    same: bool,
}

impl Values {
    /// Those at a place.
    pub fn at(&self, place: usize) -> &[f32] {
        let place = if self.same { 0 } else { place };
        &self.values[place * self.width..(place + 1) * self.width]
    }
}

/// Places whose inputs are gathered together.
const GATHERED: usize = 64;

impl FloatGrid {
    /// Makes a network ready.
    pub fn new(network: &FloatNetwork, domain: &Domain) -> Result<Self, QuantizeError> {
        let spec = network.spec.clone();
        spec.check_causal()?;
        let grid = domain.grid(&spec).map_err(|what| QuantizeError::Domain(what.to_owned()))?;
        let (widths, strides, alphabets) = (spec.widths()?, spec.strides()?, spec.alphabets()?);
        let mut nodes = Vec::new();
        for ((id, node), shape) in spec.nodes.iter().enumerate().zip(LayerShape::all(&spec)?) {
            let empty = Layer { weights: vec![], bias: vec![] };
            let mut layer = network.layers.get(&id).cloned().unwrap_or(empty);
            if !shape.fits(&layer) {
                return Err(QuantizeError::Shape(format!("{id:03}.{}", node.op.name())));
            }
            shape.mask(&node.op, &mut layer);
            let stride = strides[id].unwrap_or([1; 3]);
            let size = [0, 1, 2].map(|i| grid.size[i].div_ceil(stride[i]) as usize);
            let products = match node.op {
                Op::Linear { .. } | Op::MaskedLinear { .. } | Op::Convolution { .. } | Op::Transposed { .. } => {
                    let columns = shape.taps * shape.inputs;
                    vec![Matrix::new(layer.weights.chunks_exact(columns), columns, &layer.bias)]
                }
                Op::Lstm { cells } => {
                    let (cells, columns) = (cells as usize, shape.inputs);
                    let (x, state) = (columns - cells, vec![0.0; shape.bias]);
                    let rows = || layer.weights.chunks_exact(columns);
                    vec![Matrix::new(rows(), x, &layer.bias), Matrix::new(rows().map(|r| &r[x..]), cells, &state)]
                }
                _ => vec![],
            };
            let same = strides[id].is_none();
            let size = if same { [1; 3] } else { size };
            nodes.push(Prepared { width: widths[id], size, same, alphabet: alphabets[id], layer, products });
        }
        Ok(Self { spec, grid, nodes })
    }

    /// The description.
    pub fn spec(&self) -> &NetworkSpec {
        &self.spec
    }

    /// Bits of an example.
    pub fn bits(&self, example: Example) -> Result<f64, QuantizeError> {
        Ok(self.bits_of(&self.values(example)?, example))
    }

    /// The values of every node.
    pub fn values(&self, example: Example) -> Result<Vec<Values>, QuantizeError> {
        let symbols = self.coded(example)?;
        let mut values: Vec<Values> = Vec::with_capacity(self.nodes.len());
        for (id, node) in self.nodes.iter().enumerate() {
            let count = node.size.iter().product::<usize>();
            let out = self.node(id, count, &values, &symbols, example)?;
            debug_assert_eq!(out.len(), count * node.width, "node {id}");
            values.push(Values { values: out, width: node.width, same: node.same });
        }
        Ok(values)
    }

    /// An example's bits from its nodes' values.
    pub fn bits_of(&self, values: &[Values], example: Example) -> f64 {
        let symbols = self.coded(example).unwrap_or_default();
        let (channels, alphabet) = (usize::from(self.grid.channels), self.spec.symbols.alphabet);
        let mut bits = 0.0;
        for (n, output) in self.spec.outputs.iter().enumerate() {
            let span = self.spec.output_channels(n);
            for place in 0..self.grid.positions() {
                let parameters = values[output.parameters].at(place);
                let own = parameters.len() / span.len();
                let coded = &symbols[place * channels..][span.clone()];
                for (c, symbol) in coded.iter().enumerate() {
                    if place * channels + span.start + c >= example.symbols.len() {
                        continue;
                    }
                    bits += match output.likelihood {
                        Likelihood::Bernoulli => bernoulli_bits(parameters[c], *symbol),
                        Likelihood::Categorical => categorical_bits(&parameters[c * own..(c + 1) * own], *symbol),
                        Likelihood::SignedMixture { .. } => signed_bits(parameters, *symbol),
                        _ => coupled_bits(parameters, span.len(), alphabet, &coded[..c], *symbol),
                    };
                }
            }
        }
        bits
    }

    /// A symbol as a value.
    fn number(&self, symbol: u16) -> f32 {
        value(self.spec.symbols.alphabet, symbol) as f32
    }

    /// All symbols of the grid in coding order; those that an example lacks are 0.
    fn coded(&self, example: Example) -> Result<Vec<u16>, QuantizeError> {
        let fail = |what: &str| Err(QuantizeError::Domain(what.to_owned()));
        let (count, alphabet) = (self.grid.symbols(), self.spec.symbols.alphabet);
        if example.symbols.is_empty() || example.symbols.len() > count {
            return fail("an example has another size than the network's");
        }
        if example.symbols.iter().any(|s| u32::from(*s) >= alphabet) {
            return fail("an example has a symbol that the network's alphabet lacks");
        }
        let mut symbols = example.symbols.to_vec();
        symbols.resize(count, 0);
        if let Order::Permuted { channels } = &self.spec.symbols.order {
            let places = symbols.chunks_exact(channels.len());
            symbols = places.flat_map(|place| channels.iter().map(|c| place[usize::from(*c)])).collect();
        }
        Ok(symbols)
    }

    fn node(
        &self,
        id: NodeId,
        count: usize,
        values: &[Values],
        symbols: &[u16],
        example: Example,
    ) -> Result<Vec<f32>, QuantizeError> {
        let (node, own) = (&self.spec.nodes[id], &self.nodes[id]);
        let channels = usize::from(self.grid.channels);
        let x = |n: usize| &values[node.inputs[n]];
        let each = |f: &dyn Fn(f32) -> f32| x(0).values.iter().map(|v| f(*v)).collect::<Vec<_>>();
        let both = |f: fn(f32, f32) -> f32| {
            let pair = |p: usize| x(0).at(p).iter().zip(x(1).at(p)).map(|(a, b)| f(*a, *b)).collect::<Vec<_>>();
            (0..count).flat_map(pair).collect::<Vec<_>>()
        };
        let not = |what: &dyn std::fmt::Debug| Err(QuantizeError::Operation(format!("{what:?}")));
        Ok(match &node.op {
            Op::Current { channels: n } => {
                let first = symbols.chunks_exact(channels).flat_map(|place| &place[..usize::from(*n)]);
                first.map(|s| self.number(*s)).collect()
            }
            Op::Previous => {
                let before = std::iter::repeat_n(&0, channels).chain(&symbols[..symbols.len() - channels]);
                before.map(|s| self.number(*s)).collect()
            }
            Op::Condition { index } => match self.spec.conditions[usize::from(*index)] {
                Condition::Class { count } => match example.class {
                    Some(class) if class < count => vec![class as f32],
                    _ => return Err(QuantizeError::Domain("an example has no class, or one out of range".to_owned())),
                },
                condition => return not(&condition),
            },
            Op::Coordinate { axis, divisor, modulus } => {
                let place = |p| split(p, own.size)[3 - self.spec.symbols.axes.len() + usize::from(*axis)] as u32;
                (0..count).map(|p| (place(p) / divisor % modulus) as f32).collect()
            }
            Op::Constant { .. } => own.layer.bias.clone(),
            Op::OneHot => {
                let alphabet = own.width / x(0).width;
                let one = |v: &f32| (0..alphabet).map(|k| f32::from(u8::from(*v as usize == k))).collect::<Vec<_>>();
                x(0).values.iter().flat_map(one).collect()
            }
            Op::Embedding { outputs } => {
                let (n, outputs) = (x(0).width, *outputs as usize);
                let alphabet = own.layer.weights.len() / (n * outputs);
                let vector = |(i, v): (usize, &f32)| {
                    own.layer.weights[(i % n * alphabet + *v as usize) * outputs..][..outputs].iter().copied()
                };
                x(0).values.iter().enumerate().flat_map(vector).collect()
            }
            Op::Linear { .. } | Op::MaskedLinear { .. } => {
                let mut y = vec![0.0; count * own.width];
                own.products[0].apply(&x(0).values, &mut y);
                y
            }
            Op::Convolution { kernel, .. } => self.gathered(id, x(0), node.inputs[0], |at, shift| {
                Some([0, 1, 2].map(|i| at[i] * i64::from(kernel.stride[i]) + shift[i]))
            }),
            Op::Transposed { kernel, .. } => {
                self.gathered(id, x(0), node.inputs[0], |at, shift| source(kernel, at, shift))
            }
            Op::Relu => each(&|v| v.max(0.0)),
            Op::Activation { function } => match function {
                Function::MuLaw => return not(function),
                Function::Centre => {
                    let alphabet = self.nodes[node.inputs[0]].alphabet.unwrap_or(2) as f32;
                    each(&|v| (2.0 * v - (alphabet - 1.0)) * 2.0 / alphabet)
                }
                function => each(&|v| activation(*function, f64::from(v)) as f32),
            },
            Op::Add => both(|a, b| a + b),
            Op::Gate => both(|a, b| a * b),
            Op::Concat => (0..count)
                .flat_map(|p| node.inputs.iter().flat_map(move |i| values[*i].at(p).iter().copied()))
                .collect(),
            Op::Mirror => {
                (0..count).flat_map(|p| x(0).at(p).iter().copied().chain(x(0).at(p).iter().map(|v| -v))).collect()
            }
            Op::Select { start, width } => {
                (0..count).flat_map(|p| &x(0).at(p)[*start as usize..][..*width as usize]).copied().collect()
            }
            Op::Lstm { cells } => recurrent(own, x(0), *cells as usize),
            Op::Attention { heads, pattern, side } => {
                self.attend([x(0), x(1), x(2)], own, (*heads).into(), *pattern, *side)
            }
            other => return not(other),
        })
    }

    /// A convolution: the inputs at all taps, one after the other, times the weights. `from` gives the place that a tap reads.
    fn gathered(
        &self,
        id: NodeId,
        x: &Values,
        input: NodeId,
        from: impl Fn([i64; 3], [i64; 3]) -> Option<[i64; 3]>,
    ) -> Vec<f32> {
        let (own, size) = (&self.nodes[id], self.nodes[input].size);
        let (Op::Convolution { kernel, .. } | Op::Transposed { kernel, .. }) = &self.spec.nodes[id].op else {
            return vec![];
        };
        let shifts: Vec<[i64; 3]> = (0..kernel.taps()).map(|t| kernel.shift(t)).collect();
        let count: usize = own.size.iter().product();
        let row = shifts.len() * x.width;
        let mut out = vec![0.0; count * own.width];
        let mut gathered = vec![0.0; GATHERED * row];
        for (block, out) in out.chunks_mut(GATHERED * own.width).enumerate() {
            let places = out.len() / own.width;
            let gathered = &mut gathered[..places * row];
            for (i, row) in gathered.chunks_exact_mut(row).enumerate() {
                let at = split(block * GATHERED + i, own.size).map(|v| v as i64);
                for (shift, part) in shifts.iter().zip(row.chunks_exact_mut(x.width)) {
                    match from(at, *shift).and_then(|at| join(at, size)) {
                        Some(place) => part.copy_from_slice(x.at(place)),
                        None => part.fill(0.0),
                    }
                }
            }
            own.products[0].apply(gathered, out);
        }
        out
    }

    fn attend(&self, [q, k, v]: [&Values; 3], own: &Prepared, heads: usize, pattern: Pattern, side: Side) -> Vec<f32> {
        let (count, axes) = (own.size.iter().product(), self.spec.symbols.axes.len());
        let (keys, width) = (q.width / heads, own.width / heads);
        let scale = 1.0 / (keys as f32).sqrt();
        let mut out = vec![0.0; count * own.width];
        let mut scores: Vec<(usize, f32)> = Vec::new();
        for (p, out) in out.chunks_exact_mut(own.width).enumerate() {
            for (h, out) in out.chunks_exact_mut(width).enumerate() {
                let query = &q.at(p)[h * keys..(h + 1) * keys];
                let score = |place: usize| {
                    let key = &k.at(place)[h * keys..(h + 1) * keys];
                    query.iter().zip(key).map(|(a, b)| a * b).sum::<f32>() * scale
                };
                let seen =
                    (0..count).filter(|place| side.allows(p, *place) && pattern.holds(axes, own.size, p, *place));
                scores.clear();
                scores.extend(seen.map(|place| (place, score(place))));
                let top = scores.iter().fold(f32::NEG_INFINITY, |m, s| m.max(s.1));
                let mut total = 0.0;
                for (place, score) in &scores {
                    let e = (score - top).exp();
                    total += e;
                    for (sum, v) in out.iter_mut().zip(&v.at(*place)[h * width..(h + 1) * width]) {
                        *sum += e * v;
                    }
                }
                if total > 0.0 {
                    out.iter_mut().for_each(|v| *v /= total);
                }
            }
        }
        out
    }
}

fn recurrent(own: &Prepared, x: &Values, cells: usize) -> Vec<f32> {
    let sigmoid = |x: f32| 1.0 / (1.0 + (-x).exp());
    let count: usize = own.size.iter().product();
    let mut gates = vec![0.0; count * 4 * cells];
    own.products[0].apply(&x.values, &mut gates);
    let (mut content, mut again) = (vec![0.0f32; cells], vec![0.0; 4 * cells]);
    let mut out = vec![0.0; count * cells];
    for (p, gates) in gates.chunks_exact(4 * cells).enumerate() {
        let (before, now) = out.split_at_mut(p * cells);
        match before.len().checked_sub(cells) {
            Some(last) => own.products[1].apply(&before[last..], &mut again),
            None => again.fill(0.0),
        }
        for i in 0..cells {
            let [input, forget, new, open] = [0, 1, 2, 3].map(|part| gates[part * cells + i] + again[part * cells + i]);
            content[i] = sigmoid(forget) * content[i] + sigmoid(input) * new.tanh();
            now[i] = sigmoid(open) * content[i].tanh();
        }
    }
    out
}

/// The place that feeds `at` through a tap of a transposed convolution, if there is one.
fn source(kernel: &Kernel, at: [i64; 3], shift: [i64; 3]) -> Option<[i64; 3]> {
    let scaled = [0, 1, 2].map(|i| (at[i] - shift[i], i64::from(kernel.stride[i])));
    let whole = scaled.iter().all(|(v, stride)| v.rem_euclid(*stride) == 0);
    whole.then(|| scaled.map(|(v, stride)| v.div_euclid(stride)))
}

/// Frame, row and column of a place.
fn split(p: usize, size: [usize; 3]) -> [usize; 3] {
    [p / (size[1] * size[2]), p / size[2] % size[1], p % size[2]]
}

/// The number of a place, if it is on the grid.
fn join(at: [i64; 3], size: [usize; 3]) -> Option<usize> {
    let inside = (0..3).all(|i| (0..size[i] as i64).contains(&at[i]));
    inside.then(|| (at[0] as usize * size[1] + at[1] as usize) * size[2] + at[2] as usize)
}
