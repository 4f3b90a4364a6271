//! Model files of networks on a grid are not trusted: a damaged one is refused, or it is a program that runs exactly (debug
//! assertions and overflow checks are on in the profile of the tests); and each rule of the proof refuses what breaks it.

use crate::common::Random;
use crate::common::random_program::of_family;
use std::sync::Arc;
use surprisal::engine::grid::reference;
use surprisal::engine::program::{Params, Table};
use surprisal::engine::{GridExecutor, GridNetwork, Kernel, Program, ProgramError};
use surprisal::spec::{Domain, Op};
use surprisal::zoo::{FAMILIES, family};

/// A small program of a family, for data that it takes.
fn program(name: &str, size: i64) -> Program {
    let pictures = |channels, height, width, alphabet| Domain::Pictures { channels, height, width, alphabet };
    let text = Domain::Text { characters: b"abc".to_vec(), segment: 20 };
    let mut domains =
        [pictures(3, 4, 4, 256), pictures(1, 4, 4, 2), pictures(2, 1, 1, 9), text, pictures(3, 8, 8, 256)].into_iter();
    let family = family(name).unwrap();
    domains.find_map(|domain| of_family(family, &domain, size, 7).ok()).expect("data for the family")
}

/// Compares the executor with the definition on one example.
fn run(program: Program) {
    let program = Arc::new(program);
    let (n, alphabet) = (program.grid().unwrap().symbols(), program.spec().symbols.alphabet);
    let symbols: Vec<u16> = (0..n).map(|i| (i as u32 * 31 % alphabet) as u16).collect();
    let Ok(network) = GridNetwork::new(Arc::clone(&program), Kernel::best()) else { return };
    let values = reference::evaluate(&program, &symbols, 0);
    let mut executor = GridExecutor::new(&network);
    executor.all(&[&symbols], &[0]);
    for step in 0..n {
        let got: Vec<i64> = executor.parameters(step, 0).iter().map(|v| (*v).into()).collect();
        assert_eq!(got, reference::parameters(&program, &values, step), "step {step}");
    }
}

fn mutate(original: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = original.to_vec();
    // The beginning holds the description.
    let place = |random: &mut Random| match random.below(3) {
        0 => random.below(original.len().min(600)),
        _ => random.below(original.len()),
    };
    let (a, b) = (place(random), place(random));
    match random.below(6) {
        0 => bytes.truncate(a),
        1 => drop(bytes.drain(a.min(b)..a.max(b).min(a.min(b) + 40))),
        2 => bytes[a] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)],
        3 => (0..1 + random.below(20)).for_each(|_| bytes[place(random)] = random.below(256) as u8),
        _ => bytes[a] ^= 1 << random.below(8),
    }
    bytes
}

#[test]
fn damaged_files_are_refused_or_safe_to_run() {
    let random = &mut Random(1);
    for family in FAMILIES {
        let original = program(family.name, 3);
        let good = original.to_bytes();
        assert_eq!(Program::from_bytes(&good).unwrap().id(), original.id());
        let (mut refused, mut ran) = (0, 0);
        for number in 0..150 {
            let bytes = mutate(&good, random);
            let Ok(program) = Program::from_bytes(&bytes) else {
                refused += 1;
                continue;
            };
            assert!(program.to_bytes() == bytes, "{}: mutation {number} has another spelling", family.name);
            let values: usize = program.spec().widths().unwrap().iter().sum();
            if values * program.grid().map_or(usize::MAX, |g| g.symbols()) > 1 << 21 {
                continue;
            }
            let result = std::panic::catch_unwind(|| run(program));
            assert!(result.is_ok(), "{}: mutation {number} was loaded and failed", family.name);
            ran += 1;
        }
        println!("{}: {refused} refused, {ran} run, {} bytes", family.name, good.len());
        assert!(refused > 20 && ran > 5, "{}: {refused} refused, {ran} run", family.name);
    }
}

#[test]
fn each_rule_of_the_proof_refuses() {
    // The first node of a kind, changed.
    let changed = |name: &str, is: fn(&Op) -> bool, change: &dyn Fn(&mut Params)| {
        let original = program(name, 4);
        let mut params: Vec<Params> = (0..original.spec().nodes.len()).map(|n| original.params(n).clone()).collect();
        let node = original.spec().nodes.iter().position(|n| is(&n.op)).expect("such a node");
        change(&mut params[node]);
        let heads = (0..original.spec().outputs.len()).map(|o| original.head(o).clone()).collect();
        Program::new("changed", original.domain().clone(), original.spec().clone(), params, heads)
    };
    let refused = |name, is, says: &str, change: &dyn Fn(&mut Params)| match changed(name, is, change) {
        Err(ProgramError::Node { what, .. }) => assert!(what.contains(says), "{what}"),
        other => panic!("{says}: {other:?}"),
    };
    let masked = |op: &Op| matches!(op, Op::MaskedLinear { .. } | Op::Convolution { .. });
    let linear = |change: fn(&mut Vec<i16>, &mut Vec<i32>, &mut Vec<u8>)| {
        move |params: &mut Params| match params {
            Params::Linear { weights, bias, shift, .. } => change(weights, bias, shift),
            _ => panic!("a product"),
        }
    };
    for name in ["made", "pixelcnn"] {
        assert!(changed(name, masked, &|_| {}).is_ok());
        refused(name, masked, "mask", &linear(|weights, _, _| weights.iter_mut().for_each(|w| *w |= 1)));
        refused(name, masked, "overflow", &linear(|_, bias, _| bias[0] = i32::MAX));
        refused(name, masked, "shape", &linear(|weights, _, _| weights.truncate(weights.len() - 1)));
        refused(name, masked, "shift", &linear(|_, _, shift| shift[0] = 31));
    }
    let lstm = |op: &Op| matches!(op, Op::Lstm { .. });
    let table = |values| Table { shift: 0, first: 0, values };
    refused("char-rnn", lstm, "overflow 16 bits", &|params| {
        let Params::Lstm { sigmoid, squash, .. } = params else { panic!("recurrent") };
        (*sigmoid, *squash) = (table(vec![i16::MIN]), table(vec![i16::MIN]));
    });
    refused("char-rnn", lstm, "range", &|params| {
        let Params::Lstm { high, .. } = params else { panic!("recurrent") };
        *high = i16::MIN;
    });
    refused("char-rnn", lstm, "table", &|params| {
        let Params::Lstm { tanh, .. } = params else { panic!("recurrent") };
        tanh.shift = 31;
    });
    let attention = |op: &Op| matches!(op, Op::Attention { .. });
    refused("pixelsnail", attention, "64 bits", &|params| {
        let Params::Attention { shift, .. } = params else { panic!("attention") };
        *shift = 41;
    });
    refused("pixelsnail", attention, "fall", &|params| {
        let Params::Attention { exp, .. } = params else { panic!("attention") };
        exp[0] += 1;
    });
    let function = |op: &Op| matches!(op, Op::Activation { .. });
    refused("pixelsnail", function, "table", &|params| *params = Params::Table(table(vec![])));
    let gate = |op: &Op| matches!(op, Op::Gate);
    refused("wavenet", gate, "shift", &|params| *params = Params::Gate { shift: 0, low: 0, high: 1 });
    refused("wavenet", gate, "range", &|params| *params = Params::Gate { shift: 1, low: 2, high: 1 });
    refused("wavenet", gate, "another operation", &|params| *params = Params::None);
    let embedding = |op: &Op| matches!(op, Op::Embedding { .. });
    refused("char-rnn", embedding, "length", &|params| *params = Params::Embedding { values: vec![1; 3] });
}

#[test]
fn programs_are_for_the_data_that_they_name() {
    let original = program("pixelcnn", 2);
    let again = |domain: Domain| {
        let params = (0..original.spec().nodes.len()).map(|n| original.params(n).clone()).collect();
        let heads = (0..original.spec().outputs.len()).map(|o| original.head(o).clone()).collect();
        Program::new("again", domain, original.spec().clone(), params, heads)
    };
    assert!(again(original.domain().clone()).is_ok());
    let other = Domain::Pictures { channels: 3, height: 4, width: 4, alphabet: 255 };
    assert!(matches!(again(other), Err(ProgramError::Domain(_))));
    let other = Domain::Pictures { channels: 3, height: u32::MAX, width: u32::MAX, alphabet: 256 };
    assert!(matches!(again(other), Err(ProgramError::Domain(_))));
    let huge = Domain::Pictures { channels: 3, height: 2000, width: 2000, alphabet: 256 };
    assert!(matches!(again(huge), Err(ProgramError::Domain(_))));
    // Nothing that is not in the family for photographs is run on them.
    assert!(again(Domain::Photographs).is_err());
}
