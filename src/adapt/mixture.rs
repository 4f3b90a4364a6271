//! The gradient of a symbol's code length with respect to the parameters of its mixture.
//!
//! f64 with `+ - * /` and conversions alone, and the model's own tables for every function, so that it is the same on
//! every machine. The tables' steps are not seen: slopes are those of the logistic functions that the tables stand for.

use crate::engine::{Executor, Field, Position};
use crate::likelihood::logistic::*;
use crate::spec::Likelihood;

/// Fractional bits of a gradient: nats per unit of a parameter (which is 1 in the float network), times `2^FRACTION`.
pub const FRACTION: u32 = 7;
/// Largest magnitude of a gradient's integer.
const LIMIT: f64 = crate::engine::adjoint::LIMIT as f64;

/// Value and slope of the sigmoid at `argument`, which has [`ARGUMENT_FRACTION`] bits.
#[inline]
fn sigmoid(tables: &Tables, argument: i64) -> (f64, f64) {
    const LIMIT: i64 = SIGMOID_LIMIT << ARGUMENT_FRACTION;
    const REST: u32 = ARGUMENT_FRACTION - SIGMOID_STEP;
    let clamped = !(-LIMIT..LIMIT).contains(&argument);
    let argument = (argument.clamp(-LIMIT, LIMIT - 1) + LIMIT) as usize;
    let (index, rest) = (argument >> REST, (argument & ((1 << REST) - 1)) as i64);
    let (a, b) = (i64::from(tables.sigmoid[index]), i64::from(tables.sigmoid[index + 1]));
    let value = ((a << REST) + (b - a) * rest) as f64 / (f64::from(SIGMOID_ONE) * f64::from(1u32 << REST));
    (value, if clamped { 0.0 } else { value * (1.0 - value) })
}

/// A logistic at the two bounds of a symbol.
#[derive(Clone, Copy, Default)]
struct Part {
    weight: f64,
    /// Its share of the symbol.
    mass: f64,
    /// The slope of `mass` with the mean, in units of the parameter.
    mean: f64,
    /// The slope of `mass` with the log of the scale.
    scale: f64,
}

/// Writes the gradient of the code length of a channel of a field at `position`, the `i`-th that the executor ran at, as [`gradient`] does.
pub fn gradient_at(
    executor: &Executor,
    field: &Field,
    channel: usize,
    (i, position): (usize, Position),
    out: &mut [i16],
) {
    let network = executor.network();
    #[allow(irrefutable_let_patterns, reason = "more families will follow")]
    let Likelihood::LogisticMixture { components, .. } = &network.program().spec().outputs[channel].likelihood else {
        unreachable!("a program holds only distributions that can be run")
    };
    let [parameters, mean, scale] = network.output(channel);
    let (mean, level) = (executor.values(mean, i)[channel], executor.values(scale, i)[0] as usize);
    let symbol = field.get(channel, position.row as isize, position.column as usize);
    let parameters = executor.values(parameters, i);
    gradient(network.program().tables(channel), parameters, (*components).into(), mean, level, symbol, out);
}

/// Writes the gradient of `-ln p(symbol)` for `parameters` as in [`Mixture::new`], in units of `2^-FRACTION`.
pub fn gradient(
    tables: &Tables,
    parameters: &[i16],
    used: usize,
    mean: i16,
    level: usize,
    symbol: u8,
    out: &mut [i16],
) {
    const SHIFT: u32 = MEAN_FRACTION + INVERSE_FRACTION - ARGUMENT_FRACTION;
    let (logits, rest) = parameters.split_at(used);
    let (means, scales) = rest.split_at(used);
    let top = logits.iter().copied().max().unwrap_or(0);
    let (unit, log_scale) = (i64::from(tables.unit[level]), i64::from(tables.log_scale[level]));
    let fraction = u32::from(tables.fraction);
    let drop = fraction - LOG_FRACTION;
    let half = (1i64 << drop) >> 1;
    let samples = unit as f64 / f64::from(1u32 << MEAN_FRACTION);
    let argument_unit = f64::from(1u32 << ARGUMENT_FRACTION);
    let mut parts = [Part::default(); MAX_COMPONENTS];
    let (mut total, mut mixed) = (0.0, 0.0);
    for k in 0..used {
        let below = (i64::from(top) - i64::from(logits[k]) + half) >> drop;
        let weight = f64::from(tables.weight[(below as usize).min(WEIGHT_ENTRIES - 1)]);
        let offset = (i64::from(means[k]) * unit) >> fraction;
        let free = ((i64::from(scales[k]) + half) >> drop) + log_scale;
        let log = free.clamp(LOG_SCALE.0 << LOG_FRACTION, LOG_SCALE.1 << LOG_FRACTION);
        let inverse = tables.inverse[(log - (LOG_SCALE.0 << LOG_FRACTION)) as usize];
        let center = (i64::from(mean) << MEAN_FRACTION) + offset + (1 << (MEAN_FRACTION - 1));
        let argument = |bound: i64| (((bound << MEAN_FRACTION) - center) * i64::from(inverse)) >> SHIFT;
        let (low, high) = (argument(symbol.into()), argument(i64::from(symbol) + 1));
        let (low_value, low_slope) = if symbol == 0 { (0.0, 0.0) } else { sigmoid(tables, low) };
        let (high_value, high_slope) = if symbol == 255 { (1.0, 0.0) } else { sigmoid(tables, high) };
        let part = &mut parts[k];
        part.weight = weight;
        part.mass = high_value - low_value;
        let inverse = f64::from(inverse) / f64::from(1u32 << INVERSE_FRACTION);
        part.mean = (low_slope - high_slope) * inverse * samples;
        if free == log {
            part.scale = (low as f64 * low_slope - high as f64 * high_slope) / argument_unit;
        }
        total += weight;
        mixed += weight * part.mass;
    }
    if total <= 0.0 {
        out[..3 * used].fill(0);
        return;
    }
    let floor = f64::from(tables.floor) / f64::from(1u32 << PRECISION);
    let share = 1.0 - 256.0 * floor;
    let mixed = mixed / total;
    // -d ln p = -share / (p total) d(sum w mass)
    let factor = -share / ((share * mixed + floor) * total) * f64::from(1u32 << FRACTION);
    let integer = |v: f64| (v + 0.5).floor().clamp(-LIMIT, LIMIT) as i16;
    for (k, part) in parts[..used].iter().enumerate() {
        let factor = factor * part.weight;
        out[k] = integer(factor * (part.mass - mixed));
        out[used + k] = integer(factor * part.mean);
        out[2 * used + k] = integer(factor * part.scale);
    }
}
