//! PixelCNN: masked convolutions over the pixels already coded (van den Oord, Kalchbrenner and Kavukcuoglu 2016, section 3).
//!
//! The first convolution has mask A (it does not see its own pixel), all later ones mask B. Because every masked kernel ends
//! at the current column, what lies above and to the right is seen only beyond a line that rises from the pixel: below it is
//! the blind spot. The larger the kernels, the flatter the line.
//!
//! Kernels hold the rows up to the current one alone, since the mask would blank the others.

use super::net::{Net, kernel, upper};
use super::{Family, Recipe, Setting, Sizes, ZooError};
use crate::spec::{Axis, Domain, NetworkSpec};

/// The entry in the registry.
pub const FAMILY: Family = Family {
    name: "pixelcnn",
    title: "PixelCNN",
    source: "van den Oord et al. 2016a",
    settings: &[
        Setting::new("width", "features of the residual stream", 48, 2, 1024),
        Setting::new("first", "side of the first kernel (odd)", 7, 3, 15),
        Setting::new("blocks", "residual blocks", 8, 0, 64),
        Setting::new("side", "side of their kernels (odd); larger ones have a smaller blind spot", 3, 3, 15),
        Setting::new("head", "features of the last hidden layer", 64, 1, 4096),
        Setting::new("coordinates", "whether row and column are given (0: as published)", 1, 0, 1),
    ],
    recipe: Recipe { batch: 32, rate: 2e-3, dropout: 0.0 },
    build,
};

fn build(domain: &Domain, sizes: &Sizes) -> Result<NetworkSpec, ZooError> {
    let Domain::Pictures { channels, height, width: columns, alphabet } = domain else {
        return Err(ZooError::Domain { family: FAMILY.name, what: "it takes pictures of one size" });
    };
    let groups = *channels;
    // Each channel has its own part of the features.
    let share = |n: u32| n.div_ceil(groups.into()) * u32::from(groups);
    let (width, half) = (share(sizes.get("width")), share(sizes.get("width") / 2));
    let (here, around) = (kernel(1, 1, 0, 0), upper(sizes.get("side")));
    let mut net = Net::new(FAMILY.name, &[Axis::Row, Axis::Column], groups, *alphabet);
    let x = net.samples();
    let mut h = net.masked(width, upper(sizes.get("first")), groups, false, x);
    if sizes.get("coordinates") == 1 {
        h = net.located(width, [*height, *columns], h);
    }
    for _ in 0..sizes.get("blocks") {
        let r = net.relu(h);
        let r = net.masked(half, here, groups, true, r);
        let r = net.relu(r);
        let r = net.masked(half, around, groups, true, r);
        let r = net.relu(r);
        let r = net.masked(width, here, groups, true, r);
        h = net.plus(h, r);
    }
    let h = net.relu(h);
    let h = net.masked(share(sizes.get("head")), here, groups, true, h);
    let h = net.relu(h);
    let (outputs, likelihood) = net.discrete();
    let parameters = net.masked(outputs, here, groups, true, h);
    Ok(net.finish(parameters, likelihood))
}
