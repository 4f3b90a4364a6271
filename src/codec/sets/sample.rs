//! Examples drawn from a network.
//!
//! What must stay true: what is drawn depends on the network, the seed, the number of the example and what was asked for, never on
//! threads, kernels or the examples beside it.

use super::layout::Layout;
use super::walk::{Given, How, Visit, Walker};
use crate::codec::Progress;
use crate::engine::grid::GridNetwork;
use crate::entropy::{Damaged, Sampler};
use crate::likelihood::Temperature;
use rayon::prelude::*;

/// What is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Draw<'a> {
    /// Examples.
    pub count: usize,
    /// Symbols of each.
    pub length: usize,
    /// Where the generators start.
    pub seed: u64,
    /// How much the distributions are softened; none: not at all.
    pub temperature: Option<Temperature>,
    /// `[count]` if the network has classes, else nothing.
    pub classes: &'a [u32],
    /// Examples whose first symbols (in the order of the data) are kept, one after the other, `length` each; or nothing.
    pub given: &'a [u16],
    /// How many of their symbols are kept.
    pub kept: usize,
}

/// Draws symbols, each example with a generator of its own.
struct Drawing<'a> {
    samplers: Vec<Sampler>,
    temperature: Option<Temperature>,
    kept: usize,
    parameters: Vec<i16>,
    progress: &'a dyn Progress,
}

impl Visit for Drawing<'_> {
    fn symbol(&mut self, lane: usize, index: usize, given: &mut Given<'_>, symbol: u16) -> Result<u16, Damaged> {
        if lane == 0 {
            self.progress.advance(self.samplers.len() as u64);
        }
        if index < self.kept {
            return Ok(symbol);
        }
        let Some(temperature) = self.temperature else { return given.code(&mut self.samplers[lane], symbol) };
        self.parameters.clear();
        self.parameters.extend_from_slice(given.context.parameters);
        given.head.heat(temperature, &mut self.parameters, given.context.channels);
        let context = crate::likelihood::Context { parameters: &self.parameters, ..given.context };
        let mut heated = Given { head: given.head, context, scratch: &mut *given.scratch };
        heated.code(&mut self.samplers[lane], symbol)
    }
}

/// Draws examples: their symbols one after the other, in the order of the data.
///
/// # Panics
/// If classes, `given` or `length` do not fit the network.
pub fn sample(network: &GridNetwork, draw: &Draw<'_>, progress: &dyn Progress) -> Vec<u16> {
    let Draw { count, length, seed, temperature, classes, given, kept } = *draw;
    assert!((1..=network.symbols()).contains(&length) && kept <= length, "a length");
    assert!(given.is_empty() && kept == 0 || given.len() == count * length, "what is kept");
    let mut symbols = if given.is_empty() { vec![0; count * length] } else { given.to_vec() };
    progress.begin(symbols.len() as u64);
    // Short examples are drawn one by one: a group's are whole but for its last.
    let lanes = if length == network.symbols() { Layout::new(network, count).lanes } else { 1 };
    symbols.par_chunks_mut(lanes * length).enumerate().for_each(|(number, group)| {
        let examples = number * lanes..number * lanes + group.len() / length;
        let samplers = examples.clone().map(|i| Sampler::new(seed_of(seed, i as u64))).collect();
        let mut drawing = Drawing { samplers, temperature, kept, parameters: Vec::new(), progress };
        let classes = if classes.is_empty() { &[] } else { &classes[examples] };
        // A sampler reads nothing that could be damaged.
        let _ = Walker::new(network).walk(group, classes, How::Steps, &mut drawing);
    });
    symbols
}

/// Where the generator of an example starts: the first 8 bytes (little-endian) of the BLAKE3 of the seed and the example's number.
fn seed_of(seed: u64, example: u64) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.update(&example.to_le_bytes());
    u64::from_le_bytes(*hasher.finalize().as_bytes().first_chunk().expect("a hash is longer"))
}
