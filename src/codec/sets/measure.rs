//! What the examples of a set cost.
//!
//! What must stay true: an example's cost does not depend on its neighbours in the set.

use super::classes::Labels;
use super::layout::by_groups;
use super::walk::{Apart, How};
use crate::codec::Progress;
use crate::codec::compress::Options;
use crate::codec::error::CompressError;
use crate::engine::grid::GridNetwork;
use crate::entropy::{Bits, CostMeter};
use crate::media::{Limits, set};

/// What an example costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// Its symbols.
    pub symbols: usize,
    /// Its code length.
    pub bits: Bits,
}

/// What a file's examples cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// Each.
    pub items: Vec<Item>,
    /// Bytes that are no characters of a network for text, and are not among the symbols.
    pub others: usize,
}

/// Measures a file that is a set for the network, without what restores the file.
///
/// # Errors
/// A file that is no such set, or labels that do not fit.
pub fn measure(
    file: &[u8],
    network: &GridNetwork,
    labels: Labels<'_>,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Measured, CompressError> {
    let set = set::examples(file, network.program().domain(), &Limits { max_bytes: options.limit })?;
    let size = network.symbols();
    progress.begin(set.symbols().len() as u64);
    let items = by_groups(network, &set, labels, |walker, _, symbols, classes| {
        let mut meters: Vec<CostMeter> = (0..symbols.len().div_ceil(size)).map(|_| CostMeter::new()).collect();
        let mut known = symbols.to_vec();
        // A meter reads nothing that could be damaged.
        let _ = walker.walk(&mut known, classes, How::AtOnce, &mut Apart(&mut meters));
        progress.advance(symbols.len() as u64);
        let item = |(meter, example): (CostMeter, &[u16])| Item { symbols: example.len(), bits: meter.bits() };
        meters.into_iter().zip(symbols.chunks(size)).map(item).collect()
    })?;
    let escape = match network.program().domain() {
        crate::spec::Domain::Text { characters, .. } => Some(characters.len() as u16),
        _ => None,
    };
    let others = set.symbols().iter().filter(|s| Some(**s) == escape).count();
    Ok(Measured { items, others })
}
