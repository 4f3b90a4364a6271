//! Samples that are all known: their distributions are computed in any order and in whole batches.
//!
//! What must stay true: a sample's interval is the one that a walk gives it, which only sees what was coded before it.

use super::bands::Band;
use super::walk::{Walk, places};
use crate::engine::device::Interval;
use crate::engine::{Executor, Field, Network, Position};
use crate::entropy::Distribution;
use crate::media::image::Picture;

/// Positions that the kernels compute at a time, where all samples are known.
const BATCH: usize = 36;

/// Whether a band of this size has few positions in most steps of its walk: then [`intervals`] are quicker computed.
pub(super) fn is_narrow(network: &Network, width: u32, band: Band) -> bool {
    let (width, rows) = (width as usize, band.rows as usize);
    width * rows < Walk::steps(width, rows, network.lag()) * (BATCH / 2)
}

/// The intervals of a band's samples, in the order of a [`Runner`](crate::engine::Runner), whatever the order of its walk: for
/// `again`, computed in other batches.
pub(super) fn intervals(network: &Network, picture: &Picture, band: Band, again: bool) -> Vec<Interval> {
    let (width, channels) = (picture.width as usize, usize::from(picture.channels));
    let field = field_of(network, picture, band);
    let (line, rows) = (width * channels, band.rows as usize);
    let batch = if again { BATCH - 6 } else { BATCH };
    let mut executor = Executor::new(network, batch);
    let position = |i: usize| Position { row: (i / width) as u32, column: (i % width) as u32 };
    let mut all = Vec::with_capacity(rows * line);
    for from in (0..rows * width).step_by(batch) {
        let positions: Vec<Position> = (from..(from + batch).min(rows * width)).map(position).collect();
        executor.all(&field, &positions);
        for (i, p) in positions.iter().enumerate() {
            all.extend((0..channels).map(|channel| {
                let symbol = field.get(channel, p.row as isize, p.column as usize);
                let (left, width) = executor.distribution(channel, i).interval(symbol.into());
                Interval { left, width }
            }));
        }
    }
    all
}

/// The samples of a whole picture.
pub fn field(network: &Network, picture: &Picture) -> Field {
    field_of(network, picture, Band { first: 0, rows: picture.height })
}

/// The samples of a band, and those above it that windows reach into.
fn field_of(network: &Network, picture: &Picture, band: Band) -> Field {
    let (width, channels) = (picture.width as usize, usize::from(picture.channels));
    let (line, reach) = (width * channels, network.reach().min(band.first as usize));
    let (first, rows) = (band.first as usize - reach, band.rows as usize);
    let mut field = Field::new(width, rows, channels, network.reach(), band.first == 0);
    let pixels = &picture.samples[first * line..][..(reach + rows) * line];
    for (i, pixel) in pixels.chunks_exact(channels).enumerate() {
        for (channel, place) in places(channels).iter().enumerate() {
            field.set(channel, (i / width) as isize - reach as isize, i % width, pixel[*place]);
        }
    }
    field
}

#[cfg(test)]
mod tests {
    use super::super::bands::{Model, Source, bands, decode_band, encode_band, verify_band};
    use super::*;
    use crate::engine::{Kernel, Program};
    use std::sync::Arc;

    #[test]
    fn codes_are_those_of_the_walk() {
        let program = Program::from_bytes(include_bytes!("../../models/photo.srm")).unwrap();
        let network = Network::new(Arc::new(program), Kernel::best());
        for (width, height, channels) in [(1, 1, 3), (32, 32, 3), (28, 28, 1), (7, 90, 3), (50, 40, 1)] {
            let count = width as usize * height as usize * usize::from(channels);
            let sample = |i: usize| ((i / 7) as u8).wrapping_mul(3) ^ (i % 5) as u8;
            let picture = Picture { width, height, channels, samples: (0..count).map(sample).collect() };
            for band in bands(height) {
                let all = [false, true].map(|again| intervals(&network, &picture, band, again));
                let [source, other] = [&all[0], &all[1]].map(|all| Source::Intervals(&network, all));
                let code = encode_band(source, &picture, band);
                assert!(code == encode_band(&network, &picture, band), "{width}x{height}");
                assert!(verify_band(other, &picture, band, &code));
                let model = Model { network: &network, adjusted: false };
                let line = width as usize * usize::from(channels);
                let rows = &picture.samples[band.first as usize * line..][..band.rows as usize * line];
                assert!(decode_band(model, &picture, band, &code).unwrap() == rows);
            }
        }
        assert!(is_narrow(&network, 32, Band { first: 0, rows: 32 }));
        assert!(!is_narrow(&network, 800, Band { first: 36, rows: 36 }));
    }
}
