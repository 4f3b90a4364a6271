//! How a large picture is coded, by some of its bands.
//!
//! What must stay true: only the encoder asks; whatever is chosen, the stream says it.

use super::super::adapted;
use super::super::bands::{self, Band, Model, ROWS};
use super::super::compress::Options;
use super::super::error::CompressError;
use super::super::long::Again;
use super::super::models::Models;
use super::super::pieces::{self, looks_drawn, row_hint};
use super::super::plan;
use super::Large;
use crate::engine::{ModelId, Network};
use crate::entropy::Bits;
use crate::media::image::Picture;
use crate::media::image::lattice::{self, Planes, Transform};
use crate::predict::bytes;
use rayon::prelude::*;
use std::io::{self, Read, SeekFrom};
use std::sync::Arc;

/// Bands that are looked at, and their bytes, at most (but one is, always).
const BANDS: usize = 8;
const MOST: usize = 24 << 20;

/// How the bands are coded.
pub(super) struct Way {
    /// The network, whether `predict::adjust` corrects it; `None`: rows for the byte model.
    pub network: Option<Coder>,
    /// The planes that it codes, if it does not code the picture itself.
    pub transform: Option<&'static Transform>,
}

/// A network, perhaps adapted.
pub(super) struct Coder {
    pub id: ModelId,
    pub network: Arc<Network>,
    pub adjusted: bool,
    pub adaptation: Option<Vec<u8>>,
}

impl Coder {
    pub fn model(&self) -> Model<'_> {
        Model { network: &self.network, adjusted: self.adjusted }
    }
}

/// Some bands of a picture, evenly spread.
pub(super) fn places(large: &Large) -> Vec<Band> {
    let all = bands::bands(large.found.height);
    let count = count(large.line()).min(all.len());
    let step = all.len() / count.max(1);
    all.skip(step / 2).step_by(step.max(1)).take(count).collect()
}

/// [`places`], one above the other as a picture; those that can be read.
pub(super) fn spread(large: &Large, file: &mut dyn Again) -> io::Result<Picture> {
    let (line, mut samples) = (large.line() as u64, Vec::new());
    for band in places(large) {
        file.seek(SeekFrom::Start(large.found.start as u64 + u64::from(band.first) * line))?;
        (&mut *file).take(u64::from(band.rows) * line).read_to_end(&mut samples)?;
    }
    Ok(picture(large, samples))
}

/// Bands that are looked at.
fn count(line: usize) -> usize {
    (MOST / (line * ROWS as usize)).clamp(1, BANDS)
}

/// Bytes of the beginning of a file that tell enough of its picture.
pub(super) fn front(large: &Large) -> u64 {
    (large.found.start + count(large.line()) * ROWS as usize * large.line()) as u64
}

/// The whole rows of what [`front`] says.
pub(super) fn first(large: &Large, front: &[u8]) -> Picture {
    let samples = front.get(large.found.start..).unwrap_or_default();
    picture(large, samples[..samples.len().min(large.samples() as usize)].to_vec())
}

/// The whole rows of some samples.
pub(super) fn picture(large: &Large, mut samples: Vec<u8>) -> Picture {
    let rows = samples.len() / large.line();
    samples.truncate(rows * large.line());
    Picture { width: large.found.width, height: rows as u32, channels: large.found.channels, samples }
}

/// Chooses by a sample.
pub(super) fn choose(sample: &Picture, models: &Models, options: &Options) -> Result<Way, CompressError> {
    let level = &options.level;
    let bytes = Way { network: None, transform: None };
    if sample.height == 0 {
        return Ok(bytes);
    }
    let network = models.for_pictures(sample.channels, *level)?;
    let planes = models.for_planes(*level).and_then(|of_planes| {
        let planes = Planes::of(sample, lattice::find(sample)?);
        plan::pays(&planes, &of_planes, sample, network.as_deref(), level.adjust).then_some((of_planes, planes))
    });
    let (network, adjusted, planes) = match (planes, network) {
        (Some((network, planes)), _) => (network, level.adjust_planes, Some(planes)),
        (None, Some(network)) => (network, level.adjust, None),
        (None, None) => return Ok(bytes),
    };
    let picture = planes.as_ref().map_or(sample, |planes| &planes.picture);
    let id = network.program().id();
    let (network, adaptation) = match adapted::adapted(&network, picture, &level.fit) {
        Some((network, code)) => (Arc::new(network), Some(code)),
        None => (network, None),
    };
    let coder = Coder { id, network, adjusted, adaptation };
    if planes.is_none() && is_better_as_bytes(sample, coder.model()) {
        return Ok(bytes);
    }
    Ok(Way { network: Some(coder), transform: planes.map(|planes| planes.transform) })
}

/// Whether most of the sample is drawn, and the byte model takes less for it, learning as it goes, than band by band.
fn is_better_as_bytes(sample: &Picture, model: Model) -> bool {
    let hint = pieces::byte_hint(row_hint(sample.width, sample.channels));
    let line = sample.width as usize * usize::from(sample.channels);
    let drawn = |rows: &&[u8]| looks_drawn(rows, sample.width, sample.channels);
    let all = bands::bands(sample.height);
    if sample.samples.chunks(ROWS as usize * line).filter(drawn).count() * 2 <= all.len() {
        return false;
    }
    let whole: Bits = sample.samples.par_chunks(bytes::SEGMENT).map(|segment| bytes::measure(segment, hint)).sum();
    let all: Vec<_> = all.collect();
    whole < all.into_par_iter().map(|band| pieces::cost(model, sample, band)).sum::<Bits>()
}
