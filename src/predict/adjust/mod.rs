//! A correction of the network's distributions that learns while a band is coded: for pictures (and places) that are unlike
//! those that the network was trained on.
//!
//! [`Ols`] predicts each sample from its neighbours by least squares; [`Online`] moves a distribution's centre towards that
//! prediction and towards where samples turned out to lie, and makes it as wide as it should have been. Both begin anew in
//! each band and follow the wavefront, so bands can still be coded in any order.

mod ols;
mod online;

pub use ols::{ABOVE, FRACTION, LANES, MIN_LAG, Ols, REACH};
pub use online::{Belief, Gradient, Move, Online};

use super::Part;

/// The part, as streams name it.
pub const PART: Part = Part { name: "adjust", version: 1 };
