//! Streams to the files that they were made of.

use super::error::DecodeError;
use super::job::{Bands, Job};
use super::lockstep::{Coded, decode_pictures};
use super::models::Models;
use super::raster::Raster;
use super::{Progress, parts};
use crate::container::{Coding, Content, Header, Medium};
use crate::media;
use crate::media::image::Picture;
use crate::media::set;
use crate::predict::{audio, bytes};
use rayon::prelude::*;
use std::ops::Range;

/// Restores the file of a stream, or says why not. `limit` bounds the bytes that are allocated for what the stream
/// declares, before they are.
pub fn decompress(stream: &[u8], models: &Models, limit: u64, progress: &dyn Progress) -> Result<Vec<u8>, DecodeError> {
    decompress_all(&[stream], models, limit, progress).pop().expect("one result a stream")
}

/// Restores the files of several streams, as [`decompress`] does each; a device decodes their pictures together. `limit` is
/// for each of them: a caller who gives many bounds their sum.
pub fn decompress_all(
    streams: &[&[u8]],
    models: &Models,
    limit: u64,
    progress: &dyn Progress,
) -> Vec<Result<Vec<u8>, DecodeError>> {
    let jobs: Vec<_> = streams.iter().map(|stream| Job::new(stream, models, limit, progress)).collect();
    let pictures = on_devices(&jobs, progress);
    let restore = |(job, picture): (Result<Job, DecodeError>, Option<Result<Picture, DecodeError>>)| {
        job?.restore(picture.transpose()?)
    };
    // One alone has its threads for itself.
    match jobs.len() {
        1 => jobs.into_iter().zip(pictures).map(restore).collect(),
        _ => jobs.into_par_iter().zip(pictures).with_max_len(1).map(restore).collect(),
    }
}

/// What is left of a damaged picture.
#[derive(Debug)]
pub struct Salvaged {
    /// The picture; samples that are lost are 128.
    pub picture: Picture,
    /// Which rows are lost.
    pub lost: Vec<Range<u32>>,
}

/// Decodes what can be decoded of a damaged stream of a picture: bands and segments with the checksum that they should have.
/// A band that the network coded is lost with the one above it, of which it sees samples. Fails where the header is damaged, or the
/// content is no picture.
pub fn salvage(stream: &[u8], models: &Models, limit: u64, progress: &dyn Progress) -> Result<Salvaged, DecodeError> {
    Job::new(stream, models, limit, progress)?.salvage()
}

/// The pictures that devices decode: those of one network and number of channels all at once.
fn on_devices(jobs: &[Result<Job, DecodeError>], progress: &dyn Progress) -> Vec<Option<Result<Picture, DecodeError>>> {
    let mut pictures: Vec<_> = jobs.iter().map(|_| None).collect();
    let mut groups: Vec<Vec<(usize, Bands)>> = Vec::new();
    for (number, job) in jobs.iter().enumerate() {
        match job.as_ref().ok().and_then(Job::for_device) {
            None => {}
            Some(Err(error)) => pictures[number] = Some(Err(error)),
            Some(Ok(bands)) => match groups.iter_mut().find(|group| group[0].1.goes_with(&bands)) {
                Some(group) => group.push((number, bands)),
                None => groups.push(vec![(number, bands)]),
            },
        }
    }
    let done = |samples| progress.advance(samples);
    for mut group in groups {
        let coded: Vec<Coded> = group.iter_mut().map(|(_, bands)| bands.coded()).collect();
        let first = &group[0].1;
        let Some(runner) = first.runner() else { continue };
        match decode_pictures(first.network(), runner, first.channels(), &coded, &done) {
            Ok(decoded) => {
                for ((number, bands), picture) in group.iter().zip(decoded) {
                    pictures[*number] = Some(bands.check_all(picture));
                }
            }
            Err(error) => group.iter().for_each(|(number, _)| pictures[*number] = Some(Err(error.clone().into()))),
        }
    }
    pictures
}

/// The medium of a stream, if it is of `media`'s registry, after checking that this program has it and every part, in the versions that it names.
pub(super) fn supported(header: &Header) -> Result<Option<media::Medium>, DecodeError> {
    parts::require(&header.parts)?;
    let uses_bytes = header.chunks.iter().any(|c| c.coding == Coding::Bytes);
    if uses_bytes && !header.parts.contains(&parts::adaptive(bytes::PART)) {
        return Err(DecodeError::Inconsistent("the byte model is used and not named"));
    }
    let uses_samples = header.chunks.iter().any(|c| c.coding == Coding::Samples);
    let names = |part| header.parts.contains(&part);
    let is_named = match Raster::of(&header.content) {
        Some(raster) => names(raster.part()),
        None => names(parts::adaptive(audio::PART)),
    };
    if uses_samples && !is_named {
        return Err(DecodeError::Inconsistent("samples are predicted and the part is not named"));
    }
    if header.chunks.iter().any(|c| c.coding == Coding::Bytes && c.decoded > bytes::SEGMENT as u64) {
        return Err(DecodeError::Inconsistent("a segment is longer than segments are"));
    }
    let Some(Medium { id, version }) = header.medium else { return Ok(None) };
    let is_set = matches!(header.content, Content::Set { .. });
    if is_set != (id == set::MEDIUM) {
        return Err(DecodeError::Inconsistent("the medium is not one for such content"));
    }
    if is_set && version == set::VERSION {
        return Ok(None);
    }
    match media::Medium::from_id(id) {
        Some(medium) if u32::from(medium.format().version) == version => Ok(Some(medium)),
        _ => Err(DecodeError::UnknownMedium { id, version }),
    }
}
