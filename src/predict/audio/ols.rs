//! Recursive least squares by its normal equations: the weights that would have predicted the recent samples best.
//!
//! Every sample adds its products to the equations, which fade; every few samples they are solved by Cholesky's root-free
//! decomposition. A product counts by the inverse of the mean error at its time: samples that nothing predicts well (an
//! attack, a crackle) say little about the weights. (Weighted least squares; Haykin, Adaptive Filter Theory, chapter 9.)
//!
//! What must stay true: f64 with `+ - * /` and comparisons alone, in the order that is written here; a pivot that rounding
//! made too small ends the solution, and the weights stay.

use super::lanes::{LANES, dot64, fade64, sub64};

/// What an [`Ols`] is made of.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// What is left of the equations after a sample.
    pub keep: f64,
    /// Added to the diagonal, in squares of a unit.
    pub ridge: f64,
    /// Samples from one solution to the next.
    pub every: usize,
}

/// How fast the mean error moves.
const ERROR_RATE: f64 = 0.03;
/// A pivot below this is none.
const LEAST_PIVOT: f64 = 1e-12;

/// The predictor.
#[derive(Debug)]
pub struct Ols {
    setting: Setting,
    taps: usize,
    count: usize,
    /// `[taps rounded up to lanes]`: what the prediction under way sees.
    seen: Vec<f64>,
    weights: Vec<f64>,
    /// `[taps][taps]`, upper triangle.
    products: Vec<f64>,
    target: Vec<f64>,
    /// Room for the solution.
    work: Vec<f64>,
    prediction: f64,
    error: f64,
}

impl Ols {
    /// A predictor that knows nothing.
    pub fn new(taps: usize, setting: Setting) -> Self {
        let padded = taps.next_multiple_of(LANES);
        Self {
            setting,
            taps,
            count: 0,
            seen: vec![0.0; padded],
            weights: vec![0.0; padded],
            products: vec![0.0; taps * taps],
            target: vec![0.0; taps],
            work: vec![0.0; taps * taps],
            prediction: 0.0,
            error: 100.0,
        }
    }

    /// The prediction from these taps, first `own`, then `other`.
    #[inline]
    pub fn predict(&mut self, own: &[f64], other: &[f64]) -> f64 {
        self.seen[..own.len()].copy_from_slice(own);
        self.seen[own.len()..self.taps].copy_from_slice(other);
        self.prediction = dot64(&self.seen, &self.weights);
        self.prediction
    }

    /// Learns the value that was predicted.
    pub fn learn(&mut self, value: f64) {
        let Setting { keep, every, .. } = self.setting;
        let error = (value - self.prediction).abs();
        let gain = (1.0 - keep) / (self.error + 1.0);
        let taps = self.taps;
        for i in 0..taps {
            let row = &mut self.products[i * taps..][i..taps];
            fade64(row, &self.seen[i..taps], keep, self.seen[i] * gain);
        }
        fade64(&mut self.target, &self.seen[..taps], keep, value * gain);
        self.error += ERROR_RATE * (error - self.error);
        self.count += 1;
        if self.count == every {
            self.count = 0;
            self.solve();
        }
    }

    /// `(P + ridge) w = t`: P becomes `U' D U` row by row, the right side follows, then U is solved backwards.
    fn solve(&mut self) {
        let taps = self.taps;
        let (m, right) = (&mut self.work, &mut [0.0; MOST_TAPS][..taps]);
        m.copy_from_slice(&self.products);
        right.copy_from_slice(&self.target);
        let ridge = self.setting.ridge / (self.error + 1.0);
        for i in 0..taps {
            m[i * taps + i] += ridge;
        }
        for j in 0..taps {
            let (head, below) = m.split_at_mut((j + 1) * taps);
            let row = &mut head[j * taps..];
            // Written so that a NaN ends it, too.
            let is_pivot = row[j] > LEAST_PIVOT;
            if !is_pivot {
                return;
            }
            let inverse = 1.0 / row[j];
            for i in j + 1..taps {
                sub64(&mut below[(i - j - 1) * taps..][i..taps], &row[i..taps], row[i] * inverse);
            }
            right[j] *= inverse;
            let scaled = right[j];
            sub64(&mut right[j + 1..], &row[j + 1..taps], scaled);
            row[j] = inverse;
        }
        for i in (0..taps).rev() {
            let row = &m[i * taps..][..taps];
            let mut sum = 0.0;
            for (factor, weight) in row[i + 1..].iter().zip(&self.weights[i + 1..]) {
                sum += factor * weight;
            }
            self.weights[i] = right[i] - sum * row[i];
        }
    }
}

/// Most taps of a predictor.
pub const MOST_TAPS: usize = 64;
