//! The tables that a program brings along instead of calling a mathematical library.

use super::float::{level, scale};
use crate::engine::Params;
use crate::likelihood::logistic::*;
use crate::likelihood::{bernoulli as bit, categorical as any, coupled as joint};

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
