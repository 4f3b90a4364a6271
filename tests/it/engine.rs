//! Contracts of the engines: whatever runs a program gives the bits of the reference, and no output sees a later symbol.

use std::sync::Arc;
use surprisal::engine::reference::{self, Picture};
use surprisal::engine::{Executor, Field, Kernel, Network, Params, Position, Program, ProgramError};
use surprisal::entropy::Distribution;
use surprisal::spec::{Domain, NetworkSpec, Node, Op};

fn program() -> Arc<Program> {
    let bytes = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/models/photo.srm")).unwrap();
    Arc::new(Program::from_bytes(&bytes).unwrap())
}

/// A picture of gradients, edges and noise, `[channel][row][column]`.
fn picture(width: usize, height: usize, channels: usize) -> Picture {
    let mut state = 7u64;
    let mut noise = |n: u64| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) % n
    };
    let mut sample = |c: usize, y: usize, x: usize| match (x / 9 + y / 7) % 4 {
        0 => (x * 5 + y * 3 + c * 20) as u8,
        1 => noise(256) as u8,
        2 => (200 - 3 * x as i64 + noise(9) as i64).clamp(0, 255) as u8,
        _ => 255 * (x % 2) as u8,
    };
    (0..channels).map(|c| (0..height).map(|y| (0..width).map(|x| sample(c, y, x)).collect()).collect()).collect()
}

fn field(picture: &Picture, network: &Network) -> Field {
    let (height, width) = (picture[0].len(), picture[0][0].len());
    let mut field = Field::new(width, height, picture.len(), network.reach(), true);
    for y in 0..height {
        for x in 0..width {
            (0..picture.len()).for_each(|c| field.set(c, y as isize, x, picture[c][y][x]));
        }
    }
    field
}

#[test]
fn batch_and_step_equal_the_reference_with_every_kernel() {
    equal_the_reference(program());
}

/// The shipped program with another node or two behind it, and other outputs.
fn changed(change: impl FnOnce(&mut NetworkSpec, &mut Vec<Params>)) -> Result<Program, ProgramError> {
    let program = program();
    let mut spec = program.spec().clone();
    let mut params = (0..spec.nodes.len()).map(|node| program.params(node).clone()).collect();
    change(&mut spec, &mut params);
    let tables = (0..spec.outputs.len()).map(|output| program.head(output).clone()).collect();
    Program::new("changed", Domain::Photographs, spec, params, tables)
}

#[test]
fn a_window_can_be_added_and_rectified() {
    let program = changed(|spec, params| {
        let window = spec.nodes.iter().position(|n| matches!(n.op, Op::Neighbours { .. })).unwrap();
        let first = spec.nodes.len();
        spec.nodes.push(Node { op: Op::Add, inputs: vec![window, window] });
        params.push(Params::Add { low: -20, high: 400 });
        spec.nodes.push(Node { op: Op::Relu, inputs: vec![first] });
        params.push(Params::None);
    });
    equal_the_reference(Arc::new(program.unwrap()));
}

#[test]
fn an_output_for_several_channels_is_refused() {
    let refused = changed(|spec, params| {
        let last = spec.outputs[0].parameters;
        spec.nodes.push(Node { op: Op::Concat, inputs: vec![last; 3] });
        params.push(Params::None);
        spec.outputs.truncate(1);
        spec.outputs[0].parameters = spec.nodes.len() - 1;
    });
    assert!(matches!(refused, Err(ProgramError::Output { output: 1, .. })), "{refused:?}");
}

#[test]
fn a_small_file_cannot_ask_for_much_memory() {
    let refused = changed(|spec, params| {
        for _ in 0..17 {
            let last = spec.nodes.len() - 1;
            let inputs = vec![last; if params.len() % 2 == 0 { 2 } else { 1 }];
            spec.nodes.push(Node { op: Op::Concat, inputs });
            params.push(Params::None);
        }
        for _ in 0..600 {
            let last = spec.nodes.len() - 1;
            spec.nodes.push(Node { op: Op::Relu, inputs: vec![last] });
            params.push(Params::None);
        }
    });
    assert!(matches!(refused, Err(ProgramError::TooWide(_))), "{refused:?}");
}

#[test]
fn a_name_that_cannot_be_printed_is_refused() {
    let program = program();
    let params = || (0..program.spec().nodes.len()).map(|node| program.params(node).clone()).collect();
    let tables = || (0..3).map(|output| program.head(output).clone()).collect();
    for name in ["", "\x1b[2J", &"x".repeat(65)] {
        assert!(matches!(
            Program::new(name, Domain::Photographs, program.spec().clone(), params(), tables()),
            Err(ProgramError::Name)
        ));
    }
}

/// A model file is not trusted, and no checksum keeps damage out of it: what the loader takes is what the reference runs.
#[test]
fn changed_model_files_are_refused_or_run_as_the_reference_does() {
    let good = program().to_bytes();
    let mut state = 3u64;
    let mut random = |n: usize| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((state >> 33) as usize) % n
    };
    // Magic, name and description, then integers, then tables.
    let parts = [6..2000, 2000..good.len() - 20_000, good.len() - 20_000..good.len()];
    let mut taken = 0;
    for _ in 0..400 {
        let mut bytes = good.clone();
        for _ in 0..1 + random(2) {
            let part = parts[random(4) % 3].clone();
            let at = part.start + random(part.len());
            bytes[at] = if random(2) == 0 { bytes[at] ^ (1 << random(8)) } else { random(256) as u8 };
        }
        let Ok(program) = Program::from_bytes(&bytes) else { continue };
        assert_eq!(program.to_bytes(), bytes);
        taken += 1;
        let channels = usize::from(program.spec().symbols.channels);
        let picture = picture(6, 4, channels);
        let network = Network::new(Arc::new(program), Kernel::best());
        let field = field(&picture, &network);
        let positions: Vec<_> = (0..4).flat_map(|row| (0..6).map(move |column| Position { row, column })).collect();
        let mut executor = Executor::new(&network, positions.len());
        executor.all(&field, &positions);
        for (i, p) in positions.iter().enumerate().step_by(5) {
            let (y, x) = (p.row as usize, p.column as usize);
            for (node, expected) in reference::evaluate(network.program(), &picture, y, x).iter().enumerate() {
                let values: Vec<_> = executor.values(node, i).iter().map(|v| i64::from(*v)).collect();
                assert!(expected.is_empty() || &values == expected, "node {node}");
            }
            for channel in 0..channels {
                let mixture = executor.distribution(channel, i);
                let bounds: Vec<_> = (0..=256).map(|b| mixture.cumulative(b)).collect();
                assert!(bounds[0] == 0 && bounds[256] == 1 << 24 && bounds.is_sorted_by(|a, b| a < b));
            }
        }
    }
    assert!((50..350).contains(&taken), "{taken} of 400 were taken");
}

fn equal_the_reference(program: Arc<Program>) {
    for kernel in Kernel::ALL {
        if !kernel.is_available() {
            println!("skipped: {}", kernel.name());
            continue;
        }
        let network = Network::new(program.clone(), kernel);
        for (width, height, channels) in [(23, 11, 3), (1, 9, 3), (40, 1, 3), (13, 8, 1), (1, 1, 1)] {
            let picture = picture(width, height, channels);
            let whole = field(&picture, &network);
            let positions: Vec<_> = (0..height as u32)
                .flat_map(|row| (0..width as u32).map(move |column| Position { row, column }))
                .collect();
            let mut batch = Executor::new(&network, positions.len());
            batch.all(&whole, &positions);
            // Step by step: a field that knows only what is coded, one position at a time.
            let mut known = Field::new(width, height, channels, network.reach(), true);
            let mut step = Executor::new(&network, 1);
            for (i, p) in positions.iter().enumerate() {
                let (y, x) = (p.row as usize, p.column as usize);
                for (channel, plane) in picture.iter().enumerate() {
                    step.stage(channel, &known, &[*p]);
                    known.set(channel, y as isize, x, plane[y][x]);
                }
                for (node, expected) in reference::evaluate(&program, &picture, y, x).iter().enumerate() {
                    if expected.is_empty() {
                        continue;
                    }
                    let wide = |v: &[i16]| v.iter().map(|v| i64::from(*v)).collect::<Vec<_>>();
                    let at = format!("{} node {node} at {p:?} of {width}x{height}", kernel.name());
                    assert_eq!(&wide(batch.values(node, i)), expected, "batch, {at}");
                    assert_eq!(&wide(step.values(node, 0)), expected, "step, {at}");
                }
            }
        }
    }
}

#[test]
fn no_distribution_depends_on_a_later_symbol() {
    let network = Network::new(program(), Kernel::best());
    let (width, height) = (17, 13);
    let original = picture(width, height, 3);
    let distributions = |picture: &Picture| {
        let field = field(picture, &network);
        let positions: Vec<_> =
            (0..height as u32).flat_map(|row| (0..width as u32).map(move |column| Position { row, column })).collect();
        let mut executor = Executor::new(&network, positions.len());
        executor.all(&field, &positions);
        let bounds = |i: usize, c: usize| {
            (1..256).step_by(5).map(|b| executor.distribution(c, i).cumulative(b)).collect::<Vec<_>>()
        };
        (0..positions.len()).map(|i| [bounds(i, 0), bounds(i, 1), bounds(i, 2)]).collect::<Vec<_>>()
    };
    let before = distributions(&original);
    let mut seen = 0;
    for at in (0..width * height).step_by(5) {
        let (y, x) = (at / width, at % width);
        for channel in 0..3 {
            let mut changed = original.clone();
            changed[channel][y][x] ^= 0x55;
            for (i, (a, b)) in before.iter().zip(&distributions(&changed)).enumerate() {
                for c in 0..3 {
                    let earlier = (i, c) <= (at, channel);
                    assert!(
                        !earlier || a[c] == b[c],
                        "channel {c} of position {i} saw channel {channel} of position {at}"
                    );
                    seen += usize::from(a[c] != b[c]);
                }
            }
        }
    }
    assert!(seen > 1000, "the change was seen nowhere: {seen}");
}

#[test]
fn bisection_equals_the_linear_scan() {
    let network = Network::new(program(), Kernel::best());
    let picture = picture(31, 29, 3);
    let field = field(&picture, &network);
    let positions: Vec<_> = (0..29).map(|row| Position { row, column: row % 31 }).collect();
    let mut executor = Executor::new(&network, positions.len());
    executor.all(&field, &positions);
    for i in 0..positions.len() {
        for channel in 0..3 {
            let mixture = executor.distribution(channel, i);
            for symbol in 0..256 {
                let (left, width) = mixture.interval(symbol);
                assert!(width >= 1);
                for quantile in [left, left + width / 2, left + width - 1] {
                    assert_eq!(mixture.locate(quantile), (symbol, left, width));
                }
            }
        }
    }
}
