//! FLAC files as samples and what makes the same file of them again.
//!
//! What must stay true: a file is only taken apart as far as its frames are written again byte for byte; a recipe from
//! anywhere makes at most one frame for each frame of samples, and none longer than frames are.
//!
//! Recipe, version 1: bits of a sample (a byte), the finest partition (a byte, its logarithm); what stands before the frames
//! (length, bytes), but for zeros at its end, and how many those are (uint); the code of the decisions (length, bytes); and
//! what stands after the frames (length, bytes).

use super::bits::{self, TooLong};
use super::decisions::{MOST_ORDER, Model};
use super::frame::{self, Form, Frame, Head, Making, apart, coded_bits, is_reasonable};
use super::subframe::{Kind, Subframe};
use crate::entropy::{Damaged, Decoder, Encoder};
use crate::media::audio::{Frames, MAX_CHANNELS, Pcm, SampleFormat, file};
use crate::media::{Content, Format, Limits, MediaError, Medium, Outcome, Rebuilder, Split, checked};
use crate::wire::{Reader, Writer};

/// The format's entry in the registry.
pub const FORMAT: Format = Format {
    medium: Medium::Flac,
    name: "FLAC",
    version: 1,
    sniff,
    split,
    join: |recipe, content, _, sink| file::join(Medium::Flac, recipe, content, sink),
};

/// What expects decisions, by name and version.
pub const REBUILDER: Rebuilder = Rebuilder { name: "flac", version: "1" };

/// Zeros before the frames that are not written in the recipe, at most.
const MOST_ZEROS: usize = 1 << 24;

/// What the beginning of a file says.
struct Start {
    form: Form,
    rate: u32,
    /// Where the frames begin.
    frames: usize,
}

/// Behind a tag of ID3, version 2, if there is one.
fn behind_tag(file: &[u8]) -> usize {
    match file.first_chunk::<10>() {
        Some([b'I', b'D', b'3', _, _, _, length @ ..]) if length.iter().all(|b| *b < 128) => {
            10 + length.iter().fold(0, |n, b| n << 7 | usize::from(*b))
        }
        _ => 0,
    }
}

fn sniff(file: &[u8]) -> bool {
    file.get(behind_tag(file)..).is_some_and(super::is_flac)
}

/// Reads what stands before the frames; `None` if it is cut short or not to be understood.
fn start(file: &[u8]) -> Option<Start> {
    let mut at = behind_tag(file) + 4;
    let info = file.get(at + 4..at + 38)?;
    if file[at] & 127 != 0 {
        return None;
    }
    let word = |from: usize| u32::from_be_bytes([info[from], info[from + 1], info[from + 2], info[from + 3]]);
    let form = Form { channels: (info[12] >> 1 & 7) + 1, bits: (word(10) >> 4 & 31) + 1 };
    let rate = word(10) >> 12;
    loop {
        let head = file.get(at..at + 4)?;
        at += 4 + (usize::from(head[1]) << 16 | usize::from(head[2]) << 8 | usize::from(head[3]));
        if head[0] & 128 != 0 {
            break;
        }
    }
    (at <= file.len() && form.bits >= 4).then_some(Start { form, rate, frames: at })
}

fn format(bits: u32) -> SampleFormat {
    match bits {
        ..=8 => SampleFormat::U8,
        9..=16 => SampleFormat::S16,
        17..=24 => SampleFormat::S24,
        _ => SampleFormat::S32,
    }
}

fn split(file: &[u8], _: crate::media::Options, limits: &Limits) -> Outcome {
    let Some(Start { form, rate, frames: before }) = start(file) else { return Outcome::opaque() };
    let frames = Frames { channels: form.channels, rate, format: format(form.bits) };
    let (mut list, mut bytes, mut at) = (Vec::new(), Vec::new(), before);
    while let Some((frame, samples, length)) = frame::read(&file[at..], form) {
        let more = (samples.len() * frames.format.bytes()) as u64;
        if limits.check(bytes.len() as u64 + more, "the samples").is_err() {
            return Outcome::because("its samples are more than the limit allows");
        }
        bytes.extend(frames.format.to_bytes(&samples));
        list.push(frame);
        at += length;
    }
    if list.is_empty() {
        return Outcome::because("this FLAC file has no frame that could be written again");
    }
    let Ok((most, code)) = decisions(&list, &frames, form, &bytes) else { return Outcome::opaque() };
    drop(list);
    let (head, tail) = (&file[..before], &file[at..]);
    let zeros = head.iter().rev().take_while(|b| **b == 0).count().min(MOST_ZEROS);
    let mut w = Writer::new();
    w.u8(form.bits as u8);
    w.u8(most as u8);
    w.blob(&head[..before - zeros]);
    w.uint(zeros as u64);
    w.blob(&code);
    w.blob(tail);
    let content = Content::Pcm(Pcm { frames, bytes });
    let note = (tail.len() > 1 << 16).then(|| format!("{} bytes behind its samples are no frames of FLAC", tail.len()));
    let (medium, rebuilders) = (Medium::Flac, vec![REBUILDER]);
    let split = Split { medium, content, recipe: w.finish(), rebuilders, exact: true, note };
    checked(file, split, limits).map_or_else(|_| Outcome::opaque(), |s| Outcome::Split(Box::new(s)))
}

/// The finest partition and the code of all decisions.
fn decisions(list: &[Frame], frames: &Frames, form: Form, bytes: &[u8]) -> Result<(u32, Vec<u8>), Damaged> {
    let most = list.iter().flat_map(|frame| &frame.subframes).map(|s| s.order).max().unwrap_or(0);
    let (mut model, mut encoder) = (Model::new(form, most), Encoder::new());
    let mut rest = bytes;
    for frame in list {
        let left = (rest.len() / frames.bytes()) as u64;
        let (these, others) = rest.split_at(frame.head.size as usize * frames.bytes());
        rest = others;
        let head = model.head(&mut encoder, Some(&frame.head), left)?;
        let channels = apart(&frames.format.integers(these), form.channels, head.assignment);
        for (channel, (subframe, samples)) in frame.subframes.iter().zip(channels).enumerate() {
            model.subframe(&mut encoder, Some(subframe), channel, samples)?;
        }
    }
    Ok((most, encoder.finish()))
}

/// Makes a file of samples that come in order.
pub struct Maker<'a> {
    frames: Frames,
    form: Form,
    before: Vec<u8>,
    after: &'a [u8],
    decoder: Decoder<'a>,
    model: Model,
    /// Samples of a channel of which no frame was begun.
    left: u64,
    /// The frame that is waiting for samples, and those.
    head: Option<Head>,
    pending: Vec<u8>,
    /// Whether what comes has nothing to do with what was coded: frames are then written as they are.
    lost: bool,
    /// The last frame that was made.
    last: Option<Head>,
}

const DAMAGED: MediaError = MediaError::Inconsistent("its decisions are not those of an encoder of FLAC");

impl From<Damaged> for MediaError {
    fn from(_: Damaged) -> Self {
        DAMAGED
    }
}

impl From<TooLong> for MediaError {
    fn from(_: TooLong) -> Self {
        MediaError::Inconsistent("a frame of FLAC would be longer than frames can be")
    }
}

impl<'a> Maker<'a> {
    /// Reads a recipe, for so many bytes of samples.
    pub fn new(recipe: &'a [u8], frames: &Frames, length: u64) -> Result<Self, MediaError> {
        let mut r = Reader::new(recipe);
        let (bits, most) = (u32::from(r.u8()?), u32::from(r.u8()?));
        let (before, zeros, code, after) =
            (r.blob()?, r.at_most(MOST_ZEROS as u64, "the number of zeros")?, r.blob()?, r.blob()?);
        r.end()?;
        let is_possible = (4..=32).contains(&bits) && most <= MOST_ORDER && format(bits) == frames.format;
        if !is_possible || u16::from(frames.channels) > MAX_CHANNELS {
            return Err(MediaError::Inconsistent("its samples are not those of a FLAC file"));
        }
        let form = Form { channels: frames.channels, bits };
        let before = [before, &vec![0; zeros as usize]].concat();
        Ok(Self { before, after, decoder: Decoder::new(code), ..Self::plain(frames, form, most, length) })
    }

    /// Makes a file of samples alone.
    pub fn without_recipe(frames: &Frames, length: u64) -> Self {
        let form = Form { channels: frames.channels, bits: frames.format.bytes() as u32 * 8 };
        let count = length / frames.bytes() as u64;
        let mut w = bits::Writer::default();
        b"fLaC\x80\0\0\x22\x10\0\x10\0\0\0\0\0\0\0".iter().for_each(|b| w.put((*b).into(), 8));
        w.put(frames.rate.into(), 20);
        w.put(u64::from(form.channels) - 1, 3);
        w.put(u64::from(form.bits) - 1, 5);
        w.put(count, 36);
        // No MD5.
        w.put(0, 56);
        w.put(0, 56);
        w.put(0, 16);
        Self { before: w.finish(), lost: true, ..Self::plain(frames, form, 0, length) }
    }

    fn plain(frames: &Frames, form: Form, most: u32, length: u64) -> Self {
        Self {
            frames: *frames,
            form,
            before: Vec::new(),
            after: &[],
            decoder: Decoder::new(&[]),
            model: Model::new(form, most),
            left: length / frames.bytes() as u64,
            head: None,
            pending: Vec::new(),
            lost: false,
            last: None,
        }
    }

    /// What stands before the frames.
    pub fn before(&self) -> Vec<u8> {
        self.before.clone()
    }

    /// Takes the next samples, and hands out the frames that are complete.
    pub fn feed<E: From<MediaError>>(
        &mut self,
        samples: &[u8],
        out: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.pending.extend_from_slice(samples);
        let mut taken = 0;
        while self.left > 0 {
            let head = match self.head.take() {
                Some(head) => head,
                None => self.next_head()?,
            };
            let end = taken + head.size as usize * self.frames.bytes();
            if end > self.pending.len() {
                self.head = Some(head);
                break;
            }
            let samples = self.frames.format.integers(&self.pending[taken..end]);
            taken = end;
            self.left -= u64::from(head.size);
            out(&self.frame(&head, &samples)?)?;
            self.last = Some(head);
        }
        self.pending.drain(..taken);
        Ok(())
    }

    /// What stands after the frames, if these are complete.
    pub fn after(&self) -> Result<&'a [u8], MediaError> {
        if self.left > 0 { Err(DAMAGED) } else { Ok(self.after) }
    }

    /// From here on samples are others than they were.
    pub fn lose(&mut self) {
        self.lost = true;
    }

    fn next_head(&mut self) -> Result<Head, MediaError> {
        if !self.lost {
            return Ok(self.model.head(&mut self.decoder, None, self.left)?);
        }
        let last = self.last;
        let size = last.map_or(4096, |last| last.size).min(self.left.min(4096) as u32);
        let (variable, rate_code, rate) = last.map_or((false, 0, 0), |last| (last.variable, last.rate_code, last.rate));
        let number = last.map_or(0, |last| last.number + if variable { last.size.into() } else { 1 });
        let (size_code, assignment) = (frame::usual_size_code(size), self.form.channels - 1);
        // Not all players look at the beginning of the file.
        let codes = [(8, 1), (12, 2), (16, 4), (20, 5), (24, 6)];
        let bits_code = codes.iter().find(|(bits, _)| *bits == self.form.bits).map_or(0, |(_, code)| *code);
        Ok(Head { variable, number, size, size_code, rate_code, rate, assignment, bits_code })
    }

    fn frame(&mut self, head: &Head, samples: &[i32]) -> Result<Vec<u8>, MediaError> {
        // Decisions that were read for other samples say nothing.
        let assignment = if self.lost { self.form.channels - 1 } else { head.assignment };
        let mut making = Making::new(&Head { assignment, ..*head });
        for (channel, samples) in apart(samples, self.form.channels, assignment).into_iter().enumerate() {
            let bits = coded_bits(self.form, assignment, channel);
            let (subframe, samples, residual) = if self.lost {
                let (wide, order, parameters) = (false, 0, Vec::new());
                (Subframe { wasted: 0, kind: Kind::Verbatim, wide, order, parameters }, samples, Vec::new())
            } else {
                self.model.subframe(&mut self.decoder, None, channel, samples)?
            };
            making.channel(&subframe, &samples, &residual, bits)?;
        }
        let made = making.finish();
        if is_reasonable(made.len(), samples.len()) { Ok(made) } else { Err(TooLong.into()) }
    }
}

#[cfg(test)]
mod tests;
