//! What is decided before the first step: device, precision, number of steps; and whether there is memory for it.
//!
//! What must stay true: nothing measured here changes a weight.

use super::TrainError;
use super::adam::Adam;
use super::model::{Draw, Model};
use super::params::Layout;
use super::precision::{Precision, gradient};
use super::run::Source;
use crate::spec::NetworkSpec;
use std::fs;
use std::time::{Duration, Instant};
use tch::{Cuda, Device};

/// Time in which steps are counted.
const TRIAL: Duration = Duration::from_secs(4);
/// The part of the time that steps get; figures and checkpoints take the rest.
const STEPS: f64 = 0.97;

/// The device of a name: `cpu`, `cuda` or `cuda:N`.
pub fn device(name: &str) -> Result<Device, TrainError> {
    let fail = |fault: String| TrainError::Device { wanted: name.to_owned(), fault };
    let number = match name {
        "cpu" => return Ok(Device::Cpu),
        "cuda" => Some(0),
        other => other.strip_prefix("cuda:").and_then(|n| n.parse::<usize>().ok()),
    };
    let number = number.ok_or_else(|| fail("is no device: say cpu, cuda or cuda:N".to_owned()))?;
    match usize::try_from(Cuda::device_count()).unwrap_or(0) {
        0 => Err(fail("there is no CUDA device, or this libtorch was built without CUDA".to_owned())),
        count if number >= count => Err(fail(format!("there are only {count} CUDA devices, counted from 0"))),
        _ => Ok(Device::Cuda(number)),
    }
}

/// Sets torch's number of threads on the processor; 0 leaves it at one for each core.
pub fn threads(number: usize) {
    if let (Ok(number), true) = (i32::try_from(number), number > 0) {
        tch::set_num_threads(number);
    }
}

/// Torch's number of threads.
pub fn threads_in_use() -> u32 {
    tch::get_num_threads().unsigned_abs()
}

/// A network, its first weights, and the batches that it will see, to try steps with.
pub struct Trial<'a, M: Model> {
    /// All that is fixed.
    pub network: &'a M::Network,
    /// In the order of [`Layout`](super::params::Layout).
    pub weights: &'a [f32],
    /// Where batches come from.
    pub source: &'a dyn Source<M::Batch>,
    /// Where it runs.
    pub device: Device,
}

impl<M: Model> Trial<'_, M> {
    /// Which precision is faster here.
    pub fn precision(&self) -> Result<Precision, TrainError> {
        let weights = Adam::new(self.weights, self.device)?.weights;
        super::precision::faster::<M>(self.network, &weights, &self.source.batch(0))
    }

    /// How many steps fill that many minutes, and how many are done a second.
    pub fn steps(&self, minutes: f64, precision: Precision) -> Result<(u64, f64), TrainError> {
        let model = M::new(self.network, precision, self.device)?;
        let mut adam = Adam::new(self.weights, self.device)?;
        let budget = TRIAL.min(Duration::from_secs_f64(minutes * 60.0 / 10.0));
        let (mut start, mut step) = (Instant::now(), 0);
        let seconds = loop {
            let draw = Draw { seed: 0, step };
            let (loss, gradient) = gradient(&model, &adam.weights, &self.source.batch(step), draw)?;
            adam.step(&gradient, step, 0.0)?;
            loss.f_double_value(&[])?;
            step += 1;
            // The first steps make plans and buffers.
            if step == 3 {
                start = Instant::now();
            }
            if step > 3 && start.elapsed() > budget {
                break start.elapsed().as_secs_f64() / (step - 3) as f64;
            }
        };
        let rate = seconds.recip();
        Ok(((minutes * 60.0 * rate * STEPS).ceil().max(1.0) as u64, rate))
    }
}

/// Refuses a training whose batches, of so many positions, cannot fit into the memory that is free, as far as this system
/// tells.
pub fn check_memory(spec: &NetworkSpec, positions: u64) -> Result<(), TrainError> {
    let widths = spec.widths()?;
    let numbers = Layout::new(spec)?.total();
    // Values, their gradients and copies in another precision; weights, gradients and the optimiser's three vectors.
    let need = 4 * (3 * positions * widths.iter().sum::<usize>() as u64 + 8 * numbers as u64);
    match available() {
        Some(free) if need > free => {
            Err(TrainError::Memory(format!("a step needs about {} MiB, {} MiB are free", need >> 20, free >> 20)))
        }
        _ => Ok(()),
    }
}

/// Bytes that new allocations can get, where the system tells (Linux).
fn available() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|l| l.starts_with("MemAvailable:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|k| k << 10)
}
