//! Programs that differ from another one in their biases alone.
//!
//! What must stay true: a program with other biases is proved like any other before a decoder runs it, and a network
//! under adjustment never gets a bias for which that proof would fail.

use super::kernels::Kernel;
use super::network::Network;
use super::program::{Params, Program, ProgramError};
use crate::spec::{NodeId, Op};
use std::sync::Arc;

impl Program {
    /// The trained linear layers, in the order of their nodes: those whose biases can be moved.
    pub fn trained(&self) -> impl Iterator<Item = NodeId> {
        let nodes = self.spec().nodes.iter().enumerate();
        nodes.filter(|(_, node)| matches!(node.op, Op::Linear { trainable: true, .. })).map(|(id, _)| id)
    }

    /// The largest magnitude that the bias of each row of a linear layer may have, so that
    /// `|bias| + sum |w| max|x| + 2^(s-1) < 2^31`; empty for other nodes.
    pub fn room(&self, node: NodeId) -> Vec<i32> {
        let Params::Linear { weights, shift, .. } = self.params(node) else { return Vec::new() };
        let columns = self.ranges(self.spec().nodes[node].inputs[0]);
        let rows = weights.chunks_exact(columns.len()).zip(shift);
        rows.map(|(row, shift)| {
            let products = row.iter().zip(columns).map(|(w, c)| i64::from(*w).abs() * c.magnitude());
            ((1 << 31) - 1 - (1 << (shift - 1)) - products.sum::<i64>()) as i32
        })
        .collect()
    }

    /// The same program with other biases in some linear layers, proved as [`Program::new`] proves.
    pub fn with_biases(&self, biases: &[(NodeId, Vec<i32>)]) -> Result<Self, ProgramError> {
        let mut params: Vec<Params> = (0..self.spec().nodes.len()).map(|node| self.params(node).clone()).collect();
        for (node, new) in biases {
            if let Params::Linear { bias, .. } = &mut params[*node] {
                bias.clone_from(new);
            }
        }
        let heads = (0..self.spec().outputs.len()).map(|output| self.head(output).clone()).collect();
        Self::new(self.name(), self.domain().clone(), self.spec().clone(), params, heads)
    }
}

/// A network whose biases are moved again and again, within the proved room.
#[derive(Debug)]
pub struct Adjustable {
    network: Network,
    /// `[nodes][outputs]`
    room: Vec<Vec<i32>>,
}

impl Adjustable {
    /// Prepares a program.
    ///
    /// # Panics
    /// If this machine lacks the kernel.
    pub fn new(program: &Arc<Program>, kernel: Kernel) -> Self {
        let room = (0..program.spec().nodes.len()).map(|node| program.room(node)).collect();
        Self { network: Network::new(Arc::clone(program), kernel), room }
    }

    /// The network with its present biases. Its [`Network::program`] is the one that it began with.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The largest magnitude of each bias of a layer.
    pub fn room(&self, node: NodeId) -> &[i32] {
        &self.room[node]
    }

    /// Sets the biases of a linear layer.
    ///
    /// # Panics
    /// If there are not as many as rows, or one leaves its [`room`](Self::room).
    pub fn set_bias(&mut self, node: NodeId, bias: &[i32]) {
        let room = &self.room[node];
        assert!(bias.len() == room.len() && bias.iter().zip(room).all(|(b, r)| b.unsigned_abs() <= *r as u32));
        if let Some(layer) = &mut self.network.packed[node] {
            layer.set_bias(bias);
        }
    }
}
