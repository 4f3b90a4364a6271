//! Sampling with and without cached values: `cargo bench --bench sampling [-- FAMILY...]`.
//!
//! Draws 28 x 28 pictures from each family of the registry at its default sizes, with random integers in place of trained
//! ones, which take the same time. Cached: each value is computed once, as soon as what it depends on is known
//! (Ramachandran et al. 2017), for one picture and for many in lockstep. Not cached: everything is computed anew for each
//! symbol. All on one core; the drawn pictures must be the same.

#[allow(dead_code, reason = "only the random programs are used")]
#[path = "../tests/it/common/mod.rs"]
mod common;

use common::random_program;
use std::sync::Arc;
use std::time::Instant;
use surprisal::engine::{GridExecutor, GridNetwork, Kernel};
use surprisal::entropy::Sampler;
use surprisal::likelihood::{Context, Scratch};
use surprisal::spec::Domain;
use surprisal::zoo::{FAMILIES, Family, Sizes};

/// Pictures in lockstep.
const LANES: usize = 64;

fn main() {
    // cargo test starts benchmarks, too, only to see them start.
    if !std::env::args().any(|a| a == "--bench") {
        return;
    }
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    println!(
        "family           MACs a pixel   bytes a picture   pictures/s: {LANES} at a time   one   not cached   times"
    );
    for family in FAMILIES.iter().filter(|f| wanted.is_empty() || wanted.iter().any(|w| w == f.name)) {
        if let Some(network) = network(family) {
            row(family.name, &network);
        }
    }
}

/// A program for binary digits, or else for gray ones.
fn network(family: &Family) -> Option<GridNetwork> {
    let sizes = Sizes::new(family.settings, &[]).expect("defaults");
    [2, 256].into_iter().find_map(|alphabet| {
        let domain = Domain::Pictures { channels: 1, height: 28, width: 28, alphabet };
        let spec = (family.build)(&domain, &sizes).ok()?;
        let program = Arc::new(random_program::program(&domain, spec, 1));
        Some(GridNetwork::new(program, Kernel::best()).expect("a program for a grid"))
    })
}

fn row(name: &str, network: &GridNetwork) {
    let (many, many_seconds) = cached(network, LANES);
    let (one, one_seconds) = cached(network, 1);
    let (again, seconds) = not_cached(network);
    assert!(one == again && one[0] == many[0], "the pictures differ");
    let pixels = network.grid().positions() as u64;
    let (many, one, again) = (LANES as f64 / many_seconds, 1.0 / one_seconds, 1.0 / seconds);
    println!(
        "{name:15} {:13} {:17} {many:29.1} {one:5.1} {again:12.3} {:7.0}",
        network.macs() / pixels,
        network.bytes(),
        one / again,
    );
}

/// Draws the symbol of a step.
fn draw(network: &GridNetwork, parameters: &[i16], step: usize, known: &[u16], sampler: &mut Sampler) -> u16 {
    let program = network.program();
    let (output, channel) = network.output(step);
    let context = Context {
        parameters,
        alphabet: program.spec().symbols.alphabet,
        channels: program.spec().output_channels(output).len(),
        known: &known[known.len() - channel..],
    };
    program.head(output).code(context, &mut Scratch::default(), sampler, 0).expect("a sampler reads nothing") as u16
}

/// Pictures, in coding order, and how long they took.
fn cached(network: &GridNetwork, lanes: usize) -> (Vec<Vec<u16>>, f64) {
    let mut executor = GridExecutor::new(network);
    let mut best = f64::INFINITY;
    let mut pictures = vec![];
    for _ in 0..2 {
        let mut samplers: Vec<Sampler> = (0..lanes as u64).map(Sampler::new).collect();
        pictures = vec![vec![]; lanes];
        let start = Instant::now();
        executor.begin(lanes, &vec![0; lanes]);
        for step in 0..network.symbols() {
            executor.step(step);
            for (lane, (picture, sampler)) in pictures.iter_mut().zip(&mut samplers).enumerate() {
                let symbol = draw(network, executor.parameters(step, lane), step, picture, sampler);
                executor.set(step, lane, symbol);
                picture.push(symbol);
            }
        }
        best = best.min(start.elapsed().as_secs_f64());
    }
    (pictures, best)
}

/// One picture for which everything is computed again for each symbol.
fn not_cached(network: &GridNetwork) -> (Vec<Vec<u16>>, f64) {
    let mut executor = GridExecutor::new(network);
    let mut sampler = Sampler::new(0);
    let mut picture = vec![];
    let mut example = vec![0; network.symbols()];
    let start = Instant::now();
    for step in 0..network.symbols() {
        executor.all(&[&example], &[0]);
        let symbol = draw(network, executor.parameters(step, 0), step, &picture, &mut sampler);
        example[network.data_index(step)] = symbol;
        picture.push(symbol);
    }
    (vec![picture], start.elapsed().as_secs_f64())
}
