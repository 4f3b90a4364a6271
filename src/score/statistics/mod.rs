//! Figures of an example that tell odd ones from normal ones: a registry. A new one is a function and a line in its module's list, a
//! new module a line in [`STATISTICS`].
//!
//! What must stay true: a statistic depends on the example and its scores alone; it is 0 for an empty one, and for examples of a kind that
//! it means nothing for. What does not vary among normal files is not looked at.

pub mod blocks;
mod colours;
mod complexity;
pub mod fourier;
mod harmonics;
mod lattice;
mod layout;
mod mains;
mod regions;
mod spectrum;
mod time;
mod vorbis;
mod wavelets;
mod whole;

use super::{Example, Kind};
use std::sync::LazyLock;

/// What a statistic is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// The coder's walk over all of an example.
    Walk,
    /// Tones at multiples of a frequency.
    Harmonics,
    /// The same of the mains' frequencies.
    Mains,
    /// A trace that some processing leaves, and that nothing else does.
    Trace,
    /// What a network's last layers have of it.
    Layer,
    /// The walk over a region of an example, or its samples.
    Other,
    /// What stands in tables and counts for no score.
    Shown,
}

/// A statistic.
#[derive(Debug, Clone, Copy)]
pub struct Statistic {
    /// Its name in tables and in calibration files.
    pub name: &'static str,
    /// What it measures, for a sentence: "its ... is 4 standard deviations above that of normal files".
    pub what: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    /// What it is made of.
    pub family: Family,
    /// Its value.
    pub of: fn(&Figures) -> f64,
}

/// An example and what several statistics are made of, computed once.
#[derive(Debug)]
pub struct Figures<'a> {
    example: &'a Example<'a>,
    /// See [`Example::sums`].
    sums: [f64; 3],
    /// See [`Example::places`].
    pub(super) places: Vec<[f64; 2]>,
    /// See [`Example::luminance`]; empty for what is no picture.
    pub(super) luminance: Vec<f64>,
    /// Bits per dimension of a general codec.
    complexity: f64,
    regions: regions::Regions,
    wavelets: [f64; wavelets::COUNT],
    colours: colours::Colours,
    layout: layout::Layout,
    spectrum: spectrum::Spectrum,
    mains: mains::Mains,
    time: time::Time,
}

impl<'a> Figures<'a> {
    /// Those of an example.
    pub fn new(example: &'a Example<'a>) -> Self {
        let places = example.places();
        let luminance = if example.kind == Kind::Picture { example.luminance() } else { Vec::new() };
        Self {
            example,
            sums: example.sums(),
            complexity: complexity::complexity(example),
            regions: regions::Regions::of(example),
            wavelets: wavelets::energies(example, &luminance),
            colours: colours::Colours::of(example),
            layout: layout::Layout::of(example, &luminance),
            spectrum: spectrum::Spectrum::of(example),
            mains: mains::Mains::of(example),
            time: time::Time::of(example),
            places,
            luminance,
        }
    }
}

/// Every statistic. Calibration files name them, so that a new one makes old files unreadable, not wrong.
pub static STATISTICS: LazyLock<Vec<Statistic>> = LazyLock::new(|| {
    let pictures = [regions::ALL, wavelets::ALL, colours::ALL, lattice::ALL, layout::ALL].concat();
    [whole::ALL, blocks::ALL, &pictures, spectrum::ALL, harmonics::ALL, mains::ALL, time::ALL, vorbis::ALL].concat()
});

/// Number of the statistic with a name.
pub fn index(name: &str) -> Option<usize> {
    STATISTICS.iter().position(|s| s.name == name)
}
