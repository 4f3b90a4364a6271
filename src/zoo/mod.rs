//! The zoo: one file a family, from its sizes to a [`NetworkSpec`], and a line in [`FAMILIES`].
//!
//! What must stay true: a family is described here once and executed elsewhere; nothing outside this room knows a family.

mod attention;
mod char_rnn;
mod gated;
mod histogram;
mod made;
pub mod net;
mod pair;
mod pixelcnn;
mod pixelcnn_pp;
mod settings;
mod wavenet;
pub mod window;

pub use settings::{Setting, Sizes};

use crate::spec::{Domain, NetworkSpec};
use thiserror::Error;

/// A family of networks.
#[derive(Debug)]
pub struct Family {
    /// Its name in commands and files.
    pub name: &'static str,
    /// Its name in the literature.
    pub title: &'static str,
    /// Where it was published.
    pub source: &'static str,
    /// What can be chosen.
    pub settings: &'static [Setting],
    /// How it is trained unless something else is asked for.
    pub recipe: Recipe,
    /// The description for some data and sizes.
    pub build: fn(&Domain, &Sizes) -> Result<NetworkSpec, ZooError>,
}

/// How a family is trained.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recipe {
    /// Examples a step.
    pub batch: u32,
    /// Highest learning rate.
    pub rate: f64,
    /// The part of the values of gates and recurrent layers that training leaves out.
    pub dropout: f64,
}

/// Why there is no description.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ZooError {
    /// The family is not for such data.
    #[error("the family '{family}' is not for such data: {what}")]
    Domain {
        /// The family.
        family: &'static str,
        /// What it needs.
        what: &'static str,
    },
    /// A size that the family does not have.
    #[error("there is no setting '{0}'")]
    Setting(String),
    /// A size out of its range.
    #[error("'{name}' is {value}; it must be between {low} and {high}")]
    Range {
        /// The setting.
        name: &'static str,
        /// What was asked for.
        value: i64,
        /// Smallest.
        low: i64,
        /// Largest.
        high: i64,
    },
}

/// Every family that is trained on examples of one size. The family [`window`], for photographs, is not among them.
pub static FAMILIES: &[Family] = &[
    histogram::FAMILY,
    pair::FAMILY,
    char_rnn::FAMILY,
    made::FAMILY,
    wavenet::FAMILY,
    pixelcnn::FAMILY,
    gated::FAMILY,
    pixelcnn_pp::FAMILY,
    attention::FAMILY,
];

/// The family of a name.
pub fn family(name: &str) -> Option<&'static Family> {
    FAMILIES.iter().find(|f| f.name == name)
}
