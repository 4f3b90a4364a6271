//! WaveNet: a stack of dilated causal convolutions with gates (van den Oord et al. 2016, section 2).
//!
//! `z = tanh(W_f * x) . sigmoid(W_g * x)` (eq. 2); every layer adds to the residual stream and to the sum of skip
//! connections, from which the distribution is read. Dilations double from layer to layer and begin again, so that the
//! receptive field grows with the power of two. On a picture the pixels follow one another row after row, and row and column
//! can be given beside them.

use super::net::Net;
use super::{Family, Recipe, Setting, Sizes, ZooError};
use crate::spec::{Axis, Domain, Function, Kernel, NetworkSpec, SIGNED};

/// The entry in the registry.
pub const FAMILY: Family = Family {
    name: "wavenet",
    title: "WaveNet",
    source: "van den Oord et al. 2016c",
    settings: &[
        Setting::new("width", "features of a layer", 24, 1, 1024),
        Setting::new("skip", "features of the skip connections", 48, 1, 4096),
        Setting::new("layers", "layers, with dilations 1, 2, 4, ...", 9, 1, 14),
        Setting::new("stacks", "how often the dilations begin again", 1, 1, 8),
        Setting::new("coordinates", "on pictures: whether row and column are given (0 or 1)", 1, 0, 1),
    ],
    recipe: Recipe { batch: 32, rate: 2e-3, dropout: 0.0 },
    build,
};

fn build(domain: &Domain, sizes: &Sizes) -> Result<NetworkSpec, ZooError> {
    let fail = |what| Err(ZooError::Domain { family: FAMILY.name, what });
    let Some(alphabet) = domain.alphabet() else { return fail("it needs symbols in a row") };
    let (width, skip) = (sizes.get("width"), sizes.get("skip"));
    let mut net = Net::new(FAMILY.name, &[Axis::Time], 1, alphabet);
    let x = net.current(1);
    let x = if alphabet == 2 { x } else { net.taken_in(width, x) };
    // The symbols before: the shift keeps the current one out. Numbers are one value each, so that more of them cost little.
    let taps = if alphabet == SIGNED { 16 } else { 2 };
    let mut h = net.conv(width, Kernel::new([1, 1, taps], [0, 0, taps as i16]), x);
    match domain {
        Domain::Pictures { channels: 1, height, width: columns, .. } if sizes.get("coordinates") == 1 => {
            let row = net.place(*columns, (*height).max(2));
            let column = net.place(1, (*columns).max(2));
            let (row, column) = (net.activation(Function::Centre, row), net.activation(Function::Centre, column));
            let at = net.concat(&[row, column]);
            let at = net.linear(width, at);
            h = net.plus(h, at);
        }
        Domain::Pictures { channels: 1, .. } | Domain::Text { .. } | Domain::Sound { .. } => {}
        _ => return fail("it takes sound, text and pictures of one channel"),
    }
    let mut sum = None;
    for layer in 0..sizes.get("layers") * sizes.get("stacks") {
        let dilation = [1, 1, 1u16 << (layer % sizes.get("layers"))];
        let both = net.conv(2 * width, Kernel { dilation, ..Kernel::new([1, 1, 2], [0, 0, 1]) }, h);
        let gated = net.gated(width, both);
        let (residual, out) = (net.linear(width, gated), net.linear(skip, gated));
        h = net.plus(h, residual);
        sum = Some(sum.map_or(out, |sum| net.plus(sum, out)));
    }
    let p = net.relu(sum.expect("there is a layer"));
    let p = net.linear(skip, p);
    let p = net.relu(p);
    let (outputs, likelihood) = net.discrete();
    let p = net.linear(outputs, p);
    Ok(net.finish(p, likelihood))
}
