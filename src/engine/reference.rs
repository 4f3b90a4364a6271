//! The definition: every node of a program at one position, by plain loops in i64, from a picture that is an array.
//!
//! Nothing is shared with the fast engines but the program itself.

use super::program::{Params, Program};
use crate::spec::{Offset, Op};

/// A picture: `samples[channel][row][column]`, channels in coding order.
pub type Picture = Vec<Vec<Vec<u8>>>;

/// A neighbour by the rule of padding: columns are clamped; n rows above the picture lies its first row, shifted right by n
/// columns; where that is not coded yet, the sample to the left, else the first one of the row above, else 128.
pub fn neighbour(plane: &[Vec<u8>], row: usize, column: usize, offset: Offset) -> i64 {
    let width = plane[0].len() as i64;
    let y = row as i64 + i64::from(offset.row);
    let x = column as i64 + i64::from(offset.column) + y.min(0);
    let (y, x) = (y.max(0) as usize, x.clamp(0, width - 1) as usize);
    let coded = y < row || (y == row && x < column);
    match (coded, column, row) {
        (true, _, _) => plane[y][x].into(),
        (false, 1.., _) => plane[row][column - 1].into(),
        (false, 0, 1..) => plane[row - 1][0].into(),
        (false, 0, 0) => 128,
    }
}

/// The values of every node. `picture` may have fewer channels than the program: the last one stands for the others, and
/// nodes that need a missing channel are empty.
pub fn evaluate(program: &Program, picture: &Picture, row: usize, column: usize) -> Vec<Vec<i64>> {
    let spec = program.spec();
    let mut values: Vec<Vec<i64>> = Vec::new();
    for (id, node) in spec.nodes.iter().enumerate() {
        let x = |i: usize| &values[node.inputs[i]];
        let missing = node.inputs.iter().any(|i| values[*i].is_empty());
        let out = match (&node.op, program.params(id)) {
            (Op::Neighbours { offsets }, _) => (0..spec.symbols.channels.into())
                .flat_map(|c: usize| {
                    let plane = &picture[c.min(picture.len() - 1)];
                    offsets.iter().map(move |o| neighbour(plane, row, column, *o))
                })
                .collect(),
            (Op::Current { channels }, _) if usize::from(*channels) >= picture.len() => Vec::new(),
            (Op::Current { channels }, _) => {
                picture[..(*channels).into()].iter().map(|plane| plane[row][column].into()).collect()
            }
            _ if missing => Vec::new(),
            (Op::LocalMean { a, b }, _) => {
                let windows = x(0).chunks_exact(x(0).len() / usize::from(spec.symbols.channels));
                windows.map(|w| (w[usize::from(*a)] + w[usize::from(*b)]) >> 1).collect()
            }
            (Op::LocalScale { near }, Params::Scale { level }) => {
                let windows = x(0).chunks_exact(x(0).len() / x(1).len());
                let sums =
                    windows.zip(x(1)).map(|(w, m)| near.iter().map(|k| (w[usize::from(*k)] - m).abs()).sum::<i64>());
                vec![level[sums.sum::<i64>() as usize].into()]
            }
            (Op::Normalize { .. }, Params::Normalize { limit, shift, multiplier }) => {
                let q = x(2)[0] as usize;
                let of_current = matches!(spec.nodes[node.inputs[0]].op, Op::Current { .. });
                let each = if of_current { 1 } else { x(0).len() / x(1).len() };
                let difference = |(i, v): (usize, &i64)| v - x(1)[i / each];
                let scaled = |d: i64| {
                    let d = d.clamp(-i64::from(limit[q]), limit[q].into()) << shift[q];
                    (d * i64::from(multiplier[q])) >> 16
                };
                x(0).iter().enumerate().map(difference).map(scaled).collect()
            }
            (Op::Linear { .. }, Params::Linear { weights, bias, shift, low, high }) => {
                let row = |o: usize| {
                    let w = &weights[o * x(0).len()..][..x(0).len()];
                    let sum = i64::from(bias[o]) + w.iter().zip(x(0)).map(|(w, x)| i64::from(*w) * x).sum::<i64>();
                    ((sum + (1 << (shift[o] - 1))) >> shift[o]).clamp((*low).into(), (*high).into())
                };
                (0..bias.len()).map(row).collect()
            }
            (Op::Relu, _) => x(0).iter().map(|v| (*v).max(0)).collect(),
            (Op::Add, Params::Add { low, high }) => {
                x(0).iter().zip(x(1)).map(|(a, b)| (a + b).clamp((*low).into(), (*high).into())).collect()
            }
            (Op::Concat, _) => node.inputs.iter().flat_map(|i| values[*i].iter().copied()).collect(),
            _ => unreachable!("a program holds only operations that can be run"),
        };
        values.push(out);
    }
    values
}
