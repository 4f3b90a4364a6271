//! Bands of a picture: coded one by one, and decoded together.
//!
//! A picture is coded in bands of [`ROWS`] rows, each with a code of its own. A band's windows reach into the band above, so
//! cutting costs no context; a decoder's threads follow one another at a distance, each band a little behind the one above
//! (as wavefront parallel processing does in video), and an encoder's are independent, since it knows the whole picture.
//! Within a band positions are visited along a wavefront, too ([`walk`](super::walk)).
//!
//! What must stay true: a band's code does not depend on what computed its distributions.

use super::adjust::{self, Adjuster};
pub use super::known::field;
pub use super::walk::places;
use super::walk::{Known, Walk};
use crate::engine::device::{Interval, Strip};
use crate::engine::{Executor, Field, MAX_REACH, Network};
use crate::entropy::{Bits, Coder, CostMeter, Damaged, Decoder, Encoder};
use crate::media::image::Picture;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

/// Rows of a band: a whole number of the kernels' six, enough for a batch, and few enough that several bands are under way
/// in a picture of ordinary width. Part of the stream format.
pub const ROWS: u32 = 36;
/// Pictures that are wider are left to the byte model, so that the margins above and below a band stay small beside what a
/// decoder's limit allows. Part of the stream format.
pub const MAX_WIDTH: u32 = 1 << 18;
/// Columns that a band hands down at a time.
const HANDED: usize = 32;

/// Rows of a picture that are coded together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Band {
    /// First row.
    pub first: u32,
    /// Rows, at most [`ROWS`].
    pub rows: u32,
}

/// The bands of a picture of `height` rows.
pub fn bands(height: u32) -> impl ExactSizeIterator<Item = Band> + Clone {
    (0..height.div_ceil(ROWS) as usize).map(move |i| {
        let first = i as u32 * ROWS;
        Band { first, rows: ROWS.min(height - first) }
    })
}

/// What gives the distributions of a band's samples. The bands of a picture share it.
#[derive(Debug, Clone, Copy)]
pub struct Model<'n> {
    /// The network.
    pub network: &'n Network,
    /// Whether `predict::adjust` corrects it.
    pub adjusted: bool,
}

impl<'n> From<&'n Network> for Model<'n> {
    /// The network alone.
    fn from(network: &'n Network) -> Self {
        Self { network, adjusted: false }
    }
}

impl Model<'_> {
    fn lag(self) -> usize {
        self.network.lag().max(if self.adjusted { adjust::LAG } else { 1 })
    }

    fn reach(self) -> usize {
        self.network.reach().max(if self.adjusted { adjust::REACH } else { 0 })
    }
}

/// What lies above a band.
enum Above<'a> {
    /// Nothing: it is the first.
    Edge,
    /// Rows that are known: whole rows of interleaved samples, the last one directly above.
    Known(&'a [u8]),
    /// Columns of the rows above as the band above gets them done: `[columns][reach][channels]`.
    Arriving(Receiver<Vec<u8>>),
}

// A band has all the rows that the windows of the one below reach into.
const _: () = assert!(ROWS as usize >= MAX_REACH);
const _: () = assert!(ROWS as usize >= adjust::REACH);

/// Codes a band while the kernels compute its distributions. `samples` are its rows, interleaved as in a [`Picture`]; a
/// decoder fills them.
fn walk<C: Coder>(
    model: Model,
    coder: &mut C,
    samples: &mut [u8],
    width: usize,
    channels: usize,
    above: Above,
    below: Option<Sender<Vec<u8>>>,
) -> Result<(), Damaged> {
    let height = samples.len() / (width * channels);
    let (lag, reach) = (model.lag(), model.reach());
    let first_band = matches!(above, Above::Edge);
    let mut field = Field::new(width, height, channels, reach, first_band);
    let mut adjuster = model.adjusted.then(|| Adjuster::new(width, height, channels, lag, first_band));
    let ahead = if model.adjusted { adjust::ahead(lag) } else { lag };
    let mut executor = Executor::new(model.network, Walk::batch(width, height, lag));
    let (mut received, mut handed) = (0, 0);
    if let Above::Known(rows) = above {
        for up in 1..=reach {
            let row = &rows[rows.len() - up * width * channels..][..width * channels];
            for (channel, place) in places(channels).iter().enumerate() {
                (0..width).for_each(|x| field.set(channel, -(up as isize), x, row[x * channels + place]));
            }
        }
    }
    let mut walk = Walk::new(samples, width, channels, lag);
    while let Some(step) = walk.advance() {
        if let Above::Arriving(receiver) = &above {
            while received < width.min(step + ahead) {
                let columns = receiver.recv().map_err(|_| Damaged)?;
                for column in columns.chunks_exact(reach * channels) {
                    for (i, value) in column.iter().enumerate() {
                        field.set(i % channels, (i / channels) as isize - reach as isize, received, *value);
                    }
                    received += 1;
                }
            }
        }
        if let Some(adjuster) = &mut adjuster {
            adjuster.begin(step, &field);
        }
        for channel in 0..channels {
            executor.stage(channel, &field, walk.positions());
            if let Some(adjuster) = &mut adjuster {
                adjuster.look(channel, &field);
            }
            let distribution = executor.distributions(channel);
            walk.visit(channel, |i, p, sample| {
                let mut mixture = distribution(i);
                let adjusted = adjuster.as_ref().map(|adjuster| adjuster.adjust(channel, p, &mut mixture));
                *sample = coder.code(&mixture, u32::from(*sample))? as u8;
                if let (Some(adjuster), Some(adjusted)) = (&mut adjuster, &adjusted) {
                    adjuster.learn(channel, p, &mixture, adjusted, *sample);
                }
                field.set(channel, p.row as isize, p.column as usize, *sample);
                Ok(())
            })?;
        }
        if let (Some(sender), Some(p)) = (&below, walk.positions().last().filter(|p| p.row as usize + 1 == height)) {
            let done = p.column as usize + 1;
            if done == width || done - handed == HANDED {
                let rows = height as isize - reach as isize..height as isize;
                let column = |x| rows.clone().flat_map(move |y| (0..channels).map(move |c| (c, y, x)));
                let columns = (handed..done).flat_map(column).map(|(c, y, x)| field.get(c, y, x)).collect();
                // Nobody listens any more if the band below has failed; that one reports it.
                let _ = sender.send(columns);
                handed = done;
            }
        }
    }
    Ok(())
}

/// Where the distributions of a band of a known picture come from.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// The kernels compute them on the way.
    Kernels(Model<'a>),
    /// A device computed the intervals of the picture's samples from the band's first row on, in the order of a
    /// [`Runner`](crate::engine::Runner).
    Intervals(&'a Network, &'a [Interval]),
}

impl<'a> From<&'a Network> for Source<'a> {
    fn from(network: &'a Network) -> Self {
        Self::Kernels(network.into())
    }
}

impl<'a> From<Model<'a>> for Source<'a> {
    fn from(model: Model<'a>) -> Self {
        Self::Kernels(model)
    }
}

/// Rows of a picture, as a device wants them.
pub(super) fn strip<'a>(network: &Network, picture: &'a Picture, first: Band, last: Band) -> Strip<'a> {
    let (rows, places) = (first.first as usize..(last.first + last.rows) as usize, places(picture.channels.into()));
    Strip::new(&picture.samples, places, picture.width as usize, rows, network.reach())
}

/// A walk over a band of a known picture: its samples after the walk.
fn walk_known<'a, C: Coder>(
    source: impl Into<Source<'a>>,
    coder: &mut C,
    picture: &Picture,
    band: Band,
) -> Result<Vec<u8>, Damaged> {
    let (width, channels) = (picture.width as usize, usize::from(picture.channels));
    let line = width * channels;
    let (above, rest) = picture.samples.split_at(band.first as usize * line);
    let original = &rest[..band.rows as usize * line];
    let mut samples = original.to_vec();
    match source.into() {
        Source::Kernels(model) => {
            let above = if band.first == 0 { Above::Edge } else { Above::Known(above) };
            walk(model, coder, &mut samples, width, channels, above, None)?;
        }
        Source::Intervals(network, intervals) => {
            let mut walk = Walk::new(&mut samples, width, channels, network.lag());
            while walk.advance().is_some() {
                for (channel, place) in places(channels).iter().enumerate() {
                    // Intervals are in coding order.
                    let known = |_, at| Known { symbol: original[at], interval: intervals[at - place + channel] };
                    walk.code(coder, channel, known, |_, _| {})?;
                }
            }
        }
    }
    Ok(samples)
}

/// The code of a band of a picture of 1 or 3 channels.
pub fn encode_band<'a>(source: impl Into<Source<'a>>, picture: &Picture, band: Band) -> Vec<u8> {
    let mut encoder = Encoder::new();
    walk_known(source, &mut encoder, picture, band).expect("every symbol of a mixture can be coded");
    encoder.finish()
}

/// The code length of a band.
pub fn measure_band<'a>(source: impl Into<Source<'a>>, picture: &Picture, band: Band) -> Bits {
    let mut meter = CostMeter::new();
    walk_known(source, &mut meter, picture, band).expect("every symbol of a mixture can be coded");
    meter.bits()
}

/// Whether `code` decodes to the band. If the distributions are right and this holds for every band of a picture, [`decode_picture`] gives the picture.
pub fn verify_band<'a>(source: impl Into<Source<'a>>, picture: &Picture, band: Band, code: &[u8]) -> bool {
    let line = picture.width as usize * usize::from(picture.channels);
    let samples = &picture.samples[band.first as usize * line..][..band.rows as usize * line];
    walk_known(source, &mut Decoder::new(code), picture, band).is_ok_and(|decoded| decoded == samples)
}

/// The samples of a band whose picture is known above it; what `code` holds if it is no code of them is anything, or [`Damaged`].
pub fn decode_band(model: Model, picture: &Picture, band: Band, code: &[u8]) -> Result<Vec<u8>, Damaged> {
    walk_known(model, &mut Decoder::new(code), picture, band)
}

/// Fills in a band's samples, interleaved.
pub type Fill<'a> = dyn Fn(&mut [u8]) -> Result<(), Damaged> + Sync + 'a;

/// The code of a band, for [`decode_picture`].
pub enum Code<'a> {
    /// What [`encode_band`] wrote.
    Network(&'a [u8]),
    /// Something else.
    Other(Box<Fill<'a>>),
}

/// What a band is told by the one above it, and tells the one below.
pub(super) struct Link {
    above: Above<'static>,
    below: Option<Sender<Vec<u8>>>,
}

/// The links of the bands of a picture, from top to bottom. Who decodes them in this order never waits for a band that was
/// not begun.
pub(super) struct Chain(Above<'static>);

impl Chain {
    /// That of a picture's first band comes next.
    pub fn new() -> Self {
        Self(Above::Edge)
    }

    /// That of the next band.
    pub fn next(&mut self, is_last: bool) -> Link {
        let (sender, receiver) = channel();
        let above = std::mem::replace(&mut self.0, Above::Arriving(receiver));
        Link { above, below: (!is_last).then_some(sender) }
    }
}

/// Decodes a band to `samples`, its rows, while those above and below it are decoded.
pub(super) fn decode_linked(
    model: Model,
    code: &Code,
    samples: &mut [u8],
    (width, channels): (usize, usize),
    link: Link,
) -> Result<(), Damaged> {
    match code {
        Code::Network(code) => walk(model, &mut Decoder::new(code), samples, width, channels, link.above, link.below),
        Code::Other(fill) => {
            fill(samples)?;
            if let Some(below) = link.below {
                hand_down(samples, width * channels, channels, model.reach(), &below);
            }
            Ok(())
        }
    }
}

/// Hands the last rows of a band that is known as a whole to the one below.
fn hand_down(samples: &[u8], line: usize, channels: usize, reach: usize, below: &Sender<Vec<u8>>) {
    let rows = &samples[samples.len() - reach * line..];
    let column = |pixel: usize| {
        let sample = move |row: &[u8], place: &usize| row[pixel * channels + place];
        rows.chunks_exact(line).flat_map(move |row| places(channels).iter().map(move |place| sample(row, place)))
    };
    // Nobody listens any more if the band below has failed; that one reports it.
    let _ = below.send((0..line / channels).flat_map(column).collect());
}

/// A picture from the codes of its bands, `threads` bands at a time. Codes that [`encode_band`] did not write give other
/// samples or [`Damaged`]: whoever calls this compares checksums. The caller has checked the size against its limits.
/// `done` is told how many samples each band gave.
pub fn decode_picture<'n>(
    model: impl Into<Model<'n>>,
    (width, height, channels): (u32, u32, u8),
    codes: &[Code],
    threads: usize,
    done: &(dyn Fn(u64) + Sync),
) -> Result<Picture, Damaged> {
    if codes.len() != bands(height).len() || !(1..=MAX_WIDTH).contains(&width) {
        return Err(Damaged);
    }
    let model = model.into();
    let line = width as usize * usize::from(channels);
    let mut samples = vec![0; height as usize * line];
    let mut chain = Chain::new();
    let mut jobs = Vec::with_capacity(codes.len());
    for (i, (code, samples)) in codes.iter().zip(samples.chunks_mut(ROWS as usize * line)).enumerate() {
        jobs.push(Mutex::new(Some((code, samples, chain.next(i + 1 == codes.len())))));
    }
    // Bands are begun from top to bottom, so one that waits always waits for one that runs.
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let job = job.lock().ok().and_then(|mut job| job.take()).ok_or(Damaged)?;
            let (code, samples, link) = job;
            let count = samples.len() as u64;
            decode_linked(model, code, samples, (width as usize, channels.into()), link)?;
            done(count);
        }
        Ok(())
    };
    let threads = threads.clamp(1, codes.len().max(1));
    std::thread::scope(|scope| {
        // Where the system gives no more threads, fewer do the work.
        let start = |_| std::thread::Builder::new().spawn_scoped(scope, work).ok();
        let others: Vec<_> = (1..threads).map_while(start).collect();
        let mine = work();
        others.into_iter().fold(mine, |all, other| all.and(other.join().unwrap_or(Err(Damaged))))
    })?;
    drop(jobs);
    Ok(Picture { width, height, channels, samples })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::engine::Position;
    use crate::engine::{Kernel, Program};
    use crate::entropy::{Distribution, Score, ScoreMeter};
    use std::sync::Arc;

    /// Keeps the score of every symbol, in coding order.
    struct Scores(ScoreMeter, Vec<Score>);

    impl Coder for Scores {
        fn code<const P: usize>(&mut self, distribution: &impl Distribution<P>, symbol: u32) -> Result<u32, Damaged> {
            self.0.code(distribution, symbol)?;
            self.1.push(self.0.last());
            Ok(symbol)
        }
    }

    /// The scores of a band's samples, in the order of the picture.
    pub fn score_band(model: Model, picture: &Picture, band: Band) -> Vec<Score> {
        let mut scores = Scores(ScoreMeter::new(256, true), Vec::new());
        let mut samples =
            walk_known(model, &mut scores, picture, band).expect("every symbol of a mixture can be coded");
        let mut ordered = vec![Score::default(); samples.len()];
        let (width, channels) = (picture.width as usize, usize::from(picture.channels));
        let mut walk = Walk::new(&mut samples, width, channels, model.lag());
        let mut next = scores.1.into_iter();
        while walk.advance().is_some() {
            for (channel, place) in places(channels).iter().enumerate() {
                let put = |_, p: Position, _: &mut u8| {
                    let at = (p.row as usize * width + p.column as usize) * channels + place;
                    ordered[at] = next.next().ok_or(Damaged)?;
                    Ok(())
                };
                walk.visit(channel, put).expect("every sample was scored");
            }
        }
        ordered
    }

    fn network() -> Network {
        let program = Program::from_bytes(include_bytes!("../../models/photo.srm")).unwrap();
        Network::new(Arc::new(program), Kernel::best())
    }

    fn picture(width: u32, height: u32, channels: u8) -> Picture {
        let count = width as usize * height as usize * usize::from(channels);
        let sample = |i: usize| ((i / 7) as u8).wrapping_mul(3) ^ (i % 5) as u8;
        Picture { width, height, channels, samples: (0..count).map(sample).collect() }
    }

    #[test]
    fn pictures_of_every_shape_come_back() {
        let network = network();
        for (width, height) in [(1, 1), (1, 200), (200, 1), (5, 37), (36, 36), (67, 73), (300, 109)] {
            for (channels, adjusted) in [(1, false), (3, false), (1, true), (3, true)] {
                let model = Model { network: &network, adjusted };
                let picture = picture(width, height, channels);
                let codes: Vec<_> = bands(height).map(|band| encode_band(model, &picture, band)).collect();
                let verified = bands(height).zip(&codes).all(|(band, code)| verify_band(model, &picture, band, code));
                assert!(verified, "{width}x{height}");
                let bits: Bits = bands(height).map(|band| measure_band(model, &picture, band)).sum();
                let bytes: usize = codes.iter().map(Vec::len).sum();
                assert!((bytes as u64).abs_diff(bits.ceil_bytes()) <= 8 * codes.len() as u64);
                let codes: Vec<_> = codes.iter().map(|code| Code::Network(code)).collect();
                for threads in [1, 2, 7] {
                    let decoded = decode_picture(model, (width, height, channels), &codes, threads, &|_| {}).unwrap();
                    assert!(decoded == picture, "{width}x{height}, {threads} threads");
                }
            }
        }
    }

    #[test]
    fn a_correction_pays_where_a_picture_is_unlike_photographs() {
        let network = network();
        let mut state = 5u64;
        let mut noise = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 59) as u8
        };
        let samples = (0..180 * 72 * 3).map(|i: usize| (i / 540) as u8 + (i % 540 / 6) as u8 + 3 * noise()).collect();
        let picture = Picture { width: 180, height: 72, channels: 3, samples };
        let bits = |adjusted| -> Bits {
            let model = Model { network: &network, adjusted };
            bands(72).map(|band| measure_band(model, &picture, band)).sum()
        };
        let (alone, corrected) = (bits(false).ceil_bytes(), bits(true).ceil_bytes());
        assert!(corrected < alone / 100 * 95, "{alone} bytes, {corrected} corrected");
    }

    #[test]
    fn bands_of_another_model_can_stand_between() {
        let (network, picture) = (network(), picture(90, 150, 3));
        let model = Model { network: &network, adjusted: true };
        let codes: Vec<_> = bands(150).map(|band| encode_band(model, &picture, band)).collect();
        let line = 90 * 3 * ROWS as usize;
        let fill = |i: usize| {
            let known = &picture.samples[i * line..];
            move |samples: &mut [u8]| {
                samples.copy_from_slice(&known[..samples.len()]);
                Ok(())
            }
        };
        let code = |i: usize| if i % 2 == 0 { Code::Other(Box::new(fill(i))) } else { Code::Network(&codes[i]) };
        let mixed: Vec<_> = (0..codes.len()).map(code).collect();
        assert!(decode_picture(model, (90, 150, 3), &mixed, 3, &|_| {}).unwrap() == picture);
    }

    #[test]
    fn damage_in_one_band_ends_all_threads() {
        let (network, picture) = (network(), picture(90, 150, 3));
        let codes: Vec<_> = bands(150).map(|band| encode_band(&network, &picture, band)).collect();
        let fail = |_: &mut [u8]| Err(Damaged);
        let codes: Vec<_> = (0..codes.len())
            .map(|i| if i == 1 { Code::Other(Box::new(fail)) } else { Code::Network(&codes[i]) })
            .collect();
        assert_eq!(decode_picture(&network, (90, 150, 3), &codes, 3, &|_| {}), Err(Damaged));
    }
}
