//! Training: pictures in, weights, history and a card out.
//!
//! What must stay true: what a step computes depends on the command, the pictures and the step's number alone, so that a
//! run that was cut off and resumed ends like one that was not.

pub mod beside;
pub mod card;
pub mod csv;
pub mod data;
pub mod plot;
