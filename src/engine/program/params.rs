//! The integers of each operation, and what they mean.
//!
//! What must stay true: an operation's result is fixed to the bit by this text; executors differ in speed alone.

#[cfg(doc)]
use crate::spec::Op;

/// The integers of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Params {
    /// The operation has none.
    None,
    /// [`Op::LocalScale`].
    Scale {
        /// `[largest sum + 1]`: the level of each sum of absolute differences.
        level: Vec<u8>,
    },
    /// [`Op::Normalize`]: `((clamp(d, -limit, limit) << shift) * multiplier) >> 16`, each a level.
    Normalize {
        /// `[levels]`.
        limit: Vec<i16>,
        /// `[levels]`.
        shift: Vec<u8>,
        /// `[levels]`.
        multiplier: Vec<i16>,
    },
    /// [`Op::Linear`], [`Op::MaskedLinear`], [`Op::Convolution`], [`Op::Transposed`]:
    /// `clamp((W x + bias + 2^(shift - 1)) >> shift, low, high)`. For the last two, x is the inputs at each tap, one after the
    /// other, taps in raster order, zero where a tap reads nothing. Weights that a mask leaves out are zero.
    Linear {
        /// `[outputs][inputs]`, or `[outputs][taps][inputs]`.
        weights: Vec<i16>,
        /// `[outputs]`.
        bias: Vec<i32>,
        /// `[outputs]`: 1 to 30.
        shift: Vec<u8>,
        /// Smallest output.
        low: i16,
        /// Largest output.
        high: i16,
    },
    /// [`Op::Activation`].
    Table(Table),
    /// [`Op::Gate`]: `clamp((a b + 2^(shift - 1)) >> shift, low, high)`.
    Gate {
        /// 1 to 30.
        shift: u8,
        /// Smallest output.
        low: i16,
        /// Largest output.
        high: i16,
    },
    /// [`Op::Embedding`].
    Embedding {
        /// `[inputs][alphabet][outputs]`.
        values: Vec<i16>,
    },
    /// [`Op::Constant`].
    Constant {
        /// `[outputs]`.
        values: Vec<i16>,
    },
    /// [`Op::Lstm`]. With the products a of `[x, h]` (x, then the last output; zero before the first position) as in
    /// [`Params::Linear`], in four parts i, f, g, o of a state's width each, and the cell c (zero at first):
    /// `c <- clamp((sigmoid(f) c + sigmoid(i) tanh(g) + 2^13) >> 14, -2^24, 2^24)`, `h <- (sigmoid(o) tanh(c) + 2^14) >> 15`,
    /// in i64. The tables give 14 fractional bits; c has 14, h 13.
    Lstm {
        /// `[4 cells][inputs + cells]`.
        weights: Vec<i16>,
        /// `[4 cells]`.
        bias: Vec<i32>,
        /// `[4 cells]`: 1 to 30.
        shift: Vec<u8>,
        /// Largest magnitude of a product.
        high: i16,
        /// For i, f and o.
        sigmoid: Table,
        /// For g.
        tanh: Table,
        /// For c, which is an i32.
        squash: Table,
    },
    /// [`Op::Attention`]. In each head `s_j = q k_j` (i64), `d_j = max_j s_j - s_j`,
    /// `e_j = exp[min((d_j * multiplier) >> shift, exp.len() - 1)]`, and with `E = sum e_j` the output is
    /// `floor((2 sum e_j v_j + E) / (2 E))`; zero where there is no position.
    Attention {
        /// Below 2^16.
        multiplier: u16,
        /// At most 40.
        shift: u8,
        /// `exp(-d)`, falling from 2^15; at most 4096 entries.
        exp: Vec<u16>,
    },
    /// [`Op::Add`]: `clamp(a + b, low, high)`.
    Add {
        /// Smallest output.
        low: i16,
        /// Largest output.
        high: i16,
    },
}

/// A function of one variable: `values[clamp(x >> shift, first, first + values.len() - 1) - first]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// At most 30.
    pub shift: u8,
    /// Index of the first entry.
    pub first: i32,
    /// At most 2^16, at least one.
    pub values: Vec<i16>,
}

/// The values that a column of a node can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// Smallest.
    pub low: i16,
    /// Largest.
    pub high: i16,
}

impl Range {
    /// The largest magnitude.
    pub fn magnitude(self) -> i64 {
        i64::from(self.low).abs().max(i64::from(self.high).abs())
    }
}
