//! Statistics of all symbols together.

use super::super::Example;
use super::Figures;

/// Mean surprise: bits per dimension.
pub fn bits(figures: &Figures) -> f64 {
    figures.sums[0] / figures.example.len()
}

/// Mean entropy of the conditionals, in bits.
pub fn entropy(figures: &Figures) -> f64 {
    figures.sums[1] / figures.example.len()
}

/// Sum of surprise minus entropy over its standard deviation under the model. The terms are differences of a martingale, so
/// that their variances add up, and far examples of the model itself have a value near a standard normal one.
pub fn typicality(figures: &Figures) -> f64 {
    let [surprise, entropy, variance] = figures.sums;
    (surprise - entropy) / (variance + 1e-6).sqrt()
}

/// Logarithm of the standard deviation of the code length of a symbol.
pub fn spread(figures: &Figures) -> f64 {
    let example = figures.example;
    if example.is_empty() { 0.0 } else { (figures.sums[2] / example.len() + 1e-6).ln() / 2.0 }
}

/// Mean of the largest 2 % of surprises, at least of one.
pub fn worst(example: &Example) -> f64 {
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
pub fn surprise_quantile(example: &Example, share: f64) -> f64 {
    quantile(example.scores.iter().map(|s| s.surprise).collect(), share)
}

/// A quantile of the entropies of the conditionals, in bits.
pub fn entropy_quantile(example: &Example, share: f64) -> f64 {
    quantile(example.scores.iter().map(|s| s.entropy).collect(), share)
}

/// Share of the symbols that were nearly certain: an entropy below a sixteenth of a bit.
pub fn certain(example: &Example) -> f64 {
    example.scores.iter().filter(|s| s.entropy < 1 << 12).count() as f64 / example.len()
}
