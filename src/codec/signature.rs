//! One signature of everything that must be the same everywhere: hashes of intermediate values and of codes over a fixed
//! set of generated inputs.
//!
//! What must stay true: a signature depends on the model and the format alone, never on the kernel, the number of threads,
//! the machine, the compiler or its options.

use super::bands::{Code, Model, bands, decode_picture, encode_band, measure_band};
use super::{DEFAULT_LIMIT, Effort, Models, Options, compress, decompress};
use crate::engine::{Executor, Field, Kernel, Network, Position, reference};
use crate::entropy::Bits;
use crate::media::image::Picture;
use crate::predict::bytes;
use std::fmt::Write;

/// Width, height and channels of the pictures: a single pixel, less than a window, less than a wavefront, several bands. An
/// emulator should be done with them in a minute.
const SIZES: [(u32, u32, u8); 8] =
    [(1, 1, 1), (1, 1, 3), (1, 40, 3), (43, 1, 3), (5, 38, 1), (13, 11, 3), (23, 9, 1), (9, 41, 3)];
/// Positions that an executor gets at a time: no whole number of a kernel's rows.
const BATCH: usize = 29;
/// The reference is slow: it evaluates one position of this many.
const SAMPLED: usize = 17;

/// The signature of this build on this machine: a line `name hash` a part, so that a difference says where it begins.
///
/// `tensors`: every node's values at every position of every picture, from the executor; `sampled`: those at some positions;
/// `reference`: the same ones from the reference engine; `codes`: the bands' codes and measured bits; `decoded`: what
/// `threads` threads make of the codes; `adjusted`: both, with `predict::adjust`; `bytes`: codes of the byte model; `streams`: whole streams, made by `threads` threads.
///
/// # Panics
/// If this machine lacks the kernel, or refuses the threads.
pub fn signature(kernel: Kernel, threads: usize) -> String {
    let models = Models::new(&[], kernel);
    let network =
        models.for_pictures(3, Effort::default()).ok().flatten().expect("a model for colour pictures is in the binary");
    let mut parts = ["tensors", "sampled", "reference", "codes", "decoded", "adjusted", "bytes", "streams"]
        .map(|name| (name, blake3::Hasher::new()));
    let [tensors, sampled, reference, codes, decoded, adjusted, bytes, streams] =
        parts.each_mut().map(|part| &mut part.1);
    for (number, size) in SIZES.into_iter().enumerate() {
        let picture = generate(size, number as u64);
        hash_tensors(&network, &picture, [tensors, sampled, reference]);
        hash_codes((&*network).into(), &picture, threads, [codes, decoded]);
        let model = Model { network: &network, adjusted: true };
        let mut back = blake3::Hasher::new();
        hash_codes(model, &picture, threads, [adjusted, &mut back]);
        adjusted.update(back.finalize().as_bytes());
    }
    let files = files();
    let hints = [bytes::Hint { record: 0, pixel: 0 }, bytes::Hint { record: 60, pixel: 3 }];
    for (file, hint) in files.iter().flat_map(|file| hints.map(|hint| (file, hint))) {
        hash_bytes(file, hint, bytes);
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    pool.install(|| files.iter().for_each(|file| hash_stream(file, &models, streams)));
    let mut lines = String::new();
    for (name, hasher) in parts {
        writeln!(lines, "{name} {}", hasher.finalize().to_hex()).expect("a string takes everything");
    }
    lines
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
fn hash_tensors(network: &Network, picture: &Picture, [all, sampled, definition]: [&mut blake3::Hasher; 3]) {
    let planes = planes(picture);
    let (height, width) = (planes[0].len(), planes[0][0].len());
    let mut field = Field::new(width, height, planes.len(), network.reach(), true);
    let position = |i: usize| Position { row: (i / width) as u32, column: (i % width) as u32 };
    let positions: Vec<_> = (0..width * height).map(position).collect();
    for p in &positions {
        let (y, x) = (p.row as usize, p.column as usize);
        planes.iter().enumerate().for_each(|(c, plane)| field.set(c, y as isize, x, plane[y][x]));
    }
    // A gray picture has no values of the nodes that see a second channel.
    let first = reference::evaluate(network.program(), &planes, 0, 0);
    let nodes: Vec<_> = (0..first.len()).filter(|node| !first[*node].is_empty()).collect();
    let mut executor = Executor::new(network, BATCH);
    for (batch, positions) in positions.chunks(BATCH).enumerate() {
        executor.all(&field, positions);
        for (i, p) in positions.iter().enumerate() {
            let is_sampled = (batch * BATCH + i) % SAMPLED == 0;
            for node in &nodes {
                for value in executor.values(*node, i) {
                    all.update(&value.to_le_bytes());
                    if is_sampled {
                        sampled.update(&i64::from(*value).to_le_bytes());
                    }
                }
            }
            if is_sampled {
                let values = reference::evaluate(network.program(), &planes, p.row as usize, p.column as usize);
                values.iter().flatten().for_each(|value| _ = definition.update(&value.to_le_bytes()));
            }
        }
    }
}

/// The picture as the reference wants it: planes in coding order.
fn planes(picture: &Picture) -> reference::Picture {
    let channels = usize::from(picture.channels);
    let places = if channels == 3 { &[1, 0, 2][..] } else { &[0] };
    let rows = picture.samples.chunks_exact(picture.width as usize * channels);
    let row = |row: &[u8], place: usize| row.chunks_exact(channels).map(|pixel| pixel[place]).collect();
    places.iter().map(|place| rows.clone().map(|r| row(r, *place)).collect()).collect()
}

/// Hashes codes and bits of all bands, and what decoding gives.
fn hash_codes(model: Model, picture: &Picture, threads: usize, [codes, decoded]: [&mut blake3::Hasher; 2]) {
    let each: Vec<_> = bands(picture.height).map(|band| encode_band(model, picture, band)).collect();
    for code in &each {
        codes.update(&(code.len() as u64).to_le_bytes()).update(code);
    }
    let bits: Bits = bands(picture.height).map(|band| measure_band(model, picture, band)).sum();
    codes.update(&bits.0.to_le_bytes());
    let each: Vec<_> = each.iter().map(|code| Code::Network(code)).collect();
    match decode_picture(model, (picture.width, picture.height, picture.channels), &each, threads, &|_| {}) {
        Ok(back) if back == *picture => decoded.update(&back.samples),
        Ok(_) => decoded.update(b"other samples"),
        Err(_) => decoded.update(b"damaged"),
    };
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

/// Hashes a file's stream and the file that it gives back.
fn hash_stream(file: &[u8], models: &Models, hasher: &mut blake3::Hasher) {
    match compress(file, models, &Options::default(), &()) {
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
