//! Where the time of the picture codec goes, on one core: `cargo bench --bench breakdown [-- PICTURE...]`.
//!
//! The walk of the codec is run in single steps with a clock between them; what the clock itself takes is subtracted. The
//! time of the codec's own walk, without a clock, stands below for comparison. Of every band the least of some runs is
//! taken.

mod common;

use common::{Step, network, pictures, top, walk};
use std::hint::black_box;
use std::time::{Duration, Instant};
use surprisal::codec::bands::{Band, bands, encode_band, measure_band, verify_band};
use surprisal::engine::{Executor, Field, Kernel, Network, Params};
use surprisal::entropy::{Bits, Coder, Decoder, Distribution, Encoder};
use surprisal::likelihood::logistic::{Mixture, PRECISION};
use surprisal::media::image::Picture;
use surprisal::spec::Op;

/// A symbol whose interval is known: coding it is the coder's work alone.
struct Known {
    symbol: u32,
    left: u32,
    width: u32,
}

impl Distribution<PRECISION> for Known {
    fn interval(&self, _: u32) -> (u32, u32) {
        (self.left, self.width)
    }
    fn locate(&self, _: u32) -> (u32, u32, u32) {
        (self.symbol, self.left, self.width)
    }
}

/// Adds up what lies between two laps.
struct Clock {
    last: Instant,
    /// What a lap itself takes.
    cost: Duration,
}

impl Clock {
    fn new() -> Self {
        let start = Instant::now();
        for _ in 0..100_000 {
            black_box(Instant::now());
        }
        let cost = start.elapsed() / 100_000;
        Self { last: Instant::now(), cost }
    }
    fn lap(&mut self, sum: &mut Duration) {
        let now = Instant::now();
        *sum += (now - self.last).saturating_sub(self.cost);
        self.last = now;
    }
}

/// What each part took.
#[derive(Clone)]
struct Times {
    /// `[nodes]`
    nodes: Vec<Duration>,
    /// Parameters to mixtures.
    mixtures: Duration,
    /// Cumulative counts: an interval for an encoder, a search for a decoder.
    counts: Duration,
    coder: Duration,
    /// Buffers, lists of positions, storing samples.
    rest: Duration,
    /// The codec's own walk.
    total: Duration,
}

impl Times {
    fn combine(&mut self, other: &Times, with: impl Fn(Duration, Duration) -> Duration) {
        self.nodes.iter_mut().zip(&other.nodes).for_each(|(a, b)| *a = with(*a, *b));
        self.mixtures = with(self.mixtures, other.mixtures);
        self.counts = with(self.counts, other.counts);
        self.coder = with(self.coder, other.coder);
        self.rest = with(self.rest, other.rest);
        self.total = with(self.total, other.total);
    }
}

/// Runs a step's nodes and makes its mixtures, with a clock.
fn network_part<'n>(
    network: &'n Network,
    executor: &mut Executor<'n>,
    field: &Field,
    step: &Step,
    clock: &mut Clock,
    times: &mut Times,
    mixtures: &mut Vec<Mixture<'n>>,
) {
    clock.lap(&mut times.rest);
    for &id in network.stage_nodes(step.channel) {
        executor.run_node(id, field, step.positions);
        clock.lap(&mut times.nodes[id]);
    }
    mixtures.clear();
    mixtures.extend((0..step.positions.len()).map(|i| executor.distribution(step.channel, i)));
    clock.lap(&mut times.mixtures);
}

fn known(mixture: &Mixture, symbol: u8) -> Known {
    let (left, width) = mixture.interval(symbol.into());
    Known { symbol: symbol.into(), left, width }
}

fn store(field: &mut Field, step: &Step) {
    for (p, sample) in step.positions.iter().zip(step.samples) {
        field.set(step.channel, p.row as isize, p.column as usize, *sample);
    }
}

fn blank(network: &Network) -> Times {
    let zero = Duration::ZERO;
    let nodes = vec![zero; network.program().spec().nodes.len()];
    Times { nodes, mixtures: zero, counts: zero, coder: zero, rest: zero, total: zero }
}

/// Encodes a band; its code, too.
fn encode(network: &Network, picture: &Picture, band: Band) -> (Times, Vec<u8>) {
    let (mut times, mut clock) = (blank(network), Clock::new());
    let (mut mixtures, mut symbols) = (Vec::new(), Vec::new());
    let mut encoder = Encoder::new();
    walk(network, picture, band, &mut |executor, field, step| {
        network_part(network, executor, field, &step, &mut clock, &mut times, &mut mixtures);
        symbols.clear();
        symbols.extend(mixtures.iter().zip(step.samples).map(|(mixture, s)| known(mixture, *s)));
        clock.lap(&mut times.counts);
        symbols.iter().for_each(|k| encoder.code(k, k.symbol).map(|_| ()).expect("an interval"));
        clock.lap(&mut times.coder);
        store(field, &step);
    });
    let start = Instant::now();
    let code = encode_band(network, picture, band);
    times.total = start.elapsed();
    assert!(code == encoder.finish(), "the walk in single steps is not the codec's");
    (times, code)
}

/// Decodes a band.
fn decode(network: &Network, picture: &Picture, band: Band, code: &[u8]) -> Times {
    let (mut times, mut clock) = (blank(network), Clock::new());
    let (mut mixtures, mut symbols) = (Vec::new(), Vec::new());
    // One decoder searches; the other is told what it would find, so the difference is the search.
    let (mut searching, mut told) = (Decoder::new(code), Decoder::new(code));
    let (mut both, mut coder) = (Duration::ZERO, Duration::ZERO);
    walk(network, picture, band, &mut |executor, field, step| {
        network_part(network, executor, field, &step, &mut clock, &mut times, &mut mixtures);
        for (mixture, sample) in mixtures.iter().zip(step.samples) {
            assert_eq!(searching.code(mixture, 0), Ok(u32::from(*sample)));
        }
        clock.lap(&mut both);
        symbols.clear();
        symbols.extend(mixtures.iter().zip(step.samples).map(|(mixture, s)| known(mixture, *s)));
        clock.last = Instant::now();
        symbols.iter().for_each(|k| told.code(k, 0).map(|_| ()).expect("its own code"));
        clock.lap(&mut coder);
        store(field, &step);
    });
    (times.counts, times.coder) = (both.saturating_sub(coder), coder);
    let start = Instant::now();
    assert!(verify_band(network, picture, band, code));
    times.total = start.elapsed();
    times
}

/// Times of encoding and decoding all bands, of each band the least of `runs`.
fn profile(network: &Network, picture: &Picture, runs: usize) -> [Times; 2] {
    let mut sums = [blank(network), blank(network)];
    for band in bands(picture.height) {
        let run = || {
            let (encoding, code) = encode(network, picture, band);
            [encoding, decode(network, picture, band, &code)]
        };
        let mut best = run();
        for _ in 1..runs {
            best.iter_mut().zip(&run()).for_each(|(a, b)| a.combine(b, Duration::min));
        }
        sums.iter_mut().zip(&best).for_each(|(a, b)| a.combine(b, |a, b| a + b));
    }
    sums
}

/// The part of the table that a node belongs to.
fn part_of(op: &Op) -> usize {
    match op {
        Op::Neighbours { .. } | Op::Current { .. } => 0,
        Op::Linear { .. } => 2,
        Op::Relu | Op::Add => 3,
        _ => 1,
    }
}

const PARTS: [&str; 8] = [
    "gather the window",
    "features (mean, scale, normalize, concatenate)",
    "network: linear layers",
    "network: rectify, add",
    "mixtures from parameters",
    "cumulative counts",
    "range coder",
    "rest (positions, storing samples, buffers)",
];

/// Time of each of [`PARTS`].
fn parts(network: &Network, times: &Times) -> [Duration; 8] {
    let mut parts = [Duration::ZERO; 8];
    for (node, time) in network.program().spec().nodes.iter().zip(&times.nodes) {
        parts[part_of(&node.op)] += *time;
    }
    [parts[4], parts[5], parts[6], parts[7]] = [times.mixtures, times.counts, times.coder, times.rest];
    parts
}

fn micros(time: Duration, pixels: usize) -> f64 {
    time.as_secs_f64() * 1e6 / pixels as f64
}

/// Parts of encoding and decoding all pictures with the best kernel.
fn parts_table(pictures: &[(String, Picture)]) {
    let network = network(Kernel::best());
    let (mut sums, mut totals, mut pixels) = ([[Duration::ZERO; 8]; 2], [Duration::ZERO; 2], 0);
    for (_, picture) in pictures {
        for (k, times) in profile(&network, picture, 5).iter().enumerate() {
            sums[k].iter_mut().zip(parts(&network, times)).for_each(|(sum, part)| *sum += part);
            totals[k] += times.total;
        }
        pixels += picture.samples.len() / 3;
    }
    let names: Vec<_> = pictures.iter().map(|(name, _)| &name[..]).collect();
    println!("kernel {}, one core, {} ({pixels} pixels)\n", network.kernel().name(), names.join(", "));
    println!("| part | encode: us a pixel | share | decode: us a pixel | share |");
    println!("|---|---:|---:|---:|---:|");
    let sum = |k: usize| sums[k].iter().sum::<Duration>();
    for (i, part) in PARTS.iter().enumerate() {
        let cell = |k: usize| {
            let share = sums[k][i].as_secs_f64() / sum(k).as_secs_f64() * 100.0;
            format!("{:.3} | {share:.0} %", micros(sums[k][i], pixels))
        };
        println!("| {part} | {} | {} |", cell(0), cell(1));
    }
    println!("| sum | {:.3} | | {:.3} | |", micros(sum(0), pixels), micros(sum(1), pixels));
    println!("| the codec's own walk | {:.3} | | {:.3} | |\n", micros(totals[0], pixels), micros(totals[1], pixels));
}

/// Every kernel of this machine on the first bands of a picture: as a whole, and layer by layer.
fn kernels_table(picture: &Picture) {
    let picture = top(picture, 72);
    let pixels = picture.samples.len() / 3;
    let measure = |kernel: &Kernel| {
        let network = network(*kernel);
        let times = profile(&network, &picture, if *kernel == Kernel::Scalar { 1 } else { 5 });
        (network, times)
    };
    for kernel in Kernel::ALL.iter().filter(|k| !k.is_available()) {
        println!("skipped, not on this machine: {}", kernel.name());
    }
    let measured: Vec<_> = Kernel::ALL.iter().filter(|k| k.is_available()).map(measure).collect();
    println!("\n| kernel | linear layers: us a pixel | GMAC/s | encode: us a pixel | decode: us a pixel |");
    println!("|---|---:|---:|---:|---:|");
    for (network, [encoding, decoding]) in &measured {
        let linear = micros(parts(network, encoding)[2], pixels);
        let speed = network.program().macs() as f64 / linear / 1e3;
        let (e, d) = (micros(encoding.total, pixels), micros(decoding.total, pixels));
        println!("| {} | {linear:.3} | {speed:.1} | {e:.3} | {d:.3} |", network.kernel().name());
    }
    let names: Vec<_> = measured.iter().map(|(network, _)| network.kernel().name()).collect();
    println!("\n| layer, inputs x outputs (GMAC/s) | {} |", names.join(" | "));
    println!("|---|{}", "---:|".repeat(names.len()));
    let program = measured[0].0.program();
    for id in 0..program.spec().nodes.len() {
        let Params::Linear { weights, bias, .. } = program.params(id) else { continue };
        let speed = |(_, times): &(Network, [Times; 2])| {
            let seconds = times[0].nodes[id].as_secs_f64();
            format!("{:.1}", weights.len() as f64 * pixels as f64 / seconds / 1e9)
        };
        let speeds: Vec<_> = measured.iter().map(speed).collect();
        println!("| {} x {} | {} |", weights.len() / bias.len(), bias.len(), speeds.join(" | "));
    }
}

/// Other numbers of rows a band: how fast the kernels work on batches of that size, and what the ends of the codes take.
fn bands_table(picture: &Picture) {
    let network = network(Kernel::best());
    let pixels = picture.samples.len() / 3;
    println!("\n| rows a band | encode: us a pixel | code length, bytes | codes, bytes |");
    println!("|---:|---:|---:|---:|");
    for rows in [6, 12, 18, 24, 30, 36, 48, 72, 144] {
        let bands = (0..picture.height).step_by(rows as usize);
        let bands: Vec<_> = bands.map(|first| Band { first, rows: rows.min(picture.height - first) }).collect();
        let length: Bits = bands.iter().map(|band| measure_band(&network, picture, *band)).sum();
        let (mut time, mut bytes) = (Duration::ZERO, 0);
        for band in bands {
            let run = || {
                let start = Instant::now();
                let code = encode_band(&network, picture, band);
                (start.elapsed(), code.len())
            };
            let (least, length) = (0..5).map(|_| run()).min().expect("it ran");
            time += least;
            bytes += length;
        }
        println!("| {rows} | {:.3} | {} | {bytes} |", micros(time, pixels), length.ceil_bytes());
    }
}

fn main() {
    if !common::is_wanted() {
        return;
    }
    let pictures = pictures();
    parts_table(&pictures);
    kernels_table(&pictures[0].1);
    bands_table(&pictures[0].1);
}
