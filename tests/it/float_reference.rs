//! The first model's integers cost hardly more bits than the float network that they were made of.
//!
//! `tests/data/float_reference.safetensors` (its origin: `tests/data/SOURCES.md`) holds three crops, `NAME.pixels`
//! `[height][width][3]` u8 in R, G, B, and the float network's code length in bits, summed over each row of positions whose
//! windows lie inside the crop, `NAME.row_bits` `[rows][3]` f32, channels in coding order G, R, B.

use safetensors::{SafeTensors, tensor::TensorView};
use std::sync::Arc;
use surprisal::engine::{Executor, Field, Kernel, Network, Position, Program};
use surprisal::entropy::{Bits, Distribution, cost_of};

/// Rows and columns at the top and at the sides whose windows leave the crop.
const MARGIN: usize = 5;
/// Coding order of R, G, B.
const PLACES: [usize; 3] = [1, 0, 2];

/// Bits of each channel in each row of the crop's interior.
fn integer_bits(network: &Network, pixels: &TensorView) -> Vec<[Bits; 3]> {
    let (height, width) = (pixels.shape()[0], pixels.shape()[1]);
    let sample = |y: usize, x: usize, channel: usize| pixels.data()[(y * width + x) * 3 + PLACES[channel]];
    let mut field = Field::new(width, height, 3, network.reach(), true);
    for y in 0..height {
        for x in 0..width {
            (0..3).for_each(|c| field.set(c, y as isize, x, sample(y, x, c)));
        }
    }
    let mut executor = Executor::new(network, width);
    let row = |y: usize| {
        let positions: Vec<_> =
            (MARGIN..width - MARGIN).map(|x| Position { row: y as u32, column: x as u32 }).collect();
        executor.all(&field, &positions);
        let cost = |i: usize, c: usize| {
            let symbol = u32::from(sample(y, positions[i].column as usize, c));
            cost_of(executor.distribution(c, i).interval(symbol).1, 24)
        };
        std::array::from_fn(|c| (0..positions.len()).map(|i| cost(i, c)).sum())
    };
    (MARGIN..height).map(row).collect()
}

#[test]
fn the_integer_program_costs_what_the_float_network_costs() {
    let program = Program::from_bytes(include_bytes!("../../models/photo.srm")).unwrap();
    let network = Network::new(Arc::new(program), Kernel::best());
    let file = include_bytes!("../data/float_reference.safetensors");
    let tensors = SafeTensors::deserialize(file).unwrap();
    let crops: Vec<_> = tensors.names().into_iter().filter_map(|name| name.strip_suffix(".pixels")).collect();
    assert_eq!(crops.len(), 3);
    for crop in crops {
        let pixels = tensors.tensor(&format!("{crop}.pixels")).unwrap();
        let expected = tensors.tensor(&format!("{crop}.row_bits")).unwrap();
        let expected: Vec<f64> =
            expected.data().chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()).into()).collect();
        let found: Vec<f64> = integer_bits(&network, &pixels).iter().flatten().map(|bits| bits.to_f64()).collect();
        assert_eq!(found.len(), expected.len());
        let (float, integer): (f64, f64) = (expected.iter().sum(), found.iter().sum());
        let difference = 100.0 * (integer / float - 1.0);
        println!("{crop}: float {float:.1} bits, integer {integer:.1} bits, {difference:+.4} %");
        assert!(difference.abs() < 0.2, "{crop}: {difference:+.4} %");
        // No row and channel hides a large difference behind the others.
        for (i, (float, integer)) in expected.iter().zip(&found).enumerate() {
            let off = (integer - float).abs() / float;
            assert!(off < 0.02, "{crop}, row {}, channel {}: {float} and {integer} bits", MARGIN + i / 3, i % 3);
        }
    }
}
