//! What is kept of a collection of normal files: fits on some of them, and the scores of others.
//!
//! What must stay true: an example that gives p-values was not seen by the fit that scored it, nor was one that is equal or belongs to
//! the same group; which part an example is in depends on its content alone.

use super::conformal;
use super::example::{Region, Summary};
use super::fit::{Detected, Fit};
use super::media::Medium;
use super::reason::reason;
use super::scorer::{Identity, Scorer};
use super::statistics::STATISTICS;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// Normal files that are needed to fit anything.
pub const MIN_FILES: usize = 20;
/// Parts of a cross-conformal calibration.
const FOLDS: usize = 5;

/// Hashes of examples, see [`Summary::content`].
pub type Contents = BTreeSet<[u8; 32]>;

/// Why a calibration could not be had.
#[derive(Debug, Error)]
pub enum CalibrationError {
    /// Too few files.
    #[error(
        "{given} different normal {medium} (or windows, or pictures in one file) were given, and at least {MIN_FILES} are needed; more make smaller p-values possible"
    )]
    TooFew {
        /// How many there were.
        given: usize,
        /// What they are.
        medium: Medium,
    },
    /// Nothing varies.
    #[error("the normal {0} are all alike to the model, so nothing can be compared with them")]
    Alike(Medium),
}

/// How p-values are had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Method {
    /// One half is fitted, the other gives p-values (Papadopoulos et al. 2002): valid on average over calibrations.
    Split,
    /// Each fifth gives p-values by a fit on the other four (Vovk 2015): more of them, without a guarantee.
    Cross,
}

/// What normal files of a medium are like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// What scored the files.
    scorer: Identity,
    /// Names of the statistics.
    statistics: Vec<String>,
    method: Method,
    parts: Vec<Part>,
    /// Number of different examples.
    examples: u64,
}

/// A fit, and how it scores normal files that it has not seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Part {
    fit: Fit,
    /// Lowest first.
    scores: Vec<f64>,
}

/// What a calibration says of an example.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// How unlike normal files it is; of several fits, the means.
    pub detected: Detected,
    /// Share of normal files that are as unlike.
    pub p_value: f64,
    /// Why, in words.
    pub reason: String,
    /// The block that the words name.
    pub place: Option<Region>,
}

/// Which of `count` parts each example is in, by a hash of its group: equal hashes are in one part, and the parts have nearly as many
/// hashes each.
pub fn split(groups: &[[u8; 32]], count: usize) -> Vec<usize> {
    let mut parts: BTreeMap<&[u8; 32], usize> = groups.iter().map(|h| (h, 0)).collect();
    parts.values_mut().enumerate().for_each(|(i, part)| *part = i % count);
    groups.iter().map(|h| parts[h]).collect()
}

/// The half of different examples, each of its own group, that [`Method::Split`] fits.
pub(super) fn fitted(contents: &Contents) -> Contents {
    let contents: Vec<[u8; 32]> = contents.iter().copied().collect();
    let parts = split(&contents, 2);
    contents.into_iter().zip(parts).filter(|(_, part)| *part == 0).map(|(content, _)| content).collect()
}

impl Calibration {
    /// Fits and calibrates on normal examples; of equal ones, the first is taken. Those whose contents were `seen` when the model was
    /// chosen or fitted are in the first half, whatever their part.
    ///
    /// # Errors
    /// Too few, or all alike.
    pub fn new(
        scorer: impl Into<Scorer>,
        normal: &[Summary],
        method: Method,
        seen: &Contents,
    ) -> Result<Self, CalibrationError> {
        Self::of(scorer.into().identity().clone(), normal, method, seen)
    }

    fn of(scorer: Identity, normal: &[Summary], method: Method, seen: &Contents) -> Result<Self, CalibrationError> {
        let medium = scorer.medium;
        let different: BTreeMap<&[u8; 32], &Summary> = normal.iter().rev().map(|s| (&s.content, s)).collect();
        let examples: Vec<&Summary> = different.values().copied().collect();
        if examples.len() < MIN_FILES {
            return Err(CalibrationError::TooFew { given: examples.len(), medium });
        }
        let count = if method == Method::Split { 2 } else { FOLDS };
        let mut keys: Vec<[u8; 32]> = examples.iter().map(|s| s.group).collect();
        if keys.iter().collect::<BTreeSet<_>>().len() < count {
            // Windows of fewer files than parts: each is taken for itself.
            keys = examples.iter().map(|s| s.content).collect();
        }
        let mut places = split(&keys, count);
        if method == Method::Split {
            let fitted = |(key, s): (&[u8; 32], &&Summary)| seen.contains(&s.content).then_some(*key);
            let fitted: Contents = keys.iter().zip(&examples).filter_map(fitted).collect();
            places.iter_mut().zip(&keys).filter(|(_, key)| fitted.contains(*key)).for_each(|(p, _)| *p = 0);
        }
        // The part that gives p-values; of two, the second alone.
        let parts = (if method == Method::Split { 1 } else { 0 }..count).map(|part| {
            let pick = |inside: bool| examples.iter().zip(&places).filter(move |(_, p)| (**p == part) == inside);
            let fitted: Vec<&Summary> = pick(false).map(|(s, _)| *s).collect();
            let fit = Fit::new(&fitted).ok_or(CalibrationError::Alike(medium))?;
            let mut scores: Vec<f64> = pick(true).map(|(s, _)| fit.detect(s).score).collect();
            scores.sort_by(f64::total_cmp);
            Ok(Part { fit, scores })
        });
        let parts = parts.collect::<Result<Vec<_>, _>>()?;
        let statistics = STATISTICS.iter().map(|s| s.name.to_owned()).collect();
        Ok(Self { scorer, statistics, method, parts, examples: examples.len() as u64 })
    }

    /// What the files are.
    pub fn medium(&self) -> Medium {
        self.scorer.medium
    }

    /// What scored the normal files; nothing else must score what is compared with them.
    pub(super) fn identity(&self) -> &Identity {
        &self.scorer
    }

    /// How p-values are had.
    pub fn method(&self) -> Method {
        self.method
    }

    /// Number of different normal examples.
    pub fn examples(&self) -> u64 {
        self.examples
    }

    /// Number of normal scores that p-values are shares of.
    pub fn scores(&self) -> usize {
        self.parts.iter().map(|part| part.scores.len()).sum()
    }

    /// The normal scores of the first fit, lowest first.
    pub fn normal(&self) -> &[f64] {
        &self.parts[0].scores
    }

    /// The smallest p-value there is.
    pub fn smallest(&self) -> f64 {
        1.0 / (1 + self.scores()) as f64
    }

    /// What is to be said of an example.
    pub fn judge(&self, summary: &Summary) -> Verdict {
        let each: Vec<Detected> = self.parts.iter().map(|part| part.fit.detect(summary)).collect();
        let n = each.len() as f64;
        let mean = |of: fn(&Detected) -> f64| each.iter().map(of).sum::<f64>() / n;
        let detected =
            Detected { score: mean(|d| d.score), mahalanobis: mean(|d| d.mahalanobis), density: mean(|d| d.density) };
        let at_least = |(part, d): (&Part, &Detected)| conformal::at_least(&part.scores, d.score);
        let above: usize = self.parts.iter().zip(&each).map(at_least).sum();
        let p_value = (1 + above) as f64 / (1 + self.scores()) as f64;
        let (reason, place) = reason(&self.parts[0].fit, summary);
        Verdict { detected, p_value, reason, place }
    }

    /// Whether its numbers are what [`Calibration::new`] could have made, which a file may claim and not hold.
    pub(super) fn is_sound(&self) -> bool {
        let sound =
            |part: &Part| part.fit.is_sound() && part.scores.iter().all(|s| s.is_finite()) && part.scores.is_sorted();
        !self.parts.is_empty() && self.parts.iter().all(sound)
    }

    /// Whether it has the statistics of this program.
    pub(super) fn is_current(&self) -> bool {
        self.statistics.iter().map(String::as_str).eq(STATISTICS.iter().map(|s| s.name))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::fit::tests::near;
    use super::*;

    pub fn of(normal: &[Summary], method: Method) -> Result<Calibration, CalibrationError> {
        Calibration::of(some(), normal, method, &Contents::new())
    }

    fn some() -> Identity {
        let (medium, name) = (Medium::Picture, "some".to_owned());
        Identity { medium, model: [7; 16], name, adaptation: Some(vec![3, 5]), background: Some([8; 16]) }
    }

    #[test]
    fn p_values_come_from_what_was_not_fitted() {
        let one = of(&near(1.0, 101), Method::Split).unwrap();
        assert_eq!((one.examples(), one.scores(), one.parts.len()), (101, 50, 1));
        let cross = of(&near(1.0, 101), Method::Cross).unwrap();
        assert_eq!((cross.scores(), cross.parts.len()), (101, 5));
        // What was seen when the model was chosen gives none.
        let seen: Contents = near(1.0, 101)[..60].iter().map(|s| s.content).collect();
        let normal = near(1.0, 101);
        let fresh = Calibration::of(some(), &normal, Method::Split, &seen).unwrap();
        assert!((8..34).contains(&fresh.scores()), "{}", fresh.scores());
        for calibration in [one, cross] {
            let smallest = calibration.smallest();
            assert!(calibration.judge(&near(1.0, 102)[101]).p_value > smallest);
            assert_eq!(calibration.judge(&near(30.0, 1)[0]).p_value, smallest);
        }
    }

    #[test]
    fn what_a_model_may_be_fitted_to_gives_no_p_values() {
        let mut normal = near(1.0, 101);
        normal.sort_by_key(|s| s.content);
        let fitted = fitted(&normal.iter().map(|s| s.content).collect());
        let (first, second): (Vec<_>, Vec<_>) = normal.iter().partition(|s| fitted.contains(&s.content));
        let fit = Fit::new(&first).unwrap();
        let mut scores: Vec<f64> = second.into_iter().map(|s: &Summary| fit.detect(s).score).collect();
        scores.sort_by(f64::total_cmp);
        assert_eq!(of(&normal, Method::Split).unwrap().normal(), scores);
    }

    #[test]
    fn parts_have_no_example_in_common_and_do_not_depend_on_the_order() {
        let mut normal = near(0.0, 60);
        normal.extend(normal.clone());
        let hashes: Vec<_> = normal.iter().map(|s| s.content).collect();
        let halves = split(&hashes, 2);
        assert_eq!(halves[..60], halves[60..]);
        assert_eq!(halves[..60].iter().filter(|h| **h == 1).count(), 30);
        let one = of(&normal, Method::Split).unwrap();
        normal.reverse();
        assert_eq!(of(&normal, Method::Split).unwrap(), one);
        assert!(matches!(of(&normal[..19], Method::Split), Err(CalibrationError::TooFew { given: 19, .. })));
        normal.iter_mut().for_each(|s| s.values.fill(2.0));
        assert!(matches!(of(&normal, Method::Split), Err(CalibrationError::Alike(_))));
    }

    #[test]
    fn a_group_is_fitted_or_scored_as_a_whole() {
        let mut windows = near(0.0, 60);
        windows.iter_mut().enumerate().for_each(|(i, s)| s.group = [(i / 20) as u8; 32]);
        // Three files of twenty windows: two of them are fitted.
        assert_eq!(of(&windows, Method::Split).unwrap().scores(), 20);
        windows.iter_mut().for_each(|s| s.group = [0; 32]);
        assert_eq!(of(&windows, Method::Split).unwrap().scores(), 30);
    }
}
