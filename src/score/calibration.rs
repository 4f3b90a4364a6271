//! What is kept of a collection of normal files: a fit on one half, and the scores of the other.
//!
//! A calibration file is `SRPCAL`, its version, a blake3 hash of what follows, and the calibration as bincode writes it.
//!
//! What must stay true: the half that is fitted and the half that gives p-values have no file in common, equal files in
//! particular; which half a file is in depends on its content alone.

use super::conformal;
use super::example::Summary;
use super::fit::Fit;
use super::statistics::STATISTICS;
use crate::engine::ModelId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thiserror::Error;

const MAGIC: &[u8; 6] = b"SRPCAL";
const VERSION: u16 = 1;
const HEADER: usize = MAGIC.len() + 2 + 32;
/// No calibration file is larger.
const MAX_BYTES: usize = 1 << 28;
/// Normal files that are needed to fit anything.
pub const MIN_FILES: usize = 20;

/// Why a calibration could not be had.
#[derive(Debug, Error)]
pub enum CalibrationError {
    /// Too few files.
    #[error(
        "{given} different normal files (or pictures in one) were given, and at least {MIN_FILES} are needed; more make smaller p-values possible"
    )]
    TooFew {
        /// How many there were.
        given: usize,
    },
    /// Nothing varies.
    #[error("the normal files are all alike to the model, so nothing can be compared with them")]
    Alike,
    /// Not a calibration file.
    #[error("is no calibration file (surprisal calibrate writes one)")]
    NoCalibration,
    /// Written by another version.
    #[error("is a calibration file of version {0}, and this program reads version {VERSION}: calibrate again")]
    Version(u16),
    /// Damaged.
    #[error("is a damaged calibration file (its checksum does not match): calibrate again")]
    Damaged,
    /// Has other statistics.
    #[error("was made with other statistics than this program has: calibrate again")]
    Statistics,
}

/// What normal files are like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The model that scored them.
    model: [u8; 16],
    /// Its name, for messages.
    name: String,
    /// Names of the statistics.
    statistics: Vec<String>,
    /// From the first half.
    fit: Fit,
    /// Number of examples that were fitted.
    fitted: u64,
    /// Scores of the second half, lowest first.
    scores: Vec<f64>,
}

/// Which half each example is in, by a hash of its content: `true` if it is fitted. Equal ones are in the same half, and about half
/// of the different ones in each.
pub fn split(hashes: &[[u8; 32]]) -> Vec<bool> {
    let mut halves: BTreeMap<&[u8; 32], bool> = hashes.iter().map(|h| (h, false)).collect();
    halves.values_mut().enumerate().for_each(|(i, half)| *half = i % 2 == 0);
    hashes.iter().map(|h| halves[h]).collect()
}

impl Calibration {
    /// Fits and calibrates on normal examples; of equal ones, the first is taken.
    ///
    /// # Errors
    /// Too few, or all alike.
    pub fn new(model: ModelId, name: &str, normal: &[Summary]) -> Result<Self, CalibrationError> {
        let different: BTreeMap<&[u8; 32], &Summary> = normal.iter().rev().map(|s| (&s.content, s)).collect();
        if different.len() < MIN_FILES {
            return Err(CalibrationError::TooFew { given: different.len() });
        }
        let hashes: Vec<[u8; 32]> = different.keys().map(|h| **h).collect();
        let (mut fitted, mut others) = (Vec::new(), Vec::new());
        for (summary, fit) in different.values().zip(split(&hashes)) {
            if fit { fitted.push((*summary).clone()) } else { others.push(*summary) }
        }
        let fit = Fit::new(&fitted).ok_or(CalibrationError::Alike)?;
        let mut scores: Vec<f64> = others.iter().map(|s| fit.detect(s).score).collect();
        scores.sort_by(f64::total_cmp);
        let statistics = STATISTICS.iter().map(|s| s.name.to_owned()).collect();
        Ok(Self { model: model.0, name: name.to_owned(), statistics, fit, fitted: fitted.len() as u64, scores })
    }

    /// The model that scored the normal files; others must not score what is compared with them.
    pub fn model(&self) -> ModelId {
        ModelId(self.model)
    }

    /// That model's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What was fitted.
    pub fn fit(&self) -> &Fit {
        &self.fit
    }

    /// Number of examples that were fitted, and of those that p-values come from.
    pub fn sizes(&self) -> (u64, usize) {
        (self.fitted, self.scores.len())
    }

    /// The p-value of a score.
    pub fn p_value(&self, score: f64) -> f64 {
        conformal::p_value(&self.scores, score)
    }

    /// The bytes of a calibration file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let body =
            bincode::serde::encode_to_vec(self, bincode::config::standard()).expect("a calibration can be encoded");
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(blake3::hash(&body).as_bytes());
        bytes.extend(body);
        bytes
    }

    /// Whether the bytes are those of a calibration file, of whatever version.
    pub fn is_calibration(bytes: &[u8]) -> bool {
        bytes.starts_with(MAGIC)
    }

    /// Reads a calibration file.
    ///
    /// # Errors
    /// Bytes that are none, are damaged, or of another version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CalibrationError> {
        if !Self::is_calibration(bytes) {
            return Err(CalibrationError::NoCalibration);
        }
        let version = bytes.get(MAGIC.len()..MAGIC.len() + 2).and_then(|b| b.try_into().ok());
        let version = u16::from_le_bytes(version.ok_or(CalibrationError::Damaged)?);
        if version != VERSION {
            return Err(CalibrationError::Version(version));
        }
        let (hash, body) = match (bytes.get(HEADER - 32..HEADER), bytes.get(HEADER..)) {
            (Some(hash), Some(body)) if bytes.len() <= MAX_BYTES => (hash, body),
            _ => return Err(CalibrationError::Damaged),
        };
        if blake3::hash(body).as_bytes() != hash {
            return Err(CalibrationError::Damaged);
        }
        let config = bincode::config::standard().with_limit::<MAX_BYTES>();
        let (calibration, read): (Self, usize) =
            bincode::serde::decode_from_slice(body, config).map_err(|_| CalibrationError::Damaged)?;
        if !calibration.statistics.iter().map(String::as_str).eq(STATISTICS.iter().map(|s| s.name)) {
            return Err(CalibrationError::Statistics);
        }
        // Whoever makes a file with a right checksum may still not have it used out of its bounds.
        let sound =
            read == body.len() && calibration.fit.is_sound() && calibration.scores.iter().all(|s| s.is_finite());
        if !sound || !calibration.scores.is_sorted() {
            return Err(CalibrationError::Damaged);
        }
        Ok(calibration)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fit::tests::near;
    use super::*;

    #[test]
    fn a_file_is_read_as_it_was_written_or_not_at_all() {
        let calibration = Calibration::new(ModelId([7; 16]), "some", &near(1.0, 101)).unwrap();
        assert_eq!(calibration.sizes(), (51, 50));
        let bytes = calibration.to_bytes();
        assert_eq!(Calibration::from_bytes(&bytes).unwrap(), calibration);
        let normal = &near(1.0, 102)[101];
        let p = |summary| calibration.p_value(calibration.fit().detect(summary).score);
        assert!(p(normal) > 1.0 / 51.0);
        assert!((p(&near(30.0, 1)[0]) - 1.0 / 51.0).abs() < 1e-12);
        for (cut, fault) in [(3, "no calibration"), (9, "damaged"), (60, "damaged"), (bytes.len() - 1, "damaged")] {
            let text = Calibration::from_bytes(&bytes[..cut]).unwrap_err().to_string();
            assert!(text.contains(fault), "{cut}: {text}");
        }
        let mut newer = bytes.clone();
        newer[6] = 2;
        assert!(Calibration::from_bytes(&newer).unwrap_err().to_string().contains("version 2"));
        let mut changed = bytes;
        let last = changed.len() - 1;
        changed[last] ^= 1;
        assert!(matches!(Calibration::from_bytes(&changed), Err(CalibrationError::Damaged)));
    }

    #[test]
    fn halves_have_no_example_in_common_and_do_not_depend_on_the_order() {
        let mut normal = near(0.0, 60);
        normal.extend(normal.clone());
        let hashes: Vec<_> = normal.iter().map(|s| s.content).collect();
        let halves = split(&hashes);
        assert_eq!(halves[..60], halves[60..]);
        assert_eq!(halves[..60].iter().filter(|h| **h).count(), 30);
        let one = Calibration::new(ModelId([0; 16]), "x", &normal).unwrap();
        normal.reverse();
        assert_eq!(Calibration::new(ModelId([0; 16]), "x", &normal).unwrap(), one);
        assert!(matches!(
            Calibration::new(ModelId([0; 16]), "x", &normal[..19]),
            Err(CalibrationError::TooFew { given: 19 })
        ));
        normal.iter_mut().for_each(|s| s.values.fill(2.0));
        assert!(matches!(Calibration::new(ModelId([0; 16]), "x", &normal), Err(CalibrationError::Alike)));
    }
}
