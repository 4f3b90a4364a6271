//! One interface over the families of distributions.
//!
//! What must stay true: whatever codes, measures or draws a symbol uses the same distribution.

use super::{bernoulli, categorical, coupled, logistic};

/// What makes an output's parameters a distribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// A mixture of logistics around a local mean.
    Mixture(logistic::Tables),
    /// Two values.
    Bernoulli(bernoulli::Tables),
    /// Any distribution.
    Categorical(categorical::Tables),
    /// A mixture of logistics over all channels.
    Coupled(coupled::Tables),
}
