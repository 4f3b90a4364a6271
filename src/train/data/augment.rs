//! What is done to the pictures so that a network sees more than was photographed.
//!
//! What must stay true: each change is one of the picture (all its windows agree about it), so that what a window shows is
//! what coding such a picture would show. Photometric changes and symmetries are drawn here; softened pictures are made
//! when the pictures are packed (`soften`).

use super::random::Random;
use super::view::Symmetry;

/// Which changes are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Augment {
    /// The eight symmetries of the square, drawn for every sample; the upright ones more often.
    pub symmetries: bool,
    /// Darkening: a quarter of the steps see `round(255 gain (v / 255)^gamma)` instead of v.
    pub tone: bool,
    /// 15 % of the samples come from softened and noisy copies of the pictures.
    pub soft: bool,
    /// 2 % of the samples lie where the window leaves the picture, beyond those that lie there by chance.
    pub borders: bool,
}

impl Default for Augment {
    /// Everything.
    fn default() -> Self {
        Self { symmetries: true, tone: true, soft: true, borders: true }
    }
}

impl Augment {
    /// Pictures as they are, all positions equally likely.
    pub fn none() -> Self {
        Self { symmetries: false, tone: false, soft: false, borders: false }
    }
}

/// Share of the samples that come from softened pictures.
pub const SOFT: f64 = 0.15;
/// Share of the samples that are put at the borders.
pub const BORDERS: f64 = 0.02;
/// Share of the steps that are darkened.
pub const TONE: f64 = 0.25;

/// How often each symmetry is drawn, in percent: photographs stand upright, and the coder never turns them.
const WEIGHTS: [u64; 8] = [30, 30, 8, 8, 6, 6, 6, 6];

/// A symmetry.
pub fn symmetry(random: &mut Random) -> Symmetry {
    let mut left = random.below(WEIGHTS.iter().sum());
    for (symmetry, weight) in Symmetry::ALL.into_iter().zip(WEIGHTS) {
        if left < weight {
            return symmetry;
        }
        left -= weight;
    }
    unreachable!("a number below the sum of the weights falls to one of them")
}

/// The table of a step's darkening curve, or `None` where the step has none.
pub fn tone(random: &mut Random) -> Option<[u8; 256]> {
    if random.unit() >= TONE {
        return None;
    }
    let (gain, gamma) = (random.between(0.6, 1.0), random.between(1.0, 1.3));
    Some(std::array::from_fn(|v| (255.0 * gain * (v as f64 / 255.0).powf(gamma)).round() as u8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symmetries_and_curves_are_drawn_as_often_as_said() {
        let mut random = Random::new(&[4]);
        let mut seen = [0u64; 8];
        for _ in 0..100_000 {
            let drawn = symmetry(&mut random);
            seen[Symmetry::ALL.iter().position(|s| *s == drawn).unwrap()] += 1;
        }
        assert!(seen.iter().zip(WEIGHTS).all(|(n, w)| n.abs_diff(w * 1000) < 500), "{seen:?}");
        let curves: Vec<_> = (0..10_000).filter_map(|_| tone(&mut random)).collect();
        assert!(curves.len().abs_diff(2500) < 200, "{}", curves.len());
        for curve in &curves {
            assert!(curve.windows(2).all(|w| w[0] <= w[1]) && curve[0] == 0);
            assert!((153..=255).contains(&curve[255]) && curve.iter().enumerate().all(|(v, c)| usize::from(*c) <= v));
        }
    }
}
