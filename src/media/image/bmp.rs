//! Windows bitmaps, uncompressed.
//!
//! What must stay true: header, palette, padding bytes and whatever follows come back byte for byte; what a writer usually
//! writes there costs next to nothing.
//!
//! 24 bits a pixel and 8 bits with a gray palette become pictures (top row first, R before B); the other depths become rows
//! as they stand. Recipe, version 1: a form byte (bit 0: picture, bit 1: top row first in the file, bit 2: 8 bits a
//! pixel); for rows only: the length and bytes of all that precedes the pixels; for pictures: the offset of the pixels, what
//! differs there from the usual header, and what differs from zero in the padding; then the bytes after the pixels.

use super::{Picture, picture};
use crate::media::{Content, Form, Format, Limits, MediaError, Medium, Options, Outcome, Sink, Split, checked, emit};
use crate::wire::{Reader, Writer};

/// The format's entry in the registry.
pub const FORMAT: Format = Format { medium: Medium::Bmp, name: "BMP", version: 1, sniff, split, join };

const PICTURE: u8 = 1;
const TOP_DOWN: u8 = 2;
const GRAY: u8 = 4;

/// The file header and the smallest information header that is read.
const HEADERS: usize = 14 + 40;
/// No pixel data starts later than this in a file that is split.
const MAX_OFFSET: usize = 1 << 16;

fn sniff(file: &[u8]) -> bool {
    file.starts_with(b"BM") && file.len() >= HEADERS && (40..=124).contains(&u32_at(file, 14))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// What the usual writer puts before the pixels.
fn usual_header(offset: usize, width: u32, height: u32, top_down: bool, bits: u16) -> Vec<u8> {
    let data = stride(width, bits).saturating_mul(height.into());
    let mut h = Vec::with_capacity(offset.max(HEADERS));
    h.extend_from_slice(b"BM");
    h.extend_from_slice(&(data.saturating_add(offset as u64) as u32).to_le_bytes());
    h.extend_from_slice(&[0; 4]);
    h.extend_from_slice(&(offset as u32).to_le_bytes());
    h.extend_from_slice(&40u32.to_le_bytes());
    h.extend_from_slice(&width.to_le_bytes());
    h.extend_from_slice(&(if top_down { height.wrapping_neg() } else { height }).to_le_bytes());
    h.extend_from_slice(&1u16.to_le_bytes());
    h.extend_from_slice(&bits.to_le_bytes());
    h.extend_from_slice(&0u32.to_le_bytes());
    h.extend_from_slice(&(data as u32).to_le_bytes());
    h.extend_from_slice(&[0; 16]);
    if bits == 8 {
        h.extend((0..=255).flat_map(|i| [i, i, i, 0]));
    }
    h.resize(offset, 0);
    h
}

/// Bytes from a row to the next: a multiple of four.
fn stride(width: u32, bits: u16) -> u64 {
    (u64::from(width) * u64::from(bits)).div_ceil(32) * 4
}

/// The places where `bytes` differ from `usual` (of the same length): count, then (gap, byte) for each.
fn write_differences(w: &mut Writer, usual: impl Iterator<Item = u8>, bytes: impl Iterator<Item = u8>) {
    let mut differences = Vec::new();
    let mut next = 0;
    for (i, (u, b)) in usual.zip(bytes).enumerate() {
        if u != b {
            differences.push((i - next, b));
            next = i + 1;
        }
    }
    w.uint(differences.len() as u64);
    for (gap, byte) in differences {
        w.uint(gap as u64);
        w.u8(byte);
    }
}

/// The list that [`write_differences`] wrote: (position, byte), positions rising and below `len`. It is read while it is
/// used, since a list in memory would be many times larger than its bytes.
struct Differences<'a> {
    r: Reader<'a>,
    left: usize,
    next: u64,
    len: u64,
}

impl<'a> Differences<'a> {
    /// Checks the list and steps over it.
    fn read(r: &mut Reader<'a>, len: u64) -> Result<Self, MediaError> {
        let left = r.count(2, "the number of differences")?;
        let list = Self { r: r.clone(), left, next: 0, len };
        let mut walk = Self { r: r.clone(), ..list };
        while walk.step()?.is_some() {}
        *r = walk.r;
        Ok(list)
    }

    fn step(&mut self) -> Result<Option<(u64, u8)>, MediaError> {
        if self.left == 0 {
            return Ok(None);
        }
        if self.next >= self.len {
            return Err(MediaError::Inconsistent("a difference lies outside"));
        }
        let at = self.next + self.r.at_most(self.len - self.next - 1, "the place of a difference")?;
        (self.left, self.next) = (self.left - 1, at + 1);
        Ok(Some((at, self.r.u8()?)))
    }
}

impl Iterator for Differences<'_> {
    type Item = (u64, u8);
    fn next(&mut self) -> Option<(u64, u8)> {
        self.step().ok().flatten() // `read` has met every error
    }
}

fn split(file: &[u8], _: Options, limits: &Limits) -> Outcome {
    let (offset, header_size) = (u32_at(file, 10) as usize, u32_at(file, 14) as usize);
    let (width, height) = (u32_at(file, 18), u32_at(file, 22) as i32);
    let bits = u16::from_le_bytes([file[28], file[29]]);
    let compression = u32_at(file, 30);
    let plain = compression == 0 || (compression == 3 && matches!(bits, 16 | 32));
    if !plain || !matches!(bits, 1 | 4 | 8 | 16 | 24 | 32) || width == 0 || width > i32::MAX as u32 || height == 0 {
        return Outcome::opaque();
    }
    let rows = height.unsigned_abs();
    let row_stride = stride(width, bits);
    let Some(need) = row_stride.checked_mul(rows.into()) else {
        return Outcome::because("the BMP header claims more pixels than a file can hold");
    };
    if !(HEADERS..=MAX_OFFSET).contains(&offset) {
        return Outcome::because("the BMP header is damaged");
    }
    if file.len() < offset || ((file.len() - offset) as u64) < need {
        return Outcome::because("the BMP file is cut short");
    }
    if limits.check(need, "the picture").is_err() {
        return Outcome::opaque();
    }
    let (before, rest) = file.split_at(offset);
    let (data, trailing) = rest.split_at(need as usize);
    let top_down = height < 0;
    let palette = before.get(14 + header_size..14 + header_size + 1024);
    let gray = bits == 8
        && palette
            .is_some_and(|p| p.chunks_exact(4).enumerate().all(|(i, c)| c[..3].iter().all(|&v| usize::from(v) == i)));
    let mut w = Writer::new();
    let content = if bits == 24 || gray {
        let flags = PICTURE | if top_down { TOP_DOWN } else { 0 } | if gray { GRAY } else { 0 };
        w.u8(flags);
        w.uint(offset as u64);
        let usual = usual_header(offset, width, rows, top_down, bits);
        write_differences(&mut w, usual.into_iter(), before.iter().copied());
        let used = width as usize * usize::from(bits / 8);
        let padding = data.chunks_exact(row_stride as usize).flat_map(|row| &row[used..]).copied();
        write_differences(&mut w, std::iter::repeat(0), padding);
        Content::Picture(read_picture(data, width, rows, top_down, bits))
    } else {
        w.u8(0);
        w.blob(before);
        let stride = u32::try_from(row_stride).unwrap_or(0);
        Content::Rows { bytes: data.to_vec(), stride, unit: u32::from(bits).div_ceil(8), form: Form::Bytes }
    };
    w.blob(trailing);
    let recipe = w.finish();
    let split = Split { medium: Medium::Bmp, content, recipe, rebuilders: vec![], exact: true, note: None };
    checked(file, split, limits).map_or_else(|_| Outcome::opaque(), |s| Outcome::Split(Box::new(s)))
}

/// The samples of checked pixel data, top row first, R before B.
fn read_picture(data: &[u8], width: u32, height: u32, top_down: bool, bits: u16) -> Picture {
    let used = width as usize * usize::from(bits / 8);
    let mut samples = Vec::with_capacity(used * height as usize);
    let mut push = |row: &[u8]| {
        if bits == 24 {
            samples.extend(row[..used].chunks_exact(3).flat_map(|p| [p[2], p[1], p[0]]));
        } else {
            samples.extend_from_slice(&row[..used]);
        }
    };
    let rows = data.chunks_exact(stride(width, bits) as usize);
    if top_down {
        rows.for_each(&mut push)
    } else {
        rows.rev().for_each(&mut push)
    }
    Picture { width, height, channels: if bits == 24 { 3 } else { 1 }, samples }
}

fn join(recipe: &[u8], content: &Content, limits: &Limits, sink: &mut Sink<'_>) -> Result<(), MediaError> {
    let mut r = Reader::new(recipe);
    let flags = r.u8()?;
    if flags == 0 {
        let before = r.blob()?;
        let trailing = r.blob()?;
        r.end()?;
        emit(sink, before)?;
        emit(sink, content.bytes())?;
        return emit(sink, trailing);
    }
    if flags & PICTURE == 0 || flags > (PICTURE | TOP_DOWN | GRAY) {
        return Err(MediaError::Inconsistent("an unknown form of BMP"));
    }
    let p = picture(content)?;
    let (top_down, bits) = (flags & TOP_DOWN != 0, if flags & GRAY != 0 { 8 } else { 24 });
    if u32::from(p.channels) * 8 != u32::from(bits) || p.width == 0 {
        return Err(MediaError::Inconsistent("the picture has the wrong number of channels for its BMP"));
    }
    let offset = r.at_most(MAX_OFFSET as u64, "the offset of the pixels")? as usize;
    if offset < HEADERS {
        return Err(MediaError::Inconsistent("the pixels start inside the BMP header"));
    }
    let mut header = usual_header(offset, p.width, p.height, top_down, bits);
    for (at, byte) in Differences::read(&mut r, offset as u64)? {
        header[at as usize] = byte;
    }
    let used = p.width as usize * usize::from(bits / 8);
    let row_stride = limits.check(stride(p.width, bits), "a row")?;
    let pad = row_stride - used;
    let mut padding = Differences::read(&mut r, pad as u64 * u64::from(p.height))?.peekable();
    let trailing = r.blob()?;
    r.end()?;
    emit(sink, &header)?;
    let mut row = vec![0; row_stride];
    for y in 0..p.height as usize {
        let from = if top_down { y } else { p.height as usize - 1 - y };
        let samples = &p.samples[from * used..(from + 1) * used];
        if bits == 24 {
            for (to, rgb) in row.chunks_exact_mut(3).zip(samples.chunks_exact(3)) {
                to.copy_from_slice(&[rgb[2], rgb[1], rgb[0]]);
            }
        } else {
            row[..used].copy_from_slice(samples);
        }
        row[used..].fill(0);
        let first = (y * pad) as u64;
        while let Some((at, byte)) = padding.next_if(|d| d.0 < first + pad as u64) {
            row[used + (at - first) as usize] = byte;
        }
        emit(sink, &row)?;
    }
    emit(sink, trailing)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { max_bytes: 1 << 20 };

    fn split_of(file: &[u8]) -> Option<Split> {
        match split(file, Options::default(), &LIMITS) {
            Outcome::Split(s) => Some(*s),
            Outcome::Opaque { .. } => None,
        }
    }

    /// A bitmap of the usual form with pixel bytes 0, 1, 2, ...
    fn bitmap(width: u32, height: u32, top_down: bool, bits: u16) -> Vec<u8> {
        let offset = if bits == 8 { HEADERS + 1024 } else { HEADERS };
        let mut file = usual_header(offset, width, height, top_down, bits);
        let used = width as usize * usize::from(bits / 8);
        for y in 0..height as usize {
            let row: Vec<u8> = (0..used).map(|x| (y * used + x) as u8).collect();
            file.extend_from_slice(&row);
            file.resize(file.len() + stride(width, bits) as usize - used, 0);
        }
        file
    }

    #[test]
    fn pictures_round_trip_for_a_few_bytes() {
        for (top_down, bits) in [(false, 24), (true, 24), (false, 8), (true, 8)] {
            for width in 1..=5 {
                let file = bitmap(width, 3, top_down, bits);
                let s = split_of(&file).unwrap();
                assert!(s.recipe.len() <= 7, "{}", s.recipe.len());
                let p = picture(&s.content).unwrap();
                assert_eq!((p.width, p.height, u16::from(p.channels) * 8), (width, 3, bits));
                let used = width as usize * usize::from(bits / 8);
                let top = if top_down { 0 } else { 2 * used };
                let first =
                    if bits == 24 { [top + 2, top + 1, top].map(|v| v as u8).to_vec() } else { vec![top as u8] };
                assert_eq!(p.samples[..first.len()], first);
                assert_eq!(crate::media::join(s.medium, &s.recipe, &s.content, &LIMITS).unwrap(), file);
            }
        }
    }

    #[test]
    fn odd_headers_padding_and_tails_come_back() {
        let mut file = bitmap(3, 2, false, 24);
        file[6] = 7;
        file[38..42].copy_from_slice(&2835u32.to_le_bytes());
        file[HEADERS + 9] = 1;
        file[HEADERS + 12 + 11] = 255;
        file.extend_from_slice(b"trailing");
        let s = split_of(&file).unwrap();
        assert_eq!(crate::media::join(s.medium, &s.recipe, &s.content, &LIMITS).unwrap(), file);
    }

    #[test]
    fn other_depths_are_rows() {
        for (bits, unit) in [(1u16, 1), (4, 1), (16, 2), (32, 4)] {
            let mut file = usual_header(HEADERS + 64, 5, 2, false, bits);
            file.extend((0..stride(5, bits) * 2).map(|i| i as u8));
            let s = split_of(&file).unwrap();
            assert!(
                matches!(s.content, Content::Rows { unit: u, stride: w, .. } if (u, u64::from(w)) == (unit, stride(5, bits)))
            );
            assert_eq!(crate::media::join(s.medium, &s.recipe, &s.content, &LIMITS).unwrap(), file);
        }
    }

    #[test]
    fn what_is_not_split() {
        let good = bitmap(4, 4, false, 24);
        assert!(split_of(&good).is_some());
        let patch = |at: usize, bytes: &[u8]| {
            let mut file = good.clone();
            file[at..at + bytes.len()].copy_from_slice(bytes);
            file
        };
        for bad in [
            good[..good.len() - 1].to_vec(),
            patch(18, &[255, 255, 255, 127, 0, 0, 0, 128]),
            patch(18, &[0, 0, 0, 0]),
            patch(22, &[0, 0, 0, 0]),
            patch(18, &[255, 255, 255, 255]),
            patch(10, &[0, 0, 0, 0]),
            patch(10, &[255, 255, 255, 255]),
            patch(30, &[1]),
            patch(28, &[7]),
        ] {
            assert_eq!(split_of(&bad), None);
        }
    }
}
