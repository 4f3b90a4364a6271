//! One score from many statistics: how far an example lies from those of normal files.
//!
//! The score is the distance to the fifth-nearest normal example (Ramaswamy et al. 2000), in coordinates in which the statistics of normal
//! examples have variance 1 and no correlation: the mean of two such distances, one over all statistics and one without those of
//! the regions of pictures, which say much where a kind of picture has its details at the same places, and are noise where it has not.
//! Beside it stand Mahalanobis' distance, which knows one centre alone, and the sum of one-dimensional
//! log densities (DoSE, Morningstar et al. 2021), which knows no correlation; README has what each finds.
//!
//! What must stay true: every score is finite; a score depends on nothing but the summary and the fit.

use super::example::Summary;
use super::linear::{cholesky, whiten};
use super::statistics::STATISTICS;
use serde::{Deserialize, Serialize};
use std::borrow::Borrow;

/// Normal examples that are kept to measure distances from, and for densities.
const KEPT: usize = 3000;
const DENSITY: usize = 1000;
/// Which of the nearest.
const NEAREST: usize = 5;
/// Least part of the covariance that is taken from its diagonal; with few examples it is more.
const SHRINKAGE: f64 = 1e-3;
/// Log density of a value that no normal example is near to.
const FAR: f64 = -50.0;
/// No deviation counts for more.
const FARTHEST: f64 = 1e6;

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

    fn is_sound(self) -> bool {
        self.centre.is_finite() && self.spread.is_finite() && self.spread > 0.0
    }

    fn z(self, value: f64) -> f64 {
        // What lies so far away is odd whatever it is, and its square is still finite.
        ((value - self.centre) / self.spread).clamp(-FARTHEST, FARTHEST)
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
    /// Over all statistics that vary, and over those of them that [`whole`] names.
    views: Vec<View>,
    /// Standardized values of some normal examples for each statistic that varies, sorted, and the width of the kernel.
    densities: Vec<(Vec<f64>, f64)>,
}

/// Some statistics together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct View {
    /// Their places among those that vary.
    columns: Vec<u32>,
    /// Means of the standardized statistics, and the lower triangle of their covariance's decomposition.
    means: Vec<f64>,
    triangle: Vec<f64>,
    /// Some normal examples, whitened, one after the other.
    points: Vec<f64>,
    /// Distances of normal examples from one another.
    distances: Scale,
}

/// Whether a statistic is of an example as a whole, not of a region of it.
fn whole(statistic: usize) -> bool {
    !STATISTICS[statistic].regional
}

impl View {
    /// Fits the columns of the rows; `None` if they cannot be told apart.
    fn new(columns: Vec<u32>, rows: &[Vec<f64>]) -> Option<Self> {
        let (count, n) = (rows.len(), columns.len());
        if n == 0 {
            return None;
        }
        let rows: Vec<Vec<f64>> = rows.iter().map(|row| pick(&columns, row)).collect();
        let means: Vec<f64> = (0..n).map(|i| rows.iter().map(|r| r[i]).sum::<f64>() / count as f64).collect();
        // The fewer examples, the less their correlations are to be trusted (in the manner of Ledoit and Wolf 2004).
        let shrink = f64::max(SHRINKAGE, n as f64 / (n + 10 * count) as f64);
        let mut covariance = vec![0.0; n * n];
        for (i, j) in (0..n).flat_map(|i| (0..n).map(move |j| (i, j))) {
            let sum: f64 = rows.iter().map(|r| (r[i] - means[i]) * (r[j] - means[j])).sum();
            covariance[i * n + j] = sum / count as f64 * if i == j { 1.0 } else { 1.0 - shrink };
        }
        (0..n).for_each(|i| covariance[i * n + i] += SHRINKAGE);
        let triangle = cholesky(&covariance, n)?;
        let points: Vec<f64> =
            rows.iter().step_by(count.div_ceil(KEPT)).flat_map(|row| white(&means, &triangle, row)).collect();
        // An example is not its own neighbour: it has distance 0 and comes first.
        let own: Vec<f64> = points.chunks(n).take(DENSITY).map(|p| distance(&points, p, NEAREST + 1)).collect();
        let distances = Scale::of(&own)?;
        Some(Self { columns, means, triangle, points, distances })
    }

    /// Whether the sizes of its parts fit and its numbers are finite; `all` statistics vary.
    fn is_sound(&self, all: usize) -> bool {
        let n = self.columns.len();
        let mut numbers = [&self.means, &self.triangle, &self.points].into_iter().flatten();
        n > 0
            && self.columns.iter().all(|c| (*c as usize) < all)
            && self.means.len() == n
            && self.triangle.len() == n * n
            && (0..n).all(|i| self.triangle[i * n + i] > 0.0)
            && !self.points.is_empty()
            && self.points.len() % n == 0
            && numbers.all(|v| v.is_finite())
            && self.distances.is_sound()
    }

    fn white(&self, z: &[f64]) -> Vec<f64> {
        white(&self.means, &self.triangle, &pick(&self.columns, z))
    }
}

/// Some of the values.
fn pick(columns: &[u32], row: &[f64]) -> Vec<f64> {
    columns.iter().map(|c| row[*c as usize]).collect()
}

/// What the detectors say of an example.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detected {
    /// Distance to the fifth-nearest normal example: in spreads of such distances among normal examples, from their median.
    pub score: f64,
    /// Mahalanobis' distance from the mean of normal examples.
    pub mahalanobis: f64,
    /// Minus the sum of the log densities of all statistics, in nats (DoSE).
    pub density: f64,
}

/// Names of the detectors beside the score, in tables.
pub const DETECTORS: [&str; 2] = ["mahalanobis", "density"];

impl Fit {
    /// Fits to normal examples; `None` if no statistic varies among them.
    pub fn new<S: Borrow<Summary>>(normal: &[S]) -> Option<Self> {
        let normal: Vec<&Summary> = normal.iter().map(Borrow::borrow).collect();
        let column = |i: usize| normal.iter().map(|s| s.values[i]).collect::<Vec<_>>();
        let scales: Vec<_> = (0..STATISTICS.len()).map(|i| Scale::of(&column(i))).collect();
        let rows: Vec<Vec<f64>> = normal.iter().map(|s| standardized(&scales, s)).collect();
        let count = rows.len();
        let varying: Vec<usize> = (0..scales.len()).filter(|i| scales[*i].is_some()).collect();
        let all = View::new((0..varying.len() as u32).collect(), &rows)?;
        let some = (0..varying.len() as u32).filter(|c| whole(varying[*c as usize])).collect::<Vec<_>>();
        let some = if some.len() < varying.len() { View::new(some, &rows) } else { None };
        let densities =
            (0..varying.len()).map(|i| kernels(rows.iter().step_by(count.div_ceil(DENSITY)).map(|r| r[i]))).collect();
        Some(Self { scales, views: [all].into_iter().chain(some).collect(), densities })
    }

    /// Whether the sizes of its parts fit and its numbers are finite, which a file may claim and not hold.
    pub(super) fn is_sound(&self) -> bool {
        let n = self.scales.iter().flatten().count();
        let density = |(values, width): &(Vec<f64>, f64)| {
            !values.is_empty() && values.iter().all(|v| v.is_finite()) && values.is_sorted() && *width > 0.0
        };
        n > 0
            && self.scales.len() == STATISTICS.len()
            && self.scales.iter().flatten().all(|s| s.is_sound())
            && !self.views.is_empty()
            && self.views.iter().all(|view| view.is_sound(n))
            && self.densities.len() == n
            && self.densities.iter().all(density)
    }

    /// How many deviations each statistic lies from normal files; `None` for those that do not vary among them.
    pub fn deviations(&self, summary: &Summary) -> Vec<Option<f64>> {
        self.scales.iter().zip(&summary.values).map(|(scale, value)| scale.map(|s| s.z(*value))).collect()
    }

    /// How unlike normal examples one is.
    pub fn detect(&self, summary: &Summary) -> Detected {
        let z = standardized(&self.scales, summary);
        let log: f64 = self.densities.iter().zip(&z).map(|((values, width), z)| log_density(values, *width, *z)).sum();
        let white: Vec<Vec<f64>> = self.views.iter().map(|view| view.white(&z)).collect();
        let far = |(view, at): (&View, &Vec<f64>)| view.distances.z(distance(&view.points, at, NEAREST));
        Detected {
            score: self.views.iter().zip(&white).map(far).sum::<f64>() / self.views.len() as f64,
            mahalanobis: white[0].iter().map(|w| w * w).sum::<f64>().sqrt(),
            density: -log,
        }
    }
}

/// The statistics that vary, standardized.
fn standardized(scales: &[Option<Scale>], summary: &Summary) -> Vec<f64> {
    scales.iter().zip(&summary.values).filter_map(|(scale, value)| scale.map(|scale| scale.z(*value))).collect()
}

fn white(means: &[f64], triangle: &[f64], z: &[f64]) -> Vec<f64> {
    let centred: Vec<f64> = z.iter().zip(means).map(|(z, m)| z - m).collect();
    whiten(triangle, &centred)
}

/// Distance from a point to the `which`-nearest of `points` (or the farthest, if there are not so many).
fn distance(points: &[f64], from: &[f64], which: usize) -> f64 {
    let squared = |p: &[f64]| p.iter().zip(from).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
    let mut all: Vec<f64> = points.chunks_exact(from.len()).map(squared).collect();
    let rank = which.min(all.len()) - 1;
    all.select_nth_unstable_by(rank, f64::total_cmp).1.sqrt()
}

/// Sorted values and the width of their kernels (Scott 1992).
fn kernels(values: impl Iterator<Item = f64>) -> (Vec<f64>, f64) {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n;
    (values, 1.06 * variance.sqrt() * n.powf(-0.2) + 1e-3)
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
        let one = |i: usize| Summary {
            content: *blake3::hash(&i.to_le_bytes()).as_bytes(),
            group: *blake3::hash(&i.to_le_bytes()).as_bytes(),
            values: STATISTICS.iter().map(|_| centre + noise()).collect(),
            place: None,
        };
        (0..count).map(one).collect()
    }

    #[test]
    fn odd_examples_have_high_scores_in_both_directions() {
        let fit = Fit::new(&near(3.0, 400)).unwrap();
        let mean = |s: &[Summary]| s.iter().map(|s| fit.detect(s).score).sum::<f64>() / s.len() as f64;
        let (normal, above, below) = (mean(&near(3.0, 500)[400..]), mean(&near(5.0, 50)), mean(&near(1.0, 50)));
        assert!(normal.abs() < 1.5 && above > 4.0 && below > 4.0, "{normal} {above} {below}");
        let far = Summary { values: vec![1e300; STATISTICS.len()], ..near(0.0, 1).remove(0) };
        assert!(fit.detect(&far).score.is_finite() && fit.detect(&far).score > above);
    }

    #[test]
    fn what_does_not_vary_is_left_out() {
        let mut normal = near(0.0, 100);
        normal.iter_mut().for_each(|s| s.values[2] = 7.0);
        let fit = Fit::new(&normal).unwrap();
        assert_eq!(fit.deviations(&normal[0])[2], None);
        normal.iter_mut().for_each(|s| s.values.fill(1.0));
        assert_eq!(Fit::new(&normal), None);
        assert_eq!(Fit::new::<Summary>(&[]), None);
    }
}
