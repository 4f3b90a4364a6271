//! A histogram: one distribution for all positions, or one for each.
//!
//! `p(x) = prod_i p_c(x_i)`, or `prod_i p_i(x_i)` with `positions`. Its maximum-likelihood estimate is the relative frequency,
//! which training by gradient finds again. It knows nothing of its surroundings: the yardstick that every other family is held
//! against.

use super::net::Net;
use super::{Family, Recipe, Setting, Sizes, ZooError};
use crate::spec::{Axis, Domain, NetworkSpec, Op};

/// The entry in the registry.
pub const FAMILY: Family = Family {
    name: "histogram",
    title: "Histogram",
    source: "-",
    settings: &[Setting::new("positions", "whether each position has a table of its own (0 or 1)", 0, 0, 1)],
    recipe: Recipe { batch: 256, rate: 3e-2, dropout: 0.0 },
    build,
};

/// Numbers in the tables of all positions at most.
const NUMBERS: u64 = 1 << 20;

fn build(domain: &Domain, sizes: &Sizes) -> Result<NetworkSpec, ZooError> {
    let fail = |what| Err(ZooError::Domain { family: FAMILY.name, what });
    let Some(alphabet) = domain.alphabet() else { return fail("it needs samples of a known alphabet") };
    let (axes, channels): (&[Axis], u16) = match (domain, sizes.get("positions")) {
        (Domain::Pictures { .. }, 1) => {
            let count = domain.symbols().filter(|n| n * u64::from(alphabet) <= NUMBERS);
            match count.and_then(|n| u16::try_from(n).ok()) {
                Some(count) => (&[Axis::Feature], count),
                None => return fail("a table for each position of so large pictures would take too much"),
            }
        }
        (Domain::Pictures { channels, .. }, _) => (&[Axis::Row, Axis::Column], *channels),
        (_, 1) => return fail("only pictures have a table for each position"),
        _ => (&[Axis::Time], 1),
    };
    let mut net = Net::new(FAMILY.name, axes, channels, alphabet);
    let (outputs, likelihood) = net.discrete();
    let parameters = net.add(Op::Constant { outputs }, &[]);
    Ok(net.finish(parameters, likelihood))
}
