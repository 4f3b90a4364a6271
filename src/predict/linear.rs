//! Linear prediction of one channel of sound from its last samples, by recursive least squares (Haykin, Adaptive Filter Theory,
//! 4th ed. 2002, chapter 10, with a random walk of the weights in place of forgetting: table 10.1 and section 14.6).
//!
//! With the last samples h, weights w, their covariance P in units of the noise, and r the square of the mean size of the last
//! errors, plus one: `g = P h`, `d = r + g h`, `w <- w + g e / d`, `P <- P - g g' / d`, and 2^-17 is added to each diagonal entry
//! that is below 2^-5, where they all begin. Weights begin as zero.
//!
//! What must stay true: of f64 only `+ - * /` and comparisons are used, in the order that is written here, so that every machine
//! predicts the same; whatever the samples, nothing becomes infinite for longer than a sample.

use super::Part;

/// Its name in streams.
pub const PART: Part = Part { name: "linear", version: 1 };
/// Samples that a prediction looks at.
const ORDER: usize = 32;
/// The variance that a weight begins with, and what is added to it a sample.
const VARIANCE: f64 = 1.0 / 32.0;
const DRIFT: f64 = 1.0 / 131_072.0;
/// Samples over which the size of errors is averaged.
const MEMORY: f64 = 80.0;

type Row = [f64; ORDER];

/// A predictor of numbers of 16 bits.
#[derive(Debug, Clone)]
pub struct Linear {
    /// The last samples, the latest first.
    history: Row,
    weights: Row,
    covariance: [Row; ORDER],
    /// The mean size of errors, and of how many samples.
    size: f64,
    seen: f64,
    /// The last prediction, before it was rounded.
    predicted: f64,
}

impl Default for Linear {
    fn default() -> Self {
        let mut linear = Self {
            history: [0.0; ORDER],
            weights: [0.0; ORDER],
            covariance: [[0.0; ORDER]; ORDER],
            size: 0.0,
            seen: 0.0,
            predicted: 0.0,
        };
        linear.begin();
        linear
    }
}

/// The sum of products: eight sums of every eighth, added up pairwise.
fn dot(a: &Row, b: &Row) -> f64 {
    let mut sums = [0.0; 8];
    for (a, b) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        for i in 0..8 {
            sums[i] += a[i] * b[i];
        }
    }
    ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]))
}

impl Linear {
    /// Knows nothing of the weights.
    fn begin(&mut self) {
        self.covariance = [[0.0; ORDER]; ORDER];
        (0..ORDER).for_each(|i| self.covariance[i][i] = VARIANCE);
        self.weights = [0.0; ORDER];
    }

    /// What the next number is expected to be, rounded.
    pub fn predict(&mut self) -> i16 {
        self.predicted = dot(&self.weights, &self.history);
        if self.predicted.is_nan() {
            self.predicted = 0.0;
        }
        self.predicted = self.predicted.clamp(-32_768.0, 32_767.0);
        (self.predicted + 0.5).floor() as i16
    }

    /// Learns the number that was predicted last.
    pub fn learn(&mut self, number: i16) {
        let number = f64::from(number);
        let error = number - self.predicted;
        self.seen = if self.seen < MEMORY { self.seen + 1.0 } else { MEMORY };
        self.size += (error.abs() - self.size) / self.seen;
        let noise = self.size * self.size + 1.0;
        let mut gain = [0.0; ORDER];
        for (row, x) in self.covariance.iter().zip(&self.history) {
            for (gain, p) in gain.iter_mut().zip(row) {
                *gain += p * x;
            }
        }
        let total = noise + dot(&gain, &self.history);
        // A covariance gives no less; if roundings made it none, all is begun anew.
        let is_sound = total >= noise && total < 1e30;
        if !is_sound {
            self.begin();
        } else {
            let inverse = 1.0 / total;
            let step = error * inverse;
            for (weight, gain) in self.weights.iter_mut().zip(&gain) {
                *weight += step * gain;
            }
            for (row, a) in self.covariance.iter_mut().zip(&gain) {
                for (p, b) in row.iter_mut().zip(&gain) {
                    *p -= (a * b) * inverse;
                }
            }
            for (i, row) in self.covariance.iter_mut().enumerate() {
                if row[i] < VARIANCE {
                    row[i] += DRIFT;
                }
            }
        }
        self.history.copy_within(..ORDER - 1, 1);
        self.history[0] = number;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean size of errors over the last half of a signal.
    fn errors(signal: &[i16]) -> f64 {
        let mut linear = Linear::default();
        let mut sizes = vec![];
        for x in signal {
            sizes.push(f64::from((i32::from(linear.predict()) - i32::from(*x)).abs()));
            linear.learn(*x);
        }
        let half = &sizes[sizes.len() / 2..];
        half.iter().sum::<f64>() / half.len() as f64
    }

    #[test]
    fn what_is_linear_is_learned_and_noise_costs_no_more_than_itself() {
        let tone: Vec<i16> = (0..4000).map(|t| (9000.0 * (f64::from(t) * 0.3).sin()) as i16).collect();
        assert!(errors(&tone) < 2.0, "{}", errors(&tone));
        let mut state = 1u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as i16
        };
        let rough: Vec<i16> = (0..4000).map(|_| noise()).collect();
        assert!((8192.0 * 1.8..8192.0 * 2.3).contains(&errors(&rough)), "{}", errors(&rough));
    }

    #[test]
    fn any_numbers_are_taken_and_predictions_are_the_same_each_time() {
        let square: Vec<i16> = (0..3000).map(|t| if t / 700 % 2 == 0 { i16::MAX } else { i16::MIN }).collect();
        let silence_between: Vec<i16> = (0..3000).map(|t| if t % 1000 < 40 { -32_768 } else { 0 }).collect();
        for signal in [square, silence_between, vec![0; 3000], vec![i16::MIN; 3000]] {
            let mut all = [Linear::default(), Linear::default()];
            for x in &signal {
                let [a, b] = all.each_mut().map(|l| l.predict());
                assert_eq!(a, b);
                all.iter_mut().for_each(|l| l.learn(*x));
                assert!(all[0].weights.iter().all(|w| w.is_finite()));
            }
        }
    }

    /// The very predictions of version 1.
    #[test]
    fn a_version_predicts_the_same_for_ever() {
        let mut linear = Linear::default();
        let (mut state, mut digest) = (7u64, blake3::Hasher::new());
        for t in 0..3000i64 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let saw = (t % 97 - 48) * 150 + (t % 31 - 15) * 90;
            let x = (saw + (state >> 56) as i64 - 128) as i16;
            digest.update(&linear.predict().to_le_bytes());
            linear.learn(x);
        }
        assert_eq!(&digest.finalize().to_hex()[..16], "9bfb03d4f36d2311");
    }
}
