//! The optimiser: Adam on one flat vector, with a schedule, a clipped gradient and an average of the weights.
//!
//! Written on tensors because what torch's own optimiser remembers cannot be saved from here.
//!
//! What must stay true: all that the next step depends on is in the four vectors, the step's number and the schedule.

use super::TrainError;
use tch::{Device, Tensor};

/// Decay of the mean of gradients.
const FIRST: f64 = 0.9;
/// Decay of the mean of their squares; shorter than usual, as a short training likes it.
const SECOND: f64 = 0.99;
const EPSILON: f64 = 1e-8;
/// Largest norm of the gradient.
const CLIP: f64 = 1.0;
/// Steps in which the rate rises from 0, unless the training is so short that it is a tenth of it.
const WARM_UP: u64 = 200;
/// The rate at the end, as a part of the highest.
const LAST: f64 = 0.01;

/// Learning rates: linear warm-up, then half a cosine to one hundredth.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Schedule {
    /// Steps in all.
    pub total: u64,
    /// Highest rate.
    pub rate: f64,
}

impl Schedule {
    /// The rate of a step, counted from 0.
    pub fn rate(&self, step: u64) -> f64 {
        let rise = (step + 1) as f64 / WARM_UP.min(self.total / 10).max(1) as f64;
        let done = step as f64 / self.total.max(1) as f64;
        let fall = 0.5 * (1.0 + (std::f64::consts::PI * done).cos());
        self.rate * rise.min(1.0) * fall.max(LAST)
    }
}

/// Weights on their way.
#[derive(Debug)]
pub struct Adam {
    /// The weights, which ask for a gradient.
    pub weights: Tensor,
    /// Their average over the last steps: what is kept in the end.
    pub average: Tensor,
    /// Mean of the gradients.
    pub first: Tensor,
    /// Mean of their squares.
    pub second: Tensor,
}

impl Adam {
    /// Before the first step.
    pub fn new(weights: &[f32], device: Device) -> Result<Self, TrainError> {
        let zero = vec![0.0; weights.len()];
        Self::resume([weights, weights, &zero, &zero], device)
    }

    /// From what [`vectors`](Self::vectors) gave.
    pub fn resume(vectors: [&[f32]; 4], device: Device) -> Result<Self, TrainError> {
        let tensor = |v: &[f32]| Tensor::f_from_slice(v)?.f_to_device(device);
        let [weights, average, first, second] = vectors;
        let (weights, average) = (tensor(weights)?.f_set_requires_grad(true)?, tensor(average)?);
        Ok(Self { weights, average, first: tensor(first)?, second: tensor(second)? })
    }

    /// Weights, average, mean of gradients, mean of squares.
    pub fn vectors(&self) -> Result<[Vec<f32>; 4], TrainError> {
        let list = |t: &Tensor| Vec::<f32>::try_from(t.f_detach()?.f_to_device(Device::Cpu)?);
        Ok([list(&self.weights)?, list(&self.average)?, list(&self.first)?, list(&self.second)?])
    }

    /// One step (Kingma 2015, algorithm 1) with gradient `gradient`; `step` counts from 0.
    pub fn step(&mut self, gradient: &Tensor, step: u64, rate: f64) -> Result<(), TrainError> {
        let _without = tch::no_grad_guard();
        // The scale stays on the device: nothing waits for it.
        let clip = (gradient.f_norm()?.f_add_scalar(1e-6)?.f_reciprocal()?.f_mul_scalar(CLIP)?).f_clamp_max(1.0)?;
        let gradient = gradient.f_mul(&clip)?;
        let count = (step + 1).min(i32::MAX as u64) as i32;
        let _ = self.first.f_lerp_(&gradient, 1.0 - FIRST)?;
        let _ = self.second.f_lerp_(&gradient.f_mul(&gradient)?, 1.0 - SECOND)?;
        let size = self.second.f_sqrt()?.f_mul_scalar((1.0 - SECOND.powi(count)).sqrt().recip())?;
        let mut change = self.first.f_div(&size.f_add_scalar(EPSILON)?)?;
        let _ = change.f_mul_scalar_(-rate / (1.0 - FIRST.powi(count)))?;
        let mut weights = self.weights.f_detach()?;
        let _ = weights.f_add_(&change)?;
        // Early weights are forgotten soon.
        let decay = (count as f64 / (count as f64 + 20.0)).min(0.999);
        let _ = self.average.f_lerp_(&weights, 1.0 - decay)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_those_of_the_published_algorithm() {
        let start = [0.5f32, -1.0, 2.0];
        let mut adam = Adam::new(&start, Device::Cpu).unwrap();
        let (mut w, mut a, mut m, mut v) = (start.map(f64::from), start.map(f64::from), [0.0; 3], [0.0; 3]);
        for step in 0..40u64 {
            let gradient: [f64; 3] =
                std::array::from_fn(|i| ((step * 7 + i as u64 * 3) % 11) as f64 / 5.0 - 1.0 - 0.2 * i as f64);
            let tensor = Tensor::from_slice(&gradient.map(|g| g as f32));
            adam.step(&tensor, step, 0.01).unwrap();
            let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
            let t = step as i32 + 1;
            for i in 0..3 {
                let g = gradient[i] * (1.0 / (norm + 1e-6)).min(1.0);
                m[i] = 0.9 * m[i] + 0.1 * g;
                v[i] = 0.99 * v[i] + 0.01 * g * g;
                w[i] -= 0.01 * (m[i] / (1.0 - 0.9f64.powi(t))) / ((v[i] / (1.0 - 0.99f64.powi(t))).sqrt() + 1e-8);
                let decay = f64::from(t) / (f64::from(t) + 20.0);
                a[i] = decay * a[i] + (1.0 - decay) * w[i];
            }
        }
        let [weights, average, first, second] = adam.vectors().unwrap();
        for i in 0..3 {
            for (found, expected) in [(&weights, w), (&average, a), (&first, m), (&second, v)] {
                assert!(
                    (f64::from(found[i]) - expected[i]).abs() < 1e-5 * (1.0 + expected[i].abs()),
                    "{found:?} {expected:?}"
                );
            }
        }
        assert!(weights != average);
    }

    #[test]
    fn what_was_saved_goes_on_bit_for_bit() {
        let gradient = |step: u64| Tensor::from_slice(&[0.1f32, -0.7, step as f32 * 0.01]);
        let mut unbroken = Adam::new(&[1.0, 2.0, 3.0], Device::Cpu).unwrap();
        (0..9).for_each(|step| unbroken.step(&gradient(step), step, 0.02).unwrap());
        let saved = unbroken.vectors().unwrap();
        let mut resumed = Adam::resume(saved.each_ref().map(Vec::as_slice), Device::Cpu).unwrap();
        for step in 9..20 {
            unbroken.step(&gradient(step), step, 0.02).unwrap();
            resumed.step(&gradient(step), step, 0.02).unwrap();
        }
        assert_eq!(unbroken.vectors().unwrap(), resumed.vectors().unwrap());
    }

    #[test]
    fn the_rate_rises_and_falls() {
        let schedule = Schedule { total: 10_000, rate: 2e-3 };
        assert!((schedule.rate(0) - 1e-5).abs() < 1e-12);
        assert!(schedule.rate(199) > 1.99e-3 && schedule.rate(199) <= 2e-3);
        assert!((schedule.rate(5_000) - 1e-3).abs() < 1e-9);
        assert_eq!(schedule.rate(9_999), 2e-5);
        assert!((200..9_999).all(|k| schedule.rate(k + 1) <= schedule.rate(k)));
        let short = Schedule { total: 1, rate: 0.5 };
        assert_eq!(short.rate(0), 0.5);
    }
}
