//! The definition: every node of a program at every place of one example, by plain loops in i64.
//!
//! Nothing is shared with the fast engines but the program itself.

use crate::engine::program::{Params, Program, Table};
use crate::spec::{Condition, Kernel, Likelihood, NodeId, Op, Order, Pattern, Side, value};

/// The values of a node.
#[derive(Debug, Clone)]
pub struct Values {
    /// Frames, rows, columns of its grid.
    pub size: [usize; 3],
    /// Whether they are the same everywhere: then there is one place.
    pub same: bool,
    /// `[place][value]`.
    pub rows: Vec<Vec<i64>>,
}

impl Values {
    /// At a place of a grid of the same steps.
    pub fn at(&self, place: usize) -> &[i64] {
        &self.rows[if self.same { 0 } else { place }]
    }

    /// At a place by its coordinates, if it is on the grid.
    fn there(&self, at: [i64; 3]) -> Option<&[i64]> {
        let inside = (0..3).all(|i| at[i] >= 0 && at[i] < self.size[i] as i64);
        inside.then(|| self.at((at[0] as usize * self.size[1] + at[1] as usize) * self.size[2] + at[2] as usize))
    }
}

/// The values of every node for one example. `symbols` are in the order of the data; those that are not known are any, and
/// ones that are missing at the end are zero.
///
/// # Panics
/// If the program is not for examples of one size, or has an operation that is not run on grids.
pub fn evaluate(program: &Program, symbols: &[u16], class: u32) -> Vec<Values> {
    let spec = program.spec();
    let grid = program.grid().expect("a program for examples of one size");
    let channels = usize::from(grid.channels);
    // In the order of coding.
    let symbol = |place: usize, channel: usize| {
        let channel = match &spec.symbols.order {
            Order::Permuted { channels } => usize::from(channels[channel]),
            _ => channel,
        };
        let symbol = symbols.get(place * channels + channel).copied().unwrap_or(0);
        i64::from(value(spec.symbols.alphabet, symbol))
    };
    let strides = spec.strides().expect("a valid description");
    let mut values: Vec<Values> = Vec::new();
    for (id, node) in spec.nodes.iter().enumerate() {
        let same = strides[id].is_none();
        let stride = strides[id].unwrap_or([1; 3]);
        let size = [0, 1, 2].map(|i| if same { 1 } else { grid.size[i].div_ceil(stride[i]) as usize });
        let mut own = Values { size, same, rows: Vec::new() };
        let mut state = State::default();
        for place in 0..size.iter().product() {
            let x = |i: usize| values[node.inputs[i]].at(place);
            let row = match (&node.op, program.params(id)) {
                (Op::Current { channels }, _) => (0..(*channels).into()).map(|c| symbol(place, c)).collect(),
                (Op::Previous, _) if place == 0 => vec![0; channels],
                (Op::Previous, _) => (0..channels).map(|c| symbol(place - 1, c)).collect(),
                (Op::Condition { index }, _) => match spec.conditions[usize::from(*index)] {
                    Condition::Class { .. } => vec![class.into()],
                    Condition::Grid { .. } => unreachable!("not run on grids"),
                },
                (Op::Coordinate { axis, divisor, modulus }, _) => {
                    let axis = 3 - spec.symbols.axes.len() + usize::from(*axis);
                    vec![coordinates(place, size)[axis] / i64::from(*divisor) % i64::from(*modulus)]
                }
                (Op::Constant { .. }, Params::Constant { values }) => values.iter().map(|v| (*v).into()).collect(),
                (Op::Linear { .. } | Op::MaskedLinear { .. }, params) => linear(params, x(0)),
                (Op::Convolution { kernel, .. }, params) => {
                    linear(params, &taps(kernel, &values[node.inputs[0]], coordinates(place, size), false))
                }
                (Op::Transposed { kernel, .. }, params) => {
                    linear(params, &taps(kernel, &values[node.inputs[0]], coordinates(place, size), true))
                }
                (Op::Relu, _) => x(0).iter().map(|v| (*v).max(0)).collect(),
                (Op::Activation { .. }, Params::Table(table)) => x(0).iter().map(|v| look_up(table, *v)).collect(),
                (Op::Add, Params::Add { low, high }) => {
                    x(0).iter().zip(x(1)).map(|(a, b)| (a + b).clamp((*low).into(), (*high).into())).collect()
                }
                (Op::Gate, Params::Gate { shift, low, high }) => {
                    let product = |(a, b): (&i64, &i64)| (a * b + (1 << (shift - 1))) >> shift;
                    x(0).iter().zip(x(1)).map(product).map(|v| v.clamp((*low).into(), (*high).into())).collect()
                }
                (Op::Concat, _) => (0..node.inputs.len()).flat_map(|i| x(i).to_vec()).collect(),
                (Op::Mirror, _) => x(0).iter().copied().chain(x(0).iter().map(|v| -v)).collect(),
                (Op::Select { start, width }, _) => x(0)[*start as usize..(*start + *width) as usize].to_vec(),
                (Op::OneHot, _) => {
                    let alphabet = program.ranges(id).len() / x(0).len();
                    x(0).iter().flat_map(|v| (0..alphabet as i64).map(move |k| i64::from(k == *v))).collect()
                }
                (Op::Embedding { outputs }, Params::Embedding { values }) => {
                    let outputs = *outputs as usize;
                    let alphabet = values.len() / (x(0).len() * outputs);
                    let entry = |(i, v): (usize, &i64)| &values[(i * alphabet + *v as usize) * outputs..][..outputs];
                    x(0).iter().enumerate().flat_map(entry).map(|v| (*v).into()).collect()
                }
                (Op::Lstm { .. }, params) => state.step(params, x(0)),
                (Op::Attention { heads, pattern, side }, params) => {
                    let sees = |k: &usize| attends(*pattern, *side, spec.symbols.axes.len(), size, place, *k);
                    let seen: Vec<usize> = (0..size.iter().product()).filter(sees).collect();
                    let [keys, vectors] = [1, 2].map(|i| &values[node.inputs[i]]);
                    let seen = seen.iter().map(|k| (keys.at(*k), vectors.at(*k))).collect::<Vec<_>>();
                    attend(params, usize::from(*heads), x(0), &seen, vectors.rows[0].len())
                }
                _ => unreachable!("a program holds only operations that can be run"),
            };
            own.rows.push(row);
        }
        values.push(own);
    }
    values
}

/// The parameters of the symbol that is coded at `step`: those of its channel, or of all channels of a coupled mixture.
pub fn parameters(program: &Program, values: &[Values], step: usize) -> Vec<i64> {
    let spec = program.spec();
    let channels = usize::from(spec.symbols.channels);
    let (place, channel) = (step / channels, step % channels);
    let output =
        spec.outputs.iter().rposition(|o| usize::from(o.channel) <= channel).expect("outputs for all channels");
    let span = spec.output_channels(output);
    let row = values[spec.outputs[output].parameters as NodeId].at(place);
    match spec.outputs[output].likelihood {
        Likelihood::Bernoulli | Likelihood::Categorical => {
            let each = row.len() / span.len();
            row[(channel - span.start) * each..][..each].to_vec()
        }
        _ => row.to_vec(),
    }
}

fn coordinates(place: usize, size: [usize; 3]) -> [i64; 3] {
    [place / (size[1] * size[2]), place / size[2] % size[1], place % size[2]].map(|v| v as i64)
}

/// What each tap of a kernel reads, zeros beyond the border.
fn taps(kernel: &Kernel, input: &Values, at: [i64; 3], transposed: bool) -> Vec<i64> {
    let [frames, rows, columns] = kernel.size.map(i64::from);
    let width = input.rows[0].len();
    let mut read = Vec::new();
    for frame in 0..frames {
        for row in 0..rows {
            for column in 0..columns {
                let tap = [frame, row, column];
                let shift = [0, 1, 2].map(|i| (tap[i] - i64::from(kernel.origin[i])) * i64::from(kernel.dilation[i]));
                let stride = kernel.stride.map(i64::from);
                let source = if transposed {
                    // p = P * stride + shift.
                    let scaled = [0, 1, 2].map(|i| at[i] - shift[i]);
                    let whole = (0..3).all(|i| scaled[i].rem_euclid(stride[i]) == 0);
                    whole.then(|| [0, 1, 2].map(|i| scaled[i].div_euclid(stride[i])))
                } else {
                    Some([0, 1, 2].map(|i| at[i] * stride[i] + shift[i]))
                };
                match source.and_then(|s| input.there(s)) {
                    Some(x) => read.extend_from_slice(x),
                    None => read.extend(vec![0; width]),
                }
            }
        }
    }
    read
}

fn round(sum: i64, shift: u8) -> i64 {
    (sum + (1 << (shift - 1))) >> shift
}

fn linear(params: &Params, x: &[i64]) -> Vec<i64> {
    let Params::Linear { weights, bias, shift, low, high } = params else { unreachable!("a layer") };
    products(weights, bias, shift, x).into_iter().map(|y| y.clamp((*low).into(), (*high).into())).collect()
}

fn products(weights: &[i16], bias: &[i32], shift: &[u8], x: &[i64]) -> Vec<i64> {
    let row = |o: usize| {
        let w = &weights[o * x.len()..(o + 1) * x.len()];
        let sum = i64::from(bias[o]) + w.iter().zip(x).map(|(w, x)| i64::from(*w) * x).sum::<i64>();
        round(sum, shift[o])
    };
    (0..bias.len()).map(row).collect()
}

fn look_up(table: &Table, x: i64) -> i64 {
    let first = i64::from(table.first);
    let index = (x >> table.shift).clamp(first, first + table.values.len() as i64 - 1) - first;
    table.values[index as usize].into()
}

/// The state of a recurrent node; empty before the first place.
#[derive(Debug, Default)]
struct State {
    cells: Vec<i64>,
    last: Vec<i64>,
}

impl State {
    fn step(&mut self, params: &Params, x: &[i64]) -> Vec<i64> {
        let Params::Lstm { weights, bias, shift, high, sigmoid, tanh, squash } = params else {
            unreachable!("an LSTM")
        };
        let n = bias.len() / 4;
        self.cells.resize(n, 0);
        self.last.resize(n, 0);
        let all: Vec<i64> = x.iter().chain(&self.last).copied().collect();
        let high = i64::from(*high);
        let a: Vec<i64> = products(weights, bias, shift, &all).into_iter().map(|y| y.clamp(-high, high)).collect();
        for k in 0..n {
            let (i, f) = (look_up(sigmoid, a[k]), look_up(sigmoid, a[n + k]));
            let (g, o) = (look_up(tanh, a[2 * n + k]), look_up(sigmoid, a[3 * n + k]));
            self.cells[k] = round(f * self.cells[k] + i * g, 14).clamp(-(1 << 24), 1 << 24);
            self.last[k] = round(o * look_up(squash, self.cells[k]), 15);
        }
        self.last.clone()
    }
}

/// Whether place p looks at place k, by the text of [`Pattern`] and [`Side`].
fn attends(pattern: Pattern, side: Side, axes: usize, size: [usize; 3], p: usize, k: usize) -> bool {
    let (a, b) = (coordinates(p, size), coordinates(k, size));
    let allowed = match side {
        Side::Earlier => k < p,
        Side::EarlierOrSame => k <= p,
        Side::Any => true,
    };
    let within = match pattern {
        Pattern::All => true,
        Pattern::Line { axis } => (0..3).all(|i| i == 3 - axes + usize::from(axis) || a[i] == b[i]),
        Pattern::Trailing { axes: n } => k <= p && p - k < size[3 - usize::from(n)..].iter().product(),
        Pattern::Block { size } => (0..3).all(|i| a[i] / i64::from(size[i]) == b[i] / i64::from(size[i])),
        Pattern::Summary { block, last } => k % block as usize >= (block - last) as usize,
    };
    allowed && within
}

/// Attention of one query to keys and values of `width`.
fn attend(params: &Params, heads: usize, query: &[i64], seen: &[(&[i64], &[i64])], width: usize) -> Vec<i64> {
    let Params::Attention { multiplier, shift, exp } = params else { unreachable!("attention") };
    let mut out = Vec::new();
    for head in 0..heads {
        let part = |v: &[i64]| v[head * v.len() / heads..(head + 1) * v.len() / heads].to_vec();
        let dot = |k: &[i64]| part(query).iter().zip(part(k)).map(|(q, k)| q * k).sum::<i64>();
        let scores: Vec<i64> = seen.iter().map(|(k, _)| dot(k)).collect();
        let best = scores.iter().copied().max().unwrap_or(0);
        let index = |s: &i64| (((best - s) * i64::from(*multiplier)) >> shift).min(exp.len() as i64 - 1);
        let weights: Vec<i64> = scores.iter().map(|s| exp[index(s) as usize].into()).collect();
        let total: i64 = weights.iter().sum();
        for o in 0..width / heads {
            let sum: i64 = seen.iter().zip(&weights).map(|((_, v), e)| e * part(v)[o]).sum();
            out.push(if seen.is_empty() { 0 } else { (2 * sum + total).div_euclid(2 * total) });
        }
    }
    out
}
