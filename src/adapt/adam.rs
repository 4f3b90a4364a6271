//! Adam (Kingma and Ba 2015, algorithm 1) on a vector of f64, with `+ - * / sqrt` alone.

/// Decay of the mean of gradients.
const BETA1: f64 = 0.9;
/// Decay of the mean of their squares.
const BETA2: f64 = 0.98;

/// The state of the optimiser.
#[derive(Debug)]
pub struct Adam {
    first: Vec<f64>,
    second: Vec<f64>,
    decayed: (f64, f64),
}

impl Adam {
    /// For `n` numbers.
    pub fn new(n: usize) -> Self {
        Self { first: vec![0.0; n], second: vec![0.0; n], decayed: (1.0, 1.0) }
    }

    /// One step down `gradient`; `rate` has a learning rate for each number.
    pub fn step(&mut self, values: &mut [f64], gradient: &[f64], rate: &[f64], factor: f64) {
        self.decayed = (self.decayed.0 * BETA1, self.decayed.1 * BETA2);
        let (unbias1, unbias2) = (1.0 - self.decayed.0, 1.0 - self.decayed.1);
        for (i, (value, g)) in values.iter_mut().zip(gradient).enumerate() {
            self.first[i] = BETA1 * self.first[i] + (1.0 - BETA1) * g;
            self.second[i] = BETA2 * self.second[i] + (1.0 - BETA2) * (g * g);
            let spread = (self.second[i] / unbias2).sqrt();
            if spread > 1e-12 {
                *value -= factor * rate[i] * (self.first[i] / unbias1) / spread;
            }
        }
    }

    /// The mean square of the gradient of each number.
    pub fn squares(&self) -> Vec<f64> {
        self.second.iter().map(|s| s / (1.0 - self.decayed.1)).collect()
    }
}
