//! One signature of everything that must be the same everywhere: hashes of intermediate values and of codes over a fixed
//! set of generated inputs.
//!
//! What must stay true: a signature depends on the model and the format alone, never on the kernel, the device, the number of
//! threads, the machine, the compiler or its options.

use super::adapted::of_any_size;
use super::bands::{Band, Code, Model, Source, bands, decode_picture, encode_band, field, measure_band, places, strip};
use super::builtin::BUILT_IN;
use super::lockstep::{Coded, decode_pictures};
use super::{DEFAULT_LIMIT, Effort, Models, Options, compress, decompress};
use crate::adapt::Fit;
use crate::engine::device::{DeviceError, Interval};
use crate::engine::{Device, Executor, Kernel, Network, Position, Runner, reference};
use crate::entropy::{Bits, Damaged};
use crate::media::audio::{Sound, wav};
use crate::media::image::Picture;
use crate::media::image::lattice::{self, Planes};
use crate::predict::{audio, bytes};
use std::convert::Infallible;
use std::fmt::Write;
use std::sync::Arc;

/// Width, height and channels of the pictures: a single pixel, less than a window, less than a wavefront, several bands. An
/// emulator should be done with them in a minute.
const SIZES: [(u32, u32, u8); 8] =
    [(1, 1, 1), (1, 1, 3), (1, 40, 3), (43, 1, 3), (5, 38, 1), (13, 11, 3), (23, 9, 1), (9, 41, 3)];
/// How many of them, from the last one on, models get that are not the default effort level's.
const OTHERS: usize = 3;
/// Positions that an executor gets at a time: no whole number of a kernel's rows.
const BATCH: usize = 29;
/// The reference is slow: it evaluates one position of this many.
const SAMPLED: usize = 17;

/// The signature of this build on this machine: a line `name hash` a part, so that a difference says where it begins.
///
/// `tensors`: every node's values of every model inside the binary at every position of every picture, from the executor;
/// `sampled`: those at some positions; `reference`: the same ones from the reference engine; `codes`: the bands' codes and
/// measured bits; `decoded`: what `threads` threads make of the codes; `adjusted`: both, with `predict::adjust`; `bytes`: codes of the byte model; `adapted`: an
/// adaptation to a picture, and the code of a band by it; `streams`: whole streams, made by `threads` threads, and of a
/// picture those of every effort level that is another point; `planes`: planes of pictures on a lattice, and their bands' codes by
/// the model for them; `sound`: codes of samples by every profile, and a stream of two segments.
///
/// # Panics
/// If this machine lacks the kernel, or refuses the threads.
pub fn signature(kernel: Kernel, threads: usize) -> String {
    of(Models::new(&[], kernel), threads).expect("no device can fail")
}

/// The signature of a device: its executor in the place of the kernels', its way to code and to decode.
///
/// # Panics
/// As [`signature`] does.
pub fn signature_on(device: Arc<dyn Device>, threads: usize) -> Result<String, DeviceError> {
    of(Models::new(&[], Kernel::best()).on(device), threads)
}

fn of(models: Models, threads: usize) -> Result<String, DeviceError> {
    let mut parts = PARTS.map(|name| (name, blake3::Hasher::new()));
    let [tensors, sampled, reference, codes, decoded, adjusted, bytes, adapted, streams, planes, sound] =
        parts.each_mut().map(|part| &mut part.1);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    for model in &BUILT_IN {
        let id = model.program().expect("a model inside the binary can be read").id();
        let network = models.find(id).expect("it is inside the binary");
        let runner = models.runner(&network)?;
        let runs = Runs { network: &network, runner: runner.as_deref() };
        if Effort::default().level().planes == Some(model.name) {
            hash_planes(&network, threads, planes);
            continue;
        }
        let is_default = model.name == Effort::default().level().model;
        let pictures = SIZES.into_iter().enumerate().skip(if is_default { 0 } else { SIZES.len() - OTHERS });
        for (number, size) in pictures.clone() {
            let picture = generate(size, number as u64);
            hash_tensors(runs, &picture, [tensors, sampled, reference])?;
            hash_codes(runs, &picture, threads, [codes, decoded])?;
        }
        if is_default {
            pool.install(|| hash_adapted(&network, adapted));
            pictures.for_each(|(number, size)| {
                let (picture, mut back) = (generate(size, number as u64), blake3::Hasher::new());
                let model = Model { network: &network, adjusted: true };
                hash_on_kernels(model, &picture, threads, [adjusted, &mut back]);
                adjusted.update(back.finalize().as_bytes());
            });
        }
    }
    let files = files();
    let hints = [bytes::Hint { record: 0, pixel: 0 }, bytes::Hint { record: 60, pixel: 3 }];
    for (file, hint) in files.iter().flat_map(|file| hints.map(|hint| (file, hint))) {
        hash_bytes(file, hint, bytes);
    }
    pool.install(|| {
        files.iter().for_each(|file| hash_stream(file, Effort::default(), &models, streams));
        let others = Effort::points().into_iter().map(|(first, _)| first);
        for effort in others.filter(|effort| effort.level() != Effort::default().level()) {
            hash_stream(&files[0], effort, &models, streams);
        }
        hash_sound(&models, sound);
    });
    let mut lines = String::new();
    for (name, hasher) in parts {
        writeln!(lines, "{name} {}", hasher.finalize().to_hex()).expect("a string takes everything");
    }
    Ok(lines)
}

/// Names of the parts.
const PARTS: [&str; 11] = [
    "tensors",
    "sampled",
    "reference",
    "codes",
    "decoded",
    "adjusted",
    "bytes",
    "adapted",
    "streams",
    "planes",
    "sound",
];

/// Hashes the planes of a picture on each lattice, with exceptions, and their code.
fn hash_planes(network: &Network, threads: usize, hasher: &mut blake3::Hasher) {
    for transform in lattice::TRANSFORMS {
        let (mut picture, other) = (generate((13, 11, 3), u64::from(transform.id)), generate((13, 11, 3), 9));
        for (pixel, exception) in picture.samples.chunks_exact_mut(3).zip(other.samples.chunks_exact(3)) {
            pixel.copy_from_slice(&transform.forward([pixel[0], pixel[1], pixel[2]]));
            if exception[0] % 16 == 1 {
                pixel.copy_from_slice(exception);
            }
        }
        let planes = Planes::of(&picture, transform);
        hasher.update(&planes.exceptions).update(&planes.picture.samples);
        let mut back = blake3::Hasher::new();
        hash_on_kernels(network.into(), &planes.picture, threads, [hasher, &mut back]);
        match lattice::restore(transform, planes.picture, &planes.exceptions) {
            Ok(restored) if restored == picture => hasher.update(back.finalize().as_bytes()),
            _ => hasher.update(b"damaged"),
        };
    }
}

/// A network, and what runs it in the kernels' place.
#[derive(Clone, Copy)]
struct Runs<'a> {
    network: &'a Network,
    runner: Option<&'a dyn Runner>,
}

impl Runs<'_> {
    /// All values of these nodes at all positions: `[positions][nodes]`.
    fn values(&self, picture: &Picture, nodes: &[usize]) -> Result<Vec<Vec<Vec<i16>>>, DeviceError> {
        let (width, height) = (picture.width as usize, picture.height as usize);
        if let Some(runner) = self.runner {
            let values = runner.values(&strip(self.network, picture, whole(picture), whole(picture)))?;
            let of = |node: &usize, i: usize| {
                let width = values[*node].len() / (width * height);
                values[*node][i * width..][..width].to_vec()
            };
            return Ok((0..width * height).map(|i| nodes.iter().map(|node| of(node, i)).collect()).collect());
        }
        let field = field(self.network, picture);
        let position = |i: usize| Position { row: (i / width) as u32, column: (i % width) as u32 };
        let positions: Vec<_> = (0..width * height).map(position).collect();
        let mut executor = Executor::new(self.network, BATCH);
        let mut all = Vec::new();
        for positions in positions.chunks(BATCH) {
            executor.all(&field, positions);
            let of = |i: usize| nodes.iter().map(|node| executor.values(*node, i).to_vec()).collect();
            all.extend((0..positions.len()).map(of));
        }
        Ok(all)
    }

    /// The intervals of all samples, if something else than the kernels computes them.
    fn intervals(&self, picture: &Picture) -> Result<Vec<Interval>, DeviceError> {
        let of = |runner: &dyn Runner| runner.intervals(&strip(self.network, picture, whole(picture), whole(picture)));
        self.runner.map_or(Ok(Vec::new()), of)
    }
}

/// All rows.
fn whole(picture: &Picture) -> Band {
    Band { first: 0, rows: picture.height }
}

/// A picture of gradients, noise, edges and flat parts in patches.
fn generate((width, height, channels): (u32, u32, u8), seed: u64) -> Picture {
    let mut state = seed;
    let mut noise = |n: u32| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as u32 % n
    };
    let mut samples = Vec::new();
    for y in 0..height {
        for x in 0..width {
            for c in 0..u32::from(channels) {
                samples.push(match (x / 11 + y / 13 + seed as u32) % 5 {
                    0 => (x * 5 + y * 3 + c * 20) as u8,
                    1 => noise(256) as u8,
                    2 => 200u32.saturating_sub(3 * x + noise(9)) as u8,
                    3 => 255 * ((x / 2 + y) % 2) as u8,
                    _ => 77,
                });
            }
        }
    }
    Picture { width, height, channels, samples }
}

/// Hashes all nodes at all positions, and at sampled ones by the executor and by the reference.
fn hash_tensors(
    runs: Runs,
    picture: &Picture,
    [all, sampled, definition]: [&mut blake3::Hasher; 3],
) -> Result<(), DeviceError> {
    let planes = planes(picture);
    let width = picture.width as usize;
    // A gray picture has no values of the nodes that see a second channel.
    let first = reference::evaluate(runs.network.program(), &planes, 0, 0);
    let nodes: Vec<_> = (0..first.len()).filter(|node| !first[*node].is_empty()).collect();
    for (at, values) in runs.values(picture, &nodes)?.iter().enumerate() {
        let is_sampled = at % SAMPLED == 0;
        for value in values.iter().flatten() {
            all.update(&value.to_le_bytes());
            if is_sampled {
                sampled.update(&i64::from(*value).to_le_bytes());
            }
        }
        if is_sampled {
            let values = reference::evaluate(runs.network.program(), &planes, at / width, at % width);
            values.iter().flatten().for_each(|value| _ = definition.update(&value.to_le_bytes()));
        }
    }
    Ok(())
}

/// The picture as the reference wants it: planes in coding order.
fn planes(picture: &Picture) -> reference::Picture {
    let channels = usize::from(picture.channels);
    let rows = picture.samples.chunks_exact(picture.width as usize * channels);
    let row = |row: &[u8], place: usize| row.chunks_exact(channels).map(|pixel| pixel[place]).collect();
    places(channels).iter().map(|place| rows.clone().map(|r| row(r, *place)).collect()).collect()
}

/// Hashes codes and bits of all bands, and what decoding gives, with the network alone.
fn hash_codes(
    runs: Runs,
    picture: &Picture,
    threads: usize,
    hashers: [&mut blake3::Hasher; 2],
) -> Result<(), DeviceError> {
    let Runs { network, runner } = runs;
    let Some(runner) = runner else {
        hash_on_kernels(network.into(), picture, threads, hashers);
        return Ok(());
    };
    let Picture { width, height, channels, .. } = *picture;
    let intervals = runs.intervals(picture)?;
    let line = width as usize * usize::from(channels);
    let source = |band: Band| Source::Intervals(network, &intervals[band.first as usize * line..]);
    let decode = |codes: Vec<Code>| {
        Ok(decode_pictures(network, runner, channels, &[Coded { width, height, codes }], &|_| {})?.remove(0))
    };
    hash_bands(source, picture, decode, hashers)
}

/// As [`hash_codes`], by the kernels, corrected or not.
fn hash_on_kernels(model: Model, picture: &Picture, threads: usize, hashers: [&mut blake3::Hasher; 2]) {
    let size = (picture.width, picture.height, picture.channels);
    let decode = |codes: Vec<Code>| Ok::<_, Infallible>(decode_picture(model, size, &codes, threads, &|_| {}));
    match hash_bands(|_| Source::Kernels(model), picture, decode, hashers) {
        Ok(()) => {}
        Err(never) => match never {},
    }
}

fn hash_bands<'s, E>(
    source: impl Fn(Band) -> Source<'s>,
    picture: &Picture,
    decode: impl FnOnce(Vec<Code>) -> Result<Result<Picture, Damaged>, E>,
    [codes, decoded]: [&mut blake3::Hasher; 2],
) -> Result<(), E> {
    let each: Vec<_> = bands(picture.height).map(|band| encode_band(source(band), picture, band)).collect();
    for code in &each {
        codes.update(&(code.len() as u64).to_le_bytes()).update(code);
    }
    let bits: Bits = bands(picture.height).map(|band| measure_band(source(band), picture, band)).sum();
    codes.update(&bits.0.to_le_bytes());
    match decode(each.iter().map(|code| Code::Network(code)).collect())? {
        Ok(back) if back == *picture => decoded.update(&back.samples),
        Ok(_) => decoded.update(b"other samples"),
        Err(_) => decoded.update(b"damaged"),
    };
    Ok(())
}

/// Files of three kinds: a picture, words, and records of numbers.
fn files() -> [Vec<u8>; 3] {
    let picture = generate((9, 41, 3), 3);
    let mut pnm = b"P6\n9 41\n255\n".to_vec();
    pnm.extend_from_slice(&picture.samples);
    let words = ["surprise ", "is ", "the ", "length ", "of ", "code, ", "in bits. "];
    let text = picture.samples.iter().flat_map(|v| words[usize::from(*v) % words.len()].bytes());
    let records = (0..1500u32).map(|i| ((i / 60 * (i % 60)) >> (i % 3)) as u8);
    [pnm, text.take(1500).collect(), records.collect()]
}

/// Hashes the byte model's code and bits of a file, and what decoding gives.
fn hash_bytes(file: &[u8], hint: bytes::Hint, hasher: &mut blake3::Hasher) {
    let code = bytes::encode(file, hint);
    hasher.update(&(code.len() as u64).to_le_bytes()).update(&code);
    hasher.update(&bytes::measure(file, hint).0.to_le_bytes());
    match bytes::decode(&code, file.len(), hint) {
        Ok(back) => hasher.update(&back),
        Err(_) => hasher.update(b"damaged"),
    };
}

/// Hashes an adaptation to a picture, and a band that it codes.
fn hash_adapted(network: &Network, hasher: &mut blake3::Hasher) {
    let picture = generate((37, 24, 3), 9);
    let fit = Fit { steps: 8, batch: 60, rate: 0.04, share: 1.0 };
    if let Some((network, code)) = of_any_size(network, &picture, &fit) {
        hasher.update(&[code.len() as u8]).update(&code);
        bands(picture.height).for_each(|band| _ = hasher.update(&encode_band(&network, &picture, band)));
    }
}

/// Hashes a file's stream at an effort level and the file that it gives back.
fn hash_stream(file: &[u8], effort: Effort, models: &Models, hasher: &mut blake3::Hasher) {
    match compress(file, models, &Options { level: effort.level(), ..Options::default() }, &()) {
        Ok(made) => {
            hasher.update(&(made.bytes.len() as u64).to_le_bytes()).update(&made.bytes);
            match decompress(&made.bytes, models, DEFAULT_LIMIT, &()) {
                Ok(back) => hasher.update(&back),
                Err(fault) => hasher.update(fault.to_string().as_bytes()),
            };
        }
        Err(fault) => _ = hasher.update(fault.to_string().as_bytes()),
    }
}

/// Samples of so many bits in two channels: a wave that slides, noise, silence, and the ends of the range.
fn sound(frames: usize, bits: u32) -> Vec<i32> {
    let (mut state, mut wave) = (7u64, [900i64, 880]);
    let mut samples = Vec::new();
    for at in 0..frames {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let noise = (state >> 33) as i64 % 61 - 30;
        wave = [wave[1], (1960 - at as i64 / 20) * wave[1] / 1000 - wave[0]].map(|w| w.clamp(-20_000, 20_000));
        let (left, right) = match at / 97 % 5 {
            3 => (0, 0),
            4 => (if at % 2 == 0 { 32767 } else { -32768 }, noise),
            _ => (wave[0] + noise, wave[0] / 2 - wave[1] / 3 + noise / 2),
        };
        samples.extend([left, right].map(|x| (x << bits.saturating_sub(16) >> 16u32.saturating_sub(bits)) as i32));
    }
    samples
}

/// Hashes codes, their lengths and what decoding gives, of samples of several kinds by every profile, and a stream.
fn hash_sound(models: &Models, hasher: &mut blake3::Hasher) {
    let float = |samples: Vec<i32>| samples.into_iter().map(|s| audio::ordered((s << 9) ^ 0x3c00_0000)).collect();
    let sparse = |samples: Vec<i32>| samples.into_iter().map(|s| s / 97 * 97 + 5).collect();
    let kinds: [(Vec<i32>, u32, bool); 5] = [
        (sound(900, 16), 16, false),
        (sound(400, 8), 8, false),
        (sound(500, 24), 24, false),
        (sparse(sound(700, 16)), 16, false),
        (float(sound(300, 16)), 32, true),
    ];
    for (samples, bits, float) in kinds {
        let shape = audio::Shape { channels: 2, bits, float };
        for profile in 0..audio::PROFILES.len() {
            let code = audio::encode(samples.clone(), shape, profile);
            hasher.update(&(code.len() as u64).to_le_bytes()).update(&code);
            hasher.update(&audio::measure(samples.clone(), shape, profile).0.to_le_bytes());
            match audio::decode(&code, samples.len() / 2, shape) {
                Ok(back) => back.iter().for_each(|sample| _ = hasher.update(&sample.to_le_bytes())),
                Err(_) => _ = hasher.update(b"damaged"),
            }
        }
    }
    let file =
        wav::write(&Sound { channels: 2, bits: 16, rate: 1000, samples: sound(1300, 16) }).expect("a small file");
    let options = Options { seconds: Some(1), ..Options::default() };
    if let Ok(made) = compress(&file, models, &options, &()) {
        hasher.update(&made.bytes);
        if let Ok(back) = decompress(&made.bytes, models, DEFAULT_LIMIT, &()) {
            hasher.update(&back);
        }
    }
}
