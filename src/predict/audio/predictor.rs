//! The prediction of one channel: least squares, a cascade of filters on what it leaves, and a weighted sum of them.
//!
//! Each filter of the cascade predicts what the stages before it left over. The weights of the sum follow the sign of the
//! error (sign-sign least mean squares, normalised by each stage's own mean square), since errors have heavy tails.
//!
//! What must stay true: what is seen at a sample is this channel's past and, of a channel that was coded before, the past,
//! the present and the near future; a decoder has them all.

use super::lms::Nlms;
use super::ols::{Ols, Setting};

/// How much is computed for a sample.
#[derive(Debug, Clone, Copy)]
pub struct Profile {
    /// Taps of the first channel.
    pub alone: usize,
    /// Taps of another channel: its own, and those of the channel before it.
    pub paired: [usize; 2],
    /// The least squares of the first channel and of others.
    pub ols: [Setting; 2],
    /// Taps and step of each filter of the cascade.
    pub cascade: &'static [(usize, f32)],
}

/// Samples of the other channel that lie in the future.
const AHEAD: usize = 7;
/// How fast the weights of the sum move.
const SUM_RATE: f64 = 0.003;
/// How fast the mean squares of the stages move.
const SQUARE_RATE: f64 = 0.05;
/// Room before the first and after the last sample of a track.
const MARGIN: usize = 64;

/// The samples of a channel, newest first, with room on both sides.
#[derive(Debug)]
pub struct Track {
    values: Vec<f64>,
    length: usize,
}

impl Track {
    /// A track of `length` zeros.
    pub fn new(length: usize) -> Self {
        Self { values: vec![0.0; length + 2 * MARGIN], length }
    }

    /// Sets a sample.
    #[inline]
    pub fn set(&mut self, at: usize, value: f64) {
        self.values[MARGIN + self.length - 1 - at] = value;
    }

    /// The samples from `at - 1` (or, `ahead` more) backwards.
    #[inline]
    fn before(&self, at: usize, ahead: usize, count: usize) -> &[f64] {
        &self.values[MARGIN + self.length - at - ahead..][..count]
    }
}

/// The predictor of a channel.
#[derive(Debug)]
pub struct Predictor {
    taps: [usize; 2],
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
            ols: Ols::new(taps[0] + taps[1], profile.ols[usize::from(paired)]),
            first: 0.0,
            stages: profile.cascade.iter().map(stage).collect(),
        }
    }

    /// The prediction of sample `at`.
    pub fn predict(&mut self, at: usize, own: &Track, other: Option<&Track>) -> f64 {
        let seen = other.map(|track| track.before(at + 1, AHEAD, self.taps[1])).unwrap_or_default();
        self.first = self.ols.predict(own.before(at, 0, self.taps[0]), seen);
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
