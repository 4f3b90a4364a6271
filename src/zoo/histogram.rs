//! A histogram: the same distribution at every position, one a channel.
//!
//! `p(x) = prod_i p_c(x_i)`. Its maximum-likelihood estimate is the relative frequency, which training by gradient finds
//! again. It knows nothing of its surroundings: the yardstick that every other family is held against.

use super::net::Net;
use super::{Family, Recipe, ZooError};
use crate::spec::{Axis, Domain, NetworkSpec, Op};

/// The entry in the registry.
pub const FAMILY: Family = Family {
    name: "histogram",
    title: "Histogram",
    source: "-",
    settings: &[],
    recipe: Recipe { batch: 256, rate: 3e-2, dropout: 0.0 },
    build: |domain, _| build(domain),
};

fn build(domain: &Domain) -> Result<NetworkSpec, ZooError> {
    let fail = |what| Err(ZooError::Domain { family: FAMILY.name, what });
    let Some(alphabet) = domain.alphabet() else { return fail("it needs samples of a known alphabet") };
    let (axes, channels): (&[Axis], u16) = match domain {
        Domain::Pictures { channels, .. } => (&[Axis::Row, Axis::Column], *channels),
        _ => (&[Axis::Time], 1),
    };
    let mut net = Net::new(FAMILY.name, axes, channels, alphabet);
    let (outputs, likelihood) = net.discrete();
    let parameters = net.add(Op::Constant { outputs }, &[]);
    Ok(net.finish(parameters, likelihood))
}
