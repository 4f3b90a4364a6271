//! Two values, one after the other: `p(x1, x2) = p(x1) p(x2 | x1)`, the chain rule at its smallest.
//!
//! `p(x1)` is a histogram. `p(x2 | x1)` is a histogram for each x1 (`hidden` is 0), which must see every pair often to know
//! it, or a network of two hidden layers, which carries over what it learned from one x1 to those beside it.

use super::net::Net;
use super::{Family, Recipe, Setting, Sizes, ZooError};
use crate::spec::{Axis, Domain, Function, Likelihood, NetworkSpec, Op};

/// The entry in the registry.
pub const FAMILY: Family = Family {
    name: "pair",
    title: "Two values in turn",
    source: "-",
    settings: &[Setting::new(
        "hidden",
        "units of both hidden layers; 0 for a histogram for each first value",
        0,
        0,
        4096,
    )],
    recipe: Recipe { batch: 1000, rate: 1e-2, dropout: 0.0 },
    build,
};

fn build(domain: &Domain, sizes: &Sizes) -> Result<NetworkSpec, ZooError> {
    let fail = |what| Err(ZooError::Domain { family: FAMILY.name, what });
    let Some(alphabet @ 3..) = domain.alphabet().filter(|_| domain.symbols() == Some(2)) else {
        return fail("it takes pictures of two samples, of three values or more");
    };
    let mut net = Net::new(FAMILY.name, &[Axis::Feature], 2, alphabet);
    let first = net.add(Op::Constant { outputs: alphabet }, &[]);
    let x = net.current(1);
    let second = match sizes.get("hidden") {
        0 => net.embed(alphabet, x),
        hidden => {
            let mut h = net.activation(Function::Centre, x);
            for _ in 0..2 {
                h = net.linear(hidden, h);
                h = net.relu(h);
            }
            net.linear(alphabet, h)
        }
    };
    Ok(net.finish_each(&[first, second], Likelihood::Categorical))
}
