//! Pictures of one size: the files that hold them, to symbols and back.
//!
//! What must stay true: a file's values are a function of the symbols and what the recipe says: 0 and one other value for
//! binary pictures, the symbols themselves for others; tiles of a sheet are counted row by row.
//!
//! In the recipe: the value of the symbol 1 (0: the symbols are the values); then the kind of file: 0, an IDX file: its number of
//! dimensions (1 byte), each (uint); 1, a file of another medium: width, height (uints), channels (1 byte), whether eight pixels
//! are in a byte (1 byte), the medium (1 byte), the version of its recipes (uint), its recipe (length, bytes); 2, a PBM: width,
//! height (uints), the bytes before and after the pixels (length, bytes each).

use super::{Idx, SetError};
use crate::media::image::Picture;
use crate::media::{self, Content, Limits, MediaError, Medium, Outcome, Rebuilder, Sink, emit};
use crate::spec::Domain;
use crate::wire::{Reader, Writer};

/// Pictures of one size, one after the other.
pub struct Stack {
    /// Rows.
    pub height: u32,
    /// Columns.
    pub width: u32,
    /// Samples a pixel.
    pub channels: u16,
    /// Whether the file says how many pictures there are.
    pub counted: bool,
    /// Values: row, column, channel.
    pub values: Vec<u8>,
}

impl Stack {
    /// Width and height of an example: the pictures', or those of a sheet's tiles.
    pub fn tile(&self, tile: Option<(u32, u32)>) -> Result<(u32, u32), SetError> {
        let (width, height) = (self.width, self.height);
        match tile {
            None => Ok((width, height)),
            Some((w, h)) if self.counted && (w, h) == (width, height) => Ok((w, h)),
            Some((w, h)) if !self.counted && w > 0 && h > 0 && width % w == 0 && height % h == 0 => Ok((w, h)),
            Some((w, h)) => Err(SetError::Picture(format!(
                "a picture of {width} x {height} pixels is not made of tiles of {w} x {h}"
            ))),
        }
    }
}

/// What restores a file besides its symbols.
pub struct Pictures {
    /// The value of the symbol 1; 0 if the symbols are the values.
    one: u8,
    file: File,
}

/// The kinds of files.
pub enum File {
    /// Its sizes.
    Idx(Vec<u32>),
    /// A picture in a file that another medium takes apart.
    Other { shape: Shape, packed: bool, medium: Medium, recipe: Vec<u8>, rebuilders: Vec<Rebuilder> },
    /// A picture of bits; what stands before them, and behind.
    Pbm { shape: Shape, before: Vec<u8>, after: Vec<u8> },
}

/// A whole file's picture.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    width: u32,
    height: u32,
    channels: u8,
}

/// Takes a file apart.
pub fn open(file: &[u8], limits: &Limits) -> Result<(Stack, File), SetError> {
    if Idx::sniff(file) {
        let Idx { dims, data } = Idx::parse(file)?;
        let (height, width, channels) = match dims[1..] {
            [w] => (1, w, 1),
            [h, w] => (h, w, 1),
            [h, w, c] => (h, w, c),
            _ => return Err(SetError::Idx("has one dimension: labels, not pictures".into())),
        };
        let channels = u16::try_from(channels).map_err(|_| SetError::Idx("has too many channels".into()))?;
        return Ok((Stack { height, width, channels, counted: true, values: data.to_vec() }, File::Idx(dims)));
    }
    let (shape, values, file) = if file.starts_with(b"P4") { pbm(file, limits)? } else { other(file, limits)? };
    let Shape { width, height, channels } = shape;
    Ok((Stack { height, width, channels: channels.into(), counted: false, values }, file))
}

/// A picture in a format of `media`.
fn other(file: &[u8], limits: &Limits) -> Result<(Shape, Vec<u8>, File), SetError> {
    const FORMS: &str =
        "only pictures of 8 bits in gray or RGB, or of 1 bit, are read: no palette, no alpha, no interlace";
    let split = match media::split(file, media::Options::default(), limits) {
        Outcome::Split(split) => split,
        Outcome::Opaque { note: Some(note) } => return Err(SetError::Picture(note)),
        Outcome::Opaque { note: None } => return Err(SetError::NoPictures),
    };
    let media::Split { medium, content, recipe, rebuilders, .. } = *split;
    let (shape, values, packed) = match content {
        Content::Picture(Picture { width, height, channels, samples }) => {
            (Shape { width, height, channels }, samples, false)
        }
        // A PNG of one bit of gray, not interlaced (PNG specification, 11.2.2).
        Content::Rows { bytes, .. } if medium == Medium::Png && file.get(24..29) == Some(&[1, 0, 0, 0, 0]) => {
            let side = |at: usize| u32::from_be_bytes([file[at], file[at + 1], file[at + 2], file[at + 3]]);
            let shape = Shape { width: side(16), height: side(20), channels: 1 };
            let bits = unpacked(&bytes, shape).ok_or_else(|| SetError::Picture("a row ends in stray bits".into()))?;
            (shape, bits, true)
        }
        Content::Rows { .. } => return Err(SetError::Picture(FORMS.into())),
        Content::Pcm(_) => return Err(SetError::NoPictures),
    };
    Ok((shape, values, File::Other { shape, packed, medium, recipe, rebuilders }))
}

/// A binary PBM (netpbm's pbm(5)); 1 is black, and black is 0 here.
fn pbm(file: &[u8], limits: &Limits) -> Result<(Shape, Vec<u8>, File), SetError> {
    let fail = |what: &str| SetError::Picture(format!("the PBM {what}"));
    let mut at = 2;
    let mut number = || -> Option<u32> {
        loop {
            match file.get(at)? {
                b'#' => at += file[at..].iter().position(|b| *b == b'\n')?,
                c if c.is_ascii_whitespace() => at += 1,
                _ => break,
            }
        }
        let digits = file[at..].iter().take(11).take_while(|b| b.is_ascii_digit()).count();
        let value = std::str::from_utf8(&file[at..at + digits]).ok()?.parse().ok()?;
        at += digits;
        Some(value)
    };
    let (width, height) = number().zip(number()).ok_or_else(|| fail("header is damaged"))?;
    let start = at + 1;
    let shape = Shape { width, height, channels: 1 };
    let (samples, bytes) = (u64::from(width) * u64::from(height), u64::from(width.div_ceil(8)) * u64::from(height));
    if samples == 0 || samples > limits.max_bytes {
        return Err(SetError::TooLarge { bytes: samples, limit: limits.max_bytes });
    }
    let rest = file.get(start..).filter(|rest| rest.len() as u64 >= bytes).ok_or_else(|| fail("is cut short"))?;
    let (rows, after) = rest.split_at(bytes as usize);
    let mut values = unpacked(rows, shape).ok_or_else(|| fail("has stray bits at the end of a row"))?;
    values.iter_mut().for_each(|v| *v = 255 - *v);
    Ok((shape, values, File::Pbm { shape, before: file[..start].to_vec(), after: after.to_vec() }))
}

/// Bits in rows of whole bytes to 0 and 255; none if a bit behind the end of a row is set, or bytes are missing.
fn unpacked(bytes: &[u8], Shape { width, height, .. }: Shape) -> Option<Vec<u8>> {
    let stride = width.div_ceil(8) as usize;
    if bytes.len() != stride.checked_mul(height as usize)? {
        return None;
    }
    let mut out = Vec::with_capacity(width as usize * height as usize);
    for row in bytes.chunks_exact(stride) {
        let bit = |x: usize| (row[x / 8] >> (7 - x % 8)) & 1;
        out.extend((0..width as usize).map(|x| bit(x) * 255));
        if (width as usize..stride * 8).any(|x| bit(x) == 1) {
            return None;
        }
    }
    Some(out)
}

/// 0 and 255 to bits, each turned around if `inverted`.
fn packed(values: &[u8], shape: Shape, inverted: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(values.len().div_ceil(8));
    for row in values.chunks(shape.width as usize) {
        for eight in row.chunks(8) {
            let bit = |(i, v): (usize, &u8)| u8::from((*v != 0) != inverted) << (7 - i);
            out.push(eight.iter().enumerate().map(bit).sum());
        }
    }
    out
}

/// The value that stands for the symbol 1 of binary pictures; a value that neither kind has, if they are not binary.
pub fn one(values: &[u8]) -> Result<u8, u8> {
    let all = |one: u8| values.iter().all(|v| *v == 0 || *v == one);
    match (all(255), all(1)) {
        (true, _) => Ok(255),
        (_, true) => Ok(1),
        _ => Err(values.iter().copied().find(|v| !matches!(v, 0 | 1 | 255)).unwrap_or(1)),
    }
}

/// Symbols of all pictures in a file, and the rest of it.
pub fn read(file: &[u8], domain: &Domain, limits: &Limits) -> Result<(Vec<u16>, Pictures), SetError> {
    let Domain::Pictures { channels, height, width, alphabet } = *domain else { return Err(SetError::NoPictures) };
    let (stack, file) = open(file, limits)?;
    let tiled = !stack.counted && stack.height % height.max(1) == 0 && stack.width % width.max(1) == 0;
    if stack.channels != channels || (!tiled && (stack.height, stack.width) != (height, width)) {
        let shape = |h: u32, w: u32, c: u16| format!("{w} x {h} with {c} channel{}", if c == 1 { "" } else { "s" });
        let (found, wanted) = (shape(stack.height, stack.width, stack.channels), shape(height, width, channels));
        return Err(SetError::Shape { found, wanted });
    }
    let one = if alphabet == 2 { one(&stack.values).map_err(SetError::Gray)? } else { 0 };
    let stray = stack.values.iter().find(|v| one == 0 && u32::from(**v) >= alphabet);
    if let Some(value) = stray {
        return Err(SetError::Value { value: *value, alphabet });
    }
    let mut symbols: Vec<u16> = match one {
        0 => stack.values.iter().map(|v| u16::from(*v)).collect(),
        _ => stack.values.iter().map(|v| u16::from(*v != 0)).collect(),
    };
    if !stack.counted {
        symbols = tiles([stack.width, height, width], channels, &symbols, Side::Apart);
    }
    Ok((symbols, Pictures { one, file }))
}

/// Which way [`tiles`] goes.
pub enum Side {
    /// A sheet to tiles one after the other.
    Apart,
    /// Back.
    Together,
}

/// Moves samples between a sheet of some width and its tiles of some height and width.
pub fn tiles<T: Copy + Default>([sheet, height, width]: [u32; 3], channels: u16, from: &[T], side: Side) -> Vec<T> {
    let (line, unit) = (sheet as usize * usize::from(channels), width as usize * usize::from(channels));
    let (rows, across) = (height as usize, (sheet / width.max(1)) as usize);
    let mut to = vec![T::default(); from.len()];
    // Piece after piece of a tile's row, in the order of the tiles.
    for (piece, place) in (0..from.len()).step_by(unit.max(1)).enumerate() {
        let (tile, y) = (piece / rows, piece % rows);
        let in_sheet = (tile / across * rows + y) * line + tile % across * unit;
        let (source, target) = match side {
            Side::Apart => (in_sheet, place),
            Side::Together => (place, in_sheet),
        };
        to[target..target + unit].copy_from_slice(&from[source..source + unit]);
    }
    to
}

const IDX: u8 = 0;
const OTHER: u8 = 1;
const PBM: u8 = 2;

impl Pictures {
    /// What [`join`](Self::join) runs.
    pub fn rebuilders(&self) -> &[Rebuilder] {
        if let File::Other { rebuilders, .. } = &self.file { rebuilders } else { &[] }
    }

    /// Appends it to a recipe.
    pub fn write(&self, w: &mut Writer) {
        w.u8(self.one);
        let sides = |w: &mut Writer, shape: &Shape| {
            w.uint(shape.width.into());
            w.uint(shape.height.into());
        };
        match &self.file {
            File::Idx(dims) => {
                w.u8(IDX);
                w.u8(dims.len() as u8);
                dims.iter().for_each(|d| w.uint((*d).into()));
            }
            File::Other { shape, packed, medium, recipe, .. } => {
                w.u8(OTHER);
                sides(w, shape);
                w.u8(shape.channels);
                w.u8((*packed).into());
                w.u8(*medium as u8);
                w.uint(medium.format().version.into());
                w.blob(recipe);
            }
            File::Pbm { shape, before, after } => {
                w.u8(PBM);
                sides(w, shape);
                w.blob(before);
                w.blob(after);
            }
        }
    }

    /// Reads what [`write`](Self::write) wrote.
    pub fn read(r: &mut Reader<'_>) -> Result<Self, MediaError> {
        const SIDE: &str = "the side of a picture";
        let one = r.u8()?;
        let kind = r.u8()?;
        let side = |r: &mut Reader<'_>| r.at_most(u32::MAX.into(), SIDE).map(|n| n as u32);
        let file = match kind {
            IDX => {
                let count = r.u8()?;
                File::Idx((0..count).map(|_| side(r)).collect::<Result<_, _>>()?)
            }
            OTHER => {
                let shape = Shape { width: side(r)?, height: side(r)?, channels: r.u8()? };
                let packed = match r.u8()? {
                    0 => false,
                    1 => true,
                    _ => return Err(MediaError::Inconsistent("an unknown form of a picture")),
                };
                let medium = Medium::from_id(r.u8()?).ok_or(MediaError::Inconsistent("a set of an unknown medium"))?;
                if r.uint()? != u64::from(medium.format().version) {
                    return Err(MediaError::Inconsistent("a set of a medium of another version"));
                }
                File::Other { shape, packed, medium, recipe: r.blob()?.to_vec(), rebuilders: Vec::new() }
            }
            PBM => {
                let shape = Shape { width: side(r)?, height: side(r)?, channels: 1 };
                File::Pbm { shape, before: r.blob()?.to_vec(), after: r.blob()?.to_vec() }
            }
            _ => return Err(MediaError::Inconsistent("an unknown form of pictures")),
        };
        Ok(Self { one, file })
    }

    /// The file of some symbols, which are of pictures of a height and width.
    pub fn join(
        &self,
        symbols: &[u16],
        [height, width]: [u32; 2],
        alphabet: u32,
        limits: &Limits,
        sink: &mut Sink<'_>,
    ) -> Result<(), MediaError> {
        const WRONG: MediaError = MediaError::Inconsistent("the pictures are not those of the file");
        if (alphabet == 2) != (self.one != 0) || symbols.iter().any(|s| *s > 255) {
            return Err(WRONG);
        }
        let value = |s: &u16| if self.one == 0 { *s as u8 } else { u8::from(*s != 0) * self.one };
        let mut values: Vec<u8> = symbols.iter().map(value).collect();
        let (File::Other { shape, .. } | File::Pbm { shape, .. }) = &self.file else {
            let File::Idx(dims) = &self.file else { return Err(WRONG) };
            let need = dims.iter().try_fold(1u64, |n, d| n.checked_mul((*d).into()));
            if need != Some(values.len() as u64) {
                return Err(WRONG);
            }
            emit(sink, &Idx::header(dims))?;
            return emit(sink, &values);
        };
        let samples = u64::from(shape.width) * u64::from(shape.height);
        let fits = samples.checked_mul(shape.channels.into()) == Some(values.len() as u64);
        if !fits || values.is_empty() || shape.width % width.max(1) != 0 || shape.height % height.max(1) != 0 {
            return Err(WRONG);
        }
        values = tiles([shape.width, height, width], shape.channels.into(), &values, Side::Together);
        match &self.file {
            File::Pbm { before, after, .. } => {
                emit(sink, before)?;
                emit(sink, &packed(&values, *shape, true))?;
                emit(sink, after)
            }
            File::Other { packed: true, medium, recipe, .. } => {
                let content = Content::Rows {
                    bytes: packed(&values, *shape, false),
                    stride: 0,
                    unit: 0,
                    form: media::Form::Bytes,
                };
                media::join_to(*medium, recipe, &content, limits, sink)
            }
            File::Other { medium, recipe, .. } => {
                let Shape { width, height, channels } = *shape;
                let content = Content::Picture(Picture { width, height, channels, samples: values });
                media::join_to(*medium, recipe, &content, limits, sink)
            }
            File::Idx(_) => Err(WRONG),
        }
    }
}
