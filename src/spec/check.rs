//! Limits, and the checks of everything in a description but its nodes.
//!
//! What must stay true: whatever passes [`NetworkSpec::widths`] can be executed without an index out of range, an overflow
//! of a size, or an allocation beyond [`MAX_WIDTH`] values a node.

use super::{Condition, Likelihood, NetworkSpec, NodeId, Offset, Op, Order};
use crate::wire::WireError;
use thiserror::Error;

/// Most nodes of a network.
pub const MAX_NODES: usize = 4096;
/// Most values of a node a position.
pub const MAX_WIDTH: usize = 1 << 16;
/// Most weights of one operation.
pub const MAX_WEIGHTS: u64 = 1 << 28;
/// Most symbols a position.
pub const MAX_CHANNELS: usize = 4096;
/// Largest alphabet.
pub const MAX_ALPHABET: u32 = 1 << 16;
/// Most bytes of a family's name.
pub const MAX_NAME: usize = 64;
/// Most conditions.
pub const MAX_CONDITIONS: usize = 16;
/// Largest ratio of two grids an axis.
pub const MAX_STRIDE: u32 = 256;
/// Most slices.
pub const MAX_SLICES: u32 = 4096;

/// Why a description is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SpecError {
    /// The bytes do not hold a description.
    #[error("not a network description: {0}")]
    Wire(#[from] WireError),
    /// What is coded is not described properly.
    #[error("the description of the symbols: {0}")]
    Symbols(&'static str),
    /// A node is wrong.
    #[error("node {node} of the network ({op}): {what}")]
    Node {
        /// Which node.
        node: NodeId,
        /// Its operation.
        op: &'static str,
        /// What is wrong with it.
        what: &'static str,
    },
    /// An output is wrong.
    #[error("output {output} of the network: {what}")]
    Output {
        /// Which output.
        output: usize,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A distribution depends on a symbol that the decoder does not have yet.
    #[error(
        "the distribution of channel {channel} depends on channel {of} at slice {}, frame {}, row {}, column {} \
         (relative), which is not coded earlier", place[0], place[1], place[2], place[3]
    )]
    NotCausal {
        /// Whose distribution.
        channel: u16,
        /// Relative slice, frame, row and column of a symbol that it sees.
        place: [i64; 4],
        /// The channel of that symbol.
        of: u16,
    },
    /// What an output sees is not a union of few enough boxes.
    #[error("node {node} of the network sees too intricate a set of symbols")]
    TooComplex {
        /// Which node.
        node: NodeId,
    },
}

impl NetworkSpec {
    /// The number of values that each node yields a position, after checking the whole description except what
    /// [`check_causal`](Self::check_causal) checks.
    pub fn widths(&self) -> Result<Vec<usize>, SpecError> {
        self.check_symbols()?;
        self.check_conditions()?;
        let shapes = self.shapes()?;
        let widths: Vec<usize> = shapes.iter().map(|s| s.width).collect();
        for (n, output) in self.outputs.iter().enumerate() {
            if shapes.get(output.parameters).and_then(|s| s.stride).is_some_and(|s| s != [1; 3]) {
                return Err(SpecError::Output { output: n, what: "the parameters are on a coarser grid" });
            }
        }
        self.check_outputs(&widths)?;
        Ok(widths)
    }

    /// How much coarser each node's grid is than that of the symbols, an axis; none where its values are the same everywhere.
    pub fn strides(&self) -> Result<Vec<Option<[u32; 3]>>, SpecError> {
        Ok(self.shapes()?.iter().map(|s| s.stride).collect())
    }

    /// The alphabet of each node whose values are samples.
    pub fn alphabets(&self) -> Result<Vec<Option<u32>>, SpecError> {
        Ok(self.shapes()?.iter().map(|s| s.alphabet).collect())
    }

    /// Whether a triple leaves the axes that do not exist at `neutral`.
    pub(super) fn leaves_unused<T: PartialEq>(&self, triple: [T; 3], neutral: T) -> bool {
        triple[..3 - self.symbols.axes.len()].iter().all(|v| *v == neutral)
    }

    /// How many slices the coding order has: 1 where it is not cut.
    pub fn slices(&self) -> u32 {
        let count = |f: &[u16; 3]| f.iter().fold(1u32, |n, &f| n.saturating_mul(u32::from(f)));
        match &self.symbols.order {
            Order::Raster | Order::Permuted { .. } => 1,
            Order::Subscale { factors } => count(factors),
            Order::Grouped { factors } => count(factors).saturating_sub(1),
        }
    }

    /// Whether all positions of a slice are coded at the same time.
    pub(super) fn is_parallel(&self) -> bool {
        matches!(self.symbols.order, Order::Grouped { .. })
    }

    /// Whether the position at `offset` of the same slice is coded before the current one, on the axes that exist.
    pub(super) fn is_causal(&self, offset: Offset) -> bool {
        let parts = [offset.frame, offset.row, offset.column];
        self.leaves_unused(parts, 0) && parts < [0; 3] && !self.is_parallel()
    }

    fn check_symbols(&self) -> Result<(), SpecError> {
        let s = &self.symbols;
        let wrong = |what| Err(SpecError::Symbols(what));
        if self.family.is_empty() || self.family.len() > MAX_NAME || self.family.chars().any(char::is_control) {
            return wrong("the family's name is empty, too long or not printable");
        }
        if !(1..=3).contains(&s.axes.len()) {
            return wrong("there must be one, two or three axes");
        }
        if s.axes.iter().enumerate().any(|(i, a)| s.axes[..i].contains(a)) {
            return wrong("an axis is named twice");
        }
        if !(1..=MAX_CHANNELS).contains(&usize::from(s.channels)) {
            return wrong("the number of channels is 0 or too large");
        }
        if !(2..=MAX_ALPHABET).contains(&s.alphabet) {
            return wrong("the alphabet is too small or too large");
        }
        if self.nodes.is_empty() || self.nodes.len() > MAX_NODES {
            return wrong("the number of nodes is 0 or too large");
        }
        match &s.order {
            Order::Raster => {}
            Order::Permuted { channels } => {
                let mut sorted = channels.clone();
                sorted.sort_unstable();
                if !sorted.iter().copied().eq(0..s.channels) {
                    return wrong("the order does not name every channel once");
                }
                // The identity is written as `Raster`, so that one order has one description.
                if sorted == *channels {
                    return wrong("the order of channels is that of the data");
                }
            }
            Order::Subscale { factors } | Order::Grouped { factors } => {
                if !self.leaves_unused(*factors, 1) || factors.contains(&0) || factors.iter().all(|&f| f == 1) {
                    return wrong("the factors of the slices do not cut the grid");
                }
                if self.slices() > MAX_SLICES {
                    return wrong("there are too many slices");
                }
            }
        }
        Ok(())
    }

    fn check_conditions(&self) -> Result<(), SpecError> {
        let wrong = |what| Err(SpecError::Symbols(what));
        if self.conditions.len() > MAX_CONDITIONS {
            return wrong("there are too many conditions");
        }
        for condition in &self.conditions {
            let (channels, alphabet) = match condition {
                Condition::Class { count } => (1, *count),
                Condition::Grid { channels, alphabet, factors, .. } => {
                    let fits = |&f: &u16| (1..=MAX_STRIDE).contains(&u32::from(f));
                    if !self.leaves_unused(*factors, 1) || !factors.iter().all(fits) {
                        return wrong("the factors of a condition are out of range");
                    }
                    (usize::from(*channels), *alphabet)
                }
            };
            if !(1..=MAX_CHANNELS).contains(&channels) || !(2..=MAX_ALPHABET).contains(&alphabet) {
                return wrong("the channels or values of a condition are out of range");
            }
        }
        Ok(())
    }

    /// The channels of output `n`: from its first up to the next output's. Panics where there is no such output.
    pub fn output_channels(&self, n: usize) -> std::ops::Range<usize> {
        let end = self.outputs.get(n + 1).map_or(self.symbols.channels, |o| o.channel);
        usize::from(self.outputs[n].channel)..usize::from(end)
    }

    fn check_outputs(&self, widths: &[usize]) -> Result<(), SpecError> {
        if self.outputs.first().is_none_or(|o| o.channel != 0) {
            return Err(SpecError::Symbols("no output is for the first channel"));
        }
        for (n, output) in self.outputs.iter().enumerate() {
            let wrong = |what| Err(SpecError::Output { output: n, what });
            let span = self.output_channels(n);
            if span.is_empty() || span.end > usize::from(self.symbols.channels) {
                return wrong("the channels are not in coding order");
            }
            if output.parameters >= self.nodes.len() {
                return wrong("there is no such node");
            }
            let span = span.len();
            let expected = match &output.likelihood {
                Likelihood::LogisticMixture { components, mean, scale, unit, floor } => {
                    let op = |id: NodeId| self.nodes.get(id).map(|n| &n.op);
                    if !matches!((op(*mean), op(*scale)), (Some(Op::LocalMean { .. }), Some(Op::LocalScale { .. }))) {
                        return wrong("mean and scale are not a local mean and a local scale");
                    }
                    if !(1..=64).contains(components) || *unit > 8 || !(1..=20).contains(floor) {
                        return wrong("the number of components, the unit or the floor is out of range");
                    }
                    3 * usize::from(*components) * span
                }
                Likelihood::Bernoulli if self.symbols.alphabet != 2 => {
                    return wrong("the alphabet has more than two values");
                }
                Likelihood::Bernoulli => span,
                Likelihood::Categorical => self.symbols.alphabet as usize * span,
                Likelihood::SignedMixture { components } => {
                    if !(1..=64).contains(components) || self.symbols.alphabet != super::SIGNED || span != 1 {
                        return wrong("the number of components or channels, or the alphabet, is out of range");
                    }
                    3 * usize::from(*components)
                }
                Likelihood::CoupledMixture { components } => {
                    if !(1..=64).contains(components) {
                        return wrong("the number of components is out of range");
                    }
                    usize::from(*components) * (1 + 2 * span + span * (span - 1) / 2)
                }
            };
            if widths[output.parameters] != expected {
                return wrong("the number of parameters is not what the likelihood needs");
            }
        }
        Ok(())
    }
}
