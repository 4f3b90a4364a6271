//! Figures of an example that tell odd ones from normal ones: a registry. A new one is a function and a line in
//! [`STATISTICS`].
//!
//! What must stay true: a statistic depends on the example and its scores alone; it is 0 for an empty one.

pub mod blocks;
mod complexity;
mod whole;

use super::Example;

/// A statistic.
#[derive(Debug, Clone, Copy)]
pub struct Statistic {
    /// Its name in tables and in calibration files.
    pub name: &'static str,
    /// What it measures, for a sentence: "its ... is 4 standard deviations above that of normal files".
    pub what: &'static str,
    /// Where it comes from.
    pub source: &'static str,
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
    places: Vec<[f64; 2]>,
    /// Bits per dimension of a general codec.
    complexity: f64,
}

impl<'a> Figures<'a> {
    /// Those of an example.
    pub fn new(example: &'a Example<'a>) -> Self {
        Self { example, sums: example.sums(), places: example.places(), complexity: complexity::complexity(example) }
    }
}

/// Every statistic. Calibration files name them, so that a new one makes old files unreadable, not wrong.
pub static STATISTICS: &[Statistic] = &[
    Statistic { name: "bits", what: "code length (bits per dimension)", source: "Bishop 1994", of: whole::bits },
    Statistic {
        name: "entropy",
        what: "code length that the model itself expected",
        source: "mean entropy of the conditionals",
        of: whole::entropy,
    },
    Statistic {
        name: "typicality",
        what: "surprise beyond what the model expected",
        source: "Nalisnick et al. 2019, for one example: (surprise - entropy) / its standard deviation",
        of: whole::typicality,
    },
    Statistic {
        name: "spread",
        what: "spread of code lengths that the model expected",
        source: "logarithm of the standard deviation of -log2 p under the model",
        of: whole::spread,
    },
    Statistic {
        name: "complexity",
        what: "complexity (bits per dimension of a general codec)",
        source: "Serra et al. 2020",
        of: |f| f.complexity,
    },
    Statistic {
        name: "excess",
        what: "code length beyond a general codec's",
        source: "Serra et al. 2020, equation 2",
        of: |f| whole::bits(f) - f.complexity,
    },
    Statistic {
        name: "worst",
        what: "surprise in its worst 2 % of symbols",
        source: "upper mean of the surprises",
        of: |f| whole::worst(f.example),
    },
    Statistic {
        name: "calm",
        what: "surprise in its calmer half",
        source: "a quantile over its symbols",
        of: |f| whole::surprise_quantile(f.example, 0.25),
    },
    Statistic {
        name: "median",
        what: "median surprise",
        source: "a quantile over its symbols",
        of: |f| whole::surprise_quantile(f.example, 0.5),
    },
    Statistic {
        name: "lively",
        what: "surprise in its livelier parts",
        source: "a quantile over its symbols",
        of: |f| whole::surprise_quantile(f.example, 0.9),
    },
    Statistic {
        name: "smooth",
        what: "expected code length in its smoother parts",
        source: "a quantile over its symbols",
        of: |f| whole::entropy_quantile(f.example, 0.25),
    },
    Statistic {
        name: "rough",
        what: "expected code length in its rougher parts",
        source: "a quantile over its symbols",
        of: |f| whole::entropy_quantile(f.example, 0.75),
    },
    Statistic {
        name: "certain",
        what: "share of nearly certain symbols",
        source: "conditionals whose entropy is below 1/16 bit",
        of: |f| whole::certain(f.example),
    },
    Statistic {
        name: "neighbours",
        what: "likeness of surprise from one place to the next",
        source: "autocorrelation of the standardized surprise",
        of: blocks::neighbours,
    },
    Statistic {
        name: "block4",
        what: "surprise in its strangest block of 4 x 4",
        source: "largest standardized sum of a block",
        of: |f| blocks::largest(f, 4),
    },
    Statistic {
        name: "block8",
        what: "surprise in its strangest block of 8 x 8",
        source: "largest standardized sum of a block",
        of: |f| blocks::largest(f, 8),
    },
    Statistic {
        name: "block16",
        what: "surprise in its strangest block of 16 x 16",
        source: "largest standardized sum of a block",
        of: |f| blocks::largest(f, 16),
    },
];

/// Number of the statistic with a name.
pub fn index(name: &str) -> Option<usize> {
    STATISTICS.iter().position(|s| s.name == name)
}
