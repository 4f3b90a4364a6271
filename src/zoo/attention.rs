//! Self-attention over all earlier pixels between causal residual blocks: PixelSNAIL (Chen et al. 2018; attention of Vaswani
//! et al. 2017).
//!
//! A convolution sees what is near; attention picks from everything that was coded, by content and place:
//! `softmax(q k / sqrt(d)) v` over the earlier positions. Keys and values hold the pixel itself, which is why a position does
//! not attend to itself.

use super::net::{Net, kernel};
use super::{Family, Recipe, Setting, Sizes, ZooError};
use crate::spec::{Axis, Domain, Function, NetworkSpec, NodeId, Op, Pattern, Side};

/// The entry in the registry.
pub const FAMILY: Family = Family {
    name: "pixelsnail",
    title: "PixelSNAIL",
    source: "Chen et al. 2018",
    settings: &[
        Setting::new("width", "features", 24, 2, 1024),
        Setting::new("blocks", "pairs of residual blocks and attention", 2, 1, 32),
        Setting::new("residual", "residual blocks before each attention", 2, 0, 16),
        Setting::new("heads", "heads of attention", 2, 1, 16),
        Setting::new("keys", "length of a key in each head", 8, 1, 256),
        Setting::new("components", "logistics of the mixture, unless samples are few", 5, 1, 10),
    ],
    recipe: Recipe { batch: 16, rate: 2e-3, dropout: 0.0 },
    build,
};

fn build(domain: &Domain, sizes: &Sizes) -> Result<NetworkSpec, ZooError> {
    let Domain::Pictures { channels, height, width: columns, alphabet } = domain else {
        return Err(ZooError::Domain { family: FAMILY.name, what: "it takes pictures of one size" });
    };
    let heads = sizes.get("heads");
    let width = sizes.get("width").div_ceil(heads) * heads;
    let mut net = Net::new(FAMILY.name, &[Axis::Row, Axis::Column], *channels, *alphabet);
    let x = net.samples();
    let above = net.conv(width, kernel(2, 5, 2, 2), x);
    let left = net.conv(width, kernel(1, 2, 0, 2), x);
    let mut h = net.plus(above, left);
    let (row, column) = (net.coordinate(0, (*height).max(2)), net.coordinate(1, (*columns).max(2)));
    let (row, column) = (net.activation(Function::Centre, row), net.activation(Function::Centre, column));
    let at = net.concat(&[row, column]);
    for _ in 0..sizes.get("blocks") {
        for _ in 0..sizes.get("residual") {
            h = residual(&mut net, width, h);
        }
        let (known, asking) = (net.concat(&[x, h, at]), net.concat(&[h, at]));
        let keys = heads * sizes.get("keys");
        let (q, k, v) = (net.linear(keys, asking), net.linear(keys, known), net.linear(width, known));
        let attention = Op::Attention { heads: heads as u16, pattern: Pattern::All, side: Side::Earlier };
        let seen = net.add(attention, &[q, k, v]);
        let seen = net.linear(width, seen);
        h = net.plus(h, seen);
    }
    let h = net.activation(Function::Elu, h);
    let (outputs, likelihood) = match alphabet {
        2 => net.discrete(),
        _ => net.mixture(sizes.get("components")),
    };
    let parameters = net.linear(outputs, h);
    Ok(net.finish(parameters, likelihood))
}

/// A gated residual block of causal convolutions.
fn residual(net: &mut Net, width: u32, x: NodeId) -> NodeId {
    let k = kernel(2, 2, 1, 1);
    let r = net.activation(Function::Elu, x);
    let r = net.conv(width, k, r);
    let r = net.activation(Function::Elu, r);
    let r = net.conv(2 * width, k, r);
    let r = net.gated(width, r);
    net.plus(x, r)
}
