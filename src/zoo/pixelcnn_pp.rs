//! PixelCNN++: a mixture of logistics in place of 256 ways, shortcuts across a smaller grid, gated residual blocks (Salimans
//! et al. 2017).
//!
//! The channels of a pixel are coded by one mixture whose means depend linearly on the channels before (section 2.2), so the
//! network sees whole pixels. Two streams, one of the rows above and one that sees to the left as well, go down through
//! coarser grids by strided convolutions and come back up, each step joined to its counterpart (sections 2.3 and 2.4).

use super::net::{Net, kernel};
use super::{Family, Recipe, Setting, Sizes, ZooError};
use crate::spec::{Axis, Domain, Function, Kernel, NetworkSpec, NodeId, Op};

/// The entry in the registry.
pub const FAMILY: Family = Family {
    name: "pixelcnn++",
    title: "PixelCNN++",
    source: "Salimans et al. 2017",
    settings: &[
        Setting::new("width", "features of each stream", 32, 1, 1024),
        Setting::new("levels", "coarser grids", 2, 0, 4),
        Setting::new("blocks", "residual blocks on each grid, down and up", 2, 1, 16),
        Setting::new("components", "logistics of the mixture", 5, 1, 10),
    ],
    recipe: Recipe { batch: 16, rate: 1e-3, dropout: 0.0 },
    build,
};

fn build(domain: &Domain, sizes: &Sizes) -> Result<NetworkSpec, ZooError> {
    let fail = |what| Err(ZooError::Domain { family: FAMILY.name, what });
    let Domain::Pictures { channels, height, width: columns, alphabet } = domain else {
        return fail("it takes pictures of one size");
    };
    let levels = sizes.get("levels");
    if *alphabet < 16 {
        return fail("it takes samples of 16 values or more");
    }
    if height % (1 << levels) != 0 || columns % (1 << levels) != 0 {
        return fail("the sides must be multiples of 2 to the number of levels");
    }
    let width = sizes.get("width");
    let (down, right) = (kernel(2, 3, 1, 1), kernel(2, 2, 1, 1));
    let twice = |k: Kernel| Kernel { stride: [1, 2, 2], ..k };
    let mut net = Net::new(FAMILY.name, &[Axis::Row, Axis::Column], *channels, *alphabet);
    let x = net.samples();
    let mut u = net.conv(width, kernel(2, 3, 2, 1), x);
    let (above, left) = (net.conv(width, kernel(1, 3, 1, 1), x), net.conv(width, kernel(2, 1, 1, 1), x));
    let mut ul = net.plus(above, left);
    let mut kept = vec![(u, ul)];
    for level in 0..=levels {
        for _ in 0..sizes.get("blocks") {
            u = residual(&mut net, width, down, u, None);
            ul = residual(&mut net, width, right, ul, Some(u));
            kept.push((u, ul));
        }
        if level < levels {
            u = net.conv(width, twice(down), u);
            ul = net.conv(width, twice(right), ul);
            kept.push((u, ul));
        }
    }
    (u, ul) = kept.pop().expect("one a block");
    for level in 0..=levels {
        for _ in 0..sizes.get("blocks") + u32::from(level > 0) {
            let Some((skip_u, skip_ul)) = kept.pop() else { break };
            u = residual(&mut net, width, down, u, Some(skip_u));
            let both = net.concat(&[u, skip_ul]);
            ul = residual(&mut net, width, right, ul, Some(both));
        }
        if level < levels {
            u = net.up(width, twice(kernel(2, 3, 0, 1)), u);
            ul = net.up(width, twice(kernel(2, 2, 0, 0)), ul);
        }
    }
    let h = net.activation(Function::Elu, ul);
    let (outputs, likelihood) = net.mixture(sizes.get("components"));
    let parameters = net.linear(outputs, h);
    Ok(net.finish(parameters, likelihood))
}

/// One gated residual block on a stream; `k` is its kernel, `other` what else it takes in.
fn residual(net: &mut Net, width: u32, k: Kernel, x: NodeId, other: Option<NodeId>) -> NodeId {
    let r = net.concat_elu(x);
    let mut r = net.conv(width, k, r);
    if let Some(other) = other {
        let other = net.concat_elu(other);
        let other = net.linear(width, other);
        r = net.plus(r, other);
    }
    let r = net.concat_elu(r);
    let r = net.conv(2 * width, k, r);
    let (a, b) = (net.select(0, width, r), net.select(width, width, r));
    let b = net.activation(Function::Sigmoid, b);
    let gated = net.add(Op::Gate, &[a, b]);
    net.plus(x, gated)
}
