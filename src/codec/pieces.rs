//! One piece of a file, coded by whichever model makes it smallest, and checked at once.
//!
//! What must stay true: writing and measuring choose by the same rule, so the length that `measure` prints is the length
//! that `compress` writes, but for the few bytes by which a chunk's code differs from its code length.

use super::bands::{self, Band, Model, Source};
use super::error::CompressError;
use super::known;
use super::progress::Progress;
use super::raster::Raster;
use super::sound;
use crate::container::{Coding, Content, Hint};
use crate::engine::device::{DeviceError, Interval};
use crate::engine::{Network, Runner};
use crate::entropy::Bits;
use crate::media::audio::{Frames, Pcm};
use crate::media::image::Picture;
use crate::predict::bytes;
use rayon::prelude::*;
use std::borrow::Cow;

/// What is done with a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Code it; with `verify`, decode it again and compare.
    Write {
        /// Whether to decode again.
        verify: bool,
    },
    /// Add up what it costs.
    Measure,
}

/// A coded (or measured) piece.
#[derive(Debug)]
pub(super) struct Piece<'a> {
    pub coding: Coding,
    /// Length of the piece before coding.
    pub decoded: usize,
    /// CRC-32 of the piece before coding.
    pub crc: u32,
    /// Its code length.
    pub cost: Bits,
    /// The coded bytes; empty when it was only measured.
    pub bytes: Cow<'a, [u8]>,
}

/// A candidate for a piece: how, how long, and the bytes if it was written.
struct Coded {
    coding: Coding,
    cost: Bits,
    bytes: Vec<u8>,
}

/// The code length of whole bytes.
pub(super) fn whole(bytes: usize) -> Bits {
    Bits((bytes as u128) << (3 + Bits::FRACTION))
}

impl Coded {
    fn written(coding: Coding, bytes: Vec<u8>) -> Self {
        Self { coding, cost: whole(bytes.len()), bytes }
    }
    fn measured(coding: Coding, cost: Bits) -> Self {
        Self { coding, cost, bytes: Vec::new() }
    }
}

/// Bytes that stand as they are.
pub(super) fn stored<'a>(bytes: Cow<'a, [u8]>) -> Piece<'a> {
    let (decoded, crc) = (bytes.len(), crc32fast::hash(&bytes));
    Piece { coding: Coding::Stored, decoded, crc, cost: whole(decoded), bytes }
}

/// The byte model's form of a hint.
pub(super) fn byte_hint(hint: Hint) -> bytes::Hint {
    bytes::Hint { record: hint.record, pixel: hint.pixel }
}

fn by_bytes(data: &[u8], hint: Hint, mode: Mode) -> Coded {
    match mode {
        Mode::Write { .. } => Coded::written(Coding::Bytes, bytes::encode(data, byte_hint(hint))),
        Mode::Measure => Coded::measured(Coding::Bytes, bytes::measure(data, byte_hint(hint))),
    }
}

fn by_network(source: Source, picture: &Picture, band: Band, mode: Mode) -> Coded {
    match mode {
        Mode::Write { .. } => Coded::written(Coding::Network, bands::encode_band(source, picture, band)),
        Mode::Measure => Coded::measured(Coding::Network, bands::measure_band(source, picture, band)),
    }
}

/// Codes bytes in segments, in parallel. A segment that the byte model does not make smaller is stored.
pub(super) fn segments<'a>(
    data: &'a [u8],
    hint: Hint,
    mode: Mode,
    progress: &dyn Progress,
) -> Result<Vec<Piece<'a>>, CompressError> {
    let code = |(index, data): (usize, &'a [u8])| {
        let piece = one_of_bytes(data, hint, index, mode);
        progress.advance(data.len() as u64);
        piece
    };
    progress.begin(data.len() as u64);
    if data.len() <= bytes::SEGMENT {
        return data.chunks(bytes::SEGMENT).enumerate().map(code).collect();
    }
    data.par_chunks(bytes::SEGMENT).enumerate().map(code).collect()
}

/// Codes a segment of bytes. One that the byte model does not make smaller is stored.
pub(super) fn one_of_bytes(data: &[u8], hint: Hint, index: usize, mode: Mode) -> Result<Piece<'_>, CompressError> {
    let best = if bytes::looks_incompressible(data) { None } else { Some(by_bytes(data, hint, mode)) };
    let check = |coded: &Coded| gives_back(&coded.bytes, data, hint);
    smallest(data, best, check, mode).ok_or(CompressError::Verification { piece: index })
}

/// Codes sound in segments of so many frames, in parallel, by the profile of this number.
pub(super) fn sound<'a>(
    pcm: &'a Pcm,
    segment: u32,
    profile: usize,
    mode: Mode,
    progress: &dyn Progress,
) -> Result<Vec<Piece<'a>>, CompressError> {
    let code = |(index, data): (usize, &'a [u8])| {
        let piece = one_segment(data, &pcm.frames, profile, index, mode);
        progress.advance(data.len() as u64);
        piece
    };
    progress.begin(pcm.bytes.len() as u64);
    let segments: Vec<_> = pcm.bytes.chunks(segment as usize * pcm.frames.bytes()).enumerate().collect();
    if segments.len() == 1 {
        return segments.into_iter().map(code).collect();
    }
    segments.into_par_iter().map(code).collect()
}

/// Codes a raster in segments, in parallel: each by its predictor, by the byte model, or stored.
pub(super) fn raster<'a>(
    data: &'a [u8],
    content: &Content,
    mode: Mode,
    progress: &dyn Progress,
) -> Result<Vec<Piece<'a>>, CompressError> {
    let raster = Raster::of(content).expect("a raster");
    let code = |(index, data): (usize, &'a [u8])| {
        let mut best = match mode {
            Mode::Write { .. } => Coded::written(Coding::Samples, raster.encode(data)),
            Mode::Measure => Coded::measured(Coding::Samples, raster.measure(data)),
        };
        if data.len() <= bytes::SEGMENT {
            let other = by_bytes(data, raster.hint(), mode);
            best = if other.cost < best.cost { other } else { best };
        }
        let check = |coded: &Coded| match coded.coding {
            Coding::Samples => {
                let mut back = vec![0; data.len()];
                raster.decode(&coded.bytes, &mut back).is_ok() && back == data
            }
            _ => gives_back(&coded.bytes, data, raster.hint()),
        };
        let piece = smallest(data, Some(best), check, mode);
        progress.advance(data.len() as u64);
        piece.ok_or(CompressError::Verification { piece: index })
    };
    progress.begin(data.len() as u64);
    data.par_chunks(raster.segment()).enumerate().map(code).collect()
}

/// Codes a segment of sound. One that does not become smaller is stored.
pub(super) fn one_segment<'a>(
    data: &'a [u8],
    frames: &Frames,
    profile: usize,
    index: usize,
    mode: Mode,
) -> Result<Piece<'a>, CompressError> {
    let coded = match mode {
        Mode::Write { .. } => Coded::written(Coding::Samples, sound::encode(data, frames, profile)),
        Mode::Measure => Coded::measured(Coding::Samples, sound::measure(data, frames, profile)),
    };
    let piece = smallest(data, Some(coded), |coded| sound::gives_back(&coded.bytes, frames, data), mode);
    piece.ok_or(CompressError::Verification { piece: index })
}

/// Codes the bands of a picture, in parallel: each by the network, by the byte model where that looks better, or stored. A
/// `runner` computes the network's distributions, a group of bands at a time, while the threads code the group before.
pub(super) fn bands<'a>(
    model: Model,
    runner: Option<&dyn Runner>,
    picture: &'a Picture,
    mode: Mode,
    progress: &dyn Progress,
) -> Result<Vec<Piece<'a>>, CompressError> {
    progress.begin(picture.samples.len() as u64);
    let bands: Vec<Band> = bands::bands(picture.height).collect();
    // The correction needs the samples before, one after the other: the kernels' walk has them.
    let Some(runner) = runner.filter(|_| !model.adjusted) else {
        let code = |(index, band): (usize, Band)| {
            if model.adjusted || !known::is_narrow(model.network, picture.width, band) {
                return one_band([Source::Kernels(model); 2], picture, (index, band), mode, progress);
            }
            let verified = mode == (Mode::Write { verify: true });
            let all = [false, true].map(|again| match again && !verified {
                true => Vec::new(),
                false => known::intervals(model.network, picture, band, again),
            });
            let sources = [&all[0], &all[1]].map(|all| Source::Intervals(model.network, all));
            one_band(sources, picture, (index, band), mode, progress)
        };
        if let [band] = bands[..] {
            return Ok(vec![code((0, band))?]);
        }
        return bands.into_par_iter().enumerate().map(code).collect();
    };
    let network = model.network;
    let band_samples = picture.width as usize * usize::from(picture.channels) * bands::ROWS as usize;
    let groups: Vec<&[Band]> = bands.chunks((GROUP_SAMPLES / band_samples).max(1)).collect();
    let compute = |bands: &[Band]| Group::compute(network, runner, picture, bands, mode);
    let mut pieces = Vec::with_capacity(bands.len());
    let mut group = groups.first().map(|bands| compute(bands)).transpose()?;
    for (number, bands) in groups.iter().enumerate() {
        let following = groups.get(number + 1);
        let next = std::thread::scope(|scope| {
            // Where the system gives no more threads, the device waits.
            let ahead =
                following.and_then(|bands| std::thread::Builder::new().spawn_scoped(scope, || compute(bands)).ok());
            let group = group.take().expect("computed before");
            let code = |(i, band): (usize, &Band)| {
                let sources = group.sources(network, i * band_samples);
                one_band(sources, picture, (pieces.len() + i, *band), mode, progress)
            };
            let coded: Vec<_> = bands.par_iter().enumerate().map(code).collect::<Result<_, _>>()?;
            pieces.extend(coded);
            match ahead {
                Some(thread) => thread.join().expect("a device's thread ended").map(Some),
                None => following.map(|bands| compute(bands)).transpose(),
            }
            .map_err(CompressError::from)
        })?;
        group = next;
    }
    Ok(pieces)
}

/// Samples of the bands whose intervals a device computes at a time: enough to keep it busy, and little memory.
const GROUP_SAMPLES: usize = 3 << 20;

/// What a device computed for some bands.
struct Group {
    /// The intervals of all samples, and those that are verified with: computed again, in other batches, so that what went
    /// wrong once is noticed.
    intervals: [Vec<Interval>; 2],
}

impl Group {
    fn compute(
        network: &Network,
        runner: &dyn Runner,
        picture: &Picture,
        bands: &[Band],
        mode: Mode,
    ) -> Result<Self, DeviceError> {
        let of = |bands: &[Band]| match bands {
            [] => Ok(Vec::new()),
            [first, ..] => runner.intervals(&bands::strip(network, picture, *first, bands[bands.len() - 1])),
        };
        let mut again = Vec::new();
        if mode == (Mode::Write { verify: true }) {
            let (upper, lower) = bands.split_at(bands.len() / 2);
            again = of(upper)?;
            again.extend(of(lower)?);
        }
        Ok(Self { intervals: [of(bands)?, again] })
    }

    /// What a band is coded and verified with; its samples begin at `start`.
    fn sources<'a>(&'a self, network: &'a Network, start: usize) -> [Source<'a>; 2] {
        self.intervals.each_ref().map(|all| Source::Intervals(network, all.get(start..).unwrap_or_default()))
    }
}

/// What a band costs by whichever model makes it smallest.
pub(super) fn cost(model: Model, picture: &Picture, band: Band) -> Bits {
    let source = Source::Kernels(model);
    one_band([source; 2], picture, (0, band), Mode::Measure, &()).expect("nothing is verified").cost
}

/// Codes a band with the first source, and verifies it with the second.
pub(super) fn one_band<'a>(
    [source, other]: [Source; 2],
    picture: &'a Picture,
    (index, band): (usize, Band),
    mode: Mode,
    progress: &dyn Progress,
) -> Result<Piece<'a>, CompressError> {
    let line = picture.width as usize * usize::from(picture.channels);
    let hint = row_hint(picture.width, picture.channels);
    let samples = &picture.samples[band.first as usize * line..][..band.rows as usize * line];
    let mut best = by_network(source, picture, band, mode);
    let drawn = looks_drawn(samples, picture.width, picture.channels);
    let hopeful = drawn || best.cost >= whole(samples.len());
    if hopeful && samples.len() <= bytes::SEGMENT {
        let other = by_bytes(samples, hint, mode);
        if other.cost < best.cost {
            best = other;
        }
    }
    let check = |coded: &Coded| match coded.coding {
        Coding::Network => bands::verify_band(other, picture, band, &coded.bytes),
        _ => gives_back(&coded.bytes, samples, hint),
    };
    let piece = smallest(samples, Some(best), check, mode);
    progress.advance(samples.len() as u64);
    piece.ok_or(CompressError::Verification { piece: index })
}

/// Whether the byte model's code decodes to the data.
fn gives_back(code: &[u8], data: &[u8], hint: Hint) -> bool {
    bytes::decode(code, data.len(), byte_hint(hint)).is_ok_and(|back| back == data)
}

/// The candidate if it is smaller than the data, else the data themselves; `None` when the candidate is to be verified and
/// fails its check.
fn smallest<'a>(data: &'a [u8], coded: Option<Coded>, check: impl Fn(&Coded) -> bool, mode: Mode) -> Option<Piece<'a>> {
    let decoded = data.len();
    match coded {
        Some(coded) if coded.cost < whole(decoded) => {
            if mode == (Mode::Write { verify: true }) && !check(&coded) {
                return None;
            }
            let crc = crc32fast::hash(data);
            Some(Piece { coding: coded.coding, decoded, crc, cost: coded.cost, bytes: Cow::Owned(coded.bytes) })
        }
        _ => Some(stored(Cow::Borrowed(data))),
    }
}

/// What the byte model is told about rows of pixels.
pub(super) fn row_hint(width: u32, channels: u8) -> Hint {
    Hint { record: width.saturating_mul(u32::from(channels)), pixel: u32::from(channels) }
}

/// Whether three quarters of the pixels equal their left, upper, upper left or upper right neighbour: usual in drawings and
/// screenshots, where the byte model may beat a network that was trained on photographs; in photographs not even smooth skies
/// come near. Only the encoder asks this.
pub(super) fn looks_drawn(samples: &[u8], width: u32, channels: u8) -> bool {
    let (unit, line) = (usize::from(channels), width as usize * usize::from(channels));
    let pixel = |at: usize| &samples[at..at + unit];
    let repeats = |at: &usize| {
        let earlier = [unit, line, line + unit, line - unit];
        earlier.into_iter().any(|back| (1..=*at).contains(&back) && pixel(*at) == pixel(at - back))
    };
    let repeated = (0..samples.len()).step_by(unit).filter(repeats).count();
    repeated * unit >= samples.len() / 4 * 3
}
