//! Portable Network Graphics: to samples, and back to the same file.
//!
//! What must stay true: a PNG is split only after the file was put together again and every byte was the same; the deflate
//! data is made again by a rebuilder whose exact version the split names.
//!
//! Gray and RGB of 8 bits without interlace become pictures; palettes, alpha and other depths become rows of unfiltered
//! bytes (interlaced ones pass after pass).
//!
//! Recipe, version 1: the header, the chunks before the image data, the filter types (a
//! type, or 5 and a length and raw deflate data of them), the zlib header (two bytes), how the deflate data is
//! made, what follows it (0: its right checksum and no more; else 1 and length and bytes), how it is cut into
//! IDAT chunks, and the chunks after it.

mod filter;
pub(in crate::media) mod idat;
mod layout;
mod matcher;
pub(in crate::media) mod rebuild;
pub(in crate::media) mod retoken;
mod rows;
mod scan;
mod scanlines;
pub(in crate::media) mod search;
mod tokens;
mod write;

pub use rebuild::ZLIB;
pub use rows::{Samples, Unfit};
pub use scan::{Scan, Size, join_pieces, replay, scan, size};
pub use write::encode;

use std::ops::ControlFlow;

use super::zlib::{Deflater, Inflater, Params, adler32};
use super::{Picture, picture};
use crate::media::{
    Content, Form, Format, Limits, MediaError, Medium, Options, Outcome, Sink, Split, checked, join_to,
};
use crate::wire::{Reader, Writer};
use filter::MAX_FILTER;
use idat::{Cuts, Framer, Pieces};
use layout::{Header, Layout};
use rebuild::Rebuild;
use scanlines::Shape;

/// The format's entry in the registry.
pub const FORMAT: Format = Format { medium: Medium::Png, name: "PNG", version: 1, sniff, split, join };

/// Deflate cannot expand a byte to more than this.
const MOST_EXPANSION: u64 = 1032;
/// The deflate data is repeated token by token when that takes at most this part (one in so many) of it.
const CORRECTIONS_SHARE: u64 = 4;
/// Pixels of a picture whose deflate data is repeated token by token.
const MOST_REPEATED: u64 = 64 << 20;
const DAMAGED: &str = "its image data is damaged";
const CUT: &str = "it is cut short";
const LONGER: &str = "its image data is longer than its header says";
const SHORTER: &str = "its image data is shorter than its header says";
const UNKNOWN_FILTER: &str = "it uses an unknown filter";
/// How many guesses are tried on the whole file.
const GUESSES: usize = 8;
/// What [`Options::pixels`] deflates with, here and in the decoder: the slowest level, made for filtered data.
const FRESH: Params = Params { level: 9, memory: 9, strategy: 1, window: 15 };
/// The length of the IDAT pieces that [`Options::pixels`] makes.
const FRESH_PIECE: u32 = 1 << 16;
/// The zlib header for level 9 and a window of 32 KiB.
const FRESH_HEADER: [u8; 2] = [0x78, 0xda];

fn sniff(file: &[u8]) -> bool {
    file.starts_with(layout::SIGNATURE)
}

/// The zlib stream of a PNG, inflated.
struct Stream<'a> {
    /// Filtered scanlines.
    scanlines: Vec<u8>,
    /// The two bytes of the zlib header.
    header: [u8; 2],
    /// The raw deflate data.
    deflate: Vec<&'a [u8]>,
    /// What follows the deflate data, usually its checksum.
    tail: Vec<u8>,
}

/// Whether these can be the first two bytes of a zlib stream (RFC 1950).
fn is_zlib(header: [u8; 2]) -> bool {
    header[0] & 15 == 8 && header[1] & 0x20 == 0 && u16::from_be_bytes(header) % 31 == 0
}

/// Inflates `pieces` if they hold `expected` bytes, no more and no less.
fn inflate<'a>(mut pieces: Pieces<'a>, expected: usize) -> Result<Stream<'a>, &'static str> {
    let mut header = Vec::new();
    pieces.read_to(&mut header, 2);
    let header = <[u8; 2]>::try_from(header).map_err(|_| CUT)?;
    if !is_zlib(header) {
        return Err(DAMAGED);
    }
    let start = pieces.clone();
    let total = pieces.len();
    if expected as u64 / MOST_EXPANSION > total {
        return Err(CUT);
    }
    let mut scanlines = vec![0; expected];
    let mut inflater = Inflater::new().ok_or("memory is short")?;
    let (mut made, mut ended) = (0, false);
    while !ended {
        let chunk = pieces.chunk();
        let progress = inflater.read(chunk, &mut scanlines[made..]).ok_or(DAMAGED)?;
        made += progress.made;
        ended = progress.ended;
        pieces.advance(progress.taken);
        if !ended && progress.taken < chunk.len() {
            return Err(LONGER);
        }
        if !ended && pieces.chunk().is_empty() {
            return Err(CUT);
        }
    }
    if made < expected {
        return Err(SHORTER);
    }
    let deflate = start.first(total - pieces.len());
    let mut tail = Vec::new();
    let length = pieces.len() as usize;
    pieces.read_to(&mut tail, length);
    Ok(Stream { scanlines, header, deflate, tail })
}

/// A recipe in its parts.
struct Recipe<'a> {
    header: Header,
    before: &'a [u8],
    filters: Vec<u8>,
    zlib_header: [u8; 2],
    rebuild: Rebuild,
    /// None: the right checksum.
    tail: Option<Vec<u8>>,
    cuts: Cuts,
    after: &'a [u8],
}

impl Recipe<'_> {
    fn write(&self) -> Vec<u8> {
        let mut w = Writer::new();
        self.header.write(&mut w);
        layout::pack(self.before, &mut w);
        write_filters(&self.filters, &mut w);
        w.raw(&self.zlib_header);
        self.rebuild.write(&mut w);
        match &self.tail {
            None => w.u8(0),
            Some(tail) => {
                w.u8(1);
                w.blob(tail);
            }
        }
        self.cuts.write(&mut w);
        layout::pack(self.after, &mut w);
        w.finish()
    }
}

/// All filter types alike: the type; else 5 and their deflate data.
fn write_filters(filters: &[u8], w: &mut Writer) {
    let first = filters.first().copied().unwrap_or(0);
    if filters.iter().all(|&f| f == first) {
        return w.u8(first);
    }
    let mut packed = Vec::new();
    let best = Params { level: 9, memory: 9, strategy: 0, window: 15 };
    let flow = Deflater::new(best).map(|mut d| {
        d.write(filters, true, |b| {
            packed.extend_from_slice(b);
            ControlFlow::Continue(())
        })
    });
    // a recipe without its filter types does not join, so a failure (no memory) cannot pass for a split
    if flow.is_some_and(|f| f.is_break()) {
        packed.clear();
    }
    w.u8(MAX_FILTER + 1);
    w.blob(&packed);
}

/// Reads what [`write_filters`] wrote; `rows` is the number of filter types, checked against the limits.
fn read_filters(r: &mut Reader<'_>, rows: usize) -> Result<Vec<u8>, MediaError> {
    const DAMAGED: MediaError = MediaError::Inconsistent("the filter types are damaged");
    let tag = r.u8()?;
    if tag <= MAX_FILTER {
        return Ok(vec![tag; rows]);
    }
    if tag > MAX_FILTER + 1 {
        return Err(DAMAGED);
    }
    let packed = r.blob()?;
    let mut filters = vec![0; rows];
    let progress = Inflater::new().and_then(|mut i| i.read(packed, &mut filters)).ok_or(DAMAGED)?;
    let whole = progress.ended && progress.made == rows && progress.taken == packed.len();
    if whole && filters.iter().all(|&f| f <= MAX_FILTER) { Ok(filters) } else { Err(DAMAGED) }
}

fn split(file: &[u8], options: Options, limits: &Limits) -> Outcome {
    match try_split(file, options, limits) {
        Ok(split) => Outcome::Split(Box::new(split)),
        Err(reason) => Outcome::because(format!("this PNG is kept as it is: {reason}")),
    }
}

/// The image data in the IDAT chunks `idat`.
fn scanlines<'a>(idat: &'a [&'a [u8]], shape: &Shape, limits: &Limits) -> Result<Stream<'a>, &'static str> {
    const TOO_LARGE: &str = "it claims more pixels than the limit allows";
    let expected = shape.filtered_bytes().ok_or(TOO_LARGE)?;
    let expected = limits.check(expected, "the image data").map_err(|_| TOO_LARGE)?;
    inflate(Pieces::new(idat), expected)
}

/// What a file holds, whatever wrote its deflate data.
pub(in crate::media) fn content(file: &[u8], limits: &Limits) -> Result<Content, &'static str> {
    let layout = Layout::parse(file)?;
    let shape = Shape::of(layout.header);
    let mut samples = scanlines(&layout.idat, &shape, limits)?.scanlines;
    shape.unfilter(&mut samples).ok_or(UNKNOWN_FILTER)?;
    Ok(content_of(layout.header, &shape, samples))
}

fn try_split(file: &[u8], options: Options, limits: &Limits) -> Result<Split, &'static str> {
    let layout = Layout::parse(file)?;
    let shape = Shape::of(layout.header);
    let stream = scanlines(&layout.idat, &shape, limits)?;
    let guesses = search::guesses(&stream.scanlines, &Pieces::new(&stream.deflate), stream.header);

    let adler = adler32(1, &stream.scanlines).to_be_bytes();
    let mut samples = stream.scanlines;
    let filters = shape.unfilter(&mut samples).ok_or(UNKNOWN_FILTER)?;
    let note = damage(&layout.wrong, &stream.tail, adler, layout.after);
    let lengths = layout.idat.iter().map(|d| d.len() as u32).collect();
    let mut recipe = Recipe {
        header: layout.header,
        before: layout.before,
        filters,
        zlib_header: stream.header,
        rebuild: Rebuild::Zlib(FRESH),
        tail: (stream.tail != adler).then_some(stream.tail),
        cuts: Cuts { lengths, wrong: layout.wrong },
        after: layout.after,
    };
    let mut content = content_of(layout.header, &shape, samples);
    for params in guesses.into_iter().take(GUESSES) {
        recipe.rebuild = Rebuild::Zlib(params);
        match checked(file, attempt(&recipe, content), limits) {
            Ok(split) => return Ok(Split { note, ..split }),
            Err(failed) => content = failed.content,
        }
    }
    if options.pixels {
        return fresh(recipe, content, &shape, limits);
    }
    if u64::from(layout.header.width) * u64::from(layout.header.height) > MOST_REPEATED {
        return Err("it has more than 64 megapixels, and its deflate data is not what zlib makes");
    }
    if let Some(corrections) = corrections_of(&stream.deflate, &shape, content.bytes(), &recipe.filters) {
        recipe.rebuild = Rebuild::Retoken(corrections);
        if let Ok(split) = checked(file, attempt(&recipe, content), limits) {
            return Ok(Split { note, ..split });
        }
    }
    Err("its deflate data cannot be repeated for few bytes; --pixels (same pixels, another file) would save more")
}

/// What is to be said of what is wrong with a PNG whose image data is whole.
fn damage(wrong: &[(usize, u32)], tail: &[u8], adler: [u8; 4], after: &[u8]) -> Option<String> {
    const END: &[u8] = b"IEND\xaeB`\x82";
    let what = if !wrong.is_empty() || (tail.len() >= 4 && !tail.starts_with(&adler)) {
        "has a wrong checksum"
    } else if tail.len() < 4 || !after.windows(END.len()).any(|w| w == END) {
        "is cut short after its image data"
    } else {
        return None;
    };
    Some(format!("this PNG {what}; it is kept exactly as it is"))
}

/// What it takes to repeat deflate data that zlib did not write, if that is little.
fn corrections_of(deflate: &[&[u8]], shape: &Shape, samples: &[u8], filters: &[u8]) -> Option<retoken::Corrections> {
    let mut scanlines = Vec::with_capacity(samples.len() + filters.len());
    let flow = shape.filtered(samples, filters, |bytes| {
        scanlines.extend_from_slice(bytes);
        ControlFlow::<()>::Continue(())
    });
    let pieces = Pieces::new(deflate);
    let corrections = retoken::analyse(&scanlines, pieces.bytes(), pieces.len(), CORRECTIONS_SHARE);
    corrections.filter(|_| flow.is_continue())
}

/// The split that `recipe` and `content` make, not yet tried.
fn attempt(recipe: &Recipe<'_>, content: Content) -> Split {
    let (medium, rebuilders) = (Medium::Png, vec![recipe.rebuild.rebuilder()]);
    Split { medium, content, recipe: recipe.write(), rebuilders, exact: true, note: None }
}

/// Hands over the samples: a picture where the picture models know the form, else rows.
fn content_of(header: Header, shape: &Shape, samples: Vec<u8>) -> Content {
    let Header { width, height, .. } = header;
    match picture_channels(header) {
        Some(channels) => Content::Picture(Picture { width, height, channels, samples }),
        None => Content::Rows { bytes: samples, stride: shape.stride(), unit: shape.unit as u32, form: form(header) },
    }
}

/// What the bytes of its rows are, where it becomes rows.
fn form(header: Header) -> Form {
    match (header.depth, header.colour, header.interlaced) {
        (8, 4 | 6, false) => Form::Alpha,
        (16, _, false) => Form::Deep,
        (1, _, false) => Form::Bilevel,
        _ => Form::Bytes,
    }
}

/// The channels of the picture that a PNG becomes, none if it becomes rows.
fn picture_channels(header: Header) -> Option<u8> {
    match (header.depth, header.colour, header.interlaced) {
        (8, 0, false) => Some(1),
        (8, 2, false) => Some(3),
        _ => None,
    }
}

/// [`Options::pixels`]: other deflate data for the same scanlines, every other chunk as it was.
fn fresh(mut recipe: Recipe<'_>, content: Content, shape: &Shape, limits: &Limits) -> Result<Split, &'static str> {
    const FAILED: &str = "making new deflate data failed";
    recipe.rebuild = Rebuild::Zlib(FRESH);
    recipe.zlib_header = FRESH_HEADER;
    recipe.tail = None;
    let mut length = 2 + 4;
    let mut count = |bytes: &[u8]| {
        length += bytes.len() as u64;
        Ok(())
    };
    recipe.rebuild.run(shape, content.bytes(), &recipe.filters, limits, &mut count).map_err(|_| FAILED)?;
    recipe.cuts = Cuts::even(length, FRESH_PIECE);
    let split = Split { exact: false, ..attempt(&recipe, content) };

    // the file that will be made, read as any reader does, has the same parts
    let mut file = Vec::new();
    let mut keep = |bytes: &[u8]| {
        file.extend_from_slice(bytes);
        ControlFlow::Continue(())
    };
    join_to(Medium::Png, &split.recipe, &split.content, limits, &mut keep).map_err(|_| FAILED)?;
    let made = Layout::parse(&file).map_err(|_| FAILED)?;
    let same_chunks = made.header == recipe.header && made.before == recipe.before && made.after == recipe.after;
    let expected = shape.filtered_bytes().unwrap_or(0) as usize;
    let stream = inflate(Pieces::new(&made.idat), expected).map_err(|_| FAILED)?;
    let mut samples = stream.scanlines;
    let same_filters = shape.unfilter(&mut samples).is_some_and(|f| f == recipe.filters);
    if same_chunks && same_filters && samples == split.content.bytes() { Ok(split) } else { Err(FAILED) }
}

fn join(recipe: &[u8], content: &Content, limits: &Limits, sink: &mut Sink<'_>) -> Result<(), MediaError> {
    let header = Header::read(&mut Reader::new(recipe))?;
    let shape = Shape::of(header);
    let filtered = shape.filtered_bytes().ok_or(MediaError::Inconsistent("the PNG is larger than any file"))?;
    limits.check(filtered, "the image data")?;
    let samples = samples_of(header, &shape, content)?;
    join_by(recipe, limits, sink, |rebuild, filters, take| rebuild.run(&shape, samples, filters, limits, take))
}

/// Puts a file together, of which `deflate` makes the deflate data, by the filter types, and says the scanlines' Adler-32.
fn join_by(
    recipe: &[u8],
    limits: &Limits,
    sink: &mut Sink<'_>,
    deflate: impl FnOnce(&Rebuild, &[u8], &mut dyn FnMut(&[u8]) -> Result<(), MediaError>) -> Result<u32, MediaError>,
) -> Result<(), MediaError> {
    let mut r = Reader::new(recipe);
    let header = Header::read(&mut r)?;
    let rows = limits.check(Shape::of(header).rows(), "the filter types")?;
    layout::emit_header(header, sink)?;
    layout::unpack(&mut r, sink)?;
    let filters = read_filters(&mut r, rows)?;
    let zlib_header = r.raw(2)?;
    let rebuild = Rebuild::read(&mut r)?;
    let tail = match r.u8()? {
        0 => None,
        1 => Some(r.blob()?),
        _ => return Err(MediaError::Inconsistent("an unknown end of the image data")),
    };
    let cuts = Cuts::read(&mut r, limits.max_bytes)?;

    let mut framer = Framer::new(&cuts, sink)?;
    framer.write(zlib_header)?;
    let adler = deflate(&rebuild, &filters, &mut |bytes| framer.write(bytes))?;
    framer.write(tail.unwrap_or(&adler.to_be_bytes()))?;
    framer.finish()?;
    layout::unpack(&mut r, sink)?;
    Ok(r.end()?)
}

/// The samples, if they are what the header says.
fn samples_of<'a>(header: Header, shape: &Shape, content: &'a Content) -> Result<&'a [u8], MediaError> {
    const WRONG: MediaError = MediaError::Inconsistent("the samples are not those of this PNG");
    let bytes = match (picture_channels(header), content) {
        (Some(channels), Content::Picture(_)) => {
            let p = picture(content)?;
            if (p.width, p.height, p.channels) != (header.width, header.height, channels) {
                return Err(WRONG);
            }
            &p.samples
        }
        (None, Content::Rows { bytes, .. }) => bytes,
        _ => return Err(WRONG),
    };
    if shape.sample_bytes() == Some(bytes.len() as u64) { Ok(bytes) } else { Err(WRONG) }
}
