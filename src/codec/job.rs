//! One stream on its way to its file: its chunks, and the content and recipe that they hold.
//!
//! What must stay true: nothing is allocated for what a stream declares before that was compared with the limit, and every
//! chunk is compared with its checksum.

use super::alpha;
use super::bands::{self, Code, Model};
use super::decompress::supported;
use super::error::DecodeError;
use super::lockstep::Coded;
use super::models::{Models, fits};
use super::parts;
use super::pieces::{byte_hint, row_hint};
use super::raster::Raster;
use super::{Progress, sets, sound};
use crate::adapt;
use crate::container::{self, Chunk, Coding, Content, Header, Hint, Opened, Role};
use crate::engine::grid::GridNetwork;
use crate::engine::{ModelId, Network, Runner};
use crate::entropy::Damaged;
use crate::media::image::Picture;
use crate::media::image::lattice::{self, Transform};
use crate::media::{self, Limits};
use crate::predict::{adjust, bytes};
use rayon::prelude::*;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A stream whose header was accepted.
pub(super) struct Job<'a> {
    pub(super) opened: Opened<'a>,
    medium: Option<media::Medium>,
    network: Option<Arc<Network>>,
    /// The network of a set.
    grid: Option<Arc<GridNetwork>>,
    /// What runs the network in the kernels' place.
    runner: Option<Arc<dyn Runner>>,
    limit: u64,
    pub(super) progress: &'a dyn Progress,
}

impl<'a> Job<'a> {
    /// Opens a stream and finds what it needs.
    pub fn new(stream: &'a [u8], models: &Models, limit: u64, progress: &'a dyn Progress) -> Result<Self, DecodeError> {
        let opened = container::open(stream)?;
        let header = &opened.header;
        let medium = supported(header)?;
        if header.memory() > limit || usize::try_from(header.memory()).is_err() {
            return Err(DecodeError::OverLimit { needed: header.memory(), limit });
        }
        let is_set = matches!(header.content, Content::Set { .. });
        let grid = header.model.filter(|_| is_set).map(|id| models.find_grid(ModelId(id))).transpose()?;
        let network = header.model.filter(|_| !is_set).map(|id| models.find(ModelId(id))).transpose()?;
        let (network, runner) = match network {
            None => (None, None),
            Some(network) => match adapted(&opened, &network)? {
                None => (Some(Arc::clone(&network)), models.runner(&network)?),
                Some(adapted) => (Some(Arc::clone(&adapted)), models.runner_once(&adapted)?),
            },
        };
        progress.begin(header.decoded(Role::Recipe) + header.decoded(Role::Content));
        Ok(Self { opened, medium, network, grid, runner, limit, progress })
    }

    /// The bands that a device decodes, if there is one and the content is such a picture.
    pub fn for_device(&self) -> Option<Result<Bands<'_>, DecodeError>> {
        self.runner.as_ref().filter(|_| !self.is_adjusted())?;
        self.medium.and(self.opened.header.content.banded()).map(|_| self.bands())
    }

    /// Whether `predict::adjust` corrects the network; then the kernels run it, which have the samples one after the other.
    pub(super) fn is_adjusted(&self) -> bool {
        self.opened.header.parts.contains(&parts::adaptive(adjust::PART))
    }

    /// The file. `picture` is what a device decoded.
    pub fn restore(&self, picture: Option<Picture>) -> Result<Vec<u8>, DecodeError> {
        let header = &self.opened.header;
        let file = match self.medium {
            None => match (header.content, &self.grid) {
                (Content::Set { .. }, Some(network)) => self.set(network)?,
                (Content::Set { .. }, None) => return Err(DecodeError::Inconsistent("a set without a network")),
                _ => self.segments(Role::Content)?,
            },
            Some(medium) if matches!(header.content, Content::Sound { .. }) => {
                let mut file = Vec::with_capacity(header.length as usize);
                let chunk = |index: usize, _: &Chunk| Ok(self.opened.chunks[index].to_vec());
                sound::restore(header, medium, chunk, &mut file, false, self.progress)?;
                return Ok(file);
            }
            Some(medium) => {
                let recipe = self.segments(Role::Recipe)?;
                let content = match picture {
                    Some(picture) => self.whole(picture)?,
                    None => self.content()?,
                };
                join(medium, &recipe, &content, header.length, self.limit)?
            }
        };
        if file.len() as u64 != header.length || container::checksum(&file) != header.checksum {
            return Err(DecodeError::Checksum);
        }
        Ok(file)
    }

    /// Index, entry and coded bytes of the chunks of a role.
    pub(super) fn chunks(&self, role: Role) -> impl Iterator<Item = (usize, &Chunk, &'a [u8])> {
        let opened = &self.opened;
        let all = opened.header.chunks.iter().zip(&opened.chunks).enumerate();
        all.filter(move |(_, (entry, _))| entry.role == role).map(|(index, (entry, coded))| (index, entry, *coded))
    }

    fn damaged(&self, index: usize) -> DecodeError {
        DecodeError::DamagedChunk { index, count: self.opened.chunks.len() }
    }

    /// The bytes of a chunk that no network coded, written to `out`, which has their length.
    pub(super) fn bytes(
        &self,
        index: usize,
        entry: &Chunk,
        coded: &[u8],
        hint: Hint,
        out: &mut [u8],
    ) -> Result<(), DecodeError> {
        if let (Coding::Samples, Some(raster)) = (entry.coding, Raster::of(&self.opened.header.content)) {
            raster.decode(coded, out).map_err(|_| self.damaged(index))?;
            return self.check(index, entry, out);
        }
        decode_bytes(entry, coded, hint, out).map_err(|_| self.damaged(index))
    }

    pub(super) fn check(&self, index: usize, entry: &Chunk, decoded: &[u8]) -> Result<(), DecodeError> {
        if is_damaged(entry, decoded) { Err(self.damaged(index)) } else { Ok(()) }
    }

    /// All bytes of a role that is not in bands.
    pub(super) fn segments(&self, role: Role) -> Result<Vec<u8>, DecodeError> {
        let hint = match (role, self.opened.header.content) {
            (Role::Content, Content::Bytes(hint)) => hint,
            (Role::Content, Content::Rows { width, channels, .. }) => row_hint(width, channels),
            (Role::Content, content) => Raster::of(&content).map_or(Hint::default(), Raster::hint),
            (Role::Beside, Content::Alpha { width, .. }) => alpha::hint(width),
            _ => Hint::default(),
        };
        let mut all = vec![0; self.opened.header.decoded(role) as usize];
        let mut rest = &mut all[..];
        let mut jobs = Vec::new();
        for (index, entry, coded) in self.chunks(role) {
            let (out, tail) = rest.split_at_mut(entry.decoded as usize);
            rest = tail;
            jobs.push((index, entry, coded, out));
        }
        let run = |(index, entry, coded, out): (usize, &Chunk, &[u8], &mut [u8])| {
            let fault = self.bytes(index, entry, coded, hint, out).err();
            self.progress.advance(entry.decoded);
            fault
        };
        let fault =
            if jobs.len() == 1 { jobs.into_iter().find_map(run) } else { jobs.into_par_iter().find_map_first(run) };
        fault.map_or(Ok(all), Err)
    }

    /// The file of a set.
    fn set(&self, network: &GridNetwork) -> Result<Vec<u8>, DecodeError> {
        let (header, recipe) = (&self.opened.header, self.segments(Role::Recipe)?);
        let list = self.chunks(Role::Content).collect();
        let chunks = sets::Chunks { list, count: header.chunks.len(), content: header.content };
        sets::restore(network, &recipe, &chunks, (header.length, self.limit), self.progress)
    }

    /// The content of a medium.
    fn content(&self) -> Result<media::Content, DecodeError> {
        match self.opened.header.content {
            Content::Bytes(Hint { record, pixel }) => Ok(rows(self.segments(Role::Content)?, Hint { record, pixel })),
            content @ Content::Raster { .. } => {
                let raster = Raster::of(&content).ok_or(DecodeError::Inconsistent("rows that are longer than any"))?;
                let lengths = self.chunks(Role::Content).map(|(_, entry, _)| entry.decoded);
                let whole = self.opened.header.decoded(Role::Content);
                let mut starts = (0..whole).step_by(raster.segment());
                let segment = |start: u64| (whole - start).min(raster.segment() as u64);
                if !lengths.eq(starts.by_ref().map(segment)) {
                    return Err(DecodeError::Inconsistent("the chunks are not the raster's segments"));
                }
                Ok(rows(self.segments(Role::Content)?, raster.hint()))
            }
            Content::Rows { width, height, channels } => {
                let samples = self.segments(Role::Content)?;
                Ok(media::Content::Picture(Picture { width, height, channels, samples }))
            }
            Content::Bands { .. } | Content::Planes { .. } | Content::Alpha { .. } => {
                self.whole(self.bands()?.decode()?)
            }
            Content::Set { .. } | Content::Sound { .. } => {
                Err(DecodeError::Inconsistent("a content of a medium that is not for it"))
            }
        }
    }

    /// The content whose bands were decoded, with what lies beside them.
    fn whole(&self, picture: Picture) -> Result<media::Content, DecodeError> {
        match self.opened.header.content {
            Content::Planes { transform, .. } => {
                let transform =
                    Transform::from_id(transform).ok_or(DecodeError::Inconsistent("an unknown transform"))?;
                let picture = lattice::restore(transform, picture, &self.segments(Role::Beside)?)?;
                Ok(media::Content::Picture(picture))
            }
            Content::Alpha { width, channels, .. } => {
                let pixel = u32::from(channels) + 1;
                let bytes = alpha::join(&picture, &self.segments(Role::Beside)?);
                Ok(rows(bytes, Hint { record: width.saturating_mul(pixel), pixel }))
            }
            _ => Ok(media::Content::Picture(picture)),
        }
    }

    /// A picture in bands.
    pub(super) fn bands(&self) -> Result<Bands<'_>, DecodeError> {
        let (network, (width, height, channels)) = banded(&self.opened.header, self.network.as_deref())?;
        let chunks: Vec<_> = self.chunks(Role::Content).collect();
        let damaged = Arc::new(AtomicUsize::new(usize::MAX));
        let hint = row_hint(width, channels);
        let codes = chunks.iter().map(|chunk| self.code(*chunk, hint, &damaged)).collect();
        Ok(Bands { job: self, network, width, height, channels, chunks, damaged, codes })
    }

    /// The code of a band. The lowest number of one that is damaged is kept.
    fn code<'j>(
        &'j self,
        (index, entry, coded): (usize, &'j Chunk, &'j [u8]),
        hint: Hint,
        damaged: &Arc<AtomicUsize>,
    ) -> Code<'j> {
        if entry.coding == Coding::Network {
            return Code::Network(coded);
        }
        let damaged = Arc::clone(damaged);
        Code::Other(Box::new(move |out: &mut [u8]| {
            self.bytes(index, entry, coded, hint, out).map_err(|_| {
                damaged.fetch_min(index, Ordering::Relaxed);
                Damaged
            })
        }))
    }
}

/// The network and the shape of a content in bands, if its chunks are those bands.
pub(super) fn banded<'n>(
    header: &Header,
    network: Option<&'n Network>,
) -> Result<(&'n Network, (u32, u32, u8)), DecodeError> {
    let Some((width, height, channels)) = header.content.banded() else {
        return Err(DecodeError::Inconsistent("the content is no picture in bands"));
    };
    let Some(network) = network.filter(|network| fits(network.program(), channels)) else {
        return Err(DecodeError::Inconsistent("the model is not one for pictures like this one"));
    };
    if width > bands::MAX_WIDTH {
        return Err(DecodeError::Inconsistent("the picture is wider than bands can be"));
    }
    let line = u64::from(width) * u64::from(channels);
    let lengths = bands::bands(height).map(|band| u64::from(band.rows) * line);
    let chunks = header.chunks.iter().filter(|entry| entry.role == Role::Content);
    if !lengths.eq(chunks.map(|entry| entry.decoded)) {
        return Err(DecodeError::Inconsistent("the chunks are not the picture's bands"));
    }
    Ok((network, (width, height, channels)))
}

/// Rows for a medium, which knows what they are.
fn rows(bytes: Vec<u8>, hint: Hint) -> media::Content {
    media::Content::Rows { bytes, stride: hint.record, unit: hint.pixel, form: media::Form::Bytes }
}

/// The bytes of a chunk that is stored or coded by the byte model, written to `out`, which has their length, and checked.
pub(super) fn decode_bytes(entry: &Chunk, coded: &[u8], hint: Hint, out: &mut [u8]) -> Result<(), Damaged> {
    match entry.coding {
        Coding::Stored if coded.len() == out.len() => out.copy_from_slice(coded),
        Coding::Bytes => out.copy_from_slice(&bytes::decode(coded, out.len(), byte_hint(hint))?),
        _ => return Err(Damaged),
    }
    if is_damaged(entry, out) { Err(Damaged) } else { Ok(()) }
}

pub(super) fn is_damaged(entry: &Chunk, decoded: &[u8]) -> bool {
    decoded.len() as u64 != entry.decoded || crc32fast::hash(decoded) != entry.crc
}

/// The network as a stream adapts it, if it does.
fn adapted(opened: &Opened, network: &Network) -> Result<Option<Arc<Network>>, DecodeError> {
    let Some((index, entry)) = opened.header.adaptation() else { return Ok(None) };
    adapted_by(network, entry, opened.chunks[index], (index, opened.chunks.len())).map(Some)
}

/// The network, adapted by a chunk: its entry, bytes and place.
pub(super) fn adapted_by(
    network: &Network,
    entry: &Chunk,
    code: &[u8],
    (index, count): (usize, usize),
) -> Result<Arc<Network>, DecodeError> {
    if is_damaged(entry, code) {
        return Err(DecodeError::DamagedChunk { index, count });
    }
    let adapted = adapt::apply(network, code).map_err(|fault| DecodeError::Adaptation { index, count, fault })?;
    Ok(Arc::new(adapted))
}

/// A picture in bands, all of which are there.
pub(super) struct Bands<'j> {
    job: &'j Job<'j>,
    network: &'j Network,
    width: u32,
    height: u32,
    channels: u8,
    chunks: Vec<(usize, &'j Chunk, &'j [u8])>,
    /// The first band that is damaged, apart from those that the network decodes, which are checked in the end.
    damaged: Arc<AtomicUsize>,
    codes: Vec<Code<'j>>,
}

impl<'j> Bands<'j> {
    pub fn network(&self) -> &'j Network {
        self.network
    }

    pub fn runner(&self) -> Option<&'j dyn Runner> {
        self.job.runner.as_deref()
    }

    pub fn channels(&self) -> u8 {
        self.channels
    }

    /// Whether a device can decode both together.
    pub fn goes_with(&self, other: &Bands) -> bool {
        self.network.program().id() == other.network.program().id() && self.channels == other.channels
    }

    /// Size and codes, for a device. The codes are there once.
    pub fn coded(&mut self) -> Coded<'j> {
        Coded { width: self.width, height: self.height, codes: std::mem::take(&mut self.codes) }
    }

    /// The picture, by the kernels.
    fn decode(&self) -> Result<Picture, DecodeError> {
        let done = |samples| self.job.progress.advance(samples);
        let size = (self.width, self.height, self.channels);
        let threads = rayon::current_num_threads();
        let model = Model { network: self.network, adjusted: self.job.is_adjusted() };
        self.check_all(bands::decode_picture(model, size, &self.codes, threads, &done))
    }

    /// What was decoded, after comparing every band with its checksum.
    pub fn check_all(&self, picture: Result<Picture, Damaged>) -> Result<Picture, DecodeError> {
        let picture = picture.map_err(|_| match self.damaged.load(Ordering::Relaxed) {
            usize::MAX => DecodeError::DamagedPicture,
            index => self.job.damaged(index),
        })?;
        let mut rest = &picture.samples[..];
        for (index, entry, _) in &self.chunks {
            let (decoded, below) = rest.split_at(entry.decoded as usize);
            rest = below;
            if entry.coding == Coding::Network {
                self.job.check(*index, entry, decoded)?;
            }
        }
        Ok(picture)
    }
}

/// The file that recipe and content make, which has `length` bytes or is none.
fn join(
    medium: media::Medium,
    recipe: &[u8],
    content: &media::Content,
    length: u64,
    limit: u64,
) -> Result<Vec<u8>, DecodeError> {
    let mut file = Vec::with_capacity(length as usize);
    let mut longer = false;
    let joined = media::join_to(medium, recipe, content, &Limits { max_bytes: limit }, &mut |bytes| {
        longer = (file.len() + bytes.len()) as u64 > length;
        if longer {
            return ControlFlow::Break(());
        }
        file.extend_from_slice(bytes);
        ControlFlow::Continue(())
    });
    if longer {
        return Err(DecodeError::Checksum);
    }
    joined?;
    Ok(file)
}
