//! A file to a stream, or to its code length.

use super::alpha;
use super::bands::{self, Band};
use super::effort::{Effort, Level};
use super::error::CompressError;
use super::models::Models;
use super::pieces::Mode;
use super::plan::{self, File, Plan, Samples, Source};
use super::{DEFAULT_LIMIT, Progress, parts};
use crate::container::{self, Coding, Content, Hint, Role};
use crate::engine::Network;
use crate::entropy::Bits;
use crate::media::audio::raw::Raw;
use crate::media::image::lattice::{self, Planes};
use crate::media::{self, Limits, Outcome};
use std::ops::ControlFlow;
use std::sync::Arc;

/// What the user chose.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// What is done to make the stream small.
    pub level: Level,
    /// Decode every piece again and compare, before success is reported.
    pub verify: bool,
    /// Keep a picture's pixels and chunks, and give up the exact deflate data of its file where that would cost bytes.
    pub pixels: bool,
    /// Seconds of a segment of sound, 1 to 120; `None`: 30, or fewer where a second has very many samples.
    pub seconds: Option<u32>,
    /// The file is raw samples of sound.
    pub raw: Option<Raw>,
    /// The most bytes that the samples of a medium may take; a file that declares more is coded as bytes.
    pub limit: u64,
}

impl Default for Options {
    /// The middle level, verified, exact, and with the limit that a decoder has by default.
    fn default() -> Self {
        Self {
            level: Effort::default().level(),
            verify: true,
            pixels: false,
            seconds: None,
            raw: None,
            limit: DEFAULT_LIMIT,
        }
    }
}

impl Options {
    /// What a medium is told.
    pub(super) fn media(&self) -> media::Options {
        media::Options { pixels: self.pixels, raw: self.raw }
    }
}

/// What a stream holds, in figures.
#[derive(Debug, Clone)]
pub struct Summary {
    /// Length of the file that was given, in bytes.
    pub length: u64,
    /// The way that most of the content is coded.
    pub coding: Coding,
    /// Name of the file's medium, if it was split.
    pub medium: Option<&'static str>,
    /// Number of samples, if the content is a picture or sound.
    pub samples: Option<u64>,
    /// Code length of all chunks: content and recipe, without the header.
    pub cost: Bits,
    /// Number of chunks.
    pub chunks: usize,
    /// Bytes of the header.
    pub overhead: u64,
    /// Whether the stream restores the very same file (not so under [`Options::pixels`]).
    pub exact: bool,
    /// What the user should know.
    pub notes: Vec<String>,
}

/// A stream and what it holds.
#[derive(Debug)]
pub struct Compressed {
    /// The stream.
    pub bytes: Vec<u8>,
    /// Its figures.
    pub summary: Summary,
}

/// The code length of a file; its stream would take `summary.cost` and `summary.overhead`.
#[derive(Debug)]
pub struct Measured {
    /// The figures.
    pub summary: Summary,
    /// The rows and the cost of each band, if the content is a picture in bands.
    pub bands: Vec<(Band, Bits)>,
}

/// Compresses a file. Any bytes can be given: what no model helps with is stored, at no more than 64 bytes more.
pub fn compress(
    file: &[u8],
    models: &Models,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Compressed, CompressError> {
    let mode = Mode::Write { verify: options.verify };
    with_plan(file, models, options, mode, progress, |plan, summary| {
        let bytes = container::assemble(&plan.header, plan.pieces.iter().map(|piece| &*piece.bytes));
        Compressed { bytes, summary }
    })
}

/// Measures a file: the code length that [`compress`] would reach, without coding.
pub fn measure(
    file: &[u8],
    models: &Models,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Measured, CompressError> {
    with_plan(file, models, options, Mode::Measure, progress, |plan, summary| {
        let bands = bands::bands(plan.header.content.banded().map_or(0, |(_, height, _)| height));
        let content = plan.pieces.iter().zip(&plan.header.chunks).filter(|(_, chunk)| chunk.role == Role::Content);
        Measured { bands: bands.zip(content.map(|(piece, _)| piece.cost)).collect(), summary }
    })
}

/// Splits the file, plans it, and hands the smallest plan and its figures on.
fn with_plan<T>(
    file: &[u8],
    models: &Models,
    options: &Options,
    mode: Mode,
    progress: &dyn Progress,
    then: impl FnOnce(&Plan, Summary) -> T,
) -> Result<T, CompressError> {
    let limits = Limits { max_bytes: options.limit };
    let mut notes = Vec::new();
    let split = match media::split(file, options.media(), &limits) {
        Outcome::Split(split) => Some(split),
        Outcome::Opaque { note } => {
            notes.extend(note);
            None
        }
    };
    let mut network: Option<Arc<Network>> = None;
    let mut of_planes: Option<(Arc<Network>, Planes)> = None;
    let mut coloured = None;
    let mut source = None;
    let mut exact = true;
    let mut identity = (file.len() as u64, [0; container::CHECKSUM_BYTES]);
    if let Some(split) = &split {
        notes.extend(split.note.clone());
        exact = split.exact;
        let samples = match &split.content {
            media::Content::Picture(picture) => {
                network = models.for_pictures(picture.channels, options.level)?;
                of_planes = models.for_planes(options.level).and_then(|network| {
                    let transform = lattice::find(picture).filter(|_| picture.width <= bands::MAX_WIDTH)?;
                    Some((network, Planes::of(picture, transform)))
                });
                Samples::Picture(picture)
            }
            media::Content::Rows { bytes, stride, unit, form } => {
                let hint = Hint { record: *stride, pixel: *unit };
                coloured = alpha::Coloured::of(bytes, hint, *form);
                if let Some(coloured) = &coloured {
                    network = models.for_pictures(coloured.picture.channels, options.level)?;
                }
                Samples::Rows(bytes, hint, *form)
            }
            media::Content::Pcm(pcm) => Samples::Sound(pcm),
        };
        source = Some(Source {
            medium: container::Medium { id: split.medium as u8, version: u32::from(split.medium.format().version) },
            parts: split.rebuilders.iter().copied().map(parts::rebuilder).collect(),
            recipe: &split.recipe,
            samples,
        });
        if !exact {
            identity = joined(split, &limits)?;
        }
    }
    if exact {
        identity.1 = container::checksum(file);
    }
    let runner = network.as_ref().map(|network| models.runner(network)).transpose()?.flatten();
    let (network, runner) = (network.as_deref(), runner.as_deref());
    let file = File {
        bytes: file,
        length: identity.0,
        checksum: identity.1,
        exact,
        network,
        runner,
        level: options.level,
        seconds: options.seconds,
        models,
        of_planes: of_planes.as_ref().map(|(network, planes)| (network, planes)),
        coloured: coloured.as_ref(),
    };
    let plan = plan::smallest(&file, source.as_ref(), mode, progress)?;
    let medium = plan.header.medium.and(split.as_ref()).map(|s| s.medium.format().name);
    // Sound is restored segment by segment.
    let is_sound = matches!(plan.header.content, Content::Sound { .. });
    if !is_sound && plan.header.memory() > DEFAULT_LIMIT {
        notes.push(format!("to restore it, decompress needs --limit {}", plan.header.memory()));
    }
    let coding = main_coding(&plan);
    if let Some(name) = media::packed(file.bytes).filter(|_| medium.is_none() && notes.is_empty()) {
        notes.push(match coding {
            Coding::Stored => format!("stored: {name} is compressed already"),
            _ => format!("{name} is compressed already: coded as bytes"),
        });
    }
    let summary = Summary {
        length: file.bytes.len() as u64,
        coding,
        medium,
        samples: plan.header.samples(),
        cost: plan.cost(),
        chunks: plan.pieces.len(),
        overhead: container::overhead(&plan.header) as u64,
        exact: exact || medium.is_none(),
        notes,
    };
    Ok(then(&plan, summary))
}

/// Length and checksum of the file that a split restores, which is not the one that it came from.
fn joined(split: &media::Split, limits: &Limits) -> Result<(u64, [u8; container::CHECKSUM_BYTES]), CompressError> {
    let (mut length, mut checksum) = (0, container::Checksum::default());
    media::join_to(split.medium, &split.recipe, &split.content, limits, &mut |bytes| {
        length += bytes.len() as u64;
        checksum.update(bytes);
        ControlFlow::Continue(())
    })
    .map_err(|e| CompressError::Join(e.to_string()))?;
    Ok((length, checksum.finish()))
}

/// The coding of the most bytes; an empty file is stored.
fn main_coding(plan: &Plan) -> Coding {
    let bytes = |coding| plan.pieces.iter().filter(|p| p.coding == coding).map(|p| p.decoded).sum::<usize>();
    let stored = bytes(Coding::Stored);
    let others = [Coding::Bytes, Coding::Network, Coding::Samples].into_iter().map(|coding| (bytes(coding), coding));
    others
        .max_by_key(|(bytes, _)| *bytes)
        .filter(|(bytes, _)| *bytes > stored)
        .map_or(Coding::Stored, |(_, coding)| coding)
}
