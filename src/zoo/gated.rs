//! Gated PixelCNN: two stacks of gated convolutions, so that nothing above is hidden (van den Oord et al. 2016, "Conditional
//! image generation with PixelCNN decoders").
//!
//! The vertical stack sees all rows above, the horizontal one its own row to the left and the vertical stack:
//! `y = tanh(W_f * x + V_f h) . sigmoid(W_g * x + V_g h)` (eq. 2 and 3), h the class if there are classes.

use super::net::{Net, kernel, upper};
use super::{Family, Recipe, Setting, Sizes, ZooError};
use crate::spec::{Axis, Condition, Domain, NetworkSpec};

/// The entry in the registry.
pub const FAMILY: Family = Family {
    name: "gated-pixelcnn",
    title: "Gated PixelCNN",
    source: "van den Oord et al. 2016b",
    settings: &[
        Setting::new("width", "features of each stack", 24, 1, 1024),
        Setting::new("first", "side of the first kernel (odd)", 7, 3, 15),
        Setting::new("layers", "gated layers", 8, 1, 64),
        Setting::new("side", "side of their kernels (odd)", 3, 3, 15),
        Setting::new("head", "features of the last hidden layer", 64, 1, 4096),
        Setting::new("coordinates", "whether row and column are given (0: as published)", 1, 0, 1),
        Setting::new(
            "components",
            "logistics of a mixture over each sample; 0 for any distribution (as published)",
            0,
            0,
            10,
        ),
        Setting::new("classes", "classes that are given beside the picture; 0 for none", 0, 0, 32768),
    ],
    recipe: Recipe { batch: 32, rate: 2e-3, dropout: 0.0 },
    build,
};

fn build(domain: &Domain, sizes: &Sizes) -> Result<NetworkSpec, ZooError> {
    let Domain::Pictures { channels, height, width: columns, alphabet } = domain else {
        return Err(ZooError::Domain { family: FAMILY.name, what: "it takes pictures of one size" });
    };
    let components = sizes.get("components");
    if components > 0 && *alphabet < 16 {
        return Err(ZooError::Domain { family: FAMILY.name, what: "mixtures are for samples of 16 values or more" });
    }
    // A mixture ties the channels of a place together by itself; any distribution over them needs features of the channels before.
    let groups = if components > 0 { 1 } else { *channels };
    let width = sizes.get("width").div_ceil(groups.into()) * u32::from(groups);
    let side = sizes.get("first") as u16 | 1;
    let (half, at) = (side / 2, (side / 2) as i16);
    let here = kernel(1, 1, 0, 0);
    let reach = (sizes.get("side") / 2) as u16;
    let along = kernel(1, reach + 1, 0, reach as i16);
    let mut net = Net::new(FAMILY.name, &[Axis::Row, Axis::Column], *channels, *alphabet);
    let class = match sizes.get("classes") {
        // One class says nothing.
        0 | 1 => None,
        count => Some(net.condition(Condition::Class { count })),
    };
    let x = net.samples();
    // The vertical stack of a row has seen the rows above it and no sample of its own.
    let mut v = net.conv(width, kernel(half, side, at, at), x);
    let mut h = net.masked(width, kernel(1, half + 1, 0, at), groups, false, x);
    if sizes.get("coordinates") == 1 {
        [v, h] = [v, h].map(|x| net.located(width, [*height, *columns], x));
    }
    for _ in 0..sizes.get("layers") {
        let above = net.conv(2 * width, upper(sizes.get("side")), v);
        // Two products, so that each half of the gate is cut into channels by itself.
        let halves = [(); 2].map(|()| {
            let left = net.masked(width, along, groups, true, h);
            let from_above = net.linear(width, above);
            let sum = net.plus(left, from_above);
            match class {
                Some(class) => {
                    let class = net.embed(width, class);
                    net.plus(sum, class)
                }
                None => sum,
            }
        });
        let gated = net.gate(halves[0], halves[1]);
        let residual = net.masked(width, here, groups, true, gated);
        h = net.plus(h, residual);
        v = net.gated(width, above);
    }
    let h = net.relu(h);
    let head = sizes.get("head").div_ceil(groups.into()) * u32::from(groups);
    let h = net.masked(head, here, groups, true, h);
    let h = net.relu(h);
    let (outputs, likelihood) = if components > 0 { net.mixture(components) } else { net.discrete() };
    let parameters = net.masked(outputs, here, groups, true, h);
    Ok(net.finish(parameters, likelihood))
}
