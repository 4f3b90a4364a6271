//! Examples of one size for training: pictures of small formats, and texts and sound in windows.
//!
//! What must stay true: which examples are held out, and every batch, depend on what the examples show, the seed and the
//! step alone, not on names, folders, threads or the time.

mod draws;
mod files;
mod mutate;
mod pictures;
mod sound;
#[cfg(test)]
mod tests;
mod text;

pub use draws::Draws;

use super::data::File;
use super::grid::Batch;
use crate::media::Limits;
use crate::media::set::SetError;
use crate::spec::Domain;
use files::Contents;
use mutate::Mutation;
use pictures::Pictures;
use serde::{Deserialize, Serialize};
use sound::Sound;
use std::io;
use std::path::{Path, PathBuf};
use text::Text;
use thiserror::Error;

/// How files become examples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Width and height of a tile, if a file of pictures is a sheet of tiles.
    pub tile: Option<(u32, u32)>,
    /// How gray pictures become binary, if they shall.
    pub binarize: Option<Binarize>,
    /// Characters of a text, or samples of sound, that a step sees in a row.
    pub window: u32,
    /// Whether samples of sound become codes of 8-bit mu-law.
    pub mu_law: bool,
    /// The probability with which each symbol is replaced by one drawn evenly from all; 0 for examples as they are.
    pub mutate: f64,
}

/// How a gray pixel becomes 0 or 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Binarize {
    /// 1 with probability gray / 255, drawn again each time that a step sees it; held out, drawn once.
    Sample,
    /// 1 above 127.
    Threshold,
}

/// Why there is nothing to train on.
#[derive(Debug, Error)]
pub enum ExamplesError {
    /// A path cannot be read.
    #[error("{}: cannot be read: {error}", path.display())]
    Read {
        /// The path.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file that is no set of examples.
    #[error("{}: {error}", path.display())]
    Set {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: SetError,
    },
    /// The files do not go together, or are not enough.
    #[error("{}: {what}", path.display())]
    Unfit {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong, and what to do.
        what: String,
    },
}

impl ExamplesError {
    fn unfit(path: &Path, what: impl Into<String>) -> Self {
        Self::Unfit { path: path.to_owned(), what: what.into() }
    }
}

/// What there is to train on.
#[derive(Debug)]
pub struct Examples {
    domain: Domain,
    kind: Kind,
    mutation: Mutation,
    fingerprint: [u8; 16],
    files: Vec<File>,
    folders: Vec<String>,
    warnings: Vec<String>,
}

#[derive(Debug)]
enum Kind {
    Pictures(Pictures),
    Text(Text),
    Sound(Sound),
}

/// Examples that validate at most.
const VALIDATION: usize = 2000;
/// Bytes of a file, unpacked.
const LIMITS: Limits = Limits { max_bytes: 1 << 32 };

impl Examples {
    /// Reads files, and folders with what is below them; `labels` is an IDX file, or a text, with the class of each picture,
    /// in the order of the pictures.
    ///
    /// # Errors
    /// What cannot be read, holds no examples, or does not go together.
    pub fn open(paths: &[PathBuf], labels: Option<&Path>, reading: &Reading) -> Result<Self, ExamplesError> {
        let Contents { files: contents, kind, names: files, mut warnings } = files::read(paths)?;
        let (domain, kind) = match kind {
            files::Kind::Text => {
                let text = Text::new(&contents, reading.window)?;
                (text.domain(), Kind::Text(text))
            }
            files::Kind::Sound => {
                let sound = Sound::new(&contents, reading, &mut warnings)?;
                (sound.domain(), Kind::Sound(sound))
            }
            files::Kind::Pictures => {
                let (domain, pictures) = Pictures::new(&contents, labels, reading)?;
                (domain, Kind::Pictures(pictures))
            }
        };
        let fingerprint = match &kind {
            Kind::Pictures(pictures) => pictures.fingerprint(),
            Kind::Text(text) => text.fingerprint(),
            Kind::Sound(sound) => sound.fingerprint(),
        };
        let folders = paths.iter().map(|path| super::data::folder_name(path)).collect();
        let mutation = Mutation::new(reading.mutate, &domain).map_err(|what| ExamplesError::unfit(&paths[0], what))?;
        Ok(Self { domain, kind, mutation, fingerprint, files, folders, warnings })
    }

    /// What the network will be for.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// Examples that are trained on: pictures, or windows of text or sound that do not overlap.
    pub fn train(&self) -> u64 {
        match &self.kind {
            Kind::Pictures(pictures) => pictures.train() as u64,
            Kind::Text(text) => text.windows(),
            Kind::Sound(sound) => sound.windows(),
        }
    }

    /// In words: what is trained on, what is held out, and what an example is.
    pub fn words(&self) -> [String; 3] {
        match &self.kind {
            Kind::Pictures(pictures) => pictures.words(),
            Kind::Text(text) => text.words(),
            Kind::Sound(sound) => sound.words(),
        }
    }

    /// Number of classes that the labels name; 0 without labels.
    pub fn classes(&self) -> u32 {
        match &self.kind {
            Kind::Pictures(pictures) => pictures.classes(),
            Kind::Text(_) | Kind::Sound(_) => 0,
        }
    }

    /// The examples of a batch of a training with a seed; see the module's rule.
    pub fn sample(&self, n: usize, seed: u64, step: u64) -> Batch {
        let batch = match &self.kind {
            Kind::Pictures(pictures) => pictures.sample(n, seed, step),
            Kind::Text(text) => text.sample(n, seed, step),
            Kind::Sound(sound) => sound.sample(n, seed, step),
        };
        self.mutation.of(batch, &[seed, step, 4])
    }

    /// Examples that are not trained on, the same at each call. None if there are too few.
    pub fn held_out(&self) -> Batch {
        let batch = match &self.kind {
            Kind::Pictures(pictures) => pictures.held_out(VALIDATION),
            Kind::Text(text) => text.held_out(VALIDATION),
            Kind::Sound(sound) => sound.held_out(VALIDATION),
        };
        self.mutation.of(batch, &[5])
    }

    /// Examples that are trained on, spread over them, with so many symbols in all, but at least one.
    pub fn spread(&self, symbols: usize) -> Batch {
        let most = |each: usize| (symbols / each.max(1)).max(1);
        let batch = match &self.kind {
            Kind::Pictures(pictures) => pictures.spread(most(pictures.each())),
            Kind::Text(text) => text.spread(most(text::SEGMENT as usize)),
            Kind::Sound(sound) => sound.spread(symbols),
        };
        self.mutation.of(batch, &[6])
    }

    /// A hash of all examples and of which are held out.
    pub fn fingerprint(&self) -> [u8; 16] {
        self.fingerprint
    }
    /// The files.
    pub fn files(&self) -> &[File] {
        &self.files
    }
    /// What was passed over.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
    /// Names of the given files and folders.
    pub fn folders(&self) -> &[String] {
        &self.folders
    }
}

/// The first half of a hash.
fn short(hasher: &blake3::Hasher) -> [u8; 16] {
    *hasher.finalize().as_bytes().first_chunk().expect("a hash is longer")
}
