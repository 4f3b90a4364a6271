//! Brightness, contrast and colour of a picture.

use super::super::{Example, Kind};
use super::{Family, Figures, Statistic};

/// Means and standard deviations of luminance and of two differences of channels; zeros for what is no picture.
#[derive(Debug, Default)]
pub struct Colours {
    means: [f64; 3],
    spreads: [f64; 3],
}

impl Colours {
    /// Those of a picture.
    pub fn of(example: &Example) -> Self {
        let mut colours = Self::default();
        if example.kind != Kind::Picture || example.is_empty() {
            return colours;
        }
        let range = f64::from(example.alphabet.max(2) - 1);
        let (mut sums, mut squares) = ([0.0; 3], [0.0; 3]);
        for place in example.symbols.chunks_exact(example.channels.max(1)) {
            let v = |i: usize| f64::from(place[i]) / range;
            // Opponent colours: what the three have in common, red against green, yellow against blue.
            let opponent = match place.len() {
                3 => [(v(0) + v(1) + v(2)) / 3.0, v(0) - v(1), (v(0) + v(1)) / 2.0 - v(2)],
                _ => [v(0), 0.0, 0.0],
            };
            for (i, o) in opponent.into_iter().enumerate() {
                sums[i] += o;
                squares[i] += o * o;
            }
        }
        let n = (example.symbols.len() / example.channels.max(1)).max(1) as f64;
        colours.means = sums.map(|sum| sum / n);
        for (spread, (square, mean)) in colours.spreads.iter_mut().zip(squares.iter().zip(&colours.means)) {
            // The logarithm spreads pictures of little contrast or colour as far as those of much.
            *spread = ((square / n - mean * mean).max(0.0).sqrt() + 1e-3).log2();
        }
        colours
    }
}

macro_rules! colours {
    ($($field:ident $at:literal $name:literal $what:literal),*) => {
        /// The statistics of this module.
        pub static ALL: &[Statistic] = &[$(Statistic {
            name: $name,
            what: $what,
            source: "moments of opponent colours (van de Sande et al. 2010)",
            family: Family::Other,
            of: |f: &Figures| f.colours.$field[$at],
        }),*];
    };
}

colours!(
    means 0 "brightness" "brightness", spreads 0 "contrast" "contrast",
    means 1 "red" "balance of red against green", spreads 1 "reds" "spread of red against green",
    means 2 "yellow" "balance of yellow against blue", spreads 2 "yellows" "spread of yellow against blue"
);
