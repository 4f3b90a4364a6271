//! One example and its scores, and what is kept of it.

use super::places::{Peak, peaks};
use super::statistics::{Figures, STATISTICS};
use crate::entropy::Score;

/// What a file shows. Files of different kinds are not compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Pictures: symbols are samples of pixels.
    Picture,
    /// Recordings: symbols are samples of 16 bits (the upper ones of more) in two's complement.
    Sound {
        /// Frames a second.
        rate: u32,
    },
    /// Texts: symbols are bytes.
    Text,
}

/// An example, symbol by symbol.
#[derive(Debug, Clone, Copy)]
pub struct Example<'a> {
    /// What its symbols mean.
    pub kind: Kind,
    /// Rows; 1 for a sequence.
    pub height: usize,
    /// Places of a row.
    pub width: usize,
    /// Places of its file that lie before it; 0 but for windows of a sequence.
    pub start: usize,
    /// Symbols of a place.
    pub channels: usize,
    /// Symbols are below this.
    pub alphabet: u32,
    /// `[height][width][channels]`; the last places of a sequence may be missing.
    pub symbols: &'a [u16],
    /// As many.
    pub scores: &'a [Score],
    /// What the last layers of a network for photographs have of a colour picture: as many values for each; none of others.
    pub layer: &'a [f64],
    /// The norm of the Fisher score of the last layers' biases, in nats a place; 0 of what no network for photographs has walked over.
    pub fisher: f64,
    /// Bits a symbol of a background model, if there is one.
    pub background: Option<f64>,
}

/// A part of an example, in places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// First column.
    pub x: usize,
    /// First row.
    pub y: usize,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

/// What is kept of an example.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// A hash (blake3) of its symbols: equal examples have equal ones.
    pub content: [u8; 32],
    /// The same of what belongs together, its file if it is a window of one: those of a group are fitted together, or not at all.
    pub group: [u8; 32],
    /// The statistics, in the order of [`STATISTICS`]; all finite.
    pub values: Vec<f64>,
    /// See [`Example::layer`].
    pub layer: Vec<f64>,
    /// What each search for odd blocks finds; nothing where no block fits in.
    pub peaks: Vec<Option<Peak>>,
}

impl<'a> Example<'a> {
    /// One of `[height, width, channels]` that is no window of another, and of which no last layer and no background are known.
    pub fn new(
        kind: Kind,
        [height, width, channels]: [usize; 3],
        alphabet: u32,
        symbols: &'a [u16],
        scores: &'a [Score],
    ) -> Self {
        Self {
            kind,
            height,
            width,
            start: 0,
            channels,
            alphabet,
            symbols,
            scores,
            layer: &[],
            fisher: 0.0,
            background: None,
        }
    }
}

impl Example<'_> {
    /// Its statistics.
    pub fn summary(&self) -> Summary {
        let figures = Figures::new(self);
        // A statistic of nothing is 0: an empty example is odd by its bits already.
        let value = |v: f64| if v.is_finite() { v } else { 0.0 };
        let values = STATISTICS.iter().map(|s| value((s.of)(&figures))).collect();
        let content = self.content();
        let peaks = peaks(self, &figures.places, &figures.luminance);
        Summary { content, group: content, values, layer: self.layer.to_vec(), peaks }
    }

    /// A hash (blake3) of its symbols; those of binary pictures count as 0 and 255, as other models have them.
    pub fn content(&self) -> [u8; 32] {
        let mut hash = blake3::Hasher::new();
        let unit = if self.alphabet == 2 { 255 } else { 1 };
        for symbol in self.symbols {
            hash.update(&(symbol * unit).to_le_bytes());
        }
        *hash.finalize().as_bytes()
    }

    /// The mean of each place's channels, from 0 to 255.
    pub fn luminance(&self) -> Vec<f64> {
        let unit = 255.0 / f64::from(self.alphabet.max(2) - 1) / self.channels.max(1) as f64;
        let places = self.symbols.chunks(self.channels.max(1));
        places.map(|place| place.iter().map(|s| f64::from(*s)).sum::<f64>() * unit).collect()
    }

    /// Surprise, entropy and variance of a symbol, in bits and squared bits.
    pub fn bits(&self) -> impl Iterator<Item = [f64; 3]> + '_ {
        let unit = f64::from(1u32 << Score::FRACTION);
        self.scores.iter().map(move |s| [s.surprise, s.entropy, s.variance].map(|v| f64::from(v) / unit))
    }

    /// Each place's surprise minus entropy and its variance, summed over channels.
    pub fn places(&self) -> Vec<[f64; 2]> {
        let bits: Vec<[f64; 2]> = self.bits().map(|[s, h, v]| [s - h, v]).collect();
        let sum = |place: &[[f64; 2]]| place.iter().fold([0.0; 2], |a, b| [a[0] + b[0], a[1] + b[1]]);
        bits.chunks(self.channels.max(1)).map(sum).collect()
    }

    /// Sums of surprise, entropy and variance over all symbols.
    pub fn sums(&self) -> [f64; 3] {
        self.bits().fold([0.0; 3], |sum, v| [sum[0] + v[0], sum[1] + v[1], sum[2] + v[2]])
    }

    /// Mean surprise, in bits.
    pub fn bits_per_symbol(&self) -> f64 {
        self.sums()[0] / self.len()
    }

    /// Number of symbols, at least 1.
    pub fn len(&self) -> f64 {
        self.scores.len().max(1) as f64
    }

    /// Whether it has no symbols.
    pub fn is_empty(&self) -> bool {
        self.scores.is_empty()
    }
}
