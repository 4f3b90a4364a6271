//! Intervals of known symbols under mixtures of logistics, in int64.
//!
//! What must stay true: an interval is the one of [`Mixture`](crate::likelihood::logistic::Mixture), whose arithmetic this
//! repeats on tensors: floors, clamps and table entries are the same, and no product leaves 63 bits.

use super::nodes::Batch;
use super::tensor;
use crate::engine::network::Network;
use crate::likelihood::logistic::{
    ARGUMENT_FRACTION, INVERSE_FRACTION, LOG_FRACTION, LOG_SCALE, MEAN_FRACTION, PRECISION, SIGMOID_LIMIT,
    SIGMOID_STEP, WEIGHT_ENTRIES,
};
use tch::{Device, Kind, TchError, Tensor};

type Result<T> = std::result::Result<T, TchError>;

/// Fractional bits that the sigmoid's argument loses, and those of the place between two entries of the table.
const SHIFT: i64 = (MEAN_FRACTION + INVERSE_FRACTION - ARGUMENT_FRACTION) as i64;
const REST: i64 = (ARGUMENT_FRACTION - SIGMOID_STEP) as i64;
const TOTAL: i64 = 1 << PRECISION;

/// The tables of an output, int64.
#[derive(Debug)]
pub(super) struct Mixtures {
    channel: i64,
    /// Nodes of the parameters, the local mean and the local scale.
    nodes: [usize; 3],
    fraction: i64,
    floor: i64,
    unit: Tensor,
    log_scale: Tensor,
    weight: Tensor,
    sigmoid: Tensor,
    inverse: Tensor,
}

impl Mixtures {
    /// Those of a channel.
    pub fn new(network: &Network, channel: usize, device: Device) -> Result<Self> {
        let tables = network.program().tables(channel);
        let unsigned = |values: &[u32]| {
            let wide: Vec<i64> = values.iter().map(|v| (*v).into()).collect();
            tensor(&wide, Kind::Int64, device)
        };
        let weight: Vec<u32> = tables.weight.iter().map(|w| (*w).into()).collect();
        Ok(Self {
            channel: channel as i64,
            nodes: network.output(channel),
            fraction: tables.fraction.into(),
            floor: tables.floor.into(),
            unit: unsigned(&tables.unit)?,
            log_scale: tensor(&tables.log_scale, Kind::Int64, device)?,
            weight: unsigned(&weight)?,
            sigmoid: unsigned(&tables.sigmoid)?,
            inverse: unsigned(&tables.inverse)?,
        })
    }

    /// What distributions are made of: `[positions][parameters, mean, level]`, as numbers of 16 bits.
    pub fn rows(&self, batch: &Batch) -> Result<Tensor> {
        let [parameters, mean, level] = self.nodes;
        let mean = batch.value(mean)?.f_narrow(1, self.channel, 1)?;
        Tensor::f_cat(&[batch.value(parameters)?, &mean, batch.value(level)?], 1)?.f_to_kind(Kind::Int16)
    }

    /// `[positions][2]`: the cumulative count of each symbol (`[positions]`, int64), and its count.
    pub fn intervals(&self, batch: &Batch, symbols: &Tensor) -> Result<Tensor> {
        let [parameters, mean, level] = self.nodes;
        let n = batch.positions().len();
        let parameters = batch.value(parameters)?.f_to_kind(Kind::Int64)?.f_view([n, 3, -1])?;
        let (logits, means, scales) =
            (parameters.f_select(1, 0)?, parameters.f_select(1, 1)?, parameters.f_select(1, 2)?);
        let mean = batch.value(mean)?.f_narrow(1, self.channel, 1)?.f_to_kind(Kind::Int64)?;
        let level = batch.value(level)?.f_view([n])?.f_to_kind(Kind::Int64)?;
        let of_level = |table: &Tensor| table.f_index_select(0, &level)?.f_unsqueeze(1);
        let look_up = |table: &Tensor, index: &Tensor| table.f_take(index);
        let shifted = |t: &Tensor, by: i64| t.f_bitwise_right_shift_tensor_scalar(by);

        let drop = self.fraction - i64::from(LOG_FRACTION);
        let half = (1i64 << drop) >> 1;
        let below = logits.f_amax(1, true)?.f_sub(&logits)?.f_add_scalar(half)?;
        let weight = look_up(&self.weight, &shifted(&below, drop)?.f_clamp_max(WEIGHT_ENTRIES as i64 - 1)?)?;
        let offset = shifted(&means.f_mul(&of_level(&self.unit)?)?, self.fraction)?;
        let log = shifted(&scales.f_add_scalar(half)?, drop)?.f_add(&of_level(&self.log_scale)?)?;
        let (low, high) = (LOG_SCALE.0 << LOG_FRACTION, LOG_SCALE.1 << LOG_FRACTION);
        let inverse = look_up(&self.inverse, &log.f_clamp(low, high)?.f_sub_scalar(low)?)?;
        let center = mean.f_mul_scalar(1i64 << MEAN_FRACTION)?.f_add(&offset)?;
        let center = center.f_add_scalar(1i64 << (MEAN_FRACTION - 1))?;
        let sum = weight.f_sum_dim_intlist(&[1i64][..], false, Kind::Int64)?.f_clamp_min(1)?;
        let room = (TOTAL - 256 * self.floor) << 16;
        let gain = sum.f_full_like(room)?.f_div_tensor_mode(&sum, "floor")?;

        let cumulative = |bound: &Tensor| {
            let away = bound.f_mul_scalar(1i64 << MEAN_FRACTION)?.f_unsqueeze(1)?.f_sub(&center)?;
            let argument = shifted(&away.f_mul(&inverse)?, SHIFT)?;
            let limit = SIGMOID_LIMIT << ARGUMENT_FRACTION;
            let argument = argument.f_clamp(-limit, limit - 1)?.f_add_scalar(limit)?;
            let index = shifted(&argument, REST)?;
            let rest = argument.f_bitwise_and((1i64 << REST) - 1)?;
            let (a, b) = (look_up(&self.sigmoid, &index)?, look_up(&self.sigmoid, &index.f_add_scalar(1)?)?);
            let sigmoid = a.f_add(&shifted(&b.f_sub(&a)?.f_mul(&rest)?, REST)?)?;
            let sum = weight.f_mul(&sigmoid)?.f_sum_dim_intlist(&[1i64][..], false, Kind::Int64)?;
            let count = shifted(&sum.f_mul(&gain)?, 22 + 16)?.f_add(&bound.f_mul_scalar(self.floor)?)?;
            let count = count.f_where_self(&bound.f_gt(0)?, &count.f_zeros_like()?)?;
            count.f_where_self(&bound.f_lt(256)?, &count.f_full_like(TOTAL)?)
        };
        let left = cumulative(symbols)?;
        let width = cumulative(&symbols.f_add_scalar(1)?)?.f_sub(&left)?;
        Tensor::f_stack(&[left, width], 1)
    }
}
