//! Which of the ways to code a file makes it smallest.
//!
//! The media's content through the network (and, where most bands did without it, through the byte model as a whole), the
//! file itself through the byte model when neither helped much, and in the end the file as it is.

use super::adapted;
use super::bands::{self, Model};
use super::effort::Level;
use super::error::CompressError;
use super::models::Models;
use super::parts;
use super::pieces::{self, Mode, Piece, row_hint};
use super::progress::Progress;
use super::sound;
use crate::container::{self, Chunk, Coding, Content, Header, Hint, Medium, Part, Role};
use crate::engine::{Network, Runner};
use crate::entropy::Bits;
use crate::media::audio::Pcm;
use crate::media::image::Picture;
use crate::predict::{adjust, audio, bytes};
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
    Rows(&'a [u8], Hint),
    Sound(&'a Pcm),
}

/// An adaptation of the network, and the content.
type Pieces<'a> = (Option<Piece<'a>>, Vec<Piece<'a>>);

/// A header and its pieces in order, recipe first.
pub(super) struct Plan<'a> {
    pub header: Header,
    pub pieces: Vec<Piece<'a>>,
}

impl<'a> Plan<'a> {
    fn new(
        file: &File,
        source: Option<&Source>,
        content: Content,
        recipe: Vec<Piece<'a>>,
        (adaptation, pieces): Pieces<'a>,
    ) -> Self {
        let roles = std::iter::repeat_n(Role::Recipe, recipe.len())
            .chain(adaptation.is_some().then_some(Role::Adaptation))
            .chain(std::iter::repeat(Role::Content));
        let pieces: Vec<_> = recipe.into_iter().chain(adaptation).chain(pieces).collect();
        let chunks: Vec<Chunk> = pieces.iter().zip(roles).map(|(piece, role)| chunk(piece, role)).collect();
        let uses = |coding| chunks.iter().any(|c| c.coding == coding);
        let mut parts = source.map(|s| s.parts.clone()).unwrap_or_default();
        if uses(Coding::Bytes) {
            parts.push(parts::adaptive(bytes::PART));
        }
        if uses(Coding::Network) && file.level.adjust {
            parts.push(parts::adaptive(adjust::PART));
        }
        if uses(Coding::Samples) {
            parts.push(parts::adaptive(audio::PART));
        }
        parts.sort();
        let model = if uses(Coding::Network) { file.network.map(|n| n.program().id().0) } else { None };
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
fn chunk(piece: &Piece, role: Role) -> Chunk {
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
    /// Where an adapted network finds what runs it.
    pub models: &'a Models,
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
        Some(Plan::new(file, None, Content::Bytes(Hint::default()), Vec::new(), (None, pieces)))
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
        Samples::Rows(bytes, hint) => {
            let pieces = pieces::segments(bytes, hint, mode, progress)?;
            return Ok(Plan::new(file, Some(source), Content::Bytes(hint), recipe()?, (None, pieces)));
        }
        Samples::Sound(pcm) => {
            let segment = sound::segment(pcm.rate);
            let pieces = pieces::sound(pcm, segment, file.level.sound, mode, progress)?;
            let (rate, channels, format) = (pcm.rate, pcm.channels, pcm.format);
            let content = Content::Sound { rate, segment, channels, format };
            return Ok(Plan::new(file, Some(source), content, recipe()?, (None, pieces)));
        }
        Samples::Picture(picture) => picture,
    };
    let (width, height, channels) = (picture.width, picture.height, picture.channels);
    let banded = match file.network.filter(|_| width <= bands::MAX_WIDTH) {
        Some(network) => Some(of_bands(file, network, picture, mode, progress)?),
        None => None,
    };
    let bands = banded.iter().flat_map(|(_, bands)| bands);
    let others = bands.filter(|p| p.coding != Coding::Network).map(|p| p.decoded).sum::<usize>();
    let length = picture.samples.len();
    // Where bands are short, their entries in the header weigh.
    let short = length / bands::bands(height).len() < SHORT_BAND;
    let whole = if banded.is_none() || short || others * 2 > length {
        Some((None, pieces::segments(&picture.samples, row_hint(width, channels), mode, progress)?))
    } else {
        None
    };
    // Bands are for the network.
    let banded = banded.filter(|_| others < length).map(|pieces| (Content::Bands { width, height, channels }, pieces));
    let whole = whole.map(|pieces| (Content::Rows { width, height, channels }, pieces));
    let cost = |(_, (adaptation, pieces)): &(Content, Pieces)| {
        adaptation.iter().chain(pieces).map(|p| p.cost + pieces::whole(ENTRY)).sum::<Bits>()
    };
    let (content, pieces) = [banded, whole].into_iter().flatten().min_by_key(cost).expect("one of them was made");
    Ok(Plan::new(file, Some(source), content, recipe()?, pieces))
}

/// The adaptation of the network, if that pays, and the bands of a picture.
fn of_bands<'a>(
    file: &File<'a>,
    network: &Network,
    picture: &'a Picture,
    mode: Mode,
    progress: &dyn Progress,
) -> Result<Pieces<'a>, CompressError> {
    let adjusted = file.level.adjust;
    let Some((network, code)) = adapted::adapted(network, picture, &file.level.fit) else {
        return Ok((None, pieces::bands(Model { network, adjusted }, file.runner, picture, mode, progress)?));
    };
    let network = Arc::new(network);
    let runner = file.models.runner_once(&network)?;
    let bands = pieces::bands(Model { network: &network, adjusted }, runner.as_deref(), picture, mode, progress)?;
    Ok((Some(pieces::stored(Cow::Owned(code))), bands))
}

/// The file as it is, in one chunk.
fn stored<'a>(file: &File<'a>) -> Plan<'a> {
    let pieces = if file.bytes.is_empty() { Vec::new() } else { vec![pieces::stored(Cow::Borrowed(file.bytes))] };
    Plan::new(file, None, Content::Bytes(Hint::default()), Vec::new(), (None, pieces))
}
