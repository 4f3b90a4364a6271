//! Files of plain samples, whatever their header: the samples, and what stands before and after them.
//!
//! What must stay true: a header may lie about every length, so each is compared with what is there; a file is read from its
//! front to its end, so that a long one never has to be in memory.
//!
//! Recipe of all but WAV files, version 1: the order of bytes ([`Order`], a byte), what stands before the samples (length,
//! bytes), and what stands after them (length, bytes).

use super::making::Making;
use super::{AudioError, Frames, Pcm, SampleFormat, aiff, raw, riff, wav};
use crate::media::{Content, Limits, MediaError, Medium, Options, Outcome, Sink, Split, checked, emit};
use crate::wire::{Reader, Writer};
use std::ops::Range;

/// How the bytes of samples stand in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// As [`SampleFormat`] says.
    Plain = 0,
    /// The other way: highest byte first; samples of 8 bits are signed.
    Turned = 1,
}

impl Order {
    /// From the one to the other, both ways.
    pub fn turn(self, format: SampleFormat, bytes: &mut [u8]) {
        match (self, format) {
            (Self::Plain, _) => {}
            (Self::Turned, SampleFormat::U8) => bytes.iter_mut().for_each(|byte| *byte ^= 0x80),
            (Self::Turned, _) => bytes.chunks_exact_mut(format.bytes()).for_each(<[u8]>::reverse),
        }
    }
}

/// What the beginning of a file says about its samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// What they are.
    pub frames: Frames,
    /// How their bytes stand.
    pub order: Order,
    /// Where they begin.
    pub start: usize,
    /// How many bytes they take, as the file says; `None`: all that follow. There may be fewer.
    pub length: Option<u64>,
}

impl Found {
    /// Where they are in a file of so many bytes: whole frames, and none beyond its end.
    pub fn data(&self, file: usize) -> Range<usize> {
        let left = file.saturating_sub(self.start);
        let length = self.length.map_or(left, |n| n.min(left as u64) as usize);
        self.start..self.start + (length - length % self.frames.bytes())
    }
}

/// Why samples were not found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoLayout {
    /// It is no file of the kind.
    Other,
    /// It is one, of a kind that is not taken apart; what the file does or lacks.
    Because(String),
}

/// What stands around samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Around {
    /// Everything before them.
    pub before: Vec<u8>,
    /// Everything after them.
    pub after: Vec<u8>,
    /// How their bytes stand.
    pub order: Order,
}

/// The kind of a file that begins so, and what it says about its samples; `None` if it is no such file, or of a kind that is not taken apart.
pub fn find(head: &[u8], options: Options) -> Option<(Medium, Found)> {
    if let Some(raw) = options.raw {
        return Some((Medium::Raw, raw::find(raw)));
    }
    let wav = riff::find(head).ok().map(|(found, _)| (Medium::Wav, found));
    wav.or_else(|| aiff::find(head).ok().map(|found| (Medium::Aiff, found)))
}

/// The recipe for what stands around `length` bytes of samples.
pub fn recipe(medium: Medium, frames: &Frames, length: u64, around: &Around) -> Vec<u8> {
    let mut w = Writer::new();
    if medium == Medium::Wav {
        wav::write_recipe(frames, length, around, &mut w);
    } else {
        w.u8(around.order as u8);
        w.blob(&around.before);
        w.blob(&around.after);
    }
    w.finish()
}

/// What a recipe says stands around `length` bytes of samples.
pub fn around(medium: Medium, recipe: &[u8], frames: &Frames, length: u64) -> Result<Around, MediaError> {
    let mut r = Reader::new(recipe);
    let around = if medium == Medium::Wav {
        wav::read_recipe(frames, length, &mut r)?
    } else {
        let order = match r.at_most(1, "the order of bytes")? {
            0 => Order::Plain,
            _ => Order::Turned,
        };
        Around { before: r.blob()?.to_vec(), after: r.blob()?.to_vec(), order }
    };
    r.end()?;
    Ok(around)
}

/// Takes a file apart of which this was found.
pub(super) fn split(file: &[u8], medium: Medium, found: Found, limits: &Limits) -> Outcome {
    let data = found.data(file.len());
    if data.is_empty() || limits.check(data.len() as u64, "the samples").is_err() {
        return Outcome::opaque();
    }
    let (before, after) = (file[..data.start].to_vec(), file[data.end..].to_vec());
    let mut bytes = file[data].to_vec();
    found.order.turn(found.frames.format, &mut bytes);
    let around = Around { before, after, order: found.order };
    let recipe = recipe(medium, &found.frames, bytes.len() as u64, &around);
    let content = Content::Pcm(Pcm { frames: found.frames, bytes });
    let split = Split { medium, content, recipe, rebuilders: vec![], exact: true, note: None };
    checked(file, split, limits).map_or_else(|_| Outcome::opaque(), |s| Outcome::Split(Box::new(s)))
}

/// As [`split`], of what is or is not found; `name` is the format's.
pub(super) fn split_found(
    file: &[u8],
    medium: Medium,
    found: Result<Found, NoLayout>,
    name: &str,
    limits: &Limits,
) -> Outcome {
    match found {
        Ok(found) => split(file, medium, found, limits),
        Err(NoLayout::Other) => Outcome::opaque(),
        Err(NoLayout::Because(why)) => Outcome::because(format!("the {name} file {why}")),
    }
}

/// Puts a file together.
pub(super) fn join(medium: Medium, recipe: &[u8], content: &Content, sink: &mut Sink<'_>) -> Result<(), MediaError> {
    let Content::Pcm(pcm) = content else {
        return Err(MediaError::Inconsistent("it needs the samples of a recording"));
    };
    if !pcm.is_consistent() {
        return Err(MediaError::Inconsistent("the samples of a recording are no whole frames"));
    }
    let mut making = Making::new(medium, recipe, &pcm.frames, pcm.bytes.len() as u64)?;
    emit(sink, &making.before())?;
    making.feed(&pcm.bytes, &mut |bytes| emit(sink, bytes))?;
    emit(sink, making.after()?)
}

/// The samples of a file as integers.
pub(super) fn read(file: &[u8], found: Found, limits: &Limits) -> Result<super::Sound, AudioError> {
    let Found { frames, order, .. } = found;
    if !frames.format.is_integer() {
        return Err(AudioError::Unsupported("has floating-point samples".to_owned()));
    }
    let data = found.data(file.len());
    limits.check((data.len() / frames.format.bytes()) as u64 * 4, "the samples").map_err(AudioError::TooLarge)?;
    let mut bytes = file[data].to_vec();
    order.turn(frames.format, &mut bytes);
    let (bits, samples) = (frames.format.bytes() as u8 * 8, frames.format.integers(&bytes));
    Ok(super::Sound { channels: frames.channels.into(), bits, rate: frames.rate, samples })
}
