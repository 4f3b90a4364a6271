//! Pictures decoded together on a device: one wavefront through all of them.
//!
//! At time T row y of each picture is at column `T - lag * y`, whichever band it is in: a band's walk begins `lag` steps a
//! row after its picture's first, which is just when the band above has what it sees. The positions of all bands and
//! pictures go to the device as one batch, channel by channel, and each band's decoder goes on with what comes back.
//!
//! What must stay true: a band's symbols are decoded in the order in which they were coded, whatever else is in the batch.

use super::bands::{self, Code, bands, places};
use super::walk::Walk;
use crate::engine::device::{DeviceError, Lockstep, Place, Shape};
use crate::engine::{Network, Runner};
use crate::entropy::{Damaged, Decoder};
use crate::media::image::Picture;
use rayon::prelude::*;

/// Bands that a thread decodes at a time, at least: fewer are not worth waking one for.
const BANDS: usize = 4;

/// A picture to decode: its size and the codes of its bands.
pub(super) struct Coded<'c> {
    pub width: u32,
    pub height: u32,
    pub codes: Vec<Code<'c>>,
}

/// Decodes pictures of `channels` channels, each as [`decode_picture`](bands::decode_picture) does. The caller has checked
/// the sizes against its limits. `done` is told how many samples each band gave.
pub(super) fn decode_pictures(
    network: &Network,
    runner: &dyn Runner,
    channels: u8,
    pictures: &[Coded],
    done: &(dyn Fn(u64) + Sync),
) -> Result<Vec<Result<Picture, Damaged>>, DeviceError> {
    // Within the threads' pool, so that the many short tasks need no waking from outside.
    rayon::scope(|_| {
        let line = |p: &Coded| p.width as usize * usize::from(channels);
        let right = |p: &Coded| p.codes.len() == bands(p.height).len() && (1..=bands::MAX_WIDTH).contains(&p.width);
        let mut failed: Vec<bool> = pictures.iter().map(|p| !right(p)).collect();
        let allocate = |(p, failed): (&Coded, &bool)| vec![0; if *failed { 0 } else { p.height as usize * line(p) }];
        let mut samples: Vec<Vec<u8>> = pictures.iter().zip(&failed).map(allocate).collect();
        let shape = |p: &Coded| Shape { width: p.width as usize, height: p.height as usize };
        let shapes: Vec<Shape> = pictures.iter().map(shape).collect();
        let mut device = runner.lockstep(&shapes, channels.into())?;
        let (mut tracks, mut known) = (Vec::new(), Vec::new());
        for (number, (picture, samples)) in pictures.iter().zip(&mut samples).enumerate() {
            let chunks = samples.chunks_mut(bands::ROWS as usize * line(picture));
            for ((band, code), samples) in bands(picture.height).zip(&picture.codes).zip(chunks) {
                let first = band.first as usize;
                match code {
                    Code::Network(code) => tracks.push(Track {
                        picture: number,
                        first,
                        start: network.lag() * first,
                        walk: Walk::new(samples, picture.width as usize, channels.into(), network.lag()),
                        decoder: Decoder::new(code),
                        learned: Vec::new(),
                    }),
                    Code::Other(fill) => known.push((number, first, fill, samples)),
                }
            }
        }
        let filled = known.into_par_iter().map(|(number, first, fill, samples)| {
            let result = fill(samples);
            done(samples.len() as u64);
            (number, first, result, &*samples)
        });
        let filled: Vec<_> = filled.collect();
        for (number, first, result, samples) in filled {
            failed[number] |= result.is_err();
            let pixel = |pixel: &'_ [u8]| places(channels.into()).iter().map(|place| pixel[*place]).collect::<Vec<_>>();
            let ordered: Vec<u8> = samples.chunks_exact(channels.into()).flat_map(pixel).collect();
            device.fill(number, first, &ordered)?;
        }
        follow(network, &mut *device, channels.into(), tracks, &mut failed, done)?;
        drop(device);
        let picture = |((p, samples), failed): ((&Coded, Vec<u8>), bool)| {
            let picture = Picture { width: p.width, height: p.height, channels, samples };
            if failed { Err(Damaged) } else { Ok(picture) }
        };
        Ok(pictures.iter().zip(samples).zip(failed).map(picture).collect())
    })
}

/// A band on its way.
struct Track<'s> {
    /// Number of its picture.
    picture: usize,
    /// Its first row.
    first: usize,
    /// When it begins.
    start: usize,
    walk: Walk<'s>,
    decoder: Decoder<'s>,
    /// The samples of the current stage.
    learned: Vec<u8>,
}

/// Takes all tracks to their ends. Pictures that fail are left behind.
fn follow(
    network: &Network,
    device: &mut dyn Lockstep,
    channels: usize,
    mut tracks: Vec<Track>,
    failed: &mut [bool],
    done: &(dyn Fn(u64) + Sync),
) -> Result<(), DeviceError> {
    tracks.sort_by_key(|t| t.start);
    let mut waiting = tracks.into_iter().peekable();
    let (mut active, mut places, mut learned): (Vec<Track>, _, _) = (Vec::new(), Vec::new(), Vec::new());
    let mut time = 0;
    loop {
        while let Some(track) = waiting.next_if(|t| t.start <= time) {
            active.push(track);
        }
        active.retain_mut(|t| {
            let goes_on = !failed[t.picture] && t.walk.advance().is_some();
            if !goes_on {
                done(t.walk.samples().len() as u64);
            }
            goes_on
        });
        if active.is_empty() {
            match waiting.peek() {
                None => return Ok(()),
                // What lies before it was known or has failed.
                Some(next) => time = next.start.max(time + 1),
            }
            continue;
        }
        places.clear();
        for t in &active {
            let place = |row: u32, column: u32| Place {
                picture: t.picture,
                row: t.first + row as usize,
                column: column as usize,
            };
            places.extend(t.walk.positions().iter().map(|p| place(p.row, p.column)));
        }
        device.step(&places)?;
        for channel in 0..channels {
            let (values, width) = (device.stage(channel)?, network.row(channel));
            let mut rest = &values[..];
            let mut rows = Vec::with_capacity(active.len());
            for t in &active {
                let (mine, others) = rest.split_at(t.walk.positions().len() * width);
                rows.push(mine);
                rest = others;
            }
            let decode = |(t, rows): (&mut Track, &[i16])| {
                let Track { walk, decoder, learned, .. } = t;
                learned.clear();
                let count = walk.positions().len();
                let distribution = |i: usize, _| network.distribution(channel, &rows[i * width..][..width]);
                let result = walk.code(decoder, channel, distribution, |_, sample| learned.push(sample));
                learned.resize(count, 0);
                result.is_err()
            };
            let ends: Vec<bool> = active.par_iter_mut().zip(rows).with_min_len(BANDS).map(decode).collect();
            learned.clear();
            for (t, has_failed) in active.iter().zip(ends) {
                failed[t.picture] |= has_failed;
                learned.extend_from_slice(&t.learned);
            }
            device.learn(channel, &learned)?;
        }
        time += 1;
    }
}
