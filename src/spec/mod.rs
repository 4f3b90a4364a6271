//! A network described once, as data: trainer, quantizer, coder and GPU all execute this description.
//!
//! A [`NetworkSpec`] holds no weights. It says what is coded in which order ([`Symbols`]), what else the decoder knows
//! ([`Condition`]), which operations lead from symbols already coded to parameters ([`Node`]) and which distribution the
//! parameters stand for ([`Output`]).
//!
//! What must stay true: no output sees a symbol that is coded at the same time or later.
#![deny(clippy::float_arithmetic)]

mod bytes;
mod shapes;

pub use shapes::{MAX_ALPHABET, MAX_CHANNELS, MAX_NODES, MAX_WEIGHTS, MAX_WIDTH, SpecError};

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

/// The order in which positions are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Last axis fastest; within a position channel after channel.
    Raster,
}

/// Something that is known before the first symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// One of `count` classes.
    Class {
        /// Number of classes.
        count: u32,
    },
}

/// An operation and where its inputs come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What is done.
    pub op: Op,
    /// Nodes that stand before this one.
    pub inputs: Vec<NodeId>,
}

/// An operation. Each yields a vector of [`width`](NetworkSpec::widths) values a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// Samples at causal offsets: channel after channel, within a channel in the order of `offsets`.
    Neighbours {
        /// Positions coded before the current one.
        offsets: Vec<Offset>,
    },
    /// The first `channels` samples of the current position: already coded when a later channel is.
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
    /// `q = round(4 log2(sum / n + 0.3))` with n terms, kept in a table. Inputs: [`Op::Neighbours`], [`Op::LocalMean`].
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
}
