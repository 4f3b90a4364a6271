//! How a picture is laid out: whether it is like its mirror images, and how its middle differs from its border.
//!
//! Things that were photographed for their own sake lie in the middle, and made things are often symmetrical; scenes are neither.

use super::super::{Example, Kind};
use super::{Family, Figures, Statistic};

/// No smaller picture has a layout.
const LEAST: usize = 4;
/// Distances from the middle, in sides: what is nearer than the first is the middle, what is farther than the second the border.
const MIDDLE: f64 = 0.25;
const BORDER: f64 = 0.45;
/// Rings in a side.
const RINGS: f64 = 24.0;

/// What is kept; zeros for what is no picture.
#[derive(Debug, Default)]
pub struct Layout {
    /// Correlation with the picture mirrored left to right, top to bottom, and both.
    symmetry: [f64; 3],
    /// Brightness of the middle less that of the border.
    centre: f64,
    /// Logarithm of the squared contrast of the middle over that of the border.
    detail: f64,
    /// Part of the variance that depends on the distance from the middle alone.
    rings: f64,
}

/// A mean that is being taken.
#[derive(Default, Clone, Copy)]
struct Mean(f64, f64);

impl Mean {
    fn add(&mut self, value: f64) {
        *self = Self(self.0 + value, self.1 + 1.0);
    }

    fn value(self) -> f64 {
        self.0 / self.1.max(1.0)
    }
}

impl Layout {
    /// That of a picture.
    pub fn of(example: &Example, luminance: &[f64]) -> Self {
        let (height, width) = (example.height, example.width);
        if example.kind != Kind::Picture || height.min(width) < LEAST || luminance.len() != height * width {
            return Self::default();
        }
        let n = luminance.len() as f64;
        let mean = luminance.iter().sum::<f64>() / n;
        // One squared step of gray, so that a flat picture is not symmetrical by its rounding.
        let variance = luminance.iter().map(|l| (l - mean) * (l - mean)).sum::<f64>() / n + 1.0;
        let (mut symmetry, mut sides) = ([0.0; 3], [[Mean::default(); 2]; 2]);
        let mut rings = [Mean::default(); RINGS as usize];
        for (y, row) in luminance.chunks_exact(width).enumerate() {
            let down = (y as f64 + 0.5) / height as f64 - 0.5;
            let opposite = &luminance[(height - 1 - y) * width..][..width];
            for (x, value) in row.iter().enumerate() {
                let (value, across) = (value - mean, (x as f64 + 0.5) / width as f64 - 0.5);
                let mirrored = [row[width - 1 - x], opposite[x], opposite[width - 1 - x]];
                symmetry.iter_mut().zip(mirrored).for_each(|(sum, other)| *sum += value * (other - mean));
                let radius = (down * down + across * across).sqrt();
                rings[(radius * RINGS) as usize].add(value);
                if !(MIDDLE..=BORDER).contains(&radius) {
                    let side = &mut sides[usize::from(radius > BORDER)];
                    side[0].add(value);
                    side[1].add(value * value);
                }
            }
        }
        let [middle, border] = sides.map(|side| side.map(Mean::value));
        Self {
            symmetry: symmetry.map(|sum| sum / n / variance),
            centre: middle[0] - border[0],
            detail: ((middle[1] + 1.0) / (border[1] + 1.0)).ln(),
            rings: rings.iter().map(|ring| ring.1 * ring.value().powi(2)).sum::<f64>() / n / variance,
        }
    }
}

macro_rules! layout {
    ($($name:literal $what:literal $source:literal $of:expr),*) => {
        /// The statistics of this module.
        pub static ALL: &[Statistic] =
            &[$(Statistic { name: $name, what: $what, source: $source, family: Family::Other, of: $of }),*];
    };
}

layout!(
    "mirror" "likeness to its mirror image" "correlation" |f: &Figures| f.layout.symmetry[0],
    "flip" "likeness to its image upside down" "correlation" |f: &Figures| f.layout.symmetry[1],
    "turn" "likeness to its image turned round" "correlation" |f: &Figures| f.layout.symmetry[2],
    "centre" "brightness of the middle against the border" "difference of means" |f: &Figures| f.layout.centre,
    "detail" "contrast of the middle against the border" "logarithm of a ratio of variances" |f: &Figures| f.layout.detail,
    "rings" "likeness to rings around the middle" "variance explained by the radius" |f: &Figures| f.layout.rings
);

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: impl Fn(usize, usize) -> f64) -> Layout {
        let (height, width) = (24, 32);
        let luminance: Vec<f64> = (0..height * width).map(|i| value(i / width, i % width)).collect();
        let example = Example::new(Kind::Picture, [height, width, 1], 256, &[], &[]);
        Layout::of(&example, &luminance)
    }

    #[test]
    fn a_disc_and_a_ramp_are_laid_out_as_they_are() {
        let disc = of(|y, x| if (y as f64 - 11.5).hypot(x as f64 - 15.5) < 7.0 { 200.0 } else { 20.0 });
        assert!(disc.symmetry.iter().all(|s| *s > 0.99) && disc.centre > 100.0 && disc.rings > 0.5, "{disc:?}");
        let ramp = of(|_, x| x as f64 * 8.0);
        assert!(ramp.symmetry[0] < -0.99 && ramp.symmetry[1] > 0.99 && ramp.symmetry[2] < -0.99, "{ramp:?}");
        assert!(ramp.rings < 0.01 && ramp.centre.abs() < 1e-9 && ramp.detail < -1.0, "{ramp:?}");
    }
}
