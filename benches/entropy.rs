//! The range coder beside ANS on the same symbols: `cargo bench --bench entropy [-- PICTURE...]`.
//!
//! Symbols of 24 bits are the samples of a photograph under the network's mixtures, with and without the time that a mixture
//! takes to find the interval; those of 16 bits are the binary decisions of the byte model on the same samples. Every
//! figure is the least of five runs on one core; every code is decoded and compared.

mod common;

use common::{network, pictures, top, walk_all};
use std::hint::black_box;
use std::time::Instant;
use surprisal::engine::Kernel;
use surprisal::entropy::{AnsDecoder, AnsEncoder, Bit, Coder, CostMeter, Damaged, Decoder, Distribution, Encoder};
use surprisal::likelihood::logistic::Mixture;
use surprisal::predict::bytes;

/// A symbol whose interval is known.
struct Known {
    symbol: u32,
    left: u32,
    width: u32,
}

impl Distribution<24> for Known {
    fn interval(&self, _: u32) -> (u32, u32) {
        (self.left, self.width)
    }
    fn locate(&self, _: u32) -> (u32, u32, u32) {
        (self.symbol, self.left, self.width)
    }
}

/// Keeps the decisions of a walk.
struct Recorder(Vec<(Bit, u32)>);

impl Coder for Recorder {
    fn code<const P: usize>(&mut self, distribution: &impl Distribution<P>, symbol: u32) -> Result<u32, Damaged> {
        self.0.push((Bit { zero: distribution.interval(0).1 as u16 }, symbol));
        Ok(symbol)
    }
}

/// Nanoseconds a symbol, the least of five runs, and what the last one made.
fn timed<T>(symbols: usize, mut run: impl FnMut() -> T) -> (f64, T) {
    let mut best = f64::INFINITY;
    let mut made = None;
    for _ in 0..5 {
        let start = Instant::now();
        made = Some(black_box(run()));
        best = best.min(start.elapsed().as_secs_f64());
    }
    (best * 1e9 / symbols as f64, made.expect("it ran"))
}

fn encode<D: Distribution<P>, const P: usize>(symbols: &[(D, u32)], coder: &mut impl Coder) {
    for (distribution, symbol) in symbols {
        coder.code(distribution, *symbol).expect("an interval");
    }
}

fn decode<D: Distribution<P>, const P: usize>(symbols: &[(D, u32)], coder: &mut impl Coder) {
    for (distribution, symbol) in symbols {
        assert_eq!(coder.code(distribution, 0), Ok(*symbol));
    }
}

/// The rows of both coders.
fn rows<D: Distribution<P>, const P: usize>(what: &str, symbols: &[(D, u32)]) {
    let n = symbols.len();
    let mut meter = CostMeter::new();
    encode(symbols, &mut meter);
    let ideal = meter.bits().to_f64() / 8.0;
    let row = |coder: &str, bytes: usize, encoding: f64, decoding: f64| {
        println!("| {what} | {coder} | {n} | {ideal:.0} | {bytes} | {encoding:.1} | {decoding:.1} |");
    };
    let (encoding, code) = timed(n, || {
        let mut encoder = Encoder::new();
        encode(symbols, &mut encoder);
        encoder.finish()
    });
    let (decoding, ()) = timed(n, || decode(symbols, &mut Decoder::new(&code)));
    row("range", code.len(), encoding, decoding);
    let (encoding, code) = timed(n, || {
        let mut encoder = AnsEncoder::new();
        encode(symbols, &mut encoder);
        encoder.finish()
    });
    let (decoding, ()) = timed(n, || decode(symbols, &mut AnsDecoder::new(&code).expect("its own code")));
    row("ANS", code.len(), encoding, decoding);
}

fn main() {
    if !common::is_wanted() {
        return;
    }
    let (name, picture) = pictures().swap_remove(0);
    let network = network(Kernel::best());
    // Mixtures are large: a part of the picture keeps them few.
    let picture = top(&picture, 72);
    let mut mixtures: Vec<(Mixture, u32)> = Vec::new();
    walk_all(&network, &picture, |executor, field, step| {
        executor.stage(step.channel, field, step.positions);
        for (i, (p, sample)) in step.positions.iter().zip(step.samples).enumerate() {
            mixtures.push((executor.distribution(step.channel, i), u32::from(*sample)));
            field.set(step.channel, p.row as isize, p.column as usize, *sample);
        }
    });
    let known = |(mixture, symbol): &(Mixture, u32)| {
        let (left, width) = mixture.interval(*symbol);
        (Known { symbol: *symbol, left, width }, *symbol)
    };
    let intervals: Vec<_> = mixtures.iter().map(known).collect();
    let mut recorder = Recorder(Vec::new());
    let mut samples = picture.samples.clone();
    let hint = bytes::Hint { record: picture.width * 3, pixel: 3 };
    bytes::walk(&mut recorder, &mut samples, hint).expect("a recorder takes everything");

    println!("{name}, {} x {}\n", picture.width, picture.height);
    println!("| symbols | coder | number | code length, bytes | bytes | encode: ns a symbol | decode: ns a symbol |");
    println!("|---|---|---:|---:|---:|---:|---:|");
    rows("24 bits, interval known", &intervals);
    rows("24 bits, with the mixture", &mixtures);
    rows("16 bits, binary", &recorder.0);
}
