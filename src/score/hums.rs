//! Hums, which are odd in a way of their own and hardly move the distance over all statistics: tones at multiples of any frequency, by
//! the distance to normal examples, and at multiples of the mains' frequencies, by the strongest alone.
//!
//! What must stay true: what a hum counts is bounded, however strong it is. A normal recording may have a line where others have none.

use super::scale::Scale;
use super::statistics::Family;
use super::view::{Rows, View};
use serde::{Deserialize, Serialize};

/// A hum of any frequency and one of the mains count so much: the former are looked for in so many places that more of them are chance.
const WEIGHTS: [f64; 2] = [0.5, 1.0];
/// What an endlessly strong hum counts, in units in which a tenth of normal examples have more than 1.
const MOST: f64 = 8.0;

/// What is looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tones {
    anywhere: View,
    /// Places of the mains' statistics among those that vary.
    mains: Vec<u32>,
}

impl Tones {
    /// Fits to the rows, of which `families` has one for each value; also what it says of the first of them. `None` if none has tones.
    pub fn new(families: &[Family], rows: Rows) -> Option<(Self, Vec<[f64; 2]>)> {
        let of = |family: Family| (0..families.len() as u32).filter(|c| families[*c as usize] == family).collect();
        let columns: Vec<u32> = of(Family::Harmonics);
        let (anywhere, own) = if columns.is_empty() { None } else { View::new(columns, 1.0, rows) }?;
        let tones = Self { anywhere, mains: of(Family::Mains) };
        let own = own.into_iter().zip(rows).map(|(anywhere, (row, _))| [anywhere, tones.strongest(row)]).collect();
        Some((tones, own))
    }

    /// The strongest hum of the mains, in deviations from normal; 0 where none is looked at.
    fn strongest(&self, z: &[f64]) -> f64 {
        self.mains.iter().map(|c| z[*c as usize]).reduce(f64::max).unwrap_or(0.0)
    }

    /// What it says of an example: the distance over tones of any frequency, and the strongest hum of the mains.
    pub fn of(&self, z: &[f64]) -> [f64; 2] {
        [self.anywhere.far(z), self.strongest(z)]
    }
}

/// The same beside what is said of normal examples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hums {
    tones: Tones,
    scales: [Option<Scale>; 2],
}

impl Hums {
    /// `own`: what is said of normal examples.
    pub fn new(tones: Tones, own: &[[f64; 2]]) -> Self {
        let scale = |i: usize| Scale::upper(&own.iter().map(|o| o[i]).collect::<Vec<_>>());
        Self { tones, scales: [scale(0), scale(1)] }
    }

    /// How odd its hums make an example, below [`MOST`]; `None` if normal examples do not differ in them.
    pub fn far(&self, z: &[f64]) -> Option<f64> {
        let each = self.scales.iter().zip(self.tones.of(z)).zip(WEIGHTS);
        let strongest = each.filter_map(|((scale, far), weight)| Some(weight * (*scale)?.z(far))).reduce(f64::max)?;
        Some(if strongest > 0.0 { strongest / (1.0 + strongest / MOST) } else { strongest })
    }

    /// Whether the sizes of its parts fit and its numbers are finite; `all` statistics vary.
    pub fn is_sound(&self, all: usize) -> bool {
        self.tones.anywhere.is_sound(all)
            && self.tones.mains.iter().all(|c| (*c as usize) < all)
            && self.scales.iter().flatten().all(|scale| scale.is_sound())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hums_count_by_where_they_are_and_never_without_end() {
        let noise = |i: usize, k: usize| {
            let mixed = ((3 * i + k) as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            ((mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as f64 / (1u64 << 24) as f64 - 0.5
        };
        let rows: Vec<_> = (0..100).map(|i| (vec![noise(i, 0), noise(i, 1), noise(i, 2)], i)).collect();
        let families = [Family::Walk, Family::Harmonics, Family::Mains];
        let (tones, own) = Tones::new(&families, &rows).unwrap();
        assert_eq!(own.len(), rows.len());
        let hums = Hums::new(tones, &own);
        assert!(hums.is_sound(3) && !hums.is_sound(2));
        let far = |row: [f64; 3]| hums.far(&row).unwrap();
        let quiet = far([0.0; 3]);
        assert!(quiet < 0.2 && (far([9.0, 0.0, 0.0]) - quiet).abs() < 1e-12, "the walk is no hum");
        assert!(far([0.0, 0.0, 1.0]) > 0.6 && far([0.0, 0.0, 5.0]) > far([0.0, 0.0, 1.0]));
        assert!(far([0.0, 9.0, 0.0]) > 1.0 && far([0.0, 1e6, 1e6]) <= MOST);
        // A hum of the mains that is weaker than normal is none.
        assert!(far([0.0, 0.0, -5.0]) <= quiet + 1e-12);
        assert!(Tones::new(&[Family::Walk; 3], &rows).is_none());
    }
}
