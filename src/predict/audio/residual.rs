//! The distribution of a sample around its prediction, and the binary decisions in which it is coded.
//!
//! Logistic distributions of several scales, all around the prediction, are mixed. The scales are running means of the
//! error's magnitude, slow and fast ones, times factors (a [`Head`] says which); the weights of the mixture are learned, apart for each size and
//! trend of the error, by what share of the sample's probability each one had. A sample is coded as decisions: which side of
//! the prediction, then which of a row of cells, then which half of the cell, a few times; the rest of the bits are as good as
//! uniform. The mixture gives the probability of each decision, and two adaptive maps (contexts: the size and trend of the error; the
//! last two errors) correct those of side and cell.
//!
//! A trained head would take the place of [`Mixture::weigh`]: everything else asks for the weights only.
//!
//! What must stay true: f32 and f64 with `+ - * /`, comparisons and conversions alone; a probability is never 0 or 1, even if
//! a value is no number; encoder and decoder make the same decisions in the same order.

use crate::entropy::{Bit, Coder, Damaged};
use crate::predict::bytes::logistic::stretch;
use crate::predict::bytes::maps::Refiner;

/// Rates of the running means of the error.
const RATES: [f32; 5] = [1.0 / 8.0, 1.0 / 24.0, 1.0 / 64.0, 1.0 / 256.0, 1.0 / 1024.0];

/// Which distributions are mixed, and in how many decisions a sample is coded.
#[derive(Debug, Clone, Copy)]
pub struct Head<const N: usize> {
    /// Of each distribution, the number of a running mean of the error and what it is multiplied with to be the scale.
    scales: [(usize, f32); N],
    /// Width of a cell over the mean scale, at most.
    cell: f32,
    /// Decisions about halves that the mixture is asked for.
    halves: u32,
}

/// Distributions of the full head.
pub const ALL: usize = 2 * RATES.len();
/// Each running mean, times two factors.
const SCALES: [(usize, f32); ALL] = {
    let (mut scales, mut i) = ([(0, 0.55); ALL], 0);
    while i < ALL {
        scales[i] = (i % RATES.len(), if i < RATES.len() { 0.55 } else { 1.05 });
        i += 1;
    }
    scales
};
/// The head of samples of pictures, and of what scores sound.
pub static NARROW: Head<ALL> = Head { scales: SCALES, cell: 0.5, halves: 3 };
/// The same distributions in wider cells: fewer decisions, which the maps know better.
pub static WIDE: Head<ALL> = Head { scales: SCALES, cell: 1.5, halves: 3 };
/// Few distributions, as fast as vectors of four are, and the fewest decisions.
pub static FEW: Head<4> = Head { scales: [(1, 0.45), (1, 0.9), (3, 0.45), (3, 0.9)], cell: 1.5, halves: 2 };

/// The smallest scale, in units of the sample.
const LEAST_SCALE: f32 = 0.05;
/// How fast weights follow.
const WEIGHT_RATE: f32 = 0.015;
/// What the mean error starts at, in units of the sample.
const FIRST_ERROR: f32 = 50.0;
/// Every tail has this much probability beyond any bound.
const FLOOR: f32 = 1e-7;

/// Shares below this are as good as none.
const NOTHING: f32 = 1e-12;

/// Contexts: sizes times trends.
const CONTEXTS: usize = 64;
/// Cells of the same width; those behind them double.
const EQUAL_CELLS: usize = 8;
/// The widest cell.
const WIDEST: u32 = 31;
/// Cells with maps of their own.
const MAPPED: usize = 20;

/// Steps of the table in one unit.
const STEPS: f32 = 32.0;
const ENTRIES: usize = 40 * 32 + 2;

/// `1 / (1 + exp(i / 32))`, by repeated multiplication with `exp(-1 / 32)`.
static TAIL: [f32; ENTRIES] = {
    let (mut table, mut power, mut i) = ([0.0; ENTRIES], 1.0f64, 0);
    while i < ENTRIES {
        table[i] = (power / (1.0 + power)) as f32;
        power *= 0.969_233_234_476_344_1;
        i += 1;
    }
    table
};

/// The share of a logistic distribution of scale 1 that lies above `z`.
#[inline(always)]
fn tail(z: f32) -> f32 {
    let size = z.abs() * STEPS;
    let last = (ENTRIES - 2) as f32;
    let size = if size < last { size } else { last };
    // It fits, and a conversion to 32 bits is one instruction.
    let at = size as i32 as usize;
    let (a, b) = (TAIL[at], TAIL[at + 1]);
    let t = a + (b - a) * (size - at as f32);
    if z < 0.0 { 1.0 - t } else { t }
}

/// The mixture around one prediction.
#[derive(Debug)]
struct Mixture<const N: usize> {
    weights: [f32; N],
    /// One over each scale.
    inverses: [f32; N],
}

impl<const N: usize> Mixture<N> {
    /// The share above `z` from the centre.
    #[inline]
    fn above(&self, z: f32) -> f32 {
        let mut sum = FLOOR;
        for (weight, inverse) in self.weights.iter().zip(&self.inverses) {
            sum += weight * tail(z * inverse);
        }
        sum
    }

    /// The mean of the scales.
    fn scale(&self) -> f32 {
        let mut sum = 0.0;
        for (weight, inverse) in self.weights.iter().zip(&self.inverses) {
            sum += weight / inverse;
        }
        sum
    }

    /// Moves `weights` to each component's share of what lies within half a unit of `z`.
    fn weigh(&self, weights: &mut [f32; N], z: f32) {
        let size = z.abs();
        let (mut shares, mut total) = ([0.0; N], 1e-12);
        for ((share, weight), inverse) in shares.iter_mut().zip(&self.weights).zip(&self.inverses) {
            *share = weight * (tail((size - 0.5) * inverse) - tail((size + 0.5) * inverse) + 1e-9);
            total += *share;
        }
        let gain = WEIGHT_RATE / total;
        for (weight, share) in weights.iter_mut().zip(shares) {
            *weight += gain * share - WEIGHT_RATE * *weight;
        }
    }
}

/// Mean sizes of the errors around a sample, fast ones first.
pub type Errors = [f32; RATES.len()];

/// What codes the samples of a channel.
#[derive(Debug)]
pub struct Residual<const N: usize> {
    head: &'static Head<N>,
    errors: Errors,
    weights: Vec<[f32; N]>,
    maps: [Refiner; 2],
    /// The last two errors.
    last: [f32; 2],
}

/// Kinds of decisions with maps of their own: the side, cells, and cells of one value.
const NODES: usize = 64;

/// The decisions about one sample.
struct Decisions<'a, C> {
    coder: &'a mut C,
    maps: &'a mut [Refiner; 2],
    contexts: [usize; 2],
}

/// A probability as a coder's count of the symbol 1.
#[inline]
fn count(p: f32) -> i32 {
    // A value that is no number becomes 0.
    ((p * 65536.0) as i32).clamp(6, 65530)
}

impl<C: Coder> Decisions<'_, C> {
    /// A decision whose `p` the maps of `node` correct.
    #[inline]
    fn mapped(&mut self, p: f32, bit: bool, node: usize) -> Result<bool, Damaged> {
        let plain = count(p);
        let logistic = stretch(plain as usize >> 4);
        let mut sum = plain;
        for (map, context) in self.maps.iter_mut().zip(self.contexts) {
            map.choose(node * CONTEXTS + context);
            sum += 2 * map.refine(logistic);
        }
        let p = ((sum + 2) / 5).clamp(1, 65535);
        let bit = self.plain(p, bit)?;
        self.maps.iter_mut().for_each(|map| map.learn(bit.into()));
        Ok(bit)
    }

    /// A decision of this count.
    #[inline]
    fn plain(&mut self, p: i32, bit: bool) -> Result<bool, Damaged> {
        Ok(self.coder.code(&Bit { zero: (65536 - p) as u16 }, bit.into())? == 1)
    }
}

/// The size of the error (powers of two of its mean) and its trend.
fn context(e: &Errors) -> usize {
    let size = (e[1] as u32 + 1).ilog2().min(20) as usize;
    let trend = if e[0] > e[2] * 1.4 {
        2
    } else if e[0] < e[2] * 0.7 {
        1
    } else {
        0
    };
    size * 3 + trend
}

impl<const N: usize> Residual<N> {
    /// Nothing is known yet.
    pub fn new(head: &'static Head<N>) -> Self {
        Self {
            head,
            errors: [FIRST_ERROR; RATES.len()],
            weights: vec![[1.0 / N as f32; N]; CONTEXTS],
            maps: std::array::from_fn(|_| Refiner::new(CONTEXTS * NODES)),
            last: [0.0; 2],
        }
    }

    /// The mean sizes of the last errors, but for two fast ones that are known better.
    pub fn errors_near(&self, [a, b]: [f32; 2]) -> Errors {
        let mut errors = self.errors;
        (errors[0], errors[1]) = (a, b);
        errors
    }

    /// Codes a sample, of which `centre` is the prediction. A decoder's `sample` is ignored.
    pub fn code<C: Coder>(&mut self, coder: &mut C, centre: f64, sample: i64) -> Result<i64, Damaged> {
        self.code_around(coder, self.errors, centre, sample)
    }

    /// As [`code`](Self::code), with these sizes of errors.
    pub fn code_around<C: Coder>(
        &mut self,
        coder: &mut C,
        errors: Errors,
        centre: f64,
        sample: i64,
    ) -> Result<i64, Damaged> {
        let context = context(&errors);
        let mut inverses = [0.0; N];
        for (inverse, (rate, factor)) in inverses.iter_mut().zip(self.head.scales) {
            let scale = errors[rate] * factor;
            *inverse = 1.0 / if scale > LEAST_SCALE { scale } else { LEAST_SCALE };
        }
        let mixture = Mixture { weights: self.weights[context], inverses };
        let scale = mixture.scale();
        let side = |error: f32| {
            if error > scale * 0.5 {
                2
            } else if error < scale * -0.5 {
                0
            } else {
                1
            }
        };
        let contexts = [context, side(self.last[0]) * 3 + side(self.last[1])];
        let mut decisions = Decisions { coder, maps: &mut self.maps, contexts };
        let sample = decide(&mut decisions, self.head, (&mixture, scale), centre, sample)?;
        let error = (sample as f64 - centre) as f32;
        mixture.weigh(&mut self.weights[context], error);
        for (mean, rate) in self.errors.iter_mut().zip(RATES) {
            *mean += rate * (error.abs() + 0.02 - *mean);
        }
        self.last = [self.last[1], error];
        Ok(sample)
    }
}

/// Codes the sample by its side, its cell and its place in the cell.
fn decide<C: Coder, const N: usize>(
    decisions: &mut Decisions<'_, C>,
    head: &Head<N>,
    (mixture, scale): (&Mixture<N>, f32),
    centre: f64,
    sample: i64,
) -> Result<i64, Damaged> {
    // Samples from `middle` on are above. `edge` is how far the boundary lies above the centre.
    let middle = centre.floor() as i64 + 1;
    let edge = (middle as f64 - 0.5 - centre) as f32;
    let above = mixture.above(edge);
    let up = decisions.mapped(above, sample >= middle, 0)?;
    // From here on outwards: the distance is 0 next to the boundary.
    let (distance, edge) = if up { (sample - middle, edge) } else { (middle - 1 - sample, -edge) };
    let outside = |from: i64| mixture.above(from as f32 + edge);
    let mut width = 0;
    while width < WIDEST && ((2u64 << width) as f32) < scale * head.cell {
        width += 1;
    }
    let first = if width == 0 { 1 + MAPPED + 1 } else { 1 };
    let (mut start, mut cell, mut inner) = (0i64, 0, if up { above } else { outside(0) });
    let (mut outer, mut end);
    loop {
        end = start + (1 << width);
        outer = outside(end);
        if !decisions.mapped(outer / inner, distance >= end, first + cell.min(MAPPED))? {
            break;
        }
        (start, inner) = (end, outer);
        cell += 1;
        if cell >= EQUAL_CELLS {
            width += 1;
        }
        if width > WIDEST + 2 {
            return Err(Damaged);
        }
    }
    for _ in 0..head.halves.min(width) {
        let half = (start + end) / 2;
        let within = outside(half);
        if decisions.plain(count((within - outer + NOTHING) / (inner - outer + 2.0 * NOTHING)), distance >= half)? {
            (start, inner) = (half, within);
        } else {
            (end, outer) = (half, within);
        }
    }
    while end - start > 1 {
        let half = (start + end) / 2;
        if decisions.plain(1 << 15, distance >= half)? {
            start = half;
        } else {
            end = half;
        }
    }
    Ok(if up { middle + start } else { middle - 1 - start })
}
