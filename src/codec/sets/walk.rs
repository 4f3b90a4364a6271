//! The walk over the symbols of some examples, side by side.
//!
//! What must stay true: the order is that of FORMAT.md ("Sets"), and a symbol's distribution depends on nothing but symbols
//! that come before it and the example's class.

use crate::engine::grid::{GridExecutor, GridNetwork};
use crate::entropy::{Coder, Damaged};
use crate::likelihood::{Context, Head, Scratch};

/// What is done with each symbol.
pub(super) trait Visit {
    /// Takes the symbol at `index` (in the order of the data) of example `lane`, if it is known, and gives it back; or gives the
    /// one that was read or drawn.
    fn symbol(&mut self, lane: usize, index: usize, given: &mut Given<'_>, symbol: u16) -> Result<u16, Damaged>;
}

/// What is known about a symbol before it.
pub(super) struct Given<'a> {
    /// What makes the parameters a distribution.
    pub head: &'a Head,
    /// The parameters and what else the head needs.
    pub context: Context<'a>,
    /// Room for it.
    pub scratch: &'a mut Scratch,
}

impl Given<'_> {
    /// Codes the symbol.
    #[inline]
    pub fn code(&mut self, coder: &mut impl Coder, symbol: u16) -> Result<u16, Damaged> {
        self.head.code(self.context, self.scratch, coder, symbol.into()).map(|s| s as u16)
    }
}

/// One coder for all examples.
pub(super) struct Together<C>(pub C);

impl<C: Coder> Visit for Together<C> {
    #[inline]
    fn symbol(&mut self, _: usize, _: usize, given: &mut Given<'_>, symbol: u16) -> Result<u16, Damaged> {
        given.code(&mut self.0, symbol)
    }
}

/// A coder for each example.
pub(super) struct Apart<'c, C>(pub &'c mut [C]);

impl<C: Coder> Visit for Apart<'_, C> {
    #[inline]
    fn symbol(&mut self, lane: usize, _: usize, given: &mut Given<'_>, symbol: u16) -> Result<u16, Damaged> {
        given.code(&mut self.0[lane], symbol)
    }
}

/// How the network runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// Step by step: symbols need not be known.
    Steps,
    /// All places at once: symbols are known.
    AtOnce,
}

/// An output's channel.
struct Channel {
    output: usize,
    /// Its number within the output, and how many the output has.
    number: usize,
    count: usize,
}

/// Walks over groups of examples; one for a thread.
pub(super) struct Walker<'n> {
    network: &'n GridNetwork,
    executor: GridExecutor<'n>,
    channels: Vec<Channel>,
    scratch: Scratch,
    known: Vec<u16>,
}

impl<'n> Walker<'n> {
    pub fn new(network: &'n GridNetwork) -> Self {
        let spec = network.program().spec();
        let channel = |step| {
            let (output, number) = network.output(step);
            Channel { output, number, count: spec.output_channels(output).len() }
        };
        let channels = (0..usize::from(network.grid().channels)).map(channel).collect();
        let executor = GridExecutor::new(network);
        Self { network, executor, channels, scratch: Scratch::default(), known: Vec::new() }
    }

    /// Walks over examples one after the other in `symbols`, of which the last may be short; what `visit` gives is written
    /// there. `classes` has one for each example if the network has classes.
    ///
    /// # Errors
    /// Those of `visit`.
    pub fn walk(
        &mut self,
        symbols: &mut [u16],
        classes: &[u32],
        how: How,
        visit: &mut impl Visit,
    ) -> Result<(), Damaged> {
        let (network, size) = (self.network, self.network.symbols());
        let lanes = symbols.len().div_ceil(size);
        if lanes == 0 {
            return Ok(());
        }
        match how {
            How::Steps => self.executor.begin(lanes, classes),
            How::AtOnce => self.executor.all(&symbols.chunks(size).collect::<Vec<_>>(), classes),
        }
        let longest = symbols.len().min(size);
        let last = (0..size).rev().find(|step| network.data_index(*step) < longest);
        for step in 0..last.map_or(0, |s| s + 1) {
            if how == How::Steps {
                self.executor.step(step);
            }
            let index = network.data_index(step);
            let channel = &self.channels[step % self.channels.len()];
            let head = network.program().head(channel.output);
            let coupled = matches!(head, Head::Coupled(_));
            for lane in 0..lanes {
                // Of all examples the last alone may have ended.
                let at = lane * size + index;
                let Some(symbol) = symbols.get(at).copied() else { continue };
                self.known.clear();
                if coupled {
                    let before = step - channel.number..step;
                    self.known.extend(before.map(|s| symbols[lane * size + network.data_index(s)]));
                }
                let context = Context {
                    parameters: self.executor.parameters(step, lane),
                    alphabet: network.program().spec().symbols.alphabet,
                    channels: channel.count,
                    known: &self.known,
                };
                let symbol =
                    visit.symbol(lane, index, &mut Given { head, context, scratch: &mut self.scratch }, symbol)?;
                symbols[at] = symbol;
                if how == How::Steps {
                    self.executor.set(step, lane, symbol);
                }
            }
        }
        Ok(())
    }
}
