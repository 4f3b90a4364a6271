//! A network described once, as data: trainer, quantizer, coder and GPU all execute this description.
//!
//! A [`NetworkSpec`] holds no weights. It says what is coded in which order ([`Symbols`]), what else the decoder knows
//! ([`Condition`]), which operations lead from symbols already coded to parameters ([`Node`]) and which distribution the
//! parameters stand for ([`Output`]).
//!
//! What must stay true: no output sees a symbol that is coded at the same time or later.
#![deny(clippy::float_arithmetic)]

mod bytes;
mod causality;
mod check;
mod domain;
mod flow;
mod ops;
mod reach;
mod shapes;

pub use check::{MAX_ALPHABET, MAX_CHANNELS, MAX_NODES, MAX_WEIGHTS, MAX_WIDTH, SpecError};
pub use domain::{Domain, Grid, MAX_RATE, MAX_SYMBOLS, SIGNED, Samples, value};
pub use ops::{Function, Kernel, Mask, Node, Op, Pattern, Side};
pub use reach::{EVERYWHERE, Reach, Term};

/// Index of a node in [`NetworkSpec::nodes`].
pub type NodeId = usize;

/// A position relative to the one being coded: frame, row, column (unused axes are 0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offset {
    /// Frames; negative is earlier.
    pub frame: i16,
    /// Rows; negative is above.
    pub row: i16,
    /// Columns, or time steps, or features; negative is left or earlier.
    pub column: i16,
}

impl Offset {
    /// An offset within a picture.
    pub const fn new(row: i16, column: i16) -> Self {
        Self { frame: 0, row, column }
    }
}

/// The description of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkSpec {
    /// Name of the family, as in the zoo's registry.
    pub family: String,
    /// What is coded, and in which order.
    pub symbols: Symbols,
    /// What the decoder knows besides the symbols already coded.
    pub conditions: Vec<Condition>,
    /// Operations; inputs of a node stand before it.
    pub nodes: Vec<Node>,
    /// One for each group of channels, in coding order.
    pub outputs: Vec<Output>,
}

/// The grid of symbols.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbols {
    /// Axes of the grid, slowest first.
    pub axes: Vec<Axis>,
    /// Symbols a position, in coding order.
    pub channels: u16,
    /// Values of a symbol: `0..alphabet`.
    pub alphabet: u32,
    /// The order of positions.
    pub order: Order,
}

/// An axis of the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axis {
    /// Pictures of a video.
    Frame,
    /// Rows of a picture, top to bottom.
    Row,
    /// Columns of a picture, left to right.
    Column,
    /// Samples of audio, or characters of a text.
    Time,
    /// Dimensions without geometry.
    Feature,
}

/// The order in which symbols are coded. The network works on the grid in this order, so that earlier is always a
/// smaller slice, frame, row, column, then channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Last axis fastest; within a position channel after channel.
    Raster,
    /// The same, but the channels of a position in another order: the n-th coded is channel `channels[n]` of the data.
    Permuted {
        /// Every channel once.
        channels: Vec<u16>,
    },
    /// Slice after slice, each a picture of every n-th position: the slices' first positions lie in raster order in a box of
    /// `factors` (Menick 2018, section 3.1). The grid that the network works on is a slice's, and the slice is its first axis.
    Subscale {
        /// Frames, rows, columns from position to position of a slice.
        factors: [u16; 3],
    },
    /// Slices as in [`Order::Subscale`] without the first, which is a condition; all positions of a slice are coded
    /// at the same time (Reed et al. 2017, section 3.1).
    Grouped {
        /// As above.
        factors: [u16; 3],
    },
}

/// Something that is known before the first symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// One of `count` classes.
    Class {
        /// Number of classes.
        count: u32,
    },
    /// A grid of samples beside the grid that the network works on: a picture, a spectrogram.
    Grid {
        /// Samples a place. Where the network works on slices, a picture at full size has those of every slice, slice after
        /// slice.
        channels: u16,
        /// Values of a sample.
        alphabet: u32,
        /// Frames, rows, columns of the network's grid to one of this.
        factors: [u16; 3],
        /// Where it comes from.
        source: Source,
    },
}

/// Where a condition comes from: given, or coded before by another network as a function of the symbols.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The user gives it.
    Given,
    /// Every n-th symbol.
    Subsampled,
    /// The mean of a block, rounded down.
    Averaged,
    /// The luminance, in as many steps as the condition's alphabet has (Kolesnikov 2017, section 3.2).
    Gray,
    /// The highest bits of each symbol (depth upscaling, Menick 2018, section 3.2); the symbols are the others.
    HighBits,
}

/// A distribution, and the node that gives its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The first channel that it is for; it holds up to the next output's first channel.
    pub channel: u16,
    /// The node whose values are the parameters.
    pub parameters: NodeId,
    /// How they are read.
    pub likelihood: Likelihood,
}

/// An output family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Likelihood {
    /// A mixture of logistics, discretized to the alphabet (Salimans et al. 2017, eq. 2), the lowest and highest value
    /// taking the tails, mixed with a uniform floor. Parameters: log-weights, means, log-scales, each of `components`.
    /// Means are in units of `2^unit * scale` relative to the local mean, log-scales relative to the log of the scale.
    LogisticMixture {
        /// Logistics.
        components: u8,
        /// [`Op::LocalMean`].
        mean: NodeId,
        /// [`Op::LocalScale`].
        scale: NodeId,
        /// log2 of how many scales make one unit of a mean.
        unit: u8,
        /// -log2 of the floor's weight.
        floor: u8,
    },
    /// Two values. Parameter: the log-odds of 1.
    Bernoulli,
    /// Any distribution. Parameters: a log-weight a value, channel after channel.
    Categorical,
    /// A mixture of logistics over all channels of the output at once; the means of a channel are moved by a linear function
    /// of the channels before (Salimans et al. 2017, section 2.2), in fixed units of the alphabet.
    /// Parameters of each component: a log-weight, means and log-scales of the channels, coefficients.
    CoupledMixture {
        /// Components.
        components: u8,
    },
    /// A mixture of logistics over the numbers of 16 bits in two's complement, one channel. Parameters: log-weights, means in
    /// units of the component's own scale, log-scales around 4, each of `components`.
    SignedMixture {
        /// Logistics.
        components: u8,
    },
}
