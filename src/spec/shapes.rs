//! The shape of each node: how many values, on which grid, and whether they are samples.
//!
//! What must stay true: every size is checked before anything is multiplied that could overflow.

use super::check::{MAX_NODES, MAX_SLICES, MAX_STRIDE, MAX_WEIGHTS, MAX_WIDTH, SpecError};
use super::{Condition, Kernel, Mask, NetworkSpec, Node, Op, Pattern, Side};

/// Largest sum of differences that [`Op::LocalScale`] looks up.
const MAX_ACTIVITY: u64 = 1 << 20;
/// Most values of a coordinate.
const MAX_COORDINATE: u32 = 1 << 24;
/// Most taps of a kernel.
const MAX_TAPS: u64 = 1 << 12;
/// Farthest tap.
const MAX_DISTANCE: i64 = 1 << 15;

/// What a node yields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// Values a position.
    pub width: usize,
    /// The alphabet, if the values are samples: integers that may be looked up.
    pub alphabet: Option<u32>,
    /// How much coarser than the symbols' the grid is, an axis; none if the values are the same everywhere.
    pub stride: Option<[u32; 3]>,
}

type Checked<T> = Result<T, &'static str>;

impl NetworkSpec {
    /// The shape of every node.
    pub(super) fn shapes(&self) -> Result<Vec<Shape>, SpecError> {
        let mut shapes = Vec::with_capacity(self.nodes.len());
        for (id, node) in self.nodes.iter().enumerate() {
            let shape = self.shape(id, node, &shapes).and_then(|(width, alphabet, stride)| match width {
                0 => Err("it yields no value"),
                w if w > MAX_WIDTH as u64 => Err("it yields too many values"),
                w => Ok(Shape { width: w as usize, alphabet, stride }),
            });
            shapes.push(shape.map_err(|what| SpecError::Node { node: id, op: node.op.name(), what })?);
        }
        Ok(shapes)
    }

    fn shape(&self, id: usize, node: &Node, shapes: &[Shape]) -> Checked<(u64, Option<u32>, Option<[u32; 3]>)> {
        if node.inputs.iter().any(|&i| i >= id) {
            return Err("an input does not stand before it");
        }
        if !arity(&node.op).contains(&node.inputs.len()) {
            return Err("the number of inputs is wrong");
        }
        let input = |n: usize| shapes[node.inputs[n]];
        let width = |n: usize| input(n).width as u64;
        let op = |n: usize| &self.nodes[node.inputs[n]].op;
        let stride = node.inputs.iter().try_fold(None, |stride, &i| match (stride, shapes[i].stride) {
            (Some(a), Some(b)) if a != b => Err("the inputs are on different grids"),
            (a, b) => Ok(a.or(b)),
        })?;
        let samples = |n: usize| input(n).alphabet.ok_or("the input is not samples");
        let (channels, alphabet) = (u64::from(self.symbols.channels), self.symbols.alphabet);
        let symbols = |count: u64| Ok((channels * count, Some(alphabet), Some([1; 3])));
        let values = |width: u64| Ok((width, None, stride));
        match &node.op {
            Op::Neighbours { offsets } => {
                if !offsets.iter().all(|&o| self.is_causal(o)) {
                    return Err("an offset is not coded before the current position");
                }
                let mut sorted = offsets.clone();
                sorted.sort_unstable();
                if sorted.windows(2).any(|w| w[0] == w[1]) {
                    return Err("an offset is named twice");
                }
                symbols(offsets.len() as u64)
            }
            Op::Current { channels: n } if u64::from(*n) > channels => Err("there are not so many channels"),
            Op::Current { channels: n } => Ok((u64::from(*n), Some(alphabet), Some([1; 3]))),
            Op::LocalMean { a, b } => {
                let Op::Neighbours { offsets } = op(0) else { return Err("the input is not a set of neighbours") };
                if usize::from(*a.max(b)) >= offsets.len() {
                    return Err("there is no such neighbour");
                }
                values(channels)
            }
            Op::LocalScale { near } => {
                let (Op::Neighbours { offsets }, Op::LocalMean { .. }) = (op(0), op(1)) else {
                    return Err("the inputs are not a set of neighbours and a local mean");
                };
                if near.is_empty() || near.iter().any(|&n| usize::from(n) >= offsets.len()) {
                    return Err("there is no such neighbour");
                }
                if near.len() as u64 * channels * u64::from(alphabet - 1) > MAX_ACTIVITY {
                    return Err("the sum of differences can be too large");
                }
                values(1)
            }
            Op::Normalize { unit, clamp } => {
                let (Op::Neighbours { .. } | Op::Current { .. }, Op::LocalMean { .. }, Op::LocalScale { .. }) =
                    (op(0), op(1), op(2))
                else {
                    return Err("the inputs are not samples, a local mean and a local scale");
                };
                if *unit > 8 || !(1..=64).contains(clamp) {
                    return Err("the unit or the clamp is out of range");
                }
                values(width(0))
            }
            Op::Linear { outputs, .. } => {
                weights(&[width(0), u64::from(*outputs)])?;
                values(u64::from(*outputs))
            }
            Op::Relu | Op::LayerNorm => values(width(0)),
            Op::Activation { function } => {
                if *function == super::Function::MuLaw && samples(0)? != 256 {
                    return Err("mu-law has 256 codes");
                }
                if *function == super::Function::Centre {
                    samples(0)?;
                }
                if *function == super::Function::Log && samples(0)? != super::SIGNED {
                    return Err("the input has no sign");
                }
                values(width(0))
            }
            Op::Add | Op::Gate if width(0) != width(1) => Err("the inputs differ in width"),
            Op::Add | Op::Gate => values(width(0)),
            Op::Concat => {
                let first = input(0).alphabet;
                let alike = node.inputs.iter().all(|&i| shapes[i].alphabet == first);
                let sum = (0..node.inputs.len()).map(width).sum();
                Ok((sum, first.filter(|_| alike), stride))
            }
            Op::Previous if self.is_parallel() => Err("positions of a slice have no order"),
            Op::Previous => symbols(1),
            Op::Slices { count } if u32::from(*count) >= self.slices() => Err("there are not so many slices"),
            Op::Slices { count } => symbols(u64::from(*count)),
            Op::Condition { index } => match self.conditions.get(usize::from(*index)) {
                None => Err("there is no such condition"),
                Some(Condition::Class { count }) => Ok((1, Some(*count), None)),
                Some(Condition::Grid { channels, alphabet, factors, .. }) => {
                    Ok((u64::from(*channels), Some(*alphabet), Some(factors.map(u32::from))))
                }
            },
            Op::Coordinate { axis, divisor, modulus } => {
                let axes = self.symbols.axes.len() + usize::from(self.slices() > 1);
                if usize::from(*axis) >= axes {
                    return Err("there is no such axis");
                }
                if *divisor == 0 || !(2..=MAX_COORDINATE).contains(modulus) {
                    return Err("the divisor or the modulus is out of range");
                }
                Ok((1, Some(*modulus), Some([1; 3])))
            }
            Op::Constant { outputs } => Ok((u64::from(*outputs), None, None)),
            Op::OneHot => values(width(0) * u64::from(samples(0)?)),
            Op::Embedding { outputs } => {
                weights(&[width(0), u64::from(samples(0)?), u64::from(*outputs)])?;
                values(width(0) * u64::from(*outputs))
            }
            Op::Mirror => values(2 * width(0)),
            Op::Select { start, width: w } => {
                if u64::from(*start) + u64::from(*w) > width(0) {
                    return Err("the input has not so many values");
                }
                Ok((u64::from(*w), input(0).alphabet, stride))
            }
            Op::MaskedLinear { from, to } => {
                if from.len() as u64 != width(0) {
                    return Err("there must be one degree an input");
                }
                weights(&[from.len() as u64, to.len() as u64])?;
                values(to.len() as u64)
            }
            Op::Convolution { outputs, kernel, mask } => {
                let taps = self.check_kernel(kernel)?;
                weights(&[taps, width(0), u64::from(*outputs)])?;
                if let Mask::Causal { groups, .. } = mask {
                    let groups = u64::from(*groups);
                    if self.is_parallel() {
                        return Err("positions of a slice have no order");
                    }
                    if kernel.stride != [1; 3] {
                        return Err("a masked kernel has a stride");
                    }
                    if groups == 0 || width(0) % groups != 0 || u64::from(*outputs) % groups != 0 {
                        return Err("inputs and outputs cannot be cut into the groups");
                    }
                }
                let mut grid = stride.ok_or("the input is the same everywhere")?;
                (0..3).for_each(|i| grid[i] *= u32::from(kernel.stride[i]));
                if grid.iter().any(|&s| s > MAX_STRIDE) {
                    return Err("the grid is too coarse");
                }
                Ok((u64::from(*outputs), None, Some(grid)))
            }
            Op::Transposed { outputs, kernel } => {
                let taps = self.check_kernel(kernel)?;
                weights(&[taps, width(0), u64::from(*outputs)])?;
                let mut grid = stride.ok_or("the input is the same everywhere")?;
                if (0..3).any(|i| grid[i] % u32::from(kernel.stride[i]) != 0) {
                    return Err("the grid would be finer than the symbols'");
                }
                (0..3).for_each(|i| grid[i] /= u32::from(kernel.stride[i]));
                Ok((u64::from(*outputs), None, Some(grid)))
            }
            Op::Lstm { cells } => {
                if self.is_parallel() {
                    return Err("positions of a slice have no order");
                }
                stride.ok_or("the input is the same everywhere")?;
                weights(&[4, u64::from(*cells), width(0) + u64::from(*cells) + 1])?;
                values(u64::from(*cells))
            }
            Op::Attention { heads, pattern, side } => {
                let heads = u64::from(*heads);
                if heads == 0 || width(0) != width(1) || width(0) % heads != 0 || width(2) % heads != 0 {
                    return Err("queries, keys and values cannot be cut into the heads");
                }
                stride.ok_or("the inputs are the same everywhere")?;
                if self.is_parallel() && *side != Side::Any {
                    return Err("positions of a slice have no order");
                }
                self.check_pattern(*pattern, *side)?;
                values(width(2))
            }
        }
    }

    /// The number of taps.
    fn check_kernel(&self, k: &Kernel) -> Checked<u64> {
        let unused = [k.size, k.dilation, k.stride].iter().all(|&t| self.leaves_unused(t, 1));
        if !unused || !self.leaves_unused(k.origin, 0) {
            return Err("the kernel extends along an axis that does not exist");
        }
        let far = |i: usize| {
            let (size, dilation) = (i64::from(k.size[i]), i64::from(k.dilation[i]));
            (size - 1).max(i64::from(k.origin[i]).abs()) * dilation > MAX_DISTANCE
        };
        let zero = [k.size, k.dilation, k.stride].iter().any(|t| t.contains(&0));
        let taps: u64 = k.size.iter().map(|&s| u64::from(s)).product();
        // A dilation along an axis with one tap would be a second way to say the same.
        let idle = (0..3).any(|i| k.size[i] == 1 && k.origin[i] == 0 && k.dilation[i] != 1);
        if zero || idle || (0..3).any(far) || taps > MAX_TAPS || k.stride.iter().any(|&s| u32::from(s) > MAX_STRIDE) {
            return Err("the kernel is out of range");
        }
        Ok(taps)
    }

    fn check_pattern(&self, pattern: Pattern, side: Side) -> Checked<()> {
        let axes = self.symbols.axes.len();
        let fits = match pattern {
            Pattern::All => true,
            Pattern::Line { axis } => usize::from(axis) < axes,
            Pattern::Trailing { axes: n } => (1..=axes).contains(&usize::from(n)) && side != Side::Any,
            Pattern::Block { size } => self.leaves_unused(size, 1) && !size.contains(&0),
            Pattern::Summary { block, last } => (1..=block).contains(&last),
        };
        if fits { Ok(()) } else { Err("the pattern is out of range") }
    }
}

/// Refuses more weights than an operation may have. The product of the factors cannot overflow: it is checked on the way.
fn weights(factors: &[u64]) -> Checked<()> {
    let product = factors.iter().try_fold(1u64, |n, &f| n.checked_mul(f).filter(|&n| n <= MAX_WEIGHTS));
    product.map(|_| ()).ok_or("there are too many weights")
}

/// How many inputs an operation takes.
fn arity(op: &Op) -> std::ops::RangeInclusive<usize> {
    match op {
        Op::Neighbours { .. } | Op::Current { .. } | Op::Previous | Op::Slices { .. } => 0..=0,
        Op::Condition { .. } | Op::Coordinate { .. } | Op::Constant { .. } => 0..=0,
        Op::LocalScale { .. } | Op::Add | Op::Gate => 2..=2,
        Op::Normalize { .. } | Op::Attention { .. } => 3..=3,
        Op::Concat => 1..=MAX_NODES,
        _ => 1..=1,
    }
}

const _: () = assert!(MAX_SLICES as u64 <= u16::MAX as u64, "a slice fits Op::Slices");
