//! Pictures of one size.
//!
//! What must stay true: pictures that show the same are all trained on or all held out, unless they are so small that the same
//! come again by chance.

use super::draws::drawn;
use super::files::{Content, labels as labels_of};
use super::{Binarize, ExamplesError, LIMITS, Reading, short};
use crate::media::set::{self, SetError};
use crate::spec::Domain;
use crate::train::data::Random;
use crate::train::grid::Batch;
use std::collections::HashMap;
use std::path::Path;

/// One in so many pictures is held out, but not more than [`super::VALIDATION`].
const HELD_OUT: usize = 20;

/// Pictures of so few samples come again by chance: the second time counts as another picture.
const FEW: usize = 4;

/// Pictures, and which of them are held out.
#[derive(Debug)]
pub struct Pictures {
    /// Samples of all pictures, one after the other.
    samples: Vec<u8>,
    /// Samples of a picture.
    each: usize,
    /// Class of each picture, or none.
    labels: Vec<u8>,
    binarize: Option<Binarize>,
    /// Numbers of the pictures by hash: those held out, then the others.
    order: Vec<u32>,
    held_out: usize,
    fingerprint: [u8; 16],
    shape: String,
}

impl Pictures {
    pub fn new(files: &[Content], labels: Option<&Path>, reading: &Reading) -> Result<(Domain, Self), ExamplesError> {
        let fail = |path: &Path, error: SetError| ExamplesError::Set { path: path.to_owned(), error };
        let mut domain = None;
        for Content { path, bytes } in files {
            let own = set::pictures_of(bytes, reading.tile, &LIMITS).map_err(|e| fail(path, e))?;
            domain = Some(match domain {
                None => own,
                Some(first) => together(first, own).map_err(|what| ExamplesError::unfit(path, what))?,
            });
        }
        let Some(Domain::Pictures { channels, height, width, alphabet }) = domain else {
            unreachable!("there is a file, and pictures_of speaks of pictures");
        };
        let own = Domain::Pictures { channels, height, width, alphabet };
        let each = own.symbols().expect("it has a size") as usize;
        let mut samples = Vec::new();
        for Content { path, bytes } in files {
            let set = set::examples(bytes, &own, &LIMITS).map_err(|e| fail(path, e))?;
            samples.extend(set.symbols().iter().map(|s| *s as u8));
        }
        let path = &files[0].path;
        let count = samples.len() / each.max(1);
        if count == 0 {
            return Err(ExamplesError::unfit(path, "it holds no pictures"));
        }
        if alphabet == 2 && reading.binarize.is_some() {
            samples.iter_mut().for_each(|s| *s *= 255);
        }
        let labels = match labels {
            None => Vec::new(),
            Some(path) => {
                let labels = labels_of(path)?;
                if labels.len() != count {
                    let what = format!("it has {} labels, and there are {count} pictures", labels.len());
                    return Err(ExamplesError::unfit(path, what));
                }
                labels
            }
        };
        let (order, held_out, fingerprint) = split(&samples, each, &labels);
        let alphabet = if reading.binarize.is_some() { 2 } else { alphabet };
        let shape = match channels {
            1 => format!("{width} x {height}"),
            n => format!("{width} x {height} x {n}"),
        };
        let binarize = reading.binarize;
        let domain = Domain::Pictures { channels, height, width, alphabet };
        Ok((domain, Self { samples, each, labels, binarize, order, held_out, fingerprint, shape }))
    }

    pub fn fingerprint(&self) -> [u8; 16] {
        self.fingerprint
    }
    /// Samples of a picture.
    pub fn each(&self) -> usize {
        self.each
    }
    pub fn train(&self) -> usize {
        self.order.len() - self.held_out
    }
    pub fn classes(&self) -> u32 {
        self.labels.iter().max().map_or(0, |last| u32::from(*last) + 1)
    }
    pub fn words(&self) -> [String; 3] {
        let of = |n: usize| format!("{n} pictures of {}", self.shape);
        [of(self.train()), of(self.held_out), "pictures".to_owned()]
    }

    pub fn sample(&self, n: usize, seed: u64, step: u64) -> Batch {
        let first = step * n as u64;
        let number = |i: u64| self.order[self.held_out + drawn(first + i, self.train() as u64, seed) as usize];
        self.batch((0..n as u64).map(number), |i, _| Random::new(&[seed, first + i, 3]))
    }

    pub fn held_out(&self, most: usize) -> Batch {
        self.fixed(&self.order[..self.held_out], most)
    }

    pub fn spread(&self, most: usize) -> Batch {
        self.fixed(&self.order[self.held_out..], most)
    }

    /// At most so many of these, each drawn as ever.
    fn fixed(&self, order: &[u32], most: usize) -> Batch {
        let count = order.len().min(most);
        let numbers = (0..count).map(|i| order[i * order.len() / count]);
        self.batch(numbers, |_, samples| {
            let hash = blake3::hash(samples);
            let key = hash.as_bytes().first_chunk().expect("a hash is longer");
            Random::new(&[u64::from_le_bytes(*key)])
        })
    }

    fn batch(&self, numbers: impl Iterator<Item = u32>, random: impl Fn(u64, &[u8]) -> Random) -> Batch {
        let mut batch = Batch { count: 0, symbols: Vec::new(), classes: Vec::new() };
        for (i, number) in numbers.enumerate() {
            let number = number as usize;
            let samples = &self.samples[number * self.each..][..self.each];
            let mut random = random(i as u64, samples);
            batch.symbols.extend(samples.iter().map(|s| match (self.binarize, s) {
                (None, s) => u16::from(*s),
                (Some(Binarize::Threshold), s) => u16::from(*s > 127),
                (Some(Binarize::Sample), 0) => 0,
                (Some(Binarize::Sample), s) => u16::from(random.below(255) < u64::from(*s)),
            }));
            batch.classes.extend(self.labels.get(number).map(|l| u16::from(*l)));
            batch.count += 1;
        }
        batch
    }
}

/// A domain that holds both.
fn together(a: Domain, b: Domain) -> Result<Domain, String> {
    let say = |d: &Domain| match d {
        Domain::Pictures { channels, height, width, .. } => format!("{width} x {height} x {channels}"),
        _ => String::new(),
    };
    match (&a, &b) {
        (
            Domain::Pictures { channels, height, width, alphabet },
            Domain::Pictures { channels: c, height: h, width: w, alphabet: other },
        ) if (channels, height, width) == (c, h, w) => {
            let alphabet = *alphabet.max(other);
            Ok(Domain::Pictures { channels: *c, height: *h, width: *w, alphabet })
        }
        _ => Err(format!(
            "its pictures are {}, those before {} (width x height x channels): a network is trained on pictures of one size",
            say(&b),
            say(&a)
        )),
    }
}

/// Numbers of the pictures by the hash of what they show; how many of them, from the first, are held out; a hash of all.
fn split(samples: &[u8], each: usize, labels: &[u8]) -> (Vec<u32>, usize, [u8; 16]) {
    let mut hashes: Vec<_> = samples.chunks_exact(each).map(|picture| *blake3::hash(picture).as_bytes()).collect();
    if each <= FEW {
        let mut seen: HashMap<[u8; 32], u64> = HashMap::new();
        for hash in &mut hashes {
            let times = seen.entry(*hash).or_default();
            *times += 1;
            *hash = *blake3::Hasher::new().update(hash).update(&times.to_le_bytes()).finalize().as_bytes();
        }
    }
    let mut order: Vec<u32> = (0..hashes.len() as u32).collect();
    order.sort_by_key(|i| (hashes[*i as usize], *i));
    let hash = |place: usize| &hashes[order[place] as usize];
    let mut held_out = match order.len() {
        0..4 => 0,
        n => ((n + HELD_OUT / 2) / HELD_OUT).clamp(1, super::VALIDATION),
    };
    while held_out > 0 && held_out < order.len() && hash(held_out) == hash(held_out - 1) {
        held_out += 1;
    }
    if held_out == order.len() {
        held_out = 0;
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(held_out as u64).to_le_bytes());
    for i in &order {
        hasher.update(&hashes[*i as usize]);
        hasher.update(labels.get(*i as usize).map(std::slice::from_ref).unwrap_or_default());
    }
    (order, held_out, short(&hasher))
}
