//! The walk over a band's symbols that encoder, decoder and meter share, on the kernels and on devices.
//!
//! Positions are visited along a wavefront: at step t row y is at column `t - lag * y`, where the lag lies just beyond the
//! window's right reach, so the positions of a step do not depend on one another and are computed as one batch. At each step
//! the channels are coded one after the other, each for all positions from top to bottom.
//!
//! What must stay true: the order of the symbols depends on the band's size and the network alone.

use crate::engine::Position;
use crate::engine::device::Interval;
use crate::entropy::{Coder, Damaged, Distribution};
use crate::likelihood::logistic::PRECISION;

/// The channels of a colour pixel in coding order: green tells most about the others.
const GREEN_RED_BLUE: [usize; 3] = [1, 0, 2];

/// Where the channels of a pixel are, in coding order.
pub fn places(channels: usize) -> &'static [usize] {
    if channels == 3 { &GREEN_RED_BLUE } else { &[0] }
}

/// A walk over a band.
#[derive(Debug)]
pub(super) struct Walk<'s> {
    /// The band's rows, interleaved as in a picture; a decoder fills them.
    samples: &'s mut [u8],
    width: usize,
    height: usize,
    places: &'static [usize],
    lag: usize,
    next: usize,
    positions: Vec<Position>,
}

impl<'s> Walk<'s> {
    /// A walk that has not begun.
    pub fn new(samples: &'s mut [u8], width: usize, channels: usize, lag: usize) -> Self {
        let height = samples.len() / (width * channels);
        let positions = Vec::with_capacity(Self::batch(width, height, lag));
        Self { samples, width, height, places: places(channels), lag, next: 0, positions }
    }

    /// The most positions of a step.
    pub fn batch(width: usize, height: usize, lag: usize) -> usize {
        height.min(width.div_ceil(lag))
    }

    /// Steps of the whole walk over a band or picture.
    pub fn steps(width: usize, height: usize, lag: usize) -> usize {
        width + lag * (height - 1)
    }

    /// Goes to the next step: its number, or `None` at the end.
    pub fn advance(&mut self) -> Option<usize> {
        let (step, lag) = (self.next, self.lag);
        if step == Self::steps(self.width, self.height, lag) {
            return None;
        }
        self.next += 1;
        let first = (step + 1).saturating_sub(self.width).div_ceil(lag);
        let last = (step / lag).min(self.height - 1);
        self.positions.clear();
        self.positions.extend((first..=last).map(|y| Position { row: y as u32, column: (step - lag * y) as u32 }));
        Some(step)
    }

    /// The step's positions, rows counted within the band.
    pub fn positions(&self) -> &[Position] {
        &self.positions
    }

    /// The band's samples.
    pub fn samples(&self) -> &[u8] {
        self.samples
    }

    /// Visits a channel of the step's positions: the number within the step, the position, and the sample.
    #[inline]
    pub fn visit(
        &mut self,
        channel: usize,
        mut each: impl FnMut(usize, Position, &mut u8) -> Result<(), Damaged>,
    ) -> Result<(), Damaged> {
        let (channels, place) = (self.places.len(), self.places[channel]);
        self.positions.iter().enumerate().try_for_each(|(i, p)| {
            let pixel = p.row as usize * self.width + p.column as usize;
            each(i, *p, &mut self.samples[pixel * channels + place])
        })
    }

    /// Codes a channel of the step's positions. `distribution` gives that of the i-th one, whose sample (in the order of
    /// [`samples`](Self::samples)) is also numbered; `known` is told each sample.
    #[inline]
    pub fn code<C: Coder, D: Distribution<PRECISION>>(
        &mut self,
        coder: &mut C,
        channel: usize,
        mut distribution: impl FnMut(usize, usize) -> D,
        mut known: impl FnMut(Position, u8),
    ) -> Result<(), Damaged> {
        let (width, channels, place) = (self.width, self.places.len(), self.places[channel]);
        self.visit(channel, |i, p, sample| {
            let at = (p.row as usize * width + p.column as usize) * channels + place;
            *sample = coder.code(&distribution(i, at), u32::from(*sample))? as u8;
            known(p, *sample);
            Ok(())
        })
    }
}

/// A distribution of which only the interval of one symbol is known: of the others, which side they are on. It is enough to
/// code that symbol, and to find out whether a code is that symbol's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub symbol: u8,
    pub interval: Interval,
}

impl Distribution<PRECISION> for Known {
    #[inline]
    fn interval(&self, _symbol: u32) -> (u32, u32) {
        (self.interval.left, self.interval.width)
    }

    /// Another symbol than the known one if the quantile is not its own.
    #[inline]
    fn locate(&self, quantile: u32) -> (u32, u32, u32) {
        let (symbol, Interval { left, width }) = (u32::from(self.symbol), self.interval);
        match quantile.checked_sub(left) {
            Some(beyond) if beyond < width => (symbol, left, width),
            Some(_) => ((symbol + 1) % 256, left + width, (1 << PRECISION) - left - width),
            None => ((symbol + 255) % 256, 0, left),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::{Decoder, Encoder};

    #[test]
    fn a_walk_visits_every_symbol_once_and_nothing_before_what_it_sees() {
        for (width, height, lag) in [(1, 1, 6), (1, 40, 6), (50, 1, 3), (13, 11, 6), (70, 36, 6), (5, 3, 1)] {
            let mut samples = vec![0; width * height];
            let mut walk = Walk::new(&mut samples, width, 1, lag);
            let mut done = vec![0; height];
            let mut steps = 0;
            while let Some(step) = walk.advance() {
                assert_eq!(step, steps);
                steps += 1;
                // A step of a narrow band may have none.
                assert!(walk.positions().len() <= Walk::batch(width, height, lag));
                let before = done.clone();
                for p in walk.positions() {
                    let (y, x) = (p.row as usize, p.column as usize);
                    assert_eq!(before[y], x, "columns in order");
                    assert!(y == 0 || before[y - 1] >= width.min(x + lag), "the row above is ahead");
                    done[y] += 1;
                }
            }
            assert_eq!((steps, done), (Walk::steps(width, height, lag), vec![width; height]));
        }
    }

    #[test]
    fn a_known_interval_accepts_its_own_code_only() {
        let known = |symbol, left, width| Known { symbol, interval: Interval { left, width } };
        let right = [known(7, 0, 3000), known(0, 5, 1 << 20), known(255, (1 << 24) - 77, 77)];
        let mut samples = [7, 0, 255];
        let mut encoder = Encoder::new();
        let mut walk = Walk::new(&mut samples, 3, 1, 1);
        while walk.advance().is_some() {
            walk.code(&mut encoder, 0, |_, at| right[at], |_, _| {}).unwrap();
        }
        let code = encoder.finish();
        let decode = |all: [Known; 3]| {
            let mut samples = [0; 3];
            let (mut decoder, mut walk) = (Decoder::new(&code), Walk::new(&mut samples, 3, 1, 1));
            while walk.advance().is_some() {
                walk.code(&mut decoder, 0, |_, at| all[at], |_, _| {}).unwrap();
            }
            samples
        };
        assert_eq!(decode(right), [7, 0, 255]);
        for (i, wrong) in [(0, known(7, 3000, 50)), (1, known(0, 0, 5)), (2, known(255, 0, 1 << 23))] {
            let mut all = right;
            all[i] = wrong;
            assert_ne!(decode(all)[i], samples[i], "symbol {i}");
        }
    }
}
