//! From moves in f64 to steps that are worth their bits.
//!
//! A step of size d costs distortion: about `1/2 F N d^2 / 12` nats over N positions, where F is the mean square of the
//! gradient at a position (the Fisher information, which is the curvature near an optimum), and halving it costs one bit a
//! number. The sum is least where `F N d^2 / 12 = 1`.

use super::delta::{MAX_STEPS, Move, UNITS};
use super::fit::{Layer, power};

/// By which power of two steps are coarser than the rule says, in the candidates that are tried.
pub const CANDIDATES: [i32; 2] = [1, 2];

/// Steps for every layer.
pub(super) fn moves(layers: &[Layer], moved: &[f64], squares: &[f64], positions: u64, coarser: i32) -> Vec<Move> {
    let each = layers.iter().map(|layer| {
        let range = layer.start..layer.start + layer.len();
        let information = squares[range.clone()].iter().sum::<f64>() / layer.len() as f64 * positions as f64;
        let mut unit = UNITS.0;
        // The largest power of two that is no larger than sqrt(12 / information), times what is asked for.
        while unit < UNITS.1 && power(2 * (i32::from(unit) + 1 - coarser)) * information <= 12.0 {
            unit += 1;
        }
        let size = power(unit.into());
        let step = |v: &f64| {
            let magnitude = ((v.abs() / size + 0.5).floor() as i64).clamp(0, MAX_STEPS.into()) as i32;
            if *v < 0.0 { -magnitude } else { magnitude }
        };
        Move { node: layer.node, unit, steps: moved[range].iter().map(step).collect() }
    });
    each.collect()
}
