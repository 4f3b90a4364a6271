//! Which of the ways to code a file makes it smallest.
//!
//! The media's content through the network (and, where most bands did without it, through the byte model as a whole), the
//! file itself through the byte model when neither helped much, and in the end the file as it is.

use super::adapted;
use super::alpha::{self, Coloured};
use super::bands::{self, Band, Model};
use super::effort::Level;
use super::error::CompressError;
use super::models::Models;
use super::parts;
use super::pieces::{self, Mode, Piece, byte_hint, looks_drawn, row_hint};
use super::progress::Progress;
use super::raster;
use super::sound;
use crate::container::{self, Chunk, Coding, Content, Header, Hint, Medium, Part, Role};
use crate::engine::{Network, Runner};
use crate::entropy::Bits;
use crate::media::Form;
use crate::media::audio::Pcm;
use crate::media::image::Picture;
use crate::media::image::lattice::Planes;
use crate::predict::{adjust, bytes};
use rayon::prelude::*;
use std::borrow::Cow;
use std::sync::Arc;

/// A file's content and recipe, as its medium split it.
pub(super) struct Source<'a> {
    pub medium: Medium,
    /// Rebuilders that the medium needs to join them again.
    pub parts: Vec<Part>,
    pub recipe: &'a [u8],
    pub samples: Samples<'a>,
}

/// The content of a medium.
#[derive(Clone, Copy)]
pub(super) enum Samples<'a> {
    Picture(&'a Picture),
    Rows(&'a [u8], Hint, Form),
    Sound(&'a Pcm),
}

/// Everything but the recipe.
#[derive(Default)]
struct Pieces<'a> {
    /// The network that codes some of it, whether `predict::adjust` corrects it, and how it is adapted.
    model: Option<[u8; 16]>,
    adjusted: bool,
    adaptation: Option<Piece<'a>>,
    /// What the content's bands leave out.
    beside: Vec<Piece<'a>>,
    content: Vec<Piece<'a>>,
}

impl<'a> From<Vec<Piece<'a>>> for Pieces<'a> {
    fn from(content: Vec<Piece<'a>>) -> Self {
        Self { content, ..Self::default() }
    }
}

impl<'a> Pieces<'a> {
    fn all(&self) -> impl Iterator<Item = &Piece<'a>> {
        self.adaptation.iter().chain(&self.beside).chain(&self.content)
    }

    /// Samples of the content that no network codes.
    fn others(&self) -> usize {
        self.content.iter().filter(|p| p.coding != Coding::Network).map(|p| p.decoded).sum()
    }
}

/// A header and its pieces in order, recipe first.
pub(super) struct Plan<'a> {
    pub header: Header,
    pub pieces: Vec<Piece<'a>>,
}

impl<'a> Plan<'a> {
    fn new(file: &File, source: Option<&Source>, content: Content, recipe: Vec<Piece<'a>>, pieces: Pieces<'a>) -> Self {
        let Pieces { model, adjusted, adaptation, beside, content: rest } = pieces;
        let roles = std::iter::repeat_n(Role::Recipe, recipe.len())
            .chain(adaptation.is_some().then_some(Role::Adaptation))
            .chain(std::iter::repeat_n(Role::Beside, beside.len()))
            .chain(std::iter::repeat(Role::Content));
        let pieces: Vec<_> = recipe.into_iter().chain(adaptation).chain(beside).chain(rest).collect();
        let chunks: Vec<Chunk> = pieces.iter().zip(roles).map(|(piece, role)| chunk(piece, role)).collect();
        let uses_network = chunks.iter().any(|c| c.coding == Coding::Network);
        let mut parts = source.map(|s| s.parts.clone()).unwrap_or_default();
        if uses_network && adjusted {
            parts.push(parts::adaptive(adjust::PART));
        }
        let parts = parts::of_chunks(&chunks, &content, parts);
        let model = model.filter(|_| uses_network);
        let medium = source.map(|s| s.medium);
        let (length, checksum) = (file.length, file.checksum);
        Self { header: Header { length, checksum, medium, model, parts, content, chunks }, pieces }
    }

    /// What the pieces cost.
    pub fn cost(&self) -> Bits {
        self.pieces.iter().map(|p| p.cost).sum()
    }

    /// Bytes of the stream, with its header.
    fn bytes(&self) -> u64 {
        self.cost().ceil_bytes() + container::overhead(&self.header) as u64
    }
}

/// The header's entry of a piece. The coded length of a measured piece is its cost.
pub(super) fn chunk(piece: &Piece, role: Role) -> Chunk {
    let coded = if piece.coding == Coding::Stored { piece.decoded as u64 } else { piece.cost.ceil_bytes() };
    Chunk { coding: piece.coding, role, coded, decoded: piece.decoded as u64, crc: piece.crc }
}

/// The file that is planned for.
pub(super) struct File<'a> {
    pub bytes: &'a [u8],
    /// Length and checksum of what the stream restores: the file, or what its medium makes of it under `--pixels`.
    pub length: u64,
    pub checksum: [u8; container::CHECKSUM_BYTES],
    /// Whether that is the file. If not, only the medium is tried.
    pub exact: bool,
    pub network: Option<&'a Network>,
    /// What runs the network in the kernels' place.
    pub runner: Option<&'a dyn Runner>,
    /// What is tried.
    pub level: Level,
    /// Seconds of a segment of sound.
    pub seconds: Option<u32>,
    /// Where a network finds what runs it.
    pub models: &'a Models,
    /// The planes of a picture on a lattice, and the network for them.
    pub of_planes: Option<(&'a Arc<Network>, &'a Planes)>,
    /// A picture with alpha, taken apart; then `network` is for its colours.
    pub coloured: Option<&'a Coloured>,
}

/// Codes (or measures) the file in the ways that may pay and returns the smallest.
pub(super) fn smallest<'a>(
    file: &File<'a>,
    source: Option<&'a Source<'a>>,
    mode: Mode,
    progress: &dyn Progress,
) -> Result<Plan<'a>, CompressError> {
    let medium = match source {
        Some(source) => Some(of_medium(file, source, mode, progress)?),
        None => None,
    };
    let length = file.bytes.len() as u64;
    // A medium that saves a twentieth or more has found what there is to find.
    let bytes = if medium.as_ref().is_some_and(|plan| !file.exact || plan.bytes() <= length - length / 20) {
        None
    } else {
        let pieces = pieces::segments(file.bytes, Hint::default(), mode, progress)?;
        Some(Plan::new(file, None, Content::Bytes(Hint::default()), Vec::new(), pieces.into()))
    };
    let stored = if file.exact { Some(stored(file)) } else { None };
    Ok([stored, bytes, medium].into_iter().flatten().min_by_key(Plan::bytes).expect("one of them was made"))
}

/// Samples of a band that is so short that the byte model as a whole may be better.
const SHORT_BAND: usize = 1 << 11;
/// Bytes of a chunk's entry in the header, about.
const ENTRY: usize = 8;

/// The smallest form of what a medium made of the file.
fn of_medium<'a>(
    file: &File<'a>,
    source: &'a Source<'a>,
    mode: Mode,
    progress: &dyn Progress,
) -> Result<Plan<'a>, CompressError> {
    let recipe = || pieces::segments(source.recipe, Hint::default(), mode, progress);
    let picture = match source.samples {
        Samples::Rows(bytes, hint, form) => {
            if let Some(content) = raster::content(bytes.len(), hint, form) {
                let pieces = pieces::raster(bytes, &content, mode, progress)?;
                return Ok(Plan::new(file, Some(source), content, recipe()?, pieces.into()));
            }
            if let Some((coloured, network)) = file.coloured.zip(file.network) {
                if alpha_pays(coloured, network, bytes, hint, file.level.adjust) {
                    let Picture { width, height, channels, .. } = coloured.picture;
                    let content = Content::Alpha { width, height, channels };
                    let pieces =
                        of_bands(file, network, file.runner, (&coloured.picture, file.level.adjust), mode, progress)?;
                    let beside = pieces::segments(&coloured.alpha, alpha::hint(width), mode, progress)?;
                    if pieces.others() < coloured.picture.samples.len() {
                        return Ok(Plan::new(file, Some(source), content, recipe()?, Pieces { beside, ..pieces }));
                    }
                }
            }
            let pieces = pieces::segments(bytes, hint, mode, progress)?;
            return Ok(Plan::new(file, Some(source), Content::Bytes(hint), recipe()?, pieces.into()));
        }
        Samples::Sound(pcm) => {
            let segment = sound::segment(&pcm.frames, file.seconds);
            let pieces = pieces::sound(pcm, segment, file.level.sound, mode, progress)?;
            let content = sound::content(&pcm.frames, segment);
            return Ok(Plan::new(file, Some(source), content, recipe()?, pieces.into()));
        }
        Samples::Picture(picture) => picture,
    };
    let (width, height, channels) = (picture.width, picture.height, picture.channels);
    let banded = match (file.of_planes, file.network.filter(|_| width <= bands::MAX_WIDTH)) {
        (Some((network, planes)), other) if pays(planes, network, picture, other, file.level.adjust) => {
            let content = Content::Planes { width, height, transform: planes.transform.id };
            Some((content, of_planes(file, network, planes, mode, progress)?))
        }
        (_, Some(network)) => {
            let pieces = of_bands(file, network, file.runner, (picture, file.level.adjust), mode, progress)?;
            Some((Content::Bands { width, height, channels }, pieces))
        }
        (_, None) => None,
    };
    let others = banded.as_ref().map_or(0, |(_, pieces)| pieces.others());
    let length = picture.samples.len();
    // Where bands are short, their entries in the header weigh.
    let short = length / bands::bands(height).len() < SHORT_BAND;
    let whole = if banded.is_none() || short || others * 2 > length {
        let pieces = pieces::segments(&picture.samples, row_hint(width, channels), mode, progress)?;
        Some((Content::Rows { width, height, channels }, pieces.into()))
    } else {
        None
    };
    // Bands are for the network.
    let banded = banded.filter(|_| others < length);
    let cost = |(_, pieces): &(Content, Pieces)| pieces.all().map(|p| p.cost + pieces::whole(ENTRY)).sum::<Bits>();
    let (content, pieces) = [banded, whole].into_iter().flatten().min_by_key(cost).expect("one of them was made");
    Ok(Plan::new(file, Some(source), content, recipe()?, pieces))
}

/// The adaptation of the network, if that pays, and the bands of a picture.
fn of_bands<'a>(
    file: &File<'a>,
    network: &Network,
    runner: Option<&dyn Runner>,
    (picture, adjusted): (&'a Picture, bool),
    mode: Mode,
    progress: &dyn Progress,
) -> Result<Pieces<'a>, CompressError> {
    let model = Some(network.program().id().0);
    let Some((network, code)) = adapted::adapted(network, picture, &file.level.fit) else {
        let content = pieces::bands(Model { network, adjusted }, runner, picture, mode, progress)?;
        return Ok(Pieces { model, adjusted, content, ..Pieces::default() });
    };
    let network = Arc::new(network);
    let runner = file.models.runner_once(&network)?;
    let content = pieces::bands(Model { network: &network, adjusted }, runner.as_deref(), picture, mode, progress)?;
    Ok(Pieces { model, adjusted, adaptation: Some(pieces::stored(Cow::Owned(code))), beside: Vec::new(), content })
}

/// The bands of a picture's planes, and what is beside their lattice.
fn of_planes<'a>(
    file: &File<'a>,
    network: &Arc<Network>,
    planes: &'a Planes,
    mode: Mode,
    progress: &dyn Progress,
) -> Result<Pieces<'a>, CompressError> {
    let runner = file.models.runner(network)?;
    let pieces =
        of_bands(file, network, runner.as_deref(), (&planes.picture, file.level.adjust_planes), mode, progress)?;
    let beside = pieces::segments(&planes.exceptions, Hint::default(), mode, progress)?;
    Ok(Pieces { beside, ..pieces })
}

/// Bands that are looked at to choose between two forms of a picture.
const LOOKED_AT: usize = 4;

/// Some of the bands of a picture, evenly spread, or all.
fn some_bands(height: u32) -> Vec<Band> {
    let bands = bands::bands(height);
    let step = bands.len().div_ceil(LOOKED_AT);
    bands.skip(step / 2).step_by(step).collect()
}

/// Whether a picture with alpha is coded in less as colours and alpha than as rows, by some of its bands.
fn alpha_pays(coloured: &Coloured, network: &Network, rows: &[u8], hint: Hint, adjusted: bool) -> bool {
    let (picture, model) = (&coloured.picture, Model { network, adjusted });
    // In short pieces the byte model has not learned what makes it good at drawings.
    if looks_drawn(rows, picture.width, picture.channels + 1) {
        return false;
    }
    let width = picture.width as usize;
    let costs = some_bands(picture.height).into_par_iter().map(|band| {
        let pixels = band.first as usize * width..(band.first + band.rows) as usize * width;
        let alpha = bytes::measure(&coloured.alpha[pixels.clone()], byte_hint(alpha::hint(picture.width)));
        let unit = hint.pixel as usize;
        let whole = bytes::measure(&rows[pixels.start * unit..pixels.end * unit], byte_hint(hint));
        (pieces::cost(model, picture, band) + alpha, whole)
    });
    let (apart, whole) = costs.reduce(Default::default, |a, b| (a.0 + b.0, a.1 + b.1));
    apart < whole
}

/// Whether the planes of a picture are coded in clearly less than the picture itself, by some of their bands.
pub(super) fn pays(
    planes: &Planes,
    network: &Network,
    picture: &Picture,
    other: Option<&Network>,
    adjusted: bool,
) -> bool {
    if planes.exceptions.len() > bytes::SEGMENT {
        return false;
    }
    let Some(other) = other else { return true };
    let some = some_bands(picture.height);
    let cost = |(network, picture)| {
        let model = Model { network, adjusted };
        some.par_iter().map(|band| pieces::cost(model, picture, *band)).sum::<Bits>()
    };
    let (of_planes, of_picture) = rayon::join(|| cost((network, &planes.picture)), || cost((other, picture)));
    let exceptions = pieces::whole(planes.exceptions.len() * some.len() / bands::bands(picture.height).len());
    (of_planes + exceptions).0 / 49 < of_picture.0 / 50
}

/// The file as it is, in one chunk.
fn stored<'a>(file: &File<'a>) -> Plan<'a> {
    let pieces = if file.bytes.is_empty() { Vec::new() } else { vec![pieces::stored(Cow::Borrowed(file.bytes))] };
    Plan::new(file, None, Content::Bytes(Hint::default()), Vec::new(), pieces.into())
}
