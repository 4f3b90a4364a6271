//! What a training needs to go on after its process has ended.
//!
//! A file is: `SRPC`, the format (1 byte), the BLAKE3 hash of what follows (32 bytes), a [`Checkpoint`] by bincode. It is
//! written beside its target and renamed, so that whatever ends the program leaves the one before.
//!
//! What must stay true: nothing is read from a file whose hash is wrong.

use super::TrainError;
use super::adam::Schedule;
use super::beside;
use super::csv::Point;
use super::examples::Reading;
use super::grid;
use super::params::Layout;
use super::precision::Precision;
use crate::quantize::float::FloatNetwork;
use crate::quantize::weights;
use crate::spec::{Domain, NetworkSpec};
use crate::zoo::{self, Sizes, window};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::Write;
use std::path::Path;

const MAGIC: &[u8; 4] = b"SRPC";
const FORMAT: u8 = 3;
const HASH: usize = 32;
/// Where the encoded checkpoint begins.
const BODY: usize = MAGIC.len() + 1 + HASH;
/// Larger files are none.
const MAX_FILE: u64 = 1 << 34;

/// Which network is trained, and how its examples are made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Config {
    /// The family [`window`] on photographs.
    Window(window::Config),
    /// A family of the [registry](crate::zoo::FAMILIES) on examples of one size.
    Grid {
        /// Sizes.
        sizes: Sizes,
        /// What it is for.
        domain: Domain,
        /// See [`grid::Network`].
        dropout: f64,
        /// How files are read.
        reading: Reading,
        /// How many masks and orders steps take in turn; 1 each if always the same.
        agnostic: [u32; 2],
    },
}

/// What was decided before the first step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Name of the family.
    pub family: String,
    /// Sizes of the network.
    pub config: Config,
    /// Canonical bytes of its description.
    pub spec: Vec<u8>,
    /// Steps and learning rates.
    pub schedule: Schedule,
    /// Examples a step: pixels of photographs, else pictures or windows of text.
    pub batch: u32,
    /// Of initial weights and batches.
    pub seed: u64,
    /// Of matrix products.
    pub precision: Precision,
    /// Torch's threads.
    pub threads: u32,
    /// The device as the command line names it.
    pub device: String,
    /// Fingerprint of what is trained on and validated with.
    pub data: [u8; 16],
    /// The minutes asked for, and the steps a second by which they became steps.
    pub minutes: Option<(f64, f64)>,
    /// The command that began it.
    pub command: String,
}

/// A training between two steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// What was decided.
    pub plan: Plan,
    /// Steps done.
    pub step: u64,
    /// Seconds of training.
    pub seconds: f64,
    /// Weights, their average, means of gradients and of their squares ([`Adam::vectors`](super::adam::Adam::vectors)).
    pub vectors: [Vec<f32>; 4],
    /// Figures so far.
    pub history: Vec<Point>,
}

impl Checkpoint {
    /// Before the first step, with `weights` in the order of [`Layout`].
    pub fn begin(plan: Plan, weights: Vec<f32>) -> Self {
        let zero = vec![0.0; weights.len()];
        let vectors = [weights.clone(), weights, zero.clone(), zero];
        Self { plan, step: 0, seconds: 0.0, vectors, history: Vec::new() }
    }

    /// The network of the family [`window`] that it trains, with its constants; checked, since a checkpoint of another family
    /// or version may have another one. `path` is for the message.
    pub fn window(&self, path: &Path) -> Result<(window::Config, FloatNetwork), TrainError> {
        let (Config::Window(config), true) = (&self.plan.config, self.plan.family == window::FAMILY) else {
            return Err(self.other(path, window::FAMILY));
        };
        let network = weights::blank(config);
        self.check(path, &network.spec)?;
        Ok((config.clone(), network))
    }

    /// The same for the family `name` of the registry.
    pub fn grid(&self, path: &Path, name: &str) -> Result<grid::Network, TrainError> {
        let (Some(family), Config::Grid { sizes, domain, dropout, agnostic, .. }, true) =
            (zoo::family(name), &self.plan.config, self.plan.family == name)
        else {
            return Err(self.other(path, name));
        };
        let network = grid::Network::new(family, sizes, domain, *dropout, *agnostic);
        let network = network.map_err(|e| fault(path, e.to_string()))?;
        self.check(path, &network.spec)?;
        Ok(network)
    }

    fn other(&self, path: &Path, wanted: &str) -> TrainError {
        fault(path, format!("is of the family '{}', not of '{wanted}': it cannot go on here", self.plan.family))
    }

    fn check(&self, path: &Path, spec: &NetworkSpec) -> Result<(), TrainError> {
        if spec.to_bytes() != self.plan.spec || Layout::new(spec)?.total() != self.vectors[0].len() {
            let text = "its network is another one than this version's of the same sizes: begin again";
            return Err(fault(path, text.to_owned()));
        }
        Ok(())
    }

    /// Writes the file in one step.
    pub fn save(&self, path: &Path) -> Result<(), TrainError> {
        let body = bincode::serde::encode_to_vec(self, bincode::config::standard());
        let body = body.map_err(|e| fault(path, e.to_string()))?;
        let hash = blake3::hash(&body);
        let parts = [&MAGIC[..], &[FORMAT], hash.as_bytes(), &body];
        let written = beside::write(path, |file| parts.iter().try_for_each(|part| file.write_all(part)));
        written.map_err(|error| TrainError::Write { path: path.to_owned(), error })
    }

    /// Reads a file and checks it.
    pub fn load(path: &Path) -> Result<Self, TrainError> {
        let fail = |text: &str| fault(path, text.to_owned());
        let unreadable = |e: std::io::Error| fail(&format!("cannot read: {e}; check the name"));
        if fs::metadata(path).map_err(unreadable)?.len() > MAX_FILE {
            return Err(fail("is larger than any checkpoint"));
        }
        let bytes = fs::read(path).map_err(unreadable)?;
        if !bytes.starts_with(MAGIC) {
            return Err(fail("is no checkpoint (it does not begin with 'SRPC')"));
        }
        let damaged = || fail("is damaged: begin again, or go on from another checkpoint");
        match bytes.get(MAGIC.len()).ok_or_else(damaged)? {
            &FORMAT => {}
            other => return Err(fail(&format!("has format {other}; this program reads format {FORMAT}"))),
        }
        let body = bytes.get(BODY..).ok_or_else(damaged)?;
        if blake3::hash(body).as_bytes()[..] != bytes[BODY - HASH..BODY] {
            return Err(damaged());
        }
        let read = bincode::serde::decode_from_slice::<Self, _>(body, bincode::config::standard());
        let (checkpoint, used) = read.map_err(|_| damaged())?;
        let vectors = &checkpoint.vectors;
        let is_whole = used == body.len()
            && vectors.iter().all(|v| v.len() == vectors[0].len())
            && checkpoint.step <= checkpoint.plan.schedule.total
            && checkpoint.plan.batch > 0;
        if is_whole { Ok(checkpoint) } else { Err(damaged()) }
    }
}

fn fault(path: &Path, fault: String) -> TrainError {
    TrainError::Checkpoint { path: path.to_owned(), fault }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Checkpoint {
        let config = window::Config { radius: 2, first: 3, width: 2, blocks: 0, head: 2, components: 1 };
        let network = weights::blank(&config);
        let layout = Layout::new(&network.spec).unwrap();
        let plan = Plan {
            family: window::FAMILY.to_owned(),
            config: Config::Window(config),
            spec: network.spec.to_bytes(),
            schedule: Schedule { total: 100, rate: 2e-3 },
            batch: 32,
            seed: u64::MAX,
            precision: Precision::BFloat16,
            threads: 2,
            device: "cpu".to_owned(),
            data: [9; 16],
            minutes: Some((0.1, 17.25)),
            command: "surprisal train 'a b'".to_owned(),
        };
        let point = Point { step: 5, examples: 160, seconds: 1.5, train: 4.25, validation: None, lr: 1e-3 };
        Checkpoint { step: 5, seconds: 1.5, history: vec![point], ..Checkpoint::begin(plan, layout.initial(1)) }
    }

    #[test]
    fn what_is_saved_is_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ckpt");
        let checkpoint = sample();
        checkpoint.save(&path).unwrap();
        checkpoint.save(&path).unwrap();
        assert_eq!(Checkpoint::load(&path).unwrap(), checkpoint);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        checkpoint.window(&path).unwrap();
    }

    #[test]
    fn damage_is_found_wherever_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ckpt");
        sample().save(&path).unwrap();
        let bytes = fs::read(&path).unwrap();
        for at in (0..bytes.len()).step_by(7).chain(0..64) {
            let mut broken = bytes.clone();
            broken[at] ^= 0x10;
            fs::write(&path, &broken).unwrap();
            let error = Checkpoint::load(&path).unwrap_err().to_string();
            assert!(error.contains("a.ckpt"), "{error}");
            fs::write(&path, &bytes[..at]).unwrap();
            Checkpoint::load(&path).unwrap_err();
        }
        fs::write(&path, [&bytes[..], &[0]].concat()).unwrap();
        Checkpoint::load(&path).unwrap_err();
        Checkpoint::load(&folder.path().join("none")).unwrap_err();
    }

    #[test]
    fn another_network_is_refused() {
        let path = Path::new("x.ckpt");
        let mut other = sample();
        other.plan.family = "char-rnn".to_owned();
        assert!(other.grid(path, "made").unwrap_err().to_string().contains("char-rnn"));
        let mut other = sample();
        let Config::Window(config) = &mut other.plan.config else { panic!("it is of that family") };
        config.width += 1;
        other.window(path).unwrap_err();
        let mut other = sample();
        other.vectors.iter_mut().for_each(|v| v.truncate(7));
        other.window(path).unwrap_err();
    }
}
