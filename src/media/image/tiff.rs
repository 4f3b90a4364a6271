//! TIFF files (TIFF 6.0, Adobe 1992) of uncompressed strips: the picture of the first directory.
//!
//! What must stay true: everything but the samples comes back as it stood, wherever it stood; an offset or a count is believed
//! only after it was compared with the file.
//!
//! Samples of 8 bits (gray, RGB) become pictures; those of 16 bits, of one bit, with alpha or of a palette become rows.
//!
//! Recipe, version 1: a form byte (bit 0: a picture; bit 1: samples of 16 bits, the lower byte first in the file; bits 2 and 3: the
//! form of rows), the number of runs of samples (uint), for each what stands before it (length, bytes) and its length (uint),
//! then what follows the last (length, bytes).

use super::{Picture, picture};
use crate::media::{Content, Form, Format, Limits, MediaError, Medium, Options, Outcome, Sink, Split, checked, emit};
use crate::wire::{Reader, Writer};
use std::ops::Range;

/// The format's entry in the registry.
pub const FORMAT: Format = Format { medium: Medium::Tiff, name: "TIFF", version: 1, sniff, split, join };

const PICTURE: u8 = 1;
const SWAPPED: u8 = 2;

fn sniff(file: &[u8]) -> bool {
    file.starts_with(b"II\x2a\0") || file.starts_with(b"MM\0\x2a")
}

/// A file's numbers.
#[derive(Clone, Copy)]
struct Bytes<'a> {
    file: &'a [u8],
    little: bool,
}

impl Bytes<'_> {
    fn u16(self, at: usize) -> Option<u32> {
        let bytes = *self.file.get(at..)?.first_chunk()?;
        Some(if self.little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) }.into())
    }

    fn u32(self, at: usize) -> Option<u32> {
        let bytes = *self.file.get(at..)?.first_chunk()?;
        Some(if self.little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }

    /// The numbers of a directory's entry, at most `most` of them.
    fn numbers(self, entry: usize, most: usize) -> Option<Vec<u32>> {
        let (kind, count) = (self.u16(entry + 2)?, self.u32(entry + 4)? as usize);
        let size = match kind {
            3 => 2,
            4 => 4,
            _ => return None,
        };
        if count == 0 || count > most {
            return None;
        }
        let at = if count * size <= 4 { entry + 8 } else { self.u32(entry + 8)? as usize };
        let end = at.checked_add(count * size).filter(|end| *end <= self.file.len())?;
        (at..end).step_by(size).map(|at| if size == 2 { self.u16(at) } else { self.u32(at) }).collect()
    }
}

/// What the first directory says.
struct Directory {
    width: u32,
    height: u32,
    samples: u32,
    bits: u32,
    palette: bool,
    /// Where strips lie, in order.
    strips: Vec<Range<usize>>,
}

/// Most samples of a pixel.
const MOST_SAMPLES: usize = 4;

fn directory(bytes: Bytes) -> Option<Directory> {
    let at = bytes.u32(4)? as usize;
    let count = bytes.u16(at)? as usize;
    let entries = (0..count).map(|i| at + 2 + 12 * i);
    bytes.file.get(at..at + 2 + 12 * count)?;
    let entry = |tag: u32| entries.clone().find(|entry| bytes.u16(*entry) == Some(tag));
    let one = |tag: u32, usual: Option<u32>| match entry(tag) {
        Some(entry) => bytes.numbers(entry, 1).map(|numbers| numbers[0]),
        None => usual,
    };
    let (width, height) = (one(256, None)?, one(257, None)?);
    let samples = one(277, Some(1))?;
    let all = match entry(258) {
        Some(entry) => bytes.numbers(entry, MOST_SAMPLES)?,
        None => vec![1],
    };
    let is_plain = one(259, Some(1))? == 1 && one(284, Some(1))? == 1 && one(266, Some(1))? == 1;
    let same = all.len() == samples as usize && all.iter().all(|bits| *bits == all[0]);
    let integers = entry(339).is_none_or(|entry| {
        bytes.numbers(entry, MOST_SAMPLES).is_some_and(|formats| formats.iter().all(|format| *format == 1))
    });
    if !is_plain || !same || !integers || width == 0 || height == 0 {
        return None;
    }
    let offsets = bytes.numbers(entry(273)?, height as usize)?;
    let lengths = bytes.numbers(entry(279)?, height as usize)?;
    let strip = |(offset, length): (&u32, &u32)| {
        let end = (*offset as usize).checked_add(*length as usize)?;
        (end <= bytes.file.len()).then_some(*offset as usize..end)
    };
    let strips: Vec<Range<usize>> = offsets.iter().zip(&lengths).map(strip).collect::<Option<_>>()?;
    let in_order = offsets.len() == lengths.len() && strips.windows(2).all(|pair| pair[0].end <= pair[1].start);
    let palette = one(262, Some(1))? == 3;
    in_order.then_some(Directory { width, height, samples, bits: all[0], palette, strips })
}

/// Bytes of a row and of a pixel, and what the content is: a picture, or rows of a form.
fn shape(d: &Directory) -> Option<(u32, u32, Option<Form>)> {
    let pixel = d.samples * (d.bits / 8);
    let line = d.width.checked_mul(pixel.max(1))?;
    match (d.bits, d.samples) {
        (8, 1) if d.palette => Some((line, 1, Some(Form::Bytes))),
        (8, 1 | 3) => Some((line, pixel, None)),
        (8, 2 | 4) => Some((line, pixel, Some(Form::Alpha))),
        (16, 1..=4) => Some((line, pixel, Some(Form::Deep))),
        (1, 1) => Some((d.width.div_ceil(8), 1, Some(Form::Bilevel))),
        _ => None,
    }
}

fn form_bits(form: Form) -> u8 {
    match form {
        Form::Bytes => 0,
        Form::Alpha => 1 << 2,
        Form::Deep => 2 << 2,
        Form::Bilevel => 3 << 2,
    }
}

fn split(file: &[u8], _: Options, limits: &Limits) -> Outcome {
    let little = file[0] == b'I';
    let Some(d) = directory(Bytes { file, little }) else {
        return Outcome::because("the TIFF file is compressed, tiled or damaged, and coded as bytes");
    };
    let Some((stride, unit, form)) = shape(&d) else {
        return Outcome::because("the TIFF file has samples of another kind, and is coded as bytes");
    };
    let need = u64::from(stride) * u64::from(d.height);
    // The last strip may be filled up.
    let have: u64 = d.strips.iter().map(|strip| strip.len() as u64).sum();
    if have < need {
        return Outcome::because("the TIFF file is cut short");
    }
    if limits.check(need, "the picture").is_err() {
        return Outcome::opaque();
    }
    let mut samples = Vec::with_capacity(need as usize);
    let mut runs: Vec<Range<usize>> = Vec::new();
    for strip in d.strips {
        let end = strip.end.min(strip.start + (need as usize - samples.len()));
        samples.extend_from_slice(&file[strip.start..end]);
        match runs.last_mut() {
            Some(run) if run.end == strip.start => run.end = end,
            _ => runs.push(strip.start..end),
        }
    }
    let swapped = little && form == Some(Form::Deep);
    if swapped {
        samples.chunks_exact_mut(2).for_each(|pair| pair.swap(0, 1));
    }
    let mut recipe = Writer::new();
    let flag = |is: bool, bit: u8| if is { bit } else { 0 };
    recipe.u8(flag(form.is_none(), PICTURE) | flag(swapped, SWAPPED) | form.map_or(0, form_bits));
    recipe.uint(runs.len() as u64);
    let mut at = 0;
    for run in &runs {
        recipe.blob(&file[at..run.start]);
        recipe.uint(run.len() as u64);
        at = run.end;
    }
    recipe.blob(&file[at..]);
    let content = match form {
        None => Content::Picture(Picture { width: d.width, height: d.height, channels: d.samples as u8, samples }),
        Some(form) => Content::Rows { bytes: samples, stride, unit, form },
    };
    let recipe = recipe.finish();
    let split = Split { medium: Medium::Tiff, content, recipe, rebuilders: vec![], exact: true, note: None };
    checked(file, split, limits).map_or_else(|_| Outcome::opaque(), |s| Outcome::Split(Box::new(s)))
}

/// Bytes that are turned at a time; even.
const PIECE: usize = 1 << 16;

fn join(recipe: &[u8], content: &Content, _: &Limits, sink: &mut Sink<'_>) -> Result<(), MediaError> {
    let mut r = Reader::new(recipe);
    let form = r.u8()?;
    if form > 15 {
        return Err(MediaError::Inconsistent("an unknown form of TIFF file"));
    }
    let samples = if form & PICTURE != 0 { &picture(content)?.samples[..] } else { content.bytes() };
    let mut rest = samples;
    for _ in 0..r.count(2, "the number of runs")? {
        emit(sink, r.blob()?)?;
        let length = r.at_most(rest.len() as u64, "the length of a run")? as usize;
        let (run, others) = rest.split_at(length);
        rest = others;
        if form & SWAPPED == 0 {
            emit(sink, run)?;
            continue;
        }
        if length % 2 != 0 {
            return Err(MediaError::Inconsistent("half a sample"));
        }
        for piece in run.chunks(PIECE) {
            let turned: Vec<u8> = piece.chunks_exact(2).flat_map(|pair| [pair[1], pair[0]]).collect();
            emit(sink, &turned)?;
        }
    }
    if !rest.is_empty() {
        return Err(MediaError::Inconsistent("samples that are in no run"));
    }
    let after = r.blob()?;
    r.end()?;
    emit(sink, after)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media;

    const LIMITS: Limits = Limits { max_bytes: 1 << 20 };

    /// A file of such samples in strips of so many rows, with a gap of some bytes between them and the directory behind or before them.
    fn file(
        little: bool,
        first: bool,
        (width, height, samples, bits): (u32, u32, u32, u32),
        rows: u32,
        gap: usize,
    ) -> Vec<u8> {
        let u16 = |v: u32| if little { (v as u16).to_le_bytes() } else { (v as u16).to_be_bytes() };
        let u32 = |v: u32| if little { v.to_le_bytes() } else { v.to_be_bytes() };
        let line = (width * samples * bits).div_ceil(8);
        let strips = height.div_ceil(rows);
        let lengths: Vec<u32> = (0..strips).map(|i| line * rows.min(height - i * rows)).collect();
        let data = (lengths.iter().sum::<u32>() as usize + gap * strips as usize) as u32;
        let directory = 2 + 12 * 8 + 4;
        let (at, start) = if first { (8, 8 + directory + 8 * strips + 8) } else { (8 + data, 8) };
        let lists = at + directory;
        let mut offsets = Vec::new();
        lengths.iter().fold(start, |at, length| {
            offsets.push(at);
            at + length + gap as u32
        });
        let mut head = Vec::new();
        head.extend(u16(8));
        let mut entry = |tag: u32, kind: u32, count: u32, value: [u8; 4]| {
            head.extend([u16(tag), u16(kind)].concat());
            head.extend([u32(count), value].concat());
        };
        let short = |v: u32| [u16(v), [0; 2]].concat().try_into().unwrap();
        entry(256, 4, 1, u32(width));
        entry(257, 3, 1, short(height));
        let several = |list: &[u32], at: u32| if list.len() == 1 { u32(list[0]) } else { u32(at) };
        let depth = if samples == 1 { short(bits) } else { u32(lists + 8 * strips) };
        entry(258, 3, samples, if samples == 2 { [u16(bits), u16(bits)].concat().try_into().unwrap() } else { depth });
        entry(259, 3, 1, short(1));
        entry(273, 4, strips, several(&offsets, lists));
        entry(277, 3, 1, short(samples));
        entry(279, 4, strips, several(&lengths, lists + 4 * strips));
        entry(284, 3, 1, short(1));
        head.extend(u32(0));
        offsets.iter().chain(&lengths).for_each(|v| head.extend(u32(*v)));
        (0..4).for_each(|_| head.extend(u16(bits)));
        let mut out = [if little { &b"II"[..] } else { b"MM" }, &u16(42), &u32(at)].concat();
        if first {
            out.extend(&head);
        }
        for length in lengths {
            out.extend((0..length).map(|i| (i * 7 / 3) as u8));
            out.extend(vec![99; gap]);
        }
        if !first {
            out.extend(&head);
        }
        out
    }

    fn split_of(file: &[u8]) -> Option<Split> {
        match media::split(file, Options::default(), &LIMITS) {
            Outcome::Split(s) => Some(*s),
            Outcome::Opaque { .. } => None,
        }
    }

    #[test]
    fn files_of_every_shape_come_back() {
        for (little, first) in [(true, true), (true, false), (false, true), (false, false)] {
            for (samples, bits) in [(1, 8), (3, 8), (4, 8), (2, 8), (1, 16), (3, 16), (4, 16), (1, 1)] {
                for (rows, gap) in [(9, 0), (4, 0), (4, 3), (1, 1)] {
                    let file = file(little, first, (11, 9, samples, bits), rows, gap);
                    let split = split_of(&file).unwrap_or_else(|| panic!("{samples} of {bits} bits, {rows} rows"));
                    assert_eq!(split.medium, Medium::Tiff);
                    assert_eq!(matches!(split.content, Content::Picture(_)), bits == 8 && samples % 2 == 1);
                    assert!(media::join(Medium::Tiff, &split.recipe, &split.content, &LIMITS).unwrap() == file);
                    if gap == 0 && rows == 9 {
                        assert!(split.recipe.len() < 200);
                    }
                }
            }
        }
        // The higher byte comes first in the content.
        let file = file(true, true, (2, 1, 1, 16), 1, 0);
        assert_eq!(split_of(&file).unwrap().content.bytes(), [2, 0, 7, 4]);
    }

    #[test]
    fn what_is_not_split() {
        let whole = file(true, false, (11, 9, 3, 8), 4, 0);
        for end in [7, 60, whole.len() - 80] {
            assert_eq!(split_of(&whole[..end]), None, "{end} bytes");
        }
        let directory = 8 + 11 * 9 * 3;
        // Compression; a strip beyond the end; strips that overlap.
        for (at, value) in [(directory + 2 + 3 * 12 + 8, 5), (directory + 102 + 2, 1), (directory + 102 + 4, 9)] {
            let mut other = whole.clone();
            other[at] = value;
            assert_eq!(split_of(&other), None, "{at}");
        }
    }

    #[test]
    fn recipes_that_do_not_fit() {
        let split = split_of(&file(true, true, (11, 9, 1, 16), 4, 3)).unwrap();
        for at in 0..split.recipe.len() {
            for value in [0, 1, 127, 255] {
                let mut recipe = split.recipe.clone();
                recipe[at] = value;
                // No panic; what comes out may be another file.
                let _ = media::join(Medium::Tiff, &recipe, &split.content, &LIMITS);
            }
        }
        assert!(media::join(Medium::Tiff, &split.recipe[..9], &split.content, &LIMITS).is_err());
    }
}
