//! Matrix products of layers: straight from the rows of the input, or from gathered ones.
//!
//! What must stay true: what is gathered beyond the inputs of a layer meets weights of zero.

use super::network::{GridNetwork, Layer};
use super::places::Taps;
use super::store::Store;
use crate::engine::kernels::{LANES, View, ViewMut, padded, product, rowwise};
use crate::spec::NodeId;
use std::ops::Range;

/// Rows that are gathered at once.
const ROWS: usize = 384;

impl Store {
    /// A layer without taps, at `n` places that lie one after the other, in the input as well.
    pub(super) fn linear(
        &self,
        network: &GridNetwork,
        id: NodeId,
        place: usize,
        n: usize,
        values: Range<usize>,
        out: ViewMut,
    ) {
        let layer = layer(network, id);
        let input = network.program().spec().nodes[id].inputs[0];
        let x = self.view(network, input, network.places[input].at(place));
        let vectors = values.start / LANES..values.end.div_ceil(LANES);
        let seen = match &layer.seen[..] {
            [] => network.widths[input],
            seen => seen[vectors].iter().copied().max().unwrap_or(0),
        };
        let part = layer.packed[0].part(values, seen);
        product(network.kernel(), &layer.packed[0], &part, x, n * self.lanes, out);
    }

    /// A layer with taps, at `n` places that lie one after the other.
    pub(super) fn convolve(
        &mut self,
        network: &GridNetwork,
        id: NodeId,
        taps: &Taps,
        (place, n): (usize, usize),
        values: Range<usize>,
        mut out: ViewMut,
    ) {
        let (own, lanes) = (&network.places[id], self.lanes);
        let layer = layer(network, id);
        let (mut gathered, mut products) = (std::mem::take(&mut self.gathered), std::mem::take(&mut self.products));
        let chunk = (ROWS / lanes).max(1);
        for phase in 0..taps.phases.len() {
            let of_phase: Vec<usize> = (place..place + n).filter(|p| taps.phase(own, *p) == phase).collect();
            let packed = &layer.packed[phase];
            let width = network.widths[network.program().spec().nodes[id].inputs[0]];
            let inputs = taps.phases[phase].taps.len() * width;
            let part = packed.part(values.clone(), inputs);
            for places in of_phase.chunks(chunk) {
                let stride = self.gather(network, id, taps, places, inputs, &mut gathered);
                let (x, rows) = (View { stride, values: &gathered }, places.len() * lanes);
                let first = (places[0] - place) * lanes;
                if taps.phases.len() == 1 {
                    let to = ViewMut { stride: out.stride, values: out.row(first) };
                    product(network.kernel(), packed, &part, x, rows, to);
                    continue;
                }
                // The places of a phase lie apart.
                products.resize(rows * out.stride, 0);
                let to = ViewMut { stride: out.stride, values: &mut products };
                product(network.kernel(), packed, &part, x, rows, to);
                for (p, products) in places.iter().zip(products.chunks_exact(lanes * out.stride)) {
                    out.row((p - place) * lanes)[..products.len()].copy_from_slice(products);
                }
            }
        }
        (self.gathered, self.products) = (gathered, products);
    }

    /// Gathers what the taps read at some places of one phase, `[place][lane][tap][input]`; gives the length of a row.
    fn gather(
        &self,
        network: &GridNetwork,
        id: NodeId,
        taps: &Taps,
        places: &[usize],
        inputs: usize,
        gathered: &mut Vec<i16>,
    ) -> usize {
        let input = network.program().spec().nodes[id].inputs[0];
        let (width, lanes) = (network.widths[input], self.lanes);
        // Whole vectors are copied, each followed by what begins in it.
        let stride = padded(inputs + LANES);
        if gathered.len() < places.len() * lanes * stride {
            gathered.resize(places.len() * lanes * stride, 0);
        }
        for (place, rows) in places.iter().zip(gathered.chunks_exact_mut(lanes * stride)) {
            for (tap, source) in taps.read(&network.places[id], &network.places[input], *place).enumerate() {
                let Some(source) = source else {
                    rows.chunks_exact_mut(stride).for_each(|row| row[tap * width..][..width].fill(0));
                    continue;
                };
                let x = self.view(network, input, source);
                let mut to = ViewMut { stride, values: &mut *rows };
                rowwise::copy_vectors(network.kernel(), x, lanes, width.div_ceil(LANES), tap * width, &mut to);
            }
        }
        stride
    }
}

pub(super) fn layer(network: &GridNetwork, id: NodeId) -> &Layer {
    network.layers[id].as_ref().expect("layers are packed")
}
