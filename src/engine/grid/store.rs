//! The values of all nodes at the places that are kept, for some examples.
//!
//! What must stay true: whatever lies in a row was at some time a value of its column, or is zero, so that even what is read
//! before it is computed (and then masked) overflows nothing.

use super::network::GridNetwork;
use crate::engine::kernels::{LANES, View, ViewMut, padded};
use crate::spec::NodeId;

/// Values `[slot][lane][value]` of each node, each row padded to [`LANES`].
#[derive(Debug, Default)]
pub(super) struct Store {
    pub lanes: usize,
    /// Places of each node that are kept.
    slots: Vec<usize>,
    values: Vec<Vec<i16>>,
    /// Symbols `[step][lane]`.
    pub symbols: Vec<i16>,
    /// `[lane]`.
    pub classes: Vec<i16>,
    /// Cells of recurrent nodes, `[lane][cell]`.
    pub cells: Vec<Vec<i32>>,
    /// Their last outputs.
    pub states: Vec<Vec<i16>>,
    /// Gathered inputs, products, and scores of attention.
    pub gathered: Vec<i16>,
    pub products: Vec<i16>,
}

impl Store {
    /// Makes room for some lanes; `all` keeps all places, else those that the schedule needs at a time.
    pub fn lay(&mut self, network: &GridNetwork, lanes: usize, all: bool) {
        let nodes = network.widths.len();
        let slots = |id: usize| match network.plans[id].slots {
            0 => 0,
            _ if all => network.places[id].count(),
            slots => slots,
        };
        let slots: Vec<usize> = (0..nodes).map(slots).collect();
        if self.lanes != lanes || self.slots != slots {
            self.values.resize_with(nodes, Vec::new);
            for (id, values) in self.values.iter_mut().enumerate() {
                values.clear();
                // A vector may reach beyond the last row.
                let tail = if slots[id] > 0 { LANES } else { 0 };
                values.resize(slots[id] * lanes * padded(network.widths[id]) + tail, 0);
            }
            (self.lanes, self.slots) = (lanes, slots);
        }
        self.symbols.clear();
        self.symbols.resize(network.symbols() * lanes, 0);
        self.cells.resize_with(nodes, Vec::new);
        self.states.resize_with(nodes, Vec::new);
        for (id, node) in network.program().spec().nodes.iter().enumerate() {
            let width = if matches!(node.op, crate::spec::Op::Lstm { .. }) { network.widths[id] } else { 0 };
            self.cells[id].clear();
            self.cells[id].resize(lanes * width, 0);
            self.states[id].clear();
            self.states[id].resize(lanes * width, 0);
        }
    }

    /// Where a place of the node that holds a node's values begins, in rows.
    fn row(&self, home: NodeId, place: usize) -> usize {
        place % self.slots[home] * self.lanes
    }

    /// How many places from one on lie one after the other.
    pub fn run(&self, network: &GridNetwork, node: NodeId, place: usize) -> usize {
        let home = network.homes[node].node;
        if network.places[node].same { 1 } else { self.slots[home] - place % self.slots[home] }
    }

    /// The rows of a node from a place of it on.
    pub fn view(&self, network: &GridNetwork, node: NodeId, place: usize) -> View<'_> {
        let home = network.homes[node];
        let stride = padded(network.widths[home.node]);
        View { stride, values: &self.values[home.node][self.row(home.node, place) * stride + home.offset..] }
    }

    /// Takes out a node's values; [`put`](Self::put) brings them back.
    pub fn take(&mut self, node: NodeId) -> Vec<i16> {
        std::mem::take(&mut self.values[node])
    }
    pub fn put(&mut self, node: NodeId, values: Vec<i16>) {
        self.values[node] = values;
    }

    /// The rows from a place on of values that were taken out.
    pub fn rows<'v>(&self, network: &GridNetwork, node: NodeId, place: usize, values: &'v mut [i16]) -> ViewMut<'v> {
        let stride = padded(network.widths[node]);
        ViewMut { stride, values: &mut values[self.row(node, place) * stride..] }
    }
}
