//! Contracts of running programs on grids, for every family of the registry: at once and step by step equal the definition,
//! with every kernel and any number of examples; no symbol's parameters depend on it or on a later one.

use crate::common::Random;
use crate::common::families::{classes, examples, expected, for_each_family};
use crate::common::random_program;
use std::collections::BTreeMap;
use std::sync::Arc;
use surprisal::engine::grid::influence;
use surprisal::engine::{GridExecutor, GridNetwork, Kernel, Program};
use surprisal::spec::{Axis, Domain, Likelihood, Op, Pattern, Side};
use surprisal::zoo::net::{Net, kernel};

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
                *symbol = ((usize::from(*symbol) + 1 + random.below(alphabet - 1)) % alphabet) as u16;
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

/// A kernel of `rows` x `columns` with steps of two, whose tap (row, column) lies on the current place.
fn twice(rows: u16, columns: u16, row: i16, column: i16) -> surprisal::spec::Kernel {
    surprisal::spec::Kernel { stride: [1, 2, 2], ..kernel(rows, columns, row, column) }
}

#[test]
fn channels_of_a_pixel_are_seen_one_after_the_other_whatever_is_in_between() {
    let domain = Domain::Pictures { channels: 3, height: 5, width: 7, alphabet: 16 };
    let mut net = Net::new("channels", &[Axis::Row, Axis::Column], 3, 16);
    let x = net.current(3);
    let (vectors, hot) = (net.embed(3, x), net.add(Op::OneHot, &[x]));
    let (a, b) =
        (net.masked(9, kernel(2, 3, 1, 1), 3, false, vectors), net.masked(9, kernel(1, 3, 0, 1), 3, false, hot));
    let h = net.plus(a, b);
    let unused = net.relu(h);
    net.relu(unused);
    let both = net.add(Op::Mirror, &[h]);
    let negative = net.select(9, 9, both);
    // A rectifier of a layer that something else reads, too.
    let c = net.masked(9, kernel(2, 2, 1, 1), 3, true, negative);
    let r = net.relu(c);
    let (c, r) = (net.masked(6, kernel(1, 1, 0, 0), 3, true, c), net.masked(6, kernel(1, 1, 0, 0), 3, true, r));
    let h = net.gate(c, r);
    let parameters = net.masked(48, kernel(1, 1, 0, 0), 3, true, h);
    let spec = net.finish(parameters, Likelihood::Categorical);
    let program = Arc::new(random_program::program(&domain, spec, 1));
    check(&program, Kernel::best(), &[2, 1, 5], &mut Random(6));
}

#[test]
fn coarser_grids_of_odd_sides_and_every_pattern_of_attention_equal_the_reference() {
    let patterns = [
        Pattern::All,
        Pattern::Line { axis: 0 },
        Pattern::Line { axis: 1 },
        Pattern::Trailing { axes: 1 },
        Pattern::Trailing { axes: 2 },
        Pattern::Block { size: [1, 2, 3] },
        Pattern::Summary { block: 3, last: 2 },
    ];
    let domain = Domain::Pictures { channels: 1, height: 7, width: 5, alphabet: 4 };
    for (seed, pattern) in patterns.into_iter().enumerate() {
        let mut net = Net::new("patterns", &[Axis::Row, Axis::Column], 1, 4);
        let x = net.samples();
        let before = net.add(Op::Previous, &[]);
        let before = net.embed(5, before);
        let (above, left) = (net.conv(5, kernel(2, 5, 2, 2), x), net.conv(5, kernel(1, 2, 0, 2), x));
        // Rows above those that a coarse place covers.
        let coarse = net.conv(3, twice(3, 3, 3, 1), x);
        let coarse = net.relu(coarse);
        let fine = net.up(5, twice(2, 2, 0, 0), coarse);
        let wide = net.up(5, twice(1, 3, -1, 1), coarse);
        let mut h = net.concat(&[above, left, fine, before, wide]);
        for side in [Side::Earlier, Side::EarlierOrSame] {
            // What the own place may not show is only seen from later ones.
            let known = if side == Side::Earlier { net.concat(&[h, x]) } else { h };
            let (q, k, v) = (net.linear(6, h), net.linear(6, known), net.linear(9, known));
            let seen = net.add(Op::Attention { heads: 3, pattern, side }, &[q, k, v]);
            let (odd, rest) = (net.select(3, 5, seen), net.select(0, 3, seen));
            let odd = net.linear(7, odd);
            h = net.concat(&[h, odd, rest]);
        }
        let parameters = net.linear(4, h);
        let spec = net.finish(parameters, Likelihood::Categorical);
        let program = Arc::new(random_program::program(&domain, spec, seed as u64));
        check(&program, Kernel::best(), &[2, 1], &mut Random(7));
    }
}

#[test]
fn a_distribution_changes_with_symbols_within_its_reach_alone() {
    let mut random = Random(9);
    let mut moved = BTreeMap::new();
    for_each_family(&[3], |program| {
        let network = GridNetwork::new(Arc::clone(program), Kernel::best()).unwrap();
        let (examples, classes) = (examples(program, 2, &mut random), classes(&network, 2, &mut random));
        let examples: Vec<&[u16]> = examples.iter().map(Vec::as_slice).collect();
        let (size, channels) = (network.grid().size.map(|s| s as usize), usize::from(network.grid().channels));
        let place = |t: usize| {
            let p = t / channels;
            [p / (size[1] * size[2]), p / size[2] % size[1], p % size[2]].map(|v| v as i64)
        };
        let step = network.symbols() / 2 + network.symbols() / 4;
        let field = &program.spec().receptive_fields().unwrap()[step % channels];
        let reached = moved.entry(program.spec().family.clone()).or_insert(0);
        for (at, change) in influence(&network, &examples, &classes, step).into_iter().enumerate() {
            let ([f, r, c], here) = (place(at), place(step));
            let is_in = field.contains([0, f - here[0], r - here[1], c - here[2], (at % channels) as i64]);
            assert!(change == 0 || is_in, "{}: step {at} moves step {step}", program.spec().family);
            *reached += u64::from(change > 0);
        }
    });
    assert!(moved.iter().all(|(family, reached)| (family == "histogram") == (*reached == 0)), "{moved:?}");
}
