//! Sets of examples: files that hold many units of what a network is for, taken apart and put together again.
//!
//! What must stay true: [`join`] of what [`split`] made is the file, byte for byte, which `split` tries before it reports
//! success; the symbols of an example are in the order of the data (row, column, channel; or character after character).
//!
//! Pictures lie in IDX files (<http://yann.lecun.com/exdb/mnist>: sizes in big-endian, then bytes), in a PNG, BMP, PGM, PPM
//! or PBM of the network's size, or side by side in one whose sides are multiples of it (a sprite sheet: tile after tile, row
//! by row). Any file is a text. Sound is a WAV file of one channel and 8 or 16 bits. Each of them may be gzipped.
//!
//! Recipe, version 1: how the file is gzipped (0: not), its form, and what that form needs; see the modules.

mod array;
pub mod array_file;
mod error;
mod guess;
mod gzip;
mod idx;
mod pictures;
mod sound;
mod text;

pub use array::{Array, sampled, thresholded};
pub use error::SetError;
pub use guess::{pictures_of, sound_of, text_of};
pub use gzip::unzipped;
pub use idx::{Idx, labels};
pub use sound::amplitudes;

use super::{Limits, MediaError, Rebuilder, Sink};
use crate::spec::Domain;
use crate::wire::{Reader, Writer};
use pictures::Pictures;
use sound::Wave;
use std::ops::ControlFlow;

/// Number of the medium in streams; no entry of [`FORMATS`](super::FORMATS) has it.
pub const MEDIUM: u8 = 4;
/// What messages call it.
pub const NAME: &str = "set";
/// Version of the recipes.
pub const VERSION: u32 = 1;

/// The examples of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    symbols: Vec<u16>,
    size: usize,
}

impl Set {
    /// Examples of `size` symbols each, of which the last may have fewer.
    ///
    /// # Panics
    /// If `size` is 0.
    pub fn new(symbols: Vec<u16>, size: usize) -> Self {
        assert!(size > 0, "examples have symbols");
        Self { symbols, size }
    }
    /// Number of examples.
    pub fn len(&self) -> usize {
        self.symbols.len().div_ceil(self.size)
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.symbols.is_empty()
    }
    /// Symbols of a whole example.
    pub fn size(&self) -> usize {
        self.size
    }
    /// The symbols of all examples, one after the other.
    pub fn symbols(&self) -> &[u16] {
        &self.symbols
    }
    /// The symbols of an example.
    ///
    /// # Panics
    /// If there is no such example.
    pub fn example(&self, number: usize) -> &[u16] {
        let start = number * self.size;
        &self.symbols[start..self.symbols.len().min(start + self.size)]
    }
    /// All examples in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u16]> {
        self.symbols.chunks(self.size)
    }
}

/// The name of an example: `file#17`, counted from 0, or the file's own name if it holds one example alone.
pub fn item_name(file: &str, number: usize, count: usize) -> String {
    if count == 1 { file.to_owned() } else { format!("{file}#{number}") }
}

/// A file taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// What a network codes.
    pub set: Set,
    /// Everything else.
    pub recipe: Vec<u8>,
    /// What [`join`] will run, by name and version.
    pub rebuilders: Vec<Rebuilder>,
}

/// The examples of a file, for whoever needs not restore it.
///
/// # Errors
/// A file that is damaged, over the limit, or holds other data than the domain says.
pub fn examples(file: &[u8], domain: &Domain, limits: &Limits) -> Result<Set, SetError> {
    Ok(read(&unzipped(file, limits)?, domain, limits)?.0)
}

/// Takes a file apart so that it can be restored.
///
/// # Errors
/// As [`examples`]; and a gzipped file whose deflate data cannot be made again for few bytes.
pub fn split(file: &[u8], domain: &Domain, limits: &Limits) -> Result<Split, SetError> {
    let inner = unzipped(file, limits)?;
    let (set, form) = read(&inner, domain, limits)?;
    let form = form?;
    for wrapper in gzip::wrappers(file, &inner) {
        let mut w = Writer::new();
        wrapper.write(&mut w);
        form.write(&mut w);
        let mut rebuilders: Vec<_> = wrapper.rebuilder().into_iter().chain(form.rebuilders()).collect();
        rebuilders.sort_by_key(|r| r.name);
        rebuilders.dedup();
        let recipe = w.finish();
        if joins_to(file, &recipe, set.symbols(), domain, limits) {
            return Ok(Split { set, recipe, rebuilders });
        }
    }
    Err(SetError::Deflate)
}

/// Puts a file together from its recipe and its symbols. Both may come from anywhere: what does not fit is an error.
///
/// # Errors
/// A recipe that is damaged or belongs to other symbols; a file over the limit; a sink that stops.
pub fn join(
    recipe: &[u8],
    symbols: &[u16],
    domain: &Domain,
    limits: &Limits,
    sink: &mut Sink<'_>,
) -> Result<(), MediaError> {
    let mut r = Reader::new(recipe);
    let wrapper = gzip::Wrapper::read(&mut r)?;
    let form = Form::read(&mut r)?;
    r.end()?;
    let (mut total, mut over) = (0u64, None);
    let mut counted = |bytes: &[u8]| {
        total += bytes.len() as u64;
        match limits.check(total, "the joined file") {
            Ok(_) => sink(bytes),
            Err(error) => {
                over = Some(error);
                ControlFlow::Break(())
            }
        }
    };
    let result = wrapper.join(limits, &mut counted, |sink| form.join(symbols, domain, limits, sink));
    over.map_or(result, Err)
}

/// Whether joining gives `file`.
fn joins_to(file: &[u8], recipe: &[u8], symbols: &[u16], domain: &Domain, limits: &Limits) -> bool {
    let mut rest = file;
    let mut compare = |bytes: &[u8]| match rest.strip_prefix(bytes) {
        Some(tail) => {
            rest = tail;
            ControlFlow::Continue(())
        }
        None => ControlFlow::Break(()),
    };
    join(recipe, symbols, domain, limits, &mut compare).is_ok() && rest.is_empty()
}

/// What a file needs besides its symbols, without its gzip.
enum Form {
    Pictures(Pictures),
    /// The bytes that are no characters of the domain, in order.
    Text(Vec<u8>),
    Sound(Wave),
}

const PICTURES: u8 = 0;
const TEXT: u8 = 1;
const SOUND: u8 = 2;

impl Form {
    fn write(&self, w: &mut Writer) {
        match self {
            Self::Pictures(pictures) => {
                w.u8(PICTURES);
                pictures.write(w);
            }
            Self::Text(others) => {
                w.u8(TEXT);
                w.blob(others);
            }
            Self::Sound(wave) => {
                w.u8(SOUND);
                wave.write(w);
            }
        }
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, MediaError> {
        match r.u8()? {
            PICTURES => Ok(Self::Pictures(Pictures::read(r)?)),
            TEXT => Ok(Self::Text(r.blob()?.to_vec())),
            SOUND => Ok(Self::Sound(Wave::read(r)?)),
            _ => Err(MediaError::Inconsistent("an unknown form of a set")),
        }
    }

    fn rebuilders(&self) -> Vec<Rebuilder> {
        match self {
            Self::Pictures(pictures) => pictures.rebuilders().to_vec(),
            Self::Text(_) | Self::Sound(_) => Vec::new(),
        }
    }

    fn join(&self, symbols: &[u16], domain: &Domain, limits: &Limits, sink: &mut Sink<'_>) -> Result<(), MediaError> {
        match (self, domain) {
            (Self::Pictures(pictures), Domain::Pictures { height, width, alphabet, .. }) => {
                pictures.join(symbols, [*height, *width], *alphabet, limits, sink)
            }
            (Self::Text(others), Domain::Text { characters, .. }) => text::join(others, symbols, characters, sink),
            (Self::Sound(wave), Domain::Sound { samples, .. }) => wave.join(symbols, *samples, sink),
            _ => Err(MediaError::Inconsistent("the recipe is for other data than the network")),
        }
    }
}

/// The examples of a file that is not gzipped, and what else it holds, or why it cannot be restored from them.
type Contents = (Set, Result<Form, SetError>);

fn read(file: &[u8], domain: &Domain, limits: &Limits) -> Result<Contents, SetError> {
    let size =
        domain.symbols().and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0).ok_or(SetError::Photographs)?;
    match domain {
        Domain::Photographs => Err(SetError::Photographs),
        Domain::Sound { samples, .. } => {
            let (symbols, wave) = sound::read(file, *samples, limits)?;
            Ok((Set::new(symbols, size), wave.map(Form::Sound)))
        }
        Domain::Pictures { .. } => {
            let (symbols, pictures) = pictures::read(file, domain, limits)?;
            Ok((Set::new(symbols, size), Ok(Form::Pictures(pictures))))
        }
        Domain::Text { characters, .. } => {
            let (symbols, others) = text::read(file, characters);
            Ok((Set::new(symbols, size), Ok(Form::Text(others))))
        }
    }
}

#[cfg(test)]
mod tests;
