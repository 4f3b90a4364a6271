//! From float weights to an integer program for networks on a grid.
//!
//! What must stay true: what comes out was proved by the loader's own proof; the figures of a report are of the very
//! program that comes out.

mod float;
mod matrix;

pub use float::{FloatGrid, Values};

/// One unit of data.
#[derive(Debug, Clone, Copy)]
pub struct Example<'a> {
    /// Its symbols, in the order of the data; a last text or sound may have fewer than the grid.
    pub symbols: &'a [u16],
    /// Its class, if the network is told classes.
    pub class: Option<u32>,
}
