//! In which precision matrix products are computed, and which is faster here.
//!
//! What must stay true: a training keeps the precision that it began with.

use super::TrainError;
use super::executor::{Executor, Inputs};
use crate::quantize::float::FloatNetwork;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::{Duration, Instant};
use tch::{Device, Kind, Tensor};

/// Precision of the operands of matrix products; sums are kept in 32 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Precision {
    /// 32-bit floating point.
    Float32,
    /// Its upper half.
    BFloat16,
}

impl Precision {
    /// The kind of tensor.
    pub fn kind(self) -> Kind {
        match self {
            Self::Float32 => Kind::Float,
            Self::BFloat16 => Kind::BFloat16,
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Float32 => "float32",
            Self::BFloat16 => "bfloat16",
        })
    }
}

/// Rounds of the comparison; the fastest of each precision counts, since other programs only ever slow it down.
const ROUNDS: usize = 4;
/// bfloat16 must be faster by this factor to be worth its rounding.
const WORTH: f64 = 1.05;

/// The precision in which a step of `network` on `inputs` takes less time on this machine.
pub fn faster(network: &FloatNetwork, weights: &Tensor, inputs: &Inputs) -> Result<Precision, TrainError> {
    let device = weights.device();
    let executors =
        [Executor::new(network, Precision::Float32, device)?, Executor::new(network, Precision::BFloat16, device)?];
    let mut best = [Duration::MAX; 2];
    for round in 0..=ROUNDS {
        for (executor, best) in executors.iter().zip(&mut best) {
            let time = time(executor, weights, inputs)?;
            // The first round makes plans and buffers.
            if round > 0 {
                *best = time.min(*best);
            }
        }
    }
    let [float32, bfloat16] = best.map(|t| t.as_secs_f64());
    Ok(if float32 > bfloat16 * WORTH { Precision::BFloat16 } else { Precision::Float32 })
}

/// Time of a step forwards and back.
fn time(executor: &Executor, weights: &Tensor, inputs: &Inputs) -> Result<Duration, TrainError> {
    let start = Instant::now();
    gradient(executor, weights, inputs)?.0.f_double_value(&[])?;
    if let Device::Cuda(device) = executor.device() {
        tch::Cuda::synchronize(device as i64);
    }
    Ok(start.elapsed())
}

/// The mean code length in bits a symbol, and its gradient.
pub fn gradient(executor: &Executor, weights: &Tensor, inputs: &Inputs) -> Result<(Tensor, Tensor), TrainError> {
    let loss = executor.bits(weights, inputs)?.f_mean(Kind::Float)?;
    let mut gradients = Tensor::f_run_backward(&[&loss], &[weights], false, false)?;
    Ok((loss.f_detach()?, gradients.remove(0)))
}
