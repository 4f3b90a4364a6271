//! Which earlier symbols a distribution depends on, and how much: the receptive field as the weights have it.
//!
//! A description says what a network could see; whether it does is seen by changing one symbol after another. For a network of
//! whole numbers that takes the place of the gradient, and zero means exactly that: never seen.
//!
//! What must stay true: the figures are sums of whole numbers, the same on every machine.

use super::{GridExecutor, GridNetwork};

/// Examples that are computed side by side.
const LANES: usize = 32;

/// For each step before `step`, how much the parameters of `step` change if the symbol of that step is another one: the sum of
/// magnitudes over parameters and examples. `classes` holds a class an example, or nothing. Examples are in the order of the data; a symbol s is replaced by
/// `(s + alphabet / 2) mod alphabet`.
///
/// # Panics
/// If there is no such step, or as [`GridExecutor::all`] does.
pub fn influence(network: &GridNetwork, examples: &[&[u16]], classes: &[u32], step: usize) -> Vec<u64> {
    assert!(step < network.symbols(), "there is no such step");
    let alphabet = network.program().spec().symbols.alphabet;
    let mut executor = GridExecutor::new(network);
    let mut sums = vec![0u64; step];
    for (number, example) in examples.iter().enumerate() {
        let class = [classes.get(number).copied().unwrap_or(0); LANES];
        executor.all(&[*example], &class[..1]);
        let plain = executor.parameters(step, 0).to_vec();
        for first in (0..step).step_by(LANES) {
            let steps = first..step.min(first + LANES);
            let changed = steps.clone().map(|at| {
                let mut changed = example.to_vec();
                let symbol = &mut changed[network.data_index(at)];
                *symbol = ((u32::from(*symbol) + alphabet / 2) % alphabet) as u16;
                changed
            });
            let changed: Vec<Vec<u16>> = changed.collect();
            let changed: Vec<&[u16]> = changed.iter().map(Vec::as_slice).collect();
            executor.all(&changed, &class[..changed.len()]);
            for (lane, at) in steps.enumerate() {
                let pairs = executor.parameters(step, lane).iter().zip(&plain);
                sums[at] += pairs.map(|(a, b)| u64::from(a.abs_diff(*b))).sum::<u64>();
            }
        }
    }
    sums
}
