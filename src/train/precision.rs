//! In which precision matrix products are computed, and which is faster here.
//!
//! What must stay true: a training keeps the precision that it began with.

use super::TrainError;
use super::model::{Draw, Model};
use crate::spec::{NetworkSpec, Node, NodeId, Op};
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

/// The precision in which a step on `batch` takes less time on this machine.
pub fn faster<M: Model>(network: &M::Network, weights: &Tensor, batch: &M::Batch) -> Result<Precision, TrainError> {
    let device = weights.device();
    let models = [M::new(network, Precision::Float32, device)?, M::new(network, Precision::BFloat16, device)?];
    let mut best = [Duration::MAX; 2];
    for round in 0..=ROUNDS {
        for (model, best) in models.iter().zip(&mut best) {
            let time = time(model, weights, batch)?;
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
fn time<M: Model>(model: &M, weights: &Tensor, batch: &M::Batch) -> Result<Duration, TrainError> {
    let start = Instant::now();
    gradient(model, weights, batch, Draw { seed: 0, step: 0 })?.0.f_double_value(&[])?;
    if let Device::Cuda(device) = model.device() {
        tch::Cuda::synchronize(device as i64);
    }
    Ok(start.elapsed())
}

/// The mean code length in bits a symbol, and its gradient.
pub fn gradient<M: Model>(
    model: &M,
    weights: &Tensor,
    batch: &M::Batch,
    draw: Draw,
) -> Result<(Tensor, Tensor), TrainError> {
    let loss = model.bits(weights, batch, Some(draw))?.f_mean(Kind::Float)?;
    let mut gradients = Tensor::f_run_backward(&[&loss], &[weights], false, false)?;
    Ok((loss.f_detach()?, gradients.remove(0)))
}

/// Which nodes are used as operands of trained products and nothing else, be it by way of operations on single values: they
/// may be rounded at once. A sum that another sum takes up may not.
pub fn operands(spec: &NetworkSpec) -> Vec<bool> {
    let mut only = vec![false; spec.nodes.len()];
    for id in (0..spec.nodes.len()).rev() {
        let mut uses = spec.nodes.iter().enumerate().filter(|(_, n)| n.inputs.contains(&id)).peekable();
        let is_used = uses.peek().is_some() && spec.outputs.iter().all(|o| o.parameters != id);
        let as_operand = |(user, node): (NodeId, &Node)| match node.op {
            Op::Linear { trainable, .. } => trainable,
            Op::MaskedLinear { .. } | Op::Convolution { .. } | Op::Transposed { .. } | Op::Lstm { .. } => true,
            Op::Relu | Op::Concat | Op::Activation { .. } | Op::Mirror | Op::Gate | Op::Select { .. } => only[user],
            _ => false,
        };
        let all = uses.all(as_operand);
        only[id] = is_used && all;
    }
    only
}
