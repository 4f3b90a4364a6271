//! Many inputs: large ones one after the other, with all threads on each; small ones side by side.
//!
//! What must stay true: what is finished is finished in the order of the inputs, and what waits for that is bounded.

use super::bar::Bar;
use super::fault::Fault;
use rayon::prelude::*;
use std::time::Instant;

/// Inputs of more bytes have enough to do for all threads.
const SMALL: u64 = 1 << 20;
/// Inputs side by side, and their bytes, at most.
const TOGETHER: usize = 512;
const ROOM: u64 = 32 << 20;

/// How inputs are worked on.
#[derive(Debug, Clone, Copy)]
pub struct How {
    /// Without bars.
    pub quiet: bool,
    /// Whether small ones may be worked on side by side; a device has one at a time.
    pub side_by_side: bool,
}

/// Calls `work` for each input, and `finish` with it, what came out, and its share of the seconds that passed. A fault of `finish`
/// ends everything. `describe` gives name and bytes.
pub fn each<I: Sync, R: Send>(
    inputs: Vec<I>,
    how: How,
    describe: impl Fn(&I) -> (String, u64),
    work: impl Fn(&I, &Bar) -> R + Sync,
    mut finish: impl FnMut(I, R, f64) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut inputs = inputs.into_iter().peekable();
    while let Some(first) = inputs.next() {
        let (name, mut room) = describe(&first);
        let is_small = room <= SMALL && how.side_by_side;
        let mut group = vec![first];
        while let Some(input) = inputs.next_if(|input| {
            let bytes = describe(input).1;
            is_small && bytes <= SMALL && room + bytes <= ROOM && group.len() < TOGETHER
        }) {
            room += describe(&input).1;
            group.push(input);
        }
        let bar = Bar::of_many(&name, group.len(), how.quiet);
        let timed = |input: &I| {
            let start = Instant::now();
            let result = work(input, &bar);
            (result, start.elapsed().as_secs_f64())
        };
        let results: Vec<(R, f64)> = match &group[..] {
            [alone] => vec![timed(alone)],
            several => several.par_iter().with_max_len(1).map(timed).collect(),
        };
        let seconds = bar.seconds();
        drop(bar);
        let sum: f64 = results.iter().map(|(_, own)| own).sum();
        for (input, (result, own)) in group.into_iter().zip(results) {
            finish(input, result, seconds * own / sum.max(f64::MIN_POSITIVE))?;
        }
    }
    Ok(())
}
