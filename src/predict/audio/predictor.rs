//! The prediction of one channel: least squares, a cascade of filters on what it leaves, and a weighted sum of them.
//!
//! Each filter of the cascade predicts what the stages before it left over. The weights of the sum follow the sign of the
//! error (sign-sign least mean squares, normalised by each stage's own mean square), since errors have heavy tails.
//!
//! What must stay true: what is seen at a sample is this channel's past and, of a channel that was coded before, the past,
//! the present and the near future; a decoder has them all.

use super::lms::Nlms;
use super::ols::{Ols, Setting};
use super::track::Track;

/// How much is computed for a sample.
#[derive(Debug, Clone, Copy)]
pub struct Profile {
    /// Taps of the first channel.
    pub alone: usize,
    /// Taps of another channel: its own, and those of the channel before it.
    pub paired: [usize; 2],
    /// The least squares of the first channel and of others.
    pub ols: [Setting; 2],
    /// Samples of the other channel that are seen from the future.
    pub ahead: usize,
    /// Taps and step of each filter of the cascade.
    pub cascade: &'static [(usize, f32)],
    /// How what is left is coded.
    pub rest: Rest,
}

/// A head of `residual`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// [`NARROW`](super::residual::NARROW).
    Narrow,
    /// [`WIDE`](super::residual::WIDE).
    Wide,
    /// [`FEW`](super::residual::FEW).
    Few,
}

/// How fast the weights of the sum move.
const SUM_RATE: f64 = 0.003;
/// How fast the mean squares of the stages move.
const SQUARE_RATE: f64 = 0.05;

/// The predictor of a channel.
#[derive(Debug)]
pub struct Predictor {
    taps: [usize; 2],
    ahead: usize,
    ols: Ols,
    first: f64,
    stages: Vec<Stage>,
}

#[derive(Debug)]
struct Stage {
    filter: Nlms,
    prediction: f64,
    weight: f64,
    square: f64,
}

impl Predictor {
    /// A predictor that knows nothing. `paired` says that there is another channel to look at.
    pub fn new(profile: &Profile, paired: bool) -> Self {
        let taps = if paired { profile.paired } else { [profile.alone, 0] };
        let stage = |&(taps, step): &(usize, f32)| Stage {
            filter: Nlms::new(taps, step),
            prediction: 0.0,
            weight: 1.0,
            square: 0.0,
        };
        Self {
            taps,
            ahead: profile.ahead,
            ols: Ols::new(taps[0] + taps[1], profile.ols[usize::from(paired)]),
            first: 0.0,
            stages: profile.cascade.iter().map(stage).collect(),
        }
    }

    /// How far it looks ahead in the other channel.
    pub fn ahead(&self) -> usize {
        self.ahead
    }

    /// The prediction of a sample from those before it, and from the other channel's up to [`ahead`](Self::ahead) later.
    pub fn predict(&mut self, own: &Track, other: &Track) -> f64 {
        self.first = self.ols.predict(own.newest(self.taps[0]), other.newest(self.taps[1]));
        let mut sum = self.first;
        for stage in &mut self.stages {
            stage.prediction = f64::from(stage.filter.predict());
            sum += stage.weight * stage.prediction;
        }
        sum
    }

    /// Learns the sample that was predicted as `sum`.
    pub fn learn(&mut self, value: f64, sum: f64) {
        let sign = if value > sum {
            1.0
        } else if value < sum {
            -1.0
        } else {
            0.0
        };
        let mut left = value - self.first;
        for stage in &mut self.stages {
            let p = stage.prediction;
            stage.square += SQUARE_RATE * (p * p - stage.square);
            stage.weight += SUM_RATE * sign * p / (stage.square.sqrt() + 1e-3);
            stage.filter.learn(left as f32);
            left -= p;
        }
        self.ols.learn(value);
    }
}
