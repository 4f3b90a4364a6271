//! Which weights of masked products are there, for a network and for others of the same weights.
//!
//! Training that knows many connectivities or orders (Germain et al. 2015, "order-agnostic" and "connectivity-agnostic"
//! training) takes another mask each step. In another order the network's inputs and outputs are other pixels; the weights
//! stay with their pixels, so that the mask's rows and columns are moved instead.
//!
//! What must stay true: a weight belongs to the same two pixels or units in every variant.

use crate::spec::{NetworkSpec, NodeId, Op, Order};
use crate::train::TrainError;
use crate::train::params::Layout;
use std::collections::HashMap;
use tch::{Device, Kind, Tensor};

/// 1 where a mask keeps a weight, 0 elsewhere.
pub type Masks = HashMap<NodeId, Tensor>;

/// The masks of `variant`, a description with the nodes of `base`, for weights that are laid out as those of `base`.
pub fn masks(base: &NetworkSpec, variant: &NetworkSpec, kind: Kind, device: Device) -> Result<Masks, TrainError> {
    let (layout, widths) = (Layout::new(base)?, base.widths()?);
    let differ = |node, what: &str| TrainError::Operation { node, what: what.to_owned() };
    if Layout::new(variant)? != layout || variant.nodes.len() != base.nodes.len() {
        return Err(differ(0, "a variant with other weights"));
    }
    let moved = moved(base, variant);
    let place = |move_it: bool, i: usize| if move_it { moved[i] } else { i };
    let mut masks = HashMap::new();
    for part in layout.parts.iter().filter(|p| !p.bias) {
        let (id, node) = (part.node, &variant.nodes[part.node]);
        if !matches!(node.op, Op::MaskedLinear { .. } | Op::Convolution { .. }) {
            continue;
        }
        let inputs = widths[node.inputs[0]];
        let columns = part.len() / widths[id];
        let linear = matches!(node.op, Op::MaskedLinear { .. }) && !moved.is_empty();
        let from_pixels = linear && matches!(variant.nodes[node.inputs[0]].op, Op::Current { .. });
        let to_pixels = linear && is_output(variant, id);
        let keeps = |i: usize| {
            let (row, tap, column) = (i / columns, i % columns / inputs, i % inputs);
            node.op.keeps(inputs, place(to_pixels, row), tap, place(from_pixels, column))
        };
        let mask: Vec<f32> = (0..part.len()).map(|i| f32::from(u8::from(keeps(i)))).collect();
        if mask.contains(&0.0) {
            let mask = Tensor::f_from_slice(&mask)?.f_view(part.shape.as_slice())?;
            masks.insert(id, mask.f_to_device(device)?.f_to_kind(kind)?);
        }
    }
    Ok(masks)
}

/// When the n-th coded channel of `base` is coded by `variant`; empty if always at the same time.
fn moved(base: &NetworkSpec, variant: &NetworkSpec) -> Vec<usize> {
    let channels = |spec: &NetworkSpec| -> Vec<usize> {
        match &spec.symbols.order {
            Order::Permuted { channels } => channels.iter().map(|c| usize::from(*c)).collect(),
            _ => (0..spec.symbols.channels.into()).collect(),
        }
    };
    let (own, others) = (channels(base), channels(variant));
    if own == others {
        return Vec::new();
    }
    let mut time = vec![0; others.len()];
    others.iter().enumerate().for_each(|(n, channel)| time[*channel] = n);
    own.into_iter().map(|channel| time[channel]).collect()
}

/// Whether a node's values are parameters, be it as a term of a sum.
fn is_output(spec: &NetworkSpec, id: NodeId) -> bool {
    let adds = |(user, _): &(NodeId, _)| is_output(spec, *user);
    spec.outputs.iter().any(|o| o.parameters == id)
        || spec.nodes.iter().enumerate().filter(|(_, n)| n.op == Op::Add && n.inputs.contains(&id)).any(|u| adds(&u))
}
