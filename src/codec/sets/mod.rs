//! Sets of examples, through a network on a grid: to streams and back, measured, scored and drawn.
//!
//! A file is taken apart by `media::set`; its examples go through the network in groups that are coded side by side, some groups
//! a chunk (FORMAT.md, "Sets").
//!
//! What must stay true: there is one walk over the symbols ([`walk`](self::walk)), and what encodes, decodes, measures, scores
//! and draws is what it calls for each symbol; what comes out never depends on the number of threads, nor, but for the bytes of a
//! stream, on how examples are grouped.

mod classes;
mod decode;
mod encode;
mod layout;
mod measure;
mod sample;
mod score;
mod walk;

pub use classes::{ClassError, Classes, Labels};
pub(super) use decode::{Chunks, restore};
pub use encode::compress;
pub use measure::{Item, Measured, measure};
pub use sample::{Draw, sample};
pub use score::{score, score_each};
