//! How the examples of a set are cut into chunks and groups.
//!
//! What must stay true: the encoder's choice depends on the network and the number of symbols alone; a decoder takes what the
//! stream says.

use super::classes::{self, ClassError, Classes, Labels};
use super::walk::Walker;
use crate::container::MAX_LANES;
use crate::engine::grid::GridNetwork;
use crate::media::set::Set;
use rayon::prelude::*;

/// Examples that are coded side by side, if they are not too large: more make wider matrix products and outgrow the caches.
const LANES: usize = 64;
/// Bytes that an executor may keep for a group.
const GROUP_BYTES: usize = 256 << 20;
/// Symbols of a chunk, of two values and of more: so many that the 14 bytes of its entry and end are little.
const CHUNK: (usize, usize) = (1 << 21, 1 << 17);
/// Chunks of a set that are worth it: those of a quarter of the size.
const THREADS: usize = 4;
/// Bytes that are kept for all places of examples that are computed at once.
const AT_ONCE_BYTES: usize = 16 << 20;

/// How examples are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// Examples of a group.
    pub lanes: usize,
    /// Examples of a chunk: whole groups.
    pub chunk: usize,
}

impl Layout {
    /// For so many examples.
    pub fn new(network: &GridNetwork, examples: usize) -> Self {
        let fit = GROUP_BYTES / network.bytes().max(1);
        let lanes = fit.clamp(1, LANES.min(usize::from(MAX_LANES))).min(examples.max(1));
        let most = if network.program().spec().symbols.alphabet == 2 { CHUNK.0 } else { CHUNK.1 };
        let groups = examples.div_ceil(lanes).max(1);
        let symbols = examples * network.symbols();
        // Small sets, too, are for some threads.
        let chunks = symbols.div_ceil(most).max(THREADS.min(symbols / (most / THREADS))).clamp(1, groups);
        Self { lanes, chunk: groups.div_ceil(chunks) * lanes }
    }
}

/// Goes through the examples of a set, groups side by side: what `group` makes of the walker of a thread, the number of a group's first
/// example, its symbols and its classes, in order.
///
/// # Errors
/// Labels that do not fit.
pub(super) fn by_groups<T: Send>(
    network: &GridNetwork,
    set: &Set,
    labels: Labels<'_>,
    group: impl Fn(&mut Walker<'_>, usize, &[u16], &[u32]) -> Vec<T> + Sync,
) -> Result<Vec<T>, ClassError> {
    let classes = Classes::new(network, labels, set.len())?;
    let all = classes.of(0..set.len());
    let (lanes, size) = (at_once(network), network.symbols());
    let of = |walker: &mut Walker<'_>, (number, symbols): (usize, &[u16])| {
        let first = number * lanes;
        group(walker, first, symbols, classes::part(all, first, symbols.len().div_ceil(size)))
    };
    let groups = set.symbols().par_chunks(lanes * size).enumerate();
    let done: Vec<Vec<T>> = groups.map_init(|| Walker::new(network), of).collect();
    Ok(done.into_iter().flatten().collect())
}

/// How many examples are computed at once.
fn at_once(network: &GridNetwork) -> usize {
    let spec = network.program().spec();
    let values: usize = spec.widths().map_or(0, |w| w.iter().sum());
    (AT_ONCE_BYTES / (2 * values * network.grid().positions()).max(1)).clamp(1, LANES)
}
