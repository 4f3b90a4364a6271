//! Pictures to an IDX file: unpacked, cut into tiles, made binary.
//!
//! What must stay true: [`sampled`] and its constants never change: figures of binarized sets are compared across years, and
//! depend on the very bits.

use super::pictures::{self, Side};
use super::{Idx, SetError, unzipped};
use crate::media::Limits;

/// Pictures, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Array {
    /// Number, rows, columns, and channels if there is more than one.
    pub dims: Vec<u32>,
    /// Their product of values.
    pub values: Vec<u8>,
}

impl Array {
    /// The pictures in a file, which may be gzipped; `tile` is width and height of a sprite sheet's tiles.
    ///
    /// # Errors
    /// A file that holds no pictures, or a sheet that is not made of such tiles.
    pub fn of(file: &[u8], tile: Option<(u32, u32)>, limits: &Limits) -> Result<Self, SetError> {
        let (stack, _) = pictures::open(&unzipped(file, limits)?, limits)?;
        let (width, height) = stack.tile(tile)?;
        let unit = u64::from(width) * u64::from(height) * u64::from(stack.channels);
        let count = (stack.values.len() as u64).checked_div(unit).unwrap_or(0) as u32;
        let mut dims = vec![count, height, width];
        if stack.channels > 1 {
            dims.push(stack.channels.into());
        }
        let values = if (width, height) == (stack.width, stack.height) {
            stack.values
        } else {
            pictures::tiles([stack.width, height, width], stack.channels, &stack.values, Side::Apart)
        };
        Ok(Self { dims, values })
    }

    /// The bytes of an IDX file.
    pub fn to_idx(&self) -> Vec<u8> {
        let mut bytes = Idx::header(&self.dims);
        bytes.extend_from_slice(&self.values);
        bytes
    }
}

/// Each value v becomes 255 with probability v / 255, else 0: the i-th (from 0) does if `u mod 255 < v`, where u is the i-th
/// output of SplitMix64 (Steele et al. 2014) that starts in the state `seed`.
pub fn sampled(values: &mut [u8], seed: u64) {
    let mut state = seed;
    for v in values {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        *v = if (z ^ (z >> 31)) % 255 < u64::from(*v) { 255 } else { 0 };
    }
}

/// Each value above 127 becomes 255, each other 0.
pub fn thresholded(values: &mut [u8]) {
    values.iter_mut().for_each(|v| *v = if *v > 127 { 255 } else { 0 });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sampling_has_the_right_mean_and_the_right_bits() {
        let mut values = [vec![0; 50_000], vec![64; 50_000], vec![255; 50_000]].concat();
        sampled(&mut values, 7);
        let share = |part: &[u8]| part.iter().filter(|v| **v == 255).count();
        assert_eq!((share(&values[..50_000]), share(&values[100_000..])), (0, 50_000));
        let middle = share(&values[50_000..100_000]);
        assert!(middle.abs_diff(12_549) < 400, "{middle}");
        assert!(values.iter().all(|v| matches!(v, 0 | 255)));
        // The first outputs of SplitMix64 from 0 are e220a8397b1dcdaf, 6e789e6aa1b965f4, 06c45d188009454f.
        let rests = [0xe220_a839_7b1d_cdafu64, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f].map(|u| (u % 255) as u8);
        let mut above = rests.map(|r| r + 1);
        let mut at = rests;
        sampled(&mut above, 0);
        sampled(&mut at, 0);
        assert_eq!((above, at), ([255; 3], [0; 3]));
        let mut values = [0, 127, 128, 255];
        thresholded(&mut values);
        assert_eq!(values, [0, 0, 255, 255]);
    }
}
