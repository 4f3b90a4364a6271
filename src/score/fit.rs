//! One score from many statistics: how far an example lies from those of normal files.
//!
//! Three detectors, each standardized on the normal files, are averaged (design: the best worst case of ten pairs of data
//! sets): the code length beyond a general codec's (Serra et al. 2020), Mahalanobis' distance over all statistics, and the sum of
//! one-dimensional log densities (DoSE, Morningstar et al. 2021) by kernels.
//!
//! What must stay true: every score is finite; a score depends on nothing but the summary and the fit.

use super::example::Summary;
use super::linear::inverse;
use super::statistics::{STATISTICS, index};
use serde::{Deserialize, Serialize};

/// Normal examples that the densities keep.
const KEPT: usize = 1000;
/// Added to the variances: an example of a set that has hardly any spread must not be infinitely far away.
const RIDGE: f64 = 1e-3;
/// Log density of a value that no normal example is near to.
const FAR: f64 = -50.0;
/// Standardized values beyond this count by their logarithm, so that one detector does not outweigh the others.
const LARGE: f64 = 10.0;

/// Where a figure of normal examples lies, and how far it spreads.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Scale {
    /// Median.
    centre: f64,
    /// 1.4826 times the median distance from it; the standard deviation if that is 0.
    spread: f64,
}

impl Scale {
    /// That of some values; `None` if they do not vary.
    fn of(values: &[f64]) -> Option<Self> {
        let centre = median(values);
        let distances: Vec<f64> = values.iter().map(|v| (v - centre).abs()).collect();
        let mad = 1.4826 * median(&distances);
        let deviation = (distances.iter().map(|d| d * d).sum::<f64>() / values.len().max(1) as f64).sqrt();
        let spread = if mad > 1e-9 { mad } else { deviation };
        (spread > 1e-9 && spread.is_finite()).then_some(Self { centre, spread })
    }

    fn z(self, value: f64) -> f64 {
        (value - self.centre) / self.spread
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        n if n % 2 == 1 => sorted[n / 2],
        n => (sorted[n / 2 - 1] + sorted[n / 2]) / 2.0,
    }
}

/// What normal examples are like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fit {
    /// One for each statistic; none for those that do not vary among normal files.
    scales: Vec<Option<Scale>>,
    /// Means of the standardized statistics that vary, and the inverse of their covariance.
    means: Vec<f64>,
    inverse: Vec<f64>,
    /// Standardized values of some normal examples for each statistic that varies, sorted, and the width of the kernel.
    densities: Vec<(Vec<f64>, f64)>,
    /// Of each detector.
    detectors: Vec<Option<Scale>>,
}

impl Fit {
    /// Fits to normal examples; `None` if no statistic varies among them.
    pub fn new(normal: &[Summary]) -> Option<Self> {
        let column = |i: usize| normal.iter().map(|s| s.values[i]).collect::<Vec<_>>();
        let scales: Vec<_> = (0..STATISTICS.len()).map(|i| Scale::of(&column(i))).collect();
        let mut fit =
            Self { scales, means: Vec::new(), inverse: Vec::new(), densities: Vec::new(), detectors: Vec::new() };
        let rows: Vec<Vec<f64>> = normal.iter().map(|s| fit.standardized(s)).collect();
        let (count, n) = (rows.len() as f64, rows.first()?.len());
        if n == 0 {
            return None;
        }
        fit.means = (0..n).map(|i| rows.iter().map(|r| r[i]).sum::<f64>() / count).collect();
        let mut covariance = vec![0.0; n * n];
        for (i, j) in (0..n).flat_map(|i| (0..n).map(move |j| (i, j))) {
            let sum: f64 = rows.iter().map(|r| (r[i] - fit.means[i]) * (r[j] - fit.means[j])).sum();
            covariance[i * n + j] = sum / count + if i == j { RIDGE } else { 0.0 };
        }
        // A sum of squares with a ridge is positive definite; with few examples, more ridge is needed.
        fit.inverse = inverse(&covariance, n)?;
        let step = rows.len().div_ceil(KEPT);
        fit.densities = (0..n)
            .map(|i| {
                let mut values: Vec<f64> = rows.iter().step_by(step).map(|r| r[i]).collect();
                values.sort_by(f64::total_cmp);
                let mean = values.iter().sum::<f64>() / values.len() as f64;
                let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / values.len() as f64;
                // Scott 1992; standardized values spread by about 1.
                let width = 1.06 * variance.sqrt() * (values.len() as f64).powf(-0.2) + 1e-3;
                (values, width)
            })
            .collect();
        let detected: Vec<[f64; 3]> = normal.iter().map(|s| fit.detect(s)).collect();
        fit.detectors = (0..3).map(|i| Scale::of(&detected.iter().map(|d| d[i]).collect::<Vec<_>>())).collect();
        fit.detectors.iter().any(Option::is_some).then_some(fit)
    }

    /// Whether the sizes of its parts fit and its numbers are finite, which a file may claim and not hold.
    pub(super) fn is_sound(&self) -> bool {
        let n = self.scales.iter().flatten().count();
        let scales = self.scales.iter().chain(&self.detectors).flatten();
        let mut numbers = scales.flat_map(|s| [s.centre, s.spread]).chain(self.means.iter().chain(&self.inverse).copied());
        let sizes = self.scales.len() == STATISTICS.len() && self.detectors.len() == 3 && self.densities.len() == n;
        let density = |(values, width): &(Vec<f64>, f64)| {
            !values.is_empty() && values.iter().all(|v| v.is_finite()) && values.is_sorted() && *width > 0.0
        };
        sizes
            && n > 0
            && self.means.len() == n
            && self.inverse.len() == n * n
            && numbers.all(f64::is_finite)
            && self.scales.iter().chain(&self.detectors).flatten().all(|s| s.spread > 0.0)
            && self.densities.iter().all(density)
    }

    /// The statistics that vary, standardized.
    fn standardized(&self, summary: &Summary) -> Vec<f64> {
        let both = self.scales.iter().zip(&summary.values);
        both.filter_map(|(scale, value)| scale.map(|scale| scale.z(*value))).collect()
    }

    /// How many deviations each statistic lies from normal files; `None` for those that do not vary among them.
    pub fn deviations(&self, summary: &Summary) -> Vec<Option<f64>> {
        self.scales.iter().zip(&summary.values).map(|(scale, value)| scale.map(|s| s.z(*value))).collect()
    }

    /// The three detectors, not standardized.
    fn detect(&self, summary: &Summary) -> [f64; 3] {
        let z = self.standardized(summary);
        let d: Vec<f64> = z.iter().zip(&self.means).map(|(z, m)| z - m).collect();
        let rows = self.inverse.chunks_exact(d.len());
        let distance: f64 =
            rows.zip(&d).map(|(row, di)| di * row.iter().zip(&d).map(|(c, dj)| c * dj).sum::<f64>()).sum();
        let density: f64 = self.densities.iter().zip(&z).map(|((values, width), z)| log_density(values, *width, *z)).sum();
        let excess = index("excess").map_or(0.0, |i| summary.values[i]);
        [excess, distance.max(0.0).sqrt(), -density]
    }

    /// How unlike normal examples one is: about 0 for those, and the larger the odder.
    pub fn score(&self, summary: &Summary) -> f64 {
        let detected = self.detect(summary);
        let all = self.detectors.iter().zip(detected).enumerate().filter_map(|(i, (scale, value))| {
            let z = scale.as_ref()?.z(value);
            // Fewer bits than expected are as odd as more; the other two have one direction.
            Some(soften(if i == 0 { z.abs() } else { z }))
        });
        let (sum, count) = all.fold((0.0, 0.0), |(sum, count), z| (sum + z, count + 1.0));
        sum / f64::max(count, 1.0)
    }
}

/// The value, or beyond [`LARGE`] something that grows as its logarithm does.
fn soften(z: f64) -> f64 {
    if z > LARGE { LARGE * (1.0 + (z / LARGE).ln()) } else { z.max(-LARGE) }
}

/// Logarithm of a kernel density estimate with a Gaussian kernel.
fn log_density(values: &[f64], width: f64, at: f64) -> f64 {
    // Kernels more than eight widths away add nothing.
    let first = values.partition_point(|v| *v < at - 8.0 * width);
    let last = values.partition_point(|v| *v <= at + 8.0 * width);
    let sum: f64 = values[first..last].iter().map(|v| (-((at - v) / width).powi(2) / 2.0).exp()).sum();
    let density = sum / (values.len() as f64 * width * (2.0 * std::f64::consts::PI).sqrt());
    density.max(f64::MIN_POSITIVE).ln().max(FAR)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Summaries whose statistics are near `centre`, one number apart.
    pub fn near(centre: f64, count: usize) -> Vec<Summary> {
        let mut state = 12345u64;
        let mut noise = move || {
            let mut sum = 0.0;
            for _ in 0..4 {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                sum += (state >> 40) as f64 / (1u64 << 24) as f64 - 0.5;
            }
            sum
        };
        let one = |_| Summary { values: STATISTICS.iter().map(|_| centre + noise()).collect(), place: None };
        (0..count).map(one).collect()
    }

    #[test]
    fn odd_examples_have_high_scores_in_both_directions() {
        let fit = Fit::new(&near(3.0, 400)).unwrap();
        let mean = |s: &[Summary]| s.iter().map(|s| fit.score(s)).sum::<f64>() / s.len() as f64;
        let (normal, above, below) = (mean(&near(3.0, 500)[400..]), mean(&near(5.0, 50)), mean(&near(1.0, 50)));
        assert!(normal.abs() < 1.5 && above > 4.0 && below > 4.0, "{normal} {above} {below}");
        let far = Summary { values: vec![1e300; STATISTICS.len()], place: None };
        assert!(fit.score(&far).is_finite() && fit.score(&far) > above);
    }

    #[test]
    fn what_does_not_vary_is_left_out() {
        let mut normal = near(0.0, 100);
        normal.iter_mut().for_each(|s| s.values[2] = 7.0);
        let fit = Fit::new(&normal).unwrap();
        assert_eq!(fit.deviations(&normal[0])[2], None);
        normal.iter_mut().for_each(|s| s.values.fill(1.0));
        assert_eq!(Fit::new(&normal), None);
        assert_eq!(Fit::new(&[]), None);
    }
}
