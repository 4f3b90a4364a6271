//! The adaptive correction of a network's distributions, between the executor and the coder.
//!
//! What must stay true: it sees samples that are known to a decoder, and learns each one right after it is coded.

use crate::engine::{Field, Position};
use crate::likelihood::logistic::{MEAN_FRACTION, Mixture, Moments};
use crate::predict::adjust::{self, Belief, Gradient, Move, Ols, Online};

const _: () = assert!(super::bands::ROWS as usize + adjust::ABOVE <= adjust::LANES);
const _: () = assert!(MEAN_FRACTION == adjust::FRACTION);

/// Rows above a band that are seen.
pub(super) const REACH: usize = adjust::ABOVE + adjust::REACH;

/// The least distance of rows that lets it see its neighbours.
pub(super) const LAG: usize = adjust::MIN_LAG;

/// How many columns of the rows above must be known at a step, beyond the step's own number.
pub(super) fn ahead(lag: usize) -> usize {
    adjust::ABOVE * lag + adjust::REACH + 1
}

/// The correction of a band.
#[derive(Debug)]
pub(super) struct Adjuster {
    ols: Ols,
    online: Online,
    channels: usize,
    step: isize,
}

/// A distribution's change, until its sample is known.
#[derive(Debug)]
pub(super) struct Adjusted {
    moments: Moments,
    done: Move,
}

impl Adjuster {
    /// A correction that has learned nothing. `first` says that the band is the picture's first.
    pub fn new(width: usize, height: usize, channels: usize, lag: usize, first: bool) -> Self {
        let ols = Ols::new(width, height, channels, lag, first);
        Self { step: 0, ols, online: Online::new(width, height, channels), channels }
    }

    /// Begins a step; the field holds [`ahead`] columns of the rows above.
    pub fn begin(&mut self, step: usize, field: &Field) {
        if step == 0 {
            // Rows above the band are ahead of it.
            for early in self.ols.first_step()..0 {
                self.step = early;
                self.ols.begin(early);
                (0..self.channels).for_each(|channel| self.look(channel, field));
            }
        }
        self.step = step as isize;
        self.ols.begin(self.step);
    }

    /// Looks at what surrounds a channel's samples at this step; the channels before it are known.
    pub fn look(&mut self, channel: usize, field: &Field) {
        self.ols.look(self.step, channel, |channel, row, column| field.near(channel, row, column));
    }

    /// Changes the distribution of a sample.
    #[inline]
    pub fn adjust(&self, channel: usize, at: Position, mixture: &mut Mixture) -> Adjusted {
        let (row, column) = (at.row as usize, at.column as usize);
        let mut moments = mixture.moments();
        let other = self.ols.predict(self.step, channel, row);
        let done = self.online.propose(channel, row, column, &belief(&moments), other);
        mixture.adjust(&mut moments, done.shift, done.widen);
        Adjusted { moments, done }
    }

    /// Learns a sample from its changed distribution.
    #[inline]
    pub fn learn(&mut self, channel: usize, at: Position, mixture: &Mixture, adjusted: &Adjusted, sample: u8) {
        let (row, column) = (at.row as usize, at.column as usize);
        let (shift, widen) = mixture.gradient(&adjusted.moments, sample.into());
        let (belief, gradient) = (belief(&adjusted.moments), Gradient { shift, widen });
        self.online.learn((channel, row, column), &adjusted.done, &belief, sample, gradient);
        self.ols.learn(self.step, channel, row, sample);
    }
}

fn belief(moments: &Moments) -> Belief {
    Belief { mean: moments.mean, inverse: moments.inverse, level: moments.level }
}
