//! Some statistics together, and how far an example lies from the nearest normal ones in them.
//!
//! Distances are taken in coordinates in which a normal example differs from the normal ones *near to it* by variance 1, without
//! correlation (relevant component analysis, Bar-Hillel et al. 2003, with neighbours as chunklets; Hastie and Tibshirani 1996): normal
//! files may be of several kinds, and what tells these apart must not hide what is between them or beside them. Covariances are
//! shrunk to their diagonal by the intensity of Schäfer and Strimmer 2005 (equation 8).
//!
//! What must stay true: examples of one group are not each other's neighbours, since those that are scored are of other groups.

use super::linear::{cholesky, whiten};
use super::scale::Scale;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Normal examples that are kept to measure distances from; and those of them that differences and distances are taken of.
const KEPT: usize = 3000;
pub const TAKEN: usize = 1000;
/// Which of the nearest.
pub const NEAREST: usize = 5;
/// Neighbours that differences are taken from, and how often these are looked for in the last coordinates.
const NEIGHBOURS: usize = 3;
const ROUNDS: usize = 4;
/// Least part of a covariance that is taken from its diagonal, and what is added to that.
const SHRINKAGE: f64 = 1e-3;

/// Normal examples, standardized; each with the number of its group.
pub type Rows<'a> = &'a [(Vec<f64>, usize)];

/// A change of coordinates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Coordinates {
    means: Vec<f64>,
    /// The lower triangle of a covariance's decomposition.
    triangle: Vec<f64>,
}

impl Coordinates {
    /// Those in which the rows have variance 1 and no correlation, and how far their covariance was shrunk.
    pub fn global(rows: &[&[f64]]) -> Option<(Self, f64)> {
        let (n, count) = (rows.first()?.len(), rows.len() as f64);
        let means: Vec<f64> = (0..n).map(|i| rows.iter().map(|r| r[i]).sum::<f64>() / count).collect();
        let centred: Vec<Vec<f64>> = rows.iter().map(|r| r.iter().zip(&means).map(|(v, m)| v - m).collect()).collect();
        let covariance = second_moments(&centred, n);
        let shrink = intensity(&centred, &covariance, n);
        Some((Self::new(means, covariance, shrink)?, shrink))
    }

    fn new(means: Vec<f64>, mut covariance: Vec<f64>, shrink: f64) -> Option<Self> {
        let n = means.len();
        for (i, value) in covariance.iter_mut().enumerate() {
            *value = if i % (n + 1) == 0 { *value + SHRINKAGE } else { *value * (1.0 - shrink) };
        }
        Some(Self { triangle: cholesky(&covariance, n)?, means })
    }

    /// A row in these coordinates.
    pub fn of(&self, row: &[f64]) -> Vec<f64> {
        let centred: Vec<f64> = row.iter().zip(&self.means).map(|(v, m)| v - m).collect();
        whiten(&self.triangle, &centred)
    }

    /// Whether it is of `n` values, and its numbers are finite.
    pub fn is_sound(&self, n: usize) -> bool {
        self.means.len() == n
            && self.triangle.len() == n * n
            && (0..n).all(|i| self.triangle[i * n + i] > 0.0)
            && self.means.iter().chain(&self.triangle).all(|v| v.is_finite())
    }
}

/// Means of the products of each two values `[n][n]`.
fn second_moments(rows: &[Vec<f64>], n: usize) -> Vec<f64> {
    let row = |i: usize| (0..n).map(|j| rows.iter().map(|r| r[i] * r[j]).sum::<f64>() / rows.len() as f64).collect();
    (0..n).into_par_iter().map(row).collect::<Vec<Vec<f64>>>().concat()
}

/// How far correlations are to be shrunk: the sum of their variances over that of their squares.
fn intensity(centred: &[Vec<f64>], covariance: &[f64], n: usize) -> f64 {
    let spread: Vec<f64> = (0..n).map(|i| covariance[i * n + i].max(1e-18).sqrt()).collect();
    let count = centred.len() as f64;
    let of = |i: usize| {
        let pair = |j: usize| {
            let unit = spread[i] * spread[j];
            let correlation = covariance[i * n + j] / unit;
            let square = centred.iter().map(|r| (r[i] * r[j] / unit).powi(2)).sum::<f64>() / count;
            [(square - correlation * correlation) / count, correlation * correlation]
        };
        (0..i).map(pair).fold([0.0; 2], |a, b| [a[0] + b[0], a[1] + b[1]])
    };
    let each: Vec<[f64; 2]> = (0..n).into_par_iter().map(of).collect();
    let [variances, squares] = each.into_iter().fold([0.0; 2], |a, b| [a[0] + b[0], a[1] + b[1]]);
    (variances / squares.max(1e-9)).clamp(SHRINKAGE, 1.0)
}

/// Some statistics together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// Their places among those that vary.
    columns: Vec<u32>,
    /// How much it counts among others.
    pub weight: f64,
    coordinates: Coordinates,
    /// Some normal examples in these coordinates, one after the other.
    points: Vec<f64>,
    /// Distances of normal examples from one another.
    distances: Scale,
}

impl View {
    /// Fits some columns of the rows, and gives the distances of the first [`TAKEN`] of the points; `None` if the rows cannot be told
    /// apart.
    pub fn new(columns: Vec<u32>, weight: f64, rows: Rows) -> Option<(Self, Vec<f64>)> {
        let n = columns.len();
        let all: Vec<Vec<f64>> = rows.iter().map(|(row, _)| pick(&columns, row)).collect();
        let (mut coordinates, shrink) = Coordinates::global(&all.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
        let step = rows.len().div_ceil(KEPT);
        let kept: Vec<&Vec<f64>> = all.iter().step_by(step).collect();
        let groups: Vec<usize> = rows.iter().step_by(step).map(|(_, group)| *group).collect();
        let taken = 0..kept.len().min(TAKEN);
        let map = |by: &Coordinates| kept.par_iter().map(|row| by.of(row)).collect::<Vec<_>>();
        for _ in 0..ROUNDS {
            let near = neighbours(&map(&coordinates), &groups, taken.clone(), NEIGHBOURS);
            let minus = |i: usize, j: usize| kept[i].iter().zip(kept[j]).map(|(a, b)| (a - b) / 2f64.sqrt()).collect();
            let differences: Vec<Vec<f64>> =
                near.iter().enumerate().flat_map(|(i, near)| near.iter().map(move |(_, j)| minus(i, *j))).collect();
            coordinates = Coordinates::new(coordinates.means, second_moments(&differences, n), shrink)?;
        }
        let points = map(&coordinates);
        let far = |near: &Vec<(f64, usize)>| near.last().map_or(0.0, |(squared, _)| squared.sqrt());
        let own: Vec<f64> = neighbours(&points, &groups, taken, NEAREST).iter().map(far).collect();
        let distances = Scale::of(&own)?;
        let own = own.into_iter().map(|d| distances.z(d)).collect();
        Some((Self { columns, weight, coordinates, points: points.concat(), distances }, own))
    }

    /// How far an example lies from normal ones: in spreads of such distances among these, from their median.
    pub fn far(&self, z: &[f64]) -> f64 {
        let at = self.coordinates.of(&pick(&self.columns, z));
        let squared = |p: &[f64]| p.iter().zip(&at).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
        let mut all: Vec<f64> = self.points.chunks_exact(at.len()).map(squared).collect();
        let rank = NEAREST.min(all.len()) - 1;
        self.distances.z(all.select_nth_unstable_by(rank, f64::total_cmp).1.sqrt())
    }

    /// Whether the sizes of its parts fit and its numbers are finite; `all` statistics vary.
    pub fn is_sound(&self, all: usize) -> bool {
        let n = self.columns.len();
        n > 0
            && self.columns.iter().all(|c| (*c as usize) < all)
            && self.weight > 0.0
            && self.weight.is_finite()
            && self.coordinates.is_sound(n)
            && !self.points.is_empty()
            && self.points.len() % n == 0
            && self.points.iter().all(|v| v.is_finite())
            && self.distances.is_sound()
    }
}

/// Some of the values.
fn pick(columns: &[u32], row: &[f64]) -> Vec<f64> {
    columns.iter().map(|c| row[*c as usize]).collect()
}

/// Squared distances and numbers of the nearest points to some of them, nearest first: of other groups, or, where there are too few
/// groups, of others than the point itself.
fn neighbours(points: &[Vec<f64>], groups: &[usize], of: Range<usize>, count: usize) -> Vec<Vec<(f64, usize)>> {
    let few = groups.iter().collect::<std::collections::BTreeSet<_>>().len() <= NEAREST;
    let near = |i: usize| {
        let other = |j: &usize| if few { *j != i } else { groups[*j] != groups[i] };
        let squared = |j: usize| points[j].iter().zip(&points[i]).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
        let mut all: Vec<(f64, usize)> = (0..points.len()).filter(other).map(|j| (squared(j), j)).collect();
        let order = |a: &(f64, usize), b: &(f64, usize)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
        if all.len() > count {
            all.select_nth_unstable_by(count - 1, order);
            all.truncate(count);
        }
        all.sort_by(order);
        all
    };
    of.into_par_iter().map(near).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of two kinds, far apart in the first value and alike within each.
    fn two_kinds() -> Vec<(Vec<f64>, usize)> {
        let noise = |i: usize, k: usize| {
            let mixed = ((3 * i + k) as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            ((mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as f64 / (1u64 << 24) as f64 - 0.5
        };
        let row = |i: usize| vec![noise(i, 0) + if i % 2 == 0 { 20.0 } else { -20.0 }, noise(i, 1), noise(i, 2)];
        (0..200).map(|i| (row(i), i)).collect()
    }

    #[test]
    fn what_lies_between_two_kinds_is_odd() {
        let rows = two_kinds();
        let (view, own) = View::new(vec![0, 1, 2], 1.0, &rows).unwrap();
        assert!(own.len() == 200 && own.iter().all(|d| *d < 20.0));
        assert!(view.far(&[0.0, 0.0, 0.0]) > 50.0 && view.far(&[20.0, 0.0, 0.0]) < 5.0);
    }

    #[test]
    fn an_example_is_compared_with_other_groups() {
        // Each example is there twice, as windows of one file may be.
        let twice: Vec<_> = two_kinds().into_iter().flat_map(|row| [row.clone(), row]).collect();
        let points: Vec<Vec<f64>> = twice.iter().map(|(row, _)| row.clone()).collect();
        let groups: Vec<usize> = twice.iter().map(|(_, group)| *group).collect();
        let near = neighbours(&points, &groups, 0..10, NEAREST);
        assert!(near.iter().all(|near| near.len() == NEAREST && near[0].0 > 0.0));
        // One group: others than the point itself.
        let near = neighbours(&points, &[0; 400], 0..10, NEAREST);
        assert!(near.iter().all(|near| near[0].0 == 0.0));
    }
}
