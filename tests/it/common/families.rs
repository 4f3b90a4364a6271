//! Programs of every family of the registry, and examples for them.

use super::Random;
use super::random_program::of_family;
use std::sync::Arc;
use surprisal::engine::grid::reference;
use surprisal::engine::{GridNetwork, Program};
use surprisal::spec::{Domain, Samples};
use surprisal::zoo::{FAMILIES, Family};

/// Data of every kind, small; a family is tested with those that it takes.
fn domains() -> Vec<Domain> {
    let pictures = |channels, height, width, alphabet| Domain::Pictures { channels, height, width, alphabet };
    vec![
        pictures(1, 6, 5, 2),
        pictures(3, 8, 8, 256),
        pictures(1, 4, 4, 16),
        pictures(2, 1, 1, 9),
        pictures(2, 3, 4, 2),
        Domain::Text { characters: (b'a'..b'j').collect(), segment: 40 },
        Domain::Sound { segment: 33, rate: 8000, samples: Samples::MuLaw },
        Domain::Sound { segment: 40, rate: 8000, samples: Samples::Linear },
    ]
}

/// Programs of a family for some data, of all sizes that it can have there.
fn programs(family: &'static Family, sizes: &'static [i64]) -> impl Iterator<Item = Arc<Program>> {
    domains().into_iter().flat_map(move |domain| {
        sizes.iter().filter_map(move |size| of_family(family, &domain, *size, *size as u64).ok().map(Arc::new))
    })
}

/// Calls `test` with some programs of each family.
pub fn for_each_family(sizes: &'static [i64], mut test: impl FnMut(&Arc<Program>)) {
    for family in FAMILIES {
        let mut tested = 0;
        for program in programs(family, sizes) {
            println!("{} for {:?}", family.name, program.domain());
            test(&program);
            tested += 1;
        }
        assert!(tested > 0, "no data for the family {}", family.name);
    }
}

/// Some examples of random symbols.
pub fn examples(program: &Program, count: usize, random: &mut Random) -> Vec<Vec<u16>> {
    let (n, alphabet) = (program.grid().unwrap().symbols(), program.spec().symbols.alphabet as usize);
    (0..count).map(|_| (0..n).map(|_| random.below(alphabet) as u16).collect()).collect()
}

/// Their classes.
pub fn classes(network: &GridNetwork, count: usize, random: &mut Random) -> Vec<u32> {
    (0..count).map(|_| random.below(network.classes().unwrap_or(1) as usize) as u32).collect()
}

/// The parameters of every symbol, by the definition.
pub fn expected(program: &Program, symbols: &[u16], class: u32) -> Vec<Vec<i64>> {
    let values = reference::evaluate(program, symbols, class);
    (0..program.grid().unwrap().symbols()).map(|t| reference::parameters(program, &values, t)).collect()
}
