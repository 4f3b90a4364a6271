//! Which weights of masked products are there, for a network and for others of the same weights.
//!
//! Training that knows many connectivities or orders (Germain et al. 2015, "order-agnostic" and "connectivity-agnostic"
//! training) takes another mask each step. In another order the network's inputs and outputs are other pixels; the weights
//! stay with their pixels, so that the mask's rows and columns are moved instead.
//!
//! What must stay true: a weight belongs to the same two pixels or units in every variant.

use crate::quantize::grid::variant::{is_input, is_output, moved};
use crate::spec::{NetworkSpec, NodeId, Op};
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
        let from_pixels = linear && is_input(variant, id);
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
