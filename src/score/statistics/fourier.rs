//! The discrete Fourier transform (Cooley and Tukey 1965): of complex values, and of real samples under a window of Hann.

use std::f64::consts::PI;

/// What a transform of a length needs.
#[derive(Debug)]
pub struct Fourier {
    window: Vec<f64>,
    /// Sum of the window's squares.
    gain: f64,
    /// The first half of the roots of unity, `(cos, -sin)`.
    roots: Vec<[f64; 2]>,
    values: Vec<[f64; 2]>,
}

impl Fourier {
    /// For so many samples.
    ///
    /// # Panics
    /// If they are not a power of two, at least 2.
    pub fn new(length: usize) -> Self {
        Self::padded(length, length)
    }

    /// For so many samples with zeros behind them, up to `length` in all: as many frequencies lie closer together.
    ///
    /// # Panics
    /// If `length` is no power of two, at least 2, or there are more samples.
    pub fn padded(samples: usize, length: usize) -> Self {
        assert!(length.is_power_of_two() && length > 1 && samples <= length, "the transform of a power of two");
        let turn = |i: f64, n: usize| 2.0 * PI * i / n as f64;
        let window: Vec<f64> = (0..samples).map(|i| 0.5 - 0.5 * turn(i as f64 + 0.5, samples).cos()).collect();
        let gain = window.iter().map(|w| w * w).sum();
        let turn = |i: f64| turn(i, length);
        let roots = (0..length / 2).map(|i| [turn(i as f64).cos(), -turn(i as f64).sin()]).collect();
        Self { window, gain, roots, values: Vec::new() }
    }

    /// Power of each frequency but 0, lowest first, up to half as many as samples: of white noise, its variance.
    pub fn power(&mut self, sample: impl Fn(usize) -> f64) -> Vec<f64> {
        self.values.clear();
        self.values.extend(self.window.iter().enumerate().map(|(i, w)| [sample(i) * w, 0.0]));
        self.values.resize(2 * self.roots.len(), [0.0; 2]);
        self.transform();
        let values = &self.values[1..=self.roots.len()];
        values.iter().map(|[re, im]| (re * re + im * im) / self.gain).collect()
    }

    /// The transform of as many complex values, which no window changes, lowest frequency first.
    pub fn complex(&mut self, values: impl Iterator<Item = [f64; 2]>) -> &[[f64; 2]] {
        self.values.clear();
        self.values.extend(values);
        self.values.resize(2 * self.roots.len(), [0.0; 2]);
        self.transform();
        &self.values
    }

    fn transform(&mut self) {
        let n = self.values.len();
        for i in 0..n {
            let j = i.reverse_bits() >> (usize::BITS - n.trailing_zeros());
            if i < j {
                self.values.swap(i, j);
            }
        }
        let mut half = 1;
        while half < n {
            for first in (0..n).step_by(2 * half) {
                for k in 0..half {
                    let [c, s] = self.roots[k * (n / 2 / half)];
                    let [re, im] = self.values[first + half + k];
                    let turned = [re * c - im * s, re * s + im * c];
                    let [a, b] = self.values[first + k];
                    self.values[first + k] = [a + turned[0], b + turned[1]];
                    self.values[first + half + k] = [a - turned[0], b - turned[1]];
                }
            }
            half *= 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_transform_is_the_sum_that_defines_it() {
        let sample = |i: usize| ((i * i * 7 + 3 * i) % 23) as f64 - 11.0;
        for samples in [16, 11] {
            let power = Fourier::padded(samples, 16).power(sample);
            assert_eq!(power.len(), 8);
            for (k, found) in (1..=8).zip(power) {
                let (mut re, mut im, mut gain) = (0.0, 0.0, 0.0);
                for i in 0..samples {
                    let w = 0.5 - 0.5 * (2.0 * PI * (i as f64 + 0.5) / samples as f64).cos();
                    let angle = 2.0 * PI * (i * k) as f64 / 16.0;
                    re += w * sample(i) * angle.cos();
                    im -= w * sample(i) * angle.sin();
                    gain += w * w;
                }
                assert!((found - (re * re + im * im) / gain).abs() < 1e-9);
            }
        }
    }
}
