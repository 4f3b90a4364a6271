//! Long filters that follow the gradient: normalised least mean squares (Widrow and Hoff 1960; Nagumo and Noda 1967).
//!
//! What must stay true: f32 with `+ - * /` and comparisons alone, sums in the shape of `lanes`; the energy of the window is
//! kept in f64 and never negative.

use super::lanes::{add32, dot32};

/// Energy that each tap adds to the window's, in squares of a unit: steps stay small where it is quiet.
const QUIET: f32 = 100.0;
/// Samples between two moves of the window to the front of its room.
const ROOM: usize = 4096;

/// A filter.
#[derive(Debug)]
pub struct Nlms {
    step: f32,
    weights: Vec<f32>,
    /// What came before, oldest first: the window is the `weights.len()` values from `start` on.
    past: Vec<f32>,
    start: usize,
    energy: f64,
    prediction: f32,
}

impl Nlms {
    /// A filter of `taps` (a whole number of lanes) that knows nothing.
    pub fn new(taps: usize, step: f32) -> Self {
        Self { step, weights: vec![0.0; taps], past: vec![0.0; taps + ROOM], start: 0, energy: 0.0, prediction: 0.0 }
    }

    /// The next value, from those before.
    #[inline]
    pub fn predict(&mut self) -> f32 {
        self.prediction = dot32(&self.past[self.start..][..self.weights.len()], &self.weights);
        self.prediction
    }

    /// Learns the value that was predicted.
    #[inline]
    pub fn learn(&mut self, value: f32) {
        let taps = self.weights.len();
        let gain = self.step * (value - self.prediction) / (self.energy as f32 + QUIET * taps as f32);
        add32(&mut self.weights, &self.past[self.start..][..taps], gain);
        let oldest = self.past[self.start];
        let energy = self.energy + (f64::from(value) * f64::from(value) - f64::from(oldest) * f64::from(oldest));
        self.energy = if energy > 0.0 { energy } else { 0.0 };
        self.start += 1;
        if self.start == ROOM {
            self.past.copy_within(ROOM.., 0);
            self.start = 0;
        }
        self.past[self.start + taps - 1] = value;
    }
}
