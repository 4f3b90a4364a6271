//! Traces of Ogg Vorbis: many coefficients of the blocks that its encoder used were set to zero.
//!
//! The modified discrete cosine transform (Princen and Bradley 1987) of Vorbis's long blocks under its window (Vorbis I specification,
//! section 1.3.2), once of blocks that begin where libvorbis has them begin, and once of those half-way between. A recording that was
//! never encoded has the same coefficients in both (the inverse decoder of Herre and Schug 2000, at the one place that is looked at).
//! One that lost other than a multiple of 128 frames at its beginning is not found, nor is one whose rate was changed.

use super::super::{Example, Kind};
use super::fourier::Fourier;
use super::{Family, Statistic};
use std::f64::consts::PI;

/// The statistics of this module.
pub static ALL: &[Statistic] = &[Statistic {
    name: "vorbis",
    what: "coefficients beside those of the blocks of Ogg Vorbis",
    source: "Herre and Schug 2000",
    family: Family::Trace,
    of: |f| vorbis(f.example),
}];

/// Rounding to whole steps of 16 bits leaves 1/12 in a coefficient, squared.
const ROUNDING: f64 = 0.1;
/// The share of coefficients, lowest first, that is looked at.
const LOWEST: f64 = 0.02;
const HIGHEST: f64 = 0.9;
/// The logarithm of a product of so many squared coefficients is taken at once: none exceeds `2^41`.
const PRODUCT: usize = 16;
/// A stretch is half a long block; no more of them are looked at, spread evenly.
const STRETCHES: usize = 64;

/// Frames of libvorbis's long and short blocks for recordings of a rate (its `vorbis_encode_init`; at its lowest quality some are longer).
fn blocks(rate: u32) -> (usize, usize) {
    match rate {
        0..12_000 => (512, 512),
        12_000..26_000 => (1024, 512),
        _ => (2048, 256),
    }
}

/// The transform of blocks of a length.
struct Transform {
    window: Vec<f64>,
    /// `(cos, sin)` of what turns values before and after the inner transform.
    turns: Vec<[f64; 2]>,
    fourier: Fourier,
    folded: Vec<f64>,
}

impl Transform {
    /// Of so many frames, a power of two from 16 on.
    fn new(length: usize) -> Self {
        let window = |i: usize| (PI / 2.0 * (PI * (i as f64 + 0.5) / length as f64).sin().powi(2)).sin();
        let turn = |i: usize| PI * (8 * i + 1) as f64 / (4 * length) as f64;
        Self {
            window: (0..length).map(window).collect(),
            turns: (0..length / 4).map(|i| [turn(i).cos(), turn(i).sin()]).collect(),
            fourier: Fourier::new(length / 4),
            folded: vec![0.0; length / 2],
        }
    }

    /// The coefficients of a block, of white noise with its standard deviation, in an order of no meaning.
    fn coefficients(&mut self, block: &[f64]) -> impl Iterator<Item = (usize, f64)> + '_ {
        let (half, at) = (block.len() / 2, |i: usize| block[i] * self.window[i]);
        for i in 0..half / 2 {
            self.folded[i] = -at(3 * half / 2 - 1 - i) - at(3 * half / 2 + i);
            self.folded[half / 2 + i] = at(i) - at(half - 1 - i);
        }
        let unit = (2.0 / half as f64).sqrt();
        let turned = |[re, im]: [f64; 2], [c, s]: [f64; 2]| [re * c + im * s, im * c - re * s];
        let pairs = (0..half / 2).map(|i| [self.folded[2 * i], self.folded[half - 1 - 2 * i]]);
        let pairs = pairs.zip(&self.turns).map(|(pair, turn)| turned(pair, *turn));
        let found = self.fourier.complex(pairs).iter().zip(&self.turns).enumerate();
        found.flat_map(move |(k, (value, turn))| {
            let [even, odd] = turned(*value, *turn);
            [(2 * k, even * unit), (half - 1 - 2 * k, -odd * unit)]
        })
    }

    /// Mean logarithm to base 2 of the squared coefficients of a block.
    fn logarithm(&mut self, block: &[f64]) -> f64 {
        let half = block.len() as f64 / 2.0;
        let (first, last) = ((half * LOWEST) as usize, (half * HIGHEST) as usize);
        let (mut sum, mut product, mut count) = (0.0, 1.0, 0);
        for (_, value) in self.coefficients(block).filter(|(k, _)| (first..last).contains(k)) {
            product *= value * value + ROUNDING;
            count += 1;
            if count % PRODUCT == 0 {
                sum += product.log2();
                product = 1.0;
            }
        }
        (sum + product.log2()) / f64::from(count.max(1) as u32)
    }
}

/// The channel with the most power.
fn loudest(example: &Example) -> Vec<f64> {
    let channels = example.channels.max(1);
    let channel = |c: usize| -> Vec<f64> {
        example.symbols.chunks_exact(channels).map(|frame| f64::from(frame[c] as i16)).collect()
    };
    let power = |samples: &[f64]| samples.iter().map(|s| s * s).sum::<f64>();
    let louder = |a: Vec<f64>, b: Vec<f64>| if power(&b) > power(&a) { b } else { a };
    (0..channels).map(channel).reduce(louder).unwrap_or_default()
}

/// How much smaller coefficients are where an encoder's blocks would begin, in logarithms to base 2: means over stretches, of which each
/// has the block with the smallest ones.
fn vorbis(example: &Example) -> f64 {
    let Kind::Sound { rate } = example.kind else { return 0.0 };
    let (long, short) = blocks(rate);
    // Long blocks begin at multiples of half a short one, counted from here.
    let (step, phase) = (short / 2, (long - short) / 4);
    let first = (phase + step - example.start % step) % step;
    let samples = loudest(example);
    let room = samples.len().saturating_sub(first + long + step);
    let stretches = room / (long / 2);
    if stretches == 0 {
        return 0.0;
    }
    let mut transform = Transform::new(long);
    let mut smallest = |from: usize| {
        let each = (from..from + long / 2).step_by(step).map(|at| transform.logarithm(&samples[at..at + long]));
        each.fold(f64::INFINITY, f64::min)
    };
    let (mut sum, mut count) = (0.0, 0.0);
    for stretch in (0..stretches).step_by(stretches.div_ceil(STRETCHES)) {
        let from = first + stretch * long / 2;
        let beside = (smallest(from + step / 4) + smallest(from + 3 * step / 4)) / 2.0;
        sum += beside - smallest(from);
        count += 1.0;
    }
    sum / count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::SIGNED;

    fn noise(i: usize) -> f64 {
        let z = (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        ((z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 40) as f64 / (1u64 << 24) as f64 - 0.5
    }

    /// The coefficients of a block, lowest first, by the sum that defines them.
    fn defined(block: &[f64]) -> Vec<f64> {
        let half = block.len() / 2;
        let window = Transform::new(block.len()).window;
        let one = |k: usize| {
            let angle = |n: usize| PI / half as f64 * (n as f64 + 0.5 + half as f64 / 2.0) * (k as f64 + 0.5);
            let terms = block.iter().zip(&window).enumerate().map(|(n, (v, w))| v * w * angle(n).cos());
            terms.sum::<f64>() * (2.0 / half as f64).sqrt()
        };
        (0..half).map(one).collect()
    }

    #[test]
    fn the_transform_is_the_sum_that_defines_it() {
        let block: Vec<f64> = (0..64).map(|i| 100.0 * noise(i)).collect();
        let mut transform = Transform::new(64);
        let mut found: Vec<(usize, f64)> = transform.coefficients(&block).collect();
        found.sort_by_key(|(k, _)| *k);
        for ((k, found), (i, defined)) in found.into_iter().zip(defined(&block).into_iter().enumerate()) {
            assert!(k == i && (found - defined).abs() < 1e-9, "{k} {found} {defined}");
        }
        let all = (1.28 * 0.5) as usize..(32.0 * HIGHEST) as usize;
        let mean = all.clone().map(|k| (defined(&block)[k].powi(2) + ROUNDING).log2()).sum::<f64>() / all.len() as f64;
        assert!((transform.logarithm(&block) - mean).abs() < 1e-9);
    }

    /// Noise of which every second coefficient of the blocks of 512 frames from `first` on is zero, as at a rate of 8 000.
    fn coded(first: usize, frames: usize) -> Vec<u16> {
        let plain: Vec<f64> = (0..frames).map(|i| 3000.0 * noise(i)).collect();
        let window = Transform::new(512).window;
        let cosines: Vec<f64> = (0..2048).map(|i| (PI / 1024.0 * i as f64).cos()).collect();
        let mut made = vec![0.0; frames];
        for from in (first..=frames - 512).step_by(256) {
            let values = defined(&plain[from..from + 512]);
            for n in 0..512 {
                let term = |k: usize| values[k] * cosines[((2 * n + 257) * (2 * k + 1)) % 2048];
                let sum: f64 = (0..256).step_by(2).map(term).sum();
                made[from + n] += sum * window[n] * (2.0f64 / 256.0).sqrt();
            }
        }
        made.iter().map(|v| v.round() as i16 as u16).collect()
    }

    #[test]
    fn what_an_encoder_set_to_zero_is_found_where_its_blocks_are() {
        let of = |symbols: &[u16], start: usize| {
            let kind = Kind::Sound { rate: 8000 };
            let width = symbols.len();
            vorbis(&Example { start, ..Example::new(kind, [1, width, 1], SIGNED, symbols, &[]) })
        };
        let symbols = coded(0, 6000);
        assert!(of(&symbols, 0) > 3.0 && of(&symbols[300..], 300) > 3.0, "{}", of(&symbols, 0));
        // Never encoded, or cut elsewhere.
        let plain: Vec<u16> = (0..6000).map(|i| (3000.0 * noise(i)) as i16 as u16).collect();
        assert!(of(&plain, 0).abs() < 0.5 && of(&symbols[100..], 0).abs() < 1.0, "{}", of(&symbols[100..], 0));
        assert_eq!((of(&symbols[..900], 0), of(&[], 0)), (0.0, 0.0));
    }
}
