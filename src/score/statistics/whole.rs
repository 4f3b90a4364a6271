//! Statistics of all symbols together.

use super::super::Example;
use super::{Family, Figures, Statistic};

/// The statistics of this module.
pub static ALL: &[Statistic] = &[
    Statistic {
        name: "bits",
        what: "code length (bits per dimension)",
        source: "Bishop 1994",
        family: Family::Walk,
        of: bits,
    },
    Statistic {
        name: "entropy",
        what: "code length that the model itself expected",
        source: "mean entropy of the conditionals",
        family: Family::Walk,
        of: entropy,
    },
    Statistic {
        name: "typicality",
        what: "surprise beyond what the model expected",
        source: "Nalisnick et al. 2019, for one example: (surprise - entropy) / its standard deviation",
        family: Family::Walk,
        of: typicality,
    },
    Statistic {
        name: "spread",
        what: "spread of code lengths that the model expected",
        source: "logarithm of the standard deviation of -log2 p under the model",
        family: Family::Walk,
        of: spread,
    },
    Statistic {
        name: "complexity",
        what: "complexity (bits per dimension of a general codec)",
        source: "Serra et al. 2020",
        family: Family::Walk,
        of: |f| f.complexity,
    },
    Statistic {
        name: "excess",
        what: "code length beyond a general codec's",
        source: "Serra et al. 2020, equation 2",
        family: Family::Walk,
        of: |f| bits(f) - f.complexity,
    },
    Statistic {
        name: "ratio",
        what: "code length beyond the background model's (likelihood ratio)",
        source: "Ren et al. 2019, section 3: minus their log likelihood ratio, a dimension",
        family: Family::Walk,
        of: |f| f.example.background.map_or(0.0, |background| bits(f) - background),
    },
    Statistic {
        name: "fisher",
        what: "norm of the gradient with the output layers' biases",
        source: "Jaakkola and Haussler 1998: the Fisher score, here its Euclidean norm",
        family: Family::Shown,
        of: |f| f.example.fisher,
    },
    Statistic {
        name: "worst",
        what: "surprise in its worst 2 % of symbols",
        source: "upper mean of the surprises",
        family: Family::Walk,
        of: |f| worst(f.example),
    },
    Statistic {
        name: "calm",
        what: "surprise in its calmer half",
        source: "a quantile over its symbols",
        family: Family::Walk,
        of: |f| surprise_quantile(f.example, 0.25),
    },
    Statistic {
        name: "median",
        what: "median surprise",
        source: "a quantile over its symbols",
        family: Family::Walk,
        of: |f| surprise_quantile(f.example, 0.5),
    },
    Statistic {
        name: "lively",
        what: "surprise in its livelier parts",
        source: "a quantile over its symbols",
        family: Family::Walk,
        of: |f| surprise_quantile(f.example, 0.9),
    },
    Statistic {
        name: "smooth",
        what: "expected code length in its smoother parts",
        source: "a quantile over its symbols",
        family: Family::Walk,
        of: |f| entropy_quantile(f.example, 0.25),
    },
    Statistic {
        name: "rough",
        what: "expected code length in its rougher parts",
        source: "a quantile over its symbols",
        family: Family::Walk,
        of: |f| entropy_quantile(f.example, 0.75),
    },
    Statistic {
        name: "certain",
        what: "share of nearly certain symbols",
        source: "conditionals whose entropy is below 1/16 bit",
        family: Family::Walk,
        of: |f| certain(f.example),
    },
];

/// Mean surprise: bits per dimension.
fn bits(figures: &Figures) -> f64 {
    figures.sums[0] / figures.example.len()
}

/// Mean entropy of the conditionals, in bits.
fn entropy(figures: &Figures) -> f64 {
    figures.sums[1] / figures.example.len()
}

/// Sum of surprise minus entropy over its standard deviation under the model. The terms are differences of a martingale, so
/// that their variances add up, and far examples of the model itself have a value near a standard normal one.
fn typicality(figures: &Figures) -> f64 {
    let [surprise, entropy, variance] = figures.sums;
    (surprise - entropy) / (variance + 1e-6).sqrt()
}

/// Logarithm of the standard deviation of the code length of a symbol.
fn spread(figures: &Figures) -> f64 {
    let example = figures.example;
    if example.is_empty() { 0.0 } else { (figures.sums[2] / example.len() + 1e-6).ln() / 2.0 }
}

/// Mean of the largest 2 % of surprises, at least of one.
fn worst(example: &Example) -> f64 {
    let mut all: Vec<u32> = example.scores.iter().map(|s| s.surprise).collect();
    if all.is_empty() {
        return 0.0;
    }
    let count = all.len().div_ceil(50);
    all.select_nth_unstable_by(count - 1, |a, b| b.cmp(a));
    all[..count].iter().map(|s| f64::from(*s) / 65536.0).sum::<f64>() / count as f64
}

/// A quantile of some figures in units of 2^-16, in bits; 0 of none.
fn quantile(mut all: Vec<u32>, share: f64) -> f64 {
    if all.is_empty() {
        return 0.0;
    }
    let rank = ((all.len() - 1) as f64 * share) as usize;
    f64::from(*all.select_nth_unstable(rank).1) / 65536.0
}

/// A quantile of the surprises, in bits.
fn surprise_quantile(example: &Example, share: f64) -> f64 {
    quantile(example.scores.iter().map(|s| s.surprise).collect(), share)
}

/// A quantile of the entropies of the conditionals, in bits.
fn entropy_quantile(example: &Example, share: f64) -> f64 {
    quantile(example.scores.iter().map(|s| s.entropy).collect(), share)
}

/// Share of the symbols that were nearly certain: an entropy below a sixteenth of a bit.
fn certain(example: &Example) -> f64 {
    example.scores.iter().filter(|s| s.entropy < 1 << 12).count() as f64 / example.len()
}
