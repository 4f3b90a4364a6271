//! Contracts of running programs on grids, for every family of the registry: at once and step by step equal the definition,
//! with every kernel and any number of examples; no symbol's parameters depend on it or on a later one.

mod common;

use common::Random;
use common::random_program::of_family;
use std::collections::BTreeMap;
use std::sync::Arc;
use surprisal::engine::grid::reference;
use surprisal::engine::{GridExecutor, GridNetwork, Kernel, Program};
use surprisal::spec::Domain;
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
        Domain::Sound { segment: 33, rate: 8000 },
    ]
}

/// Programs of a family for some data, of all sizes that it can have there.
fn programs(family: &'static Family, sizes: &'static [i64]) -> impl Iterator<Item = Arc<Program>> {
    domains().into_iter().flat_map(move |domain| {
        sizes.iter().filter_map(move |size| of_family(family, &domain, *size, *size as u64).ok().map(Arc::new))
    })
}

/// Calls `test` with some programs of each family.
fn for_each_family(sizes: &'static [i64], mut test: impl FnMut(&Arc<Program>)) {
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

fn examples(program: &Program, count: usize, random: &mut Random) -> Vec<Vec<u16>> {
    let (n, alphabet) = (program.grid().unwrap().symbols(), program.spec().symbols.alphabet as usize);
    (0..count).map(|_| (0..n).map(|_| random.below(alphabet) as u16).collect()).collect()
}

fn classes(network: &GridNetwork, count: usize, random: &mut Random) -> Vec<u32> {
    (0..count).map(|_| random.below(network.classes().unwrap_or(1) as usize) as u32).collect()
}

/// The parameters of every symbol, by the definition.
fn expected(program: &Program, symbols: &[u16], class: u32) -> Vec<Vec<i64>> {
    let values = reference::evaluate(program, symbols, class);
    (0..program.grid().unwrap().symbols()).map(|t| reference::parameters(program, &values, t)).collect()
}

fn wide(parameters: &[i16]) -> Vec<i64> {
    parameters.iter().map(|v| (*v).into()).collect()
}

/// Steps and everything at once, for some examples.
fn check(program: &Arc<Program>, kernel: Kernel, batches: &[usize], random: &mut Random) {
    let network = GridNetwork::new(Arc::clone(program), kernel).unwrap();
    let (mut steps, mut all) = (GridExecutor::new(&network), GridExecutor::new(&network));
    for &count in batches {
        let (examples, classes) = (examples(program, count, random), classes(&network, count, random));
        let expected: Vec<_> = examples.iter().zip(&classes).map(|(e, c)| expected(program, e, *c)).collect();
        all.all(&examples.iter().map(|e| &e[..]).collect::<Vec<_>>(), &classes);
        steps.begin(count, &classes);
        for t in 0..network.symbols() {
            steps.step(t);
            for lane in 0..count {
                assert_eq!(wide(all.parameters(t, lane)), expected[lane][t], "at once, {t} of {lane} in {count}");
                assert_eq!(wide(steps.parameters(t, lane)), expected[lane][t], "step {t} of {lane} in {count}");
                steps.set(t, lane, examples[lane][network.data_index(t)]);
            }
        }
    }
}

#[test]
fn steps_and_everything_at_once_equal_the_reference() {
    let random = &mut Random(1);
    for_each_family(&[1, 2, 3, 5, 18], |program| check(program, Kernel::best(), &[1, 3, 2], random));
}

#[test]
fn every_kernel_equals_the_reference() {
    for kernel in Kernel::ALL {
        if !kernel.is_available() {
            println!("skipped: {}", kernel.name());
            continue;
        }
        let random = &mut Random(2);
        for_each_family(&[3], |program| check(program, kernel, &[7], random));
    }
}

#[test]
fn no_parameters_depend_on_their_symbol_or_a_later_one() {
    let random = &mut Random(3);
    let mut changes: BTreeMap<String, usize> = BTreeMap::new();
    for_each_family(&[3, 6], |program| {
        let network = GridNetwork::new(Arc::clone(program), Kernel::Scalar).unwrap();
        let example = examples(program, 1, random).remove(0);
        let class = classes(&network, 1, random)[0];
        let before = expected(program, &example, class);
        let (n, alphabet) = (network.symbols(), program.spec().symbols.alphabet as usize);
        let changes = changes.entry(program.spec().family.clone()).or_default();
        for t in [0, 1, n / 3, n / 2, n - 2, n - 1] {
            let mut other = example.clone();
            for t in t..n {
                let symbol = &mut other[network.data_index(t)];
                *symbol = (*symbol + 1 + random.below(alphabet - 1) as u16) % alphabet as u16;
            }
            let after = expected(program, &other, class);
            assert_eq!(before[..=t], after[..=t], "from symbol {t} on");
            *changes += usize::from(before != after);
        }
    });
    // A histogram is the same whatever comes before.
    assert!(changes.iter().all(|(family, n)| (*n > 0) != (family == "histogram")), "{changes:?}");
}

#[test]
fn a_short_example_is_as_if_zeros_followed() {
    let random = &mut Random(4);
    for_each_family(&[2], |program| {
        let network = GridNetwork::new(Arc::clone(program), Kernel::best()).unwrap();
        let mut example = examples(program, 1, random).remove(0);
        let n = example.len() / 2;
        let mut executor = GridExecutor::new(&network);
        executor.all(&[&example[..n]], &[0]);
        let short: Vec<_> = (0..network.symbols()).map(|t| executor.parameters(t, 0).to_vec()).collect();
        example[n..].fill(0);
        assert_eq!(expected(program, &example, 0), short.iter().map(|p| wide(p)).collect::<Vec<_>>());
    });
}
