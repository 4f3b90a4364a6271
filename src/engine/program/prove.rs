//! The proof that a program cannot overflow, and the range of every value.
//!
//! What must stay true: no sum, product or index of any execution of what passes leaves its type or table.

use super::{Head, MAX_ALPHABET, MAX_GRID_VALUES, MAX_REACH, MAX_VALUES, Params, ProgramError, Range, gridded};
use crate::likelihood::{categorical, logistic};
use crate::spec::{Axis, Grid, Likelihood, NetworkSpec, Offset, Op, Order, SIGNED};

/// Levels of a local scale at most.
const MAX_LEVELS: usize = 64;

pub(super) type Checked<T> = Result<T, &'static str>;

/// Proves that no sum, product or index of any execution leaves its type or table, and gives the range of every column.
///
/// For each row of a product: `|bias| + sum |w| max|x| + 2^(s-1) < 2^31` with `1 <= s <= 30`, so that sums in any
/// order, and of any part of the row, fit i32.
pub(super) fn prove(
    grid: Option<Grid>,
    spec: &NetworkSpec,
    params: &[Params],
    heads: &[Head],
) -> Result<Vec<Vec<Range>>, ProgramError> {
    spec.check_causal()?;
    let widths = spec.widths()?;
    let values = widths.iter().sum();
    if values > MAX_VALUES {
        return Err(ProgramError::TooWide(values));
    }
    if params.len() != spec.nodes.len() || heads.len() != spec.outputs.len() {
        return Err(ProgramError::Node { node: params.len(), what: "the number of nodes differs" });
    }
    match grid {
        None => check_photographs(spec)?,
        Some(grid) => check_grid(grid, spec, values)?,
    }
    let mut ranges: Vec<Vec<Range>> = Vec::with_capacity(params.len());
    for (id, (node, params)) in spec.nodes.iter().zip(params).enumerate() {
        let inputs: Vec<&[Range]> = node.inputs.iter().map(|i| &ranges[*i][..]).collect();
        let range = match (grid, &node.op) {
            (_, Op::Linear { .. } | Op::Relu | Op::Add | Op::Concat | Op::Current { .. }) => {
                common(spec, &node.op, params, &inputs, widths[id])
            }
            (None, op) => window(spec, op, params, &inputs, widths[id]),
            (Some(_), op) => gridded::range(spec, op, params, &inputs, widths[id]),
        };
        ranges.push(range.map_err(|what| ProgramError::Node { node: id, what })?);
    }
    for (output, (described, head)) in spec.outputs.iter().zip(heads).enumerate() {
        let fail = |what| ProgramError::Output { output, what };
        let alphabet = spec.symbols.alphabet;
        match (grid, &described.likelihood, head) {
            (None, Likelihood::LogisticMixture { components, scale, .. }, Head::Mixture(tables)) => {
                if usize::from(*components) > logistic::MAX_COMPONENTS || usize::from(described.channel) != output {
                    return Err(fail("the number of logistics, or the channel,"));
                }
                tables.check(ranges[*scale][0].high as usize + 1).map_err(fail)?;
            }
            (Some(_), Likelihood::Bernoulli, Head::Bernoulli(tables)) => tables.check().map_err(fail)?,
            (Some(_), Likelihood::Categorical, Head::Categorical(tables)) => {
                if alphabet > categorical::MAX_ALPHABET {
                    return Err(fail("the alphabet"));
                }
                tables.check().map_err(fail)?;
            }
            (Some(_), Likelihood::CoupledMixture { components }, Head::Coupled(tables)) => {
                if usize::from(*components) > logistic::MAX_COMPONENTS || spec.output_channels(output).len() > 4 {
                    return Err(fail("the number of logistics or channels"));
                }
                tables.check(alphabet).map_err(fail)?;
            }
            (Some(_), Likelihood::SignedMixture { components }, Head::Signed(tables)) => {
                if usize::from(*components) > logistic::MAX_COMPONENTS {
                    return Err(fail("the number of logistics"));
                }
                tables.check().map_err(fail)?;
            }
            _ => return Err(fail("the family of the distribution")),
        }
    }
    Ok(ranges)
}

/// What networks for photographs are limited to.
fn check_photographs(spec: &NetworkSpec) -> Result<(), ProgramError> {
    let fail = |what| Err(ProgramError::Node { node: 0, what });
    if spec.symbols.alphabet != 256 {
        return fail("only alphabets of 256 values can be run");
    }
    if spec.symbols.axes != [Axis::Row, Axis::Column] || spec.symbols.order != Order::Raster {
        return fail("only pictures in raster order can be run");
    }
    if spec.outputs.len() != usize::from(spec.symbols.channels) {
        return Err(ProgramError::Output { output: spec.outputs.len(), what: "the number of outputs (one a channel)" });
    }
    Ok(())
}

/// What networks on a grid are limited to; `values` is how many all nodes yield a position.
fn check_grid(grid: Grid, spec: &NetworkSpec, values: usize) -> Result<(), ProgramError> {
    let fail = |what| Err(ProgramError::Domain(what));
    if spec.symbols.alphabet > MAX_ALPHABET && spec.symbols.alphabet != SIGNED {
        return fail("its alphabet is too large");
    }
    if !matches!(spec.symbols.order, Order::Raster | Order::Permuted { .. }) {
        return fail("this version cannot run the order");
    }
    if values.checked_mul(grid.positions()).is_none_or(|n| n > MAX_GRID_VALUES) {
        return fail("it has too many values an example");
    }
    Ok(())
}

/// The range of a node that photographs and grids have alike.
fn common(spec: &NetworkSpec, op: &Op, params: &Params, inputs: &[&[Range]], width: usize) -> Checked<Vec<Range>> {
    Ok(match (op, params) {
        (Op::Current { .. }, Params::None) => samples(spec.symbols.alphabet, width),
        (Op::Linear { .. }, Params::Linear { weights, bias, shift, low, high }) => {
            if bias.len() != width || weights.len() != width * inputs[0].len() {
                return Err("its weights have another shape");
            }
            check_rows(inputs[0], weights, bias, shift)?;
            ends(*low, *high, width)?
        }
        (Op::Relu, Params::None) => {
            inputs[0].iter().map(|r| Range { low: r.low.max(0), high: r.high.max(0) }).collect()
        }
        (Op::Add, Params::Add { low, high }) => {
            let fits = |r: &[Range]| r.iter().all(|r| r.magnitude() < 1 << 14);
            if low > high || !fits(inputs[0]) || !fits(inputs[1]) {
                return Err("a sum can overflow 16 bits");
            }
            vec![Range { low: *low, high: *high }; width]
        }
        (Op::Concat, Params::None) => inputs.concat(),
        _ => return Err(ANOTHER),
    })
}

/// Why numbers are refused that are those of another operation.
pub(super) const ANOTHER: &str = "its numbers are those of another operation";
/// Why an operation is refused.
pub(super) const UNKNOWN: &str = "this version cannot run the operation";

/// Samples of an alphabet.
pub(super) fn samples(alphabet: u32, width: usize) -> Vec<Range> {
    let (low, high) = if alphabet == SIGNED { (i16::MIN, i16::MAX) } else { (0, (alphabet - 1) as i16) };
    vec![Range { low, high }; width]
}

/// The same range for every column; none whose values have no negative.
pub(super) fn ends(low: i16, high: i16, width: usize) -> Checked<Vec<Range>> {
    if low > high || low == i16::MIN {
        Err("its range is empty or too wide")
    } else {
        Ok(vec![Range { low, high }; width])
    }
}

/// Proves the rows of a product with `columns` (those of one tap, where there are taps).
pub(super) fn check_rows(columns: &[Range], weights: &[i16], bias: &[i32], shift: &[u8]) -> Checked<()> {
    let row = weights.len() / bias.len().max(1);
    if row * bias.len() != weights.len() || row % columns.len() != 0 || shift.len() != bias.len() {
        return Err("its weights have another shape");
    }
    for ((row, bias), shift) in weights.chunks_exact(row.max(1)).zip(bias).zip(shift) {
        if !(1..=30).contains(shift) {
            return Err("a shift is not in 1 to 30");
        }
        let products = row.iter().zip(columns.iter().cycle()).map(|(w, c)| i64::from(*w).abs() * c.magnitude());
        if i64::from(*bias).abs() + products.sum::<i64>() + (1 << (shift - 1)) >= 1 << 31 {
            return Err("a sum can overflow 32 bits");
        }
    }
    Ok(())
}

/// The range of a node that looks at photographs through a window.
fn window(spec: &NetworkSpec, op: &Op, params: &Params, inputs: &[&[Range]], width: usize) -> Checked<Vec<Range>> {
    Ok(match (op, params) {
        (Op::Neighbours { offsets }, Params::None) if !offsets.iter().all(within_reach) => {
            return Err("its window reaches too far");
        }
        (Op::Neighbours { .. } | Op::LocalMean { .. }, Params::None) => samples(spec.symbols.alphabet, width),
        (Op::LocalScale { near }, Params::Scale { level }) => {
            let terms = near.len() * usize::from(spec.symbols.channels);
            if level.len() != terms * 255 + 1 {
                return Err("its table has another length");
            }
            let top = level.iter().copied().max().unwrap_or(0);
            if usize::from(top) >= MAX_LEVELS {
                return Err("its table has too many levels");
            }
            vec![Range { low: 0, high: top.into() }]
        }
        (Op::Normalize { .. }, Params::Normalize { limit, shift, multiplier }) => {
            let levels = inputs[2][0].high as usize + 1;
            if limit.len() != levels || shift.len() != levels || multiplier.len() != levels {
                return Err("its tables have another length");
            }
            let mut largest = 0;
            for ((l, s), m) in limit.iter().zip(shift).zip(multiplier) {
                if *l < 0 || *m < 0 || *s > 14 || (i64::from(*l) << s) > i64::from(i16::MAX) {
                    return Err("a difference overflows");
                }
                // Floors: the negative end is one further out.
                largest = largest.max((((i64::from(*l) << s) * i64::from(*m)) >> 16) + 1);
            }
            vec![Range { low: -(largest as i16), high: largest as i16 }; width]
        }
        (Op::Neighbours { .. } | Op::LocalMean { .. } | Op::LocalScale { .. } | Op::Normalize { .. }, _) => {
            return Err(ANOTHER);
        }
        (_, Params::None) => return Err(UNKNOWN),
        _ => return Err(ANOTHER),
    })
}

/// Whether a window's offset is one that bands have margins for.
fn within_reach(o: &Offset) -> bool {
    let far = |distance: i16| usize::from(distance.unsigned_abs()) > MAX_REACH;
    o.frame == 0 && !far(o.row) && !far(o.column)
}
