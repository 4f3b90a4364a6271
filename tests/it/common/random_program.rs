//! Programs with random integers that pass the proof: for tests of what runs them, and of what is made from them.

use super::Random;
use surprisal::engine::Program;
use surprisal::engine::program::{Head, Params, Table};
use surprisal::quantize::tables;
use surprisal::spec::{Condition, Domain, Likelihood, NetworkSpec, Op};
use surprisal::zoo::{Family, Sizes, ZooError};

/// Largest magnitude of most values.
const LIMIT: i16 = 8191;

impl Random {
    /// A number from `-limit` to `limit`.
    fn around(&mut self, limit: i64) -> i64 {
        self.below(2 * limit as usize + 1) as i64 - limit
    }
}

/// A program of a family with random integers; each size is `size`, or as near to it as its range allows.
pub fn of_family(family: &Family, domain: &Domain, size: i64, seed: u64) -> Result<Program, ZooError> {
    let chosen: Vec<_> = family.settings.iter().map(|s| (s.name, size.clamp(s.low, s.high))).collect();
    let spec = (family.build)(domain, &Sizes::new(family.settings, &chosen)?)?;
    Ok(program(domain, spec, seed))
}

/// A program of a description with random integers.
pub fn program(domain: &Domain, spec: NetworkSpec, seed: u64) -> Program {
    let random = &mut Random(seed * 2 + 1);
    let widths = spec.widths().expect("a valid description");
    let mut magnitudes: Vec<i64> = Vec::new();
    let mut params = Vec::new();
    for (id, node) in spec.nodes.iter().enumerate() {
        let inputs: Vec<(usize, i64)> = node.inputs.iter().map(|i| (widths[*i], magnitudes[*i])).collect();
        let (param, magnitude) = node_params(&spec, &node.op, widths[id], &inputs, random);
        params.push(param);
        magnitudes.push(magnitude);
    }
    let head = |likelihood: &Likelihood| match likelihood {
        Likelihood::Bernoulli => Head::Bernoulli(tables::bernoulli(10)),
        Likelihood::Categorical => Head::Categorical(tables::categorical(10)),
        Likelihood::SignedMixture { .. } => Head::Signed(tables::signed(10)),
        Likelihood::CoupledMixture { .. } => Head::Coupled(tables::coupled(spec.symbols.alphabet, 10)),
        Likelihood::LogisticMixture { .. } => panic!("not on a grid"),
    };
    let heads = spec.outputs.iter().map(|o| head(&o.likelihood)).collect();
    Program::new("random", domain.clone(), spec, params, heads).expect("a program that passes the proof")
}

/// Integers of a node, and the largest magnitude of its values.
fn node_params(
    spec: &NetworkSpec,
    op: &Op,
    width: usize,
    inputs: &[(usize, i64)],
    random: &mut Random,
) -> (Params, i64) {
    let most = inputs.iter().map(|i| i.1).max().unwrap_or(0);
    let none = |magnitude: i64| (Params::None, magnitude);
    let last = i64::from(spec.symbols.alphabet) - 1;
    match op {
        Op::Current { .. } | Op::Previous => none(last),
        Op::Condition { index } => match spec.conditions[usize::from(*index)] {
            Condition::Class { count } => none(i64::from(count) - 1),
            Condition::Grid { .. } => panic!("not on a grid"),
        },
        Op::Coordinate { modulus, .. } => none(i64::from(*modulus) - 1),
        Op::OneHot => none(1),
        Op::Constant { .. } => {
            (Params::Constant { values: (0..width).map(|_| random.around(2000) as i16).collect() }, 2000)
        }
        Op::Embedding { .. } => {
            // An alphabet of samples is one more than the largest.
            let entries = width * (most as usize + 1);
            (Params::Embedding { values: (0..entries).map(|_| random.around(2000) as i16).collect() }, 2000)
        }
        Op::Activation { .. } => (Params::Table(table(most, (-4000, 4000), random)), 4000),
        Op::Add => (Params::Add { low: -LIMIT, high: LIMIT - 1 }, LIMIT.into()),
        Op::Gate => (Params::Gate { shift: 12, low: -LIMIT, high: LIMIT - 2 }, LIMIT.into()),
        Op::Linear { .. } | Op::MaskedLinear { .. } | Op::Convolution { .. } | Op::Transposed { .. } => {
            let taps = match op {
                Op::Convolution { kernel, .. } | Op::Transposed { kernel, .. } => kernel.taps(),
                _ => 1,
            };
            let n = inputs[0].0;
            let keeps = |o: usize, i: usize| op.keeps(n, o, i / n, i % n);
            let (weights, bias, shift) = rows(width, taps * n, keeps, most, random);
            (Params::Linear { weights, bias, shift, low: -LIMIT, high: LIMIT - 3 }, LIMIT.into())
        }
        Op::Lstm { .. } => {
            let magnitude = most.max(8192);
            let (weights, bias, shift) = rows(4 * width, inputs[0].0 + width, |_, _| true, magnitude, random);
            let sigmoid = table(LIMIT.into(), (0, 1 << 14), random);
            let tanh = table(LIMIT.into(), (-(1 << 14), 1 << 14), random);
            let squash = table(1 << 20, (-(1 << 14), 1 << 14), random);
            (Params::Lstm { weights, bias, shift, high: LIMIT, sigmoid, tanh, squash }, 8192)
        }
        Op::Attention { heads, .. } => {
            let key = inputs[0].0 as i64 / i64::from(*heads);
            // A difference of scores as large as can be is far beyond the table, most are within.
            let shift = 64 - (key * inputs[0].1 * inputs[1].1).max(1).leading_zeros() as i64 + 16 - 12;
            let exp = (0..300).map(|d| (32768 * (300 - d) / 300).max(1) as u16).collect();
            let multiplier = 30_000 + random.below(30_000) as u16;
            (Params::Attention { multiplier, shift: shift.clamp(0, 40) as u8, exp }, inputs[2].1)
        }
        _ => none(most),
    }
}

/// Weights, biases and shifts of which no sum overflows.
fn rows(
    outputs: usize,
    inputs: usize,
    keeps: impl Fn(usize, usize) -> bool,
    magnitude: i64,
    random: &mut Random,
) -> (Vec<i16>, Vec<i32>, Vec<u8>) {
    let magnitude = magnitude.max(1);
    let largest = ((1 << 30) / (magnitude * inputs as i64)).min(((1 << 20) / magnitude).clamp(100, 8000)).max(1);
    let (mut weights, mut bias, mut shift) = (vec![], vec![], vec![]);
    for o in 0..outputs {
        let row: Vec<i16> = (0..inputs).map(|i| if keeps(o, i) { random.around(largest) as i16 } else { 0 }).collect();
        let sum = row.iter().map(|w| i64::from(w.abs()) * magnitude).sum::<i64>().max(1 << 14);
        // Sums as large as can be are clamped, most are not.
        shift.push((sum.ilog2() as u8 + 2).saturating_sub(14 + random.below(2) as u8).clamp(1, 30));
        bias.push(random.around(sum / 8) as i32);
        weights.extend(row);
    }
    (weights, bias, shift)
}

/// A table of random values for a variable of some magnitude, whose ends it clamps.
fn table(magnitude: i64, (low, high): (i64, i64), random: &mut Random) -> Table {
    let shift = (64 - (magnitude.max(1)).leading_zeros() as u8).saturating_sub(8);
    let first = -((magnitude >> shift) as i32) + 1;
    let length = 2 * first.unsigned_abs() as usize + 2;
    let values = (0..length).map(|_| (low + random.below((high - low) as usize + 1) as i64) as i16).collect();
    Table { shift, first, values }
}
