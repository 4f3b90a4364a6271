//! MADE: an autoencoder whose weights are masked so that each output sees earlier inputs alone (Germain et al. 2015).
//!
//! Every unit has a degree; a weight is kept if the degree of what it reads is at most that of what it feeds (eq. 13), in the
//! last layer if it is smaller (eq. 14). One pass gives the conditionals of all pixels. Units of a layer are sorted by
//! degree, which changes nothing but the order in which they are numbered.

use super::net::Net;
use super::{Family, Recipe, Setting, Sizes, ZooError};
use crate::spec::{Axis, Domain, Likelihood, NetworkSpec, Op, Order};

/// The entry in the registry.
pub const FAMILY: Family = Family {
    name: "made",
    title: "MADE",
    source: "Germain et al. 2015",
    settings: &[
        Setting::new("hidden", "units of a hidden layer", 512, 1, 8192),
        Setting::new("layers", "hidden layers", 3, 1, 8),
        Setting::new("order", "seed of the order of the pixels; 0 is row after row", 0, 0, 1 << 30),
        Setting::new("mask", "seed of the degrees; 0 spreads them evenly", 0, 0, 1 << 30),
        Setting::new("direct", "whether inputs feed the outputs directly, too (0 or 1)", 1, 0, 1),
    ],
    recipe: Recipe { batch: 100, rate: 1e-3, dropout: 0.0 },
    build,
};

fn build(domain: &Domain, sizes: &Sizes) -> Result<NetworkSpec, ZooError> {
    let fail = |what| Err(ZooError::Domain { family: FAMILY.name, what });
    let Domain::Pictures { channels, height, width, alphabet: 2 } = domain else {
        return fail(
            "it takes binary pictures; `surprisal dataset binarize` makes them of gray ones, or --binarize of `train`",
        );
    };
    let count = u64::from(*channels) * u64::from(*height) * u64::from(*width);
    let inputs = match u16::try_from(count) {
        Ok(n @ 2..=4096) => n,
        _ => return fail("it takes pictures of 2 to 4096 pixels"),
    };
    let order = match sizes.get("order") {
        0 => Order::Raster,
        seed => Order::Permuted { channels: shuffled(inputs, seed.into()) },
    };
    let mut net = Net::new(FAMILY.name, &[Axis::Feature], inputs, 2).order(order);
    let x = net.current(inputs);
    let (degrees, ends): (Vec<u16>, Vec<u16>) = ((1..=inputs).collect(), (0..inputs).collect());
    let (mut h, mut from) = (x, degrees.clone());
    let mut random = Random(sizes.get("mask").into());
    for _ in 0..sizes.get("layers") {
        let least = *from.iter().min().expect("no layer is empty");
        let to = hidden(sizes.get("hidden"), least, inputs - 1, &mut random);
        h = net.add(Op::MaskedLinear { from, to: to.clone() }, &[h]);
        h = net.relu(h);
        from = to;
    }
    let mut parameters = net.add(Op::MaskedLinear { from, to: ends.clone() }, &[h]);
    if sizes.get("direct") == 1 {
        let direct = net.add(Op::MaskedLinear { from: degrees, to: ends }, &[x]);
        parameters = net.plus(parameters, direct);
    }
    Ok(net.finish(parameters, Likelihood::Bernoulli))
}

/// Degrees of a hidden layer, rising, in `least..=most`: evenly spread, or drawn with equal chance.
fn hidden(units: u32, least: u16, most: u16, random: &mut Random) -> Vec<u16> {
    let span = u64::from(most - least) + 1;
    let degree = |i: u64, random: &mut Random| match random.0 {
        0 => i * span / u64::from(units),
        _ => random.below(span),
    };
    let mut degrees: Vec<u16> = (0..units.into()).map(|i| least + degree(i, random) as u16).collect();
    degrees.sort_unstable();
    degrees
}

/// A permutation of `0..n` (Fisher and Yates).
fn shuffled(n: u16, seed: u64) -> Vec<u16> {
    let mut random = Random(seed);
    let mut order: Vec<u16> = (0..n).collect();
    for i in (1..order.len()).rev() {
        order.swap(i, random.below(i as u64 + 1) as usize);
    }
    order
}

/// SplitMix64 (Steele et al. 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}
