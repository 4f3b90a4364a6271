//! Recordings: training sees windows anywhere in them.
//!
//! What must stay true: symbols are what the coder makes of the whole file, so that a network is trained on what it will code;
//! recordings with the same samples are all trained on or all held out.

use super::files::Content;
use super::{ExamplesError, LIMITS, Reading, short};
use crate::media::set::{self, SetError};
use crate::spec::{Domain, Samples};
use crate::train::data::Random;
use crate::train::grid::Batch;
use std::ops::Range;

/// One in so many recordings is held out, if there are as many; of fewer, the last tenths.
const HELD_OUT: usize = 20;
const TENTH: usize = 10;
/// Samples that are coded in a row: a segment begins without knowing what came before.
const SEGMENT: u32 = 8192;

/// Recordings as symbols.
#[derive(Debug)]
pub struct Sound {
    train: Tape,
    held_out: Tape,
    rate: u32,
    samples: Samples,
    window: usize,
    fingerprint: [u8; 16],
}

/// Recordings one after the other.
#[derive(Debug, Default)]
struct Tape {
    symbols: Vec<u16>,
    /// Where each begins.
    starts: Vec<usize>,
}

impl Tape {
    fn add(&mut self, recording: &[u16]) {
        if !recording.is_empty() {
            self.starts.push(self.symbols.len());
            self.symbols.extend_from_slice(recording);
        }
    }

    /// The last start up to a place.
    fn start(&self, place: usize) -> usize {
        self.starts[self.starts.partition_point(|s| *s <= place) - 1]
    }

    /// Windows that do not overlap, at most so many, spread over the tape.
    fn windows(&self, window: usize, most: usize) -> impl Iterator<Item = Range<usize>> {
        let all = self.symbols.len() / window;
        let count = all.min(most);
        (0..count).map(move |i| i * all / count * window).map(move |start| start..start + window)
    }

    fn batch(&self, windows: impl Iterator<Item = Range<usize>>) -> Batch {
        let mut batch = Batch { count: 0, symbols: Vec::new(), classes: Vec::new() };
        for window in windows {
            batch.symbols.extend_from_slice(&self.symbols[window]);
            batch.count += 1;
        }
        batch
    }
}

impl Sound {
    pub fn new(files: &[Content], reading: &Reading, warnings: &mut Vec<String>) -> Result<Self, ExamplesError> {
        let samples = if reading.mu_law { Samples::MuLaw } else { Samples::Linear };
        let mut first_rate = None;
        let mut recordings = Vec::new();
        for Content { path, bytes } in files {
            let fail = |error: SetError| ExamplesError::Set { path: path.clone(), error };
            let (symbols, rate) = set::sound_of(bytes, samples, &LIMITS).map_err(fail)?;
            let first = *first_rate.get_or_insert(rate);
            if rate != first {
                let text = format!("it has {rate} samples a second, those before {first}: train on one rate");
                return Err(ExamplesError::unfit(path, text));
            }
            if symbols.windows(2).all(|pair| pair[0] == pair[1]) {
                warnings.push(format!("{}: left out: it is silent or too short", path.display()));
                continue;
            }
            let bytes: Vec<u8> = symbols.iter().flat_map(|s| s.to_le_bytes()).collect();
            recordings.push((*blake3::hash(&bytes).as_bytes(), symbols));
        }
        recordings.sort();
        let mut hasher = blake3::Hasher::new();
        for (hash, _) in &recordings {
            hasher.update(hash);
        }
        let (mut train, mut held_out) = (Tape::default(), Tape::default());
        let many = recordings.len() >= HELD_OUT;
        let mut apart = recordings.len() / HELD_OUT;
        while many && apart < recordings.len() && recordings[apart].0 == recordings[apart - 1].0 {
            apart += 1;
        }
        for (number, (_, symbols)) in recordings.iter().enumerate() {
            let trained_on = match (many, number < apart) {
                (true, true) => 0,
                (true, false) => symbols.len(),
                (false, _) => symbols.len() - symbols.len() / TENTH,
            };
            train.add(&symbols[..trained_on]);
            held_out.add(&symbols[trained_on..]);
        }
        let window = train.symbols.len().min(reading.window.min(SEGMENT) as usize);
        let Some(rate) = first_rate.filter(|_| window >= 2) else {
            return Err(ExamplesError::unfit(
                &files[0].path,
                "there is no sound to train on: it is silent or too short",
            ));
        };
        Ok(Self { train, held_out, rate, samples, window, fingerprint: short(&hasher) })
    }

    pub fn domain(&self) -> Domain {
        Domain::Sound { segment: SEGMENT, rate: self.rate, samples: self.samples }
    }
    pub fn fingerprint(&self) -> [u8; 16] {
        self.fingerprint
    }
    pub fn windows(&self) -> u64 {
        (self.train.symbols.len() / self.window) as u64
    }
    pub fn words(&self) -> [String; 3] {
        let of = |tape: &Tape| format!("{} samples of {} recordings", tape.symbols.len(), tape.starts.len());
        [of(&self.train), of(&self.held_out), format!("windows of {} samples", self.window)]
    }

    /// Windows around places anywhere. What would begin before a recording does begins with it: beginnings, which the network
    /// must code without knowing anything, are seen often.
    pub fn sample(&self, n: usize, seed: u64, step: u64) -> Batch {
        let mut random = Random::new(&[seed, step, 5]);
        let all = self.train.symbols.len();
        let window = || {
            let place = random.below(all as u64) as usize;
            let start = place.saturating_sub(self.window / 2).max(self.train.start(place)).min(all - self.window);
            start..start + self.window
        };
        self.train.batch(std::iter::repeat_with(window).take(n))
    }

    pub fn held_out(&self, most: usize) -> Batch {
        self.held_out.batch(self.held_out.windows(self.window, most))
    }

    /// Whole segments, as they are coded.
    pub fn spread(&self, symbols: usize) -> Batch {
        let segment = self.train.symbols.len().min(SEGMENT as usize);
        self.train.batch(self.train.windows(segment, (symbols / segment).max(1)))
    }
}
