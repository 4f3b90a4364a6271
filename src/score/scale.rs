//! Where figures of normal examples lie, and how far they spread.

use serde::{Deserialize, Serialize};

/// No deviation counts for more.
const FARTHEST: f64 = 1e6;

/// Where a figure of normal examples lies, and how far it spreads.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    /// Median.
    centre: f64,
    spread: f64,
}

impl Scale {
    /// That of some values: their spread is 1.4826 times the median distance from the median; the standard deviation if that is 0; `None`
    /// if they do not vary.
    pub fn of(values: &[f64]) -> Option<Self> {
        let centre = quantile(values, 0.5);
        let distances: Vec<f64> = values.iter().map(|v| (v - centre).abs()).collect();
        let mad = 1.4826 * quantile(&distances, 0.5);
        let deviation = (distances.iter().map(|d| d * d).sum::<f64>() / values.len().max(1) as f64).sqrt();
        Self::new(centre, if mad > 1e-9 { mad } else { deviation })
    }

    /// The same, with the distance from the median to the upper tenth as spread.
    pub fn upper(values: &[f64]) -> Option<Self> {
        let centre = quantile(values, 0.5);
        Self::new(centre, quantile(values, 0.9) - centre)
    }

    fn new(centre: f64, spread: f64) -> Option<Self> {
        (spread > 1e-9 && spread.is_finite()).then_some(Self { centre, spread })
    }

    /// Whether its numbers can be used.
    pub fn is_sound(self) -> bool {
        self.centre.is_finite() && self.spread.is_finite() && self.spread > 0.0
    }

    /// A value in spreads from the centre.
    pub fn z(self, value: f64) -> f64 {
        // What lies so far away is odd whatever it is, and its square is still finite.
        ((value - self.centre) / self.spread).clamp(-FARTHEST, FARTHEST)
    }
}

/// The value that a share of the values lies below, between two of them where it must; 0 of none.
fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let place = last as f64 * share;
    let (low, rest) = (place as usize, place.fract());
    sorted[low] + (sorted[(low + 1).min(last)] - sorted[low]) * rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_are_of_the_middle_or_of_the_upper_part() {
        let values: Vec<f64> = (0..=100).map(f64::from).collect();
        assert_eq!(Scale::of(&values).unwrap().z(50.0 + 1.4826 * 25.0), 1.0);
        assert_eq!(Scale::upper(&values).unwrap().z(90.0), 1.0);
        assert_eq!(Scale::of(&[3.0; 9]), None);
        assert!(Scale::of(&[0.0, 0.0, 0.0, 9.0]).is_some(), "the standard deviation of what rarely varies");
        assert_eq!((quantile(&[], 0.5), quantile(&[1.0, 2.0], 0.5)), (0.0, 1.5));
    }
}
