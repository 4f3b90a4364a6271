//! Pictures on a device that become known sample by sample.
//!
//! What must stay true: a stage reads no sample that was not told before.

use super::nodes::Batch;
use super::window::Samples;
use super::{Loaded, to_vec};
use crate::engine::device::{DeviceError, Lockstep, Place};
use std::sync::PoisonError;
use tch::TchError;

/// See [`Lockstep`].
pub(super) struct Pictures<'l> {
    loaded: &'l Loaded,
    samples: Samples,
    /// The positions of the step, in parts that fit the device.
    batches: Vec<(Batch, usize)>,
}

impl<'l> Pictures<'l> {
    pub fn new(loaded: &'l Loaded, samples: Samples) -> Self {
        Self { loaded, samples, batches: Vec::new() }
    }
}

impl Lockstep for Pictures<'_> {
    fn fill(&mut self, picture: usize, row: usize, samples: &[u8]) -> Result<(), DeviceError> {
        self.loaded.on.say(self.samples.fill(picture, row, samples))
    }

    fn step(&mut self, positions: &[Place]) -> Result<(), DeviceError> {
        let batch = |places: &[Place]| {
            Ok::<_, TchError>((Batch::new(&self.loaded.network, self.samples.places(places)?), places.len()))
        };
        let batches = positions.chunks(self.loaded.capacity).map(batch).collect();
        self.batches = self.loaded.on.say(batches)?;
        Ok(())
    }

    fn stage(&mut self, channel: usize) -> Result<Vec<i16>, DeviceError> {
        let parts = self.loaded.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = Vec::new();
        for (batch, _) in &mut self.batches {
            let rows = parts.nodes.stage(channel, &self.samples, batch);
            let rows = rows.and_then(|()| to_vec(&parts.mixtures[channel].rows(batch)?, 0i16));
            all.extend(self.loaded.on.say(rows)?);
        }
        Ok(all)
    }

    fn learn(&mut self, channel: usize, mut samples: &[u8]) -> Result<(), DeviceError> {
        for (batch, count) in &self.batches {
            let (mine, rest) = samples.split_at(*count);
            samples = rest;
            self.loaded.on.say(self.samples.set(batch.positions(), channel, mine))?;
        }
        Ok(())
    }
}
