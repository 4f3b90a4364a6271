//! The loop: batches from a thread of their own, steps, figures, checkpoints.
//!
//! What must stay true: a checkpoint is taken only where a row of figures ends, so that a resumed run has the rows of the
//! unbroken one.

use super::TrainError;
use super::adam::Adam;
use super::checkpoint::{Checkpoint, Plan};
use super::csv::Point;
use super::model::{Batch, Draw, Model};
use super::precision::{Precision, gradient};
use std::ops::ControlFlow;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::{Duration, Instant};
use tch::{Device, Kind, Tensor};

/// Batches that are ready before they are needed.
const AHEAD: usize = 2;
/// Rows of figures in a training that is long enough, and the steps between them at most.
const ROWS: u64 = 200;
const MAX_INTERVAL: u64 = 500;
/// Steps between validations at least.
const VALIDATE: u64 = 100;
/// Symbols that are trained on between validations at least, for each that validates.
const SHARE: u64 = 16;

/// How a training stands.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Steps done.
    pub step: u64,
    /// Steps in all.
    pub total: u64,
    /// The last row of figures.
    pub train: Option<f64>,
    /// Its last validation.
    pub validation: Option<f64>,
    /// Examples a second lately.
    pub speed: f64,
}

/// Who watches a training.
pub trait Monitor {
    /// Called after every step; may end the training, which then leaves a checkpoint.
    fn step(&mut self, progress: &Progress) -> ControlFlow<()>;
    /// Called every few minutes, and at the end, with what is to be kept.
    fn save(&mut self, checkpoint: &Checkpoint) -> Result<(), TrainError>;
    /// Whether the weights after so many steps are to be shown.
    fn wants(&self, _step: u64) -> bool {
        false
    }
    /// Called with the average of the weights where it was wanted.
    fn show(&mut self, _step: u64, _plan: &Plan, _weights: Vec<f32>) -> Result<(), TrainError> {
        Ok(())
    }
}

/// Where batches come from.
pub trait Source<B>: Sync {
    /// The batch of a step; it depends on the step (and what the source was made with) alone.
    fn batch(&self, step: u64) -> B;
}

/// A training under way.
pub struct Trainer<M> {
    model: M,
    /// In full precision, as the weights will be used.
    exact: M,
    adam: Adam,
    checkpoint: Checkpoint,
    /// Rows of figures from validation to validation.
    rows: u64,
}

impl<M: Model> Trainer<M> {
    /// Begins or goes on where the checkpoint stands.
    pub fn new(network: &M::Network, checkpoint: Checkpoint, device: Device) -> Result<Self, TrainError> {
        let model = M::new(network, checkpoint.plan.precision, device)?;
        let exact = M::new(network, Precision::Float32, device)?;
        let adam = Adam::resume(checkpoint.vectors.each_ref().map(Vec::as_slice), device)?;
        Ok(Self { model, exact, adam, checkpoint, rows: 1 })
    }

    /// Trains to the end of the plan, or until the monitor ends it; checkpoints are at least `every` apart. Gives the state in
    /// which it ended.
    pub fn run(
        mut self,
        source: &dyn Source<M::Batch>,
        validation: &M::Batch,
        every: Duration,
        monitor: &mut dyn Monitor,
    ) -> Result<Checkpoint, TrainError> {
        let (first, total) = (self.checkpoint.step, self.checkpoint.plan.schedule.total);
        // Weights that need no training are validated all the same.
        if total == 0 && validation.count() > 0 {
            let bits = mean_bits(&self.exact, &self.adam.average, validation)?;
            let row = Point { step: 0, examples: 0, seconds: 0.0, train: bits, validation: Some(bits), lr: 0.0 };
            self.checkpoint.history.push(row);
        }
        thread::scope(|scope| {
            let (sender, receiver) = sync_channel(AHEAD);
            // It ends when nobody listens any more.
            scope.spawn(move || (first..total).try_for_each(|step| sender.send(source.batch(step)).map_err(drop)));
            self.steps(receiver.into_iter(), validation, every, monitor)
        })?;
        Ok(self.checkpoint)
    }

    fn steps(
        &mut self,
        batches: impl Iterator<Item = M::Batch>,
        validation: &M::Batch,
        every: Duration,
        monitor: &mut dyn Monitor,
    ) -> Result<(), TrainError> {
        let total = self.checkpoint.plan.schedule.total;
        let interval = interval(total);
        let (before, start) = (self.checkpoint.seconds, Instant::now());
        let (mut saved, mut speed) = (start, Speed::new(start));
        let mut sum = self.zero()?;
        for batch in batches {
            let steps = (SHARE * validation.symbols() as u64 / batch.symbols().max(1) as u64).max(VALIDATE);
            self.rows = steps.div_ceil(interval);
            let step = self.checkpoint.step;
            self.show(step, monitor)?;
            let loss = self.step(&batch)?;
            let _ = sum.f_add_(&loss)?;
            let mut ended = false;
            if (step + 1) % interval == 0 || step + 1 == total {
                let count = if (step + 1) % interval == 0 { interval } else { total % interval };
                let train = sum.f_double_value(&[])? / count as f64;
                if !train.is_finite() {
                    return Err(TrainError::Diverged { step: step + 1 });
                }
                sum = self.zero()?;
                self.checkpoint.seconds = before + start.elapsed().as_secs_f64();
                self.row(step, train, validation)?;
                ended = true;
            }
            self.checkpoint.step = step + 1;
            let row = self.checkpoint.history.last();
            let progress = Progress {
                step: step + 1,
                total,
                train: row.map(|r| r.train),
                validation: self.checkpoint.history.iter().rev().find_map(|r| r.validation),
                speed: speed.after(batch.count()),
            };
            let stop = monitor.step(&progress).is_break();
            if ended && (step + 1 == total || saved.elapsed() > every || stop) {
                let vectors = self.adam.vectors()?;
                // A checkpoint from which nothing can go on must not replace a good one.
                if vectors.iter().flatten().any(|v| !v.is_finite()) {
                    return Err(TrainError::Diverged { step: step + 1 });
                }
                self.checkpoint.vectors = vectors;
                monitor.save(&self.checkpoint)?;
                saved = Instant::now();
                if stop {
                    break;
                }
            }
        }
        match self.checkpoint.step == total {
            true => self.show(total, monitor),
            false => Ok(()),
        }
    }

    /// One step; gives the loss, which stays on the device.
    fn step(&mut self, batch: &M::Batch) -> Result<Tensor, TrainError> {
        let step = self.checkpoint.step;
        let draw = Draw { seed: self.checkpoint.plan.seed, step };
        let (loss, gradient) = gradient(&self.model, &self.adam.weights, batch, draw)?;
        self.adam.step(&gradient, step, self.checkpoint.plan.schedule.rate(step))?;
        Ok(loss)
    }

    /// Shows the weights after so many steps, if they are wanted.
    fn show(&self, step: u64, monitor: &mut dyn Monitor) -> Result<(), TrainError> {
        match monitor.wants(step) {
            true => monitor.show(step, &self.checkpoint.plan, Vec::try_from(self.adam.average.f_detach()?)?),
            false => Ok(()),
        }
    }

    /// Adds a row of figures after a step.
    fn row(&mut self, step: u64, train: f64, validation: &M::Batch) -> Result<(), TrainError> {
        let plan = &self.checkpoint.plan;
        let is_due = (self.checkpoint.history.len() as u64 + 1) % self.rows == 0 || step + 1 == plan.schedule.total;
        let validation = match is_due && validation.count() > 0 {
            true => Some(mean_bits(&self.exact, &self.adam.average, validation)?),
            false => None,
        };
        let (examples, lr) = ((step + 1) * u64::from(plan.batch), plan.schedule.rate(step));
        let seconds = self.checkpoint.seconds;
        self.checkpoint.history.push(Point { step: step + 1, examples, seconds, train, validation, lr });
        Ok(())
    }

    fn zero(&self) -> Result<Tensor, TrainError> {
        Ok(Tensor::f_zeros([0i64; 0].as_slice(), (Kind::Float, self.model.device()))?)
    }
}

/// Steps from row to row.
fn interval(total: u64) -> u64 {
    (total / ROWS).clamp(1, MAX_INTERVAL)
}

/// Bits per dimension of `weights` on a batch of any length.
pub fn mean_bits<M: Model>(model: &M, weights: &Tensor, batch: &M::Batch) -> Result<f64, TrainError> {
    let _without = tch::no_grad_guard();
    let (count, at_once) = (batch.count(), batch.at_once());
    let mut sum = 0.0;
    for first in (0..count).step_by(at_once) {
        let part = batch.part(first..count.min(first + at_once));
        sum += model.bits(weights, &part, None)?.f_sum(Kind::Double)?.f_double_value(&[])?;
    }
    Ok(sum / batch.symbols() as f64)
}

/// Examples a second over the last seconds.
struct Speed {
    since: Instant,
    examples: usize,
    last: f64,
}

impl Speed {
    fn new(since: Instant) -> Self {
        Self { since, examples: 0, last: 0.0 }
    }

    fn after(&mut self, examples: usize) -> f64 {
        self.examples += examples;
        let seconds = self.since.elapsed().as_secs_f64();
        if seconds > 5.0 || self.last == 0.0 {
            self.last = self.examples as f64 / seconds;
        }
        if seconds > 5.0 {
            (self.since, self.examples) = (Instant::now(), 0);
        }
        self.last
    }
}
