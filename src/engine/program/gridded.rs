//! The ranges of the operations that networks on a grid have.
//!
//! What must stay true: as in `prove`: nothing that passes can overflow.

use super::prove::{ANOTHER, Checked, UNKNOWN, check_rows, ends, samples};
use super::wire::{MAX_ENTRIES, breaks_mask, taps};
use super::{Params, Range, Table};
use crate::spec::{Condition, NetworkSpec, Op};

/// Largest magnitude of a cell's content.
const CELL: i64 = 1 << 24;
/// Entries of the table of attention's weights at most.
const MAX_EXP: usize = 4096;

/// The range of every column of a node.
pub(super) fn range(
    spec: &NetworkSpec,
    op: &Op,
    params: &Params,
    inputs: &[&[Range]],
    width: usize,
) -> Checked<Vec<Range>> {
    let whole = |count: u32| match count {
        1..=0x8000 => Ok(samples(count, width)),
        _ => Err("it has too many values"),
    };
    Ok(match (op, params) {
        (Op::Previous, Params::None) => samples(spec.symbols.alphabet, width),
        (Op::Condition { index }, Params::None) => match spec.conditions[usize::from(*index)] {
            Condition::Class { count } => whole(count)?,
            Condition::Grid { .. } => return Err(UNKNOWN),
        },
        (Op::Coordinate { modulus, .. }, Params::None) => whole(*modulus)?,
        (Op::OneHot, Params::None) if inputs[0].iter().any(|r| r.low < 0) => return Err("a sample has a sign"),
        (Op::OneHot, Params::None) => whole(2)?,
        (Op::Constant { .. }, Params::Constant { values }) if values.len() == width => {
            values.iter().map(|v| Range { low: *v, high: *v }).collect()
        }
        (Op::Embedding { outputs }, Params::Embedding { values }) => embedding(values, inputs[0], *outputs as usize)?,
        (Op::Activation { .. }, Params::Table(table)) => {
            let all = union(inputs[0]);
            vec![reachable(table, all.low.into(), all.high.into())?; width]
        }
        (Op::Mirror, Params::None) => {
            if inputs[0].iter().any(|r| r.low == i16::MIN) {
                return Err("a value has no negative");
            }
            let negative = inputs[0].iter().map(|r| Range { low: -r.high, high: -r.low });
            inputs[0].iter().copied().chain(negative).collect()
        }
        (Op::Gate, Params::Gate { shift, low, high }) => {
            // Products of 16 bits and half of the shift's power fit 32 bits.
            if !(1..=30).contains(shift) {
                return Err("a shift is not in 1 to 30");
            }
            ends(*low, *high, width)?
        }
        (Op::Select { start, width }, Params::None) => inputs[0][*start as usize..][..*width as usize].to_vec(),
        (
            Op::MaskedLinear { .. } | Op::Convolution { .. } | Op::Transposed { .. },
            Params::Linear { weights, bias, shift, low, high },
        ) => {
            // Where a tap reads nothing it reads zero, which no magnitude is below.
            if bias.len() != width || weights.len() != width * taps(op) * inputs[0].len() {
                return Err("its weights have another shape");
            }
            check_rows(inputs[0], weights, bias, shift)?;
            if breaks_mask(op, weights, width) {
                return Err("a weight that its mask leaves out is not zero");
            }
            ends(*low, *high, width)?
        }
        (Op::Lstm { .. }, Params::Lstm { .. }) => recurrent(params, inputs[0], width)?,
        (Op::Attention { heads, .. }, Params::Attention { multiplier, shift, exp }) => {
            let largest: i64 = match usize::from(*heads) {
                0 => return Err("it has no head"),
                heads => {
                    let products = inputs[0].iter().zip(inputs[1]).map(|(q, k)| q.magnitude() * k.magnitude());
                    let products: Vec<i64> = products.collect();
                    products.chunks(products.len() / heads).map(|part| part.iter().sum()).max().unwrap_or(0)
                }
            };
            // A difference of two sums is twice as large as one.
            if *shift > 40 || (2 * largest).checked_mul((*multiplier).into()).is_none() {
                return Err("a product can overflow 64 bits");
            }
            if !(1..=MAX_EXP).contains(&exp.len()) || exp[0] != 1 << 15 || !exp.is_sorted_by(|a, b| a >= b) {
                return Err("its table does not fall from 2^15");
            }
            // A mean lies between the values; where there is no position it is zero.
            inputs[2].iter().map(|r| Range { low: r.low.min(0), high: r.high.max(0) }).collect()
        }
        (op, _) if !runs(op) => return Err(UNKNOWN),
        _ => return Err(ANOTHER),
    })
}

/// Whether networks on a grid may have the operation.
fn runs(op: &Op) -> bool {
    use Op::*;
    let other = matches!(op, Neighbours { .. } | LocalMean { .. } | LocalScale { .. } | Normalize { .. });
    !(other || matches!(op, LayerNorm | Slices { .. }))
}

/// The least range that holds those of all columns.
fn union(columns: &[Range]) -> Range {
    let first = columns[0];
    columns.iter().fold(first, |a, b| Range { low: a.low.min(b.low), high: a.high.max(b.high) })
}

/// The range of what a table gives for `low..=high`.
fn reachable(table: &Table, low: i64, high: i64) -> Checked<Range> {
    let Table { shift, first, values } = table;
    if *shift > 30 || first.unsigned_abs() > 1 << 30 || !(1..=MAX_ENTRIES).contains(&values.len()) {
        return Err("its table is out of range");
    }
    let last = values.len() as i64 - 1;
    let place = |x: i64| ((x >> shift) - i64::from(*first)).clamp(0, last) as usize;
    let reached = &values[place(low)..=place(high)];
    let (low, high) = reached.iter().fold((i16::MAX, i16::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
    Ok(Range { low, high })
}

/// Each sample's vectors: column (i, o) holds what the values of sample i give for o.
fn embedding(values: &[i16], samples: &[Range], outputs: usize) -> Checked<Vec<Range>> {
    let alphabet = values.len() / (samples.len() * outputs).max(1);
    if alphabet * samples.len() * outputs != values.len()
        || samples.iter().any(|s| s.low < 0 || s.high as usize >= alphabet)
    {
        return Err("its table has another length");
    }
    let columns = values.chunks_exact(alphabet * outputs).flat_map(|table| {
        (0..outputs).map(|o| {
            let each = || table.iter().skip(o).step_by(outputs).copied();
            Range { low: each().min().unwrap_or(0), high: each().max().unwrap_or(0) }
        })
    });
    Ok(columns.collect())
}

/// The output of a recurrent layer, whose products take it in again.
fn recurrent(params: &Params, x: &[Range], cells: usize) -> Checked<Vec<Range>> {
    let Params::Lstm { weights, bias, shift, high, sigmoid, tanh, squash } = params else { return Err(ANOTHER) };
    if bias.len() != 4 * cells || weights.len() != 4 * cells * (x.len() + cells) {
        return Err("its weights have another shape");
    }
    let gate = ends(high.wrapping_neg(), *high, 1)?[0];
    let open = reachable(sigmoid, gate.low.into(), gate.high.into())?;
    reachable(tanh, gate.low.into(), gate.high.into())?;
    let content = reachable(squash, -CELL, CELL)?;
    // The largest and the smallest product of two ranges is one of their ends'; a state begins as zero.
    let corners = [open.low, open.high].into_iter().flat_map(|a| [content.low, content.high].map(|b| (a, b)));
    let products = corners.map(|(a, b)| (i64::from(a) * i64::from(b) + (1 << 14)) >> 15);
    let (low, most) = products.fold((0, 0), |(l, h), v| (l.min(v), h.max(v)));
    let (Ok(low), Ok(most)) = (i16::try_from(low), i16::try_from(most)) else {
        return Err("its output can overflow 16 bits");
    };
    let output = Range { low, high: most };
    let columns: Vec<Range> = x.iter().copied().chain(std::iter::repeat_n(output, cells)).collect();
    check_rows(&columns, weights, bias, shift)?;
    Ok(vec![output; cells])
}
