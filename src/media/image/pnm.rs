//! Binary portable bitmaps, graymaps and pixmaps: `P4`, `P5` and `P6` (netpbm's pbm(5), pgm(5) and ppm(5)).
//!
//! What must stay true: the header comes back byte for byte, whatever comments and white space it has, and so does all that
//! follows the samples.
//!
//! Recipe, version 1: a form byte; form 0: maxval (one byte), the header is the usual one; form 1: the header's bytes
//! (length, bytes); form 2: the same, with two bytes a sample, the content being rows; form 3: the same, with one bit a
//! sample. Then the bytes after the samples.

use super::{Picture, picture};
use crate::media::{Content, Form, Format, Limits, MediaError, Medium, Options, Outcome, Sink, Split, checked, emit};
use crate::wire::{Reader, Writer};

/// The format's entry in the registry.
pub const FORMAT: Format = Format { medium: Medium::Pnm, name: "PNM", version: 1, sniff, split, join };

const USUAL: u8 = 0;
const VERBATIM: u8 = 1;
const WIDE: u8 = 2;
const BITS: u8 = 3;

fn sniff(file: &[u8]) -> bool {
    matches!(file, [b'P', b'4'..=b'6', c, ..] if c.is_ascii_whitespace() || *c == b'#')
}

struct Header {
    is_bitmap: bool,
    channels: u8,
    width: u32,
    height: u32,
    maxval: u32,
    /// Its bytes, the one white space after maxval included.
    len: usize,
}

/// The header that writers usually write.
fn usual_header(channels: u8, width: u32, height: u32, maxval: u32) -> String {
    format!("P{}\n{width} {height}\n{maxval}\n", if channels == 3 { 6 } else { 5 })
}

/// The usual file of a picture.
pub fn write(picture: &Picture) -> Vec<u8> {
    let mut file = usual_header(picture.channels, picture.width, picture.height, 255).into_bytes();
    file.extend_from_slice(&picture.samples);
    file
}

fn parse(file: &[u8]) -> Option<Header> {
    let channels = if file.get(1) == Some(&b'6') { 3 } else { 1 };
    let is_bitmap = file.get(1) == Some(&b'4');
    let mut at = 2;
    let mut number = || -> Option<u32> {
        loop {
            match file.get(at)? {
                b'#' => at += file[at..].iter().position(|&b| b == b'\n' || b == b'\r')?,
                c if c.is_ascii_whitespace() || *c == 0x0b => at += 1,
                _ => break,
            }
        }
        let digits = file[at..].iter().take(11).take_while(|b| b.is_ascii_digit()).count();
        let value = std::str::from_utf8(&file[at..at + digits]).ok()?.parse().ok()?;
        at += digits;
        Some(value)
    };
    let (width, height, maxval) = (number()?, number()?, if is_bitmap { 1 } else { number()? });
    let ends = file.get(at)?.is_ascii_whitespace() && maxval != 0 && maxval < 65536;
    ends.then_some(Header { is_bitmap, channels, width, height, maxval, len: at + 1 })
}

/// Writes the recipe's part of the header of a picture.
fn front(h: &Header, header: &[u8], recipe: &mut Writer) {
    if header == usual_header(h.channels, h.width, h.height, h.maxval).as_bytes() {
        recipe.u8(USUAL);
        recipe.u8(h.maxval as u8);
    } else {
        recipe.u8(VERBATIM);
        recipe.blob(header);
    }
}

/// What the beginning of a file says, if its samples are those of a [`Picture`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Pixels a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// 1 or 3.
    pub channels: u8,
    /// Where its samples begin.
    pub start: usize,
}

/// What a file that begins so says. Its samples may be cut short.
pub fn find(head: &[u8]) -> Option<Found> {
    let h = parse(head).filter(|h| sniff(head) && !h.is_bitmap && h.maxval < 256 && h.width > 0 && h.height > 0)?;
    Some(Found { width: h.width, height: h.height, channels: h.channels, start: h.len })
}

/// The recipe of a picture's file that begins with `header` and ends with `trailing`.
pub fn recipe(header: &[u8], trailing: &[u8]) -> Option<Vec<u8>> {
    let (h, mut recipe) = (parse(header).filter(|h| h.len == header.len())?, Writer::new());
    front(&h, header, &mut recipe);
    recipe.blob(trailing);
    Some(recipe.finish())
}

/// What a recipe says stands before and after the samples of a picture of this size and these channels.
pub fn around(recipe: &[u8], (width, height, channels): (u32, u32, u8)) -> Result<(Vec<u8>, Vec<u8>), MediaError> {
    let mut r = Reader::new(recipe);
    let header = match r.u8()? {
        USUAL => usual_header(channels, width, height, r.u8()?.into()).into_bytes(),
        VERBATIM => r.blob()?.to_vec(),
        _ => return Err(MediaError::Inconsistent("an unknown form of PNM header")),
    };
    let trailing = r.blob()?.to_vec();
    r.end()?;
    Ok((header, trailing))
}

fn split(file: &[u8], _: Options, limits: &Limits) -> Outcome {
    let Some(h) = parse(file) else {
        return Outcome::because("the PNM header is damaged");
    };
    let unit = u64::from(h.channels) * if h.maxval > 255 { 2 } else { 1 };
    let width = if h.is_bitmap { h.width.div_ceil(8) } else { h.width };
    // u32 x u32 fits u64, times 6 may not
    let Some(need) = (u64::from(width) * u64::from(h.height)).checked_mul(unit) else {
        return Outcome::because("the PNM header claims more samples than a file can hold");
    };
    let data = &file[h.len..];
    if need > data.len() as u64 {
        return Outcome::because("the PNM file is cut short");
    }
    if need == 0 || limits.check(need, "the picture").is_err() {
        return Outcome::opaque();
    }
    let (samples, trailing) = data.split_at(need as usize);
    let mut recipe = Writer::new();
    let header = &file[..h.len];
    let content = if h.is_bitmap {
        recipe.u8(BITS);
        recipe.blob(header);
        Content::Rows { bytes: samples.to_vec(), stride: width, unit: 1, form: Form::Bilevel }
    } else if h.maxval > 255 {
        recipe.u8(WIDE);
        recipe.blob(header);
        let unit = u32::from(h.channels) * 2;
        Content::Rows { bytes: samples.to_vec(), stride: h.width.saturating_mul(unit), unit, form: Form::Deep }
    } else {
        front(&h, header, &mut recipe);
        Content::Picture(Picture { width: h.width, height: h.height, channels: h.channels, samples: samples.to_vec() })
    };
    recipe.blob(trailing);
    let recipe = recipe.finish();
    let split = Split { medium: Medium::Pnm, content, recipe, rebuilders: vec![], exact: true, note: None };
    checked(file, split, limits).map_or_else(|_| Outcome::opaque(), |s| Outcome::Split(Box::new(s)))
}

fn join(recipe: &[u8], content: &Content, _: &Limits, sink: &mut Sink<'_>) -> Result<(), MediaError> {
    let (before, after) = match (content, recipe.first()) {
        (_, Some(&(WIDE | BITS))) => {
            let mut r = Reader::new(&recipe[1..]);
            let around = (r.blob()?.to_vec(), r.blob()?.to_vec());
            r.end()?;
            around
        }
        _ => {
            let p = picture(content)?;
            around(recipe, (p.width, p.height, p.channels))?
        }
    };
    emit(sink, &before)?;
    emit(sink, content.bytes())?;
    emit(sink, &after)
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

    #[test]
    fn headers_of_every_shape() {
        for (header, shape) in [
            ("P5\n3 2\n255\n", (3, 2, 1)),
            ("P6 1 2 255 ", (1, 2, 3)),
            ("P6\n# a comment\n1#another\n 2\t\t255\r", (1, 2, 3)),
            ("P5\n#\n\n#x\n0006 1\n9\n", (6, 1, 1)),
        ] {
            let file = [header.as_bytes(), &[1, 2, 200, 4, 5, 255], b"tail"].concat();
            let s = split_of(&file).unwrap();
            let p = picture(&s.content).unwrap();
            assert_eq!((p.width, p.height, p.channels), shape);
            assert_eq!(p.samples, [1, 2, 200, 4, 5, 255]);
            assert_eq!(crate::media::join(s.medium, &s.recipe, &s.content, &LIMITS).unwrap(), file);
        }
        let s = split_of(b"P5\n3 2\n255\nabcdef").unwrap();
        assert_eq!(s.recipe.len(), 3);
    }

    #[test]
    fn sixteen_bits_are_rows() {
        let s = split_of(b"P5 2 1 65535\nabcd").unwrap();
        assert_eq!(s.content, Content::Rows { bytes: b"abcd".to_vec(), stride: 4, unit: 2, form: Form::Deep });
    }

    #[test]
    fn bitmaps_are_rows_of_bits() {
        let file = b"P4\n# a comment\n11 2\nabcdrest";
        let s = split_of(file).unwrap();
        assert_eq!(s.content, Content::Rows { bytes: b"abcd".to_vec(), stride: 2, unit: 1, form: Form::Bilevel });
        assert!(split_of(b"P4 11 2 abc").is_none() && split_of(b"P4 0 2 ").is_none());
    }

    #[test]
    fn what_is_not_split() {
        for file in [
            "P5\n3 2\n255\nabcde",
            "P6\n4294967295 4294967295\n65535\nabc",
            "P5\n0 5\n255\n",
            "P5\n1 1\n0\na",
            "P5\n1 1\n99999\nab",
            "P5\n1 1\n255",
            "P5\n1 1 #",
            "P5 99999999999 1 255\na",
            "P5\n",
        ] {
            assert_eq!(split_of(file.as_bytes()), None, "{file}");
        }
    }
}
