//! The tables that a program brings along instead of calling a mathematical library.

use super::float::{level, scale};
use crate::engine::Params;
use crate::engine::program::Table;
use crate::likelihood::logistic::*;
use crate::likelihood::{bernoulli as bit, categorical as any, coupled as joint, signed as wide};

/// Levels of [`Params::Scale`] for every sum of `terms` absolute differences of 8-bit samples.
pub fn levels(terms: usize) -> Vec<u8> {
    (0..=terms * 255).map(|sum| level(sum, terms)).collect()
}

/// [`Params::Normalize`] so that the result has `fraction` fractional bits: the difference is shifted up as far as 16 bits
/// allow, then multiplied by a 16-bit reciprocal of which the upper half of the product is kept.
pub fn normalize(levels: usize, unit: u8, clamp: u8, fraction: i32) -> Params {
    let (mut limits, mut shifts, mut multipliers) = (Vec::new(), Vec::new(), Vec::new());
    for q in 0..levels {
        let size = scale(q as u8) * f64::from(1u32 << unit);
        let limit = (f64::from(clamp) * size).floor().min(255.0) as i16;
        let shift = (0..=14).rev().find(|s| i32::from(limit) << s <= 32767).expect("a limit is at most 255");
        let multiplier = 2f64.powi(16 + fraction - shift) / size;
        limits.push(limit);
        shifts.push(shift as u8);
        multipliers.push(multiplier.round().min(32767.0) as i16);
    }
    Params::Normalize { limit: limits, shift: shifts, multiplier: multipliers }
}

/// Tables of a mixture whose parameters have `fraction` fractional bits.
pub fn mixture(levels: usize, unit: u8, floor: u8, fraction: u8) -> Tables {
    let one = |bits: u32| 2f64.powi(bits as i32);
    let sigmoid = |z: f64| 1.0 / (1.0 + (-z).exp());
    let scales = || (0..levels).map(|q| scale(q as u8));
    Tables {
        fraction,
        floor: ((1u32 << (PRECISION as u32 - u32::from(floor))) / 256) as u16,
        unit: scales().map(|s| (s * one(unit.into()) * one(MEAN_FRACTION)).round() as u32).collect(),
        log_scale: scales().map(|s| (s.ln() * one(LOG_FRACTION)).round() as i32).collect(),
        weight: (0..WEIGHT_ENTRIES)
            .map(|i| (f64::from(WEIGHT_ONE) * (-(i as f64) / one(LOG_FRACTION)).exp()).round() as u16)
            .collect(),
        sigmoid: (0..SIGMOID_ENTRIES)
            .map(|i| {
                (sigmoid(i as f64 / one(SIGMOID_STEP) - SIGMOID_LIMIT as f64) * f64::from(SIGMOID_ONE)).round() as u32
            })
            .collect(),
        inverse: (0..INVERSE_ENTRIES)
            .map(|i| {
                (one(INVERSE_FRACTION) * (-(i as f64 / one(LOG_FRACTION) + LOG_SCALE.0 as f64)).exp()).round() as u32
            })
            .collect(),
    }
}

/// Tables of log-odds with `fraction` fractional bits.
pub fn bernoulli(fraction: u8) -> bit::Tables {
    let count = |i: usize| 65536.0 / (1.0 + (i as f64 / f64::from(1u32 << bit::FRACTION)).exp());
    let unlikely = (0..bit::ENTRIES).map(|i| count(i).round().max(1.0) as u16).collect();
    bit::Tables { fraction, unlikely }
}

/// Tables of log-weights with `fraction` fractional bits.
pub fn categorical(fraction: u8) -> any::Tables {
    let weight = |i: usize| f64::from(any::ONE) * (-(i as f64) / f64::from(1u32 << any::FRACTION)).exp();
    any::Tables { fraction, weight: (0..any::ENTRIES).map(|i| weight(i).round() as u32).collect() }
}

/// Tables of a coupled mixture whose parameters have `fraction` fractional bits.
pub fn coupled(alphabet: u32, fraction: u8) -> joint::Tables {
    let quarter = f64::from(alphabet) / 4.0;
    let floor = 2f64.powi(PRECISION as i32 - i32::from(joint::FLOOR)) / f64::from(alphabet);
    joint::Tables(Tables {
        floor: floor.round() as u16,
        unit: vec![(quarter * f64::from(1u32 << MEAN_FRACTION)).round() as u32],
        log_scale: vec![(quarter.ln() * f64::from(1u32 << LOG_FRACTION)).round() as i32],
        ..mixture(1, 0, joint::FLOOR, fraction)
    })
}

/// Tables of a mixture over numbers of 16 bits whose parameters have `fraction` fractional bits.
pub fn signed(fraction: u8) -> wide::Tables {
    let Tables { weight, sigmoid, .. } = mixture(1, 0, 8, fraction);
    let log = |i: usize| i as f64 / f64::from(1u32 << LOG_FRACTION) + wide::LOG_SCALE.0 as f64;
    let one = |bits: u32| f64::from(1u32 << bits);
    wide::Tables {
        fraction,
        weight: weight.into_iter().map(u32::from).collect(),
        sigmoid,
        scale: (0..wide::SCALES).map(|i| (one(wide::MEAN_FRACTION) * log(i).exp()).round() as u32).collect(),
        inverse: (0..wide::SCALES).map(|i| (one(wide::INVERSE_FRACTION) * (-log(i)).exp()).round() as u32).collect(),
    }
}

/// Fractional bits of a table's index at most: finer steps change nothing.
const INDEX_FRACTION: i32 = 10;

/// `f` between `low` and `high` (real numbers), for integers of `fraction` fractional bits within `+-magnitude`; the entries
/// have `out` fractional bits. Where a step holds several integers, its entry is the value in their middle.
pub fn function(
    f: impl Fn(f64) -> f64,
    (low, high): (f64, f64),
    fraction: i32,
    magnitude: i64,
    out: i32,
    step: Option<i32>,
) -> Table {
    let shift = (fraction - step.unwrap_or(fraction)).max(0);
    let one = 2f64.powi(fraction);
    let end = |x: f64| ((x * one).round() as i64).clamp(-magnitude, magnitude) >> shift;
    let (first, last) = (end(low), end(high));
    let entry = |i: i64| {
        let middle = ((i << shift) as f64 + (2f64.powi(shift) - 1.0) / 2.0) / one;
        (f(middle) * 2f64.powi(out)).round().clamp(-32767.0, 32767.0) as i16
    };
    Table { shift: shift as u8, first: first as i32, values: (first..=last).map(entry).collect() }
}

/// The table of a gate's function, which ends at +-`limit`.
pub fn gate(f: impl Fn(f64) -> f64, limit: f64, fraction: i32, magnitude: i64, out: i32) -> Table {
    function(f, (-limit, limit), fraction, magnitude, out, Some(INDEX_FRACTION))
}

/// Where the sigmoid ends: beyond it nothing changes in 14 bits.
pub const SIGMOID_END: f64 = 11.0;
/// Where the hyperbolic tangent ends.
pub const TANH_END: f64 = 5.5;

/// [`Params::Attention`] for sums of products of `fraction` fractional bits of keys of `width` values.
pub fn attention(fraction: i32, width: usize) -> Params {
    const STEP: i32 = 8;
    // A unit of a sum in steps of the table, as multiplier * 2^-shift with a multiplier of 16 bits.
    let unit = 2f64.powi(STEP - fraction) / (width as f64).sqrt();
    let shift = (15 - unit.log2().floor() as i32).clamp(0, 40);
    let multiplier = (unit * 2f64.powi(shift)).round().clamp(1.0, 65535.0) as u16;
    // From exp(-12) on less than half of the last bit is left.
    let entry = |i: i32| (32768.0 * (-(f64::from(i) + 0.5) / 2f64.powi(STEP)).exp()).round() as u16;
    let exp = std::iter::once(1 << 15).chain((1..12 << STEP).map(entry)).collect();
    Params::Attention { multiplier, shift: shift as u8, exp }
}
