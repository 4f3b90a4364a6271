//! What each operation computes, for all examples at some places.
//!
//! What must stay true: each arm computes what the same arm of `reference` does.

use super::gather::layer;
use super::network::GridNetwork;
use super::store::Store;
use crate::engine::kernels::{View, ViewMut, padded, product, rowwise};
use crate::engine::program::{Params, Table};
use crate::spec::{NodeId, Op};
use std::ops::Range;

impl Store {
    /// Computes some values of a node at `n` places from one on.
    pub fn compute(&mut self, network: &GridNetwork, id: NodeId, mut place: usize, mut n: usize, values: Range<usize>) {
        let mut own = self.take(id);
        let inputs = &network.program().spec().nodes[id].inputs;
        let taps = network.taps[id].as_ref();
        while n > 0 {
            // Only so many places as lie one after the other, here and in each input that is read row by row.
            let mut run = n.min(self.run(network, id, place));
            if taps.is_none() {
                let each = inputs.iter().map(|&i| self.run(network, i, network.places[i].at(place)));
                run = each.fold(run, usize::min);
            }
            let mut out = self.rows(network, id, place, &mut own);
            match taps {
                Some(taps) => self.convolve(network, id, taps, (place, run), values.clone(), out),
                None => self.node(network, id, place, run, &values, &mut out),
            }
            (place, n) = (place + run, n - run);
        }
        self.put(id, own);
    }

    /// At places that lie one after the other, in each input as well.
    fn node(
        &mut self,
        network: &GridNetwork,
        id: NodeId,
        place: usize,
        n: usize,
        values: &Range<usize>,
        out: &mut ViewMut,
    ) {
        let program = network.program();
        let node = &program.spec().nodes[id];
        let (kernel, lanes, clamp) = (network.kernel(), self.lanes, network.clamps[id]);
        let rows = n * lanes;
        let input = |i: usize| self.view(network, node.inputs[i], network.places[node.inputs[i]].at(place));
        let channels = usize::from(network.grid().channels);
        match (&node.op, program.params(id)) {
            (Op::Current { .. }, _) => {
                for (i, symbols) in
                    self.symbols[place * channels * lanes..].chunks(channels * lanes).take(n).enumerate()
                {
                    for lane in 0..lanes {
                        let out = out.row(i * lanes + lane);
                        values.clone().for_each(|c| out[c] = symbols[c * lanes + lane]);
                    }
                }
            }
            (Op::Previous, _) => {
                for (i, p) in (place..place + n).enumerate() {
                    for lane in 0..lanes {
                        let symbol =
                            |c: usize| p.checked_sub(1).map_or(0, |p| self.symbols[(p * channels + c) * lanes + lane]);
                        values.clone().for_each(|c| out.row(i * lanes + lane)[c] = symbol(c));
                    }
                }
            }
            (Op::Condition { .. }, _) => (0..rows).for_each(|i| out.row(i)[0] = self.classes[i % lanes]),
            (Op::Coordinate { axis, divisor, modulus }, _) => {
                let axis = 3 - program.spec().symbols.axes.len() + usize::from(*axis);
                for i in 0..rows {
                    let at = network.places[id].split(place + i / lanes)[axis];
                    out.row(i)[0] = (at / *divisor as usize % *modulus as usize) as i16;
                }
            }
            (Op::Constant { .. }, Params::Constant { values: constants }) => {
                (0..rows).for_each(|i| out.row(i)[..constants.len()].copy_from_slice(constants));
            }
            (Op::Linear { .. } | Op::MaskedLinear { .. }, _) => {
                let out = ViewMut { stride: out.stride, values: &mut *out.values };
                self.linear(network, id, place, n, values.clone(), out);
            }
            (Op::Relu, _) => rowwise::rectify(kernel, input(0), rows, values, out),
            (Op::Add, _) => rowwise::add(kernel, input(0), input(1), rows, values, clamp, out),
            (Op::Gate, Params::Gate { shift, .. }) => {
                rowwise::gate(kernel, [input(0), input(1)], rows, values, *shift, clamp, out);
            }
            (Op::Activation { .. }, Params::Table(Table { shift, first, values: table })) => {
                rowwise::look_up(kernel, input(0), rows, values, (*shift, *first, table), out);
            }
            (Op::Concat, _) => {
                let mut at = 0;
                for (i, &x) in node.inputs.iter().enumerate() {
                    let width = network.widths[x];
                    let part = values.start.max(at)..values.end.min(at + width);
                    if !part.is_empty() {
                        rowwise::copy(kernel, input(i), rows, &(part.start - at..part.end - at), part.start, out);
                    }
                    at += width;
                }
            }
            (Op::Mirror, _) => {
                let (x, width) = (input(0), network.widths[node.inputs[0]]);
                for i in 0..rows {
                    let (x, out) = (x.row(i), out.row(i));
                    values.clone().for_each(|o| out[o] = if o < width { x[o] } else { -x[o - width] });
                }
            }
            (Op::OneHot, _) => {
                let (x, inputs) = (input(0), network.widths[node.inputs[0]]);
                let each = network.widths[id] / inputs;
                for i in 0..rows {
                    let out = out.row(i);
                    out[values.clone()].fill(0);
                    for k in values.start / each..values.end / each {
                        out[k * each + x.row(i)[k] as usize] = 1;
                    }
                }
            }
            (Op::Embedding { outputs }, Params::Embedding { values: table }) => {
                let (x, inputs, each) = (input(0), network.widths[node.inputs[0]], *outputs as usize);
                let alphabet = table.len() / (inputs * each);
                for i in 0..rows {
                    for k in values.start / each..values.end / each {
                        let entry = k * alphabet + x.row(i)[k] as usize;
                        out.row(i)[k * each..][..each].copy_from_slice(&table[entry * each..][..each]);
                    }
                }
            }
            (Op::Lstm { .. }, Params::Lstm { sigmoid, tanh, squash, .. }) => {
                for i in 0..n {
                    self.recur(network, id, place + i, [sigmoid, tanh, squash]);
                    let width = network.widths[id];
                    for lane in 0..lanes {
                        out.row(i * lanes + lane)[..width].copy_from_slice(&self.states[id][lane * width..][..width]);
                    }
                }
            }
            (Op::Attention { .. }, _) => {
                for i in 0..n {
                    let out = ViewMut { stride: out.stride, values: out.row(i * lanes) };
                    self.attend(network, id, place + i, out);
                }
            }
            _ => unreachable!("a program holds only operations that can be run"),
        }
    }

    /// One step of a recurrent node: new cells and states of all examples.
    fn recur(&mut self, network: &GridNetwork, id: NodeId, place: usize, [sigmoid, tanh, squash]: [&Table; 3]) {
        let (lanes, width) = (self.lanes, network.widths[id]);
        let input = network.program().spec().nodes[id].inputs[0];
        let (inputs, packed) = (network.widths[input], &layer(network, id).packed[0]);
        let (mut gathered, mut products) = (std::mem::take(&mut self.gathered), std::mem::take(&mut self.products));
        let (stride, gates) = (padded(inputs + width), padded(4 * width));
        gathered.resize(gathered.len().max(lanes * stride), 0);
        products.resize(products.len().max(lanes * gates), 0);
        let x = self.view(network, input, network.places[input].at(place));
        for (lane, (row, state)) in
            gathered.chunks_exact_mut(stride).zip(self.states[id].chunks_exact(width)).enumerate()
        {
            row[..inputs].copy_from_slice(&x.row(lane)[..inputs]);
            row[inputs..inputs + width].copy_from_slice(state);
        }
        let (x, to) = (View { stride, values: &gathered }, ViewMut { stride: gates, values: &mut products });
        product(network.kernel(), packed, &packed.whole(), x, lanes, to);
        let cells = self.cells[id].chunks_exact_mut(width).zip(self.states[id].chunks_exact_mut(width));
        for ((cells, states), a) in cells.zip(products.chunks_exact(gates)) {
            let (i, f, g, o) = (&a[..width], &a[width..2 * width], &a[2 * width..3 * width], &a[3 * width..4 * width]);
            for (k, (cell, state)) in cells.iter_mut().zip(states).enumerate() {
                let [i, f, o] = [i[k], f[k], o[k]].map(|a| i64::from(look_up(sigmoid, a.into())));
                let g = i64::from(look_up(tanh, g[k].into()));
                let c = (f * i64::from(*cell) + i * g + (1 << 13)) >> 14;
                *cell = c.clamp(-(1 << 24), 1 << 24) as i32;
                *state = ((o * i64::from(look_up(squash, *cell)) + (1 << 14)) >> 15) as i16;
            }
        }
        (self.gathered, self.products) = (gathered, products);
    }
}

#[inline]
fn look_up(table: &Table, x: i32) -> i16 {
    let last = table.first + (table.values.len() as i32 - 1);
    table.values[((x >> table.shift).clamp(table.first, last) - table.first) as usize]
}
