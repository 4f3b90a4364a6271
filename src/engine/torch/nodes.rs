//! The nodes of a program on tensors.
//!
//! What must stay true: each operation's arm computes what the same arm of `reference` does.

use super::tensor;
use super::window::{Offsets, Positions, Samples};
use crate::engine::network::Network;
use crate::engine::program::Params;
use crate::spec::{NodeId, Op};
use std::sync::Arc;
use tch::{Device, Kind, TchError, Tensor};

type Result<T> = std::result::Result<T, TchError>;

/// The numbers of a node, on a device.
#[derive(Debug)]
enum Numbers {
    /// Nothing but the operation.
    None,
    Window(Offsets),
    /// Indices of the near samples, int64, and `[sums]` levels.
    Scale {
        near: Tensor,
        level: Tensor,
    },
    /// `[levels]` each: the limit, and what a difference is multiplied by, `multiplier * 2^(shift - 16)`.
    Normalize {
        limit: Tensor,
        factor: Tensor,
    },
    /// `[inputs][outputs]` and `[outputs]`, both divided by `2^shift`, which is exact: then rounding is `floor`. The bias
    /// holds the half that is added to round.
    Linear {
        weights: Tensor,
        bias: Tensor,
    },
}

/// A program's nodes on a device.
#[derive(Debug)]
pub(super) struct Nodes {
    network: Arc<Network>,
    numbers: Vec<Numbers>,
}

/// A batch of positions and the values computed so far, `[positions][width]` a node.
#[derive(Debug)]
pub(super) struct Batch {
    network: Arc<Network>,
    positions: Positions,
    values: Vec<Option<Tensor>>,
}

impl Batch {
    pub fn new(network: &Arc<Network>, positions: Positions) -> Self {
        let values = network.widths.iter().map(|_| None).collect();
        Self { network: Arc::clone(network), positions, values }
    }

    pub fn positions(&self) -> &Positions {
        &self.positions
    }

    /// The values of a node whose stage was run.
    pub fn value(&self, node: NodeId) -> Result<&Tensor> {
        let missing = || TchError::Shape(format!("node {node} was not computed"));
        self.values[self.network.home[node]].as_ref().ok_or_else(missing)
    }
}

/// `2^exponent`, exactly.
fn powers(exponents: &[u8], device: Device) -> Result<Tensor> {
    let powers: Vec<i64> = exponents.iter().map(|e| 1i64 << e).collect();
    tensor(&powers, Kind::Double, device)
}

impl Nodes {
    pub fn new(network: &Arc<Network>, device: Device) -> Result<Self> {
        let program = network.program();
        let numbers = |id: usize| -> Result<Numbers> {
            Ok(match (&program.spec().nodes[id].op, program.params(id)) {
                (Op::Neighbours { offsets }, _) => Numbers::Window(Offsets::new(offsets, device)?),
                (Op::LocalScale { near }, Params::Scale { level }) => {
                    let near: Vec<i64> = near.iter().map(|k| (*k).into()).collect();
                    Numbers::Scale {
                        near: tensor(&near, Kind::Int64, device)?,
                        level: tensor(level, Kind::Double, device)?,
                    }
                }
                (_, Params::Normalize { limit, shift, multiplier }) => {
                    let factor = tensor(multiplier, Kind::Double, device)?.f_mul(&powers(shift, device)?)?;
                    Numbers::Normalize {
                        limit: tensor(limit, Kind::Double, device)?,
                        factor: factor.f_div(&powers(&[16], device)?)?,
                    }
                }
                (_, Params::Linear { weights, bias, shift, .. }) => {
                    let outputs = bias.len() as i64;
                    let half = |(b, s): (&i32, &u8)| i64::from(*b) + (1 << (s - 1));
                    let bias: Vec<i64> = bias.iter().zip(shift).map(half).collect();
                    let weights = tensor(weights, Kind::Double, device)?.f_view([outputs, -1])?.f_transpose(0, 1)?;
                    let scale = powers(shift, device)?;
                    Numbers::Linear {
                        weights: weights.f_div(&scale)?.f_contiguous()?,
                        bias: tensor(&bias, Kind::Double, device)?.f_div(&scale)?,
                    }
                }
                _ => Numbers::None,
            })
        };
        let numbers = (0..program.spec().nodes.len()).map(numbers).collect::<Result<_>>()?;
        Ok(Self { network: Arc::clone(network), numbers })
    }

    /// Computes what depends on the windows and on the first `stage` channels of the positions, and on no later one.
    pub fn stage(&self, stage: usize, samples: &Samples, batch: &mut Batch) -> Result<()> {
        for &id in self.network.stage_nodes(stage) {
            let value = self.node(id, samples, batch)?;
            batch.values[id] = Some(value);
        }
        Ok(())
    }

    fn node(&self, id: NodeId, samples: &Samples, batch: &Batch) -> Result<Tensor> {
        let program = self.network.program();
        let node = &program.spec().nodes[id];
        let channels = program.spec().symbols.channels;
        let (n, width) = (batch.positions.len(), self.network.widths[id] as i64);
        let input = |i: usize| batch.value(node.inputs[i]);
        // A window's values as [positions][channels][samples].
        let grouped = |i: usize, groups: i64| input(i)?.f_view([n, groups, -1]);
        match (&node.op, program.params(id), &self.numbers[id]) {
            (Op::Neighbours { .. }, _, Numbers::Window(offsets)) => {
                let windows = samples.windows(&batch.positions, offsets)?;
                windows.f_view([n, width])?.f_to_kind(Kind::Double)
            }
            (Op::Current { channels }, ..) => {
                let channel = |c: u16| samples.current(&batch.positions, c.into());
                let each = (0..*channels).map(channel).collect::<Result<Vec<_>>>()?;
                Tensor::f_stack(&each, 1)?.f_to_kind(Kind::Double)
            }
            (Op::LocalMean { a, b }, ..) => {
                let windows = grouped(0, channels.into())?;
                let sum = windows.f_select(2, (*a).into())?.f_add(&windows.f_select(2, (*b).into())?)?;
                sum.f_div_scalar_mode(2, "floor")
            }
            (Op::LocalScale { .. }, _, Numbers::Scale { near, level }) => {
                let near = grouped(0, input(1)?.size()[1])?.f_index_select(2, near)?;
                let away = near.f_sub(&input(1)?.f_unsqueeze(2)?)?.f_abs()?;
                let sum = away.f_sum_dim_intlist(&[1i64, 2][..], false, Kind::Double)?;
                level.f_index_select(0, &sum.f_to_kind(Kind::Int64)?)?.f_unsqueeze(1)
            }
            (Op::Normalize { .. }, _, Numbers::Normalize { limit, factor }) => {
                let level = input(2)?.f_view([n])?.f_to_kind(Kind::Int64)?;
                let of_level = |table: &Tensor| table.f_index_select(0, &level)?.f_view([n, 1, 1]);
                let is_current = matches!(program.spec().nodes[node.inputs[0]].op, Op::Current { .. });
                let groups = if is_current { width } else { input(1)?.size()[1] };
                let mean = input(1)?.f_narrow(1, 0, groups)?.f_unsqueeze(2)?;
                let limit = of_level(limit)?;
                let difference = grouped(0, groups)?.f_sub(&mean)?;
                let difference = difference.f_maximum(&limit.f_neg()?)?.f_minimum(&limit)?;
                difference.f_mul(&of_level(factor)?)?.f_floor_()?.f_view([n, width])
            }
            (_, Params::Linear { low, high, .. }, Numbers::Linear { weights, bias }) => {
                let mut y = bias.f_addmm(input(0)?, weights)?.f_floor_()?;
                y.f_clamp_(i64::from(*low), i64::from(*high))
            }
            (Op::Relu, ..) => input(0)?.f_clamp_min(0),
            (Op::Add, Params::Add { low, high }, _) => {
                let mut y = input(0)?.f_add(input(1)?)?;
                y.f_clamp_(i64::from(*low), i64::from(*high))
            }
            (Op::Concat, ..) => {
                let inputs = (0..node.inputs.len()).map(input).collect::<Result<Vec<_>>>()?;
                Tensor::f_cat(&inputs, 1)
            }
            _ => unreachable!("a program holds only operations that can be run"),
        }
    }
}
