//! One score from many statistics: how far an example lies from those of normal files.
//!
//! The score is the distance to the fifth-nearest normal example (Ramaswamy et al. 2000), in the coordinates of [`View`]. Distances are
//! taken over all statistics, over those of the coder's walk alone, and over what a network's last layers have of a colour picture ([`layer`](super::layer)),
//! and their mean is taken: in many statistics together, one that is odd in a few is hardly far. Hums are looked for apart: the score is the larger of the mean and of what [`Hums`] says, each in
//! units in which a tenth of normal examples have more than 1. These are examples that were left out of a fit to the others: from
//! what it was fitted to, none is as far as from what is new. A trace of processing that hardly a normal example has counts by itself, too.
//!
//! Beside it stand Mahalanobis' distance, which knows one centre alone, and the sum of one-dimensional
//! log densities (DoSE, Morningstar et al. 2021), which knows no correlation; README has what each finds.
//!
//! What must stay true: every score is finite; a score depends on nothing but the summary and the fit.

use super::example::{Region, Summary};
use super::hums::{Hums, Tones};
use super::places::Places;
use super::scale::Scale;
use super::statistics::{Family, STATISTICS};
use super::view::{Coordinates, Rows, TAKEN, View};
use serde::{Deserialize, Serialize};
use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

/// How much all statistics together count, and the last layers of a network, where statistics of the walk count 1.
const WHOLE: f64 = 2.0;
const LAYER: f64 = 3.0;
/// A trace of processing counts from here on, in units in which a tenth of normal examples have more than 1, and so much for each more.
const BEYOND: f64 = 3.0;
const STEEP: f64 = 6.0;
/// Fewer normal examples do not tell what hardly one of them has.
const ENOUGH: usize = 50;
/// Parts of the normal examples that are left out of a fit in turn.
const FOLDS: usize = 8;
/// Log density of a value that no normal example is near to.
const FAR: f64 = -50.0;

/// What normal examples are like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fit {
    /// One for each statistic, then for each value of a network's last layers; none for those that do not vary among normal files, or are
    /// only shown.
    scales: Vec<Option<Scale>>,
    /// Coordinates in which the statistics that vary have variance 1 and no correlation, for Mahalanobis' distance.
    whole: Coordinates,
    general: General,
    /// Of what that says.
    scale: Scale,
    /// None where normal examples are no recordings.
    hums: Option<Hums>,
    /// Places of traces of processing among the statistics that vary, and how they are among normal examples.
    traces: Vec<(u32, Scale)>,
    /// Standardized values of some normal examples for each statistic that varies, sorted, and the width of the kernel.
    densities: Vec<(Vec<f64>, f64)>,
    /// Where one is odd.
    places: Places,
}

/// Over all statistics that vary but hums of the mains, over those of the walk, and over a network's last layers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct General(Vec<View>);

impl General {
    /// Fits to the rows, of which `families` has one for each value; also what it says of the first of them.
    fn new(families: &[Family], rows: Rows) -> Option<(Self, Vec<f64>)> {
        let of = |take: fn(Family) -> bool| -> Vec<u32> {
            (0..families.len() as u32).filter(|c| take(families[*c as usize])).collect()
        };
        let all = of(|family| !matches!(family, Family::Mains | Family::Layer));
        let (walk, layer) = (of(|family| family == Family::Walk), of(|family| family == Family::Layer));
        if all.is_empty() {
            return None;
        }
        let has_others = walk.len() < all.len() && !walk.is_empty();
        let mut parts = vec![(all, WHOLE)];
        if has_others {
            parts.push((walk, 1.0));
        }
        if !layer.is_empty() {
            parts.push((layer, LAYER));
        }
        // A part whose normal examples are all alike says nothing, but all statistics together must.
        let fitted = parts.into_iter().map(|(columns, weight)| View::new(columns, weight, rows));
        let (views, own): (Vec<View>, Vec<Vec<f64>>) = fitted.flatten().unzip();
        let general = Self(views);
        let own = (0..own.first()?.len()).map(|i| general.mean(own.iter().map(|own| own[i]))).collect();
        Some((general, own))
    }

    /// The mean of what the views say, by their weights.
    fn mean(&self, says: impl Iterator<Item = f64>) -> f64 {
        let add = |(sum, weights): (f64, f64), (view, v): (&View, f64)| (sum + view.weight * v, weights + view.weight);
        let (sum, weights) = self.0.iter().zip(says).fold((0.0, 0.0), add);
        sum / weights
    }

    fn far(&self, z: &[f64]) -> f64 {
        self.mean(self.0.iter().map(|view| view.far(z)))
    }
}

/// What fits to the other rows say of some: in general, and of hums. `None` where there are too few groups of rows for that.
fn left_out(families: &[Family], rows: Rows) -> Option<(Vec<f64>, Vec<[f64; 2]>)> {
    let groups: BTreeSet<usize> = rows.iter().map(|(_, group)| *group).collect();
    let parts: BTreeMap<usize, usize> = groups.into_iter().enumerate().map(|(i, group)| (group, i % FOLDS)).collect();
    if parts.len() < FOLDS {
        return None;
    }
    let step = rows.len().div_ceil(TAKEN);
    let (mut general, mut hums) = (Vec::new(), Vec::new());
    for part in 0..FOLDS {
        let others: Vec<_> = rows.iter().filter(|(_, group)| parts[group] != part).cloned().collect();
        let ((all, _), (tones, _)) = (General::new(families, &others)?, Tones::new(families, &others)?);
        for (row, _) in rows.iter().step_by(step).filter(|(_, group)| parts[group] == part) {
            general.push(all.far(row));
            hums.push(tones.of(row));
        }
    }
    Some((general, hums))
}

/// What the detectors say of an example.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detected {
    /// Distance to the fifth-nearest normal example: 0 is that of half of normal examples, 1 of a tenth.
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
        let values: Vec<Vec<f64>> = normal.iter().map(|s| all(s).collect()).collect();
        let column = |i: usize| values.iter().map(|v| v[i]).collect::<Vec<_>>();
        let counts = |i: usize| STATISTICS.get(i).is_none_or(|s| s.family != Family::Shown);
        let scale = |i: usize| if counts(i) { Scale::of(&column(i)) } else { None };
        let scales: Vec<_> = (0..values.iter().map(Vec::len).min()?).map(scale).collect();
        let groups: BTreeMap<&[u8; 32], usize> = normal.iter().enumerate().map(|(i, s)| (&s.group, i)).collect();
        let rows: Vec<_> = normal.iter().map(|s| (standardized(&scales, s), groups[&s.group])).collect();
        let count = rows.len();
        let families = STATISTICS.iter().map(|s| s.family).chain(std::iter::repeat(Family::Layer));
        let families: Vec<Family> = families.zip(&scales).filter_map(|(f, scale)| scale.map(|_| f)).collect();
        let statistics = scales.iter().take(STATISTICS.len()).flatten().count();
        let (coordinates, _) =
            Coordinates::global(&rows.iter().map(|(row, _)| &row[..statistics]).collect::<Vec<_>>())?;
        let (general, own) = General::new(&families, &rows)?;
        let (own, hums) = match Tones::new(&families, &rows) {
            None => (own, None),
            Some((tones, hums)) => {
                let (own, hums) = left_out(&families, &rows).unwrap_or((own, hums));
                (own, Some(Hums::new(tones, &hums)))
            }
        };
        let scale = Scale::upper(&own)?;
        let traces = (0..families.len()).filter(|c| families[*c] == Family::Trace && count >= ENOUGH);
        let upper = |c: usize| Scale::upper(&rows.iter().map(|(row, _)| row[c]).collect::<Vec<_>>());
        let traces = traces.filter_map(|c| Some((c as u32, upper(c)?))).collect();
        let densities =
            (0..statistics).map(|i| kernels(rows.iter().step_by(count.div_ceil(TAKEN)).map(|r| r.0[i]))).collect();
        let places = Places::new(&normal);
        Some(Self { scales, whole: coordinates, general, scale, hums, traces, densities, places })
    }

    /// Whether the sizes of its parts fit and its numbers are finite, which a file may claim and not hold.
    pub(super) fn is_sound(&self) -> bool {
        let n = self.scales.iter().flatten().count();
        let statistics = self.scales.iter().take(STATISTICS.len()).flatten().count();
        let density = |(values, width): &(Vec<f64>, f64)| {
            !values.is_empty() && values.iter().all(|v| v.is_finite()) && values.is_sorted() && *width > 0.0
        };
        n > 0
            && self.scales.len() >= STATISTICS.len()
            && self.scales.iter().flatten().all(|s| s.is_sound())
            && self.whole.is_sound(statistics)
            && !self.general.0.is_empty()
            && self.general.0.iter().all(|view| view.is_sound(n))
            && self.scale.is_sound()
            && self.hums.iter().all(|hums| hums.is_sound(n))
            && self.traces.iter().all(|(c, scale)| (*c as usize) < n && scale.is_sound())
            && self.densities.len() == statistics
            && self.densities.iter().all(density)
            && self.places.is_sound()
    }

    /// The block of an example that is least like those of normal ones, and what is odd about it, in words.
    pub(super) fn place(&self, summary: &Summary) -> Option<(Region, &'static str)> {
        self.places.of(summary)
    }

    /// How many deviations each statistic lies from normal files; `None` for those that do not vary among them.
    pub fn deviations(&self, summary: &Summary) -> Vec<Option<f64>> {
        self.scales.iter().zip(&summary.values).map(|(scale, value)| scale.map(|s| s.z(*value))).collect()
    }

    /// How unlike normal examples one is.
    pub fn detect(&self, summary: &Summary) -> Detected {
        let z = standardized(&self.scales, summary);
        let log: f64 = self.densities.iter().zip(&z).map(|((values, width), z)| log_density(values, *width, *z)).sum();
        let general = self.scale.z(self.general.far(&z));
        let hums = self.hums.as_ref().and_then(|hums| hums.far(&z));
        let traces = self.traces.iter().map(|(c, scale)| scale.z(z[*c as usize])).filter(|far| *far > BEYOND);
        let traces = traces.map(|far| 1.0 + STEEP * (far - BEYOND));
        Detected {
            score: hums.into_iter().chain(traces).fold(general, f64::max),
            mahalanobis: self.whole.of(&z[..self.densities.len()]).iter().map(|w| w * w).sum::<f64>().sqrt(),
            density: -log,
        }
    }
}

/// The statistics of an example, then a network's last layers.
fn all(summary: &Summary) -> impl Iterator<Item = f64> + '_ {
    summary.values.iter().chain(&summary.layer).copied()
}

/// Those that vary, standardized; what the example lacks is 0.
fn standardized(scales: &[Option<Scale>], summary: &Summary) -> Vec<f64> {
    let values = all(summary).chain(std::iter::repeat(0.0));
    scales.iter().zip(values).filter_map(|(scale, value)| scale.map(|scale| scale.z(value))).collect()
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
            layer: Vec::new(),
            peaks: Vec::new(),
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
    fn what_is_odd_in_the_last_layers_alone_is_odd() {
        let others = near(0.0, 800);
        let layer = |i: usize| others[400 + i].values[..4].to_vec();
        let with = |layer: Vec<f64>, s: Summary| Summary { layer, ..s };
        let normal: Vec<_> = near(0.0, 400).into_iter().enumerate().map(|(i, s)| with(layer(i), s)).collect();
        let fit = Fit::new(&normal).unwrap();
        assert!(fit.is_sound());
        let score = |layer: Vec<f64>| fit.detect(&with(layer, near(0.0, 401).pop().unwrap())).score;
        assert!(score(vec![5.0; 4]) > score(vec![0.1; 4]) + 3.0, "{}", score(vec![5.0; 4]));
        // One that has none is taken for one of zeros, and is no fault.
        assert_eq!(score(Vec::new()), score(vec![0.0; 4]));
        assert_eq!(fit.deviations(&normal[0]).len(), STATISTICS.len());
    }

    #[test]
    fn a_trace_that_no_normal_example_has_is_odd_by_itself() {
        let fit = Fit::new(&near(0.0, 400)).unwrap();
        let lattice = crate::score::statistics::index("lattice").unwrap();
        let score = |value: f64| {
            let mut example = near(0.0, 401).pop().unwrap();
            example.values[lattice] = value;
            fit.detect(&example).score
        };
        // A trace that is weaker than normal is none.
        assert!(score(6.0) > 20.0 && score(6.0) > score(4.0) && score(-6.0) < 15.0, "{} {}", score(6.0), score(-6.0));
        assert!((score(0.1) - score(0.0)).abs() < 1.0);
    }

    #[test]
    fn what_is_only_shown_counts_for_nothing() {
        let normal = near(0.0, 100);
        let fit = Fit::new(&normal).unwrap();
        let fisher = crate::score::statistics::index("fisher").unwrap();
        assert_eq!(fit.deviations(&normal[0])[fisher], None);
        let mut far = normal[0].clone();
        far.values[fisher] = 1e6;
        assert_eq!(fit.detect(&far), fit.detect(&normal[0]));
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
