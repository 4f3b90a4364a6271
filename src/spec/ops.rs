//! The operations that a network is made of, as data.
//!
//! What must stay true: an operation's meaning is fixed by its fields alone. The weights that it needs, and how many,
//! follow from them and from the widths of its inputs.
//!
//! Triples are (frame, row, column). A grid with fewer axes uses the last ones: two axes are rows and columns, one axis is
//! columns, whatever their names. Where a place lies outside the grid, convolutions read zeros.

use super::{NodeId, Offset};

/// An operation and where its inputs come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What is done.
    pub op: Op,
    /// Nodes that stand before this one.
    pub inputs: Vec<NodeId>,
}

/// An operation. Each yields a vector of [`widths`](super::NetworkSpec::widths) values a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// Samples at causal offsets: channel after channel, within a channel in the order of `offsets`.
    Neighbours {
        /// Positions coded before the current one.
        offsets: Vec<Offset>,
    },
    /// The first `channels` samples of the current position: already coded when a later channel is. An operation that looks
    /// at other positions (a convolution, attention) may use all of them; what each output then sees is computed.
    Current {
        /// How many channels.
        channels: u16,
    },
    /// A reference level: `(a + b) >> 1` a channel. Input: [`Op::Neighbours`].
    LocalMean {
        /// Index of a in the offsets of the input.
        a: u16,
        /// Index of b.
        b: u16,
    },
    /// The index q of a local scale `2^(q/4)`, from the sum of absolute differences of near samples to the local mean:
    /// `q = round(4 log2(sum / n + 0.3))` with n terms, kept in a table. One value for all channels.
    /// Inputs: [`Op::Neighbours`], [`Op::LocalMean`].
    LocalScale {
        /// Indices of the near samples in the offsets of the first input.
        near: Vec<u16>,
    },
    /// `clamp((x - mean) / (2^unit * scale), -clamp, clamp)`.
    /// Inputs: x ([`Op::Neighbours`] or [`Op::Current`]), [`Op::LocalMean`], [`Op::LocalScale`].
    Normalize {
        /// log2 of how many scales make one unit.
        unit: u8,
        /// Largest magnitude, in units.
        clamp: u8,
    },
    /// A matrix product, plus a bias: `y = W x + b`.
    Linear {
        /// Rows of W.
        outputs: u32,
        /// Whether training moves it; constants of a family do not move.
        trainable: bool,
    },
    /// `max(x, 0)`.
    Relu,
    /// The sum of two inputs of one width.
    Add,
    /// The inputs one after the other.
    Concat,
    /// The samples of the position coded just before this one; at the end of a row it is followed by the next row's first.
    Previous,
    /// The samples at the current place of the last `count` slices, the latest first: see
    /// [`Order::Subscale`](super::Order::Subscale).
    Slices {
        /// How many slices.
        count: u16,
    },
    /// What the decoder knows beforehand: a class at every position, or a picture's samples.
    Condition {
        /// Index in [`NetworkSpec::conditions`](super::NetworkSpec::conditions).
        index: u16,
    },
    /// Where the position lies along one axis: `(place / divisor) % modulus`, a sample. On one axis that holds a picture row
    /// after row, the row is the place divided by the width, the column the place modulo the width.
    Coordinate {
        /// Index in [`Symbols::axes`](super::Symbols::axes), after the slice if there are slices.
        axis: u8,
        /// Places to a step.
        divisor: u32,
        /// Number of values.
        modulus: u32,
    },
    /// Trained values without an input.
    Constant {
        /// How many.
        outputs: u32,
    },
    /// For each sample a vector of the alphabet's length with a one. Input: samples.
    OneHot,
    /// For each sample a trained vector, looked up in a table of its own. Input: samples.
    Embedding {
        /// Length of a vector.
        outputs: u32,
    },
    /// A function of one variable, by table.
    Activation {
        /// Which.
        function: Function,
    },
    /// x, then -x: with [`Function::Elu`] the concatenated ELU (Salimans et al. 2017).
    Mirror,
    /// The product of two inputs of one width: a gated unit is tanh times sigmoid (van den Oord et al. 2016).
    Gate,
    /// `width` values of the input, from `start` on.
    Select {
        /// The first.
        start: u32,
        /// How many.
        width: u32,
    },
    /// `(x - mean) / deviation` over the values of a position, then a trained gain and bias each.
    LayerNorm,
    /// A matrix product plus a bias, in which output o sees input i only if `from[i] <= to[o]` (Germain et al. 2015, eq. 13;
    /// in the last layer, eq. 14, `to` is one less than the degree).
    MaskedLinear {
        /// Degree of each input.
        from: Vec<u16>,
        /// Highest degree that each output sees.
        to: Vec<u16>,
    },
    /// A convolution plus a bias.
    Convolution {
        /// Width.
        outputs: u32,
        /// Which places it reads.
        kernel: Kernel,
        /// Which of the weights are zero.
        mask: Mask,
    },
    /// A transposed convolution plus a bias, from a coarser grid to a finer one: output p is fed by the input at P through
    /// tap t where `p = P * stride + (t - origin) * dilation`.
    Transposed {
        /// Width.
        outputs: u32,
        /// Which places it writes.
        kernel: Kernel,
    },
    /// Long short-term memory; the state goes from each position to the next in coding order (Hochreiter 1997; gates as in
    /// Graves 2013 without peepholes).
    Lstm {
        /// Width of state and output.
        cells: u32,
    },
    /// `softmax(q k / sqrt(width / heads)) v` over positions (Vaswani et al. 2017, eq. 1), zero where there is none.
    /// Inputs: q, k (of one width), v.
    Attention {
        /// Parts into which q, k and v are cut.
        heads: u16,
        /// Which positions of the slice.
        pattern: Pattern,
        /// On which side of the current one.
        side: Side,
    },
}

/// Functions of one variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
    /// `x` or `exp(x) - 1`, whichever sign x has.
    Elu,
    /// `x * sigmoid(1.702 x)` (Hendrycks 2016; the form of Child et al. 2019).
    Gelu,
    /// `(2 x - (alphabet - 1)) * 2 / alphabet`: from a sample to a number between -2 and 2. Input: samples.
    Centre,
    /// From a code of 8-bit mu-law (ITU-T G.711) to its amplitude. Input: samples.
    MuLaw,
    /// `sign(x) log2(1 + |x|) / 4`, from a number of 16 bits to one between -4 and 4. Input: samples of the alphabet
    /// [`SIGNED`](super::SIGNED).
    Log,
}

/// The places that a convolution reads: tap t reads the place `p * stride + (t - origin) * dilation`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kernel {
    /// Taps an axis.
    pub size: [u16; 3],
    /// The tap that lies on the current place. It may lie outside the kernel: that shifts what is read.
    pub origin: [i16; 3],
    /// Places from tap to tap.
    pub dilation: [u16; 3],
    /// How much coarser the output's grid is.
    pub stride: [u16; 3],
}

impl Kernel {
    /// A kernel without dilation and stride.
    pub const fn new(size: [u16; 3], origin: [i16; 3]) -> Self {
        Self { size, origin, dilation: [1; 3], stride: [1; 3] }
    }

    /// Number of taps, which are counted in raster order.
    pub fn taps(&self) -> usize {
        self.size.iter().map(|s| usize::from(*s)).product()
    }

    /// How far from the current place a tap lies: `(t - origin) * dilation`.
    pub fn shift(&self, tap: usize) -> [i64; 3] {
        let [_, rows, columns] = self.size.map(usize::from);
        let t = [tap / (rows * columns), tap / columns % rows, tap % columns];
        [0, 1, 2].map(|i| (t[i] as i64 - i64::from(self.origin[i])) * i64::from(self.dilation[i]))
    }
}

impl Op {
    /// Whether a mask keeps the weight from `input` (of `inputs`) through `tap` to `output`; others are zero. Operations
    /// without a mask keep all, those without taps have tap 0.
    pub fn keeps(&self, inputs: usize, output: usize, tap: usize, input: usize) -> bool {
        match self {
            Self::MaskedLinear { from, to } => from[input] <= to[output],
            Self::Convolution { outputs, kernel, mask: Mask::Causal { groups, same } } => {
                let (shift, groups) = (kernel.shift(tap), usize::from(*groups));
                let (source, target) = (input / (inputs / groups), output / (*outputs as usize / groups));
                shift < [0; 3] || shift == [0; 3] && (source < target || *same && source == target)
            }
            _ => true,
        }
    }
}

/// Which weights of a convolution are zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mask {
    /// None.
    Open,
    /// Those of later places; and at the current place, where inputs and outputs are cut into `groups` equal parts, one a
    /// channel, those from a later group, and from the same group unless `same` (van den Oord et al. 2016: mask B has it,
    /// mask A does not).
    Causal {
        /// Parts.
        groups: u16,
        /// Whether a group sees itself.
        same: bool,
    },
}

/// Positions that attention may look at, all of the current slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// Every one.
    All,
    /// Those that differ along one axis only. Over rows, with a row as stride, the second half of strided attention (Child
    /// et al. 2019, section 4.3).
    Line {
        /// Index in [`Symbols::axes`](super::Symbols::axes).
        axis: u8,
    },
    /// Fewer positions back than the last `axes` axes hold: its first half.
    Trailing {
        /// How many axes.
        axes: u8,
    },
    /// Those of the same block, where blocks tile the grid from its origin: block-local attention (Weissenborn et al. 2019),
    /// and on one axis the first half of fixed attention (Child et al. 2019).
    Block {
        /// Lengths.
        size: [u16; 3],
    },
    /// Those whose number, in raster order, leaves a remainder of at least `block - last`: the second half of fixed attention.
    Summary {
        /// Period.
        block: u32,
        /// How many of each period.
        last: u32,
    },
}

/// On which side of the current position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Coded earlier.
    Earlier,
    /// Coded earlier, or the current one.
    EarlierOrSame,
    /// Any; for what depends on conditions and earlier slices alone.
    Any,
}

impl Side {
    /// Whether a position may look at another, both counted in raster order.
    pub fn allows(self, position: usize, other: usize) -> bool {
        match self {
            Self::Earlier => other < position,
            Self::EarlierOrSame => other <= position,
            Self::Any => true,
        }
    }
}

impl Pattern {
    /// Whether a position may look at another on a grid of `size` with so many axes.
    pub fn holds(self, axes: usize, size: [usize; 3], position: usize, other: usize) -> bool {
        let split = |p: usize| [p / (size[1] * size[2]), p / size[2] % size[1], p % size[2]];
        let (a, b) = (split(position), split(other));
        match self {
            Self::All => true,
            Self::Line { axis } => (0..3).all(|i| i == 3 - axes + usize::from(axis) || a[i] == b[i]),
            Self::Trailing { axes: n } => {
                other <= position && position - other < size[3 - usize::from(n)..].iter().product()
            }
            Self::Block { size } => (0..3).all(|i| a[i] / usize::from(size[i]) == b[i] / usize::from(size[i])),
            Self::Summary { block, last } => other % block as usize >= (block - last) as usize,
        }
    }
}
