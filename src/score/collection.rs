//! Calibrations of several media, and the file that keeps them.
//!
//! A calibration file is `SRPCAL`, its version, a blake3 hash of what follows, and the calibrations as bincode writes them.
//!
//! What must stay true: bytes from anywhere give a collection that can be used, or an error.

use super::calibration::Calibration;
use super::media::Medium;
use thiserror::Error;

const MAGIC: &[u8; 6] = b"SRPCAL";
/// 1 had one calibration of pictures, and fewer statistics; 2 had one covariance for normal files of all kinds; 3 did
/// not know how strange the strangest blocks of normal files are; 4 had no hums of the mains and no traces; 5 had no trace of Ogg Vorbis, and nothing of a network's last
/// layers; 6 knew neither models that were fitted to normal files nor background models.
const VERSION: u16 = 7;
const HEADER: usize = MAGIC.len() + 2 + 32;
/// No calibration file is larger.
const MAX_BYTES: usize = 1 << 28;

/// Why a file gives no calibrations.
#[derive(Debug, Error)]
pub enum CollectionError {
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

/// A calibration for each medium that normal files were given of.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Collection(Vec<Calibration>);

impl Collection {
    /// Of calibrations of different media.
    pub fn new(mut calibrations: Vec<Calibration>) -> Self {
        calibrations.sort_by_key(Calibration::medium);
        calibrations.dedup_by_key(|c| c.medium());
        Self(calibrations)
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Calibration> {
        self.0.iter()
    }

    /// That of a medium.
    pub fn of(&self, medium: Medium) -> Option<&Calibration> {
        self.iter().find(|c| c.medium() == medium)
    }

    /// The bytes of a calibration file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let body =
            bincode::serde::encode_to_vec(&self.0, bincode::config::standard()).expect("calibrations can be encoded");
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(blake3::hash(&body).as_bytes());
        bytes.extend(body);
        bytes
    }

    /// Whether the bytes are those of a calibration file, of whatever version.
    pub fn is_file(bytes: &[u8]) -> bool {
        bytes.starts_with(MAGIC)
    }

    /// Reads a calibration file.
    ///
    /// # Errors
    /// Bytes that are none, are damaged, or of another version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CollectionError> {
        if !Self::is_file(bytes) {
            return Err(CollectionError::NoCalibration);
        }
        let version = bytes.get(MAGIC.len()..MAGIC.len() + 2).and_then(|b| b.try_into().ok());
        let version = u16::from_le_bytes(version.ok_or(CollectionError::Damaged)?);
        if version != VERSION {
            return Err(CollectionError::Version(version));
        }
        let (hash, body) = match (bytes.get(HEADER - 32..HEADER), bytes.get(HEADER..)) {
            (Some(hash), Some(body)) if bytes.len() <= MAX_BYTES => (hash, body),
            _ => return Err(CollectionError::Damaged),
        };
        if blake3::hash(body).as_bytes() != hash {
            return Err(CollectionError::Damaged);
        }
        let config = bincode::config::standard().with_limit::<MAX_BYTES>();
        let (calibrations, read): (Vec<Calibration>, usize) =
            bincode::serde::decode_from_slice(body, config).map_err(|_| CollectionError::Damaged)?;
        if !calibrations.iter().all(Calibration::is_current) {
            return Err(CollectionError::Statistics);
        }
        // Whoever makes a file with a right checksum may still not have it used out of its bounds.
        let order = calibrations.windows(2).all(|c| c[0].medium() < c[1].medium());
        if read != body.len() || calibrations.is_empty() || !order || !calibrations.iter().all(Calibration::is_sound) {
            return Err(CollectionError::Damaged);
        }
        Ok(Self(calibrations))
    }
}

#[cfg(test)]
mod tests {
    use super::super::calibration::{Method, tests::of};
    use super::super::fit::tests::near;
    use super::*;

    #[test]
    fn a_file_is_read_as_it_was_written_or_not_at_all() {
        let collection = Collection::new(vec![of(&near(1.0, 101), Method::Split).unwrap()]);
        let bytes = collection.to_bytes();
        assert_eq!(Collection::from_bytes(&bytes).unwrap(), collection);
        for (cut, fault) in [(3, "no calibration"), (9, "damaged"), (60, "damaged"), (bytes.len() - 1, "damaged")] {
            let text = Collection::from_bytes(&bytes[..cut]).unwrap_err().to_string();
            assert!(text.contains(fault), "{cut}: {text}");
        }
        let mut newer = bytes.clone();
        newer[6] = VERSION as u8 + 1;
        assert!(Collection::from_bytes(&newer).unwrap_err().to_string().contains(&format!("version {}", VERSION + 1)));
        let mut changed = bytes;
        let last = changed.len() - 1;
        changed[last] ^= 1;
        assert!(matches!(Collection::from_bytes(&changed), Err(CollectionError::Damaged)));
        let empty = Collection::default().to_bytes();
        assert!(matches!(Collection::from_bytes(&empty), Err(CollectionError::Damaged)));
    }
}
