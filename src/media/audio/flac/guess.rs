//! What an encoder probably chose for a channel, by the samples: the coefficients of a predictor, and the parameters of Rice codes.
//!
//! What must stay true: a guess depends on nothing but what a decoder has, too.

use super::subframe::ends;
use crate::predict::lpc::{self, Correlation, Window};

/// Through what an encoder looks at the samples of a channel: the whole window; or, of a window that is cut into so many parts,
/// one of them or all but one (even and odd numbers).
struct View {
    window: Window,
    parts: usize,
    part: usize,
}

const fn view(window: Window, parts: usize, part: usize) -> View {
    View { window, parts, part }
}

const HALF: Window = Window::Tukey(0.5);
const TWO: Window = Window::Tukey(0.5 / 2.0);
const THREE: Window = Window::Tukey(0.5 / 3.0);

/// Those of known encoders, by their number.
static VIEWS: [View; VIEW_COUNT] = [
    view(HALF, 1, 0),
    view(TWO, 1, 0),
    view(TWO, 2, 0),
    view(TWO, 2, 2),
    view(THREE, 1, 0),
    view(THREE, 2, 0),
    view(THREE, 2, 2),
    view(THREE, 3, 0),
    view(THREE, 3, 1),
    view(THREE, 3, 2),
    view(THREE, 3, 3),
    view(THREE, 3, 4),
    view(THREE, 3, 5),
    view(Window::Welch, 1, 0),
];

/// How many there are.
pub const VIEW_COUNT: usize = 14;

/// Windows that were made.
#[derive(Debug, Default)]
pub struct Windows(Vec<(Window, Vec<f32>)>);

impl Windows {
    fn of(&mut self, window: Window, length: usize) -> &[f32] {
        let place = self.0.iter().position(|(made, _)| *made == window).unwrap_or_else(|| {
            self.0.push((window, Vec::new()));
            self.0.len() - 1
        });
        let values = &mut self.0[place].1;
        if values.len() != length {
            *values = window.values(length);
        }
        values
    }

    fn whole(&mut self, window: Window, samples: &[i64], order: usize) -> Correlation {
        let values = self.of(window, samples.len());
        lpc::autocorrelation(samples.iter().zip(values).map(|(s, w)| *s as f32 * w), order)
    }

    /// The coefficients, so many, that an encoder finds which looks through the view of this number.
    pub fn coefficients(&mut self, view: usize, samples: &[i64], order: usize) -> Vec<f32> {
        let View { window, parts, part } = VIEWS[view];
        if parts == 1 {
            return lpc::coefficients(&self.whole(window, samples, order), order);
        }
        let values = self.of(window, samples.len());
        // The slopes of the whole window, brought together.
        let (half, start) = (samples.len() / parts / 2, part / 2 * samples.len() / parts);
        let slopes = values[..half].iter().chain(&values[values.len() - half..]);
        let length = (samples.len() - start).min(2 * half);
        let windowed = samples[start..start + length].iter().zip(slopes).map(|(s, w)| *s as f32 * w);
        let mut found = lpc::autocorrelation(windowed.collect::<Vec<_>>().into_iter(), order);
        if part % 2 == 1 {
            let whole = self.whole(window, samples, order);
            found.iter_mut().zip(whole).for_each(|(part, whole)| *part = whole - *part);
        }
        lpc::coefficients(&found, order)
    }
}

/// What there is to know of a part of a residual.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sums {
    count: u64,
    /// Of magnitudes, and of numbers with their sign in the lowest bit.
    plain: u64,
    folded: u64,
}

impl Sums {
    pub fn of(residual: &[i64]) -> Self {
        residual.iter().fold(Self::default(), |sums, r| Self {
            count: sums.count + 1,
            plain: sums.plain.saturating_add(r.unsigned_abs()),
            folded: sums.folded.saturating_add((r << 1 ^ r >> 63) as u64),
        })
    }

    fn with(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            plain: self.plain.saturating_add(other.plain),
            folded: self.folded.saturating_add(other.folded),
        }
    }

    /// The parameter by which the mean of magnitudes is at most one unit, at most `most`.
    pub fn parameter(&self, most: u32) -> u32 {
        let reaches = |p: &u32| u128::from(self.count) << p >= u128::from(self.plain);
        (0..most).find(reaches).unwrap_or(most)
    }

    /// In what `parameter` may err, as a number below [`CLASSES`]: where the mean lies in its octave, and how far another estimate is.
    pub fn class(&self, parameter: u32) -> usize {
        let count = self.count.max(1);
        let octave = ((u128::from(self.plain) << 3 >> parameter) / u128::from(count)).clamp(4, 7) as usize - 4;
        let other = (self.folded.saturating_sub(count / 2) / count).checked_ilog2().unwrap_or(0);
        let far = (i64::from(other) - i64::from(parameter)).clamp(-2, 1) + 2;
        octave * 4 + far as usize
    }

    /// About the bits that this part takes with a parameter.
    fn bits(&self, parameter: u32) -> u64 {
        let rest = if parameter == 0 { self.plain.saturating_mul(2) } else { self.plain >> (parameter - 1) };
        (u64::from(parameter) + 1).saturating_mul(self.count).saturating_add(rest).saturating_sub(self.count / 2)
    }
}

/// Classes of what a parameter may be.
pub const CLASSES: usize = 16;

/// Into how many parts, by its logarithm and at most `most`, a residual is best cut, whose predictor has this order, of `size` samples.
pub fn partition(residual: &[i64], size: usize, predictor: usize, wide: bool, most: u32) -> u32 {
    let possible = |order: &u32| ends(size, *order, predictor).is_some() && size >> order > predictor;
    let Some(finest) = (0..=most).rev().find(possible) else { return 0 };
    let Some(ends) = ends(size, finest, predictor) else { return 0 };
    let mut start = 0;
    let mut sums: Vec<Sums> = ends
        .map(|end| {
            let part = Sums::of(&residual[start..end - predictor]);
            start = end - predictor;
            part
        })
        .collect();
    let mut best = (u64::MAX, 0);
    for order in (0..=finest).rev() {
        let of = |part: &Sums| part.bits(part.parameter(if wide { 30 } else { 14 })) + 4;
        let bits = sums.iter().map(of).fold(0, u64::saturating_add);
        if bits < best.0 {
            best = (bits, order);
        }
        sums = sums.chunks(2).map(|pair| pair.iter().fold(Sums::default(), |a, b| a.with(*b))).collect();
    }
    best.1
}
