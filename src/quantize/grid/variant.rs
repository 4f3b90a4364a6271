//! The same weights under other masks or in another order of the channels: what a network that was trained with many of them
//! (Germain et al. 2015, sections 4.2 and 4.3) is with each.
//!
//! In another order the network's inputs and outputs are other channels of the data; the weights stay with them.
//!
//! What must stay true: a weight belongs to the same two channels or units in every variant.

use super::{LayerShape, Weights};
use crate::quantize::QuantizeError;
use crate::quantize::float::FloatNetwork;
use crate::spec::{NetworkSpec, NodeId, Op, Order};
use crate::zoo::Sizes;

/// The variant in which the sizes in `changes` are others, such as `mask` and `order`.
///
/// # Errors
/// Sizes that the family does not have, or with which the network has other weights.
pub fn variant(weights: &Weights, changes: &[(&str, i64)]) -> Result<Weights, QuantizeError> {
    let Weights { family, sizes, domain, network } = weights;
    let mut chosen: Vec<(&str, i64)> = sizes.iter().collect();
    for (name, value) in changes {
        match chosen.iter_mut().find(|(n, _)| n == name) {
            Some((_, old)) => *old = *value,
            None => return Err(crate::zoo::ZooError::Setting((*name).to_owned()).into()),
        }
    }
    let sizes = Sizes::new(family.settings, &chosen)?;
    let (base, spec) = (&network.spec, (family.build)(domain, &sizes)?);
    let shapes = LayerShape::all(base)?;
    if shapes != LayerShape::all(&spec)? {
        return Err(QuantizeError::Operation("a variant with other weights".to_owned()));
    }
    let moved = moved(base, &spec);
    let mut layers = network.layers.clone();
    for (id, node) in spec.nodes.iter().enumerate() {
        let (Some(layer), Op::MaskedLinear { .. }, false) = (layers.get_mut(&id), &node.op, moved.is_empty()) else {
            continue;
        };
        let columns = shapes[id].inputs;
        let row = |r: usize| if is_output(&spec, id) { moved[r] } else { r };
        let column = |c: usize| if is_input(&spec, id) { moved[c] } else { c };
        let old = layer.clone();
        for (r, line) in old.weights.chunks_exact(columns).enumerate() {
            line.iter().enumerate().for_each(|(c, w)| layer.weights[row(r) * columns + column(c)] = *w);
            layer.bias[row(r)] = old.bias[r];
        }
    }
    Ok(Weights { family, sizes, domain: domain.clone(), network: FloatNetwork { spec, layers } })
}

/// When the n-th coded channel of `base` is coded by `variant`; empty if always at the same time.
pub fn moved(base: &NetworkSpec, variant: &NetworkSpec) -> Vec<usize> {
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

/// Whether a node reads the channels themselves.
pub fn is_input(spec: &NetworkSpec, id: NodeId) -> bool {
    spec.nodes[id].inputs.first().is_some_and(|i| matches!(spec.nodes[*i].op, Op::Current { .. }))
}

/// Whether a node's values are parameters, be it as a term of a sum.
pub fn is_output(spec: &NetworkSpec, id: NodeId) -> bool {
    let adds = |(user, _): &(NodeId, _)| is_output(spec, *user);
    spec.outputs.iter().any(|o| o.parameters == id)
        || spec.nodes.iter().enumerate().filter(|(_, n)| n.op == Op::Add && n.inputs.contains(&id)).any(|u| adds(&u))
}
