//! Pictures for training: files to one packed file, and windows out of it.
//!
//! Decoded once with all threads, packed into one file that is mapped into memory, and split by what the pictures show into
//! those that are trained on and those that are held out to see how training goes.
//!
//! What must stay true: which pictures are held out, and every batch, depend on what the pictures show alone, not on names,
//! folders, threads or the time.

mod augment;
mod decode;
mod files;
mod map;
mod pack;
mod random;
mod set;
mod soften;
#[cfg(test)]
mod tests;
mod view;

pub use augment::Augment;
pub use decode::{MAX_PIXELS, MIN_SIDE};
pub(super) use files::{folder_name, walk};
pub use random::Random;
pub use set::Set;

use super::beside;
use pack::Index;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;

/// Windows and the pixels that they lead to; samples are values 0 to 255.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Number of windows.
    pub count: usize,
    /// `[count][3 * offsets]`: channel after channel in coding order (green, red, blue), as `Op::Neighbours` yields them.
    pub window: Vec<u8>,
    /// `[count][3]`, coding order.
    pub pixel: Vec<u8>,
}

/// Why there is nothing to train on.
#[derive(Debug, Error)]
pub enum DataError {
    /// No path was given.
    #[error("no folder with training pictures was given")]
    Nothing,
    /// A path cannot be read.
    #[error("{}: cannot be read: {error}", path.display())]
    Read {
        /// The path.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A path without a usable picture.
    #[error(
        "{}: no usable pictures ({reason}); name a folder with photographs of at least 16 x 16 pixels, as PNG, PPM, BMP, \
         TIFF, lossless WebP or, if there are no others, JPEG files",
        path.display()
    )]
    NoPictures {
        /// The path.
        path: PathBuf,
        /// What was found instead.
        reason: String,
    },
    /// The packed pictures cannot be written or read back.
    #[error(
        "{}: the unpacked pictures cannot be kept there: {error}; choose another place, with about 4.2 bytes a pixel free",
        path.display()
    )]
    Pack {
        /// The pack.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

impl DataError {
    fn read(path: &Path, error: io::Error) -> Self {
        Self::Read { path: path.to_owned(), error }
    }
}

/// A file that the pictures came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The given folder's name and the way from there.
    pub name: String,
    /// BLAKE3 of its bytes, in hexadecimal (what `b3sum` prints).
    pub hash: String,
    /// Whether its picture is held out.
    pub held_out: bool,
}

/// One in so many pictures is held out.
const HELD_OUT: usize = 20;

/// The pictures of a training.
#[derive(Debug)]
pub struct Corpus {
    train: Set,
    held_out: Set,
    fingerprint: [u8; 16],
    folders: Vec<String>,
    files: Vec<File>,
    warnings: Vec<String>,
    reused: bool,
}

impl Corpus {
    /// Opens the pictures in files and folders (with the folders below). `pack` is where the unpacked samples are kept:
    /// about 4.2 bytes a pixel; it is made, or used again if it was made from the same files (paths, sizes, times).
    /// `progress` is told files done and files in all.
    ///
    /// # Errors
    /// A path that cannot be read or holds no usable picture; a pack that cannot be written.
    pub fn open(paths: &[PathBuf], pack: &Path, progress: &dyn Fn(u64, u64)) -> Result<Self, DataError> {
        if paths.is_empty() {
            return Err(DataError::Nothing);
        }
        let found = files::walk(paths)?;
        // The pack may lie in one of the folders.
        let own = std::fs::canonicalize(pack).ok();
        let is_own = |f: &files::Found| own.is_some() && std::fs::canonicalize(&f.path).ok() == own;
        let found: Vec<_> = found.into_iter().filter(|f| !is_own(f)).collect();
        let (index, map, reused) = pack::open(paths, &found, pack, progress)?;
        let folders = paths.iter().map(|path| files::folder_name(path)).collect();
        Ok(Self::new(index, map, folders, reused))
    }

    fn new(index: Index, map: map::Map, folders: Vec<String>, reused: bool) -> Self {
        let mut order: Vec<usize> = (0..index.pictures.len()).collect();
        order.sort_by_key(|i| index.pictures[*i].content);
        let held_out = match order.len() {
            0 | 1 => 0,
            n => ((n + HELD_OUT / 2) / HELD_OUT).max(1),
        };
        let mut hasher = blake3::Hasher::new();
        hasher.update(&(held_out as u64).to_le_bytes());
        order.iter().for_each(|i| {
            hasher.update(&index.pictures[*i].content);
        });
        let fingerprint = *hasher.finalize().as_bytes().first_chunk().expect("a hash is longer");
        let map = Arc::new(map);
        let set = |order: &[usize]| {
            let pictures: Vec<_> = order.iter().map(|i| index.pictures[*i].clone()).collect();
            Set::new(Arc::clone(&map), &pictures)
        };
        let (out, rest) = order.split_at(held_out);
        let file = |used: &pack::Used| File {
            name: used.name.clone(),
            hash: blake3::Hash::from_bytes(used.hash).to_hex().to_string(),
            held_out: out.contains(&used.picture),
        };
        let files = index.files.iter().map(file).collect();
        let warnings = warnings(&index);
        Self { train: set(rest), held_out: set(out), fingerprint, folders, files, warnings, reused }
    }

    /// What is trained on.
    pub fn train(&self) -> &Set {
        &self.train
    }

    /// What is not trained on: one picture in twenty, at least one; none if there is only one picture.
    pub fn held_out(&self) -> &Set {
        &self.held_out
    }

    /// A hash of what all the pictures show and which are held out.
    pub fn fingerprint(&self) -> [u8; 16] {
        self.fingerprint
    }

    /// Names of the given folders and files.
    pub fn folders(&self) -> &[String] {
        &self.folders
    }

    /// The files that were used.
    pub fn files(&self) -> &[File] {
        &self.files
    }

    /// What the user should know: files that were skipped and why, pictures that are worth less than they could be.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Whether the pack was there already.
    pub fn reused(&self) -> bool {
        self.reused
    }
}

fn warnings(index: &Index) -> Vec<String> {
    let mut all: Vec<String> = index.skipped.iter().map(|s| format!("{}: skipped: it {}", s.path, s.why)).collect();
    let (files, pictures) = (index.files.len(), index.pictures.len());
    let lossy = index.files.iter().filter(|file| file.lossy).count();
    if lossy > 0 {
        all.push(format!(
            "{lossy} of {files} pictures are JPEGs or lossy WebP: the network learns their grid of blocks, too, and codes \
             other pictures worse; better are lossless files, or JPEGs made smaller 3 times or more"
        ));
    }
    if files > pictures {
        all.push(format!(
            "{} of {files} files show a picture that another one shows, too: each is used once",
            files - pictures
        ));
    }
    if pictures == 1 {
        all.push("there is one picture only: none is held out to see how well the network does on others".to_owned());
    }
    all
}
