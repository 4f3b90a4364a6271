//! IDX files: a byte array of some dimensions, as MNIST and its kin come.
//!
//! What must stay true: header and data are the whole file; a size that the file does not back is refused before anything is
//! allocated for it.

use super::SetError;
use super::gzip::unzipped;
use crate::media::Limits;

/// Dimensions at most.
const MOST: usize = 4;
/// The code of unsigned bytes.
const UBYTE: u8 = 8;

/// A byte array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idx<'a> {
    /// Its sizes, the slowest first; the first is the number of items.
    pub dims: Vec<u32>,
    /// Their product of bytes.
    pub data: &'a [u8],
}

impl<'a> Idx<'a> {
    /// Whether the bytes begin as an IDX file does.
    pub fn sniff(file: &[u8]) -> bool {
        matches!(file, [0, 0, 8..=14, 1..=4, ..])
    }

    /// Reads a file that is not gzipped.
    ///
    /// # Errors
    /// Another type than unsigned bytes, more than four dimensions, too few bytes, or too many.
    pub fn parse(file: &'a [u8]) -> Result<Self, SetError> {
        let fail = |what: String| Err(SetError::Idx(what));
        let (kind, count) = match file {
            [0, 0, kind, count, ..] => (*kind, usize::from(*count)),
            _ => return fail("does not begin as IDX files do".into()),
        };
        if kind != UBYTE {
            return fail(format!("holds values of type 0x{kind:02x}; only unsigned bytes (0x08) are read"));
        }
        if !(1..=MOST).contains(&count) {
            return fail(format!("has {count} dimensions; 1 to {MOST} are read"));
        }
        let Some((sizes, data)) = file[4..].split_at_checked(4 * count) else {
            return fail("is cut short in its header".into());
        };
        let dims: Vec<u32> = sizes.chunks_exact(4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]])).collect();
        let need = dims.iter().try_fold(1u64, |n, d| n.checked_mul((*d).into()));
        let shape = dims.iter().map(u32::to_string).collect::<Vec<_>>().join(" x ");
        match need {
            Some(n) if n == data.len() as u64 => Ok(Self { dims, data }),
            Some(n) if n < data.len() as u64 => {
                fail(format!("says {shape}, and {} bytes follow its end", data.len() as u64 - n))
            }
            Some(n) => fail(format!("says {shape} and is cut short: {} of {n} bytes are there", data.len())),
            None => fail(format!("says {shape}, more than any file can hold")),
        }
    }

    /// The bytes before the data.
    pub fn header(dims: &[u32]) -> Vec<u8> {
        let mut bytes = vec![0, 0, UBYTE, dims.len() as u8];
        dims.iter().for_each(|d| bytes.extend_from_slice(&d.to_be_bytes()));
        bytes
    }
}

/// The labels in an IDX file of one dimension, which may be gzipped.
///
/// # Errors
/// A damaged file, or one of more dimensions.
pub fn labels(file: &[u8], limits: &Limits) -> Result<Vec<u8>, SetError> {
    let file = unzipped(file, limits)?;
    let idx = Idx::parse(&file)?;
    if idx.dims.len() != 1 {
        return Err(SetError::Labels(idx.dims.len()));
    }
    Ok(idx.data.to_vec())
}
