//! Linear prediction as FLAC encoders find it: a window, the autocorrelation, and the recursion of Levinson and Durbin.
//!
//! What must stay true: the numbers are the same on every machine: `+ - * /` and comparisons in a fixed order, and no libm.
//! Whether they are those of an encoder, to the last bit, is of no importance: what differs is coded.

/// Most coefficients of a predictor.
pub const MOST: usize = 32;
/// Products that are added up side by side: lags up to 15, or up to [`MOST`].
const FEW: usize = 16;

/// A window of so many samples; `f32`, as encoders hold them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Window {
    /// Flat, with slopes of a cosine at both ends that take this share of it (Harris 1978, eq. 38).
    Tukey(f32),
    /// A parabola (Welch 1967).
    Welch,
}

/// The cosine of `pi x` for x from 0 to 1, to some 1e-15.
fn cos_pi(x: f64) -> f64 {
    // About the middle it is a sine of a small angle: -sin(pi (x - 1/2)), by its series (odd powers up to 21).
    let angle = (x - 0.5) * std::f64::consts::PI;
    let square = angle * angle;
    let mut sum = 0.0;
    for n in (0..=10u32).rev() {
        // sum = 1 / n! forms of Horner: term (2n + 1) = -square / ((2n + 2) (2n + 3)) of the next.
        let next = f64::from((2 * n + 2) * (2 * n + 3));
        sum = 1.0 - square / next * sum;
    }
    -angle * sum
}

impl Window {
    /// Its values.
    pub fn values(self, length: usize) -> Vec<f32> {
        match self {
            Self::Tukey(share) => {
                let mut values = vec![1.0; length];
                let slope = (share / 2.0 * length as f32) as usize;
                if let Some(slope) = slope.checked_sub(1).filter(|n| *n > 0) {
                    for i in 0..=slope {
                        let value = (0.5 - 0.5 * cos_pi(i as f64 / slope as f64)) as f32;
                        values[i] = value;
                        values[length - 1 - i] = value;
                    }
                }
                values
            }
            Self::Welch => {
                let half = (length.max(2) - 1) as f64 / 2.0;
                let value = |i: usize| {
                    let place = (i as f64 - half) / half;
                    (1.0 - place * place) as f32
                };
                (0..length).map(value).collect()
            }
        }
    }
}

/// The sums of products of windowed samples so many places apart.
pub type Correlation = [f64; MOST + 1];

/// The autocorrelation of samples for lags up to `order`, at most [`MOST`]; 0 for the others.
pub fn autocorrelation(samples: impl DoubleEndedIterator<Item = f32>, order: usize) -> Correlation {
    let mut all = [0.0; MOST + 1];
    // From the last to the first, so that those with which a sample is multiplied follow it.
    let reversed = samples.rev().map(f64::from).chain([0.0; MOST + 1]).collect::<Vec<_>>();
    if order < FEW {
        all[..FEW].copy_from_slice(&lags::<FEW>(&reversed));
    } else {
        all = lags::<{ MOST + 1 }>(&reversed);
    }
    all[order + 1..].fill(0.0);
    all
}

fn lags<const N: usize>(reversed: &[f64]) -> [f64; N] {
    let mut sums = [0.0; N];
    for window in reversed.windows(N) {
        let first = window[0];
        for (sum, other) in sums.iter_mut().zip(window) {
            *sum += first * other;
        }
    }
    sums
}

/// The predictor of so many coefficients, at most [`MOST`], that errs least in the mean of squares (Durbin 1960): the first is
/// that of the sample before. Where there is nothing left to predict, the rest is 0.
pub fn coefficients(correlation: &Correlation, order: usize) -> Vec<f32> {
    let mut found = vec![0.0f64; order];
    let mut error = correlation[0];
    for i in 0..order {
        if error <= 0.0 {
            break;
        }
        let mut reflection = correlation[i + 1];
        for j in 0..i {
            reflection -= found[j] * correlation[i - j];
        }
        reflection /= error;
        found[i] = reflection;
        for j in 0..i / 2 {
            let (near, far) = (found[j], found[i - 1 - j]);
            found[j] = near - reflection * far;
            found[i - 1 - j] = far - reflection * near;
        }
        if i % 2 == 1 {
            found[i / 2] -= reflection * found[i / 2];
        }
        error *= 1.0 - reflection * reflection;
    }
    found.into_iter().map(|c| c as f32).collect()
}

/// By how many bits integers of `precision` bits (5 to 16; signed) for such coefficients are shifted: 0 to 15.
pub fn shift(coefficients: &[f32], precision: u32) -> u32 {
    let largest = coefficients.iter().fold(0.0f32, |most, c| most.max(c.abs()));
    // The largest number of bits with which it stays below 2^(precision - 1).
    let limit = (1u32 << (precision - 1)) as f32;
    let fits = |shift: &u32| largest * ((1u32 << shift) as f32) < limit;
    (1..=15).rev().find(fits).unwrap_or(0)
}

/// Coefficients as integers, one after the other: what rounding left of those before is added to the next.
#[derive(Debug)]
pub struct Rounding<'a> {
    coefficients: std::slice::Iter<'a, f32>,
    scale: f64,
    limit: f64,
    error: f64,
}

impl<'a> Rounding<'a> {
    /// Of integers of `precision` bits (1 to 16) that are shifted by `shift` (0 to 31).
    pub fn new(coefficients: &'a [f32], precision: u32, shift: u32) -> Self {
        let limit = f64::from((1u32 << (precision - 1)) - 1);
        Self { coefficients: coefficients.iter(), scale: f64::from(1u32 << shift), limit, error: 0.0 }
    }

    /// What the next is expected to be.
    pub fn expect(&mut self) -> i32 {
        self.error += f64::from(self.coefficients.next().copied().unwrap_or(0.0)) * self.scale;
        let rounded = if self.error < 0.0 { -(0.5 - self.error).floor() } else { (self.error + 0.5).floor() };
        // Not a number becomes 0.
        rounded.clamp(-self.limit - 1.0, self.limit) as i32
    }

    /// What it was.
    pub fn took(&mut self, integer: i32) {
        self.error -= f64::from(integer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cosine_is_one() {
        for i in 0..=1000 {
            let x = f64::from(i) / 1000.0;
            assert!((cos_pi(x) - (x * std::f64::consts::PI).cos()).abs() < 1e-14, "{x}");
        }
    }

    #[test]
    fn a_resonance_is_found() {
        // s(t) = 1.5 s(t - 1) - 0.9 s(t - 2), pushed now and then.
        let (mut a, mut b, mut state) = (0.0f32, 0.0f32, 1u32);
        let samples: Vec<f32> = (0..4096)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (a, b) = (1.5 * a - 0.9 * b + (state >> 16) as f32 - 32768.0, a);
                a
            })
            .collect();
        let window = Window::Tukey(0.5).values(samples.len());
        let found = autocorrelation(samples.iter().zip(&window).map(|(s, w)| s * w), 4);
        let found = coefficients(&found, 4);
        assert!((found[0] - 1.5).abs() < 0.1 && (found[1] + 0.9).abs() < 0.1, "{found:?}");
        assert!(found[2].abs() < 0.1 && found[3].abs() < 0.1, "{found:?}");
        assert_eq!(shift(&found, 12), 10);
        let mut rounding = Rounding::new(&found, 12, 10);
        for c in &found {
            let integer = rounding.expect();
            assert!((f64::from(integer) - f64::from(*c) * 1024.0).abs() <= 1.0);
            rounding.took(integer);
        }
        assert_eq!(coefficients(&[0.0; MOST + 1], 3), [0.0; 3]);
    }

    #[test]
    fn windows_fall_off_at_their_ends() {
        for window in [Window::Tukey(0.5), Window::Tukey(1.0 / 6.0), Window::Welch] {
            for length in [0, 1, 2, 3, 5, 16, 4096] {
                let values = window.values(length);
                assert_eq!(values.len(), length);
                assert!((0..length).all(|i| (values[i] - values[length - 1 - i]).abs() < 1e-6));
                assert!(values.iter().all(|v| (-1e-6..=1.0).contains(v)));
            }
        }
    }
}
