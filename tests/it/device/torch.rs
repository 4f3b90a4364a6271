//! Contracts of the executor on libtorch, run on the processor: it gives the values of the reference and the intervals of the
//! kernels, bit for bit, at every position of pictures of every shape.

use super::streams;
use std::sync::Arc;
use surprisal::codec::signature::{signature, signature_on};
use surprisal::engine::device::{self, Interval, Strip};
use surprisal::engine::{Device, DeviceName, Executor, Field, Kernel, Network, Params, Position, Program, reference};
use surprisal::entropy::Distribution;
use surprisal::spec::{Domain, Node, Op};

fn program() -> Program {
    let bytes = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/models/photo.srm")).unwrap();
    Program::from_bytes(&bytes).unwrap()
}

fn device() -> Arc<dyn Device> {
    device::open(DeviceName::TorchCpu).unwrap().unwrap()
}

/// A picture of gradients, edges and noise, interleaved.
fn picture(width: usize, height: usize, channels: usize) -> Vec<u8> {
    let mut state = 11u64;
    let mut noise = |n: u64| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) % n
    };
    let sample = |i: usize| {
        let (y, x, c) = (i / channels / width, i / channels % width, i % channels);
        match (x / 9 + y / 7) % 4 {
            0 => (x * 5 + y * 3 + c * 20) as u8,
            1 => noise(256) as u8,
            2 => (200 - 3 * (x % 60) as i64 + noise(9) as i64).clamp(0, 255) as u8,
            _ => 255 * (x % 2) as u8,
        }
    };
    (0..width * height * channels).map(sample).collect()
}

/// Compares all nodes' values with the reference and all intervals with the kernels, in strips of `rows` rows.
fn compare(network: &Arc<Network>, (width, height, channels): (usize, usize, usize), rows: usize) {
    let runner = device().bring(network).unwrap();
    let samples = picture(width, height, channels);
    let places: &[usize] = if channels == 3 { &[1, 0, 2] } else { &[0] };
    let sample = |y: usize, x: usize, c: usize| samples[(y * width + x) * channels + places[c]];
    let row = |y: usize, c: usize| (0..width).map(|x| sample(y, x, c)).collect();
    let planes: reference::Picture = (0..channels).map(|c| (0..height).map(|y| row(y, c)).collect()).collect();
    let mut field = Field::new(width, height, channels, network.reach(), true);
    for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
        (0..channels).for_each(|c| field.set(c, y as isize, x, sample(y, x, c)));
    }
    let mut executor = Executor::new(network, 1);
    for first in (0..height).step_by(rows) {
        let strip = Strip::new(&samples, places, width, first..height.min(first + rows), network.reach());
        let (values, intervals) = (runner.values(&strip).unwrap(), runner.intervals(&strip).unwrap());
        assert_eq!(intervals.len(), strip.positions() * channels);
        for i in 0..strip.positions() {
            let (y, x) = (first + i / width, i % width);
            let at = format!("{x}, {y} of {width}x{height}x{channels}");
            for (node, expected) in reference::evaluate(network.program(), &planes, y, x).iter().enumerate() {
                let got = values[node].iter().skip(i * expected.len()).take(expected.len());
                assert!(got.map(|v| i64::from(*v)).eq(expected.iter().copied()), "node {node} at {at}");
            }
            executor.all(&field, &[Position { row: y as u32, column: x as u32 }]);
            for c in 0..channels {
                let (left, width) = executor.distribution(c, 0).interval(sample(y, x, c).into());
                assert_eq!(intervals[i * channels + c], Interval { left, width }, "channel {c} at {at}");
            }
        }
    }
}

#[test]
fn every_value_is_the_reference_s() {
    let network = Arc::new(Network::new(Arc::new(program()), Kernel::best()));
    for shape in [(23, 17, 3), (1, 1, 3), (1, 1, 1), (1, 9, 3), (40, 1, 3), (13, 8, 1), (2, 7, 3)] {
        compare(&network, shape, shape.1);
    }
    compare(&network, (19, 16, 3), 5);
}

#[test]
fn operations_that_the_shipped_model_does_not_use() {
    let program = program();
    let mut spec = program.spec().clone();
    let mut params: Vec<_> = (0..spec.nodes.len()).map(|node| program.params(node).clone()).collect();
    let window = spec.nodes.iter().position(|n| matches!(n.op, Op::Neighbours { .. })).unwrap();
    for (op, inputs, numbers) in [
        (Op::Add, vec![window, window], Params::Add { low: -20, high: 400 }),
        (Op::Linear { outputs: 2, trainable: false }, vec![0], Params::None),
        (Op::Relu, vec![spec.nodes.len() + 1], Params::None),
    ] {
        let numbers = match op {
            Op::Linear { .. } => {
                let columns = spec.widths().unwrap()[window];
                let weights = (0..2 * columns).map(|i| (i as i16 % 41 - 20) * 700).collect();
                Params::Linear { weights, bias: vec![-70_000, 1 << 20], shift: vec![1, 30], low: -32_767, high: 32_767 }
            }
            _ => numbers,
        };
        spec.nodes.push(Node { op, inputs });
        params.push(numbers);
    }
    let tables = (0..spec.outputs.len()).map(|output| program.head(output).clone()).collect();
    let program = Program::new("changed", Domain::Photographs, spec, params, tables).unwrap();
    compare(&Arc::new(Network::new(Arc::new(program), Kernel::Scalar)), (9, 7, 3), 7);
}

#[test]
fn a_device_is_checked_when_a_network_is_loaded() {
    let network = Arc::new(Network::new(Arc::new(program()), Kernel::best()));
    let runner = device::load(&*device(), &network).unwrap();
    assert!(runner.capacity() >= 64);
}

#[test]
fn a_device_that_is_not_there_is_named() {
    let count = usize::try_from(tch::Cuda::device_count()).unwrap_or(0);
    let error = device::open(DeviceName::Cuda(count)).unwrap_err().to_string();
    assert!(error.contains(&format!("cuda:{count}")) && error.contains("--device cpu"), "{error}");
}

#[test]
fn streams_are_those_of_the_kernels() {
    streams::equal_the_kernels(device());
}

#[test]
fn damage_stays_where_it_is() {
    streams::damage_stays_where_it_is(device());
}

#[test]
fn its_signature_is_the_kernels() {
    assert_eq!(signature_on(device(), 2).unwrap(), signature(Kernel::best(), 2));
}
