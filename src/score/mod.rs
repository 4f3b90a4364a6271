//! Scoring: how unlike the files of a normal collection a file is, with false alarms under control.
//!
//! A model's walk over an example gives each symbol's surprise and what could be expected of it ([`Example`]). Some figures of
//! these, the [`statistics`], are compared with those of files known to be normal ([`Fit`]), which gives one score; and the
//! score is compared with those of other normal files, which gives a p-value ([`conformal`]).
//!
//! What must stay true: a score depends on the file, the model and the calibration alone, never on what else is scored with it;
//! and nothing that was fitted has seen the files that p-values come from.

mod calibration;
mod collection;
pub mod conformal;
pub mod draw;
mod example;
mod fit;
mod hums;
mod layer;
mod linear;
mod media;
mod model;
mod places;
mod reason;
mod refit;
mod scale;
mod scorer;
pub mod statistics;
mod view;

pub use calibration::{Calibration, CalibrationError, Contents, MIN_FILES, Method, Verdict, split};
pub use collection::{Collection, CollectionError};
pub use example::{Example, Kind, Region, Summary};
pub use fit::{DETECTORS, Detected, Fit};
pub use media::{Medium, Reading, ScoreError};
pub use model::Model;
pub use places::Peak;
pub use reason::reason;
pub use refit::Refit;
pub use scorer::Scorer;
