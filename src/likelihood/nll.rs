//! Code lengths with gradients: the loss of training (cargo feature `torch`).
//!
//! What must stay true: the loss is the code length of the distribution that the integers of [`logistic`](super::logistic)
//! stand for, tails and floor included.
#![allow(clippy::float_arithmetic, reason = "training is in floating point; no code depends on it")]

use super::coupled::{self, COEFFICIENT};
use super::signed;
use tch::{Kind, TchError, Tensor};

/// Log-scales are kept within these ends, as [`logistic`](super::logistic) does.
const LOG_SCALE: (f64, f64) = (-3.0, 7.0);
/// Beyond any bound of a symbol: a sigmoid there is 0 or 1 at any scale.
const FAR: f64 = 1e6;

/// Code lengths in bits, `[n, channels]`, of symbols in `0..256` under discretized mixtures of logistics (Salimans et al.
/// 2017, eq. 2) with a uniform floor of weight `2^-floor`.
///
/// `parameters`: `[n, channels, 3 * components]`, log-weights, means in units of `2^unit * scale` around `mean`, log-scales
/// around `ln scale`. `mean`, `symbols`: `[n, channels]`; `scale`: `[n, 1]`.
pub fn mixture_bits(
    parameters: &Tensor,
    mean: &Tensor,
    scale: &Tensor,
    unit: u8,
    floor: u8,
    symbols: &Tensor,
) -> Result<Tensor, TchError> {
    let (n, channels, values) = parameters.size3()?;
    // Components slowest: sums over so few of them are quick only where the values of one lie side by side.
    let each = parameters.f_view([n * channels, values])?.f_transpose(0, 1)?.f_contiguous()?.f_to_kind(Kind::Float)?;
    let parts = each.f_view([3, values / 3, n * channels])?;
    let part = |i: i64| parts.f_select(0, i);
    let flat = |t: &Tensor| t.f_expand([n, channels], false)?.f_reshape([n * channels]);
    let (mean, scale, symbols) = (flat(mean)?, flat(scale)?, flat(symbols)?);
    let weight = part(0)?.f_softmax(0, None::<Kind>)?;
    let step = scale.f_mul_scalar(f64::from(1u32 << unit))?;
    let middle = part(1)?.f_mul(&step)?.f_add(&mean)?;
    let log_scale = part(2)?.f_add(&scale.f_log()?)?.f_clamp(LOG_SCALE.0, LOG_SCALE.1)?;
    let inverse = log_scale.f_neg()?.f_exp()?;
    // The lowest and the highest symbol take the tails: their outer bounds are far away.
    let half = |is_end: Tensor| is_end.f_to_kind(Kind::Float)?.f_mul_scalar(FAR)?.f_add_scalar(0.5);
    let above = symbols.f_add(&half(symbols.f_ge(255)?)?)?;
    let below = symbols.f_sub(&half(symbols.f_le(0)?)?)?;
    let cumulative = |bound: Tensor| bound.f_sub(&middle)?.f_mul(&inverse)?.f_sigmoid();
    let each = cumulative(above)?.f_sub(&cumulative(below)?)?.f_mul(&weight)?;
    let probability = each.f_sum_dim_intlist(0, false, None::<Kind>)?;
    let floor = 0.5f64.powi(floor.into());
    let bits = probability.f_mul_scalar(1.0 - floor)?.f_add_scalar(floor / 256.0)?.f_log2()?.f_neg()?;
    bits.f_view([n, channels])
}

/// Code lengths in bits of symbols 0 and 1 given the log-odds of 1; both of one shape.
pub fn bernoulli_bits(parameters: &Tensor, symbols: &Tensor) -> Result<Tensor, TchError> {
    // ln (1 + e^l) - x l, in the form that does not overflow: with the sign that makes l the odds against the symbol.
    let against = parameters.f_mul(&symbols.f_mul_scalar(-2.0)?.f_add_scalar(1.0)?)?;
    against.f_softplus()?.f_mul_scalar(std::f64::consts::LOG2_E)
}

/// Code lengths in bits of symbols given a log-weight of each value: `parameters` has one more axis, the last.
pub fn categorical_bits(parameters: &Tensor, symbols: &Tensor) -> Result<Tensor, TchError> {
    let shape = symbols.size();
    let values = *parameters.size().last().unwrap_or(&1);
    let (flat, wanted) = (parameters.f_reshape([-1, values])?, symbols.f_reshape([-1])?.f_to_kind(Kind::Int64)?);
    let none = tch::Reduction::None;
    let nats = flat.f_cross_entropy_loss(&wanted, None::<&Tensor>, none, -100, 0.0)?;
    nats.f_mul_scalar(std::f64::consts::LOG2_E)?.f_reshape(shape.as_slice())
}

/// Code lengths in bits, `[n, channels]`, of symbols of that shape under mixtures of logistics over all channels of a place;
/// `parameters`: `[n, values]`, laid out as [`coupled`] says.
pub fn coupled_bits(parameters: &Tensor, alphabet: u32, symbols: &Tensor) -> Result<Tensor, TchError> {
    let (n, channels) = symbols.size2()?;
    let values = coupled::values(channels as usize) as i64;
    let used = parameters.size2()?.1 / values;
    // Components slowest, as above.
    let parameters = parameters.f_transpose(0, 1)?.f_contiguous()?.f_to_kind(Kind::Float)?;
    let parameters = parameters.f_view([values, used, n])?;
    let at = |p: i64| parameters.f_select(0, p);
    let (a, limit) = (f64::from(alphabet), f64::from(COEFFICIENT));
    let floor = 0.5f64.powi(coupled::FLOOR.into());
    let mut weights = at(0)?.f_softmax(0, None::<Kind>)?;
    let mut bits = Vec::new();
    for c in 0..channels {
        let own = symbols.f_select(1, c)?;
        let mut mean = at(1 + c)?;
        for d in 0..c {
            let known = symbols.f_select(1, d)?.f_mul_scalar(4.0 / a)?.f_sub_scalar(2.0 * (a - 1.0) / a)?;
            let coefficient = at(1 + 2 * channels + c * (c - 1) / 2 + d)?.f_clamp(-limit, limit)?;
            mean = mean.f_add(&coefficient.f_mul(&known)?)?;
        }
        let middle = mean.f_mul_scalar(a / 4.0)?.f_add_scalar((a - 1.0) / 2.0)?;
        let log_scale = at(1 + channels + c)?.f_add_scalar((a / 4.0).ln())?.f_clamp(LOG_SCALE.0, LOG_SCALE.1)?;
        let inverse = log_scale.f_neg()?.f_exp()?;
        let half = |is_end: Tensor| is_end.f_to_kind(Kind::Float)?.f_mul_scalar(FAR)?.f_add_scalar(0.5);
        let above = own.f_add(&half(own.f_ge(a - 1.0)?)?)?;
        let below = own.f_sub(&half(own.f_le(0)?)?)?;
        let cumulative = |bound: Tensor| bound.f_sub(&middle)?.f_mul(&inverse)?.f_sigmoid();
        let masses = cumulative(above)?.f_sub(&cumulative(below)?)?;
        let joint = weights.f_mul(&masses)?.f_sum_dim_intlist(0, false, None::<Kind>)?;
        bits.push(joint.f_mul_scalar(1.0 - floor)?.f_add_scalar(floor / a)?.f_log2()?.f_neg()?);
        // What each component said of this channel is its weight for the next.
        let next = weights.f_mul(&masses.f_add_scalar(0.5f64.powi(22))?)?;
        weights = next.f_div(&next.f_sum_dim_intlist(0, true, None::<Kind>)?)?;
    }
    Tensor::f_stack(&bits, 1)
}

/// Code lengths in bits of numbers of 16 bits under mixtures of logistics: `parameters` has one more axis, the last, laid out as
/// [`signed`] says.
pub fn signed_bits(parameters: &Tensor, numbers: &Tensor) -> Result<Tensor, TchError> {
    let shape = numbers.size();
    let values = *parameters.size().last().unwrap_or(&1);
    // Components slowest, as above.
    let parameters = parameters.f_reshape([-1, values])?.f_transpose(0, 1)?.f_contiguous()?.f_to_kind(Kind::Float)?;
    let parts = parameters.f_view([3, values / 3, -1])?;
    let numbers = numbers.f_reshape([1, -1])?;
    let weight = parts.f_select(0, 0)?.f_softmax(0, None::<Kind>)?;
    let (low, high) = (signed::LOG_SCALE.0 as f64, signed::LOG_SCALE.1 as f64);
    let log_scale = parts.f_select(0, 2)?.f_add_scalar(signed::MIDDLE as f64)?.f_clamp(low, high)?;
    let inverse = log_scale.f_neg()?.f_exp()?;
    // Distances in scales, mirrored so that both bounds of a number lie on the side where a sigmoid is small and exact.
    let far = numbers.f_mul(&inverse)?.f_sub(&parts.f_select(0, 1)?)?;
    let half = inverse.f_mul_scalar(0.5)?;
    let middle = far.f_abs()?.f_neg()?;
    let (above, below) = (middle.f_add(&half)?.f_sigmoid()?, middle.f_sub(&half)?.f_sigmoid()?);
    // The lowest and the highest number take the tails.
    let is_low = numbers.f_le(-32768)?;
    let is_high = numbers.f_ge(32767)?;
    let mut mass = above.f_sub(&below)?;
    mass = far.f_add(&half)?.f_sigmoid()?.f_where_self(&is_low, &mass)?;
    mass = half.f_sub(&far)?.f_sigmoid()?.f_where_self(&is_high, &mass)?;
    let probability = mass.f_mul(&weight)?.f_sum_dim_intlist(0, false, None::<Kind>)?;
    let floor = 0.5f64.powi(signed::FLOOR as i32);
    let bits = probability.f_mul_scalar(1.0 - floor)?.f_add_scalar(floor / f64::from(signed::COUNT))?;
    bits.f_log2()?.f_neg()?.f_reshape(shape.as_slice())
}
